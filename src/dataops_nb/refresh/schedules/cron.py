"""A crontab: any cron will do, also one that knows no time zones."""

from __future__ import annotations

import shlex

from dataops_nb.refresh.schedules.moment import HOUR, Plan

TEXT = """\
# {name}: add these lines with  crontab -e
# Asked every hour of the machine, it acts at {hour:02d}:00 in {timezone}. What is published already is not made again,
# and after a night without power the last line catches up.
SHELL=/bin/sh
0 * * * * {when}{command} >/dev/null
@reboot {command} >/dev/null
"""


def files(plan: Plan) -> dict[str, str]:
    """The lines of a crontab. A per cent sign ends a command there, so each is escaped."""
    command = shlex.join([*plan.words, "--quiet"]).replace("%", r"\%")
    text = TEXT.format(
        name=plan.name, hour=HOUR, timezone=plan.timezone, when=_when(plan).replace("%", r"\%"), command=command
    )
    return {f"{plan.name}.crontab": text}


def _when(plan: Plan) -> str:
    """A test of the company's own clock: a cron knows the machine's only."""
    day, months, weekday = plan.days
    form, value = "%H", f"{HOUR:02d}"
    if weekday != "*":
        form, value = f"%u {form}", f"{plan.weekday} {value}"
    if day != "*":
        form, value = f"%d {form}", f"01 {value}"
    asked = f'"$(TZ={plan.timezone} date "+{form}")" = "{value}"'
    chosen = " ".join(f"{int(month):02d}" for month in months.split(",")) if months != "*" else ""
    within = f'case " {chosen} " in *" $(TZ={plan.timezone} date +%m) "*) true;; *) false;; esac && ' if chosen else ""
    return f"test {asked} && {within}"
