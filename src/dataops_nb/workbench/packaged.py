"""Make a new workbench from the definitions and notebooks of the package, or from drafted ones.

Nothing that is there already is touched.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from dataops_nb import definitions
from dataops_nb.definitions.models import write_schema
from dataops_nb.errors import PublishError, UsageError

FOLDERS = ("params", "notebooks")
# The digest of the definitions that version 0.1.0 wrote.
FIRST_SAMPLE = "46428eb8a3388bf95e5f9738c5809901063d294eb090c9a88b5b7b40d6f91490"
GRAIN = 'grain: str = \\"{grain}\\"'  # as it stands in a notebook's JSON
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "out", "data", "*.pyc")
GITIGNORE = "data/\n.data-*/\nout/\n.ipynb_checkpoints/\n__pycache__/\n"
README = """\
# {name}

A workbench of dataops-nb.

- `params/` your company's definitions: its calendar, lights and sources in `company.yaml`, \
its metrics in `departments/`,
  what is refreshed in `reports.yaml`. An editor that reads YAML schemas explains every key.
- `notebooks/` the reports, from `00_start_here.ipynb` on.
- `data/` the exports the sources name, here the sample company's. Put your own files here and \
edit `params/company.yaml`;
  take `sample: true` out of it.
- `out/` the published reports; open `out/index.html`. Neither `data/` nor `out/` is under git.

The first three commands, in this folder:

```
dataops-nb check      # check definitions and data
dataops-nb status     # see results
dataops-nb refresh    # publish reports
```

`dataops-nb lab` opens the notebooks in JupyterLab.
"""
FURNISHED = """\
# {name}

A workbench of dataops-nb, made from files of your own.

- `params/` a first draft of your company's definitions. What was guessed stands beside its \
reason, and what no file can tell is asked
  for in comments. An editor that reads YAML schemas explains every key.
- `notebooks/` the figures behind every guess (`05_profile.ipynb`), and the first report.
- `out/` the published reports; open `out/index.html`. It is not under git.

The files are read where they lie: `data:` in `params/company.yaml` says where, \
and `--data DIR` says otherwise.
"""


def init(target: str | Path) -> Path:
    """Make a new workbench in `target` and return its folder.

    Raises UsageError if `target` is a file, has params/ already, or holds a notebook of the same
    name, and PublishError if it cannot be written. Other files in it stay as they are.
    """
    target = Path(target).absolute()
    _refuse_occupied(target)
    with _all_or_nothing(target):
        target.mkdir(parents=True, exist_ok=True)
        for name in FOLDERS:
            shutil.copytree(packaged(name), target / name, ignore=LEFT_OUT, dirs_exist_ok=True)
        _write_common(target, README)
    return target


def furnish(
    target: str | Path, params: Mapping[str, str], notebooks: Sequence[str], grain: str
) -> Path:
    """Make a new workbench of files under params/ and some packaged notebooks; return its folder.

    `params` holds the text of each file by its name. The notebooks start at `grain` instead of
    week. Raises as `init` does.

    >>> params = {"company.yaml": "company: New"}
    >>> made = workbench.furnish(here / "new", params, ["00_start_here.ipynb"], "month")
    >>> sorted(path.name for path in made.iterdir() if path.is_dir())
    ['notebooks', 'params']
    """
    target = Path(target).absolute()
    _refuse_occupied(target)
    with _all_or_nothing(target):
        for name, text in params.items():
            path = target / "params" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        (target / "notebooks").mkdir(exist_ok=True)
        for name in notebooks:
            text = (packaged("notebooks") / name).read_text(encoding="utf-8")
            text = text.replace(GRAIN.format(grain="week"), GRAIN.format(grain=grain))
            (target / "notebooks" / name).write_text(text, encoding="utf-8", newline="\n")
        _write_common(target, FURNISHED)
    return target


def is_sample(params: Path) -> bool:
    """Tell whether definitions are the sample company's: they say so, or nobody changed them.

    Version 0.1.0 did not write `sample: true`. Its files count where each of them is the packaged
    one, of that version or of this.
    """
    if definitions.is_marked_sample(params):
        return True
    return _digest(params) in {FIRST_SAMPLE, _digest(packaged("params"))}


def _digest(params: Path) -> str:
    """Return the SHA-256 of all definitions but what-ifs, whatever their line ends."""
    digest = hashlib.sha256()
    for path in sorted(params.rglob("*.yaml")):
        place = path.relative_to(params)
        if place.parts[0] != "whatif" and not place.parts[0].startswith("."):
            digest.update(f"{place.as_posix()}\0{_text(path)}\0".encode("utf-8", "replace"))
    return digest.hexdigest()


def _text(path: Path) -> str:
    """Return a file without the line that marks the sample; "" where it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    return "\n".join(line for line in lines if not line.startswith("sample:"))


def _write_common(target: Path, readme: str) -> None:
    """Write the schemas, and .gitignore and README.md unless they are there."""
    write_schema(target / "params" / ".schema")
    for name, text in ((".gitignore", GITIGNORE), ("README.md", readme.format(name=target.name))):
        path = target / name
        if not path.exists():
            path.write_text(text, encoding="utf-8", newline="\n")


@contextmanager
def _all_or_nothing(target: Path) -> Iterator[None]:
    """Take back what was written if anything fails; leave what was there before."""
    existed = target.is_dir()
    before: set[Path] = set()
    if existed:
        before = set(target.iterdir())
    try:
        yield
    except BaseException as error:
        written = [target]
        if existed:
            written = [path for path in target.iterdir() if path not in before]
        for path in written:
            _remove(path)
        if isinstance(error, OSError):
            reason = _reason(error)
            raise PublishError(f"cannot write the workbench {target}: {reason}") from error
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _reason(error: OSError) -> object:
    if isinstance(error, shutil.Error):
        # copytree collects (source, target, reason) of each file that failed.
        return error.args[0][0][2]
    return error.strerror or error


def packaged(name: str) -> Path:
    """Return a folder of the package; in an editable install, that of the checkout."""
    inside = Path(str(files("dataops_nb.workbench"))) / name
    if inside.is_dir():
        return inside
    return Path(__file__).parents[3] / name


def _refuse_occupied(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; name a folder for the new workbench")
    if (target / "params").exists():
        raise UsageError(f"{target} is a workbench already: choose another folder")
    for notebook in sorted(packaged("notebooks").glob("*.ipynb")):
        if (target / "notebooks" / notebook.name).exists():
            raise UsageError(
                f"{target / 'notebooks'} already holds {notebook.name}; name another folder"
            )
