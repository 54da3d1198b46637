"""Two periods, or two what-ifs, side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from dataops_nb import board as boards
from dataops_nb import sources
from dataops_nb.board import Board
from dataops_nb.controls.answers import goal, number, said, share
from dataops_nb.controls.material import Material
from dataops_nb.controls.settings import Settings
from dataops_nb.controls.supposed import differences, laid, measures_alike
from dataops_nb.controls.whatifs import under
from dataops_nb.story import numbers
from dataops_nb.tables.markup import Cell, Light, Table
from dataops_nb.workbench import Workbench

AGREED, SUPPOSED = "", "\0supposed"  # what no what-if can be called
_NOTHING = "–"


@dataclass(frozen=True)
class Side:
    """One of the two: what is agreed (`AGREED`), what the panel supposes (`SUPPOSED`) or a what-if's name; and a period."""

    terms: str
    period: str


def side_by_side(material: Material, wb: Workbench, settings: Settings, left: Side, right: Side) -> Table:
    """The metric of the settings on both sides: value, target, attainment, light and sentence, and what differs."""
    metric = settings.metric
    views = [seen(material, wb, settings, side) for side in (left, right)]
    heads = [_head(side, view) for side, view in zip((left, right), views, strict=True)]
    if heads[0] == heads[1]:
        heads = [f"{heads[0]} (left)", f"{heads[1]} (right)"]
    unit = material.definitions.metrics[metric].unit
    a, b = (view.row(metric) for view in views)
    both = list(zip(views, (a, b), strict=True))

    def apart(name: str, of: str) -> str:
        missing = pd.isna(a[name]) or pd.isna(b[name])
        return _NOTHING if missing else numbers.of(material.definitions).effect(b[name] - a[name], of)

    shown: list[list[Cell]] = [
        ["Value", *(number(view, row["value"], unit) for view, row in both), apart("value", unit)],
        ["Target", *(goal(view, row, unit) for view, row in both), apart("target", unit)],
        ["Attained", *(share(view, row["attainment"]) for view, row in both), apart("attainment", "percent")],
        ["Light", *(Light(str(row["light"])) for row in (a, b)), "same" if a["light"] == b["light"] else "another one"],
        ["In words", *(" ".join(s.text for s in said(material, view, metric).sentences) for view in views), ""],
    ]
    return Table(f"{material.definitions.label(metric)}, side by side", ["", *heads, "Difference"], shown)


def seen(material: Material, wb: Workbench, settings: Settings, side: Side) -> Board:
    """The board as one side has it. From memory where that measures what the board does; else its data are read for it."""
    at = replace(settings, period=side.period, segment=settings.segment if side.terms == SUPPOSED else "")
    if side.terms == SUPPOSED:
        return material.view(at)
    if side.terms == AGREED:
        return material.view(replace(at, changes={}))
    declared, other = material.board.catalog.declared, under(wb, side.terms)
    if measures_alike(declared, other):
        definitions = (
            other if declared is material.definitions else laid(material.definitions, differences(declared, other))
        )
        return material.under(definitions, at)
    catalog = sources.open(other, wb.data, material.board.as_of, keep=wb.cache)
    read = boards.of(catalog, material.board.metrics, grain=material.board.grain, department=material.board.department)
    return replace(read, period=material.period(side.period))


def _head(side: Side, view: Board) -> str:
    named = {AGREED: "As agreed", SUPPOSED: "As set above"}
    return f"{named.get(side.terms, side.terms)}, {numbers.of(view).period(view.period)}"
