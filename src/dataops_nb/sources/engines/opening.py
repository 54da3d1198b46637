"""Which engine stands behind an address; each is opened once, when the first source asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from dataops_nb.errors import DataError, Fault
from dataops_nb.sources.engines.addresses import Address, resolve
from dataops_nb.sources.engines.embedded import Embedded
from dataops_nb.sources.engines.interface import Engine
from dataops_nb.sources.engines.lite import Lite

DIALECTS = {
    "postgresql": "postgres", "postgres": "postgres", "cockroachdb": "postgres", "redshift": "redshift",
    "mysql": "mysql", "mariadb": "mysql", "mssql": "tsql", "oracle": "oracle", "snowflake": "snowflake",
    "bigquery": "bigquery", "trino": "trino", "databricks": "databricks", "clickhouse": "clickhouse",
}  # fmt: skip


class Engines:
    """The engines of a company's sources; the embedded DuckDB holds its files and its duckdb: databases."""

    def __init__(self, urls: Mapping[str, str], data: Path, folders: list[str], zone: str) -> None:
        self._addresses: dict[str, Address] = {}
        self._unknown: dict[str, DataError] = {}
        self._open: dict[str, Engine] = {}
        for source, url in urls.items():
            try:
                self._addresses[source] = resolve(source, url, data)
            except DataError as error:
                self._unknown[source] = error
        attached = [a.path for a in self._addresses.values() if a.scheme == "duckdb"]
        self.zone = zone
        self.embedded = Embedded(folders, zone, attached)

    def address(self, source: str) -> Address:
        """The address of a source; DataError where its variable is not set."""
        if source in self._unknown:
            raise self._unknown[source]
        return self._addresses[source]

    def engine(self, source: str) -> Engine:
        """The engine of a source; DataError where it cannot be reached."""
        address = self.address(source)
        if address.scheme == "duckdb":
            return self._attached(address)
        if address.url not in self._open:
            self._open[address.url] = _open(source, address, self.zone)
        return self._open[address.url]

    def catalog(self, source: str) -> str:
        """The name of an attached DuckDB file within the embedded one; empty for every other source."""
        address = self.address(source)
        found = self.embedded.databases.get(address.path) if address.scheme == "duckdb" else ""
        return found if isinstance(found, str) else ""

    def _attached(self, address: Address) -> Engine:
        found = self.embedded.databases[address.path]
        if isinstance(found, DataError):
            raise found
        return self.embedded

    def close(self) -> None:
        """Close all of them."""
        for engine in self._open.values():
            engine.close()
        self.embedded.close()


def _open(source: str, address: Address, zone: str) -> Engine:
    if address.scheme.partition("+")[0] == "sqlite":
        return Lite(address)
    if dialect := DIALECTS.get(address.scheme.partition("+")[0]):
        need(source, "sqlalchemy", "sql")
        from dataops_nb.sources.engines.server import Server  # noqa: PLC0415 -- of the extra `sql`

        return Server(address, dialect, zone)
    if address.scheme == "spark":
        need(source, "pyspark", "spark")
        from dataops_nb.sources.engines.sparks import Spark  # noqa: PLC0415 -- of the extra `spark`

        return Spark(address)
    raise DataError(
        [Fault(source, f"url: no engine knows {address.shown}; write duckdb:, sqlite:, spark: or a SQLAlchemy url")]
    )


def need(source: str, package: str, extra: str) -> None:
    """DataError that names the extra to install where a package is not there."""
    if find_spec(package) is None:
        rule = f"url: needs the package {package}, which is not installed; install dataops-nb[{extra}]"
        raise DataError([Fault(source, rule)])
