"""Links: does an input move the North Star, or does it only keep people busy?

Every input, declared or not, is tested against every North Star (a cumulative one on its base flow), at lags of one
period and more, and all tests of the board are judged together::

    input target verdict lag effect effect_low effect_high q declared rocking_chair
    contradicted together is_part rise power periods periods_needed

`verdict` is `moves`; `does not`, where a useful effect would have been found with 80 % power and every lag's 95 %
interval excludes it; else `cannot tell`, with the `periods_needed` more. `lag` is in periods of the grain: the strongest
one, and `effect` what one unit more of the input does to the target then, in units of the target, with its 95 %
interval; missing where the series are too short. `q` is the smallest share of false finds at which the pair would count
as found. `contradicted` is a declared link that the data speak against. `together`: both move within one period, so that
which moves which cannot be told at this grain. `is_part`: the target is computed from the input, which is arithmetic and
not tested. How: docs/reference/links.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb import alignment
from dataops_nb.definitions.models import Grain
from dataops_nb.links.activity import RECENT, on_target, risen
from dataops_nb.links.evidence import POWER, Correlations, Q, adjusted, correlate, level, periods_needed
from dataops_nb.links.pairs import Pair, find_pairs, flow
from dataops_nb.links.whitening import Array, cleared, is_constant, regular, surprises
from dataops_nb.sources import Catalog

__all__ = ["COLUMNS", "Pair", "find", "find_pairs", "flow", "judge", "overlap", "relate", "risen"]

COLUMNS = [
    "input", "target", "verdict", "lag", "effect", "effect_low", "effect_high", "q", "declared", "rocking_chair",
    "contradicted", "together", "is_part", "rise", "power", "periods", "periods_needed",
]  # fmt: skip
SHORTEST = 20
_OF_ACTIVITY = {"rocking_chair", "rise", "periods"}


def find(catalog: Catalog, grain: Grain = "week") -> pd.DataFrame:
    """One row for each input and North Star that make sense at the grain, with `COLUMNS`, up to the catalog's as-of.

    Raises DataError where a source that must not be used stands behind one of them.
    """
    pairs = find_pairs(catalog.definitions, grain)
    targets = {pair.target: flow(catalog.definitions, pair.target) for pair in pairs}
    inputs = list(dict.fromkeys(pair.input for pair in pairs))
    flows = {name: flow(catalog.definitions, name) for name in inputs}
    wanted = [*inputs, *targets.values(), *flows.values()]
    table = alignment.align(catalog, list(dict.fromkeys(wanted)), grain=grain, end=catalog.as_of)
    known = _Series.of(table, wanted)
    sides = [(flows[pair.input], targets[pair.target]) for pair in pairs]
    spans = [overlap(*(known.values[name] for name in side)) for side in sides]
    found: dict[int, Correlations | None] = {}
    for span in dict.fromkeys(spans):
        places = [i for i, pair in enumerate(pairs) if spans[i] == span and not pair.is_part]
        related = known.related(span, [sides[i] for i in places], [pairs[i].lags(grain) for i in places], grain)
        found.update(zip(places, related, strict=True))
    judged = judge(pairs, [found.get(i) for i in range(len(pairs))], grain)
    judged = judged.assign(periods=[last - first for first, last in spans])
    return _with_activity(judged, catalog, table, grain)[COLUMNS]


def relate(
    starts: pd.DatetimeIndex, ends: pd.DatetimeIndex, causes: Array, effects: Array, *, lags: list[range], grain: Grain
) -> list[Correlations | None]:
    """How surprises of each row of `causes` and later ones of the same row of `effects` go together, at that row's `lags`.

    One column for each of the periods, which have no gap; None where a row cannot be said anything about.
    """
    if len(starts) < SHORTEST:
        return [None] * len(causes)
    columns = regular(starts, ends, grain)
    first, second = cleared(causes, columns), cleared(effects, columns)
    moving = np.flatnonzero(~is_constant(causes, first) & ~is_constant(effects, second))
    pairs = surprises(first[moving], second[moving])
    found: dict[int, Correlations | None] = {}
    for tested in dict.fromkeys(lags):
        places = [place for place, row in enumerate(moving) if lags[row] == tested]
        related = correlate([pairs[place] for place in places], tested, columns.shape[1])
        found.update(zip(moving[places].tolist(), related, strict=True))
    return [found.get(row) for row in range(len(causes))]


def judge(pairs: list[Pair], found: list[Correlations | None], grain: Grain) -> pd.DataFrame:
    """The verdict of each pair: the p-values of all their lags are judged together."""
    known = [each for each in found if each is not None]
    p: Array = np.concatenate([each.p for each in known]) if known else np.zeros(0)
    q = adjusted(p)
    hurdle = level(int((q <= Q).sum()), len(p))
    own = iter(np.split(q, np.cumsum([len(each.lags) for each in known])[:-1]) if known else [])
    rows = [
        _row(pair, each, next(own) if each else None, hurdle, grain) for pair, each in zip(pairs, found, strict=True)
    ]
    columns = {name: [row.get(name, np.nan) for row in rows] for name in COLUMNS if name not in _OF_ACTIVITY}
    whole = {name: pd.array(columns[name], dtype="Int64") for name in ("lag", "periods_needed")}
    return pd.DataFrame(columns | whole)


def _row(pair: Pair, found: Correlations | None, q: Array | None, hurdle: float, grain: Grain) -> dict[str, Any]:
    row: dict[str, Any] = {
        "input": pair.input, "target": pair.target, "is_part": pair.is_part, "declared": pair.declared is not None,
    }  # fmt: skip
    if found is None or q is None:
        needed = None if pair.is_part else periods_needed(pair.useful, hurdle, 0.0, 0.0)
        return row | {
            "verdict": "cannot tell",
            "contradicted": False,
            "together": False,
            "power": 0.0,
            "periods_needed": needed,
        }
    best = int(np.argmax(np.abs(found.z) * np.sqrt(found.free)))
    power = found.power(pair.useful, hurdle, pair.after(grain))
    along = found.goes_along(pair.useful, hurdle)
    sure = power >= POWER and len(found.lags) == len(pair.lags(grain))
    absent = sure and not along and found.excludes(pair.useful)
    lowest = min(q.tolist())
    verdict = "moves" if lowest <= Q else "does not" if absent else "cannot tell"
    open_ = verdict == "cannot tell" and not along
    return row | {
        "verdict": verdict,
        "lag": int(found.lags[best]),
        **dict(zip(("effect", "effect_low", "effect_high"), found.effect(best), strict=True)),
        "q": lowest,
        "contradicted": _contradicted(pair, verdict, float(found.r[best])),
        "together": along,
        "power": power if sure else min(power, math.nextafter(POWER, 0)),
        "periods_needed": _needed(pair, found, hurdle, best) if open_ else None,
    }


def _needed(pair: Pair, found: Correlations, hurdle: float, best: int) -> int:
    return periods_needed(pair.useful, hurdle, float(found.r[best]), float(found.free.min()))


def _contradicted(pair: Pair, verdict: str, r: float) -> bool:
    """Whether the data speak against a declared link: no effect, or one in the other direction."""
    if pair.declared is None or verdict == "cannot tell":
        return False
    return verdict == "does not" or (r > 0) != (pair.declared.effect == "same")


@dataclass(frozen=True)
class _Series:
    """Each metric's values over the same periods, NaN where it has none that is complete: a partial one is no smaller one."""

    starts: pd.DatetimeIndex
    ends: pd.DatetimeIndex
    values: dict[str, Array]

    @classmethod
    def of(cls, table: pd.DataFrame, metrics: Iterable[str]) -> _Series:
        """The metrics' series from an aligned table, which has the same periods for each: none before anybody has data."""
        complete = table.assign(value=table["value"].where(table["complete"].astype(bool)))
        groups = {str(name): group for name, group in complete.groupby("metric", sort=False)}
        one = next(iter(groups.values()), table)
        values = {name: groups.get(name, table.iloc[:0])["value"].to_numpy(dtype=float) for name in metrics}
        return cls(pd.DatetimeIndex(one["period_start"]), pd.DatetimeIndex(one["period_end"]), values)

    def related(
        self, span: tuple[int, int], pairs: list[tuple[str, str]], lags: list[range], grain: Grain
    ) -> list[Correlations | None]:
        """`relate` for these pairs of metrics over these periods."""
        if not pairs:
            return []
        rows = slice(*span)
        causes, effects = (np.stack([self.values[pair[side]][rows] for pair in pairs]) for side in (0, 1))
        return relate(self.starts[rows], self.ends[rows], causes, effects, lags=lags, grain=grain)


