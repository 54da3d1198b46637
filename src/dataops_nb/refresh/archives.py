"""The archive pages of reports, from the ledger; each is written anew only when a period of it came, changed or went."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dataops_nb import __version__
from dataops_nb.publish import archive, folder
from dataops_nb.refresh.ingredients import digest
from dataops_nb.story.numbers import DEFAULT


def write(
    out: Path, private: Path, ledger: sqlite3.Connection, reports: Iterable[str], *, company: str, whatif: str = ""
) -> None:
    """Bring the archive page of each report up to date; PublishError where one cannot be written."""
    for report in dict.fromkeys(reports):
        rows = [row for row in _rows(ledger, report, whatif) if (out / report / row["period"] / "index.html").exists()]
        key, made_of = f"archive:{whatif}:{report}", digest([company, [row["id"] for row in rows], __version__])
        known = ledger.execute("select said from notices where key = ?", (key,)).fetchone()
        page = out / report / "index.html"
        if rows and (not page.exists() or known is None or known["said"] != made_of):
            title = str(_said(rows[0]).get("title") or report)
            html = archive.build(
                company, title, [_past(row, told=i < archive.TOLD) for i, row in enumerate(rows)], whatif
            )
            folder.replace(page, html.encode(), private)
            ledger.execute("insert or replace into notices (key, said, at) values (?, ?, ?)", (key, made_of, ""))


def _rows(ledger: sqlite3.Connection, report: str, whatif: str) -> list[Mapping[str, Any]]:
    """The rows that made the pages which stand now, the newest first."""
    found = ledger.execute(
        "select id, period, as_of, shown from runs where id in (select max(id) from runs where report = ? and whatif = ?"
        " and state = 'ok' group by period) order by as_of desc, period desc",
        (report, whatif),
    )
    return [dict(row) for row in found]


def _past(row: Mapping[str, Any], *, told: bool) -> archive.Past:
    said = _said(row)
    words = {name: said.get(name) or () for name in ("facts", "names")} if told else {}
    return archive.Past(
        row["period"],
        row["as_of"],
        said.get("light") or "unknown",
        said.get("reason"),
        said.get("headline") or "",
        locale=said.get("locale") or DEFAULT,
        **words,
    )


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["shown"]) if row["shown"] else {}
    return found
