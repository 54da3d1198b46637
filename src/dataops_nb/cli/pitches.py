"""Check the pitches, for `dataops-nb check`; apart, because mistakes in files wait for no pandas.

A faulty pitch is a mistake in the file and line where it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dataops_nb import board, cli
from dataops_nb.definitions import nodes
from dataops_nb.errors import Mistake
from dataops_nb.sources.catalog import Catalog
from dataops_nb.story.pitch import Pitch, pitches
from dataops_nb.terms import Grain


def mistakes(params: Path, catalog: Catalog) -> list[Mistake]:
    """Return every fault of every pitch.

    A pitch is judged on the last complete period of its metric, by week where it has weeks.
    """
    metrics_by_grain: dict[Grain, list[str]] = {}
    for name, metric in catalog.company.metrics.items():
        if metric.pitch:
            grain = cli.usual_grain(metric.grains)
            metrics_by_grain.setdefault(grain, []).append(name)
    judged: list[Pitch] = []
    for grain, metrics in metrics_by_grain.items():
        judged += pitches(board.measure(catalog, metrics, grain=grain))
    mistakes: list[Mistake] = []
    for pitch in judged:
        department = catalog.company.department_of(pitch.metric)
        mistakes += _mistakes(params, department, pitch)
    return mistakes


def _mistakes(params: Path, department: str, pitch: Pitch) -> Iterator[Mistake]:
    file = f"departments/{department}.yaml"
    key = f"metrics.{pitch.metric}.pitch.{pitch.variant}"
    for fault in pitch.faults:
        yield Mistake(f"params/{file}", _line(params / file, file, pitch), key, fault)


def _line(path: Path, file: str, pitch: Pitch) -> int:
    """Return the line of a pitch in its department's file; 1 where it cannot be found."""
    node, _ = nodes.read(path, file)
    for step in ("metrics", pitch.metric, "pitch", pitch.variant):
        if node is None:
            return 1
        node = node.step(step)
    if node is None:
        return 1
    return node.line