def overlap(cause: Array, effect: Array) -> tuple[int, int]:
    """The last unbroken run of periods in which both have values: the place of its first, and of the one after its last."""
    known = np.isfinite(cause) & np.isfinite(effect)
    if not known.any():
        return 0, 0
    last = int(np.flatnonzero(known)[-1])
    gaps = np.flatnonzero(~known[:last])
    return int(gaps[-1]) + 1 if len(gaps) else 0, last + 1


def _with_activity(judged: pd.DataFrame, catalog: Catalog, table: pd.DataFrame, grain: Grain) -> pd.DataFrame:
    """The pairs with `rise` and `rocking_chair`: busy, with a series that
    would have shown a useful effect, and moving no North Star, not even as a part of it."""
    rises: dict[str, float | None] = dict.fromkeys(judged["input"])
    busy: dict[str, bool] = dict.fromkeys(judged["input"], False)
    whole = table[table["complete"].astype(bool) & table["metric"].isin(judged["input"])]
    recent = alignment.add_targets(whole.groupby("metric", sort=False).tail(RECENT[grain]), catalog)
    aimed = dict(tuple(recent.groupby("metric", sort=False)))
    for name, past in whole.groupby("metric", sort=False):
        metric, better = str(name), catalog.definitions.metrics[str(name)].better
        rises[metric] = risen(past["value"].reset_index(drop=True), grain, better)
        busy[metric] = rises[metric] is not None or on_target(aimed[name], grain, better)
    leads = (judged["verdict"] == "moves") | judged["together"].astype(bool) | judged["is_part"].astype(bool)
    idle = ~judged["input"].isin(set(judged.loc[leads, "input"])) & (judged["power"] >= POWER)
    rocking = idle & judged["input"].map(busy).astype(bool)
    return judged.assign(rocking_chair=rocking, rise=judged["input"].map(rises).astype(float))
