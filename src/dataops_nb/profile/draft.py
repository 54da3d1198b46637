"""Draft definitions from files: how each is written, what its rows are and suggest."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dataops_nb.errors import Fault, UsageError, did_you_mean
from dataops_nb.profile.columns import OptionGuess
from dataops_nb.profile.layout import Layout, find_layout, guess_layout, is_text
from dataops_nb.profile.maker import MONEY_WEIGHT, SuggestedMetric
from dataops_nb.profile.names import common_beginning, expression, slug, words
from dataops_nb.profile.parts import DenseEnd, find_dense_end
from dataops_nb.profile.references import Reference, find_references, list_dated
from dataops_nb.profile.series import Remark, tell_series
from dataops_nb.profile.sheets import SheetTable, list_sheets
from dataops_nb.profile.suggestions import (
    IndicatorTable,
    choose_metrics,
    choose_north_stars,
    guess_metrics,
)
from dataops_nb.profile.tables import Guess, Table, describe_table
from dataops_nb.profile.wide import FLAT, find_year, list_flattened, list_unpivoted
from dataops_nb.profile.written import (
    Settled,
    agree_on_days,
    declare,
    open_sources,
    settle,
    year_above,
)
from dataops_nb.sources.catalog import Catalog
from dataops_nb.sources.files import FORMATS, NAMED_FORMATS, ending

DAYS_PER_WEEK = 7
# Usual gaps between days with rows, after which the next may still come.
PATIENT_GAPS = 3
# Days by which a file may end before the newest one, and still be a file of today.
LONGEST_LAG = 31
DIVIDED = 8_000_000  # bytes from which on DuckDB reads a file in several parts
LONGEST_STOP = 365
# Seconds before a progress bar shows.
PATIENCE = 2
LEAST_WORD = 3  # letters of a file's name that follow a number
LEAST_ALIKE = 20  # different values of a column that two tables have by no chance
NORTH_STAR_REASON = "money first, then volume, then new customers"


@dataclass
class Draft:
    """What was found in files, in their order; paths of sources start in the folder `data`.

    Sources, layouts, faults and tables are kept by source, metrics by the source they stand on.
    `waiting` are the metrics that were not chosen, `signs` those of currencies in numbers,
    `remarks` what is told of each source's rows over time, `repeated` are sources whose rows
    another one has.
    """

    data: Path
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    layouts: dict[str, Layout] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)
    metrics: dict[str, list[SuggestedMetric]] = field(default_factory=dict)
    waiting: dict[str, list[SuggestedMetric]] = field(default_factory=dict)
    indicators: list[IndicatorTable] = field(default_factory=list)
    guesses: list[Guess] = field(default_factory=list)
    signs: dict[str, str] = field(default_factory=dict)
    dense: dict[str, DenseEnd] = field(default_factory=dict)
    remarks: dict[str, list[Remark]] = field(default_factory=dict)
    repeated: set[str] = field(default_factory=set)

    @property
    def all_metrics(self) -> list[SuggestedMetric]:
        """Return the metrics of all sources, in the order of the files."""
        all_metrics = []
        for metrics in self.metrics.values():
            all_metrics += metrics
        return all_metrics

    @property
    def north_star(self) -> list[str]:
        """Return the ids of the metrics that are guessed to be the company's North Stars.

        What stopped more than a year before the newest file steers nobody today.
        """
        alive = []
        for name, metrics in self.metrics.items():
            alive += [] if self.stopped(name) else metrics
        return choose_north_stars(alive or self.all_metrics)

    def stopped(self, name: str) -> bool:
        """Return whether a source's rows end more than a year before the newest file's."""
        newest = max((end.day for end in self.dense.values()), default=dt.date.min)
        return name in self.dense and (newest - self.dense[name].day).days > LONGEST_STOP

    @property
    def lead(self) -> Table | None:
        """Return the source of the first North Star, else the first with days."""
        for star in self.north_star[:1]:
            for name, metrics in self.metrics.items():
                if any(metric.id == star for metric in metrics):
                    return self.tables[name]
        for table in self.tables.values():
            if table.time:
                return table
        return None

    @property
    def grain(self) -> str:
        """Return week, month where the lead has hardly one row a week, longer for totals."""
        table = self.lead
        if table is None or table.first is None or table.last is None:
            return "week"
        days = (table.last - table.first).days + 1
        rare = table.rows * DAYS_PER_WEEK < days * 2
        if table.monthly or rare:
            return {1: "month", 3: "quarter", 12: "year"}[table.months_apart]
        return "week"

    @property
    def last(self) -> dt.date | None:
        """Return the last day on which all files that go on have rows.

        The file of the first North Star leads; one that stops long before does not hold it back.
        """
        days = {name: self._last_day(name, end.day) for name, end in self.dense.items()}
        if not days:
            return None
        lead = self.lead
        newest = max(days.values())
        if lead is not None and lead.name in days:
            newest = days[lead.name]
        held_back = [newest]
        for name, day in days.items():
            # Rows that come once a month may still come.
            usual = dt.timedelta(days=self.dense[name].gap * PATIENT_GAPS)
            late = (newest - day).days
            if late <= LONGEST_LAG:
                held_back.append(min(newest, day + usual))
        return min(held_back)

    def _last_day(self, name: str, day: dt.date) -> dt.date:
        table = self.tables[name]
        if not table.monthly:
            return day
        months = day.year * 12 + day.month - 1 + table.months_apart
        return dt.date(months // 12, months % 12 + 1, 1) - dt.timedelta(days=1)


def draft(files: Sequence[str | Path]) -> Draft:
    """Profile files, or the files in folders.

    Raises UsageError for one that does not exist or has no known format.
    """
    paths = _list_files([Path(file) for file in files])
    data = Path(os.path.commonpath([path.parent for path in paths]))
    made = Draft(data)
    with open_sources(data) as catalog:
        if all(path.stat().st_size < DIVIDED for path in paths):
            catalog.ask("set threads = 1")  # others would wait for the one, and spin
        _settle_sources(made, paths, catalog)
        _describe_sources(made, catalog)
        _withdraw_faulty(made, catalog)
    stars = made.north_star
    if stars:
        made.guesses.append(Guess("north_star", ", ".join(stars), NORTH_STAR_REASON))
    return made


def _list_files(files: Sequence[Path]) -> list[Path]:
    paths: list[Path] = []
    unknown = []
    for file in files:
        if not file.exists():
            neighbours: list[str] = []
            if file.parent.is_dir():
                neighbours = [path.name for path in file.parent.iterdir()]
            hint = did_you_mean(file.name, neighbours)
            raise UsageError(f"{file} does not exist{hint}")
        if file.is_dir():
            paths += _readable_files(file)
        elif file.is_file():
            paths.append(file.absolute())
            if ending(file) not in FORMATS:
                unknown.append(file.name)
    formats = f"name {NAMED_FORMATS} files"
    if unknown:
        raise UsageError(f"{', '.join(unknown)} cannot be profiled; {formats}")
    if not paths:
        raise UsageError(f"there is nothing to profile; {formats}")
    return list(dict.fromkeys(paths))


def _readable_files(folder: Path) -> list[Path]:
    paths = []
    for path in sorted(folder.iterdir()):
        if path.is_file() and ending(path) in FORMATS:
            paths.append(path.absolute())
    return paths


def _settle_sources(made: Draft, paths: Sequence[Path], catalog: Catalog) -> None:
    """Find out how each file is written, and add it as a source."""
    settled: dict[str, Settled] = {}
    bares = Counter(_without_numbers(_stem(path)) for path in paths)
    # While the database reads a file, Python looks where the table lies in the next.
    with ThreadPoolExecutor(max_workers=1) as pool:
        laid = pool.map(_find_sheets, paths)
        bar = tqdm(paths, desc="files", unit="file", delay=PATIENCE, leave=False)
        for path, sheets in zip(bar, laid, strict=True):
            stem = _stem(path)
            bare = _without_numbers(stem)
            name = slug(bare if bares[bare] == 1 else stem)
            if name in settled:
                name = slug(f"{path.parent.name}_{stem}", settled)
            for sheet in sheets:
                own = slug(f"{name}_{sheet.name}" if len(sheets) > 1 else name, settled)
                settled[own] = _settle_file(made, own, path, catalog, sheet)
    agree_on_days(settled)
    for name, one in settled.items():
        for guess in one.guesses:
            made.guesses.append(Guess(f"{name}.{guess.option}", guess.text, guess.why))
        if one.faults:
            one.options["on_fault"] = "mark"
            made.faults[name] = one.faults
        if "%Y" in one.options.get("date_format", "%Y"):
            one.options.pop("year_from", None)
        made.sources[name] = one.options
        if one.signs:
            made.signs[name] = one.signs.most_common(1)[0][0]
        _tell_layout(made, name)


def _stem(path: Path) -> str:
    return path.name[: -len(ending(path))].removesuffix(".csv")


def _without_numbers(stem: str) -> str:
    """Return a file's name without numbers in front, and without days and years behind it."""
    bare = re.sub(r"^[\d\W_]+", "", stem)
    bare = re.sub(r"[\W_]*\d{4,}[\d\W_]*$", "", bare)
    return bare if len(bare) >= LEAST_WORD else stem


