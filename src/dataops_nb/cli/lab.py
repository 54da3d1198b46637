"""`dataops-nb lab`: JupyterLab with its root at the workbench, open at the first notebook."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace

from dataops_nb.cli import folder
from dataops_nb.workbench import Workbench


def run(args: Namespace) -> int:
    """Become JupyterLab; where a process cannot become another one, start it and wait for it."""
    bench = folder.find(args)
    places = {"DATAOPS_WORKBENCH": bench.root, "DATAOPS_DATA": bench.data, "DATAOPS_OUT": bench.out}
    environment = {**os.environ, **{name: str(place) for name, place in places.items()}}
    words = command(bench, browser=not args.no_browser, extra=args.extra)
    if os.name != "nt":
        os.execve(words[0], words, environment)
    return subprocess.call(words, env=environment)


def command(bench: Workbench, *, browser: bool = True, extra: list[str] | None = None) -> list[str]:
    """The words that start JupyterLab; `extra` comes last, so that it wins."""
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={bench.root}"]
    first = min(bench.notebooks.glob("*.ipynb"), default=None)
    if first is not None and first.is_relative_to(bench.root):
        words.append(f"--LabApp.default_url=/lab/tree/{first.relative_to(bench.root).as_posix()}")
    if not browser:
        words.append("--no-browser")
    return [*words, *(extra or [])]
