"""Describe a file's columns: a type, how many values, the smallest and the largest one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from dataops_nb.sources.catalog import Catalog

# A query over hundreds of columns is slow to plan.
COLUMNS_PER_QUERY = 40
NUMBERS = ("BIGINT", "DOUBLE", "INTEGER", "SMALLINT", "HUGEINT", "FLOAT", "UBIGINT", "TINYINT")
DURATION = re.compile(r"\d{1,3}:\d\d(:\d\d)?|(\d+ ?[dhms] ?)+")
TIMES = ("DATE", "TIMESTAMP")
LEAST_PERIODS = 3
PERIOD = re.compile(
    r"(?:19|20)\d\d(?:[-/. ]?(?:\d\d?|[QW]\d\d?|[A-Z][a-z]{2,8}))?"
    r"|(?:[A-Z][a-z]{2,8}|\d\d?|[QW]\d\d?)[-/. ](?:19|20)?\d\d"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
)


@dataclass(frozen=True)
class OptionGuess:
    """A guessed option of a source, with its value and the reason."""

    option: str
    value: Any
    why: str

    @property
    def text(self) -> str:
        """Return the value as a person reads it."""
        if self.option == "delimiter":
            return repr(self.value)
        return str(self.value)


@dataclass(frozen=True)
class Column:
    """A column: its DuckDB type, how many values and different values it has, its ends as text.

    `negative` counts the values below zero.
    """

    name: str
    type: str
    values: int
    distinct: int
    smallest: str
    largest: str
    negative: int

    @property
    def number(self) -> bool:
        """Return whether it can be added up."""
        return is_number(self.type)

    @property
    def bit(self) -> bool:
        """Return whether it says yes and no as 1 and 0."""
        two_integers = self.type == "BIGINT" and 1 <= self.distinct <= 2
        return two_integers and {self.smallest, self.largest} <= {"0", "1"}

    @property
    def time(self) -> bool:
        """Return whether it holds days or moments."""
        return self.type.startswith(TIMES)

    @property
    def text(self) -> bool:
        """Return whether it is text."""
        return self.type == "VARCHAR"


def is_number(type_name: str) -> bool:
    """Return whether a DuckDB type is a number."""
    return type_name in NUMBERS or type_name.startswith("DECIMAL")


def describe_columns(catalog: Catalog, source: str) -> list[Column]:
    """Describe every column of a source, in its order."""
    types = catalog.columns(source)
    columns = []
    for names in in_batches(list(types)):
        columns += _describe_batch(catalog, source, names, types)
    return columns


def in_batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the names of columns, as many at a time as one query takes."""
    for start in range(0, len(names), COLUMNS_PER_QUERY):
        yield names[start : start + COLUMNS_PER_QUERY]


def _describe_batch(
    catalog: Catalog, source: str, names: Sequence[str], types: dict[str, str]
) -> list[Column]:
    counts = []
    queries = []
    for i, name in enumerate(names):
        value = quote(name)
        counts.append(f"count({value})")
        if is_number(types[name]):
            counts.append(f"count(*) filter (where {value} < 0)")
        # One query a column, so that none holds all different values at once. The ends of a few
        # different values are quicker to find than those of all.
        queries.append(
            f"select {i} as i, count(v), cast(min(v) as varchar), cast(max(v) as varchar) "
            f"from (select distinct {value} as v from rows_here)"
        )
    rows_here = some_columns(source, names, len(types))
    (counted,) = catalog.ask(f"{rows_here} select {', '.join(counts)} from rows_here", source)
    of_each = iter(counted)
    rows = catalog.ask(f"{rows_here} {' union all '.join(queries)}", source)
    columns = []
    for i, distinct, smallest, largest in sorted(rows, key=itemgetter(0)):
        type_name = types[names[i]]
        column = Column(
            name=names[i],
            type=type_name,
            values=next(of_each),
            distinct=distinct,
            smallest=_text_or_empty(smallest),
            largest=_text_or_empty(largest),
            negative=next(of_each) if is_number(type_name) else 0,
        )
        columns.append(column)
    return columns


def some_columns(source: str, names: Sequence[str], width: int) -> str:
    """Return the beginning of a query over `rows_here`, some columns of a source of this width.

    Of a wide source they are copied, because each part of a query plans all of its columns anew.
    """
    copied = "materialized" if width > COLUMNS_PER_QUERY else ""
    chosen = ", ".join(quote(name) for name in names)
    return f"with rows_here as {copied} (select {chosen} from {quote(source)})"


def _text_or_empty(value: object) -> str:
    if isinstance(value, str):
        return value
    return ""


def quote(name: str) -> str:
    """Quote a name as an identifier of DuckDB."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def describe_use(column: Column) -> str:
    """Return a column's name with what it holds."""
    if not column.values:
        return f"{column.name} (empty)"
    kinds = [(column.time, "days"), (column.text, "text"), (column.number, "numbers")]
    kind = next((kind for fits, kind in kinds if fits), column.type.lower())
    if column.text and DURATION.fullmatch(column.smallest.strip()):
        shown = column.smallest.strip()
        kind = f"durations such as {shown}, as text that nothing adds up"
        if "time" in column.name.casefold():
            kind = f"times of a day such as {shown}, as text"
    if column.distinct == 1:
        kind += ", one value"
    return f"{column.name} ({kind})"


def period_columns(columns: Sequence[Column]) -> list[str]:
    """Return the columns whose names are periods, where there are several."""
    periods = [column.name for column in columns if PERIOD.fullmatch(column.name.strip())]
    return periods if len(periods) >= LEAST_PERIODS else []


def pivot_hint(periods: Sequence[str]) -> str:
    """Return what to do where the names of columns are periods."""
    if not periods:
        return ""
    return (
        f"; the columns {periods[0]} to {periods[-1]} are periods: "
        "they become rows by a query where each tells its month, quarter or year; else export "
        "one row for each, with its period in a column"
    )
