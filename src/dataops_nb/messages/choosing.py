"""The winner, written into the department's file: one line, and every other byte as people left it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import yaml

from dataops_nb.errors import UsageError


def choose(file: Path, metric: str, variant: str, on: dt.date, because: str) -> str:
    """Put `pitch_choice: {use, on, because}` below a metric's pitch, in place of an earlier one; the line that was written.

    Raises UsageError where the metric's pitch is not a block of lines, so that a person must write it.
    """
    text = file.read_text(encoding="utf-8")
    use, why = json.dumps(variant), json.dumps(because, ensure_ascii=False)
    line = f"pitch_choice: {{use: {use}, on: {on.isoformat()}, because: {why}}}"
    entry = _below(_below(yaml.compose(text, Loader=yaml.SafeLoader), "metrics"), metric)
    keys = {} if entry is None else {key.value: (key, value) for key, value in entry.value}
    if entry is None or entry.flow_style or "pitch" not in keys:
        raise UsageError(f"{file.name}: write it yourself below the pitch of {metric}: {line}")
    lines = text.splitlines(keepends=True)
    key, value = keys.get("pitch_choice") or keys["pitch"]
    first, after = (
        (key.start_mark.line, _after(lines, value)) if "pitch_choice" in keys else (_after(lines, value),) * 2
    )
    if first and not lines[first - 1].endswith("\n"):
        lines[first - 1] += "\n"
    lines[first:after] = [f"{' ' * key.start_mark.column}{line}\n"]
    _checked("".join(lines), file, metric, variant)
    file.write_text("".join(lines), encoding="utf-8", newline="")
    return line


def _below(node: yaml.Node | None, name: str) -> yaml.MappingNode | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    found = next((value for key, value in node.value if key.value == name), None)
    return found if isinstance(found, yaml.MappingNode) else None


def _after(lines: list[str], value: yaml.Node) -> int:
    """The line after a value: a block ends before what follows it, and before the blank and comment lines between."""
    in_line = not isinstance(value, yaml.CollectionNode) or bool(value.flow_style)
    end: int = value.end_mark.line + (1 if in_line else 0)
    while end > 0 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _checked(text: str, file: Path, metric: str, variant: str) -> None:
    said = yaml.safe_load(text)["metrics"][metric].get("pitch_choice", {})
    if said.get("use") != variant:
        raise UsageError(f"{file.name}: the choice of {metric} could not be written; write it below its pitch")
