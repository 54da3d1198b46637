"""Findings: what a light alone does not say, as one table that pages, commands and priorities read.

One row a finding, the gravest kind first; every cell that a kind does not use is missing::

    kind metric department light period why other inputs green judged signal since change slope left
    event event_kind event_date event_lag before now

`kind` is one of:

- `explained signal`: one that followed an event; `event_lag` counts periods from the event to the
  signal, `before` and `now` are the means before it and since.
- `new level`: the metric left its level (`limits`, `level_since`), and no signal followed an event;
  `since`, `before` and `now` as above, with the event that lies shortly before, if there is one.
- `watermelon`: a red North Star whose inputs are green. `inputs` are the green ones (ids, with
  commas), `green` how many they are, `judged` how many have a colour.
- `green decline`: green, and getting worse for real. `signal` is its limits', `since` the first day
  of the decline, `slope` the change a period in the metric's own unit, `change` the share by which
  recent periods lie above the same ones a year before, `left` after how many periods it misses its
  target at that pace.
- `rocking chair`: busy, and no North Star follows; `other` is the North Star, `change` as above.
- `contradicted link`: declared to move `other`, and the data speak against it.
- `red by noise`: red, and one of its usual values.

`why` says it in plain words; `light` is missing where another board lights the metric. How each is
told: docs/reference/findings.md.

A decline is tested on its own, because the limits fall silent just where it is slow: a trend makes
successive values alike, and the guard against autocorrelation then blanks their signals. The trend
of the last periods is tested by ranks (Mann 1945, Kendall 1975), which one odd week does not
impress, with the variance corrected for autocorrelation (Yue and Wang 2004, Water Resources
Management 18); its slope is the median one (Sen 1968). A fall that comes every year is a season:
where there is a year before, the recent periods must lie clearly on the bad side of the same ones
then.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb import links
from dataops_nb.board.events import about, followed, nearest
from dataops_nb.company import Company
from dataops_nb.limits.lines import SHORTEST
from dataops_nb.limits.xmr import autocorrelation
from dataops_nb.links.pairs import find_pairs
from dataops_nb.periods import Period, calendar
from dataops_nb.status.attainment import COMMON, CONCERN, assurance, has_memory
from dataops_nb.terms import Better, Grain

KINDS = (
    "explained signal",
    "new level",
    "watermelon",
    "green decline",
    "rocking chair",
    "contradicted link",
    "red by noise",
)
COLUMNS: Mapping[str, Any] = {
    "kind": object, "metric": object, "department": object, "light": object, "period": object,
    "why": object, "other": object, "inputs": object, "green": "Int64", "judged": "Int64",
    "signal": object, "since": "datetime64[s]", "change": float, "slope": float, "left": "Int64",
    "event": object, "event_kind": object, "event_date": "datetime64[s]", "event_lag": "Int64",
    "before": float, "now": float,
}  # fmt: skip
LOOKED_AT = ("metric", "period_start", "period_end", "value", "complete", "signal")
JUDGED = ("green", "yellow", "red")
LEVEL = 0.01
STRETCHES = {
    "day": (91, 182),
    "week": (26, 52),
    "month": (26, 52),
    "quarter": (26, 52),
    "year": (26, 52),
}
_BAD: dict[Better, Better] = {"up": "down", "down": "up"}


def find(
    table: pd.DataFrame,
    company: Company,
    period: Period,
    *,
    links: pd.DataFrame,
    feeding: pd.DataFrame,
    events: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Find what the lights of one period do not say.

    `table` is a judged metric table: totals of every period, oldest first. `links` are rows of
    `links.find`; `feeding` are the period's rows of the metrics behind the North Stars, which a
    watermelon is told by; `events` come from `events.happened`. A metric without a row in the
    period has no finding of its own.

    Returns one row a finding, with `COLUMNS`.
    """
    current = table[table["period"] == period.id]
    looked_at = table[[name for name in LOOKED_AT if name in table]]
    rows_by_metric = {str(name): rows for name, rows in looked_at.groupby("metric", sort=False)}
    lights_below = dict(zip(feeding["metric"], feeding["light"], strict=True))
    rows: list[dict[str, Any]] = []
    for row in current.to_dict("records"):
        past = rows_by_metric[str(row["metric"])]
        rows += _of_row(
            {str(key): cell for key, cell in row.items()}, past, company, period, lights_below
        )
    rows += rocking(links, company)
    rows += contradicted(links)
    if events is not None:
        for name, own in rows_by_metric.items():
            happened = about(events, name) if len(events) else events
            if len(happened):
                rows += followed(name, _complete_periods(own, period), happened)
    explained = {row["metric"] for row in rows if row["kind"] == "explained signal"}
    for row in current.to_dict("records"):
        if row["metric"] not in explained:
            rows += new_level(row, company, period.grain, events)
    rows.sort(key=lambda row: KINDS.index(row["kind"]))
    lights = dict(zip(current["metric"], current["light"], strict=True)) | lights_below
    return _as_table(rows, company, period, lights)


