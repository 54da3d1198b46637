"""Process limits: how much a metric moves by itself, so that nobody explains an ordinary week.

Each metric and segment of a metric table has limits from its own complete periods, by the chart
that fits its kind of number: individual values and moving ranges (XmR) by Wheeler, of the values or
of their logarithms, or for what is counted Laney's charts, by the number behind each period. Where
a metric has a trend or a season, its limits can follow the line that fits both. A series that is
short gets no verdict. Where values are alike, limits follow what makes them so (`expectations`);
where nothing is known to, they would prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.limits import expectations, kinds, lines, regimes
from dataops_nb.limits.columns import begins, named, number_names
from dataops_nb.limits.kinds import CHARTS, LOG, Numbers
from dataops_nb.limits.noise import ALIKE, NEW_LEVEL, REASONS, Noise, lines_of
from dataops_nb.limits.stretches import (
    NOTHING,
    Stretches,
    left_out_by,
    locked_by,
    number_series,
    numbers_in,
    on_scale,
    order_of,
    stretch_starts,
)
from dataops_nb.limits.verdicts import false_alarms, signals
from dataops_nb.limits.xmr import NAMES, AnyRules, Rules, rules_of, xmr
from dataops_nb.metrics import Limits
from dataops_nb.terms import Grain

__all__ = [
    "Rules",
    "add_limits",
    "xmr",
]


def __dir__() -> list[str]:
    return __all__


_PLAIN = (Limits(), Rules())
Places = npt.NDArray[np.intp]


@np.errstate(over="ignore", invalid="ignore")  # what is too large to square has no limits
def add_limits(table: pd.DataFrame, rules: AnyRules = None) -> pd.DataFrame:
    """Add process limits to a metric table: each metric and segment against its own periods.

    `rules` are one `Rules` for all metrics, a mapping by metric, or a company, whose definitions
    also say what kind of number a metric is; by default the chart that fits the numbers. `base`,
    where the table has it, is what a value is a share of or is counted for; else it is `n`. Limits
    come from all complete periods (of the days of `lock`, without those of `leave_out`) and start
    anew with the first period that begins on or after a day of `rebase`. With `trend` and `season`
    they follow the line that fits them. Without these, a `lock` and a `chart` they also start
    anew where a series of weeks or longer periods changed its level after the newest `rebase`.

    Returns the same rows in their order, with `center lower upper` in the metric's unit; `signal`
    (outside, trend, near-limit, run, crossings; shift, in a new level; null without one and without
    a verdict); `limits_reason`, why there is no verdict: `too short` (fewer than 12 complete
    periods, or a season of less than two years), `autocorrelated`, `no width` or `new level`
    (begun less than 12 complete periods ago); `level_since`, the first day of the row's own level
    (missing: it is the first), with the means `level_before` and `level_now`; `limits_chart` (xmr,
    log, p, u, c, laney-p, laney-u, laney-c); `limits_line`, what limits follow (trend, season,
    memory, joined by `and`; null: a level); `left_out`, whether limits leave the period out; and
    `alarm`, the chance that the newest point shows a signal though nothing happens.

    Raises UsageError for rules about a metric that looks like another one.

    Source: Wheeler, *Understanding Variation*; Montgomery, *Introduction to Statistical Quality
    Control*, chapter 7; Laney 2002.

    >>> limits.add_limits(buyers).limits_reason.unique().tolist()
    ['too short']
    """
    history = _History.of(table, rules)
    noise = Noise.of(history)
    noise.measure_again(history, history.follow(np.flatnonzero(noise.reason == ALIKE)))
    unknown = ~history.known()
    columns: dict[str, Any] = {}
    for name, line in lines_of(history, noise).items():
        columns[name] = np.where(unknown, np.nan, line)
    change = history.change
    places = signals(history, noise)
    places[change.is_news & history.usable] = NAMES.index("shift")
    starts = np.append(history.start, np.datetime64("NaT"))
    reasons = np.where(change.is_new, NEW_LEVEL, history.by_row(noise.reason))
    columns |= {
        "signal": named(np.array(NAMES, dtype=object), places),
        "limits_reason": named(REASONS, reasons),
        "level_since": starts[change.since],
        "level_before": change.before,
        "level_now": change.now,
        "limits_chart": named(np.array(CHARTS, dtype=object), history.by_row(history.chart)),
        "limits_line": history.by_row(history.follows),
        "left_out": history.left_out,
        "alarm": history.by_row(false_alarms(history, noise) + history.false_shifts(noise)),
    }
    for name, column in columns.items():
        columns[name] = _put_back(column, history.order, table.index)
    return table.assign(**columns)


def _put_back(column: np.ndarray, order: Places | None, index: pd.Index) -> pd.Series:
    """Return a column of the sorted history in the order of the table's rows."""
    if order is not None:
        in_order = column
        column = np.empty_like(in_order)
        column[order] = in_order
    return pd.Series(column, index=index, dtype=column.dtype, copy=False)


