"""The board: the metric table of a company, or of a department, at one as-of date, in one call.

Notebooks and commands start here. What they show is read off the board, so an analyst, a boss and a
boss's boss are served from one set of values. There are three ways to a board, and all give the
same columns:

- `read(wb, ...)`: of a workbench, from its files.
- `measure(rows, metrics, ...)`: of a company's rows that are open already (`Rows`).
- `of(table, ...)`: of a judged metric table, without any company.

`measurement` makes the table; `findings`, `events`, `priorities`, `stakes` and `admission` are what
a board tells beyond its lights.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import pandas as pd

from dataops_nb import alignment, drivers, links, numbers, plain, status
from dataops_nb.alignment.frame_rows import frame_company
from dataops_nb.alignment.rows import Rows
from dataops_nb.alignment.table_rows import TableRows
from dataops_nb.board import decisions, events, findings, glance, measurement, priorities, stakes
from dataops_nb.board.scales import scale
from dataops_nb.company import Company, Memory
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.pacing import track_record
from dataops_nb.periods import Calendar, Period
from dataops_nb.periods import calendar as calendar_of
from dataops_nb.terms import GRAINS, Better, Grain

__all__ = ["Board", "of", "read", "scale"]


def __dir__() -> list[str]:
    return __all__


@dataclass(frozen=True, repr=False)
class Board:
    """A judged metric table, and what it was made from.

    `table` has the totals of every period up to as-of; `period` is the last complete one of
    `grain`. `metrics` stand in the order in which they are told. `department` is None for the whole
    company. `memory` is what earlier reports said; where nothing is remembered it is empty.
    Whatever is derived from these is computed when first asked for, once.

    >>> this.period.id
    '2026-W46'
    """

    rows: Rows
    grain: Grain
    period: Period
    department: str | None
    metrics: tuple[str, ...]
    table: pd.DataFrame
    memory: Memory = field(default_factory=Memory)

    def __post_init__(self) -> None:
        numbers.settle(self.company.locale)

    def __repr__(self) -> str:
        return glance.text(self)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {**glance.table(self)._repr_mimebundle_(), "text/plain": glance.text(self)}

    @property
    def as_of(self) -> dt.date:
        """The last day that counts."""
        return self.rows.as_of

    @property
    def company(self) -> Company:
        """The company that is talked about."""
        return self.rows.company

    @property
    def locale(self) -> str:
        """How the company's numbers and days are written."""
        return self.company.locale

    @property
    def lead(self) -> str:
        """The metric that speaks for the board: its first. No light is an average of lights."""
        return self.metrics[0]

    def row(self, metric: str) -> pd.Series:
        """Return a metric's row of the last complete period.

        Raises UsageError, with the nearest name, for a metric that the board does not have.
        """
        if metric not in self.metrics:
            near = did_you_mean(metric, self.metrics)
            raise UsageError(f"the board has no metric {metric!r}{near}")
        if metric not in self._current_rows:
            self._current_rows[metric] = self.current.iloc[self._current_places[metric]]
        return self._current_rows[metric].copy(deep=False)

    @cached_property
    def _current_rows(self) -> dict[str, pd.Series]:
        """The rows of `current` that somebody asked for; whoever gets one may change it."""
        return {}

    @cached_property
    def _histories(self) -> dict[tuple[str, int], pd.DataFrame]:
        """The `history` of each metric that somebody asked for."""
        return {}

    @cached_property
    def _current_places(self) -> dict[str, int]:
        """Where the first row of each metric stands in `current`."""
        names = self.current["metric"].tolist()
        return {name: place for place, name in reversed(list(enumerate(names)))}

    @cached_property
    def _places(self) -> dict[Any, Any]:
        """Where the rows of each metric stand in `table`."""
        return dict(self.table.groupby("metric", sort=False).indices)

    @cached_property
    def current(self) -> pd.DataFrame:
        """The last complete period: one row a metric."""
        return self.table[self.table["period"] == self.period.id]

    @property
    def open_period(self) -> Period | None:
        """The period that as-of lies in; None where one ended on that day."""
        following = calendar_of(self.company.calendar).shift(self.period, 1)
        return following if following.start <= self.as_of else None

    @property
    def unfinished(self) -> pd.DataFrame:
        """The open period: one row a metric, its light that of its pace."""
        period = self.open_period
        period_id = period.id if period else None
        return self.table[self.table["period"] == period_id]

    @cached_property
    def inputs(self) -> pd.DataFrame:
        """The period's rows of what stands directly below the lead, also of other departments."""
        below = self.company.below(self.lead)
        return current_rows(self, [name for name, _ in below])

    @cached_property
    def feeding(self) -> pd.DataFrame:
        """The period's rows of what feeds the board's North Stars, also of other departments."""
        names: list[str] = []
        for star in self.company.north_star:
            if star in self.metrics:
                names += findings.inputs_of(self.company, star, self.grain)
        return current_rows(self, names)

    @cached_property
    def pitched(self) -> Board | None:
        """The board of other metrics that the pitches of this one name, if there are any."""
        known = self.company.metrics
        others: list[str] = []
        for name in dict.fromkeys(_names_in_pitches(self.company, self.metrics)):
            is_new = name in known and name not in self.metrics
            if is_new and self.grain in known[name].grains:
                others.append(name)
        if not others:
            return None
        return measure(self.rows, others, grain=self.grain, memory=self.memory)

    # What the lights do not say

    @cached_property
    def events(self) -> pd.DataFrame:
        """What happened up to as-of (`events.happened`): `date title kind metrics`."""
        return events.happened(self.rows)

    @cached_property
    def company_links(self) -> pd.DataFrame:
        """All tested pairs of the company (`links.of_company`)."""
        return links.of_company(self.rows, self.grain)

    @cached_property
    def links(self) -> pd.DataFrame:
        """The tested pairs with an input of this board, judged with all of the company."""
        pairs = self.company_links
        return pairs[pairs["input"].isin(self.metrics)].reset_index(drop=True)

    @cached_property
    def findings(self) -> pd.DataFrame:
        """What the lights alone do not say about the board's metrics (`findings.find`)."""
        pairs = self.company_links
        is_own = pairs["input"].isin(self.metrics) | pairs["target"].isin(self.metrics)
        return findings.find(
            self.table,
            self.company,
            self.period,
            links=pairs[is_own],
            feeding=self.feeding,
            events=self.events,
        )

    @cached_property
    def explained(self) -> dict[tuple[str, tuple[str, ...]], tuple[drivers.Change, pd.DataFrame]]:
        """The changes that `explain` was asked for so far, by metric and split."""
        return {}

    @cached_property
    def computed(self) -> dict[object, object]:
        """What was computed of this board so far, by the function that computes it."""
        return {}

    # What to do

    @cached_property
    def priorities(self) -> pd.DataFrame:
        """What to solve next (`priorities.find`), with `since` and `reports`.

        `since` is when it was first listed, `reports` in how many reports before.

        A department's board lists what is about its own metrics.
        """
        kinds = self.findings[["kind", "metric"]]
        parts = [plain.rows(part) for part in (self.current, self.company_links, kinds)]
        listed = self.rows.recall(
            ["solve", self.grain, plain.digest(parts)],
            lambda: priorities.find(
                self.rows, self.current, self.company_links, self.period, findings=kinds
            ),
        )
        own = self._of_department(listed)
        carried = self.memory.carried(self.as_of).set_index("id")
        return own.assign(
            rank=range(1, len(own) + 1),
            since=own["id"].map(carried["since"]).astype(object),
            reports=own["id"].map(carried["reports"]).fillna(0).astype(int),
        ).reset_index(drop=True)

    @cached_property
    def closed(self) -> pd.DataFrame:
        """What the last report listed to solve and this one does not, with `since reports`."""
        carried = self.memory.carried(self.as_of)
        is_gone = carried["last"] & ~carried["id"].isin(self.priorities["id"])
        own = self._of_department(carried[is_gone])
        return own.drop(columns="last").reset_index(drop=True)

    def _of_department(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Keep the rows about the board's metrics, where it is a department's."""
        return rows[rows["metric"].isin(self.metrics)] if self.department else rows

    @cached_property
    def money(self) -> stakes.Scale:
        """What turns shortfalls and efforts into money."""
        return stakes.Scale(self.rows, self.period, self.company_links)

    def unit_worth(self, metric: str) -> stakes.Unit:
        """Return what one unit of a metric is worth in money (`stakes.unit_worth`)."""
        if metric not in self._units:
            self._units[metric] = stakes.unit_worth(self.money, metric)
        return self._units[metric]

    @cached_property
    def _units(self) -> dict[str, stakes.Unit]:
        return {}

    @cached_property
    def reactions(self) -> pd.DataFrame:
        """What was agreed to be done about the lights that are on (`status.reactions`)."""
        return status.reactions(self.table, self.notes, self.company, self.as_of)

    @cached_property
    def decisions(self) -> pd.DataFrame:
        """What is known about each light at once, to say what to do (`decisions.decide`)."""
        return decisions.decide(
            self.current,
            self.company,
            findings=self.findings,
            links=self.company_links,
            reactions=self.reactions,
            as_of=self.as_of,
        )

    # What earlier reports said

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each metric's definition."""
        return self.rows.fingerprints(self.metrics)

    @cached_property
    def restated(self) -> pd.DataFrame:
        """The values of closed periods that changed since they were last published."""
        definitions = self.table["metric"].map(self.fingerprints)
        reported = self.memory.newest(self.as_of, complete=True)
        table = self.table.assign(definition=definitions)
        return events.restatements(table, reported, as_of=self.as_of)

    @cached_property
    def track(self) -> track_record.Score:
        """What became of the lights of open periods that were published for earlier days."""
        forecasts = track_record.forecasts(self.table, self.memory.lights(), as_of=self.as_of)
        return track_record.score(forecasts)

    @cached_property
    def notes(self) -> pd.DataFrame:
        """What people noted about the board's metrics up to as-of, oldest first."""
        notes = self.memory.notes(self.as_of)
        return notes[notes["metric"].isin(self.metrics)].reset_index(drop=True)

    @cached_property
    def communicated(self) -> frozenset[str]:
        """The metrics that were published for this as-of or an earlier one."""
        return self.memory.told_metrics(self.as_of)


class Bench(Protocol):
    """Where a company's files are: `workbench.Workbench`."""

    @property
    def memory(self) -> Memory:
        """What earlier reports said."""

    @property
    def doors(self) -> Mapping[str | None, str]:
        """The notebook that tells of each department; under None the company's."""

    def board(
        self,
        *,
        as_of: str | dt.date | None = None,
        grain: Grain = "week",
        department: str | None = None,
        metrics: Iterable[str] | None = None,
    ) -> Board:
        """Make the board of these metrics, of a department, or of the company."""


def read(
    wb: Bench,
    *,
    as_of: str | dt.date | None = None,
    grain: Grain = "week",
    department: str | None = None,
    metrics: Iterable[str] | None = None,
) -> Board:
    """Make the board of these metrics, of a department, or of the company.

    The company's board has its North Star first, then every department.

    `wb` is a workbench; `as_of` is the last day that counts (default: the workbench's own).

    Raises UsageError for unknown names, DataError where a source that must not be used stands
    behind a metric.

    >>> board.read(wb, as_of="2026-11-15").lead
    'amount'
    """
    return wb.board(as_of=as_of, grain=grain, department=department, metrics=metrics)


def check_grain(grain: str) -> None:
    """Raise UsageError, with the nearest one, for a word that is no grain."""
    if grain not in GRAINS:
        known = ", ".join(GRAINS)
        near = did_you_mean(grain, GRAINS)
        raise UsageError(f"no grain {grain!r}{near}; choose from {known}")


def of(
    table: pd.DataFrame,
    *,
    lead: str | None = None,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    currency: str | None = None,
    calendar: Calendar | None = None,
    as_of: str | dt.date | None = None,
) -> Board:
    """Make the board of a judged metric table, to be told, charted and tabled.

    `lead` is the metric that speaks for the board, its North Star (default: the first one).
    `labels` and `units` are by metric; a unit that is the `currency` (`EUR`) is written as money,
    `percent` as shares of 1. `calendar` cuts the table's periods (default: Monday weeks, calendar
    years). `as_of` is the last day that counts (default: the last one the table speaks of).

    Raises UsageError for a table that was not judged, and for an unknown metric, with the nearest
    right one.

    >>> this.period.id
    '2026-W46'
    >>> this.row("revenue").light
    'green'
    """
    measurement.require_judged(table)
    labels, units = labels or {}, units or {}
    names = measurement.order_metrics(table, lead, [*labels, *units])
    better: dict[str, Better] = {}
    for name in names:
        direction = measurement.good_direction(table, name)
        if direction is not None:
            better[name] = direction
    last_day = dt.date.fromisoformat(as_of) if isinstance(as_of, str) else as_of
    rows = TableRows(table, calendar, better=better, as_of=last_day)
    company = frame_company(
        measurement.name_metrics(rows.company.metrics, names, labels, units),
        rows.cut,
        north_star=[] if lead is None else [lead],
        **({"currency": currency} if currency else {}),
    )
    period = rows.cut.last_complete(rows.grain, rows.as_of)
    totals = measurement.fill_totals(table, names, period)
    return Board(rows.under(company), rows.grain, period, None, names, totals)


def measure(
    rows: Rows,
    metrics: Iterable[str],
    *,
    grain: Grain = "week",
    department: str | None = None,
    memory: Memory | None = None,
) -> Board:
    """Make the board of these metrics from a company's rows.

    `rows` is what `workbench.open().rows()` gives. Metrics that make no sense at the grain are left
    out. `department` and `memory` are kept with the board (see `Board`).

    Raises UsageError where no metric is left, DataError where a source that must not be used stands
    behind one.

    >>> board.measure(rows, ["amount"]).period.id
    '2026-W46'
    """
    names = measurement.select_metrics(rows.company, metrics, grain, department)
    period = calendar_of(rows.company.calendar).last_complete(grain, rows.as_of)
    table = measurement.measure_table(rows, names, grain, period)
    return Board(rows, grain, period, department, names, table, memory or Memory())


def at_grain(board: Board, grain: Grain) -> Board:
    """Return the same metrics at the same as-of on another grain."""
    return measure(
        board.rows, board.metrics, grain=grain, department=board.department, memory=board.memory
    )


def history(board: Board, metric: str, periods: int = 26) -> pd.DataFrame:
    """Return a metric's last periods up to the last complete one, oldest first.

    Raises UsageError for a metric that the board does not have.
    """
    board.row(metric)
    known = board._histories
    if (metric, periods) not in known:
        rows: pd.DataFrame = board.table.iloc[board._places[metric]]
        is_past = rows["period_end"] <= pd.Timestamp(board.period.end)
        known[metric, periods] = rows[is_past].tail(periods).reset_index(drop=True)
    return known[metric, periods].copy(deep=False)


def explain(
    board: Board, metric: str, by: str | tuple[str, ...] | None = None
) -> tuple[drivers.Change, pd.DataFrame]:
    """Return a metric's change on the period before, and its parts (`drivers.of_company`).

    Raises UsageError for a metric that the board does not have, and for a split that it does not
    declare.
    """
    board.row(metric)
    split = (by,) if isinstance(by, str) else tuple(by or ())
    if (metric, split) not in board.explained:
        change = drivers.change(board.rows, metric, board.period)
        parts = drivers.of_company(board.rows, metric, board.period, by=split)
        board.explained[metric, split] = change, parts
    return board.explained[metric, split]


def segments(
    board: Board, metric: str, by: str | tuple[str, ...], periods: int = 26
) -> pd.DataFrame:
    """Return the last periods of one metric split by a declared dimension."""
    split = (by,) if isinstance(by, str) else tuple(by)
    first = calendar_of(board.company.calendar).shift(board.period, 1 - periods)
    return alignment.values(
        board.rows, metric, grain=board.grain, start=first.start, end=board.period.end, by=split
    )


def wanted(company: Company, department: str | None, metrics: Iterable[str] | None) -> list[str]:
    """Return the metrics that are named, else a department's, else all: the North Star first.

    Raises UsageError, with the nearest name, for unknown ones.
    """
    known = company.metrics
    if metrics is not None:
        names = list(metrics)
        for name in names:
            if name not in known:
                raise UsageError(f"no metric {name!r}{did_you_mean(name, known)}")
        return names
    if department is None:
        return list(dict.fromkeys([*company.north_star, *known]))
    if department not in company.departments:
        near = did_you_mean(department, company.departments)
        raise UsageError(f"no department {department!r}{near}")
    return list(company.departments[department].metrics)


def current_rows(board: Board, metrics: Iterable[str]) -> pd.DataFrame:
    """Return the period's rows of these metrics, of the board or not.

    What makes no sense at its grain is left out.
    """
    known = board.company.metrics
    names = [name for name in dict.fromkeys(metrics) if board.grain in known[name].grains]
    others = [name for name in names if name not in board.metrics]
    own = board.current[board.current["metric"].isin(names)]
    if not others:
        return own
    elsewhere = measure(board.rows, others, grain=board.grain).current
    return pd.concat([own, elsewhere], ignore_index=True)


def _names_in_pitches(company: Company, metrics: Iterable[str]) -> Iterator[str]:
    """Yield the metric of each fact that the pitches of these metrics quote, as `{metric.fact}`."""
    for metric in metrics:
        for text in company.metrics[metric].pitch.values():
            for fact in re.findall(r"\{([^{}]*)\}", text):
                yield fact.partition(".")[0]
