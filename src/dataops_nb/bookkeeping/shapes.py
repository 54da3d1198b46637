"""The columns of the values and lights that were published, and what a cell of them must be."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from dataops_nb.bookkeeping import files
from dataops_nb.bookkeeping.lines import Broken, CellCheck, read_lines

# A value, what is said of it, and by what.
KEY = ["metric", "segment", "grain", "period", "as_of"]
SAID = ["value", "complete", "n", "definition"]
COLUMNS = [*KEY, *SAID, "report", "run", "published_at"]
# The same of a light.
PLACE = ("metric", "grain", "period", "as_of")
LIGHT_SAID = ("light", "reason", "on_pace", "attainment", "landing", "p_hit")
NUMBERS = ("attainment", "landing", "p_hit")
OF_LIGHTS = (*PLACE, *LIGHT_SAID, "report", "run")


def is_number(cell: str) -> bool:
    """Tell whether a cell holds a finite number, or nothing."""
    try:
        return cell == "" or math.isfinite(float(cell))
    except ValueError:
        return False


@cache
def is_day(cell: str) -> bool:
    """Tell whether a cell holds a day like 2026-11-22."""
    try:
        return dt.date.fromisoformat(cell).isoformat() == cell
    except ValueError:
        return False


def _cells_of_a_day(columns: Sequence[str], numbers: Iterable[str]) -> CellCheck:
    """Return what says what is wrong with a row that has an as-of and these numbers."""
    tests = dict.fromkeys(numbers, (is_number, "no number"))
    return CellCheck(columns, {"as_of": (is_day, "no day"), **tests})


VALUES = _cells_of_a_day(COLUMNS, ["value", "n"])
LIGHTS = _cells_of_a_day(OF_LIGHTS, NUMBERS)
CHECKED = {"values": VALUES, "lights": LIGHTS}


def sizes(out: Path) -> int:
    """Return how many bytes the values and lights of an output folder have."""
    return sum(files.edition(out, name).size for name in CHECKED)


def broken_lines(out: Path) -> list[str]:
    """Return what is wrong with lines of the values and lights, one text a line.

    It reads the files whole. Raises PublishError where one cannot be read.
    """
    texts = []
    for name, check in CHECKED.items():
        read = read_lines(files.read(out, name), check.columns, check)
        texts += [as_text(name, line) for line in read.broken]
    return texts


def as_text(name: str, line: Broken) -> str:
    """Return a broken line as people are told of it: file, line and what is wrong."""
    return f"{files.shown(name)}:{line.line} {line.rule}"
