"""Add to a workbench: a department, a report, an event. Nothing that is there already is touched.

A department gets definitions with a first metric that has values at once. Its notebook, and that of
a report, come from the packaged one about the North Star. A line that goes into a file of a person
is added to its text, and taken back where the definitions would no longer hold.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import yaml

from dataops_nb import definitions as company_files
from dataops_nb.definitions import edits
from dataops_nb.definitions.models import Definitions
from dataops_nb.definitions.value_checks import fault_of_name
from dataops_nb.errors import DefinitionsError, PublishError, UsageError, did_you_mean
from dataops_nb.workbench.packaged import packaged

if TYPE_CHECKING:
    from dataops_nb.workbench import Workbench


MODEL = "10_north_star.ipynb"
# The parameter of a notebook that names its department.
DEPARTMENT = re.compile(r"""^department\b[^=\n]*=\s*["']([^"']+)["']""", re.MULTILINE)
FIRST_SUITE = """\
weekly:
  cadence: week
  reports:
    {line}"""
PLAIN_WORDS = re.compile(r"[A-Za-z][A-Za-z0-9. ]*[A-Za-z0-9]")
NORTH_STARS = "metrics=here.definitions.company.north_star"
LINES = """\
# yaml-language-server: $schema=../.schema/department.schema.json
department: {title}
# owner: Head of {head}          # who answers for these numbers?
defaults: {{source: {source}{lights}}}   # sources: {sources}
metrics:
  {metric}:                    # a first number, so that the report has one: \
rename it, or put your own in its place
    label: Rows of {source}
    question: How much is there to do?
    type: simple
    measure: {{agg: count}}         # count, sum, average, median, percentile, min, max, \
count_distinct, first_seen
    unit: rows
    # better: up                  # which way is good: up, down, or inside a band?
    # targets: [{{from: 2026-01-01, per: week, value: 10}}]
    # moves: [{{metric: {star}, after: 2w, because: "..."}}]
