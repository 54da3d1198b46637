"""Measured metrics as rows of the metric table: one for each metric, segment and period."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dataops_nb.alignment.measured import TOTAL, Measured
from dataops_nb.periods import Period


@dataclass(frozen=True)
class Series:
    """One metric's or segment's values over all windows: the column of `measured` with that name."""

    metric: str
    segment: str
    measured: Measured
    column: str


def tabulate(series: Sequence[Series], owners: dict[str, str], periods: Sequence[Period]) -> pd.DataFrame:
    """`metric department segment period period_start period_end value n complete coverage data_to condition`."""
    count, length = len(series), len(periods)
    segments = [None if one.segment == TOTAL else one.segment for one in series]
    table = pd.DataFrame(
        {
            "metric": _repeat([one.metric for one in series], length),
            "department": _repeat([owners[one.metric] for one in series], length),
            "segment": _repeat(segments, length, object if None in segments else str),
            "period": pd.Series([period.id for period in periods] * count, dtype=str),
            "period_start": pd.Series([period.start for period in periods] * count, dtype="datetime64[s]"),
            "period_end": pd.Series([period.end for period in periods] * count, dtype="datetime64[s]"),
            "value": _stack(one.measured.value[one.column] for one in series),
            "n": _stack(one.measured.n[one.column].fillna(0) for one in series).astype(int),
        }
    )
    return table.join(_reaches([one.measured.reach for one in series], length))


def _repeat(said: Sequence[str | None], times: int, kind: type = str) -> pd.Series:
    return pd.Series(np.repeat(np.array(said, dtype=object), times), dtype=kind)


def _stack(columns: Iterable[pd.Series]) -> np.ndarray:
    found = [column.to_numpy(dtype=float) for column in columns]
    return np.concatenate(found) if found else np.empty(0)


def _reaches(said: Sequence[pd.DataFrame], length: int) -> pd.DataFrame:
    """How far the data reach, under each other; many series share one, so each is copied once."""
    if not said:
        return pd.DataFrame(columns=["complete", "coverage", "data_to", "condition"])
    once = {id(reach): reach for reach in said}
    place = {key: i * length for i, key in enumerate(once)}
    rows = np.concatenate([np.arange(length) + place[id(reach)] for reach in said])
    return pd.concat(once.values(), ignore_index=True).take(rows).reset_index(drop=True)
