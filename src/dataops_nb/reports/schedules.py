"""Write files for five schedulers that are there already, from templates.

They call `dataops-nb refresh SUITE --due` in the morning of the day after a period is over, where
the company is. The command itself decides what is due, so a schedule that fires twice, late or
after a night without power does no harm. Every format is a function from a `Plan` (what to call,
when, in which time zone) to files by name:

- a crontab, also for a cron that knows no time zones;
- a systemd service and its timer, which knows time zones and catches up what it slept through;
- a GitHub workflow for a workbench that is a repository, which keeps history and offers the pages;
- an Airflow DAG of one task, where a failing cell is not tried again;
- job definitions for jupyter-scheduler, which runs the notebooks and publishes no pages.
"""

from __future__ import annotations

import datetime as dt
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from dataops_nb import templates
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.reports import plan
from dataops_nb.reports.parameters import declared, read
from dataops_nb.reports.plan import Planned
from dataops_nb.terms import MONTHS, WEEKDAYS, Grain
from dataops_nb.workbench import Workbench


def cron_files(plan: Plan) -> dict[str, str]:
    """The lines of a crontab. A per cent sign ends a command there, so each is escaped."""
    command = shlex.join([*plan.words, "--quiet"]).replace("%", r"\%")
    text = fill(
        "cron.txt.j2",
        name=plan.name,
        hour=f"{HOUR:02d}",
        timezone=plan.timezone,
        when=_when(plan).replace("%", r"\%"),
        command=command,
    )
    return {f"{plan.name}.crontab": text}


def systemd_files(plan: Plan) -> dict[str, str]:
    """Write the two unit files."""
    command = " ".join(_quoted(word) for word in [*plan.words, "--quiet"])
    suite = plan.suite.replace("%", "%%")
    service = fill("systemd_service.txt.j2", name=plan.name, suite=suite, command=command)
    timer = fill("systemd_timer.txt.j2", name=plan.name, suite=suite, calendar=calendar(plan))
    return {f"{plan.name}.service": service, f"{plan.name}.timer": timer}


def github_files(plan: Plan) -> dict[str, str]:
    """The workflow file; secrets of sources are added to its step as `env:`."""
    text = fill(
        "github.txt.j2",
        name=plan.name,
        utc=plan.utc,
        timezone=plan.timezone,
        title=json.dumps(f"Refresh {plan.suite}"),
        suite=shlex.quote(plan.suite),
    )
    return {f".github/workflows/{plan.name}.yml": text}


def airflow_files(plan: Plan) -> dict[str, str]:
    """Write the DAG's file.

    The braces of a template of Airflow's are written as text, and a space at the end keeps a
    command from being read as a file's name where it ends in `.sh`.
    """
    command = shlex.join(plan.words).replace("{", "{{ '{' }}") + " "
    text = fill(
        "airflow.txt.j2",
        suite=plan.suite.replace('"', "'").replace("\\", ""),
        name=repr(plan.name),
        cron=repr(plan.cron),
        timezone=repr(plan.timezone),
        command=repr(command),
    )
    return {f"{plan.name.replace('-', '_')}.py": text}


def jupyter_files(plan: Plan) -> dict[str, str]:
    """Write the list of definitions.

    Each is the body of  POST /scheduler/job_definitions  of a JupyterLab opened in the workbench.
    """
    definitions = [_definition(plan, one) for one in plan.reports]
    return {f"{plan.name}.json": json.dumps(definitions, indent=2) + "\n"}


FORMATS: dict[str, Callable[[Plan], dict[str, str]]] = {
    "cron": cron_files,
    "systemd": systemd_files,
    "github": github_files,
    "airflow": airflow_files,
    "jupyter-scheduler": jupyter_files,
}
FOLDER = "dataops_nb.reports/templates"
HOUR = 6
QUARTER = 3
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def write(wb: Workbench, suite: str, form: str) -> dict[str, str]:
    """Write the files of a schedule, by name; UsageError for an unknown suite or format."""
    if form not in FORMATS:
        raise UsageError(
            f"no format {form!r}{did_you_mean(form, FORMATS)}; choose from {', '.join(FORMATS)}"
        )
    return FORMATS[form](of_suite(wb, suite))


