"""Database servers through SQLAlchemy, in sessions that may only read.

Messages are without the secrets of an address, however a driver words them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
from sqlalchemy import Connection, create_engine, event, inspect, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlglot import exp

from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.engines import (
    Address,
    Described,
    described,
    frame_of,
    log_query,
    with_place,
)
from dataops_nb.sources.engines.dialects import say, say_with

CONNECT_SECONDS = 10
SYSTEM_SCHEMAS = ("information_schema", "pg_catalog")
# The DuckDB names of types: by the number that PostgreSQL gives them, and by the type of a value
# in Python.
_POSTGRES = {
    16: "BOOLEAN", 20: "BIGINT", 21: "SMALLINT", 23: "INTEGER",
    700: "FLOAT", 701: "DOUBLE", 1700: "DECIMAL",
    18: "VARCHAR", 19: "VARCHAR", 25: "VARCHAR", 1042: "VARCHAR", 1043: "VARCHAR",
    1082: "DATE", 1114: "TIMESTAMP", 1184: "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip
_PYTHON: dict[type, str] = {
    bool: "BOOLEAN",
    int: "BIGINT",
    float: "DOUBLE",
    Decimal: "DECIMAL",
    str: "VARCHAR",
    dt.date: "DATE",
}


class Server:
    """One database; its connection is made by the first query, and anew where it was lost."""

    exact = True

    def __init__(self, address: Address, dialect: str, zone: str) -> None:
        self.address, self.dialect = address, dialect
        options: dict[str, Any] = {}
        if dialect in {"postgres", "mysql"}:
            options["connect_timeout"] = CONNECT_SECONDS
        try:
            url = make_url(address.url)
            if url.drivername in {"postgresql", "postgres"}:
                url = url.set(drivername="postgresql+psycopg")
            self.engine = create_engine(url, connect_args=options, isolation_level="AUTOCOMMIT")
        except (SQLAlchemyError, ImportError, ValueError) as error:
            rule = f"cannot be used: {address.say(str(error))}"
            raise DataError([Fault("", rule, address.shown)]) from error
        self.name = f"{url.get_backend_name()} {url.host or ''}/{url.database or ''}"
        if dialect == "postgres":
            event.listen(self.engine, "connect", _settings(zone))
        self._con: Connection | None = None

    def fetch(self, query: exp.Expr | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """Return the result of a query; frames by keyword are tables in it.

        Raises DataError for a query that fails, or where the database cannot be reached.
        """
        columns, _, rows = self._run(say_with(query, frames, self.dialect))
        return frame_of(columns, rows)

    def _run(self, sql: str) -> tuple[list[str], list[Any], Sequence[Sequence[Any]]]:
        """Return the names of a result's columns, the driver's words for their types, and rows."""
        try:
            if self._con is None:
                self._con = self.engine.connect().execution_options(no_parameters=True)
            result = self._con.exec_driver_sql(sql)
            description: Sequence[Any] = ()
            if result.cursor is not None:
                description = result.cursor.description or ()
            rows = [tuple(row) for row in result.fetchall()]
        except SQLAlchemyError as error:
            raise self._failed(error) from None
        log_query(self.name, sql, len(rows))
        names = [column[0] for column in description]
        types = [column[1] for column in description]
        return names, types, rows

    def _failed(self, error: SQLAlchemyError) -> DataError:
        """Return an error of ours for one of the driver; a lost connection is forgotten."""
        place = ""
        if self._con is None:
            place = self.address.shown
        fault = Fault("", self._explain(error), place)
        if getattr(error, "connection_invalidated", False):
            self._con = None
        return DataError([fault])

    def _explain(self, error: Exception) -> str:
        """Return the first two lines of a driver's message, without the query, as one line."""
        message = str(getattr(error, "orig", None) or error).strip()
        parts: list[str] = []
        for line in message.splitlines()[:2]:
            if not line.startswith(("LINE ", "[SQL")):
                parts.append(line.strip())
        text = " ".join(parts)
        if self._con is None:
            text = f"cannot be reached: {text}"
        return self.address.say(text)

    def describe(self, query: exp.Expr) -> Described:
        """Return the columns of a query's result, with the types that the database gives them."""
        inner = exp.Var(this=say(query, self.dialect))
        rows = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier("q")))
        no_rows = exp.select("*").from_(rows.copy()).limit(0)
        columns, codes, _ = self._run(no_rows.sql(dialect=self.dialect))
        if self.dialect == "postgres":
            types = [_POSTGRES.get(code, "OTHER") for code in codes]
        else:
            types = self._types_of_values(columns, rows)
        return described(dict(zip(columns, types, strict=True)))

    def _types_of_values(self, columns: list[str], rows: exp.Subquery) -> list[str]:
        """Return the type of each column by its largest value."""
        largest: list[exp.Expr] = []
        for name in columns:
            value = exp.Max(this=exp.column(name, quoted=True))
            largest.append(exp.alias_(value, name, quoted=True))
        query = exp.select(*largest).from_(rows)
        _, _, values = self._run(query.sql(dialect=self.dialect))
        return [_type_of(value) for value in values[0]]

    def tables(self) -> list[str]:
        """List the tables and views that the database shows to this user.

        They are named with their schema where it is not the default.
        """
        names: list[str] = []
        try:
            inspector = inspect(self.engine)
            default = inspector.default_schema_name
            for schema in inspector.get_schema_names():
                if schema in SYSTEM_SCHEMAS:
                    continue
                tables = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
                names += with_place(tables, schema, default)
        except SQLAlchemyError as error:
            raise DataError([Fault("", self._explain(error))]) from None
        return names

    def close(self) -> None:
        """Close the connection."""
        if self._con is not None:
            self._con.close()
        self.engine.dispose()


def _settings(zone: str) -> Any:
    """Return what starts a PostgreSQL session: it may only read, and its clock is the company's."""

    def set_up(con: Any, _: Any) -> None:
        before, con.autocommit = con.autocommit, True
        with con.cursor() as cursor:
            cursor.execute("set default_transaction_read_only = on")
            cursor.execute(f"set time zone '{zone}'")
        con.autocommit = before

    return set_up


def _type_of(value: Any) -> str:
    if value is None:
        return "VARCHAR"
    if isinstance(value, dt.datetime):
        if value.tzinfo:
            return "TIMESTAMP WITH TIME ZONE"
        return "TIMESTAMP"
    return _PYTHON.get(type(value), "OTHER")
