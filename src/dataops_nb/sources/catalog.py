"""The catalog of a company's sources: each loaded once, when asked for, and everything that is wrong collected."""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd
import sqlglot
from sqlglot import exp

from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import DataError, Fault, UsageError, did_you_mean
from dataops_nb.sources.coverage import Coverage, cover_days
from dataops_nb.sources.days import cut_day, end_before, is_time
from dataops_nb.sources.evidence import Notice
from dataops_nb.sources.files import hash_content
from dataops_nb.sources.indicators import read_indicators
from dataops_nb.sources.kinds import NUMERIC
from dataops_nb.sources.loading import Shelf
from dataops_nb.sources.queries import find_tables
from dataops_nb.sources.rates import SPANS, list_spans
from dataops_nb.sources.sql import find_column, first_row, quote, say_error

PROVENANCE = ["source", "system", "owner", "files", "rows", "data_to", "sha256"]


class Catalog:
    """Every source of a company as of one day, in one DuckDB in memory.

    `measured` is where `alignment` keeps what it was told to remember.
    """

    dialect = "duckdb"

    def __init__(self, definitions: Definitions, data: Path, as_of: dt.date, keep: Path | None = None) -> None:
        self.declared = definitions
        self.as_of = as_of
        self._shelf = Shelf(definitions, data, as_of, keep)
        self._sources = self._shelf.sources
        self._results: dict[str, pd.DataFrame] = {}
        self._coverage: dict[tuple[str, str | None], Coverage] = {}
        self.measured: dict[tuple[str, tuple[str, ...]], list[Any]] = {}

    @cached_property
    def definitions(self) -> Definitions:
        """The definitions, with the metrics that the rows of `metrics_from` make; `declared` are those without them.

        Raises DataError where such a table cannot be read.
        """
        if not any(department.metrics_from for department in self.declared.departments.values()):
            return self.declared
        return read_indicators(self._shelf, self.declared)

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory and the temporary files."""
        self._shelf.close()

    def under(self, definitions: Definitions) -> Catalog:
        """The same data under definitions that judge otherwise and measure the same; what was read is not read again."""
        other = copy.copy(self)
        other.__dict__["definitions"] = definitions
        return other

    def fetch(self, query: exp.Expression | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """The result of a query over sources by name and frames by keyword; sources are loaded as needed.

        Without frames a result is kept and a repeated query is not run again. Raises UsageError for a query that reads
        anything else, DataError for one that the data do not allow.
        """
        written = query if isinstance(query, str) else query.sql(dialect=self.dialect)
        if not frames and written in self._results:
            return self._results[written].copy()
        tree = _parse(written) if isinstance(query, str) else query
        found, wrong = find_tables(tree, [*self._sources, *frames])
        if wrong:
            raise UsageError("; ".join(wrong))
        result = self._recalled([n for n in found if n in self._sources and n not in frames], written, tree, frames)
        if not frames:
            self._results[written] = result.copy()
        return result

    def _recalled(
        self, names: list[str], written: str, tree: exp.Expr, frames: dict[str, pd.DataFrame]
    ) -> pd.DataFrame:
        """The result of a query, from a run before where all that it depends on is as it was."""
        recall = self._shelf.recall
        known = recall.frame(names, written, frames) if recall else None
        if known is not None:
            return known
        if recall:
            recall.wake(names)
        self._shelf.see(names)
        if self._shelf.steps.usable:
            self._shelf.steps.make()
        result = self._run(tree, [*names, *frames], frames)
        if recall:
            recall.put_frame(names, written, frames, result)
        return result

    def knows(self, query: exp.Expression, *names: str) -> bool:
        """Whether the result of a query over these sources, without frames, is at hand."""
        written = query.sql(dialect=self.dialect)
        if written not in self._results and self._shelf.recall:
            known = self._shelf.recall.frame(names, written, {})
            if known is not None:
                self._results[written] = known
        return written in self._results

    def keep(self, query: exp.Expression, result: pd.DataFrame, *names: str) -> None:
        """Keep what is known to be the result of a query over these sources, without frames."""
        written = query.sql(dialect=self.dialect)
        self._results[written] = result
        if self._shelf.recall:
            self._shelf.recall.put_frame(names, written, {}, result)

    def whole_numbers(self, name: str, column: str) -> tuple[int, int] | None:
        """The least and greatest value of a column of integers in a file; None for anything else, and where there is none."""
        typed = self._shelf.typed(name)
        found = find_column(column.strip('"'), typed.columns)
        if not self._shelf.is_embedded(name) or found is None or typed.columns[found] not in NUMERIC:
            return None
        query = f"select min({quote(found)}) as low, max({quote(found)}) as high from {quote(name)}"
        low, high = self.fetch(query).iloc[0]
        return None if pd.isna(low) else (int(low), int(high))

    def _run(self, tree: exp.Expr, found: Iterable[str], frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
        shadowed = [name for name in frames if name in self._shelf.loaded]
        if shadowed:
            raise UsageError(f"a frame may not have the name of a source: {', '.join(shadowed)}")
        try:
            return self._shelf.run(tree, **frames)
        except DataError as error:
            damage = [fault for name in found if name in self._sources for fault in self._shelf.decode(name)]
            said = [fault if fault.source else replace(fault, source=", ".join(found)) for fault in error.faults]
            raise DataError(damage or said) from error

    def require(self, *names: str) -> None:
        """Load sources and what their queries stand on; DataError with all faults of those with `on_fault: stop`."""
        faults = [
            f
            for n in self._shelf.closure(names)
            if self._sources[n].on_fault == "stop"
            for f in self._shelf.load(n).faults
        ]
        if faults:
            raise DataError(faults)

    def faulty(self, name: str) -> bool:
        """Whether a source with `on_fault: mark`, or one that it stands on, has faults."""
        return bool(self.marked(name))

    def marked(self, *names: str) -> list[Fault]:
        """The faults of those of these sources, and of what they stand on, that have `on_fault: mark`."""
        closure = self._shelf.closure(names)
        return [f for n in closure if self._sources[n].on_fault == "mark" for f in self._shelf.load(n).faults]

    def relation(self, name: str) -> exp.Expression:
        """What to select from: typed, each key once, without rows after as-of. DataError where it cannot be read."""
        self._shelf.see([name])
        return exp.to_table(quote(name), dialect=self.dialect)

    def columns(self, name: str) -> dict[str, str]:
        """Each column of a source with its DuckDB type."""
        return dict(self._shelf.typed(name).columns)

    def local_date(self, name: str, column: str) -> exp.Expression:
        """The company's local day of a column with dates or stamps, as an expression over the source's relation."""
        columns = self._shelf.typed(name).columns
        found = find_column(column, columns)
        if found is None:
            raise DataError([Fault(name, f"has no column {column!r}{did_you_mean(column, columns)}", column=column)])
        if not is_time(columns[found]):
            raise DataError([Fault(name, f"is {columns[found]}, which has no day", column=found)])
        moment, zone = exp.column(found, quoted=True), self._shelf.zone_of(name)
        quick = self._shelf.steps.cut(moment, columns[found], zone) if self._shelf.is_embedded(name) else None
        return quick or cut_day(moment, columns[found], zone, self._shelf.zone)

    def rate_spans(self) -> exp.Expression:
        """The days each exchange rate holds, to join as `rates.SPANS`: `_nb_currency _nb_since _nb_until _nb_rate`."""
        rates = self.declared.company.rates
        if rates is None:
            raise UsageError("company.yaml declares no rates, so nothing can be converted")
        spans = list_spans(rates, self.relation(rates.source), self.local_date(rates.source, rates.time))
        return spans.subquery(SPANS)

    def coverage(self, name: str, time: str | None = None) -> Coverage:
        """The days a source speaks about, by a time column (default: its `time`)."""
        if (name, time) not in self._coverage:
            column = time or self._sources[name].time
            first, last = self._row_days(name, column) if column else (None, None)
            self._coverage[name, time] = cover_days(self._sources[name], self.as_of, first, last)
        return self._coverage[name, time]

    def _row_days(self, name: str, column: str) -> tuple[dt.date | None, dt.date | None]:
        """First and last local day with rows, none after as-of."""
        typed = self._shelf.typed(name)
        found = find_column(column, typed.columns)
        if found is None or not is_time(typed.columns[found]):
            return None, None
        moment = exp.column(found, quoted=True)
        type_, zone = typed.columns[found], self._shelf.zone_of(name)
        ends = [
            cut_day(kind(this=moment.copy()), type_, zone, self._shelf.zone).sql(dialect="duckdb")
            for kind in (exp.Min, exp.Max)
        ]
        known = end_before(moment, type_, zone, self._shelf.zone, self.as_of)
        query = f"select {ends[0]}, {ends[1]} from {quote(name)} where {known}"

        def find() -> list[str | None]:
            days = map(_as_day, first_row(self._shelf.ask(name), query) or (None, None))
            return [None if day is None else day.isoformat() for day in days]

        first, last = map(_as_day, self._shelf.fact(name, query, find))
        return first, last

    def watermark(self, name: str) -> str | None:
        """What tells whether a database's rows have changed: the value of the source's `watermark:` now.

        None for a file, a `query:` over other sources, and a database that declares none, which counts as changed always.
        """
        try:
            return self._shelf.watermark(name)
        except (DataError, sqlglot.errors.SqlglotError) as error:
            faults = error.faults if isinstance(error, DataError) else [Fault(name, f"is no SQL: {say_error(error)}")]
            raise DataError(
                [replace(fault, source=name, rule=f"watermark: {fault.rule}") for fault in faults]
            ) from error

    def span(self, *names: str) -> tuple[dt.date, dt.date] | None:
        """First and last covered day over these sources (default: all) that can be read, by all their times in use."""
        covered = [
            self.coverage(name, time)
            for name in names or self._sources
            for time in self._times(name)
            if self._shelf.load(name).typed
        ]
        firsts = [c.first for c in covered if c.first]
        lasts = [c.last for c in covered if c.last]
        return (min(firsts), max(lasts)) if firsts and lasts else None

    def _times(self, name: str) -> list[str | None]:
        return list(dict.fromkeys([None, *self._shelf.needs[name].used_times]))

    def check(self) -> list[Fault]:
        """Load everything; every fault of every source, also of the ids that make metrics."""
        with suppress(DataError):  # what cannot be read is among the faults below
            _ = self.definitions
        for name in self._sources:
            self._shelf.decode(name)
        return list(dict.fromkeys(f for name in self._sources for f in self._shelf.load(name).faults))

    def notices(self, *names: str) -> list[Notice]:
        """What must be said about sources (default: all loaded ones) that is no fault."""
        chosen = self._shelf.closure(names) if names else list(self._shelf.loaded)
        return [notice for name in chosen for notice in self._shelf.load(name).notices]

    def provenance(self, *names: str) -> pd.DataFrame:
        """One row a source (default: all): `source system owner files rows data_to sha256` (of the files' content)."""
        rows = [self._trace(name) for name in names or self._sources]
        return pd.DataFrame(rows, columns=PROVENANCE).astype({"rows": "Int64"})

    def _trace(self, name: str) -> list[object]:
        closure = [self._shelf.load(n) for n in self._shelf.closure([name])]
        files = list(dict.fromkeys(f for loaded in closure for f in loaded.files))
        source, known = self._sources[name], self._shelf.load(name).typed is not None
        rows = self._shelf.fact(name, "rows", lambda: self._shelf.count(name)) if known else None
        data_to = self.coverage(name).last_row if known else None
        shown = ", ".join(dict.fromkeys([*(f.shown for f in files), *(one.place for one in closure if one.place)]))
        marks = [mark for n in self._shelf.closure([name]) if (mark := self.watermark(n))]
        content = self._shelf.fact(name, "content", lambda: hash_content(files)) if files else ""
        content += hashlib.sha256(" ".join(marks).encode()).hexdigest()[:12] if marks else ""
        return [name, source.system, source.owner or "", shown, rows, data_to, content]


def open(  # noqa: A001  -- read as `sources.open`
    definitions: Definitions, data: Path, as_of: dt.date, keep: Path | None = None
) -> Catalog:
    """The catalog of a company's sources as of one day; `data` is where relative paths start. Nothing is read yet.

    In the folder `keep` it remembers what it aggregated, and takes it from there where nothing has changed.
    """
    return Catalog(definitions, data, as_of, keep)


def _as_day(found: object) -> dt.date | None:
    """A day as databases give it: a date, a stamp, or its text."""
    if isinstance(found, str):
        return dt.date.fromisoformat(found[:10])
    return found.date() if isinstance(found, dt.datetime) else found if isinstance(found, dt.date) else None


def _parse(written: str) -> exp.Expr:
    try:
        return sqlglot.parse_one(written, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise UsageError(f"the query cannot be read: {say_error(error)}") from error
