"""Material: a board as it was measured, kept to be judged again at once without reading data.

An answer is what such a board says under some settings, as sentences and tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb import alignment, drivers, limits, numbers, pacing, status, story, tables
from dataops_nb.alignment import comparisons, measures
from dataops_nb.alignment.measures import sources_of
from dataops_nb.board import Board
from dataops_nb.company import Company, Memory
from dataops_nb.controls.settings import LAST_YEAR, PREVIOUS, Settings, laid
from dataops_nb.display import Cell, Light, Table, Told
from dataops_nb.drivers import Against
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.periods import Period, calendar
from dataops_nb.story.changes import part_name, part_unit
from dataops_nb.story.facts import attained_text, how
from dataops_nb.tables.scorecard import (
    MISSING,
    data_to_text,
    level_text,
    number_text,
    target_text,
)

EAGER = 12
# The columns of a split; none for the total.
Split = tuple[str, ...]
# What a metric's judgement depends on.
Agreed = tuple[object, ...]
LATEST = 8
_BETTER = {"up": "more", "down": "less", "inside": "inside the range"}


class Material:
    """A board with the segments and the parts of changes of each metric, measured once.

    Boards of at most twelve metrics are measured whole at the start. On larger ones a metric is
    measured when it is first shown. A metric's judged rows are kept until its agreement changes.
    `explained` keeps answers about changes, by metric, period, comparison and segment.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self._segments: dict[str, pd.DataFrame] = {}
        self._judged: dict[tuple[str, str], tuple[Agreed, pd.DataFrame]] = {}
        # The last table of `judged`, and the agreements that differed in it.
        self._last_changes: dict[str, Agreed] = {}
        self._last_table = board.table
        self.explained: dict[tuple[str, str, str, str], tuple[Any, Any]] = {}
        if len(board.metrics) <= EAGER:
            for metric in board.metrics:
                self.prepare(metric)

    @property
    def company(self) -> Company:
        """The company with its own agreements."""
        return self.board.company

    @cached_property
    def periods(self) -> dict[str, Period]:
        """Every period of the board up to as-of by id, oldest first; the last may be open."""
        starts = self.board.table["period_start"]
        first, last = starts.min().date(), starts.max().date()
        last = min(last, self.board.as_of)
        cut = calendar(self.company.calendar)
        return {period.id: period for period in cut.periods(self.board.grain, first, last)}

    def period(self, id_: str) -> Period:
        """Return a period by its id; raise UsageError with the nearest id where there is none."""
        if id_ not in self.periods:
            raise UsageError(f"no period {id_!r}{did_you_mean(id_, self.periods)}")
        return self.periods[id_]

    def splits(self, metric: str) -> list[Split]:
        """List the declared splits of a metric."""
        return measures.declared_splits(self.company, metric)

    def prepare(self, metric: str) -> None:
        """Measure a metric's segments, and its parts in every period, once."""
        if metric in self._segments:
            return
        periods = list(self.periods.values())
        parts = drivers.splits(self.company, metric)
        for by in dict.fromkeys([(), *self.splits(metric), *parts]):
            alignment.remember(self.board.rows, metric, periods, by)
        self._segments[metric] = self._measured(metric)

    def segments(self, metric: str) -> list[str]:
        """List the segments of a metric as `dim=value`.

        They are sorted by split, then by their value in the board's period, the largest first.
        """
        self.prepare(metric)
        rows = self._segments[metric]
        now = rows[rows["period"] == self.board.period.id]
        return list(now.sort_values(["split", "value"], ascending=[True, False])["segment"])

    def split_of(self, metric: str, segment: str) -> Split:
        """Return the columns of a segment's split; none for the total.

        Raises UsageError for a segment that the metric does not have.
        """
        if not segment:
            return ()
        self.prepare(metric)
        rows = self._segments[metric].drop_duplicates("segment")
        positions = rows.set_index("segment")["split"]
        if segment not in positions.index:
            near = did_you_mean(segment, positions.index)
            raise UsageError(f"{metric} has no segment {segment!r}{near}")
        return self.splits(metric)[int(positions[segment])]

    def judged(self, company: Company) -> pd.DataFrame:
        """Return the board's table under other agreements; `company` must measure the same.

        Only the rows of metrics whose agreement differs are judged again.
        """
        changes: dict[str, Agreed] = {}
        for metric in self.board.metrics:
            agreed = _agreed_about(company, metric)
            if agreed != _agreed_about(self.company, metric):
                changes[metric] = agreed
        if changes != self._last_changes:
            self._last_table = self._with_changes(company, list(changes))
            self._last_changes = changes
        return self._last_table

    def _with_changes(self, company: Company, metrics: list[str]) -> pd.DataFrame:
        """Return the board's table with the rows of these metrics judged again."""
        table = self.board.table
        others = table[~table["metric"].isin(metrics)]
        tables = [others]
        for metric in metrics:
            rows = table[table["metric"] == metric]
            tables.append(self._judged_again(rows, company, metric))
        return pd.concat(tables).sort_index()[list(table.columns)]

    def view(self, settings: Settings) -> Board:
        """Return the board at the settings' period, under their differences.

        With a segment, its rows stand in the place of the metric's total.
        """
        return self.under(laid(self.company, settings.changes), settings)

    def under(self, company: Company, settings: Settings) -> Board:
        """Return the same under the agreements of `company`, which must measure the same."""
        table = self.judged(company)
        if settings.segment:
            table = self._with_segment(table, company, settings)
            company = _labelled(company, settings)
        view = replace(
            self.board,
            rows=self.board.rows.under(company),
            period=self.period(settings.period),
            table=table,
            memory=Memory(),
        )
        view.__dict__["restated"] = self._unpublished
        if company.events is self.company.events:
            view.__dict__["events"] = self.board.events
        return view

    @cached_property
    def _unpublished(self) -> pd.DataFrame:
        """No restated values, in the columns of those: nobody has published what is supposed."""
        return replace(self.board, memory=Memory()).restated

    def _with_segment(
        self, table: pd.DataFrame, company: Company, settings: Settings
    ) -> pd.DataFrame:
        """Return the table with a segment's rows in the place of the metric's total."""
        metric, segment = settings.metric, settings.segment
        self.split_of(metric, segment)  # refuses a segment that does not exist
        rows = self._segments[metric]
        rows = rows[rows["segment"] == segment]
        own = self._judged_again(rows, company, metric, segment)
        others = table[table["metric"] != metric]
        return pd.concat([others, own[list(table.columns)]], ignore_index=True)

    def _judged_again(
        self, rows: pd.DataFrame, company: Company, metric: str, segment: str = ""
    ) -> pd.DataFrame:
        """Judge a metric's or segment's rows; the last judgement is kept."""
        agreed = _agreed_about(company, metric)
        kept = self._judged.get((metric, segment))
        if kept is None or kept[0] != agreed:
            kept = agreed, self._judge(rows, company)
            self._judged[metric, segment] = kept
        return kept[1]

    def _judge(self, rows: pd.DataFrame, company: Company) -> pd.DataFrame:
        rows = alignment.add_targets(rows, self.board.rows.under(company))
        rows = limits.add_limits(rows, company)
        rows = pacing.add_pace(rows, company, self.board.as_of)
        return status.judge(rows, company, self.board.as_of)

    def _measured(self, metric: str) -> pd.DataFrame:
        """Return the metric table of a metric's segments; `split` is the position of the split.

        Two systems are not reconciled by segment, and no pace is known of a segment.
        """
        tables = []
        for position, by in enumerate(self.splits(metric)):
            rows = self._measured_split(metric, by)
            if len(rows):
                tables.append(rows.assign(split=position))
        if not tables:
            return self.board.table.iloc[:0].assign(split=0)
        return pd.concat(tables, ignore_index=True).assign(reconciled=None, so_far=np.nan)

    def _measured_split(self, metric: str, by: Split) -> pd.DataFrame:
        periods = list(self.periods.values())
        start, end = periods[0].start, min(periods[-1].end, self.board.as_of)
        rows = alignment.align(
            self.board.rows, [metric], grain=self.board.grain, by=by, start=start, end=end
        )
        return comparisons.compare(rows, self.board.rows)


