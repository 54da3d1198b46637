"""Turns: what somebody does is answered whole before the next thing is.

JupyterLab hands what widgets say to a kernel's main thread and to its subshells, so that two answers could run at once, and one
would leave the knobs at what the other had just replaced. Python looks for rubbish between the turns: in the middle of one that
would double the time that somebody waits.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_TURN = threading.RLock()


def in_turn(act: Callable[..., object], noted: Callable[[], object] | None = None) -> Callable[..., None]:
    """The same, one at a time; what it calls in its turn does not wait.

    `noted` is asked before the wait, and what it says is given to `act` as well.
    """

    def taken(*args: Any) -> None:
        known = (noted(),) if noted else ()
        with _TURN, _untidied():
            act(*args, *known)

    return taken


@contextmanager
def _untidied() -> Iterator[None]:
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
