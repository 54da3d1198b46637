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


def find(catalog: Catalog, grain: Grain = "week") -> pd.DataFrame:
    """One row for each input and North Star that make sense at the grain, with `COLUMNS`, up to the catalog's as-of.

    Raises DataError where a source that must not be used stands behind one of them.
    """
    pairs = find_pairs(catalog.definitions, grain)
    targets = {pair.target: flow(catalog.definitions, pair.target) for pair in pairs}
    inputs = list(dict.fromkeys(pair.input for pair in pairs))
    tested = {name: flow(catalog.definitions, name) for name in inputs}
    wanted = [*inputs, *targets.values(), *tested.values()]
    table = alignment.align(catalog, list(dict.fromkeys(wanted)), grain=grain, end=catalog.as_of)
    known = _series(table)
    both = [overlap(known[tested[pair.input]], known[targets[pair.target]]) for pair in pairs]
    found = [None if p.is_part else relate(rows, p.lags(grain), grain) for p, rows in zip(pairs, both, strict=True)]
    judged = judge(pairs, found, grain).assign(periods=[len(rows) for rows in both])
    return _with_activity(judged, catalog, table, grain)[COLUMNS]


def relate(both: pd.DataFrame, lags: range, grain: Grain) -> Correlations | None:
    """How surprises of `cause` and later ones of `effect` go together; None where that cannot be said.

    `both` has the columns `period_start period_end cause effect`, one row a period without a gap.
    """
    if len(both) < SHORTEST:
        return None
    starts, ends = pd.DatetimeIndex(both["period_start"]), pd.DatetimeIndex(both["period_end"])
    columns = regular(starts, ends, grain)
    first, second = (both[name].to_numpy(dtype=float) for name in ("cause", "effect"))
    one, other = cleared(first, columns), cleared(second, columns)
    if is_constant(first, one) or is_constant(second, other):
        return None
    return correlate(*surprises(one, other), lags, columns.shape[1])


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
    columns = [name for name in COLUMNS if name not in {"rocking_chair", "rise", "periods"}]
    return pd.DataFrame(rows, columns=columns).astype({"lag": "Int64", "periods_needed": "Int64"})


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
    best = int(np.argmax(np.abs(np.arctanh(found.r)) * np.sqrt(found.free)))
    power = found.power(pair.useful, hurdle, pair.after(grain))
    along = found.goes_along(pair.useful, hurdle)
    sure = power >= POWER and len(found.lags) == len(pair.lags(grain))
    absent = sure and not along and found.excludes(pair.useful)
    verdict = "moves" if q.min() <= Q else "does not" if absent else "cannot tell"
    needed = periods_needed(pair.useful, hurdle, float(found.r[best]), float(found.free.min()))
    return row | {
        "verdict": verdict,
        "lag": int(found.lags[best]),
        **dict(zip(("effect", "effect_low", "effect_high"), found.effect(best), strict=True)),
        "q": float(q.min()),
        "contradicted": _contradicted(pair, verdict, float(found.r[best])),
        "together": along,
        "power": power if sure else min(power, np.nextafter(POWER, 0)),
        "periods_needed": needed if verdict == "cannot tell" and not along else None,
    }


def _contradicted(pair: Pair, verdict: str, r: float) -> bool:
    """Whether the data speak against a declared link: no effect, or one in the other direction."""
    if pair.declared is None or verdict == "cannot tell":
        return False
    return verdict == "does not" or (r > 0) != (pair.declared.effect == "same")


def _series(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Each metric's complete periods; a partial one is no smaller one."""
    complete = table.assign(value=table["value"].where(table["complete"].astype(bool)))
    columns = ["period_start", "period_end", "value"]
    return {str(name): group[columns] for name, group in complete.groupby("metric", sort=False)}


def overlap(cause: pd.DataFrame, effect: pd.DataFrame) -> pd.DataFrame:
    """`period_start period_end cause effect`: the last unbroken run of periods in which both have values.

    Each has the columns `period_start period_end value`, one row a period.
    """
    renamed = effect[["period_start", "value"]].rename(columns={"value": "effect"})
    both = cause.rename(columns={"value": "cause"}).merge(renamed, on="period_start", how="inner")
    known = both[["cause", "effect"]].notna().all(axis=1)
    if not known.any():
        return both.iloc[:0]
    both = both.loc[: known[known].index[-1]]
    gaps = known[~known.astype(bool)].loc[: both.index[-1]]
    return both.loc[gaps.index[-1] + 1 :] if len(gaps) else both


def _with_activity(judged: pd.DataFrame, catalog: Catalog, table: pd.DataFrame, grain: Grain) -> pd.DataFrame:
    """The pairs with `rise` and `rocking_chair`: busy, with a series that
    would have shown a useful effect, and moving no North Star, not even as a part of it."""
    rises: dict[str, float | None] = {}
    busy: dict[str, bool] = {}
    for name, rows in table[table["metric"].isin(judged["input"])].groupby("metric", sort=False):
        metric, better = str(name), catalog.definitions.metrics[str(name)].better
        past = rows[rows["complete"].astype(bool)].reset_index(drop=True)
        rises[metric] = risen(past["value"], grain, better)
        recent = alignment.add_targets(past.tail(RECENT[grain]), catalog)
        busy[metric] = rises[metric] is not None or on_target(recent, grain, better)
    leads = (judged["verdict"] == "moves") | judged["together"].astype(bool) | judged["is_part"].astype(bool)
    idle = ~judged["input"].isin(set(judged.loc[leads, "input"])) & (judged["power"] >= POWER)
    rocking = idle & judged["input"].map(busy).astype(bool)
    return judged.assign(rocking_chair=rocking, rise=judged["input"].map(rises).astype(float))
