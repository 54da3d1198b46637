"""From files to a draft: how each is written, what its rows are, how they point at each other, and what can be counted."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dataops_nb import sources
from dataops_nb.definitions import Definitions
from dataops_nb.errors import Fault, UsageError, did_you_mean
from dataops_nb.profile.files import FAR, settle, sniff
from dataops_nb.profile.guesses import Guess
from dataops_nb.profile.metrics import Indicators, Proposed, choose_north_star, find_indicators, propose
from dataops_nb.profile.names import column, slug
from dataops_nb.profile.references import Reference, find_references
from dataops_nb.profile.tables import Table, describe_table

READABLE = (".csv", ".tsv", ".txt", ".json", ".ndjson", ".jsonl", ".parquet", ".xlsx", ".xlsm")
WEEK = 7
WHY = "money first, then new people, then how many things happen"


@dataclass
class Draft:
    """What was found in the files, in the order of the files; `data` is the folder that their paths start in."""

    data: Path
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    metrics: dict[str, list[Proposed]] = field(default_factory=dict)
    indicators: list[Indicators] = field(default_factory=list)
    guesses: list[Guess] = field(default_factory=list)

    @property
    def proposed(self) -> list[Proposed]:
        """All metrics, in the order of the files."""
        return [metric for listed in self.metrics.values() for metric in listed]

    @property
    def north_star(self) -> list[str]:
        """The few metrics that are guessed to be the company's."""
        return choose_north_star(self.proposed)

    @property
    def lead(self) -> Table | None:
        """The source of the first North Star, else the first that is dated."""
        names = [name for name, listed in self.metrics.items() for m in listed if m.id in self.north_star[:1]]
        dated = [name for name, table in self.tables.items() if table.time]
        return next((self.tables[name] for name in [*names, *dated]), None)

    @property
    def grain(self) -> str:
        """How often the lead's rows come: weekly, or monthly where a week holds hardly any."""
        table = self.lead
        if table is None or table.first is None or table.last is None:
            return "week"
        days = (table.last - table.first).days + 1
        return "month" if table.monthly or table.rows * WEEK < days * 2 else "week"

    @property
    def last(self) -> dt.date | None:
        """The last day that the lead's rows are about."""
        table = self.lead
        if table is None or table.last is None:
            return None
        following = table.last.replace(day=28) + dt.timedelta(days=4)
        return following.replace(day=1) - dt.timedelta(days=1) if table.monthly else table.last


def draft(files: Sequence[str | Path]) -> Draft:
    """Look through files, or folders of them. Raises UsageError for one that is not there or of no known format."""
    paths = _list_files([Path(file) for file in files])
    found = Draft(_common_folder(paths))
    for path in paths:
        _read_one(found, path)
    _read_together(found)
    _hold(found)
    if found.north_star:
        found.guesses.append(Guess("north_star", ", ".join(found.north_star), WHY))
    return found


def _list_files(files: Sequence[Path]) -> list[Path]:
    paths: list[Path] = []
    for file in files:
        if not file.exists():
            near = [p.name for p in file.parent.iterdir()] if file.parent.is_dir() else []
            raise UsageError(f"{file} does not exist{did_you_mean(file.name, near)}")
        inside = sorted(file.iterdir()) if file.is_dir() else [file]
        paths += [p.absolute() for p in inside if p.is_file() and (p == file or p.suffix.lower() in READABLE)]
    unknown = [p.name for p in paths if p.suffix.lower() not in READABLE]
    if unknown or not paths:
        what = f"{', '.join(unknown)} cannot be profiled" if unknown else "there is nothing to profile"
        raise UsageError(f"{what}; name csv, tsv, json, parquet or xlsx files")
    return list(dict.fromkeys(paths))


def _common_folder(paths: Sequence[Path]) -> Path:
    return Path(os.path.commonpath([path.parent for path in paths]))


