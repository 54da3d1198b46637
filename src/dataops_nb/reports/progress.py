"""Show a running refresh on stderr: a bar on a terminal, else one line a report."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

Progress = Callable[[Any], None]
BAR = "{n_fmt} of {total_fmt} reports  |{bar:12}|  {elapsed}{postfix}"
TICK = 1.0


def silent(_: Any) -> None:
    """Show nothing."""


def line(result: Any) -> None:
    """Print how a report ended, on stderr."""
    sys.stderr.write(_ending(result) + "\n")
    sys.stderr.flush()


class Bar:
    """A bar on a terminal: how many reports have ended, which run now, and what went wrong.

    Its clock moves every second, also while a report takes its time.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._bar = tqdm(
            total=total, bar_format=BAR, dynamic_ncols=True, file=sys.stderr, leave=False
        )
        self._running: dict[str, float] = {}
        self._closed = threading.Event()
        self._clock = threading.Thread(target=self._tick, name="clock", daemon=True)
        self._clock.start()

    def begun(self, report: str) -> None:
        """Show that a report runs."""
        self._running[report] = time.monotonic()
        self._show()

    def _tick(self) -> None:
        while not self._closed.wait(TICK):
            self._show()

    def _show(self) -> None:
        now = time.monotonic()
        running = [f"{name} {now - begun:.0f} s" for name, begun in list(self._running.items())]
        self._bar.set_postfix_str(", ".join(running))

    def __call__(self, result: Any) -> None:
        """Show that a report has ended."""
        self._running.pop(result.report, None)
        self._bar.update()
        self._show()
        if result.state not in {"ok", "skipped"}:
            self._bar.write(_ending(result), file=sys.stderr)
        if self._bar.n >= self._total:
            self.close()

    def close(self) -> None:
        """Take the bar away."""
        self._closed.set()
        self._clock.join()
        self._bar.close()


def choose(total: int) -> Progress:
    """Choose a bar for `total` reports on a terminal, lines where nobody watches."""
    return Bar(total) if sys.stderr.isatty() else line


def begins(show: Progress) -> Callable[[str], None]:
    """Return what is called before a report starts: a bar shows it, lines do not."""
    return show.begun if isinstance(show, Bar) else silent


def close(show: Progress) -> None:
    """Take a bar away that was interrupted."""
    if isinstance(show, Bar):
        show.close()


def _ending(result: Any) -> str:
    line_ = f"{result.state:<7} {result.report}  {result.period}  {result.seconds:.1f} s"
    return f"{line_}  {result.error}" if result.error else line_
