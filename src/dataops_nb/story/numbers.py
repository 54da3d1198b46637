"""Numbers, money and dates as a company's people read them. Rounding never turns a missed target into a met one.

How many digits are shown is ours; how they are grouped, where the currency stands and what a day looks like is the locale's
(CLDR, through babel). Words stay English in every locale.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal, get_currency_symbol, list_currencies

from dataops_nb.definitions import Definitions
from dataops_nb.periods import Period

if TYPE_CHECKING:
    from dataops_nb.board import Board

DEFAULT = "en_US"
_DAYS = {DEFAULT: "EEE d MMM y"}  # the day before the month, which nobody reads the other way round
_FISCAL, _PARTS = re.compile(r"(?P<year>FY\d+)-(?P<part>[PQ])(?P<place>\d+)"), {"P": "period", "Q": "quarter"}
MILLION, _TEN_THOUSAND, _HUNDREDS, _CENTS = 1e6, 1e4, 1e3, 1e2
_TURNS = str.maketrans("", "", "\u200e\u200f\u061c")


@dataclass(frozen=True)
class Numbers:
    """How the numbers of one company are written: `Numbers("de_DE").number(1234.5)` is `1.234,5`."""

    locale: str = DEFAULT

    def number(self, value: float, unit: str = "", *, signed: bool = False) -> str:
        """A value in its unit: `41`, `1,234`, `2.4 %`, `$183,400`, `$9.41M`, `3.5`; the word for other units is the label's."""
        if not math.isfinite(value):
            return "no value"
        sign = "-" if value < 0 else "+" if signed and value > 0 else ""
        size = abs(value)
        if unit == "percent":
            return f"{sign}{self._digits(size * 100)} %"
        return f"{sign}{self._money(size, unit) if is_currency(unit) else self._digits(size)}"

    def quantity(self, value: float, unit: str = "") -> str:
        """A value with the word of its unit where that is a word: `41 meetings`, `3.5 days`, `$183,400`, `2.4 %`."""
        text = self.number(value, unit)
        if unit in {"", "percent"} or is_currency(unit):
            return text
        return f"{text} {_singular(unit) if text == '1' else unit}"

    def difference(self, value: float, unit: str = "", *, word: bool = False) -> str:
        """The size of a difference: `4`, `$1,200`, `0.3 points` for rates; with the unit's word where that is asked for."""
        size = abs(value)
        if unit == "percent":
            text = self._digits(size * 100)
            return f"{text} {'point' if text == '1' else 'points'}"
        return self.quantity(size, unit) if word else self.number(size, unit)

    def effect(self, value: float, unit: str = "") -> str:
        """What something adds to a value: `+4`, `-$1,200`, `+0.3 points` for rates."""
        return f"{'+' if value > 0 else '-' if value < 0 else ''}{self.difference(value, unit)}"

    def share(self, attained: float) -> str:
        """An attainment in percent, never rounded up to 100 % where the target was missed."""
        percent = attained * 100
        for decimals in (0, 1, 2, 3):
            text = f"{percent:.{decimals}f}"
            if attained >= 1 or float(text) < 100:
                return f"{self.digits(text)} %"
        return "just under 100 %"

    def rough(self, value: float, unit: str = "") -> str:
        """An estimate of money, without digits that nobody knows: `$668k`, `$1.20M`, `$560`; small amounts as they are."""
        size = abs(value)
        if not is_currency(unit) or size < _CENTS or size >= MILLION - _HUNDREDS / 2:
            return self.number(value, unit)
        before, after = _around(self.locale, unit)
        amount = f"{self.digits(f'{size / _HUNDREDS:.0f}')}k" if size >= _TEN_THOUSAND else self.digits(f"{size:.0f}")
        return f"{'-' if value < 0 else ''}{before}{amount}{after}"

    def count(self, value: int) -> str:
        """A whole number: `1,234`."""
        return self.digits(str(value))

    def digits(self, text: str) -> str:
        """Digits as programs write them (`1234.50`), as people write them here."""
        return _written(self.locale, text)

    def date(self, day: dt.date) -> str:
        """A day in words: `Sun 22 Nov 2026`; in German `So., 22. Nov. 2026`."""
        return _day(self.locale, day)

    def period(self, of: Period) -> str:
        """A period in words: `week 47`, `November 2026`, `2026 Q4`; fiscal: `period 10 of FY27`, `quarter 4 of FY27`."""
        if of.fiscal:
            year, week = of.fiscal.split("-W")
            return f"week {int(week)} of {year} ({of.id})"
        return self.period_in_words(of.id)

    def period_in_words(self, id_: str) -> str:
        """What a period's id is called; a week of a fiscal year is called by its calendar week here."""
        if (fiscal := _FISCAL.fullmatch(id_)) is not None:
            return f"{_PARTS[fiscal['part']]} {int(fiscal['place'])} of {fiscal['year']}"
        if re.fullmatch(r"\d{4}-W\d{2}", id_):
            return f"week {int(id_[-2:])}"
        if re.fullmatch(r"\d{4}-\d{2}", id_):
            day = dt.date.fromisoformat(f"{id_}-01")
            return format_skeleton("yMMMM", day, locale=self.locale).translate(_TURNS)
        return (
            self.date(dt.date.fromisoformat(id_)) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", id_) else id_.replace("-", " ")
        )

    def _digits(self, size: float) -> str:
        decimals = 0 if size >= 100 or float(size).is_integer() else 1 if size >= 1 or round(size, 2) == 0 else 2
        text = f"{size:.{decimals}f}"
        return self.digits(text[:-2] if text.endswith(".0") else text)

    def _money(self, size: float, currency: str) -> str:
        if size >= MILLION:
            amount = f"{self.digits(f'{size / MILLION:.2f}')}M"
        else:
            amount = self.digits(f"{size:.{0 if size >= _HUNDREDS or float(size).is_integer() else 2}f}")
        before, after = _around(self.locale, currency)
        return f"{before}{amount}{after}"


