"""Answers: what a board says under some settings, as a scorecard, a chart, sentences and tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from dataops_nb import drivers, story, tables
from dataops_nb.alignment import sources_of
from dataops_nb.board import Board
from dataops_nb.controls.material import Material
from dataops_nb.controls.settings import LAST_YEAR, PREVIOUS, Settings
from dataops_nb.drivers import Against
from dataops_nb.story import numbers
from dataops_nb.story.explaining import part_name, part_unit
from dataops_nb.story.meaning import how
from dataops_nb.tables.markup import Light, Table

LATEST = 8
_TOLD = ["period", "period_end", "complete", "value", "target", "target_low", "target_high", "attainment", "light"]
_NOTHING = "–"


@dataclass(frozen=True)
class Answer:
    """What a panel shows: the board as the settings have it (`only`: of the metric that is shown), and what it says."""

    board: Board
    only: Board
    light: str
    said: story.Told
    compared: story.Told
    scorecard: Table
    parts: Table
    rows: Table


def answer(material: Material, settings: Settings) -> Answer:
    """What the board says under these settings, from the metric table alone."""
    view = material.view(settings)
    only = alone(view, settings.metric)
    about = (settings.metric, settings.period, settings.against, settings.segment)
    if about not in material.explained:  # what moved a value is the same whatever was agreed about it
        material.explained[about] = compared(material, only, settings), parts(material, view, settings)
    moved, found = material.explained[about]
    return Answer(
        view,
        only,
        str(only.row(settings.metric)["light"]),
        said(material, only, settings.metric),
        moved,
        tables.scorecard(view),
        found,
        rows(view, settings),
    )


def said(material: Material, view: Board, metric: str) -> story.Told:
    """The metric's headline and movement; of the open period, where it leads. `view` may hold that metric alone."""
    now = material.board.open_period
    if now is not None and view.period == now:
        paced = story.paced(alone(material.view(Settings(metric, material.board.period.id)), metric))
        if paced.sentences:
            return paced
    return story.headline(view, metric)


def compared(material: Material, view: Board, settings: Settings) -> story.Told:
    """What moved the metric most since what it is compared with; of a segment, by how much it moved alone."""
    if settings.segment:
        return story.Told()
    return story.explained(view, settings.metric, against(material, settings))


def against(material: Material, settings: Settings) -> Against:
    """What the settings compare with, as `drivers` takes it."""
    if settings.against == LAST_YEAR:
        return "same_last_year"
    return "previous" if settings.against == PREVIOUS else material.period(settings.against)


def parts(material: Material, view: Board, settings: Settings) -> Table:
    """What moved the metric's total: a row a part, the largest first; by the segment's columns where one is chosen."""
    metric, definitions = settings.metric, material.definitions
    by = material.split_of(metric, settings.segment)
    by = by if by in drivers.splits(definitions, metric) else ()
    asked = material.board.catalog, metric, view.period, against(material, settings)
    whole, found = drivers.change(*asked), drivers.explain(*asked, by=by)
    unit = definitions.metrics[metric].unit
    body = [_part(material, metric, row, unit) for row in found.to_dict("records")]
    then = numbers.of(view).period(whole.against)
    caption = f"What moved {definitions.label(metric)} since {then}"
    columns = ["Part", "Then", "Now", "Adds", "Share"]
    return Table(caption, columns, body, frozenset(columns[1:]))


def _part(material: Material, metric: str, row: dict[Any, Any], unit: str) -> list[str | Light]:
    own = part_unit(material.definitions, metric, row["part"], row["kind"])
    percent = 0 if pd.isna(row["share"]) else round(row["share"] * 100)
    share = _NOTHING if pd.isna(row["share"]) else f"{percent:+d} %" if percent else "0 %"
    values = [number(material.board, row[name], own) for name in ("before", "now")]
    name = part_name(material.definitions, metric, row["part"], row["kind"])
    return [name[:1].upper() + name[1:], *values, numbers.of(material.definitions).effect(row["effect"], unit), share]


def rows(view: Board, settings: Settings) -> Table:
    """The metric's periods that were picked (else the latest up to the one shown), newest first."""
    own = view.table.loc[view.table["metric"] == settings.metric, _TOLD]
    if settings.rows:
        own = own[own["period"].isin(settings.rows)]
    else:
        own = own[own["period_end"] <= pd.Timestamp(view.period.end)].tail(LATEST)
    unit, label = view.definitions.metrics[settings.metric].unit, view.definitions.label(settings.metric)
    body = [_row(view, row, unit) for row in own.iloc[::-1].to_dict("records")]
    picked = f"{len(body)} picked" if settings.rows else f"latest {len(body)}"
    columns = ["Period", "Value", "Target", "Attained", "Light"]
    return Table(
        f"{label}: {picked} {view.grain}{'' if len(body) == 1 else 's'}", columns, body, frozenset(columns[1:4])
    )


def _row(view: Board, row: dict[Any, Any], unit: str) -> list[str | Light]:
    period = row["period"] if row["complete"] else f"{row['period']} (partial)"
    value, attained = number(view, row["value"], unit), share(view, row["attainment"])
    return [period, value, goal(view, row, unit), attained, Light(str(row["light"]))]


def goal(board: Board, row: Any, unit: str) -> str:
    """A row's target, or its band."""
    if pd.notna(row["target_low"]):
        return f"{number(board, row['target_low'], unit)} to {number(board, row['target_high'], unit)}"
    return number(board, row["target"], unit)


def share(board: Board, attained: float) -> str:
    """An attainment; a dash where there is none."""
    return _NOTHING if pd.isna(attained) else numbers.of(board).share(attained)


def number(board: Board, value: float, unit: str) -> str:
    """A value; a dash where there is none."""
    return _NOTHING if pd.isna(value) else numbers.of(board).number(value, unit)


def meaning(view: Board, metric: str) -> Table:
    """What a number means: its question, how it is made, who answers for it, of which systems, and how fresh it is."""
    definitions, row = view.definitions, view.row(metric)
    department = definitions.departments[definitions.department_of(metric)]
    sources = [definitions.company.sources[name] for name in sources_of(definitions, [metric])]
    systems = dict.fromkeys(f"{each.system} ({each.owner})" if each.owner else each.system for each in sources)
    unit = definitions.metrics[metric].unit
    written = numbers.of(view)
    moves = ", ".join(definitions.label(each.metric) for each in definitions.metrics[metric].moves)
    entries = {
        "Question": definitions.metrics[metric].question or _NOTHING,
        "How it is made": how(definitions, metric),
        "Owner": f"{department.owner or 'nobody named'} · {department.department}",
        "System": ", ".join(systems) or _NOTHING,
        "Data to": written.date(row["data_to"].date()) if pd.notna(row["data_to"]) else _NOTHING,
        "As of": written.date(view.as_of),
        "Unit": "percent" if unit == "percent" else unit or _NOTHING,
        "Better is": {"up": "more", "down": "less", "inside": "inside the band"}[definitions.metrics[metric].better],
        "Should move": moves or _NOTHING,
        "Its id": metric,
    }
    return Table(f"What {definitions.label(metric)} means", ["", ""], [[*each] for each in entries.items()])


def alone(view: Board, metric: str) -> Board:
    """A board about one metric: its sentences and its chart need no other's facts."""
    only = replace(view, metrics=(metric,), table=view.table[view.table["metric"] == metric])
    only.__dict__["restated"], only.__dict__["events"] = view.restated, view.events
    return only
