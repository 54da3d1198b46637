"""What one cell of a text is, and where cells stand in lines that no sign divides.

A cell is a number, a day, a truth value, an address, or text. Columns at fixed places are parted by
places that are blank in all lines, or by a line of dashes below the header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

NUMBER = "number"
DAY = "day"
BOOLEAN = "boolean"
ADDRESS = "address"
TEXT = "text"
LONGEST_NAME = 300
ANY_DIGIT = str.maketrans("123456789", "000000000")
SIGNS = "$€£¥₹"
NUMERIC = re.compile(
    rf"[-+(]?\s*[{SIGNS}]?\s*[-+(]?\d[\d.,'  ]*([eE][-+]?\d+)?\s*[%{SIGNS}]?\s*\)?-?"
)
MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez)[a-z]*"
DATED = re.compile(
    r"\d{4}[-/]\d{1,2}([-/]\d{1,2}.*)?"
    r"|\d{4}\.\d{1,2}\.\d{1,2}.*"  # 1300.5 is a number
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}.*"
    rf"|\d{{1,2}}[-/. ]{MONTHS}[-/., ]+\d{{2,4}}.*"
    rf"|{MONTHS} \d{{1,2}},? \d{{4}}.*"
    rf"|{MONTHS}[- ']\d{{2,4}}",
    re.IGNORECASE,
)
ADDRESSED = re.compile(r"\S+@\S+\.\S+|https?://\S+", re.IGNORECASE)
LEAST_LINES = 5
HIGHEST_RULER = 20
MOST_COLUMNS = 200
# of the longest line: titles above a table are shorter than its rows
SHORTEST = 0.5
RULER = re.compile(r"\s*[-=]{2,}( +[-=]{2,})+\s*")


# --- what one cell is ----------------------------------------------------------------------------


def kind_of(cell: str) -> str:
    """Return what a cell is that is not empty."""
    return _kind_of(cell.strip().translate(ANY_DIGIT))


@lru_cache(maxsize=1 << 14)
def _kind_of(value: str) -> str:
    """Return what a cell is, by its text with any digits; none of the patterns tells them apart."""
    if NUMERIC.fullmatch(value) and not DATED.fullmatch(value):
        return NUMBER
    if DATED.fullmatch(value):
        return DAY
    if value.casefold() in ("true", "false"):
        return BOOLEAN
    if ADDRESSED.fullmatch(value):
        return ADDRESS
    return TEXT


def looks_like_name(cell: str) -> bool:
    """Return whether a cell may name a column; an empty one may."""
    value = cell.strip()
    return not value or (kind_of(value) == TEXT and len(value) <= LONGEST_NAME)


def amount(cell: str) -> float | None:
    """Return a cell as a number where it is one: `$1,200.50`, `(500.00)`, `1.234,50 €`."""
    value = cell.strip()
    if not NUMERIC.fullmatch(value):
        return None
    negative = value.startswith(("-", "(")) or value.endswith("-")
    digits = re.sub(r"[^\d.,]", "", value)
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma > point and (point >= 0 or re.search(r",\d{1,2}$", digits)):
        digits = digits.replace(".", "").replace(",", ".")
    else:
        digits = digits.replace(",", "")
    try:
        number = float(digits)
    except ValueError:
        return None
    return -number if negative else number


# --- columns at fixed places ---------------------------------------------------------------------


def find_widths(lines: Sequence[str]) -> list[int]:
    """Return how wide the columns are that stand at fixed places; nothing where there are none.

    Columns are parted by places that are blank in all lines of the table, or by a line of dashes.
    The last column goes on to the line's end, so that its width is only the one that was seen.

    >>> find_widths([f"{n:<6}{'x' * (n % 7 + 1):<9}{n:>5}" for n in range(1, 30)])
    [6, 8, 6]
    """
    full = [line.rstrip() for line in lines if line.strip()]
    if any("\t" in line for line in full):
        return []
    longest = max(map(len, full), default=0)
    ruler = find_ruler(full)
    if ruler:
        starts = [place.start() for place in re.finditer(r"[-=]+", ruler)]
        return _between([0, *starts[1:]], longest)
    table = [line.ljust(longest) for line in full if len(line) >= longest * SHORTEST]
    padded = sum("  " in line.strip() for line in table)
    if len(table) < max(LEAST_LINES, len(full) / 2) or padded * 2 < len(table):
        return []
    blank = [True] * longest
    for line in table:
        for place, letter in enumerate(line):
            if letter != " ":
                blank[place] = False
    starts = [0]
    for place in range(1, longest):
        if blank[place - 1] and not blank[place]:
            starts.append(_first_place(table, blank, place))
    if not 2 <= len(starts) <= MOST_COLUMNS or not _is_aligned(table, starts):
        return []
    return _between(starts, longest)


def find_ruler(lines: Sequence[str]) -> str:
    """Return the line of dashes that query tools write below a header; empty without one."""
    return next((line for line in lines[:HIGHEST_RULER] if RULER.fullmatch(line)), "")


def is_cut_well(line: str, widths: Sequence[int]) -> bool:
    """Return whether a line is long, and blank where its columns end, as titles are not."""
    if len(line.rstrip()) < sum(widths) * SHORTEST:
        return False
    end = 0
    for width in widths[:-1]:
        end += width
        if line[end - 1 : end].strip():
            return False
    return True


def _first_place(table: Sequence[str], blank: Sequence[bool], place: int) -> int:
    """Return where a column begins: numbers that end at one place may be longer than those seen."""
    end = place
    while end < len(blank) and not blank[end]:
        end += 1
    if all(line[place] != " " for line in table if line[place:end].strip()):
        return place
    start = place
    while blank[start - 1]:
        start -= 1
    return min(start + 1, place)


def _is_aligned(table: Sequence[str], starts: Sequence[int]) -> bool:
    """Return whether most lines hold something in most columns, as no prose does."""
    ends = [*starts[1:], None]
    filled = 0
    for line in table:
        cells = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        filled += sum(map(bool, cells))
    return filled * 2 > len(table) * len(starts)


def _between(starts: Sequence[int], longest: int) -> list[int]:
    ends = [*starts[1:], longest]
    return [end - start for start, end in zip(starts, ends, strict=True)]
