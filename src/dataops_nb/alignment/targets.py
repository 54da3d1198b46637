"""Targets: what was agreed for a period, whatever grain it was agreed for.

A flow's target (`per:`) is spread over the days of its own period and added up over the days asked
for; a rate's or a stock's is averaged over them. Both are weighted by days where a period runs
across a change, and computed exactly (as fractions), so that meeting a target to the unit counts as
meeting it. With `shape: last_year` a period's total is spread as it was 364 days back, on the same
weekdays. What holds at one grain only (`grain:`) is chosen by `metrics.targets_at`.

A plan is targets that stand in a source. A row is about a day and, through `match:`, about a
segment. With `per:` it is about the whole period that holds its day, and rows of one period add up;
without, it holds from its day until the next one. Rows that leave match columns empty are about
what the filled ones say, all together: they go before the sum of the parts.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError
from sqlglot import exp

from dataops_nb import metrics
from dataops_nb.alignment.daily import label as segment_label
from dataops_nb.alignment.families import Family, find_families
from dataops_nb.alignment.measures import declared_splits, measure
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.tables import require_table
from dataops_nb.alignment.windows import DAY, DAYS, TOTAL, Window, series_of
from dataops_nb.alignment.worths import COLUMNS, LastYear, Worths, spread
from dataops_nb.errors import UsageError, did_you_mean, say_invalid
from dataops_nb.metrics import Measure, OwnTarget, Simple, SourceTarget, targets_at
from dataops_nb.metrics import Target as Target_
from dataops_nb.periods import Calendar
from dataops_nb.periods import calendar as calendar_of
from dataops_nb.terms import Grain

_PLAIN = Calendar()
Targets = Mapping[str, Sequence[Target_]]


def add_targets(
    table: pd.DataFrame, targets: Targets | Rows, calendar: Calendar | None = None
) -> pd.DataFrame:
    """Add what was agreed for each period: `target`, in the metric's unit, and the ends of a band.

    `targets` are dated targets by metric, or the rows of a company, whose files say them. A target
    with `per` is spread over the days of its own period and added up over those of the table's; one
    without is averaged over days. One with `grain` holds at that grain alone. A target is missing
    where nothing was agreed for every day of a period. Plain targets are for totals; those of a
    company's sources are for segments too.
    `calendar` cuts the periods that targets are `per` (default: Monday weeks, calendar years).

    Adds `target target_low target_high`; a band's target is its middle. Rows and their order are
    kept.

    Raises UsageError for targets of a metric that the table does not have, with the nearest one.

    >>> monthly = {"buyers": [alignment.Target(value=1300, per="month")]}
    >>> alignment.add_targets(buyers, monthly).target.round(1).tolist()
    [294.9, 303.3, 303.3]
    """
    if isinstance(targets, Mapping):
        dated = _plain_targets(table, targets)
        return _with_targets(table, dated, calendar or _PLAIN, {})
    rows = targets
    cut = calendar_of(rows.company.calendar, rows.company.holidays)
    metrics = table["metric"].unique()
    dated = {name: _agreed(rows, name, cut) for name in metrics}
    past = {name: LastYear(rows, name) for name in metrics}
    added = _with_targets(table, dated, cut, past)
    own = added["target"].copy()
    own.update(_own_targets(table[table["segment"].isna()], rows))
    return added.assign(target=own)


def _with_targets(
    table: pd.DataFrame,
    dated: Mapping[str, Mapping[str, list[Target_]]],
    cut: Calendar,
    past: Mapping[str, LastYear],
) -> pd.DataFrame:
    """Return the table with the targets of each metric's total and segments.

    What a target is worth in a period is the same for all that are dated and spread alike, so it is
    found once for all of them.
    """
    columns = {name: np.full(len(table), np.nan) for name in COLUMNS}
    judged = np.flatnonzero(_may_have_targets(table, dated))  # a large table is mostly segments
    part = table.iloc[judged]
    ends = [part[name].to_numpy().astype(DAYS) for name in ("period_start", "period_end")]
    grains = part["grain"].to_numpy(dtype=object)
    known: dict[Hashable, Worths] = {}
    for (metric, segment), rows in series_of(part).items():
        planned = dated.get(metric, {}).get(segment, [])
        for grain in dict.fromkeys(grains[rows].tolist()):
            agreed = targets_at(planned, grain)
            if not agreed:
                continue
            own = rows[grains[rows] == grain]
            starts, lasts = (days[own] for days in ends)
            own_past = past.get(metric) if any(item.shape for item in agreed) else None
            key = (*map(spread, agreed), starts.tobytes(), lasts.tobytes(), own_past)
            if key not in known:
                days = list(zip(starts.tolist(), lasts.tolist(), strict=True))
                known[key] = Worths.of(agreed, days, cut, own_past)
            for name, cells in known[key].values(agreed).items():
                columns[name][judged[own]] = cells
    return table.assign(
        **{name: pd.Series(cells, index=table.index) for name, cells in columns.items()}
    )


def _may_have_targets(
    table: pd.DataFrame, dated: Mapping[str, Mapping[str, list[Target_]]]
) -> pd.Series:
    """Tell which rows are of a segment, or the total, that some metric has targets for."""
    names: set[str] = set()
    for by_segment in dated.values():
        names |= set(by_segment)
    is_named = table["segment"].isin(names - {TOTAL})
    return is_named | table["segment"].isna() if TOTAL in names else is_named


def _plain_targets(table: pd.DataFrame, targets: Targets) -> dict[str, dict[str, list[Target_]]]:
    """Return the dated targets of each metric's total."""
    require_table(table)
    names = [str(name) for name in table["metric"].unique()]
    dated = {}
    for name, agreed in targets.items():
        if name not in names:
            raise UsageError(f"the table has no metric {name!r}{did_you_mean(name, names)}")
        if isinstance(agreed, Target_) or not all(isinstance(item, Target_) for item in agreed):
            raise UsageError(f"the targets of {name!r} are a list of alignment.Target")
        if any(item.shape for item in agreed):
            raise UsageError("shape: last_year needs the rows of a company; leave it out")
        dated[name] = {TOTAL: list(agreed)}
    return dated


