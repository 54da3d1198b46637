"""`dataops-nb ask METRIC`: one page that is right when somebody asks about a number."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from dataops_nb import __version__, alignment, board, publish, story, tables
from dataops_nb import definitions as company_files
from dataops_nb.board import Board
from dataops_nb.cli import folder, output
from dataops_nb.cli.links import COLUMNS as LINKED
from dataops_nb.cli.records import plain, records

WORTH = ("step", "value", "low", "high", "star", "lag", "effect", "effect_low", "effect_high", "unit_value", "reason")


def run(args: Namespace) -> int:
    """Print the page as text, and write it to out/ask/METRIC; --json prints what it says as data."""
    bench = folder.find(args)
    definitions = folder.definitions(args)
    metric = company_files.meant(definitions, args.metric)
    grains = definitions.metrics[metric].grains
    read = board.read(bench, metrics=[metric], as_of=args.as_of, grain="week" if "week" in grains else grains[0])
    sections = _sections(read)
    page = _write(read, sections)
    if args.json:
        output.document(_document(read, sections, page))
        return 0
    said = [f"{title}\n{text}" for title, told in sections.items() if (text := "\n".join(filter(None, map(str, told))))]
    output.write("\n\n".join([_head(read), *said, str(page)]))
    return 0


def _head(read: Board) -> str:
    definitions, metric = read.definitions, read.lead
    department = definitions.departments[definitions.department_of(metric)]
    light = output.mark(str(read.row(metric)["light"]))
    return f"{light}  {definitions.label(metric)} ({metric})  {department.department}, {department.owner or 'no owner'}"


def _sections(read: Board) -> dict[str, list[Any]]:
    """What the page says, by title, in its order."""
    return {
        "Where it stands": [story.headline(read), story.pitch(read), story.action(read), story.notes(read)],
        "What a unit of effort is worth": [story.worth(read)],
        "The activity behind it": [story.explained(read)],
        "Why it matters": [story.links(read), story.for_departments(read)],
        "What would change our mind": [story.mind(read)],
        "Receipts": [tables.receipts(read)],
    }


class Node(dict[str, Any]):
    """A part of a notebook, read like nbformat's, whose import takes longer than the answer."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def _cell(kind: str, source: str, tag: str, *shown: Any) -> Node:
    outputs = [Node(output_type="display_data", data=each._repr_mimebundle_(), metadata={}) for each in shown]
    return Node(cell_type=kind, source=source, metadata={"tags": [tag] if tag else []}, outputs=outputs)


def _write(read: Board, sections: dict[str, list[Any]]) -> Path:
    """The page at its three altitudes, from the same sentences; where its summary is."""
    tags = dict(zip(sections, ("executive", "executive", "manager", "manager", "manager", "analyst"), strict=True))
    cells = [_cell("markdown", f"# {read.definitions.label(read.lead)}", "")]
    for title, told in sections.items():
        if shown := [each for each in told if str(each)]:
            cells += [_cell("markdown", f"## {title}", tags[title]), _cell("code", "", tags[title], *shown)]
    notebook: Any = Node(cells=[*cells, _cell("code", "", "facts", story.record(read))], metadata={})
    assert read.out is not None  # noqa: S101  a board that was read has a folder
    up = "../../index.html" if (read.out / "index.html").exists() else ""
    asked = {"metric": read.lead, "grain": read.grain}
    meta = publish.page.Meta(f"ask-{read.lead}", __version__, asked, up=up, archive="")
    place, private = read.out / "ask" / read.lead, read.out / "runs"
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.mkdir(parents=True, exist_ok=True)
    for name, content in publish.page.files(notebook, meta).items():
        publish.folder.replace(place / name, content, private)
    return place / "index.html"


def _document(read: Board, sections: dict[str, list[Any]], page: Path) -> dict[str, Any]:
    metric, definitions = read.lead, read.definitions
    row, worth = read.row(metric), read.unit_worth(metric)
    said = {title: [each.text for part in told if isinstance(part, story.Told) for each in part.sentences]
            for title, told in sections.items()}  # fmt: skip
    traced = read.catalog.provenance(*alignment.sources_of(definitions, [metric]))
    queries = records(alignment.receipts(read.catalog, metric))
    return {
        "metric": metric, "label": definitions.label(metric), "as_of": read.as_of, "grain": read.grain,
        "period": read.period.id, "department": definitions.department_of(metric),
        "owner": definitions.departments[definitions.department_of(metric)].owner,
        **{name: plain(row[name]) for name in ("light", "reason", "value", "target", "attainment")},
        "currency": definitions.company.currency,
        "worth": {name: plain(getattr(worth, name)) for name in WORTH},
        "links": records(read.links[list(LINKED)]),
        "says": {title: texts for title, texts in said.items() if texts},
        "receipts": {"queries": queries, "sources": records(traced)},
        "page": str(page),
    }  # fmt: skip
