"""Tell the people whom reports.yaml names what was published and what failed, once.

Mails and messages are written under `out/notices/` in any case, and sent where the environment says
how; only on change where that is asked for. The ledger keeps what was told last, to tell a change
from a repetition. Which report was sent to whom, once a server has taken it, is kept in
`out/history/sent.csv`.

`servers` hands a mail to its server and posts a message. Where the environment names neither,
nothing is sent.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any, Literal

from dataops_nb import history, numbers
from dataops_nb.definitions.models import Mail
from dataops_nb.reports import RefreshResult, Result, ledger, site
from dataops_nb.reports.delivery import formats, mail, servers
from dataops_nb.reports.delivery import words as published
from dataops_nb.reports.delivery.words import Words
from dataops_nb.reports.ledger import ENDS
from dataops_nb.workbench import Workbench

Kind = Literal["success", "failure", "digest"]


@dataclass(frozen=True)
class Notice:
    """What a list of people, and the channel, are told about a suite."""

    suite: str
    kind: Kind
    subject: str
    reports: list[Words]
    to: list[str]
    states: Mapping[str, str]

    @property
    def key(self) -> str:
        """The name under which the ledger keeps what was told last."""
        return f"{self.kind}:{self.suite}"


def tell(wb: Workbench, outcome: RefreshResult) -> list[str]:
    """Write and send the notices of a refresh, after those that could not be sent before.

    A notice is tried again until it is delivered, a change is told once. Returns a line for each
    that still could not be delivered.
    """
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        problems = _deliver_again(wb, book)
        for notice in _notices(wb, outcome):
            before = _last_told(book, notice.key)
            now = {**before, **notice.states}
            agreed = wb.definitions.suites[notice.suite].mail
            only_on_change = agreed is not None and agreed.only_on_change
            if before != now or not only_on_change:
                problems += _tell(wb, book, notice, outcome.as_of)
            _keep_told(book, notice.key, now)
        problems += _tell_digests(wb, book, outcome)
        _forget_failures(book, outcome)
    return problems


def _notices(wb: Workbench, outcome: RefreshResult) -> Iterator[Notice]:
    for suite, agreed in wb.definitions.suites.items():
        results = [result for result in outcome.reports if result.suite == suite]
        if all(result.state == "skipped" for result in results):
            continue
        mail_to = agreed.mail or Mail()
        good = [result for result in results if result.state in {"ok", "skipped"}]
        bad = [result for result in results if ENDS[result.state].code]
        company = wb.definitions.company
        if any(result.state == "ok" for result in good):
            lights = {result.report: result.light or "unknown" for result in good}
            reports = [_good(result, company.site_url) for result in good]
            subject = _subject(reports, company.company)
            yield Notice(suite, "success", subject, reports, mail_to.success, lights)
        if bad:
            yield Notice(
                suite,
                "failure",
                f"{len(bad)} of {len(results)} reports not updated · {company.company}",
                [_bad(result) for result in bad],
                mail_to.failure,
                {result.report: result.state for result in bad},
            )


def _subject(reports: Sequence[Words], company: str) -> str:
    """Return what a mail is called: by its only report, else by the lights of all.

    `Week 47: 2 red, 2 yellow, 2 green · Lumen Supply`
    """
    if len(reports) == 1:
        return reports[0].subject
    periods = {report.period for report in reports}
    when = "Reports"
    if len(periods) == 1 and (period := periods.pop()):
        when = numbers.at(numbers.DEFAULT).period_in_words(period)
    lights = _count_lights(report.light for report in reports)
    return f"{when[:1].upper()}{when[1:]}: {lights} · {company}"


def _tell_digests(wb: Workbench, book: sqlite3.Connection, outcome: RefreshResult) -> list[str]:
    """Send each reader of several departments one mail a week, about the reports they chose.

    The first refresh whose as-of lies in another week than the last digest's sends it.
    """
    problems = []
    week = "{}-W{:02}".format(*outcome.as_of.isocalendar())
    company = wb.definitions.company
    for suite, agreed in wb.definitions.suites.items():
        good = [
            result
            for result in outcome.reports
            if result.suite == suite and result.state in {"ok", "skipped"}
        ]
        digests = agreed.mail.digest if agreed.mail is not None else {}
        for address, chosen in digests.items():
            own = [result for result in good if _is_chosen(result.report, chosen)]
            key = f"digest:{suite}:{address}"
            if not own or _last_told(book, key).get("week") == week:
                continue
            reports = [_good(result, company.site_url) for result in own]
            lights = {result.report: result.light or "unknown" for result in own}
            subject = _subject(reports, company.company)
            notice = Notice(suite, "digest", subject, reports, [address], lights)
            problems += _tell(wb, book, notice, outcome.as_of)
            _keep_told(book, key, {"week": week})
    return problems


def _is_chosen(report: str, chosen: Sequence[str]) -> bool:
    """Return whether a reader wants a report; one `each: department` is named by its start."""
    return not chosen or any(report == name or report.startswith(f"{name}-") for name in chosen)


def _good(result: Result, site_url: str | None = None) -> Words:
    page = Path(result.pages[0]) if result.pages else None
    light = result.light or "unknown"
    if page is None or not page.exists():
        return Words(result.report, _title(result), light, published.NOTHING, period=result.period)
    text = page.read_text(encoding="utf-8")
    return published.read(
        text, result.report, light, period=result.period, page=page, site=site_url
    )


def _bad(result: Result) -> Words:
    error = f"Not updated: {result.error}. The last good report is still there."
    return Words(result.report, _title(result), "unknown", "", period=result.period, error=error)


def _title(result: Result) -> str:
    return f"{result.report.replace('-', ' ').replace('_', ' ').capitalize()} {result.period}"


def _count_lights(lights: Iterable[str]) -> str:
    """Count lights in words, the worst first: `2 red, 5 green`."""
    counts = Counter(lights)
    worst_first = ("red", "yellow", "unknown", "green")
    return ", ".join(f"{counts[light]} {light}" for light in worst_first if counts[light])


def _tell(wb: Workbench, book: sqlite3.Connection, notice: Notice, day: dt.date) -> list[str]:
    """Write a notice and deliver it as far as that is configured; return why it could not be."""
    folder, private = wb.out / "notices" / notice.suite, wb.out / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{day.isoformat()}.{notice.kind}"
    if notice.kind == "digest":
        name += f".{hashlib.sha256(notice.to[0].encode()).hexdigest()[:8]}"
    shown = {}
    for report in notice.reports:
        if not report.error:
            shown[report.report] = report.as_of or day.isoformat()
    about = {"schema_version": 1, "suite": notice.suite, "to": notice.to, "reports": shown}
    site.replace(folder / f"{name}.json", _json(about), private)
    message = folder / f"{name}.slack.json"
    problems = []
    if notice.kind != "digest":  # which is one reader's, and no channel's
        site.replace(message, _json(formats.blocks(notice.subject, notice.reports)), private)
    if notice.to:
        letter = mail.message(
            notice.subject,
            notice.reports,
            sender=servers.sender(),
            to=notice.to,
            day=day,
            attach=notice.kind != "failure",
        )
        path = folder / f"{name}.eml"
        site.replace(path, letter.as_bytes(), private)
        if servers.has_mail():
            problems.append(_deliver(wb, book, path))
    if servers.has_slack() and notice.kind != "digest":
        problems.append(_deliver(wb, book, message))
    return [problem for problem in problems if problem]


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1) + "\n").encode()


def _deliver(wb: Workbench, book: sqlite3.Connection, path: Path) -> str:
    """Deliver a written notice; return why that failed, empty if it did not.

    What failed is tried again by the next refresh.
    """
    name = path.relative_to(wb.out).as_posix()
    if path.suffix == ".eml":
        letter = message_from_bytes(path.read_bytes(), policy=SMTP)
        to = [address.addr_spec for address in letter["To"].addresses]
        why = servers.send(letter, to)
    else:
        to = ["slack"]
        why = servers.post(json.loads(path.read_text(encoding="utf-8")))
    if why:
        book.execute("insert or ignore into undelivered (path) values (?)", (name,))
        return f"{name} not sent: {why}. It will be tried again at the next refresh."
    book.execute("delete from undelivered where path = ?", (name,))
    _log_sent(wb, path, to)
    return ""


def _log_sent(wb: Workbench, path: Path, to: Sequence[str]) -> None:
    """Enter in the log which reports a delivered notice was about, and who got it."""
    about = path.with_name(path.name.removesuffix(".eml").removesuffix(".slack.json") + ".json")
    if not about.exists():
        return
    reports = json.loads(about.read_text(encoding="utf-8"))["reports"]
    now, readers = dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), ", ".join(to)
    rows = []
    for report, as_of in reports.items():
        rows.append({"sent_at": now, "report": report, "as_of": as_of, "readers": readers})
    history.SENT.add(wb.out, rows)


def _deliver_again(wb: Workbench, book: sqlite3.Connection) -> list[str]:
    problems = []
    for row in book.execute("select path from undelivered").fetchall():
        path = wb.out / row["path"]
        configured = servers.has_mail() if path.suffix == ".eml" else servers.has_slack()
        if not path.exists():
            book.execute("delete from undelivered where path = ?", (row["path"],))
        elif configured:
            problems.append(_deliver(wb, book, path))
    return [problem for problem in problems if problem]


def _forget_failures(book: sqlite3.Connection, outcome: RefreshResult) -> None:
    """Forget failures of reports that came to a good end; if they fail anew, that is told anew."""
    good_by_suite: dict[str, set[str]] = {}
    for result in outcome.reports:
        if result.state == "ok":
            good_by_suite.setdefault(result.suite, set()).add(result.report)
    for suite, good in good_by_suite.items():
        key = f"failure:{suite}"
        failed = _last_told(book, key)
        left = {report: state for report, state in failed.items() if report not in good}
        if left != failed:
            _keep_told(book, key, left)


def _last_told(book: sqlite3.Connection, key: str) -> dict[str, str]:
    row = book.execute("select said from notices where key = ?", (key,)).fetchone()
    return dict(json.loads(row["said"])) if row else {}


def _keep_told(book: sqlite3.Connection, key: str, states: Mapping[str, str]) -> None:
    row = (key, json.dumps(dict(states)), dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
    book.execute("insert or replace into notices (key, said, at) values (?, ?, ?)", row)
