"""Lines of a csv that somebody has touched: the rows that can be read, and what ails the rest.

A file of the history is opened in spreadsheets, synchronised and cut off. A line that is broken
takes no other with it: `read_lines` gives the rows that are sound and says of each other line, by
its number, why it is none. Nothing here writes; whoever adds rows leaves the bytes before them as
they are.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

MARK = b"\xef\xbb\xbf"  # a spreadsheet that saves the file puts it before the first line
MOST_LINES = 1_000  # of one row: a cell may hold line ends, an open quote may not eat the file
Row = list[str]
Check = Callable[[Row], str | None]
Test = Callable[[str], bool]


@dataclass(frozen=True)
class CellCheck:
    """What is wrong with the cells of a row: each column's test, and what a cell is that fails."""

    columns: Sequence[str]
    tests: Mapping[str, tuple[Test, str]]

    def __call__(self, row: Row) -> str | None:
        """Return what is wrong with the first cell that fails its test; None where none does."""
        for name, (is_right, rule) in self.tests.items():
            cell = row[self.columns.index(name)]
            if not is_right(cell):
                return f"has {cell!r} as its {name}, which is {rule}"
        return None


@dataclass(frozen=True)
class Broken:
    """A line that is left out: its number (the header is 1), and what is wrong with it."""

    line: int
    rule: str


@dataclass(frozen=True)
class Lines:
    """The sound rows of a file, each with the cells of its columns, and the broken lines."""

    rows: list[Row]
    broken: tuple[Broken, ...] = ()


def read_lines(content: bytes, columns: Sequence[str], wrong: Check | None = None) -> Lines:
    """Read the rows of a file that should have these columns, in any order.

    `wrong` says what is wrong with the cells of a row, or None. A first line that is no header
    is broken, and the rows below it are taken in the order of `columns`; columns of others are
    left out, and the header is broken for that.
    """
    if not content.strip():
        return Lines([])
    sound = _read_all(content, columns)
    if sound is not None and (wrong is None or not any(map(wrong, sound))):
        return Lines(sound)
    return _read_each(content, columns, wrong)


def _read_all(content: bytes, columns: Sequence[str]) -> list[Row] | None:
    """Return all rows of a file in which every line is sound; None for any other."""
    rows = read_sound(content, columns)
    return rows[1:] if rows and rows[0] == list(columns) else None


def read_sound(content: bytes, columns: Sequence[str]) -> list[Row] | None:
    """Return all rows of some lines, where each is sound and has all cells; None for others."""
    try:
        text = _plain_ends(content).decode("utf-8")
        rows = [row for row in csv.reader(_lines(text), strict=True) if row]
    except (UnicodeDecodeError, csv.Error, ValueError):
        return None
    return rows if all(len(row) == len(columns) for row in rows) else None


def _plain_ends(content: bytes) -> bytes:
    return content.removeprefix(MARK).replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _lines(text: str) -> Iterator[str]:
    return (f"{line}\n" for line in text.removesuffix("\n").split("\n"))


def _read_each(content: bytes, columns: Sequence[str], wrong: Check | None) -> Lines:
    """Read a file line by line; a row may take several where a cell holds line ends."""
    lines = _plain_ends(content).split(b"\n")
    rows: list[Row] = []
    broken: list[Broken] = []
    places = list(range(len(columns)))
    width = len(columns)
    number = 0
    while number < len(lines):
        if not lines[number].strip():
            number += 1
            continue
        cells, taken, rule = _row(lines, number)
        if cells is not None and number == 0:
            rule, places, width = _header(cells, columns)
        elif cells is not None and len(cells) != width:
            rule = f"has {len(cells)} of {width} cells"
            taken = 1
        elif cells is not None:
            row = [cells[place] for place in places]
            rule = wrong(row) if wrong else None
            if rule is None:
                rows.append(row)
        if rule is not None:
            broken.append(Broken(number + 1, rule))
        number += taken
    return Lines(rows, tuple(broken))


def _row(lines: Sequence[bytes], number: int) -> tuple[Row | None, int, str | None]:
    """Return the cells of the row that begins in a line, how many lines it takes, what is wrong.

    The cells are None where something is wrong.
    """
    try:
        text = lines[number].decode("utf-8")
    except UnicodeDecodeError as error:
        return None, 1, f"is no UTF-8: byte 0x{lines[number][error.start]:02x}"
    end = number + 1
    while text.count('"') % 2 and end < min(len(lines), number + MOST_LINES):
        try:
            text = f"{text}\n{lines[end].decode('utf-8')}"
        except UnicodeDecodeError:
            break
        end += 1
    if text.count('"') % 2:
        return None, 1, "has a quote that is never closed"
    try:
        (cells,) = csv.reader(_lines(text), strict=True)
    except (csv.Error, ValueError) as error:
        return None, 1, f"cannot be read: {error}"
    return cells, end - number, None


def _header(cells: Row, columns: Sequence[str]) -> tuple[str | None, list[int], int]:
    """Return what is wrong with a first line, where each column stands, and how many there are."""
    if cells == list(columns):
        return None, list(range(len(columns))), len(columns)
    missing = [name for name in columns if name not in cells]
    if missing:
        rule = f"must have the columns {', '.join(columns)}"
        return rule, list(range(len(columns))), len(columns)
    others = ", ".join(repr(name) for name in cells if name not in columns)
    own = f"has a column of its own, {others}" if others else None
    return own, [cells.index(name) for name in columns], len(cells)


def order_of(content: bytes, columns: Sequence[str]) -> list[int]:
    """Return where each cell of a file's rows stands among `columns`; -1 for a column of others.

    It is that of `columns` where the file has no header that names them all.
    """
    usual = list(range(len(columns)))
    if not content.strip():
        return usual
    cells, _, _ = _row(_plain_ends(content).split(b"\n", 1), 0)
    if cells is None or any(name not in cells for name in columns):
        return usual
    places = {name: place for place, name in enumerate(columns)}
    return [places.get(name, -1) for name in cells]
