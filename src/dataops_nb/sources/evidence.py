"""Rows that break a rule, as faults that a person can find: file, line or sheet row, column, value.

A `Raw` relation that can be searched has a hidden column `__source_row`, counted from 0 over all
its files; its parts know which rows came from which file, and on which line they stand. Rows in a
database have no line: they are told by their key.

Here are also the few words of SQL that everything in `sources` writes: names, texts, and the first
row of a result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from dataops_nb.errors import Fault

Infer = Literal["all", "times", "none"]
ROW = "__source_row"
LISTED = 20


# --- relations -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Notice:
    """A remark about `count` rows of a source that is no fault: what became of them."""

    source: str
    text: str
    count: int

    def __str__(self) -> str:
        return f"source {self.source}: {self.count:,} {self.text}"


def name_repeats(count: int) -> str:
    """Say what became of rows that repeat another one in all columns, as a notice's text."""
    repeats = "identical repeat of a row was" if count == 1 else "identical repeats of a row were"
    return f"{repeats} counted once"


def name_older(count: int, latest: str | None) -> str:
    """Say what became of rows whose key has a later one, as a notice's text."""
    older = "older row is" if count == 1 else "older rows are"
    return f"{older} left out: only the latest row of each key was kept (by {latest})"


@dataclass(frozen=True)
class Part:
    """One file's rows within a relation: `start` to `start + count - 1`.

    `lines` finds the physical line of each row in the file.
    """

    file: str
    path: Path
    start: int
    count: int
    lines: Callable[[], Sequence[int]] | None = None

    def place(self, row: int, lines: Sequence[int] | None) -> int:
        """Return the physical line, sheet row or 1-based data row of a relation's row."""
        row_in_file = row - self.start
        if lines is not None and row_in_file < len(lines):
            return lines[row_in_file]
        return row_in_file + 1


@dataclass(frozen=True)
class Raw:
    """A source as read, before its types are agreed.

    `relation` is SQL that selects the columns and the hidden row number; `scan` the same without
    it. `infer` says of each text column whether `all` types, only `times`, or no types (`none`) may
    be read out of it. `table` is whether the rows stand in a table of ours. In a database `place`
    is the table (empty for a query), and `keys` tell its rows apart.
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
        """The first file's name, or the database's table; empty for the result of a query."""
        if self.parts:
            return self.parts[0].file
        return self.place or ""

    @property
    def elsewhere(self) -> bool:
        """Whether the rows stand in a database, where a row has a key rather than a line."""
        return self.place is not None


class Places:
    """Finds the rows of a relation in its files; each file is read at most once, when needed."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self._lines: dict[int, Sequence[int] | None] = {}

    def find(self, row: int) -> tuple[str, int | None]:
        """Return the file and place of a row; an empty file and None for a query's result."""
        for index, part in enumerate(self.raw.parts):
            if part.start <= row < part.start + part.count:
                if index not in self._lines:
                    self._lines[index] = part.lines() if part.lines else None
                return part.file, part.place(row, self._lines[index])
        return "", None

    def say(self, rows: Sequence[int]) -> str:
        """Name rows: `rows 3 and 7`, with their files where these differ.

        Returns an empty string for a query's result.
        """
        places = [self.find(row) for row in rows]
        files = {file for file, _ in places}
        words = []
        for file, place in places:
            if place is None:
                return ""
            words.append(f"{file}:{place}" if len(files) > 1 else str(place))
        if len(words) <= 2:
            return "rows " + " and ".join(words)
        return "rows " + ", ".join(words[:-1]) + " and " + words[-1]


# --- rules and their faults ----------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    """A rule as SQL: `condition` holds for the rows that break it, `shown` is the value to show."""

    column: str
    rule: str
    condition: str
    shown: str


def check_value(column: str, rule: str, condition: str) -> Check:
    """Return a check that shows the column's own value."""
    return Check(column, rule, condition, f"cast({quote(column)} as varchar)")


def list_faults(con: Connection, source: str, raw: Raw, checks: Sequence[Check]) -> list[Fault]:
    """List the rows that break the checks: at most 20 a file, rule and column, then a count."""
    if not checks or not raw.rows:
        return []
    if raw.elsewhere:
        return list_by_key(con, source, raw, checks)
    counts = _count_broken(con, raw.relation, checks)
    places = Places(raw)
    faults = []
    for check, count in zip(checks, counts, strict=True):
        if count:
            faults += _list_by_place(con, source, places, check)
    return faults


def _count_broken(con: Connection, relation: str, checks: Sequence[Check]) -> tuple[int, ...]:
    """Count the rows that break each check, in one query over the relation."""
    if not checks:
        return ()
    counts = [f"count(*) filter (where {check.condition})" for check in checks]
    return first_row(con, f"select {', '.join(counts)} from ({relation})") or ()


def _list_by_place(con: Connection, source: str, places: Places, check: Check) -> list[Fault]:
    raw = places.raw
    bounds = [(i, part.start, part.start + part.count) for i, part in enumerate(raw.parts)]
    listed = ", ".join(str(bound) for bound in bounds or [(0, 0, raw.rows)])
    broken_rows = f"""
        select {ROW}, {check.shown} as shown
        from ({raw.relation})
        where {check.condition}"""
    query = f"""
        select part, {ROW}, shown, count(*) over (partition by part) as broken
        from ({broken_rows})
        join (values {listed}) as parts(part, low, high) on {ROW} >= low and {ROW} < high
        qualify row_number() over (partition by part order by {ROW}) <= {LISTED}
        order by {ROW}"""
    faults = []
    more_by_file = {}
    for _, row, shown, broken in con.execute(query).fetchall():
        file, place = places.find(row)
        faults.append(Fault(source, check.rule, file, place, check.column, shown))
        if broken > LISTED:
            more_by_file[file] = broken - LISTED
    for file, more in more_by_file.items():
        faults.append(_count_more(source, check, file, more))
    return faults


