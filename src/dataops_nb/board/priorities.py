"""What to solve next: urgent and important, not loud.

One row for each thing that somebody raised (params/solve_next.yaml, until it is done or dropped)
and each thing that the board found by itself, with `COLUMNS`::

    rank id title kind metric light slack at_stake at_stake_low at_stake_high why
    stability star lag effort effort_days asked due state raised_by raised_on owner

`slack`: days until the target of the North Star that the metric leads to is out of reach, less the
link's lag, less the work; negative is late already, missing where nothing runs out. `at_stake`:
what the shortfall costs in the company's currency over a year if it stays as it is, with the middle
95% of the draws; missing where that cannot be told, 0 where the metric is on target or moves no
North Star. Rows are ranked by slack in whole weeks, then by what is at stake for a day of work;
what has nothing at stake comes last. `asked` (loudness) is carried and never used. `stability` is
the share of draws in which the row stays among the first three. How: docs/reference/priorities.md.

Out of reach: of the `remaining` periods of the coming year the first so many go on as the recent
ones. The others would then have to be so good that the year's average still meets the target. It is
out of reach once that takes an average better than the best tenth of the periods of the last year.
A level has to reach its target within the year, by its best changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb.alignment.rows import Rows
from dataops_nb.board.stakes import (
    RECENT,
    YEAR,
    Estimate,
    Scale,
    Stake,
    is_level,
    outside_band,
    stake,
)
from dataops_nb.company import Company, Item
from dataops_nb.metrics import Cumulative
from dataops_nb.numbers import agreeing, small
from dataops_nb.periods import Period
from dataops_nb.terms import Grain

COLUMNS = [
    "rank", "id", "title", "kind", "metric", "light", "slack", "at_stake", "at_stake_low",
    "at_stake_high", "why", "stability", "star", "lag", "effort", "effort_days", "asked", "due",
    "state", "raised_by", "raised_on", "owner",
]  # fmt: skip
TOP = 3
DRAWS = 2000
SEED = 20
USUAL_EFFORT = 5.0
OPEN = ("open", "doing")
TITLES = {
    "red": "{label} {is_} off target",
    "unreconciled": "Two systems disagree on {small}",
    "rocking chair": "{label}: no effect seen on a North Star",
    "watermelon": "{label} {is_} off target, its inputs are not",
    "green decline": "{label} {is_} on target but getting worse",
}
OPENINGS = {
    "red": "off target",
    "unreconciled": "two systems disagree",
    "rocking chair": "no effect seen",
    "watermelon": "its inputs are on target",
}
NOISE = "red by noise"
LAST_YEAR: dict[Grain, int] = {"day": 365, "week": 52, "month": 12, "quarter": 8, "year": 5}
BEST = 0.9
WEEK = 7
_MIDDLE = (2.5, 97.5)
_TEXTS = ("metric", "light", "star", "effort", "due", "raised_by", "raised_on", "owner")
_DTYPES: dict[str, Any] = {
    "slack": float,
    "at_stake": float,
    "lag": "Int64",
    "asked": int,
    "effort_days": float,
}


def find(
    rows: Rows,
    current: pd.DataFrame,
    links: pd.DataFrame,
    period: Period,
    *,
    findings: pd.DataFrame | None = None,
    seed: int = SEED,
) -> pd.DataFrame:
    """Rank what to solve next, best first.

    `current` is the judged metric table of the last complete period, `links` the pairs of
    `links.find`, `findings` those of `findings.find`. The same seed gives the same draws.

    Returns one row a thing to solve, with `COLUMNS`. Raises DataError where a source that must not
    be used stands behind a metric.
    """
    if findings is None:
        findings = pd.DataFrame(columns=["kind", "metric"])
    candidates = find_candidates(rows.company, current, links, findings)
    scale = Scale(rows, period, links)
    stakes: dict[str, Stake] = {}
    horizons: dict[str, Horizon] = {}
    for candidate in candidates:
        metric = candidate["metric"]
        if metric and metric not in stakes:
            stakes[metric] = stake(scale, metric)
            star = stakes[metric].star
            if star and star not in horizons:
                horizons[star] = horizon(scale, star)
    rng = np.random.default_rng(seed)
    usual_effort = _usual_effort(candidates)
    unseen = Stake(reason="no metric would show it")
    lines: list[dict[str, Any]] = []
    draws: list[dict[str, Any]] = []
    for candidate in candidates:
        shortfall = stakes.get(candidate["metric"], unseen)
        end = horizons.get(shortfall.star) if shortfall.star else None
        line = _row(candidate, shortfall, end, scale, usual_effort)
        lines.append(line)
        draws.append(_draw(line, shortfall, end, scale, rng))
    return _rank(lines, draws)


def order(slack: Any, at_stake: Any, amount: Any, work: Any) -> Any:
    """Return the positions of rows in order, best first; rows that are equal stay as they came.

    First what has something at stake, then what cannot be told (`at_stake` missing), then what has
    nothing at stake. Among each: the least slack in whole weeks (missing last), then the largest
    `amount` for a day of `work`, then the least work.
    """
    at_stake = np.asarray(at_stake, dtype=float)
    work = np.maximum(np.asarray(work, dtype=float), 1.0)
    group = np.where(np.isnan(at_stake), 1, np.where(at_stake > 0, 0, 2))
    weeks = np.floor(np.asarray(slack, dtype=float) / WEEK)
    weeks = np.where(np.isnan(weeks), np.inf, weeks)
    gain = np.nan_to_num(np.asarray(amount, dtype=float) / work)
    return np.lexsort((work, -gain, weeks, group))


def places(slack: Any, at_stake: Any, amounts: Any, work: Any) -> Any:
    """Return the place of each row (from 0) in each draw.

    All arrays have one row an item and one column a draw; `work` has one number an item.
    """
    ranks = np.empty(np.shape(amounts), dtype=int)
    for draw in range(ranks.shape[1]):
        best = order(slack[:, draw], at_stake[:, draw], amounts[:, draw], work)
        ranks[best, draw] = np.arange(len(best))
    return ranks


def find_candidates(
    company: Company, current: pd.DataFrame, links: pd.DataFrame, findings: pd.DataFrame
) -> list[dict[str, Any]]:
    """List what was raised and is not closed, then what the board found: one dict each.

    What was raised stands in the order of the file.

    `findings` have `kind metric`. A metric that somebody has raised is not listed a second time;
    nor is a red North Star where an input that moves it is, nor a red that is one of the metric's
    usual values.
    """
    listed = [_raised(company, item, current) for item in company.solve_next if item.state in OPEN]
    raised_metrics = {candidate["metric"] for candidate in listed}
    for metric, kind in _noticed(company, current, findings).items():
        if metric not in raised_metrics:
            listed.append(_found_by_board(company, metric, kind, current))
    causes = {row["metric"] for row in listed if row["light"] in {"red", "yellow"}}
    kept: list[dict[str, Any]] = []
    for candidate in listed:
        is_asked = candidate["kind"] == "asked"
        if is_asked or not _is_explained(company, candidate["metric"], causes, links):
            kept.append(candidate)
    return kept


def _raised(company: Company, item: Item, current: pd.DataFrame) -> dict[str, Any]:
    """Return what somebody raised as a candidate."""
    return {
        "id": item.id,
        "title": item.title,
        "kind": "asked",
        "metric": item.metric,
        "light": _light(current, item.metric),
        "effort": str(item.effort) if item.effort else None,
        "effort_days": float(item.effort.days) if item.effort else math.nan,
        "asked": item.asked,
        "due": item.due,
        "state": item.state,
        "raised_by": item.raised_by,
        "raised_on": item.raised_on,
        "owner": item.owner or _owner(company, item.metric),
    }


def _found_by_board(
    company: Company, metric: str, kind: str, current: pd.DataFrame
) -> dict[str, Any]:
    """Return what the board noticed about a metric as a candidate."""
    label = company.label(metric)
    return {
        "id": f"{kind.replace(' ', '-')}:{metric}",
        "title": TITLES[kind].format(
            label=label, is_=agreeing(label, "is", "are"), small=small(label)
        ),
        "kind": kind,
        "metric": metric,
        "light": _light(current, metric),
        "effort": None,
        "effort_days": math.nan,
        "asked": 0,
        "due": None,
        "state": "open",
        "raised_by": "the board",
        "raised_on": None,
        "owner": _owner(company, metric),
    }


def _noticed(company: Company, current: pd.DataFrame, findings: pd.DataFrame) -> dict[str, str]:
    """Return the metrics that the board notices, each with its gravest kind.

    A rocking chair counts where it was meant to move something.
    """
    pairs: list[tuple[str, str]] = []
    for kind, metric in zip(findings["kind"], findings["metric"], strict=True):
        is_idle = kind == "rocking chair" and not company.metrics[metric].moves
        if kind in TITLES and not is_idle:
            pairs.append((metric, kind))
    noise = set(findings.loc[findings["kind"] == NOISE, "metric"])
    for metric in current.loc[current["light"] == "red", "metric"]:
        if metric not in noise:
            pairs.append((metric, "red"))
    for metric in current.loc[current["reason"] == "unreconciled", "metric"]:
        if company.metrics[metric].reconcile:  # else it is made of the one that is to be settled
            pairs.append((metric, "unreconciled"))
    # from the least grave to the gravest: the last one that is written stays
    return dict(reversed(pairs))


def _is_explained(
    company: Company, star: str | None, causes: set[Any], links: pd.DataFrame
) -> bool:
    """Tell whether a North Star is off because of a listed input.

    The input is what can be worked on.
    """
    if star is None or star not in company.north_star:
        return False
    is_mover = (links["target"] == star) & (links["verdict"] == "moves")
    behind = set(links.loc[is_mover, "input"]) | set(company.upstream([star]))
    return bool(behind & (causes - {star}))


def _light(current: pd.DataFrame, metric: str | None) -> str | None:
    lights = current.loc[current["metric"] == metric, "light"]
    return None if lights.empty else str(lights.iloc[0])


def _owner(company: Company, metric: str | None) -> str | None:
    return company.departments[company.department_of(metric)].owner if metric else None


def _usual_effort(candidates: list[dict[str, Any]]) -> float:
    """Return the days of work to assume where nobody has said them: the median of the others."""
    days = [row["effort_days"] for row in candidates if math.isfinite(row["effort_days"])]
    return float(np.median(days)) if days else USUAL_EFFORT


def _row(
    candidate: dict[str, Any],
    shortfall: Stake,
    end: Horizon | None,
    scale: Scale,
    usual_effort: float,
) -> dict[str, Any]:
    """Return a candidate with its slack, what it puts at stake, and why."""
    work = candidate["effort_days"]
    if not math.isfinite(work):
        work = usual_effort
    days_left = _days_left(candidate, shortfall, end.left if end else math.nan, scale)
    opening = OPENINGS.get(candidate["kind"])
    return candidate | {
        "slack": float(_slack(days_left, shortfall, work, scale)),
        "at_stake": shortfall.amount,
        "star": shortfall.star,
        "lag": shortfall.lag if shortfall.star else None,
        "why": f"{opening}: {shortfall.reason}" if opening else shortfall.reason,
        "work": work,
    }


def _draw(
    row: dict[str, Any], shortfall: Stake, end: Horizon | None, scale: Scale, rng: Any
) -> dict[str, Any]:
    """Return a row's slack and amount as they might have come out, one of each a draw."""
    amounts = shortfall.draw(rng, DRAWS)
    periods_left = end.draw(rng, DRAWS) if end else np.full(DRAWS, math.nan)
    days_left = _days_left(row, shortfall, periods_left, scale)
    return {
        "slack": np.broadcast_to(_slack(days_left, shortfall, row["work"], scale), DRAWS),
        "at_stake": amounts,
    }


