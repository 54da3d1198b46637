"""Letters that an earlier program broke: UTF-8 that was taken for another encoding and saved again, and lost letters.

Such a text is valid UTF-8, so nothing refuses it; but `CafÃ©` and `Café` are two customers.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable
from pathlib import Path

from dataops_nb.sources.evidence import Check, Raw, check_value
from dataops_nb.sources.sql import quote, text

PACKED = (".xlsx", ".xlsm")
UTF8 = ("utf-8", "utf8", "utf-8-sig")
SUSPECT = re.compile(rb"\xc3[\x82\x83][\xc2\xc5\xc6\xcb\xe2]|\xc3\xa2\xe2\x82\xac|\xef\xbf\xbd")
# the second byte of a letter as cp1252 shows it; a dash or a quotation mark may also end a word, so a letter must follow
SECOND = "[\u0080-\u0081\u008d\u008f\u0090\u009d¡-¿€ƒ„†‡ˆ‰Š‹ŒŽ•˜™š›œžŸ]"
TWICE = f"[ÂÃ]{SECOND}|[ÂÃ][‚…‘’“”–—][[:alpha:]]|â€[\u009d™œ˜“”¦¢]"
LOST = "\ufffd"
RULE = "reads like UTF-8 that was taken for another encoding and saved again; export it anew"
SAID = {
    TWICE: f"{RULE}, or declare `encoding: utf-8` if it is meant",
    LOST: "holds the sign for a lost letter (U+FFFD); export it anew, or declare `encoding: utf-8` if it is meant",
}


def list_garbled(raw: Raw, encoding: str | None) -> list[Check]:
    """The checks of a source's texts, where its files hold bytes that make them worth while.

    With `encoding: utf-8` the texts are meant as they are; another one may itself be what breaks them.
    """
    if encoding and encoding.lower().replace("_", "-") in UTF8:
        return []
    texts = [column for column, type_ in raw.columns.items() if type_ == "VARCHAR" and raw.infer.get(column) != "none"]
    if not texts or not (encoding or _suspects(part.path for part in raw.parts)):
        return []
    said = (
        {TWICE: f"{RULE}; it may be no {encoding}: declare `encoding: utf-8`", LOST: SAID[LOST]} if encoding else SAID
    )
    return [
        check_value(column, rule, f"regexp_matches({quote(column)}, {text(pattern)})")
        for column in texts
        for pattern, rule in said.items()
    ]


def _suspects(paths: Iterable[Path]) -> bool:
    return any(path.suffix.lower() in PACKED or _suspect(path) for path in paths)


def _suspect(path: Path) -> bool:
    with path.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return SUSPECT.search(content) is not None