def inputs_of(company: Company, star: str, grain: Grain) -> list[str]:
    """Return the inputs a North Star is told to depend on.

    Parts of its formula, and what is declared to move it.

    Every input of the company where nothing is told.
    """
    pairs = [pair for pair in find_pairs(company, grain) if pair.target == star]
    told = [pair.input for pair in pairs if pair.is_part or pair.declared]
    return told or [pair.input for pair in pairs]


def watermelon(
    star: str, inputs: Sequence[str], lights: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield a red North Star whose judged inputs are mostly green, and none red."""
    judged = [name for name in inputs if lights.get(name) in JUDGED]
    green = [name for name in judged if lights[name] == "green"]
    any_red = any(lights[name] == "red" for name in judged)
    if judged and not any_red and 2 * len(green) > len(judged):
        yield {
            "kind": "watermelon",
            "metric": star,
            "why": "off target although its inputs are on target",
            "inputs": ", ".join(green),
            "green": len(green),
            "judged": len(judged),
        }


def new_level(
    row: Mapping[Any, Any], company: Company, grain: Grain, events: pd.DataFrame | None
) -> Iterator[dict[str, Any]]:
    """Yield that a metric left its level, while that is its newest signal, and an event near it."""
    if row["signal"] != "shift":
        return
    event = None
    if events is not None and len(events):
        since = pd.Timestamp(row["level_since"])
        event = nearest(events, str(row["metric"]), since, grain, calendar(company.calendar))
    yield (event or {}) | {
        "kind": "new level",
        "metric": row["metric"],
        "why": "on another level than before",
        "signal": row["signal"],
        "since": row["level_since"],
        "before": row["level_before"],
        "now": row["level_now"],
    }


def noisy(row: Mapping[str, Any], better: Better) -> Iterator[dict[str, Any]]:
    """Yield a red value inside its usual range.

    Its process reaches the target at other times.
    """
    if row["variation"] != COMMON or has_memory(row):
        return
    sure = assurance(
        row["lower"],
        row["upper"],
        better,
        target=row["target"],
        low=row["target_low"],
        high=row["target_high"],
    )
    if sure == "inconsistent":
        yield {
            "kind": "red by noise",
            "metric": row["metric"],
            "why": "off target in an ordinary period",
        }


def declining(
    row: Mapping[str, Any], past: pd.DataFrame, better: Better, grain: Grain
) -> Iterator[dict[str, Any]]:
    """Yield a green value that gets worse for real.

    It is a signal for the worse, or the last of a declining stretch.
    """
    is_past = past["complete"].astype(bool) & (past["period_end"] <= row["period_end"])
    complete = past[is_past].reset_index(drop=True)
    trend = None
    if better != "inside":
        trend = decline(complete["value"], grain, better)
    finding = {
        "kind": "green decline",
        "metric": row["metric"],
        "why": "on target but getting worse",
        "signal": row["signal"],
    }
    if trend is not None:
        yield finding | {
            "since": complete["period_start"].iloc[-trend.periods],
            "slope": trend.slope,
            "change": trend.share,
            "left": _periods_left(trend, row),
        }
    elif row["variation"] == CONCERN:
        yield finding | {"since": _first_signal(complete)}


def rocking(links: pd.DataFrame, company: Company) -> Iterator[dict[str, Any]]:
    """Yield one row an input that rocks.

    It stands with the North Star that it was declared to move, else with its first one.

    Those that were declared to move one come first.
    """
    idle = links[links["rocking_chair"].astype(bool)]
    idle = idle.assign(undeclared=~idle["declared"].astype(bool))
    idle = idle.sort_values("undeclared", kind="stable").drop_duplicates("input")
    for row in idle.to_dict("records"):
        change = None
        busy = "on target"
        if not pd.isna(row["rise"]):
            change = row["rise"]
            is_down = company.metrics[row["input"]].better == "down"
            busy = "down" if is_down else "up"
        yield {
            "kind": "rocking chair",
            "metric": row["input"],
            "other": row["target"],
            "why": f"{busy}, with no effect on a North Star",
            "change": change,
        }


def contradicted(links: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield one row a declared link that the data speak against.

    They show no effect, or the other way round.
    """
    for row in links[links["contradicted"].astype(bool)].to_dict("records"):
        against = "expected effect not seen"
        if row["verdict"] == "moves":
            against = "the data show the opposite of what was expected"
        yield {
            "kind": "contradicted link",
            "metric": row["input"],
            "other": row["target"],
            "why": against,
        }


@dataclass(frozen=True)
class Decline:
    """The trend of the last `periods` values.

    `slope` is its change a period, in the bad direction, in the values' unit.

    `share` is by how much the recent periods lie above (negative: below) the same ones a year
    before, or the ones before them where there is no such year.
    """

    slope: float
    periods: int
    share: float


def decline(values: pd.Series, grain: Grain, better: Better) -> Decline | None:
    """Find the decline that ends with the last of successive values, oldest first.

    None where there is no clear one.

    The last 26 values are looked at, and the last 52 (of days 91 and 182), at least 12; the surer
    of both counts. A missing value cuts off what lies before it.
    """
    known = values.to_numpy(dtype=float)
    gaps = np.flatnonzero(~np.isfinite(known))
    if len(gaps):
        known = known[gaps[-1] + 1 :]
    if better == "inside" or len(known) < SHORTEST:
        return None
    last = min((known[-length:] for length in STRETCHES[grain]), key=chance)
    slope = median_slope(last)
    is_bad = slope < 0 if better == "up" else slope > 0
    if not is_bad or chance(last) > LEVEL:
        return None
    share = links.risen(values, grain, _BAD[better])
    return None if share is None else Decline(slope, len(last), share)


def chance(values: np.ndarray) -> float:
    """Return the two-sided p-value of the trend in values that may be autocorrelated; at most 1.

    Source: Mann and Kendall's test, its variance corrected as by Yue and Wang (2004).
    """
    n = len(values)
    slope = median_slope(values)
    residuals = values - slope * np.arange(n)
    if float(np.ptp(residuals)) <= 1e-9 * float(np.abs(values).max()):
        return float(not slope)  # a straight line: a trend for sure, or none at all
    measured = autocorrelation(residuals.tolist())
    # short series look less alike than they are
    alike = min(max((n * measured + 2) / (n - 4), 0.0), 0.95)
    lags = np.arange(1, n)
    correction = 1 + 2 * float((alike**lags * (1 - lags / n)).sum())
    variance = n * (n - 1) * (2 * n + 5) / 18 * correction
    signs = np.sign(values[:, None] - values[None, :])
    score = float(signs[np.tril_indices(n, -1)].sum())
    return 2 * NormalDist().cdf(-max(abs(score) - 1, 0) / math.sqrt(variance))


def median_slope(values: np.ndarray) -> float:
    """Return the median of the slopes between all pairs of values (Sen 1968).

    One odd week does not tilt it.
    """
    later, earlier = np.tril_indices(len(values), -1)
    return float(np.median((values[later] - values[earlier]) / (later - earlier)))


def _of_row(
    row: Mapping[str, Any],
    past: pd.DataFrame,
    company: Company,
    period: Period,
    lights: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """Yield the findings about one metric of the period."""
    metric = str(row["metric"])
    better = company.metrics[metric].better
    if row["light"] == "red":
        if metric in company.north_star:
            yield from watermelon(metric, inputs_of(company, metric, period.grain), lights)
        yield from noisy(row, better)
    if row["light"] == "green":
        yield from declining(row, past, better, period.grain)


def _complete_periods(rows: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Return a metric's complete periods up to this one."""
    is_past = rows["period_end"] <= pd.Timestamp(period.end)
    return rows[rows["complete"].astype(bool) & is_past & rows["value"].notna()]


def _as_table(
    rows: Sequence[Mapping[str, Any]], company: Company, period: Period, lights: Mapping[str, str]
) -> pd.DataFrame:
    filled: list[dict[str, Any]] = []
    for row in rows:
        metric = row["metric"]
        place = {
            "department": company.department_of(metric),
            "light": lights.get(metric),
            "period": period.id,
        }
        filled.append({**dict.fromkeys(COLUMNS), **place, **row})
    columns: dict[str, pd.Series] = {}
    for name, dtype in COLUMNS.items():
        columns[name] = pd.Series([row[name] for row in filled], dtype=dtype)
    return pd.DataFrame(columns)


def _first_signal(complete: pd.DataFrame) -> pd.Timestamp:
    """Return the first day of the successive signals that the last value ends."""
    quiet = complete.index[complete["signal"].isna()]
    first = int(quiet[-1]) + 1 if len(quiet) else 0
    return pd.Timestamp(complete["period_start"].iloc[min(first, len(complete) - 1)])


def _periods_left(trend: Decline, row: Mapping[str, Any]) -> int | None:
    """Return after how many periods a metric misses its target at this pace.

    None without a target.
    """
    room = float(abs(row["value"] - row["target"]))
    if not trend.slope or not math.isfinite(room):
        return None
    return math.floor(room / abs(trend.slope)) + 1
