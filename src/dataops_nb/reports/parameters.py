"""Read what may be set in a notebook: the names, types and defaults of its `parameters` cell.

papermill warns about a misspelt parameter and runs on, reads `007` as 7 and `nan` as a number, and
executes code that stands in a name. Here a notebook's own cell is the schema: only its names exist,
a value is read by its declared type, and everything is checked before anything runs.
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
IN_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "date": "a day, 2026-11-22",
}
INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]*)")
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
UNREADABLE = object()  # stands for a value that is not of its type
VARIABLE = re.compile(r"env:([A-Za-z_]\w*)")
SECRET = re.compile(
    r"passw|passphrase|secret|token|api_?key|credential|private_?key", re.IGNORECASE
)


@dataclass(frozen=True)
class Parameter:
    """One declared parameter: its type, its default or that it is `required`, and its help.

    `optional` says that None is allowed.
    """

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
    """Read a notebook file as the JSON it is.

    A plan looks at every notebook, and the library for them takes a second to import. UsageError
    where the file is missing, damaged, not Python, or waits for somebody to type.
    """
    try:
        notebook = _parse(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        near = did_you_mean(path.name, (other.name for other in path.parent.glob("*.ipynb")))
        raise UsageError(f"there is no notebook {path.name!r}{near}") from None
    except (OSError, ValueError, AttributeError, KeyError, TypeError) as error:
        reason = type(error).__name__
        if str(error):
            reason = str(error).splitlines()[0]
        raise UsageError(f"{path.name} is not a readable notebook: {reason}") from error
    _check_runs_alone(path.name, notebook)
    return notebook


def _parse(document: Any) -> Notebook:
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise ValueError("it has no list of cells")
    if document.get("nbformat") != 4:
        raise ValueError(f"its nbformat is {document.get('nbformat')!r}, not 4")
    cells = [_parse_cell(number, cell) for number, cell in enumerate(document["cells"], 1)]
    return Notebook(cells, dict(document["metadata"]))


def _parse_cell(number: int, cell: Any) -> Cell:
    is_cell = isinstance(cell, dict) and cell.get("cell_type") in ("code", "markdown", "raw")
    if not is_cell or not isinstance(cell.get("metadata"), dict):
        raise ValueError(f"cell {number} has no type or no metadata")
    lines = cell.get("source")
    if isinstance(lines, str):
        lines = [lines]
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ValueError(f"cell {number} has no text")
    return Cell(cell["cell_type"], "".join(lines), cell["metadata"])


def tags(cell: Any) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.metadata.get("tags", []))


def _check_runs_alone(name: str, notebook: Notebook) -> None:
    """Raise UsageError where nothing here can run a notebook to its end."""
    spec = notebook.metadata.get("kernelspec", {})
    language = spec.get("language", "python")
    if str(language).lower() != "python":
        raise UsageError(f"{name} is written in {language}; only Python notebooks are refreshed")
    _check_kernel(name, str(spec.get("name") or KERNEL))
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code" and _calls_input(cell.source):
            raise UsageError(f"{name}: cell {number} uses input(): make it a parameter")


def _check_kernel(name: str, kernel: str) -> None:
    """Raise UsageError where a notebook names a kernel that is not installed."""
    if kernel == KERNEL:
        return
    from jupyter_core.paths import jupyter_path  # noqa: PLC0415  few notebooks name a kernel

    installed = set[str]()
    for folder in jupyter_path("kernels"):
        installed |= {spec.parent.name for spec in Path(folder).glob("*/kernel.json")}
    if kernel not in installed:
        known = ", ".join(sorted(installed | {KERNEL}))
        near = did_you_mean(kernel, installed) or f"; known are {known}"
        raise UsageError(f"{name} asks for the kernel {kernel!r}, which is not installed{near}")


def _calls_input(source: str) -> bool:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return False
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return any(isinstance(called, ast.Name) and called.id == "input" for called in calls)


def declared(notebook: Any, name: str = "the notebook") -> dict[str, Parameter]:
    """Return the parameters that a notebook (ours, or nbformat's) declares, by name, in order.

    UsageError where the cell does more than assign.
    """
    places = cells_of_parameters(notebook)
    if len(places) > 1:
        raise UsageError(
            f"{name} has {len(places)} cells tagged 'parameters'; papermill reads only the first"
        )
    parameters = {}
    for place in places:
        for parameter in _declarations(notebook.cells[place - 1].source, f"{name}, cell {place}"):
            parameters[parameter.name] = parameter
    return parameters


def cells_of_parameters(notebook: Any) -> list[int]:
    """Return the numbers of the cells that declare parameters, counted as their author counts."""
    numbers = []
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code" and "parameters" in tags(cell):
            numbers.append(number)
    return numbers


def _declarations(source: str, name: str) -> Iterator[Parameter]:
    """Yield what a cell assigns, each with the comment on its line as help."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise UsageError(
            f"{name}: the parameters cell is not Python: line {error.lineno}: {error.msg}"
        ) from error
    lines = source.splitlines()
    for node in tree.body:
        last_line = lines[(node.end_lineno or node.lineno) - 1]
        help_ = _comment(last_line, node.end_col_offset or 0)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield _annotated(node, node.target.id, help_, name)
        elif (
            isinstance(node, ast.Assign)
            and len(node.targets) == 1
            and isinstance(node.targets[0], ast.Name)
        ):
            yield _assigned(node, node.targets[0].id, help_, name)
        elif not isinstance(node, ast.Import | ast.ImportFrom) and not _is_text(node):
            raise UsageError(
                f"{name}: the parameters cell may only assign values,"
                " as in  weeks: int = 26  # help"
            )


