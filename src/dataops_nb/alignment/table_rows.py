"""A metric table as rows that metrics can be asked of; what does not stand in it is missing.

Whoever measures a company's metrics over windows (`formulas.evaluate`) takes from memory what is
there. Here the memory holds the whole table, so explanations, splits and links of a plain table are
computed by the code that computes a company's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from sqlglot import exp

from dataops_nb.alignment.comparisons import COMPARISONS, dimensions
from dataops_nb.alignment.frame_rows import FrameRows, frame_company
from dataops_nb.alignment.rows import Coverage
from dataops_nb.alignment.tables import require_table
from dataops_nb.alignment.windows import TOTAL, Measured, Window, series_of, window
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.lineage import names_in
from dataops_nb.metrics import AnyTarget, Derived, Measure, Metric, Simple, Target
from dataops_nb.periods import Calendar, Period
from dataops_nb.terms import Agg, Better, Grain

Names = tuple[str, ...]
TABLE_NAME = "table"
_SAME = 1e-9


class TableRows(FrameRows):
    """The rows behind a metric table: none.

    But each metric in it is known in its periods, in total and by segment.
    """

    def __init__(
        self,
        table: pd.DataFrame,
        cut: Calendar | None = None,
        formulas: Mapping[str, str] | None = None,
        better: Mapping[str, Better] | None = None,
        as_of: dt.date | None = None,
    ) -> None:
        require_table(table)
        if not len(table):
            raise UsageError("the metric table has no rows, so there is nothing to say about it")
        self.table = table
        self.cut = cut or usual_calendar(table)
        self.grain: Grain = _grain_of(table)
        splits = splits_in(table)
        good = better or {}
        metrics: dict[str, Metric] = {}
        for name in dict.fromkeys(map(str, table["metric"])):
            agg: Agg = "sum" if adds_up_in(table, name) else "average"
            declared: dict[str, Any] = {"better": good[name]} if name in good else {}
            metrics[name] = Simple(
                type="simple",
                measure=Measure(source=TABLE_NAME, agg=agg, expr="value", time="period_end"),
                by=[split[0] if len(split) == 1 else list(split) for split in splits[name]],
                grains=[self.grain],
                targets=list[AnyTarget](_targets_in(table, name)),
                **declared,
            )
        for name, formula in (formulas or {}).items():
            _check_formula(formula, metrics)
            metrics[name] = Derived(type="derived", expr=formula, grains=[self.grain])
        super().__init__([], frame_company(metrics, self.cut), as_of or last_day(table))
        for name, metric in metrics.items():
            if isinstance(metric, Simple):
                for split in [(), *splits[name]]:
                    self.measured[name, split] = [KnownSeries.read(table, name, split, self.cut)]

    def span(self, *names: str) -> tuple[dt.date, dt.date] | None:
        """The first and the last day of the table's periods."""
        return self.table["period_start"].min().date(), self.table["period_end"].max().date()

    def fetch(self, query: exp.Expression | str, **frames: pd.DataFrame) -> pd.DataFrame:
        """There are no rows behind a table. Raises UsageError."""
        raise UsageError("a metric table has no rows behind it; measure them: alignment.from_frame")

    def relation(self, name: str) -> exp.Expression:
        """What would be selected from."""
        return exp.to_table(name)

    def local_date(self, name: str, column: str) -> exp.Expression:
        """The last day of a row's period."""
        return exp.column(column, quoted=True)

    def coverage(self, name: str, time: str | None = None) -> Coverage:
        """The days that the table's data speak about."""
        known = self.table[self.table["coverage"] > 0]
        first, last = known["period_start"].min(), self.table["data_to"].max()
        if pd.isna(first) or pd.isna(last):
            return Coverage(None, None)
        return Coverage(first.date(), min(last.date(), self.as_of), False, last.date())

    def period(self, id_: str) -> Period:
        """The period with this id.

        Raises UsageError, with the nearest one, where the table has none.
        """
        known = self.table.drop_duplicates("period")
        rows = known[known["period"] == id_]
        if not len(rows):
            raise UsageError(f"the table has no period {id_!r}{did_you_mean(id_, known['period'])}")
        return self.cut.period(self.grain, rows["period_start"].iloc[0].date())


