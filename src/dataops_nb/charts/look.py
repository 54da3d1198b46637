"""The look of charts: altair as we need it, and labels that do not stand on each other.

A chart leaves a notebook as SVG to look at, or as its
specification during a refresh; its axes have the signs and names of the company's locale.

Names of lines that lie together would be written over each other. So they stand in a column at the
right end, each as near to its line as the others allow. The last point's value and period stand
among them: a label above or below the point would lie on the line.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache, wraps
from typing import Any, TypeVar, cast

import altair as alt
import pandas as pd
import vl_convert
from altair.utils import schemapi
from babel import Locale
from babel.numbers import get_decimal_symbol, get_group_symbol

from dataops_nb import numbers
from dataops_nb.board import Board
from dataops_nb.numbers import DEFAULT

Drawing = TypeVar("Drawing", bound=Callable[..., Any])
REFRESHING = "DATAOPS_NB_REFRESH"
MIME = "application/vnd.vegalite.v6+json"
WIDTH, HEIGHT = 620, 260
INK, FAINT, ACCENT = "#1f2933", "#8a94a0", "#1f5fa8"
LIGHTS = {"green": "#00805e", "yellow": "#f0b429", "red": "#b3261e", "unknown": "#8a94a0"}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_CONFIG = {
    "font": FONT,
    "background": "#ffffff",
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": "#e6e9ed",
        "domainColor": FAINT,
        "tickColor": FAINT,
        "labelLimit": 220,
        "labelSeparation": 9,
    },
}
# What a chart of an analyst's own has where it says nothing else. Ours say all of it themselves.
_OWN = {
    "title": {"anchor": "start", "fontSize": 15, "fontWeight": 600, "color": INK, "offset": 12},
    "header": {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12},
    "legend": {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12},
    "timeFormat": "%-d %b %Y",
    "axisTemporal": {
        "format": {
            "year": "%Y",
            "quarter": "%B",
            "month": "%B",
            "week": "%-d %b",
            "date": "%-d %b",
            "hours": "%H:%M",
        }
    },
    "range": {
        "category": ["#1f5fa8", "#c0582c", "#00805e", "#8a5fb0", "#8a94a0", "#5b7f1e"],
        "ramp": ["#dbe6f3", "#1f5fa8"],
        "heatmap": ["#dbe6f3", "#1f5fa8"],
    },
    **{mark: {"color": ACCENT} for mark in ("area", "bar", "circle", "line", "point", "square")},
}
_SUNDAY_FIRST = (6, 0, 1, 2, 3, 4, 5)
_MONTHS = range(1, 13)
GAP = 0.075  # the share of a plot's height that a line of small letters takes on a phone
FAINT_INK = "#5c6670"
RIM: Any = {"stroke": "#ffffff", "strokeWidth": 4}  # the page around letters
_NAME: Any = {"align": "left", "dx": 9, "fontSize": 11, "baseline": "middle", "limit": 170}
_POINT: Any = {**_NAME, "fontSize": 12, "fontWeight": 600}


# What goes up and what goes down, in two colours that are told apart in any kind of sight.
RISE, FALL = "#1f5fa8", "#c0582c"


class Chart(alt.Chart):
    """A chart that becomes a layer: altair copies each layer several times, here by reference.

    What it sets in its copies are fields of their own; what stands in these is not changed.
    """

    def __deepcopy__(self, memo: Any = None) -> Chart:
        return self.copy(deep=False)


class _Unchecked:
    """A kind of chart that altair shows without checking it and its parts against its schema."""

    def to_dict(self, validate: bool = False, **options: Any) -> dict[str, Any]:
        """Return the specification, unchecked unless somebody asks for the check."""
        with schemapi.debug_mode(False):
            spec: dict[str, Any] = super().to_dict(validate, **options)  # type: ignore[misc]
        return spec


@cache
def _unchecked(kind: Any) -> Any:
    return type(kind.__name__, (_Unchecked, kind), {"__module__": kind.__module__})


def unchecked(draw: Drawing) -> Drawing:
    """Let altair check neither the parts of a chart of ours nor the whole: tests check these.

    In a report the checks would take an eighth of the time. What an analyst changes in such a chart
    is still checked when it is changed.
    """

    @wraps(draw)
    def drawn(*given: Any, **named: Any) -> Any:
        with schemapi.debug_mode(False):
            chart = draw(*given, **named)
        if isinstance(chart, alt.TopLevelMixin):
            # altair takes what is set in the plain way for a field of the chart
            kind: Any = type(chart)
            object.__setattr__(chart, "__class__", _unchecked(kind))
        return chart

    return cast("Drawing", drawn)


def enable() -> None:
    """Register and choose the package's renderer, and its style for a notebook's own charts."""
    alt.theme.register("dataops-nb", enable=True)(_theme)
    alt.renderers.register("dataops-nb", _render)
    alt.renderers.enable("dataops-nb")
    alt.data_transformers.disable_max_rows()


def _theme() -> alt.theme.ThemeConfig:
    view = {"stroke": None, "continuousWidth": WIDTH, "continuousHeight": HEIGHT}
    locale = locale_config(numbers.home())
    config: Any = {**_CONFIG, **_OWN, **locale, "view": view}  # its type names every key there is
    return {"config": config}


def styled(
    board: Board,
    chart: alt.Chart | alt.LayerChart | alt.FacetChart,
    title: str,
    description: str,
    legend: Sequence[str] = (),
) -> Any:
    """Return the chart with its title, its text alternative and the house style; see `style`."""
    # Set without copying the layers: each `.configure` of altair would copy them all.
    dressed = chart.copy(deep=False)
    for name, value in style(board, title, description, legend).items():
        dressed[name] = value
    return dressed


def style(board: Board, title: str, description: str, legend: Sequence[str] = ()) -> dict[str, Any]:
    """Return title, text alternative and house style as keywords of a chart.

    The axes have the signs of the company's locale. `legend` says line by line what the numbers
    in the chart stand for.
    """
    head: dict[str, Any] = {
        "anchor": "start",
        "fontSize": 15,
        "fontWeight": 600,
        "color": INK,
        "offset": 12,
    }
    if legend:
        head["offset"] = 18
        head["subtitle"] = list(legend)
        head["subtitleFontSize"] = 12
        head["subtitleColor"] = INK
    config = _CONFIG | locale_config(board.company.locale)
    return {
        "title": alt.TitleParams(title, **head),
        "description": description,
        "config": config,
    }


def value_axis(unit: str, locale: str = DEFAULT) -> alt.Axis:
    """Return the axis of a metric's values: percentages, amounts of money, or numbers (`20k`)."""
    if unit == "percent":
        return alt.Axis(title=None, format="~%", tickCount=5)
    # Below one the letters of `~s` would be thousandths and millionths: 500m for a half.
    short = "format(datum.value, abs(datum.value) < 1 ? '~f' : '~s')"
    if not numbers.is_currency(unit):
        return alt.Axis(title=None, labelExpr=short, tickCount=5)
    before, after = numbers.around(locale, unit)
    return alt.Axis(title=None, labelExpr=f"'{before}' + {short} + '{after}'", tickCount=5)


