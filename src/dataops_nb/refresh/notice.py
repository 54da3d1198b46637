"""Notice: who is named in reports.yaml is told after a suite what was published and what failed, only on change if asked.

Mails and messages are written under `out/notices/` in any case, and sent where the environment says how. What was told
last is kept in the ledger, so that a change can be told from a repetition; which report was sent to whom, once a server has
taken it, is kept in `out/history/sent.csv`.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any, Literal

from dataops_nb import history
from dataops_nb.definitions.models import Mail
from dataops_nb.publish import digest, folder, mail, slack
from dataops_nb.publish.digest import Said
from dataops_nb.refresh import delivery, ledger
from dataops_nb.refresh.results import Outcome, Result
from dataops_nb.workbench import Workbench

Kind = Literal["success", "failure"]
FAILED = {"failed": "failed", "timed_out": "ran out of time", "killed": "was killed"}


@dataclass(frozen=True)
class Notice:
    """What one list of people, and the channel, is told about a suite."""

    suite: str
    kind: Kind
    subject: str
    reports: list[Said]
    to: list[str]
    states: Mapping[str, str]

    @property
    def key(self) -> str:
        """What was told last is kept under this name."""
        return f"{self.kind}:{self.suite}"


def tell(wb: Workbench, outcome: Outcome) -> list[str]:
    """Write and send the notices of a refresh, and first those that could not be sent before; why some still cannot be.

    A notice is told again until it is delivered, a change once.
    """
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        wrong = _again(wb, book)
        for notice in _notices(wb, outcome):
            before = _said(book, notice.key)
            now = {**before, **notice.states}
            asked = wb.definitions.suites[notice.suite].mail
            if not (asked and asked.only_on_change and before == now):
                wrong += _told(wb, book, notice, outcome.as_of)
            _keep(book, notice.key, now)
        _forget_failures(book, outcome)
    return wrong


def _notices(wb: Workbench, outcome: Outcome) -> Iterator[Notice]:
    for suite, said in wb.definitions.suites.items():
        mine = [result for result in outcome.reports if result.suite == suite]
        if all(result.state == "skipped" for result in mine):
            continue
        to = said.mail or Mail()
        good = [result for result in mine if result.state in {"ok", "skipped"}]
        bad = [result for result in mine if result.state in FAILED]
        head = f"{wb.definitions.company.company} · {suite} · as of {outcome.as_of.isoformat()}"
        if any(result.state == "ok" for result in good):
            lights = {result.report: result.light or "unknown" for result in good}
            reports = [_good(result) for result in good]
            yield Notice(suite, "success", f"{head}: {_counted(lights.values())}", reports, to.success, lights)
        states = {result.report: result.state for result in bad}
        if bad:
            count = f"{len(bad)} of {len(mine)} reports failed"
            yield Notice(suite, "failure", f"{head}: {count}", [_bad(result) for result in bad], to.failure, states)


def _good(result: Result) -> Said:
    page = Path(result.pages[0]) if result.pages else None
    light = result.light or "unknown"
    if page is None or not page.exists():
        return Said(result.report, _title(result), light, "Nothing was said.", period=result.period)
    text = page.read_text(encoding="utf-8")
    return digest.said(text, result.report, light, period=result.period, page=page)


def _bad(result: Result) -> Said:
    error = f"It {FAILED[result.state]}: {result.error}. The last good report stays in place."
    return Said(result.report, _title(result), "unknown", "", period=result.period, error=error)


def _title(result: Result) -> str:
    return f"{result.report.replace('-', ' ').replace('_', ' ').capitalize()} {result.period}"


def _counted(lights: Any) -> str:
    said = list(lights)
    counts = [f"{said.count(light)} {light}" for light in ("red", "yellow", "unknown", "green") if light in said]
    return ", ".join(counts)


def _told(wb: Workbench, book: sqlite3.Connection, notice: Notice, day: dt.date) -> list[str]:
    """Write the notice and deliver it as far as that is configured; why it could not be."""
    place = wb.out / "notices" / notice.suite
    place.mkdir(parents=True, exist_ok=True)
    name, private = f"{day.isoformat()}.{notice.kind}", wb.out / "runs"
    shown = {said.report: said.as_of or day.isoformat() for said in notice.reports if not said.error}
    about = {"schema_version": 1, "suite": notice.suite, "to": notice.to, "reports": shown}
    folder.replace(place / f"{name}.json", (json.dumps(about, indent=1) + "\n").encode(), private)
    body = slack.blocks(notice.subject, notice.reports)
    posted = place / f"{name}.slack.json"
    folder.replace(posted, (json.dumps(body, indent=1) + "\n").encode(), private)
    wrong = []
    if notice.to:
        good = notice.kind == "success"
        letter = mail.message(
            notice.subject, notice.reports, sender=delivery.sender(), to=notice.to, day=day, attach=good
        )
        written = place / f"{name}.eml"
        folder.replace(written, letter.as_bytes(), private)
        wrong.append(_delivered(wb, book, written) if delivery.mail_configured() else "")
    wrong.append(_delivered(wb, book, posted) if delivery.slack_configured() else "")
    return [said for said in wrong if said]


def _delivered(wb: Workbench, book: sqlite3.Connection, path: Path) -> str:
    """Deliver a written notice; why that failed, in which case it is tried again by the next refresh."""
    name = path.relative_to(wb.out).as_posix()
    if path.suffix == ".eml":
        letter = message_from_bytes(path.read_bytes(), policy=SMTP)
        to = [one.addr_spec for one in letter["To"].addresses]
        why = delivery.send(letter, to)
    else:
        to = ["slack"]
        why = delivery.post(json.loads(path.read_text(encoding="utf-8")))
    if why:
        book.execute("insert or ignore into undelivered (path) values (?)", (name,))
        return f"{name} was not delivered: {why}"
    book.execute("delete from undelivered where path = ?", (name,))
    _remember(wb, path, to)
    return ""


def _remember(wb: Workbench, path: Path, to: Sequence[str]) -> None:
    """Enter in the communication log that the reports of a delivered notice were sent, and to whom."""
    about = path.with_name(path.name.removesuffix(".eml").removesuffix(".slack.json") + ".json")
    if about.exists():
        reports = json.loads(about.read_text(encoding="utf-8"))["reports"]
        now, readers = dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), ", ".join(to)
        rows = [
            {"sent_at": now, "report": report, "as_of": as_of, "readers": readers} for report, as_of in reports.items()
        ]
        history.SENT.add(wb.out, rows)


def _again(wb: Workbench, book: sqlite3.Connection) -> list[str]:
    wrong = []
    for row in book.execute("select path from undelivered").fetchall():
        path = wb.out / row["path"]
        able = delivery.mail_configured() if path.suffix == ".eml" else delivery.slack_configured()
        if not path.exists():
            book.execute("delete from undelivered where path = ?", (row["path"],))
        elif able:
            wrong.append(_delivered(wb, book, path))
    return [said for said in wrong if said]


def _forget_failures(book: sqlite3.Connection, outcome: Outcome) -> None:
    """What has come to a good end may fail anew, and is told anew then."""
    for suite in {result.suite for result in outcome.reports}:
        good = {result.report for result in outcome.reports if result.suite == suite and result.state == "ok"}
        before = _said(book, f"failure:{suite}")
        if good & before.keys():
            _keep(book, f"failure:{suite}", {report: state for report, state in before.items() if report not in good})


def _said(book: sqlite3.Connection, key: str) -> dict[str, str]:
    row = book.execute("select said from notices where key = ?", (key,)).fetchone()
    return dict(json.loads(row["said"])) if row else {}


def _keep(book: sqlite3.Connection, key: str, states: Mapping[str, str]) -> None:
    row = (key, json.dumps(dict(states)), dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
    book.execute("insert or replace into notices (key, said, at) values (?, ?, ?)", row)