def _agreed_about(company: Company, metric: str) -> Agreed:
    """Return all that a metric's judgement depends on beside its measured rows."""
    return company.metrics[metric], company.lights(metric)


def _labelled(company: Company, settings: Settings) -> Company:
    """Return the company with the segment in the metric's label: `Meetings held, rep Ann`."""
    label = f"{company.label(settings.metric)}, {in_words(settings.segment)}"
    named = company.metrics[settings.metric].model_copy(update={"label": label})
    owner = company.department_of(settings.metric)
    department = company.departments[owner]
    metrics = {**department.metrics, settings.metric: named}
    department = department.model_copy(update={"metrics": metrics})
    departments = {**company.departments, owner: department}
    return company.model_copy(update={"departments": departments})


def in_words(segment: str, by: Iterable[str] = ()) -> str:
    """Write a segment in words: `rep Ann`; of several columns `rep Ann, channel web`."""
    names = list(by) or [segment.partition("=")[0]]
    words = segment
    for position, name in enumerate(names):
        written, spoken = f"{name}=", f"{name.replace('_', ' ')} "
        if position > 0:
            written, spoken = f",{written}", f", {spoken}"
        words = words.replace(written, spoken, 1)
    return words


@dataclass(frozen=True)
class Answer:
    """What a panel shows: the board under the settings, and what it says about their metric.

    `only` is the board of that metric alone.
    """

    board: Board
    only: Board
    light: str
    opening: Told
    compared: Told
    scorecard: Table
    parts: Table
    rows: Table


