"""Changes of level that nobody has written down: `check` proposes the line that does.

A level is looked for at the shortest grain of each metric at which limits look for one.
"""

from __future__ import annotations

from pathlib import Path

from dataops_nb import board, numbers
from dataops_nb.board import rebases
from dataops_nb.definitions.nodes import Node, read
from dataops_nb.errors import Mistake
from dataops_nb.limits.regimes import IN_A_YEAR
from dataops_nb.sources.catalog import Catalog
from dataops_nb.terms import Grain


def notices(params: Path, catalog: Catalog) -> list[Mistake]:
    """List the metrics on a new level, each with its file, its line and what to write there.

    The definitions must hold no mistake, the data no fault. What the rows of a table of indicators
    make has no line of its own, and none is proposed.
    """
    listed: list[Mistake] = []
    roots: dict[str, Node] = {}
    for grain, names in _by_grain(catalog).items():
        measured = board.measure(catalog, names, grain=grain)
        for proposed in rebases.propose(measured):
            department = catalog.declared.department_of(proposed.metric)
            file = f"departments/{department}.yaml"
            if file not in roots:
                roots[file] = read(params / file, file)[0] or Node({})
            node = roots[file].step("metrics") or roots[file]
            node = node.step(proposed.metric) or node
            key = f"metrics.{proposed.metric}.limits"
            listed.append(Mistake(file, node.line, key, _message(measured, proposed)))
    return listed


def _by_grain(catalog: Catalog) -> dict[Grain, list[str]]:
    """Return the declared metrics by their shortest grain at which a level is looked for."""
    names: dict[Grain, list[str]] = {}
    for name, metric in catalog.declared.metrics.items():
        grains = [grain for grain in metric.grains if grain in IN_A_YEAR]
        if grains:
            names.setdefault(min(grains, key=list(IN_A_YEAR).index), []).append(name)
    return names


def _message(measured: board.Board, proposed: rebases.Rebase) -> str:
    unit = measured.company.metrics[proposed.metric].unit
    written = numbers.of(measured)
    before, now = (written.number(level, unit) for level in (proposed.before, proposed.now))
    return (
        f"its level changed on {proposed.since}, from {before} to {now}; "
        f"if it is there to stay, write {proposed.line}"
    )
