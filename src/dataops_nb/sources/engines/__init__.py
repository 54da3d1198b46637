"""Engines: where a query runs, and how the rows of its result become a frame.

The embedded DuckDB holds the files; a database keeps its rows and sends aggregates. Every query is
one tree that means what DuckDB means by it, and each engine says it in its own dialect, so that the
same definitions give the same numbers everywhere. A new engine is one small class with what
`Engine` lists, and a line in `databases`.

An `Address` is what stands under a source's `url:`: read from the environment where it says so, and
shown without its secrets.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pandas as pd
from sqlglot import exp

from dataops_nb.definitions.passwords import BEFORE_HOST, ENV, PARAMETER, passwords_in
from dataops_nb.errors import DataError, Fault, did_you_mean
from dataops_nb.sources.evidence import Infer, say_error, text, texts

__all__ = [
    "Described",
    "Embedded",
    "Engine",
]

LOG = logging.getLogger("dataops_nb.engines")
HIDDEN = "***"
_ATTACHED_TABLES = """\
select distinct * from (
  select table_schema, table_name from information_schema.tables
  where starts_with(table_catalog, '_nb_db')
) order by all"""


@dataclass(frozen=True)
class Described:
    """The columns of a query, each with the DuckDB name of its type.

    `infer` says which texts may hold numbers or times.
    """

    columns: dict[str, str]
    infer: dict[str, Infer] = field(default_factory=dict)


class Engine(Protocol):
    """Run queries in one place."""

    @property
    def dialect(self) -> str:
        """The name of its SQL in sqlglot."""

    @property
    def name(self) -> str:
        """Its name for people, without any secret: `sqlite shop.db`."""

    @property
    def exact(self) -> bool:
        """Whether it adds up decimals exactly."""

    def fetch(self, query: exp.Expr | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """Return the result of a query; frames by keyword are tables in it.

        Raises DataError for a query that fails.
        """

    def describe(self, query: exp.Expr) -> Described:
        """Return the columns of a query's result. Raises DataError for a query that fails."""

    def tables(self) -> list[str]:
        """List the tables that a source could name."""

    def close(self) -> None:
        """Release what it holds."""