def _find_sheets(path: Path) -> list[SheetTable]:
    """Return where the tables of a file lie: one without a name where it is no workbook."""
    sheets = list_sheets(path)
    if len(sheets) == 1 and not sheets[0].of:
        return [replace(sheets[0], name="")]  # the only sheet needs no name
    if sheets:
        return sheets
    return [SheetTable("", find_layout(path) if is_text(path) else Layout())]


def _settle_file(
    made: Draft, name: str, path: Path, catalog: Catalog, sheet: SheetTable
) -> Settled:
    """Find out how one file, or one sheet of a workbook, is written."""
    options: dict[str, Any] = {"path": path.relative_to(made.data).as_posix()}
    layout = sheet.layout
    made.layouts[name] = layout
    seen = guess_layout(path, layout)
    year = year_above(layout.above)
    if year:
        options["year_from"] = year
    if sheet.name:
        seen.insert(0, OptionGuess("sheet", sheet.name, sheet.why))
    for guess in seen:
        options[guess.option] = guess.value
    one = settle(name, options, catalog)
    one.guesses[:0] = seen
    return one


def _tell_layout(made: Draft, name: str) -> None:
    """Tell of names that stand several times in a header."""
    layout = made.layouts.get(name)
    if layout is None:
        return
    for column, count in layout.repeated.items():
        why = (
            f"{column} stands several times in the header ({count}); the second is "
            f"{column} (2); they are not used"
        )
        made.guesses.append(Guess(f"{name}.{column}", "", why))


