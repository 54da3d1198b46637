"""Remember what is published, also where a run is killed before it has written that down.

Before the pages of a report are put in place, a note with its values is left in the report's
private folder. Afterwards the note is entered in the history and removed: at once, or by the next
refresh, if the pages in place are those that the note speaks of.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dataops_nb import history
from dataops_nb.errors import ReportError
from dataops_nb.reports import site
from dataops_nb.reports.due import WITNESS

NOTE = "remember.json"
COLUMNS = ("metric", "segment", "grain", "period", "value", "complete", "n")
NAMES = ("metric", "grain", "period")  # columns without which a row says nothing


def intend(
    private: Path,
    key: tuple[str, str],
    run: str,
    payload: Mapping[str, Any],
    files: Mapping[str, bytes],
) -> None:
    """Note in a report's private folder what is about to be published as (report, period).

    `payload` is the record of the report, `files` are its pages. Raises ReportError where the
    report's as-of is no day.
    """
    report, period = key
    try:
        as_of = dt.date.fromisoformat(str(payload["as_of"]))
    except ValueError:
        raise ReportError(
            f"the notebook's facts have as_of {payload['as_of']!r}, which is no day"
        ) from None
    note = {
        "report": report,
        "period": period,
        "as_of": as_of.isoformat(),
        "run": run,
        "published_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "pages": _digest(files[WITNESS]),
        "rows": _rows(payload),
        "follow_ups": payload.get("follow_ups") or [],
        "lights": payload.get("lights") or [],
    }
    site.replace(private / NOTE, json.dumps(note).encode(), private)


def enter(out: Path, private: Path) -> None:
    """Enter the note of a private folder in the history, and remove it.

    Raises PublishError or LockedError where that cannot be done; the note then stays for the next
    refresh.
    """
    note = _read(private / NOTE)
    report, run = note["report"], note["run"]
    as_of = dt.date.fromisoformat(note["as_of"])
    rows = pd.DataFrame(note["rows"], columns=[*COLUMNS, "definition"], dtype=object)
    published_at = dt.datetime.fromisoformat(note["published_at"])
    history.remember(out, rows, report=report, as_of=as_of, run=run, published_at=published_at)
    history.keep_lights(out, note.get("lights", []), as_of=as_of, report=report, run=run)
    history.follow(out, as_of, note.get("follow_ups", []))
    (private / NOTE).unlink()


def recover(out: Path) -> list[Path]:
    """Enter the notes that killed runs left, if their pages are in place; remove the others.

    Returns the folders of those that were entered.
    """
    entered = []
    for path in sorted((out / "runs").glob(f"*/*/{NOTE}")):
        note = _read(path)
        page = out / note["report"] / note["period"] / WITNESS
        if page.exists() and _digest(page.read_bytes()) == note["pages"]:
            enter(out, path.parent)
            entered.append(path.parent)
        else:
            path.unlink()
    return entered


def _read(path: Path) -> dict[str, Any]:
    note: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return note


def _digest(page: bytes) -> str:
    return hashlib.sha256(page).hexdigest()


def _rows(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the values of a report, as far as they say whose and when they are."""
    definitions = payload.get("definitions") or {}
    rows = []
    for row in payload.get("rows") or []:
        value = row.get("value")
        is_named = all(isinstance(row.get(name), str) for name in NAMES)
        if is_named and (value is None or isinstance(value, int | float)):
            kept = {name: row.get(name) for name in COLUMNS}
            kept["definition"] = definitions.get(row["metric"], "")
            rows.append(kept)
    return rows
