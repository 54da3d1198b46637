"""The ways in which exports write days and moments, as formats of `strptime`."""

from __future__ import annotations

import re

DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y")
MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m/%d/%y")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %H:%M", ", %H:%M:%S")
NAMED = ("%d/%b/%y", "%d/%b/%Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y")
OTHERS = (
    "%Y-%m",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y%m%d",
    "%Y.%m.%d",
    "%B %d, %Y",
    "%a, %d-%b-%Y",
    "%a, %d %b %Y",
    "%b %Y",
    "%B %Y",
    "%Y-%m-%d %I:%M %p",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y-%m-%d %H:%M:%S UTC",
    "%Y-%m-%d %H:%M UTC",
    "%Y-%m-%d %H:%M:%S %z",
    "%Y-%m-%d %H:%M %z",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%dT%H:%M:%S.%g%z",
    "%Y%m%d %H:%M:%S",
)
COMPACT = "%Y%m%d"
DAY_AND_MONTH = "%d%m"
MONTH_AND_DAY = "%m%d"


def _all_formats() -> list[str]:
    formats = list(OTHERS)
    for day in (*DAY_FIRST, *MONTH_FIRST, *NAMED):
        formats += [day + clock for clock in CLOCKS]
    return formats


# What each sign of a format reads, roughly.
SIGNS = {
    "%d": r"\d{1,2}",
    "%m": r"\d{1,2}",
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%b": "[A-Za-z]{3}",
    "%B": "[A-Za-z]{3,9}",
    "%a": "[A-Za-z]{3}",
    "%H": r"\d{1,2}",
    "%I": r"\d{1,2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}",
    "%p": "[AaPp][Mm]",
    "%z": r"([+-]\d{2}(:?\d{2})?|Z)",
    "%g": r"\d{1,6}",
}


def pattern_of(fmt: str) -> re.Pattern[str]:
    """Return a pattern of the texts that a format may read.

    >>> bool(pattern_of("%d/%b/%y %I:%M %p").fullmatch("17/Jun/26 3:44 PM"))
    True
    """
    pattern = re.escape(fmt).replace(re.escape("%"), "%")
    for sign, digits in SIGNS.items():
        pattern = pattern.replace(sign, digits)
    return re.compile(pattern)


# Where several fit, the first is taken.
FORMATS = _all_formats()


def matches_sql(value: str, fmt: str) -> str:
    """Return SQL that holds where a format reads a text as a day that somebody may mean."""
    if "%Y" not in fmt and "%y" not in fmt:
        return f"try_strptime({value} || ' 2024', '{fmt} %Y') is not null"
    parsed = f"try_strptime({value}, '{fmt}')"
    return f"year({parsed}) between 1900 and 2200"


def day_first(fmt: str) -> bool | None:
    """Return whether a format puts the day before a month's number; None where it has no order."""
    if fmt.startswith("%d") and fmt[3:5] == "%m":
        return True
    if fmt.startswith("%m") and fmt[3:5] == "%d":
        return False
    return None


def other_order(fmt: str) -> str:
    """Return the format with day and month exchanged; empty where it has no order to exchange."""
    if day_first(fmt) is None:
        return ""
    return f"{fmt[3:5]}{fmt[2]}{fmt[:2]}{fmt[5:]}"
