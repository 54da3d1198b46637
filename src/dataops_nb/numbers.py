"""Numbers, money, dates, singular and plural as people read them.

Rounding never turns a missed target into a met one. Numbers that a sentence compares are `Beside`
each other: they get digits until they differ, and what no digits tell apart is "just under" the
other. A share keeps its side of each threshold.

How many digits are shown is ours; how they are grouped, where the currency stands and what a day
looks like is the locale's (CLDR, through babel). Words stay English in every locale.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import cache, lru_cache
from typing import Any, Protocol

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal, get_currency_symbol, list_currencies

from dataops_nb.periods import Period

DEFAULT = "en_US"
# The day before the month, which nobody reads the other way round.
_DAYS = {"": "d MMM", "y": "d MMM y", "E": "EEE d MMM", "yE": "EEE d MMM y"}
MINUS = "\u2212"  # as on the axes of charts; a hyphen is half as wide as a plus
_FISCAL, _PARTS = (
    re.compile(r"(?P<year>FY\d+)-(?P<part>[PQ])(?P<place>\d+)"),
    {"P": "period", "Q": "quarter"},
)
MILLION, _TEN_THOUSAND, _HUNDREDS, _CENTS = 1e6, 1e4, 1e3, 1e2
FINEST = 4  # decimals of a small number by itself; 0.0032 is not 0
MOST = 6  # further decimals that tell two numbers apart; then a word does
LESS = "less than "  # before the least number that is written, where a value is smaller
_MOST_OF_SHARES = 3  # decimals of a share
_HUGE = 1e12  # a share of more is written as it comes
_TURNS = str.maketrans("", "", "\u200e\u200f\u061c")
_AFTER_HEAD = re.compile(
    r"[,;:(/]|\s[-–—]\s"
    r"|\b(?:of|per|by|in|on|for|from|with|within|without|to|at|until|that|who)\b"
)
_PARTICIPLES = {
    "held",
    "won",
    "lost",
    "sent",
    "sold",
    "met",
    "paid",
    "made",
    "kept",
    "built",
    "left",
    "done",
    "seen",
}
_PLURAL = {"people", "women", "men", "children"}
_SINGULAR = {"news", "series", "always"}
_IES = {"movies", "cookies", "calories"}
_NO_PLURAL = ("ss", "us", "is", "'s", "’s")


@dataclass(frozen=True)
class Numbers:
    """How the numbers of one company are written.

    `Numbers("de_DE").number(1234.5)` is `1.234,5`. Days of the `year` are written without it.
    """

    locale: str = DEFAULT
    year: int | None = None

    def number(self, value: float, unit: str = "", *, signed: bool = False, more: int = 0) -> str:
        """A value in its unit: `41`, `1,234`, `2.4%`, `$183,400`, `$9.41M`, `3.5`.

        With so many `more` decimals than usual; a small value has as many as show a digit of it.
        The word for other units is the label's.
        """
        if not math.isfinite(value):
            return "no value"
        return self._number(value, unit, signed=signed, more=more + _finer(value, unit, more))

    def _number(self, value: float, unit: str, *, signed: bool = False, more: int = 0) -> str:
        shown = printed(value, unit, more)
        sign = MINUS if shown < 0 else "+" if signed and shown > 0 else ""
        size = abs(value)
        if unit == "percent":
            return f"{sign}{self.percent(self._digits(size * 100, more))}"
        if is_currency(unit):
            return f"{sign}{self._money(size, unit, more)}"
        return f"{sign}{self._digits(size, more)}"

    def quantity(self, value: float, unit: str = "", *, more: int = 0) -> str:
        """A value with the word of its unit where that is a word.

        `41 meetings`, `3.5 days`, `$183,400`, `2.4%`.
        """
        return _with_word(self.number(value, unit, more=more), unit)

    def difference(self, value: float, unit: str = "", *, word: bool = False, more: int = 0) -> str:
        """The size of a difference: `4`, `$1,200`, `0.3 points` for rates.

        With the unit's word where that is asked for.
        """
        size = abs(value)
        if unit == "percent":
            text = self._digits(size * 100, more)
            return f"{text} {'point' if text == '1' else 'points'}"
        text = self._number(size, unit, more=more)
        return _with_word(text, unit) if word else text

    def gap(self, value: float, unit: str = "", *, word: bool = False) -> str:
        """The size of a difference that never reads as none: `0.0004`, `less than 0.000001`."""
        least = 10.0**-MOST / (100 if unit == "percent" else 1)
        if 0 < abs(value) < least:
            more = MOST - (2 if is_currency(unit) else 1)
            return f"{LESS}{self.difference(least, unit, word=word, more=more)}"
        more = 0
        while value and not printed(value, unit, more):
            more += 1
        return self.difference(value, unit, word=word, more=more)

    def effect(self, value: float, unit: str = "") -> str:
        """What something adds to a value: `+4`, `−$1,200`, `+0.3 points` for rates."""
        sign = "+" if value > 0 else MINUS if value < 0 else ""
        return f"{sign}{self.difference(value, unit)}"

    def beside(self, value: float, others: Iterable[float], unit: str = "") -> Beside:
        """How a value is written beside `others`, so that their texts compare as they do.

        What is missing is left out. `numbers.at("en_US").beside(44.96, [45]).number(44.96)` is
        `44.96`, and that of 45 is `45.0`.
        """
        known = [other for other in others if math.isfinite(other)]
        if not math.isfinite(value):
            known = []
        for more in range(MOST + 1):
            alike = [other for other in known if not _reads_apart(value, other, unit, more)]
            if not alike:
                return Beside(self, unit, value, more)
        others_apart = [other for other in known if other not in alike]
        more = 0
        while not all(_reads_apart(value, other, unit, more) for other in others_apart):
            more += 1
        nearest = min(alike, key=lambda other: abs(other - value))
        return Beside(self, unit, value, more, nearest)

    def share(self, attained: float, thresholds: Iterable[float] = ()) -> str:
        """An attainment in percent that stays on its side of the target and of each threshold.

        A missed target never reads 100%, nor 0.846 of it 85% under a light that starts there.
        """
        if not math.isfinite(attained) or abs(attained) >= _HUGE:
            return self.percent(self.digits(f"{attained * 100:.0f}"))
        exact = Decimal(repr(float(attained)))
        edges = [Decimal(1), *(Decimal(repr(float(edge))) for edge in thresholds)]
        for decimals in range(_MOST_OF_SHARES + 1):
            percent = _percent(exact, decimals)
            crossed = [edge for edge in edges if (exact >= edge) != (percent >= edge * 100)]
            if not crossed:
                return self.percent(self.digits(f"{percent:f}"))
        if exact < min(crossed):
            return f"just under {self.threshold(float(min(crossed)))}"
        return self.percent(self.digits(f"{exact * 100:f}"))

    def threshold(self, share: float) -> str:
        """A share that was agreed, with all of its decimals (at most three): `85%`, `82.5%`."""
        percent = f"{_percent(Decimal(repr(float(share))), _MOST_OF_SHARES):f}"
        return self.percent(self.digits(percent.rstrip("0").rstrip(".")))

    def rough(self, value: float, unit: str = "") -> str:
        """An estimate of money, without digits that nobody knows: `$668k`, `$1.20M`, `$560`.

        Small amounts as they are.
        """
        size = abs(value)
        if not is_currency(unit) or size < _CENTS or size >= MILLION - _HUNDREDS / 2:
            return self.number(value, unit)
        before, after = around(self.locale, unit)
        amount = (
            f"{self.digits(f'{size / _HUNDREDS:.0f}')}k"
            if size >= _TEN_THOUSAND
            else self.digits(f"{size:.0f}")
        )
        return f"{MINUS if value < 0 else ''}{before}{amount}{after}"

    def count(self, value: int) -> str:
        """A whole number: `1,234`."""
        return self.digits(str(value))

    def digits(self, text: str) -> str:
        """Digits as programs write them (`1234.50`), as people write them here."""
        return _written(self.locale, text)

    def percent(self, digits: str) -> str:
        """Digits as a share: `2.4%`, in German `2,4 %`, with the locale's space before the sign."""
        return f"{digits}{_before_percent(self.locale)}%"

    def date(self, day: dt.date, *, weekday: bool = False) -> str:
        """A day in words: `22 Nov` in the year of the report, else `15 Jun 2025`.

        In German `22. Nov.`; with its `weekday` where somebody must act: `Fri 27 Nov`.
        """
        year = "" if day.year == self.year else "y"
        return _day(self.locale, day, f"{year}{'E' if weekday else ''}")

    def period(self, of: Period) -> str:
        """A period in words: `week 47`, `November 2026`, `2026 Q4`.

        Fiscal: `period 10 of FY27`, `quarter 4 of FY27`.
        """
        if of.fiscal:
            year, week = of.fiscal.split("-W")
            return f"week {int(week)} of {year} ({of.id})"
        return self.period_in_words(of.id)

    @staticmethod
    def within(grain: str) -> str:
        """Return what stands before the name of a period: `in` week 47, `on` 22 Nov 2026."""
        return "on" if grain == "day" else "in"

    def period_in_words(self, id_: str) -> str:
        """What a period's id is called.

        A week of a fiscal year is called by its calendar week here.
        """
        if (fiscal := _FISCAL.fullmatch(id_)) is not None:
            return f"{_PARTS[fiscal['part']]} {int(fiscal['place'])} of {fiscal['year']}"
        if re.fullmatch(r"\d{4}-W\d{2}", id_):
            return f"week {int(id_[-2:])}"
        if re.fullmatch(r"\d{4}-\d{2}", id_):
            day = dt.date.fromisoformat(f"{id_}-01")
            return format_skeleton("yMMMM", day, locale=self.locale).translate(_TURNS)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", id_):
            return _day(self.locale, dt.date.fromisoformat(id_), "y")
        return id_.replace("-", " ")

    def _digits(self, size: float, more: int = 0) -> str:
        text = f"{size:.{_decimals(size) + more}f}"
        return self.digits(text[:-2] if text.endswith(".0") and not more else text)

    def _money(self, size: float, currency: str, more: int = 0) -> str:
        if size >= MILLION:
            amount = f"{self.digits(f'{size / MILLION:.{2 + more}f}')}M"
        else:
            amount = self.digits(f"{size:.{_cents(size, more)}f}")
        before, after = around(self.locale, currency)
        return f"{before}{amount}{after}"