def _own_targets(totals: pd.DataFrame, rows: Rows) -> pd.Series:
    """Return the target in the latest of a metric's own rows in each period.

    It has rows for the metrics that have such targets.
    """
    latest: dict[str, Measure] = {}
    for name in totals["metric"].unique():
        what = _latest(rows, name)
        if what is not None:
            latest[name] = what
    families = find_families(latest, latest.get)
    metrics_of: dict[str | Family, list[str]] = {}  # a family is measured at once
    for name in latest:
        metrics_of.setdefault(families.get(name, name), []).append(name)
    parts = []
    for unit, names in metrics_of.items():
        own = totals[totals["metric"].isin(names)]
        parts.append(_measure_own(own, rows, unit, latest))
    return pd.concat(parts) if parts else pd.Series(dtype=float)


def _measure_own(
    own: pd.DataFrame, rows: Rows, unit: str | Family, latest: dict[str, Measure]
) -> pd.Series:
    days = list(zip(own["period_start"], own["period_end"], strict=True))
    place = {day: number for number, day in enumerate(dict.fromkeys(days))}
    windows = [Window(start.date(), end.date()) for start, end in place]
    if isinstance(unit, Family):
        value = unit.measure(rows, windows).value
    else:
        value = measure(rows, latest[unit], windows, ()).value.rename(columns={TOTAL: unit})
    row = [place[day] for day in days]
    column = value.columns.get_indexer(pd.Index(own["metric"]))
    return pd.Series(value.to_numpy(dtype=float)[row, column], index=own.index)


def _latest(rows: Rows, name: str) -> Measure | None:
    """The measure of the target in a metric's own latest row; None for a metric without one."""
    metric = rows.company.metrics[name]
    columns = [item.column for item in metric.targets if isinstance(item, OwnTarget)]
    if not columns or not isinstance(metric, Simple):
        return None
    column = '"' + columns[0].replace('"', '""') + '"'
    return metric.measure.model_copy(update={"agg": "max", "expr": column, "at": "end"})


def _agreed(rows: Rows, metric: str, cut: Calendar) -> dict[str, list[Target_]]:
    """The dated targets of a metric's total and segments.

    Those in its file, and those in sources.
    """
    agreed = rows.company.metrics[metric].targets
    splits = declared_splits(rows.company, metric)
    dated: dict[str, list[Target_]] = {}
    dated[TOTAL] = [item for item in agreed if isinstance(item, Target_)]
    for item in agreed:
        if isinstance(item, SourceTarget):
            for label, planned in plan(rows, item, splits, cut).items():
                dated.setdefault(label, []).extend(planned)
    return dated


