"""A PostgreSQL server of our own: in a private folder, on a private port, as a user who is not root."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy

from .company import Table

PASSWORD = "p@ss:w/rd-7"  # with signs that a url has to escape
KINDS = {
    "integer": "integer",
    "decimal": "numeric(12, 4)",
    "text": "text",
    "date": "date",
    "timestamp": "timestamp",
}


def find_programs() -> Path | None:
    """The folder with initdb and postgres, of the newest version that is installed."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    newest = (
        max(found, key=lambda p: int(p.parts[-3])) if found else Path(on_path) if on_path else None
    )
    return newest.parent if newest else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Postgres:
    """A running server with a database for each company; its texts are sorted as English readers expect."""

    def __init__(self, programs: Path) -> None:
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="nb-pg-")), free_port()
        self.user: dict[str, Any] = {}
        if os.geteuid() == 0:  # the server refuses to run as root
            who = next(pwd.getpwnam(name) for name in ("postgres", "nobody") if _is_known(name))
            os.chown(self.folder, who.pw_uid, who.pw_gid)
            self.user = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        data = self.folder / "data"
        locale = [
            "--locale-provider=icu",
            "--icu-locale=en-US",
            "--locale=C.UTF-8",
            "--encoding=UTF8",
        ]
        self._do(
            programs / "initdb",
            "-D",
            data,
            "-U",
            "owner",
            "-A",
            "scram-sha-256",
            f"--pwfile={secret}",
            *locale,
            "--no-sync",
        )
        options = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self.folder}",
            "fsync=off",
            "shared_buffers=32MB",
        ]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [programs / "postgres", "-D", data, *[word for o in options for word in ("-c", o)]],
                stdout=log, stderr=log, cwd=self.folder, **self.user,
            )  # fmt: skip
        self.engine = sqlalchemy.create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        self._wait()

    def _do(self, *words: Any) -> None:
        done = subprocess.run(
            [str(w) for w in words],
            capture_output=True,
            text=True,
            cwd=self.folder,
            check=False,
            **self.user,
        )
        assert done.returncode == 0, done.stderr

    def _wait(self) -> None:
        for _ in range(300):
            try:
                with self.engine.connect():
                    return
            except sqlalchemy.exc.OperationalError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.1)
        raise AssertionError("PostgreSQL did not start")

    def url(
        self, database: str, *, user: str = "owner", password: str = PASSWORD, port: int = 0
    ) -> str:
        made = sqlalchemy.URL.create(
            "postgresql+psycopg", user, password, "127.0.0.1", port or self.port, database
        )
        return made.render_as_string(hide_password=False)

    def execute(self, database: str, *statements: str) -> None:
        engine = sqlalchemy.create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        with engine.connect() as con:
            for statement in statements:
                con.exec_driver_sql(statement)
        engine.dispose()

    def fill(self, database: str, tables: dict[str, Table], schema: str = "public") -> None:
        """A new database with these tables, and a user `reader` who may read them and nothing else."""
        self.execute("postgres", f"create database {database}")
        engine = sqlalchemy.create_engine(self.url(database))
        with engine.begin() as con:
            for name, table in tables.items():
                columns = ", ".join(f"{c} {KINDS[k]}" for c, k in table.columns.items())
                con.exec_driver_sql(f"create table {schema}.{name} ({columns})")
                marks = ", ".join("%s" for _ in table.columns)
                con.exec_driver_sql(
                    f"insert into {schema}.{name} values ({marks})",
                    [tuple(row) for row in table.rows],
                )
        engine.dispose()

    def stop(self) -> None:
        self.engine.dispose()
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def _is_known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # a short life: start fast, compile little
SPARK_KINDS = {
    "integer": "bigint",
    "decimal": "double",
    "text": "string",
    "date": "date",
    "timestamp": "timestamp_ntz",
}


class Cluster:
    """A Spark master and a worker of our own, as processes on this machine's own address."""

    def __init__(self, programs: Path) -> None:
        self.folder, self.port = Path(tempfile.mkdtemp(prefix="nb-spark-")), free_port()
        self.options = f'--conf spark.driver.extraJavaOptions="{QUICK}" --conf spark.executor.extraJavaOptions="{QUICK}" --driver-memory 1g'
        self.environment = os.environ | {
            "SPARK_HOME": str(programs), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_DIRS": str(self.folder / "local"),
            "SPARK_WORKER_DIR": str(self.folder / "work"), "PYSPARK_PYTHON": sys.executable, "SPARK_DAEMON_JAVA_OPTS": QUICK,
        }  # fmt: skip
        deploy, ui = "org.apache.spark.deploy", free_port()
        self.processes = [
            self._start(
                programs, f"{deploy}.master.Master", "--port", self.port, "--webui-port", ui
            )
        ]
        self.url = f"spark://127.0.0.1:{self.port}"
        self._wait("Master", "I have been elected leader")
        self.processes.append(
            self._start(
                programs,
                f"{deploy}.worker.Worker",
                "--cores",
                2,
                "--memory",
                "2g",
                "--webui-port",
                free_port(),
                self.url,
            )
        )
        self._wait("Worker", "Successfully registered with master")

    def _start(self, programs: Path, name: str, *words: Any) -> subprocess.Popen[bytes]:
        command = [programs / "bin" / "spark-class", name, "--host", "127.0.0.1", *words]
        with (self.folder / f"{name.rpartition('.')[2]}.log").open("wb") as log:
            return subprocess.Popen(
                [str(w) for w in command],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self.environment,
            )

    def _wait(self, name: str, words: str) -> None:
        log = self.folder / f"{name}.log"
        for _ in range(600):
            if words in log.read_text(errors="replace"):
                return
            assert self.processes[-1].poll() is None, log.read_text(errors="replace")
            time.sleep(0.1)
        raise AssertionError(log.read_text(errors="replace"))

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


def fill_spark(session: Any, folder: Path, tables: dict[str, Table]) -> None:
    """Tables of the session's catalog over parquet files in a folder that all of the cluster see."""
    for name, table in tables.items():
        schema = ", ".join(f"{c} {SPARK_KINDS[k]}" for c, k in table.columns.items())
        frame = session.createDataFrame([tuple(row) for row in table.rows], schema)
        frame.coalesce(1).write.mode("overwrite").option("path", str(folder / name)).saveAsTable(
            name
        )
