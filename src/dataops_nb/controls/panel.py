"""The panel: knobs above, what the board says under them below, and what is behind its buttons between the two."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

import ipywidgets

from dataops_nb.board import Board
from dataops_nb.controls import picking
from dataops_nb.controls.answers import Answer, answer, rows
from dataops_nb.controls.choosing import Choices
from dataops_nb.controls.drawers import Comparison, Meaning, WhatIf
from dataops_nb.controls.material import Material
from dataops_nb.controls.settings import Settings
from dataops_nb.controls.showing import settings as settings_of
from dataops_nb.controls.supposed import Difference
from dataops_nb.controls.turns import in_turn
from dataops_nb.controls.widgets import Pane
from dataops_nb.story import CHIPS
from dataops_nb.workbench import Workbench


class Panel:
    """What `controls.explore` shows. `settings` is what it stands at, `answer` what it says now."""

    def __init__(self, board: Board, here: Workbench) -> None:
        self.material = Material(board)
        self.settings = Settings(board.lead, board.period.id)
        self.answer = answer(self.material, self.settings)
        self.choices = Choices(self.material, self.settings, self.show)
        self.said = Pane(label="What the number says", live=True, hosts=True)
        self.scorecard, self.parts, self.rows = (Pane(label=name) for name in ("Scorecard", "What moved it", "Periods"))
        self.listed, self.finding = _list(), Pane(label="Finding")
        self.picture = picking.Picture()
        self.drawers = (Meaning(), Comparison(self.material, here), WhatIf(self.material, here, self._load))
        self.root = self._placed()
        self._tell()
        self._draw()
        self.picture.on_pick(self._picked)
        self.listed.observe(in_turn(lambda change: self._listed(change["new"])), "value")

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The panel, and for whoever cannot show widgets the table of its settings."""
        shown = self.root._repr_mimebundle_(**options)
        data, about = shown if isinstance(shown, tuple) else (shown, {})
        return {**data, "text/html": settings_of(self.material.board).html()}, about

    def show(self, settings: Settings) -> None:
        """Say what the board says under these settings. The chart knows of no comparison."""
        drawn = replace(settings, against=self.settings.against) == self.settings
        self.settings, self.answer = settings, answer(self.material, settings)
        self._tell()
        if not drawn:
            self._draw()

    def _tell(self) -> None:
        said, settings = self.answer, self.settings
        self.said.html = _said(said, settings)
        self.rows.html, self.parts.html, self.scorecard.html = (
            table.html() for table in (said.rows, said.parts, said.scorecard)
        )
        self._offer_periods()
        for drawer in self.drawers:
            drawer.see(said.board, settings)

    def _load(self, changes: dict[str, Difference]) -> None:
        settings = replace(self.settings, changes=changes)
        self.choices.put(settings)
        self.show(settings)

    def _offer_periods(self) -> None:
        """The periods that are drawn, to be picked without a mouse; those picked before stay so."""
        drawn = picking.drawn(self.answer.only, self.settings.metric)
        if list(self.listed.options) != drawn:
            self.listed.options = drawn
        if self.listed.value != self.settings.rows:
            self.listed.value = tuple(id_ for id_ in drawn if id_ in self.settings.rows)

    def _picked(self, span: Any, clicked: tuple[str, ...]) -> None:
        """Somebody has picked periods in the chart."""
        view, metric = self.answer.only, self.settings.metric
        found = picking.within(view, metric, span) if span else clicked
        if set(found) != set(self.settings.rows):
            self._pick(found)

    def _listed(self, chosen: tuple[str, ...]) -> None:
        """Somebody has picked periods in the list: they are marked in the chart as well."""
        found = tuple(id_ for id_ in chosen if id_ in self.listed.options)
        if set(found) != set(self.settings.rows):
            self._pick(found)
            self._draw()

    def _draw(self) -> None:
        spec = picking.picture(self.answer.only, self.settings.metric, self.settings.rows)
        told = spec["usermeta"]
        legend = " · ".join(map(escape, told["legend"]))
        self.finding.html = f"<p>{escape(told['finding'])}</p>{f'<p>{legend}</p>' if legend else ''}"
        self.picture.show(spec)

    def _pick(self, found: tuple[str, ...]) -> None:
        self.settings = self.choices.settings = replace(self.settings, rows=tuple(found))
        self.answer = replace(self.answer, rows=rows(self.answer.board, self.settings))
        self.rows.html = self.answer.rows.html()
        self._offer_periods()

    def _placed(self) -> ipywidgets.VBox:
        """Everything in its place; the order is the one in which Tab goes."""
        buttons = ipywidgets.HBox([drawer.button for drawer in self.drawers])
        buttons.add_class("nb-bar")
        beside = ipywidgets.VBox([self.rows, self.listed])
        beside.add_class("nb-rows")
        chart = ipywidgets.VBox([self.finding, self.picture])
        chart.add_class("nb-chart")
        pictured, tabled = ipywidgets.Box([chart, beside]), ipywidgets.Box([self.parts, self.scorecard])
        pictured.add_class("nb-pictured")
        tabled.add_class("nb-tabled")
        boxes = [drawer.box for drawer in self.drawers]
        root = ipywidgets.VBox([self.choices.box, self.said, buttons, *boxes, pictured, tabled])
        root.add_class("nb-explore")
        return root


def _list() -> ipywidgets.SelectMultiple:
    style = {"description_width": "initial"}
    return ipywidgets.SelectMultiple(description="Periods in the table", rows=5, style=style, layout={"width": "auto"})


def _said(said: Answer, settings: Settings) -> str:
    """The light and the sentences; what is supposed is said to be so."""
    first, *others = said.said.sentences
    chip = f'<span class="nb-chip" data-light="{said.light}">{CHIPS[said.light]}</span>'
    lines = [f'<p class="nb-headline">{chip} {escape(first.text)}</p>']
    lines += [f"<p>{escape(each.text)}</p>" for each in (*others, *said.compared.sentences)]
    if settings.changes:
        labels = ", ".join(said.board.definitions.label(name) for name in settings.changes)
        lines.append(f'<p class="nb-supposed">What if: this is not what was agreed about {escape(labels)}.</p>')
    return "".join(lines)
