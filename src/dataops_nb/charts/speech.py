"""The signs and names on a chart's axes, as in a company's locale: what Vega takes in `config.locale`."""

from __future__ import annotations

from functools import cache
from typing import Any

from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol

from dataops_nb.story.numbers import DEFAULT

_SUNDAY_FIRST = (6, 0, 1, 2, 3, 4, 5)


@cache
def config(locale: str) -> dict[str, Any]:
    """What a chart's configuration says of a locale; nothing for the one that Vega has by itself."""
    if locale == DEFAULT:
        return {}
    known = Locale.parse(locale)
    first, then = map(int, known.decimal_formats[None].grouping)
    number = {
        "decimal": get_decimal_symbol(locale),
        "thousands": get_group_symbol(locale),
        "grouping": [first, *([then] * 8)],
        "currency": ["", ""],
    }
    days, months = known.days["format"], known.months["format"]
    time = {
        "dateTime": "%Y-%m-%d %H:%M:%S",
        "date": "%Y-%m-%d",
        "time": "%H:%M:%S",
        "periods": [known.day_periods["format"]["wide"].get(half, half.upper()) for half in ("am", "pm")],
        "days": [days["wide"][day] for day in _SUNDAY_FIRST],
        "shortDays": [days["abbreviated"][day] for day in _SUNDAY_FIRST],
        "months": [months["wide"][month] for month in range(1, 13)],
        "shortMonths": [months["abbreviated"][month] for month in range(1, 13)],
    }
    return {"locale": {"number": number, "time": time}}
