"""Remember what the reports of a workbench published, what readers answered, and its what-ifs.

Imported when it is needed: it brings pandas, and `workbench` must not.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from dataops_nb import history, messages
from dataops_nb.errors import UsageError
from dataops_nb.messages.trials import WORDS
from dataops_nb.workbench.whatifs import Kept

if TYPE_CHECKING:
    from dataops_nb.workbench import Workbench


class Answered(history.Folder):
    """The memory of an output folder, with the answers of readers of pitches."""

    def communications(self, metrics: Iterable[str], as_of: dt.date) -> pd.DataFrame:
        """Return when each metric was published, sent and answered; see `history`."""
        return history.communications(self.out, metrics, messages.answers(self.out), as_of)

    def trial(self, metric: str) -> KeptTrial | None:
        """Return the last trial of a metric's pitches; None where there was none."""
        try:
            return KeptTrial(self.out, messages.read_trial(self.out, metric))
        except UsageError:
            return None

    def agreement(self) -> pd.DataFrame:
        """Return how many of the readers' lights are ours; see `messages.agreement`."""
        return messages.agreement(messages.answers(self.out))


class Remembered(Answered):
    """The memory of a workbench: that of its output folder, and its what-ifs."""

    def __init__(self, wb: Workbench) -> None:
        super().__init__(wb.out)
        self._wb = wb

    @property
    def whatifs(self) -> Kept:
        """The what-ifs in params/whatif/."""
        return Kept(self._wb)


class KeptTrial:
    """A trial as it is kept in an output folder, with the answers to it."""

    def __init__(self, out: Path, trial: messages.Trial) -> None:
        self._out, self._trial = out, trial
        self.metric = trial.metric
        self.questions = messages.questions(trial)
        self.free_question = WORDS

    @cached_property
    def _result(self) -> messages.Result:
        return messages.result(self._trial, messages.answers(self._out))

    @property
    def evidence(self) -> str:
        """The result in one line."""
        return self._result.evidence

    @property
    def shares(self) -> pd.DataFrame:
        """What readers understood, one row a pitch; see `messages.result`."""
        return self._result.shares

    @property
    def counts(self) -> list[tuple[str, int, int]]:
        """Each pitch, how many readers were invited to it, and how many have answered."""
        invited = list(messages.assign(self._trial).values())
        answered = messages.answers(self._out, self._trial.id)["variant"]
        counts: list[tuple[str, int, int]] = []
        for name in self._trial.variants:
            counts.append((name, invited.count(name), int((answered == name).sum())))
        return counts

    def next_reader(self) -> str | None:
        """Return the first invited reader without an answer; None when everybody has answered."""
        return messages.next_reader(self._out, self._trial)

    def pitch(self, reader: str) -> str:
        """Return the pitch that this reader is given."""
        return self._trial.variants[messages.assign(self._trial)[reader]]

    def record(self, reader: str, given: Mapping[str, str]) -> None:
        """Keep a reader's answer. Raises UsageError where it does not fit the questions."""
        about = {"trial": self._trial.id, "metric": self._trial.metric, "reader": reader}
        variant = messages.assign(self._trial).get(reader, "")
        text = json.dumps({**about, **given, "variant": variant})
        answer = messages.parse(text, "this answer", self._trial)
        messages.record(self._out, self._trial, [answer], dt.datetime.now(dt.UTC))
