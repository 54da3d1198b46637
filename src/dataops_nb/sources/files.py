"""Which files a source's `path:` means, what they really are, and how their texts are encoded.

A path may be a glob, or have `{snapshot}` in place of a date; nothing outside the data folder is
read unless its absolute path is declared. A file is known by its first bytes rather than by its
name: a login page saved as a csv is no csv. And a csv that is not in the encoding it should be is
refused with the line and the bytes that show it.
"""

from __future__ import annotations

import calendar
import codecs
import datetime as dt
import glob
import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from itertools import pairwise, product
from pathlib import Path

from dataops_nb.definitions.models import Covers
from dataops_nb.errors import did_you_mean
from dataops_nb.sources.matches import expand

SNAPSHOT = "{snapshot}"
TEXTS = (".csv", ".tsv", ".txt")
DOCUMENTS = (".json", ".ndjson", ".jsonl")
EXCEL = (".xlsx", ".xlsm")
SPREADSHEETS = (".ods", ".xls", ".xlsb")  # read by python-calamine
WORKBOOKS = (*EXCEL, *SPREADSHEETS)
ARROW = (".feather", ".arrow")
PACKED = (".gz", ".zst")  # behind the ending of a text
ARCHIVE = ".zip"
PACKED_TEXTS = tuple(map("".join, product((*TEXTS, *DOCUMENTS), PACKED)))
FORMATS = (*TEXTS, *DOCUMENTS, ".parquet", *ARROW, *WORKBOOKS, *PACKED_TEXTS, ARCHIVE)
NAMED_FORMATS = "csv, tsv, json, parquet, feather, xlsx, ods or xls"
HEAD = 512
NEIGHBOURS = 5  # files that are listed where one is missing
MONTH = re.compile(
    r"(?<!\d)((?:19|20)\d\d)[-_./]?(0[1-9]|1[0-2])(?:[-_./]?(0[1-9]|[12]\d|3[01]))?(?!\d)"
)
BLOCK = 1 << 20
MARKS = {
    b"\x1f\x8b": "a gzip archive; unpack it, or name it .csv.gz if it holds a csv",
    b"\x28\xb5\x2f\xfd": "packed by Zstandard; unpack it, or name it .csv.zst if it holds a csv",
    b"PK\x03\x04": "a zip archive or a workbook; unpack it, or name it .zip or .xlsx",
    b"PAR1": "a parquet file; name it .parquet",
    b"SQLite format 3\0": "an SQLite database; declare it with url: and table:",
    b"%PDF-": "a PDF; export the table behind it as a csv",
    b"\xd0\xcf\x11\xe0": (
        "an old .xls workbook or one with a password; save it as .xlsx without a password"
    ),
    b"version https://git-lfs": (
        "a pointer of Git LFS and not the file itself; fetch it with git lfs pull"
    ),
}
PAGES = (b"<!doctype html", b"<html", b"<?xml", b"<head", b"<body")
MANY_A_MONTH = 4  # files
STEPS = (1, 3, 6, 12)  # months from one file to the next
BOM = codecs.BOM_UTF8
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
NO_TEXT = "declare `encoding: utf-16` if the file is UTF-16; it may also be no csv at all"
NOT_IN_CP1252 = (0x81, 0x8D, 0x8F, 0x90, 0x9D)


