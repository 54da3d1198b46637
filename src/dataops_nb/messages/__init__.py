"""Messages: test whether readers understand a pitch, and which of two they understand better.

A reader sees one variant and answers: the light, the direction, what should be done now, and how
sure they are. `form` writes the pages, `record` keeps the answers, `result` compares the variants:
Fisher's exact test, P(B > A), the power of the test, and Cohen's kappa of the readers' lights with
ours by department and level. `choose` writes the winner into the definitions.

All methods are exact, without a normal approximation: Fisher's test is two-sided, over all tables
that are no likelier; P(B > A) is that of two beta-binomials with uniform priors; kappa is Cohen's
(Educational and Psychological Measurement 20, 1960).
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from dataops_nb.definitions import edits
from dataops_nb.errors import UsageError
from dataops_nb.messages.trials import (
    ANSWERS,
    UNSAID,
    Answer,
    Trial,
    answers,
    assign,
    form,
    next_reader,
    parse,
    questions,
    read_trial,
    record,
    write,
)

__all__ = [
    "ANSWERS",
    "Answer",
    "Result",
    "Trial",
    "agreement",
    "answers",
    "assign",
    "better",
    "choose",
    "fisher",
    "form",
    "kappa",
    "next_reader",
    "parse",
    "power",
    "questions",
    "read_trial",
    "readers_needed",
    "record",
    "result",
    "write",
]


SURE = 0.95
ALPHA = 0.05
POWER = 0.8
MOST = 2000  # readers of each message, above which a trial is not worth planning
_TIES = 1 + 1e-9  # tables whose chances differ by less than rounding are as likely


@dataclass(frozen=True)
class Result:
    """The comparison of the first two variants.

    `shares` has one row for each variant; `agreement` one for each department and altitude, over
    all trials. `p` and `better` are missing without readers of both variants.

    For the difference that the trial was made for, `planned` and `reached` are the power with the
    planned readers and with those who answered (the fewer of both variants), and `needed` is the
    number of readers of each variant for 80%.
    """

    trial: Trial
    shares: pd.DataFrame
    agreement: pd.DataFrame
    p: float | None
    better: float | None
    planned: float
    reached: float
    needed: int | None

    @property
    def winner(self) -> str | None:
        """Return the variant that is understood better; None if that is not sure.

        It is sure if Fisher's p is at most .05, or P(B > A) lies outside .05 and .95.
        """
        if self.p is None or self.better is None:
            return None
        first, second = self.shares.index[:2]
        if self.p > ALPHA and 1 - SURE < self.better < SURE:
            return None
        return str(second if self.better > 0.5 else first)

    @property
    def evidence(self) -> str:
        """Return the figures in one line, for params.

        `a 12 of 20, b 17 of 20 understood it; P(b > a) .96, Fisher p .155`
        """
        if self.p is None or self.better is None:
            return "both pitches need answers first"
        counts = []
        for name, row in self.shares.iterrows():
            counts.append(f"{name} {int(row['right'])} of {int(row['readers'])}")
        first, second = self.shares.index[:2]
        return (
            f"{', '.join(counts)} understood it; "
            f"P({second} > {first}) {_probability(self.better)}, "
            f"Fisher p {_probability(self.p, 3)}"
        )


def _probability(value: float, digits: int = 2) -> str:
    """Write a probability without its nought; never as none or all of it: `<.001`, `>.99`."""
    least = 10.0**-digits
    if value < least / 2:
        return f"<{least:.{digits}f}".replace("0.", ".", 1)
    if value > 1 - least / 2:
        return f">{1 - least:.{digits}f}".replace("0.", ".", 1)
    return f"{value:.{digits}f}".removeprefix("0")


def result(trial: Trial, every: pd.DataFrame) -> Result:
    """Compare the variants of a trial; `every` are the answers to all trials (`answers`).

    Agreement on lights shows only across trials of several lights, so all of them count there.
    """
    own = every[every["trial"] == trial.id]
    rows = []
    for variant in trial.variants:
        rows.append(_shares_of(own[own["variant"] == variant]))
    shares = pd.DataFrame(rows, index=list(trial.variants))
    low, high = trial.difference
    first, second = list(trial.variants)[:2]
    fewest = int(shares.loc[[first, second], "readers"].min())
    p = likelihood = None
    reached = 0.0
    if fewest:
        first_counts = _counts(shares, first)
        second_counts = _counts(shares, second)
        p = fisher(first_counts, second_counts)
        likelihood = better(first_counts, second_counts)
        reached = power(low, high, fewest)
    return Result(
        trial=trial,
        shares=shares,
        agreement=agreement(every),
        p=p,
        better=likelihood,
        planned=power(low, high, trial.readers) if trial.readers else 0.0,
        reached=reached,
        needed=readers_needed(low, high),
    )


def _counts(shares: pd.DataFrame, variant: str) -> tuple[int, int]:
    """Return how many readers of a variant were right, and how many were wrong."""
    row: Any = shares.loc[variant]
    right = int(row["right"])
    return right, int(row["readers"]) - right


def _shares_of(answers: pd.DataFrame) -> dict[str, float | int]:
    return {
        "readers": len(answers),
        "right": int(answers["understood"].sum()),
        "colour": answers["colour_right"].mean(),
        "direction": answers["direction_right"].mean(),
        "action": answers["action_right"].mean(),
        "understood": answers["understood"].mean(),
    }


def agreement(answers: pd.DataFrame) -> pd.DataFrame:
    """Return how often readers see our light: `by group readers alike kappa`.

    `by` is department or altitude; kappa takes chance out of the share `alike`. It is missing while
    a group was asked about one light only, because chance then looks like understanding. `cannot
    tell` counts as a light of its own.
    """
    rows = []
    for by in ("department", "altitude"):
        for group, own in answers.groupby(by, sort=True):
            alike = float((own["ours"] == own["colour"]).mean())
            rows.append((by, str(group), len(own), alike, _kappa_of_lights(own)))
    return pd.DataFrame(rows, columns=["by", "group", "readers", "alike", "kappa"])


def _kappa_of_lights(own: pd.DataFrame) -> float:
    if own["ours"].nunique() < 2:
        return math.nan
    seen = own["colour"].replace(UNSAID, "none")
    return kappa(zip(own["ours"], seen, strict=True))


def fisher(a: tuple[int, int], b: tuple[int, int]) -> float:
    """Return the two-sided p of two rows of (right, wrong).

    It is the chance that luck alone divides them as unevenly or more.
    """
    rights = a[0] + b[0]
    fewest = max(0, rights - sum(b))
    return _p_values(sum(a), sum(b), rights)[a[0] - fewest]


@lru_cache(maxsize=4096)
def _p_values(first: int, second: int, rights: int) -> tuple[float, ...]:
    """Return the p of every table with these margins, from the fewest right in the first row on."""
    span = range(max(0, rights - second), min(first, rights) + 1)
    ways = [math.comb(first, k) * math.comb(second, rights - k) for k in span]
    total = sum(ways)
    p_values = []
    for own in ways:
        as_unlikely = [other for other in ways if other <= own * _TIES]
        p_values.append(sum(as_unlikely) / total)
    return tuple(p_values)


def better(a: tuple[int, int], b: tuple[int, int]) -> float:
    """Return P(B > A): the chance that of two rows (right, wrong) the second has more right."""
    # A uniform prior is one right and one wrong answer more.
    right_a, wrong_a = a[0] + 1, a[1] + 1
    right_b, wrong_b = b[0] + 1, b[1] + 1
    terms = []
    for i in range(right_b):
        logarithm = (
            _log_beta(right_a + i, wrong_a + wrong_b)
            - math.log(wrong_b + i)
            - _log_beta(1 + i, wrong_b)
            - _log_beta(right_a, wrong_a)
        )
        terms.append(math.exp(logarithm))
    return min(1.0, math.fsum(terms))


def _log_beta(x: float, y: float) -> float:
    return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)


def power(a: float, b: float, readers: int, alpha: float = ALPHA) -> float:
    """Return the chance that Fisher's test finds the difference between two true shares.

    `readers` read each message.
    """
    first = _binomials(readers, a)
    second = _binomials(readers, b)
    total = 0.0
    for rights in range(2 * readers + 1):
        fewest = max(0, rights - readers)
        p_values = _p_values(readers, readers, rights)
        for right, p in enumerate(p_values, start=fewest):
            if p <= alpha:
                total += first[right] * second[rights - right]
    return min(1.0, total)


def _binomials(n: int, share: float) -> list[float]:
    """Return the chance of 0, 1, ... n right answers."""
    return [math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]


@lru_cache(maxsize=64)
def readers_needed(a: float, b: float, wanted: float = POWER, alpha: float = ALPHA) -> int | None:
    """Return how few readers of each message find a difference so often; None above 2,000."""
    low, high = 1, 2
    while power(a, b, high, alpha) < wanted:
        low, high = high, high * 2
        if high > MOST:
            return None
    readers = low
    while power(a, b, readers, alpha) < wanted:
        readers += 1
    return readers


def kappa(pairs: Iterable[Sequence[str]]) -> float:
    """Return Cohen's kappa of pairs of words: agreement beyond chance.

    NaN without pairs, or where both always say the same word.
    """
    both = list(pairs)
    if not both:
        return math.nan
    first = Counter(pair[0] for pair in both)
    second = Counter(pair[1] for pair in both)
    agreed = sum(one == other for one, other in both) / len(both)
    matches = sum(count * second[word] for word, count in first.items())
    chance = matches / len(both) ** 2
    if chance == 1:
        return math.nan
    return (agreed - chance) / (1 - chance)


def choose(file: Path, metric: str, variant: str, on: dt.date, because: str) -> str:
    """Put `pitch_choice: {use, on, because}` below a metric's pitch, in place of an earlier one.

    Return the line. Raises UsageError if the pitch is not a block of lines, so that a person must
    write it.
    """
    text = file.read_text(encoding="utf-8")
    use = json.dumps(variant)
    reason = json.dumps(because, ensure_ascii=False)
    line = f"pitch_choice: {{use: {use}, on: {on.isoformat()}, because: {reason}}}"
    metrics = edits.mapping_below(edits.root_of(text), "metrics")
    entry = edits.mapping_below(metrics, metric)
    nodes = {}
    if entry is not None:
        for key, value in entry.value:
            nodes[key.value] = (key, value)
    if entry is None or entry.flow_style or "pitch" not in nodes:
        raise UsageError(f"{file.name}: add this line below {metric}'s pitch: {line}")
    lines = text.splitlines(keepends=True)
    if "pitch_choice" in nodes:
        key, value = nodes["pitch_choice"]
        first = key.start_mark.line
        end = edits.line_after(lines, value)
    else:
        key, value = nodes["pitch"]
        first = end = edits.line_after(lines, value)
    # The last line of the file may lack its end.
    if first and not lines[first - 1].endswith("\n"):
        lines[first - 1] += "\n"
    indent = " " * key.start_mark.column
    lines[first:end] = [f"{indent}{line}\n"]
    changed = "".join(lines)
    _require_choice(changed, file, metric, variant)
    file.write_text(changed, encoding="utf-8", newline="")
    return line


def _require_choice(text: str, file: Path, metric: str, variant: str) -> None:
    """Raise UsageError if the changed text does not say what it should."""
    choice = yaml.safe_load(text)["metrics"][metric].get("pitch_choice", {})
    if choice.get("use") != variant:
        raise UsageError(f"{file.name}: couldn't save the choice; add it below {metric}'s pitch")
