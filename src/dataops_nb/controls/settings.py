"""Settings: what somebody looks at, compares with, and supposes was agreed differently.

What is supposed are other agreements about a metric - its targets, its lights, its policy, its
limits - which change no value. Knobs say which settings a metric has, from where to where, and in
what steps.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pandas as pd

from dataops_nb import numbers
from dataops_nb.board import Board
from dataops_nb.company import Company
from dataops_nb.metrics import Lights, Limits, OwnTarget, SourceTarget, Target, targets_at
from dataops_nb.periods import Period
from dataops_nb.terms import Grain, parse_number

PREVIOUS, LAST_YEAR = "previous", "same_last_year"
Policy = Literal["target", "capability"]
AnyTarget = Target | SourceTarget | OwnTarget
Metrics = Mapping[str, "Difference"]
# Fields of a company that change no value.
_NOT_COUNTED = {
    "named_lights",
    "north_star",
    "departments",
    "site_url",
    "suites",
    "events",
    "solve_next",
    "glossary",
}
# Keys and files of params/, each with the field of a company that holds it.
_KEYS = {
    "company": "name",
    "currency": "currency",
    "locale": "locale",
    "timezone": "timezone",
    "data": "data",
    "calendar": "calendar",
    "north_star": "north_star",
    "rates": "rates",
    "sources": "sources",
    "suites": "suites",
    "events": "events",
    "solve_next": "solve_next",
    "glossary": "glossary",
    "holidays": "holidays",
}
# What a `Difference` can hold, as a metric without it has it.
_AGREED: dict[str, Any] = {"targets": [], "lights": None, "policy": None, "limits": Limits()}


@dataclass(frozen=True)
class Difference:
    """What is agreed differently about one metric; None where the company's agreement holds."""

    targets: tuple[AnyTarget, ...] | None = None
    lights: Lights | None = None
    policy: Policy | None = None
    limits: Limits | None = None

    def __bool__(self) -> bool:
        parts = (self.targets, self.lights, self.policy, self.limits)
        return any(part is not None for part in parts)


@dataclass(frozen=True)
class Settings:
    """The metric and period that are shown, and what they are compared with.

    `against` is `previous`, `same_last_year` or the id of a period. `segment` is empty for the
    total, else `dim=value`. `changes` are the supposed differences by metric. `rows` are the ids
    of the periods picked for the table; where there are none it shows the latest.
    """

    metric: str
    period: str
    against: str = PREVIOUS
    segment: str = ""
    changes: Mapping[str, Difference] = field(default_factory=dict)
    rows: tuple[str, ...] = ()

    def supposing(self, company: Company, **parts: object) -> Settings:
        """Return the settings with other `parts` of the agreement about the metric shown.

        Parts that equal the company's own agreement are no difference and are left out.
        """
        changes = dict(self.changes)
        known = changes.pop(self.metric, Difference())
        changed = replace(known, **parts)  # type: ignore[arg-type]
        difference = trimmed(company, self.metric, changed)
        if difference:
            changes[self.metric] = difference
        return replace(self, changes=changes)


def laid(company: Company, changes: Metrics) -> Company:
    """Return the company with these differences; metrics it does not have are skipped."""
    if not any(changes.values()):
        return company
    departments = dict(company.departments)
    for metric_id, change in changes.items():
        if metric_id not in company.metrics:
            continue
        metric = company.metrics[metric_id].model_copy(update=_update(change))
        owner = company.department_of(metric_id)
        metrics = {**departments[owner].metrics, metric_id: metric}
        departments[owner] = departments[owner].model_copy(update={"metrics": metrics})
    return company.model_copy(update={"departments": departments})


def differences(base: Company, other: Company) -> dict[str, Difference]:
    """Return by metric what `other` agrees on differently; only metrics that both have."""
    changes: dict[str, Difference] = {}
    for metric_id in base.metrics:
        if metric_id in other.metrics:
            change = _difference(base, other, metric_id)
            if change:
                changes[metric_id] = change
    return changes


def measures_alike(base: Company, other: Company) -> bool:
    """Tell whether every value is the same under both: only agreements differ."""
    for field_name in type(base).model_fields:
        if field_name not in _NOT_COUNTED and getattr(base, field_name) != getattr(
            other, field_name
        ):
            return False
    if base.metrics.keys() != other.metrics.keys():
        return False
    return all(
        _counted(metric) == _counted(other.metrics[metric_id])
        for metric_id, metric in base.metrics.items()
    )


