"""Write the front page, latest.json and the archive pages, which follow from the ledger.

The numbers and lights of the metric cards are those of the reports' own facts.json, the past is
their numbers.csv; what a metric is called, who answers for it and what feeds it stand in the
definitions. A link that nobody declared is one that the data found. An archive is written anew only
when a period of its report came, changed or went.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dataops_nb.definitions.models import Definitions
from dataops_nb.numbers import DEFAULT
from dataops_nb.reports import ledger as book
from dataops_nb.reports import site
from dataops_nb.reports.archives import write_archives
from dataops_nb.reports.pages import WhatIf, front_page
from dataops_nb.reports.pages.cards import Feed, MetricCard, More

TOLD = ("findings", "stars", "solve")
SHOWN = ("title", "department", "owner", "light", "reason", "headline", "data_to", "overdue")
FIELDS = ("light", "reason", "value", "target", "target_low", "target_high")
Fact = Mapping[str, Any]
Facts = Mapping[str, Fact]


def summary(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Sum up what the front page says of a report, from its record.

    `facts` and `spans` are those of the headline.
    """
    known = {fact["id"]: fact for fact in payload["facts"]}
    shown = {name: payload.get(name) for name in (*SHOWN, "grain", "locale")}
    shown["facts"] = [known[id_] for id_ in payload.get("headline_facts") or []]
    shown["spans"] = payload.get("headline_spans")
    for name in TOLD:
        sentences = payload.get(name) or []
        shown[name] = [_with_facts(sentence, known) for sentence in sentences]
    return shown


