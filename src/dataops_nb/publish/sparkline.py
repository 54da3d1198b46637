"""Small lines: the last values of a metric as a picture of a few bytes, beside its number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from dataops_nb.publish.markup import text
from dataops_nb.story import numbers

WIDTH, HEIGHT, EDGE = 120, 28, 3


def draw(label: str, past: Sequence[float | None], unit: str, grain: str, locale: str = numbers.DEFAULT) -> str:
    """The values as one line with gaps where they are missing; a text says lowest, highest and last. Nothing below two."""
    known = [value for value in past if value is not None]
    if len(known) < 2:
        return ""
    low, high, last = (numbers.at(locale).number(value, unit) for value in (min(known), max(known), known[-1]))
    said = f"{label}, the last {len(past)} {grain}s: between {low} and {high}, most recently {last}."
    lines = "".join(f'<polyline points="{" ".join(piece)}"/>' for piece in _pieces(past, min(known), max(known)))
    return (
        f'<svg class="nb-spark" role="img" aria-label="{text(said)}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'preserveAspectRatio="none">{lines}</svg>'
    )


def _pieces(past: Sequence[float | None], low: float, high: float) -> Iterator[list[str]]:
    step, room = WIDTH / max(1, len(past) - 1), (high - low) or 1.0
    places = [
        (i * step, None if value is None else HEIGHT - EDGE - (value - low) / room * (HEIGHT - 2 * EDGE))
        for i, value in enumerate(past)
    ]
    for known, piece in groupby(places, key=lambda place: place[1] is not None):
        if known:
            yield [f"{x:.0f},{y:.1f}" for x, y in piece]