def plan(
    rows: Rows, agreed: SourceTarget, splits: Sequence[tuple[str, ...]], cut: Calendar
) -> dict[str, list[Target_]]:
    """Dated targets by segment label (`TOTAL` for all together), for the splits that the plan
    speaks of.

    A target without a value ends the one before. A rate's plan says nothing about what is put
    together from its segments.
    """
    if rows.faulty(agreed.source):
        return {}
    table = _rows(rows, agreed)
    if agreed.per is not None:
        table = table.assign(day=[cut.period(agreed.per, day).start for day in table["day"]])
    matched = [split for split in splits if set(split) <= set(agreed.match)]
    dated: dict[str, list[Target_]] = {}
    for split in [(), *matched]:
        others = [name for name in agreed.match if name not in split]
        for label, own in _segments(table, split):
            together = own[others].isna().all(axis=1)
            planned = _planned(own, together, cut, agreed)
            dated.setdefault(label, []).extend(planned)
    return dated


def _rows(rows: Rows, agreed: SourceTarget) -> pd.DataFrame:
    """Fetch `day value` and the dimensions in `match`, as text."""
    day = rows.local_date(agreed.source, rows.company.origins[agreed.source].time or "")
    value = exp.cast(exp.column(agreed.column, quoted=True), "double")
    texts = []
    for dimension, column in agreed.match.items():
        text = exp.cast(exp.column(column, quoted=True), "text")
        texts.append(exp.alias_(text, dimension, quoted=True))
    query = exp.select(exp.alias_(day, "day"), exp.alias_(value, "value"), *texts)
    table = rows.fetch(query.from_(rows.relation(agreed.source)))
    known = table.dropna(subset=["day", "value"])
    return known.assign(day=pd.to_datetime(known["day"]).dt.date)


def _segments(rows: pd.DataFrame, split: tuple[str, ...]) -> Iterator[tuple[str, pd.DataFrame]]:
    if not split:
        yield TOTAL, rows
        return
    for key, own in rows.dropna(subset=list(split)).groupby(list(split), sort=True):
        yield segment_label(split, map(str, key)), own


def _planned(
    rows: pd.DataFrame, together: pd.Series, cut: Calendar, agreed: SourceTarget
) -> list[Target_]:
    if agreed.per is None:
        return _holding(rows[together], agreed.grain)
    return _amounts(rows, together, cut, agreed.per)


def _amounts(rows: pd.DataFrame, together: pd.Series, cut: Calendar, per: Grain) -> list[Target_]:
    """One target a period.

    Of the rows about all together where there are any, else the sum of the parts.
    """
    of_all, parts = rows[together], rows[~together]
    other_days = parts[~parts["day"].isin(set(of_all["day"]))]
    sums = pd.concat([of_all, other_days]).groupby("day")["value"].sum()
    planned: list[Target_] = []
    for start, value in zip(sums.index, sums, strict=True):
        period = cut.period(per, start)
        planned.append(Target_(from_=period.start, per=per, value=float(value)))
        if period.end + DAY not in sums.index:
            planned.append(Target_(from_=period.end + DAY))
    return planned


def _holding(rows: pd.DataFrame, grain: Grain | None) -> list[Target_]:
    """One target a day with rows; two values for one day are none."""
    values: dict[dt.date, set[float]] = defaultdict(set)
    for day, value in zip(rows["day"], rows["value"], strict=True):
        values[day].add(float(value))
    planned = []
    for day, numbers in sorted(values.items()):
        value = min(numbers) if len(numbers) == 1 else None
        planned.append(Target_(from_=day, grain=grain, value=value))
    return planned


class Target(metrics.Target):
    """A dated target of a metric, in its unit; it holds from `from_` until the next one.

    `value`: the target; `low` and `high`: the band of a metric that should stay inside one. `per`:
    the period that a flow's target is for (day, week, month, quarter, year); other grains are
    scaled by `by`: days or working_days. `grain`: the one grain at which a rate's or a stock's
    target holds; at others there is none. `season`: a factor for some months, `{"december": 0.8}`.

    Raises UsageError for a word that is none, with the nearest right one.

    >>> alignment.Target(value=1300, per="month").per
    'month'
    """

    def __init__(
        self,
        value: Any = None,
        per: Any = None,
        *,
        from_: Any = None,
        low: Any = None,
        high: Any = None,
        season: Any = None,
        by: Any = "days",
        grain: Any = None,
        **said: Any,
    ) -> None:
        since = said.pop("from", from_)
        try:
            day = dt.date.fromisoformat(since) if isinstance(since, str) else since
        except ValueError:
            raise UsageError(f"from_ {since!r} is no day; write it like 2026-01-01") from None
        own = {"value": value, "per": per, "grain": grain, "from": day, "low": low, "high": high}
        try:
            super().__init__(**own, season=season or {}, by=by, **said)
        except ValidationError as error:
            fields = [name for name in metrics.Target.model_fields if name != "shape"]
            raise UsageError(say_invalid("alignment.Target", error.errors(), fields)) from error
