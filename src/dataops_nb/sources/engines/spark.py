"""Spark: a cluster by the address of its master, of its Connect server, or as it is configured.

Messages are without the secrets of an address, however the JVM words them.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession
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

LONGEST_MESSAGE = 400
MOST_PARTITIONS = 16
# The DuckDB names of Spark's types.
_SPARK = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "date": "DATE",
    "timestamp_ntz": "TIMESTAMP",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}


class Spark:
    """One session of a cluster.

    Its clock is UTC, so that only the query itself turns an instant into the company's zone.
    """

    dialect = "spark"
    exact = True

    def __init__(self, address: Address) -> None:
        self.address = address
        self.name = f"spark {address.say(address.rest).removeprefix('//')}".strip()
        try:
            self.session = _connect(address.rest).newSession()
            self.session.conf.set("spark.sql.session.timeZone", "UTC")
            partitions = min(MOST_PARTITIONS, self._cores())
            self.session.conf.set("spark.sql.shuffle.partitions", str(partitions))
        except (PySparkException, RuntimeError, OSError) as error:
            rule = f"cannot be reached: {_explain(error, address)}"
            raise DataError([Fault("", rule, address.shown)]) from error

    def _cores(self) -> int:
        """Return the cores of the cluster; a Connect session does not tell them."""
        context = getattr(self.session, "_sc", None)
        if context is None:
            return MOST_PARTITIONS
        return max(2, int(context.defaultParallelism))

    def fetch(self, query: exp.Expr | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """Return the result of a query; frames by keyword are tables in it.

        Raises DataError for a query that fails.
        """
        sql = say_with(query, frames, self.dialect)
        try:
            result = self.session.sql(sql)
            rows = [tuple(row) for row in result.collect()]
        except Exception as error:  # py4j has errors of its own, and the JVM's come as they are
            raise DataError([Fault("", _explain(error, self.address))]) from error
        log_query(self.name, sql, len(rows))
        return frame_of(result.columns, rows)

    def describe(self, query: exp.Expr) -> Described:
        """Return the columns of a query's result, with the types that Spark gives them."""
        try:
            types = self.session.sql(say(query, self.dialect)).dtypes
        except Exception as error:
            raise DataError([Fault("", _explain(error, self.address))]) from error
        columns: dict[str, str] = {}
        for name, type_ in types:
            if type_.startswith("decimal"):
                columns[name] = type_.upper()
            else:
                columns[name] = _SPARK.get(type_, "OTHER")
        return described(columns)

    def tables(self) -> list[str]:
        """List the tables and views of the current catalog.

        They are named with their database where it is not the current one.
        """
        catalog = self.session.catalog
        current = catalog.currentDatabase()
        names: list[str] = []
        for database in catalog.listDatabases():
            tables = [table.name for table in catalog.listTables(database.name)]
            names += with_place(tables, database.name, current)
        return names

    def close(self) -> None:
        """Leave the cluster's session to others of this process; it ends with it."""


def _connect(rest: str) -> Any:
    """Return a session by what follows `spark:` in a url."""
    builder: Any = SparkSession.builder
    builder = builder.appName("dataops-nb")
    if rest.startswith("sc://"):
        return builder.remote(rest).getOrCreate()
    master = rest
    if rest.startswith("//"):
        master = f"spark:{rest}"
    if master:
        builder = builder.master(master)
    builder = builder.config("spark.ui.enabled", "false")
    return builder.config("spark.ui.showConsoleProgress", "false").getOrCreate()


def stop() -> None:
    """End this process's own Spark, if there is one."""
    session = SparkSession.getActiveSession()
    if session is not None:
        session.stop()


def _explain(error: Exception, address: Address) -> str:
    """Return Spark's own condition and sentence in one line, without its plan and stack."""
    reason = type(error).__name__
    for line in str(error).splitlines():
        text = line.strip()
        if text and not text.startswith(("An error occurred while calling", "pyspark.")):
            reason = text
            break
    sentence = reason.partition("SQLSTATE")[0].strip()
    return address.say(sentence[:LONGEST_MESSAGE])
