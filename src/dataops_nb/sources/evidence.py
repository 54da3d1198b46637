"""Rows that break a rule, as faults a person can find in the file: file, physical line or sheet row, column, value.

A relation that can be searched for evidence has a hidden column `__source_row` (0-based, over all its files); its parts know
which rows came from which file and where they stand in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dataops_nb.errors import Fault
from dataops_nb.sources.sql import Connection, first_row, names, quote

Infer = Literal["all", "times", "none"]
ROW = "__source_row"
LISTED = 20


@dataclass(frozen=True)
class Notice:
    """Something true about a source's rows that is no fault but must be said: `count` rows, and what became of them."""

    source: str
    text: str
    count: int

    def __str__(self) -> str:
        return f"source {self.source}: {self.count} {self.text}"


@dataclass(frozen=True)
class Part:
    """One file's rows within a relation: `start` to `start + count - 1`; `lines` finds their places in the file."""

    file: str
    path: Path
    start: int
    count: int
    lines: Callable[[], Sequence[int]] | None = None

    def place(self, row: int, found: Sequence[int] | None) -> int:
        """The physical line, sheet row or 1-based data row of a relation's row."""
        within = row - self.start
        return found[within] if found is not None and within < len(found) else within + 1


@dataclass(frozen=True)
class Raw:
    """A source as read, before its types are agreed.

    `relation` is SQL that selects the columns and the hidden row number; `scan` the same without it; `infer` says of each
    text column whether `all` types, only `times`, or no types (`none`) may be read out of it; `table` is whether the rows
    stand in a table of ours. In a database `place` is the table (empty for a query), and `keys` tell its rows apart.
    """

    relation: str
    scan: str
    columns: dict[str, str]
    parts: list[Part] = field(default_factory=list)
    infer: dict[str, Infer] = field(default_factory=dict)
    rows: int = 0
    table: bool = True
    place: str | None = None
    keys: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The first file's name, or the database's table, or an empty string for a query's result."""
        return self.parts[0].file if self.parts else self.place or ""

    @property
    def elsewhere(self) -> bool:
        """Whether the rows stand in a database, where a row has a key rather than a line."""
        return self.place is not None


@dataclass(frozen=True)
class Check:
    """A rule as an SQL condition that is true for the rows which break it; `shown` is the SQL of the value to show."""

    column: str
    rule: str
    condition: str
    shown: str


def check_value(column: str, rule: str, condition: str) -> Check:
    """A check that shows the column's own value."""
    return Check(column, rule, condition, f"cast({quote(column)} as varchar)")


def list_faults(con: Connection, source: str, raw: Raw, checks: Sequence[Check]) -> list[Fault]:
    """Every fault that the checks find, at most 20 a file, rule and column, then one that counts the rest."""
    if not checks or not raw.rows:
        return []
    if raw.elsewhere:
        return list_by_key(con, source, raw, checks)
    counts = ", ".join(f"count(*) filter (where {c.condition})" for c in checks)
    found = first_row(con, f"select {counts} from ({raw.relation})") or ()
    places = Places(raw)
    return [
        f for check, count in zip(checks, found, strict=True) if count for f in _list_one(con, source, places, check)
    ]


def list_by_key(con: Connection, source: str, raw: Raw, checks: Sequence[Check]) -> list[Fault]:
    """The same in a database: rows are told by their key, and a rule that asks other rows is counted by itself."""
    plain = [c for c in checks if not _asks_others(c)]
    counts = ", ".join(f"count(*) filter (where {c.condition})" for c in plain)
    found = dict(zip(plain, first_row(con, f"select {counts} from ({raw.scan})") or (), strict=True)) if plain else {}
    faults: list[Fault] = []
    for check in checks:
        rows = f"({raw.relation if ROW in check.condition else raw.scan}) where {check.condition}"
        count = found[check] if check in found else (first_row(con, f"select count(*) from {rows}") or (0,))[0]
        if count:
            faults += _name_rows(con, source, raw, check, rows=rows)
        if count and count > LISTED:
            faults.append(Fault(source, f"and {count - LISTED} more: {check.rule}", raw.file, None, check.column))
    return faults


def _asks_others(check: Check) -> bool:
    return ROW in check.condition or "select " in check.condition


