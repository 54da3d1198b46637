"""A guess, with its reason: what was written into the files because the data look like it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Guess:
    """`about` is a source, a column (`orders.day`) or a metric; `said` what was guessed, empty where nothing could be."""

    about: str
    said: str
    why: str
