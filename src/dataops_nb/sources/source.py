"""One source from its path to a published relation: read, typed, checked, each key once.

Its rows stand in files, in a database, or in the result of a `query:` over other sources. What is
wrong with it is added to its faults; a source that cannot be read has no relation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import duckdb
from sqlglot import exp

from dataops_nb.definitions.models import Source
from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.archives import inner_ending
from dataops_nb.sources.days import end_before, is_time
from dataops_nb.sources.engines.crossing import Published, complete
from dataops_nb.sources.engines.databases import (
    describe_base,
    drop_repeats_there,
    find_base,
    stand_in_place,
)
from dataops_nb.sources.engines.dialects import read
from dataops_nb.sources.evidence import (
    ROW,
    Check,
    Notice,
    Raw,
    check_value,
    find_column,
    first_row,
    list_faults,
    name_damage,
    names,
    quote,
    say_error,
    text,
)
from dataops_nb.sources.files import DOCUMENTS, File, find_files, list_away
from dataops_nb.sources.formats import read_files
from dataops_nb.sources.intake import Intake, describe_table, find_totals, retype_table
from dataops_nb.sources.needs import find_missing
from dataops_nb.sources.queries import find_origin
from dataops_nb.sources.rules import (
    count_nulls,
    count_rows,
    drop_repeats,
    first_versions,
    list_early,
    list_garbled,
    list_key_checks,
    list_rules,
    list_unfinite,
)
from dataops_nb.sources.types import Typing, add_hint, type_columns

if TYPE_CHECKING:
    from dataops_nb.sources.shelf import Shelf


KEPT_RESULT = 5_000_000  # rows below which the result of a `query:` is kept as a table


@dataclass
class Loaded:
    """A source after loading: its typed relation, its faults and notices.

    `typed` is None where it cannot be read; `referenced` is whether what it refers to was checked;
    `place` is its database and table, `known` SQL that holds for the rows that are known by as-of
    (empty: for all).
    """

    name: str
    typed: Raw | None = None
    files: list[File] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    referenced: bool = False
    place: str = ""
    known: str = ""


class SourceReader:
    """Reads one source of a shelf into `loaded`, with its faults and notices."""

    def __init__(self, shelf: Shelf, loaded: Loaded) -> None:
        self._shelf = shelf
        self._loaded = loaded
        self._name = loaded.name
        self._source = shelf.sources[loaded.name]
        self._need = shelf.needs[loaded.name]
        self._con = shelf.con

    def read(self, earlier: Loaded | None = None) -> None:
        """Read, type, check and publish the source.

        `earlier` is the same source as it was loaded for other needs: its rows are taken over where
        they would be read alike.
        """
        self._source = self._source_with_known_format()
        if earlier is not None and self._take_over(earlier):
            return
        raw = self._read()
        if raw is None:
            return
        try:
            self._agree(raw)
        except duckdb.Error as error:  # a file turns out to be damaged further in
            self._loaded.typed = None
            self._loaded.faults.append(name_damage(self._name, say_error(error), raw.parts))

    def _take_over(self, earlier: Loaded) -> bool:
        """Agree on rows that were typed before; False where they must be read for these needs."""
        typed = earlier.typed
        if typed is None or not typed.table or not typed.parts:
            return False
        if any(inner_ending(part.path) in DOCUMENTS for part in typed.parts):
            return False  # which are read by the columns that are needed
        wanted = [*self._need.columns, *self._need.times]
        if any(find_column(f"{column} (2)", typed.columns) for column in wanted):
            return False  # the header has it twice
        loaded = self._loaded
        raw = replace(typed, infer=dict.fromkeys(typed.columns, "none"))
        typing = self._check(self._source, raw)
        for column, decided in typing.columns.items():
            if decided.expr != quote(column) or decided.type != raw.columns[column]:
                loaded.faults.clear()
                return False
        loaded.files = earlier.files
        loaded.faults = list(dict.fromkeys([*earlier.faults, *loaded.faults]))
        loaded.notices = [*earlier.notices, *loaded.notices]
        self._settle(raw, typing)
        loaded.notices = list(dict.fromkeys(loaded.notices))
        return True

    def decode(self) -> list[Fault]:
        """Read every used value of a source whose files are read in place.

        Returns the fault of a damaged file, which is added to the source's own.
        """
        typed = self._loaded.typed
        if typed is None or typed.table or typed.elsewhere or not typed.parts:
            return []
        used = []
        for name in self._need.columns:
            column = find_column(name, typed.columns)
            if column:
                used.append(column)
        hashes = [f"bit_xor(hash({quote(column)}))" for column in used or typed.columns]
        try:
            self._con.execute(f"select {', '.join(hashes)} from ({typed.scan})").fetchall()
        except duckdb.Error as error:
            fault = name_damage(self._name, say_error(error), typed.parts)
            self._loaded.faults.append(fault)
            return [fault]
        return []

    # --- rows as they stand ----------------------------------------------------------------------

    def _read(self) -> Raw | None:
        if self._source.url:
            return self._find_database()
        if self._name in self._shelf.queries:
            return self._read_query()
        return self._read_files()

    def _read_files(self) -> Raw | None:
        shelf, loaded = self._shelf, self._loaded
        files = find_files(self._source.path or "", shelf.data, shelf.as_of)
        loaded.files = files.files
        loaded.faults += [Fault(self._name, rule, file) for file, rule in files.wrong]
        for month in list_away(files, self._source.covers, shelf.as_of):
            rule = f"no file is named by {month}, a month that covers: speaks about"
            loaded.faults.append(Fault(self._name, rule, self._source.path or ""))
        if not files.files:
            return None
        wanted = [*self._need.columns, *self._need.times]  # of a query over it, its times only
        used = frozenset(column.casefold() for column in wanted)
        spill = shelf.engines.embedded.spill
        intake = Intake(self._con, self._name, self._source, spill, used, shelf.zone)
        for link, name in files.again:
            intake.note(f"file has two names, and is read once: {name!r} is also {link!r}", 1)
        raw, faults = read_files(intake, files.files, list(self._need.columns))
        loaded.faults += faults
        loaded.notices += intake.notices
        return raw

    def _read_query(self) -> Raw | None:
        """Return a query's result: kept as a table where its sources are small, else a view."""
        shelf = self._shelf
        query = shelf.queries[self._name]
        self._loaded.faults += [Fault(self._name, rule) for rule in query.wrong]
        rows_upstream = 0
        readable = not query.wrong
        for upstream in query.sources:
            typed = shelf.load(upstream).typed
            if typed is None:
                readable = False
            else:
                rows_upstream += typed.rows
        if not readable:
            return None
        source_by_engine = {shelf.engine_of(name).name: name for name in query.sources}
        if any(shelf.engine_of(name) is not shelf.engine for name in query.sources):
            return self._find_query(source_by_engine)
        return self._run_query(query.written, as_table=rows_upstream <= KEPT_RESULT)

    def _run_query(self, written: str, *, as_table: bool) -> Raw | None:
        table = f"__raw_{self._name}"
        kind = "table" if as_table else "view"
        try:
            self._con.execute(f"create or replace {kind} {quote(table)} as {written}")
            described = self._con.execute(f"describe {quote(table)}").fetchall()
        except duckdb.Error as error:
            self._loaded.faults.append(Fault(self._name, f"query: {say_error(error)}"))
            return None
        columns = {row[0]: row[1] for row in described}
        rows = self._count(table)
        if as_table:
            return replace(describe_table(table, columns, [], {}), rows=rows)
        scan = f"select * from {quote(table)}"
        numbered = f"select *, row_number() over () - 1 as {ROW} from {quote(table)}"
        return Raw(numbered, scan, columns, [], {}, rows, table=False)

    def _count(self, relation: str) -> int:
        con = self._shelf.connection(self._name)
        row = first_row(con, f"select count(*) from {quote(relation)}") or (0,)
        return int(row[0])

    def _find_database(self) -> Raw | None:
        """Return the relation of a source in a database; nothing is copied."""
        name, source, engines = self._name, self._source, self._shelf.engines
        try:
            engine = engines.engine(name)
            self._loaded.place = f"{engines.address(name).shown} {source.table or 'query'}"
            base = find_base(name, source, engine, self._shelf.as_of, engines.catalog(name))
            return self._stand(Published(name, engine, base))
        except DataError as error:
            self._add_as_own(error)
            return None

    def _find_query(self, source_by_engine: Mapping[str, str]) -> Raw | None:
        """Return the relation of a query over sources of one database, which runs there."""
        if len(source_by_engine) > 1:
            places = [f"{source} ({engine})" for engine, source in source_by_engine.items()]
            rule = (
                f"query: reads {' and '.join(places)}, which no one engine holds;"
                " aggregate each where it stands, or copy one to the other"
            )
            self._loaded.faults.append(Fault(self._name, rule))
            return None
        query = self._shelf.queries[self._name]
        engine = self._shelf.engine_of(query.sources[0])
        try:
            return self._stand(Published(self._name, engine, query.tree, over=True))
        except DataError as error:
            self._add_as_own(error)
            return None

    def _add_as_own(self, error: DataError) -> None:
        self._loaded.faults += [replace(fault, source=self._name) for fault in error.faults]

    def _stand(self, published: Published) -> Raw:
        """Return the raw relation of what stands in a database, once it is known there."""
        described = describe_base(published, self._source, self._shelf.published)
        published.columns = list(described.columns)
        self._shelf.published[self._name] = published
        rows = self._count(published.root)
        return stand_in_place(published, self._source, described, rows)

    # --- what is agreed about them ---------------------------------------------------------------

    def _agree(self, raw: Raw) -> None:
        """Agree on types, check the agreements, and publish the source under its name."""
        self._settle(raw, self._check(self._source, raw))

    def _settle(self, raw: Raw, typing: Typing) -> None:
        """Publish the rows that are known by as-of, each key once, under the source's name."""
        source = self._source
        typed = self._type(raw, typing)
        self._loaded.typed = typed
        known_days = self._filter_days(source, typed)
        self._loaded.known = known_days
        versions = self._leave_known_versions(source, typed)
        present = replace(
            typed,
            relation=_where(versions.relation, known_days),
            scan=_where(versions.scan, known_days),
            infer={},
        )
        if raw.elsewhere:
            repeats, kept = drop_repeats_there(
                self._shelf.connection(self._name), self._name, source, present
            )
            published = self._shelf.published[self._name]
            published.tree = read(f"select {names(present.columns)} from ({kept})")
            self._show(published)
        else:
            repeats = drop_repeats(self._con, self._name, source, present)
            self._publish(present, repeats.dropped)
        self._loaded.faults += repeats.faults
        self._loaded.notices += repeats.notices
        self._note_undated(source, typed)
        self._note_lost_zones(source, typed)

    def _check(self, source: Source, raw: Raw) -> Typing:
        """Add every fault of the rows, and return the types that their columns get."""
        name, need, faults = self._name, self._need, self._loaded.faults
        con = self._shelf.connection(name)
        faults += find_missing(name, raw, need)
        faults += count_rows(name, source, raw)
        faults += count_nulls(con, name, source, raw)
        typing = type_columns(con, name, source, raw, need)
        checks = [
            *typing.checks,
            *list_rules(source, raw, typing.columns),
            *list_key_checks(source, raw),
            *list_unfinite(raw, need.numbers),
            *list_early(con, source, raw, typing.columns, need.times),
        ]
        if not raw.elsewhere:
            checks += list_garbled(raw, source.encoding)
            faults += find_totals(self._con, name, raw)
        broken = self._trace(typing.faults + list_faults(con, name, raw, checks))
        faults += [add_hint(fault) for fault in broken]
        return typing

    def _source_with_known_format(self) -> Source:
        """Return the source's definition, without a `date_format` that is none."""
        date_format = self._source.date_format
        if date_format is None:
            return self._source
        try:
            query = f"select try_strptime('', {text(date_format)})"
            self._con.execute(query).fetchall()
        except duckdb.Error as error:
            rule = f"date_format: {date_format} is no format: {say_error(error)}"
            self._loaded.faults.append(Fault(self._name, rule))
            return self._source.model_copy(update={"date_format": None})
        return self._source

    def _type(self, raw: Raw, typing: Typing) -> Raw:
        """Return the typed relation.

        That is the raw one where nothing changes, else a table of its own, or a query over files
        that are read in place.
        """
        columns: dict[str, str] = {}
        made: dict[str, str] = {}  # of rows as they stand
        cast: dict[str, str] = {}  # of rows that were all looked at
        for column, decided in typing.columns.items():
            columns[column] = decided.type
            made[column] = decided.expr
            cast[column] = decided.cast or decided.expr
        if columns == raw.columns and all(made[column] == quote(column) for column in columns):
            return replace(raw, infer={})
        if raw.table:
            return retype_table(self._con, self._name, raw, columns, cast)
        selected = ", ".join(f"{expr} as {quote(column)}" for column, expr in made.items())
        relation = f"select {selected}, {ROW} from ({raw.relation})"
        scan = f"select {selected} from ({raw.scan})"
        return replace(raw, relation=relation, scan=scan, columns=columns, infer={})

    def _filter_days(self, source: Source, typed: Raw) -> str:
        """Return SQL that leaves out the rows that are not known by as-of.

        A row is known from its `exists_from:`, else from the source's own time. A plan speaks of
        days to come: its rows are known whatever their time.
        """
        if source.exists_from is None and self._need.holds_targets:
            return ""
        return self._until_as_of(typed, source.exists_from or source.time)

    def _until_as_of(self, typed: Raw, time: str | None) -> str:
        """Return SQL that holds for rows whose time is not after as-of, or empty."""
        column = find_column(time, typed.columns) if time else None
        if column is None or not is_time(typed.columns[column]):
            return ""
        shelf = self._shelf
        moment = exp.column(column, quoted=True)
        zone = shelf.zone_of(self._name, column)
        known = end_before(moment, typed.columns[column], zone, shelf.zone, shelf.as_of)
        return f"({known} or {quote(column)} is null)"

    def _leave_known_versions(self, source: Source, typed: Raw) -> Raw:
        """Return the rows without the versions of a key that were written after as-of.

        The first version of a key stays: an export of today's state, in which every row was
        touched lately, still has its rows of last month.
        """
        known = self._until_as_of(typed, source.latest)
        keys = [find_column(key, typed.columns) for key in source.key or []]
        columns = [column for column in keys if column]
        latest = find_column(source.latest or "", typed.columns)
        if not known or latest is None or not columns or len(columns) < len(keys):
            return typed
        con = self._shelf.connection(self._name)
        if first_row(con, f"select 1 from ({typed.scan}) where not {known} limit 1") is None:
            return typed
        relation = first_versions(typed.relation, [*typed.columns, ROW], columns, latest, known)
        scan = first_versions(typed.scan, list(typed.columns), columns, latest, known)
        return replace(typed, relation=relation, scan=scan)

    def _show(self, published: Published) -> None:
        """Let every query over files see what stands in an attached DuckDB file."""
        if published.engine is not self._shelf.engine:
            return
        everything = exp.select("*").from_(quote(published.name))
        query = complete(everything, self._shelf.published).sql(dialect="duckdb")
        self._con.execute(f"create or replace view {quote(published.name)} as {query}")

    def _publish(self, present: Raw, dropped: str | None) -> None:
        query = present.scan
        if dropped:
            table = quote(f"__kept_{self._name}")
            rows = f"({present.relation}) where {ROW} not in ({dropped}) order by {ROW}"
            kept = f"select {names(present.columns)} from {rows}"
            self._con.execute(f"create or replace table {table} as {kept}")
            query = f"select * from {table}"
        self._con.execute(f"create or replace view {quote(self._name)} as {query}")

    def _note_undated(self, source: Source, typed: Raw) -> None:
        column = find_column(source.time, typed.columns) if source.time else None
        if column is None:
            return
        count = self._shelf.count(self._name, f"{quote(column)} is null")
        if count:
            remark = f"rows have no {column} and are not counted"
            if count == 1:
                remark = f"row has no {column} and is not counted"
            self._loaded.notices.append(Notice(self._name, remark, count))

    def _note_lost_zones(self, source: Source, typed: Raw) -> None:
        """Note times that a query computes from stamps in another zone than the company's."""
        zones = self._shelf.zones_behind(self._name)
        if not zones:
            return
        relations = self._shelf.relations()
        columns = {name: list(raw.columns) for name, raw in relations.items()}
        for time in dict.fromkeys([source.time, *self._need.used_times]):
            column = find_column(time, typed.columns) if time else None
            if column is None or not is_time(typed.columns[column]):
                continue
            if find_origin(self._shelf.queries, self._name, column, columns) is None:
                count = self._shelf.count(self._name)
                advice = f"if not, say  timezone: {zones[0]}  on this source"
                rows_have = "row has" if count == 1 else "rows have"
                remark = (
                    f"{rows_have} a time ({column}) that the query computes from stamps in "
                    f"{' and '.join(zones)}; it is taken to be in {self._shelf.zone}: {advice}"
                )
                self._loaded.notices.append(Notice(self._name, remark, count))

    # --- faults by the place they come from ------------------------------------------------------

    def break_rules(self, checks: Sequence[Check]) -> None:
        """Add the rows that break rules known only after loading to the source's faults."""
        typed = self._loaded.typed
        if typed is None:
            return
        con = self._shelf.connection(self._name)
        for fault in self._trace(list_faults(con, self._name, typed, checks)):
            if fault not in self._loaded.faults:
                self._loaded.faults.append(fault)

    def _trace(self, faults: list[Fault]) -> list[Fault]:
        """Give the faults of a query's result the place of their value in the file it comes from.

        A fault whose place cannot be told stays as it is.
        """
        if self._name not in self._shelf.queries:
            return faults
        traced = []
        for fault in faults:
            traced += self._find_in_files(fault) or [fault]
        return traced

    def _find_in_files(self, fault: Fault) -> list[Fault]:
        relations = self._shelf.relations()
        columns = {name: list(raw.columns) for name, raw in relations.items()}
        origin = find_origin(self._shelf.queries, self._name, fault.column, columns)
        if origin is None or fault.value is None:
            return []
        origin_name, column = origin
        origin_loaded = self._shelf.loaded[origin_name]
        typed = origin_loaded.typed
        if typed is None or not typed.parts:
            return []
        same_value = f"cast({quote(column)} as varchar) = {text(fault.value)}"
        check = check_value(column, fault.rule, same_value)
        faults = list_faults(self._con, self._name, typed, [check])
        return [replace(in_file, column=fault.column) for in_file in faults]


def _where(query: str, condition: str) -> str:
    return f"select * from ({query}) where {condition}" if condition else query
