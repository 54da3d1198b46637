"""The board: the whole metric table of a company, or of one department, at one as-of date, in one call.

Notebooks and commands start here. What they show is read off the board, so an analyst, a boss and a boss's boss are
served from one set of values.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd

from dataops_nb import alignment, drivers, limits, pacing, reconciliation, sources, status, workbench
from dataops_nb import findings as _findings
from dataops_nb import links as _links
from dataops_nb import priorities as _priorities
from dataops_nb.definitions import Definitions, below
from dataops_nb.definitions.models import GRAINS, Grain
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.history import (
    Score,
    carried,
    fingerprint,
    forecasts,
    notes,
    published,
    published_lights,
    restatements,
    score,
)
from dataops_nb.periods import Period, calendar
from dataops_nb.sources import Catalog
from dataops_nb.workbench import Workbench

__all__ = ["SCALES", "Board", "at_grain", "explain", "history", "of", "read", "scale", "segments"]

SCALES = ("attainment", "sigma", "north_star")


@dataclass(frozen=True)
class Board:
    """The judged metric table (`table`: totals of every period up to as-of) and what it was made from.

    `out` is the folder that remembers what was published; None where nothing is.
    """

    catalog: Catalog
    grain: Grain
    period: Period
    department: str | None
    metrics: tuple[str, ...]
    table: pd.DataFrame
    out: Path | None = None

    @property
    def as_of(self) -> dt.date:
        """The last day that counts."""
        return self.catalog.as_of

    @property
    def definitions(self) -> Definitions:
        """The company's definitions."""
        return self.catalog.definitions

    @cached_property
    def current(self) -> pd.DataFrame:
        """One row a metric: the last complete period."""
        return self.table[self.table["period"] == self.period.id]

    @property
    def open_period(self) -> Period | None:
        """The period that as-of lies in, where it is not over; None where a period ended on that day."""
        following = calendar(self.definitions.company.calendar).shift(self.period, 1)
        return following if following.start <= self.as_of else None

    @property
    def unfinished(self) -> pd.DataFrame:
        """One row a metric: the open period, its light that of its pace; empty where no period is open."""
        now = self.open_period
        return self.table[self.table["period"] == (now.id if now else None)]

    @property
    def lead(self) -> str:
        """The metric that speaks for the board: its first one. A light is never averaged over metrics, nor the worst."""
        return self.metrics[0]

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """The fingerprint of each metric's definition."""
        return {name: fingerprint(self.definitions, name) for name in self.metrics}

    @cached_property
    def restated(self) -> pd.DataFrame:
        """The values of closed periods that differ from what was last published for an earlier as-of; read once."""
        now = self.table.assign(definition=self.table["metric"].map(self.fingerprints))
        return restatements(now, published(self.out), as_of=self.as_of)

    @cached_property
    def explained(self) -> dict[tuple[str, tuple[str, ...]], tuple[drivers.Change, pd.DataFrame]]:
        """What was asked about changes so far, by metric and split: each is computed once, and the record has its facts."""
        return {}

    @cached_property
    def links(self) -> pd.DataFrame:
        """Whether each input of the board moves a North Star; judged together with all other inputs of the company."""
        found = self.company_links
        return found[found["input"].isin(self.metrics)].reset_index(drop=True)

    @cached_property
    def findings(self) -> pd.DataFrame:
        """What the lights alone do not say (`findings.find`), about the board's metrics and what should move them."""
        links = self.company_links
        own = links[links["input"].isin(self.metrics) | links["target"].isin(self.metrics)]
        feeding, events = self.feeding, self.events
        return _findings.find(self.table, self.definitions, self.period, links=own, feeding=feeding, events=events)

    @cached_property
    def feeding(self) -> pd.DataFrame:
        """The period's rows of what is told to feed the board's North Stars, also of other departments."""
        return _feeding(self)

    @cached_property
    def inputs(self) -> pd.DataFrame:
        """The period's rows of what stands directly below the lead in the tree, also of other departments."""
        return _current(self, [name for name, _ in below(self.definitions, self.lead)])

    @cached_property
    def track(self) -> Score:
        """What became of the lights of unfinished periods that were published for earlier days; read once."""
        return score(forecasts(self.table, published_lights(self.out), as_of=self.as_of))

    @property
    def has_track(self) -> bool:
        """Whether anybody has asked for the track record yet."""
        return "track" in self.__dict__

    @cached_property
    def events(self) -> pd.DataFrame:
        """What happened up to as-of (`findings.happened`): `date title kind metrics`."""
        return _findings.happened(self.catalog)

    @property
    def has_findings(self) -> bool:
        """Whether anybody has asked for the findings yet: they need the links."""
        return "findings" in self.__dict__

    @cached_property
    def company_links(self) -> pd.DataFrame:
        """All tested pairs of the company (`links.find`)."""
        return _links.find(self.catalog, self.grain)

    @cached_property
    def priorities(self) -> pd.DataFrame:
        """What to solve next (`priorities.find`) with `since reports`: when it was first listed, in how many reports before.

        A department's board lists what is about its own metrics.
        """
        told = self.findings[["kind", "metric"]]
        found = _priorities.find(self.catalog, self.current, self.company_links, self.period, findings=told)
        own = found[found["metric"].isin(self.metrics)] if self.department else found
        before = carried(self.out, self.as_of).set_index("id")
        return own.assign(
            rank=range(1, len(own) + 1),
            since=own["id"].map(before["since"]).astype(object),
            reports=own["id"].map(before["reports"]).fillna(0).astype(int),
        ).reset_index(drop=True)

    @cached_property
    def closed(self) -> pd.DataFrame:
        """What the report before still listed to solve, and is closed since: `id title metric kind since reports`."""
        before = carried(self.out, self.as_of)
        gone = before[before["last"] & ~before["id"].isin(self.priorities["id"])]
        own = gone[gone["metric"].isin(self.metrics)] if self.department else gone
        return own.drop(columns="last").reset_index(drop=True)

    @cached_property
    def notes(self) -> pd.DataFrame:
        """What people noted about the board's metrics up to as-of, oldest first (`history.notes`)."""
        known = notes(self.out, self.as_of)
        return known[known["metric"].isin(self.metrics)].reset_index(drop=True)

    @cached_property
    def communicated(self) -> frozenset[str]:
        """The metrics that were published for this as-of or an earlier one."""
        known = published(self.out)
        return frozenset(known.loc[known["as_of"] <= pd.Timestamp(self.as_of), "metric"])

    @cached_property
    def reactions(self) -> pd.DataFrame:
        """What was agreed to be done about the lights that are on, and by when (`status.reactions`)."""
        return status.reactions(self.table, self.notes, self.definitions, self.as_of)

    @cached_property
    def meant(self) -> dict[str, None]:
        """The metrics that were explained to other departments so far; the record has those facts."""
        return {}

    @cached_property
    def pitched(self) -> Board | None:
        """The board of other metrics that the pitches of this one name; None where there are none."""
        named = [fact.partition(".")[0] for name in self.metrics for text in self.definitions.metrics[name].pitch.values()
                 for fact in re.findall(r"\{([^{}]*)\}", text)]  # fmt: skip
        known = self.definitions.metrics
        others = [name for name in dict.fromkeys(named) if name in known and name not in self.metrics]
        others = [name for name in others if self.grain in known[name].grains]
        return of(self.catalog, others, grain=self.grain, out=self.out) if others else None

    @cached_property
    def answered(self) -> dict[str, None]:
        """The metrics that somebody asked about so far; the record has those facts."""
        return {}

    @cached_property
    def money(self) -> _priorities.Scale:
        """Where shortfalls and efforts are turned into money."""
        return _priorities.Scale(self.catalog, self.period, self.company_links)

    def unit_worth(self, metric: str) -> _priorities.Unit:
        """What one unit of a metric is worth on the bottom line (`priorities.unit_worth`); computed once."""
        if metric not in self._units:
            self._units[metric] = _priorities.unit_worth(self.money, metric)
        return self._units[metric]

    @cached_property
    def _units(self) -> dict[str, _priorities.Unit]:
        return {}

    @property
    def has_priorities(self) -> bool:
        """Whether anybody has asked what to solve next."""
        return "priorities" in self.__dict__

    @property
    def has_links(self) -> bool:
        """Whether anybody has asked for the links yet: they take a while, and most boards are not about them."""
        return "links" in self.__dict__

    def row(self, metric: str) -> pd.Series:
        """A metric's row of the last complete period; a misspelt metric is an error with the nearest name."""
        if metric not in self.metrics:
            raise UsageError(f"the board has no metric {metric!r}{did_you_mean(metric, self.metrics)}")
        return self.current[self.current["metric"] == metric].iloc[0]