class KnownSeries:
    """One metric's series of a table, as what was measured over their windows.

    Every other window has no value.
    """

    def __init__(self, places: dict[Window, tuple[str, int]], columns: dict[str, Measured]) -> None:
        self.places = places
        self.columns = columns

    @classmethod
    def read(cls, table: pd.DataFrame, metric: str, split: Names, cut: Calendar) -> KnownSeries:
        """The total of a metric, or the segments of one of its splits."""
        own = table[table["metric"] == metric]
        labels = own["segment"].astype(object).where(own["segment"].notna(), TOTAL)
        of_split = [dimensions(str(label), [split] if split else []) == split for label in labels]
        own = own[np.array(of_split, dtype=bool)]
        grain = _grain_of(table)
        once = own.drop_duplicates("period")
        starts = dict(zip(once["period"].astype(str), once["period_start"].dt.date, strict=True))
        periods = {name: cut.period(grain, day) for name, day in starts.items()}
        places: dict[Window, tuple[str, int]] = {}
        columns: dict[str, Measured] = {}
        for column in ("value", *COMPARISONS):
            if column in own:
                columns[column] = _measured(own, list(periods), column)
        for column in [*(name for name in COMPARISONS if name in columns), "value"]:
            for place, period in enumerate(periods.values()):
                asked = window(period) if column == "value" else COMPARISONS[column](cut, period)
                places[asked] = column, place
        return cls(places, columns)

    def of(self, windows: Iterable[Window]) -> Measured:
        """The metric over these windows: missing in those that the table does not know."""
        wanted = list(windows)
        found = [self.places.get(each) for each in wanted]
        segments = list(self.columns["value"].value.columns)
        value = np.full((len(wanted), len(segments)), np.nan)
        n = np.zeros((len(wanted), len(segments)))
        blank = pd.DataFrame(
            {
                "complete": False,
                "coverage": 0.0,
                "data_to": self.columns["value"].reach["data_to"].max(),
                "condition": None,
            },
            index=range(len(wanted)),
        )
        for row, place in enumerate(found):
            if place is None:
                continue
            known = self.columns[place[0]]
            value[row] = known.value.iloc[place[1]]
            n[row] = known.n.iloc[place[1]]
            for name in ("complete", "coverage"):
                blank.loc[row, name] = known.reach[name].iloc[place[1]]
        return Measured(
            pd.DataFrame(value, columns=segments), pd.DataFrame(n, columns=segments), blank
        )


def _measured(own: pd.DataFrame, periods: list[str], column: str) -> Measured:
    """One column of a metric's rows: a row a period, a column a segment."""
    labels = own["segment"].astype(object).where(own["segment"].notna(), TOTAL)
    keyed = own.assign(_segment=labels)
    segments = list(dict.fromkeys(labels))
    wide = keyed.pivot(index="period", columns="_segment", values=column)
    value = wide.reindex(index=periods, columns=segments).reset_index(drop=True).astype(float)
    rows = keyed.pivot(index="period", columns="_segment", values="n")
    n = rows.reindex(index=periods, columns=segments).reset_index(drop=True).fillna(0)
    grouped = own.groupby("period", sort=False)
    reach = pd.DataFrame(
        {
            "complete": grouped["complete"].all().reindex(periods).to_numpy(dtype=bool),
            "coverage": grouped["coverage"].min().reindex(periods).to_numpy(dtype=float),
            "data_to": grouped["data_to"].max().reindex(periods).to_numpy(),
            "condition": None,
        }
    )
    if column in ("previous", "same_last_year") and f"{column}_complete" in own:
        complete = grouped[f"{column}_complete"].all().reindex(periods).to_numpy(dtype=bool)
        reach = reach.assign(complete=complete)
    return Measured(value, n, reach)


