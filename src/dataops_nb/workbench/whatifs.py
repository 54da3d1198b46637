"""Keep what-ifs as files under git: params/whatif/NAME.yaml holds only differences."""

from __future__ import annotations

import datetime as dt
import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from dataops_nb import definitions as company_files
from dataops_nb import numbers
from dataops_nb.company import Company, WhatIfs
from dataops_nb.controls.settings import (
    AnyTarget,
    Difference,
    Metrics,
    beyond,
    differences,
    in_force,
)
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import DefinitionsError, PublishError, UsageError
from dataops_nb.metrics import Lights, Target
from dataops_nb.terms import Better, Duration, Grain, Model

if TYPE_CHECKING:
    from dataops_nb.sources.catalog import Catalog
    from dataops_nb.workbench import Workbench


_POLICIES = {"target": "target only", "capability": "target and usual range"}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_RESERVED = re.compile(r"(?i)con|prn|aux|nul|com\d|lpt\d")  # names that Windows keeps for devices
# The keys of a target that are written in the unit of its metric.
_IN_UNIT = {"value", "low", "high"}


class Kept(WhatIfs):
    """The what-ifs of a workbench, in params/whatif/."""

    def __init__(self, wb: Workbench) -> None:
        self._wb = wb

    def names(self) -> list[str]:
        """List their names."""
        return names(self._wb)

    def save(self, name: str, changes: Metrics, *, overwrite: bool = False) -> Path:
        """Write params/whatif/NAME.yaml; see `save`."""
        return save(self._wb, self._wb.definitions, name, changes, overwrite=overwrite)

    def load(self, name: str) -> tuple[dict[str, Difference], list[str]]:
        """Return its differences by metric, and the names of what else it changes; see `load`."""
        return load(self._wb, self._wb.definitions, name)

    def company(self, name: str) -> Definitions:
        """Return the definitions with a what-if laid over them; as they are for ""."""
        if not name:
            return self._wb.definitions
        return under(self._wb, name)

    def rows(self, name: str, as_of: dt.date) -> Catalog:
        """Open the rows of the sources under a what-if, read anew."""
        from dataops_nb import sources  # noqa: PLC0415  brings DuckDB, and few what-ifs need it

        wb = self._wb
        return sources.open(self.company(name), wb.data, as_of, keep=wb.cache, usage=wb.usage)

    def diff(self, company: Company, changes: Metrics, name: str = "") -> str:
        """Return a unified diff from the agreed to the supposed; see `diff`."""
        return diff(company, changes, name)


def names(wb: Workbench) -> list[str]:
    """List the what-ifs of a workbench."""
    files = (wb.params / "whatif").glob("*.yaml")
    return sorted(file.stem for file in files if not file.name.startswith("."))


def overlay(definitions: Definitions, changes: Metrics) -> dict[str, Any]:
    """Return the content of a what-if's file: by metric, only what differs.

    Lights that are written out beside the metric need only the thresholds that differ. A named
    set is also other metrics', so the metric gets a copy of it.
    """
    parts: dict[str, Any] = {}
    for metric, change in changes.items():
        if change:
            parts[metric] = _file_parts(definitions, metric, change)
    if not parts:
        return {}
    return {"metrics": parts}


def save(
    wb: Workbench, definitions: Definitions, name: str, changes: Metrics, *, overwrite: bool = False
) -> Path:
    """Write params/whatif/NAME.yaml, where it fits the company's files, and return its path.

    Raises UsageError for a name no file should have, a name that is taken (without `overwrite`),
    nothing to save, and an existing file that holds more than differences of metrics. Raises
    DefinitionsError where the company's files contradict it, PublishError where it cannot be
    written.
    """
    if not NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        advice = "use letters, digits, - and _, as in higher-target"
        raise UsageError(f"{name!r} can't be a name: {advice}")
    content = overlay(definitions, changes)
    if not content:
        raise UsageError("you have changed nothing yet")
    path = wb.params / "whatif" / f"{name}.yaml"
    if path.exists():
        _refuse_loss(wb, definitions, name, overwrite=overwrite)
    command = f"dataops-nb refresh --whatif {name}"
    comment = f"# A what-if, laid over the company's files: {command}\n"
    _write_checked(wb, path, comment + _yaml(content))
    return path


