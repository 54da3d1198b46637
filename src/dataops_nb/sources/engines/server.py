"""Database servers through SQLAlchemy, in sessions that may only read."""

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
from dataops_nb.sources.engines.addresses import Address
from dataops_nb.sources.engines.interface import Described, frame_of, note
from dataops_nb.sources.engines.speech import say
from dataops_nb.sources.engines.tables import with_tables

WAIT = 10
_POSTGRES = {
    16: "BOOLEAN", 20: "BIGINT", 21: "SMALLINT", 23: "INTEGER", 700: "FLOAT", 701: "DOUBLE", 1700: "DECIMAL",
    18: "VARCHAR", 19: "VARCHAR", 25: "VARCHAR", 1042: "VARCHAR", 1043: "VARCHAR",
    1082: "DATE", 1114: "TIMESTAMP", 1184: "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip
_PYTHON: dict[type, str] = {
    bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", Decimal: "DECIMAL", str: "VARCHAR", dt.date: "DATE",
}  # fmt: skip


class Server:
    """One database. What it says of itself is said without the address's secrets."""

    exact = True

    def __init__(self, address: Address, dialect: str, zone: str) -> None:
        self.address, self.dialect = address, dialect
        try:
            url = make_url(address.url)
            if url.drivername in ("postgresql", "postgres"):
                url = url.set(drivername="postgresql+psycopg")
            wait = {"connect_timeout": WAIT} if dialect in ("postgres", "mysql") else {}
            self.engine = create_engine(url, connect_args=wait, isolation_level="AUTOCOMMIT")
        except (SQLAlchemyError, ImportError, ValueError) as error:
            raise DataError([Fault("", f"cannot be used: {address.say(str(error))}", address.shown)]) from error
        self.name = f"{url.get_backend_name()} {url.host or ''}/{url.database or ''}"
        if dialect == "postgres":
            event.listen(self.engine, "connect", _settings(zone))
        self._con: Connection | None = None

    def fetch(self, query: exp.Expr | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """The result of a query. Raises DataError for one that fails, or where the database cannot be reached."""
        columns, _, rows = self._run(query if isinstance(query, str) else say(with_tables(query, frames), self.dialect))
        return frame_of(columns, rows)

    def _run(self, written: str) -> tuple[list[str], list[Any], Sequence[Sequence[Any]]]:
        """The names of a result's columns, what the driver calls their types, and its rows."""
        try:
            if self._con is None:
                self._con = self.engine.connect().execution_options(no_parameters=True)
            result = self._con.exec_driver_sql(written)
            description = result.cursor.description if result.cursor is not None else ()
            rows = [tuple(row) for row in result.fetchall()]
        except SQLAlchemyError as error:
            where, said = (self.address.shown if self._con is None else ""), self._explain(error)
            if self._con is not None and getattr(error, "connection_invalidated", False):
                self._con = None  # a connection that was lost is made anew by the next query
            raise DataError([Fault("", said, where)]) from None
        note(self.name, written, len(rows))
        return [column[0] for column in description or ()], [column[1] for column in description or ()], rows

    def _explain(self, error: Exception) -> str:
        said = str(getattr(error, "orig", None) or error).strip()
        line = " ".join(part.strip() for part in said.splitlines()[:2] if not part.startswith(("LINE ", "[SQL")))
        return self.address.say(line if self._con is not None else f"cannot be reached: {line}")

    def describe(self, query: exp.Expr) -> Described:
        """The columns of a query's result, by what the database says of them."""
        inner = exp.Var(this=say(query, self.dialect))
        rows = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier("q")))
        columns, codes, _ = self._run(exp.select("*").from_(rows.copy()).limit(0).sql(dialect=self.dialect))
        if self.dialect == "postgres":
            types = [_POSTGRES.get(code, "OTHER") for code in codes]
        else:
            most = [exp.alias_(exp.Max(this=exp.column(c, quoted=True)), c, quoted=True) for c in columns]
            types = [
                _type_of(value) for value in self._run(exp.select(*most).from_(rows).sql(dialect=self.dialect))[2][0]
            ]
        named = dict(zip(columns, types, strict=True))
        return Described(named, {name: "none" for name, type_ in named.items() if type_ == "VARCHAR"})

    def tables(self) -> list[str]:
        """The tables and views that the database shows to this user, with their schema where it is not the default."""
        try:
            found = inspect(self.engine)
            own = found.default_schema_name
            schemas = [s for s in found.get_schema_names() if s not in ("information_schema", "pg_catalog")]
            listed = [(s, name) for s in schemas for name in (*found.get_table_names(s), *found.get_view_names(s))]
        except SQLAlchemyError as error:
            raise DataError([Fault("", self._explain(error))]) from None
        return [name if schema == own else f"{schema}.{name}" for schema, name in listed]

    def close(self) -> None:
        """Close the connection."""
        if self._con is not None:
            self._con.close()
        self.engine.dispose()


def _settings(zone: str) -> Any:
    """What a PostgreSQL session is told first: it may only read, and its clock is the company's."""

    def tell(con: Any, _: Any) -> None:
        before, con.autocommit = con.autocommit, True
        with con.cursor() as cursor:
            cursor.execute("set default_transaction_read_only = on")
            cursor.execute(f"set time zone '{zone}'")
        con.autocommit = before

    return tell


def _type_of(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return "TIMESTAMP WITH TIME ZONE" if value.tzinfo else "TIMESTAMP"
    return _PYTHON.get(type(value), "VARCHAR" if value is None else "OTHER")
