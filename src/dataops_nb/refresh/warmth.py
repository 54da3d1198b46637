"""What is started before it is needed, so that it is warm by then: the template of reports, the renderer of pages.

Imports nothing slow: both import while this process does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from dataops_nb import imports
from dataops_nb.execution import forks
from dataops_nb.execution.forks import Template
from dataops_nb.refresh.surroundings import passed

if TYPE_CHECKING:
    from dataops_nb.publish.renderer import Renderer

Engine = Literal["forked", "kernel"]
KEPT: list[Template] = []
DRAWN: list[Renderer] = []


@contextmanager
def kept(engine: Engine = "forked") -> Iterator[None]:
    """Keep one template and one renderer for every report in here, so that only the first waits for their imports."""
    if DRAWN:
        yield
        return
    if engine == "forked" and forks.possible():
        KEPT.append(Template(passed()))
    try:
        with imports.grammars_later():
            from dataops_nb.publish.renderer import Renderer  # noqa: PLC0415  its package takes a while to import

        DRAWN.append(Renderer(passed(), KEPT[-1] if KEPT else None))
        yield
    finally:
        for renderer in DRAWN:
            renderer.close()
        for template in KEPT:
            template.close()
        KEPT.clear()
        DRAWN.clear()
