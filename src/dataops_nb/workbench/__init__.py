"""Open the folder a company works in: its definitions, notebooks, data and results, and its day.

`open` finds the folder and returns a `Workbench`, which reads a file when it is needed. Its `rows`
and its `board` bring pandas and DuckDB, the rest does not. The sample's data are written where they
are missing, but only in a workbench that says it is the sample (`packaged.is_sample`).
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from dataops_nb import definitions as company_files
from dataops_nb.company import Memory
from dataops_nb.definitions.models import Definitions, Report
from dataops_nb.errors import (
    DefinitionsError,
    Mistake,
    PublishError,
    UsageError,
    did_you_mean,
    printable,
)
from dataops_nb.terms import FIRST_DAY, LAST_DAY, Grain
from dataops_nb.workbench import packaged
from dataops_nb.workbench.additions import (
    department_of,
    new_department,
    new_event,
    new_report,
)
from dataops_nb.workbench.packaged import furnish, is_sample

if TYPE_CHECKING:
    from dataops_nb.alignment.rows import Usage
    from dataops_nb.board import Board
    from dataops_nb.sources.catalog import Catalog

__all__ = [
    "Workbench",
    "as_of",
    "ensure_data",
    "furnish",
    "init",
    "new_department",
    "new_event",
    "new_report",
    "open",
    "settle",
    "share",
]


def __dir__() -> list[str]:
    return __all__


_SHARED: dict[Workbench, Workbench] = {}  # filled by a process before it forks, else empty
SAMPLE = "cache/sample"  # in the folder of results, where the sample has no data folder


@dataclass(frozen=True)
class Workbench:
    """A workbench: its root, the folder its sources' paths start in, and that of its results.

    `whatif` names the file in params/whatif/ whose differences are laid over the definitions; ""
    for none.

    >>> own = workbench.open(here)
    >>> own.definitions.name, own.data.name, own.notebooks.name
    ('Shop', 'data', 'notebooks')
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
        """The folder of what is kept between runs; None where DATAOPS_NO_CACHE is set."""
        if os.environ.get("DATAOPS_NO_CACHE"):
            return None
        return self.out / "cache"

    @property
    def definitions(self) -> Definitions:
        """The company's definitions, read once, and again for the rows or board after an edit.

        Raises DefinitionsError for mistakes in them.
        """
        readable, mistakes = self._surveyed
        if mistakes:
            raise DefinitionsError(mistakes)
        return readable

    @property
    def usage(self) -> Usage:
        """The metrics and sources that somebody has looked at here so far."""
        return self.definitions.usage

    @property
    def memory(self) -> Memory:
        """What earlier reports said, what readers answered, and the what-ifs."""
        from dataops_nb.workbench.memory import Remembered  # noqa: PLC0415  brings pandas

        return Remembered(self)

    def rows(self, as_of: str | dt.date | None = None) -> Catalog:
        """Open the rows of the company's sources as of a day (default: see `as_of`).

        They are read when they are needed. Raises UsageError where `as_of` is no ISO date.
        """
        from dataops_nb import sources  # noqa: PLC0415  brings pandas and DuckDB

        self._forget_edited()
        ensure_data(self)
        day = _as_of(self, as_of)
        ready: Catalog | None = vars(self).pop("_ready", None)
        if ready is not None and ready.as_of == day and ready.declared is self.definitions:
            return ready
        return sources.open(self.definitions, self.data, day, keep=self.cache)

    def board(
        self,
        *,
        as_of: str | dt.date | None = None,
        grain: Grain = "week",
        department: str | None = None,
        metrics: Iterable[str] | None = None,
    ) -> Board:
        """Return the board of these metrics, of a department, or of the company.

        The company's has its North Star first, then every department. Raises UsageError for unknown
        names, DataError where a source behind a metric must not be used.
        """
        from dataops_nb import board  # noqa: PLC0415  brings pandas and DuckDB

        board.check_grain(grain)
        rows = self.rows(as_of)
        names = board.wanted(rows.company, department, metrics)
        return board.measure(rows, names, grain=grain, department=department, memory=self.memory)

    @property
    def doors(self) -> dict[str | None, str]:
        """The notebook of each department's first report, and under None of the company's.

        reports.yaml names the department of a report, or else its notebook does.
        """
        notebooks: dict[str | None, str] = {}
        for suite in self.definitions.suites.values():
            for report in suite.reports.values():
                for department in self._departments_of(report):
                    notebooks.setdefault(department, report.notebook)
        return notebooks

    def _departments_of(self, report: Report) -> list[str | None]:
        """Return the departments that a report is about; None is the company."""
        if report.each == "department":
            return list(self.definitions.departments)
        notebook = self.notebooks / report.notebook
        department = report.parameters.get("department") or department_of(notebook)
        if not department:
            return [None]
        return [str(department)]

    def _forget_edited(self) -> None:
        """Let the company's files be read anew if one was written, made or removed since."""
        memory = vars(self)
        if "_surveyed" in memory and memory["_stamps"] != self._stamps_now():
            del memory["_surveyed"]

    def _stamps_now(self) -> dict[str, tuple[int, int]]:
        stamps = {}
        for path in self.params.rglob("*.yaml"):
            with suppress(OSError):  # an editor is exchanging it
                status = path.stat()
                stamps[str(path)] = (status.st_mtime_ns, status.st_size)
        return stamps

    @cached_property
    def _surveyed(self) -> tuple[Definitions, list[Mistake]]:
        vars(self)["_stamps"] = self._stamps_now()
        notebooks = None
        if self.notebooks.is_dir():
            notebooks = self.notebooks
        return company_files.survey(self.params, notebooks=notebooks, whatif=self.whatif)


