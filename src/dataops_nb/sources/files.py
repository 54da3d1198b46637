"""Which files a source's `path:` means: globs, dated snapshots, and the refusal of anything outside the data folder."""

from __future__ import annotations

import datetime as dt
import glob
import hashlib
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from dataops_nb.errors import did_you_mean

SNAPSHOT = "{snapshot}"
FORMATS = (".csv", ".tsv", ".txt", ".json", ".ndjson", ".jsonl", ".parquet", ".xlsx", ".xlsm")


@dataclass(frozen=True)
class File:
    """One file of a source: its name as people know it, and where it is."""

    shown: str
    path: Path

    @property
    def suffix(self) -> str:
        """Its ending in lower case, with the dot."""
        return self.path.suffix.lower()


@dataclass(frozen=True)
class Found:
    """The files of a source; `wrong` names what is wrong with the declared path: pairs of a file's name and a rule."""

    files: list[File]
    wrong: list[tuple[str, str]]


def find_files(declared: str, data: Path, as_of: dt.date) -> Found:
    """The files that `declared` means on that day, sorted by name."""
    pattern = declared.replace(SNAPSHOT, "*")
    absolute = Path(pattern).is_absolute()
    base = Path(pattern) if absolute else data / pattern
    if not absolute and posixpath.normpath(pattern).split("/")[0] == "..":
        return _refuse(declared, "leaves the data folder; declare a path inside it, or the absolute path")
    paths = _expand(base)
    files = [File(str(p) if absolute else p.relative_to(data).as_posix(), p) for p in paths if p.is_file()]
    outside = [f.shown for f in files if not absolute and not f.path.resolve().is_relative_to(data.resolve())]
    if outside:
        return Found(
            [], [(f, "is a link that leaves the data folder; declare the absolute path instead") for f in outside]
        )
    if SNAPSHOT in declared:
        return _pick_snapshot(declared, files, as_of)
    if not files:
        return _say_missing(declared, base, data)
    unknown = [f for f in files if f.suffix not in FORMATS]
    wrong = [(f.shown, f"is no csv, tsv, json, parquet or xlsx file by its ending {f.suffix!r}") for f in unknown]
    return Found([f for f in files if f not in unknown], wrong)


def _expand(base: Path) -> list[Path]:
    if base.exists():
        return [base]
    return sorted(Path(p) for p in glob.glob(str(base), recursive=True)) if glob.has_magic(str(base)) else []


def _refuse(declared: str, rule: str) -> Found:
    return Found([], [(declared, rule)])


def _say_missing(declared: str, base: Path, data: Path) -> Found:
    if base.is_symlink() and not base.exists():
        return _refuse(declared, f"is a link to {_target(base)}, which does not exist")
    if base.exists() and not base.is_dir():
        return _refuse(declared, "is no regular file")
    if base.is_dir():
        return _refuse(
            declared, "is a folder; name its files, for instance with a glob: " + declared.rstrip("/") + "/*.csv"
        )
    if glob.has_magic(declared):
        return _refuse(declared, "matches no file in the data folder")
    if not data.is_dir() and not Path(declared).is_absolute():
        return _refuse(declared, "does not exist, and neither does the data folder; name it with --data")
    others = [p.name for p in base.parent.iterdir()] if base.parent.is_dir() else []
    return _refuse(declared, f"does not exist{did_you_mean(base.name, others)}")


def _target(link: Path) -> str:
    """The name a link points to, without the folders before it."""
    return repr(link.readlink().name)


def _pick_snapshot(declared: str, files: list[File], as_of: dt.date) -> Found:
    """The last dated export that is not after the day."""
    shape = re.escape(declared).replace(re.escape(SNAPSHOT), r"(\d{4}-?\d{2}-?\d{2})", 1)
    shape = shape.replace(re.escape(SNAPSHOT), r"\1").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    dated = [(day, f) for f in files if (hit := re.fullmatch(shape, f.shown)) and (day := _read_day(hit[1]))]
    known = [pair for pair in dated if pair[0] <= as_of]
    if not dated:
        return _refuse(declared, "matches no file with a date such as 2026-11-22 in place of {snapshot}")
    if not known:
        return _refuse(declared, f"has no export on or before {as_of}; the first is of {min(d for d, _ in dated)}")
    last = max(day for day, _ in known)
    return Found([f for day, f in known if day == last], [])


def _read_day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def allow_folders(declared: list[str], data: Path) -> list[str]:
    """The folders that may be read: the data folder, and the fixed part of every absolute path."""
    folders = {data.resolve(), data.absolute()}
    for path in (Path(d.replace(SNAPSHOT, "*")) for d in declared if Path(d).is_absolute()):
        fixed = next((p for p in path.parents if not glob.has_magic(str(p))), path.parent)
        folders |= {fixed, fixed.resolve()}
    return sorted(str(f) for f in folders)


def hash_content(files: list[File]) -> str:
    """The first 12 hex digits of the SHA-256 over the files' content, in order."""
    digest = hashlib.sha256()
    for file in files:
        with file.path.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:12]
