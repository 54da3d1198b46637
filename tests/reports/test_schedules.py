"""Schedules: what is printed is what the scheduler reads, at the right moment where the company is."""

from __future__ import annotations

import datetime as dt
import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb.errors import UsageError
from dataops_nb.reports import schedules
from dataops_nb.reports.schedules import Plan
from tests.reports.test_refresh import make, weekly

cronsim = pytest.importorskip("cronsim")
NEW_YORK = ZoneInfo("America/New_York")
ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Pacific/Auckland",
    "Pacific/Honolulu",
    "UTC",
    "Pacific/Apia",
]


def plan(cadence="week", **changed) -> Plan:
    months = {"quarter": (1, 4, 7, 10), "year": (1,)}.get(cadence, ())
    made = Plan(
        "weekly",
        cadence,
        1,
        months,
        "America/New_York",
        Path("/srv/my bench"),
        Path("/opt/env/bin/dataops-nb"),
    )
    return replace(made, **changed)


def lines(text: str) -> list[str]:
    return [
        line
        for line in text.splitlines()
        if line and not line.startswith("#") and "=" not in line.split()[0]
    ]


@pytest.mark.parametrize(
    ("cadence", "said"),
    [
        ("day", "0 6 * * *"),
        ("week", "0 6 * * 1"),
        ("month", "0 6 1 * *"),
        ("quarter", "0 6 1 1,4,7,10 *"),
        ("year", "0 6 1 1 *"),
    ],
)
def test_a_cadence_is_the_morning_after_its_period(cadence, said):
    assert plan(cadence).cron == said
    after = next(cronsim.CronSim(said, dt.datetime(2026, 11, 20, 12, tzinfo=NEW_YORK)))
    assert after.hour == 6


@pytest.mark.parametrize("cadence", ["day", "week", "month", "quarter", "year"])
def test_a_crontab_acts_once_when_the_period_is_over(cadence):
    """The line's own test of the clock, run by a shell for each hour of the two days around the moment."""
    text = schedules.FORMATS["cron"](plan(cadence))["dataops-nb-weekly.crontab"]
    hourly, reboot = lines(text)
    cronsim.CronSim(" ".join(hourly.split()[:5]), dt.datetime(2026, 11, 20))
    assert reboot.startswith("@reboot '/opt/env/bin/dataops-nb'") or reboot.startswith(
        "@reboot /opt/env/bin/dataops-nb"
    )
    command = hourly.split(maxsplit=5)[5].replace(r"\%", "%")
    condition = command.rsplit("/opt/env", 1)[0].rstrip(" &'")
    assert "'/srv/my bench'" in command
    start = next(
        cronsim.CronSim(plan(cadence).cron, dt.datetime(2026, 11, 20, 12, tzinfo=NEW_YORK))
    )
    hours = [start.astimezone(dt.UTC) + dt.timedelta(hours=n) for n in (-24, -2, -1, 0, 1, 2, 12)]
    assert acts(condition, hours) == [cadence == "day", False, False, True, False, False, False]


def acts(condition: str, moments) -> list[bool]:
    """Whether a shell comes through the condition when the clock shows each moment; `date` is asked for that moment."""
    faked = 'date() {{ command date -d "@{}" "$@"; }}\n{} && echo yes || echo no'
    runs = [
        subprocess.run(
            ["sh", "-c", faked.format(int(m.timestamp()), condition)],
            check=False,
            capture_output=True,
            text=True,
        )
        for m in moments
    ]
    return [run.stdout.strip() == "yes" for run in runs]


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine"
)
@pytest.mark.parametrize("cadence", ["day", "week", "month", "quarter", "year"])
def test_systemd_reads_its_units(cadence, tmp_path):
    command = tmp_path / "dataops-nb"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    for name, text in schedules.FORMATS["systemd"](plan(cadence, command=command)).items():
        (tmp_path / name).write_text(text)
    when = subprocess.run(
        ["systemd-analyze", "calendar", schedules.calendar(plan(cadence))],
        check=False,
        capture_output=True,
        text=True,
    )
    assert when.returncode == 0, when.stderr
    assert "06:00:00" in when.stdout
    units = [str(tmp_path / f"dataops-nb-weekly.{kind}") for kind in ("service", "timer")]
    read = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        check=False,
        capture_output=True,
        text=True,
    )
    mine = [line for line in read.stderr.splitlines() if "dataops-nb" in line]
    assert (read.returncode, mine) == (0, [])


