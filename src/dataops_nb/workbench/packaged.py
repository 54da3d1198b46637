"""A new workbench, from the definitions and notebooks that the package brings along."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from dataops_nb.definitions import write_schema
from dataops_nb.errors import PublishError, UsageError

FOLDERS = ("params", "notebooks")
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "out", "data", "*.pyc")
GITIGNORE = "data/\n.data-*/\nout/\n.ipynb_checkpoints/\n__pycache__/\n"
README = """\
# {name}

A workbench of dataops-nb.

- `params/` the company as text: its calendar, lights and sources in `company.yaml`, its metrics in `departments/`,
  what is refreshed in `reports.yaml`. An editor that reads YAML schemas explains every key.
- `notebooks/` the reports, from `00_start_here.ipynb` on.
- `data/` the exports the sources name. The sample company's are written on first use; put your own here and change
  `params/company.yaml`.
- `out/` what a refresh makes; open `out/index.html`. Neither `data/` nor `out/` is under git.

The first three commands, in this folder:

```
dataops-nb check      # are the definitions and the data sound?
dataops-nb status     # the lights
dataops-nb refresh    # the pages
```

`dataops-nb lab` opens the notebooks in JupyterLab.
"""

FURNISHED = """\
# {name}

A workbench of dataops-nb, made from files of your own.

- `params/` a first draft of the company as text. What was guessed stands beside its reason, and what no file can tell is asked
  for in comments. An editor that reads YAML schemas explains every key.
- `notebooks/` the figures behind every guess (`05_profile.ipynb`), and the first report.
- `out/` what a refresh makes; open `out/index.html`. It is not under git.

The files are read where they lie: `data:` in `params/company.yaml` says where, and `--data DIR` says otherwise.
"""


def init(target: str | Path) -> Path:
    """Make a new workbench in `target` and return its folder.

    Raises UsageError where `target` is a file, has params/ already, or holds a notebook of the same name, and
    PublishError where it cannot be written. Other files that are there stay as they are.
    """
    target = Path(target).absolute()
    _refuse_occupied(target)
    with _whole(target):
        target.mkdir(parents=True, exist_ok=True)
        for name in FOLDERS:
            shutil.copytree(_packaged(name), target / name, ignore=LEFT_OUT, dirs_exist_ok=True)
        write_schema(target / "params" / ".schema")
        _write_missing(target / ".gitignore", GITIGNORE)
        _write_missing(target / "README.md", README.format(name=target.name))
    return target


def furnish(target: str | Path, params: Mapping[str, str], notebooks: Sequence[str], grain: str) -> Path:
    """Make a new workbench of these files under params/, by name, and these packaged notebooks; return its folder.

    The notebooks start at `grain` instead of week. Raises as `init` does.
    """
    target = Path(target).absolute()
    _refuse_occupied(target)
    with _whole(target):
        for name, text in params.items():
            path = target / "params" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        (target / "notebooks").mkdir(exist_ok=True)
        for name in notebooks:
            text = (_packaged("notebooks") / name).read_text(encoding="utf-8")
            started = text.replace('grain: str = \\"week\\"', f'grain: str = \\"{grain}\\"')
            (target / "notebooks" / name).write_text(started, encoding="utf-8", newline="\n")
        write_schema(target / "params" / ".schema")
        _write_missing(target / ".gitignore", GITIGNORE)
        _write_missing(target / "README.md", FURNISHED.format(name=target.name))
    return target


@contextmanager
def _whole(target: Path) -> Iterator[None]:
    """A new workbench is written as a whole or not at all: what could not be finished is taken back, what was there stays."""
    there = set(target.iterdir()) if target.is_dir() else None
    try:
        yield
    except BaseException as error:
        made = [target] if there is None else [path for path in target.iterdir() if path not in there]
        for path in made:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            why = error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror or error
            raise PublishError(f"cannot write the workbench {target}: {why}") from error
        raise


def _packaged(name: str) -> Path:
    """The package's own folder of that name; in an editable install, the one of the checkout."""
    inside = Path(str(files("dataops_nb.workbench"))) / name
    return inside if inside.is_dir() else Path(__file__).parents[3] / name


def _refuse_occupied(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; name a folder for the new workbench")
    if (target / "params").exists():
        raise UsageError(f"{target} is a workbench already: it has params/; name another folder")
    for notebook in sorted(_packaged("notebooks").glob("*.ipynb")):
        if (target / "notebooks" / notebook.name).exists():
            raise UsageError(f"{target / 'notebooks'} already holds {notebook.name}; name another folder")


def _write_missing(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text, encoding="utf-8", newline="\n")
