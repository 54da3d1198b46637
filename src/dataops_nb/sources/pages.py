"""One sheet of a workbook as a table, whichever reader its cells come from.

Cells become texts in one written form (2026-11-22, 12.5, true), so that they follow the same type
rules as a csv. The table is the sheet as it is laid out, or an area of it: an Excel table or a
named range.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dataops_nb.errors import Fault, did_you_mean
from dataops_nb.sources.cells import write_cell
from dataops_nb.sources.evidence import cap_faults
from dataops_nb.sources.files import File
from dataops_nb.sources.intake import Intake, Sheet, load_texts
from dataops_nb.sources.layouts import NAME_COLUMNS, Layout, layout_of, reads_like_a_row

ERRORS = {"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#SPILL!", "#CALC!"}
VISIBLE = "visible"

Row = tuple[int, tuple[Any, ...]]


@dataclass(frozen=True)
class Area:
    """A table or a named range: `name` in `sheet`, from row `top` to `bottom`, which both count.

    `left` and `right` are its columns, 0 is the first. A table may have no header; `is_table` is
    whether it is one.
    """

    name: str
    sheet: str
    top: int
    bottom: int
    left: int
    right: int
    has_header: bool = True
    is_table: bool = False

    def cut(self, rows: Iterable[Row]) -> list[Row]:
        """Return its own cells of a sheet's rows."""
        own = []
        for number, row in rows:
            if self.top <= number <= self.bottom:
                own.append((number, row[self.left : self.right + 1]))
        return own


@dataclass(frozen=True)
class Page:
    """What is read of a workbook: the rows of a sheet that are not empty, or of an area in it.

    `hidden` is what to add to a fault about the choice of the sheet, `inside` the name of the sheet
    within its package.
    """

    sheet: str
    rows: list[Row]
    hidden: str = ""
    area: Area | None = None
    inside: str = ""

    @property
    def left(self) -> int:
        """The sheet's column that is the first of the page."""
        return self.area.left if self.area else 0


@dataclass(frozen=True)
class Frame:
    """The rows of a sheet that count: the cells of its header, if it has one, and those below.

    `columns` are the names to use; None where they stand in the header.
    """

    header: tuple[Any, ...] | None
    body: list[Row]
    columns: list[str] | None = None

    def holds(self, number: int) -> bool:
        """Whether a row of the sheet lies between the first and the last that counts."""
        return bool(self.body) and self.body[0][0] <= number <= self.body[-1][0]


def _frame_rows(layout: Layout, rows: list[Row], sheet: str) -> tuple[Frame | None, str]:
    """Return the rows that count; None where the sheet is not laid out as declared, and why.

    `rows` are those that are not empty.
    """
    below = [row for row in rows if row[0] >= layout.first]
    header = None
    if layout.header is not None:
        if not below or below[0][0] != layout.header:
            return None, f"row {layout.first} of sheet {sheet!r} is empty; it must name the columns"
        header = below.pop(0)[1]
    if len(below) < layout.footer:
        return None, layout.say_short(len(rows))
    body = below[: len(below) - layout.footer]
    if layout.keeps_header:
        return Frame(header, body), ""
    width = _width([header] if header else [row for _, row in body])
    columns, rule = layout.name_columns(width)
    return (None, rule) if rule else (Frame(header, body, columns), "")


def _width(rows: Iterable[tuple[Any, ...]]) -> int:
    """Return the number of columns up to the last that has a value."""
    width = 0
    for row in rows:
        filled = [place for place, cell in enumerate(row, 1) if cell is not None]
        width = max(width, *filled[-1:], 0)
    return width


def load_page(
    intake: Intake,
    file: File,
    table: str,
    page: Page,
    look: Callable[[Sequence[str], Frame], list[Fault]],
) -> tuple[Sheet | None, list[Fault]]:
    """Load a page as texts into `table`; None where its columns cannot be told.

    `look` lists the faults of its cells that only their reader can see.
    """
    layout = _layout_of(intake, page)
    frame, rule = _frame_rows(layout, page.rows, page.sheet)
    if frame is None:
        return None, [intake.fault(file, rule + page.hidden, layout.first)]
    header, wrong = _read_header(intake, file, layout, frame)
    if wrong:
        return None, wrong
    faults = look(header, frame)
    faults += _find_errors(intake, file, header, frame.body)
    missing = {"", *intake.source.na}
    columns = []
    for place in range(len(header)):
        columns.append([write_cell(cell_at(row, place), missing) for _, row in frame.body])
        durations = sum(isinstance(cell_at(row, place), dt.timedelta) for _, row in frame.body)
        if durations:
            intake.note(f"durations in column {header[place]!r} are read as hours", durations)
    load_texts(intake.con, table, header, columns)
    if not layout.declared and frame.header:
        first = [write_cell(cell_at(frame.header, place), missing) for place in range(len(header))]
        if reads_like_a_row(intake, table, header, first):
            rule = f"row 1 of sheet {page.sheet!r} reads like the rows below it; {NAME_COLUMNS}"
            return None, [intake.fault(file, rule, 1)]
    lines = [number for number, _ in frame.body]
    return Sheet(dict.fromkeys(header, "VARCHAR"), len(frame.body), partial(list, lines)), faults


