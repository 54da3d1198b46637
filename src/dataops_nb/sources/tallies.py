"""Count how many of a column's texts are of which kind; what no count can change is not counted.

Every value is looked at. But what the first rows of a long table rule out is ruled out, and of
a column of which all values are one kind, no other kind is counted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from dataops_nb.sources.evidence import Connection, Raw, first_row
from dataops_nb.sources.kinds import HUGE_DIGITS, NUMBERS, TIMES, Shapes

TOGETHER = 40  # columns in one query: planning hundreds takes longer than reading them again
SHORT = 100_000  # rows up to which the columns of a wide table are put under each other
ENOUGH = 0.99  # of a column's values that make it a kind
LEAST_ROWS = 20_000  # from which on a look at the first rows is worth its plan
LOOK = 0.015  # of the rows, which may rule a kind out
FEW = 10_000  # rows whose values are read sooner than another condition is planned
# Where all values are of one kind, the first that is it; and what they all are as well.
LIKELY = ("integer", "number", "date", "stamp", "instant", "boolean")
DOUBTS = {"integer": ("zeros",), "number": ("zeros", "huge")}  # of which numbers are names
LATER = ("huge", "grouped")  # that decide on no kind where they stand in a few first rows
IMPLIED = {"integer": ("number",), "date": ("stamp",)}
# How most values of a kind are written; quicker than a pattern. What is so written has the kind.
USUAL = {
    "integer": "cast(try_cast({0} as bigint) as varchar) = {0}",
    "number": (
        "ascii({0}) between 45 and 57 and isfinite(try_cast({0} as double))"
        " and not contains({0}, '_') and not contains({0}, chr(11))"
    ),
    "date": "length({0}) = 10 and cast(try_cast({0} as date) as varchar) = {0}",
    "stamp": "length({0}) = 19 and cast(try_cast({0} as timestamp) as varchar) = {0}",
}


@dataclass(frozen=True)
class Tally:
    """How many of a column's values parse as what; `n` is how many there are."""

    n: int
    counts: Mapping[str, int]

    def share(self, kind: str) -> float:
        """Return the share of values that parse as a kind, from 0 to 1; 0 where there are none."""
        return self.counts.get(kind, 0) / self.n if self.n else 0.0

    def __getitem__(self, kind: str) -> int:
        return self.counts.get(kind, 0)


def tally_columns(
    con: Connection,
    raw: Raw,
    wanted: Mapping[str, Sequence[str]],
    shapes: Shapes,
    values: Mapping[str, str],
    *,
    inferred: Collection[str] = (),
) -> dict[str, Tally]:
    """Count the wanted kinds of each column; `values` is the SQL of each column's text.

    Of the `inferred` columns only what decides on a type is counted: no kind that the first rows
    rule out already, and of one that all values have, no other.

    Planning one query over hundreds of columns takes far longer than reading the rows again, so it
    is done for a few columns at a time. The columns of a wide and short table are put under each
    other instead, and each kind is planned once.
    """
    if inferred and not raw.elsewhere and raw.rows > LEAST_ROWS:
        first = _tally_first(con, raw, wanted, shapes, values, inferred=inferred)
        known = _tally_likely(con, raw, first, shapes, values)
        unsure = {}
        for column, kinds in wanted.items():
            if column in first and column not in known:
                unsure[column] = _left(kinds, first[column], raw.rows)
            elif column not in known:
                unsure[column] = list(kinds)
        return known | tally_columns(con, raw, unsure, shapes, values)
    tallies: dict[str, Tally] = {}
    if raw.rows <= SHORT and not raw.elsewhere:
        columns_by_kinds: dict[tuple[str, ...], list[str]] = {}
        for column, kinds in wanted.items():
            columns_by_kinds.setdefault(tuple(kinds), []).append(column)
        for same_kinds, columns in columns_by_kinds.items():
            if len(columns) > TOGETHER:
                texts = [values[column] for column in columns]
                counted = _tally_long(con, raw, texts, same_kinds, shapes)
                tallies |= dict(zip(columns, counted, strict=True))
    left = [column for column in wanted if column not in tallies]
    for start in range(0, len(left), TOGETHER):
        some = {column: wanted[column] for column in left[start : start + TOGETHER]}
        tallies |= _tally_some(con, raw, some, shapes, values)
    return tallies


