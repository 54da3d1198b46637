"""The shell of a report without a kernel, and how much its cells may show.

It is ipykernel's own class of IPython. So a library that looks for a notebook decides as in a
kernel, and the same code makes displays, results and tracebacks. Only messages for a socket are
handed to `took` instead.

A cell may show a megabyte: 200,000 printed lines make a file that no reader opens. A stream is cut
where the cell has shown its share, with a note of what is missing; a larger display is replaced by
a note. Facts are data that nobody sees, so they have no limit.
"""

from __future__ import annotations

import ast
import builtins
import getpass
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import comm
from ipykernel.compiler import XCachingCompiler
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.error import StdinNotImplementedError
from IPython.core.profiledir import ProfileDir
from jupyter_client.session import Session, json_packer, json_unpacker
from nbformat import NotebookNode, v4
from traitlets import Any as AnyTrait
from traitlets.config import Config

from dataops_nb.reports.engine import NEEDS_KERNEL

LIMIT = 1_000_000  # characters that one cell may show
DATA = "application/vnd.dataops-nb.facts+json"
CUT = "\n[cut here: "
ASKED = "raw_input was called, but this frontend does not support input requests."
CONFIG = Config(
    {
        "HistoryManager": {"enabled": False, "hist_file": ":memory:"},
        "InteractiveShell": {"system_raise_on_error": True, "cache_size": 1000},
    }
)
Took = Callable[[dict[str, Any]], None]


class Shell(ZMQInteractiveShell):
    """A kernel's shell without the kernel; it neither reads nor writes a person's profile."""

    ended = False
    alone = False
    _last_traceback_during_displayhook = False

    def init_profile_dir(self, profile_dir: Any) -> None:
        """Use no profile: a report must not depend on whose machine it runs on."""
        self.profile_dir = profile_dir or ProfileDir()

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing for plots inside the notebook; a window needs a kernel."""
        if gui not in {None, "inline"}:
            self.need_kernel(f"the graphical interface {gui!r}")

    def ask_exit(self) -> None:
        """End the notebook after this cell, which has called `exit()`."""
        self.ended = True

    def need_kernel(self, what: str) -> NoReturn:
        """Leave the report to the stock kernel; end this process before it does anything twice."""
        if self.alone:
            os._exit(NEEDS_KERNEL)
        raise RuntimeError(f"{what} needs a kernel; use --engine kernel")


# Libraries decide by the name of the class whether they show something in a notebook.
Shell.__name__ = Shell.__qualname__ = ZMQInteractiveShell.__name__
Shell.__module__ = ZMQInteractiveShell.__module__


class Messages(Session):
    """A session that keeps each message instead of sending it.

    It packs and unpacks the message, as a connection does.
    """

    # a trait, replaced by a function
    took: Took = AnyTrait(lambda message: None)  # type: ignore[assignment]

    def send(  # type: ignore[override]
        self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, **_: Any
    ) -> Any:
        """Hand a message over, with its content as a client reads it."""
        message = msg_or_type
        if not isinstance(message, Mapping):
            message = self.msg(msg_or_type, content, parent=parent)
        received = json_unpacker(json_packer(message["content"]))
        self.took({**message, "content": received})


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of a report.

    Text is sent when something else is shown, or the cell ends. `kept` and `lost` count its
    characters.
    """

    encoding = "UTF-8"

    def __init__(self, name: str, session: Messages, descriptor: int) -> None:
        self.name = name
        self._session = session
        self._descriptor = descriptor
        self._printed: list[str] = []
        self.kept = 0
        self.lost = 0

    def write(self, text: str) -> int:
        """Keep what was printed; beyond the limit of a cell only count it."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        room = max(LIMIT - self.kept, 0)
        self.lost += max(len(text) - room, 0)
        if room and text:
            self._printed.append(text[:room])
            self.kept += min(len(text), room)
        return len(text)

    def flush(self) -> None:
        """Send what was printed."""
        if self._printed:
            text = "".join(self._printed)
            self._printed.clear()
            self._session.send(None, "stream", {"name": self.name, "text": text})

    def fileno(self) -> int:
        """Return the descriptor under the stream, for programs that a cell starts."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return False: no terminal is there."""
        return False

    def writable(self) -> bool:
        """Return True: it can be written."""
        return True


