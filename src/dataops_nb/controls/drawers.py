"""What stands behind the buttons of the panel: a number's meaning, two sides compared, and what-ifs kept as files."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets

from dataops_nb import tables
from dataops_nb.board import Board
from dataops_nb.controls import whatifs
from dataops_nb.controls.answers import meaning
from dataops_nb.controls.choosing import dropdown, period_in_words
from dataops_nb.controls.comparing import AGREED, SUPPOSED, Side, side_by_side
from dataops_nb.controls.material import Material
from dataops_nb.controls.settings import Settings
from dataops_nb.controls.supposed import Difference
from dataops_nb.controls.turns import in_turn
from dataops_nb.controls.widgets import Pane
from dataops_nb.errors import DataopsError
from dataops_nb.story import numbers
from dataops_nb.workbench import Workbench


class Drawer:
    """A button, and what it opens. `fill` is called while it is open, whenever the panel says something new."""

    def __init__(self, label: str, children: list[Any]) -> None:
        self.button = ipywidgets.ToggleButton(value=False, description=label, layout={"width": "auto"})
        self.box = ipywidgets.VBox(children, layout={"display": "none"})
        self.box.add_class("nb-drawer")
        self.button.observe(in_turn(lambda change: self._turned(open_=change["new"])), "value")
        self._seen: tuple[Board, Settings] | None = None

    def see(self, view: Board, settings: Settings) -> None:
        """What the panel shows now."""
        self._seen = view, settings
        if self.button.value:
            self.fill(view, settings)

    def fill(self, view: Board, settings: Settings) -> None:
        """Say what the drawer has to say."""
        raise NotImplementedError

    def _turned(self, *, open_: bool) -> None:
        self.box.layout.display = "" if open_ else "none"
        if open_ and self._seen:
            self.fill(*self._seen)


class Meaning(Drawer):
    """What the number that is shown means."""

    def __init__(self) -> None:
        self.pane = Pane(label="What this number means")
        super().__init__("What does this number mean?", [self.pane])

    def fill(self, view: Board, settings: Settings) -> None:
        """The metric's definition, and what was agreed about its lights."""
        agreed = tables.lights(view, settings.metric).html()
        self.pane.html = f'<div class="nb-beside">{meaning(view, settings.metric).html()}{agreed}</div>'


class Comparison(Drawer):
    """Two periods, or two what-ifs."""

    def __init__(self, material: Material, here: Workbench) -> None:
        self.material, self.here = material, here
        listed = [
            (period_in_words(each, numbers.of(material.board)), id_) for id_, each in reversed(material.periods.items())
        ]
        before = list(material.periods)[max(list(material.periods).index(material.board.period.id) - 1, 0)]
        self.terms = [dropdown(name, [("As agreed", AGREED)]) for name in ("Left", "Right")]
        self.periods = [dropdown(f"{name} period", listed) for name in ("Left", "Right")]
        self.periods[0].value, self.periods[1].value = before, material.board.period.id
        self.pane = Pane(label="Side by side", live=True)
        sides = [ipywidgets.VBox(list(pair)) for pair in zip(self.terms, self.periods, strict=True)]
        for side in sides:
            side.add_class("nb-column")
        chosen = ipywidgets.Box(sides)
        chosen.add_class("nb-knobs")
        super().__init__("Compare side by side", [chosen, self.pane])
        self._filling = False
        for each in (*self.terms, *self.periods):
            each.observe(in_turn(lambda _: self._again()), "value")

    def fill(self, view: Board, settings: Settings) -> None:
        """Both sides of the metric that is shown."""
        self._offer()
        sides = [Side(terms.value, period.value) for terms, period in zip(self.terms, self.periods, strict=True)]
        try:
            self.pane.html = side_by_side(self.material, self.here, settings, *sides).html()
        except DataopsError as error:
            self.pane.html = problem(error)

    def _again(self) -> None:
        if self._seen and not self._filling:
            self.see(*self._seen)

    def _offer(self) -> None:
        offered = [("As agreed", AGREED), ("As set above", SUPPOSED), *((n, n) for n in whatifs.names(self.here))]
        self._filling = True
        for each in self.terms:
            if list(each.options) != offered:
                kept = each.value
                each.options = offered
                each.value = kept if kept in dict(offered).values() else AGREED
        self._filling = False