def ending(path: Path) -> str:
    """Return a file's ending in lower case; of a packed text with what it packs: `.csv.gz`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        return "".join(suffixes[-2:])
    return suffixes[-1] if suffixes else ""


@dataclass(frozen=True)
class File:
    """One file of a source: its name as people know it, and where it is.

    `packed` is the file of which `path` is a private copy, unpacked; None where it is none.
    """

    shown: str
    path: Path
    packed: Path | None = None

    @property
    def suffix(self) -> str:
        """Its ending in lower case, with the dot."""
        return ending(self.path)


@dataclass(frozen=True)
class Files:
    """The files of a source, and what is wrong with its path: pairs of a file's name and a rule.

    `again` are names of files that are read under another one, each with that one.
    """

    files: list[File]
    wrong: list[tuple[str, str]]
    again: list[tuple[str, str]] = field(default_factory=list)


def find_files(declared: str, data: Path, as_of: dt.date) -> Files:
    """Return the files that `declared` means on that day, sorted by name."""
    pattern = declared.replace(SNAPSHOT, "*")
    absolute = Path(pattern).is_absolute()
    if not absolute and posixpath.normpath(pattern).split("/")[0] == "..":
        rule = "leaves the data folder; declare a path inside it, or the absolute path"
        return _refuse(declared, rule)
    base = data / pattern
    files = []
    for path in expand(pattern, data, is_literal=SNAPSHOT not in declared):
        shown = str(path) if absolute else path.relative_to(data).as_posix()
        files.append(File(shown, path))
    if SNAPSHOT in declared:
        picked = _pick_snapshot(declared, files, as_of)
        return _leave_inside(_leave_regular(picked), data, absolute=absolute)
    if not files:
        return _say_missing(declared, base, data)
    if files[0].path == base and not files[0].path.is_file():
        return _say_missing(declared, base, data)
    regular = _leave_regular(Files(files, []))
    inside = _leave_inside(regular, data, absolute=absolute)
    return _leave_once(_leave_known_formats(inside))


def _leave_once(files: Files) -> Files:
    """Leave each file once where several names lead to it, under a name that is no link."""
    name_by_file: dict[tuple[int, int], str] = {}
    for file in sorted(files.files, key=lambda file: _is_linked(file.path)):
        about = file.path.stat()
        name_by_file.setdefault((about.st_dev, about.st_ino), file.shown)
    left, again = [], []
    for file in files.files:
        about = file.path.stat()
        name = name_by_file[about.st_dev, about.st_ino]
        if name == file.shown:
            left.append(file)
        else:
            again.append((file.shown, name))
    return Files(left, files.wrong, again)


def _is_linked(path: Path) -> bool:
    return path.resolve() != path.absolute()


def _leave_inside(files: Files, data: Path, *, absolute: bool) -> Files:
    """Refuse all files where one is a link that leaves the data folder."""
    outside = [] if absolute else _links_outside(files.files, data)
    return Files([], files.wrong + outside) if outside else files


def _leave_regular(files: Files) -> Files:
    """Leave the files that can be read; every other thing that a path matches is wrong.

    What is left out without a word would be a month of zeros.
    """
    regular, wrong = [], list(files.wrong)
    for file in files.files:
        if file.shown != _in_utf8(file.shown):
            wrong.append((_in_utf8(file.shown), "has a name that is no UTF-8; rename it"))
        elif file.path.is_file():
            regular.append(file)
        else:
            wrong.append((file.shown, _say_irregular(file.path)))
    return Files(regular, wrong)


def _in_utf8(name: str) -> str:
    """Write a name so that it can be printed: bytes that are no UTF-8 as numbers."""
    return name.encode("utf-8", "backslashreplace").decode()


def _say_irregular(path: Path) -> str:
    if path.is_dir():
        return "is a folder, but the path matches it like a file; name the files more closely"
    return _say_link(path) or "is no regular file, but the path matches it"


def _say_link(path: Path) -> str:
    """Say where a link leads that leads to nothing; empty for everything else."""
    if path.is_symlink() and not path.exists():
        return f"is a link to {path.readlink().name!r}, which does not exist"
    return ""


def _links_outside(files: list[File], data: Path) -> list[tuple[str, str]]:
    """Return the files that are links to somewhere outside the data folder, with the rule."""
    rule = "is a link that leaves the data folder; declare the absolute path instead"
    home = data.resolve()
    outside = [file for file in files if not file.path.resolve().is_relative_to(home)]
    return [(file.shown, rule) for file in outside]


def _leave_known_formats(files: Files) -> Files:
    known, wrong = [], list(files.wrong)
    for file in files.files:
        if file.suffix in FORMATS:
            known.append(file)
        else:
            rule = f"is no {NAMED_FORMATS} file by its ending {file.suffix!r}"
            wrong.append((file.shown, rule))
    return Files(known, wrong)


def _refuse(declared: str, rule: str) -> Files:
    return Files([], [(declared, rule)])


def _say_missing(declared: str, base: Path, data: Path) -> Files:
    """Say why a path means no file."""
    return _refuse(declared, _missing_rule(declared, base, data))


def _missing_rule(declared: str, base: Path, data: Path) -> str:
    if _say_link(base):
        return _say_link(base)
    if base.is_dir():
        example = declared.rstrip("/") + "/*.csv"
        return f"is a folder; name its files, for instance with a glob: {example}"
    if base.exists():
        return "is no regular file"
    if glob.has_magic(declared):
        return "matches no file in the data folder"
    if not data.is_dir() and not Path(declared).is_absolute():
        return "does not exist, and neither does the data folder; name it with --data"
    return _name_neighbours(base)


def _name_neighbours(base: Path) -> str:
    """Say which file may be meant by one that does not exist."""
    if not base.parent.is_dir():
        return "does not exist, and neither does its folder"
    others = sorted(path.name for path in base.parent.iterdir() if path.is_file())
    return f"does not exist{did_you_mean(base.name, others) or _list_neighbours(others)}"


def _list_neighbours(names: list[str]) -> str:
    """Say which files there are where the one that is meant is not."""
    known = [name for name in names if ending(Path(name)) in FORMATS]
    if not known:
        return ", and its folder has no file that could be meant"
    more = f" and {len(known) - NEIGHBOURS} more" if len(known) > NEIGHBOURS else ""
    return f"; its folder has {', '.join(known[:NEIGHBOURS])}{more}"


def _pick_snapshot(declared: str, files: list[File], as_of: dt.date) -> Files:
    """Return the last dated export that is not after the day."""
    day_by_file = _snapshot_days(declared, files)
    if not day_by_file:
        rule = "matches no file with a date such as 2026-11-22 in place of {snapshot}"
        return _refuse(declared, rule)
    known = [day for day in day_by_file.values() if day <= as_of]
    if not known:
        first = min(day_by_file.values())
        return _refuse(declared, f"has no export on or before {as_of}; the first is of {first}")
    last = max(known)
    return Files([file for file, day in day_by_file.items() if day == last], [])


def _snapshot_days(declared: str, files: list[File]) -> dict[File, dt.date]:
    """Return the day in the name of each file that has one in place of `{snapshot}`."""
    shape = re.escape(declared).replace(re.escape(SNAPSHOT), r"(\d{4}-?\d{2}-?\d{2})", 1)
    shape = shape.replace(re.escape(SNAPSHOT), r"\1").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    days = {}
    for file in files:
        hit = re.fullmatch(shape, file.shown)
        day = _read_day(hit[1]) if hit else None
        if day:
            days[file] = day
    return days


def list_away(files: Files, covers: Covers, as_of: dt.date) -> list[str]:
    """List the months, as 2026-11, that `covers:` promises and no file of a source is named by.

    Files that are named by months or days, and in nothing else differ, hold the rows of their own
    month. Files for every third month, say, are away where a third one is. The month of as-of may
    still come.
    """
    if covers.from_ is None and covers.to is None:
        return []
    names = [file.shown for file in files.files] + [name for name, _ in files.wrong]
    months = _months_in_names(names)
    if len(months) < 2:
        return []
    step = min(later - earlier for earlier, later in pairwise(months))
    if step not in STEPS:
        step = 1
    first, last = months[0], months[-1]
    while covers.from_ is not None and first - step >= _month(covers.from_):
        first -= step
    if isinstance(covers.to, dt.date):
        end = min(_month(covers.to), _month(as_of) - (covers.to > as_of))
        last = max(last, end)
    away = [month for month in range(first, last + 1, step) if month not in months]
    inside = [month for month in away if _is_inside(month, covers)]
    return [f"{month // 12}-{month % 12 + 1:02}" for month in inside]


def _months_in_names(names: list[str]) -> list[int]:
    """Return the months that files are named by, counted from year 0; none where they are not.

    Days stand for their months where there are many in each, or where all are the first or the
    last of one; other days are those on which somebody has exported something.
    """
    months = set()
    shapes = set()
    days = []
    for name in names:
        hits = list(MONTH.finditer(name))
        if len(hits) != 1:
            return []
        hit = hits[0]
        year, month = int(hit[1]), int(hit[2])
        months.add(year * 12 + month - 1)
        shapes.add(name[: hit.start()] + "*" + name[hit.end() :])
        if hit[3]:
            days.append((int(hit[3]), calendar.monthrange(year, month)[1]))
    if len(shapes) > 1 or (days and not _stand_for_months(days, len(months))):
        return []
    return sorted(months)


def _stand_for_months(days: list[tuple[int, int]], months: int) -> bool:
    """Whether days, each with the last of its month, tell what months there are."""
    if len(days) >= MANY_A_MONTH * months:
        return True
    return all(day == 1 for day, _ in days) or all(day == last for day, last in days)


def _is_inside(month: int, covers: Covers) -> bool:
    """Whether a month, counted from year 0, touches the days that a source covers."""
    if covers.from_ is not None and month < _month(covers.from_):
        return False
    return not isinstance(covers.to, dt.date) or month <= _month(covers.to)


def _month(day: dt.date) -> int:
    return day.year * 12 + day.month - 1


def _read_day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def allow_folders(declared: list[str], data: Path) -> list[str]:
    """Return the folders that may be read: the data folder, and the fixed part of each path."""
    folders = {data.resolve(), data.absolute()}
    for pattern in declared:
        path = Path(pattern.replace(SNAPSHOT, "*"))
        if Path(pattern).is_absolute():
            fixed = next((parent for parent in path.parents if parent.is_dir()), path.parent)
            folders |= {fixed, fixed.resolve()}
    allowed = {str(folder) for folder in folders}
    allowed |= {as_literal(folder) for folder in folders}  # as files in them are named to DuckDB
    return sorted(allowed)


def as_literal(path: Path) -> str:
    """Return a path as DuckDB must be told it: the name of a file is no pattern.

    DuckDB expands `export[1].csv` into `export1.csv`, even where the first exists.
    """
    return glob.escape(str(path))


def hash_content(files: list[File]) -> str:
    """Return the first 12 hex digits of the SHA-256 of the files' content, in order."""
    content = hashlib.sha256()
    for file in files:
        with file.path.open("rb") as handle:
            while block := handle.read(1 << 20):
                content.update(block)
    return content.hexdigest()[:12]


