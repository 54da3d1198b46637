"""Answers: what readers said, checked as it comes back, and kept in `out/history/answers.csv`."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dataops_nb.errors import UsageError, did_you_mean
from dataops_nb.history import Book
from dataops_nb.messages.forms import Trial, assign, questions

COLUMNS = (
    "trial", "metric", "variant", "reader", "department", "altitude", "colour", "direction", "action", "sure", "words",
    "colour_right", "direction_right", "action_right", "understood", "ours", "recorded_at",
)  # fmt: skip
ANSWERS = Book("answers", COLUMNS, ("trial", "reader"))
LONGEST = 2000


@dataclass(frozen=True)
class Answer:
    """What one reader of one variant said."""

    trial: str
    metric: str
    variant: str
    reader: str
    department: str
    altitude: str
    colour: str
    direction: str
    action: str
    sure: str
    words: str = ""


def parse(text: str, file: str, trial: Trial) -> Answer:
    """An answer from the text of a file or mail: the JSON of the form, or `name=value` lines as mail programs write them.

    Raises UsageError that names the file and the field: another trial, a choice that was not offered, something missing, a
    reader who was not invited, or another variant than this reader was given.
    """
    said = _fields(text, file)
    if said.get("trial") != trial.id:
        raise UsageError(
            f"{file}: it answers the trial {said.get('trial') or '(none)'}, and {trial.metric}'s is {trial.id}"
        )
    asked = {name: choices for name, (_, choices) in questions(trial).items()}
    offered: dict[str, Iterable[str]] = {"metric": [trial.metric], "variant": trial.variants, **asked}
    for name, choices in offered.items():
        value = said.get(name, "")
        if value not in choices:
            raise UsageError(f"{file}: {name} is {value!r}, which was not offered{did_you_mean(value, choices)}")
    reader = said.get("reader", "").strip()
    invited = assign(trial)
    if reader not in invited:
        near = did_you_mean(reader, invited)
        raise UsageError(f"{file}: reader is {reader!r}, who was not invited; it is the number on the invitation{near}")
    if said["variant"] != invited[reader]:
        raise UsageError(f"{file}: reader {reader} was given {invited[reader]!r}, and this answers {said['variant']!r}")
    known = {name: said[name] for name in offered}
    return Answer(trial=trial.id, reader=reader, words=" ".join(said.get("words", "").split())[:LONGEST], **known)


def _fields(text: str, file: str) -> dict[str, str]:
    start = text.find("{")
    if start >= 0:
        try:
            said, _ = json.JSONDecoder().raw_decode(text[start:])
        except ValueError as error:
            raise UsageError(f"{file}: the answer cannot be read: {error}") from None
        return {str(name): str(value) for name, value in said.items()}
    return dict(re.findall(r"^(\w+)=(.*?)\r?$", text, re.MULTILINE))


def record(out: Path, trial: Trial, found: Iterable[Answer], now: dt.datetime) -> int:
    """Keep answers with what was right in them; how many were new. A reader answers a trial once: the first answer counts."""
    return ANSWERS.add(
        out, [_scored(trial, each) | {"recorded_at": now.isoformat(timespec="seconds")} for each in found]
    )


def _scored(trial: Trial, said: Answer) -> dict[str, Any]:
    right = {
        "colour_right": said.colour == trial.light,
        "direction_right": trial.way is None or said.direction == trial.way,
        "action_right": said.action == trial.actions.get(trial.light),
    }
    scored: Mapping[str, bool] = right | {"understood": all(right.values())}
    return asdict(said) | {name: "yes" if value else "no" for name, value in scored.items()} | {"ours": trial.light}


def next_reader(out: Path | None, trial: Trial) -> str | None:
    """The first invited reader who has not answered yet; None when everybody has."""
    done = set(ANSWERS.read(out).query("trial == @trial.id")["reader"])
    return next((reader for reader in assign(trial) if reader not in done), None)


def answers(out: Path | None, trial: str | None = None) -> pd.DataFrame:
    """The answers kept so far (of one trial), with `colour_right direction_right action_right understood` as truth values."""
    known = ANSWERS.read(out)
    own = known if trial is None else known[known["trial"] == trial]
    marks = ["colour_right", "direction_right", "action_right", "understood"]
    return own.assign(**{name: own[name] == "yes" for name in marks}).reset_index(drop=True)
