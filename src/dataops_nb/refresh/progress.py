"""What is seen of a running refresh: a bar on a terminal, else one line a report; always on stderr."""

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
    sys.stderr.write(_said(result) + "\n")
    sys.stderr.flush()


def choose(total: int) -> Progress:
    """A bar for `total` reports on a terminal; lines where nobody watches."""
    if not sys.stderr.isatty():
        return line
    bar = tqdm(total=total, unit="report", file=sys.stderr, leave=False)

    def advance(result: Any) -> None:
        bar.set_postfix_str(result.report)
        bar.update()
        if result.state != "ok":
            bar.write(_said(result), file=sys.stderr)
        if bar.n >= total:
            bar.close()

    return advance


def _said(result: Any) -> str:
    what = f"{result.state:<7} {result.report}  {result.period}  {result.seconds:.1f} s"
    return f"{what}  {result.error}" if result.error else what
