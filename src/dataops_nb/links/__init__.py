"""Links: does an input move the North Star, or does it only keep people busy?

Every input, declared or not, is tested against every North Star (a cumulative one on its base
flow), at lags of one period and more, and all tests of a company are judged together::

    input target verdict lag horizon effect effect_low effect_high q same_as reason declared
    rocking_chair contradicted together is_part rise power periods periods_needed rise_back

- `verdict`: `moves`; `does not`, where a useful effect would have shown with 80 % power and every
  lag's 95 % interval excludes it, up to the `horizon`; else `cannot tell`, with its `reason` (see
  `reason_words`), and the `periods_needed` more where no more than two years of them are.
- `horizon`: the longest lag tried, missing where none was. `same_as`: the strongest input that
  moves the target with the same information, missing where this one adds its own.
- `lag`: the strongest one, in periods of the grain. `effect`: what one unit more of the input does
  to the target then, in units of the target, with its 95 % interval. Both are missing where the
  series are too short.
- `q`: the smallest chance of any false find on the board at which the pair would count as found.
- `contradicted`: a declared link that the data speak against.
- `together`: both move within one period, so that which moves which cannot be told at this grain.
- `is_part`: the target is computed from the input, or the input from nothing but the target (a
  window of it), which is arithmetic and not tested.
- `rise`: by which share the input lies clearly above a year before, or above the periods just
  before where there is no such year; `rise_back` is after how many periods. `rocking_chair`: it is
  busy (it rose, or is on target) and moves no North Star, though a useful effect would have been
  found.

`find` takes a metric table, `of_company` the rows of a company; both give these columns. `pairs`
says what is tested against what, `evidence` what correlations prove. How: docs/reference/links.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from dataops_nb import alignment
from dataops_nb.alignment.frame_rows import frame_company
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.table_rows import TableRows
from dataops_nb.errors import UsageError, did_you_mean, say_invalid
from dataops_nb.links.evidence import POWER, Array, Correlations, correlate, surprises
from dataops_nb.links.pairs import find_pairs, flow
from dataops_nb.links.regular import YEAR, clear
from dataops_nb.links.verdicts import COLUMNS, judge
from dataops_nb.metrics import Metric, Moves
from dataops_nb.periods import Calendar
from dataops_nb.terms import Better, Grain

__all__ = ["find"]


def __dir__() -> list[str]:
    return __all__


SHORTEST = 20
RECENT = {"day": 91, "week": 13, "month": 6, "quarter": 4, "year": 2}
CLEAR = 2.0
_BAND = ["value", "target", "target_low", "target_high"]


def find(
    table: pd.DataFrame,
    star: str,
    *,
    moves: Iterable[Mapping[str, Any]] = (),
    calendar: Calendar | None = None,
) -> pd.DataFrame:
    """Test whether the other metrics of a metric table move one of its metrics, the North Star.

    Totals are tested, in their complete periods; segments are not. `moves` are links that were
    expected: mappings like `{"input": "visits", "after": "2w", "effect": "same", "useful": 0.3}`,
    of which only `input` is needed. `calendar` cuts the table's periods (default: Monday weeks,
    calendar years). `of_company` does the same from a company's rows.

    Returns one row an input, with `COLUMNS`; see the head of this module. `effect` is in units of
    the North Star for one unit of the input, `lag` in periods of the grain.

    Raises UsageError for an unknown metric or word, with the nearest right one. Sources: Box and
    Jenkins (prewhitening); Benjamini and Hochberg 1995.

    >>> links.find(alignment.combine(revenue, buyers), "revenue").verdict.tolist()
    ['cannot tell']
    """
    rows = TableRows(table[table["segment"].isna()], calendar)
    known = list(rows.company.metrics)
    if star not in known:
        raise UsageError(f"the table has no metric {star!r}{did_you_mean(star, known)}")
    declared = _read_moves(moves, star, known)
    metrics: dict[str, Metric] = {}
    for name, metric in rows.company.metrics.items():
        own = [declared[name]] if name in declared else []
        metrics[name] = metric.model_copy(update={"moves": own})
    company = frame_company(metrics, rows.cut, north_star=[star])
    return of_company(rows.under(company), rows.grain)


def of_company(rows: Rows, grain: Grain = "week") -> pd.DataFrame:
    """Test every input of a company against every North Star, up to the rows' as-of.

    `rows` is what `workbench.open().rows()` gives, or a board's `rows`. Metrics that make no sense
    at the grain are left out.

    Returns one row a pair, with `COLUMNS`; see the head of this module. Raises DataError where a
    source that must not be used stands behind one of them.

    >>> links.of_company(both.rows).verdict.tolist()
    ['cannot tell']
    """
    return rows.recall(["links", grain], lambda: _test(rows, grain))


@np.errstate(over="ignore", invalid="ignore")  # of what is too large nothing can be told
def _test(rows: Rows, grain: Grain) -> pd.DataFrame:
    """Test every pair of a company."""
    pairs = find_pairs(rows.company, grain)
    inputs = list(dict.fromkeys(pair.input for pair in pairs))
    targets = list(dict.fromkeys(pair.target for pair in pairs))
    flows = {name: flow(rows.company, name) for name in [*targets, *inputs]}
    wanted = list(dict.fromkeys([*inputs, *(flows[name] for name in [*targets, *inputs])]))
    table = alignment.align(rows, wanted, grain=grain, end=rows.as_of)
    series = _Series.of(table, wanted)
    sides = [(flows[pair.input], flows[pair.target]) for pair in pairs]
    spans = [overlap(series.values[cause], series.values[effect]) for cause, effect in sides]
    found: list[Correlations | None] = [None] * len(pairs)
    for span in dict.fromkeys(spans):
        places: list[int] = []
        for place, pair in enumerate(pairs):
            if spans[place] == span and pair.is_tested:
                places.append(place)
        own_sides = [sides[place] for place in places]
        own_lags = [pairs[place].lags(grain) for place in places]
        related = series.related(span, own_sides, own_lags, grain)
        for place, correlations in zip(places, related, strict=True):
            found[place] = correlations
    judged = judge(pairs, found, grain)
    judged = judged.assign(periods=[last - first for first, last in spans])
    return _with_activity(judged, rows, table, grain)[COLUMNS]


def relate(
    starts: pd.DatetimeIndex,
    ends: pd.DatetimeIndex,
    causes: Array,
    effects: Array,
    *,
    lags: list[range],
    grain: Grain,
) -> list[Correlations | None]:
    """Correlate surprises of causes with later ones of effects, row by row.

    Each row is tested at its own `lags`.

    The arrays have one column for each of the periods, which have no gap. None where nothing can be
    said about a row.
    """
    found: list[Correlations | None] = [None] * len(causes)
    if len(starts) < SHORTEST:
        return found
    # An effect stands beside each of its causes: every series is cleared once.
    together = np.vstack([causes, effects])
    series: dict[bytes, int] = {}
    numbers = np.array([series.setdefault(row.tobytes(), len(series)) for row in together])
    first = np.unique(numbers, return_index=True)[1]
    cleared = clear(together[first], starts, ends, grain)
    cause, effect = numbers[: len(causes)], numbers[len(causes) :]
    moving = np.flatnonzero(~(cleared.is_still[cause] | cleared.is_still[effect]))
    cause, effect = cause[moving], effect[moving]
    pairs = surprises(cleared.values[cause], cleared.values[effect])
    units = cleared.unit[effect] / cleared.unit[cause]
    for tested in dict.fromkeys(lags):
        places = [place for place, row in enumerate(moving) if lags[row] == tested]
        spent = cleared.spent(cause[places], effect[places], tested)
        related = correlate([pairs[place] for place in places], tested, spent, units[places])
        for row, correlations in zip(moving[places].tolist(), related, strict=True):
            found[row] = correlations
    return found


def overlap(cause: Array, effect: Array) -> tuple[int, int]:
    """Find the last unbroken run of periods in which both series have values.

    Returns the place of its first period, and of the one after its last.
    """
    known = np.isfinite(cause) & np.isfinite(effect)
    if not known.any():
        return 0, 0
    last = int(np.flatnonzero(known)[-1])
    gaps = np.flatnonzero(~known[:last])
    first = int(gaps[-1]) + 1 if len(gaps) else 0
    return first, last + 1


@np.errstate(over="ignore", invalid="ignore")  # what is too large has not clearly risen
def risen(values: pd.Series, grain: Grain, better: Better = "up") -> float | None:
    """Measure by which share the recent periods (weeks: 13) lie above the same ones a year before.

    Without a year before they are compared with as many periods just before. None where the change
    is not clear: two standard errors in the good direction; down is good where `better` is down.
    """
    length, back = RECENT[grain], compared_back(values, grain)
    last = values.last_valid_index()
    known = np.zeros(0) if last is None else values.loc[:last].to_numpy(dtype=float)
    if len(known) < length + back:
        return None
    now = known[-length:]
    then = known[len(known) - length - back : len(known) - back]
    now, then = now[np.isfinite(now)], then[np.isfinite(then)]
    if min(len(now), len(then)) < 2 or then.mean() == 0:
        return None
    change = float(now.mean() - then.mean())
    error = float(np.sqrt(now.var(ddof=1) / len(now) + then.var(ddof=1) / len(then)))
    gain = -change if better == "down" else change
    is_clear = gain > 0 and gain > CLEAR * error
    return change / abs(float(then.mean())) if is_clear else None


def compared_back(values: pd.Series, grain: Grain) -> int:
    """Return how many periods before the recent ones those lie that `risen` compares them with.

    A year, or just before them where no year before is known.
    """
    length, back = RECENT[grain], YEAR[grain]
    last = values.last_valid_index()
    count = 0 if last is None else len(values.loc[:last])
    return length if length > back or count < length + back else back


def on_target(table: pd.DataFrame, grain: Grain, better: Better) -> bool:
    """Tell whether the recent periods met their target on average.

    `table` has `value target target_low target_high`.
    """
    recent = table.tail(RECENT[grain]).dropna(subset=["value", "target"])
    if recent.empty:
        return False
    mean = recent[_BAND].mean()
    if better == "inside":
        return bool(mean["target_low"] <= mean["value"] <= mean["target_high"])
    if better == "down":
        return bool(mean["value"] <= mean["target"])
    return bool(mean["value"] >= mean["target"])


def _read_moves(
    moves: Iterable[Mapping[str, Any]], star: str, known: list[str]
) -> dict[str, Moves]:
    """Read the links that were expected, by input."""
    declared: dict[str, Moves] = {}
    for mapping in moves:
        name = mapping.get("input")
        if name not in known:
            near = did_you_mean(str(name), known)
            raise UsageError(f"moves: the table has no metric {name!r}{near}")
        words = {key: value for key, value in mapping.items() if key != "input"}
        try:
            declared[str(name)] = Moves(metric=star, **words)
        except ValidationError as error:
            raise UsageError(say_invalid("moves", error.errors(), Moves.model_fields)) from error
    return declared


@dataclass(frozen=True)
class _Series:
    """Each metric's values over the same periods.

    NaN where a metric has none that is complete: a partial value is no smaller one.
    """

    starts: pd.DatetimeIndex
    ends: pd.DatetimeIndex
    values: dict[str, Array]

    @classmethod
    def of(cls, table: pd.DataFrame, metrics: Iterable[str]) -> _Series:
        """Take the metrics' series from an aligned table, which has the same periods for each."""
        complete = table.assign(value=table["value"].where(table["complete"].astype(bool)))
        rows_by_metric = dict(tuple(complete.groupby("metric", sort=False)))
        first = next(iter(rows_by_metric.values()), table)
        empty = table.iloc[:0]  # of a metric without any data
        values: dict[str, Array] = {}
        for name in metrics:
            values[name] = rows_by_metric.get(name, empty)["value"].to_numpy(dtype=float)
        starts, ends = (
            pd.DatetimeIndex(first["period_start"]),
            pd.DatetimeIndex(first["period_end"]),
        )
        return cls(starts, ends, values)

    def related(
        self, span: tuple[int, int], sides: list[tuple[str, str]], lags: list[range], grain: Grain
    ) -> list[Correlations | None]:
        """Correlate these pairs of metrics over these periods (see `relate`)."""
        if not sides:
            return []
        rows = slice(*span)
        causes = np.stack([self.values[cause][rows] for cause, _ in sides])
        effects = np.stack([self.values[effect][rows] for _, effect in sides])
        return relate(self.starts[rows], self.ends[rows], causes, effects, lags=lags, grain=grain)


