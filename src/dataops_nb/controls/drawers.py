"""What the panel's buttons open: a number's meaning, two sides compared, saved what-ifs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import ipywidgets
import pandas as pd

from dataops_nb import numbers, tables
from dataops_nb.board import Board, measure, rebases
from dataops_nb.company import WhatIfs
from dataops_nb.controls.material import Material, meaning, opening, share
from dataops_nb.controls.settings import (
    Difference,
    Metrics,
    Settings,
    differences,
    laid,
    measures_alike,
)
from dataops_nb.controls.widgets import Pane, dropdown, in_turn, period_options
from dataops_nb.display import Cell, Html, Light, Table, element
from dataops_nb.errors import DataopsError
from dataops_nb.tables.scorecard import MISSING, level_text, target_text

_WIDE = {"width": "auto"}
# Terms that no what-if's file can be called.
AGREED, SUPPOSED = "", "\0supposed"
REBASE, NO_REBASE = "Start limits anew on {}", "No new level to start limits on"


class Drawer:
    """A button, and the box it opens."""

    def __init__(self, label: str, children: list[Any]) -> None:
        self.button = ipywidgets.ToggleButton(value=False, description=label, layout=_WIDE)
        self.box = ipywidgets.VBox(children, layout={"display": "none"})
        self.box.add_class("nb-drawer")
        self.button.observe(in_turn(lambda change: self._toggled(is_open=change["new"])), "value")
        self._seen: tuple[Board, Settings] | None = None

    def see(self, view: Board, settings: Settings) -> None:
        """Remember what the panel shows, and fill the box where it is open."""
        self._seen = view, settings
        if self.button.value:
            self.fill(view, settings)

    def fill(self, view: Board, settings: Settings) -> None:
        """Write the content of the box."""
        raise NotImplementedError

    def _toggled(self, *, is_open: bool) -> None:
        if not is_open:
            self.box.layout.display = "none"
            return
        self.box.layout.display = ""
        self._fill_again()

    def _fill_again(self) -> None:
        if self._seen:
            self.fill(*self._seen)


class Meaning(Drawer):
    """What the shown number means."""

    def __init__(self) -> None:
        self.pane = Pane(label="About this number")
        super().__init__("About this number", [self.pane])

    def fill(self, view: Board, settings: Settings) -> None:
        """Write the metric's definition, and what was agreed about its lights."""
        definition = meaning(view, settings.metric).html()
        lights = tables.lights(view, settings.metric).html()
        self.pane.html = element("div", Html(definition), Html(lights), class_="nb-beside")


class Comparison(Drawer):
    """Two periods, or two what-ifs, of the shown metric."""

    def __init__(self, material: Material, kept: WhatIfs) -> None:
        self.material, self.kept = material, kept
        self._filling = False
        periods = period_options(material)
        self.terms = [dropdown(side, [("Current targets", AGREED)]) for side in ("Left", "Right")]
        self.periods = [dropdown(f"{side} period", periods) for side in ("Left", "Right")]
        # The board's period stands on the right, the one before it on the left.
        ids = list(material.periods)
        now = ids.index(material.board.period.id)
        self.periods[0].value = ids[max(now - 1, 0)]
        self.periods[1].value = ids[now]
        left = _drawer_column([self.terms[0], self.periods[0]])
        right = _drawer_column([self.terms[1], self.periods[1]])
        self.pane = Pane(label="Comparison", live=True)
        super().__init__("Compare", [_knob_box([left, right]), self.pane])
        for choice in (*self.terms, *self.periods):
            choice.observe(in_turn(lambda _: self._chosen()), "value")

    def fill(self, view: Board, settings: Settings) -> None:
        """Write both sides of the metric that is shown, or why they cannot be compared."""
        self._offer()
        left = Side(self.terms[0].value, self.periods[0].value)
        right = Side(self.terms[1].value, self.periods[1].value)
        try:
            table = side_by_side(self.material, self.kept, settings, left, right)
            self.pane.html = table.html()
        except DataopsError as error:
            self.pane.html = problem(error)

    def _chosen(self) -> None:
        if self._seen and not self._filling:
            self.see(*self._seen)

    def _offer(self) -> None:
        """List the what-ifs that are saved now; a choice that is gone falls back to agreed."""
        options = [("Current targets", AGREED), ("My settings", SUPPOSED)]
        for name in self.kept.names():
            options.append((name, name))
        values = [value for _, value in options]
        self._filling = True
        for choice in self.terms:
            if list(choice.options) == options:
                continue
            value = choice.value
            if value not in values:
                value = AGREED
            choice.options = options
            choice.value = value
        self._filling = False