def _days_left(candidate: dict[str, Any], shortfall: Stake, periods_left: Any, scale: Scale) -> Any:
    """Return the days until the target is out of reach, or the thing is due.

    NaN where nothing runs out.
    """
    if shortfall.amount == 0:
        return math.nan
    days = periods_left * scale.days
    if candidate["due"] is None:
        return days
    return np.fmin(days, (candidate["due"] - scale.rows.as_of).days)


def _slack(days_left: Any, shortfall: Stake, work: float, scale: Scale) -> Any:
    """Return the whole days that may pass before the work has to begin."""
    return np.floor(days_left - shortfall.lag * scale.days - work)


def _rank(rows: list[dict[str, Any]], draws: list[dict[str, Any]]) -> pd.DataFrame:
    """Rank the rows by the estimates.

    The draws give the interval of what is at stake, and how stable the first places are.
    """
    if not rows:
        return pd.DataFrame(columns=COLUMNS)
    table = pd.DataFrame(rows)
    for name in _TEXTS:
        texts = table[name].astype(object)
        table[name] = texts.where(texts.notna(), None)
    table = table.astype(_DTYPES)
    amounts = np.array([draw["at_stake"] for draw in draws])
    slack = np.array([draw["slack"] for draw in draws])
    # what is at stake decides the group by the estimate, so that no draw moves a row to another one
    estimates = np.broadcast_to(table["at_stake"].to_numpy()[:, None], amounts.shape)
    ranks = places(slack, estimates, amounts, table["work"])
    low, high = np.percentile(amounts, _MIDDLE, axis=1)
    table = table.assign(
        at_stake_low=np.fmin(low, table["at_stake"]),
        at_stake_high=np.fmax(high, table["at_stake"]),
        stability=(ranks < TOP).mean(axis=1),
    )
    at_stake = table["at_stake"].to_numpy()
    best = order(table["slack"].to_numpy(), at_stake, at_stake, table["work"])
    ranked: pd.DataFrame = table.iloc[best].reset_index(drop=True)
    return ranked.assign(rank=np.arange(1, len(ranked) + 1)).reindex(columns=COLUMNS)


