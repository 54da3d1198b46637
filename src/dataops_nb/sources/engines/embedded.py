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
from dataops_nb.sources.sql import say_error, texts


class Embedded:
    """One DuckDB in memory. It sees no Python variable, and reads only the folders that it is told of and `spill`."""

    dialect = "duckdb"

    def __init__(self, folders: Iterable[str], zone: str) -> None:
        self.spill = Path(tempfile.gettempdir()) / f"dataops-nb-spill-{os.getpid()}-{id(self):x}"
        self.con = duckdb.connect(
            ":memory:", config={"autoinstall_known_extensions": False, "autoload_known_extensions": False}
        )
        self.con.execute("set python_enable_replacements = false")
        self.con.execute("set TimeZone = ?", [zone])
        self.con.execute("set temp_directory = ?", [str(self.spill)])
        self.con.execute(f"set allowed_directories = [{texts([*folders, str(self.spill)])}]")
        self.con.execute("set enable_external_access = false")

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

    def close(self) -> None:
        """Free the memory and the temporary files."""
        self.con.close()
        shutil.rmtree(self.spill, ignore_errors=True)
