"""Set what people read for the terminal they read it on: tables that fit, folded lines, colours.

Where stdout is no terminal, nothing is folded, left out or coloured: what is piped is the same
everywhere. Colour is added to the shape and the word of a light, which say the same without it.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

MARKS = {
    "green": "● green",
    "yellow": "▲ yellow",
    "red": "■ red",
    "unknown": "◇ unknown",
}
# The terminal's own palette, so that the colours stand out on dark and on light ground.
COLOURS = {
    MARKS["green"]: "\x1b[32m",
    MARKS["yellow"]: "\x1b[33m",
    MARKS["red"]: "\x1b[31m",
    MARKS["unknown"]: "\x1b[2m",
}
MARK = re.compile("|".join(COLOURS))
PLAIN = "\x1b[0m"
GAP = 2
# Columns are left out before words or numbers are squeezed into less than this.
WORDS, NUMBERS = 18, 12
# A narrower terminal breaks lines itself, at any letter, and no better than we could.
NARROWEST = 40
Line = list[str]
Widths = dict[str, int]


def mark(light: str | None) -> str:
    """Return a light as shape and word, readable without colour."""
    name = light or ""
    return MARKS.get(name, name)


def width() -> int | None:
    """Return how many letters fit into a line of the terminal, None where stdout is none."""
    if not sys.stdout.isatty():
        return None
    return max(shutil.get_terminal_size().columns, NARROWEST)


def has_colours() -> bool:
    """Tell whether to colour: on a terminal that can, unless the variable NO_COLOR is set."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()


def painted(text: str) -> str:
    """Return the text with its lights coloured, where there is colour."""
    if not has_colours():
        return text
    return MARK.sub(lambda light: f"{COLOURS[light[0]]}{light[0]}{PLAIN}", text)


def folded(text: str) -> str:
    """Break the lines that are longer than the terminal's between words, with a hanging indent."""
    limit = width()
    if limit is None:
        return text
    lines = []
    for line in text.split("\n"):
        start = line[: len(line) - len(line.lstrip(" -"))]
        parts = [line]
        if len(line) > limit:
            parts = textwrap.wrap(
                line,
                limit,
                subsequent_indent=" " * len(start),
                break_long_words=False,
                break_on_hyphens=False,
            )
        lines += parts
    return "\n".join(lines)


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    right: Collection[str] = (),
    spare: Sequence[str] = (),
    group: str = "",
) -> str:
    """Set rows under headers, each column as wide as its widest cell.

    Columns named in `right` are aligned right. Where a terminal is too narrow, the columns of
    `spare` are left out, the first ones first, and cells are folded. Rows with the same `group`,
    one of the spare columns, then stand under its name.
    """
    cells = [[_cell_text(cell) for cell in row] for row in rows]
    limit = width()
    columns = dict(zip(headers, zip(*[headers, *cells], strict=True), strict=True))
    widths = {name: max(map(len, column)) for name, column in columns.items()}
    if limit is None or _total(widths) <= limit:
        return "\n".join(_set(list(headers), cells, widths, right))
    comfort = {name: _comfortable(column, name in right) for name, column in columns.items()}
    kept = _kept(comfort, spare, limit)
    widths = _narrowed(columns, {name: widths[name] for name in kept}, comfort, limit)
    places = [list(headers).index(name) for name in kept]
    lines = [[row[place] for place in places] for row in cells]
    texts = list(_set(kept, lines, widths, right))
    missing = [name for name in spare if name not in kept]
    if group in missing:
        titles = [row[list(headers).index(group)] for row in cells]
        texts = list(_grouped(kept, lines, titles, widths, right))
        missing.remove(group)
    if missing:
        texts += ["", f"A wider terminal also shows: {', '.join(missing)}."]
    return "\n".join(texts)


def _total(widths: Widths) -> int:
    return sum(widths.values()) + GAP * (len(widths) - 1)


def _longest_word(column: Sequence[str]) -> int:
    longest = 0
    for cell in column:
        words = [cell] if cell in COLOURS else cell.split()
        longest = max(longest, *map(len, words), 0)
    return longest


def _comfortable(column: Sequence[str], is_number: bool) -> int:
    """Return the width below which a column is hard to read."""
    enough = NUMBERS if is_number else WORDS
    return max(_longest_word(column), min(max(map(len, column)), enough))


def _kept(comfort: Widths, spare: Sequence[str], limit: int) -> list[str]:
    """Return the columns that fit, without as many of the spare ones as it takes."""
    kept = dict(comfort)
    for name in spare:
        if _total(kept) <= limit:
            break
        del kept[name]
    return list(kept)


def _narrowed(
    columns: Mapping[str, Sequence[str]], widths: Widths, comfort: Widths, limit: int
) -> Widths:
    """Take from the widest column, a letter at a time, until all fit, or each has only words."""
    words = {name: _longest_word(columns[name]) for name in widths}
    for least in (comfort, words):
        while _total(widths) > limit:
            wide = [name for name in widths if widths[name] > least[name]]
            if not wide:
                break
            widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def _set(
    headers: Line, rows: Sequence[Line], widths: Widths, right: Collection[str]
) -> Iterator[str]:
    yield from _row(headers, headers, widths, right)
    yield "  ".join("-" * widths[name] for name in headers)
    for row in rows:
        yield from _row(headers, row, widths, right)


def _grouped(
    headers: Line,
    rows: Sequence[Line],
    titles: Sequence[str],
    widths: Widths,
    right: Collection[str],
) -> Iterator[str]:
    yield from _set(headers, [], widths, right)
    earlier = None
    for title, row in zip(titles, rows, strict=True):
        if title != earlier:
            if earlier is not None:
                yield ""
            yield title
        earlier = title
        yield from _row(headers, row, widths, right)


def _row(headers: Line, row: Line, widths: Widths, right: Collection[str]) -> Iterator[str]:
    """Yield the lines of one row: one, unless a cell has more than its column is wide."""
    folds = []
    for name, cell in zip(headers, row, strict=True):
        parts = [cell]
        if len(cell) > widths[name]:
            parts = textwrap.wrap(
                cell, widths[name], break_long_words=False, break_on_hyphens=False
            )
        folds.append(parts)
    for number in range(max(map(len, folds))):
        cells = []
        for name, parts in zip(headers, folds, strict=True):
            part = parts[number] if number < len(parts) else ""
            if name in right:
                cells.append(part.rjust(widths[name]))
            else:
                cells.append(part.ljust(widths[name]))
        yield "  ".join(cells).rstrip()


def _cell_text(cell: Any) -> str:
    if cell is None:
        return ""
    return " ".join(str(cell).split())