def load(
    wb: Workbench, definitions: Definitions, name: str
) -> tuple[dict[str, Difference], list[str]]:
    """Return a what-if's differences by metric, and the names of what else it changes.

    A panel can show only the differences. Raises UsageError where there is none of that name,
    DefinitionsError where its file holds mistakes.
    """
    other = under(wb, name)
    return differences(definitions, other), beyond(definitions, other)


def under(wb: Workbench, name: str) -> Definitions:
    """Return the company's definitions with a what-if laid over them; without one for ""."""
    if name and name not in names(wb):
        raise UsageError(f"there is no what-if {name!r} in params/whatif/")
    return company_files.load(wb.params, whatif=name)


def words(wb: Workbench, as_of: dt.date, grain: str = "week") -> list[str]:
    """Say in words what the what-if of a workbench changes; nothing without one.

    `Meetings booked: target 95 instead of 65`. What is more than a target is named.
    """
    if not wb.whatif:
        return []
    agreed, supposed = company_files.load(wb.params), wb.definitions
    phrases = []
    for metric, change in differences(agreed, supposed).items():
        goals = [_target_words(company, metric, as_of, grain) for company in (agreed, supposed)]
        parts = _changed_parts(agreed.metrics[metric].better, change, *goals)
        phrases.append(f"{agreed.label(metric)}: {', '.join(parts)}")
    others = beyond(agreed, supposed)
    if others:
        phrases.append(f"other definitions of {', '.join(_named(agreed, others))}")
    return phrases or ["nothing differs from the agreed targets"]


def _changed_parts(better: Better, change: Difference, before: str, now: str) -> Iterator[str]:
    """Say each part of a difference; `before` and `now` are the targets in force."""
    bound = {"up": "target", "down": "limit", "inside": "range"}[better]
    if change.targets is not None:
        is_same = before == now
        yield f"other {bound}s earlier" if is_same else f"{bound} {now} instead of {before}"
    if change.lights is not None:
        yield "other thresholds of its light"
    if change.policy is not None:
        yield f"light by {_POLICIES[change.policy]}"
    if change.limits is not None:
        yield "other limits"


def _target_words(company: Company, metric: str, as_of: dt.date, grain: str) -> str:
    definition = company.metrics[metric]
    place = in_force(definition.targets, as_of, cast(Grain, grain))
    if place is None:
        return "that of its source" if definition.targets else "none"
    target, written = definition.targets[place], numbers.of(company)
    if not isinstance(target, Target):
        return "that of its source"
    ends = [end for end in (target.value, target.low, target.high) if end is not None]
    texts = [written.number(float(end), definition.unit) for end in ends]
    per = f" a {target.per}" if target.per is not None and target.per != grain else ""
    return f"{' to '.join(texts)}{per}" if texts else "that of last year"