@dataclass(frozen=True)
class _History(Stretches):
    """The rows of a table as stretches; `order` sorts the table's rows so, None if they are.

    `start` and `end` are the first and the last day of each row's period, `change` what its regime
    began with. `follows` and `grain` are, for each stretch, what its line follows, and its grain.
    `designs` are those of lines through the same periods.
    """

    order: Places | None
    start: np.ndarray
    end: np.ndarray
    change: regimes.Change
    follows: np.ndarray
    grain: list[Grain]
    designs: lines.Designs

    @classmethod
    def of(cls, table: pd.DataFrame, rules: AnyRules) -> _History:
        """Sort a metric table into stretches, by the rules of its metrics."""
        metric, series, names = number_series(table)
        start = table["period_start"].to_numpy()
        end = table["period_end"].to_numpy()
        columns = [
            table["value"].to_numpy(dtype=float),
            numbers_in(table, "base"),
            numbers_in(table, "n"),
        ]
        complete = table["complete"].to_numpy(dtype=bool)
        order = order_of(series, start)
        if order is not None:
            start, end = start[order], end[order]
            metric, series, complete = metric[order], series[order], complete[order]
            columns = [column[order] for column in columns]
        values, base, n = columns

        metric_rules = rules_of(names, rules)
        firsts = stretch_starts(metric, series, start, metric_rules)
        usable = complete & np.isfinite(values)
        begins_series = begins(series)
        of_series = np.cumsum(begins_series) - 1
        numbers = Numbers(of_series, values, base, n, usable)
        own_metric = metric[begins_series]
        metric_kinds = kinds.kinds_of(names, rules)
        charts, base = kinds.choose(
            numbers,
            [metric_kinds[number] for number in own_metric],
            [metric_rules[number] for number in own_metric],
        )
        chart_of_row = charts[of_series]
        on_logs = chart_of_row == LOG
        scaled = on_scale(values, on_logs)
        usable &= (chart_of_row < kinds.COUNTED) | (base > 0)
        basis = usable & ~(on_logs & (scaled <= NOTHING))
        grains = _grains(table, order, np.flatnonzero(begins_series))
        part = np.cumsum(firsts) - 1
        series_of_part = of_series[firsts]
        searched = regimes.Searched(
            part=part,
            values=scaled,
            basis=basis,
            agreed=[metric_rules[number] for number in metric[firsts]],
            grains=[grains[number] for number in series_of_part],
            newest=np.diff(series_of_part, append=-1) != 0,
        )
        new_levels = regimes.starts(searched)
        change = regimes.change(part, values, usable, new_levels, searched.grains)
        values = scaled
        firsts[new_levels] = True
        agreed = [metric_rules[number] for number in metric[firsts]]
        chart = charts[of_series[firsts]]
        stretch = np.cumsum(firsts) - 1
        history = cls(
            order=order,
            start=start,
            end=end,
            change=change,
            follows=np.array([expectations.named(rules) for rules in agreed], dtype=object),
            grain=[grains[number] for number in of_series[firsts]],
            designs=lines.Designs(),
            stretch=stretch,
            chart=chart,
            values=values,
            base=base,
            line=np.zeros(len(values)),
            wide=np.ones(len(agreed)),
            usable=usable,
            basis=basis,
            left_out=np.zeros(len(values), dtype=bool),
            short=np.zeros(len(agreed), dtype=bool),
            agreed=agreed,
        )
        edges = np.append(np.flatnonzero(firsts), len(values))
        for number, stretch_rules in enumerate(agreed):
            if stretch_rules in _PLAIN:
                continue
            history._apply_rules(number, slice(int(edges[number]), int(edges[number + 1])))
        return history

    def follow(self, alike: Places) -> Places:
        """Give stretches whose values are alike a line that explains it, in place.

        Those whose limits somebody has agreed on stay as they are. Returns those that have got one.
        """
        edges = np.append(self.firsts, len(self.stretch))
        following: list[int] = []
        for number in alike.tolist():
            if not expectations.is_open(self.agreed[number]):
                continue
            rows = slice(int(edges[number]), int(edges[number + 1]))
            past = expectations.Past(
                values=self.values[rows],
                usable=np.flatnonzero(self.usable[rows]),
                basis=np.flatnonzero(self.basis[rows]),
                days=self._days(rows),
                grain=self.grain[number],
                weights=self.base[rows],
                designs=self.designs,
            )
            expected = expectations.expect(past)
            if expected is None:
                continue
            following.append(number)
            is_known = np.isfinite(expected.line)
            self.line[rows] = np.where(is_known, expected.line, 0.0)
            self.values[rows] -= self.line[rows]
            self.usable[rows] &= is_known
            self.basis[rows] &= is_known
            self.wide[number] = expected.wide
            self.follows[number] = expected.name
        return np.array(following, dtype=np.intp)

    def false_shifts(self, noise: Noise) -> np.ndarray:
        """Return the chance that each stretch's newest point is falsely said to change level."""
        counted = np.where(self.is_counted, noise.few, np.inf)
        return regimes.false_levels(self.agreed, self.grain, noise.n, counted)

    def _days(self, rows: slice) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
        return pd.DatetimeIndex(self.start[rows]), pd.DatetimeIndex(self.end[rows])

    def _apply_rules(self, number: int, rows: slice) -> None:
        """Give a stretch the basis and the line of its metric's rules, in place."""
        rules, days, grain = self.agreed[number], self._days(rows), self.grain[number]
        self.left_out[rows] = left_out_by(*days, rules)
        self.basis[rows] &= ~self.left_out[rows]
        self.basis[rows] = locked_by(self.basis[rows], *days, rules)
        if not (rules.trend or rules.season):
            return
        basis = np.flatnonzero(self.basis[rows])
        line = lines.fit(
            *(self.values[rows], basis, days, grain, rules),
            weights=self.base[rows],
            designs=self.designs,
        )
        self.short[number] = line is None
        if line is not None:
            self.line[rows], self.wide[number] = line
            self.values[rows] -= self.line[rows]


def _grains(table: pd.DataFrame, order: Places | None, firsts: Places) -> list[Grain]:
    """Return the grain of each series of the sorted history, which begins at one of the firsts."""
    numbers, names = number_names(table["grain"])
    if order is not None:
        firsts = order[firsts]
    return [names[number] for number in numbers[firsts]]