class WhatIf(Drawer):
    """What is supposed, as a file: saved, loaded, reset, and how it differs."""

    def __init__(
        self, material: Material, kept: WhatIfs, load: Callable[[dict[str, Difference]], None]
    ) -> None:
        self.material, self.kept, self._load = material, kept, load
        self.name = ipywidgets.Text(
            description="Name",
            placeholder="higher-target",
            # Letter by letter the last one would arrive after the click on "Save".
            continuous_update=False,
            style={"description_width": "104px"},
            layout=_WIDE,
        )
        self.replace = ipywidgets.Checkbox(
            description="Overwrite this what-if", indent=False, layout=_WIDE
        )
        self.known = dropdown("Saved", [])
        self.saving = _button("Save what-if", self._save_action)
        self.saving.button_style = "primary"
        self.loading = _button("Load", self._load_action)
        self.reset = _button("Back to agreed targets", self._reset_action)
        self.rebasing = _button(NO_REBASE, self._rebase_action)
        self.message = Pane(label="Result of saving", live=True)
        self.diff = Pane(label="Your changes")
        save_row = _drawer_row([self.saving, self.reset])
        left = _drawer_column([self.name, self.replace, save_row])
        right = _drawer_column([self.known, _drawer_row([self.loading]), self.rebasing])
        children = [_knob_box([left, right]), self.message, self.diff]
        super().__init__("What-if: save, load, reset", children)
        self._offer()

    def fill(self, view: Board, settings: Settings) -> None:
        """Write how what is supposed differs from what is agreed."""
        self._offer()
        proposed = self._proposed(settings)
        self.rebasing.disabled = proposed is None
        self.rebasing.description = NO_REBASE
        if proposed is not None:
            day = numbers.of(view).date(proposed.since)
            self.rebasing.description = REBASE.format(day)
        text = self.kept.diff(self.material.company, settings.changes, self.name.value)
        self.diff.html = element("p", "You have changed nothing yet.")
        if text:
            self.diff.html = marked(text)

    def _save_action(self) -> None:
        self._try(self._save)

    def _load_action(self) -> None:
        self._try(self._take)

    def _reset_action(self) -> None:
        self._try(self._reset)

    def _rebase_action(self) -> None:
        self._try(self._rebase)

    def _try(self, act: Callable[[], str]) -> None:
        """Do what a button says, and write what became of it."""
        try:
            self.message.html = element("p", act())
        except DataopsError as error:
            self.message.html = problem(error)

    def _save(self) -> str:
        changes: Metrics = {}
        if self._seen:
            changes = self._seen[1].changes
        name, overwrite = self.name.value.strip(), self.replace.value
        path = self.kept.save(name, changes, overwrite=overwrite)
        self.replace.value = False
        self._fill_again()
        self.known.value = path.stem
        command = f"dataops-nb refresh --whatif {path.stem}"
        return f"Saved as params/whatif/{path.name}. To publish: {command}"

    def _take(self) -> str:
        name = self.known.value
        if not name:
            return "No what-ifs saved yet."
        changes, more = self.kept.load(name)
        self.name.value = name
        self._load(changes)
        if not more:
            return f"Loaded {name}."
        return f"Loaded {name}. It also changes {', '.join(more[:3])}; refresh to see that."

    def _reset(self) -> str:
        self._load({})
        return "Back to agreed targets."

    def _rebase(self) -> str:
        """Suppose that the limits of the metric shown start anew on its new level."""
        proposed = self._proposed(self._seen[1]) if self._seen else None
        if self._seen is None or proposed is None:
            return NO_REBASE
        settings = self._seen[1]
        change = settings.changes.get(settings.metric, Difference())
        supposed = {settings.metric: replace(change, limits=proposed.limits)}
        self._load({**settings.changes, **supposed})
        return f"In {self.material.company.label(settings.metric)}, write {proposed.line}"

    def _proposed(self, settings: Settings) -> rebases.Rebase | None:
        """Return what is proposed for the metric shown, as it is agreed."""
        proposed = rebases.propose(self.material.board, [settings.metric])
        return next(proposed, None)

    def _offer(self) -> None:
        """List the what-ifs that are saved now; the chosen one stays chosen."""
        saved = self.kept.names()
        if list(self.known.options) != saved:
            name = self.known.value
            if name not in saved:
                name = next(iter(saved), None)
            self.known.options = saved
            self.known.value = name
        self.known.disabled = self.loading.disabled = not saved


