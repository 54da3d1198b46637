"""Readers at the notebook: each gets the next free number with its pitch, and answers about it.

Chance has assigned the pitches beforehand; nobody at the notebook can choose. The module stands
alone because it brings ipywidgets, and is loaded where widgets can be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets

from dataops_nb.company import Trial
from dataops_nb.controls.widgets import in_turn
from dataops_nb.display import element
from dataops_nb.errors import UsageError

_STYLE = {"description_width": "initial"}
_INVITATION = "Read this once, as if a colleague had just told you."
_DONE = "All readers have answered: run "
_KEPT = "Saved. Thank you. Ready for the next reader."
# The questions before the field for the reader's own words, and those after it.
_FIRST = ("colour", "direction", "action")
_LAST = ("sure", "department", "altitude")


class Asking:
    """The pitch of the next reader, the questions about it, and a button that keeps the answer."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.reader: str | None = None
        self.pitch, self.message = ipywidgets.HTML(), ipywidgets.HTML()
        self.answers: dict[str, Any] = {}
        for name, (title, choices) in trial.questions.items():
            self.answers[name] = _question(name, title, choices)
        self.words = ipywidgets.Textarea(
            description=trial.free_question, style=_STYLE, layout={"width": "auto"}, rows=3
        )
        self.button = ipywidgets.Button(description="Save answer", button_style="primary")
        self.button.on_click(in_turn(lambda _: self.keep()))
        first = [self.answers[name] for name in _FIRST]
        last = [self.answers[name] for name in _LAST]
        children = [self.pitch, *first, self.words, *last, self.button, self.message]
        self.root = ipywidgets.VBox(children)
        self.turn()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.root._repr_mimebundle_(**options)

    def turn(self) -> None:
        """Show the next reader's pitch with empty answers, or a last word where nobody is left."""
        self.reader = self.trial.next_reader()
        for answer in self.answers.values():
            answer.value = None
        self.words.value = ""
        self.button.disabled = self.reader is None
        if self.reader is None:
            command = element("code", f"dataops-nb message result {self.trial.metric}")
            self.pitch.value = element("p", _DONE, command)
            return
        pitch = element("blockquote", self.trial.pitch(self.reader))
        self.pitch.value = element("p", _INVITATION) + pitch

    def keep(self) -> None:
        """Check and record the answer, then show the next pitch; or say what is missing."""
        given = {name: widget.value or "" for name, widget in self.answers.items()}
        missing = [self.answers[name].description for name, value in given.items() if not value]
        if missing:
            self.message.value = element("p", f"Please answer: {'; '.join(missing)}")
            return
        given["words"] = self.words.value
        try:
            self.trial.record(self.reader or "", given)
        except UsageError as error:
            self.message.value = element("p", str(error))
            return
        self.turn()
        self.message.value = element("p", _KEPT)


def _question(name: str, title: str, choices: Mapping[str, str]) -> Any:
    kind = ipywidgets.RadioButtons
    if name in {"department", "altitude"}:
        kind = ipywidgets.Dropdown
    options = [(text, value) for value, text in choices.items()]
    layout = {"width": "max-content"}
    return kind(options=options, value=None, description=title, style=_STYLE, layout=layout)