def read(
    wb: Workbench,
    *,
    as_of: str | dt.date | None = None,
    grain: Grain = "week",
    department: str | None = None,
    metrics: Iterable[str] | None = None,
) -> Board:
    """The board of these metrics, of a department, or of the company (its North Star first, then every department).

    Raises UsageError for unknown names, DataError where a source that must not be used stands behind a metric.
    """
    if grain not in GRAINS:
        raise UsageError(f"unknown grain {grain!r}{did_you_mean(grain, GRAINS)}; grains are {', '.join(GRAINS)}")
    workbench.ensure_data(wb)
    catalog = sources.open(wb.definitions, wb.data, workbench.as_of(wb, as_of or None), keep=wb.cache)
    return of(
        catalog, _wanted(catalog.definitions, department, metrics), grain=grain, department=department, out=wb.out
    )


def of(
    catalog: Catalog,
    metrics: Iterable[str],
    *,
    grain: Grain = "week",
    department: str | None = None,
    out: Path | None = None,
) -> Board:
    """The board of these metrics from data that are already open; metrics that make no sense at the grain are left out."""
    metrics = list(metrics)
    known = tuple(name for name in metrics if grain in catalog.definitions.metrics[name].grains)
    if not known:
        able = [g for g in GRAINS if any(g in catalog.definitions.metrics[name].grains for name in metrics)]
        hint = f"; try grain {able[0]}" if able else ""
        raise UsageError(f"no metric{f' of {department}' if department else ''} makes sense at grain {grain}{hint}")
    used = alignment.sources_of(catalog.definitions, known)
    catalog.require(*used)
    span = catalog.span(*used)
    period = calendar(catalog.definitions.company.calendar).last_complete(grain, catalog.as_of)
    start = min(span[0], period.start) if span else period.start
    table = alignment.align(catalog, known, grain=grain, start=start, end=catalog.as_of)
    table = alignment.add_targets(alignment.compare(table, catalog), catalog)
    table = reconciliation.add_reconciled(table, catalog)
    table = limits.add_limits(table, catalog.definitions)
    table = pacing.add_pace(alignment.add_so_far(table, catalog), catalog.definitions, catalog.as_of)
    table = status.judge(table, catalog.definitions, catalog.as_of)
    return Board(catalog, grain, period, department, known, table, out)


