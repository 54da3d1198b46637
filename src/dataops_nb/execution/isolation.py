"""What a forked report must not share with the template and its siblings, and how it leaves."""

from __future__ import annotations

import atexit
import faulthandler
import gc
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from dataops_nb.execution import processes
from dataops_nb.execution.shell import Shell

EASIER_TO_END = "500"
HANDED = 3


def alone(job: Mapping[str, Any], environment: Mapping[str, str], template: int) -> None:
    """Make a fresh fork a process of its own: session, signals, descriptors, folder, environment, chance.

    It dies with the template, and what it starts stays below it. Under pressure the system ends it before the runner.
    """
    _own(template)
    _descriptors(job)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(job["folder"])
    tempfile.tempdir = None
    random.seed()
    np.random.seed()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(EASIER_TO_END, encoding="ascii")
    shell: Shell = Shell.instance()
    shell.alone = True
    shell.init_environment()  # type: ignore[no-untyped-call]
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    gc.enable()


def beside(end: int, template: int) -> None:
    """Make a fresh fork a process that works beside the reports: what it is told comes over the socket `end` alone.

    It finds that socket as HANDED, sees and prints nothing, and dies with the template.
    """
    _own(template)
    os.dup2(end, HANDED)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(HANDED):
        os.dup2(nothing, number)
    os.closerange(HANDED + 1, 4096)
    gc.enable()


def leave() -> None:
    """Run what was registered for the end of the process: temporary folders go away then."""
    with suppress(BaseException):
        atexit._run_exitfuncs()


def _own(template: int) -> None:
    os.setsid()
    processes.die_with_parent(template)
    processes.adopt()
    _signals()


def _signals() -> None:
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _descriptors(job: Mapping[str, Any]) -> None:
    """Nothing to read, and two files of the report to print into; everything else is closed."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    out, err = (os.open(job[name], flags, 0o600) for name in ("printed", "log"))
    for number, file in enumerate((nothing, out, err)):
        os.dup2(file, number)
    os.closerange(3, 4096)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout, sys.stderr = (os.fdopen(n, "w", encoding="utf-8", closefd=False, buffering=1) for n in (1, 2))
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]
    faulthandler.enable(2)
