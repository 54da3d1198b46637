"""Keep every run, the words for how it ended (`ENDS`), and the lock of one refresh at a time.

A row is written before a report starts and ends in exactly one state of `ENDS`. It outlives a power
cut (WAL, synchronous FULL), and a start finds what an earlier runner left behind. `whatif` is empty
for the real reports, `shard` for a refresh that is not shared out.

A second refresh of one output folder is told who holds it. Shards of one refresh run beside each
other: each holds its own part, and only one of them publishes at a time.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from filelock import FileLock, Timeout

from dataops_nb.errors import KilledError, LockedError, PublishError, ReportError, TimedOutError
from dataops_nb.reports.plan import Planned

State = Literal["running", "ok", "failed", "timed_out", "killed", "skipped"]


class End(NamedTuple):
    """One way in which a run ends: in words, as an exit code, and whether it is tried again.

    A run that failed keeps the code of its own error. Tried again is what a scheduler asks for
    (`refresh --due`) although nothing has changed since.
    """

    words: str
    code: int
    again: bool = False


ENDS: dict[State, End] = {
    "ok": End("was published", 0),
    "failed": End("failed", ReportError.exit_code),
    "timed_out": End("took too long", TimedOutError.exit_code),
    "killed": End("was stopped", KilledError.exit_code, again=True),
    "skipped": End("was skipped", 0),
}
WAIT = 30.0  # seconds
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
    state text not null check (state in ({", ".join(repr(s) for s in ("running", *ENDS))})),
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
create table if not exists claims (
    key text primary key, run text not null, claimed text not null, shard text not null default ''
) without rowid;
create table if not exists notices (
    key text primary key, said text not null, at text not null
) without rowid;
create table if not exists undelivered (path text primary key) without rowid;
"""
# Made last, because they may be of columns that an earlier version did not have.
_INDEXES = """
create index if not exists runs_by_report on runs (suite, report, id);
create index if not exists runs_in_place on runs (report, whatif, state, period, id, as_of);
"""
_LATER = {
    "whatif": "text not null default ''",
    "shard": "text not null default ''",
    "made_of": "text",
    "content": "text",
}
FILE = "refresh.lock"
PUBLISHER = "publish.lock"
LOCK_WAIT = 300.0  # seconds


@contextmanager
def opened(path: Path, wait: float | None = None) -> Iterator[sqlite3.Connection]:
    """Open the ledger at `path`; it is made where it is missing.

    Raises LockedError where another program holds it for `wait` seconds (default 30).
    """
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            path, timeout=WAIT if wait is None else wait, isolation_level=None
        )
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
        raise PublishError(
            f"the ledger {path.name} is damaged: {error}; move it away and refresh again"
        ) from error
    finally:
        if connection is not None:
            connection.close()


def _prepare(ledger: sqlite3.Connection) -> None:
    """Make what is missing, also the columns that an earlier version did not have."""
    for statement in _TABLES.split(";\n"):
        ledger.execute(statement)
    have = {row["name"] for row in ledger.execute("pragma table_info(runs)")}
    for name, kind in _LATER.items():
        if name not in have:
            ledger.execute(f"alter table runs add column {name} {kind}")
    if not any(row["name"] == "shard" for row in ledger.execute("pragma table_info(claims)")):
        ledger.execute("alter table claims add column shard text not null default ''")
    for statement in _INDEXES.split(";\n"):
        ledger.execute(statement)


@contextmanager
def together(ledger: sqlite3.Connection) -> Iterator[None]:
    """Run several statements as one: all of them are in the ledger, or none."""
    ledger.execute("begin immediate")
    try:
        yield
    except BaseException:
        ledger.execute("rollback")
        raise
    ledger.execute("commit")


def claim(ledger: sqlite3.Connection, key: str, run: str, shard: str = "") -> bool:
    """Claim `key` for a run, or its shard, and tell whether it is the first to do so.

    The key stands for one (report, period, parameters, code, inputs). Of any number of processes
    that ask at once, one is told yes.
    """
    if ledger.execute("select 1 from claims where key = ?", (key,)).fetchone():
        return False
    added = ledger.execute(
        "insert or ignore into claims (key, run, claimed, shard) values (?, ?, ?, ?)",
        (key, run, _now(), shard),
    )
    return added.rowcount == 1