def _name_rows(con: Connection, source: str, raw: Raw, check: Check, *, rows: str, most: int = LISTED) -> list[Fault]:
    texts = ", ".join(f"cast({quote(k)} as varchar)" for k in raw.keys)
    order = f"order by {names(raw.keys)}" if raw.keys else ""
    query = f"select {check.shown}{', ' + texts if texts else ''} from {rows} {order} limit {most}"
    return [
        Fault(
            source,
            check.rule,
            raw.file,
            None,
            check.column,
            None if row[0] is None else str(row[0]),
            say_key(raw, row[1:]),
        )
        for row in con.execute(query).fetchall()
    ]


def find_first(con: Connection, source: str, raw: Raw, check: Check) -> Fault | None:
    """The first row in a database that breaks a rule; None where there is none."""
    rows = f"({raw.scan}) where {check.condition}"
    return next(iter(_name_rows(con, source, raw, check, rows=rows, most=1)), None)


def say_key(raw: Raw, values: Sequence[str | None]) -> str:
    """A row's key in words: `deal_id 17`; empty where the source has none."""
    return ", ".join(f"{k} {'(empty)' if v is None else v}" for k, v in zip(raw.keys, values, strict=False))


class Places:
    """Finds the rows of a relation in its files; a file is looked through once, only for a row asked for."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self._lines: dict[int, Sequence[int] | None] = {}

    def part(self, row: int) -> int:
        """The index of the part that holds a row."""
        return next((i for i, p in enumerate(self.raw.parts) if p.start <= row < p.start + p.count), -1)

    def find(self, row: int) -> tuple[str, int | None]:
        """File and place of a row; an empty file and None for a query's result."""
        index = self.part(row)
        if index < 0:
            return "", None
        part = self.raw.parts[index]
        if index not in self._lines:
            self._lines[index] = part.lines() if part.lines else None
        return part.file, part.place(row, self._lines[index])

    def say(self, rows: Sequence[int]) -> str:
        """Rows in words: `rows 3 and 7`, with the files where they differ; empty for a query's result."""
        found = [self.find(r) for r in rows]
        if any(row is None for _, row in found):
            return ""
        several = len({file for file, _ in found}) > 1
        listed = [f"{file}:{row}" if several else str(row) for file, row in found]
        return "rows " + (" and ".join(listed) if len(listed) <= 2 else ", ".join(listed[:-1]) + " and " + listed[-1])


def _list_one(con: Connection, source: str, places: Places, check: Check) -> list[Fault]:
    raw = places.raw
    bounds = (
        ", ".join(f"({i}, {p.start}, {p.start + p.count})" for i, p in enumerate(raw.parts)) or f"(0, 0, {raw.rows})"
    )
    query = f"""
        select part, {ROW}, shown, count(*) over (partition by part) as broken from (
            select {ROW}, {check.shown} as shown from ({raw.relation}) where {check.condition}
        ) join (values {bounds}) as parts(part, low, high) on {ROW} >= low and {ROW} < high
        qualify row_number() over (partition by part order by {ROW}) <= {LISTED}
        order by {ROW}"""
    faults: list[Fault] = []
    rest: dict[str, int] = {}
    for _, row, shown, broken in con.execute(query).fetchall():
        file, place = places.find(row)
        faults.append(Fault(source, check.rule, file, place, check.column, shown))
        if broken > LISTED:
            rest[file] = broken - LISTED
    return faults + [Fault(source, f"and {n} more: {check.rule}", file, None, check.column) for file, n in rest.items()]


def name_damage(source: str, said: str, parts: Sequence[Part]) -> Fault:
    """What a database said about a file that it cannot read to its end, with the file's name in place of its path."""
    part = next((p for p in parts if str(p.path) in said), parts[0] if len(parts) == 1 else None)
    if part is None:
        return Fault(source, f"cannot be read: {said}")
    return Fault(source, f"is damaged: {said.replace(str(part.path), part.file)}; export it again", part.file)


def cap_faults(faults: Sequence[Fault]) -> list[Fault]:
    """The first 20 faults of one file, rule and column, and one that counts the others."""
    if len(faults) <= LISTED:
        return list(faults)
    last = faults[-1]
    return [
        *faults[:LISTED],
        Fault(last.source, f"and {len(faults) - LISTED} more rows like these", last.file, None, last.column),
    ]
