"""Lights that deceive: red inside green, green that falls, red that means nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from dataops_nb import links
from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Better, Grain
from dataops_nb.findings.declines import Decline, decline
from dataops_nb.status import capability

JUDGED = ("green", "yellow", "red")


def inputs_of(definitions: Definitions, star: str, grain: Grain) -> list[str]:
    """The inputs a North Star is told to depend on: parts of its formula, and what is declared to move it.

    Every input of the company where nothing is told.
    """
    pairs = [pair for pair in links.find_pairs(definitions, grain) if pair.target == star]
    told = [pair.input for pair in pairs if pair.is_part or pair.declared]
    return told or [pair.input for pair in pairs]


def watermelon(star: str, inputs: Sequence[str], lights: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """A red North Star none of whose judged inputs is red, and more than half of them green."""
    judged = {name: lights[name] for name in inputs if lights.get(name) in JUDGED}
    green = [name for name, light in judged.items() if light == "green"]
    if judged and "red" not in judged.values() and 2 * len(green) > len(judged):
        yield {
            "kind": "watermelon", "metric": star, "why": "red, while its inputs are green", "inputs": ", ".join(green),
            "green": len(green), "judged": len(judged),
        }  # fmt: skip


def noisy(row: Mapping[str, Any], better: Better) -> Iterator[dict[str, Any]]:
    """A red value inside its usual range, of a process that reaches its target at other times."""
    if row["variation"] != capability.COMMON:
        return
    sure = capability.assurance(
        row["lower"], row["upper"], better, target=row["target"], low=row["target_low"], high=row["target_high"]
    )
    if sure == "inconsistent":
        yield {"kind": "red by noise", "metric": row["metric"], "why": "red, and within its usual range"}


def declining(row: Mapping[str, Any], past: pd.DataFrame, better: Better, grain: Grain) -> Iterator[dict[str, Any]]:
    """A green value that is a signal for the worse, or the last of a stretch that gets worse for real."""
    whole = past[past["complete"].astype(bool) & (past["period_end"] <= row["period_end"])].reset_index(drop=True)
    falls = None if better == "inside" else decline(whole["value"], grain, better)
    if falls is None and row["variation"] != capability.CONCERN:
        return
    since = whole["period_start"].iloc[-falls.periods] if falls else _since(whole)
    yield {
        "kind": "green decline", "metric": row["metric"], "why": "green, and getting worse for real",
        "signal": row["signal"], "since": since, **(_how(falls, row) if falls else {}),
    }  # fmt: skip


def _since(whole: pd.DataFrame) -> pd.Timestamp:
    """The first of the successive signals that the last value ends."""
    quiet = whole.index[whole["signal"].isna()]
    first = int(quiet[-1]) + 1 if len(quiet) else 0
    return pd.Timestamp(whole["period_start"].iloc[min(first, len(whole) - 1)])


def _how(falls: Decline, row: Mapping[str, Any]) -> dict[str, Any]:
    room = abs(row["value"] - row["target"])
    return {
        "slope": falls.slope,
        "change": falls.share,
        "left": math.floor(room / abs(falls.slope)) + 1 if falls.slope and math.isfinite(room) else None,
    }
