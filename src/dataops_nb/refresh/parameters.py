"""What may be set in a notebook: the names, types and defaults of its cell tagged `parameters`.

papermill warns about a misspelt parameter and runs on, reads `007` as 7 and `nan` as a number, and executes code that
stands in a name. Here a notebook's own cell is the schema: only its names exist, a value is read by its declared type,
and everything is checked before anything runs.
"""

from __future__ import annotations

import ast
import datetime as dt
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from dataops_nb.errors import UsageError, did_you_mean

Kind = Literal["str", "int", "float", "bool", "date"]
Value = str | int | float | bool | None
KERNEL = "python3"
KINDS: tuple[Kind, ...] = ("str", "int", "float", "bool", "date")
WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a day, 2026-11-22",
}
_INT = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MISSING = object()


@dataclass(frozen=True)
class Parameter:
    """One declared parameter: its type, its default (or `required`), whether None is allowed, and its help."""

    name: str
    kind: Kind
    default: Value = None
    required: bool = False
    optional: bool = False
    help: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell: its type, its text and its metadata."""

    cell_type: str
    source: str
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class Notebook:
    """A notebook as far as a plan looks at it."""

    cells: list[Cell]
    metadata: Mapping[str, Any] = field(default_factory=dict)


def read(path: Path) -> Notebook:
    """A notebook file; UsageError where it is missing, damaged, not Python, or waits for somebody to type.

    Read as the JSON it is: a plan looks at every notebook, and the library for them takes a second to import.
    """
    try:
        notebook = _parsed(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        near = did_you_mean(path.name, (p.name for p in path.parent.glob("*.ipynb")))
        raise UsageError(f"there is no notebook {path.name!r}{near}") from None
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{path.name} is not a readable notebook: {reason}") from error
    _check_runs_alone(path.name, notebook)
    return notebook


def _parsed(document: Any) -> Notebook:
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise ValueError("it has no list of cells")
    if document.get("nbformat") != 4:
        raise ValueError(f"its nbformat is {document.get('nbformat')!r}, not 4")
    return Notebook(
        [_cell(number, cell) for number, cell in enumerate(document["cells"], 1)], dict(document["metadata"])
    )


def _cell(number: int, cell: Any) -> Cell:
    kinds = ("code", "markdown", "raw")
    if not isinstance(cell, dict) or cell.get("cell_type") not in kinds or not isinstance(cell.get("metadata"), dict):
        raise ValueError(f"cell {number} has no type or no metadata")
    said = cell.get("source")
    lines = [said] if isinstance(said, str) else said
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ValueError(f"cell {number} has no text")
    return Cell(cell["cell_type"], "".join(lines), cell["metadata"])


def tags(cell: Any) -> set[str]:
    """The tags of a cell."""
    return set(cell.metadata.get("tags", []))


def _check_runs_alone(name: str, notebook: Notebook) -> None:
    language = notebook.metadata.get("kernelspec", {}).get("language", "python")
    if str(language).lower() != "python":
        raise UsageError(f"{name} is written in {language}; only Python notebooks are refreshed")
    _check_kernel(name, str(notebook.metadata.get("kernelspec", {}).get("name") or KERNEL))
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code" and _asks(cell.source):
            raise UsageError(f"{name}, cell {number}: input() waits for somebody to type; make it a parameter")


def _check_kernel(name: str, kernel: str) -> None:
    """UsageError where a notebook names a kernel that is not installed."""
    if kernel == KERNEL:
        return
    from jupyter_core.paths import jupyter_path  # noqa: PLC0415  hardly a notebook names another kernel

    installed = {spec.parent.name for folder in jupyter_path("kernels") for spec in Path(folder).glob("*/kernel.json")}
    if kernel not in installed:
        near = did_you_mean(kernel, installed) or f"; known are {', '.join(sorted(installed | {KERNEL}))}"
        raise UsageError(f"{name} asks for the kernel {kernel!r}, which is not installed{near}")


def _asks(source: str) -> bool:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(isinstance(called, ast.Name) and called.id == "input" for called in calls)


def declared(notebook: Any, name: str = "the notebook") -> dict[str, Parameter]:
    """The parameters that a notebook (ours, or nbformat's) declares, by name, in order.

    UsageError where the cell does more than assign.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and "parameters" in tags(cell)]
    if len(cells) > 1:
        raise UsageError(f"{name} has {len(cells)} cells tagged 'parameters'; papermill reads only the first")
    return {p.name: p for cell in cells for p in _declarations(cell.source, name)}


