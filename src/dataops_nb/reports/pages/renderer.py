"""Build pages in a warm process: it draws the charts, and stays while reports are executed.

Drawing starts a JavaScript engine, which costs a second the first time and must not be alive in a
process that forks. So the runner hands over an executed notebook and gets the files of its pages
back. A chart that takes the drawing down takes down this process, not the refresh: the next report
has a new one, which warms up before anybody asks.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

from nbformat import NotebookNode

from dataops_nb.errors import DataopsError, KilledError, first_line
from dataops_nb.reports import processes
from dataops_nb.reports.engine import Helper, Template, UnsafeError
from dataops_nb.reports.pages import figures

LONGEST = 120.0
WARM = """
from dataops_nb import grammars_later
with grammars_later():
    from dataops_nb.reports.pages import renderer as drawing
drawing.main()
"""
BESIDE = "dataops_nb.reports.pages.renderer:beside"
_LENGTH = 8
CHART = {
    "data": {"values": [{"x": 1, "y": 1}]},
    "mark": "line",
    "encoding": {
        "x": {"field": "x", "type": "quantitative"},
        "y": {"field": "y", "type": "quantitative"},
    },
}


class Renderer:
    """The runner's end. The process is starting when this is made; `files` waits for it."""

    def __init__(self, environment: Mapping[str, str], template: Template | None = None) -> None:
        """Start it: as a fork of a template, or as a process of its own.

        A template has imported most of what it needs.
        """
        self._environment = dict(environment)
        self._template = template
        self._process = self._started()

    def files(
        self, notebook: NotebookNode, meta: Any, longest: float = LONGEST
    ) -> dict[str, bytes]:
        """What `page.files` gives, built in the warm process, and raised as there.

        KilledError where that process ends meanwhile, or takes `longest` seconds.
        """
        beside = self._template is not None and not self._template.gone
        try:
            return self._built(notebook, meta, longest)
        except KilledError:
            # A cell of some report may have ended the template, and with it this process.
            if not beside or self._template is None or not self._template.gone:
                raise
            return self._built(notebook, meta, longest)

    def _built(self, notebook: NotebookNode, meta: Any, longest: float) -> dict[str, bytes]:
        if self._process.poll() is not None:
            self._process = self._started()
        late = threading.Event()
        watch = threading.Timer(longest, self._stop, [late])
        watch.start()
        try:
            _send(self._process.stdin, (notebook, meta))
            files, error = _receive(self._process.stdout)
        except (OSError, EOFError, pickle.PickleError):
            code = self._process.wait()
            if late.is_set():
                raise KilledError(f"drawing the pages took more than {longest:g} s") from None
            raise KilledError(f"drawing the pages failed ({_how(code)})") from None
        finally:
            watch.cancel()
        if error is not None:
            raise error
        built: dict[str, bytes] = files
        return built

    def _stop(self, late: threading.Event) -> None:
        late.set()
        self._process.kill()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()

    def _started(self) -> subprocess.Popen[bytes] | Helper:
        if self._template is not None and not self._template.gone:
            with suppress(UnsafeError):
                return Helper(self._template, BESIDE)
        return subprocess.Popen(
            [sys.executable, "-P", "-c", WARM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self._environment,
            start_new_session=True,
        )


def serve(asked: IO[bytes], answers: IO[bytes]) -> None:
    """The other end: build what is asked for until nobody asks any more."""
    from dataops_nb.reports import pages  # noqa: PLC0415  slow; the runner's end needs none of it

    while True:
        try:
            notebook, meta = _receive(asked)
        except EOFError:
            return
        try:
            answer: tuple[Any, BaseException | None] = pages.files(notebook, meta), None
        except DataopsError as error:
            answer = None, error
        except Exception as error:  # it must come to the runner, whatever it is
            plain = RuntimeError(first_line(type(error).__name__, str(error)))
            plain.add_note("".join(traceback.format_exception(error)))
            answer = None, plain
        _send(answers, answer)


def _send(pipe: IO[bytes] | None, message: Any) -> None:
    assert pipe is not None  # noqa: S101  both are pipes
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(len(content).to_bytes(_LENGTH, "big") + content)
    pipe.flush()


def _receive(pipe: IO[bytes] | None) -> Any:
    assert pipe is not None  # noqa: S101  both are pipes
    length = pipe.read(_LENGTH)
    content = pipe.read(int.from_bytes(length, "big")) if len(length) == _LENGTH else b""
    if not content:
        raise EOFError
    return pickle.loads(content)  # noqa: S301  from our own process, which runs our own code


def _how(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


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
    serve(asked, answers)
