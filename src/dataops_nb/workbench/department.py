"""A new department: its definitions with a first number that can be computed at once, and a notebook from the packaged one."""

from __future__ import annotations

import json
import re
import unicodedata
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataops_nb.definitions import Definitions
from dataops_nb.definitions.checks.names import fault_of_name
from dataops_nb.errors import PublishError, UsageError
from dataops_nb.workbench.packaged import _packaged

if TYPE_CHECKING:
    from dataops_nb.workbench import Workbench

MODEL = "10_north_star.ipynb"
LINES = """\
# yaml-language-server: $schema=../.schema/department.schema.json
department: {title}
# owner: Head of {head}          # who answers for these numbers?
defaults: {{source: {source}{lights}}}   # sources: {sources}
metrics:
  {metric}:                    # a first number, so that the report has one: rename it, or put your own in its place
    label: Rows of {source}
    question: How much is there to do?
    type: simple
    measure: {{agg: count}}         # count, sum, average, median, min, max, count_distinct, first_seen
    unit: rows
    # better: up                  # which way is good: up, down, or inside a band?
    # targets: [{{from: 2026-01-01, per: week, value: 10}}]
    # moves: [{{metric: {star}, after: 2w, because: "..."}}]
"""


def new_department(wb: Workbench, name: str) -> tuple[Path, Path]:
    """Write params/departments/NAME.yaml and its notebook, and return both paths; nothing that is there is touched.

    Raises UsageError for a name that is no id or is taken, and where no source has a time to count by; PublishError
    where the files cannot be written.
    """
    known = wb.definitions
    if fault_of_name(name, "department"):
        raise UsageError(f"{name!r} is no id of a department; write it like {_plain(name) or 'field_service'!r}")
    path = wb.params / "departments" / f"{name}.yaml"
    for taken in known.departments:
        if taken.casefold() == name.casefold():
            raise UsageError(f"there is a department {taken!r} already: params/departments/{taken}.yaml")
    if path.exists():
        raise UsageError(f"there is a department {name!r} already: params/departments/{name}.yaml")
    notebook = _place(wb.notebooks, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        wb.notebooks.mkdir(exist_ok=True)
        path.write_text(_definitions(known, name), encoding="utf-8", newline="\n")
        notebook.write_text(_notebook(name), encoding="utf-8", newline="\n")
    except OSError as error:
        raise PublishError(f"cannot write the department {name}: {error.strerror or error}") from error
    return path, notebook


def _plain(name: str) -> str:
    """A name in letters that an id may have: accents are left out."""
    ascii_ = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", ascii_.lower()).strip("_")


def _title(name: str) -> str:
    said = re.sub(r"[-_]+", " ", name).strip()
    return f"{said[:1].upper()}{said[1:]}"


def _metric(name: str, known: Definitions) -> str:
    """The id of the first metric: it stands in formulas, so it starts with a letter, and nobody else has it."""
    plain = _plain(name) or "department"
    first = f"{plain if plain[0].isalpha() else f'd_{plain}'}_rows"
    return next(each for each in chain([first], (f"{first}_{n}" for n in count(2))) if each not in known.metrics)


def _place(folder: Path, name: str) -> Path:
    """A free number among the departments' notebooks."""
    taken = {path.name[:2] for path in folder.glob("[0-9][0-9]_*.ipynb")}
    number = next(n for n in [*range(25, 60, 10), *range(21, 100), 0] if f"{n:02d}" not in taken)
    return folder / f"{number:02d}_{name}.ipynb"


def _definitions(known: Definitions, name: str) -> str:
    dated = [source for source, said in known.company.sources.items() if said.time]
    if not dated:
        raise UsageError(
            "no source of company.yaml has a time, so there is nothing to count by week; give one  time:  first"
        )
    lights = next(iter(known.company.lights), None)
    return LINES.format(
        metric=_metric(name, known),
        title=json.dumps(_title(name)),
        head=_title(name),
        source=dated[0],
        sources=", ".join(known.company.sources),
        lights=f", lights: {lights}" if lights else "",
        star=next(iter(known.company.north_star), "revenue"),
    )


def _notebook(name: str) -> str:
    """The packaged notebook about the North Star, told to speak for a department."""
    model: dict[str, Any] = json.loads((_packaged("notebooks") / MODEL).read_text(encoding="utf-8"))
    cells = {cell["id"]: cell for cell in model["cells"]}
    cells["title"]["source"] = [f"# {_title(name)}\n", "\n", "What do we work on, and does it move the company?"]
    asked = f'department: str = "{name}"  # help: the department this report speaks for\n'
    cells["parameters"]["source"] = [asked, *cells["parameters"]["source"]]
    cells["load"]["source"] = [
        line.replace("metrics=here.definitions.company.north_star", "department=department")
        for line in cells["load"]["source"]
    ]
    return json.dumps(model, indent=1, ensure_ascii=False) + "\n"