@dataclass(frozen=True)
class Beside:
    """How a value and what it is compared with are written, so that their texts compare alike.

    All have so many `more` decimals than usual; beside a whole value, whole numbers have none:
    nobody wins 11.0 deals. A `near` number differs from the value by less than
    digits show: beside it the value is "just under" or "just over" it.
    """

    written: Numbers
    unit: str
    value: float
    more: int
    near: float | None = None

    def number(self, value: float) -> str:
        """Write the value, or what it is compared with."""
        return self._text(value, word=False)

    def quantity(self, value: float) -> str:
        """Write it with the word of its unit."""
        return self._text(value, word=True)

    def _text(self, value: float, *, word: bool) -> str:
        write = self.written.quantity if word else self.written.number
        if self.near is None or value != self.value:
            is_counted = self._is_counted(self.value) and self._is_counted(value)
            return write(value, self.unit, more=0 if is_counted else self.more)
        side = "under" if value < self.near else "over"
        return f"just {side} {write(self.near, self.unit, more=self.more)}"

    def _is_counted(self, value: float) -> bool:
        return float(value).is_integer() and self.unit != "percent" and not is_currency(self.unit)


def printed(value: float, unit: str = "", more: int = 0) -> Decimal:
    """Return the number that a text of a value shows, in the value's own unit."""
    size, scale = abs(value), Decimal(1)
    if unit == "percent":
        size, scale = size * 100, Decimal("0.01")
        decimals = _decimals(size) + more
    elif not is_currency(unit):
        decimals = _decimals(size) + more
    elif size >= MILLION:
        size, scale, decimals = size / MILLION, Decimal(10**6), 2 + more
    else:
        decimals = _cents(size, more)
    shown = Decimal(f"{size:.{decimals}f}") * scale
    return -shown if value < 0 else shown