"""


def new_department(wb: Workbench, name: str) -> tuple[Path, Path]:
    """Write params/departments/NAME.yaml and its notebook, and return both paths.

    Of a department that has definitions and no notebook, only the notebook is written. Raises
    UsageError for a name that is no id or is taken, and if no source has a time to count by;
    PublishError if the files cannot be written.

    >>> definitions, notebook = workbench.new_department(workbench.open(here), "support")
    >>> definitions.name
    'support.yaml'
    """
    known = wb.definitions
    if fault_of_name(name, "department"):
        example = _plain(name) or "field_service"
        raise UsageError(f"{name!r} is no id of a department; write it like {example!r}")
    path = wb.params / "departments" / f"{name}.yaml"
    texts = {}
    if name in known.departments:
        title = known.departments[name].department
        if _speaks_for(wb, name):
            _refuse_taken(name)
    else:
        for taken in known.departments:
            if taken.casefold() == name.casefold():
                _refuse_taken(taken)
        if path.exists():
            _refuse_taken(name)
        title = _title(name)
        texts[path] = _definitions(known, name)
    notebook = _free_path(wb.notebooks, name)
    texts[notebook] = _notebook_of_department(name, title)
    _write_all(texts, f"the department {name}")
    return path, notebook


def new_report(wb: Workbench, name: str) -> tuple[Path, str]:
    """Write a notebook of the North Stars and its line in params/reports.yaml.

    The line goes to the end of the first suite; without a file, to a suite `weekly` of a new one.
    Return the notebook's path and the line. Raises UsageError for an id that is taken or that a
    report cannot have, and where the file is written in brackets; PublishError if the files cannot
    be written.

    >>> notebook, line = workbench.new_report(workbench.open(here), "directors")
    >>> line.partition(":")[0]
    'directors'
    """
    for suite in wb.definitions.suites.values():
        for taken in suite.reports:
            if taken.casefold() == name.casefold():
                raise UsageError(f"there is a report {taken!r} already: params/reports.yaml")
    plain = _plain(name)
    if not plain:
        raise UsageError(f"{name!r} is no id of a report; write it like 'board-pack'")
    notebook = _free_path(wb.notebooks, plain)
    line = f"{name}: {{notebook: {notebook.name}}}"
    path = wb.params / "reports.yaml"
    before = _text_of(path)
    text = _with_report(before or "", line)
    _write_all({path: text, notebook: _notebook_of_report(name)}, f"the report {name}")
    _keep_if_sound(wb, {path: before, notebook: None})
    return notebook, line


def new_event(
    wb: Workbench, date: dt.date, title: str, *, kind: str = "event", metrics: Sequence[str] = ()
) -> str:
    """Add an event to params/events.yaml and return its line.

    `metrics` are the ids of those it may have moved. Raises UsageError for an unknown metric, for
    an event that is there already, and where the file is written in brackets; PublishError if it
    cannot be written.

    >>> own = workbench.open(here)
    >>> workbench.new_event(own, dt.date(2026, 11, 12), "The fair", metrics=["amount"])
    '- {date: 2026-11-12, title: The fair, kind: event, metrics: [amount]}'
    """
    known = wb.definitions
    for metric in metrics:
        if metric not in known.metrics:
            hint = did_you_mean(metric, known.metrics)
            raise UsageError(f"there is no metric {metric!r}{hint}")
    for event in known.events:
        if getattr(event, "date", None) == date and event.title == title:
            raise UsageError(f"there is an event {title!r} on {date} already: params/events.yaml")
    parts = [f"date: {date}", f"title: {_quoted(title)}", f"kind: {_quoted(kind)}"]
    if metrics:
        parts.append(f"metrics: [{', '.join(dict.fromkeys(metrics))}]")
    line = f"- {{{', '.join(parts)}}}"
    path = wb.params / "events.yaml"
    before = _text_of(path)
    root = edits.root_of(before or "")
    if root is None:
        text = edits.with_last_line(before or "", line)
    else:
        text = _required(edits.with_entry(before or "", root, line), path.name, line)
    _write_all({path: text}, f"the event {title!r}")
    _keep_if_sound(wb, {path: before})
    return line


def _with_report(text: str, line: str) -> str:
    """Return the text of reports.yaml with a report at the end of its first suite."""
    root = edits.root_of(text)
    if root is None:
        return edits.with_last_line(text, FIRST_SUITE.format(line=line))
    reports = None
    if isinstance(root, yaml.MappingNode) and root.value:
        first_suite = root.value[0][0].value
        reports = edits.mapping_below(edits.mapping_below(root, first_suite), "reports")
    return _required(edits.with_entry(text, reports, line), "reports.yaml", line)


def _text_of(path: Path) -> str | None:
    """Return what a file holds, None where there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else None


def _required(text: str | None, file: str, line: str) -> str:
    if text is None:
        raise UsageError(f"params/{file} has no list of lines to add to; write it yourself: {line}")
    return text


def _write_all(texts: Mapping[Path, str], what: str) -> None:
    """Write files, and the folders they lie in; raise PublishError where that fails."""
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        reason = error.strerror or error
        raise PublishError(f"cannot write {what}: {reason}") from error


def _keep_if_sound(wb: Workbench, before: Mapping[Path, str | None]) -> None:
    """Put files back as they were, None for no file, where the definitions hold no more."""
    _, mistakes = company_files.survey(wb.params, notebooks=wb.notebooks)
    if not mistakes:
        return
    for path, text in before.items():
        if text is None:
            path.unlink()
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
    raise DefinitionsError(mistakes)


def _speaks_for(wb: Workbench, department: str) -> bool:
    """Tell whether a report or a notebook is about a department."""
    if department in wb.doors:
        return True
    notebooks = wb.notebooks.glob("*.ipynb")
    return any(department_of(notebook) == department for notebook in notebooks)


