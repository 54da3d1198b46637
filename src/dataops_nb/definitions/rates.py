"""Find targets of rates that are judged at a grain which nobody set.

Of the customers of a period ago about four times as many leave in a month as in a week. A target of
0.5 % is easy at one of the two and hard at the other, so a light says little as long as nobody says
which one is meant. That is so of every flow over a stock, of a stock over a flow, and of what is
added to them (the share that stayed is one less the share that left). A flow over a
flow, an average, a window or a conversion is the same size in a week and in a month.
"""

from __future__ import annotations

from pathlib import Path

from dataops_nb.definitions.models import Definitions
from dataops_nb.definitions.nodes import Node, read
from dataops_nb.errors import Mistake
from dataops_nb.lineage import is_quotient, time_power
from dataops_nb.metrics import AnyMetric, OwnTarget


def notices(params: Path, definitions: Definitions) -> list[Mistake]:
    """List the targets of rates that should say `grain:`, each with its file and line.

    They are those of a metric that divides by another one, changes with the length of its period,
    makes sense at more than one grain and is judged by lights, where the target has neither
    `grain:` nor `per:`. The definitions must hold no mistake.
    """
    listed: list[Mistake] = []
    for department_id, department in definitions.departments.items():
        file = f"departments/{department_id}.yaml"
        root: Node | None = None
        for metric_id, metric in department.metrics.items():
            positions = _without_grain(definitions, metric_id, metric)
            if positions and root is None:
                root, _ = read(params / file, file)
            for position in positions:
                node = _place(root or Node({}), metric_id, position)
                message = _message(metric_id, metric)
                key = f"metrics.{metric_id}.targets[{position}].grain"
                listed.append(Mistake(file, node.line, key, message))
    return listed


def _without_grain(definitions: Definitions, metric_id: str, metric: AnyMetric) -> list[int]:
    """Return the positions of a rate's targets that hold at more grains than anybody has said."""
    is_judged = definitions.lights(metric_id) is not None
    if not is_judged or len(metric.grains) == 1 or not is_quotient(metric):
        return []
    if time_power(definitions.metrics, metric_id) == 0:
        return []
    positions: list[int] = []
    for position, target in enumerate(metric.targets):
        if not isinstance(target, OwnTarget) and target.grain is None and target.per is None:
            positions.append(position)
    return positions


def _place(root: Node, metric_id: str, position: int) -> Node:
    """Return the target as it is written; where a default says it, the metric."""
    node = root
    for step in ("metrics", metric_id, "targets", position):
        node = node.step(step) or node
    return node


def _message(metric_id: str, metric: AnyMetric) -> str:
    *others, last = metric.grains
    return (
        f"the target holds at every grain, and {metric_id} changes with the length of its period; "
        f"say which one it was agreed for, as grain: {', '.join(others)} or {last}"
    )
