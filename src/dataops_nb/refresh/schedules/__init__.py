"""Schedules for schedulers that are there already: files that call `dataops-nb refresh SUITE --due` when a period is over.

Every format is a function from a `Plan` (what to call, when, in which time zone) to files by name. The command itself
decides what is due, so a schedule that fires twice, late or after a night without power does no harm.
"""

from __future__ import annotations

from collections.abc import Callable

from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.refresh.schedules import airflow, cron, github, jupyter, systemd
from dataops_nb.refresh.schedules.moment import Plan, of_suite
from dataops_nb.workbench import Workbench

__all__ = ["FORMATS", "Plan", "of_suite", "write"]

FORMATS: dict[str, Callable[[Plan], dict[str, str]]] = {
    "cron": cron.files,
    "systemd": systemd.files,
    "github": github.files,
    "airflow": airflow.files,
    "jupyter-scheduler": jupyter.files,
}


def write(wb: Workbench, suite: str, form: str) -> dict[str, str]:
    """The files of a schedule by name; UsageError for an unknown suite or format."""
    if form not in FORMATS:
        raise UsageError(f"there is no format {form!r}{did_you_mean(form, FORMATS)}; known are {', '.join(FORMATS)}")
    return FORMATS[form](of_suite(wb, suite))
