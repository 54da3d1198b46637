"""Texts as bytes: which encoding a csv is in, and where it is not what it should be."""

from __future__ import annotations

import codecs
from pathlib import Path

BOM = codecs.BOM_UTF8
BLOCK = 1 << 20


class WrongBytes(ValueError):  # noqa: N818  -- it names what was found, and never leaves this package
    """Bytes that are no text in the expected encoding; `line` and `at` are where they stand (None: the whole file)."""

    def __init__(self, rule: str, line: int | None, shown: str | None = None, at: int | None = None) -> None:
        super().__init__(rule)
        self.rule, self.line, self.shown, self.at = rule, line, shown, at


def check_utf8(path: Path) -> int:
    """The number of bytes of a byte order mark (0 or 3) before a UTF-8 text; WrongBytes where it is none."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    start, passed = 0, 0
    with path.open("rb") as handle:
        head = handle.read(BLOCK)
        if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            raise WrongBytes("the file is UTF-32, not UTF-8; declare `encoding: utf-32`", 1)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise WrongBytes("the file is UTF-16, not UTF-8; declare `encoding: utf-16`", 1)
        if head.startswith(BOM):
            start = len(BOM)
            if head.startswith(BOM + BOM):
                raise WrongBytes("the file starts with two byte order marks; export it again with one or none", 1)
        block = head
        while block:
            _refuse_zero_bytes(path, block, passed)
            try:
                decoder.decode(block, final=False)
            except UnicodeDecodeError as error:
                held = len(error.object) - len(block)
                raise _describe(
                    path, passed - held + error.start, "UTF-8", _suggest(error.object[error.start])
                ) from None
            passed += len(block)
            block = handle.read(BLOCK)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _describe(path, passed - len(error.object), "UTF-8", "the file may be cut off") from None
    return start


def decode_text(path: Path, encoding: str) -> str:
    """The file's text in a declared encoding, without its byte order mark; WrongBytes where it is none."""
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise WrongBytes(f"`encoding: {encoding}` is not known; use utf-8, cp1252, latin-1 or utf-16", None) from None
    content = path.read_bytes()
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeError as error:
        start = getattr(error, "start", 0)
        raise _describe(path, start, encoding, "another encoding may be right, for instance cp1252 or utf-8") from None


def _refuse_zero_bytes(path: Path, block: bytes, passed: int) -> None:
    at = block.find(b"\0")
    if at >= 0:
        raise _describe(
            path, passed + at, "text", "declare `encoding: utf-16` if the file is UTF-16; it may also be no csv at all"
        )


def _describe(path: Path, at: int, encoding: str, hint: str) -> WrongBytes:
    with path.open("rb") as handle:
        before = 0
        left = at
        while left > 0 and (block := handle.read(min(BLOCK, left))):
            before += block.count(b"\n")
            left -= len(block)
        found = handle.read(4)
    shown = " ".join(f"0x{byte:02X}" for byte in found[:2])
    return WrongBytes(f"the bytes at position {at} are not {encoding}; {hint}", before + 1, shown, at)


def _suggest(byte: int) -> str:
    if byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D):
        return "declare the `encoding:` the file was written in"
    return "declare `encoding: cp1252` (Windows, western Europe) or the one the file was written in"