class WhatIf(Drawer):
    """What is supposed, as a file: its difference from what is agreed, saved, loaded, taken back."""

    def __init__(self, material: Material, here: Workbench, load: Callable[[dict[str, Difference]], None]) -> None:
        self.material, self.here, self._load = material, here, load
        self.name = ipywidgets.Text(
            description="Name",
            placeholder="higher-target",
            continuous_update=False,  # a name that is still on its way would come after the button that saves it
            style={"description_width": "104px"},
            layout={"width": "auto"},
        )
        self.replace = ipywidgets.Checkbox(
            description="Replace the what-if of that name", indent=False, layout={"width": "auto"}
        )
        self.known = dropdown("Saved", [])
        self.saving, self.loading, self.reset = (
            ipywidgets.Button(description=said, layout={"width": "auto"})
            for said in ("Save as what-if", "Load", "Reset to what is agreed")
        )
        self.saving.button_style = "primary"
        self.message, self.diff = Pane(label="What became of it", live=True), Pane(label="What differs")
        left = _column([self.name, self.replace, _row([self.saving, self.reset])])
        right = _column([self.known, _row([self.loading])])
        knobs = ipywidgets.Box([left, right])
        knobs.add_class("nb-knobs")
        super().__init__("What-if: save, load, reset", [knobs, self.message, self.diff])
        self.saving.on_click(in_turn(lambda _: self._try(self._save)))
        self.loading.on_click(in_turn(lambda _: self._try(self._take)))
        self.reset.on_click(in_turn(lambda _: self._try(self._back)))
        self._offer()

    def fill(self, view: Board, settings: Settings) -> None:
        """How what is supposed differs from what is agreed."""
        self._offer()
        said = whatifs.diff(self.material.definitions, settings.changes, self.name.value)
        self.diff.html = marked(said) if said else "<p>Nothing differs from what is agreed.</p>"

    def _save(self) -> str:
        changes = self._seen[1].changes if self._seen else {}
        declared = self.material.board.catalog.declared
        path = whatifs.save(self.here, declared, self.name.value.strip(), changes, overwrite=self.replace.value)
        self.replace.value = False
        self._again()
        self.known.value = path.stem
        return f"Saved as params/whatif/{path.name}. It is used by dataops-nb refresh --whatif {path.stem}."

    def _take(self) -> str:
        if not self.known.value:
            return "There is no what-if to load yet."
        changes, more = whatifs.load(self.here, self.material.board.catalog.declared, self.known.value)
        self.name.value = self.known.value
        self._load(changes)
        told = f"Loaded {self.known.value}."
        return f"{told} It also changes {', '.join(more[:3])}, which only a refresh shows." if more else told

    def _back(self) -> str:
        self._load({})
        return "Everything is as it is agreed."

    def _try(self, act: Callable[[], str]) -> None:
        try:
            self.message.html = f"<p>{escape(act())}</p>"
        except DataopsError as error:
            self.message.html = problem(error)

    def _again(self) -> None:
        if self._seen:
            self.fill(*self._seen)

    def _offer(self) -> None:
        offered = whatifs.names(self.here)
        if list(self.known.options) != offered:
            kept = self.known.value
            self.known.options = offered
            self.known.value = kept if kept in offered else (offered[0] if offered else None)
        self.known.disabled = self.loading.disabled = not offered


def problem(error: DataopsError) -> str:
    """What went wrong, as a paragraph."""
    return f'<p class="nb-problem">{escape(str(error))}</p>'


def marked(diff: str) -> str:
    """A unified diff with its lines marked; the signs stay, so that nobody needs the colours."""
    kinds = {"+": "nb-then", "-": "nb-now"}
    lines = [f'<span class="{kinds.get(line[:1], "")}">{escape(line)}</span>' for line in diff.splitlines()]
    return f'<pre class="nb-diff" tabindex="0">{"".join(lines)}</pre>'


def _row(children: list[Any]) -> ipywidgets.HBox:
    box = ipywidgets.HBox(children)
    box.add_class("nb-bar")
    return box


def _column(children: list[Any]) -> ipywidgets.VBox:
    box = ipywidgets.VBox(children)
    box.add_class("nb-column")
    return box
