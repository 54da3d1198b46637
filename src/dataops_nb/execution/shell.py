"""The shell of a report without a kernel: IPython as ipykernel dresses it, whose messages stay in this process.

It is ipykernel's own class, so a library that looks whether it runs in a notebook decides as it does in a kernel, and
displays, results and tracebacks are made by the same code. Only what would go over a socket is handed to `took`.
"""

from __future__ import annotations

import builtins
import getpass
import io
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import comm
from ipykernel.compiler import XCachingCompiler
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.error import StdinNotImplementedError
from IPython.core.profiledir import ProfileDir
from jupyter_client.session import Session, json_packer, json_unpacker
from traitlets import Any as AnyTrait
from traitlets.config import Config

from dataops_nb.execution.fit import NEEDS_KERNEL
from dataops_nb.execution.sizes import LIMIT

ASKED = "raw_input was called, but this frontend does not support input requests."
CONFIG = Config(
    {
        "HistoryManager": {"enabled": False, "hist_file": ":memory:"},
        "InteractiveShell": {"system_raise_on_error": True, "cache_size": 1000},
    }
)

Took = Callable[[dict[str, Any]], None]


class Messages(Session):
    """Stands where a kernel has its connection: a message is packed and unpacked as on the way, and kept here."""

    took: Took = AnyTrait(lambda message: None)  # type: ignore[assignment]  # a trait, replaced by a function

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, parent: Any = None, **_: Any) -> Any:  # type: ignore[override]
        """Hand a message over, with its content as a client would read it."""
        message = msg_or_type if isinstance(msg_or_type, Mapping) else self.msg(msg_or_type, content, parent=parent)
        self.took({**message, "content": json_unpacker(json_packer(message["content"]))})


class Stream(io.TextIOBase):
    """sys.stdout or sys.stderr of a report; what is printed is sent when something else is shown, or the cell ends."""

    encoding = "UTF-8"

    def __init__(self, name: str, session: Messages, descriptor: int) -> None:
        self.name = name
        self._session = session
        self._descriptor = descriptor
        self._printed: list[str] = []
        self._held = 0
        self.kept = 0
        self.lost = 0

    def write(self, said: str) -> int:
        """Keep what was printed; beyond the limit of a cell it is only counted."""
        if not isinstance(said, str):
            raise TypeError(f"write() argument must be str, not {type(said)}")
        room = max(LIMIT - self.kept, 0)
        self.lost += max(len(said) - room, 0)
        if room and said:
            self._printed.append(said[:room])
            self.kept += min(len(said), room)
        return len(said)

    def flush(self) -> None:
        """Send what was printed."""
        if self._printed:
            text = "".join(self._printed)
            self._printed.clear()
            self._session.send(None, "stream", {"name": self.name, "text": text})

    def fileno(self) -> int:
        """The descriptor under the stream, for programs that a cell starts."""
        return self._descriptor

    def isatty(self) -> bool:
        """Nobody watches."""
        return False

    def writable(self) -> bool:
        """It can be written."""
        return True


class Shell(ZMQInteractiveShell):
    """A kernel's shell without the kernel; it neither reads nor writes anybody's profile."""

    ended = False
    alone = False
    _last_traceback_during_displayhook = False

    def init_profile_dir(self, profile_dir: Any) -> None:
        """No profile: a report must not depend on whose machine it runs on."""
        self.profile_dir = profile_dir or ProfileDir()

    def enable_gui(self, gui: Any = None) -> None:
        """Plots that are drawn into the notebook need nothing; a window needs a kernel."""
        if gui not in {None, "inline"}:
            self.need_kernel(f"the graphical interface {gui!r}")

    def ask_exit(self) -> None:
        """`exit()` in a cell: no further cell is run."""
        self.ended = True

    def need_kernel(self, what: str) -> NoReturn:
        """Leave the report to the stock kernel; the process of a report ends at once, so nothing is done twice in it."""
        if self.alone:
            os._exit(NEEDS_KERNEL)
        raise RuntimeError(f"{what} needs a kernel; use --engine kernel")


# Libraries decide by the name of the class whether they show something in a notebook.
Shell.__name__ = Shell.__qualname__ = ZMQInteractiveShell.__name__
Shell.__module__ = ZMQInteractiveShell.__module__


def make() -> Shell:
    """The shell of this process; made before a notebook's libraries are imported, they look for it when they are."""
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


def dress(shell: Shell, took: Took) -> tuple[Stream, Stream]:
    """Give this process the streams, the search path and the deaf ears of a kernel; `took` gets each message."""
    hook: Any = shell.displayhook
    session: Messages = hook.session
    session.took = took
    out, err = Stream("stdout", session, 1), Stream("stderr", session, 2)
    sys.stdout, sys.stderr = out, err
    sys.path[:] = _path(sys.path)
    builtins.input = getpass.getpass = _deaf
    return out, err


def _path(places: list[str]) -> list[str]:
    """The search path with the current folder where a kernel has it: after Python's own, before what is installed."""
    kept = [place for place in places if place not in {"", os.getcwd()}]
    installed = (i for i, place in enumerate(kept) if place.endswith(("site-packages", "dist-packages")))
    at = next(installed, len(kept))
    return [*kept[:at], "", *kept[at:]]


def _deaf(*_: Any, **__: Any) -> NoReturn:
    raise StdinNotImplementedError(ASKED)
