"""Draw the last values of a metric as one small line with its target and a dot at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from dataops_nb.reports.pages import markup

WIDTH, HEIGHT, EDGE = 120, 28, 3  # in the drawing's own units


class Point(NamedTuple):
    """A place in the drawing, as SVG takes it."""

    x: str
    y: str


def draw(past: Sequence[float | None], description: str, target: float | None = None) -> Markup:
    """Draw values, oldest first, with gaps where they are missing; nothing for fewer than two.

    `description` is the text alternative. A target is a line of its own across the drawing.
    """
    known = [value for value in past if value is not None]
    if len(known) < 2:
        return Markup()
    ends = [*known, target] if target is not None else known
    low, high = min(ends), max(ends)
    pieces = _pieces(past, low, high)
    level = ""
    if target is not None:
        level = f"{_height(target, low, high):.1f}"
    return markup.fill(
        "sparkline.html.j2",
        description=description,
        lines=[" ".join(f"{point.x},{point.y}" for point in piece) for piece in pieces],
        end=pieces[-1][-1],
        level=level,
        width=WIDTH,
        height=HEIGHT,
    )


def _pieces(past: Sequence[float | None], low: float, high: float) -> list[list[Point]]:
    """Return the points of each unbroken piece."""
    step = WIDTH / max(1, len(past) - 1)
    pieces: list[list[Point]] = [[]]
    for place, value in enumerate(past):
        if value is None:
            pieces.append([])
        else:
            pieces[-1].append(Point(f"{place * step:.0f}", f"{_height(value, low, high):.1f}"))
    return [points for points in pieces if points]


def _height(value: float, low: float, high: float) -> float:
    room = (high - low) or 1.0
    return HEIGHT - EDGE - (value - low) / room * (HEIGHT - 2 * EDGE)
