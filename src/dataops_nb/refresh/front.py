"""The front page and latest.json: what is shown of each report, and what failed since; both follow from the ledger."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dataops_nb.definitions import Definitions
from dataops_nb.publish import folder, site
from dataops_nb.refresh import archives, standings
from dataops_nb.refresh import ledger as book
from dataops_nb.story.numbers import DEFAULT

TOLD = ("findings", "stars", "solve")
SHOWN = ("title", "department", "owner", "light", "reason", "headline", "data_to", "overdue")


def summary(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What the front page says of a report, from its facts; `facts` and `names` are those of the headline."""
    used, said = payload.get("headline_facts") or [], payload.get("headline") or ""
    known = {fact["id"]: fact for fact in payload["facts"]}
    names = [name for name in payload.get("names") or [] if name in said]
    told = {name: [_told(each, known, payload) for each in payload.get(name) or []] for name in TOLD}
    shown = {name: payload.get(name) for name in SHOWN}
    own = {"grain": payload.get("grain"), "locale": payload.get("locale"), "names": names}
    return shown | {"facts": [known[id_] for id_ in used]} | own | told


def _told(said: Mapping[str, Any], known: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    """A sentence with the facts and names it uses."""
    names = [name for name in payload.get("names") or [] if name in said["text"]]
    return {**said, "facts": [known[id_] for id_ in said["facts"]], "names": names}


@dataclass(frozen=True)
class Front:
    """What the front page is about: the company, the run that writes it, every (suite, report) in order, the what-if."""

    known: Definitions
    run: str
    as_of: dt.date
    reports: Sequence[tuple[str, str]]
    whatif: str = ""

    @property
    def company(self) -> str:
        """The company's name."""
        return self.known.company.company


def write(out: Path, private: Path, ledger: sqlite3.Connection, front: Front) -> None:
    """Write index.html, latest.json, each report's latest.json and archive; PublishError where they cannot be written."""
    entries, records, shown = [], [], []
    for suite, report in front.reports:
        good, failed = book.newest(ledger, suite, report, front.whatif)
        if good and not (out / report / good["period"] / "index.html").exists():
            good = None
        if good or failed:
            entries.append(_entry(report, good, failed))
            records.append(_record(suite, report, good, failed))
        if good:
            shown.append(standings.Shown(report, good["period"], good["as_of"], _said(good)))
            pointer = {"schema_version": 1, **records[-1], "path": f"{good['period']}/index.html"}
            _point(out / report / "latest.json", _json(pointer), private)
    archives.write(out, private, ledger, [each.report for each in shown], company=front.company, whatif=front.whatif)
    now = dt.datetime.now(dt.UTC)
    latest = {"schema_version": 1, "run": front.run, "as_of": front.as_of.isoformat(),
              "finished": now.isoformat(timespec="seconds"), "reports": records}  # fmt: skip
    folder.replace(out / "latest.json", _json(latest), private)
    newest = max([front.as_of, *(dt.date.fromisoformat(e.as_of) for e in entries if e.as_of)])
    more = standings.read(out, shown, front.known, now.astimezone(ZoneInfo(front.known.company.timezone)))
    page = site.build(front.company, entries, newest, front.whatif, more)
    folder.replace(out / "index.html", page.encode(), private)


def _point(path: Path, content: bytes, private: Path) -> None:
    """Write a pointer file, unless it says so already."""
    if not path.exists() or path.read_bytes() != content:
        folder.replace(path, content, private)


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _entry(report: str, good: Mapping[str, Any] | None, failed: Mapping[str, Any] | None) -> site.Entry:
    said = _said(good)
    return site.Entry(
        report=report,
        title=said.get("title") or report.replace("-", " ").capitalize(),
        path=_path(report, good),
        locale=said.get("locale") or DEFAULT,
        department=said.get("department") if good else report,
        owner=said.get("owner"),
        light=said.get("light") or "unknown",
        reason=said.get("reason"),
        headline=said.get("headline") or "",
        overdue=tuple(said.get("overdue") or ()),
        facts=tuple(said.get("facts") or ()),
        names=tuple(said.get("names") or ()),
        findings=tuple(said.get("findings") or ()),
        solve=tuple(said.get("solve") or ()),
        period=good["period"] if good else "",
        as_of=good["as_of"] if good else None,
        data_to=said.get("data_to"),
        failure=failed["state"] if failed else None,
        failed_as_of=failed["as_of"] if failed else None,
        error=failed["error"] if failed else None,
    )


def _record(
    suite: str, report: str, good: Mapping[str, Any] | None, failed: Mapping[str, Any] | None
) -> dict[str, Any]:
    last = failed or good or {}
    return {
        "report": report,
        "suite": suite,
        "period": last["period"],
        "state": last["state"],
        "as_of": last["as_of"],
        "run": last["run"],
        "finished": last["finished"],
        "error": last["error"],
        **dict.fromkeys(SHOWN),
        **{name: value for name, value in _said(good).items() if name in SHOWN},
        "path": _path(report, good),
        "published_as_of": good["as_of"] if good else None,
        "published_period": good["period"] if good else None,
    }


def _said(good: Mapping[str, Any] | None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(good["shown"]) if good and good["shown"] else {}
    return found


def _path(report: str, good: Mapping[str, Any] | None) -> str | None:
    return f"{report}/{good['period']}/index.html" if good else None