def _describe_sources(made: Draft, catalog: Catalog) -> None:
    """Describe all faultless sources, how they point at each other, and their metrics."""
    declare(catalog, made.sources)
    for name in tqdm(made.sources, desc="tables", unit="table", delay=PATIENCE, leave=False):
        if name not in made.faults:
            _describe(made, catalog, name)
    _flatten(made, catalog)
    _tell_repeated(made)
    described = [table for name, table in made.tables.items() if name not in made.repeated]
    for reference, guess in find_references(catalog, described):
        made.guesses.append(guess)
        if reference:
            made.references.append(reference)
    dated = list_dated(made.references, made.tables)
    unpivoted = list_unpivoted(made.tables, _years(made))
    queries = [*dated, *unpivoted]
    for name, options, why in queries:
        made.sources[name] = options
        kind = "rows of a wide table" if (name, options, why) in unpivoted else "a join"
        made.guesses.append(Guess(f"{name}.query", kind, why))
    if queries:
        declare(catalog, made.sources)
    for name, _, _ in queries:
        _describe(made, catalog, name)
    shared = common_beginning(list(made.layouts))
    own_keys = {(reference.source, reference.column) for reference in made.references}
    for name, table in made.tables.items():
        own = words(name)
        if own[: len(shared)] == shared:
            own = own[len(shared) :]
        foreign = len(table.key) == 1 and (name, table.key[0]) in own_keys
        made.tables[name] = replace(table, noun_words="_".join(own), foreign_key=foreign)
    _suggest(made, catalog)