@dataclass(frozen=True)
class Horizon:
    """What a target still takes over the coming year.

    `needed` over the `remaining` periods, `expected` and `best` a period.

    Up is good. Lengths are in periods.
    """

    needed: float
    remaining: float
    expected: Estimate
    best: float

    @property
    def left(self) -> float:
        """Periods until the target is out of reach.

        The whole year where it is not in danger, 0 where it is already.
        """
        return float(self._left(np.array([self.expected.value]))[0])

    def draw(self, rng: np.random.Generator, count: int) -> Any:
        """Return `left` as it might have come out, so many times."""
        return self._left(self.expected.draw(rng, count))

    def _left(self, expected: Any) -> Any:
        if math.isnan(self.needed) or math.isnan(self.best):
            return np.full(len(expected), math.nan)
        room = self.best - expected
        with np.errstate(all="ignore"):
            until = np.where(room > 0, (self.best * self.remaining - self.needed) / room, 0.0)
            is_safe = expected * self.remaining >= self.needed
        return np.where(is_safe, self.remaining, np.clip(until, 0.0, self.remaining))


def horizon(scale: Scale, metric: str) -> Horizon:
    """Measure how far a metric is from its target over the coming year.

    NaN without a target or a past.
    """
    remaining, grain = YEAR / scale.days, scale.period.grain
    rows = _good_is_up(scale, metric)
    if rows.empty or math.isnan(rows["target"].iloc[-1]):
        return Horizon(math.nan, remaining, Estimate(math.nan), math.nan)
    target = float(rows["target"].iloc[-1])
    if is_level(scale.company.metrics[metric]):
        steps = rows["value"].diff()
        needed = target - float(rows["value"].iloc[-1])
    else:
        steps = rows["value"]
        needed = target * remaining
    best = float(steps.tail(LAST_YEAR[grain]).quantile(BEST))
    return Horizon(needed, remaining, Estimate.of(steps.tail(RECENT[grain])), best)


def _good_is_up(scale: Scale, metric: str) -> pd.DataFrame:
    """Return `period_start value target`, turned so that more is better.

    A trailing sum as what it adds up.
    """
    definition = scale.company.metrics[metric]
    rows = scale.series(metric)[["period_start", "value", "target", "target_low", "target_high"]]
    if isinstance(definition, Cumulative):
        share = scale.days / (definition.window.days or YEAR)
        base = scale.series(definition.metric)[["period_start", "value"]]
        rows = rows.drop(columns="value").merge(base, on="period_start")
        rows = rows.assign(target=rows["target"] * share)
    if definition.better == "inside":
        return rows.assign(value=-outside_band(rows).abs(), target=rows["target_low"] * 0.0)
    sign = -1.0 if definition.better == "down" else 1.0
    return rows.assign(value=sign * rows["value"], target=sign * rows["target"])
