"""Run `dataops-nb init`, `new`, `event` and `lab`: begin a workbench, add to it, open it.

Run `dataops-nb init DIR [--from FILE...]`: make the packaged workbench, or one from files.

Run `dataops-nb new department NAME`: write a department's definitions and notebook.

Run `dataops-nb new report NAME`: write a notebook and its line in params/reports.yaml.

Run `dataops-nb event DATE TITLE`: add what happened on a day to params/events.yaml.

Run `dataops-nb lab`: open JupyterLab at the workbench's first notebook, in its own workspace.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from dataops_nb import cli, workbench
from dataops_nb.errors import UsageError
from dataops_nb.workbench import Workbench

if TYPE_CHECKING:
    from dataops_nb.profile.draft import Draft


NOTEBOOKS = ("00_start_here.ipynb", "05_profile.ipynb", "10_north_star.ipynb")
# Where a notebook is opened without being modified.
CONTENTS = "dataops_nb.cli.contents.Contents"


def run_init(args: Namespace) -> int:
    """Make the workbench and print its path.

    From files, also print each guess about them, and the questions that remain.
    """
    if args.files:
        return _init_from_files(args)
    root = workbench.init(args.folder)
    if args.json:
        cli.document({"workbench": str(root)})
    else:
        cli.write(str(root))
    _print_next(args, "check")
    return 0


def _init_from_files(args: Namespace) -> int:
    from dataops_nb import interchange  # noqa: PLC0415  brings sqlglot

    contents, data = interchange.recognised(args.files)
    if contents:
        return _init_from_elsewhere(args, contents, data)
    # pandas and duckdb are slow to import, and the packaged workbench does not need them
    from dataops_nb import profile  # noqa: PLC0415

    draft = profile.draft(args.files)
    params = profile.write(draft, args.folder.absolute())
    root = workbench.furnish(args.folder, params, NOTEBOOKS, draft.grain)
    if args.json:
        cli.document(_draft_document(draft, root, profile.ASKED))
    else:
        questions = [f"ask: {question}" for question in profile.ASKED]
        cli.write("\n".join([*_draft_lines(draft), *questions, str(root)]))
    _print_next(args, "check")
    if draft.north_star:
        refresh = "refresh"
        if draft.last:
            refresh += f" --as-of {draft.last}"
        _print_next(args, refresh)
    return 0


def _init_from_elsewhere(args: Namespace, contents: Any, data: list[Path]) -> int:
    """Make a workbench of another tool's definitions, with an account of what became of them."""
    from dataops_nb import interchange  # noqa: PLC0415  brings sqlglot

    target = args.folder.absolute()
    imported = interchange.read(contents, data, target)
    if not imported.kept:
        reasons = [f"  {note}" for note in imported.refused]
        raise UsageError("\n".join([f"nothing of {imported.origin} can be kept", *reasons]))
    root = workbench.furnish(target, imported.files(), NOTEBOOKS, "week")
    account = interchange.account(imported)
    (root / "IMPORT.md").write_text(account, encoding="utf-8", newline="\n")
    if args.json:
        cli.document({"workbench": str(root), **interchange.as_document(imported)})
    else:
        lines = [f"kept {len(imported.kept)}, IMPORT.md lists them"]
        lines += [f"changed in meaning: {note}" for note in imported.changed]
        lines += [f"refused: {note}" for note in imported.refused]
        cli.write("\n".join([*lines, str(root)]))
    _print_next(args, "check")
    return 0


def _draft_document(draft: Draft, root: Path, questions: Any) -> dict[str, Any]:
    faults = []
    for file_faults in draft.faults.values():
        faults += [asdict(fault) for fault in file_faults]
    last = None
    if draft.last:
        last = draft.last.isoformat()
    return {
        "workbench": str(root),
        "guesses": [asdict(guess) for guess in draft.guesses],
        "asked": questions,
        "faults": faults,
        "last": last,
    }


def _draft_lines(draft: Draft) -> list[str]:
    lines = []
    for guess in draft.guesses:
        if guess.said:
            lines.append(f"guessed {guess.about} = {guess.said} ({guess.why})")
        else:
            lines.append(f"left open: {guess.about} ({guess.why})")
    for faults in draft.faults.values():
        lines += [f"fault: {fault}" for fault in faults]
    return lines


def _print_next(args: Namespace, command: str) -> None:
    if not args.quiet:
        print(f"Next: dataops-nb -w {args.folder} {command}", file=sys.stderr)


