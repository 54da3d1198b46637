"""Loading: each source once, when it is first asked for - read, typed, checked, published under its name.

What is wrong is collected and never stops the others; a source that cannot be read has no relation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import sqlglot
from sqlglot import exp

from dataops_nb.definitions.models import Definitions, Source
from dataops_nb.errors import DataError, Fault, UsageError, did_you_mean
from dataops_nb.sources import touched
from dataops_nb.sources.crossing import run
from dataops_nb.sources.databases import describe_base, find_base, stand_in_place
from dataops_nb.sources.days import cut_day, end_before, is_time
from dataops_nb.sources.engines import Engine
from dataops_nb.sources.engines.opening import Engines
from dataops_nb.sources.engines.speech import read
from dataops_nb.sources.evidence import ROW, Check, Notice, Raw, check_value, list_faults, name_damage
from dataops_nb.sources.files import File, allow_folders, find_files
from dataops_nb.sources.garbled import list_garbled
from dataops_nb.sources.keys import drop_repeats, list_key_checks
from dataops_nb.sources.needs import collect_needs
from dataops_nb.sources.offsets import Steps
from dataops_nb.sources.published import Asking, Published, complete
from dataops_nb.sources.queries import find_origin, parse_queries
from dataops_nb.sources.rates import check_rates, list_spans
from dataops_nb.sources.reading import find_missing, read_files
from dataops_nb.sources.recall import Recall
from dataops_nb.sources.repeats import drop_repeats_there
from dataops_nb.sources.rules import check_reference, count_nulls, count_rows, list_early, list_rules, list_unfinite
from dataops_nb.sources.sql import Connection, find_column, first_row, names, quote, say_error, text
from dataops_nb.sources.tables import Intake, describe_table
from dataops_nb.sources.totals import find_totals
from dataops_nb.sources.typed import Typing, type_columns

KEPT_RESULT = 5_000_000


@dataclass
class Loaded:
    """A source after loading: its typed relation (None where it cannot be read), what is wrong, what must be said."""

    name: str
    typed: Raw | None = None
    files: list[File] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    referenced: bool = False
    place: str = ""


class Shelf:
    """The sources loaded so far, in one DuckDB in memory, as of one day."""

    def __init__(self, definitions: Definitions, data: Path, as_of: dt.date, keep: Path | None = None) -> None:
        self.as_of = as_of
        self.zone = definitions.company.timezone
        self.sources = definitions.company.sources
        self.rates = definitions.company.rates
        written = {n: s.query for n, s in self.sources.items() if s.query and not s.url}
        self.queries = parse_queries(written, self.sources)
        self.needs = collect_needs(definitions, self.queries)
        self.loaded: dict[str, Loaded] = {}
        self.data = data.absolute()
        folders = allow_folders([s.path for s in self.sources.values() if s.path], self.data)
        urls = {n: s.url for n, s in self.sources.items() if s.url}
        self.engines = Engines(urls, self.data, folders, self.zone)
        self.engine: Engine = self.engines.embedded
        self.con = self.engines.embedded.con
        self.published: dict[str, Published] = {}
        self.steps = Steps(self.con, self.zone, as_of)
        self.recall = Recall(self, keep) if keep else None

    def close(self) -> None:
        """Free the memory and the temporary files, leave the databases."""
        if self.recall:
            self.recall.close()
        self.engines.close()

    def watermark(self, name: str) -> str | None:
        """What a database says for its rows as they are now, by the source's `watermark:`; None where it says nothing.

        The source need not be loaded. Raises DataError where the database cannot be asked.
        """
        source = self.sources[name]
        if not source.url or not source.watermark:
            return None
        engine = self.engines.engine(name)
        found = Published(name, engine, find_base(name, source, engine, self.engines.catalog(name)))
        value = sqlglot.parse_one(source.watermark, read=engine.dialect)
        query = exp.select(exp.alias_(exp.cast(value, "text"), "mark")).from_(quote(found.root))
        row = engine.fetch(complete(query, {name: found})).iloc[0, 0]
        return None if row is None else str(row)

    def home(self, name: str) -> Engine:
        """The engine in which a loaded source stands."""
        return self.published[name].engine if name in self.published else self.engine

    def ask(self, name: str) -> Connection:
        """What runs SQL in DuckDB's words where a source stands."""
        return Asking(self.run) if name in self.published else self.con

    def run(self, query: exp.Expr, **frames: pd.DataFrame) -> pd.DataFrame:
        """The result of a query over loaded sources, each part of it where its sources stand."""
        assert isinstance(query, exp.Query)  # noqa: S101  -- what else names a source
        homes = {"": self.engine, **{name: self.home(name) for name in self.loaded}}
        homes |= {
            name: found.engine
            for each in self.published.values()
            for name, found in ((each.name, each), (each.root, each))
        }
        types = {name: one.columns for name, one in self._relations()}
        return run(query, homes, self.published, types, **frames)

    def closure(self, wanted: Iterable[str]) -> list[str]:
        """Sources with everything that their queries stand on, upstream first."""
        found: dict[str, None] = {}
        for name in wanted:
            if name not in self.sources:
                raise UsageError(f"no source {name!r}{did_you_mean(name, self.sources)}")
            upstream = self.queries[name].sources if name in self.queries else ()
            found |= dict.fromkeys([*self.closure(upstream), name])
        return list(found)

    def see(self, wanted: Iterable[str]) -> None:
        """Load sources; DataError where one cannot be read at all."""
        closure = self.closure(wanted)
        loaded = [self.load(n) for n in closure]
        if any(one.typed is None for one in loaded):
            raise DataError([f for one in loaded for f in one.faults])

    def typed(self, name: str) -> Raw:
        """The typed relation of a source; DataError where it cannot be read."""
        self.see([name])
        typed = self.loaded[name].typed
        assert typed is not None  # noqa: S101  -- _see raises where it is
        return typed

    def zone_of(self, name: str) -> str:
        """The time zone of a source's stamps without an offset."""
        return self.sources[name].timezone or self.zone

    def count(self, name: str, condition: str = "") -> int:
        """The rows of a published source, or those for which a condition holds."""
        where = f" where {condition}" if condition else ""
        return int((first_row(self.ask(name), f"select count(*) from {quote(name)}{where}") or (0,))[0])

    def load(self, name: str) -> Loaded:
        """Load a source once: read it, type it, check it, publish it; then check what it refers to."""
        if name not in self.loaded:
            touched.SOURCES.add(name)
            loaded = Loaded(name)
            if not (self.recall and self.recall.load(loaded)):
                raw = self._read(loaded)
                if raw is not None:
                    self._agree_on(loaded, raw)
            self.loaded[name] = loaded
        loaded = self.loaded[name]
        if not loaded.referenced:
            loaded.referenced = True
            self._check_references(loaded)
            self._check_rates(loaded)
            if self.recall:
                self.recall.keep(loaded, embedded=self.home(name) is self.engine)
        return loaded

    def fact(self, name: str, what: str, find: Callable[[], Any]) -> Any:
        """Something about a loaded source that JSON can hold; known from a run before, where nothing has changed."""
        return self.recall.fact(name, what, find) if self.recall else find()

    def rouse(self, name: str) -> None:
        """Really load a source that was only recalled."""
        if self.recall:
            self.recall.wake([name])
        self.see([name])

    def is_embedded(self, name: str) -> bool:
        """Whether a loaded source stands in the embedded DuckDB."""
        asleep = self.recall.is_embedded(name) if self.recall else None
        return self.home(name) is self.engine if asleep is None else asleep

    def _read(self, loaded: Loaded) -> Raw | None:
        source = self.sources[loaded.name]
        if source.url:
            return self._find_database(loaded)
        if loaded.name in self.queries:
            return self._read_query(loaded)
        found = find_files(source.path or "", self.data, self.as_of)
        loaded.files = found.files
        loaded.faults += [Fault(loaded.name, rule, file) for file, rule in found.wrong]
        if not found.files:
            return None
        need = self.needs[loaded.name]
        intake = Intake(
            self.con, loaded.name, source, self.engines.embedded.spill, frozenset(c.casefold() for c in need.columns)
        )
        raw, faults = read_files(intake, found.files, need)
        loaded.faults += faults
        return raw

    def _read_query(self, loaded: Loaded) -> Raw | None:
        """A query's result: kept as a table where what it stands on is small, else run again at each use."""
        query = self.queries[loaded.name]
        loaded.faults += [Fault(loaded.name, rule) for rule in query.wrong]
        upstream = [self.load(n).typed for n in query.sources]
        if query.wrong or any(typed is None for typed in upstream):
            return None
        homes = {self.home(n).name: n for n in query.sources}
        if any(self.home(n) is not self.engine for n in query.sources):
            return self._find_query(loaded, homes)
        table = f"__raw_{loaded.name}"
        small = sum(typed.rows for typed in upstream if typed) <= KEPT_RESULT
        try:
            self.con.execute(f"create or replace {'table' if small else 'view'} {quote(table)} as {query.written}")
            described = self.con.execute(f"describe {quote(table)}").fetchall()
        except duckdb.Error as error:
            loaded.faults.append(Fault(loaded.name, f"query: {say_error(error)}"))
            return None
        columns = {row[0]: row[1] for row in described}
        rows = int((first_row(self.con, f"select count(*) from {quote(table)}") or (0,))[0])
        if small:
            return replace(describe_table(table, columns, [], {}), rows=rows)
        scan = f"select * from {quote(table)}"
        return Raw(
            f"select *, row_number() over () - 1 as {ROW} from {quote(table)}", scan, columns, [], {}, rows, table=False
        )

    def _find_database(self, loaded: Loaded) -> Raw | None:
        """A source in a database: nothing is copied."""
        name, source = loaded.name, self.sources[loaded.name]
        try:
            engine = self.engines.engine(name)
            loaded.place = f"{self.engines.address(name).shown} {source.table or 'query'}"
            found = Published(name, engine, find_base(name, source, engine, self.engines.catalog(name)))
            return self._stand(found, source)
        except DataError as error:
            loaded.faults += [replace(fault, source=name) for fault in error.faults]
            return None

    def _find_query(self, loaded: Loaded, homes: Mapping[str, str]) -> Raw | None:
        """A query over sources of one database, which runs there."""
        name, query = loaded.name, self.queries[loaded.name]
        if len(homes) > 1:
            said = " and ".join(f"{source} ({home})" for home, source in homes.items())
            rule = f"query: reads {said}, which no one engine holds; aggregate each where it stands, or copy one to the other"
            loaded.faults.append(Fault(name, rule))
            return None
        try:
            return self._stand(Published(name, self.home(query.sources[0]), query.tree, over=True), self.sources[name])
        except DataError as error:
            loaded.faults += [replace(fault, source=name) for fault in error.faults]
            return None

    def _stand(self, found: Published, source: Source) -> Raw:
        """The raw relation of what stands in a database, once it is known there."""
        described = describe_base(found, source, self.published)
        found.columns = list(described.columns)
        self.published[found.name] = found
        rows = int((first_row(self.ask(found.name), f"select count(*) from {quote(found.root)}") or (0,))[0])
        return stand_in_place(found, source, described, rows)

    def _agree_on(self, loaded: Loaded, raw: Raw) -> None:
        """Agree on a source, or say which of its files turns out to be damaged further in."""
        try:
            self._agree(loaded, raw)
        except duckdb.Error as error:
            loaded.typed = None
            loaded.faults.append(name_damage(loaded.name, say_error(error), raw.parts))

    def decode(self, name: str) -> list[Fault]:
        """Read every used value of a source whose files are read in place; the fault of a damaged one, added to its own."""
        return [fault for one in self.closure([name]) for fault in self._decode(one)]

    def _decode(self, name: str) -> list[Fault]:
        typed = self.load(name).typed
        if typed is None or typed.table or typed.elsewhere or not typed.parts:
            return []
        used = [c for n in self.needs[name].columns if (c := find_column(n, typed.columns))] or list(typed.columns)
        try:
            self.con.execute(
                f"select {', '.join(f'bit_xor(hash({quote(c)}))' for c in used)} from ({typed.scan})"
            ).fetchall()
        except duckdb.Error as error:
            self.loaded[name].faults.append(name_damage(name, say_error(error), typed.parts))
            return self.loaded[name].faults[-1:]
        return []

    def _agree(self, loaded: Loaded, raw: Raw) -> None:
        """Agree on types, check the agreements, and publish the source under its name."""
        name, source, need = loaded.name, self._with_known_format(loaded), self.needs[loaded.name]
        con = self.ask(name)
        loaded.faults += find_missing(name, raw, need)
        loaded.faults += [*count_rows(name, source, raw), *count_nulls(con, name, source, raw)]
        typing = type_columns(con, name, source, raw, need)
        checks = [*typing.checks, *list_rules(source, raw, typing.columns), *list_key_checks(source, raw)]
        checks += [*list_unfinite(raw, need.numbers), *list_early(con, source, raw, typing.columns, need.times)]
        if not raw.elsewhere:
            checks += list_garbled(raw, source.encoding)
            loaded.faults += find_totals(self.con, name, raw)
        loaded.faults += self._trace(name, typing.faults + list_faults(con, name, raw, checks))
        typed = self._type(name, raw, typing)
        loaded.typed = typed
        known = self._filter_days(name, source, typed)
        present = replace(typed, relation=_where(typed.relation, known), scan=_where(typed.scan, known), infer={})
        if raw.elsewhere:
            repeats, kept = drop_repeats_there(con, name, source, present)
            self.published[name].tree = read(f"select {names(present.columns)} from ({kept})")
            self._show(self.published[name])
        else:
            repeats = drop_repeats(self.con, name, source, present)
            self._publish(name, present, repeats.dropped)
        loaded.faults += repeats.faults
        loaded.notices += repeats.notices
        self._note_undated(loaded, source, typed)

    def _with_known_format(self, loaded: Loaded) -> Source:
        """The source's definition, without a `date_format` that is none."""
        source = self.sources[loaded.name]
        try:
            self.con.execute(f"select try_strptime('', {text(source.date_format or '%Y')})").fetchall()
        except duckdb.Error as error:
            loaded.faults.append(
                Fault(loaded.name, f"date_format: {source.date_format} is no format: {say_error(error)}")
            )
            return source.model_copy(update={"date_format": None})
        return source

    def _trace(self, name: str, faults: list[Fault]) -> list[Fault]:
        """The faults of a query's result with the place of their value in the file it comes from, where one can be told."""
        if name not in self.queries:
            return faults
        return [found for fault in faults for found in self._find_in_files(name, fault) or [fault]]

    def _find_in_files(self, name: str, fault: Fault) -> list[Fault]:
        origin = find_origin(self.queries, name, fault.column, {n: list(one.columns) for n, one in self._relations()})
        typed = self.loaded[origin[0]].typed if origin else None
        if origin is None or typed is None or not typed.parts or fault.value is None:
            return []
        same = f"cast({quote(origin[1])} as varchar) = {text(fault.value)}"
        found = list_faults(self.con, name, typed, [check_value(origin[1], fault.rule, same)])
        return [replace(one, column=fault.column) for one in found]

    def _relations(self) -> list[tuple[str, Raw]]:
        return [(n, one.typed) for n, one in self.loaded.items() if one.typed is not None]

    def _type(self, name: str, raw: Raw, typing: Typing) -> Raw:
        """The typed relation: the raw one where nothing changes, a table of its own, or a query over files in place."""
        columns = {c: d.type for c, d in typing.columns.items()}
        if all(d.expr == quote(c) and d.type == raw.columns[c] for c, d in typing.columns.items()):
            return replace(raw, columns=columns, infer={})
        chosen = ", ".join(f"{d.expr} as {quote(c)}" for c, d in typing.columns.items())
        if not raw.table:
            typed = f"select {chosen}, {ROW} from ({raw.relation})"
            return replace(raw, relation=typed, scan=f"select {chosen} from ({raw.scan})", columns=columns, infer={})
        table = f"__typed_{name}"
        self.con.execute(f"create or replace table {quote(table)} as select {chosen} from ({raw.scan})")
        self.con.execute(f"drop table {quote(f'__raw_{name}')}")
        return replace(describe_table(table, columns, raw.parts, {}), rows=raw.rows)

    def _filter_days(self, name: str, source: Source, typed: Raw) -> str:
        """SQL that leaves out the rows after as-of, by the source's own time."""
        column = find_column(source.time, typed.columns) if source.time else None
        if column is None or not is_time(typed.columns[column]) or self.needs[name].holds_targets:
            return ""
        end = end_before(
            exp.column(column, quoted=True), typed.columns[column], self.zone_of(name), self.zone, self.as_of
        )
        return f"({end} or {quote(column)} is null)"

    def _show(self, found: Published) -> None:
        """What stands in an attached DuckDB file is seen by every query over files."""
        if found.engine is self.engine:
            whole = complete(exp.select("*").from_(quote(found.name)), self.published)
            self.con.execute(f"create or replace view {quote(found.name)} as {whole.sql(dialect='duckdb')}")

    def _publish(self, name: str, present: Raw, dropped: str | None) -> None:
        query = present.scan
        if dropped:
            rows = f"({present.relation}) where {ROW} not in ({dropped}) order by {ROW}"
            kept = f"select {names(present.columns)} from {rows}"
            self.con.execute(f"create or replace table {quote(f'__kept_{name}')} as {kept}")
            query = f"select * from {quote(f'__kept_{name}')}"
        self.con.execute(f"create or replace view {quote(name)} as {query}")

    def _note_undated(self, loaded: Loaded, source: Source, typed: Raw) -> None:
        column = find_column(source.time, typed.columns) if source.time else None
        if column is not None and (count := self.count(loaded.name, f"{quote(column)} is null")):
            text = f"rows without a time ({column} is empty) are in no period"
            loaded.notices.append(Notice(loaded.name, text, count))

    def break_rules(self, loaded: Loaded, checks: Sequence[Check]) -> None:
        """Add the rows that break rules known only after loading to a source's faults."""
        if loaded.typed is not None:
            found = self._trace(loaded.name, list_faults(self.ask(loaded.name), loaded.name, loaded.typed, checks))
            loaded.faults += [fault for fault in found if fault not in loaded.faults]

    def _check_references(self, loaded: Loaded) -> None:
        """The `references:` of a source's columns; a source that cannot be read is one fault."""
        if loaded.typed is None:
            return
        checks = []
        for declared, column in self.sources[loaded.name].columns.items():
            target, _, member = (column.references or "").partition(".")
            name = find_column(declared, loaded.typed.columns)
            if name is None or not column.references:
                continue
            typed = self.load(target).typed if target in self.sources else None
            other = find_column(member, typed.columns) if typed else None
            if typed is None or other is None:
                rule = f"references: {column.references} cannot be looked up"
                loaded.faults.append(Fault(loaded.name, rule, column=name))
            else:
                rule = f"is not found in {column.references}"
                if self.home(target) is not self.home(loaded.name):
                    typed = replace(typed, scan=f"select distinct {quote(other)} from {quote(target)}")
                checks.append(check_reference(name, other, loaded.typed, typed, rule))
        try:
            loaded.faults += list_faults(self.ask(loaded.name), loaded.name, loaded.typed, checks)
        except DataError as error:
            loaded.faults += [
                replace(fault, rule=f"references: cannot be looked up: {fault.rule}") for fault in error.faults
            ]

    def local_day(self, name: str, column: str) -> exp.Expression | None:
        """The company's local day of a column of a loaded source; None where it has no such column, or no day."""
        typed = self.loaded[name].typed
        found = find_column(column, typed.columns) if typed else None
        if typed is None or found is None or not is_time(typed.columns[found]):
            return None
        return cut_day(exp.column(found, quoted=True), typed.columns[found], self.zone_of(name), self.zone)

    def _check_rates(self, loaded: Loaded) -> None:
        """Every row with an amount that is converted has a rate; silent where the rates themselves cannot be read."""
        rates, currencies = self.rates, self.needs[loaded.name].currencies
        if rates is None or loaded.typed is None or not currencies or rates.source not in self.sources:
            return
        table, since = self.load(rates.source).typed, self.local_day(rates.source, rates.time)
        named = [find_column(name, table.columns) for name in (rates.from_, rates.rate)] if table else [None]
        if since is None or None in named:
            return
        spans = list_spans(rates, exp.to_table(quote(rates.source), dialect="duckdb"), since)
        pairs = [(find_column(c, loaded.typed.columns), t) for c, times in currencies.items() for t in times]
        checks = [
            check_rates(rates, column, day, loaded.typed.relation, until=self.as_of.isoformat(), spans=spans)
            for column, time in pairs
            if column is not None and (day := self.local_day(loaded.name, time)) is not None
        ]
        loaded.faults += list_faults(self.ask(loaded.name), loaded.name, loaded.typed, checks)


def _where(query: str, condition: str) -> str:
    return f"select * from ({query}) where {condition}" if condition else query