def _flatten(made: Draft, catalog: Catalog) -> None:
    """Give tables with objects in their cells a query of plain columns, which stands for them."""
    flattened = list_flattened(catalog, made.tables)
    for name, options, why in flattened:
        base = name.removesuffix(FLAT)
        told_again = []
        for guess in made.tables[base].guesses:
            if guess.about not in (f"{base}.time", f"{base}.key"):
                told_again.append(guess)
        made.guesses = [guess for guess in made.guesses if guess not in told_again]
        made.sources[name] = options
        made.guesses.append(Guess(f"{name}.query", "plain columns", why))
        made.repeated.add(base)
    if flattened:
        declare(catalog, made.sources)
    for name, _, _ in flattened:
        _describe(made, catalog, name)


def _tell_repeated(made: Draft) -> None:
    """Tell of tables that hold the same rows as one before: a file saved in two formats."""
    first_by_columns: dict[tuple[tuple[str, int, int], ...], str] = {}
    for name, table in made.tables.items():
        columns = tuple((one.name, one.values, one.distinct) for one in table.columns)
        first = first_by_columns.setdefault(columns, name)
        alike = any(one.distinct > LEAST_ALIKE for one in table.columns)
        if first != name and alike:
            made.repeated.add(name)
            why = f"its rows look like those of {first}, so no metric is made of them a second time"
            made.guesses.append(Guess(name, "", why))


def _describe(made: Draft, catalog: Catalog, name: str) -> None:
    table = describe_table(catalog, name)
    made.tables[name] = table
    made.guesses += table.guesses


def _years(made: Draft) -> dict[str, int | None]:
    """Return the year that is written above each table or in its file's name."""
    years = {}
    for name, layout in made.layouts.items():
        years[name] = find_year(*layout.above) or find_year(made.sources[name]["path"])
    return years


def _suggest(made: Draft, catalog: Catalog) -> None:
    """Suggest the metrics of all tables, and find where their rows end."""
    for name, table in made.tables.items():
        if name in made.repeated:
            continue
        taken = [metric.id for metric in made.all_metrics]
        suggestions = guess_metrics(catalog, table, taken)
        made.guesses += suggestions.guesses
        if suggestions.indicators:
            made.indicators.append(suggestions.indicators)
        else:
            made.metrics[name] = _without_repeated(made, name, suggestions.metrics)
        end = find_dense_end(catalog, table)
        if end is not None:
            made.dense[name] = end
    _choose(made)
    newest = made.last
    for name, table in made.tables.items():
        metrics = [*made.metrics.get(name, []), *made.waiting.get(name, [])]
        made.remarks[name] = tell_series(catalog, table, metrics, newest)
        for remark in made.remarks[name]:
            made.guesses.append(Guess(f"{name}: over time", "", remark.text))


def _without_repeated(
    made: Draft, name: str, metrics: Sequence[SuggestedMetric]
) -> list[SuggestedMetric]:
    """Return the metrics that are of no column whose name stands several times in a header."""
    layout = made.layouts.get(name, Layout())
    refused = set()
    for column in layout.repeated:
        refused |= {expression(column), expression(f"{column} (2)")}
    return [one for one in metrics if one.definition.get("measure", {}).get("expr") not in refused]


