"""Families: metrics that are one measure, told apart by the value of a column.

They are measured by one query: the thousand indicators of a long table are one matrix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from dataops_nb.alignment.daily import gather, label
from dataops_nb.alignment.measures import is_shared, measure, measure_all, time_of
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.windows import TOTAL, Measured, Window
from dataops_nb.company import Company
from dataops_nb.metrics import Measure, Simple

MeasureOf = Callable[[str], Measure | None]
_EQUAL = re.compile(r"""\s*([A-Za-z_]\w*|"(?:[^"]|"")+") *= *'((?:[^']|'')*)'\s*""")
_OWN_ROWS = re.compile(r"""cast\("((?:[^"]|"")+)" as text\) = '((?:[^']|'')*)'""")


@dataclass(frozen=True, eq=False)
class Family:
    """Metrics that are one measure, told apart by the value of a column.

    `members` are the metrics, each with the value that its rows have in `column`; `what` is
    measured of the rows of all.
    """

    what: Measure
    column: str
    members: dict[str, str]

    def measure(self, rows: Rows, windows: Sequence[Window]) -> Measured:
        """Measure all members over windows: one column a metric."""
        return self.of_members(measure(rows, self.what, windows, (self.column,), apart=True))

    def of_members(self, measured: Measured) -> Measured:
        """Return what was measured of the rows of all, one column a metric."""
        names = [label((self.column,), (value,)) for value in self.members.values()]
        own = measured.segments(list(dict.fromkeys(names)))
        value, n = (
            table[names].set_axis(list(self.members), axis=1) for table in (own.value, own.n)
        )
        return Measured(value, n, own.reach, own.zero)

    def alone(self, measured: Measured, metric: str) -> Measured:
        """Return one member of what was measured of all, as its total."""
        place = list(self.members).index(metric)
        value, n = (table.iloc[:, [place]] for table in (measured.value, measured.n))
        columns = [TOTAL]
        return Measured(
            value.set_axis(columns, axis=1),
            n.set_axis(columns, axis=1),
            measured.reach,
            measured.zero,
        )


def measure_families(
    rows: Rows, families: Iterable[Family], windows: Sequence[Window]
) -> dict[Family, Measured]:
    """Measure families over windows, all that add up over days of one source at once."""
    listed = list(dict.fromkeys(families))
    by_column: dict[str, list[Family]] = {}
    for family in listed:
        if is_shared(rows, family.what):
            by_column.setdefault(family.column, []).append(family)
    shared: dict[Family, Measured] = {}
    for column, own in by_column.items():
        whats = [family.what for family in own]
        gather(rows, [(what, time_of(rows, what)) for what in whats], (column,))
        measured = measure_all(rows, whats, windows, (column,))
        for family in own:
            if family.what in measured:
                shared[family] = family.of_members(measured[family.what])
    for family in listed:
        rows.usage.metrics.update(family.members)
        if family not in shared:
            shared[family] = family.measure(rows, windows)
    return shared


def own_measure(company: Company) -> MeasureOf:
    """Return what finds the measure of a simple metric; it finds None for any other."""

    def find(metric: str) -> Measure | None:
        definition = company.metrics[metric]
        return definition.measure if isinstance(definition, Simple) else None

    return find


def find_families(
    metrics: Iterable[str], measure_of: MeasureOf, rows: Rows | None = None
) -> dict[str, Family]:
    """Return the family of each metric that has one with at least two members.

    With `rows`, metrics whose whole filter is `column = 'value'` of a column with texts are one,
    too. Whose first row of all history counts is not the same for one value and for all, so
    `first_seen` has no family.
    """
    alike: dict[tuple[Measure, str], dict[str, str]] = {}
    sliced: dict[tuple[Measure, str], dict[str, str]] = {}
    for metric in metrics:
        what = measure_of(metric)
        if what is None or what.agg == "first_seen":
            continue
        own_rows = told_apart(what)
        if own_rows is not None:
            column, value = own_rows
            of_all = what.model_copy(update={"filter": _is_known(column)})
            alike.setdefault((of_all, column), {})[metric] = value
            continue
        equal = _equal(what, rows) if rows is not None else None
        if equal is not None:
            column, value = equal
            sliced.setdefault((what.model_copy(update={"filter": None}), column), {})[metric] = (
                value
            )
    for (what, column), members in sliced.items():
        of_all = what.model_copy(update={"filter": _is_one_of(column, members.values())})
        alike[of_all, column] = members
    family_of = {}
    for (what, column), members in alike.items():
        if len(members) > 1:
            family_of.update(dict.fromkeys(members, Family(what, column, members)))
    return family_of


def _equal(what: Measure, rows: Rows) -> tuple[str, str] | None:
    """Return the column with texts, and the one of them, that a measure's filter asks for."""
    equal = _EQUAL.fullmatch(what.filter or "")
    if equal is None or rows.faulty(what.source):
        return None
    name = equal[1]
    if name.startswith('"'):
        name = name[1:-1].replace('""', '"')
    column = rows.column(what.source, name)
    if column is None or not rows.is_text(what.source, column):
        return None
    return column, equal[2].replace("''", "'")


def _is_one_of(column: str, values: Iterable[str]) -> str:
    texts = ["'" + value.replace("'", "''") + "'" for value in sorted(set(values))]
    return f"{_quoted(column)} in ({', '.join(texts)})"


def told_apart(measure: Measure) -> tuple[str, str] | None:
    """Return the column and the value in it by which a measure knows its rows.

    None where that is not its whole filter. Measures that differ in that value only are one
    measure, split by the column.
    """
    own_rows = _OWN_ROWS.fullmatch(measure.filter or "")
    if own_rows is None:
        return None
    return own_rows[1].replace('""', '"'), own_rows[2].replace("''", "'")


def _is_known(column: str) -> str:
    return f"{_quoted(column)} is not null"


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