def _with_facts(sentence: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """A sentence with the facts it uses, whole."""
    return {**sentence, "facts": [known[id_] for id_ in sentence["facts"]]}


@dataclass(frozen=True)
class Front:
    """What the front page is about; `reports` are every (suite, report) in order.

    `differs` says what the what-if changes.
    """

    known: Definitions
    run: str
    as_of: dt.date
    reports: Sequence[tuple[str, str]]
    whatif: str = ""
    differs: tuple[str, ...] = ()

    @property
    def banner(self) -> WhatIf | None:
        """The what-if that the pages show in place of what is."""
        return WhatIf(self.whatif, self.differs) if self.whatif else None

    @property
    def company(self) -> str:
        """The company's name."""
        return self.known.company.company


def write_front(out: Path, private: Path, ledger: sqlite3.Connection, front: Front) -> None:
    """Write index.html and latest.json, and each report's own latest.json and archive.

    Raises PublishError where they cannot be written.
    """
    entries, records, shown = [], [], []
    for suite, report in front.reports:
        good, failed = book.newest(ledger, suite, report, front.whatif)
        if good and not (out / report / good["period"] / "index.html").exists():
            good = None
        if good or failed:
            entries.append(_entry(report, good, failed))
            records.append(_record(suite, report, good, failed))
        if good:
            shown.append(Shown(report, good["period"], good["as_of"], _said(good)))
            pointer = {"schema_version": 1, **records[-1], "path": f"{good['period']}/index.html"}
            _point(out / report / "latest.json", _json(pointer), private)
    write_archives(
        out,
        private,
        ledger,
        [report.report for report in shown],
        company=front.company,
        whatif=front.banner,
    )
    now = dt.datetime.now(dt.UTC)
    latest = {"schema_version": 1, "run": front.run, "as_of": front.as_of.isoformat(),
              "finished": now.isoformat(timespec="seconds"), "reports": records}  # fmt: skip
    site.replace(out / "latest.json", _json(latest), private)
    newest = max([front.as_of, *(dt.date.fromisoformat(e.as_of) for e in entries if e.as_of)])
    more = cards(out, shown, front.known, now.astimezone(ZoneInfo(front.known.company.timezone)))
    page = front_page.build(front.company, entries, newest, front.banner, more)
    site.replace(out / "index.html", page.encode(), private)


def _point(path: Path, content: bytes, private: Path) -> None:
    """Write a pointer file, unless it says so already."""
    if not path.exists() or path.read_bytes() != content:
        site.replace(path, content, private)


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _entry(
    report: str, good: Mapping[str, Any] | None, failed: Mapping[str, Any] | None
) -> front_page.Entry:
    said = _said(good)
    return front_page.Entry(
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
        spans=said.get("spans"),
        findings=tuple(said.get("findings") or ()),
        solve=tuple(said.get("solve") or ()),
        period=good["period"] if good else "",
        as_of=good["as_of"] if good else None,
        data_to=said.get("data_to"),
        failure=book.ENDS[failed["state"]].words if failed else None,
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


@dataclass(frozen=True)
class Shown:
    """A report that the front page shows; `said` is what the ledger keeps of its facts."""

    report: str
    period: str
    as_of: str
    said: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Its page, seen from the front page."""
        return f"{self.report}/{self.period}/index.html"


def cards(out: Path, shown: Sequence[Shown], known: Definitions, now: dt.datetime) -> More:
    """Read what the front page shows beside its reports.

    A report whose files cannot be read says nothing of its metrics.
    """
    facts, links = dict[str, Facts](), dict[str, Fact]()
    for report in shown:
        facts[report.report] = _facts(out / report.report / report.period / "facts.json")
        for fact in facts[report.report].values():
            if "_on_" in str(fact["field"]):
                links[fact["id"]] = fact
    speakers = _speakers(shown, facts, known)
    made = {}
    for name in dict.fromkeys([*known.company.north_star, *known.metrics, *speakers]):
        made[name] = _card(name, speakers.get(name), facts, known, links)

    stars = [name for name in known.company.north_star if name in made and made[name].path]
    past = _past_values(out, {name: speakers[name] for name in stars})
    sentences = _sentences(shown)
    for name in stars:
        made[name] = replace(made[name], said=sentences.get(name), past=past.get(name, ()))
    return More(made, stars, _grain(shown), now)


def _sentences(shown: Sequence[Shown]) -> dict[str, Mapping[str, Any]]:
    """What is said of each North Star, by the first report that speaks of it."""
    sentences = {}
    for report in reversed(shown):
        for sentence in report.said.get("stars") or []:
            sentences[sentence["metric"]] = sentence
    return sentences


def _grain(shown: Sequence[Shown]) -> str:
    for report in shown:
        if report.said.get("grain"):
            return str(report.said["grain"])
    return "week"


def _speakers(
    shown: Sequence[Shown], facts: Mapping[str, Facts], known: Definitions
) -> dict[str, Shown]:
    """For each metric the report that speaks for it.

    That is the newest; of equally new ones its own department's, or the first.
    """
    candidates: dict[str, list[Shown]] = {}
    for report in shown:
        for fact in facts[report.report].values():
            if fact["field"] == "light":
                candidates.setdefault(str(fact["metric"]), []).append(report)
    stars = set(known.company.north_star)

    def rank(metric: str, report: Shown) -> tuple[str, bool]:
        own = None
        if metric not in stars and metric in known.owners:
            department = known.departments.get(known.owners[metric])
            own = department.department if department else None
        return report.as_of, report.said.get("department") == own

    speakers = {}
    for metric, reports in candidates.items():
        speakers[metric] = reports[0]
        for report in reports[1:]:
            if rank(metric, report) > rank(metric, speakers[metric]):
                speakers[metric] = report
    return speakers


def _card(
    name: str,
    speaker: Shown | None,
    facts: Mapping[str, Facts],
    known: Definitions,
    links: Facts,
) -> MetricCard:
    card = MetricCard(name, name.replace("_", " ").capitalize())
    if name in known.metrics:
        department = known.departments[known.department_of(name)]
        card = replace(
            card,
            label=known.label(name),
            department=department.department,
            owner=department.owner or "",
            question=known.metrics[name].question or "",
            unit=known.metrics[name].unit,
            bound="limit" if known.metrics[name].better == "down" else "target",
            feeds=list(_feeds(name, known, links)),
        )
    if speaker is None:
        return card
    own = facts[speaker.report]
    return replace(
        card,
        report=speaker.report,
        path=speaker.path,
        locale=speaker.said.get("locale") or DEFAULT,
        facts={field: own[f"{name}.{field}"] for field in FIELDS if f"{name}.{field}" in own},
    )


def _feeds(name: str, known: Definitions, links: Facts) -> Iterator[Feed]:
    """What stands below a metric: its parts, what is declared to move it, what the data found."""
    below = known.below(name)
    for other, how in below:
        yield Feed(other, how, _verdict(other, name, links) if how == "moves" else ())
    parts = {other for other, _ in below} | set(known.upstream([name]))
    for fact in links.values():
        moves = fact["field"] == f"verdict_on_{name}" and fact["value"] == "moves"
        is_other_name = f"{fact['metric']}.same_as_on_{name}" in links
        if moves and fact["metric"] not in parts and not is_other_name:
            yield Feed(str(fact["metric"]), "found", _verdict(str(fact["metric"]), name, links))


def _verdict(metric: str, star: str, links: Facts) -> list[Fact]:
    ids = (f"{metric}.{field}_on_{star}" for field in ("verdict", "lag", "rocking_chair"))
    return [links[id_] for id_ in ids if id_ in links]


def _facts(path: Path) -> dict[str, Fact]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        document = json.loads(path.read_text(encoding="utf-8"))
        return {str(fact["id"]): fact for fact in document["facts"]}
    return {}


def _past_values(out: Path, speakers: Mapping[str, Shown]) -> dict[str, list[float | None]]:
    """The last values of each metric, oldest first, as its report published them.

    Only whole periods count.
    """
    values: dict[str, list[float | None]] = {}
    reports = {report.report: report for report in speakers.values()}
    for report in reports.values():
        with suppress(OSError, ValueError, KeyError):
            path = out / report.report / report.period / "numbers.csv"
            for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
                if speakers.get(row["metric"]) is report and row["complete"] != "false":
                    value = float(row["value"]) if row["value"] else None
                    values.setdefault(row["metric"], []).append(value)
    return values