def _tally_first(
    con: Connection,
    raw: Raw,
    wanted: Mapping[str, Sequence[str]],
    shapes: Shapes,
    values: Mapping[str, str],
    *,
    inferred: Collection[str],
) -> dict[str, Tally]:
    """Count the kinds of some columns in the first rows."""
    rows = int(raw.rows * LOOK)
    sample = replace(raw, scan=f"{raw.scan} limit {rows}", rows=rows)
    columns_by_kinds: dict[tuple[str, ...], list[str]] = {}
    for column in inferred:
        kinds = tuple(kind for kind in wanted.get(column, ()) if kind not in LATER)
        if kinds:
            columns_by_kinds.setdefault(kinds, []).append(column)
    tallies: dict[str, Tally] = {}
    for kinds, columns in columns_by_kinds.items():
        texts = [values[column] for column in columns]
        counted = _tally_long(con, sample, texts, kinds, shapes)
        tallies |= dict(zip(columns, counted, strict=True))
    return tallies


def _tally_likely(
    con: Connection,
    raw: Raw,
    first: Mapping[str, Tally],
    shapes: Shapes,
    values: Mapping[str, str],
) -> dict[str, Tally]:
    """Count the one kind that all first values have; where all others have it, that is all.

    Then nothing else can be said of the column, but that some of its integers may be names.
    Columns of no kind need no count but that of their values.
    """
    likely = {}
    for column, tally in first.items():
        shared = [kind for kind in LIKELY if tally.n and tally[kind] == tally.n]
        if shared and not tally["zeros"]:
            zeros = DOUBTS.get(shared[0], ())
            likely[column] = [shared[0], *zeros]
        elif not _left(list(tally.counts), tally, raw.rows):
            likely[column] = []
    tallies = {}
    for column, tally in tally_columns(con, raw, likely, shapes, values).items():
        kinds = likely[column]
        if not kinds:
            tallies[column] = tally
        elif tally[kinds[0]] == tally.n:
            counts = dict(tally.counts)
            for kind in IMPLIED.get(kinds[0], ()):
                counts[kind] = tally.n
            tallies[column] = Tally(tally.n, counts)
    return tallies


def _left(kinds: Sequence[str], first: Tally, rows: int) -> list[str]:
    """Return the kinds that the first values of a column do not rule out.

    A kind that more than 1 % of all rows contradict is out.
    """
    most = first.n - (1 - ENOUGH) * rows
    out = {"grouped"}  # which only a message about a number that is needed asks for
    if first["number"] < most:
        out |= set(NUMBERS)
    if first["stamp"] + first["instant"] < most:
        out |= {"date", "stamp", "instant"}
    out |= {kind for kind in ("boolean", "formatted") if first[kind] < most}
    return [kind for kind in kinds if kind not in out]


def _tally_long(
    con: Connection, raw: Raw, texts: Sequence[str], kinds: Sequence[str], shapes: Shapes
) -> list[Tally]:
    """Count the same kinds of many columns, in one query over all their values in one column."""
    counts = ["count(v)"]
    for kind in kinds:
        condition = _guarded(kind, shapes, "v", _condition(kind, shapes, "v"), usual=raw.rows > FEW)
        counts.append(f"count(*) filter (where {condition})")
    numbers = f"unnest(range({len(texts)})) as i"
    long = f"select {numbers}, unnest([{', '.join(texts)}]) as v from ({raw.scan})"
    query = f"select i, {', '.join(counts)} from ({long}) group by i"
    tallies = [Tally(0, dict.fromkeys(kinds, 0)) for _ in texts]
    for number, n, *counted in con.execute(query).fetchall():
        tallies[number] = Tally(n, dict(zip(kinds, counted, strict=True)))
    return tallies


