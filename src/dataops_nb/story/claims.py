"""Claims: what a text says that can be right or wrong - its numbers, its colours, and which way it says things went.

Names are no claims: a label may hold a digit or a colour, and says nothing by it. They are covered before a text is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol

from dataops_nb.story.numbers import DEFAULT

Way = Literal["up", "down", "level"]

_COVER = "\u2022"
_MONEY = r"[A-Z]{0,3}[$¢£¤¥￥\u058f\u060b\u09f2\u0e3f\u17db\u20a0-\u20cf][A-Z]{0,3}"
_SCALES = {"k": 1e3, "M": 1e6, "bn": 1e9}
_WAYS: dict[Way, tuple[str, ...]] = {
    "up": (
        "up", "above", "over", "more", "higher", "rose", "rise", "rises", "rising", "risen", "grew", "grow", "grows", "growing",
        "grown", "climbed", "climbing", "gained", "increase", "increased", "increases", "increasing", "ahead", "exceeds",
        "exceeded", "jumped", "beat", "surpassed", "overtook", "overtaken", "overshot", "outperformed", "topped", "soared",
    ),
    "down": (
        "down", "below", "under", "less", "fewer", "lower", "fell", "fall", "falls", "falling", "fallen", "dropped", "drop",
        "drops", "dropping", "decrease", "decreased", "decreases", "decreasing", "declined", "declining", "decline",
        "shrank", "shrunk", "shrinking", "lost", "behind", "short", "slipped", "sank", "sunk", "missed", "undershot",
        "tumbled", "plunged", "lagged", "lagging", "trailed", "trailing",
    ),
    "level": ("level", "flat", "unchanged", "exactly", "did not change", "no change"),
}  # fmt: skip
_NO_WAY = re.compile(
    r"\bup to\b|\bmore or less\b|\bfrom [^,;.]{1,20} up\b|\bwhat is more\b|\bfollow(?:s|ed|ing)? up\b|\bonce more\b|"
    r"\bunder (?:control|way|discussion|review|pressure)\b|\bover (?:time|and over|the (?:week|weekend|month|quarter|year))\b",
    re.IGNORECASE,
)
_SUPERLATIVES = re.compile(
    r"\b(?:most|least|largest|biggest|smallest|highest|lowest|best|worst|record|fewest|strongest|weakest|slowest|fastest)\b",
    re.IGNORECASE,
)
_COLOURS = re.compile(r"\b(green|yellow|amber|red)\b", re.IGNORECASE)
_BREAK = re.compile(
    r"[.;:!?](?:\s|$)|,\s+(?:and|but|while|although|yet)\b|\s(?:and|but|while|although)\s(?=\w+ (?:on|by)\b)|,\s"
)


@dataclass(frozen=True)
class Number:
    """A number in a text: where it stands, its value as it is printed, and half of what its last digit is worth."""

    start: int
    end: int
    text: str
    value: float
    within: float
    mark: str
    currency: str

    def same(self, other: Number) -> bool:
        """Whether both print one number; the mark may be said once for two (`3 to 5 points`)."""
        alike = self.currency == other.currency and (self.mark == other.mark or not self.mark)
        return alike and self.value == other.value and self.within == other.within


@dataclass(frozen=True)
class Word:
    """A word that claims something, and where it stands."""

    start: int
    end: int
    text: str
    means: str


def cover(text: str, names: Iterable[str]) -> str:
    """The text with names (the longest first) made illegible; positions stay."""
    for name in sorted({name for name in names if name.strip()}, key=len, reverse=True):
        whole = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        text = whole.sub(lambda hit: _COVER * len(hit[0]), text)
    return text


def figures(text: str, locale: str = DEFAULT) -> list[Number]:
    """The numbers of a text as they are written in a locale, in order."""
    return list(_figures(text, locale))


@cache
def _written(locale: str) -> tuple[re.Pattern[str], str, str]:
    """How a number is written in a locale, the signs between its thousands, and the one before its decimals."""
    group, decimal = get_group_symbol(locale), get_decimal_symbol(locale)
    between, dot = "\u00a0\u202f " if group.isspace() else group, re.escape(decimal)
    thousands = rf"\d{{1,3}}(?:[{re.escape(between)}]\d{{{_narrow(locale)},3}})+(?!\d)"
    pattern = re.compile(
        rf"(?<![\w.,])(?P<sign>[+\-\u2212])?(?:(?P<currency>{_MONEY})[\u00a0\u202f]?)?"
        rf"(?P<digits>(?:{thousands}|\d+)(?:{dot}\d+)?)(?P<scale>M|k|bn)?(?:[\u00a0\u202f ]?(?P<after>{_MONEY}))?"
        r"(?:\s?(?P<mark>%|percent(?!age)|points?\b))?(?![\w])"
    )
    return pattern, between, decimal


def _narrow(locale: str) -> int:
    """The fewest digits between two signs: two in India (`12,34,567`)."""
    return int(min(Locale.parse(locale).decimal_formats[None].grouping))


def _figures(text: str, locale: str) -> Iterator[Number]:
    pattern, between, decimal = _written(locale)
    for hit in pattern.finditer(text):
        digits = re.sub(f"[{re.escape(between)}]", "", hit["digits"]).replace(decimal, ".")
        scale = _SCALES.get(hit["scale"] or "", 1.0)
        sign = -1.0 if hit["sign"] in {"-", "\u2212"} else 1.0
        decimals = len(digits.partition(".")[2])
        mark = (hit["mark"] or "").replace("percent", "%").removesuffix("s")
        value = float(f"{sign * float(digits) * scale:.12g}")
        yield Number(
            hit.start(),
            hit.end(),
            hit[0],
            value,
            0.5 * 10.0**-decimals * scale,
            mark,
            hit["currency"] or hit["after"] or "",
        )


def colours(text: str) -> list[Word]:
    """The lights that a text names."""
    return [Word(h.start(), h.end(), h[0], h[0].lower().replace("amber", "yellow")) for h in _COLOURS.finditer(text)]


def ways(text: str) -> list[Word]:
    """The words that say which way something went or stands; `up to` does not, nor does a part of a word: `sign-up`."""
    text = _NO_WAY.sub(lambda hit: _COVER * len(hit[0]), text)
    found = [
        Word(hit.start(), hit.end(), hit[0], way)
        for way, words in _WAYS.items()
        for hit in re.finditer(
            rf"(?<![\w\u2010\u2011-])(?:{'|'.join(words)})(?![\w\u2010\u2011-])", text, re.IGNORECASE
        )
    ]
    return sorted(found, key=lambda word: word.start)


def superlatives(text: str) -> list[Word]:
    """The words that put something before all others."""
    return [Word(hit.start(), hit.end(), hit[0], hit[0].lower()) for hit in _SUPERLATIVES.finditer(text)]


def clause(text: str, at: int) -> tuple[int, int]:
    """Where the clause around a position starts and ends."""
    ends = [0, *(hit.end() for hit in _BREAK.finditer(text)), len(text)]
    return max(end for end in ends if end <= at), min(end for end in ends if end > at)