def _with_activity(
    judged: pd.DataFrame, rows: Rows, table: pd.DataFrame, grain: Grain
) -> pd.DataFrame:
    """Add `rise` and `rocking_chair`: busy, and moving no North Star, not even as a part of it.

    A series that would not have shown a useful effect is never a rocking chair.
    """
    rises: dict[str, float | None] = dict.fromkeys(judged["input"])
    backs: dict[str, int] = dict.fromkeys(judged["input"], YEAR[grain])
    busy: dict[str, bool] = dict.fromkeys(judged["input"], False)
    past = table[table["complete"].astype(bool) & table["metric"].isin(judged["input"])]
    recent = past.groupby("metric", sort=False).tail(RECENT[grain])
    recent = alignment.add_targets(recent, rows)
    targets = dict(tuple(recent.groupby("metric", sort=False)))
    for name, own in past.groupby("metric", sort=False):
        metric = str(name)
        better = rows.company.metrics[metric].better
        values = own["value"].reset_index(drop=True)
        rises[metric] = risen(values, grain, better)
        backs[metric] = compared_back(values, grain)
        busy[metric] = rises[metric] is not None or on_target(targets[name], grain, better)
    moves = judged["verdict"] == "moves"
    leads = moves | judged["together"].astype(bool) | judged["is_part"].astype(bool)
    leading = set(judged.loc[leads, "input"])
    is_idle = ~judged["input"].isin(leading) & (judged["power"] >= POWER)
    return judged.assign(
        rocking_chair=is_idle & judged["input"].map(busy).astype(bool),
        rise=judged["input"].map(rises).astype(float),
        rise_back=judged["input"].map(backs).astype(int),
    )
