"""Queries that bring a table into rows and columns.

A table with a period a column gets a row for each value, with its first day. A table whose cells
hold objects, as those of most APIs do, gets a column for each of their fields.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping

from sqlglot import exp

from dataops_nb.profile.columns import quote
from dataops_nb.profile.layout import TOTAL
from dataops_nb.profile.tables import Table
from dataops_nb.sources.catalog import Catalog

LEAST_PERIODS = 3
# Texts that are amounts, as payments write them, and times of ISO 8601.
AMOUNT = r"-?\d{1,12}\.\d{1,4}"
DAY, CLOCK = r"(?:19|20)\d\d-\d\d-\d\d", r"\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
OFFSET = r"(?:Z|[+-]\d\d:?\d\d)"
FLAT = "_flat"  # ends the name of what has a column for each field
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
LETTERS = r"(?P<word>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
YEAR = r"(?P<year>(?:19|20)\d\d)"
SHORT_YEAR = r"['’]?(?P<short>\d\d)"
BETWEEN = r"[-/. ]?\s?"
SHAPES = {
    "month": (
        rf"{YEAR}{BETWEEN}(?P<month>0?[1-9]|1[0-2])(?:[-/.]0?1)?(?: 00:00(?::00)?)?",
        rf"(?P<month>0?[1-9]|1[0-2])[-/. ]{YEAR}",
        rf"(?:0?1[-/. ])?{LETTERS}{BETWEEN}(?:{YEAR}|{SHORT_YEAR})",
        rf"{YEAR}{BETWEEN}{LETTERS}",
        LETTERS,
    ),
    "quarter": (rf"{YEAR}{BETWEEN}Q(?P<quarter>[1-4])", rf"Q(?P<quarter>[1-4]){BETWEEN}{YEAR}"),
    "year": (YEAR, rf"FY\s?{YEAR}"),
}
# In a file's name or in the lines above its header.
LONE_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")


def read_period(name: str, kind: str, year: int | None) -> dt.date | None:
    """Return the first day of the period that a column is named by; None for another name.

    `year` is that of months without one.

    >>> read_period("Mar 2026", "month", None)
    datetime.date(2026, 3, 1)
    """
    for shape in SHAPES[kind]:
        hit = re.fullmatch(shape, name.strip(), re.IGNORECASE)
        if hit is None:
            continue
        parts = hit.groupdict()
        own_year = parts.get("year") or (f"20{parts['short']}" if parts.get("short") else year)
        if own_year is None:
            return None
        month = int(parts.get("month") or 1)
        if parts.get("word"):
            month = MONTH_NAMES.index(parts["word"].casefold()) + 1
        if parts.get("quarter"):
            month = int(parts["quarter"]) * 3 - 2
        return dt.date(int(own_year), month, 1)
    return None


def read_periods(table: Table, year: int | None) -> tuple[str, dict[str, dt.date]]:
    """Return what most of a table's periods are, and the first day of each; nothing for too few."""
    for kind in SHAPES:
        days = {}
        for name in table.periods:
            day = read_period(name, kind, year)
            is_numeric = table.column(name).number or not table.column(name).values
            if day is not None and is_numeric:
                days[name] = day
        if len(days) >= LEAST_PERIODS and len(set(days.values())) == len(days):
            return kind, days
    return "", {}


def find_year(*texts: str) -> int | None:
    """Return the one year that stands in texts about a file; None without one, or with several."""
    years: set[str] = set()
    for text in texts:
        years |= set(LONE_YEAR.findall(text))
    return int(years.pop()) if len(years) == 1 else None


