"""Show a running refresh on stderr: a bar on a terminal, else one line a report."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

Progress = Callable[[Any], None]


def silent(_: Any) -> None:
    """Show nothing."""


def line(result: Any) -> None:
    """Print how a report ended, on stderr."""
    sys.stderr.write(_ending(result) + "\n")
    sys.stderr.flush()


class Bar:
    """A bar on a terminal: how many reports have ended, which run now, and what went wrong."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._bar = tqdm(total=total, unit="report", file=sys.stderr, leave=False)
        self._running: list[str] = []

    def begun(self, report: str) -> None:
        """Show that a report runs."""
        self._running.append(report)
        self._bar.set_postfix_str(", ".join(self._running))

    def __call__(self, result: Any) -> None:
        """Show that a report has ended."""
        if result.report in self._running:
            self._running.remove(result.report)
        self._bar.set_postfix_str(", ".join(self._running), refresh=False)
        self._bar.update()
        if result.state not in {"ok", "skipped"}:
            self._bar.write(_ending(result), file=sys.stderr)
        if self._bar.n >= self._total:
            self.close()

    def close(self) -> None:
        """Take the bar away."""
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
