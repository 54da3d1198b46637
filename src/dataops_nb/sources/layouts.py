"""Which lines of a text file or sheet are rows: those between its header and its footer.

Exports begin with lines about themselves, end with others, or have no header at all. What is
declared about that is a `Layout`. A text file with one is read from a private extract, of which the
first line is a header and all others are rows, so that everything after it knows one kind of file;
the lines that faults name are still those of the file.

A first line that nobody has declared to be the header, and that reads like the rows below it, is
refused: it would be lost.
"""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from dataops_nb.alignment.queries import family
from dataops_nb.definitions.models import Source
from dataops_nb.sources.evidence import first_row, quote, text
from dataops_nb.sources.files import BOM
from dataops_nb.sources.intake import Intake, describe_table
from dataops_nb.sources.kinds import Shapes
from dataops_nb.sources.needs import Need
from dataops_nb.sources.types import type_columns

BLOCK = 1 << 20
MEASURED = ("integer", "decimal", "date", "timestamp")
NAME_COLUMNS = (
    "the first line must name the columns; declare `header: none` and `names:` if no line does,"
    " or `header: 1` if it is right"
)


@dataclass(frozen=True)
class Layout:
    """Where the rows of a file stand.

    `header` is the line that names the columns, None where no line does. `names` take the place of
    its names, `footer` counts the lines at the end that are no rows. `declared` is whether somebody
    said where the header is.
    """

    header: int | None = 1
    names: tuple[str, ...] = ()
    footer: int = 0
    declared: bool = False

    @property
    def is_usual(self) -> bool:
        """Whether the first line is the header and all others are rows."""
        return self.header == 1 and not self.names and not self.footer

    @property
    def keeps_header(self) -> bool:
        """Whether the columns have the names that stand in the file."""
        return self.header is not None and not self.names

    @property
    def first(self) -> int:
        """The first line that is read: the header, or the first row where there is none."""
        return self.header or 1

    def name_columns(self, width: int) -> tuple[list[str], str]:
        """Return the names of so many columns in the place of a header, and what is wrong."""
        if not self.names:
            return [f"column_{place}" for place in range(1, width + 1)], ""
        if len(self.names) == width:
            return list(self.names), ""
        held = "1 column" if width == 1 else f"{width} columns"
        return list(self.names), f"names: lists {len(self.names)}, but there are {held}"

    def say_short(self, lines: int) -> str:
        """Say that a file ends before its header does, or before its footer begins."""
        if self.footer:
            return f"has fewer than {self.footer} lines below its header, which footer: leaves out"
        held = "1 line" if lines == 1 else f"{lines} lines"
        return f"has {held}, so that none is line {self.first}, which header: declares"


def layout_of(source: Source) -> Layout:
    """Return what a source declares about the lines of its files."""
    header = 1 if source.header is None else source.header
    return Layout(
        header=None if header == "none" else header,
        names=tuple(source.names or ()),
        footer=source.footer,
        declared=source.header is not None,
    )


# --- columns at fixed places ---------------------------------------------------------------------


@contextmanager
def cut_columns(path: Path, widths: Sequence[int], scratch: Path) -> Iterator[Path]:
    """Give a private csv of a file whose columns are so many letters wide, deleted afterwards.

    Each line stays a line. Without widths the file itself is given.
    """
    if not widths:
        yield path
        return
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        copy = Path(folder) / f"cut{path.suffix}"
        with (
            path.open(encoding="utf-8-sig") as lines,
            copy.open("w", encoding="utf-8", newline="") as target,
        ):
            writer = csv.writer(target, lineterminator="\n")
            for line in lines:
                cells = cut_line(line.rstrip("\r\n"), widths)
                writer.writerow(cells if any(cells) else [])
        yield copy


def cut_line(line: str, widths: Sequence[int]) -> list[str]:
    """Return the cells of a line, without the blanks around them.

    >>> cut_line("o-001 Lamp        12", [6, 10, 4])
    ['o-001', 'Lamp', '12']
    """
    cells = []
    start = 0
    for width in widths[:-1]:
        cells.append(line[start : start + width].strip())
        start += width
    return [*cells, line[start:].strip()]


# --- text files ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Extract:
    """The rows of a text file below one header, in a file of UTF-8 at `path`.

    `skipped` lines of the file stand before what is read of it, which begins with its header where
    `has_header`. `shift` is what to add to a line of the extract for that of the file. `replaced`
    are the cells of a header whose names others took. `rule` says why there is no extract.
    """

    path: Path
    skipped: int = 0
    has_header: bool = True
    shift: int = 0
    replaced: tuple[str, ...] = ()
    rule: str = ""


@contextmanager
def extract_rows(path: Path, layout: Layout, delimiter: str, scratch: Path) -> Iterator[Extract]:
    """Give the file itself where its layout is the usual one, else a private extract.

    The extract is deleted afterwards.
    """
    if layout.is_usual:
        yield Extract(path)
        return
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        yield _extract(path, layout, delimiter, Path(folder) / f"rows{path.suffix}")


