"""Numbers and dates as people read them. Rounding never turns a missed target into a met one."""

from __future__ import annotations

import datetime as dt
import math
import re

from dataops_nb.periods import Period

_CURRENCIES = {"USD": "$", "EUR": "€", "GBP": "£", "BRL": "R$", "JPY": "¥"}
_FISCAL, _PARTS = re.compile(r"(?P<year>FY\d+)-(?P<part>[PQ])(?P<place>\d+)"), {"P": "period", "Q": "quarter"}
_MILLION, _HUNDREDS = 1e6, 1e3


def number(value: float, unit: str = "", *, signed: bool = False) -> str:
    """A value in its unit: `41`, `1,234`, `2.4 %`, `$183,400`, `$9.41M`, `3.5`; the word for other units is the label's."""
    if not math.isfinite(value):
        return "no value"
    sign = "-" if value < 0 else "+" if signed and value > 0 else ""
    size = abs(value)
    if unit == "percent":
        return f"{sign}{_digits(size * 100)} %"
    if unit in _CURRENCIES:
        return f"{sign}{_CURRENCIES[unit]}{_money(size)}"
    return f"{sign}{_digits(size)}"


def quantity(value: float, unit: str = "") -> str:
    """A value with the word of its unit where that is a word: `41 meetings`, `3.5 days`, `$183,400`, `2.4 %`."""
    text = number(value, unit)
    return text if unit in {"", "percent", *_CURRENCIES} else f"{text} {_singular(unit) if text == '1' else unit}"


def difference(value: float, unit: str = "", *, word: bool = False) -> str:
    """The size of a difference: `4`, `$1,200`, `0.3 points` for rates; with the unit's word where that is asked for."""
    size = abs(value)
    if unit == "percent":
        text = _digits(size * 100)
        return f"{text} {'point' if text == '1' else 'points'}"
    return quantity(size, unit) if word else number(size, unit)


def effect(value: float, unit: str = "") -> str:
    """What something adds to a value: `+4`, `-$1,200`, `+0.3 points` for rates."""
    return f"{'+' if value > 0 else '-' if value < 0 else ''}{difference(value, unit)}"


def share(attained: float) -> str:
    """An attainment in percent, never rounded up to 100 % where the target was missed."""
    percent = attained * 100
    for decimals in (0, 1, 2, 3):
        text = f"{percent:,.{decimals}f}"
        if attained >= 1 or float(text.replace(",", "")) < 100:
            return f"{text} %"
    return "just under 100 %"


def period(of: Period) -> str:
    """A period in words: `week 47`, `November 2026`, `2026 Q4`; fiscal: `period 10 of FY27`, `quarter 4 of FY27`."""
    if of.fiscal:
        year, week = of.fiscal.split("-W")
        return f"week {int(week)} of {year} ({of.id})"
    return period_in_words(of.id)


def period_in_words(id_: str) -> str:
    """What a period's id is called; a week of a fiscal year is called by its calendar week here."""
    if (fiscal := _FISCAL.fullmatch(id_)) is not None:
        return f"{_PARTS[fiscal['part']]} {int(fiscal['place'])} of {fiscal['year']}"
    if re.fullmatch(r"\d{4}-W\d{2}", id_):
        return f"week {int(id_[-2:])}"
    if re.fullmatch(r"\d{4}-\d{2}", id_):
        return f"{dt.date.fromisoformat(f'{id_}-01'):%B %Y}"
    return date(dt.date.fromisoformat(id_)) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", id_) else id_.replace("-", " ")


def date(day: dt.date) -> str:
    """A day in words: `Sun 22 Nov 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def variation(said: object, value: object, center: object) -> str:
    """A metric's variation as an arrow and a word: `↑ better`, `↓ worse`, `→ as usual`; nothing without a verdict.

    The arrow shows where the value lies to its centre line, the word what that means.
    """
    if not isinstance(said, str):
        return ""
    if said == "common cause":
        return "→ as usual"
    up = isinstance(value, int | float) and isinstance(center, int | float) and value > center
    return f"{'↑' if up else '↓'} {'better' if said.endswith('improvement') else 'worse'}"


def _singular(unit: str) -> str:
    return unit[:-1] if unit.endswith("s") and not unit.endswith("ss") else unit


def _digits(size: float) -> str:
    decimals = 0 if size >= 100 or float(size).is_integer() else 1 if size >= 1 or round(size, 2) == 0 else 2
    text = f"{size:,.{decimals}f}"
    return text[:-2] if text.endswith(".0") else text


def _money(size: float) -> str:
    if size >= _MILLION:
        return f"{size / _MILLION:,.2f}M"
    return f"{size:,.0f}" if size >= _HUNDREDS or float(size).is_integer() else f"{size:,.2f}"
