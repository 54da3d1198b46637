"""Standings: where each metric of the company stands, read from the reports that the front page shows.

The numbers and lights are those of the reports' own facts.json, the past is their numbers.csv; what a metric is called, who
answers for it and what feeds it stand in the definitions. A link that nobody declared is one that the data found.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataops_nb import definitions as company_files
from dataops_nb.definitions import Definitions
from dataops_nb.publish.site import More
from dataops_nb.publish.standing import Feed, Standing
from dataops_nb.story.numbers import DEFAULT

FIELDS = ("light", "reason", "value", "target", "target_low", "target_high")
Fact = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """A report that the front page shows: its period, its as-of, and what the ledger keeps of its facts."""

    report: str
    period: str
    as_of: str
    said: Mapping[str, Any]

    @property
    def path(self) -> str:
        """Its page, seen from the front page."""
        return f"{self.report}/{self.period}/index.html"


def read(out: Path, shown: Sequence[Shown], known: Definitions, now: dt.datetime) -> More:
    """What the front page shows beside its reports; a report whose files cannot be read says nothing of its metrics."""
    facts = {each.report: _facts(out / each.report / each.period / "facts.json") for each in shown}
    speakers = _speakers(shown, facts, known)
    links = {fact["id"]: fact for each in shown for fact in facts[each.report].values() if "_on_" in str(fact["field"])}
    found = {name: _standing(name, speakers.get(name), facts, known, links) for name in _metrics(known, speakers)}
    stars = [name for name in known.company.north_star if name in found and found[name].path]
    past = _pasts(out, {name: speakers[name] for name in stars})
    told = {each["metric"]: each for one in reversed(shown) for each in one.said.get("stars") or []}
    for name in stars:
        found[name] = _starred(found[name], told.get(name), past.get(name, ()))
    grain = next((str(each.said["grain"]) for each in shown if each.said.get("grain")), "week")
    return More(found, stars, grain, now)


def _metrics(known: Definitions, speakers: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*known.company.north_star, *known.metrics, *speakers]))


def _speakers(shown: Sequence[Shown], facts: Mapping[str, Mapping[str, Fact]], known: Definitions) -> dict[str, Shown]:
    """For each metric the report that speaks for it: the newest; among those its own department's, or the first."""
    found: dict[str, list[Shown]] = {}
    for each in shown:
        for fact in facts[each.report].values():
            if fact["field"] == "light":
                found.setdefault(str(fact["metric"]), []).append(each)
    names = {id_: department.department for id_, department in known.departments.items()}
    own = {metric: names.get(owner) for metric, owner in known.owners.items()}
    stars = set(known.company.north_star)

    def rank(metric: str, each: Shown) -> tuple[str, bool]:
        department = each.said.get("department")
        return each.as_of, department is None if metric in stars else department == own.get(metric)

    return {metric: max(many, key=lambda each: rank(metric, each)) for metric, many in found.items()}


def _standing(
    name: str,
    speaker: Shown | None,
    facts: Mapping[str, Mapping[str, Fact]],
    known: Definitions,
    links: Mapping[str, Fact],
) -> Standing:
    defined = known.metrics.get(name)
    department = known.departments[known.department_of(name)] if defined else None
    said = facts[speaker.report] if speaker else {}
    return Standing(
        metric=name,
        label=known.label(name) if defined else name.replace("_", " ").capitalize(),
        department=department.department if department else "",
        owner=(department.owner or "") if department else "",
        question=(defined.question or "") if defined else "",
        unit=defined.unit if defined else "",
        report=speaker.report if speaker else "",
        path=speaker.path if speaker else None,
        locale=(speaker.said.get("locale") if speaker else None) or DEFAULT,
        facts={field: said[f"{name}.{field}"] for field in FIELDS if f"{name}.{field}" in said},
        feeds=list(_feeds(name, known, links)) if defined else [],
    )


def _feeds(name: str, known: Definitions, links: Mapping[str, Fact]) -> Iterator[Feed]:
    """What stands below a metric in the tree: parts, what is declared to move it, and what the data found."""
    below = company_files.below(known, name)
    for other, how in below:
        yield Feed(other, how, _verdict(other, name, links) if how == "moves" else ())
    parts = {other for other, _ in below} | set(company_files.upstream(known, [name]))
    for fact in links.values():
        if fact["field"] == f"verdict_on_{name}" and fact["value"] == "moves" and fact["metric"] not in parts:
            yield Feed(str(fact["metric"]), "found", _verdict(str(fact["metric"]), name, links))


def _verdict(metric: str, star: str, links: Mapping[str, Fact]) -> list[Fact]:
    ids = (f"{metric}.{field}_on_{star}" for field in ("verdict", "lag"))
    return [links[id_] for id_ in ids if id_ in links]


def _starred(star: Standing, told: Mapping[str, Any] | None, past: Sequence[float | None]) -> Standing:
    said = {"said": told["text"], "said_facts": told["facts"], "names": told["names"]} if told else {}
    return Standing(**{**star.__dict__, **said, "past": past})


def _facts(path: Path) -> dict[str, Fact]:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return {str(fact["id"]): fact for fact in json.loads(path.read_text(encoding="utf-8"))["facts"]}
    return {}


def _pasts(out: Path, speakers: Mapping[str, Shown]) -> dict[str, list[float | None]]:
    """The last values of each metric, oldest first, from the numbers that its report published; whole periods only."""
    found: dict[str, list[float | None]] = {}
    for each in {one.report: one for one in speakers.values()}.values():
        with suppress(OSError, ValueError, KeyError):
            text = (out / each.report / each.period / "numbers.csv").read_text(encoding="utf-8")
            for row in csv.DictReader(text.splitlines()):
                if speakers.get(row["metric"]) is each and row["complete"] != "false":
                    found.setdefault(row["metric"], []).append(float(row["value"]) if row["value"] else None)
    return found