def _reads_apart(value: float, other: float, unit: str, more: int) -> bool:
    """Tell whether the texts of two numbers differ as they do; equal numbers need not."""
    if value == other:
        return True
    first, second = printed(value, unit, more), printed(other, unit, more)
    return first < second if value < other else first > second


def _decimals(size: float) -> int:
    """Return how many decimals a size has: none from 100 on or where it is whole."""
    if size >= 100 or float(size).is_integer():
        return 0
    return 1 if size >= 1 or round(size, 2) == 0 else 2


def _with_word(text: str, unit: str) -> str:
    if unit in {"", "percent"} or is_currency(unit):
        return text
    return f"{text} {singular(unit) if text == '1' else unit}"


def _finer(value: float, unit: str, more: int) -> int:
    """Return how many more decimals show the first digit of a value that would print as 0.

    It is 0 for money, which has cents, and below half a ten-thousandth, which arithmetic leaves.
    """
    size = abs(value) * (100 if unit == "percent" else 1)
    if is_currency(unit) or printed(value, unit, more) or round(size, FINEST) == 0:
        return 0
    place = 1
    while place < FINEST and size < 10.0**-place:
        place += 1
    return max(place - _decimals(size) - more, 0)


def _cents(size: float, more: int) -> int:
    """Return how many decimals an amount of money below a million has; cents come in pairs."""
    if size >= _HUNDREDS or float(size).is_integer():
        return more + 1 if more else 0
    return 2 + more