def _render(spec: dict[str, Any], **_: Any) -> dict[str, Any]:
    text = str(spec.get("description") or "Chart")
    if os.environ.get(REFRESHING):
        return {MIME: spec, "text/plain": text}
    return {"image/svg+xml": vl_convert.vegalite_to_svg(spec), "text/plain": text}


@cache
def locale_config(locale: str) -> dict[str, Any]:
    """Return `config.locale` of a Vega chart; nothing for the locale that Vega has by itself."""
    if locale == DEFAULT:
        return {}
    known = Locale.parse(locale)
    return {"locale": {"number": _number_signs(locale, known), "time": _time_names(known)}}


def _number_signs(locale: str, known: Locale) -> dict[str, Any]:
    first, others = map(int, known.decimal_formats[None].grouping)
    return {
        "decimal": get_decimal_symbol(locale),
        "thousands": get_group_symbol(locale),
        "grouping": [first] + [others] * 8,
        "currency": ["", ""],
    }


def _time_names(known: Locale) -> dict[str, Any]:
    days, months = known.days["format"], known.months["format"]
    halves = known.day_periods["format"]["wide"]
    return {
        "dateTime": "%Y-%m-%d %H:%M:%S",
        "date": "%Y-%m-%d",
        "time": "%H:%M:%S",
        "periods": [halves.get("am", "AM"), halves.get("pm", "PM")],
        "days": [days["wide"][day] for day in _SUNDAY_FIRST],
        "shortDays": [days["abbreviated"][day] for day in _SUNDAY_FIRST],
        "months": [months["wide"][month] for month in _MONTHS],
        "shortMonths": [months["abbreviated"][month] for month in _MONTHS],
    }


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Move places as little as it takes to be `gap` apart; their order stays.

    Least squares under an order, by pooling adjacent ones that come too close (Ayer et al. 1955,
    Annals of Mathematical Statistics 26, 641-647), after each place has been lowered by the gaps
    below it.
    """
    order = sorted(range(len(places)), key=lambda index: places[index])
    pools: list[tuple[float, int]] = []  # the mean and the size of each
    for rank, index in enumerate(order):
        mean, size = places[index] - rank * gap, 1
        while pools and pools[-1][0] > mean:
            lower_mean, lower_size = pools.pop()
            total = lower_mean * lower_size + mean * size
            size += lower_size
            mean = total / size
        pools.append((mean, size))

    levels: list[float] = []
    for mean, size in pools:
        levels += [mean] * size
    moved = [0.0] * len(places)
    for rank, index in enumerate(order):
        moved[index] = levels[rank] + rank * gap
    return moved


def ends(
    named: Sequence[tuple[str, float]],
    at: pd.Timestamp,
    drawn: pd.Series,
    colour: str = FAINT_INK,
    point: tuple[Sequence[str], float] | None = None,
) -> list[alt.Chart]:
    """Draw the names of lines at their right end.

    `named` are the names with the values at which the lines end, `at` is the last period, `drawn`
    holds all values that are drawn. `point` has the lines of the last point's label, and its value.
    """
    lines, value = point or ((), 0.0)
    labels = [*named, *((line, value) for line in reversed(lines))]
    if not labels:
        return []
    low, high = float(drawn.min()), float(drawn.max())
    # Where all values are equal, invisible labels make the plot as high as the names need.
    invisible: list[float] = []
    if high <= low:
        low, high = low - (0.5 * abs(low) or 1.0), high + (0.5 * abs(high) or 1.0)
        invisible = [low, high]
    places = spread([value for _, value in labels], GAP * (high - low))
    rows: list[dict[str, Any]] = []
    for place, (name, _) in zip(places, labels, strict=True):
        rows.append(_label_row(at, place, name))
    names, own = rows[: len(named)], rows[len(named) :]
    for place in invisible:
        names.append(_label_row(at, place, ""))
    layers = _haloed(names, _NAME, colour) if names else []
    return [*layers, *(_haloed(own, _POINT, INK) if own else [])]


def _label_row(at: pd.Timestamp, place: float, text: str) -> dict[str, Any]:
    midnight = f"{at:%Y-%m-%dT00:00:00}"
    return {"period_start": midnight, "value": float(f"{place:.6g}"), "text": text}


def _haloed(rows: list[dict[str, Any]], place: dict[str, Any], colour: str) -> list[alt.Chart]:
    """Draw letters over a rim in the colour of the page, to be read across a line."""
    base = Chart(alt.InlineData(values=tuple(rows))).encode(
        x=alt.X("period_start:T"), y=alt.Y("value:Q"), text=alt.Text("text:N")
    )
    return [
        base.mark_text(**place, **RIM),
        base.mark_text(**place, color=colour),
    ]