def _declarations(source: str, name: str) -> Iterator[Parameter]:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise UsageError(f"{name}: the parameters cell is not Python: line {error.lineno}: {error.msg}") from error
    lines = source.splitlines()
    for node in tree.body:
        hint = _comment(lines[(node.end_lineno or node.lineno) - 1], node.end_col_offset or 0)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            kind, optional = _annotated(ast.unparse(node.annotation), node.target.id, name)
            bare = Parameter(node.target.id, kind, required=True, optional=optional, help=hint)
            yield bare if node.value is None else _defaulted(bare, _literal(node.value, bare.name, name), name)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            default = _literal(node.value, node.targets[0].id, name)
            yield _defaulted(Parameter(node.targets[0].id, _kind_of(default), required=True, help=hint), default, name)
        elif not isinstance(node, ast.Import | ast.ImportFrom) and not _is_text(node):
            raise UsageError(f"{name}: the parameters cell may only assign values, as in  weeks: int = 26  # help")


def _defaulted(bare: Parameter, default: Any, name: str) -> Parameter:
    if default is None:
        return replace(bare, required=False, optional=True)
    empty = bare.kind == "date" and default == ""
    return replace(bare, required=False, default="" if empty else value(bare, default, name))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _comment(line: str, after: int) -> str:
    rest = line.encode()[after:].decode(errors="replace").strip()
    return rest[1:].strip() if rest.startswith("#") else ""


def _annotated(annotation: str, parameter: str, name: str) -> tuple[Kind, bool]:
    bare = annotation.replace(" ", "").strip("'\"")
    optional = bare.endswith("|None") or bare.startswith(("None|", "Optional["))
    bare = bare.removesuffix("|None").removeprefix("None|").removeprefix("Optional[").removesuffix("]")
    kind = next((k for k in KINDS if k == bare.rpartition(".")[2]), None)
    if kind is None:
        known = ", ".join(KINDS)
        raise UsageError(f"{name}: parameter {parameter!r} has the type {annotation}; a parameter is one of {known}")
    return kind, optional


def _literal(node: ast.expr, parameter: str, name: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise UsageError(f"{name}: the default of parameter {parameter!r} is not a plain value") from error


def _kind_of(default: Any) -> Kind:
    return {bool: "bool", int: "int", float: "float"}.get(type(default), "str")  # type: ignore[return-value]


def value(parameter: Parameter, said: Any, where: str) -> Value:
    """What was said, read by the declared type; UsageError names `where`, the parameter and what it wants."""
    if said is None and parameter.optional:
        return None
    read_ = _typed(parameter.kind, said)
    if read_ is _MISSING:
        hint = "; put it in quotes" if parameter.kind == "str" and not isinstance(said, str) else ""
        raise UsageError(f"{where}: parameter {parameter.name!r} is {WORDS[parameter.kind]}, not {said!r}{hint}")
    result: Value = read_
    return result


def _typed(kind: Kind, said: Any) -> Any:
    text = said if isinstance(said, str) else None
    if kind == "bool":
        return said if isinstance(said, bool) else {"true": True, "false": False}.get(text or "", _MISSING)
    if kind == "date" or (kind == "str" and isinstance(said, dt.date)):
        return _day(said)
    if isinstance(said, bool | dt.date):
        return _MISSING
    if kind == "str":
        return _MISSING if text is None else text
    if text is not None and not (_INT if kind == "int" else _FLOAT).fullmatch(text):
        return _MISSING
    return _number(kind, said)


def _number(kind: Kind, said: Any) -> Any:
    if not isinstance(said, str | int | float) or (kind == "int" and isinstance(said, float)):
        return _MISSING
    if kind == "int":
        return int(said)
    number = float(said)
    return number if math.isfinite(number) else _MISSING


def _day(said: Any) -> Any:
    if isinstance(said, dt.date):
        return said.isoformat()
    if not isinstance(said, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", said):
        return _MISSING
    try:
        return dt.date.fromisoformat(said).isoformat()
    except ValueError:
        return _MISSING


def complete(known: Mapping[str, Parameter], said: Mapping[str, Any], where: str) -> dict[str, Value]:
    """Every declared parameter with its value, in the notebook's order; UsageError lists all that is wrong at once."""
    wrong = [f"{where}: {unknown(name, known)}" for name in said if name not in known]
    values: dict[str, Value] = {}
    for name, parameter in known.items():
        if name not in said and parameter.required:
            wrong.append(f"{where}: parameter {name!r} has no default and must be given")
            continue
        try:
            values[name] = value(parameter, said[name], where) if name in said else parameter.default
        except UsageError as error:
            wrong.append(str(error))
    if wrong:
        raise UsageError("\n".join(wrong))
    return values


def unknown(name: str, known: Mapping[str, Parameter]) -> str:
    """What to say of a name that is not declared."""
    if not name.isidentifier():
        return f"{name!r} is not a parameter's name"
    have = f" (it has {', '.join(known)})" if known else " (it has none)"
    near = did_you_mean(name, known)
    return f"there is no parameter {name!r}{near or have}"
