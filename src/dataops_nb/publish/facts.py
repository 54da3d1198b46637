"""The facts of a report: the one output by which a finished notebook is told from one that only looks finished.

papermill's own metadata call a cell completed that never ran. So a report counts only when its last code cell displayed
the facts, no cell shows an error, and the facts themselves can be used.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dataops_nb.errors import ReportError, first_line
from dataops_nb.story import Fact

if TYPE_CHECKING:  # importing nbformat takes a second, and a suite in which nothing changed needs none
    from nbformat import NotebookNode

MIME = "application/vnd.dataops-nb.facts+json"
SENTENCES = "application/vnd.dataops-nb.sentences+json"
INJECTED = "injected-parameters"
HIDDEN = frozenset({"parameters", INJECTED, "papermill-error-cell-tag"})
REQUIRED = ("company", "title", "as_of", "period", "light", "headline", "facts")
FACT = ("id", "metric", "segment", "period", "field", "value", "unit", "text")

Payload = Mapping[str, Any]


def tags(cell: NotebookNode) -> set[str]:
    """The tags of a cell."""
    return set(cell.get("metadata", {}).get("tags", []))


def of(notebook: NotebookNode) -> dict[str, Any]:
    """The facts that an executed notebook displayed; ReportError where it is not a finished report."""
    for number, cell in numbered(notebook):
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                raise ReportError(
                    f"cell {number}: {first_line(output.get('ename', 'Error'), output.get('evalue', ''))}"
                )
    found = [
        o["data"][MIME] for _, cell in numbered(notebook) for o in cell.get("outputs", []) if MIME in o.get("data", {})
    ]
    if not found:
        raise ReportError("the notebook ended without its facts: its last cell did not run to the end")
    if len(found) > 1:
        raise ReportError(f"the notebook displays its facts {len(found)} times; only its last code cell may")
    return _checked(found[0])


def _checked(payload: Any) -> dict[str, Any]:
    if not isinstance(payload, dict) or payload.get("complete") is not True:
        raise ReportError("the notebook's facts say that they are not complete")
    if payload.get("schema_version") != 1:
        raise ReportError(
            f"the notebook's facts have schema_version {payload.get('schema_version')!r}; this version reads 1"
        )
    missing = [key for key in REQUIRED if key not in payload]
    if missing:
        raise ReportError(f"the notebook's facts lack {', '.join(missing)}")
    ids = [fact.get("id") for fact in payload["facts"]]
    for id_ in dict.fromkeys(ids):
        if not isinstance(id_, str) or ids.count(id_) > 1:
            raise ReportError(f"the fact {id_!r} is given {ids.count(id_)} times or has no id")
    if not _finite(payload):
        raise ReportError(
            "the notebook's facts hold a number that is infinite or not a number; missing values are null"
        )
    return payload


def by_id(payload: Payload) -> dict[str, Fact]:
    """The facts of a report, or of a page, by id."""
    return {each["id"]: as_fact(each) for each in payload["facts"]}


def as_fact(said: Mapping[str, Any]) -> Fact:
    """A fact as it is stored."""
    return Fact(**{name: said.get(name) for name in FACT})  # type: ignore[arg-type]


def _finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_finite(v) for v in value.values())
    if isinstance(value, list):
        return all(_finite(v) for v in value)
    return not isinstance(value, float) or math.isfinite(value)


def numbered(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """The cells as the author counts them: from 1, without those that papermill added."""
    kept = (cell for cell in notebook.cells if not tags(cell) & {INJECTED, "papermill-error-cell-tag"})
    return enumerate(kept, start=1)


def fingerprint(notebook: NotebookNode, parameters: Mapping[str, Any], payload: Payload, version: str) -> str:
    """12 hex digits of what makes a report: the notebook's source, its parameters, its facts and our version."""
    source = [[cell.cell_type, cell.source, sorted(tags(cell))] for _, cell in numbered(notebook)]
    said = {key: value for key, value in payload.items() if key != "used"}
    text = json.dumps([source, dict(parameters), said, version], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def as_json(payload: Payload, report: str) -> bytes:
    """facts.json: the facts of a report, in the order of the notebook."""
    facts = [{key: fact.get(key) for key in FACT} for fact in payload["facts"]]
    document = {"schema_version": 1, "report": report, "as_of": payload["as_of"], "facts": facts}
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def as_csv(payload: Payload) -> bytes:
    """numbers.csv: the rows of the report's metric table; text that a spreadsheet would run is marked as text."""
    rows = payload.get("rows") or []
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_cell(column) for column in columns])
    writer.writerows([[_cell(row.get(column)) for column in columns] for row in rows])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return "" if value is None else value