def frame_of(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Return rows as a frame: days as datetime64, exact decimals as floats, the rest as it is."""
    # Names may repeat, so columns are built under their position.
    series: dict[str, pd.Series] = {}
    for index in range(len(columns)):
        values = [row[index] for row in rows]
        series[str(index)] = _typed(pd.Series(values, dtype=object))
    return pd.DataFrame(series).set_axis(list(columns), axis=1)


def _typed(values: pd.Series) -> pd.Series:
    types = {type(value) for value in values if value is not None}
    if not types:
        return values
    if types == {dt.date}:
        return pd.Series(pd.to_datetime(values)).astype("datetime64[s]")
    if types <= {int, float, Decimal}:
        if types == {int} and not values.isna().any():
            return values.astype("int64")
        return values.astype("float64")
    return values


def with_place(tables: Sequence[str], place: str, default: str | None) -> list[str]:
    """Name tables with their schema or database where it is not the default."""
    if place == default:
        return list(tables)
    return [f"{place}.{table}" for table in tables]


def log_query(engine: str, sql: str, rows: int) -> None:
    """Write a line into the query log: which engine ran what, and how many rows came back."""
    LOG.debug("%s sent %d rows for: %s", engine, rows, sql)


@dataclass(frozen=True)
class Address:
    """A resolved url; relative paths in it start at the folder `data`."""

    url: str
    data: Path

    @property
    def scheme(self) -> str:
        """What stands before the colon, in lower case: `postgresql+psycopg`, `sqlite`, `spark`."""
        return self.url.partition(":")[0].lower()

    @property
    def rest(self) -> str:
        """What follows the colon."""
        return self.url.partition(":")[2]

    @property
    def shown(self) -> str:
        """The url as it may stand in a message or on a page."""
        return redact(self.url)

    @property
    def path(self) -> Path:
        """The file behind `sqlite:shop.db` or `sqlite:///shop.db`."""
        name = self.rest.partition("?")[0]
        if name.startswith("///"):
            return self.data / name.removeprefix("///")
        return self.data / name.removeprefix("//")

    @property
    def secrets(self) -> list[str]:
        """The texts that no message may hold: the url, and its passwords as written and decoded.

        None where the url holds no password.
        """
        passwords = passwords_in(self.url)
        if not passwords:
            return []
        return [self.url, *passwords]

    def say(self, message: str) -> str:
        """Return a message without the secrets of this address, however a driver worded it."""
        for secret in self.secrets:
            hidden = HIDDEN
            if secret == self.url:
                hidden = self.shown
            message = message.replace(secret, hidden)
        return redact(message)


def redact(text: str) -> str:
    """Hide the passwords of all urls in a text, and all parameters that look like a secret."""
    without_passwords = BEFORE_HOST.sub(rf"\1:{HIDDEN}@", text)
    return PARAMETER.sub(rf"\1{HIDDEN}", without_passwords)


def resolve(
    source: str, declared: str, data: Path, known: Mapping[str, str] | None = None
) -> Address:
    """Return the address that a source declares.

    `env:NAME` is read from `known`, by default the environment. Raises DataError where it is not
    set.
    """
    if not declared.startswith(ENV):
        return Address(declared, data)
    variables: Mapping[str, str] = os.environ
    if known is not None:
        variables = known
    name = declared.removeprefix(ENV).strip()
    value = variables.get(name, "").strip()
    if not value:
        rule = f"url: {declared}: the environment variable {name} is not set"
        raise DataError([Fault(source, rule)])
    return Address(value, data)


def fault_of_file(path: Path) -> str:
    """Say why no database can be in a file; return "" where one can."""
    if path.is_dir():
        return "is a folder"
    if not path.is_file():
        others: list[str] = []
        if path.parent.is_dir():
            others = [neighbour.name for neighbour in path.parent.iterdir()]
        return f"does not exist{did_you_mean(path.name, others)}"
    if path.stat().st_size == 0:
        return "is empty (0 bytes)"
    return ""


class Embedded:
    """One DuckDB in memory, in this process; it downloads nothing and sees no Python variable.

    It reads only `folders` and its own `spill`, the folder of its temporary files. `databases` are
    DuckDB files; each is attached for reading under a name of ours, or kept with the reason why it
    cannot be.
    """

    dialect = "duckdb"
    name = "files"
    exact = True

    def __init__(self, folders: Iterable[str], zone: str, databases: Iterable[Path] = ()) -> None:
        self._folders = list(folders)
        self._zone = zone
        self._paths = list(dict.fromkeys(databases))
        self._attached: dict[Path, str | DataError] = {}

    @cached_property
    def spill(self) -> Path:
        """The folder of its temporary files, of this process alone."""
        return Path(tempfile.gettempdir()) / f"dataops-nb-spill-{os.getpid()}-{id(self):x}"

    @cached_property
    def con(self) -> duckdb.DuckDBPyConnection:
        """DuckDB, opened by the first question: who needs only what is kept does not wait for it.

        Nor may its threads be there when the process forks.
        """
        no_downloads: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        con = duckdb.connect(":memory:", config=no_downloads)
        con.execute("set python_enable_replacements = false")
        if os.environ.get("DATAOPS_NB_REFRESH"):
            # A slow query would draw a widget where nobody watches.
            con.execute("set enable_progress_bar = false")
        con.execute("set TimeZone = ?", [self._zone])
        con.execute("set temp_directory = ?", [str(self.spill)])
        for index, path in enumerate(self._paths):
            self._attached[path] = _attach(con, path, f"_nb_db{index}")
        con.execute(f"set allowed_directories = [{texts([*self._folders, str(self.spill)])}]")
        con.execute("set enable_external_access = false")
        return con

    @property
    def databases(self) -> Mapping[Path, str | DataError]:
        """The name of each attached DuckDB file, or why it cannot be attached."""
        if self._paths:
            _ = self.con
        return self._attached

    def fetch(self, query: exp.Expr | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """Return the result of a query over what is loaded and over frames by keyword.

        Raises DataError for a query that fails.
        """
        sql = query
        if not isinstance(sql, str):
            sql = sql.sql(dialect=self.dialect)
        try:
            for name, frame in frames.items():
                self.con.register(name, frame)
            return self.con.execute(sql).df()
        except duckdb.Error as error:
            raise DataError([Fault("", f"the query fails: {say_error(error)}")]) from error
        finally:
            for name in frames:
                self.con.unregister(name)

    def describe(self, query: exp.Expr) -> Described:
        """Return the columns of a query's result. Raises DataError for a query that fails."""
        try:
            rows = self.con.execute(f"describe {query.sql(dialect=self.dialect)}").fetchall()
        except duckdb.Error as error:
            raise DataError([Fault("", say_error(error))]) from error
        return described({row[0]: row[1] for row in rows})

    def tables(self) -> list[str]:
        """List the tables and views of the attached databases; `main.` is left out."""
        names: list[str] = []
        for schema, table in self.con.execute(_ATTACHED_TABLES).fetchall():
            if schema == "main":
                names.append(table)
            else:
                names.append(f"{schema}.{table}")
        return names

    def close(self) -> None:
        """Free the memory and delete the temporary files."""
        if "con" in vars(self):
            self.con.close()
            shutil.rmtree(self.spill, ignore_errors=True)


def _attach(con: duckdb.DuckDBPyConnection, path: Path, name: str) -> str | DataError:
    """Attach a DuckDB file for reading; return `name`, or why it cannot be attached."""
    rule = fault_of_file(path)
    if rule:
        return DataError([Fault("", rule, path.name)])
    try:
        con.execute(f"attach {text(str(path))} as {name} (read_only, type duckdb)")
    except duckdb.Error as error:
        rule = f"is no DuckDB database that can be read: {say_error(error)}"
        return DataError([Fault("", rule, path.name)])
    return name


def described(columns: dict[str, str]) -> Described:
    """Return columns of a database that types them: its texts hold neither numbers nor times."""
    infer: dict[str, Infer] = {}
    for name, type_ in columns.items():
        if type_ == "VARCHAR":
            infer[name] = "none"
    return Described(columns, infer)
