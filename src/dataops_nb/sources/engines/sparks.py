"""Spark: a cluster, by the address of its master, of its Connect server, or as its own configuration says."""

from __future__ import annotations

from typing import Any

import pandas as pd
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
from sqlglot import exp

from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.engines.addresses import Address
from dataops_nb.sources.engines.interface import Described, frame_of, note
from dataops_nb.sources.engines.speech import say
from dataops_nb.sources.engines.tables import with_tables

_TYPES = {
    "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INTEGER", "bigint": "BIGINT",
    "float": "FLOAT", "double": "DOUBLE", "string": "VARCHAR", "date": "DATE", "timestamp_ntz": "TIMESTAMP",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip


class Spark:
    """One session of a cluster; its clock is UTC, so that an instant is told in the company's zone by the query alone."""

    dialect = "spark"
    exact = True

    def __init__(self, address: Address) -> None:
        self.address = address
        self.name = f"spark {address.say(address.rest).removeprefix('//')}".strip()
        try:
            self.session = _connect(address.rest).newSession()
            self.session.conf.set("spark.sql.session.timeZone", "UTC")
            self.session.conf.set("spark.sql.shuffle.partitions", str(min(16, self._cores())))
        except (PySparkException, RuntimeError, OSError) as error:
            raise DataError([Fault("", f"cannot be reached: {_explain(error, address)}", address.shown)]) from error

    def _cores(self) -> int:
        context = getattr(self.session, "_sc", None)
        return max(2, int(context.defaultParallelism)) if context is not None else 16

    def fetch(self, query: exp.Expr | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """The result of a query. Raises DataError for one that fails."""
        written = query if isinstance(query, str) else say(with_tables(query, frames), self.dialect)
        try:
            found = self.session.sql(written)
            rows = [tuple(row) for row in found.collect()]
        except Exception as error:  # py4j has errors of its own, and the JVM's come as they are
            raise DataError([Fault("", _explain(error, self.address))]) from error
        note(self.name, written, len(rows))
        return frame_of(found.columns, rows)

    def describe(self, query: exp.Expr) -> Described:
        """The columns of a query's result, by what Spark says of them."""
        try:
            kinds = self.session.sql(say(query, self.dialect)).dtypes
        except Exception as error:
            raise DataError([Fault("", _explain(error, self.address))]) from error
        columns = {
            name: kind.upper() if kind.startswith("decimal") else _TYPES.get(kind, "OTHER") for name, kind in kinds
        }
        return Described(columns, {name: "none" for name, type_ in columns.items() if type_ == "VARCHAR"})

    def tables(self) -> list[str]:
        """The tables and views of the current catalog, with their database where it is not the current one."""
        own = self.session.catalog.currentDatabase()
        databases = [each.name for each in self.session.catalog.listDatabases()]
        listed = [(each, table.name) for each in databases for table in self.session.catalog.listTables(each)]
        return [name if database == own else f"{database}.{name}" for database, name in listed]

    def close(self) -> None:
        """Leave the cluster's session to others of this process; it ends with it."""


def _connect(rest: str) -> Any:
    builder: Any = SparkSession.builder
    builder = builder.appName("dataops-nb")
    if rest.startswith("sc://"):
        return builder.remote(rest).getOrCreate()
    master = f"spark:{rest}" if rest.startswith("//") else rest
    if master:
        builder = builder.master(master)
    return builder.config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false").getOrCreate()


def stop() -> None:
    """End this process's own Spark, if there is one."""
    session = SparkSession.getActiveSession()
    if session is not None:
        session.stop()


def _explain(error: Exception, address: Address) -> str:
    """What went wrong, in one line: Spark's own condition and sentence, without its plan and stack."""
    said = str(error).strip()
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = (line for line in lines if not line.startswith(("An error occurred while calling", "pyspark.")))
    first = next(told, type(error).__name__)
    return address.say(first.partition("SQLSTATE")[0].strip()[:400])
