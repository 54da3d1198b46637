"""Labels that stand beside what they name, and not on each other.

Lines that lie together would have their names written over each other. So the names stand in a column at the right end, each at
its line where there is room, else as near as the others allow; what is said of the last point goes to its emptier side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from dataops_nb.charts.rendering import INK

GAP = 0.075  # what a line of small letters takes of the height of a plot on a phone
FAINT_INK = "#5c6670"
PAGE = "#ffffff"
NEAR = 0.4  # how far to the left of the last point its label reaches, as a share of the periods


def spread(places: Sequence[float], gap: float) -> list[float]:
    """The same places moved as little as it takes to be `gap` apart, in their order.

    Least squares under an order, by pooling adjacent ones that come too close (Ayer et al. 1955, Annals of Mathematical
    Statistics 26, 641-647), after each place has been lowered by the gaps below it.
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    blocks: list[tuple[float, int]] = []  # the mean and the size of each pool
    for rank, i in enumerate(order):
        mean, size = places[i] - rank * gap, 1
        while blocks and blocks[-1][0] > mean:
            below, count = blocks.pop()
            mean, size = (below * count + mean * size) / (count + size), size + count
        blocks.append((mean, size))
    level = [mean for mean, size in blocks for _ in range(size)]
    found = dict(zip(order, (mean + rank * gap for rank, mean in enumerate(level)), strict=True))
    return [found[i] for i in range(len(places))]


def ends(
    named: Sequence[tuple[str, float]], at: pd.Timestamp, drawn: pd.Series, colour: str = FAINT_INK
) -> list[alt.Chart]:
    """The names of lines at their right end (`at`), each at the height at which its line ends; `drawn` is all that is drawn."""
    if not named:
        return []
    low, high = float(drawn.min()), float(drawn.max())
    beyond = [] if high > low else [low - (0.5 * abs(low) or 1.0), high + (0.5 * abs(high) or 1.0)]
    height = beyond[1] - beyond[0] if beyond else high - low
    places = spread([place for _, place in named], GAP * height)
    rows = [_row(at, place, name) for place, (name, _) in zip(places, named, strict=True)]
    rows += [_row(at, place, "") for place in beyond]  # one level would be as high as its names need
    return _haloed(rows, {"align": "left", "dx": 9, "fontSize": 11, "baseline": "middle", "limit": 170}, colour)


def above(rows: pd.DataFrame, value: float) -> bool:
    """Whether a label of the last value finds more room above it than below: fewer of the last points lie there."""
    fields = [name for name in ("value", "target", "target_high", "same_last_year") if name in rows]
    drawn = pd.concat([rows[name] for name in fields]).dropna()
    gap = GAP * float(drawn.max() - drawn.min())
    last = pd.concat([rows[name].tail(max(2, int(NEAR * len(rows)))) for name in fields]).dropna()
    over = last.between(value + 0.4 * gap, value + 2.6 * gap).sum()
    under = last.between(value - 2.6 * gap, value - 0.4 * gap).sum()
    return bool(over <= under)


def said(at: pd.Timestamp, value: float, text: str, *, over: bool) -> list[alt.Chart]:
    """What is said of the last point, over it or under it."""
    place: Any = {"align": "right", "dx": -2, "dy": -14 if over else 15, "fontSize": 13, "fontWeight": 600}
    return _haloed([_row(at, value, text)], place, INK)


def _row(at: pd.Timestamp, place: float, text: str) -> dict[str, Any]:
    return {"period_start": f"{at:%Y-%m-%dT00:00:00}", "value": float(f"{place:.6g}"), "text": text}


def _haloed(rows: list[dict[str, Any]], place: dict[str, Any], colour: str) -> list[alt.Chart]:
    """Letters before a rim in the colour of the page, so that they can be read across a line."""
    base = alt.Chart(alt.InlineData(values=tuple(rows))).encode(
        x=alt.X("period_start:T"), y=alt.Y("value:Q"), text=alt.Text("text:N")
    )
    return [base.mark_text(**place, stroke=PAGE, strokeWidth=4), base.mark_text(**place, color=colour)]
