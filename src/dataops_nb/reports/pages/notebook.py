"""Read an executed notebook as data: its facts, and the sentences that use them.

One output tells a finished notebook from one that only looks finished: its facts. papermill's own
metadata call a cell completed that never ran. So a report counts only when its last code cell
displayed the facts, no cell shows an error, and the facts themselves can be used.

What its cells show is written by `outputs`, its sentences by `sentences`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dataops_nb.display import SENTENCES, Fact, Span
from dataops_nb.errors import ReportError, first_line

if TYPE_CHECKING:
    from nbformat import NotebookNode


MIME = "application/vnd.dataops-nb.facts+json"
INJECTED = "injected-parameters"
ADDED = frozenset({INJECTED, "papermill-error-cell-tag"})
HIDDEN = ADDED | {"parameters"}
REQUIRED = ("company", "title", "as_of", "period", "light", "headline", "facts")
FACT = ("id", "metric", "segment", "period", "field", "value", "unit", "text")
Payload = Mapping[str, Any]


def tags(cell: NotebookNode) -> set[str]:
    """Return the tags of a cell."""
    return set(cell.get("metadata", {}).get("tags", []))


def of(notebook: NotebookNode) -> dict[str, Any]:
    """Return the record that an executed notebook displayed.

    ReportError where it is not a finished report.
    """
    records = []
    for number, cell in numbered(notebook):
        for output in cell.get("outputs", []):
            if output["output_type"] == "error":
                error = first_line(output.get("ename", "Error"), output.get("evalue", ""))
                raise ReportError(f"cell {number}: {error}")
            if MIME in output.get("data", {}):
                records.append(output["data"][MIME])
    if not records:
        raise ReportError("the notebook stopped before its last cell, story.record(this)")
    if len(records) > 1:
        raise ReportError(f"story.record ran {len(records)} times; keep it in the last cell only")
    record = records[0]
    _check(record)
    return _with_brought(record, notebook)


def _with_brought(payload: dict[str, Any], notebook: NotebookNode) -> dict[str, Any]:
    """Add the facts that the sentences of the notebook bring, after the record's own."""
    known = by_id(payload)
    carried = list(payload["facts"])
    for _, cell in numbered(notebook):
        for output in cell.get("outputs", []):
            brought = output.get("data", {}).get(SENTENCES, {}).get("facts", [])
            if not _is_finite(brought):
                raise ReportError("a sentence has a fact that is infinite or not a number")
            for fact in map(as_fact, brought):
                own = placed(fact, known)
                if own.id not in known:
                    known[own.id] = own
                    carried.append(own.as_dict())
    return {**payload, "facts": carried}


def placed(fact: Fact, known: Mapping[str, Fact]) -> Fact:
    """Return a fact that a sentence brings, under the id that it has among the `known` ones.

    Sentences of two boards may state one id for two periods: the second one's ends with its period.
    """
    own = fact
    while known.get(own.id, own) != own:
        own = replace(own, id=f"{own.id}@{fact.period}")
    return own


def _check(payload: Any) -> None:
    """Raise ReportError where a record is unfinished, of another version, or has unusable facts."""
    if not isinstance(payload, dict) or payload.get("complete") is not True:
        raise ReportError("the facts are incomplete")
    version = payload.get("schema_version")
    if version != 1:
        raise ReportError(f"facts of schema {version!r}; this version reads 1")
    missing = [key for key in REQUIRED if key not in payload]
    if missing:
        raise ReportError(f"the facts lack {', '.join(missing)}")
    ids = [fact.get("id") for fact in payload["facts"]]
    for id_, count in Counter(ids).items():
        if not isinstance(id_, str) or count > 1:
            raise ReportError(f"the fact {id_!r} appears {count} times or has no id")
    if not _is_finite(payload):
        raise ReportError("the facts contain an infinite number or NaN; use null for missing")


def by_id(payload: Payload) -> dict[str, Fact]:
    """Return the facts of a report, or of a page, by id."""
    return {stored["id"]: as_fact(stored) for stored in payload["facts"]}


def as_fact(stored: Mapping[str, Any]) -> Fact:
    """Return a stored fact as a Fact."""
    return Fact(**{name: stored.get(name) for name in FACT})  # type: ignore[arg-type]


def spans_of(
    sentence: Mapping[str, Any], known: Mapping[str, Fact], brought: Iterable[Fact] = ()
) -> tuple[Span, ...]:
    """Return the spans of a stored sentence; ReportError for a fact that is not `known`.

    `brought` are the facts that came with it. A sentence of an older version has no spans: it is
    one of plain words.
    """
    stored = sentence.get("spans")
    if stored is None:
        return (Span(str(sentence["text"])),)
    own = {fact.id: placed(fact, known) for fact in brought}
    spans = []
    for span in stored:
        id_ = span.get("fact")
        fact = own.get(id_) or known.get(id_)
        if id_ is not None and fact is None:
            raise ReportError(
                f"{sentence['text']!r} needs the fact {id_!r}, missing from this report"
            )
        spans.append(Span(str(span["text"]), fact, bool(span.get("name"))))
    return tuple(spans)


def _is_finite(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False, default=str)
    except ValueError:
        return False
    return True


def numbered(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    """Number the cells as the author counts them: from 1, without those that papermill added."""
    own = (cell for cell in notebook.cells if not tags(cell) & ADDED)
    return enumerate(own, start=1)


def fingerprint(
    notebook: NotebookNode, parameters: Mapping[str, Any], payload: Payload, version: str
) -> str:
    """Hash what makes a report: its source, its parameters, its facts and our version.

    Returns 12 hexadecimal digits.
    """
    source = []
    for _, cell in numbered(notebook):
        source.append([cell.cell_type, cell.source, sorted(tags(cell))])
    record = {key: value for key, value in payload.items() if key != "used"}
    document = [source, dict(parameters), record, version]
    text = json.dumps(document, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def as_json(payload: Payload, report: str) -> bytes:
    """Write facts.json: the facts of a report, in the order of the notebook."""
    facts = []
    for fact in payload["facts"]:
        facts.append({key: fact.get(key) for key in FACT})
    document = {"schema_version": 1, "report": report, "as_of": payload["as_of"], "facts": facts}
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def as_csv(payload: Payload) -> bytes:
    """Write numbers.csv: the rows of the report's metric table."""
    rows = payload.get("rows") or []
    columns: dict[str, None] = {}
    for row in rows:
        columns |= dict.fromkeys(row)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_csv_cell(column) for column in columns])
    for row in rows:
        writer.writerow([_csv_cell(row.get(column)) for column in columns])
    return text.getvalue().encode()


def _csv_cell(value: Any) -> Any:
    """Write a cell; text that a spreadsheet would run as a formula is marked as text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return "'" + value
    return "" if value is None else value