def open(  # noqa: A001  workbench.open reads as it is meant
    start: str | Path | None = None,
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    whatif: str | None = None,
) -> Workbench:
    """Return the workbench in `start`; it is read when it is used.

    Without `start` it is the one in DATAOPS_WORKBENCH, the current folder or the nearest one above.
    `data` and `out` go before DATAOPS_DATA and DATAOPS_OUT, and these before `data:` in
    company.yaml and `out` in the workbench. `whatif` names a file of params/whatif/, and goes
    before DATAOPS_WHATIF. Where the sample's own data folder is missing, its data are kept below
    `out`, so that who only asks writes nowhere else. Raises UsageError where there is no workbench
    or no such what-if.

    >>> workbench.open(here, out=here / "pages").out.name
    'pages'
    """
    root = _root(start or os.environ.get("DATAOPS_WORKBENCH"))
    out_path = out or os.environ.get("DATAOPS_OUT") or root / "out"
    data_path = data or os.environ.get("DATAOPS_DATA")
    if not data_path:
        data_path = root / company_files.data_folder(root / "params")
        if not _holds_something(data_path) and is_sample(root / "params"):
            data_path = Path(out_path) / SAMPLE
    if whatif is None:
        whatif = os.environ.get("DATAOPS_WHATIF", "")
    _require_whatif(root, whatif)
    for folder in (root, data_path, out_path):
        if printable(str(folder)) != str(folder):
            rule = "the name of the folder is not UTF-8; rename it, or name another one"
            raise UsageError(f"{printable(str(folder))}: {rule}")
    opened = Workbench(root, Path(data_path).absolute(), Path(out_path).absolute(), whatif)
    shared = _SHARED.get(opened, opened)
    shared._forget_edited()
    return shared


def share(wb: Workbench, day: dt.date) -> None:
    """Read a company once for the processes that are forked from this one: `open` returns it there.

    Its rows as of `day` are made ready, but nobody asks them here: each process notes for itself
    what it uses, and sees for itself whether a file has changed. Rows in databases are left to it,
    because it may know more of the environment.

    >>> own = workbench.open(here)
    >>> workbench.share(own, dt.date(2026, 11, 15))
    >>> workbench.open(here) is own
    True
    """
    _SHARED[wb] = wb
    sources = wb.definitions.company.sources.values()
    if any(source.url for source in sources) or not _holds_something(wb.data):
        return
    ready = wb.rows(day)
    ready.close()  # no process may go on with a file that another one has open
    vars(wb)["_ready"] = ready


def as_of(wb: Workbench, day: str | dt.date | None = None) -> dt.date:
    """Return `day` as a date; without it the sample's last day, else today where the company is.

    Raises UsageError where `day` is no ISO date, or lies outside the calendar.

    >>> workbench.as_of(workbench.open(here), "2026-11-15")
    datetime.date(2026, 11, 15)
    """
    if isinstance(day, dt.datetime):
        return _within_calendar(day.date())
    if isinstance(day, dt.date):
        return _within_calendar(day)
    if day is not None:
        try:
            return _within_calendar(dt.datetime.strptime(day, "%Y-%m-%d").date())
        except ValueError:
            raise UsageError(f"{day!r} is not a date: write 2026-11-22") from None
    return _last_sample_day(wb) or dt.datetime.now(ZoneInfo(_readable(wb).timezone)).date()


def _within_calendar(day: dt.date) -> dt.date:
    if FIRST_DAY <= day <= LAST_DAY:
        return day
    raise UsageError(f"as of {day}: reports are made from {FIRST_DAY} to {LAST_DAY}")


def _as_of(wb: Workbench, day: str | dt.date | None) -> dt.date:
    """Call `as_of` where a parameter of that name hides it; an empty text means no day."""
    return as_of(wb, day or None)


def init(target: str | Path) -> Path:
    """Make the sample's workbench in `target`, with its data, and return its folder.

    Raises UsageError if `target` is a file, has params/ already, or holds a notebook of the same
    name, and PublishError if it cannot be written. Other files in it stay as they are, and data
    that are there already stay the only ones.

    >>> made = workbench.init(here / "sample")
    >>> workbench.open(made).definitions.north_star
    ['revenue_ttm', 'new_customers', 'churn_rate', 'signups']
    """
    root = packaged.init(target)
    made = Workbench(root, root / company_files.data_folder(root / "params"), root / "out")
    ensure_data(made)
    return root