def _read_one(found: Draft, path: Path) -> None:
    plain = slug(path.stem)
    name = slug(f"{path.parent.name}_{path.stem}", found.sources) if plain in found.sources else plain
    seen, told = sniff(path)
    options, more, faults = settle(name, {"path": path.relative_to(found.data).as_posix(), **seen}, found.data)
    found.guesses += [Guess(f"{name}.{option}", value, why) for option, value, why in [*told, *more]]
    if faults:
        options["on_fault"] = "mark"
        found.faults[name] = faults
    found.sources[name] = options


def _read_together(found: Draft) -> None:
    listed = {name: {"system": name, **options} for name, options in found.sources.items()}
    company = Definitions.model_validate({"company": {"company": "Profile", "sources": listed}, "departments": {}})
    with sources.open(company, found.data, FAR) as catalog:
        _describe(found, catalog)
        for reference, guess in find_references(catalog, list(found.tables.values())):
            found.guesses.append(guess)
            found.references += [reference] if reference else []
        _propose(found, catalog)


def _describe(found: Draft, catalog: sources.Catalog) -> None:
    for name in found.sources:
        if name not in found.faults:
            table = found.tables[name] = describe_table(catalog, name)
            found.guesses += table.guesses


def _propose(found: Draft, catalog: sources.Catalog) -> None:
    for name, table in found.tables.items():
        indicators = find_indicators(table)
        if indicators:
            found.indicators.append(indicators)
            found.guesses.append(Guess(f"{name}: metrics_from", indicators.definition["id"], indicators.why))
            continue
        found.metrics[name] = propose(catalog, table, [metric.id for metric in found.proposed])
        found.guesses += [Guess(f"metric {metric.id}", name, metric.why) for metric in found.metrics[name]]


def _hold(found: Draft) -> None:
    """Take back what `check` would refuse: some faults of a file show only once its columns are used.

    A metric of such a column is not made; where the rest has faults too, the file is marked and makes none.
    """
    for take_back in (_drop_columns, _mark):
        faults = [fault for fault in _check(found) if fault.source not in found.faults]
        for name in dict.fromkeys(fault.source for fault in faults):
            take_back(found, name, [fault for fault in faults if fault.source == name])


def _check(found: Draft) -> list[Fault]:
    times = {name: {"time": table.time} for name, table in found.tables.items() if table.time}
    listed = {name: {"system": name, **options, **times.get(name, {})} for name, options in found.sources.items()}
    department = {"department": "First", "metrics": {one.id: one.definition for one in found.proposed}}
    company = {"company": {"company": "Profile", "sources": listed}, "departments": {"first": department}}
    with sources.open(Definitions.model_validate(company), found.data, FAR) as catalog:
        return catalog.check()


def _drop_columns(found: Draft, name: str, faults: Sequence[Fault]) -> None:
    used = {column(fault.column).casefold(): fault for fault in faults if fault.column}
    summed = {one.id: str(one.definition.get("measure", {}).get("expr", "")) for one in found.metrics.get(name, [])}
    wrong = {id_ for id_, expr in summed.items() if expr.casefold() in used}
    wrong |= {one.id for one in found.proposed if wrong & {one.definition.get(k) for k in ("numerator", "denominator")}}
    if wrong:
        _drop(found, name, wrong)
        found.guesses += [Guess(f"{name}.{fault.column}", "", fault.rule) for fault in used.values()]


def _mark(found: Draft, name: str, faults: Sequence[Fault]) -> None:
    found.sources[name]["on_fault"] = "mark"
    found.faults[name] = list(faults)
    _drop(found, name, {one.id for one in found.metrics.get(name, [])})
    found.tables.pop(name, None)
    found.references = [one for one in found.references if name not in (one.source, one.target)]
    found.indicators = [one for one in found.indicators if one.definition["source"] != name]


def _drop(found: Draft, name: str, metrics: Collection[str]) -> None:
    found.metrics[name] = [one for one in found.metrics.get(name, []) if one.id not in metrics]
    found.guesses = [guess for guess in found.guesses if guess.about.removeprefix("metric ") not in metrics]