def run_department(args: Namespace) -> int:
    """Write both files, print their paths and the line that makes a report of them."""
    bench = cli.find(args)
    department = args.name
    definitions, notebook = workbench.new_department(bench, department)
    if args.json:
        cli.document(
            {
                "department": department,
                "definitions": str(definitions),
                "notebook": str(notebook),
            }
        )
    else:
        cli.write(f"{definitions}\n{notebook}")
    if not args.quiet:
        report = department.replace("_", "-")
        parameters = f"{{department: {department}}}"
        print(
            "To publish it, add to params/reports.yaml under  reports:\n"
            f"    {report}: {{notebook: {notebook.name}, parameters: {parameters}}}",
            file=sys.stderr,
        )
    return 0


def run_report(args: Namespace) -> int:
    """Write a report's notebook and its line; print both."""
    bench = cli.find(args)
    notebook, line = workbench.new_report(bench, args.name)
    if args.json:
        cli.document({"report": args.name, "notebook": str(notebook), "line": line})
    else:
        cli.write(f"{notebook}\n{bench.params / 'reports.yaml'}: {line}")
    return 0


def run_event(args: Namespace) -> int:
    """Add an event to params/events.yaml; print its line."""
    bench = cli.find(args)
    line = workbench.new_event(bench, args.date, args.title, kind=args.kind, metrics=args.metrics)
    path = bench.params / "events.yaml"
    if args.json:
        cli.document({"file": str(path), "line": line})
    else:
        cli.write(f"{path}: {line}")
    return 0


def run_lab(args: Namespace) -> int:
    """Become JupyterLab; on Windows, start it and wait for it."""
    bench = cli.find(args)
    environment = {
        **os.environ,
        "DATAOPS_WORKBENCH": str(bench.root),
        "DATAOPS_DATA": str(bench.data),
        "DATAOPS_OUT": str(bench.out),
    }
    words = command(bench, browser=not args.no_browser, extra=args.extra)
    arrange(bench)
    if os.name != "nt":
        os.execve(words[0], words, environment)
    return subprocess.call(words, env=environment)


def command(bench: Workbench, *, browser: bool = True, extra: list[str] | None = None) -> list[str]:
    """Return the command that starts JupyterLab; `extra` comes last, so that it wins."""
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={bench.root}"]
    words.append(f"--ServerApp.contents_manager_class={CONTENTS}")
    notebook = _first_notebook(bench)
    if notebook is not None:
        url = f"/lab/workspaces/{workspace(bench)}/tree/{quote(notebook)}"
        words.append(f"--LabApp.default_url={url}")
    if not browser:
        words.append("--no-browser")
    words += extra or []
    return words


def workspace(bench: Workbench) -> str:
    """Return the name of the workbench's workspace, different for each folder."""
    digest = hashlib.sha256(str(bench.root).encode()).hexdigest()
    return f"dataops-nb-{digest[:8]}"


def arrange(bench: Workbench) -> Path | None:
    """Write the workspace: the first notebook open, the file browser beside it.

    An existing workspace stays as its user has arranged it. Return its path, or None where there is
    no notebook or no place to write; JupyterLab then opens the notebook in an empty layout.
    """
    # only this command needs JupyterLab
    from jupyterlab.commands import get_workspaces_dir  # noqa: PLC0415

    notebook = _first_notebook(bench)
    if notebook is None:
        return None
    name = workspace(bench)
    path = Path(get_workspaces_dir()) / f"{name}.jupyterlab-workspace"
    if path.exists():
        return path
    text = json.dumps(_workspace_layout(name, notebook), indent=2)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError:
        return None
    return path


def _workspace_layout(name: str, notebook: str) -> dict[str, object]:
    """Return a workspace file in JupyterLab's own format."""
    widget = f"notebook:{notebook}"
    layout = {
        "main": {
            "dock": {"type": "tab-area", "currentIndex": 0, "widgets": [widget]},
            "current": widget,
        },
        "left": {
            "collapsed": False,
            "visible": True,
            "current": "filebrowser",
            "widgets": ["filebrowser"],
        },
        "right": {"collapsed": True, "visible": True, "widgets": []},
        "relativeSizes": [0.2, 0.8, 0],
    }
    data = {
        "layout-restorer:data": layout,
        widget: {"data": {"path": notebook, "factory": "Notebook"}},
        "file-browser-filebrowser:cwd": {"path": Path(notebook).parent.as_posix()},
    }
    return {"data": data, "metadata": {"id": name}}


def _first_notebook(bench: Workbench) -> str | None:
    """Return the path of the first notebook by name, relative to the root; None without one."""
    path = min(bench.notebooks.glob("*.ipynb"), default=None)
    if path is None or not path.is_relative_to(bench.root):
        return None
    return path.relative_to(bench.root).as_posix()