def ensure_data(wb: Workbench) -> None:
    """Write the sample's exports into the data folder of the sample, where it is empty or missing.

    A workbench of one's own gets none. Exports that the sample of an earlier version did not have
    are added, as of the same day; nothing else is touched. Two processes may do so at once: the
    later one keeps what the other has written. Raises PublishError where the folder cannot be
    written.

    >>> workbench.ensure_data(workbench.open(here))
    >>> sorted(path.name for path in (here / "data").iterdir())  # its own, and nothing else
    ['orders.csv']
    """
    if _holds_something(wb.data):
        missing = [path for path in _paths(wb) if not (wb.data / path).exists()]
        if not missing:
            return
    if not is_sample(wb.params):
        return
    # Brings pandas, and is needed once in the life of a workbench.
    from dataops_nb.workbench import sample  # noqa: PLC0415

    manifest = sample.manifest(wb.data)
    if manifest is None and _holds_something(wb.data):
        return
    staged = _staged(wb.data)
    try:
        if manifest is None:
            sample.write(staged)
            _move(staged, wb.data)
        else:
            sample.write(staged, seed=manifest.seed, end=manifest.end, weeks=manifest.weeks)
            for name in set(missing) & set(sample.FILES):
                (staged / name).replace(wb.data / name)
    except OSError as error:
        reason = error.strerror or error
        raise PublishError(f"cannot write the sample data into {wb.data}: {reason}") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def settle(wb: Workbench) -> Workbench:
    """Write the sample's data into their own folder before a refresh; return where they are then.

    What a question has kept below `out` moves there. Raises PublishError as `ensure_data` does.

    >>> workbench.settle(workbench.open(here)).data.name
    'data'
    """
    kept = wb.out / SAMPLE
    if wb.data != kept:
        ensure_data(wb)
        return wb
    settled = replace(wb, data=wb.root / company_files.data_folder(wb.params))
    if kept.is_dir() and not _holds_something(settled.data):
        staged = _staged(settled.data)
        with suppress(OSError):  # then they are written anew
            shutil.copytree(kept, staged)
            _move(staged, settled.data)
        shutil.rmtree(staged, ignore_errors=True)
    ensure_data(settled)
    return settled


def _require_whatif(root: Path, name: str) -> None:
    """Raise UsageError where a what-if has no file; "" stands for none."""
    known = sorted(path.stem for path in (root / "params" / "whatif").glob("*.yaml"))
    if not name or name in known:
        return
    advice = did_you_mean(name, known)
    if not advice:
        advice = "; params/whatif/ holds none"
        if known:
            advice = f"; there are {', '.join(known)}"
    raise UsageError(f"there is no what-if {name!r}{advice}")


def _root(named: str | Path | None) -> Path:
    """Return the folder that was named, else the nearest workbench.

    Raises UsageError where it is none.
    """
    if not named:
        return _nearest(Path.cwd())
    folder = Path(named)
    if (folder / "params" / "company.yaml").is_file():
        return folder.absolute()
    advice = f"; run dataops-nb init {folder}"
    if folder.name == "params" and (folder / "company.yaml").is_file():
        advice = f"; did you mean {folder.parent}?"
    raise UsageError(f"{folder} is no workbench: it has no params/company.yaml{advice}")


def _nearest(start: Path) -> Path:
    """Return the first workbench from a folder upwards. Raises UsageError where there is none."""
    for folder in (start, *start.parents):
        if (folder / "params" / "company.yaml").is_file():
            return folder
    raise UsageError(
        f"no workbench here or above ({start}): run dataops-nb init DIR, or use -w DIR"
    )


def _holds_something(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _readable(wb: Workbench) -> Definitions:
    """Return what is sound of the definitions, also where there are mistakes."""
    readable, _ = wb._surveyed
    return readable


def _paths(wb: Workbench) -> list[str]:
    sources = _readable(wb).sources.values()
    return [source.path for source in sources if source.path is not None]


def _last_sample_day(wb: Workbench) -> dt.date | None:
    """Return the last day of the sample in the data folder; None for data of one's own."""
    if not is_sample(wb.params):
        return None
    from dataops_nb.workbench import sample  # noqa: PLC0415  see ensure_data

    ensure_data(wb)
    manifest = sample.manifest(wb.data)
    if manifest is None:
        return None
    return manifest.end


def _staged(folder: Path) -> Path:
    """Return a free place beside a folder, from where one rename puts what is written there."""
    return folder.parent / f".{folder.name}-{uuid.uuid4().hex[:12]}"


def _move(fresh: Path, target: Path) -> None:
    """Move a folder into an empty place in one step; where another was first, that one stays."""
    try:
        if target.is_dir() and os.name == "nt":
            target.rmdir()
        fresh.rename(target)
    except OSError:
        if not _holds_something(target):
            raise