def at_grain(board: Board, grain: Grain) -> Board:
    """The same metrics at the same as-of on another grain."""
    return of(board.catalog, board.metrics, grain=grain, department=board.department, out=board.out)


def history(board: Board, metric: str, periods: int = 26) -> pd.DataFrame:
    """A metric's last periods up to the last complete one, oldest first."""
    board.row(metric)
    rows = board.table[
        (board.table["metric"] == metric) & (board.table["period_end"] <= pd.Timestamp(board.period.end))
    ]
    return rows.tail(periods).reset_index(drop=True)


def explain(board: Board, metric: str, by: str | tuple[str, ...] | None = None) -> tuple[drivers.Change, pd.DataFrame]:
    """A metric's change on the period before and the parts that add up to it (`drivers.explain`)."""
    board.row(metric)
    split = (by,) if isinstance(by, str) else tuple(by or ())
    if (metric, split) not in board.explained:
        whole = drivers.change(board.catalog, metric, board.period)
        board.explained[metric, split] = whole, drivers.explain(board.catalog, metric, board.period, by=split)
    return board.explained[metric, split]


def segments(board: Board, metric: str, by: str | tuple[str, ...], periods: int = 26) -> pd.DataFrame:
    """The metric table of one metric split by a declared dimension, its last periods up to the last complete one."""
    split = (by,) if isinstance(by, str) else tuple(by)
    first = calendar(board.definitions.company.calendar).shift(board.period, 1 - periods)
    return alignment.values(board.catalog, metric, grain=board.grain, start=first.start, end=board.period.end, by=split)


