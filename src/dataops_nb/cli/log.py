"""What a command says while it works. It goes to stderr, so that stdout holds data and nothing else."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def to_stderr(*, quiet: bool) -> Iterator[None]:
    """While the block runs, the package's log goes to stderr; only warnings and errors where `quiet`."""
    logger = logging.getLogger("dataops_nb")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
