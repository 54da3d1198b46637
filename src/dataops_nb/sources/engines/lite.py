"""SQLite files, opened for reading only: a wrong path is an error, never a new file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote as escape

import pandas as pd
from sqlglot import exp

from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.engines.addresses import Address, fault_of_file
from dataops_nb.sources.engines.interface import Described, frame_of, note
from dataops_nb.sources.engines.lite_functions import teach
from dataops_nb.sources.engines.speech import say
from dataops_nb.sources.engines.tables import with_tables
from dataops_nb.sources.evidence import Infer
from dataops_nb.sources.sql import quote

TOGETHER = 40
KINDS = ("integer", "real", "text", "blob")


class Lite:
    """One SQLite file. Its values have types, its columns have none, so what a column holds is counted."""

    dialect = "sqlite"
    exact = False

    def __init__(self, address: Address) -> None:
        self.address = address
        self.name = f"sqlite {address.path.name}"
        self.con = self._open()

    def _open(self) -> sqlite3.Connection:
        path, shown = self.address.path, self.address.shown
        if rule := fault_of_file(path):
            raise DataError([Fault("", rule, shown)])
        con = sqlite3.connect(f"file:{escape(str(path))}?mode=ro", uri=True, check_same_thread=False)
        try:
            con.execute("pragma query_only = on")
            con.execute("pragma case_sensitive_like = on")
            con.execute("select count(*) from sqlite_master").fetchall()
        except sqlite3.Error as error:
            con.close()
            raise DataError([Fault("", f"is no SQLite database that can be read: {error}", shown)]) from error
        teach(con)
        return con

    def fetch(self, query: exp.Expr | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """The result of a query; days are texts. Raises DataError for one that fails."""
        columns, rows = self._run(query if isinstance(query, str) else say(with_tables(query, frames), self.dialect))
        return frame_of(columns, rows)

    def _run(self, written: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        try:
            found = self.con.execute(written)
            rows = found.fetchall()
        except sqlite3.Error as error:
            raise DataError([Fault("", str(error))]) from error
        note(self.name, written, len(rows))
        return [column[0] for column in found.description or ()], rows

    def describe(self, query: exp.Expr) -> Described:
        """Each column by the values it holds: numbers where most are, else text that may hold days and stamps."""
        inner = say(query, self.dialect)
        columns, _ = self._run(f"select * from ({inner}) limit 0")
        found, infer = dict[str, str](), dict[str, Infer]()
        for start in range(0, len(columns), TOGETHER):
            some = columns[start : start + TOGETHER]
            counts = ", ".join(f"sum(typeof({quote(c)}) = '{kind}')" for c in some for kind in KINDS)
            row = iter(self._run(f"select {counts} from ({inner})")[1][0])
            for column in some:
                found[column], how = _judge({kind: next(row) or 0 for kind in KINDS})
                if how:
                    infer[column] = how
        return Described(found, infer)

    def tables(self) -> list[str]:
        """The tables and views there are."""
        _, rows = self._run("select name from sqlite_master where type in ('table', 'view') order by name")
        return [str(row[0]) for row in rows]

    def close(self) -> None:
        """Close the file."""
        self.con.close()


def _judge(counts: Mapping[str, int]) -> tuple[str, Infer | None]:
    if counts["blob"]:
        return "BLOB", None
    if not counts["text"]:
        return ("DOUBLE" if counts["real"] else "BIGINT" if counts["integer"] else "VARCHAR"), "times"
    return "VARCHAR", "all" if counts["integer"] + counts["real"] > counts["text"] else "times"