# --- what a file really is -----------------------------------------------------------------------


def recognise(path: Path) -> str:
    """Say what a file is instead of a text, and what to do about it.

    Returns an empty string where its first bytes may be those of a text.
    """
    with path.open("rb") as handle:
        head = handle.read(HEAD)
    for mark, kind in MARKS.items():
        if head.startswith(mark):
            return f"is {kind}"
    if head.removeprefix(BOM).lstrip().lower().startswith(PAGES):
        return "is a web page or XML; a login may have run out while it was exported"
    return ""


# --- encodings -----------------------------------------------------------------------------------


class WrongBytes(ValueError):  # noqa: N818  -- never leaves this package
    """Bytes that are no text in the expected encoding.

    `line` and `at`, a position in bytes, are where they stand; both are None for the whole file.
    """

    def __init__(
        self, rule: str, line: int | None, shown: str | None = None, at: int | None = None
    ) -> None:
        super().__init__(rule)
        self.rule, self.line, self.shown, self.at = rule, line, shown, at


def check_utf8(path: Path) -> None:
    """Check that a file is UTF-8, with or without a byte order mark; else raise WrongBytes."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    passed = 0
    with path.open("rb") as handle:
        block = handle.read(BLOCK)
        _refuse_marks(block)
        while block:
            zero = block.find(b"\0")
            if zero >= 0:
                raise _name_bytes(path, passed + zero, "text", NO_TEXT)
            try:
                decoder.decode(block, final=False)
            except UnicodeDecodeError as error:
                held = len(error.object) - len(block)  # bytes of a letter that the last block began
                at = passed - held + error.start
                hint = _suggest(error.object[error.start])
                raise _name_bytes(path, at, "UTF-8", hint) from None
            passed += len(block)
            block = handle.read(BLOCK)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        at = passed - len(error.object)
        raise _name_bytes(path, at, "UTF-8", "the file may be cut off") from None


def _refuse_marks(head: bytes) -> None:
    """Raise WrongBytes for byte order marks other than one of UTF-8."""
    if head.startswith(UTF32):
        raise WrongBytes("the file is UTF-32, not UTF-8; declare `encoding: utf-32`", 1)
    if head.startswith(UTF16):
        raise WrongBytes("the file is UTF-16, not UTF-8; declare `encoding: utf-16`", 1)
    if head.startswith(BOM + BOM):
        rule = "the file starts with two byte order marks; export it again with one or none"
        raise WrongBytes(rule, 1)


def _suggest(byte: int) -> str:
    """Say which encoding to declare, by a byte that is no UTF-8."""
    if byte in NOT_IN_CP1252:
        return "declare the `encoding:` the file was written in"
    return "declare `encoding: cp1252` (Windows, western Europe) or the one the file was written in"


def decode_text(path: Path, encoding: str) -> str:
    """Return a file's text in a declared encoding, without its byte order mark.

    Raises WrongBytes where it is none, or the encoding is not known.
    """
    try:
        codecs.lookup(encoding)
    except LookupError:
        rule = f"`encoding: {encoding}` is not known; use utf-8, cp1252, latin-1 or utf-16"
        raise WrongBytes(rule, None) from None
    content = path.read_bytes()
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeError as error:
        at = getattr(error, "start", 0)
        declared = codecs.lookup(encoding).name
        others = [
            one for one in ("cp1252", "utf-8", "cp932") if codecs.lookup(one).name != declared
        ]
        hint = f"another encoding may be right, for instance {others[0]} or {others[1]}"
        raise _name_bytes(path, at, encoding, hint) from None


def _name_bytes(path: Path, at: int, encoding: str, hint: str) -> WrongBytes:
    """Return the error about the bytes at a position, with their line."""
    newlines = 0
    left = at
    with path.open("rb") as handle:
        while left > 0:
            block = handle.read(min(BLOCK, left))
            newlines += block.count(b"\n")
            left -= len(block)
            if not block:
                break
        wrong = handle.read(2)
    shown = " ".join(f"0x{byte:02X}" for byte in wrong)
    rule = f"the bytes at position {at} are not {encoding}; {hint}"
    return WrongBytes(rule, newlines + 1, shown, at)