def _named(company: Company, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield company.label(name) if name in company.metrics else name


def diff(company: Company, changes: Metrics, name: str = "") -> str:
    """Return a unified diff from the agreed files to the supposed ones; "" without changes."""
    diff_lines: list[str] = []
    whatif_file = f"params/whatif/{name or '…'}.yaml"
    for metric, change in changes.items():
        if not change:
            continue
        now, then = _both_texts(company, metric, change)
        file = f"params/departments/{company.department_of(metric)}.yaml"
        lines = difflib.unified_diff(
            now.splitlines(),
            then.splitlines(),
            f"{file}: {metric}",
            f"{whatif_file}: {metric}",
            lineterm="",
            n=2,
        )
        diff_lines += [line for line in lines if not line.startswith("@@")]
    return "\n".join(diff_lines)


def _refuse_loss(wb: Workbench, definitions: Definitions, name: str, *, overwrite: bool) -> None:
    """Raise UsageError where writing the file would lose it, or a part of it."""
    if not overwrite:
        raise UsageError(f"{name!r} exists: choose another name or tick Overwrite")
    try:
        _, more = load(wb, definitions, name)
    except DefinitionsError:
        return  # nobody can use a file with mistakes
    if more:
        changed = ", ".join(more[:3])
        raise UsageError(f"params/whatif/{name}.yaml also changes {changed}: choose another name")


def _write_checked(wb: Workbench, path: Path, text: str) -> None:
    """Read the definitions with the file beside its place, then put it in place in one step."""
    staged = path.with_name(f".{path.stem}.yaml")
    try:
        path.parent.mkdir(exist_ok=True)
        staged.write_text(text, encoding="utf-8")
        _, mistakes = company_files.survey(wb.params, whatif=staged.stem)
        own_mistakes = [mistake for mistake in mistakes if staged.name in mistake.file]
        if own_mistakes:
            raise DefinitionsError(own_mistakes)
        os.replace(staged, path)
    except OSError as error:
        reason = error.strerror or error
        raise PublishError(f"params/whatif/{path.name} cannot be written: {reason}") from error
    finally:
        staged.unlink(missing_ok=True)


def _file_parts(definitions: Definitions, metric: str, change: Difference) -> dict[str, Any]:
    """Return what a what-if's file holds about one metric."""
    parts: dict[str, Any] = {}
    if change.targets is not None:
        parts["targets"] = _plain_targets(change.targets, definitions.metrics[metric].unit)
    if change.lights is not None:
        own_lights = _own_lights(definitions, metric)
        if own_lights is None:
            parts["lights"] = plain(change.lights)
        else:
            parts["lights"] = _changed_lights(own_lights, change.lights)
    if change.policy is not None:
        parts["policy"] = change.policy
    if change.limits is not None:
        parts["limits"] = plain(change.limits)
    return parts


def _own_lights(definitions: Definitions, metric: str) -> Lights | None:
    """Return the lights that are written out beside a metric; None for a set or a default."""
    lights = definitions.metrics[metric].lights
    department = definitions.departments[definitions.department_of(metric)]
    if not isinstance(lights, Lights) or lights == department.defaults.lights:
        return None
    return lights


def _changed_lights(base: Lights, lights: Lights) -> dict[str, Any]:
    """Return the keys of lights that differ from `base`."""
    before = plain(base)
    changed: dict[str, Any] = {}
    for colour, part in plain(lights).items():
        known = before.get(colour)
        if part == known:
            continue
        changed[colour] = part
        if isinstance(part, dict) and isinstance(known, dict):
            changed[colour] = {key: value for key, value in part.items() if known.get(key) != value}
    return changed


def _both_texts(company: Company, metric: str, change: Difference) -> tuple[str, str]:
    """Return what the files hold of the parts that differ, now and then."""
    definition, lights = company.metrics[metric], company.lights(metric)
    now: dict[str, Any] = {}
    then: dict[str, Any] = {}
    if change.targets is not None:
        now["targets"] = _plain_targets(definition.targets, definition.unit)
        then["targets"] = _plain_targets(change.targets, definition.unit)
    if change.lights is not None:
        now["lights"] = lights and plain(lights)
        then["lights"] = plain(change.lights)
    if change.policy is not None:
        now["policy"] = definition.policy or (lights and lights.policy)
        then["policy"] = change.policy
    if change.limits is not None:
        now["limits"] = plain(definition.limits)
        then["limits"] = plain(change.limits)
    return _yaml(now), _yaml(then)


def _plain_targets(targets: Iterable[AnyTarget], unit: str) -> list[Any]:
    return [plain(target, unit) for target in targets]


def plain(value: Any, unit: str = "") -> Any:
    """Return a model as its file has it, without defaults; percentages have their sign.

    `unit` is that of the numbers in a target.
    """
    if isinstance(value, Duration):
        return str(value)
    if isinstance(value, Model):
        return _plain_model(value, unit)
    if isinstance(value, Mapping):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return _plain_number(value, unit)
    return value


def _plain_number(number: float, unit: str) -> Any:
    if unit == "percent":
        return f"{number * 100:.10g}%"
    if number.is_integer():
        return int(number)
    return number


def _plain_model(model: Model, unit: str) -> dict[str, Any]:
    shown = model.model_dump(by_alias=True, exclude_defaults=True)
    content: dict[str, Any] = {}
    for name, field in type(model).model_fields.items():
        key = field.alias or name
        if key not in shown:
            continue
        key_unit = ""
        if key in _IN_UNIT:
            key_unit = unit
        content[key] = plain(getattr(model, name), key_unit)
    return content


def _yaml(content: Any) -> str:
    return yaml.safe_dump(
        content, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False
    )
