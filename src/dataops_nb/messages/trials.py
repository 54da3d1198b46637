"""A trial: its readers, its form (a template), and the answers as they come back.

The form is one page for each variant of a pitch, which works without a network: it holds the pitch
and the questions. What is right, and who reads which variant, stays in the private history.

Each reader gets a number and, by chance, a variant that the number does not show. Nobody can
choose: an answer counts only with a number that was given out, about its own variant. Checked
answers are kept in `out/history/answers.csv`.
"""

from __future__ import annotations

import base64
import csv
import datetime as dt
import hashlib
import io
import json
import re
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

import pandas as pd

from dataops_nb import templates
from dataops_nb.errors import PublishError, UsageError, did_you_mean
from dataops_nb.history.books import Book

FOLDER = "dataops_nb.messages"
LIGHTS = {"green": "● Green", "yellow": "▲ Yellow", "red": "■ Red"}
WAYS = {"up": "Up", "level": "No change", "down": "Down"}
UNSAID, WORDS = "cannot tell", "What does it mean for your work?"
SURE = {"1": "guessing", "2": "not sure", "3": "fairly sure", "4": "sure", "5": "certain"}
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read for another one
LENGTH = 6
COLUMNS = (
    "trial",
    "metric",
    "variant",
    "reader",
    "department",
    "altitude",
    "colour",
    "direction",
    "action",
    "sure",
    "words",
    "colour_right",
    "direction_right",
    "action_right",
    "understood",
    "ours",
    "recorded_at",
)
MARKS = ("colour_right", "direction_right", "action_right", "understood")
ANSWERS = Book("answers", COLUMNS, ("trial", "reader"))
LONGEST = 2000
LINE = re.compile(r"^(\w+)=(.*?)\r?$", re.MULTILINE)


class Question(NamedTuple):
    """What a reader is asked, and the choices: the answer that is kept, and its words."""

    title: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class Trial:
    """One comparison: each variant as readers see it, what is right, the choices that are offered.

    `actions` are what was agreed to be done for each colour; `way` is null where the metric has no
    period before. `readers` of each variant are invited; the secret `seed` decides who reads which.
    """

    metric: str
    label: str
    as_of: str
    period: str
    variants: Mapping[str, str]
    light: str
    way: str | None
    actions: Mapping[str, str]
    departments: Mapping[str, str]
    readers: int = 0
    seed: int = 0
    difference: Sequence[float] = field(default=(0.6, 0.8))

    @property
    def id(self) -> str:
        """A name made of what readers see and what is right.

        By it, answers to another text are told apart.
        """
        actions, variants = dict(self.actions), dict(self.variants)
        content = [self.metric, self.as_of, variants, self.light, self.way, actions]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]


def assign(trial: Trial) -> dict[str, str]:
    """Say which variant each invited reader gets, in the order of their numbers.

    Only who has the trial's seed can tell.
    """
    return numbered(trial.id, trial.seed, sorted(trial.variants), trial.readers)


