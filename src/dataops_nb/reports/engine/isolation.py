"""Separate a fork from its template; apart from it, because numpy comes after the shell.

A fork shares everything with the template and its siblings: session, signals, descriptors, folder,
environment and the state of random numbers. Here it gets its own, and leaves by itself.
"""

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

from dataops_nb.reports import processes
from dataops_nb.reports.engine.shell import Shell

EASIER_TO_END = "500"
HANDED = 3
LAST_DESCRIPTOR = 4096


def alone(job: Mapping[str, Any], environment: Mapping[str, str], template: int) -> None:
    """Give a fresh fork its own session, signals, descriptors, folder, environment and chance.

    It dies with the template, and its own processes stay below it. When memory is short, the system
    ends it before the runner.
    """
    _separate(template)
    _open_descriptors(job)
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
    """Make a fresh fork a helper that works beside the reports and dies with the template.

    It talks over the socket `end`, which it finds as descriptor HANDED; it reads and prints nothing
    else.
    """
    _separate(template)
    os.dup2(end, HANDED)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(HANDED):
        os.dup2(nothing, number)
    os.closerange(HANDED + 1, LAST_DESCRIPTOR)
    gc.enable()


def leave() -> None:
    """Run what was registered for the end of the process, which removes temporary folders."""
    with suppress(BaseException):
        atexit._run_exitfuncs()


def _separate(template: int) -> None:
    os.setsid()
    processes.die_with_parent(template)
    processes.adopt()
    _reset_signals()


def _reset_signals() -> None:
    for number in (
        signal.SIGCHLD,
        signal.SIGTERM,
        signal.SIGHUP,
        signal.SIGUSR1,
        signal.SIGUSR2,
    ):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _open_descriptors(job: Mapping[str, Any]) -> None:
    """Give the report nothing to read and two files to print into; close everything else."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    out = os.open(job["printed"], flags, 0o600)
    err = os.open(job["log"], flags, 0o600)
    for number, descriptor in enumerate((nothing, out, err)):
        os.dup2(descriptor, number)
    os.closerange(3, LAST_DESCRIPTOR)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False, buffering=1)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
    sys.__stdin__ = sys.stdin  # type: ignore[misc]
    sys.__stdout__ = sys.stdout  # type: ignore[misc]
    sys.__stderr__ = sys.stderr  # type: ignore[misc]
    faulthandler.enable(2)
