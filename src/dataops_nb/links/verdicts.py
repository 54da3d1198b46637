"""Verdicts: what the correlations of a board's pairs prove of each, and why no more.

A pair moves where one of its lags is sure among all lags of all pairs. That it does not is said of
the pair by itself: a useful effect would have shown with 80 % power if no other pair were tested,
no sign of one is there, and every lag's interval excludes it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.links.causes import name_same
from dataops_nb.links.evidence import POWER, Array, Correlations, Q, adjusted, level, periods_needed
from dataops_nb.links.pairs import Pair
from dataops_nb.links.regular import YEAR
from dataops_nb.terms import Grain

COLUMNS = [
    "input", "target", "verdict", "lag", "horizon", "effect", "effect_low", "effect_high", "q",
    "same_as", "reason", "declared", "rocking_chair", "contradicted", "together", "is_part", "rise",
    "power", "periods", "periods_needed", "rise_back",
]  # fmt: skip
_OF_ACTIVITY = {"rocking_chair", "rise", "rise_back", "periods"}
# Why a verdict is `cannot tell`, and how that is said.
REASONS = {
    "part": "a part of it",
    "window": "made of nothing but it",
    "too short": "too few {grain}s",
    "same period": "both move in the same {grain}",
    "one stretch": "one stretch of time alone relates them",
    "unrest": "both are restless in the same {grain}s",
    "other lags": "as related at lags that nobody means",
    "weak sign": "a sign too weak among so many pairs",
    "too little data": "too few {grain}s for a useful effect to show",
}


def reason_words(reason: str, grain: str) -> str:
    """Say why a verdict is `cannot tell`.

    >>> from dataops_nb.links import verdicts
    >>> verdicts.reason_words("same period", "week")
    'both move in the same week'
    """
    return REASONS[reason].format(grain=grain)


def judge(pairs: list[Pair], found: list[Correlations | None], grain: Grain) -> pd.DataFrame:
    """Judge pairs by their correlations: the p-values of all their lags together.

    Returns one row a pair, with `COLUMNS` but `rise rise_back rocking_chair periods`.
    """
    tested = [correlations for correlations in found if correlations is not None]
    p: Array = np.zeros(0)
    if tested:
        p = np.concatenate([correlations.p for correlations in tested])
    q = adjusted(p)
    hurdle = level(int((q <= Q).sum()), len(p))
    rows: list[dict[str, Any]] = []
    first = 0
    for pair, correlations in zip(pairs, found, strict=True):
        if correlations is None:
            rows.append(_untested_row(pair, grain))
            continue
        last = first + len(correlations.lags)
        rows.append(_tested_row(pair, correlations, q[first:last], hurdle, grain))
        first = last
    name_same(rows, found)
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        if name not in _OF_ACTIVITY:
            nothing = None if name in {"same_as", "reason"} else np.nan
            columns[name] = [row.get(name, nothing) for row in rows]
    for name in ("same_as", "reason"):
        columns[name] = pd.Series(columns[name], dtype=object)
    for name in ("lag", "horizon", "periods_needed"):
        columns[name] = pd.array(columns[name], dtype="Int64")
    return pd.DataFrame(columns)


def _untested_row(pair: Pair, grain: Grain) -> dict[str, Any]:
    """Return the row of a pair that is arithmetic, or has too little data."""
    reason, needed = "too short", None
    if pair.is_part:
        reason = "part"
    elif pair.is_window:
        reason = "window"
    else:
        needed = _few(periods_needed(pair.useful, _own_level(pair, grain), 0.0), grain)
    return {
        **_named(pair),
        "verdict": "cannot tell",
        "reason": reason,
        "contradicted": False,
        "together": False,
        "power": 0.0,
        "periods_needed": needed,
    }


def _tested_row(
    pair: Pair, correlations: Correlations, q: Array, hurdle: float, grain: Grain
) -> dict[str, Any]:
    """Return the row of a tested pair.

    `hurdle` is the p-value that counts as found, `q` has one value a lag.
    """
    best = int(np.argmin(correlations.p))
    strongest = float(correlations.r[best])
    own_level = _own_level(pair, grain)
    power = correlations.power(pair.useful, own_level, pair.after(grain))
    goes_along = correlations.goes_along(pair.useful, own_level)
    # a lag that could not be tested may hide an effect
    is_sure = power >= POWER and len(correlations.lags) == len(pair.lags(grain))
    lowest_q = min(q.tolist())
    verdict, reason, needed = "cannot tell", None, None
    if lowest_q <= Q:
        verdict = "moves"
    else:
        reason = _doubted(correlations, own_level, hurdle)
        if reason is None and goes_along:
            reason = "same period"
        elif reason is None and is_sure and correlations.excludes(pair.useful):
            verdict = "does not"
        elif reason is None:
            free = float(correlations.free.min())
            needed = _few(periods_needed(pair.useful, own_level, free), grain)
            reason = "weak sign" if needed == 0 else "too little data"
            needed = needed or None
    effect, effect_low, effect_high = correlations.effect(best)
    return {
        **_named(pair),
        "verdict": verdict,
        "reason": reason,
        "lag": int(correlations.lags[best]),
        "horizon": int(correlations.lags[-1]),
        "effect": effect,
        "effect_low": effect_low,
        "effect_high": effect_high,
        "q": lowest_q,
        "contradicted": _contradicted(pair, verdict, strongest),
        "together": goes_along,
        "power": power if is_sure else min(power, math.nextafter(POWER, 0)),
        "periods_needed": needed,
    }


def _doubted(correlations: Correlations, own_level: float, hurdle: float) -> str | None:
    """Return why a pair that shows something is not said to move; None where nothing shows."""
    strongest = int(np.argmin(correlations.p_unchecked))
    if correlations.p_unchecked[strongest] <= hurdle:
        doubts = correlations.doubts
        return (doubts[strongest].reason if doubts else None) or "weak sign"
    return "weak sign" if correlations.p_unchecked[strongest] <= own_level / 5 else None


def _own_level(pair: Pair, grain: Grain) -> float:
    """Return the p-value at which a lag of the pair would count if no other pair were tested.

    What a board of many pairs hides may be there: a pair is said not to move where it would have
    shown by itself.
    """
    return Q / len(pair.lags(grain))


def _few(periods: int, grain: Grain) -> int | None:
    """Return how many periods are needed, or None where nobody would wait for them."""
    return periods if periods <= 2 * YEAR[grain] else None


def _named(pair: Pair) -> dict[str, Any]:
    return {
        "input": pair.input,
        "target": pair.target,
        "is_part": not pair.is_tested,
        "declared": pair.declared is not None,
    }


def _contradicted(pair: Pair, verdict: str, r: float) -> bool:
    """Tell whether the data speak against a declared link.

    They show no effect, or one in the other direction.
    """
    if pair.declared is None or verdict == "cannot tell":
        return False
    return verdict == "does not" or (r > 0) != (pair.declared.effect == "same")
