"""A systemd service and its timer, which knows time zones and catches up what it slept through."""

from __future__ import annotations

from dataops_nb.refresh.schedules.moment import HOUR, Plan

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SERVICE = """\
# /etc/systemd/system/{name}.service
[Unit]
Description=Refresh the reports of {suite}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart={command}
TimeoutStopSec=30
"""
TIMER = """\
# /etc/systemd/system/{name}.timer    then: systemctl enable --now {name}.timer
[Unit]
Description=When the reports of {suite} are refreshed

[Timer]
OnCalendar={calendar}
Persistent=true
AccuracySec=1min

[Install]
WantedBy=timers.target
"""


def files(plan: Plan) -> dict[str, str]:
    """The two unit files."""
    command = " ".join(_quoted(word) for word in [*plan.words, "--quiet"])
    said = {"name": plan.name, "suite": plan.suite.replace("%", "%%"), "command": command, "calendar": calendar(plan)}
    return {f"{plan.name}.service": SERVICE.format(**said), f"{plan.name}.timer": TIMER.format(**said)}


def calendar(plan: Plan) -> str:
    """When, as systemd writes it: `Mon *-*-* 06:00:00 America/New_York`."""
    day, months, weekday = plan.days
    month = ",".join(f"{int(one):02d}" for one in months.split(",")) if months != "*" else "*"
    date = f"*-{month}-{'01' if day != '*' else '*'} {HOUR:02d}:00:00 {plan.timezone}"
    return f"{DAYS[plan.weekday - 1]} {date}" if weekday != "*" else date


def _quoted(word: str) -> str:
    """A word of a command: quoted, with the signs that systemd would expand written twice."""
    safe = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{safe}"' if any(sign.isspace() or sign in "\"'\\;" for sign in word) else safe
