"""Merged cells of a worksheet: only the first of them holds the value, and the others read as empty."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

BLOCK = 1 << 20
LONGEST = 64
MERGED = re.compile(rb'<mergeCell ref="([A-Z]{1,3})([0-9]+):([A-Z]{1,3})([0-9]+)"')


def find_merged(path: Path, sheet: str, width: int) -> Iterator[tuple[int, int, str]]:
    """Row, column (0-based) and range of every merge below the header that reaches into the first `width` columns.

    `sheet` is the worksheet's name within the workbook's package.
    """
    with zipfile.ZipFile(path) as package, package.open(sheet) as handle:
        for left, top, right, bottom in _scan(handle):
            if bottom > 1 and left < width:
                yield top, left, f"{_letters(left)}{top}:{_letters(right)}{bottom}"


def _scan(handle: IO[bytes]) -> Iterator[tuple[int, int, int, int]]:
    kept = b""
    while block := handle.read(BLOCK):
        text, done = kept + block, 0
        for hit in MERGED.finditer(text):
            yield _number(hit[1]), int(hit[2]), _number(hit[3]), int(hit[4])
            done = hit.end()
        kept = text[max(done, len(text) - LONGEST) :]


def _number(letters: bytes) -> int:
    """The 0-based number of a column: A is 0, AA is 26."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _letters(number: int) -> str:
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
