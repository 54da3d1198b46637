"""The ledger: every report that was ever started, and how it ended.

A row is written before a report starts and ends in exactly one of ok, failed, timed_out, killed, skipped. It outlives a
power cut (WAL, synchronous FULL), and a start finds what an earlier runner left behind.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from dataops_nb.errors import LockedError, PublishError
from dataops_nb.refresh.plan import Planned

State = Literal["running", "ok", "failed", "timed_out", "killed", "skipped"]
ENDED: tuple[State, ...] = ("ok", "failed", "timed_out", "killed", "skipped")
WAIT = 30.0
_TABLE = f"""
create table if not exists runs (
    id integer primary key,
    run text not null,
    suite text not null,
    report text not null,
    period text not null,
    as_of text not null,
    notebook text not null,
    parameters text not null,
    state text not null check (state in ({", ".join(repr(s) for s in ("running", *ENDED))})),
    pid integer not null,
    started text not null,
    finished text,
    seconds real,
    code integer not null default 0,
    error text,
    shown text,
    check ((state = 'running') = (finished is null))
)
"""
_INDEX = "create index if not exists runs_by_report on runs (suite, report, id)"


@contextmanager
def opened(path: Path, wait: float = WAIT) -> Iterator[sqlite3.Connection]:
    """The ledger at `path`, made where it is missing. LockedError where another program holds it for `wait` seconds."""
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, timeout=wait, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute(_TABLE)
        connection.execute(_INDEX)
        yield connection
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise LockedError(f"another program holds the ledger {path.name}") from error
        raise PublishError(f"the ledger {path.name} cannot be used: {error}") from error
    except sqlite3.DatabaseError as error:
        raise PublishError(f"the ledger {path.name} is damaged: {error}; move it away and refresh again") from error
    finally:
        if connection is not None:
            connection.close()


def start(ledger: sqlite3.Connection, run: str, planned: Planned, as_of: dt.date) -> int:
    """Enter a report as running, before it starts; the id of its row."""
    row = (
        run,
        planned.suite,
        planned.report,
        planned.period,
        as_of.isoformat(),
        planned.notebook,
        json.dumps(planned.parameters),
        os.getpid(),
        _now(),
    )
    added = ledger.execute(
        "insert into runs (run, suite, report, period, as_of, notebook, parameters, state, pid, started)"
        " values (?, ?, ?, ?, ?, ?, ?, 'running', ?, ?)",
        row,
    )
    return int(added.lastrowid or 0)


def finish(
    ledger: sqlite3.Connection,
    id_: int,
    state: State,
    *,
    seconds: float,
    code: int = 0,
    error: str | None = None,
    shown: Mapping[str, Any] | None = None,
) -> None:
    """End a report that runs; `shown` is what the front page says of it once it is published."""
    text = None if shown is None else json.dumps(dict(shown))
    ledger.execute(
        "update runs set state = ?, finished = ?, seconds = ?, code = ?, error = ?, shown = ?"
        " where id = ? and state = 'running'",
        (state, _now(), round(seconds, 3), code, error, text, id_),
    )


def reconcile(ledger: sqlite3.Connection) -> list[str]:
    """End what an earlier runner left running, as killed; only the holder of the lock may say so. The reports' ids."""
    left = ledger.execute("select id, report, pid from runs where state = 'running'").fetchall()
    for row in left:
        error = f"the runner (process {row['pid']}) ended before the report did"
        finish(ledger, row["id"], "killed", seconds=0.0, code=6, error=error)
    return [row["report"] for row in left]


def rows(ledger: sqlite3.Connection, limit: int = 100) -> list[dict[str, Any]]:
    """The newest rows first, with `parameters` as a mapping."""
    found = ledger.execute("select * from runs order by id desc limit ?", (limit,)).fetchall()
    return [{**dict(row), "parameters": json.loads(row["parameters"])} for row in found]


def published(ledger: sqlite3.Connection) -> dict[tuple[str, str], str]:
    """The newest as-of that was published, by report and period."""
    found = ledger.execute("select report, period, max(as_of) as as_of from runs where state = 'ok' group by 1, 2")
    return {(row["report"], row["period"]): row["as_of"] for row in found}


def newest(ledger: sqlite3.Connection, suite: str, report: str) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """What is shown of a report (its newest as-of that was published), and its last attempt if that failed since."""
    mine = (suite, report)
    good = ledger.execute(
        "select * from runs where suite = ? and report = ? and state = 'ok' order by as_of desc, id desc limit 1", mine
    ).fetchone()
    last = ledger.execute(
        "select * from runs where suite = ? and report = ? and state not in ('running', 'skipped')"
        " and as_of >= ? order by id desc limit 1",
        (*mine, good["as_of"] if good else ""),
    ).fetchone()
    failed = last if last is not None and last["state"] != "ok" else None
    return (dict(good) if good else None), (dict(failed) if failed else None)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