def scale(board: Board) -> pd.DataFrame:
    """The metrics of the last complete period on three scales that compare: `metric department light` and `SCALES`.

    `sigma`: how far the value lies from the mean of the complete periods before, in the metric's own noise. `north_star`:
    what its distance from target is worth in the first North Star in the company's currency, through the formulas
    between them. Positive is good; missing where it cannot be said, as of a period that the data do not cover.
    """
    top = next((name for name in board.definitions.company.north_star if _is_money(board, name)), None)
    worth = alignment.slopes(board.catalog, top, board.period) if top else {}
    rows = board.current.reset_index(drop=True)
    whole = rows["complete"].astype(bool)
    return rows[["metric", "department", "light"]].assign(
        attainment=rows["attainment"].where(whole),
        sigma=[_sigma(board, row) for _, row in rows.iterrows()],
        north_star=((rows["value"] - rows["target"]) * rows["metric"].map(worth).astype(float)).where(whole),
    )


def _is_money(board: Board, metric: str) -> bool:
    return board.definitions.metrics[metric].unit == board.definitions.company.currency


def _sigma(board: Board, row: pd.Series) -> float:
    """The noise that a row's value is above its past, turned so that positive is good; a band has no such side."""
    sign = {"up": 1, "down": -1}.get(board.definitions.metrics[row["metric"]].better)
    own = board.table[(board.table["metric"] == row["metric"]) & (board.table["period_end"] < row["period_start"])]
    if sign is None or not row["complete"]:
        return math.nan
    return sign * limits.deviations(row["value"], own.loc[own["complete"], "value"].dropna().tolist())


def _feeding(board: Board) -> pd.DataFrame:
    """The period's rows of what is told to feed the board's North Stars, also of other departments."""
    stars = [name for name in board.definitions.company.north_star if name in board.metrics]
    asked = [each for star in stars for each in _findings.inputs_of(board.definitions, star, board.grain)]
    return _current(board, asked)


def _current(board: Board, asked: Iterable[str]) -> pd.DataFrame:
    """The period's rows of these metrics, of the board or not; what makes no sense at its grain is left out."""
    known = board.definitions.metrics
    wanted = [name for name in dict.fromkeys(asked) if board.grain in known[name].grains]
    others = [name for name in wanted if name not in board.metrics]
    own = board.current[board.current["metric"].isin(wanted)]
    if not others:
        return own
    return pd.concat([own, of(board.catalog, others, grain=board.grain).current], ignore_index=True)


def _wanted(definitions: Definitions, department: str | None, metrics: Iterable[str] | None) -> list[str]:
    known = definitions.metrics
    if metrics is not None:
        wanted = list(metrics)
        for name in wanted:
            if name not in known:
                raise UsageError(f"unknown metric {name!r}{did_you_mean(name, known)}")
        return wanted
    if department is None:
        return list(dict.fromkeys([*definitions.company.north_star, *known]))
    if department not in definitions.departments:
        raise UsageError(f"unknown department {department!r}{did_you_mean(department, definitions.departments)}")
    return list(definitions.departments[department].metrics)
