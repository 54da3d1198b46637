"""Which engine a notebook fits: the forked one, unless it talks back to a browser or names another kernel.

Our own `controls` talk to a browser only where somebody can turn a knob; under refresh they are a table. What talks without
being seen here is found when it does: its report leaves the fork with NEEDS_KERNEL.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing nbformat takes a second, and a suite in which nothing changed needs none
    from nbformat import NotebookNode

DEFAULT = "python3"
NEEDS_KERNEL = 75
TALKING = ("anywidget", "bqplot", "comm", "ipycanvas", "ipyleaflet", "ipympl", "ipyparallel", "ipywidgets", "panel")
_IMPORTS = re.compile(rf"^\s*(?:from|import)\s+({'|'.join(TALKING)})\b", re.MULTILINE)
_MAGIC = re.compile(r"^\s*%matplotlib\s+(widget|notebook|ipympl|nbagg|qt|tk|gtk)", re.MULTILINE)


def kernel(notebook: NotebookNode) -> str:
    """The name of the kernel that a notebook asks for; python3 where it says nothing."""
    return str(notebook.metadata.get("kernelspec", {}).get("name") or DEFAULT)


def reason_for_kernel(notebook: NotebookNode) -> str | None:
    """Why a notebook needs a kernel: what it imports, or which kernel it names; None where it does not."""
    if kernel(notebook) != DEFAULT:
        return f"it names the kernel {kernel(notebook)!r}"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            for pattern in (_IMPORTS, _MAGIC):
                hit = pattern.search(cell.source)
                if hit:
                    return f"{hit[0].strip()!r} talks to a browser"
    return None
