"""What a cell of a workbook means to the people who see it: days, durations, letters, and nothing.

A workbook stores days and durations as numbers, and only their formats say what they are; openpyxl
reads most of these formats. Cells become texts in one written form (2026-11-22, 12.5, true).
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from typing import Any

FIRST_OWN_FORMAT = 164  # the formats below are Excel's own
CONDITION = re.compile(r"\[(<>|<=|>=|=|<|>)(-?[0-9.]+)\]")
COMPARED = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NOT_SHOWN = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.')  # quoted texts, conditions, spaces
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
HOUR = 3600  # seconds; durations are read as hours


# --- formats -------------------------------------------------------------------------------------


def see_days(book: Any) -> None:
    """Let the cells of a format such as `[=0]"-";yyyy-mm-dd` be days.

    openpyxl looks only at the first part of a format, which here is about something else.
    """
    for style, format_ in _own_formats(book).items():
        if not _is_day(format_.split(";")[0]) and _is_day(format_):
            book._date_formats.add(style)  # openpyxl has no public name for it


def _own_formats(book: Any) -> dict[int, str]:
    """Return the number format of each style of a workbook that is not one of Excel's own."""
    formats = {}
    for style, cell_style in enumerate(book._cell_styles):
        own = cell_style.numFmtId - FIRST_OWN_FORMAT
        if 0 <= own < len(book._number_formats):
            formats[style] = book._number_formats[own]
    return formats


def _is_day(format_: str) -> bool:
    """Whether a number format, or a part of one, shows days or times."""
    return re.search("[dmyhs]", NOT_SHOWN.sub("", format_).lower()) is not None


def blank_zeros(book: Any) -> set[int]:
    """Return the styles of days whose format shows something else than a day for 0."""
    blank = set()
    for style, format_ in _own_formats(book).items():
        if _is_day(format_) and not _is_day(_part_for_zero(format_)):
            blank.add(style)
    return blank


def _part_for_zero(format_: str) -> str:
    """Return the part of a number format that 0 is shown by."""
    parts = format_.split(";")
    conditions = [CONDITION.search(part) for part in parts]
    if not any(conditions):
        return parts[2] if len(parts) > 2 else parts[0]
    for part, condition in zip(parts, conditions, strict=True):
        if condition is None or COMPARED[condition[1]](0.0, float(condition[2])):
            return part
    return ""


def is_zero(value: Any) -> bool:
    """Whether a cell holds 0, as a number or by its format as a time."""
    return not isinstance(value, bool) and value in (0, dt.time(0), dt.timedelta(0))


# --- values --------------------------------------------------------------------------------------


def write_cell(value: Any, missing: set[str]) -> str | None:
    """Return a cell as text in its one written form; None where it is empty or means missing."""
    written = "" if value is None else _write(value)
    return None if written in missing else written


def _write(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        moment = value.replace(microsecond=0) if value.microsecond % 1000 else value
        is_midnight = moment.time() == dt.time(0)
        return moment.date().isoformat() if is_midnight else moment.isoformat(sep=" ")
    if isinstance(value, dt.timedelta):
        value = value.total_seconds() / HOUR
    if isinstance(value, float):
        is_whole = value.is_integer() and abs(value) < 2**53
        return str(int(value)) if is_whole else repr(value)
    return str(value)


def unescape(written: str) -> str:
    """Return a text of an xlsx as people see it: some letters are their numbers, `_x000D_`.

    An underscore that begins no such number is `_x005F_` itself, so a text is read once only.
    """
    if "_x" not in written:
        return written
    letters = ESCAPED.sub(lambda hit: chr(int(hit[1], 16)), written)
    # a letter beyond 65,535 is written as two numbers, which only UTF-16 puts together
    letters = letters.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return letters.replace("\r\n", "\n").replace("\r", "\n")
