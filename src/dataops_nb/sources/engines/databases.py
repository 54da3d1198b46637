"""Find the engine behind a source's `url:`, and describe and deduplicate its rows there.

Each engine is opened once, when the first source needs it. The rows of its sources stay where they
are: their columns are described and repeated keys are counted and judged there, as they are in
files, without a table of ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import sqlglot
from sqlglot import exp

from dataops_nb.definitions.models import Source
from dataops_nb.errors import DataError, Fault, did_you_mean
from dataops_nb.sources.engines import Address, Described, Embedded, Engine, resolve
from dataops_nb.sources.engines.crossing import Published, complete
from dataops_nb.sources.engines.sqlite import Lite
from dataops_nb.sources.evidence import (
    LISTED,
    ROW,
    Connection,
    Notice,
    Raw,
    find_column,
    first_row,
    name_older,
    name_repeats,
    names,
    quote,
    say_key,
)
from dataops_nb.sources.rules import Deduplicated, has_repeats
from dataops_nb.steady import bind

# sqlglot's name of the SQL behind each scheme of SQLAlchemy.
DIALECTS = {
    "postgresql": "postgres",
    "postgres": "postgres",
    "cockroachdb": "postgres",
    "redshift": "redshift",
    "mysql": "mysql",
    "mariadb": "mysql",
    "mssql": "tsql",
    "oracle": "oracle",
    "snowflake": "snowflake",
    "bigquery": "bigquery",
    "trino": "trino",
    "databricks": "databricks",
    "clickhouse": "clickhouse",
}
_READS = (exp.Select, exp.SetOperation, exp.Subquery)
_WRITES = (
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Create,
    exp.Drop,
    exp.Command,
    exp.Into,
)


class Engines:
    """The engines of a company's sources.

    `urls` are declared by source. The embedded DuckDB holds files and the databases of `duckdb:`.
    """

    def __init__(self, urls: Mapping[str, str], data: Path, folders: list[str], zone: str) -> None:
        self._addresses: dict[str, Address] = {}
        self._unknown: dict[str, DataError] = {}
        self._open: dict[str, Engine] = {}
        attached: list[Path] = []
        for source, url in urls.items():
            try:
                address = resolve(source, url, data)
            except DataError as error:
                self._unknown[source] = error
                continue
            self._addresses[source] = address
            if address.scheme == "duckdb":
                attached.append(address.path)
        self.zone = zone
        self.embedded = Embedded(folders, zone, attached)

    def address(self, source: str) -> Address:
        """Return the address of a source. Raises DataError where its variable is not set."""
        if source in self._unknown:
            raise self._unknown[source]
        return self._addresses[source]

    def engine(self, source: str) -> Engine:
        """Return the engine of a source. Raises DataError where it cannot be reached."""
        address = self.address(source)
        if address.scheme == "duckdb":
            name = self.embedded.databases[address.path]
            if isinstance(name, DataError):
                raise name
            return self.embedded
        if address.url not in self._open:
            self._open[address.url] = _open(source, address, self.zone)
        return self._open[address.url]

    def catalog(self, source: str) -> str:
        """Return the name of an attached DuckDB file; "" for every other source."""
        address = self.address(source)
        if address.scheme != "duckdb":
            return ""
        name = self.embedded.databases.get(address.path)
        if isinstance(name, str):
            return name
        return ""

    def close(self) -> None:
        """Close all engines."""
        for engine in self._open.values():
            engine.close()
        self.embedded.close()


def _open(source: str, address: Address, zone: str) -> Engine:
    # Each optional package is imported by the sources that need it only.
    scheme = address.scheme.partition("+")[0]
    if scheme == "sqlite":
        return Lite(address)
    if scheme in DIALECTS:
        _require(source, "sqlalchemy", "sql")
        from dataops_nb.sources.engines.servers import Server  # noqa: PLC0415

        return Server(address, DIALECTS[scheme], zone)
    if address.scheme == "spark":
        _require(source, "pyspark", "spark")
        from dataops_nb.sources.engines.spark import Spark  # noqa: PLC0415

        return Spark(address)
    advice = "write duckdb:, sqlite:, spark: or a SQLAlchemy url"
    raise DataError([Fault(source, f"url: no engine knows {address.shown}; {advice}")])


def _require(source: str, package: str, extra: str) -> None:
    """Raise DataError with the extra to install where a package is missing."""
    if find_spec(package) is None:
        missing = f"needs the package {package}, which is not installed"
        raise DataError([Fault(source, f"url: {missing}; install dataops-nb[{extra}]")])


def find_base(
    name: str, source: Source, engine: Engine, as_of: dt.date, catalog: str = ""
) -> exp.Expr:
    """Return the rows of a source as its database knows them.

    That is `select * from` its table, or its query as it is written, with the as-of day in it.
    `catalog` is where its tables are, for an engine that holds several. Raises DataError where it
    is no such SQL.
    """
    part = "query"
    written = bind(source.query or "", as_of, engine.dialect)
    if source.table:
        part = "table"
    try:
        if source.table:
            table = exp.to_table(source.table, dialect=engine.dialect)
            return _in_catalog(exp.select("*").from_(table), catalog)
        parsed = sqlglot.parse(written, read=engine.dialect)
    except sqlglot.errors.SqlglotError as error:
        reason = str(error).split(". Line")[0].splitlines()[0]
        rule = f"{part}: is not SQL that can be read as {engine.dialect}: {reason}"
        raise DataError([Fault(name, rule)]) from error
    trees = [tree for tree in parsed if tree is not None]
    if len(trees) != 1 or not isinstance(trees[0], _READS) or trees[0].find(*_WRITES):
        raise DataError([Fault(name, "query: must be one select, which changes nothing")])
    if catalog:
        return _in_catalog(trees[0], catalog)
    return exp.Var(this=written.strip().rstrip(";"))


def _in_catalog(tree: exp.Expr, catalog: str) -> exp.Expr:
    """Name the catalog of every table in a query, in place."""
    if not catalog:
        return tree
    own = {cte.alias.casefold() for cte in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue
        if table.db or table.name.casefold() not in own:
            table.set("db", exp.to_identifier(table.db or "main", quoted=True))
            table.set("catalog", exp.to_identifier(catalog, quoted=True))
    return tree


def describe_base(
    published: Published, source: Source, known: Mapping[str, Published]
) -> Described:
    """Return the columns of a source as they stand in its database.

    Raises DataError where the database refuses, with the nearest table.
    """
    base = published.base
    if published.over:
        base = complete(base, known)
    try:
        return published.engine.describe(base)
    except DataError as error:
        faults: list[Fault] = []
        for fault in error.faults:
            if fault.file:
                faults.append(fault)
            else:
                faults.append(Fault(published.name, _explain(published, source, fault.rule)))
        raise DataError(faults) from error


def _explain(published: Published, source: Source, rule: str) -> str:
    """Say what a database refuses: the query, the table, or a table that it does not have."""
    engine = published.engine
    if not source.table:
        return f"query: {engine.name} refuses it: {rule}"
    try:
        tables = engine.tables()
    except DataError:
        tables = []
    known = {_bare_name(table) for table in tables}
    if tables and _bare_name(source.table) not in known:
        near = did_you_mean(source.table, tables)
        return f"table: {engine.name} has no table {source.table!r}{near}"
    return f"table: {engine.name} refuses {source.table}: {rule}"


def _bare_name(table: str) -> str:
    return table.casefold().rpartition(".")[2]


def stand_in_place(published: Published, source: Source, described: Described, rows: int) -> Raw:
    """Return the raw relation of a source in its database.

    Its rows are numbered in the order of their key, else of their first column.
    """
    keys: list[str] = []
    for key in source.key or []:
        column = find_column(key, described.columns)
        if column:
            keys.append(column)
    root, chosen = quote(published.root), names(described.columns)
    first_columns = list(described.columns)[:1]
    order = f"order by {names(keys or first_columns)}"
    return Raw(
        f"select {chosen}, row_number() over ({order}) - 1 as {ROW} from {root}",
        f"select {chosen} from {root}",
        described.columns,
        [],
        described.infer,
        rows,
        table=False,
        place=source.table or "",
        keys=tuple(keys),
    )


def drop_repeats_there(
    con: Connection, name: str, source: Source, typed: Raw
) -> tuple[Deduplicated, str]:
    """Return the faults and notices about repeated keys, and the SQL of the rows that count."""
    declared = source.key or []
    columns = [find_column(key, typed.columns) for key in declared]
    keys = [column for column in columns if column]
    deduplicated = Deduplicated()
    if not keys or len(keys) < len(declared) or source.duplicates == "keep":
        return deduplicated, typed.scan
    if not has_repeats(con, typed, keys):
        return deduplicated, typed.scan
    latest = None
    if source.latest:
        latest = find_column(source.latest, typed.columns)
    ranked = _rank(typed, keys, latest)
    deduplicated.faults = _conflicts(con, name, typed, keys, ranked)

    top_rows = "count(*) filter (where _nb_top)"
    top_keys = "count(distinct case when _nb_top then _nb_group end)"
    repeated = f"from ({ranked}) where _nb_several > 1"
    counts = first_row(con, f"select count(*), {top_rows}, {top_keys} {repeated}") or (0, 0, 0)
    all_, top, kept = counts
    if top - kept and not deduplicated.faults:
        repeated_rows = int(top - kept)
        deduplicated.notices.append(Notice(name, name_repeats(repeated_rows), repeated_rows))
    if all_ - top:
        older = int(all_ - top)
        deduplicated.notices.append(Notice(name, name_older(older, latest), older))
    chosen = names(typed.columns)
    counting = f"select {chosen} from ({ranked}) where _nb_nth = 1 or _nb_group is null"
    return deduplicated, counting


def _rank(typed: Raw, keys: Sequence[str], latest: str | None) -> str:
    """Return SQL of every row with what decides whether it counts.

    `_nb_group` is its key as one text, `_nb_several` how often that stands, `_nb_top` whether the
    row could count, `_nb_nth` its place among them.
    """
    by = f"partition by {names(keys)}"
    group = " || ' / ' || ".join(f"cast({quote(key)} as varchar)" for key in keys)
    top, order = "1 = 1", f"order by {names(keys)}"
    if latest:
        newest = f"max({quote(latest)}) over ({by})"
        both_empty = f"{quote(latest)} is null and {newest} is null"
        top = f"({quote(latest)} = {newest} or ({both_empty}))"
        order = f"order by {quote(latest)} desc nulls last"
    return (
        f"select {names(typed.columns)}, {group} as _nb_group, {top} as _nb_top,"
        f" count(*) over ({by}) as _nb_several, row_number() over ({by} {order}) as _nb_nth"
        f" from ({typed.scan})"
    )


def _conflicts(
    con: Connection, name: str, typed: Raw, keys: Sequence[str], ranked: str
) -> list[Fault]:
    """Return a fault for each key whose rows differ: how many rows, and the columns that differ.

    After as many as are listed, one more fault counts the rest.
    """
    others = [column for column in typed.columns if column not in keys]
    if not others:
        return []
    differ = [_differs(quote(column)) for column in others]
    groups = (
        f"from ({ranked}) where _nb_several > 1 and _nb_top and _nb_group is not null"
        f" group by {names(keys)} having {' or '.join(differ)}"
    )
    count_row = first_row(con, f"select count(*) from (select 1 as one {groups})") or (0,)
    count = int(count_row[0])
    if not count:
        return []

    shown = ", ".join(f"cast({quote(key)} as varchar)" for key in keys)
    flags = ", ".join(f"case when {condition} then 1 else 0 end" for condition in differ)
    query = f"select count(*), {shown}, {flags} {groups} order by {names(keys)} limit {LISTED}"
    key_text = ", ".join(keys)
    faults: list[Fault] = []
    for rows, *rest in con.execute(query).fetchall():
        values, flagged = rest[: len(keys)], rest[len(keys) :]
        different = [column for column, flag in zip(others, flagged, strict=True) if flag]
        rule = (
            f"{rows} rows share this key and differ in {', '.join(different)}; "
            "declare latest:, or duplicates: keep"
        )
        row_key = ""
        if len(keys) > 1:
            row_key = say_key(typed, values)
        value_text = " / ".join(map(str, values))
        faults.append(Fault(name, rule, typed.file, None, key_text, value_text, row_key))
    if count > LISTED:
        rule = f"and {count - LISTED} more keys with rows that differ"
        faults.append(Fault(name, rule, typed.file, None, key_text))
    return faults


def _differs(column: str) -> str:
    """Return SQL that tells whether a group's values differ; empty differs from not empty."""
    several = f"count(distinct cast({column} as varchar)) > 1"
    partly_empty = f"count({column}) < count(*) and count({column}) > 0"
    return f"({several} or ({partly_empty}))"
