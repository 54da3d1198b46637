"""`dataops-nb lab`: JupyterLab with its root at the workbench, open at the first notebook in a workspace of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from argparse import Namespace
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from dataops_nb.cli import folder
from dataops_nb.workbench import Workbench


def run(args: Namespace) -> int:
    """Become JupyterLab; where a process cannot become another one, start it and wait for it."""
    bench = folder.find(args)
    places = {"DATAOPS_WORKBENCH": bench.root, "DATAOPS_DATA": bench.data, "DATAOPS_OUT": bench.out}
    environment = {**os.environ, **{name: str(place) for name, place in places.items()}}
    words = command(bench, browser=not args.no_browser, extra=args.extra)
    arrange(bench)
    if os.name != "nt":
        os.execve(words[0], words, environment)
    return subprocess.call(words, env=environment)


def command(bench: Workbench, *, browser: bool = True, extra: list[str] | None = None) -> list[str]:
    """The words that start JupyterLab; `extra` comes last, so that it wins."""
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={bench.root}"]
    if (first := _first(bench)) is not None:
        words.append(f"--LabApp.default_url=/lab/workspaces/{workspace(bench)}/tree/{quote(first)}")
    if not browser:
        words.append("--no-browser")
    return [*words, *(extra or [])]


def workspace(bench: Workbench) -> str:
    """The name of a workbench's own workspace; no other folder's has it."""
    return f"dataops-nb-{hashlib.sha256(str(bench.root).encode()).hexdigest()[:8]}"


def arrange(bench: Workbench) -> Path | None:
    """Lay the workspace out once: the first notebook open, the file browser beside it at the notebooks.

    The person's own workspaces are left alone, and so is this one when it is there: what they arranged since stays. None where
    there is no notebook, or no place to write it; JupyterLab then opens the notebook in an empty layout.
    """
    first, name = _first(bench), workspace(bench)
    from jupyterlab.commands import get_workspaces_dir  # noqa: PLC0415  only this command needs it

    path = Path(get_workspaces_dir()) / f"{name}.jupyterlab-workspace"
    if first is None or path.exists():
        return None if first is None else path
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(_layout(name, first), indent=2), encoding="utf-8")
        return path
    return None


def _layout(name: str, first: str) -> dict[str, object]:
    shown = f"notebook:{first}"
    layout = {
        "main": {"dock": {"type": "tab-area", "currentIndex": 0, "widgets": [shown]}, "current": shown},
        "left": {"collapsed": False, "visible": True, "current": "filebrowser", "widgets": ["filebrowser"]},
        "right": {"collapsed": True, "visible": True, "widgets": []},
        "relativeSizes": [0.2, 0.8, 0],
    }
    data = {
        "layout-restorer:data": layout,
        shown: {"data": {"path": first, "factory": "Notebook"}},
        "file-browser-filebrowser:cwd": {"path": str(Path(first).parent.as_posix())},
    }
    return {"data": data, "metadata": {"id": name}}


def _first(bench: Workbench) -> str | None:
    """The first notebook by name, from the root; None where there is none in it."""
    first = min(bench.notebooks.glob("*.ipynb"), default=None)
    return first.relative_to(bench.root).as_posix() if first is not None and first.is_relative_to(bench.root) else None