def write(out: Path, trial: Trial, mail: str | None = None) -> tuple[Trial, list[Path]]:
    """Write the pages (`a.html`, …) and the invitations into `out/messages/METRIC`.

    Returns the trial as it is kept, and the paths of what was written. What is right, and who reads
    which, is kept in `out/history/trials`. The same pitches written again are the same trial: who
    was invited stays invited, and more readers are added behind.

    Raises UsageError where fewer than two variants can be shown, and PublishError where nothing
    can be written.
    """
    if len(trial.variants) < 2:
        raise UsageError(
            f"{trial.metric} needs two pitches that pass the check: run dataops-nb check"
        )
    kept = _continued(out, trial)
    folder, private = out / "messages" / trial.metric, _kept(out, trial.metric)
    files = {folder / f"{name}.html": form(kept, name, mail) for name in kept.variants}
    invited = private.with_name(f"{trial.metric}.readers.csv")
    files |= {invited: _invitations(kept), private: json.dumps(asdict(kept), indent=1) + "\n"}
    try:
        for path, text in files.items():
            mode = 0o700 if "history" in path.parts else 0o755
            path.parent.mkdir(mode=mode, parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise PublishError(
            f"can't write the forms to {folder}: {error.strerror or error}"
        ) from error
    return kept, [path for path in files if path != private]


def _continued(out: Path, trial: Trial) -> Trial:
    """Return the trial with the seed and the readers it has had; a new one gets a new seed."""
    try:
        before = read_trial(out, trial.metric)
    except UsageError:
        before = None
    if before is not None and before.id == trial.id:
        return replace(trial, seed=before.seed, readers=max(before.readers, trial.readers))
    return trial if trial.seed else replace(trial, seed=secrets.randbits(48))


def _invitations(trial: Trial) -> str:
    """Write each reader's number with the link to send; the page then knows the number."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(("reader", "variant", "page"))
    for reader, variant in assign(trial).items():
        rows.writerow((reader, variant, f"{variant}.html#{reader}"))
    return table.getvalue()


def read_trial(out: Path, metric: str) -> Trial:
    """Return the trial of a metric whose forms were written last; UsageError without one."""
    try:
        return Trial(**json.loads(_kept(out, metric).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise UsageError(
            f"there is no trial of {metric}; make one with  dataops-nb message form {metric}"
        ) from None


def _kept(out: Path, metric: str) -> Path:
    return out / "history" / "trials" / f"{metric}.json"


def questions(trial: Trial) -> dict[str, Question]:
    """List what every reader is asked, by the name of the answer."""
    unsaid = {UNSAID: "The text doesn't say"}
    actions = {action: action for action in trial.actions.values()}
    roles = {"executive": "an executive", "manager": "a manager", "analyst": "an analyst"}
    return {
        "colour": Question("How is this number doing?", LIGHTS | unsaid),
        "direction": Question("Which way did it go?", WAYS | unsaid),
        "action": Question("What should happen next?", actions | unsaid),
        "sure": Question("How sure are you?", SURE),
        "department": Question("Your department", dict(trial.departments)),
        "altitude": Question("Your role", roles),
    }


def form(trial: Trial, variant: str, mail: str | None = None) -> str:
    """Write the page of one variant: the pitch, then the questions.

    It asks for nothing from anywhere; answers leave as a file, or as a mail to the address `mail`.
    """
    about = {"schema_version": 1, "trial": trial.id, "metric": trial.metric, "variant": variant}
    script = _script(about, mail)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    action = ""
    if mail:
        action = f"mailto:{quote(mail)}?subject={quote('What I understood')}"
    return templates.html(
        FOLDER,
        "form.html.j2",
        script_digest=digest,
        label=trial.label,
        pitch=trial.variants[variant],
        about=about,
        questions=questions(trial),
        words=WORDS,
        action=action,
        script=script,
    )


def _script(about: Mapping[str, Any], mail: str | None) -> str:
    """Return what saves and mails the answer; no text in it can end its element."""
    address = quote(mail) if mail else ""
    values = {"ABOUT": json.dumps(about).replace("<", r"\u003c"), "MAIL": json.dumps(address)}
    source = templates.asset(FOLDER, "form.js")
    return "\n" + re.sub("ABOUT|MAIL", lambda match: values[match[0]], source)


def numbered(name: str, seed: int, variants: Sequence[str], each: int) -> dict[str, str]:
    """Return `{reader: variant}`, `each` readers of each variant, in the order of invitation.

    Blocks hold every variant once or twice: so the variants stay even whenever the trial ends, and
    nobody can foretell the last of a block. The same name and seed give the same readers; with a
    larger `each`, more of them follow.
    """
    rng = Random(f"{name}:{seed}")  # noqa: S311  the seed is the secret
    variant_by_reader: dict[str, str] = {}
    while len(variant_by_reader) < each * len(variants):
        block = list(variants) * rng.choice((1, 2))
        rng.shuffle(block)
        for variant in block:
            reader = _new_number(rng, variant_by_reader)
            variant_by_reader[reader] = variant
    return _first_of_each(variant_by_reader, variants, each)


def _new_number(rng: Random, taken: Collection[str]) -> str:
    while True:
        number = "".join(rng.choices(LETTERS, k=LENGTH))
        if number not in taken:
            return number


def _first_of_each(
    variant_by_reader: Mapping[str, str], variants: Sequence[str], each: int
) -> dict[str, str]:
    """Return the first `each` readers of each variant; the last block may have more than needed."""
    left = dict.fromkeys(variants, each)
    kept = {}
    for reader, variant in variant_by_reader.items():
        if left[variant]:
            left[variant] -= 1
            kept[reader] = variant
    return kept


@dataclass(frozen=True)
class Answer:
    """The answer of one reader about one variant."""

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
    """Read an answer from a file or mail: the form's JSON, or `name=value` lines of a mail program.

    Raises UsageError with the file and the field: another trial, a choice that was not offered,
    a missing field, a reader who was not invited, or a variant that this reader was not given.
    """
    fields = _read_fields(text, file)
    trial_id = fields.get("trial")
    if trial_id != trial.id:
        raise UsageError(
            f"{file}: belongs to trial {trial_id or '(none)'}; {trial.metric}'s trial is {trial.id}"
        )
    offered: dict[str, Iterable[str]] = {"metric": [trial.metric], "variant": trial.variants}
    offered |= {name: choices for name, (_, choices) in questions(trial).items()}
    chosen = {}
    for name, choices in offered.items():
        value = fields.get(name, "")
        if value not in choices:
            hint = did_you_mean(value, choices)
            raise UsageError(f"{file}: {name} {value!r} is not one of the choices{hint}")
        chosen[name] = value
    reader = fields.get("reader", "").strip()
    _require_invited(trial, reader, chosen["variant"], file)
    words = " ".join(fields.get("words", "").split())
    return Answer(trial=trial.id, reader=reader, words=words[:LONGEST], **chosen)


def _require_invited(trial: Trial, reader: str, variant: str, file: str) -> None:
    invited = assign(trial)
    if reader not in invited:
        hint = did_you_mean(reader, invited)
        raise UsageError(
            f"{file}: reader {reader!r} was not invited; check the number on the invitation{hint}"
        )
    if variant != invited[reader]:
        raise UsageError(
            f"{file}: reader {reader} was sent pitch {invited[reader]!r}, not {variant!r}"
        )


def _read_fields(text: str, file: str) -> dict[str, str]:
    start = text.find("{")
    if start < 0:
        return dict(LINE.findall(text))
    try:
        document, _ = json.JSONDecoder().raw_decode(text[start:])
    except ValueError as error:
        raise UsageError(f"{file}: can't read the answer: {error}") from None
    return {str(name): str(value) for name, value in document.items()}


def record(out: Path, trial: Trial, answered: Iterable[Answer], now: dt.datetime) -> int:
    """Keep answers with their marks, and return how many are new.

    A reader answers a trial once: the first answer counts.
    """
    rows = []
    for answer in answered:
        row = _marked_row(trial, answer)
        row["recorded_at"] = now.isoformat(timespec="seconds")
        rows.append(row)
    return ANSWERS.add(out, rows)


def _marked_row(trial: Trial, answer: Answer) -> dict[str, Any]:
    """Return an answer as a row, with what in it is right as `yes` or `no`."""
    marks = {
        "colour_right": answer.colour == trial.light,
        "direction_right": trial.way is None or answer.direction == trial.way,
        "action_right": answer.action == trial.actions.get(trial.light),
    }
    marks["understood"] = all(marks.values())
    row = asdict(answer)
    for name, right in marks.items():
        row[name] = "yes" if right else "no"
    row["ours"] = trial.light
    return row


def next_reader(out: Path | None, trial: Trial) -> str | None:
    """Return the first invited reader without an answer; None when all have answered."""
    answered = set(ANSWERS.read(out).query("trial == @trial.id")["reader"])
    for reader in assign(trial):
        if reader not in answered:
            return reader
    return None


def answers(out: Path | None, trial: str | None = None) -> pd.DataFrame:
    """Return the kept answers, of one trial if given.

    `colour_right direction_right action_right understood` are truth values.
    """
    rows = ANSWERS.read(out)
    if trial is not None:
        rows = rows[rows["trial"] == trial]
    marks = {name: rows[name] == "yes" for name in MARKS}
    return rows.assign(**marks).reset_index(drop=True)