def answer(material: Material, settings: Settings) -> Answer:
    """Return what the board says under these settings; no data are read."""
    metric = settings.metric
    view = material.view(settings)
    only = alone(view, metric)
    # What moved a value is the same under every agreement, so it is kept.
    about = (metric, settings.period, settings.against, settings.segment)
    if about not in material.explained:
        material.explained[about] = (
            compared(material, only, settings),
            parts(material, view, settings),
        )
    moved, moving_parts = material.explained[about]
    return Answer(
        board=view,
        only=only,
        light=str(only.row(metric)["light"]),
        opening=opening(material, only, metric),
        compared=moved,
        scorecard=tables.scorecard(view),
        parts=moving_parts,
        rows=rows(view, settings),
    )


def opening(material: Material, view: Board, metric: str) -> Told:
    """Return the metric's headline and movement; for the open period, where it leads.

    `view` may hold that metric alone.
    """
    if view.period == material.board.open_period:
        agreed = material.view(Settings(metric, material.board.period.id))
        paced = story.paced(alone(agreed, metric))
        if paced.sentences:
            return paced
    return story.headline(view, metric)


def compared(material: Material, view: Board, settings: Settings) -> Told:
    """Return what moved the metric most since its comparison; nothing for a segment."""
    if settings.segment:
        return Told()
    return story.explained(view, settings.metric, against=against(material, settings))


def against(material: Material, settings: Settings) -> Against:
    """Return what the settings compare with, as `drivers` takes it."""
    if settings.against == LAST_YEAR:
        return "same_last_year"
    if settings.against == PREVIOUS:
        return "previous"
    return material.period(settings.against)


def parts(material: Material, view: Board, settings: Settings) -> Table:
    """Return what moved the metric's total: a part a row, the largest first.

    Columns: Part, Then, Now, Adds, Share. The parts are those of the chosen segment's split.
    """
    metric, company = settings.metric, material.company
    by = material.split_of(metric, settings.segment)
    if by not in drivers.splits(company, metric):
        by = ()
    question = (material.board.rows, metric, view.period, against(material, settings))
    change = drivers.change(*question)
    explained = drivers.of_company(*question, by=by)
    body = [_part_row(material, metric, row) for row in explained.to_dict("records")]
    then = numbers.of(view).period(change.against)
    caption = f"What changed {numbers.small(company.label(metric))} from {then}"
    columns = ["Part", "Before", "Now", "Effect", "Share"]
    return Table(caption, columns, body, frozenset(columns[1:]))


