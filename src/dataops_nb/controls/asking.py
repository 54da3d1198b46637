"""Readers at the notebook: one after the other gets the next free number with its pitch, and says what it says to them.

Chance has decided beforehand who reads which (`messages.assign`); nobody at the notebook can choose.
"""

from __future__ import annotations

import datetime as dt
import json
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets

from dataops_nb import messages
from dataops_nb.controls.turns import in_turn
from dataops_nb.errors import UsageError
from dataops_nb.messages.forms import WORDS

_DONE = "Everybody who was invited has answered: <code>dataops-nb message result {metric}</code> compares the pitches."


class Asking:
    """The pitch of the next reader and the questions about it; `keep` checks and keeps the answer, and turns to the next."""

    def __init__(self, out: Path, trial: messages.Trial) -> None:
        self.out, self.trial = out, trial
        self.reader: str | None = None
        self.pitch, self.told = ipywidgets.HTML(), ipywidgets.HTML()
        self.answers = {name: _question(name, *asked) for name, asked in messages.questions(trial).items()}
        self.words = ipywidgets.Textarea(description=WORDS, style=_STYLE, layout={"width": "auto"}, rows=3)
        self.button = ipywidgets.Button(description="Keep the answer", button_style="primary")
        self.button.on_click(in_turn(lambda _: self.keep()))
        first, then = ("colour", "direction", "action"), ("sure", "department", "altitude")
        placed = [*(self.answers[name] for name in first), self.words, *(self.answers[name] for name in then)]
        self.root = ipywidgets.VBox([self.pitch, *placed, self.button, self.told])
        self.turn()

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return self.root._repr_mimebundle_(**options)

    def turn(self) -> None:
        """Show the next reader's pitch with nothing chosen; a last word where nobody is left."""
        self.reader = messages.next_reader(self.out, self.trial)
        for each in self.answers.values():
            each.value = None
        self.words.value = ""
        self.button.disabled = self.reader is None
        if self.reader is None:
            self.pitch.value = f"<p>{_DONE.format(metric=escape(self.trial.metric))}</p>"
            return
        said = self.trial.variants[messages.assign(self.trial)[self.reader]]
        self.pitch.value = (
            f"<p>Read this once, as if somebody had said it to you.</p><blockquote>{escape(said)}</blockquote>"
        )

    def keep(self) -> None:
        """Keep the answer, or say what is missing in it."""
        given = {name: each.value or "" for name, each in self.answers.items()} | {"words": self.words.value}
        about = {"trial": self.trial.id, "metric": self.trial.metric, "reader": self.reader or ""}
        whole = about | given | {"variant": messages.assign(self.trial).get(self.reader or "", "")}
        if missing := [self.answers[name].description for name in self.answers if not given[name]]:
            self.told.value = f"<p>Still open: {escape('; '.join(missing))}</p>"
            return
        try:
            answer = messages.parse(json.dumps(whole), "this answer", self.trial)
            messages.record(self.out, self.trial, [answer], dt.datetime.now(dt.UTC))
        except UsageError as error:
            self.told.value = f"<p>{escape(str(error))}</p>"
            return
        self.turn()
        self.told.value = "<p>Kept. Thank you; the next reader may sit down.</p>"


_STYLE = {"description_width": "initial"}


def _question(name: str, title: str, choices: dict[str, str]) -> Any:
    options = [(text, value) for value, text in choices.items()]
    kind = ipywidgets.Dropdown if name in {"department", "altitude"} else ipywidgets.RadioButtons
    return kind(options=options, value=None, description=title, style=_STYLE, layout={"width": "max-content"})