def _annotated(node: ast.AnnAssign, parameter: str, help_: str, name: str) -> Parameter:
    """Read `weeks: int = 26`, or `weeks: int` for one that must be given."""
    kind, optional = _type_of(ast.unparse(node.annotation), parameter, name)
    bare = Parameter(parameter, kind, required=True, optional=optional, help=help_)
    if node.value is None:
        return bare
    return _with_default(bare, _literal(node.value, parameter, name), name)


def _assigned(node: ast.Assign, parameter: str, help_: str, name: str) -> Parameter:
    """Read `weeks = 26`, which is of the type of its default."""
    default = _literal(node.value, parameter, name)
    bare = Parameter(parameter, _kind_of(default), required=True, help=help_)
    return _with_default(bare, default, name)


def _with_default(bare: Parameter, default: Any, name: str) -> Parameter:
    if default is None:
        return replace(bare, required=False, optional=True)
    if bare.kind == "date" and default == "":
        return replace(bare, required=False, default="")
    return replace(bare, required=False, default=value(bare, default, name))


def _is_text(node: ast.stmt) -> bool:
    """Tell whether a statement is only a string, as a comment of several lines is."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
        return False
    return isinstance(node.value.value, str)


def _comment(line: str, after: int) -> str:
    """Return the comment on a line; `after` counts bytes, as the parser does."""
    rest = line.encode()[after:].decode(errors="replace").strip()
    return rest[1:].strip() if rest.startswith("#") else ""


def _type_of(annotation: str, parameter: str, name: str) -> tuple[Kind, bool]:
    """Return the type of an annotation, and whether it allows None."""
    bare = annotation.replace(" ", "").strip("'\"")
    optional = bare.endswith("|None") or bare.startswith(("None|", "Optional["))
    bare = bare.removesuffix("|None").removeprefix("None|")
    bare = bare.removeprefix("Optional[").removesuffix("]")
    kind = next((kind for kind in KINDS if kind == bare.rpartition(".")[2]), None)
    if kind is None:
        raise UsageError(
            f"{name}: parameter {parameter!r} has the type {annotation};"
            f" a parameter is one of {', '.join(KINDS)}"
        )
    return kind, optional


def _literal(node: ast.expr, parameter: str, name: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise UsageError(
            f"{name}: the default of parameter {parameter!r} is not a plain value"
        ) from error


def _kind_of(default: Any) -> Kind:
    kinds: dict[type, Kind] = {bool: "bool", int: "int", float: "float"}
    return kinds.get(type(default), "str")


def value(parameter: Parameter, given: Any, where: str) -> Value:
    """Read a given value by the declared type.

    UsageError names `where`, the parameter and what it takes.
    """
    if given is None and parameter.optional:
        return None
    result: Any = _typed(parameter.kind, given)
    if result is UNREADABLE:
        hint = ""
        if parameter.kind == "str" and not isinstance(given, str):
            hint = "; put it in quotes"
        takes = IN_WORDS[parameter.kind]
        raise UsageError(f"{where}: parameter {parameter.name!r} is {takes}, not {given!r}{hint}")
    typed: Value = result
    return typed


def _typed(kind: Kind, given: Any) -> Any:
    if kind == "bool":
        return _bool(given)
    if kind == "date" or (kind == "str" and isinstance(given, dt.date)):
        return _day(given)
    if isinstance(given, bool | dt.date):
        return UNREADABLE
    if kind == "str":
        return given if isinstance(given, str) else UNREADABLE
    return _number(kind, given)


def _bool(given: Any) -> Any:
    if isinstance(given, bool):
        return given
    if isinstance(given, str):
        return {"true": True, "false": False}.get(given, UNREADABLE)
    return UNREADABLE


def _number(kind: Kind, given: Any) -> Any:
    pattern = INTEGER if kind == "int" else DECIMAL
    if isinstance(given, str):
        if not pattern.fullmatch(given):
            return UNREADABLE
    elif not isinstance(given, int | float) or (kind == "int" and isinstance(given, float)):
        return UNREADABLE
    if kind == "int":
        return int(given)
    number = float(given)
    return number if math.isfinite(number) else UNREADABLE


def _day(given: Any) -> Any:
    if isinstance(given, dt.date):
        return given.isoformat()
    if not isinstance(given, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
        return UNREADABLE
    try:
        return dt.date.fromisoformat(given).isoformat()
    except ValueError:
        return UNREADABLE


def complete(
    parameters: Mapping[str, Parameter], given: Mapping[str, Any], where: str
) -> dict[str, Value]:
    """Return every declared parameter with its value, in the notebook's order.

    UsageError lists all mistakes at once.
    """
    mistakes = []
    for name in given:
        if name not in parameters:
            mistakes.append(f"{where}: {unknown(name, parameters)}")
    values: dict[str, Value] = {}
    for name, parameter in parameters.items():
        if name in given:
            try:
                values[name] = value(parameter, given[name], where)
            except UsageError as error:
                mistakes.append(str(error))
        elif parameter.required:
            mistakes.append(f"{where}: parameter {name!r} has no default and must be given")
        else:
            values[name] = parameter.default
    if mistakes:
        raise UsageError("\n".join(mistakes))
    return values


def unknown(name: str, parameters: Mapping[str, Parameter]) -> str:
    """Say that a name is not declared, and which are."""
    if not name.isidentifier():
        return f"{name!r} is not a parameter's name"
    have = " (it has none)"
    if parameters:
        have = f" (it has {', '.join(parameters)})"
    near = did_you_mean(name, parameters)
    return f"there is no parameter {name!r}{near or have}"


def refuse_plain_secrets(parameters: Mapping[str, Any], where: str) -> None:
    """Raise UsageError where a parameter that is called like a secret holds one.

    It should name the variable that holds the secret instead.
    """
    for name, value in parameters.items():
        is_text = isinstance(value, str) and value != ""
        if is_text and SECRET.search(name) and not VARIABLE.fullmatch(value):
            hint = "name the variable that holds it, as in env:DB_PASSWORD"
            raise UsageError(f"{where}: parameter {name!r} is called like a secret; {hint}")
