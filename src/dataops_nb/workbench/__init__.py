"""The folder a company works in: where its definitions, notebooks, data and results are, and which day it is there."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from dataops_nb import definitions as company_files
from dataops_nb.definitions import Definitions
from dataops_nb.errors import DefinitionsError, Mistake, PublishError, UsageError, did_you_mean
from dataops_nb.workbench.department import new_department
from dataops_nb.workbench.packaged import furnish, init

__all__ = ["Workbench", "as_of", "ensure_data", "furnish", "init", "new_department", "open"]


@dataclass(frozen=True)
class Workbench:
    """A workbench: its root, the folder its sources' paths start in, and the folder its results go to.

    `whatif` names the file in params/whatif/ whose differences its definitions hold; empty for what is.
    """

    root: Path
    data: Path
    out: Path
    whatif: str = ""

    @property
    def params(self) -> Path:
        """The folder of the company's files."""
        return self.root / "params"

    @property
    def notebooks(self) -> Path:
        """The folder of the notebooks."""
        return self.root / "notebooks"

    @property
    def cache(self) -> Path | None:
        """The folder of what is kept between runs; None where DATAOPS_NO_CACHE is set, and nothing is."""
        return None if os.environ.get("DATAOPS_NO_CACHE") else self.out / "cache"

    @property
    def definitions(self) -> Definitions:
        """The company's definitions, read once; raises DefinitionsError where they hold mistakes."""
        readable, mistakes = self._surveyed
        if mistakes:
            raise DefinitionsError(mistakes)
        return readable

    @cached_property
    def _surveyed(self) -> tuple[Definitions, list[Mistake]]:
        notebooks = self.notebooks if self.notebooks.is_dir() else None
        return company_files.survey(self.params, notebooks=notebooks, whatif=self.whatif)


def open(  # noqa: A001  workbench.open reads as it is meant
    start: str | Path | None = None,
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    whatif: str | None = None,
) -> Workbench:
    """The workbench in `start`; without it, in DATAOPS_WORKBENCH, the current folder or the nearest one above it.

    `data` and `out` go before DATAOPS_DATA and DATAOPS_OUT, and these before `data:` in company.yaml and `out` in the
    workbench. `whatif` names a file of params/whatif/, and goes before DATAOPS_WHATIF. Raises UsageError where there is no
    workbench or no such what-if; what its files say is read when it is asked for.
    """
    said = start or os.environ.get("DATAOPS_WORKBENCH")
    root = _explicit(Path(said)) if said else _nearest(Path.cwd())
    given = data or os.environ.get("DATAOPS_DATA")
    results = out or os.environ.get("DATAOPS_OUT") or root / "out"
    place = Path(given).absolute() if given else root / company_files.data_folder(root / "params")
    other = os.environ.get("DATAOPS_WHATIF", "") if whatif is None else whatif
    return Workbench(root, place, Path(results).absolute(), _whatif(root, other))


def as_of(wb: Workbench, said: str | dt.date | None = None) -> dt.date:
    """The day that is meant: the one said, else the sample's last day, else today where the company is.

    Raises UsageError where `said` is no ISO date.
    """
    if isinstance(said, dt.datetime):
        return said.date()
    if isinstance(said, dt.date):
        return said
    if said is not None:
        try:
            return dt.datetime.strptime(said, "%Y-%m-%d").date()
        except ValueError:
            raise UsageError(f"{said!r} is not a day; write it like 2026-11-22") from None
    return _last_sample_day(wb) or dt.datetime.now(ZoneInfo(wb._surveyed[0].company.timezone)).date()


def ensure_data(wb: Workbench) -> None:
    """Write the sample's exports on first use: where the data folder is empty and all sources are the sample's.

    Exports that an earlier version's sample did not have yet are added to it, as of the same day; nothing else is touched.
    Two processes may do so at once; the one that is later keeps what the other has written. Raises PublishError where
    the folder cannot be written.
    """
    lacking = [path for path in _paths(wb) if not (wb.data / path).exists()]
    if (_holds_something(wb.data) and not lacking) or not _is_sample(wb):
        return
    from dataops_nb import sample  # noqa: PLC0415  brings pandas, and is needed once in a workbench's life

    made = sample.manifest(wb.data)
    if made is None and _holds_something(wb.data):
        return
    fresh = wb.data.parent / f".{wb.data.name}-{uuid.uuid4().hex[:12]}"
    try:
        if made:
            sample.write(fresh, seed=made.seed, end=made.end, weeks=made.weeks)
            for name in lacking:
                (fresh / name).replace(wb.data / name)
        else:
            sample.write(fresh)
            _move(fresh, wb.data)
    except OSError as error:
        raise PublishError(f"cannot write the sample data into {wb.data}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _whatif(root: Path, name: str) -> str:
    """The name of a what-if, once its file is known to be there."""
    known = sorted(path.stem for path in (root / "params" / "whatif").glob("*.yaml"))
    if name and name not in known:
        said = did_you_mean(name, known) or (
            f"; there are {', '.join(known)}" if known else "; params/whatif/ holds none"
        )
        raise UsageError(f"there is no what-if {name!r}{said}")
    return name


def _explicit(folder: Path) -> Path:
    if not (folder / "params" / "company.yaml").is_file():
        inside = folder.name == "params" and (folder / "company.yaml").is_file()
        hint = f"; did you mean {folder.parent}?" if inside else f"; run dataops-nb init {folder}"
        raise UsageError(f"{folder} is no workbench: it has no params/company.yaml{hint}")
    return folder.absolute()


def _nearest(start: Path) -> Path:
    for folder in (start, *start.parents):
        if (folder / "params" / "company.yaml").is_file():
            return folder
    raise UsageError(
        f"neither {start} nor a folder above it is a workbench (it would hold params/company.yaml); "
        "run dataops-nb init DIR, or name one with -w DIR"
    )


def _holds_something(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _is_sample(wb: Workbench) -> bool:
    """Whether every file that a source names is one of the sample's."""
    from dataops_nb import sample  # noqa: PLC0415  see ensure_data

    paths = _paths(wb)
    return bool(paths) and set(paths) <= set(sample.FILES)


def _paths(wb: Workbench) -> list[str]:
    return [source.path for source in wb._surveyed[0].company.sources.values() if source.path is not None]


def _last_sample_day(wb: Workbench) -> dt.date | None:
    """The last day of the sample in the data folder; None where the data are one's own."""
    from dataops_nb import sample  # noqa: PLC0415  see ensure_data

    if not _is_sample(wb):
        return None
    ensure_data(wb)
    made = sample.manifest(wb.data)
    return made.end if made else None


def _move(fresh: Path, target: Path) -> None:
    """Put a whole folder into an empty place in one step; where somebody else was first, theirs stays."""
    try:
        if target.is_dir() and os.name == "nt":
            target.rmdir()
        fresh.rename(target)
    except OSError:
        if not _holds_something(target):
            raise
