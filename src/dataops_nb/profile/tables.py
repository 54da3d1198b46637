"""What a source's rows are: which columns tell them apart, when they happened, what they can be split by, what adds up."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import pandas as pd

from dataops_nb.profile.columns import Column, describe_columns, quote
from dataops_nb.profile.guesses import Guess
from dataops_nb.profile.names import AVERAGED, BORN, ENDED, GROUPS, ORDERS, PEOPLE, PLACES, STARTED, has, is_id
from dataops_nb.sources import Catalog

MOST_MEMBERS = 25
MOST_DIMENSIONS = 4
WIDEST_KEY = 3
CANDIDATES = 8
MOST_LEFT = 12
LEAST_PERIODS = 3
AMOUNT = re.compile(r"[-+(]?\s*[$€£¥]?\s*\d[\d.,' ]*\s*[%$€£¥]?\)?")
PERIOD = re.compile(
    r"(?:19|20)\d\d(?:[-/. ]?(?:\d\d?|[QW]\d\d?|[A-Z][a-z]{2,8}))?"
    r"|(?:[A-Z][a-z]{2,8}|\d\d?|[QW]\d\d?)[-/. ](?:19|20)?\d\d"
)


@dataclass(frozen=True)
class Table:
    """A source as it was read: its rows, its columns, and what they are taken for.

    `monthly` rows are dated on the first day of the month that they are about.
    """

    name: str
    rows: int
    columns: list[Column]
    key: list[str]
    time: str | None = None
    ended: str | None = None
    monthly: bool = False
    first: dt.date | None = None
    last: dt.date | None = None
    dimensions: list[str] = field(default_factory=list)
    sums: list[str] = field(default_factory=list)
    averages: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    guesses: list[Guess] = field(default_factory=list)

    @property
    def counted(self) -> bool:
        """Whether its rows are things that happened; a key that holds the time makes them totals of a period."""
        return self.time is not None and self.time not in self.key


def describe_table(catalog: Catalog, name: str) -> Table:
    """A source of a catalog, looked through once. Raises DataError where it cannot be read."""
    columns = describe_columns(catalog, name)
    rows = int(catalog.fetch(f"select count(*) as n from {quote(name)}")["n"][0])
    guesses: list[Guess] = []
    time = _find_time(name, rows, columns, guesses)
    key = _find_key(catalog, name, rows, columns, guesses)
    first, last, monthly = _find_span(catalog, name, time, guesses)
    numbers = [c for c in columns if _adds_up(c, key, rows)]
    found = Table(
        name, rows, columns, key, time, _find_end(catalog, name, time, columns, guesses), monthly, first, last,
        _find_dimensions(name, rows, columns, {time, *(key if len(key) == 1 else [])}, guesses),
        [c.name for c in numbers if not has(c.name, AVERAGED)],
        [c.name for c in numbers if has(c.name, AVERAGED)],
        [c.name for c in columns if has(c.name, PEOPLE) and [c.name] != key and 1 < c.distinct < c.values and not c.time],
        guesses,
    )  # fmt: skip
    if time is None:
        why = "no column has days, so its rows are on no calendar and make no metric"
        guesses.append(Guess(name, "", f"{why}{_pivoted(columns)}"))
    elif left := [_left(c) for c in columns if not _taken(found, c.name)]:
        listed = [*left[:MOST_LEFT], *([f"{len(left) - MOST_LEFT} more"] if len(left) > MOST_LEFT else [])]
        guesses.append(Guess(f"{name}: other columns", "", f"nothing is made of {', '.join(listed)}"))
    return found


def _taken(table: Table, column: str) -> bool:
    used = {*table.key, table.time, table.ended, *table.dimensions, *table.sums, *table.averages, *table.people}
    return column in used


def _left(column: Column) -> str:
    """A column of which nothing is made, with what it holds."""
    if not column.values:
        return f"{column.name} (empty)"
    if column.text and AMOUNT.fullmatch(column.smallest.strip()):
        return f"{column.name} (text such as {column.smallest.strip()}: export numbers without signs)"
    kind = "days" if column.time else "text" if column.text else "numbers" if column.number else column.type.lower()
    return f"{column.name} ({kind}{', one value' if column.distinct == 1 else ''})"


def _pivoted(columns: Sequence[Column]) -> str:
    """What to do where the names of columns are periods."""
    periods = [c.name for c in columns if PERIOD.fullmatch(c.name.strip())]
    if len(periods) < LEAST_PERIODS:
        return ""
    return (
        f"; the columns {periods[0]} to {periods[-1]} are periods: export one row for each, with its period in a column"
    )


def _find_time(name: str, rows: int, columns: Sequence[Column], guesses: list[Guess]) -> str | None:
    """The first column with days that is full, or named as times of events are."""
    dated = [c for c in columns if c.time and c.values * 2 >= rows and rows and not has(c.name, BORN)]
    if not dated:
        return None
    best = max(dated, key=lambda c: (c.values == rows, has(c.name, STARTED) and not has(c.name, ENDED)))
    others = [c.name for c in dated if c is not best]
    instead = f"; {', '.join(others)} would be possible too" if others else ""
    guesses.append(Guess(f"{name}.time", best.name, f"{best.values:,} of {rows:,} rows have a day there{instead}"))
    return best.name


def _find_key(catalog: Catalog, name: str, rows: int, columns: Sequence[Column], guesses: list[Guess]) -> list[str]:
    """The fewest columns of which no two rows have the same values: one that is named as ids are first."""
    full = [c for c in columns if c.values == rows and rows > 1]
    single = [c for c in full if c.distinct == rows and not c.time and (c.text or c.type == "BIGINT")]
    named = [c for c in single if is_id(c.name)] or [c for c in single if c is columns[0]]
    if named:
        guesses.append(Guess(f"{name}.key", named[0].name, f"each of {rows:,} rows has its own value"))
        return [named[0].name]
    daily = [c for c in full if c.type == "DATE" and c.distinct == rows]
    if daily:
        guesses.append(Guess(f"{name}.key", daily[0].name, f"each of {rows:,} rows has its own day"))
        return [daily[0].name]
    able = [c for c in full if c.distinct > 1 and (c.text or c.time or is_id(c.name) or has(c.name, GROUPS))][
        :CANDIDATES
    ]
    for width in range(2, WIDEST_KEY + 1):
        for some in combinations(able, width):
            chosen = ", ".join(quote(c.name) for c in some)
            n = catalog.fetch(f"select count(*) as n from (select distinct {chosen} from {quote(name)})")["n"][0]
            if n == rows:
                guesses.append(
                    Guess(f"{name}.key", ", ".join(c.name for c in some), f"no two of {rows:,} rows share them all")
                )
                return [c.name for c in some]
    guesses.append(Guess(f"{name}.key", "", "no column, and no few columns together, tell its rows apart"))
    return []


def _find_span(
    catalog: Catalog, name: str, time: str | None, guesses: list[Guess]
) -> tuple[dt.date | None, dt.date | None, bool]:
    """First and last day, and whether every row is dated on the first of a month."""
    if time is None:
        return None, None, False
    day = quote(time)
    row = catalog.fetch(f"""select min({day})::date as first, max({day})::date as last, count(distinct {day}) as n,
        count(*) filter (where day({day}) <> 1 or {day}::timestamp <> date_trunc('day', {day}::timestamp)) as others
        from {quote(name)}""").iloc[0]
    monthly = bool(row["n"] > 2 and not row["others"])
    if monthly:
        guesses.append(Guess(f"{name}.{time}", "the month of a row", "every day is the first of a month"))
    return _as_date(row["first"]), _as_date(row["last"]), monthly


def _as_date(value: object) -> dt.date | None:
    if pd.isna(value):  # type: ignore[call-overload]
        return None
    return pd.Timestamp(value).date()  # type: ignore[arg-type]


def _find_end(
    catalog: Catalog, name: str, time: str | None, columns: Sequence[Column], guesses: list[Guess]
) -> str | None:
    """A second column with days, named as ends are, of which none lies before the first."""
    for column in columns:
        if time and column.time and column.name != time and has(column.name, ENDED) and column.values:
            early = f"select count(*) as n from {quote(name)} where {quote(column.name)} < {quote(time)}"
            if catalog.fetch(early)["n"][0] == 0:
                guesses.append(Guess(f"{name}.{column.name}", "the end of a row", f"it is never before {time}"))
                return column.name
    return None


def _adds_up(column: Column, key: Sequence[str], rows: int) -> bool:
    if not column.number or column.name in key or is_id(column.name) or column.values * 2 < rows:
        return False
    return column.distinct > 2 and not has(column.name, PLACES | ORDERS) and not has(column.name, GROUPS)


def _find_dimensions(
    name: str, rows: int, columns: Sequence[Column], used: Collection[str | None], guesses: list[Guess]
) -> list[str]:
    """Columns with few values, each of them several times, in the order of how few they are."""
    found = [c for c in columns if c.name not in used and _splits(c, rows)]
    for column in (chosen := sorted(found, key=lambda c: c.distinct)[:MOST_DIMENSIONS]):
        guesses.append(Guess(f"{name}.{column.name}", "a dimension", f"{rows:,} rows hold {column.distinct} values"))
    return [column.name for column in chosen]


def _splits(column: Column, rows: int) -> bool:
    kind = column.text or column.type == "BOOLEAN" or (column.number and has(column.name, GROUPS))
    few = 2 <= column.distinct <= MOST_MEMBERS and column.distinct * 2 <= rows
    return kind and few and column.values * 2 >= rows and not has(column.name, PLACES)


def find_parts(catalog: Catalog, table: Table) -> Iterator[tuple[str, str]]:
    """Pairs of columns of which one is never larger than the other, as a part is never larger than its whole."""
    whole = [c for c in table.columns if c.name in table.sums and not c.negative and c.type != "VARCHAR"]
    for column in whole[:CANDIDATES]:
        for other in whole[:CANDIDATES]:
            if other is column or float(other.largest or 0) > float(column.largest or 0):
                continue
            a, b = quote(column.name), quote(other.name)
            query = f"""select count(*) filter (where {b} > {a}) as more, count(*) filter (where {b} < {a}) as less,
                count(*) filter (where {a} <> round({a}) or {b} <> round({b})) as broken from {quote(table.name)}"""
            row = catalog.fetch(query).iloc[0]
            if not row["more"] and row["less"] * 2 > table.rows and not row["broken"]:
                yield other.name, column.name
