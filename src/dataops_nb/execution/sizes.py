"""What a cell may show: pieces of one stream are one output, and a megabyte a cell is enough.

200,000 printed lines make a file that no reader opens. So a stream is cut where the cell has shown its share, with a
note of what is missing, and a display beyond it is replaced by a note. Facts are data, not something shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode, v4

LIMIT = 1_000_000
DATA = "application/vnd.dataops-nb.facts+json"


def settle(notebook: NotebookNode, limit: int = LIMIT) -> None:
    """Join and cut the outputs of every cell, in place."""
    for cell in notebook.cells:
        if cell.get("outputs"):
            cell.outputs = list(_cut(_joined(cell.outputs), limit))


def note(lost: int) -> NotebookNode:
    """The output that says how much of what was printed is missing."""
    text = f"\n[cut here: a cell may show {LIMIT:,} characters; {lost:,} more were printed]\n"
    return v4.new_output("stream", name="stdout", text=text)  # type: ignore[no-untyped-call, no-any-return]


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """The outputs with neighbouring pieces of one stream as one; how a kernel cuts them is chance."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last is not None and "stream" == output.output_type == last.output_type and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _cut(outputs: list[NotebookNode], limit: int) -> Iterator[NotebookNode]:
    left = limit
    for output in outputs:
        if output.output_type == "stream":
            lost = len(output.text) - left
            if lost > 0 and not output.text.startswith("\n[cut here: "):
                output.text = output.text[:left]
                yield output
                yield note(lost)
                left = 0
                continue
            left -= len(output.text)
        elif DATA not in output.get("data", {}):
            size = _size(output.get("data", {}))
            if size > left:
                yield _instead(size)
                continue
            left -= size
        yield output


def _size(data: dict[str, Any]) -> int:
    return sum(len(value) if isinstance(value, str) else len(json.dumps(value)) for value in data.values())


def _instead(size: int) -> NotebookNode:
    text = f"[left out: this output has {size:,} characters; a cell may show {LIMIT:,}]"
    return v4.new_output("display_data", data={"text/plain": text})  # type: ignore[no-untyped-call, no-any-return]