def last_day(table: pd.DataFrame) -> dt.date:
    """The last day that a table speaks of.

    Of its data, or the first of a last period that they do not reach.
    """
    data_to = table["data_to"].max()
    start, end = table["period_start"].max(), table["period_end"].max()
    known = end if pd.isna(data_to) else min(end, max(start, data_to))
    day: dt.date = known.date()
    return day


def _targets_in(table: pd.DataFrame, metric: str) -> list[Target]:
    """The targets of a metric's total, each from the first day it holds."""
    if "target" not in table:
        return []
    own = table[(table["metric"] == metric) & table["segment"].isna()].sort_values("period_start")
    found: list[Target] = []
    last: tuple[Any, ...] | None = None
    ends = [name for name in ("target_low", "target_high") if name in own]
    for _, row in own.iterrows():
        numbers = {name: row[name] for name in ("target", *ends)}
        plain = {name: None if pd.isna(each) else float(each) for name, each in numbers.items()}
        if tuple(plain.values()) == last:
            continue
        last = tuple(plain.values())
        low, high = plain.get("target_low"), plain.get("target_high")
        value = plain["target"] if low is None else None
        day = row["period_start"].date()
        found.append(Target(from_=day, value=value, low=low, high=high))
    return found


def splits_in(table: pd.DataFrame) -> dict[str, list[Names]]:
    """The splits that each metric's segments belong to."""
    found: dict[str, dict[Names, None]] = {str(name): {} for name in table["metric"].unique()}
    for metric, segment in series_of(table):
        if segment != TOTAL:
            found[metric][dimensions(segment)] = None
    return {name: list(splits) for name, splits in found.items()}


def adds_up_in(table: pd.DataFrame, metric: str) -> bool:
    """Whether the segments of a metric add up to its total, so that each has a change of its own.

    Where their average, weighted by `n`, is the total, the metric is a rate; where neither holds it
    is taken as a sum, and what the segments do not explain is left over.
    """
    own = table[(table["metric"] == metric) & table["value"].notna()]
    totals = own[own["segment"].isna()].set_index("period")
    segments = own[own["segment"].notna()]
    if totals.index.duplicated().any() or not len(segments):
        return True
    split = dimensions(str(segments["segment"].iloc[0]))
    segments = segments[[dimensions(str(each)) == split for each in segments["segment"]]]
    rows = segments["n"].groupby(segments["period"]).sum()
    weighted = (segments["value"] * segments["n"]).groupby(segments["period"]).sum()
    sums = segments["value"].groupby(segments["period"]).sum()
    whole = totals["value"].reindex(sums.index)
    scale = _SAME * np.maximum(whole.abs(), 1)
    if ((sums - whole).abs() <= scale).all():
        return True
    with np.errstate(all="ignore"):
        return not bool(((weighted / rows - whole).abs() <= scale).all())


def usual_calendar(table: pd.DataFrame) -> Calendar:
    """The calendar with Monday weeks and calendar years.

    Raises UsageError where the table's periods are not cut by it.
    """
    cut = Calendar()
    grain = _grain_of(table)
    once = table.drop_duplicates("period")
    starts, ends = once["period_start"].dt.date, once["period_end"].dt.date
    for name, start, end in zip(once["period"], starts, ends, strict=True):
        period = cut.period(grain, start)
        if (period.id, period.start, period.end) != (name, start, end):
            raise UsageError(
                f"{name} ({start} to {end}) is no {grain} of the usual calendar; "
                f"say which one it is: calendar=periods.calendar(...)"
            )
    return cut


def _grain_of(table: pd.DataFrame) -> Grain:
    grains = table["grain"].unique()
    if len(grains) > 1:
        raise UsageError(
            f"the table has {' and '.join(map(str, grains))}s; take the rows of one grain"
        )
    grain: Grain = grains[0]
    return grain


def _check_formula(formula: str, metrics: Mapping[str, Any]) -> None:
    try:
        names = names_in(formula)
    except (ValueError, AttributeError) as error:
        raise UsageError(str(error)) from error
    for name in names:
        if name not in metrics:
            raise UsageError(f"{formula!r}: no metric {name!r}{did_you_mean(name, metrics)}")
