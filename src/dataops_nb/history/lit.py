"""Every light that was ever published, with where an unfinished period was said to land: `history/lights.csv`."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from dataops_nb.errors import PublishError
from dataops_nb.history.book import Book

PLACE = ("metric", "grain", "period", "as_of")
SAID = ("light", "reason", "on_pace", "attainment", "landing", "p_hit")
NUMBERS = ("attainment", "landing", "p_hit")
LIGHTS = Book("lights", (*PLACE, *SAID, "report", "run"), (*PLACE, *SAID))


def keep_lights(out: Path, rows: Iterable[Mapping[str, Any]], *, as_of: dt.date, report: str, run: str) -> int:
    """Remember published lights (`metric grain period light reason on_pace attainment landing p_hit`); how many were new.

    A light that was published before with the same words and numbers is not written again.
    """
    about = {"as_of": as_of.isoformat(), "report": report, "run": run}
    return LIGHTS.add(out, [{**{name: _written(row.get(name)) for name in (*PLACE, *SAID)}, **about} for row in rows])


def published_lights(out: Path | None) -> pd.DataFrame:
    """Each light as it was last published for its metric, grain, period and as-of; `as_of` a day, numbers as numbers.

    Raises PublishError where the file cannot be read.
    """
    frame = LIGHTS.read(out).drop_duplicates(list(PLACE), keep="last", ignore_index=True)
    try:
        numbers = {name: pd.to_numeric(frame[name].where(frame[name] != "", None)).astype(float) for name in NUMBERS}
        days = pd.to_datetime(frame["as_of"], format="%Y-%m-%d").astype("datetime64[s]")
    except ValueError as error:
        raise PublishError(f"{LIGHTS.shown} cannot be read: {error}; mend it or move it away") from error
    return frame.assign(**numbers, as_of=days, on_pace=frame["on_pace"] == "true")


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{float(value):.12g}" if math.isfinite(value) else ""
    return "" if value is None else str(value)
