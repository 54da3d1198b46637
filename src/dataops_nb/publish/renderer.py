"""The warm process that builds pages: it draws the charts and stays, while reports are executed beside it.

Drawing starts a JavaScript engine, which costs a second the first time and must not be alive in a process that forks.
So the runner hands over an executed notebook and gets the files of its pages back. A chart that takes the drawing down
takes down this process, not the refresh: the next report has a new one.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

from nbformat import NotebookNode

from dataops_nb.errors import DataopsError, KilledError, first_line
from dataops_nb.execution.forks import Helper, Template, UnsafeError

LONGEST = 120.0
WARM = """
from dataops_nb import imports
with imports.grammars_later():
    from dataops_nb.publish import drawing
drawing.main()
"""
BESIDE = "dataops_nb.publish.drawing:beside"
_LENGTH = 8


class Renderer:
    """The runner's end. The process is starting when this is made; `files` waits for it."""

    def __init__(self, environment: Mapping[str, str], template: Template | None = None) -> None:
        """Start it: as a fork of a template, which has imported most of what it needs, or as a process of its own."""
        self._environment = dict(environment)
        self._template = template
        self._process = self._started()

    def files(self, notebook: NotebookNode, meta: Any, longest: float = LONGEST) -> dict[str, bytes]:
        """What `page.files` gives, built in the warm process, and raised as there.

        KilledError where that process ends meanwhile, or takes `longest` seconds.
        """
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
            said = f"took longer than {longest:g} s" if late.is_set() else f"ended {_how(code)}"
            raise KilledError(f"the process that draws the pages {said}") from None
        finally:
            watch.cancel()
        if error is not None:
            raise error
        found: dict[str, bytes] = files
        return found

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
    from dataops_nb.publish import page  # noqa: PLC0415  slow; the runner's end needs none of it

    while True:
        try:
            notebook, meta = _receive(asked)
        except EOFError:
            return
        try:
            answer: tuple[Any, BaseException | None] = page.files(notebook, meta), None
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
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
