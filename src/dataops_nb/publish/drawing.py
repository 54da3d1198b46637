"""The process of the renderer. It warms up before anybody asks."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from dataops_nb.errors import DataopsError
from dataops_nb.execution import processes
from dataops_nb.publish import figures, renderer

CHART = {
    "data": {"values": [{"x": 1, "y": 1}]},
    "mark": "line",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
}


def main() -> None:
    """Draw a chart that nobody sees, because the first one takes a second; then build pages."""
    processes.die_with_parent(os.getppid())
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with suppress(DataopsError):
        figures.figure(CHART, "f0")
    renderer.serve(sys.stdin.buffer, answers)