def problem(error: DataopsError) -> str:
    """Write an error as a paragraph."""
    return element("p", str(error), class_="nb-problem")


def marked(diff: str) -> str:
    """Write a unified diff with marked lines; the signs stay for people who see no colours."""
    classes = {"+": "nb-then", "-": "nb-now"}
    lines = []
    for line in diff.splitlines():
        lines.append(element("span", line, class_=classes.get(line[:1], "")))
    return element("pre", *lines, class_="nb-diff", tabindex="0")


def _button(label: str, act: Callable[[], None]) -> ipywidgets.Button:
    button = ipywidgets.Button(description=label, layout=_WIDE)
    button.on_click(in_turn(lambda _: act()))
    return button


def _drawer_row(children: list[Any]) -> ipywidgets.HBox:
    box = ipywidgets.HBox(children)
    box.add_class("nb-bar")
    return box


def _drawer_column(children: list[Any]) -> ipywidgets.VBox:
    box = ipywidgets.VBox(children)
    box.add_class("nb-column")
    return box


def _knob_box(children: list[Any]) -> ipywidgets.Box:
    box = ipywidgets.Box(children)
    box.add_class("nb-knobs")
    return box


@dataclass(frozen=True)
class Side:
    """One of the two sides: its terms and the id of its period.

    The terms are `AGREED` (the company's own), `SUPPOSED` (the panel's) or a what-if's name.
    """

    terms: str
    period: str


def side_by_side(
    material: Material, kept: WhatIfs, settings: Settings, left: Side, right: Side
) -> Table:
    """Return the metric of the settings on both sides, and their difference.

    Rows: value, target, attainment, light and sentences.
    """
    metric = settings.metric
    unit = material.company.metrics[metric].unit
    views = (seen(material, kept, settings, left), seen(material, kept, settings, right))
    left_row, right_row = (view.row(metric) for view in views)
    heads = [_side_head(left, views[0]), _side_head(right, views[1])]
    if heads[0] == heads[1]:
        heads = [f"{heads[0]} (left)", f"{heads[1]} (right)"]

    def both(write: Callable[[Board, Any], str]) -> list[str]:
        return [write(views[0], left_row), write(views[1], right_row)]

    def difference(column: str, column_unit: str) -> str:
        if pd.isna(left_row[column]) or pd.isna(right_row[column]):
            return MISSING
        change = right_row[column] - left_row[column]
        return numbers.of(material.company).effect(change, column_unit)

    values = both(lambda view, row: level_text(view, row, "value"))
    goals = both(target_text)
    shares = both(share)
    share_change = difference("attainment", "percent")
    words = both(lambda view, row: _words(material, view, metric))
    lights = [Light(str(left_row["light"])), Light(str(right_row["light"]))]
    same_light = "different"
    if left_row["light"] == right_row["light"]:
        same_light = "same"
    body: list[list[Cell]] = [
        ["Value", *values, difference("value", unit)],
        ["Target", *goals, difference("target", unit)],
        ["Of target", *shares, MISSING if MISSING in shares else share_change],
        ["Light", *lights, same_light],
        ["In words", *words, ""],
    ]
    caption = f"{material.company.label(metric)}, side by side"
    return Table(caption, ["", *heads, "Difference"], body)


def seen(material: Material, kept: WhatIfs, settings: Settings, side: Side) -> Board:
    """Return the board of one side.

    It comes from memory where the side measures what the board does; else its data are read.
    """
    at = replace(settings, period=side.period)
    if side.terms == SUPPOSED:
        return material.view(at)
    at = replace(at, segment="")
    if side.terms == AGREED:
        return material.view(replace(at, changes={}))

    declared, other = kept.company(""), kept.company(side.terms)
    if measures_alike(declared, other):
        # The board may know more metrics than the files declare: those of tables of indicators.
        if declared is material.company:
            return material.under(other, at)
        changed = laid(material.company, differences(declared, other))
        return material.under(changed, at)
    board = material.board
    rows = kept.rows(side.terms, board.as_of)
    read = measure(rows, board.metrics, grain=board.grain, department=board.department)
    return replace(read, period=material.period(side.period))


def _words(material: Material, view: Board, metric: str) -> str:
    sentences = opening(material, view, metric).sentences
    return " ".join(sentence.text for sentence in sentences)


def _side_head(side: Side, view: Board) -> str:
    names = {AGREED: "Current targets", SUPPOSED: "My settings"}
    terms = names.get(side.terms, side.terms)
    return f"{terms}, {numbers.of(view).period(view.period)}"
