"""Turns: what somebody does is answered whole before the next thing is.

JupyterLab hands what widgets say to a kernel's main thread and to its subshells, so that two answers could run at once, and one
would leave the knobs at what the other had just replaced.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

_TURN = threading.RLock()


def in_turn(act: Callable[..., object]) -> Callable[..., None]:
    """The same, one at a time; what it calls in its turn does not wait."""

    def taken(*args: Any) -> None:
        with _TURN:
            act(*args)

    return taken