def _percent(share: Decimal, decimals: int) -> Decimal:
    with localcontext(prec=60):
        return (share * 100).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)


class Located(Protocol):
    """What has a locale: a company, and the board of one."""

    @property
    def locale(self) -> str:
        """How its numbers and days are written: `en_US`."""


def of(said: Located) -> Numbers:
    """How the numbers of a company are written, by the company or its board.

    A board has a day, and writes the days of its year without the year.
    """
    day: dt.date | None = getattr(said, "as_of", None)
    return at(said.locale, day.year if day else None)


@cache
def at(locale: str, year: int | None = None) -> Numbers:
    """How numbers are written in a locale, and days in a report of a year."""
    return Numbers(locale, year)


_HOME = [DEFAULT]


def settle(locale: str) -> None:
    """Choose the locale of what knows no company: a chart of an analyst's own."""
    _HOME[0] = locale


def home() -> str:
    """The locale of the last board that was opened in this process."""
    return _HOME[0]


@cache
def is_currency(unit: str) -> bool:
    """Whether a unit is money: `USD`."""
    return unit in list_currencies()


def variation_of(row: Any) -> str:
    """Return the `variation` of a row of a metric table.

    On a new level the arrow shows the way from the level before: the centre line is the new one.
    """
    value, center = row["value"], row["center"]
    if row["signal"] == "shift":
        value, center = row["level_now"], row["level_before"]
    return variation(row["variation"], value, center, row["signal"])


ASSURED = {
    "consistent pass": "reliably",
    "inconsistent": "hit or miss",
    "consistent fail": "not as it is",
}


def assurance_of(row: Any) -> str:
    """Return whether a row's metric meets its target by itself, in words.

    It does `reliably`, is `hit or miss`, or `not as it is`; nothing without limits or a target.
    """
    return ASSURED.get(str(row.get("assurance")), "")


def variation(said: object, value: object, center: object, signal: object = None) -> str:
    """A metric's variation as an arrow and a word: `↑ better`, `↓ worse`, `→ ordinary`.

    A `signal` of a metric without a good direction is `↑ unusual`. Nothing without a verdict.

    The arrow shows where the value lies to its centre line, the word what that means.
    """
    if said == "common cause":
        return "→ ordinary"
    if not isinstance(said, str) and not isinstance(signal, str):
        return ""
    up = isinstance(value, int | float) and isinstance(center, int | float) and value > center
    word = "unusual"
    if isinstance(said, str):
        word = "better" if said.endswith("improvement") else "worse"
    return f"{'↑' if up else '↓'} {word}"


def small(label: str) -> str:
    """Return a label as it stands inside a sentence: small, unless its first word is a name.

    A second capital (`CRM`), a stop (`Dr. Oetker`) or a second word that has a capital and small
    letters (`Acme Inc.`) makes a name of it; one letter (`X`) stays as it is.
    """
    first, _, others = label.partition(" ")
    is_name = any(letter.isupper() for letter in first[1:])
    is_letter = len(first) == 1 and (first != "A" or first == label)
    is_title = others.partition(" ")[0].strip(".,;:()").istitle()
    is_title = is_title and (first.isalpha() or first.endswith("."))
    return label if is_name or is_letter or is_title else label[:1].lower() + label[1:]


