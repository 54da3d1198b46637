"""Windows as tables that a query can join; no source has columns of their names."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pandas as pd

from dataops_nb.alignment.measured import DAY, Window


def window_frame(windows: list[Window]) -> pd.DataFrame:
    """`_nb_w _nb_first _nb_last`: each window by its position."""
    ends = {"_nb_first": [w.start for w in windows], "_nb_last": [w.end for w in windows]}
    frame = pd.DataFrame({"_nb_w": range(len(windows)), **ends})
    return frame.astype(dict.fromkeys(ends, "datetime64[s]"))


def date_dimension(windows: list[Window]) -> pd.DataFrame:
    """`_nb_w _nb_first _nb_last _nb_day`: each day of each window."""
    frame = window_frame(windows)
    lengths = ((frame["_nb_last"] - frame["_nb_first"]).dt.days + 1).clip(lower=0)
    days = frame.loc[frame.index.repeat(lengths)].reset_index(drop=True)
    into = days.groupby("_nb_w").cumcount()
    return days.assign(_nb_day=days["_nb_first"] + pd.to_timedelta(into, unit="D"))


def cut_pieces(windows: list[Window]) -> tuple[list[Window], pd.DataFrame]:
    """The stretches of days between any two ends of windows, and `_nb_w _nb_piece`: which of them make each window."""
    starts = {w.start for w in windows if w.start <= w.end} | {w.end + DAY for w in windows if w.start <= w.end}
    cuts = sorted(starts)
    pieces = [Window(first, after - DAY) for first, after in pairwise(cuts)]
    place: dict[dt.date, int] = {first: i for i, first in enumerate(cuts)}
    made = [
        (w, piece)
        for w, window in enumerate(windows)
        if window.start <= window.end
        for piece in range(place[window.start], place[window.end + DAY])
    ]
    frame = pd.DataFrame(made, columns=["_nb_w", "_nb_piece"], dtype="int64")
    used = sorted(set(frame["_nb_piece"]))
    kept = {piece: i for i, piece in enumerate(used)}
    return [pieces[i] for i in used], frame.assign(_nb_piece=frame["_nb_piece"].map(kept).astype("int64"))
