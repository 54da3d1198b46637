"""Write the archive pages of reports, which follow from the ledger.

An archive is written anew only when a period of its report came, changed or went. Its first page
has the newest periods; older ones stand on pages of their own, counted from the oldest, which stay
as they are. So one period more costs the same however many there are.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataops_nb import __version__, plain
from dataops_nb.numbers import DEFAULT
from dataops_nb.reports import site
from dataops_nb.reports.pages import FILES, WhatIf, archive, seals, with_later

PAGE = 520  # periods on an older page; the first page has fewer than twice as many
AT_ONCE = 500  # rows of the ledger in one query
Row = Mapping[str, Any]


@dataclass(frozen=True)
class _Archive:
    """One report's archive: the folder it stands in, what its pages say, what it is made from.

    `rows` made the pages which stand now, the newest first.
    """

    folder: Path
    private: Path
    ledger: sqlite3.Connection
    company: str
    report: str
    whatif: WhatIf | None
    rows: Sequence[Row]

    @property
    def key(self) -> str:
        """The name under which the ledger keeps what a page was made from."""
        name = self.whatif.name if self.whatif is not None else ""
        return f"archive:{name}:{self.report}"


@dataclass(frozen=True)
class _Page:
    """A page of an archive: its file, and which rows it has; `older` are those it leads to."""

    name: str
    start: int
    end: int
    older: Sequence[archive.Older] = ()


def write_archives(
    out: Path,
    private: Path,
    ledger: sqlite3.Connection,
    reports: Iterable[str],
    *,
    company: str,
    whatif: WhatIf | None = None,
) -> None:
    """Bring the archive pages of each report up to date.

    Raises PublishError where one cannot be written.
    """
    name = whatif.name if whatif is not None else ""
    for report in dict.fromkeys(reports):
        folder = out / report
        rows = _rows(ledger, report, name, folder)
        if rows:
            _write_report(_Archive(folder, private, ledger, company, report, whatif, rows))


def _write_report(about: _Archive) -> None:
    """Write the pages of one archive that are not made from what the ledger says now."""
    first, *older = _divided(about.rows)
    for page in older:
        _write_page(about, page)
    before = _write_page(about, first)
    if before is None:
        return
    _remove_older(about.folder, len(older))
    known, newest = before
    for row in about.rows[1:]:
        if row["id"] > known or row["period"] == newest:
            _lead_on(about.folder / row["period"], about.private)


def _divided(rows: Sequence[Row]) -> list[_Page]:
    """Divide rows into the first page and the older ones, the newest first."""
    count = max(len(rows) // PAGE - 1, 0)
    end = len(rows) - count * PAGE
    older = []
    for number in range(count, 0, -1):
        older.append(_Page(f"older-{number}.html", end, end + PAGE))
        end += PAGE
    links = []
    for page in older:
        first, last = rows[page.end - 1]["period"], rows[page.start]["period"]
        links.append(archive.Older(page.name, first, last))
    return [_Page("index.html", 0, len(rows) - count * PAGE, links), *older]


def _write_page(about: _Archive, page: _Page) -> tuple[int, str] | None:
    """Write a page, unless it is made from its rows.

    Returns the last row and the newest period that it was made from before; None where it stays.
    """
    part = about.rows[page.start : page.end]
    newer = about.rows[page.start - 1]["period"] if page.start else None
    before = about.rows[page.end]["period"] if page.end < len(about.rows) else None
    key = f"{about.key}:{page.name}" if page.start else about.key
    ids = [row["id"] for row in part]
    made_of = plain.digest([about.company, ids, newer, before, len(page.older), __version__])
    query = "select said, at from notices where key = ?"
    known = about.ledger.execute(query, (key,)).fetchone()
    path = about.folder / page.name
    if known is not None and known["said"] == made_of and path.exists():
        return None
    shown = _shown(about.ledger, part)
    newest = shown.get(about.rows[0]["id"]) or _shown(about.ledger, about.rows[:1]).popitem()[1]
    html = archive.build(
        about.company,
        str(newest.get("title") or about.report),
        [_past(row, shown[row["id"]], is_told=not page.start) for row in part],
        about.whatif,
        newer=newer,
        before=before,
        older=page.older,
    )
    site.replace(path, html.encode(), about.private)
    last = json.dumps([max(ids), part[0]["period"]])
    row = (key, made_of, last)
    about.ledger.execute("insert or replace into notices (key, said, at) values (?, ?, ?)", row)
    with suppress(ValueError, TypeError):
        last_row, newest_period = json.loads(known["at"] if known is not None else "")
        return int(last_row), str(newest_period)
    return 0, ""


def _remove_older(folder: Path, pages: int) -> None:
    """Remove the older pages that there are no periods for any more."""
    number = pages + 1
    while (folder / f"older-{number}.html").exists():
        (folder / f"older-{number}.html").unlink()
        number += 1


def _lead_on(folder: Path, private: Path) -> None:
    """Let the pages of a period lead to the one after it, now that there is one."""
    for name in FILES.values():
        path = folder / name
        if path.exists():
            html = path.read_text(encoding="utf-8")
            linked = with_later(html)
            if linked != html and seals.is_intact(html):
                site.replace(path, linked.encode(), private)


def _rows(ledger: sqlite3.Connection, report: str, whatif: str, folder: Path) -> list[Row]:
    """Return the rows that made the pages which stand now, the newest first."""
    found = ledger.execute(
        "select max(id) as id, period, as_of from runs"
        " where report = ? and whatif = ? and state = 'ok'"
        " group by period order by as_of desc, period desc",
        (report, whatif),
    )
    rows: list[Row] = [dict(row) for row in found]
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        there = {entry.name for entry in entries}
    newest, rest = rows[: 2 * PAGE], rows[2 * PAGE :]
    standing = [row for row in newest if (folder / row["period"] / "index.html").exists()]
    return standing + [row for row in rest if row["period"] in there]


def _shown(ledger: sqlite3.Connection, rows: Sequence[Row]) -> dict[int, dict[str, Any]]:
    """Return what the front page says of reports, by the number of their row."""
    shown: dict[int, dict[str, Any]] = {}
    ids = [row["id"] for row in rows]
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        query = f"select id, shown from runs where id in ({', '.join('?' * len(some))})"
        for row in ledger.execute(query, some):
            shown[row["id"]] = json.loads(row["shown"] or "{}")
    return shown


def _past(row: Row, shown: Mapping[str, Any], *, is_told: bool) -> archive.Past:
    return archive.Past(
        row["period"],
        row["as_of"],
        shown.get("light") or "unknown",
        shown.get("reason"),
        shown.get("headline") or "" if is_told else "",
        facts=(shown.get("facts") or ()) if is_told else (),
        spans=shown.get("spans") if is_told else None,
        locale=shown.get("locale") or DEFAULT,
    )