def _choose(made: Draft) -> None:
    """Keep the few metrics that matter; the others wait."""
    _weigh_lookups(made)
    alive = {name: many for name, many in made.metrics.items() if not made.stopped(name)}
    chosen = choose_metrics(alive if any(alive.values()) else made.metrics)
    for name, metrics in made.metrics.items():
        made.metrics[name] = [metric for metric in metrics if metric.id in chosen]
        made.waiting[name] = [metric for metric in metrics if metric.id not in chosen]


def _weigh_lookups(made: Draft) -> None:
    """Halve the weight of metrics of tables that others only look names up in."""
    targets = {reference.target for reference in made.references}
    sources = {reference.source for reference in made.references}
    for name in targets - sources:
        metrics = made.metrics.get(name, [])
        if all(metric.weight < MONEY_WEIGHT for metric in metrics):
            lighter = [replace(metric, weight=metric.weight / 2) for metric in metrics]
            made.metrics[name] = lighter


def _withdraw_faulty(made: Draft, catalog: Catalog) -> None:
    """Withdraw what `check` would refuse; some faults show only once a column is used.

    First drop the metrics of a faulty column. If the file still has faults, mark it as faulty
    and drop all that was made of it.
    """
    for withdraw in (_drop_columns, _mark_source):
        faults_by_source: dict[str, list[Fault]] = {}
        for fault in _check(made, catalog):
            if fault.source not in made.faults:
                faults_by_source.setdefault(fault.source, []).append(fault)
        if not faults_by_source:
            return
        for name, faults in faults_by_source.items():
            withdraw(made, name, faults)


def _check(made: Draft, catalog: Catalog) -> list[Fault]:
    """Check the sources with all metrics, as `check` will do with the files."""
    options_by_source = {}
    for name, options in made.sources.items():
        options_by_source[name] = dict(options)
        table = made.tables.get(name)
        if table is not None and table.time:
            options_by_source[name]["time"] = table.time
    definitions = {metric.id: metric.definition for metric in made.all_metrics}
    department = {"department": "First", "metrics": definitions}
    departments = {"first": department}
    declare(catalog, options_by_source, departments)
    return catalog.check()


def _drop_columns(made: Draft, name: str, faults: Sequence[Fault]) -> None:
    """Drop the metrics that use a faulty column, and the ratios of these metrics."""
    faults_by_expression = {}
    for fault in faults:
        if fault.column:
            faults_by_expression[expression(fault.column).casefold()] = fault
    dropped = set()
    for metric in [*made.metrics.get(name, []), *made.waiting.get(name, [])]:
        measure = metric.definition.get("measure", {})
        if str(measure.get("expr", "")).casefold() in faults_by_expression:
            dropped.add(metric.id)
    if not dropped:
        return
    ratios = set()
    for metric in made.all_metrics:
        parts = {metric.definition.get(key) for key in ("numerator", "denominator")}
        if dropped & parts:
            ratios.add(metric.id)
    _drop_metrics(made, name, dropped | ratios)
    for fault in faults_by_expression.values():
        made.guesses.append(Guess(f"{name}.{fault.column}", "", fault.rule))


def _mark_source(made: Draft, name: str, faults: Sequence[Fault]) -> None:
    """Mark a source as faulty and drop all that was made of it."""
    made.sources[name]["on_fault"] = "mark"
    made.faults[name] = list(faults)
    _drop_metrics(made, name, {metric.id for metric in made.metrics.get(name, [])})
    made.waiting.pop(name, None)
    made.tables.pop(name, None)
    made.dense.pop(name, None)
    made.references = [
        reference
        for reference in made.references
        if name not in (reference.source, reference.target)
    ]
    made.indicators = [
        indicators for indicators in made.indicators if indicators.definition["source"] != name
    ]


def _drop_metrics(made: Draft, name: str, dropped: Collection[str]) -> None:
    kept = [metric for metric in made.metrics.get(name, []) if metric.id not in dropped]
    made.metrics[name] = kept
    made.waiting[name] = [one for one in made.waiting.get(name, []) if one.id not in dropped]
    made.guesses = [
        guess for guess in made.guesses if guess.about.removeprefix("metric ") not in dropped
    ]
