"""The process of the renderer. It warms up before anybody asks."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from typing import IO

from dataops_nb.errors import DataopsError
from dataops_nb.execution import processes
from dataops_nb.publish import figures, renderer

CHART = {
    "data": {"values": [{"x": 1, "y": 1}]},
    "mark": "line",
    "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
}


def main() -> None:
    """A process of its own, asked through its standard input."""
    processes.die_with_parent(os.getppid())
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _serve(sys.stdin.buffer, answers)


def beside(end: socket.socket) -> None:
    """A fork of the template, asked through a socket."""
    _serve(end.makefile("rb"), end.makefile("wb"))


def _serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """Draw a chart that nobody sees, because the first one takes a second; then build pages."""
    with suppress(DataopsError):
        figures.figure(CHART, "f0")
    renderer.serve(asked, answers)