def beyond(base: Company, other: Company) -> list[str]:
    """List the keys and metrics in which `other` differs by more than `Difference`s."""
    names: list[str] = []
    for key, field_name in _KEYS.items():
        if getattr(base, field_name, None) != getattr(other, field_name, None):
            names.append(key)
    supposed = laid(base, differences(base, other))
    for metric_id in dict.fromkeys([*base.metrics, *other.metrics]):
        ours, theirs = supposed.metrics.get(metric_id), other.metrics.get(metric_id)
        if not _equal_beyond(ours, theirs):
            names.append(metric_id)
    return names


def in_force(targets: Iterable[AnyTarget], day: dt.date, grain: Grain) -> int | None:
    """Return the position of the dated target that holds on a day, at a grain.

    It is None where none has begun, and where the data hold the targets.
    """
    dated: list[Target] = []
    for target in targets:
        if not isinstance(target, Target):
            return None
        dated.append(target)
    begun = [item for item in targets_at(dated, grain) if (item.from_ or dt.date.min) <= day]
    for position, target in enumerate(dated):
        if begun and target is begun[-1]:
            return position
    return None


def with_target(
    company: Company, metric: str, day: dt.date, grain: Grain, **limits: float
) -> tuple[AnyTarget, ...]:
    """Return a metric's targets with another `value`, or band `low`..`high`, on a day at a grain.

    The target that holds on the day keeps its dates, period, grain and seasons. Where no dated
    target holds, a new one for every period of `grain` replaces all others but those that are for
    another grain.
    """
    unit = company.metrics[metric].unit
    targets = list(company.metrics[metric].targets)
    numbers = {name: written(value, unit) for name, value in limits.items()}
    position = in_force(targets, day, grain)
    if position is None:
        key = "per" if company.adds_up(metric) else "grain"
        kept = [item for item in targets if grain_meant(item) not in (None, grain)]
        return (Target(**{key: grain, **numbers}), *kept)  # type: ignore[arg-type]
    targets[position] = targets[position].model_copy(update=numbers)
    return tuple(targets)


def grain_meant(target: AnyTarget) -> Grain | None:
    """Return the one grain that a target is for; None where it holds at every grain."""
    return None if isinstance(target, OwnTarget) else target.grain


def with_lights(agreed: Lights, green: float, yellow: float | None) -> Lights:
    """Return lights with other thresholds, as attainments: 0.95 is 95% of the target.

    Yellow stays below green; with None its own threshold stays.
    """
    green = written(green)
    changes: dict[str, Any] = {"green": agreed.green.model_copy(update={"at_least": green})}
    if agreed.yellow is not None and yellow is not None:
        below_green = min(written(yellow), written(green - 0.01))
        changes["yellow"] = agreed.yellow.model_copy(update={"at_least": below_green})
    return agreed.model_copy(update=changes)


def written(value: float, unit: str = "") -> float:
    """Round a number to the ten digits that a file holds; of a percentage for unit percent."""
    if unit == "percent":
        return float(parse_number(f"{value * 100:.10g}%"))
    return float(f"{value:.10g}")


def trimmed(company: Company, metric: str, change: Difference) -> Difference:
    """Return the difference without the parts that equal the company's own agreement."""
    targets, lights, policy, limits = change.targets, change.lights, change.policy, change.limits
    if targets is not None and list(targets) == company.metrics[metric].targets:
        targets = None
    if lights == company.lights(metric):
        lights = None
    if policy == policy_of(company, metric):
        policy = None
    if limits == company.metrics[metric].limits:
        limits = None
    return replace(change, targets=targets, lights=lights, policy=policy, limits=limits)


def policy_of(company: Company, metric: str) -> Policy:
    """Return how a metric is judged: by its `target`, or by its own past as well."""
    own_policy = company.metrics[metric].policy
    if own_policy is not None:
        return own_policy
    lights = company.lights(metric)
    if lights is None:
        return "target"
    return lights.policy


def _update(change: Difference) -> dict[str, Any]:
    """Return the fields of a metric that a difference replaces."""
    fields: dict[str, Any] = {}
    if change.targets is not None:
        fields["targets"] = list(change.targets)
    if change.lights is not None:
        fields["lights"] = change.lights
    if change.policy is not None:
        fields["policy"] = change.policy
    if change.limits is not None:
        fields["limits"] = change.limits
    return fields


def _difference(base: Company, other: Company, metric: str) -> Difference:
    targets = tuple(other.metrics[metric].targets)
    limits = other.metrics[metric].limits
    change = Difference(targets, other.lights(metric), policy_of(other, metric), limits)
    return trimmed(base, metric, change)


def _counted(metric: Any) -> Any:
    """Return a metric without the fields that may differ while its values stay the same."""
    neutral = {
        **_AGREED,
        "accept": [],
        "label": None,
        "question": None,
        "pitch": {},
        "pitch_choice": None,
        "moves": [],
    }
    return metric.model_copy(update=neutral)


