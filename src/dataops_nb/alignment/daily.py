"""Measures by day: fetched for many at once, and added up over any windows.

What adds up is aggregated once by local day and segment; every week, month, trailing window and
to-date is then a sum over days. The measures of one source, time and currency come in a few
queries, many columns each (`gather`); which of them holds which measure is noted, so that a later
run has each of them without asking again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.alignment import queries
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.windows import DAYS, TOTAL, Days, Windows
from dataops_nb.metrics import Measure

TOGETHER = 25
SHARED = {"count", "sum", "average", "min", "max"}
_EXTREMES: dict[str, Any] = {"min": np.fmin, "max": np.fmax}
_ADDS_UP = {*SHARED, "first_seen"}
Array = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.intp]]


def summed(what: Measure) -> Measure:
    """What is asked of each day for a measure: an average over days is a sum by its rows."""
    if what.agg == "average" and what.at is None:
        return what.model_copy(update={"agg": "sum"})
    return what


def is_daily(what: Measure) -> bool:
    """Whether a measure over any windows is made of its value on each day."""
    return (
        what.open is None
        and (what.agg in _ADDS_UP or what.at is not None)
        and not queries.speaks_of_window(what)
    )


def by_day(rows: Rows, what: Measure, time: str, by: tuple[str, ...]) -> pd.DataFrame:
    """Return `day d0.. v n` of a measure, out of what was gathered where it was."""
    if what.agg == "first_seen" and what.at is None:
        return rows.fetch(queries.first_rows(rows, what, time, by))
    of_day = summed(what)
    places = _Places.of(rows, what, time, by)
    place = places.place(of_day)
    if place is None:
        return rows.fetch(queries.daily(rows, of_day, time, by))
    frame, column = places.frame(place[0]), place[1]
    keys = ["day", *(f"d{number}" for number in range(len(by)))]
    names = {f"v{column}": "v", f"n{column}": "n"}
    own = frame.loc[frame[f"r{column}"] > 0, [*keys, *names]]
    return own.rename(columns=names).reset_index(drop=True)


def gather(rows: Rows, whats: Iterable[tuple[Measure, str]], by: tuple[str, ...]) -> None:
    """Fetch measures, each by the days of a time column; what is at hand is not asked for."""
    groups: dict[str, tuple[_Places, dict[Measure, None]]] = {}
    for what, time in whats:
        places = _Places.of(rows, what, time, by)
        of_day = summed(what)
        if places.place(of_day) is None:
            groups.setdefault(places.key, (places, {}))[1][of_day] = None
    for places, missing in groups.values():
        measures = list(missing)
        for start in range(0, len(measures), TOGETHER):
            part = measures[start : start + TOGETHER]
            if len(part) > 1:
                places.fetch(part)


class _Places:
    """Where measures of one source, time, currency and split stand: the query, and the place in it.

    A query is known by the measures that it asks for, in their order.
    """

    def __init__(self, rows: Rows, time: str, by: tuple[str, ...], words: list[str]) -> None:
        self._rows, self._time, self._by, self._words = rows, time, by, words
        self.key = json.dumps(words)
        self._queries: list[list[Measure]] = []
        self._places: dict[str, tuple[int, int]] = {}
        with suppress(ValueError, TypeError):
            for texts in rows.noted(words, self._sources) or ():
                self._add([Measure.model_validate_json(text) for text in texts])

    @classmethod
    def of(cls, rows: Rows, what: Measure, time: str, by: tuple[str, ...]) -> _Places:
        """Return the places of what is like this measure."""
        currency = what.currency if queries.converts(rows, what) else None

        def make() -> _Places:
            local = rows.local_date(what.source, time).sql(dialect=rows.dialect)
            words = ["together", what.source, local, str(currency), *by, rows.as_of.isoformat()]
            if currency and rows.company.rates:
                words.append(rows.company.rates.model_dump_json())
            return cls(rows, time, by, words)

        return rows.once(("places", what.source, time, currency, by), make)

    @property
    def _sources(self) -> list[str]:
        rates = self._rows.company.rates
        converts = self._words[3] != str(None) and rates
        return [self._words[1], *([rates.source] if converts and rates else [])]

    def _add(self, measures: list[Measure]) -> None:
        for column, what in enumerate(measures):
            self._places[what.model_dump_json()] = len(self._queries), column
        self._queries.append(measures)

    def place(self, what: Measure) -> tuple[int, int] | None:
        """Return the number of the query that holds a measure, and its number there."""
        return self._places.get(what.model_dump_json())

    def frame(self, number: int) -> pd.DataFrame:
        """Return the result of a query."""
        measures = self._queries[number]
        tree = self._rows.once(
            ("together", self.key, number),
            lambda: queries.daily_together(self._rows, measures, self._time, self._by),
        )
        return self._rows.fetch(tree)

    def fetch(self, measures: list[Measure]) -> None:
        """Ask for measures in one query, and note where they stand."""
        self._add(measures)
        self.frame(len(self._queries) - 1)
        texts = [[what.model_dump_json() for what in query] for query in self._queries]
        self._rows.note(self._words, self._sources, texts)


@dataclass(frozen=True)
class Block:
    """Measures on the days of one source: a row for each segment of each measure, a column a day.

    `segments` are those of each measure, in order; without a split that is the total. `value` is
    missing where no cell is filled, and `n`, how many are, where there are no rows.
    """

    whats: list[Measure]
    segments: list[str]
    days: Days
    value: Array
    n: Array

    def rows_of(self, places: list[int]) -> Places:
        """Return the rows of the measures at these places."""
        count = len(self.segments)
        return (np.array(places)[:, None] * count + np.arange(count)).ravel()


def blocks(
    rows: Rows, whats: Iterable[tuple[Measure, str]], by: tuple[str, ...] = ()
) -> list[Block]:
    """Return the measures by day that were gathered, split by `by`; the others are left out."""
    columns: dict[tuple[str, int], tuple[pd.DataFrame, dict[Measure, int]]] = {}
    for what, time in whats:
        places = _Places.of(rows, what, time, by)
        place = places.place(summed(what))
        if place is not None:
            key = places.key, place[0]
            if key not in columns:
                columns[key] = places.frame(place[0]), {}
            columns[key][1][what] = place[1]
    return [_block(frame, own, by) for frame, own in columns.values()]


def _block(frame: pd.DataFrame, own: dict[Measure, int], by: tuple[str, ...]) -> Block:
    days, day = np.unique(frame["day"].to_numpy(dtype=DAYS), return_inverse=True)
    segment, segments = name_segments(frame, by)
    shape = (len(own), len(segments), len(days))
    value, n = np.full(shape, np.nan), np.full(shape, np.nan)
    for place, column in enumerate(own.values()):
        counts = (frame[f"{letter}{column}"].to_numpy(float, na_value=np.nan) for letter in "vnr")
        values, filled, has_rows = counts
        value[place, segment, day] = values
        n[place, segment, day] = np.where(has_rows > 0, filled, np.nan)
    flat = len(own) * len(segments), len(days)
    return Block(list(own), segments, days, value.reshape(flat), n.reshape(flat))


def name_segments(frame: pd.DataFrame, by: tuple[str, ...]) -> tuple[Places, list[str]]:
    """Return the segment of each row as the place of its name, and the names in order.

    Without a split all rows are the total.
    """
    if not by:
        return np.zeros(len(frame), dtype=int), [TOTAL]
    keys = frame[[f"d{i}" for i in range(len(by))]].astype(str)
    numbers = np.asarray(keys.groupby(list(keys), sort=False).ngroup(), dtype=np.intp)
    names = [label(by, values) for values in keys.drop_duplicates().itertuples(index=False)]
    order = sorted(range(len(names)), key=names.__getitem__)
    places = np.argsort(order)[numbers] if names else numbers
    return np.asarray(places, dtype=np.intp), [names[i] for i in order]


def label(by: Iterable[str], values: Iterable[str]) -> str:
    """What a segment is called: `team=East`, `team=East,region=EU`."""
    return ",".join(f"{name}={value}" for name, value in zip(by, values, strict=True))


def add_up(agg: str, days: Days, value: Array, n: Array, windows: Windows) -> tuple[Array, Array]:
    """Put the days of each window together: their sum, their least or their greatest value.

    `value` and `n` have a row a measure or segment and a column a day, what comes back a column a
    window; `n` is missing where there are no rows.
    """
    firsts, stops = slices(days, windows)
    counts = _sums(np.nan_to_num(n), firsts, stops)
    over, nothing = _EXTREMES.get(agg, np.add), 0.0
    if agg in _EXTREMES:
        nothing = np.nan
    else:
        value = np.where(np.isnan(value) & ~(n > 0), 0.0, value)  # filled cells with nan stay nan
    together = _reduced(over, value, firsts, stops, nothing)
    if agg == "average":
        together = np.divide(together, counts, out=np.full_like(together, np.nan), where=counts > 0)
    elif agg == "sum":
        together = np.where(counts > 0, together, np.nan)
    has_rows = _sums((~np.isnan(n)).astype(float), firsts, stops) > 0
    return together, np.where(has_rows, counts, np.nan)


def slices(days: Days, windows: Windows) -> tuple[Places, Places]:
    """Return where the days of each window begin and stop among ordered days."""

    def find() -> tuple[Places, Places]:
        firsts = np.searchsorted(days, windows.starts, side="left")
        stops = np.searchsorted(days, windows.ends, side="right")
        return firsts, np.maximum(firsts, stops)

    return windows.once(("slices", days.tobytes()), find)


def _sums(counts: Array, firsts: Places, stops: Places) -> Array:
    """Add up whole numbers of days, exactly."""
    so_far = np.zeros((len(counts), counts.shape[1] + 1))
    np.cumsum(counts, axis=1, out=so_far[:, 1:])
    return so_far[:, stops] - so_far[:, firsts]


def _reduced(over: Any, value: Array, firsts: Places, stops: Places, nothing: float) -> Array:
    """Reduce the days of each window by themselves, so that none takes digits from another."""
    if not len(firsts):
        return np.empty((len(value), 0))
    padded = np.concatenate([value, np.full((len(value), 1), nothing)], axis=1)
    bounds = np.column_stack([firsts, stops]).ravel()
    with np.errstate(over="ignore", invalid="ignore"):  # what is infinite is told as a fault
        together: Array = over.reduceat(padded, bounds, axis=1)[:, ::2]
    together[:, firsts == stops] = nothing
    return together
