"""A what-if as a file under git: params/whatif/NAME.yaml with only what differs, and how it differs from what is agreed."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dataops_nb import definitions as company_files
from dataops_nb.controls.supposed import Difference, Metrics, beyond, differences
from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Duration, Lights, Model
from dataops_nb.errors import DefinitionsError, PublishError, UsageError
from dataops_nb.workbench import Workbench

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_RESERVED = re.compile(r"(?i)con|prn|aux|nul|com\d|lpt\d")  # names that Windows keeps for devices


def names(wb: Workbench) -> list[str]:
    """The what-ifs of a workbench."""
    return sorted(path.stem for path in (wb.params / "whatif").glob("*.yaml") if not path.name.startswith("."))


def overlay(definitions: Definitions, changes: Metrics) -> dict[str, Any]:
    """The content of a what-if's file: by metric, only what differs.

    Thresholds of lights that are written out beside the metric stand alone; of a named set the metric gets a copy, because
    the set is also other metrics'.
    """
    found = {name: _said(definitions, name, change) for name, change in changes.items() if change}
    return {"metrics": found} if found else {}


def save(wb: Workbench, definitions: Definitions, name: str, changes: Metrics, *, overwrite: bool = False) -> Path:
    """Write params/whatif/NAME.yaml, once it is known to be sound; the file.

    Raises UsageError for a name that no file should have, a name that is taken (without `overwrite`), nothing to save, and
    a file that holds more than differences of metrics; DefinitionsError where the company's files would not hold
    together with it; PublishError where it cannot be written.
    """
    if not NAME.fullmatch(name) or _RESERVED.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a what-if; use letters, digits, - and _, as in higher-target")
    content = overlay(definitions, changes)
    if not content:
        raise UsageError("nothing differs from what is agreed, so there is nothing to save")
    path = wb.params / "whatif" / f"{name}.yaml"
    if path.exists():
        _refuse(wb, definitions, name, overwrite=overwrite)
    said = f"# What would be, laid over the company's files: dataops-nb refresh --whatif {name}\n{_yaml(content)}"
    _write(wb, path, said)
    return path


def load(wb: Workbench, definitions: Definitions, name: str) -> tuple[dict[str, Difference], list[str]]:
    """A what-if's differences by metric, and the names of what else it changes, which no panel can show.

    Raises UsageError where there is none of that name, DefinitionsError where its file is not sound.
    """
    other = under(wb, name)
    return differences(definitions, other), beyond(definitions, other)


def under(wb: Workbench, name: str) -> Definitions:
    """The company's definitions with a what-if laid over them; empty: as they are."""
    if name and name not in names(wb):
        raise UsageError(f"there is no what-if {name!r} in params/whatif/")
    return company_files.load(wb.params, whatif=name)


def diff(definitions: Definitions, changes: Metrics, name: str = "") -> str:
    """How what is supposed differs from what is agreed, as a unified diff of what the files say; empty where nothing does."""
    pieces = []
    for metric, change in changes.items():
        if not change:
            continue
        now, then = _agreed(definitions, metric, change)
        file = f"params/departments/{definitions.department_of(metric)}.yaml"
        lines = difflib.unified_diff(
            now.splitlines(), then.splitlines(), f"{file}: {metric}", f"params/whatif/{name or '…'}.yaml: {metric}",
            lineterm="", n=2,
        )  # fmt: skip
        pieces += [line for line in lines if not line.startswith("@@")]
    return "\n".join(pieces)


def _refuse(wb: Workbench, definitions: Definitions, name: str, *, overwrite: bool) -> None:
    """Stop where a file that is there would be lost, or a part of it."""
    if not overwrite:
        raise UsageError(f"there is a what-if {name!r} already; choose another name, or say that it may be replaced")
    try:
        _, more = load(wb, definitions, name)
    except DefinitionsError:
        return  # nobody can use what it holds
    if more:
        said = ", ".join(more[:3])
        raise UsageError(f"params/whatif/{name}.yaml also changes {said}, which would be lost; choose another name")


def _write(wb: Workbench, path: Path, said: str) -> None:
    """Put the file in place in one step, after the definitions were read with it."""
    staged = path.with_name(f".{path.stem}.yaml")
    try:
        path.parent.mkdir(exist_ok=True)
        staged.write_text(said, encoding="utf-8")
        _, mistakes = company_files.survey(wb.params, whatif=staged.stem)
        if own := [each for each in mistakes if staged.name in each.file]:
            raise DefinitionsError(own)
        os.replace(staged, path)
    except OSError as error:
        raise PublishError(f"params/whatif/{path.name} cannot be written: {error.strerror or error}") from error
    finally:
        staged.unlink(missing_ok=True)


def _said(definitions: Definitions, metric: str, change: Difference) -> dict[str, Any]:
    unit = definitions.metrics[metric].unit
    found: dict[str, Any] = {}
    if change.targets is not None:
        found["targets"] = [plain(each, unit) for each in change.targets]
    if change.lights is not None:
        found["lights"] = _only(_own_lights(definitions, metric), change.lights)
    if change.policy is not None:
        found["policy"] = change.policy
    return found


def _own_lights(definitions: Definitions, metric: str) -> Lights | None:
    """The lights that are written out beside a metric in its file; None where it names a set, or its department does."""
    said = definitions.metrics[metric].lights
    shared = definitions.departments[definitions.department_of(metric)].defaults.lights
    return said if isinstance(said, Lights) and said != shared else None


def _only(base: Lights | None, lights: Lights) -> dict[str, Any]:
    """What differs from lights that are written out, all of them where none are."""
    whole: dict[str, Any] = plain(lights)
    if base is None:
        return whole
    before = plain(base)
    found = {}
    for colour, said in whole.items():
        known = before.get(colour)
        if said == known:
            continue
        both = isinstance(said, dict) and isinstance(known, dict)
        found[colour] = {key: value for key, value in said.items() if known.get(key) != value} if both else said
    return found


def _agreed(definitions: Definitions, metric: str, change: Difference) -> tuple[str, str]:
    """What the files say of the parts that differ, now and then."""
    said, unit = definitions.metrics[metric], definitions.metrics[metric].unit
    lights = definitions.lights(metric)
    now: dict[str, Any] = {}
    then: dict[str, Any] = {}
    if change.targets is not None:
        now["targets"], then["targets"] = ([plain(t, unit) for t in each] for each in (said.targets, change.targets))
    if change.lights is not None:
        now["lights"], then["lights"] = plain(lights) if lights else None, plain(change.lights)
    if change.policy is not None:
        now["policy"], then["policy"] = said.policy or (lights.policy if lights else None), change.policy
    return _yaml(now), _yaml(then)


def plain(value: Any, unit: str = "") -> Any:
    """A model as its file would say it: names as they are written, defaults left out, percentages with their sign."""
    if isinstance(value, Duration):
        return str(value)
    if isinstance(value, Model):
        shown = value.model_dump(by_alias=True, exclude_defaults=True).keys()
        aliases = {field.alias or name: name for name, field in type(value).model_fields.items()}
        keys = [key for key in aliases if key in shown]
        return {key: plain(getattr(value, aliases[key]), _unit(key, unit)) for key in keys}
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return f"{value * 100:.10g}%" if unit == "percent" else int(value) if value.is_integer() else value
    return value


def _unit(key: str, unit: str) -> str:
    return unit if key in {"value", "low", "high"} else ""


def _yaml(content: Any) -> str:
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100, default_flow_style=False)