def _tally_some(
    con: Connection,
    raw: Raw,
    wanted: Mapping[str, Sequence[str]],
    shapes: Shapes,
    values: Mapping[str, str],
) -> dict[str, Tally]:
    """Count the kinds of a few columns; in our own engine each by itself, several at a time."""
    counts = {}
    for column, kinds in wanted.items():
        counts[column] = [f"count({values[column]})"]
        for kind in kinds:
            condition = _condition(kind, shapes, values[column])
            if not raw.elsewhere:
                condition = _guarded(kind, shapes, values[column], condition)
            counts[column].append(f"count(*) filter (where {condition})")
    if raw.elsewhere:
        every: list[str] = []
        for own in counts.values():
            every += own
        row = iter(first_row(con, f"select {', '.join(every)} from ({raw.scan})") or ())
        return {c: _tally(kinds, [next(row) for _ in counts[c]]) for c, kinds in wanted.items()}
    queries = []
    for place, own in enumerate(counts.values()):
        queries.append(f"select {place} as i, [{', '.join(own)}] as counts from ({raw.scan})")
    counted = dict(con.execute(" union all ".join(queries)).fetchall()) if queries else {}
    return {c: _tally(kinds, counted[i]) for i, (c, kinds) in enumerate(wanted.items())}


def _tally(kinds: Sequence[str], counts: Sequence[int]) -> Tally:
    """Return the count of all values, and that of each kind behind it."""
    n, *others = counts
    return Tally(n, dict(zip(kinds, others, strict=True)))


def _guarded(kind: str, shapes: Shapes, value: str, condition: str, *, usual: bool = True) -> str:
    """Return a condition that looks at a value only where its letters allow the kind.

    Patterns are slow beside a look at the first letter, and most columns are texts or one kind.
    `usual` says that there are enough values for a second condition, which has to be planned.
    """
    before_letters = f"ascii({value}) <= {ord('9')}"  # blanks, signs, digits
    guards = []
    if kind == "zeros":
        guards.append(f"ascii({value}) <= {ord('0')}")
    elif kind == "huge":
        guards.append(f"length({value}) >= {HUGE_DIGITS}")
    elif kind in (*TIMES, *NUMBERS) and kind != "formatted" and shapes.thousands is None:
        guards.append(before_letters)
    if kind in ("date", "stamp", "instant"):
        guards.append(f"contains({value}, '-')")
    if kind == "grouped" and shapes.thousands is None:
        guards.append(f"contains({value}, '{',' if shapes.decimal == '.' else '.'}')")
    if kind == "boolean":
        letters = ", ".join(str(ord(letter)) for letter in "tTfF")
        guards.append(f"(ascii({value}) in ({letters}) or ascii({value}) <= {ord(' ')})")
    if guards:
        condition = f"case when {' and '.join(guards)} then {condition} else false end"
    if usual and kind in USUAL and (kind != "number" or shapes.decimal == "."):
        condition = f"case when {USUAL[kind].format(value)} then true else {condition} end"
    return condition


def _condition(kind: str, shapes: Shapes, value: str) -> str:
    """Return the SQL that holds for the values of a kind."""
    if kind == "huge":
        digits = shapes.matches(value, f"[+-]?[0-9]{{{HUGE_DIGITS},}}")
        return f"{digits} and try_cast({value} as bigint) is null"
    if kind == "zeros":
        return shapes.matches(value, "[+-]?0[0-9]+.*")
    if kind == "grouped":
        return shapes.matches(value, shapes.grouped)
    parse = getattr(shapes, kind)
    return f"({parse(value)}) is not null"
