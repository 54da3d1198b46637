"""The embedded DuckDB: it reads the files, in this process, and downloads nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import duckdb
import pandas as pd
from sqlglot import exp

from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.engines.addresses import fault_of_file
from dataops_nb.sources.engines.interface import Described
from dataops_nb.sources.sql import say_error, text, texts


class Embedded:
    """One DuckDB in memory. It sees no Python variable, and reads only the folders that it is told of and `spill`."""

    dialect = "duckdb"
    name = "files"
    exact = True

    def __init__(self, folders: Iterable[str], zone: str, databases: Iterable[Path] = ()) -> None:
        self.spill = Path(tempfile.gettempdir()) / f"dataops-nb-spill-{os.getpid()}-{id(self):x}"
        self.con = duckdb.connect(
            ":memory:", config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        )
        self.con.execute("set python_enable_replacements = false")
        if os.environ.get("DATAOPS_NB_REFRESH"):
            self.con.execute(
                "set enable_progress_bar = false"
            )  # a widget where nobody watches, and only when it is slow
        self.con.execute("set TimeZone = ?", [zone])
        self.con.execute("set temp_directory = ?", [str(self.spill)])
        self.databases = {path: self._attach(path, f"_nb_db{i}") for i, path in enumerate(dict.fromkeys(databases))}
        self.con.execute(f"set allowed_directories = [{texts([*folders, str(self.spill)])}]")
        self.con.execute("set enable_external_access = false")

    def _attach(self, path: Path, name: str) -> str | DataError:
        """The name under which a DuckDB file is open for reading, or why it is not."""
        if rule := fault_of_file(path):
            return DataError([Fault("", rule, path.name)])
        try:
            self.con.execute(f"attach {text(str(path))} as {name} (read_only, type duckdb)")
        except duckdb.Error as error:
            return DataError([Fault("", f"is no DuckDB database that can be read: {say_error(error)}", path.name)])
        return name

    def fetch(self, query: exp.Expr | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """The result of a query over what is loaded, and over frames by keyword. Raises DataError where it fails."""
        written = query if isinstance(query, str) else query.sql(dialect=self.dialect)
        try:
            for name, frame in frames.items():
                self.con.register(name, frame)
            return self.con.execute(written).df()
        except duckdb.Error as error:
            raise DataError([Fault("", f"the query fails: {say_error(error)}")]) from error
        finally:
            for name in frames:
                self.con.unregister(name)

    def describe(self, query: exp.Expr) -> Described:
        """The columns of a query's result."""
        try:
            rows = self.con.execute(f"describe {query.sql(dialect=self.dialect)}").fetchall()
        except duckdb.Error as error:
            raise DataError([Fault("", say_error(error))]) from error
        return Described({row[0]: row[1] for row in rows}, {row[0]: "none" for row in rows if row[1] == "VARCHAR"})

    def tables(self) -> list[str]:
        """The tables and views of the attached databases."""
        listed = (
            "select table_schema, table_name from information_schema.tables where starts_with(table_catalog, '_nb_db')"
        )
        rows = self.con.execute(f"select distinct * from ({listed}) order by all").fetchall()
        return [name if schema == "main" else f"{schema}.{name}" for schema, name in rows]

    def close(self) -> None:
        """Free the memory and the temporary files."""
        self.con.close()
        shutil.rmtree(self.spill, ignore_errors=True)
