"""SQLite files, opened for reading only: a wrong path is an error, never a new file.

Apart from its `functions`, which the dialects need too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote as escape

import pandas as pd
from sqlglot import exp

from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.engines import Address, Described, fault_of_file, frame_of, log_query
from dataops_nb.sources.engines.dialects import say, with_tables
from dataops_nb.sources.engines.functions import teach
from dataops_nb.sources.evidence import Infer, quote

COLUMNS_PER_QUERY = 40
KINDS = ("integer", "real", "text", "blob")


class Lite:
    """One SQLite file.

    Its values have types, its columns have none, so the kinds of a column's values are counted.
    """

    dialect = "sqlite"
    exact = False

    def __init__(self, address: Address) -> None:
        self.address = address
        self.name = f"sqlite {address.path.name}"
        self.con = self._open()

    def _open(self) -> sqlite3.Connection:
        path, shown = self.address.path, self.address.shown
        rule = fault_of_file(path)
        if rule:
            raise DataError([Fault("", rule, shown)])
        uri = f"file:{escape(str(path))}?mode=ro"
        con = sqlite3.connect(uri, uri=True, check_same_thread=False)
        try:
            con.execute("pragma query_only = on")
            con.execute("pragma case_sensitive_like = on")
            con.execute("select count(*) from sqlite_master").fetchall()
        except sqlite3.Error as error:
            con.close()
            rule = f"is no SQLite database that can be read: {error}"
            raise DataError([Fault("", rule, shown)]) from error
        teach(con)
        return con

    def fetch(self, query: exp.Expr | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """Return the result of a query; days are texts. Raises DataError for one that fails."""
        sql = query
        if not isinstance(sql, str):
            sql = say(with_tables(sql, frames), self.dialect)
        columns, rows = self._run(sql)
        return frame_of(columns, rows)

    def _run(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Return the names of a result's columns, and its rows."""
        try:
            cursor = self.con.execute(sql)
            rows = cursor.fetchall()
        except sqlite3.Error as error:
            raise DataError([Fault("", str(error))]) from error
        log_query(self.name, sql, len(rows))
        return [column[0] for column in cursor.description or ()], rows

    def describe(self, query: exp.Expr) -> Described:
        """Type each column by its values: numbers where most are, else text that may hold times."""
        inner = say(query, self.dialect)
        columns, _ = self._run(f"select * from ({inner}) limit 0")
        described = Described({})
        for start in range(0, len(columns), COLUMNS_PER_QUERY):
            part = columns[start : start + COLUMNS_PER_QUERY]
            for column, counts in zip(part, self._kinds(part, inner), strict=True):
                type_, infer = _judge(counts)
                described.columns[column] = type_
                if infer is not None:
                    described.infer[column] = infer
        return described

    def _kinds(self, columns: list[str], inner: str) -> list[dict[str, int]]:
        """Count the values of each kind in each column of a query."""
        counts: list[str] = []
        for column in columns:
            counts += [f"sum(typeof({quote(column)}) = '{kind}')" for kind in KINDS]
        _, rows = self._run(f"select {', '.join(counts)} from ({inner})")
        numbers = iter(rows[0])
        kinds: list[dict[str, int]] = []
        for _ in columns:
            # No rows have no sums.
            kinds.append({kind: next(numbers) or 0 for kind in KINDS})
        return kinds

    def tables(self) -> list[str]:
        """List the tables and views."""
        listed = "select name from sqlite_master where type in ('table', 'view') order by name"
        _, rows = self._run(listed)
        return [str(row[0]) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self.con.close()


def _judge(counts: Mapping[str, int]) -> tuple[str, Infer | None]:
    """Return the DuckDB type of a column's values, and what its texts may hold."""
    if counts["blob"]:
        return "BLOB", None
    if counts["text"]:
        if counts["integer"] + counts["real"] > counts["text"]:
            return "VARCHAR", "all"
        return "VARCHAR", "times"
    if counts["real"]:
        return "DOUBLE", "times"
    if counts["integer"]:
        return "BIGINT", "times"
    return "VARCHAR", "times"
