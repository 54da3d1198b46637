"""Who answers for data: `Rows`, the door through which all that aligns and explains asks for rows.

`sources.Catalog` answers for a company's files and databases, `FrameRows` for DataFrames in memory.
Whoever has neither faults nor exchange rates leaves the answers below as they are.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

import pandas as pd
from sqlglot import exp

from dataops_nb.company import Company
from dataops_nb.errors import Fault, UsageError
from dataops_nb.terms import FIRST_DAY, LAST_DAY

T = TypeVar("T")
PROVENANCE = ["source", "system", "owner", "files", "rows", "data_to", "sha256"]


def require_day(as_of: dt.date) -> dt.date:
    """Return an as-of day. Raises UsageError where calendars cannot be cut around it."""
    if not FIRST_DAY <= as_of <= LAST_DAY:
        raise UsageError(f"as of {as_of}: reports are made from {FIRST_DAY} to {LAST_DAY}")
    return as_of


@dataclass(frozen=True)
class Coverage:
    """First and last covered day (inclusive, None where unknown), whether the source is stale, its
    last row's day."""

    first: dt.date | None
    last: dt.date | None
    stale: bool = False
    last_row: dt.date | None = None


@dataclass(frozen=True)
class WholeNumbers:
    """The least and the greatest value of a column of integers, and in how many rows it has one."""

    least: int
    greatest: int
    rows: int


@dataclass
class Usage:
    """What was looked at so far.

    The metrics that were evaluated, and the sources that were loaded for them.
    """

    metrics: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)


class Rows(Protocol):
    """The rows of a company's sources as of one day, asked by queries that aggregate them.

    `measured` is where `alignment` keeps what it was told to remember; `usage` notes what was
    looked at.
    """

    dialect: str
    as_of: dt.date
    usage: Usage
    measured: dict[tuple[str, tuple[str, ...]], list[Any]]

    @property
    def company(self) -> Company:
        """The company that the rows are about."""

    def under(self, company: Company) -> Self:
        """The same rows for a company that judges otherwise and measures the same."""
        other = copy.copy(self)
        other.__dict__["company"] = company
        return other

    def fetch(self, query: exp.Expression | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """The result of a query over sources by name and frames by keyword.

        Without frames it is kept.

        Raises UsageError for a query that reads anything else, DataError for one that the data do
        not allow.
        """

    def noted(self, what: Sequence[str], names: Sequence[str]) -> Any:
        """What was noted about these sources under some words, also in an earlier run.

        None where nothing was.
        """
        return None

    def note(self, what: Sequence[str], names: Sequence[str], value: Any) -> None:
        """Note what JSON can hold about these sources, for as long as they are as they are."""
        return

    def knows(self, what: Hashable) -> bool:
        """Whether `once` was asked this."""
        return what in self.__dict__.get("_known", {})

    def once(self, what: Hashable, make: Callable[[], T]) -> T:
        """What `make` finds out about these rows, whatever company judges them; kept in memory."""
        known: dict[Hashable, T] = self.__dict__.setdefault("_known", {})
        if what not in known:
            known[what] = make()
        return known[what]

    def recall(self, what: Sequence[object], make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """The table that `make` computes from these rows and their company, and nothing else.

        `what` tells it apart from other tables. It may come from an earlier run.
        """
        return make()

    def relation(self, name: str) -> exp.Expression:
        """What to select a source's rows from."""

    def columns(self, name: str) -> dict[str, str]:
        """Each column of a source with its DuckDB type."""

    def column(self, name: str, column: str) -> str | None:
        """The source's column that is meant: exact, else regardless of case.

        None where there is none.
        """
        listed = list(self.columns(name))
        if column in listed:
            return column
        folded = column.casefold()
        return next((own for own in listed if own.casefold() == folded), None)

    def whole_numbers(self, name: str, column: str) -> WholeNumbers | None:
        """The values of a column of integers; None for anything else, and where nobody knows."""
        return None

    def is_whole(self, name: str, column: str) -> bool:
        """Whether a column holds whole numbers that its engine adds up without losing a digit."""
        return False

    def is_text(self, name: str, column: str) -> bool:
        """Whether a column holds texts that its engine compares letter by letter."""
        return False

    def local_date(self, name: str, column: str) -> exp.Expression:
        """The local day of a column with dates or stamps, as an expression over the source's
        relation."""

    def rate_spans(self) -> exp.Expression:
        """The days each exchange rate holds: `_nb_currency _nb_since _nb_until _nb_rate`."""
        raise UsageError("no exchange rates are declared, so nothing can be converted")

    def coverage(self, name: str, time: str | None = None) -> Coverage:
        """The days a source speaks about, by a time column (default: its own)."""

    def span(self, *names: str) -> tuple[dt.date, dt.date] | None:
        """First and last day that any of these sources (default: all) covers.

        None where none does.
        """

    def require(self, *names: str) -> None:
        """Check sources before they are asked. Raises DataError where one must not be used."""
        return

    def faulty(self, name: str) -> bool:
        """Whether a source, or one that it stands on, has faults that make its metrics unknown."""
        return bool(self.marked(name))

    def marked(self, *names: str) -> list[Fault]:
        """The faults of these sources.

        Of what they stand on, that make their metrics unknown.
        """
        return []

    def notices(self, *names: str) -> list[Any]:
        """What must be said about these sources that is no fault, each with `count` and `text`."""
        return []

    def provenance(self, *names: str) -> pd.DataFrame:
        """One row a source (default: all): `source system owner files rows data_to sha256`."""
        return pd.DataFrame(columns=PROVENANCE)

    def behind(self, *names: str) -> list[str]:
        """The sources that hold the rows of these: behind a query, those that it reads."""
        return list(dict.fromkeys(names))

    def fingerprints(self, metrics: Iterable[str]) -> dict[str, str]:
        """What tells whether a metric was defined otherwise before.

        A digest of all it is defined by, by metric.
        """
        return dict.fromkeys(metrics, "")
