"""What a file really is, by its first bytes, where its name says something else: a login page saved as a csv is no csv."""

from __future__ import annotations

from pathlib import Path

HEAD = 512
MARKS = {
    b"\x1f\x8b": "a gzip archive; unpack it, and declare the file inside",
    b"PK\x03\x04": "a zip archive or a workbook; unpack it, or name it .xlsx if it is one",
    b"PAR1": "a parquet file; name it .parquet",
    b"SQLite format 3\0": "an SQLite database; declare it with url: and table:",
    b"%PDF-": "a PDF; export the table behind it as a csv",
    b"\xd0\xcf\x11\xe0": "an old .xls workbook or one with a password; save it as .xlsx without a password",
    b"version https://git-lfs": "a pointer of Git LFS and not the file itself; fetch it with git lfs pull",
}
PAGES = (b"<!doctype html", b"<html", b"<?xml", b"<head", b"<body")


def recognise(path: Path) -> str:
    """What a file of text is instead, and what to do about it; empty where its first bytes may be those of a text."""
    with path.open("rb") as handle:
        head = handle.read(HEAD)
    found = next((said for mark, said in MARKS.items() if head.startswith(mark)), "")
    if not found and head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(PAGES):
        found = "a web page or XML; a login may have run out while it was exported"
    return f"is {found}" if found else ""