def make_shell() -> Shell:
    """Return the shell of this process; libraries look for it when they are imported."""
    if not Shell.initialized():
        Shell.instance(config=CONFIG, user_ns={}, compiler_class=XCachingCompiler)
    shell: Shell = Shell.instance()
    session = Messages()
    parts: tuple[Any, ...] = (shell.displayhook, shell.display_pub)
    for part in parts:
        part.session = session
    comm.create_comm = lambda *_, **__: shell.need_kernel("a widget")
    if not os.environ.get("MPLBACKEND"):
        os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    return shell


def dress_process(shell: Shell, took: Took) -> tuple[Stream, Stream]:
    """Give this process a kernel's streams and search path, and no input.

    `took` gets each message.
    """
    hook: Any = shell.displayhook
    session: Messages = hook.session
    session.took = took
    out = Stream("stdout", session, 1)
    err = Stream("stderr", session, 2)
    sys.stdout, sys.stderr = out, err
    sys.path[:] = _search_path(sys.path)
    builtins.input = getpass.getpass = _refuse_input
    return out, err


def _search_path(folders: list[str]) -> list[str]:
    """Put the current folder where a kernel has it: after Python's own, before packages."""
    current = {"", os.getcwd()}
    path = [folder for folder in folders if folder not in current]
    position = len(path)
    for index, folder in enumerate(path):
        if folder.endswith(("site-packages", "dist-packages")):
            position = index
            break
    path.insert(position, "")
    return path


def _refuse_input(*_: Any, **__: Any) -> NoReturn:
    raise StdinNotImplementedError(ASKED)


def import_date(notebook: NotebookNode) -> None:
    """Let the parameters cell name the type `date`, as the schema of a report does, without import.

    Python evaluates `since: date = "2026-01-01"` when the cell runs.
    """
    for cell in notebook.cells:
        is_schema = "parameters" in cell.metadata.get("tags", [])
        if is_schema and cell.cell_type == "code" and _needs_date(cell.source):
            cell.source = f"from datetime import date\n{cell.source}"


def _needs_date(source: str) -> bool:
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return False
    for statement in statements:
        names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        if isinstance(statement, ast.AnnAssign):
            in_type = ast.walk(statement.annotation)
            if any(isinstance(node, ast.Name) and node.id == "date" for node in in_type):
                return True
        if "date" in names or "date" in _imported(statement):
            return False
    return False


def _imported(statement: ast.stmt) -> set[str]:
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return set()
    return {alias.asname or alias.name for alias in statement.names}


def settle(notebook: NotebookNode, limit: int = LIMIT) -> None:
    """Join and cut the outputs of every cell, in place."""
    for cell in notebook.cells:
        if cell.get("outputs"):
            outputs = _join_streams(cell.outputs)
            cell.outputs = list(_cut_outputs(outputs, limit))


def missing_note(lost: int) -> NotebookNode:
    """Return an output that says how many printed characters are missing."""
    text = f"{CUT}a cell may show {LIMIT:,} characters; {lost:,} more were printed]\n"
    data = {"name": "stdout", "text": text}
    output: NotebookNode = v4.new_output("stream", **data)  # type: ignore[no-untyped-call]
    return output


def _join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of one stream; where a kernel divides them is chance."""
    joined: list[NotebookNode] = []
    for output in outputs:
        if joined and _same_stream(joined[-1], output):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _same_stream(first: NotebookNode, second: NotebookNode) -> bool:
    if first.output_type != "stream" or second.output_type != "stream":
        return False
    return bool(first.name == second.name)


def _cut_outputs(outputs: list[NotebookNode], limit: int) -> Iterator[NotebookNode]:
    """Yield the outputs of a cell, as long as it may show more; notes for the others."""
    left = limit
    for output in outputs:
        if output.output_type == "stream":
            lost = len(output.text) - left
            # A note of our own stands however little is left.
            if lost > 0 and not output.text.startswith(CUT):
                output.text = output.text[:left]
                yield output
                yield missing_note(lost)
                left = 0
                continue
            left -= len(output.text)
        elif DATA not in output.get("data", {}):
            size = _data_size(output.get("data", {}))
            if size > left:
                yield _too_large(size)
                continue
            left -= size
        yield output


def _data_size(data: dict[str, Any]) -> int:
    size = 0
    for value in data.values():
        text = value if isinstance(value, str) else json.dumps(value)
        size += len(text)
    return size


def _too_large(size: int) -> NotebookNode:
    text = f"[left out: this output has {size:,} characters; a cell may show {LIMIT:,}]"
    data = {"text/plain": text}
    output: NotebookNode = v4.new_output("display_data", data=data)  # type: ignore[no-untyped-call]
    return output
