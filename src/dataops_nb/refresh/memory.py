"""What a refresh publishes is remembered, also where the run is killed between publishing and writing it down.

A note with the values is left in the private folder before the pages are put in place, and is worked off afterwards:
at once, or by the next refresh, which compares the pages in place with those the note speaks of.
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
from dataops_nb.publish import folder
from dataops_nb.publish.facts import Payload

NOTE = "remember.json"
WITNESS = "index.html"
WANTED = ("metric", "segment", "grain", "period", "value", "complete", "n")


def intend(private: Path, key: tuple[str, str], run: str, payload: Payload, files: Mapping[str, bytes]) -> None:
    """Note in a report's private folder what is about to be published as (report, period).

    Raises ReportError where the report's as-of is no day.
    """
    try:
        as_of = dt.date.fromisoformat(str(payload["as_of"]))
    except ValueError:
        raise ReportError(f"the notebook's facts have as_of {payload['as_of']!r}, which is no day") from None
    note = {
        "report": key[0],
        "period": key[1],
        "as_of": as_of.isoformat(),
        "run": run,
        "published_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "pages": hashlib.sha256(files[WITNESS]).hexdigest(),
        "rows": _rows(payload),
        "follow_ups": payload.get("follow_ups") or [],
        "lights": payload.get("lights") or [],
    }
    folder.replace(private / NOTE, json.dumps(note).encode(), private)


def keep(out: Path, private: Path) -> None:
    """Remember what the note in a private folder says, and remove the note.

    Raises PublishError or LockedError where that cannot be done; the note stays for the next refresh.
    """
    note = json.loads((private / NOTE).read_text(encoding="utf-8"))
    history.remember(
        out,
        pd.DataFrame(note["rows"], columns=[*WANTED, "definition"], dtype=object),
        report=note["report"],
        as_of=dt.date.fromisoformat(note["as_of"]),
        run=note["run"],
        published_at=dt.datetime.fromisoformat(note["published_at"]),
    )
    lights, as_of = note.get("lights", []), dt.date.fromisoformat(note["as_of"])
    history.keep_lights(out, lights, as_of=as_of, report=note["report"], run=note["run"])
    history.follow(out, dt.date.fromisoformat(note["as_of"]), note.get("follow_ups", []))
    (private / NOTE).unlink()


def recover(out: Path) -> list[Path]:
    """Work off the notes that killed runs left: remember what they had published; the folders of those."""
    kept = []
    for path in sorted((out / "runs").glob(f"*/*/{NOTE}")):
        note = json.loads(path.read_text(encoding="utf-8"))
        page = out / note["report"] / note["period"] / WITNESS
        if page.exists() and hashlib.sha256(page.read_bytes()).hexdigest() == note["pages"]:
            keep(out, path.parent)
            kept.append(path.parent)
        else:
            path.unlink()
    return kept


def _rows(payload: Payload) -> list[dict[str, Any]]:
    """The values of a report, as far as they say whose and when they are."""
    known = payload.get("definitions") or {}
    return [
        {name: row.get(name) for name in WANTED} | {"definition": known.get(row["metric"], "")}
        for row in payload.get("rows") or []
        if all(isinstance(row.get(name), str) for name in ("metric", "grain", "period"))
        and (row.get("value") is None or isinstance(row["value"], int | float))
    ]