def _count_more(source: str, check: Check, file: str, more: int) -> Fault:
    return Fault(source, f"and {more} more: {check.rule}", file, None, check.column)


def list_by_key(con: Connection, source: str, raw: Raw, checks: Sequence[Check]) -> list[Fault]:
    """List the rows of a database that break the checks, as `list_faults` does; by their key.

    A check that looks at other rows is counted by itself, because it needs a query of its own.
    """
    plain = [check for check in checks if not _looks_at_others(check)]
    counts = dict(zip(plain, _count_broken(con, raw.scan, plain), strict=True))
    faults = []
    for check in checks:
        relation = raw.relation if ROW in check.condition else raw.scan
        broken_rows = f"({relation}) where {check.condition}"
        if check not in counts:
            row = first_row(con, f"select count(*) from {broken_rows}") or (0,)
            counts[check] = row[0]
        if counts[check]:
            faults += _name_by_key(con, source, raw, check, rows=broken_rows)
        if counts[check] > LISTED:
            faults.append(_count_more(source, check, raw.file, counts[check] - LISTED))
    return faults


def _looks_at_others(check: Check) -> bool:
    return ROW in check.condition or "select " in check.condition


def _name_by_key(
    con: Connection, source: str, raw: Raw, check: Check, *, rows: str, most: int = LISTED
) -> list[Fault]:
    keys = [f"cast({quote(key)} as varchar)" for key in raw.keys]
    chosen = ", ".join([check.shown, *keys])
    order = f"order by {names(raw.keys)}" if raw.keys else ""
    query = f"select {chosen} from {rows} {order} limit {most}"
    faults = []
    for shown, *key in con.execute(query).fetchall():
        value = None if shown is None else str(shown)
        where = say_key(raw, key)
        faults.append(Fault(source, check.rule, raw.file, None, check.column, value, where))
    return faults


def find_first(con: Connection, source: str, raw: Raw, check: Check) -> Fault | None:
    """Return the first row in a database that breaks a rule; None where there is none."""
    broken_rows = f"({raw.scan}) where {check.condition}"
    faults = _name_by_key(con, source, raw, check, rows=broken_rows, most=1)
    return faults[0] if faults else None


def say_key(raw: Raw, values: Sequence[str | None]) -> str:
    """Name a row by its key: `deal_id 17`; empty where the source has none."""
    words = []
    for key, value in zip(raw.keys, values, strict=False):
        words.append(f"{key} (empty)" if value is None else f"{key} {value}")
    return ", ".join(words)


def name_damage(source: str, message: str, parts: Sequence[Part]) -> Fault:
    """Return the fault of a file that a database cannot read to its end.

    In the database's message the file's name takes the place of its path.
    """
    named = [part for part in parts if str(part.path) in message]
    if not named and len(parts) != 1:
        return Fault(source, f"cannot be read: {message}")
    part = (named or parts)[0]
    shown = message.replace(str(part.path), part.file)
    return Fault(source, f"is damaged: {shown}; export it again", part.file)


def cap_faults(faults: Sequence[Fault]) -> list[Fault]:
    """Keep the first 20 faults of one file, rule and column, and add one that counts the others."""
    capped = list(faults[:LISTED])
    more = len(faults) - LISTED
    if more > 0:
        last = faults[-1]
        rule = f"and {more} more rows like these"
        capped.append(Fault(last.source, rule, last.file, None, last.column))
    return capped


# --- SQL -----------------------------------------------------------------------------------------


class Result(Protocol):
    """The result of a query."""

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all its rows."""


class Connection(Protocol):
    """Runs SQL in DuckDB's words: DuckDB itself, or an engine that translates them."""

    def execute(self, query: str, /) -> Result:
        """Return the result of a query."""


def quote(name: str) -> str:
    """Write a name as an identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Write a text as a literal."""
    return "'" + value.replace("'", "''") + "'"


def texts(values: Iterable[str]) -> str:
    """Write texts as literals, with commas between them."""
    return ", ".join(text(value) for value in values)


def names(values: Iterable[str]) -> str:
    """Write names as identifiers, with commas between them."""
    return ", ".join(quote(value) for value in values)


def first_row(con: Connection, query: str) -> tuple[Any, ...] | None:
    """Return the first row of a query that has few; None where it has none."""
    rows = con.execute(query).fetchall()  # an open result keeps the connection from other work
    return rows[0] if rows else None


def find_column(name: str, columns: Iterable[str]) -> str | None:
    """Return the column that DuckDB means by a name: exact, else whatever its capitals; or None."""
    listed = list(columns)
    if name in listed:
        return name
    for column in listed:
        if column.casefold() == name.casefold():
            return column
    return None


def say_error(error: Exception) -> str:
    """Return a database's message in one line, without the kind of error."""
    return str(error).split(": ", 1)[-1].splitlines()[0]