def _extract(path: Path, layout: Layout, delimiter: str, copy: Path) -> Extract:
    """Write the rows of a file below one header into `copy`."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        before = [handle.readline() for _ in range(layout.first - 1)]
        record = _read_record(handle, delimiter, pass_blank=layout.header is None)
    lines_before = sum(1 for line in before if line)
    if not record.lines:
        return Extract(path, rule=layout.say_short(lines_before))
    start = _size(before) + (len(BOM) if _starts_with_mark(path) else 0)
    body = start if layout.header is None else start + _size(record.lines)
    stop = _find_footer(path, body, layout.footer)
    if stop is None:
        return Extract(path, rule=layout.say_short(lines_before))
    if layout.keeps_header:
        _copy(path, copy, "", start, stop)
        return Extract(copy, skipped=lines_before, shift=lines_before)
    names, rule = layout.name_columns(len(record.cells))
    if rule:
        return Extract(path, rule=rule)
    own = io.StringIO()
    csv.writer(own, delimiter=delimiter, lineterminator="\n").writerow(names)
    _copy(path, copy, own.getvalue(), body, stop)
    skipped = lines_before
    replaced: tuple[str, ...] = ()
    if layout.header is not None:
        skipped += len(record.lines)
        replaced = tuple(record.cells)
    shift = skipped - own.getvalue().count("\n")
    return Extract(copy, skipped, has_header=False, shift=shift, replaced=replaced)


@dataclass(frozen=True)
class _Record:
    """The cells of one record of a text file, and its lines."""

    cells: list[str]
    lines: list[str]


def _read_record(handle: IO[str], delimiter: str, *, pass_blank: bool) -> _Record:
    """Read one record, which a line end in quotes makes longer than a line.

    Blank lines before it are passed over where they are no header.
    """
    lines: list[str] = []

    def keep() -> Iterator[str]:
        for line in handle:
            lines.append(line)
            yield line

    records = csv.reader(keep(), delimiter=delimiter)
    cells = next(records, [])
    while pass_blank and not cells and lines and not lines[-1].strip():
        count = len(lines)
        cells = next(records, [])
        if len(lines) == count:
            break  # the file ends
    return _Record(cells, lines)


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) for line in lines)


def _starts_with_mark(path: Path) -> bool:
    with path.open("rb") as handle:
        return handle.read(len(BOM)) == BOM


def _find_footer(path: Path, start: int, count: int) -> int | None:
    """Return the byte where the last lines that are not blank begin: the end of the rows.

    None where there are fewer after `start`. Only the end of the file is read.
    """
    size = path.stat().st_size
    length = BLOCK
    while count:
        begin = max(start, size - length)
        with path.open("rb") as handle:
            handle.seek(begin)
            lines = handle.read().splitlines(keepends=True)
        # the first line may have begun before the block
        lines = lines if begin == start else lines[1:]
        footer = _last_lines(lines, count)
        if footer or begin == start:
            return size - sum(len(line) for line in footer) if footer else None
        length *= 2
    return size


def _last_lines(lines: list[bytes], count: int) -> list[bytes]:
    """Return the end of `lines` that holds so many lines which are not blank; else nothing."""
    left = count
    for place in range(len(lines) - 1, -1, -1):
        if lines[place].strip():
            left -= 1
        if not left:
            return lines[place:]
    return []


def _copy(path: Path, copy: Path, header: str, start: int, stop: int) -> None:
    """Write a header, and the bytes from `start` to before `stop`."""
    with path.open("rb") as rows, copy.open("wb") as target:
        target.write(header.encode())
        rows.seek(start)
        left = stop - start
        while left > 0:
            block = rows.read(min(BLOCK, left))
            target.write(block)
            left -= len(block)


# --- a first line that is no header --------------------------------------------------------------


def reads_like_a_row(
    intake: Intake, table: str, columns: Sequence[str], first: Sequence[str | None]
) -> bool:
    """Whether the first line of a file reads like the rows below it, which stand in `table`.

    Each of its cells parses as the type of the column below it, and one of them is a day or a
    number. `columns` are those of the table, in the order of the cells.
    """
    source, con = intake.source, intake.con
    shapes = Shapes(
        source.decimal, source.date_format, thousands=source.thousands, year_from=source.year_from
    )
    cells = [_literal(cell) for cell in first]
    every = f"select unnest([{', '.join(cells)}]::varchar[]) as v"
    row = first_row(con, f"select bool_or({_is_measured(shapes, 'v')}) from ({every})") or ()
    if not any(row):
        return False  # which is nearly always so, and spares a look at the rows
    raw = describe_table(
        table, dict.fromkeys(columns, "VARCHAR"), [], dict.fromkeys(columns, "all")
    )
    raw = replace(raw, rows=intake.count(table))
    if not raw.rows:
        return False
    decisions = type_columns(con, intake.name, source, raw, Need()).columns
    named = [f"{cell} as {quote(column)}" for cell, column in zip(cells, columns, strict=True)]
    parsed = [f"({decisions[column].expr}) is not null" for column in columns]
    fits = first_row(con, f"select {', '.join(parsed)} from (select {', '.join(named)})") or ()
    proven = False
    for column, cell, fit in zip(columns, first, fits, strict=True):
        if not fit and cell is not None:
            return False
        if fit and family(decisions[column].type) in MEASURED:
            proven = True
    return proven


def _literal(cell: str | None) -> str:
    return "null" if cell is None else text(cell)


def _is_measured(shapes: Shapes, cell: str) -> str:
    """Return SQL that holds for a cell that is a number, a day or a stamp."""
    kinds = [shapes.number(cell), shapes.stamp(cell), shapes.instant(cell), shapes.formatted(cell)]
    return " or ".join(f"({kind}) is not null" for kind in kinds)
