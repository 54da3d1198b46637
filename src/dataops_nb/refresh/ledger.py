"""The ledger: every report that was ever started, and how it ended.

A row is written before a report starts and ends in exactly one of ok, failed, timed_out, killed, skipped. It outlives a
power cut (WAL, synchronous FULL), and a start finds what an earlier runner left behind. `whatif` is empty for the real
reports, `shard` for a refresh that is not shared out.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from dataops_nb.errors import LockedError, PublishError
from dataops_nb.refresh.plan import Planned

State = Literal["running", "ok", "failed", "timed_out", "killed", "skipped"]
ENDED: tuple[State, ...] = ("ok", "failed", "timed_out", "killed", "skipped")
WAIT = 30.0
_TABLES = f"""
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
    whatif text not null default '',
    shard text not null default '',
    made_of text,
    content text,
    check ((state = 'running') = (finished is null))
);
create index if not exists runs_by_report on runs (suite, report, id);
create table if not exists claims (key text primary key, run text not null, claimed text not null) without rowid;
create table if not exists files (
    path text primary key, size integer not null, mtime integer not null, seen integer not null, sha256 text not null,
    rows integer
) without rowid;
create table if not exists notices (key text primary key, said text not null, at text not null) without rowid;
create table if not exists undelivered (path text primary key) without rowid;
"""
_LATER = {
    "whatif": "text not null default ''",
    "shard": "text not null default ''",
    "made_of": "text",
    "content": "text",
}


@contextmanager
def opened(path: Path, wait: float | None = None) -> Iterator[sqlite3.Connection]:
    """The ledger at `path`, made where it is missing. LockedError where another program holds it for `wait` (30) seconds."""
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, timeout=WAIT if wait is None else wait, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        _prepare(connection)
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


def _prepare(ledger: sqlite3.Connection) -> None:
    """Make what is missing; the columns of a ledger that an earlier version wrote, too."""
    for statement in _TABLES.split(";\n"):
        ledger.execute(statement)
    have = {row["name"] for row in ledger.execute("pragma table_info(runs)")}
    for name, kind in _LATER.items():
        if name not in have:
            ledger.execute(f"alter table runs add column {name} {kind}")


@contextmanager
def together(ledger: sqlite3.Connection) -> Iterator[None]:
    """Several statements as one: all of them are in the ledger, or none."""
    ledger.execute("begin immediate")
    try:
        yield
    except BaseException:
        ledger.execute("rollback")
        raise
    ledger.execute("commit")


def claim(ledger: sqlite3.Connection, key: str, run: str) -> bool:
    """Whether this run is the first to claim `key`, which stands for one (report, period, parameters, code, inputs).

    Any number of processes may ask at once: one of them is told yes.
    """
    if ledger.execute("select 1 from claims where key = ?", (key,)).fetchone():
        return False
    added = ledger.execute("insert or ignore into claims (key, run, claimed) values (?, ?, ?)", (key, run, _now()))
    return added.rowcount == 1


def release(ledger: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Give claims back, so that what they stand for can be run again."""
    ledger.executemany("delete from claims where key = ?", [(key,) for key in keys])


def start(
    ledger: sqlite3.Connection,
    run: str,
    planned: Planned,
    as_of: dt.date,
    *,
    made_of: Mapping[str, Any] | None = None,
    shard: str = "",
) -> int:
    """Enter a report as running, before it starts; the id of its row."""
    return _enter(ledger, run, planned, as_of, state="running", made_of=made_of, shard=shard)


def skip(ledger: sqlite3.Connection, run: str, planned: Planned, as_of: dt.date, *, shard: str = "") -> int:
    """Enter a report that is left as it is, because nothing has changed."""
    return _enter(ledger, run, planned, as_of, state="skipped", made_of=None, shard=shard)


