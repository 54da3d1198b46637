"""Material: what a board was measured as, kept so that it can be judged again at once, without its data being read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from dataops_nb import alignment, drivers, limits, pacing, status
from dataops_nb.board import Board
from dataops_nb.controls.settings import Settings
from dataops_nb.controls.supposed import laid
from dataops_nb.definitions import Definitions
from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.periods import Period, calendar

EAGER = 12
Split = tuple[str, ...]
Agreed = tuple[object, ...]


class Material:
    """A board and, of each of its metrics, the segments and the parts of its changes, measured once.

    Of boards of at most twelve metrics everything is measured at the start; of larger ones what is a metric's own when it is
    first shown. What is computed of that is kept for as long as it is the answer: a metric's rows until they are judged by
    another agreement, and in `explained` what was answered about a change (by metric, period, comparison and segment).
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self._segments: dict[str, pd.DataFrame] = {}
        self._judged: dict[tuple[str, str], tuple[Agreed, pd.DataFrame]] = {}
        self._whole: tuple[dict[str, Agreed], pd.DataFrame] = {}, board.table
        self.explained: dict[tuple[str, str, str, str], tuple[Any, Any]] = {}
        if len(board.metrics) <= EAGER:
            for metric in board.metrics:
                self.prepare(metric)

    @property
    def definitions(self) -> Definitions:
        """What the company agrees on."""
        return self.board.definitions

    @cached_property
    def periods(self) -> dict[str, Period]:
        """Every period of the board's grain up to as-of by its id, oldest first; the last one may be open."""
        cut, starts = calendar(self.definitions.company.calendar), self.board.table["period_start"]
        first, last = (day.date() for day in (starts.min(), starts.max()))
        return {each.id: each for each in cut.periods(self.board.grain, first, min(last, self.board.as_of))}

    def period(self, id_: str) -> Period:
        """A period by its id; UsageError with the nearest one for another."""
        if id_ not in self.periods:
            raise UsageError(f"the board has no period {id_!r}{did_you_mean(id_, self.periods)}")
        return self.periods[id_]

    def splits(self, metric: str) -> list[Split]:
        """The declared splits of a metric."""
        return alignment.declared_splits(self.definitions, metric)

    def prepare(self, metric: str) -> None:
        """Measure a metric's segments, and its parts over every period; once."""
        if metric in self._segments:
            return
        catalog, periods = self.board.catalog, list(self.periods.values())
        for by in dict.fromkeys([(), *self.splits(metric), *drivers.splits(self.definitions, metric)]):
            alignment.remember(catalog, metric, periods, by)
        self._segments[metric] = self._measured(metric)

    def segments(self, metric: str) -> list[str]:
        """The segments of a metric, as `dim=value`: by split, the largest of the latest complete period first."""
        self.prepare(metric)
        rows = self._segments[metric]
        now = rows[rows["period"] == self.board.period.id]
        return list(now.sort_values(["split", "value"], ascending=[True, False])["segment"])

    def split_of(self, metric: str, segment: str) -> Split:
        """The columns that a segment is cut by; none for the total. UsageError for a segment that there is not."""
        if not segment:
            return ()
        self.prepare(metric)
        known = self._segments[metric].drop_duplicates("segment").set_index("segment")["split"]
        if segment not in known.index:
            raise UsageError(f"{metric} has no segment {segment!r}{did_you_mean(segment, known.index)}")
        return self.splits(metric)[int(known[segment])]

    def judged(self, definitions: Definitions) -> pd.DataFrame:
        """The board's table under definitions that measure the same: targets, limits, pace, lights anew where they say so."""
        agreed = {name: _agreed(definitions, name) for name in self.board.metrics}
        other = {name: said for name, said in agreed.items() if said != _agreed(self.definitions, name)}
        if other != self._whole[0]:
            table = self.board.table
            rows = table["metric"]
            again = [self._again(table[rows == name], definitions, name) for name in other]
            self._whole = other, pd.concat([table[~rows.isin(list(other))], *again]).sort_index()[list(table.columns)]
        return self._whole[1]

    def view(self, settings: Settings) -> Board:
        """The board as the settings have it: at their period, under their differences, the metric's segment in its place."""
        return self.under(laid(self.definitions, settings.changes), settings)

    def under(self, definitions: Definitions, settings: Settings) -> Board:
        """The same under these definitions; they must measure what the board's do."""
        table = self.judged(definitions)
        if settings.segment:
            table = self._put(table, definitions, settings)
            definitions = _labelled(definitions, settings)
        catalog, period = self.board.catalog.under(definitions), self.period(settings.period)
        view = replace(self.board, catalog=catalog, period=period, table=table, out=None)
        view.__dict__["restated"] = self._unpublished
        if definitions.events is self.definitions.events:
            view.__dict__["events"] = self.board.events
        return view

    @cached_property
    def _unpublished(self) -> pd.DataFrame:
        """What was restated of values that nobody published: nothing, in its columns."""
        return replace(self.board, out=None).restated

    def _put(self, table: pd.DataFrame, definitions: Definitions, settings: Settings) -> pd.DataFrame:
        """The table with a segment's rows where the metric's total was."""
        self.split_of(settings.metric, settings.segment)
        rows = self._segments[settings.metric]
        own = self._again(rows[rows["segment"] == settings.segment], definitions, settings.metric, settings.segment)
        others = table[table["metric"] != settings.metric]
        return pd.concat([others, own[list(table.columns)]], ignore_index=True)

    def _again(self, rows: pd.DataFrame, definitions: Definitions, metric: str, segment: str = "") -> pd.DataFrame:
        """A metric's (or a segment's) rows judged by what is agreed now; the last judgement is kept."""
        agreed = _agreed(definitions, metric)
        kept = self._judged.get((metric, segment))
        if kept is None or kept[0] != agreed:
            kept = self._judged[metric, segment] = agreed, self._judge(rows, definitions)
        return kept[1]

    def _judge(self, rows: pd.DataFrame, definitions: Definitions) -> pd.DataFrame:
        rows = alignment.add_targets(rows, self.board.catalog.under(definitions))
        rows = pacing.add_pace(limits.add_limits(rows, definitions), definitions, self.board.as_of)
        return status.judge(rows, definitions, self.board.as_of)

    def _measured(self, metric: str) -> pd.DataFrame:
        """The metric table of a metric's segments with what is compared; `split` is the place of its split.

        Two systems are not held against each other segment by segment, and no pace is known of a segment.
        """
        found = [self._split(metric, by).assign(split=place) for place, by in enumerate(self.splits(metric))]
        known = [each for each in found if len(each)]
        if not known:
            return self.board.table.iloc[:0].assign(split=0)
        return pd.concat(known, ignore_index=True).assign(reconciled=None, so_far=np.nan)

    def _split(self, metric: str, by: Split) -> pd.DataFrame:
        listed = list(self.periods.values())
        span: dict[str, dt.date] = {"start": listed[0].start, "end": min(listed[-1].end, self.board.as_of)}
        rows = alignment.align(self.board.catalog, [metric], grain=self.board.grain, by=by, **span)
        return alignment.compare(rows, self.board.catalog)


def _agreed(definitions: Definitions, metric: str) -> Agreed:
    """All that a metric's judgement depends on beside what was measured."""
    return definitions.metrics[metric], definitions.lights(metric)


def _labelled(definitions: Definitions, settings: Settings) -> Definitions:
    """The definitions where the metric shown is called by its segment: `Meetings held, rep Ann`."""
    label = f"{definitions.label(settings.metric)}, {in_words(settings.segment)}"
    owner = definitions.department_of(settings.metric)
    department = definitions.departments[owner]
    named = definitions.metrics[settings.metric].model_copy(update={"label": label})
    department = department.model_copy(update={"metrics": {**department.metrics, settings.metric: named}})
    return definitions.model_copy(update={"departments": {**definitions.departments, owner: department}})


def in_words(segment: str, by: Iterable[str] = ()) -> str:
    """A segment as people call it: `rep Ann`; of several columns `rep Ann, channel web`."""
    names = list(by) or [segment.partition("=")[0]]
    said = segment
    for place, name in enumerate(names):
        said = said.replace(f"{',' if place else ''}{name}=", f"{', ' if place else ''}{name.replace('_', ' ')} ", 1)
    return said
