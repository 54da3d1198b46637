"""The catalog of a company's sources: the company's `Rows`, which all that measures asks.

Each source is loaded once, when it is first needed; what is wrong with it is collected, and stops
only what depends on it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
import sqlglot
from sqlglot import exp

from dataops_nb.alignment.queries import NUMERIC, SPANS
from dataops_nb.alignment.rows import (
    PROVENANCE,
    Coverage,
    Rows,
    Usage,
    WholeNumbers,
    require_day,
)
from dataops_nb.company import Company
from dataops_nb.definitions.models import Definitions
from dataops_nb.definitions.sql import sources_behind
from dataops_nb.errors import DataError, Fault, UsageError, did_you_mean
from dataops_nb.sources.days import cover_days, cut_day, end_before, is_time, list_spans
from dataops_nb.sources.evidence import Notice, find_column, first_row, quote, say_error
from dataops_nb.sources.files import File, hash_content
from dataops_nb.sources.fingerprints import is_steady, of_metric
from dataops_nb.sources.indicators import read_indicators
from dataops_nb.sources.kept_tables import Recall
from dataops_nb.sources.queries import find_tables
from dataops_nb.sources.shelf import Shelf


class Catalog(Rows):
    """Every source of a company as of one day, in one DuckDB in memory.

    `declared` are the definitions as they are written; `company` those with the metrics that the
    rows of `metrics_from` make. `measured` is where `alignment` keeps what it may need again.
    """

    dialect = "duckdb"

    def __init__(
        self,
        definitions: Definitions,
        data: Path,
        as_of: dt.date,
        keep: Path | None = None,
        usage: Usage | None = None,
    ) -> None:
        self.declared = definitions
        self.as_of = require_day(as_of)
        self.usage = usage or definitions.usage
        self._shelf = Shelf(definitions, data, as_of, keep, self.usage)
        self._sources = self._shelf.sources
        self._results: dict[str, tuple[list[str], pd.DataFrame]] = {}  # with the sources asked
        self._answers: dict[str, list[tuple[Any, ...]]] = {}
        self._recall: Recall | None
        self._coverage: dict[tuple[str, str | None], Coverage] = {}
        self.measured: dict[tuple[str, tuple[str, ...]], list[Any]] = {}
        self._recall = Recall(self._shelf, self.usage)

    def __repr__(self) -> str:
        counted = len(self._sources)
        sources = "1 source" if counted == 1 else f"{counted} sources"
        return f"<Catalog of {self.declared.company.company}: {sources}, rows to {self.as_of}>"

    @cached_property
    def company(self) -> Definitions:
        """The definitions, with the metrics that the rows of `metrics_from` make.

        Raises DataError where such a table cannot be read.
        """
        departments = self.declared.departments.values()
        if not any(department.metrics_from for department in departments):
            return self.declared
        return read_indicators(self._shelf, self.declared)

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory and the temporary files."""
        self._shelf.close()

    def redeclare(self, definitions: Definitions) -> None:
        """Take other definitions of the same files: what they read as before is not read again.

        Only for sources in files, of a catalog that keeps nothing between runs.
        """
        self.declared = definitions
        self.__dict__.pop("company", None)
        self._shelf.redeclare(definitions)
        self._sources = self._shelf.sources
        self._results.clear()
        self._answers.clear()
        self.__dict__.pop("_known", None)
        self._coverage.clear()
        self.measured.clear()

    def under(self, company: Company) -> Self:
        """The same rows for a company that judges otherwise; what it asks is kept in no file."""
        other = super().under(company)
        other._recall = None
        return other

    def recall(self, what: Sequence[object], make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Return the table that `make` computes from these rows, or an earlier run has kept."""
        if self._recall is None:
            return make()
        return self._recall.table(self.company, what, make)

    # --- queries ---------------------------------------------------------------------------------

    def fetch(self, query: exp.Expression | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """Return the result of a query over sources by name and frames by keyword.

        Sources are loaded as needed. Without frames the result is kept, and a repeated query is not
        run again. Raises UsageError for a query that reads anything else, DataError for one that
        the data do not allow.
        """
        in_words = query if isinstance(query, str) else query.sql(dialect=self.dialect)
        self._shelf.is_steady = self._shelf.is_steady and is_steady(in_words)
        if not frames and in_words in self._results:
            names, result = self._results[in_words]
            self._shelf.touched.update(names)
            return result.copy(deep=False)  # whoever writes into it has a copy of its own
        if isinstance(query, str):
            tree = _parse(query)
            written = tree.sql(dialect=self.dialect)  # what is run is what was looked at
        else:
            tree, written = query, in_words
        tables, wrong = find_tables(tree, [*self._sources, *frames])
        if wrong:
            raise UsageError("; ".join(wrong))
        names = [name for name in tables if name not in frames]
        self._shelf.touched.update(names)
        result = self._fetch_new(names, written, tree, frames)
        if not frames:
            self._results[in_words] = names, result.copy(deep=False)
        return result

    def ask(self, query: str, *names: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query over sources of files, in DuckDB's words.

        The query is taken as it is, and no frame is made: for the many small questions about files
        that nobody has described yet. The answer is kept until sources are declared anew. Raises
        DataError where a source cannot be read.
        """
        if query not in self._answers:
            self._shelf.load_all(list(names))
            self._answers[query] = self._shelf.con.execute(query).fetchall()
        return self._answers[query]

    def _fetch_new(
        self, names: list[str], written: str, tree: exp.Expr, frames: dict[str, pd.DataFrame]
    ) -> pd.DataFrame:
        """Return a query's result as an earlier run kept it, else run the query."""
        known = self._shelf.kept_result(names, written, frames)
        if known is not None:
            return known
        self._shelf.forget(names)
        self._shelf.load_all(names)
        if self._shelf.steps.usable:
            self._shelf.steps.make()
        result = self._run(tree, written, [*names, *frames], frames)
        self._shelf.keep_result(names, written, frames, result)
        return result

    def _run(
        self, tree: exp.Expr, written: str, tables: list[str], frames: dict[str, pd.DataFrame]
    ) -> pd.DataFrame:
        """Run a query, which is `written` in DuckDB's words too.

        Where it fails over a damaged file, the faults name the file.
        """
        shadowed = [name for name in frames if name in self._shelf.loaded]
        if shadowed:
            raise UsageError(f"a frame may not have the name of a source: {', '.join(shadowed)}")
        try:
            return self._shelf.query(tree, written, **frames)
        except DataError as error:
            faults = []
            for name in tables:
                if name in self._sources:
                    faults += self._shelf.decode(name)
            if not faults:
                for fault in error.faults:
                    source = fault.source or ", ".join(tables)
                    faults.append(replace(fault, source=source))
            raise DataError(faults) from error

    def noted(self, what: Sequence[str], names: Sequence[str]) -> Any:
        """Return what was noted about these sources under some words; None where nothing was."""
        content = self._shelf.kept_bytes(names, ["noted", *what])
        with suppress(ValueError):  # somebody has damaged it
            return None if content is None else json.loads(content)
        return None

    def note(self, what: Sequence[str], names: Sequence[str], value: Any) -> None:
        """Note what JSON can hold about these sources, where they are sound."""
        self._shelf.keep_bytes(names, ["noted", *what], json.dumps(value).encode())

    def whole_numbers(self, name: str, column: str) -> WholeNumbers | None:
        """Return the values of a column of integers in a file.

        None for anything else, and where there is no value.
        """
        typed = self._shelf.typed(name)
        column_name = find_column(column.strip('"'), typed.columns)
        if column_name is None or typed.columns[column_name] not in NUMERIC:
            return None
        if not self._shelf.is_embedded(name):
            return None
        value = quote(column_name)
        query = f"select min({value}), max({value}), count({value}) from {quote(name)}"
        low, high, rows = self.fetch(query).iloc[0]
        return None if pd.isna(low) else WholeNumbers(int(low), int(high), int(rows))

    def is_whole(self, name: str, column: str) -> bool:
        """Return whether a column of a file holds integers of at most 64 bits."""
        columns = self._shelf.typed(name).columns
        own = find_column(column, columns)
        type_ = columns[own] if own else ""
        return type_ in NUMERIC and "HUGE" not in type_ and self._shelf.is_embedded(name)

    def origins(self) -> list[Path] | None:
        """Return the files, and the folders in which others may appear, that all stands on.

        None where something else is behind what was asked: a database, a fault, the time, chance.
        """
        if self._recall is None:
            return None
        tables: list[str] = []
        for department in self.declared.departments.values():
            tables += [table.source for table in department.metrics_from]
        return self._shelf.origins_of(tables)

    def is_text(self, name: str, column: str) -> bool:
        """Return whether a column of a file holds texts."""
        columns = self._shelf.typed(name).columns
        return columns.get(column) == "VARCHAR" and self._shelf.is_embedded(name)

    # --- faults and notices ----------------------------------------------------------------------

    def require(self, *names: str) -> None:
        """Load sources and those their queries read.

        Raises DataError with all faults of those with `on_fault: stop`.
        """
        faults = self._faults_where("stop", names)
        if faults:
            raise DataError(faults)

    def marked(self, *names: str) -> list[Fault]:
        """Return the faults of these sources, and of those they read, with `on_fault: mark`."""
        return self._faults_where("mark", names)

    def _faults_where(self, on_fault: str, names: Iterable[str]) -> list[Fault]:
        """Return the faults of these sources, and of what they read, that say this `on_fault`."""
        faults = []
        for name in self._shelf.closure(names):
            if self._sources[name].on_fault == on_fault:
                faults += self._shelf.load(name).faults
        return faults

    def relation(self, name: str) -> exp.Expression:
        """Return what to select a source's rows from: typed, each key once, none after as-of.

        Raises DataError where it cannot be read.
        """
        self._shelf.load_all([name])
        return exp.to_table(quote(name), dialect=self.dialect)

    def columns(self, name: str) -> dict[str, str]:
        """Return each column of a source with its DuckDB type."""
        return dict(self._shelf.typed(name).columns)

    def local_date(self, name: str, column: str) -> exp.Expression:
        """Return the company's local day of a column with dates or stamps.

        It is an expression over the source's relation. Raises DataError where the source has no
        such column.
        """
        columns = self._shelf.typed(name).columns
        column_name = self.column(name, column)
        if column_name is None:
            rule = f"has no column {column!r}{did_you_mean(column, columns)}"
            raise DataError([Fault(name, rule, column=column)])
        type_ = columns[column_name]
        if not is_time(type_):
            raise DataError([Fault(name, f"is {type_}, which has no day", column=column_name)])
        moment, zone = exp.column(column_name, quoted=True), self._shelf.zone_of(name, column_name)
        day = None
        if self._shelf.is_embedded(name):
            day = self._shelf.steps.cut(moment, type_, zone)
        return day or cut_day(moment, type_, zone, self._shelf.zone)

    def rate_spans(self) -> exp.Expression:
        """Return the days each exchange rate holds: `_nb_currency _nb_since _nb_until _nb_rate`.

        A subquery to join under the name `queries.SPANS`; `_nb_until` is exclusive.
        """
        rates = self.declared.rates
        if rates is None:
            raise UsageError("company.yaml declares no rates, so nothing can be converted")
        relation = self.relation(rates.source)
        since = self.local_date(rates.source, rates.time)
        return list_spans(rates, relation, since).subquery(SPANS)

    def coverage(self, name: str, time: str | None = None) -> Coverage:
        """Return the days a source speaks about, by a time column (default: its `time`)."""
        self._shelf.touched.add(name)
        if (name, time) not in self._coverage:
            source = self._sources[name]
            first, last = self._row_days(name, time or source.time)
            if source.exists_from is not None:
                _, known = self._row_days(name, source.exists_from)
                last = known or last
            self._coverage[name, time] = cover_days(source, self.as_of, first, last)
        return self._coverage[name, time]

    def _row_days(self, name: str, column: str | None) -> tuple[dt.date | None, dt.date | None]:
        """Return the first and last local day with rows, none after as-of."""
        if not column:
            return None, None
        shelf = self._shelf
        typed = shelf.typed(name)
        column_name = find_column(column, typed.columns)
        if column_name is None or not is_time(typed.columns[column_name]):
            return None, None
        moment = exp.column(column_name, quoted=True)
        type_, zone = typed.columns[column_name], shelf.zone_of(name, column_name)
        first_day = cut_day(exp.Min(this=moment.copy()), type_, zone, shelf.zone)
        last_day = cut_day(exp.Max(this=moment.copy()), type_, zone, shelf.zone)
        days = f"{first_day.sql(dialect='duckdb')}, {last_day.sql(dialect='duckdb')}"
        known = end_before(moment, type_, zone, shelf.zone, self.as_of)
        query = f"select {days} from {quote(name)} where {known}"

        def find() -> list[str | None]:
            row = first_row(shelf.connection(name), query) or (None, None)
            return [_write_day(day) for day in row]

        # the query tells this fact of the source apart from others
        first, last = shelf.fact(name, query, find)
        return _read_day(first), _read_day(last)

    def watermark(self, name: str) -> str | None:
        """Return the value of a source's `watermark:` now: equal for as long as its rows are.

        None for a file, a `query:` over other sources, and a database that declares none, which
        always counts as changed.
        """
        try:
            return self._shelf.watermark(name)
        except DataError as error:
            faults = []
            for fault in error.faults:
                rule = f"watermark: {fault.rule}"
                faults.append(replace(fault, source=name, rule=rule))
            raise DataError(faults) from error

    def span(self, *names: str) -> tuple[dt.date, dt.date] | None:
        """Return the first and last covered day over these sources (default: all).

        All times in use count, of every source that can be read; None where no day is covered.
        """
        firsts, lasts = [], []
        for name in names or self._sources:
            if not self._shelf.load(name).typed:
                continue
            for time in dict.fromkeys([None, *self._shelf.needs[name].used_times]):
                covered = self.coverage(name, time)
                if covered.first:
                    firsts.append(covered.first)
                if covered.last:
                    lasts.append(covered.last)
        if not firsts or not lasts:
            return None
        return min(firsts), max(lasts)

    def check(self) -> list[Fault]:
        """Load everything, and return every fault, also of the ids that make metrics."""
        with suppress(DataError):  # what cannot be read is among the faults below
            _ = self.company
        for name in self._sources:
            self._shelf.decode(name)
        faults = []
        for name in self._sources:
            faults += self._shelf.load(name).faults
        return list(dict.fromkeys(faults))

    def check_one(self, name: str) -> list[Fault]:
        """Load one source, and return its faults, and those of what it reads."""
        self._shelf.decode(name)
        return list(dict.fromkeys(self._shelf.load(name).faults))

    def notices(self, *names: str) -> list[Notice]:
        """Return the notices about sources (default: all loaded ones) and those they read."""
        chosen = self._shelf.closure(names) if names else list(self._shelf.loaded)
        notices = []
        for name in chosen:
            notices += self._shelf.load(name).notices
        return notices

    # --- what only a check asks ------------------------------------------------------------------

    def rows_after(self, name: str) -> tuple[int, int, str] | None:
        """Return how many rows of a source are not known by as-of, of how many, by which column.

        None where all are. Raises DataError where it cannot be read.
        """
        return self._shelf.rows_after(name)

    def times_in_use(self, name: str) -> list[str]:
        """List the time columns of a source that it or a metric stands on, as they are written."""
        times = [self._sources[name].time, *self._shelf.needs[name].used_times]
        columns = [self.column(name, time) for time in times if time]
        types = self.columns(name)
        return [c for c in dict.fromkeys(columns) if c and is_time(types[c])]

    def reads(self, name: str) -> list[str]:
        """List the sources behind a source's query, at any depth."""
        return [other for other in self._shelf.closure([name]) if other != name]

    def joined_from(self, name: str, column: str) -> tuple[str, str] | None:
        """Return the source and column that a column of a join comes from; None for others."""
        return self._shelf.joined_from(name, column)

    def is_embedded(self, name: str) -> bool:
        """Whether a source's rows stand in files, or in a DuckDB database."""
        self._shelf.load_all([name])
        return self._shelf.is_embedded(name)

    def behind(self, *names: str) -> list[str]:
        """List the sources that hold the rows of these: behind a query, those that it reads."""
        read = sources_behind(self._sources, names)
        return [name for name in read if self._sources[name].path or self._sources[name].url]

    def fingerprints(self, metrics: Iterable[str]) -> dict[str, str]:
        """Return a digest of each metric's definition, equal while it measures the same."""
        return {name: of_metric(self.company, name) for name in metrics}

    def provenance(self, *names: str) -> pd.DataFrame:
        """Return one row a source (default: all): `source system owner files rows data_to sha256`.

        `sha256` is that of the files' content, with the databases' watermarks.
        """
        rows = [self._trace(name) for name in names or self._sources]
        return pd.DataFrame(rows, columns=PROVENANCE).astype({"rows": "Int64"})

    def _trace(self, name: str) -> list[object]:
        """Return one row of `provenance`."""
        shelf, source = self._shelf, self._sources[name]
        upstream = shelf.closure([name])
        all_loaded = [shelf.load(other) for other in upstream]
        files: list[File] = []
        places: list[str] = []
        for loaded in all_loaded:
            files += [file for file in loaded.files if file not in files]
            if loaded.place:
                places.append(loaded.place)
        shown = ", ".join(dict.fromkeys([file.shown for file in files] + places))
        rows = data_to = None
        if shelf.load(name).typed is not None:
            rows = shelf.fact(name, "rows", lambda: shelf.count(name))
            data_to = self.coverage(name).last_row
        watermarks = [self.watermark(other) for other in upstream]
        marks = [mark for mark in watermarks if mark]
        content = ""
        if files:
            content = shelf.fact(name, "content", lambda: hash_content(files))
        if marks:
            content += hashlib.sha256(" ".join(marks).encode()).hexdigest()[:12]
        return [name, source.system, source.owner or "", shown, rows, data_to, content]


def open(  # noqa: A001  -- read as `sources.open`
    definitions: Definitions,
    data: Path,
    as_of: dt.date,
    keep: Path | None = None,
    usage: Usage | None = None,
) -> Catalog:
    """Return the catalog of a company's sources as of one day; nothing is read yet.

    `data` is where relative paths start. In the folder `keep` results are kept, and taken from
    there where nothing has changed. `usage` (default: that of the definitions) notes the metrics
    and sources that are asked for.
    """
    return Catalog(definitions, data, as_of, keep, usage)


def _write_day(value: object) -> str | None:
    """Write a day as a database gives it, a date, a stamp or its text, as 2026-11-22."""
    if isinstance(value, dt.date):  # which a stamp is too
        value = value.isoformat()
    return value[:10] if isinstance(value, str) else None


def _read_day(written: str | None) -> dt.date | None:
    return dt.date.fromisoformat(written) if written else None


def _parse(written: str) -> exp.Expr:
    try:
        return sqlglot.parse_one(written, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise UsageError(f"the query cannot be read: {say_error(error)}") from error
