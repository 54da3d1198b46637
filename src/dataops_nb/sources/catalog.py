"""The catalog of a company's sources: each loaded once, when asked for, and everything that is wrong collected."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

import duckdb
import pandas as pd
import sqlglot
from sqlglot import exp

from dataops_nb.definitions.models import Definitions, Source
from dataops_nb.errors import DataError, Fault, UsageError, did_you_mean
from dataops_nb.sources.coverage import Coverage, cover_days
from dataops_nb.sources.days import cut_day, end_before, is_time
from dataops_nb.sources.evidence import ROW, Notice, Raw, list_faults
from dataops_nb.sources.files import File, allow_folders, find_files, hash_content
from dataops_nb.sources.keys import drop_repeats, list_key_checks
from dataops_nb.sources.needs import collect_needs
from dataops_nb.sources.queries import find_tables, parse_queries
from dataops_nb.sources.reading import find_missing, read_files
from dataops_nb.sources.rules import check_reference, list_rules, list_unfinite
from dataops_nb.sources.sql import find_column, first_row, names, quote, texts
from dataops_nb.sources.tables import Intake, describe_table
from dataops_nb.sources.typed import Typing, type_columns

KEPT_RESULT = 5_000_000
PROVENANCE = ["source", "system", "owner", "files", "rows", "data_to", "sha256"]


@dataclass
class Loaded:
    """A source after loading: its typed relation (None where it cannot be read), what is wrong, what must be said."""

    name: str
    typed: Raw | None = None
    files: list[File] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    referenced: bool = False


class Catalog:
    """Every source of a company as of one day, in one DuckDB in memory."""

    dialect = "duckdb"

    def __init__(self, definitions: Definitions, data: Path, as_of: dt.date) -> None:
        self.definitions = definitions
        self.as_of = as_of
        self._data = data.absolute()
        self._zone = definitions.company.timezone
        self._sources = definitions.company.sources
        self._queries = parse_queries(
            {n: s.query for n, s in self._sources.items() if s.query and not s.url}, self._sources
        )
        self._needs = collect_needs(definitions, self._queries)
        self._loaded: dict[str, Loaded] = {}
        self._results: dict[str, pd.DataFrame] = {}
        self._coverage: dict[tuple[str, str | None], Coverage] = {}
        self._spill = Path(tempfile.gettempdir()) / f"dataops-nb-spill-{id(self):x}"
        self._con = self._connect()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        """A DuckDB that downloads nothing, sees no Python variable, and reads only the folders of declared files."""
        con = duckdb.connect(
            ":memory:", config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        )
        folders = allow_folders([s.path for s in self._sources.values() if s.path], self._data)
        con.execute("set python_enable_replacements = false")
        con.execute("set TimeZone = ?", [self._zone])
        con.execute("set temp_directory = ?", [str(self._spill)])
        con.execute(f"set allowed_directories = [{texts([*folders, str(self._spill)])}]")
        con.execute("set enable_external_access = false")
        return con

    def __enter__(self) -> Catalog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the memory and the temporary files."""
        self._con.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    # --- asking ---------------------------------------------------------------------------------------------------

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
        self._see([n for n in found if n in self._sources and n not in frames])
        result = self._run(written, found, frames)
        if not frames:
            self._results[written] = result.copy()
        return result

    def _run(self, written: str, found: Iterable[str], frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
        shadowed = [n for n in frames if n in self._loaded]
        if shadowed:
            raise UsageError(f"a frame may not have the name of a source: {', '.join(shadowed)}")
        try:
            for name, frame in frames.items():
                self._con.register(name, frame)
            return self._con.execute(written).df()
        except duckdb.Error as error:
            raise DataError([Fault(", ".join(found), f"the query fails: {_first_line(error)}")]) from error
        finally:
            for name in frames:
                self._con.unregister(name)

    def require(self, *names: str) -> None:
        """Load sources and what their queries stand on; DataError with all faults of those with `on_fault: stop`."""
        faults = [f for n in self._closure(names) if self._sources[n].on_fault == "stop" for f in self._load(n).faults]
        if faults:
            raise DataError(faults)

    def faulty(self, name: str) -> bool:
        """Whether a source with `on_fault: mark`, or one that it stands on, has faults."""
        return any(self._load(n).faults for n in self._closure([name]) if self._sources[n].on_fault == "mark")

    def relation(self, name: str) -> exp.Expression:
        """What to select from: typed, each key once, without rows after as-of. DataError where it cannot be read."""
        self._see([name])
        return exp.to_table(quote(name), dialect=self.dialect)

    def columns(self, name: str) -> dict[str, str]:
        """Each column of a source with its DuckDB type."""
        return dict(self._typed(name).columns)

    def local_date(self, name: str, column: str) -> exp.Expression:
        """The company's local day of a column with dates or stamps, as an expression over the source's relation."""
        columns = self._typed(name).columns
        found = find_column(column, columns)
        if found is None:
            raise DataError([Fault(name, f"has no column {column!r}{did_you_mean(column, columns)}", column=column)])
        if not is_time(columns[found]):
            raise DataError([Fault(name, f"is {columns[found]}, which has no day", column=found)])
        return cut_day(exp.column(found, quoted=True), columns[found], self._zone_of(name), self._zone)

    def coverage(self, name: str, time: str | None = None) -> Coverage:
        """The days a source speaks about, by a time column (default: its `time`)."""
        if (name, time) not in self._coverage:
            column = time or self._sources[name].time
            first, last = self._row_days(name, column) if column else (None, None)
            self._coverage[name, time] = cover_days(self._sources[name], self.as_of, first, last)
        return self._coverage[name, time]

    def _row_days(self, name: str, column: str) -> tuple[dt.date | None, dt.date | None]:
        """First and last local day with rows, none after as-of."""
        typed = self._typed(name)
        found = find_column(column, typed.columns)
        if found is None or not is_time(typed.columns[found]):
            return None, None
        moment = exp.column(found, quoted=True)
        type_, zone = typed.columns[found], self._zone_of(name)
        ends = [
            cut_day(kind(this=moment.copy()), type_, zone, self._zone).sql(dialect="duckdb")
            for kind in (exp.Min, exp.Max)
        ]
        known = end_before(moment, type_, zone, self._zone, self.as_of)
        row = first_row(self._con, f"select {ends[0]}, {ends[1]} from {quote(name)} where {known}")
        return row or (None, None)

    def span(self) -> tuple[dt.date, dt.date] | None:
        """First and last covered day over all sources that can be read, by all their time columns in use."""
        covered = [
            self.coverage(name, time) for name in self._sources for time in self._times(name) if self._load(name).typed
        ]
        firsts = [c.first for c in covered if c.first]
        lasts = [c.last for c in covered if c.last]
        return (min(firsts), max(lasts)) if firsts and lasts else None

    def _times(self, name: str) -> list[str | None]:
        return list(dict.fromkeys([None, *self._needs[name].used_times]))

    def check(self) -> list[Fault]:
        """Load everything; every fault of every source."""
        return list(dict.fromkeys(f for name in self._sources for f in self._load(name).faults))

    def notices(self, *names: str) -> list[Notice]:
        """What must be said about sources (default: all loaded ones) that is no fault."""
        chosen = self._closure(names) if names else list(self._loaded)
        return [notice for name in chosen for notice in self._load(name).notices]

    def provenance(self, *names: str) -> pd.DataFrame:
        """One row a source (default: all): `source system owner files rows data_to sha256` (of the files' content)."""
        rows = [self._trace(name) for name in names or self._sources]
        return pd.DataFrame(rows, columns=PROVENANCE).astype({"rows": "Int64"})

    def _trace(self, name: str) -> list[object]:
        closure = [self._load(n) for n in self._closure([name])]
        files = list(dict.fromkeys(f for loaded in closure for f in loaded.files))
        source, known = self._sources[name], self._load(name).typed is not None
        rows = self._count(quote(name)) if known else None
        data_to = self.coverage(name).last_row if known else None
        shown = ", ".join(f.shown for f in files)
        return [name, source.system, source.owner or "", shown, rows, data_to, hash_content(files) if files else ""]

    # --- loading --------------------------------------------------------------------------------------------------

    def _closure(self, wanted: Iterable[str]) -> list[str]:
        """Sources with everything that their queries stand on, upstream first."""
        found: dict[str, None] = {}
        for name in wanted:
            if name not in self._sources:
                raise UsageError(f"no source {name!r}{did_you_mean(name, self._sources)}")
            upstream = self._queries[name].sources if name in self._queries else ()
            found |= dict.fromkeys([*self._closure(upstream), name])
        return list(found)

    def _see(self, wanted: Iterable[str]) -> None:
        """Load sources; DataError where one cannot be read at all."""
        closure = self._closure(wanted)
        loaded = [self._load(n) for n in closure]
        if any(one.typed is None for one in loaded):
            raise DataError([f for one in loaded for f in one.faults])

    def _typed(self, name: str) -> Raw:
        self._see([name])
        typed = self._loaded[name].typed
        assert typed is not None  # noqa: S101  -- _see raises where it is
        return typed

    def _zone_of(self, name: str) -> str:
        return self._sources[name].timezone or self._zone

    def _count(self, relation: str) -> int:
        return int((first_row(self._con, f"select count(*) from {relation}") or (0,))[0])

    def _load(self, name: str) -> Loaded:
        """Load a source once: read it, type it, check it, publish it; then check what it refers to."""
        if name not in self._loaded:
            loaded = Loaded(name)
            raw = self._read(loaded)
            if raw is not None:
                self._agree(loaded, raw)
            self._loaded[name] = loaded
        loaded = self._loaded[name]
        if not loaded.referenced:
            loaded.referenced = True
            self._check_references(loaded)
        return loaded

    def _read(self, loaded: Loaded) -> Raw | None:
        source = self._sources[loaded.name]
        if source.url:
            loaded.faults.append(Fault(loaded.name, "url: needs an engine for that system, and none is installed here"))
            return None
        if loaded.name in self._queries:
            return self._read_query(loaded)
        found = find_files(source.path or "", self._data, self.as_of)
        loaded.files = found.files
        loaded.faults += [Fault(loaded.name, rule, file) for file, rule in found.wrong]
        if not found.files:
            return None
        intake = Intake(self._con, loaded.name, source, self._spill)
        raw, faults = read_files(intake, found.files, self._needs[loaded.name])
        loaded.faults += faults
        return raw

    def _read_query(self, loaded: Loaded) -> Raw | None:
        """A query's result: kept as a table where what it stands on is small, else run again at each use."""
        query = self._queries[loaded.name]
        loaded.faults += [Fault(loaded.name, rule) for rule in query.wrong]
        upstream = [self._load(n).typed for n in query.sources]
        if query.wrong or any(typed is None for typed in upstream):
            return None
        table = f"__raw_{loaded.name}"
        small = sum(typed.rows for typed in upstream if typed) <= KEPT_RESULT
        try:
            self._con.execute(f"create or replace {'table' if small else 'view'} {quote(table)} as {query.written}")
            described = self._con.execute(f"describe {quote(table)}").fetchall()
        except duckdb.Error as error:
            loaded.faults.append(Fault(loaded.name, f"query: {_first_line(error)}"))
            return None
        columns = {row[0]: row[1] for row in described}
        rows = self._count(quote(table))
        if small:
            return replace(describe_table(table, columns, [], {}), rows=rows)
        scan = f"select * from {quote(table)}"
        return Raw(
            f"select *, row_number() over () - 1 as {ROW} from {quote(table)}", scan, columns, [], {}, rows, table=False
        )

    def _agree(self, loaded: Loaded, raw: Raw) -> None:
        """Agree on types, check the agreements, and publish the source under its name."""
        name, source, need = loaded.name, self._sources[loaded.name], self._needs[loaded.name]
        loaded.faults += find_missing(name, raw, need)
        typing = type_columns(self._con, name, source, raw, need)
        checks = [*typing.checks, *list_rules(source, raw, typing.columns), *list_key_checks(source, raw)]
        checks += list_unfinite(raw, need.numbers)
        loaded.faults += typing.faults + list_faults(self._con, name, raw, checks)
        typed = self._type(name, raw, typing)
        loaded.typed = typed
        known = self._filter_days(name, source, typed)
        present = Raw(
            _where(typed.relation, known), _where(typed.scan, known), typed.columns, typed.parts, rows=typed.rows
        )
        repeats = drop_repeats(self._con, name, source, present)
        loaded.faults += repeats.faults
        loaded.notices += repeats.notices
        self._publish(name, present, repeats.dropped)
        self._note_undated(loaded, source, typed)

    def _type(self, name: str, raw: Raw, typing: Typing) -> Raw:
        """The typed relation: the raw one where nothing changes, a table of its own, or a query over files in place."""
        columns = {c: d.type for c, d in typing.columns.items()}
        if all(d.expr == quote(c) and d.type == raw.columns[c] for c, d in typing.columns.items()):
            return Raw(raw.relation, raw.scan, columns, raw.parts, rows=raw.rows, table=raw.table)
        chosen = ", ".join(f"{d.expr} as {quote(c)}" for c, d in typing.columns.items())
        if not raw.table:
            typed = f"select {chosen}, {ROW} from ({raw.relation})"
            return Raw(typed, f"select {chosen} from ({raw.scan})", columns, raw.parts, rows=raw.rows, table=False)
        table = f"__typed_{name}"
        self._con.execute(f"create or replace table {quote(table)} as select {chosen} from ({raw.scan})")
        self._con.execute(f"drop table {quote(f'__raw_{name}')}")
        return replace(describe_table(table, columns, raw.parts, {}), rows=raw.rows)

    def _filter_days(self, name: str, source: Source, typed: Raw) -> str:
        """SQL that leaves out the rows after as-of, by the source's own time."""
        column = find_column(source.time, typed.columns) if source.time else None
        if column is None or not is_time(typed.columns[column]):
            return ""
        end = end_before(
            exp.column(column, quoted=True), typed.columns[column], self._zone_of(name), self._zone, self.as_of
        )
        return f"({end} or {quote(column)} is null)"

    def _publish(self, name: str, present: Raw, dropped: str | None) -> None:
        query = present.scan
        if dropped:
            rows = f"({present.relation}) where {ROW} not in ({dropped}) order by {ROW}"
            kept = f"select {names(present.columns)} from {rows}"
            self._con.execute(f"create or replace table {quote(f'__kept_{name}')} as {kept}")
            query = f"select * from {quote(f'__kept_{name}')}"
        self._con.execute(f"create or replace view {quote(name)} as {query}")

    def _note_undated(self, loaded: Loaded, source: Source, typed: Raw) -> None:
        column = find_column(source.time, typed.columns) if source.time else None
        if column is not None and (count := self._count(f"{quote(loaded.name)} where {quote(column)} is null")):
            text = f"rows without a time ({column} is empty) are in no period"
            loaded.notices.append(Notice(loaded.name, text, count))

    def _check_references(self, loaded: Loaded) -> None:
        """The `references:` of a source's columns; a source that cannot be read is one fault."""
        if loaded.typed is None:
            return
        checks = []
        for declared, column in self._sources[loaded.name].columns.items():
            target, _, member = (column.references or "").partition(".")
            name = find_column(declared, loaded.typed.columns)
            if name is None or not column.references:
                continue
            typed = self._load(target).typed if target in self._sources else None
            other = find_column(member, typed.columns) if typed else None
            if typed is None or other is None:
                rule = f"references: {column.references} cannot be looked up"
                loaded.faults.append(Fault(loaded.name, rule, column=name))
            else:
                rule = f"is not found in {column.references}"
                checks.append(check_reference(name, other, loaded.typed, typed, rule))
        loaded.faults += list_faults(self._con, loaded.name, loaded.typed, checks)


def open(definitions: Definitions, data: Path, as_of: dt.date) -> Catalog:  # noqa: A001  -- read as `sources.open`
    """The catalog of a company's sources as of one day; `data` is where relative paths start. Nothing is read yet."""
    return Catalog(definitions, data, as_of)


def _where(query: str, condition: str) -> str:
    return f"select * from ({query}) where {condition}" if condition else query


def _parse(written: str) -> exp.Expr:
    try:
        return sqlglot.parse_one(written, read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise UsageError(f"the query cannot be read: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).split(": ", 1)[-1].splitlines()[0]