def list_unpivoted(
    tables: Mapping[str, Table], years: Mapping[str, int | None]
) -> list[tuple[str, dict[str, str], str]]:
    """Return queries that turn wide tables without a time into rows, one a period.

    Each has a name, its options as a source, and the reason. `years` are those of months that are
    named without one. An empty cell is no row, and columns of totals are left out.
    """
    unpivoted = []
    for name, table in tables.items():
        kind, days = read_periods(table, years.get(name))
        if table.time or not days:
            continue
        totals = [one.name for one in table.columns if TOTAL.fullmatch(one.name.strip())]
        kept = []
        for column in table.columns:
            if column.name not in (*table.periods, *totals) and not column.number:
                kept.append(quote(column.name))
        value = quote(_name_value(table, kind))
        firsts = ", ".join(f"'{day}'" for day in days.values())
        values = ", ".join(quote(period) for period in days)
        chosen = ", ".join(
            [
                *kept,
                f"unnest(cast([{firsts}] as date[])) as {kind}",
                f"unnest([{values}]) as {value}",
            ]
        )
        query = f"select * from (select {chosen} from {quote(name)}) where {value} is not null"
        first, *_, last = days
        why = f"the columns {first} to {last} are {kind}s, so each value becomes a row of its own"
        if totals:
            why += f"; {', '.join(totals)} adds others up and is left out"
        unpivoted.append((f"{name}_by_{kind}", {"query": query}, why))
    return unpivoted


def _name_value(table: Table, kind: str) -> str:
    """Return a name for the values: what the file is called, its year aside."""
    words = [word for word in table.name.split("_") if not LONE_YEAR.fullmatch(word)]
    name = "_".join(words)
    taken = {kind, "", *(column.name.casefold() for column in table.columns)}
    return "value" if name in taken else name


def list_flattened(
    catalog: Catalog, tables: Mapping[str, Table]
) -> list[tuple[str, dict[str, str], str]]:
    """Return queries that give the fields of objects in cells a column each.

    Each has a name, its options as a source, and the reason. Lists stay as they are. Texts that
    are amounts or times in every row become such.
    """
    flattened = []
    for name, table in tables.items():
        plain = [column.name for column in table.columns if not _is_object(column.type)]
        objects = [column for column in table.columns if _is_object(column.type)]
        if not objects:
            continue
        chosen = [quote(column) for column in plain]
        taken = {column.casefold() for column in plain}
        for column in objects:
            type_ = exp.DataType.build(column.type, dialect="duckdb")
            for path, is_text in _fields(type_, (column.name,)):
                own_name = "_".join(path)
                while own_name.casefold() in taken:
                    own_name += "_"
                taken.add(own_name.casefold())
                value = ".".join(quote(part) for part in path)
                if is_text:
                    value = _typed(catalog, name, value)
                chosen.append(f"{value} as {quote(own_name)}")
        query = f"select {', '.join(chosen)} from {quote(name)}"
        names = ", ".join(column.name for column in objects)
        hold = "hold" if len(objects) > 1 else "holds"
        why = f"{names} {hold} objects, and each of their fields becomes a column"
        if f"{name}{FLAT}" not in tables:  # a file of that name is what somebody has flattened
            flattened.append((f"{name}{FLAT}", {"query": query}, why))
    return flattened


def _is_object(type_: str) -> bool:
    return type_.startswith("STRUCT(") and not type_.endswith("]")


def _fields(type_: exp.DataType, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield the path of each field of an object, and of the objects in it; whether it is text."""
    for field in type_.expressions:
        own_path = (*path, field.name)
        kind = field.args["kind"]
        if kind.is_type("struct"):
            yield from _fields(kind, own_path)
        else:
            yield own_path, bool(kind.is_type("text", "varchar"))


def _typed(catalog: Catalog, name: str, value: str) -> str:
    """Return SQL of a text as the amount or the time that it is in every row, else as it is."""
    shapes = (AMOUNT, DAY, f"{DAY}[T ]{CLOCK}", f"{DAY}[T ]{CLOCK}{OFFSET}")
    tests = [f"count(*) filter (where regexp_full_match({value}, '{shape}'))" for shape in shapes]
    decimals = f"max(length(split_part({value}, '.', 2)))"
    query = f"select count({value}), {decimals}, {', '.join(tests)} from {quote(name)}"
    ((count, places, *fitting),) = catalog.ask(query, name)
    types = (f"decimal(18, {places})", "date", "timestamp", "timestamp with time zone")
    for type_, fits in zip(types, fitting, strict=True):
        if count and fits == count:
            return f"cast({value} as {type_})"
    return value