def release(ledger: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Give claims back, so that what they stand for can be run again."""
    ledger.executemany("delete from claims where key = ?", [(key,) for key in keys])


def free(ledger: sqlite3.Connection, runs: Path, shard: str = "") -> None:
    """Give back what runs have claimed that are over, however they ended.

    Only who holds the output may do so: beside the whole of it nobody runs, beside a shard the
    other shards may. What has been published is known by its row; a claim is only for meanwhile.
    """
    if not shard:
        ledger.execute("delete from claims")
        return
    over = {"", shard}
    for row in ledger.execute("select distinct shard from claims").fetchall():
        # Shards of one refresh start together, so the locks of these are not touched.
        if row["shard"] not in over and _count_of(row["shard"]) != _count_of(shard):
            with suppress(LockedError), _locked(_file(runs, row["shard"]), 0.0):
                over.add(row["shard"])
    ledger.executemany("delete from claims where shard = ?", [(name,) for name in over])


def _count_of(shard: str) -> str:
    return shard.partition("/")[2]


def start(
    ledger: sqlite3.Connection,
    run: str,
    planned: Planned,
    as_of: dt.date,
    *,
    made_of: Mapping[str, Any] | None = None,
    shard: str = "",
) -> int:
    """Enter a report as running, before it starts, and return the id of its row."""
    return _enter(ledger, run, planned, as_of, state="running", made_of=made_of, shard=shard)


def skip(
    ledger: sqlite3.Connection, run: str, planned: Planned, as_of: dt.date, *, shard: str = ""
) -> int:
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
        "update runs set state = ?, finished = ?, seconds = ?, code = ?, error = ?, shown = ?,"
        " content = ?, made_of = coalesce(?, made_of) where id = ? and state = 'running'",
        (state, _now(), round(seconds, 3), code, error, shown_, content, made_of_, id_),
    )


def reconcile(ledger: sqlite3.Connection, shard: str = "") -> list[str]:
    """End as killed what an earlier runner left running, and return the reports.

    Only the holder of the lock may do so.
    """
    query = "select id, run, report, pid from runs where state = 'running'"
    values: tuple[str, ...] = ()
    if shard:
        query += " and shard in (?, '')"
        values = (shard,)
    left = ledger.execute(query, values).fetchall()
    for row in left:
        error = f"interrupted: process {row['pid']} stopped first"
        code = ENDS["killed"].code
        finish(ledger, row["id"], "killed", seconds=0.0, code=code, error=error)
    return [row["report"] for row in left]


def rows(
    ledger: sqlite3.Connection, limit: int | None = 100, report: str | None = None
) -> list[dict[str, Any]]:
    """Return rows of all reports or of one, the newest first, with `parameters` as a mapping."""
    newest_first = ledger.execute(
        "select * from runs where ? is null or report = ? order by id desc limit ?",
        (report, report, -1 if limit is None else limit),
    ).fetchall()
    return [{**row, "parameters": json.loads(row["parameters"])} for row in newest_first]


def in_place(ledger: sqlite3.Connection, whatif: str = "") -> dict[tuple[str, str], dict[str, Any]]:
    """Return the rows that made the pages which stand now, by (report, period)."""
    last = ledger.execute(
        "select * from runs where id in (select max(id) from runs"
        " where state = 'ok' and whatif = ? group by report, period)",
        (whatif,),
    )
    return {(row["report"], row["period"]): dict(row) for row in last}


def last_failed(
    ledger: sqlite3.Connection, whatif: str = ""
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the last attempts that did not come to a good end, by (report, period)."""
    last = ledger.execute(
        "select * from runs where id in (select max(id) from runs"
        " where state not in ('running', 'skipped') and whatif = ? group by report, period)"
        " and state != 'ok'",
        (whatif,),
    )
    return {(row["report"], row["period"]): dict(row) for row in last}


def newest(
    ledger: sqlite3.Connection, suite: str, report: str, whatif: str = ""
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Return what is shown of a report, and its last attempt if that failed since.

    Shown is the newest as-of of the runs whose pages stand in their place.
    """
    mine = (suite, report, whatif)
    good = ledger.execute(
        "select * from runs where id in (select max(id) from runs"
        " where suite = ? and report = ? and whatif = ? and state = 'ok' group by period)"
        " order by as_of desc, id desc limit 1",
        mine,
    ).fetchone()
    last = ledger.execute(
        "select * from runs where suite = ? and report = ? and whatif = ?"
        " and state not in ('running', 'skipped') and as_of >= ? order by id desc limit 1",
        (*mine, good["as_of"] if good else ""),
    ).fetchone()
    failed = last if last is not None and last["state"] != "ok" else None
    return (dict(good) if good else None), (dict(failed) if failed else None)


def has_undelivered(ledger: sqlite3.Connection) -> bool:
    """Tell whether a notice that was written is still to be delivered."""
    return ledger.execute("select 1 from undelivered").fetchone() is not None


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


@contextmanager
def held(runs: Path, wait: float = 0.0, shard: str = "") -> Iterator[None]:
    """Hold the output folder whose private part is `runs`, or only a `shard` (1/4) of it.

    No other refresh may hold the whole folder meanwhile. LockedError names the process that does.
    """
    mine = _file(runs, shard)
    with _locked(mine, wait):
        _refuse_others(runs, shard, wait)
        holder = _holder(mine)
        try:
            holder.write_text(json.dumps({"pid": os.getpid()}), encoding="utf-8")
            yield
        finally:
            holder.unlink(missing_ok=True)


@contextmanager
def publishing(runs: Path) -> Iterator[None]:
    """Be the only one that publishes and writes the front page.

    LockedError where another one does so for five minutes.
    """
    with _locked(runs / PUBLISHER, LOCK_WAIT):
        yield


def _file(runs: Path, shard: str) -> Path:
    return runs / (f"refresh.{shard.replace('/', '-of-')}.lock" if shard else FILE)


@contextmanager
def _locked(path: Path, wait: float) -> Iterator[None]:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=wait)
    except Timeout:
        who = _who(_holder(path))
        raise LockedError(f"another refresh is running{who}") from None
    try:
        yield
    finally:
        lock.release()


def _refuse_others(runs: Path, shard: str, wait: float) -> None:
    """Refuse a whole refresh beside a shard, and a shard beside a whole refresh."""
    others = [runs / FILE]
    if not shard:
        names = re.compile(r"refresh\.\d+-of-\d+\.lock")
        others = [path for path in runs.glob("refresh.*.lock") if names.fullmatch(path.name)]
    for other in others:
        with _locked(other, wait):
            pass


def _holder(lock: Path) -> Path:
    return lock.with_suffix(".holder.json")


def _who(holder: Path) -> str:
    try:
        return f" (process {json.loads(holder.read_text(encoding='utf-8'))['pid']})"
    except (OSError, ValueError, KeyError):
        return ""