def of(said: Board | Definitions) -> Numbers:
    """How the numbers of a company are written, by its board or its definitions."""
    return at((said if isinstance(said, Definitions) else said.definitions).company.locale)


@cache
def at(locale: str) -> Numbers:
    """How numbers are written in a locale."""
    return Numbers(locale)


@cache
def is_currency(unit: str) -> bool:
    """Whether a unit is money: `USD`."""
    return unit in list_currencies()


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


@lru_cache(maxsize=65536)
def _written(locale: str, text: str) -> str:
    """Digits as people write them; each once, because a page says most numbers several times."""
    return format_decimal(Decimal(text), format=_pattern(locale, len(text.partition(".")[2])), locale=locale)


@lru_cache(maxsize=4096)
def _day(locale: str, day: dt.date) -> str:
    own = _DAYS.get(locale)
    said = format_date(day, own, locale=locale) if own else format_skeleton("yMMMEd", day, locale=locale)
    return said.translate(_TURNS)


@cache
def _pattern(locale: str, decimals: int) -> str:
    """The locale's pattern of a number (it says how digits are grouped), with so many decimals."""
    whole = str(Locale.parse(locale).decimal_formats[None].pattern).partition(";")[0].partition(".")[0]
    return f"{whole}.{'0' * decimals}" if decimals else whole


@cache
def _around(locale: str, currency: str) -> tuple[str, str]:
    """What stands before and after an amount of money; letters keep their distance from digits."""
    pattern = str(Locale.parse(locale).currency_formats["standard"].pattern).partition(";")[0].translate(_TURNS)
    symbol = get_currency_symbol(currency, locale).translate(_TURNS)
    before, after = re.split(r"[#0][#0.,]*", pattern, maxsplit=1)
    before, after = before.replace("¤", symbol), after.replace("¤", symbol)
    return f"{before}\u00a0" if before[-1:].isalpha() else before, f"\u00a0{after}" if after[:1].isalpha() else after