def article(number: str) -> str:
    """Return the article before a share as it is spoken: `an` 8%, `an` 18%, `a` 17%."""
    return "an" if re.match(r"8|1[18](?!\d)", number) else "a"


def closed(label: str) -> str:
    """Return a label as it stands before a verb: `Revenue, last 12 months,` has a second comma."""
    return f"{label}," if "," in label else label


def agreeing(label: str, one: str, many: str) -> str:
    """The verb's form for a label: `many` where its head noun is an English plural, else `one`."""
    return many if is_plural(label) else one


def is_plural(label: str) -> bool:
    """Whether the head noun of a label is an English plural.

    `Meetings held`, not `Sales pipeline` or `Share of customers`.
    """
    words = _AFTER_HEAD.split(label, maxsplit=1)[0].split()
    while len(words) > 1 and (words[-1].casefold() in _PARTICIPLES or words[-1].endswith("ed")):
        words.pop()
    if not words or words[-1].isupper():
        return False
    noun = words[-1].casefold()
    return noun in _PLURAL or (
        noun.endswith("s") and not noun.endswith(_NO_PLURAL) and noun not in _SINGULAR
    )


def without_unit(first: str, last: str, unit: str) -> str:
    """The first end of a range without the word that its last end says: `3` of `3 to 7 days`.

    Signs stay: `$463k to $873k`, `8.4% to 12.3%`.
    """
    if not last.endswith(f" {unit}"):
        return first
    return first.removesuffix(f" {unit}").removesuffix(f" {singular(unit)}")


def singular(unit: str) -> str:
    """Return the word of a unit for one of it: `meeting` of `meetings`."""
    for ending in ("xes", "ches", "shes", "sses"):
        if unit.endswith(ending):
            return unit[:-2]
    if unit.endswith("ies") and len(unit) > len("pies") and unit not in _IES:
        return f"{unit[:-3]}y"
    return unit[:-1] if unit.endswith("s") and not unit.endswith("ss") else unit


@lru_cache(maxsize=65536)
def _written(locale: str, text: str) -> str:
    """Digits as people write them; each once, because a page says most numbers several times."""
    with localcontext() as context:
        context.prec = max(context.prec, len(text))
        return format_decimal(
            Decimal(text), format=_pattern(locale, len(text.partition(".")[2])), locale=locale
        )


@lru_cache(maxsize=4096)
def _day(locale: str, day: dt.date, parts: str) -> str:
    """Write a day with the `parts` that are asked for: `y` its year, `E` its weekday."""
    if locale == DEFAULT:
        return format_date(day, _DAYS[parts], locale=locale)
    skeleton = f"{'y' if 'y' in parts else ''}MMM{'E' if 'E' in parts else ''}d"
    return format_skeleton(skeleton, day, locale=locale).translate(_TURNS)


@cache
def _before_percent(locale: str) -> str:
    """Return the space that a locale puts before the percent sign; none in English."""
    pattern = str(Locale.parse(locale).percent_formats[None].pattern).partition(";")[0]
    after = re.split(r"[#0][#0.,]*", pattern.translate(_TURNS), maxsplit=1)[1]
    return after[:1] if after[:1].isspace() else ""


@cache
def _pattern(locale: str, decimals: int) -> str:
    """The locale's pattern of a number (it says how digits are grouped), with so many decimals."""
    whole = (
        str(Locale.parse(locale).decimal_formats[None].pattern).partition(";")[0].partition(".")[0]
    )
    return f"{whole}.{'0' * decimals}" if decimals else whole


@cache
def around(locale: str, currency: str) -> tuple[str, str]:
    """Return what stands before and after an amount; letters keep their distance from digits."""
    pattern = (
        str(Locale.parse(locale).currency_formats["standard"].pattern)
        .partition(";")[0]
        .translate(_TURNS)
    )
    symbol = get_currency_symbol(currency, locale).translate(_TURNS)
    before, after = re.split(r"[#0][#0.,]*", pattern, maxsplit=1)
    before, after = before.replace("¤", symbol), after.replace("¤", symbol)
    return f"{before}\u00a0" if before[-1:].isalpha() else before, f"\u00a0{after}" if after[
        :1
    ].isalpha() else after
