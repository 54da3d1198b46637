"""The same company in four engines: its rows as files, and as tables of a database that holds nothing else."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import duckdb
import pytest

from dataops_nb import definitions, sources
from dataops_nb.sources.engines import Address

from .company import COMPANY, DEPARTMENT, TABLES, Table, write_csv
from .servers import Cluster, Postgres, fill_spark, find_programs

ENGINES = ["duckdb", "sqlite", "postgres", "spark"]
LITE = {
    "integer": "integer",
    "decimal": "real",
    "text": "text",
    "date": "text",
    "timestamp": "text",
}
DUCK = {
    "integer": "bigint",
    "decimal": "double",
    "text": "varchar",
    "date": "date",
    "timestamp": "timestamp",
}


class Lite:
    """A SQLite file, where dates are texts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, "sqlite:shop.db"

    def fill(self, tables: dict[str, Table]) -> None:
        with sqlite3.connect(self.folder / "shop.db") as con:
            for name, table in tables.items():
                columns = ", ".join(f"{c} {LITE[k]}" for c, k in table.columns.items())
                con.execute(f"create table {name} ({columns})")
                marks = ", ".join("?" for _ in table.columns)
                con.executemany(
                    f"insert into {name} values ({marks})",
                    [[_text(v) for v in row] for row in table.rows],
                )
        con.close()


def _text(value: object) -> object:
    return (
        value.isoformat(" ")
        if isinstance(value, dt.datetime)
        else str(value)
        if isinstance(value, dt.date)
        else value
    )


class Duck:
    """A DuckDB file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.url = folder, "duckdb:shop.duckdb"

    def fill(self, tables: dict[str, Table]) -> None:
        with duckdb.connect(str(self.folder / "shop.duckdb")) as con:
            for name, table in tables.items():
                columns = ", ".join(f"{c} {DUCK[k]}" for c, k in table.columns.items())
                con.execute(f"create table {name} ({columns})")
                if table.rows:
                    con.executemany(
                        f"insert into {name} values ({', '.join('?' for _ in table.columns)})",
                        table.rows,
                    )


@pytest.fixture(scope="module", params=ENGINES)
def shop(request, tmp_path_factory) -> Lite | Duck:
    """The company's rows in a database of each engine, in a folder that holds nothing else."""
    folder = tmp_path_factory.mktemp(request.param)
    found = (
        {"sqlite": Lite, "duckdb": Duck}[request.param](folder)
        if request.param in ("sqlite", "duckdb")
        else None
    )
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        server.fill("lumen", TABLES)
        return Shop(folder, server.url("lumen"))
    if request.param == "spark":
        url = request.getfixturevalue("spark").url
        from dataops_nb.sources.engines.spark import Spark

        engine = Spark(Address(url, folder))
        fill_spark(engine.session, folder, TABLES)
        return Shop(folder, url)
    found.fill(TABLES)
    return found


@dataclass(frozen=True)
class Shop:
    """A database that is filled: where relative paths start, and its url."""

    folder: Path
    url: str


@pytest.fixture(scope="session")
def spark(tmp_path_factory) -> Iterator[Cluster]:
    """A Spark cluster that runs for these tests: a master and a worker, and this process as their driver."""
    pyspark = find_spec("pyspark")
    if pyspark is None or pyspark.origin is None:
        pytest.skip("pyspark is not installed (the extra `spark`)")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed (Debian: openjdk-17-jre-headless)")
    cluster = Cluster(Path(pyspark.origin).parent)
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    warehouse = f"--conf spark.sql.warehouse.dir={tmp_path_factory.mktemp('warehouse')}"
    os.environ["PYSPARK_SUBMIT_ARGS"] = f"{warehouse} {cluster.options} pyspark-shell"
    yield cluster
    from dataops_nb.sources.engines.spark import stop

    stop()
    cluster.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server that runs for these tests."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)")
    server = Postgres(programs)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The company over csv files, by its company.yaml: what every engine is compared with."""
    folder = tmp_path_factory.mktemp("files")
    for name, table in TABLES.items():
        write_csv(folder / f"{name}.csv", table)
    known: dict[str, sources.Catalog] = {}

    def find(company: str = COMPANY) -> sources.Catalog:
        if company not in known:
            known[company] = open_company(folder, f"p{len(known)}", as_files(company))
        return known[company]

    yield find
    for catalog in known.values():
        catalog.close()


@pytest.fixture(scope="module")
def database(shop):
    """The company over the tables of a database, by its company.yaml."""
    known: dict[str, sources.Catalog] = {}

    def find(company: str = COMPANY) -> sources.Catalog:
        if company not in known:
            known[company] = open_company(
                shop.folder, f"p{len(known)}", company.replace("URL", shop.url)
            )
        return known[company]

    yield find
    for catalog in known.values():
        catalog.close()


def open_company(
    folder: Path, name: str, company: str, department: str = DEPARTMENT, as_of: str = "2026-03-31"
) -> sources.Catalog:
    """A catalog over a company written out, whose data are in the folder."""
    params = folder / name
    (params / "departments").mkdir(parents=True)
    (params / "company.yaml").write_text(company)
    (params / "departments" / "shop.yaml").write_text(department)
    return sources.open(definitions.load(params), folder, dt.date.fromisoformat(as_of))


def as_files(company: str) -> str:
    """The company with a csv file where it has a table."""
    return re.sub(r'url: "URL", table: (\w+)', r"path: \1.csv", company)