def _layout_of(intake: Intake, page: Page) -> Layout:
    """Return the layout of a page: an area begins with its header, unless another is declared."""
    layout = layout_of(intake.source)
    if page.area is None or layout.declared:
        return layout
    header = page.area.top if page.area.has_header else None
    return replace(layout, header=header, declared=True)


def choose_page(
    states: Mapping[str, str], areas: Sequence[Area], declared: str | None
) -> tuple[str, Area | None, str]:
    """Return the sheet to read and the area in it, or an empty sheet and why none can be chosen.

    `states` are those of the sheets, `visible` or others.
    """
    if declared is not None and declared not in states:
        for area in areas:
            if area.name.casefold() == declared.casefold() and area.sheet in states:
                return area.sheet, area, ""
    sheet, rule = _choose_sheet(states, declared, [area.name for area in areas])
    return sheet, None, rule


def _choose_sheet(
    state_by_sheet: Mapping[str, str], declared: str | None, areas: Sequence[str]
) -> tuple[str, str]:
    """Return the name of the sheet to read, or an empty one and why none can be chosen."""
    if declared is not None:
        if declared in state_by_sheet:
            return declared, ""
        known = [*state_by_sheet, *areas]
        near = did_you_mean(declared, known) or f"; it has {_list(known)}"
        return "", f"has no sheet {declared!r}{near if state_by_sheet else ', and no other'}"
    if not state_by_sheet:
        return "", "has no sheet with cells, only charts or macros"
    visible = [title for title, state in state_by_sheet.items() if state == VISIBLE]
    if len(visible) == 1:
        return visible[0], ""
    if not visible:
        advice = "declare `sheet:` with the hidden one"
        return "", f"has no visible sheet; {advice}: {_list(state_by_sheet)}"
    return "", f"has several visible sheets; declare `sheet:` with one of {_list(visible)}"


def _list(titles: Iterable[str]) -> str:
    return ", ".join(repr(title) for title in titles)


def say_hidden(states: Mapping[str, str]) -> str:
    """Return what to add to a fault about the choice of a sheet: which ones are hidden."""
    hidden = [title for title, state in states.items() if state != VISIBLE]
    return f"; declare `sheet:` if a hidden one is meant: {_list(hidden)}" if hidden else ""


def _read_header(
    intake: Intake, file: File, layout: Layout, frame: Frame
) -> tuple[list[str], list[Fault]]:
    """Return the names of the columns, without trailing empty ones, and list their faults.

    Unnamed columns with values and repeated names are faults.
    """
    header = frame.columns
    faults = []
    if header is None:
        header = [_name(cell) for cell in frame.header or ()]
        while header and not header[-1].strip():
            header.pop()
        faults = _name_odd_headers(intake, file, layout, header)
    width = len(header)
    rule = f"the row has a value in column {width + 1} or later, which has no name in the header"
    beyond = []
    for number, row in frame.body:
        if any(cell is not None for cell in row[width:]):
            beyond.append(intake.fault(file, rule, number))
    return header, faults + cap_faults(beyond)


def _name(cell: Any) -> str:
    return "" if cell is None else str(cell)


def _name_odd_headers(intake: Intake, file: File, layout: Layout, header: list[str]) -> list[Fault]:
    """List the columns without a name, and the names that stand twice."""
    line = layout.header
    faults = []
    for place, name in enumerate(header, 1):
        if not name.strip():
            faults.append(intake.fault(file, f"column {place} has no name in the header", line))
    before: set[str] = set()
    for name in header:
        if name.strip() and name.casefold() in before:
            rule = "appears twice in the header; rename one of them"
            faults.append(intake.fault(file, rule, line, name))
        before.add(name.casefold())
    return faults


def cell_at(row: tuple[Any, ...], place: int) -> Any:
    """Return a cell of a row; None beyond its end."""
    return row[place] if place < len(row) else None


def _find_errors(intake: Intake, file: File, header: list[str], body: list[Row]) -> list[Fault]:
    """List the cells that hold an Excel error such as #DIV/0!."""
    faults: list[Fault] = []
    rule = "the cell holds an Excel error"
    for place, column in enumerate(header):
        own = []
        for number, row in body:
            cell = cell_at(row, place)
            if isinstance(cell, str) and cell in ERRORS:
                own.append(intake.fault(file, rule, number, column, cell))
        faults += cap_faults(own)
    return faults
