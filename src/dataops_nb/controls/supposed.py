"""What would be agreed differently about a metric: its targets, its lights, its policy. None of it changes a value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Grain, Lights, OwnTarget, SourceTarget, Target, parse_number

Policy = Literal["target", "capability"]
AnyTarget = Target | SourceTarget | OwnTarget
Metrics = Mapping[str, "Difference"]


@dataclass(frozen=True)
class Difference:
    """What is agreed differently about one metric; None where it is as the company says."""

    targets: tuple[AnyTarget, ...] | None = None
    lights: Lights | None = None
    policy: Policy | None = None

    def __bool__(self) -> bool:
        return not (self.targets is None and self.lights is None and self.policy is None)


def laid(definitions: Definitions, changes: Metrics) -> Definitions:
    """The definitions with these differences; those of metrics that nobody knows are left out."""
    if not any(changes.values()):
        return definitions
    departments = dict(definitions.departments)
    for name, change in changes.items():
        if name not in definitions.metrics:
            continue
        owner = definitions.department_of(name)
        metrics = {**departments[owner].metrics, name: definitions.metrics[name].model_copy(update=_update(change))}
        departments[owner] = departments[owner].model_copy(update={"metrics": metrics})
    return definitions.model_copy(update={"departments": departments})


def differences(base: Definitions, other: Definitions) -> dict[str, Difference]:
    """What other definitions agree on differently about the metrics that both know; only where there is something."""
    found = {name: _between(base, other, name) for name in base.metrics if name in other.metrics}
    return {name: each for name, each in found.items() if each}


def measures_alike(base: Definitions, other: Definitions) -> bool:
    """Whether every value is the same under both: they differ in what is agreed, and in nothing that is counted."""
    plain: dict[str, Any] = {"lights": {}, "north_star": []}
    company = base.company.model_copy(update=plain) == other.company.model_copy(update=plain)
    counted = [{name: _counted(each) for name, each in one.metrics.items()} for one in (base, other)]
    return company and counted[0] == counted[1] and base.holidays == other.holidays


def beyond(base: Definitions, other: Definitions) -> list[str]:
    """What other definitions say differently that is neither a target, nor a light, nor a policy: the names of it."""
    said = laid(base, differences(base, other))
    parts = [name for name in type(base.company).model_fields
             if name != "lights" and getattr(base.company, name) != getattr(other.company, name)]  # fmt: skip
    parts += [name for name in ("suites", "events", "solve_next", "glossary", "holidays")
              if getattr(base, name) != getattr(other, name)]  # fmt: skip
    metrics = [name for name in dict.fromkeys([*base.metrics, *other.metrics])
               if not _same(said.metrics.get(name), other.metrics.get(name))]  # fmt: skip
    return [*parts, *metrics]


def in_force(targets: Iterable[AnyTarget], day: dt.date) -> int | None:
    """The place of the dated target that holds on a day; None where none does, and where data say the targets."""
    known = list(targets)
    begun = [(each.from_ or dt.date.min, place) for place, each in enumerate(known)
             if isinstance(each, Target) and (each.from_ is None or each.from_ <= day)]  # fmt: skip
    return max(begun)[1] if begun and all(isinstance(each, Target) for each in known) else None


def with_target(
    definitions: Definitions, metric: str, day: dt.date, grain: Grain | None, **said: float
) -> tuple[AnyTarget, ...]:
    """A metric's targets where the one that holds on a day has another `value`, or another band `low`..`high`.

    Everything else that is agreed about it stays: since when, for which period, its seasons. Where no dated target holds, one
    for every period of `grain` (None: for every day) is put in place of whatever else there is.
    """
    known = definitions.metrics[metric].targets
    unit = definitions.metrics[metric].unit
    place = in_force(known, day)
    numbers = {name: written(value, unit) for name, value in said.items()}
    if place is None:
        return (Target(per=grain, **numbers),)  # type: ignore[arg-type]
    return tuple(each.model_copy(update=numbers) if i == place else each for i, each in enumerate(known))


def with_lights(agreed: Lights, green: float, yellow: float | None) -> Lights:
    """A company's agreement with other thresholds, as attainments; what the colours mean and ask for stays."""
    green = written(green)
    update: dict[str, Any] = {"green": agreed.green.model_copy(update={"at_least": green})}
    if agreed.yellow is not None and yellow is not None:
        update["yellow"] = agreed.yellow.model_copy(update={"at_least": min(written(yellow), written(green - 0.01))})
    return agreed.model_copy(update=update)


def written(value: float, unit: str = "") -> float:
    """A number as a file can say it and give it back: ten digits, of a percentage where the unit is one."""
    return float(parse_number(f"{value * 100:.10g}%")) if unit == "percent" else float(f"{value:.10g}")


def trimmed(definitions: Definitions, metric: str, change: Difference) -> Difference:
    """The difference without what the company says anyway."""
    said = definitions.metrics[metric]
    return replace(
        change,
        targets=None if change.targets is None or list(change.targets) == said.targets else change.targets,
        lights=None if change.lights == definitions.lights(metric) else change.lights,
        policy=None if change.policy == policy_of(definitions, metric) else change.policy,
    )


def policy_of(definitions: Definitions, metric: str) -> Policy:
    """How a metric's light is decided: against its target, or by its own past as well."""
    lights = definitions.lights(metric)
    return definitions.metrics[metric].policy or (lights.policy if lights else "target")


def _update(change: Difference) -> dict[str, Any]:
    said = {"lights": change.lights, "policy": change.policy}
    found: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
    return found if change.targets is None else {**found, "targets": list(change.targets)}


def _between(base: Definitions, other: Definitions, metric: str) -> Difference:
    ours, theirs = base.metrics[metric], other.metrics[metric]
    lights = other.lights(metric)
    found = Difference(
        None if theirs.targets == ours.targets else tuple(theirs.targets),
        None if lights == base.lights(metric) else lights,
        policy_of(other, metric),
    )
    return trimmed(base, metric, found)


_AGREED: dict[str, Any] = {"targets": [], "lights": None, "policy": None}


def _counted(metric: Any) -> Any:
    """A metric without what may be agreed otherwise while its values stay the same."""
    plain = {"limits": type(metric).model_fields["limits"].default, "accept": [], "label": None, "question": None}
    return metric.model_copy(update={**_AGREED, **plain, "pitch": {}, "pitch_choice": None, "moves": []})


def _same(ours: Any, theirs: Any) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return bool(ours.model_copy(update=_AGREED) == theirs.model_copy(update=_AGREED))
