"""The Summary of any board as the page that a refresh publishes, without a kernel: its cells run here."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

from nbformat import v4

from dataops_nb import charts, story, tables
from dataops_nb.board import Board
from dataops_nb.errors import UsageError
from dataops_nb.reports import pages
from dataops_nb.reports.pages.figures import MIME

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
NORTH_STAR, DEPARTMENT, SOLVE = "10_north_star", "50_product", "60_solve_next"


ALTITUDES = ("executive", "manager", "analyst")


def write(
    this: Board, folder: Path, notebook: str = DEPARTMENT, altitude: str = "executive"
) -> Path:
    """Write one page of a board by the cells of a packaged notebook; returns its path.

    Cells about metrics that only the sample has are left out.
    """
    cells = []
    kept = {"facts", *ALTITUDES[: ALTITUDES.index(altitude) + 1]}
    for cell in json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text("utf-8"))["cells"]:
        tags = set(cell["metadata"].get("tags", []))
        if cell["cell_type"] == "code" and tags & kept:
            try:
                shown = _shown(cell, this)
            except UsageError:
                continue
            outputs = [v4.new_output("display_data", data=_data(value)) for value in shown]
            metadata = {"tags": sorted(tags)}
            cells.append(v4.new_code_cell("", outputs=outputs, metadata=metadata))
    meta = pages.Meta(report="generated", version="1")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "index.html"
    path.write_text(pages.build(v4.new_notebook(cells=cells), altitude, meta), "utf-8")
    return path


def _shown(cell: dict[str, Any], this: Board) -> list[Any]:
    made: list[Any] = []
    space = {"this": this, "charts": charts, "story": story, "tables": tables}
    space["display"] = lambda *values: made.extend(values)
    *before, last = ast.parse("".join(cell["source"])).body
    exec(compile(ast.Module(before, []), "cell", "exec"), space)
    value = eval(compile(ast.Expression(last.value), "cell", "eval"), space)
    return made if value is None else [*made, value]


def _data(value: Any) -> dict[str, Any]:
    if hasattr(value, "to_dict"):
        return {MIME: value.to_dict()}
    return value._repr_mimebundle_()


def plain(html: str) -> str:
    """The text of a piece of a page, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def words(html: str) -> int:
    """How many words a page's main part has: sentences, tiles and tables, not drawings and what is folded."""
    main = re.search(r"<main>(.*?)</main>", html, re.DOTALL)[1]
    for apart in ("svg", "style", "script", "details"):
        main = re.sub(rf"<{apart}\b.*?</{apart}>", " ", main, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", main)
    return len([word for word in text.split() if re.search(r"\w", word)])