def _part_row(material: Material, metric: str, row: dict[Any, Any]) -> list[Cell]:
    company = material.company
    name = part_name(company, metric, row["part"], row["kind"])
    own_unit = part_unit(company, metric, row["part"], row["kind"])
    metric_unit = company.metrics[metric].unit
    return [
        name[:1].upper() + name[1:],
        number_text(material.board, row["before"], own_unit),
        number_text(material.board, row["now"], own_unit),
        numbers.of(company).effect(row["effect"], metric_unit),
        _signed_percent(row["share"]),
    ]


def _signed_percent(share_of_change: float) -> str:
    """Write a share of a change: +12%, -3%, 0%."""
    if pd.isna(share_of_change):
        return MISSING
    percent = round(share_of_change * 100)
    if percent == 0:
        return "0%"
    return f"{percent:+d}%"


def rows(view: Board, settings: Settings) -> Table:
    """Return the picked periods of the metric, newest first; else the latest up to the shown one.

    Columns: Period, Value, Target, Of target, Light.
    """
    label = view.company.label(settings.metric)
    own = view.table[view.table["metric"] == settings.metric]
    if settings.rows:
        own = own[own["period"].isin(settings.rows)]
        count = f"{len(own)} picked"
    else:
        own = own[own["period_end"] <= pd.Timestamp(view.period.end)].tail(LATEST)
        count = f"latest {len(own)}"
    grain = f"{view.grain}s"
    if len(own) == 1:
        grain = view.grain
    body = [_period_row(view, row) for row in own.iloc[::-1].to_dict("records")]
    columns = ["Period", "Value", "Target", "Of target", "Light"]
    return Table(f"{label}: {count} {grain}", columns, body, frozenset(columns[1:4]))


def _period_row(view: Board, row: dict[Any, Any]) -> list[Cell]:
    period = row["period"]
    if not row["complete"]:
        period = f"{period} (partial)"
    return [
        period,
        level_text(view, row, "value", marked=False),
        target_text(view, row),
        share(view, row),
        Light(str(row["light"]), row.get("reason")),
    ]


def share(board: Board, row: Any) -> str:
    """Write a row's attainment; a dash where there is none, and of a part of a period.

    Nobody can say what 59% of a limit or of a range is, so only a target has one.
    """
    if board.company.metrics[str(row["metric"])].better != "up":
        return MISSING
    return attained_text(board.company, row) or MISSING


def meaning(view: Board, metric: str) -> Table:
    """Return what a number means: question, formula, owner, systems, dates, unit and effect."""
    company, definition = view.company, view.company.metrics[metric]
    department = company.departments[company.department_of(metric)]
    written = numbers.of(view)
    moved = [company.label(move.metric) for move in definition.moves]
    entries = {
        "Question": definition.question or MISSING,
        "Calculation": how(company, metric),
        "Owner": f"{department.owner or 'no owner'} · {department.department}",
        "System": ", ".join(_systems(company, metric)) or MISSING,
        "Data to": data_to_text(view, view.row(metric)),
        "As of": written.date(view.as_of),
        "Unit": definition.unit or MISSING,
        "Good is": _BETTER[definition.better] if definition.has_direction else "not said",
        "Expected to move": ", ".join(moved) or MISSING,
        "ID": metric,
    }
    body: list[list[Cell]] = [[name, text] for name, text in entries.items()]
    return Table(f"What {company.label(metric)} means", ["", ""], body)


def _systems(company: Company, metric: str) -> list[str]:
    """List the systems a metric's data come from, each once, with its owner in brackets."""
    names: list[str] = []
    for source_name in sources_of(company, [metric]):
        source = company.origins[source_name]
        name = source.system
        if source.owner:
            name = f"{source.system} ({source.owner})"
        if name not in names:
            names.append(name)
    return names


def alone(view: Board, metric: str) -> Board:
    """Return a board of one metric; what the board has found out already is kept."""
    only = replace(view, metrics=(metric,), table=view.table[view.table["metric"] == metric])
    only.__dict__["restated"] = view.restated
    only.__dict__["events"] = view.events
    return only
