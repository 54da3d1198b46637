"""Look at a table's numbers side by side: rates of two columns, parts of a whole, the dense end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations

from dataops_nb.profile.columns import quote
from dataops_nb.profile.names import MONEY, has
from dataops_nb.profile.tables import CANDIDATES, Table
from dataops_nb.sources.catalog import Catalog

NEARLY_ALL = 0.95
ROUNDED = 0.0051
LEAST_GAP = 14
TIMES_USUAL_GAP = 10


def find_ratios(catalog: Catalog, table: Table) -> list[tuple[str, str, str]]:
    """Return each rate with the part and the base that it is made of.

    A rate is a number; what is written in percent is compared as a fraction.
    """
    sums = [name for name in table.sums if not table.column(name).negative][:CANDIDATES]
    rates = [name for name in table.averages if table.column(name).number][:CANDIDATES]
    rates_of_two = []
    for rate in rates:
        pair = _find_pair(catalog, table, rate, sums)
        if pair is not None:
            rates_of_two.append((rate, *pair))
    return rates_of_two


def _find_pair(
    catalog: Catalog, table: Table, rate: str, sums: Sequence[str]
) -> tuple[str, str] | None:
    for part, base in permutations(sums, 2):
        if _is_ratio(catalog, table, rate, part, base):
            return part, base
    return None


def _is_ratio(catalog: Catalog, table: Table, rate: str, part: str, base: str) -> bool:
    value, above, below = quote(rate), quote(part), quote(base)
    query = f"""
        select
            count({value}),
            count(distinct {value}),
            count(*) filter (
                where abs({value} - {above} / nullif({below}, 0)) < {ROUNDED}
                or abs({value} / 100 - {above} / nullif({below}, 0)) < {ROUNDED} / 10
            )
        from {quote(table.name)}
        where {above} <> {below}
        """
    ((values, different, fits),) = catalog.ask(query, table.name)
    return bool(different > 2 and fits >= NEARLY_ALL * values)


def find_parts(catalog: Catalog, table: Table) -> Iterator[tuple[str, str]]:
    """Yield pairs of a part and its base: columns of whole numbers, one never above the other."""
    able = []
    for column in table.columns:
        if column.name in table.sums and not column.negative:
            able.append(column)
    able = able[:CANDIDATES]
    for base in able:
        for part in able:
            if part is base or float(part.largest or 0) > float(base.largest or 0):
                continue
            if has(part.name, MONEY) != has(base.name, MONEY):
                continue
            if _is_part(catalog, table, part.name, base.name):
                yield part.name, base.name


def _is_part(catalog: Catalog, table: Table, part_name: str, whole_name: str) -> bool:
    part, base = quote(part_name), quote(whole_name)
    query = f"""
        select
            count(*) filter (where {part} > {base}),
            count(*) filter (where {part} < {base}),
            count(*) filter (
                where {base} <> round({base}) or {part} <> round({part})
            )
        from {quote(table.name)}
        """
    ((more, less, broken),) = catalog.ask(query, table.name)
    return bool(not more and less * 2 > table.rows and not broken)


@dataclass(frozen=True)
class DenseEnd:
    """The last day of the usual rows, and the usual number of days from one to the next."""

    day: dt.date
    gap: int


def find_dense_end(catalog: Catalog, table: Table) -> DenseEnd | None:
    """Return the last day after which no long gap follows; None without days.

    A few rows far ahead are no part of the series.
    """
    if table.time is None:
        return None
    days = list(count_days(catalog, table))
    if not days:
        return None
    gaps = [(after - before).days for before, after in pairwise(days)]
    usual = sorted(gaps)[len(gaps) // 2] if gaps else 1
    longest = max(LEAST_GAP, usual * TIMES_USUAL_GAP)
    place = len(days) - 1
    # Only the last tenth may be cut off: a file with a pause in the middle goes on after it.
    while place > len(days) * 0.9 and gaps[place - 1] > longest:
        place -= 1
    return DenseEnd(days[place], usual)


def count_days(catalog: Catalog, table: Table) -> dict[dt.date, int]:
    """Return the rows of each day that has any, the first day first."""
    time = quote(table.time or "")
    query = (
        f"select cast({time} as date), count(*) from {quote(table.name)} "
        f"where {time} is not null group by 1 order by 1"
    )
    return dict(catalog.ask(query, table.name))
