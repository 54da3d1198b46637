"""Run `dataops-nb ask METRIC`: write one page that answers a question about a number.

The page is a published page like a report's: a summary for executives, the reasons for managers,
and the receipts for analysts.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dataops_nb import __version__, board, cli, plain, story, tables
from dataops_nb.alignment import measures
from dataops_nb.alignment.comparisons import with_digits
from dataops_nb.board import Board
from dataops_nb.cli import answers, sound
from dataops_nb.cli.comparisons import LINK_COLUMNS
from dataops_nb.company import meant
from dataops_nb.display import Told
from dataops_nb.reports import pages, site

WORTH_FIELDS = (
    "step",
    "value",
    "low",
    "high",
    "star",
    "lag",
    "effect",
    "effect_low",
    "effect_high",
    "unit_value",
    "reason",
)
LIGHT_COLUMNS = ("light", "reason", "value", "target", "attainment")
READERS = {
    "Result": "executive",
    "What one more is worth": "executive",
    "What changed it": "manager",
    "What it affects": "manager",
    "What would change our mind": "manager",
    "Queries": "analyst",
}
Sections = dict[str, list[Any]]


def run_ask(args: Namespace) -> int:
    """Print the page as text and write it to out/ask/METRIC; --json prints its content as data."""
    bench = cli.find(args)
    definitions = cli.definitions(args)
    metric = meant(definitions, args.metric)
    grain = cli.usual_grain(definitions.metrics[metric].grains)
    metric_board = board.read(bench, metrics=[metric], as_of=args.as_of, grain=grain)
    metric_board = sound.with_sound_memory(metric_board)
    sections = answer_sections(metric_board)
    page_path = _write_page(metric_board, sections, bench.out)
    written = page_path.parent.iterdir()
    answers.stands_on(metric_board.rows, metric_board.company.timezone, written)
    if args.json:
        document = answer_document(metric_board, sections)
        cli.document({**document, "page": str(page_path)})
        return 0
    paragraphs = [_heading(metric_board)]
    for title, displays in sections.items():
        texts = [str(display) for display in displays]
        text = "\n".join(filter(None, texts))
        if text:
            paragraphs.append(f"{title}\n{text}")
    paragraphs.append(str(page_path))
    cli.show("\n\n".join(paragraphs))
    return 0


def _heading(metric_board: Board) -> str:
    definitions = metric_board.company
    metric = metric_board.lead
    department = definitions.departments[definitions.department_of(metric)]
    light = cli.mark(str(metric_board.row(metric)["light"]))
    owner = department.owner or "no owner"
    label = definitions.label(metric)
    return f"{light}  {label} ({metric})  {department.department}, {owner}"


def answer_sections(metric_board: Board) -> Sections:
    """Return what the page shows, by title, in its order."""
    return {
        "Result": [
            story.headline(metric_board),
            story.pitch(metric_board),
            story.action(metric_board),
            story.notes(metric_board),
        ],
        "What one more is worth": [story.worth(metric_board)],
        "What changed it": [story.explained(metric_board)],
        "What it affects": [
            story.links(metric_board),
            story.for_departments(metric_board),
        ],
        "What would change our mind": [story.mind(metric_board)],
        "Queries": [tables.receipts(metric_board)],
    }


class Node(dict[str, Any]):
    """A part of a notebook, with the interface of nbformat's, which is slow to import."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def _cell(kind: str, source: str, tag: str, displays: Sequence[Any] = ()) -> Node:
    outputs = []
    for display in displays:
        data = display._repr_mimebundle_()
        outputs.append(Node(output_type="display_data", data=data, metadata={}))
    tags = []
    if tag:
        tags.append(tag)
    return Node(
        cell_type=kind,
        source=source,
        metadata={"tags": tags},
        outputs=outputs,
    )


def _write_page(metric_board: Board, sections: Sections, out: Path) -> Path:
    """Write the page at its three altitudes and return the path of its summary."""
    metric = metric_board.lead
    front_page = ""
    if (out / "index.html").exists():
        front_page = "../../index.html"
    parameters = {"metric": metric, "grain": metric_board.grain}
    meta = pages.Meta(
        f"ask-{metric}",
        __version__,
        parameters,
        up=front_page,
        archive="",
    )
    page_folder = out / "ask" / metric
    private = out / "runs"
    private.mkdir(mode=0o700, parents=True, exist_ok=True)
    page_folder.mkdir(parents=True, exist_ok=True)
    notebook: Any = _notebook(metric_board, sections)
    for name, content in pages.files(notebook, meta).items():
        site.replace(page_folder / name, content, private)
    return page_folder / "index.html"


def _notebook(metric_board: Board, sections: Sections) -> Node:
    """Return the sections as an executed notebook, from which pages are built."""
    label = metric_board.company.label(metric_board.lead)
    cells = [_cell("markdown", f"# {label}", "")]
    for title, displays in sections.items():
        shown = [display for display in displays if str(display)]
        if shown:
            reader = READERS[title]
            cells.append(_cell("markdown", f"## {title}", reader))
            cells.append(_cell("code", "", reader, shown))
    cells.append(_cell("code", "", "facts", [story.record(metric_board, label, links=True)]))
    return Node(cells=cells, metadata={})


def answer_document(metric_board: Board, sections: Sections) -> dict[str, Any]:
    """Return what is answered as data: the light, the worth, the links, sentences, receipts."""
    metric = metric_board.lead
    definitions = metric_board.company
    department = definitions.department_of(metric)
    own = metric_board.current.query("metric == @metric")
    row = with_digits(own, metric_board.rows).iloc[0]
    worth = metric_board.unit_worth(metric)
    receipts = measures.receipts(metric_board.rows, metric)
    source_names = measures.sources_of(definitions, [metric])
    provenance = metric_board.rows.provenance(*source_names)
    return {
        "metric": metric,
        "label": definitions.label(metric),
        "as_of": metric_board.as_of,
        "grain": metric_board.grain,
        "period": metric_board.period.id,
        "department": department,
        "owner": definitions.departments[department].owner,
        **{name: plain.value(row[name]) for name in LIGHT_COLUMNS},
        "currency": definitions.currency,
        "worth": {name: plain.value(getattr(worth, name)) for name in WORTH_FIELDS},
        "links": plain.rows(metric_board.links[list(LINK_COLUMNS)]),
        "says": _sentences_by_title(sections),
        "receipts": {
            "queries": plain.rows(receipts),
            "sources": plain.rows(provenance),
        },
    }


def _sentences_by_title(sections: Sections) -> dict[str, list[str]]:
    """Return the text of each sentence; sections without sentences are left out."""
    texts_by_title = {}
    for title, displays in sections.items():
        texts = []
        for display in displays:
            if isinstance(display, Told):
                texts += [sentence.text for sentence in display.sentences]
        if texts:
            texts_by_title[title] = texts
    return texts_by_title