def _refuse_taken(name: str) -> NoReturn:
    raise UsageError(f"there is a department {name!r} already: params/departments/{name}.yaml")


def _plain(name: str) -> str:
    """Return a name as an id: small letters without accents, digits and _."""
    decomposed = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    letters = decomposed.encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", letters.lower()).strip("_")


def _title(name: str) -> str:
    words = re.sub(r"[-_]+", " ", name).strip()
    return f"{words[:1].upper()}{words[1:]}"


def _metric(name: str, known: Definitions) -> str:
    """Return a free id for the first metric; formulas need a letter at its start."""
    plain = _plain(name) or "department"
    if not plain[0].isalpha():
        plain = f"d_{plain}"
    first = unique = f"{plain}_rows"
    number = 1
    while unique in known.metrics:
        number += 1
        unique = f"{first}_{number}"
    return unique


def _free_path(folder: Path, name: str) -> Path:
    """Return a path with a free number among the departments' notebooks: 25, 35, 45, 55, or any."""
    taken = {path.name[:2] for path in folder.glob("[0-9][0-9]_*.ipynb")}
    candidates = [*range(25, 60, 10), *range(21, 100), 0]
    number = next(number for number in candidates if f"{number:02d}" not in taken)
    return folder / f"{number:02d}_{name}.ipynb"


def _definitions(known: Definitions, name: str) -> str:
    sources = known.sources
    dated = [source_name for source_name, source in sources.items() if source.time]
    if not dated:
        raise UsageError(
            "no source of company.yaml has a time, so there is nothing to count by week; "
            "give one  time:  first"
        )
    lights = ""
    if known.named_lights:
        first_lights = next(iter(known.named_lights))
        lights = f", lights: {first_lights}"
    return LINES.format(
        metric=_metric(name, known),
        title=json.dumps(_title(name)),
        head=_title(name),
        source=dated[0],
        sources=", ".join(sources),
        lights=lights,
        star=next(iter(known.north_star), "revenue"),
    )


def _notebook_of_department(name: str, title: str) -> str:
    """Return the packaged notebook about the North Star, made to speak for a department."""
    model = _model(f"# {title}\n\nWhat do we work on, and does it move the company?")
    cells = {cell["id"]: cell for cell in model["cells"]}
    parameter = f'department: str = "{name}"  # help: the department this report speaks for\n'
    cells["parameters"]["source"].insert(0, parameter)
    lines = []
    for line in cells["load"]["source"]:
        lines.append(line.replace(NORTH_STARS, "department=department"))
    cells["load"]["source"] = lines
    return _written(model)


def _notebook_of_report(name: str) -> str:
    """Return the packaged notebook about the North Star with a title of its own."""
    return _written(_model(f"# {_title(name)}\n\nWhich question does this report answer?"))


def _model(heading: str) -> dict[str, Any]:
    """Return the packaged notebook about the North Star under another heading."""
    text = (packaged("notebooks") / MODEL).read_text(encoding="utf-8")
    model: dict[str, Any] = json.loads(text)
    for cell in model["cells"]:
        if cell["id"] == "title":
            cell["source"] = heading.splitlines(keepends=True)
    return model


def _written(model: Mapping[str, Any]) -> str:
    return json.dumps(model, indent=1, ensure_ascii=False) + "\n"


def _quoted(text: str) -> str:
    """Return a text as YAML reads it on one line: plain words as they are, others in quotes."""
    if PLAIN_WORDS.fullmatch(text) and yaml.safe_load(text) == text:
        return text
    return json.dumps(text, ensure_ascii=False)


def department_of(notebook: Path) -> str | None:
    """Return the department in the parameters of a notebook; None where they name none."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return None
    parameters: list[str] = []
    for cell in cells:
        if "parameters" in cell.get("metadata", {}).get("tags", []):
            parameters.append("".join(cell["source"]))
    match = DEPARTMENT.search("\n".join(parameters))
    if match is None:
        return None
    return match[1]
