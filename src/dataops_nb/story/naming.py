"""Naming: the words of a company that stand in sentences and claim nothing - labels, titles, what a light means."""

from __future__ import annotations

from collections.abc import Iterator

from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Lights


def names(definitions: Definitions) -> list[str]:
    """Every label, title, owner and agreed wording of the definitions, each once."""
    return list(dict.fromkeys(name for name in _names(definitions) if name))


def _names(definitions: Definitions) -> Iterator[str]:
    yield definitions.company.company
    for name, source in definitions.company.sources.items():
        yield from (name, source.system, source.owner or "")
    for lights in definitions.company.lights.values():
        yield from _agreed(lights)
    for department in definitions.departments.values():
        yield from (department.department, department.owner or "")
    for id_, metric in definitions.metrics.items():
        yield definitions.label(id_)
        for accepted in metric.accept:
            yield from (accepted.owner, accepted.because)
        if (own := definitions.lights(id_)) is not None:
            yield from _agreed(own)


def _agreed(lights: Lights) -> Iterator[str]:
    for said in (lights.green, lights.yellow, lights.red):
        if said is not None:
            yield from (said.means, said.do)
            if said.act_within:
                yield f"within {said.act_within}"
