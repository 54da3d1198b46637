"""Rows of a frame as plain values, for JSON and for tables: missing is None, a day is a day."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pandas as pd


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """One dict a row, in order, with the columns as keys; NaN, NaT, NA and infinite numbers are None."""
    return [{str(name): plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


def plain(value: Any) -> Any:
    """A value that JSON knows: None, bool, int, float, text; days as 2026-11-22, moments as ISO text."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat() if value.tz is None and value == value.normalize() else value.isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
