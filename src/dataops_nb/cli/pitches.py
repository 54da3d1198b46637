"""The gate of the pitches, for `dataops-nb check`: what fails, in which file and line, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dataops_nb import board, story
from dataops_nb.definitions import reading
from dataops_nb.definitions.models import Grain
from dataops_nb.errors import Mistake
from dataops_nb.sources import Catalog


def mistakes(params: Path, catalog: Catalog) -> list[Mistake]:
    """Every fault of every pitch, judged on the last complete period of the metric's own grain (week where it has one)."""
    grains: dict[Grain, list[str]] = {}
    for name, metric in catalog.definitions.metrics.items():
        if metric.pitch:
            grains.setdefault("week" if "week" in metric.grains else metric.grains[0], []).append(name)
    found = [each for grain, names in grains.items() for each in story.pitches(board.of(catalog, names, grain=grain))]
    return [mistake for each in found for mistake in _mistakes(params, catalog, each)]


def _mistakes(params: Path, catalog: Catalog, each: story.Pitch) -> Iterator[Mistake]:
    file = f"departments/{catalog.definitions.department_of(each.metric)}.yaml"
    key = f"metrics.{each.metric}.pitch.{each.variant}"
    for fault in each.faults:
        yield Mistake(f"params/{file}", _line(params / file, file, each), key, fault)


def _line(path: Path, file: str, each: story.Pitch) -> int:
    node, _ = reading.read(path, file)
    for step in ("metrics", each.metric, "pitch", each.variant):
        node = node.step(step) if node else None
    return node.line if node else 1