def _enter(
    ledger: sqlite3.Connection,
    run: str,
    planned: Planned,
    as_of: dt.date,
    *,
    state: State,
    made_of: Mapping[str, Any] | None,
    shard: str,
) -> int:
    now = _now()
    row = {
        "run": run,
        "suite": planned.suite,
        "report": planned.report,
        "period": planned.period,
        "as_of": as_of.isoformat(),
        "notebook": planned.notebook,
        "parameters": json.dumps(planned.parameters),
        "state": state,
        "pid": os.getpid(),
        "started": now,
        "finished": None if state == "running" else now,
        "seconds": None if state == "running" else 0.0,
        "error": None if state == "running" else planned.why,
        "whatif": planned.whatif,
        "shard": shard,
        "made_of": None if made_of is None else json.dumps(dict(made_of), sort_keys=True),
    }
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    added = ledger.execute(f"insert into runs ({names}) values ({marks})", tuple(row.values()))
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
    made_of: Mapping[str, Any] | None = None,
    content: str | None = None,
) -> None:
    """End a report that runs; `shown` is what the front page says of it once it is published.

    `made_of` is what it turned out to be made of, `content` the run id on its pages.
    """
    shown_ = None if shown is None else json.dumps(dict(shown))
    made_of_ = None if made_of is None else json.dumps(dict(made_of), sort_keys=True)
    ledger.execute(
        "update runs set state = ?, finished = ?, seconds = ?, code = ?, error = ?, shown = ?, content = ?,"
        " made_of = coalesce(?, made_of) where id = ? and state = 'running'",
        (state, _now(), round(seconds, 3), code, error, shown_, content, made_of_, id_),
    )


def reconcile(ledger: sqlite3.Connection, shard: str = "") -> list[str]:
    """End what an earlier runner left running, as killed; only the holder of the lock may say so. The reports' ids.

    What such a run had claimed can be claimed again.
    """
    mine = "state = 'running'" + (" and shard in (?, '')" if shard else "")
    left = ledger.execute(f"select id, run, report, pid from runs where {mine}", (shard,) if shard else ()).fetchall()
    for row in left:
        error = f"the runner (process {row['pid']}) ended before the report did"
        finish(ledger, row["id"], "killed", seconds=0.0, code=6, error=error)
    for run in {row["run"] for row in left}:
        ledger.execute("delete from claims where run = ?", (run,))
    return [row["report"] for row in left]


def rows(ledger: sqlite3.Connection, limit: int | None = 100, report: str | None = None) -> list[dict[str, Any]]:
    """The newest rows first, of all reports or of one, with `parameters` as a mapping."""
    found = ledger.execute(
        "select * from runs where ? is null or report = ? order by id desc limit ?",
        (report, report, -1 if limit is None else limit),
    ).fetchall()
    return [{**dict(row), "parameters": json.loads(row["parameters"])} for row in found]


def in_place(ledger: sqlite3.Connection, whatif: str = "") -> dict[tuple[str, str], dict[str, Any]]:
    """The row that made the pages which stand at (report, period) now."""
    found = ledger.execute(
        "select * from runs where id in (select max(id) from runs where state = 'ok' and whatif = ? group by report, period)",
        (whatif,),
    )
    return {(row["report"], row["period"]): dict(row) for row in found}


def last_failed(ledger: sqlite3.Connection, whatif: str = "") -> dict[tuple[str, str], dict[str, Any]]:
    """The last attempt of (report, period), where that did not come to a good end."""
    found = ledger.execute(
        "select * from runs where id in (select max(id) from runs where state not in ('running', 'skipped')"
        " and whatif = ? group by report, period) and state != 'ok'",
        (whatif,),
    )
    return {(row["report"], row["period"]): dict(row) for row in found}


def newest(
    ledger: sqlite3.Connection, suite: str, report: str, whatif: str = ""
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """What is shown of a report (its newest as-of that stands in its place), and its last attempt if that failed since."""
    mine = (suite, report, whatif)
    good = ledger.execute(
        "select * from runs where id in (select max(id) from runs where suite = ? and report = ? and whatif = ?"
        " and state = 'ok' group by period) order by as_of desc, id desc limit 1",
        mine,
    ).fetchone()
    last = ledger.execute(
        "select * from runs where suite = ? and report = ? and whatif = ? and state not in ('running', 'skipped')"
        " and as_of >= ? order by id desc limit 1",
        (*mine, good["as_of"] if good else ""),
    ).fetchone()
    failed = last if last is not None and last["state"] != "ok" else None
    return (dict(good) if good else None), (dict(failed) if failed else None)


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