def _equal_beyond(ours: Any, theirs: Any) -> bool:
    """Tell whether two metrics differ by nothing but what a `Difference` holds."""
    if ours is None or theirs is None:
        return ours is theirs
    return bool(ours.model_copy(update=_AGREED) == theirs.model_copy(update=_AGREED))


@dataclass(frozen=True)
class Knob:
    """One slider: the part of a target it sets (`value`, `low`, `high`), its words, its reach."""

    part: str
    label: str
    hint: str
    unit: str
    value: float
    low: float
    high: float
    step: float
    scale: float = 1.0


def target_knobs(view: Board, metric: str, period: Period) -> list[Knob]:
    """Return the sliders of a metric's target in a period: one, or two for a band.

    They are in the terms of its file: per week, per quarter. Where no target is agreed they start
    at the middle of the metric's own past.
    """
    definition = view.company.metrics[metric]
    agreed = _agreed_target(view, metric, period)
    labels = {"value": "Target"}
    if definition.better == "inside":
        labels = {"low": "Lowest target", "high": "Highest target"}
    labels = {part: label + _grain_words(view, metric, agreed) for part, label in labels.items()}
    starts = _start_values(view, metric, agreed)
    starts = {part: starts[part] for part in labels}

    own_values = view.table.loc[view.table["metric"] == metric, "value"].dropna()
    largest = max(abs(value) for value in starts.values())
    # A target per quarter and a value per week have different sizes.
    if agreed is None or not agreed.per:
        largest = max(largest, float(own_values.abs().max() or 0.0))
    scale = 1.0
    unit = _per_words(view, metric, agreed)
    if definition.unit == "percent":
        scale, unit = 100.0, "%"
    high, step = _reach(largest, scale)

    low = 0.0
    has_negative = len(own_values) > 0 and float(own_values.min()) < 0
    if has_negative or next(iter(starts.values())) < 0:
        low = -high
    hint = _since_words(view, agreed)
    return [
        Knob(part, label, hint, unit, starts[part], low, high, step, scale)
        for part, label in labels.items()
    ]


def _agreed_target(view: Board, metric: str, period: Period) -> Target | None:
    dated = view.company.metrics[metric].targets
    position = in_force(dated, period.start, period.grain)
    if position is None:
        return None
    target = dated[position]
    if not isinstance(target, Target):
        return None
    return target


def _start_values(view: Board, metric: str, agreed: Target | None) -> dict[str, float]:
    """Return where each slider starts: at what is agreed, else at what the board shows."""
    row = view.row(metric)
    start = _first(row["target"], row["center"], row["value"], 0.0)
    if agreed is None:
        low, high = row["target_low"], row["target_high"]
        return {"value": start, "low": _first(low, start), "high": _first(high, start)}
    return {
        "value": _first(agreed.value, start),
        "low": _first(agreed.low, row["target_low"], start),
        "high": _first(agreed.high, row["target_high"], start),
    }


def _per_words(view: Board, metric: str, agreed: Target | None) -> str:
    """Return the period that a flow's target is for, as agreed or as a new one would be."""
    per = view.grain if view.company.adds_up(metric) else None
    if agreed is not None:
        per = agreed.per
    if not per:
        return ""
    return f"a {per}"


def _grain_words(view: Board, metric: str, agreed: Target | None) -> str:
    """Return the one grain that a rate's target is for, as agreed or as a new one would be."""
    grain = None if view.company.adds_up(metric) else view.grain
    if agreed is not None:
        grain = agreed.grain
    return f" for a {grain}" if grain else ""


def _since_words(view: Board, agreed: Target | None) -> str:
    if agreed is None:
        return "No target for this period"
    if not agreed.from_:
        return "Target from the start"
    return f"Target since {numbers.of(view).date(agreed.from_)}"


def _reach(largest: float, scale: float) -> tuple[float, float]:
    """Return a round end with room above the largest value, and a round step.

    The step is a two-hundredth of the end; whole where the end is 40 or more.
    """
    top = 2 * largest * scale or 1.0
    unit = 10.0 ** math.floor(math.log10(top))
    # A little less than the top is enough: 0.1 + 0.2 must not make a larger end than 0.3.
    end = next(digit * unit for digit in (1, 2, 5, 10) if digit * unit >= top * 0.999)
    step = end / 200
    if end >= 40 and scale == 1:
        step = max(step, 1.0)
    return end / scale, step / scale


def _first(*values: float | None) -> float:
    """Return the first value that is there; 0 where none is."""
    for value in values:
        if value is not None and not pd.isna(value):
            return float(value)
    return 0.0
