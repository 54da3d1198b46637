"""Read the text of a file, of a long one its ends, and see quickly whether all between are rows."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# A larger file is judged by its first and its last bytes.
MOST_BYTES = 1 << 22
TAIL_BYTES = 1 << 16
BLOCK = 1 << 20
TOTAL_WORDS = ("tot", "sum", "gesamt", "somme", "i alt", "razem")
TOTAL_BEGINNINGS = ("tot", "gra", "sub", "ove", "sum", "ges", "zwi", "som", "i a", "raz")
LETTERS = 3  # of a total's words that are looked at
LOOKED_AHEAD = 8  # signs from a cell's beginning on: quotes and blanks before its letters
FIRST_UNKNOWN = 0x80
PART = 1 << 17
SYLLABLES = re.compile("[\u3041-\u30fa]")  # hiragana and katakana


def find_encoding(path: Path) -> str | None:
    """Return the encoding of a text file; None for UTF-8."""
    with path.open("rb") as file:
        head = file.read(BLOCK)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    open_letter = False  # whether a letter of several bytes may begin one block and end in the next
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                if open_letter or not block.isascii():
                    decoder.decode(block)
                    open_letter = bool(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp932" if _is_japanese(head) else "cp1252"
    return None


def _is_japanese(head: bytes) -> bool:
    """Return whether bytes are no text of western Europe but Shift JIS, with Japanese syllables.

    Without them, Polish or Czech bytes that are not in cp1252 would pass for Chinese characters.
    """
    try:
        codecs.getincrementaldecoder("cp1252")().decode(head)
    except UnicodeDecodeError:
        try:
            text = codecs.getincrementaldecoder("cp932")().decode(head)
        except UnicodeDecodeError:
            return False
        return SYLLABLES.search(text) is not None
    return False


def read_text(path: Path, encoding: str | None) -> str:
    """Return a file's text; of a large one only its beginning and its end."""
    size = path.stat().st_size
    content = bytearray(min(size, MOST_BYTES + 1 + TAIL_BYTES))  # a copy costs as much as a reading
    with path.open("rb") as file:
        end = file.readinto(memoryview(content)[:MOST_BYTES])
        if size > MOST_BYTES:
            end = content.rfind(b"\n", 0, end) + 1
            file.seek(size - TAIL_BYTES)
            _, _, tail = file.read().partition(b"\n")
            content[end : end + len(tail)] = tail
            end += len(tail)
    text = str(memoryview(content)[:end], encoding or "utf-8-sig", errors="replace")
    return text.removeprefix("\ufeff")


def first_lines(text: str, most: int) -> list[str]:
    """Return the first lines of a text, without looking at those of the rest."""
    end = 0
    for _ in range(most):
        end = text.find("\n", end) + 1
        if not end:
            return text.splitlines()[:most]
    return text[:end].splitlines()[:most]


def holds_other_lines(text: str, delimiter: str, start: int, end: int) -> bool:
    """Return whether lines of a part of a text, which ends in a line end, may be no rows.

    Such are totals, lines of one cell, and what an open quote holds.
    """
    if text.count('"', start, end) % 2:
        return True
    if not _may_be_no_row(text, delimiter, start, end):
        return False
    part = text[start:end]
    lowered = part.lower()
    if any(word in lowered for word in TOTAL_WORDS):
        sign = re.escape(delimiter)
        total = rf'^(?:[^{sign}\n]*{sign})?["\s]*(?:{"|".join(TOTAL_BEGINNINGS)})'
        if re.search(total, lowered, re.MULTILINE):
            return True
    return any(delimiter not in line and line.strip() for line in part.split("\n"))


def _may_be_no_row(text: str, delimiter: str, start: int, end: int) -> bool:
    """Return whether a line may hold one cell only, or begin as a total does.

    A quick look at bytes, for long texts: what it leaves open is answered with yes.
    """
    if not delimiter.isascii():
        return True
    while start < end:  # by parts that fit into a processor's cache
        first, start = start, text.find("\n", start + PART, end) + 1 or end
        if _part_may_be_no_row(text[first:start], delimiter):
            return True
    return False


def _part_may_be_no_row(text: str, delimiter: str) -> bool:
    content = np.frombuffer(text.encode() + bytes(LOOKED_AHEAD), np.uint8)
    ends = np.flatnonzero(content == ord("\n"))
    cuts = np.flatnonzero(content == ord(delimiter))
    starts = np.append(0, ends[:-1] + 1)
    first_cuts = _first_cuts(cuts, starts, ends)
    if first_cuts is None:
        return True  # a line without a delimiter
    places = np.concatenate([starts, first_cuts + 1])
    for _ in range(LOOKED_AHEAD - LETTERS):
        letters = content[places]
        passed = (letters == ord('"')) | (letters == ord(" ")) | (letters == ord("\t"))
        if not passed.any():
            break
        places = places + passed
    else:
        return True
    if bool((letters >= FIRST_UNKNOWN).any()):
        return True  # a letter of another alphabet, or a blank of another kind
    folded = [content[places + step].astype(np.uint32) | 32 for step in range(LETTERS)]
    codes = (folded[0] << 16) | (folded[1] << 8) | folded[2]
    wanted = [int.from_bytes(beginning.encode(), "big") for beginning in TOTAL_BEGINNINGS]
    return bool(np.isin(codes, wanted).any())


def _first_cuts(
    cuts: NDArray[np.intp], starts: NDArray[np.intp], ends: NDArray[np.intp]
) -> NDArray[np.intp] | None:
    """Return the place of each line's first delimiter; None where a line has none."""
    a_line, more = divmod(len(cuts), max(1, len(starts)))
    if a_line and not more:  # most often, each line has as many as any other
        by_line = cuts.reshape(-1, a_line)
        if bool((by_line[:, 0] >= starts).all() and (by_line[:, -1] < ends).all()):
            return by_line[:, 0]
    first = np.searchsorted(cuts, starts)
    if not len(cuts) or first[-1] == len(cuts) or bool((cuts[first] > ends).any()):
        return None
    return cuts[first]
