"""How a table is written: as HTML with `<caption>` and `<th scope>`, and as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from dataops_nb.story import CHIPS

_STYLE = """<style>
.nb-table { border-collapse: collapse; margin: .5em 0 }
.nb-table caption { text-align: left; font-weight: 600; padding: .3em 0 }
.nb-table.nb-table.nb-table tr > * { padding: .3em .8em; border-bottom: 1px solid #d5dae0; vertical-align: top }
.nb-table.nb-table.nb-table tr > * { text-align: left; white-space: normal }
.nb-table.nb-table.nb-table tr > .nb-number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
.nb-chip { border-radius: 1em; padding: .1em .6em; white-space: nowrap; color: #fff; background: #5c6670 }
.nb-chip[data-light=green] { background: #00805e } .nb-chip[data-light=red] { background: #b3261e }
.nb-chip[data-light=yellow] { background: #f0b429; color: #1f2933 }
</style>"""


@dataclass(frozen=True)
class Light:
    """A cell that shows a light: shape, word and colour."""

    name: str


@dataclass(frozen=True)
class Link:
    """A cell that leads to a file beside the notebook."""

    text: str
    file: str

    def __str__(self) -> str:
        return self.text


Cell = str | Light | Link


@dataclass(frozen=True)
class Table:
    """Rows of text; the first column names the row; `numeric` columns are aligned to the right.

    `nothing` is said where there are no rows.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numeric: frozenset[str] = frozenset()
    nothing: str = "nothing yet"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        html = f'<div class="mathjax_ignore">{self.html()}</div>'  # amounts, and no formulas between two dollar signs
        return {"text/html": _STYLE + html, "text/plain": str(self)}

    def html(self) -> str:
        """The table as HTML without a style of its own; one sentence where it has no rows."""
        if not self.rows:
            return f'<p class="nb-note">{escape(self.caption)}: {escape(self.nothing)}.</p>'
        head = "".join(f'<th scope="col"{self._align(name)}>{escape(name)}</th>' for name in self.columns)
        body = "".join(f"<tr>{self._row(row)}</tr>" for row in self.rows)
        return (
            f'<table class="nb-table"><caption>{escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def __str__(self) -> str:
        lines = [self.caption, " | ".join(self.columns)]
        lines += [
            " | ".join(CHIPS[cell.name] if isinstance(cell, Light) else str(cell) for cell in row) for row in self.rows
        ]
        return "\n".join(lines)

    def _align(self, column: str) -> str:
        return ' class="nb-number"' if column in self.numeric else ""

    def _row(self, row: Sequence[Cell]) -> str:
        first, *others = zip(self.columns, row, strict=True)
        cells = [f'<th scope="row">{_cell(first[1])}</th>']
        return "".join(cells + [f"<td{self._align(name)}>{_cell(cell)}</td>" for name, cell in others])


def _cell(cell: Cell) -> str:
    if isinstance(cell, Light):
        return f'<span class="nb-chip" data-light="{cell.name}">{CHIPS[cell.name]}</span>'
    if isinstance(cell, Link):
        return f'<a href="{escape(quote(cell.file))}">{escape(cell.text)}</a>'
    return escape(cell)
