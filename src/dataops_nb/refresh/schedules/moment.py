"""When a suite is refreshed: in the morning of the day after its period is over, where the company is."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from dataops_nb.definitions.models import MONTHS, WEEKDAYS, Grain
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.refresh import plan
from dataops_nb.refresh.plan import Planned
from dataops_nb.workbench import Workbench

HOUR = 6
QUARTER = 3


@dataclass(frozen=True)
class Plan:
    """What is called and when: `weekday` (Monday is 1) for weeks, `months` for quarters and years, the 1st for both.

    Under a year of whole weeks every longer period ends with a week, so those are asked every week.
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
        return "dataops-nb-" + "".join(sign if sign.isalnum() else "-" for sign in self.suite).strip("-").lower()

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
        """A cron expression in UTC that is never before the hour there, summer and winter, and on the same day."""
        minutes = [HOUR * 60 - offset for offset in self._offsets()]
        latest = max(0, *minutes)
        return " ".join([str(latest % 60), str(latest // 60), *self.days])

    def _offsets(self) -> list[int]:
        """The minutes that the company's clock is ahead of UTC, over a year."""
        zone, start = ZoneInfo(self.timezone), dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
        moments = [(start + dt.timedelta(days=day)).astimezone(zone) for day in range(0, 365, 7)]
        return sorted({int((moment.utcoffset() or dt.timedelta()).total_seconds() // 60) for moment in moments})


def of_suite(wb: Workbench, suite: str) -> Plan:
    """When a suite of a workbench is refreshed; UsageError where there is none of that name."""
    definitions = wb.definitions
    if suite not in definitions.suites:
        raise UsageError(f"there is no suite {suite!r}{did_you_mean(suite, definitions.suites)}")
    company, cadence = definitions.company, definitions.suites[suite].cadence
    whole_weeks = company.calendar.year.pattern is not None
    first = MONTHS[company.calendar.year.starts]
    months = {"quarter": tuple(sorted((first - 1 + QUARTER * i) % 12 + 1 for i in range(4))), "year": (first,)}
    return Plan(
        suite=suite,
        cadence="week" if whole_weeks and cadence in {"month", "quarter", "year"} else cadence,
        weekday=WEEKDAYS[company.calendar.first_weekday] + 1,
        months=months.get(cadence, ()),
        timezone=company.timezone,
        root=wb.root.resolve(),
        command=_command(),
        reports=plan.reports(definitions, wb.notebooks, suite=suite, as_of=dt.date.today()),
    )


def _command() -> Path:
    """The command of the environment that this runs in, by its whole path: a scheduler has no PATH of yours."""
    beside = Path(sys.executable).with_name("dataops-nb.exe" if sys.platform == "win32" else "dataops-nb")
    return beside if beside.exists() else Path(sys.argv[0]).absolute()
