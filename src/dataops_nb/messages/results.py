"""The result of a trial: who understood what, whether the difference is more than luck, and what the test could have seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from dataops_nb.messages.evidence import ALPHA, better, fisher, kappa, power, readers_needed
from dataops_nb.messages.forms import UNSAID, Trial

SHARES = ["readers", "colour", "direction", "action", "understood"]
SURE = 0.95


@dataclass(frozen=True)
class Result:
    """The comparison of the first two variants.

    `shares` has one row a variant; `agreement` one a department and one an altitude, over all trials. `planned` and `reached`
    are the power with the readers that were planned and those that answered (the fewer of both variants), `needed` the readers
    of each variant for 80 %; all for the difference the trial was made for. `p` and `better` are missing without readers of
    both.
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
        """The variant that is understood better, where Fisher's p is at most .05 or P(B > A) lies outside .05 and .95."""
        if self.p is None or self.better is None:
            return None
        first, second = self.shares.index[:2]
        if self.p > ALPHA and 1 - SURE < self.better < SURE:
            return None
        return str(second if self.better > 0.5 else first)

    @property
    def evidence(self) -> str:
        """The figures in one line, for params: `a 12 of 20, b 17 of 20 understood it; P(b > a) .96, Fisher p .155`."""
        if self.p is None or self.better is None:
            return "no answers of both variants yet"
        counts = ", ".join(
            f"{name} {int(row['right'])} of {int(row['readers'])}" for name, row in self.shares.iterrows()
        )
        first, second = self.shares.index[:2]
        return f"{counts} understood it; P({second} > {first}) {_share(self.better)}, Fisher p {_share(self.p, 3)}"


def _share(value: float, digits: int = 2) -> str:
    """A probability without its nought; never printed as none or all of it: `<.001`, `>.99`."""
    least = 10.0**-digits
    if value < least / 2:
        return f"<{least:.{digits}f}".replace("0.", ".", 1)
    if value > 1 - least / 2:
        return f">{1 - least:.{digits}f}".replace("0.", ".", 1)
    return f"{value:.{digits}f}".removeprefix("0")


def result(trial: Trial, every: pd.DataFrame) -> Result:
    """Compare the variants of a trial by the answers to it; `every` are the answers to all trials (`answers`).

    Whether readers see the lights that we see can be told only across trials of several lights, so all of them count there.
    """
    said = every[every["trial"] == trial.id]
    shares = pd.DataFrame([_row(said[said["variant"] == name]) for name in trial.variants], index=list(trial.variants))
    first, second = shares.index[:2]
    counts = [
        (int(shares.loc[name, "right"]), int(shares.loc[name, "readers"] - shares.loc[name, "right"]))
        for name in (first, second)
    ]
    fewest = int(shares.loc[[first, second], "readers"].min())
    low, high = trial.difference
    return Result(
        trial,
        shares,
        agreement(every),
        fisher(*counts) if fewest else None,
        better(*counts) if fewest else None,
        power(low, high, trial.readers) if trial.readers else 0.0,
        power(low, high, fewest) if fewest else 0.0,
        readers_needed(low, high),
    )


def _row(own: pd.DataFrame) -> dict[str, float | int]:
    marks = {name: own[f"{name}_right"].mean() for name in ("colour", "direction", "action")}
    return {"readers": len(own), "right": int(own["understood"].sum()), **marks, "understood": own["understood"].mean()}


def agreement(said: pd.DataFrame) -> pd.DataFrame:
    """`by group readers alike kappa`: how many of the readers' lights are ours, and Cohen's kappa, which takes chance out.

    Kappa is missing while a group was asked about one light only: then chance cannot be told from understanding. `cannot tell`
    is a light of its own.
    """
    rows = [
        (by, str(group), len(own), float((own["ours"] == own["colour"]).mean()), _kappa(own))
        for by in ("department", "altitude")
        for group, own in said.groupby(by, sort=True)
    ]
    return pd.DataFrame(rows, columns=["by", "group", "readers", "alike", "kappa"])


def _kappa(own: pd.DataFrame) -> float:
    if own["ours"].nunique() < 2:
        return math.nan
    return kappa(zip(own["ours"], own["colour"].replace(UNSAID, "none"), strict=True))