@given(zone=st.sampled_from(ZONES), day=st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31)))
def test_github_never_starts_before_six_and_never_on_another_day(zone, day):
    minute, hour, *_ = plan(timezone=zone).utc.split()
    moment = dt.datetime(
        day.year, day.month, day.day, int(hour), int(minute), tzinfo=dt.UTC
    ).astimezone(ZoneInfo(zone))
    assert moment.date() == day
    assert moment.hour >= 6


@pytest.mark.faults
def test_the_github_file_fits_its_published_schema(tmp_path):
    suites = {"weekly": tmp_path / "a.yml", "North & South's": tmp_path / "b.yml"}
    for suite, path in suites.items():
        ((name, text),) = schedules.FORMATS["github"](plan(suite=suite)).items()
        path.write_text(text)
        assert name.startswith(".github/workflows/dataops-nb-")
        runs = [step.get("run", "") for step in yaml.safe_load(text)["jobs"]["refresh"]["steps"]]
        assert any(shlex.split(run)[:3] == ["dataops-nb", "refresh", suite] for run in runs if run)
    checker = Path(sys.executable).with_name("check-jsonschema")
    asked = [checker, "--builtin-schema", "vendor.github-workflows", *suites.values()]
    read = subprocess.run(asked, check=False, capture_output=True, text=True)
    assert read.returncode == 0, read.stdout


@pytest.mark.parametrize("suite", ["weekly", "a {{ b }} 'c' \"d\""])
def test_the_airflow_file_is_python_and_calls_the_suite(suite):
    ((name, text),) = schedules.FORMATS["airflow"](plan(suite=suite)).items()
    compile(text, name, "exec")
    assert "CronTriggerTimetable('0 6 * * 1', timezone='America/New_York')" in text
    assert "retries=0" in text


@pytest.fixture
def wb(tmp_path):
    return make(tmp_path, weekly("one"), one=["1"])


def test_jupyter_scheduler_gets_one_definition_a_report(wb):
    path = wb.root / "params" / "reports.yaml"
    path.write_text(
        path.read_text().replace("one.ipynb", "one.ipynb, parameters: {word: there, weeks: 26}")
    )
    ((_, text),) = schedules.write(wb, "weekly", "jupyter-scheduler").items()
    (one,) = json.loads(text)
    assert (one["input_uri"], one["schedule"], one["timezone"]) == (
        "notebooks/one.ipynb",
        "0 6 * * 1",
        "UTC",
    )
    assert one["parameters"] == {"word": "'there'"}


@pytest.mark.parametrize(
    ("suite", "form", "near"), [("weakly", "cron", "weekly"), ("weekly", "corn", "cron")]
)
def test_a_schedule_of_nothing_names_the_nearest(wb, suite, form, near):
    with pytest.raises(UsageError, match=f"did you mean '{near}'"):
        schedules.write(wb, suite, form)


def test_under_a_year_of_whole_weeks_a_month_is_asked_for_every_week(wb):
    company = wb.root / "params" / "company.yaml"
    company.write_text(
        company.read_text()
        + "calendar: {week_starts: sunday, year: {pattern: 4-5-4, ends: saturday nearest january 31}}\n"
    )
    reports = wb.root / "params" / "reports.yaml"
    reports.write_text(reports.read_text() + "  cadence: month\n")
    from dataops_nb import workbench

    made = schedules.of_suite(workbench.open(wb.root, data=wb.data, out=wb.out), "weekly")
    assert made.cron == "0 6 * * 0"