@dataclass(frozen=True)
class Plan:
    """What is called and when: `weekday` (Monday is 1) for weeks, `months` for quarters and years.

    Quarters and years are asked on the 1st. Under a year of whole weeks every longer period ends
    with a week, so those are asked every week.
    """

    suite: str
    cadence: Grain
    weekday: int
    months: tuple[int, ...]
    timezone: str
    root: Path
    command: Path
    reports: Sequence[Planned] = ()

    @property
    def name(self) -> str:
        """A name for files and units: letters, digits, dashes."""
        signs = [sign if sign.isalnum() else "-" for sign in self.suite]
        return "dataops-nb-" + "".join(signs).strip("-").lower()

    @property
    def words(self) -> list[str]:
        """The command and its arguments."""
        return [str(self.command), "-w", str(self.root), "refresh", self.suite, "--due"]

    @property
    def days(self) -> tuple[str, str, str]:
        """Day of the month, month and day of the week, as cron writes them."""
        if self.cadence == "day":
            return "*", "*", "*"
        if self.cadence == "week":
            return "*", "*", str(self.weekday % 7)
        return "1", ",".join(map(str, self.months)) or "*", "*"

    @property
    def cron(self) -> str:
        """The cron expression in the company's own time."""
        return " ".join(["0", str(HOUR), *self.days])

    @property
    def utc(self) -> str:
        """Write a cron expression in UTC, of the same day and never before the hour there."""
        minutes = [HOUR * 60 - offset for offset in self._offsets()]
        latest = max(0, *minutes)
        return " ".join([str(latest % 60), str(latest // 60), *self.days])

    def _offsets(self) -> list[int]:
        """The minutes that the company's clock is ahead of UTC, over a year."""
        zone, start = ZoneInfo(self.timezone), dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
        offsets = set()
        for day in range(0, 365, 7):
            moment = (start + dt.timedelta(days=day)).astimezone(zone)
            ahead = moment.utcoffset() or dt.timedelta()
            offsets.add(int(ahead.total_seconds() // 60))
        return sorted(offsets)


def fill(name: str, /, **values: str) -> str:
    """Fill a template of a schedule; its values are quoted already, as its format quotes."""
    return templates.text(FOLDER, name, **values)


def of_suite(wb: Workbench, suite: str) -> Plan:
    """When a suite of a workbench is refreshed; UsageError where there is none of that name."""
    definitions = wb.definitions
    if suite not in definitions.suites:
        raise UsageError(f"there is no suite {suite!r}{did_you_mean(suite, definitions.suites)}")
    company, cadence = definitions.company, definitions.suites[suite].cadence
    asked_weekly = company.calendar.year.pattern and cadence in {"month", "quarter", "year"}
    first = MONTHS[company.calendar.year.starts]
    quarters = sorted((first - 1 + QUARTER * number) % 12 + 1 for number in range(4))
    months = {"quarter": tuple(quarters), "year": (first,)}
    return Plan(
        suite=suite,
        cadence="week" if asked_weekly else cadence,
        weekday=WEEKDAYS[company.calendar.first_weekday] + 1,
        months=months.get(cadence, ()),
        timezone=company.timezone,
        root=wb.root.resolve(),
        command=_command(),
        reports=plan.reports(definitions, wb.notebooks, suite=suite, as_of=dt.date.today()),
    )


def _command() -> Path:
    """Return the whole path of this environment's command: a scheduler has no PATH of yours."""
    name = "dataops-nb.exe" if sys.platform == "win32" else "dataops-nb"
    beside = Path(sys.executable).with_name(name)
    return beside if beside.exists() else Path(sys.argv[0]).absolute()


def _when(plan: Plan) -> str:
    """A test of the company's own clock: a cron knows the machine's only."""
    day, months, weekday = plan.days
    form, value = "%H", f"{HOUR:02d}"
    if weekday != "*":
        form, value = f"%u {form}", f"{plan.weekday} {value}"
    if day != "*":
        form, value = f"%d {form}", f"01 {value}"
    test = f'test "$(TZ={plan.timezone} date "+{form}")" = "{value}" && '
    if months == "*":
        return test
    chosen = " ".join(f"{int(month):02d}" for month in months.split(","))
    this_month = f"$(TZ={plan.timezone} date +%m)"
    return f'{test}case " {chosen} " in *" {this_month} "*) true;; *) false;; esac && '


def calendar(plan: Plan) -> str:
    """Write when, as systemd does: `Mon *-*-* 06:00:00 America/New_York`."""
    day, months, weekday = plan.days
    month, first = "*", "*"
    if months != "*":
        month = ",".join(f"{int(one):02d}" for one in months.split(","))
    if day != "*":
        first = "01"
    date = f"*-{month}-{first} {HOUR:02d}:00:00 {plan.timezone}"
    if weekday == "*":
        return date
    return f"{DAYS[plan.weekday - 1]} {date}"


def _quoted(word: str) -> str:
    """A word of a command: quoted, with the signs that systemd would expand written twice."""
    safe = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    if any(sign.isspace() or sign in "\"'\\;" for sign in word):
        return f'"{safe}"'
    return safe


def _definition(plan: Plan, one: Planned) -> dict[str, object]:
    """One job; its parameters are those that differ from the notebook's own.

    They are Python literals, because they are put into a cell as they are.
    """
    known = declared(read(plan.root / "notebooks" / one.notebook))
    parameters = {}
    for name, value in one.parameters.items():
        if name != "as_of" and value != known[name].default:
            parameters[name] = repr(value)
    return {
        "name": f"{plan.suite} {one.report}",
        "input_uri": f"notebooks/{one.notebook}",
        "runtime_environment_name": "python3",
        "output_formats": ["ipynb", "html"],
        "parameters": parameters,
        "schedule": plan.cron,
        "timezone": plan.timezone,
    }
