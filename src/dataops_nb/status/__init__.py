"""The light: one colour for every input, by the thresholds the company agreed on before it saw the data.

`judge` takes a metric table with `value target target_low target_high complete` (and `condition`, `reconciled`, limits and
pace where known) and adds `attainment light reason on_pace variation flips accepted_until`. Every number, missing or
infinite, gets exactly one light; what cannot be judged is `unknown` with its reason, never green and never zero. Equal to a
threshold counts as met. Rows and their order are kept.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.definitions import Definitions
from dataops_nb.definitions.models import Lights
from dataops_nb.status.attaining import attainment, attainments
from dataops_nb.status.capability import COLOURS, LIGHTS, VARIATIONS
from dataops_nb.status.reactions import reactions
from dataops_nb.status.rows import REASONS, Rows
from dataops_nb.status.terms import Terms

__all__ = ["COLOURS", "LIGHTS", "REASONS", "LightName", "attainment", "judge", "light", "reactions"]

LightName = Literal["green", "yellow", "red", "unknown"]
UNKNOWN = LIGHTS.index("unknown")
Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.signedinteger]


def light(attained: float, lights: Lights) -> LightName:
    """The colour of an attainment; NaN is unknown."""
    if math.isnan(attained):
        return "unknown"
    if attained >= (1.0 if lights.green.at_least is None else lights.green.at_least):
        return "green"
    if lights.yellow is not None and attained >= (lights.yellow.at_least or 0.0):
        return "yellow"
    return "red"


def judge(table: pd.DataFrame, definitions: Definitions, as_of: dt.date | None = None) -> pd.DataFrame:
    """The table with `attainment light reason on_pace variation flips accepted_until`.

    `reason` is null where the light is a colour. The light of an open period with a `landing` is the light of that, and
    `on_pace` says so. `variation` is null where there are no limits to trust, and so is `flips`, the chance that the next
    light differs though nothing changed. `accepted_until` is the last day up to which somebody answers for a light,
    where that day is not before `as_of`.
    """
    terms = Terms.of(table, definitions)
    rows = Rows.of(table, terms.side)
    value = np.where(rows.paced, rows.landing, rows.value)
    thresholds = (np.ones(len(table)), terms.green, terms.yellow)
    attained = attainments(value, rows.asked, thresholds)
    varies = rows.variations()
    capable = terms.capable & ~rows.paced
    reason = rows.reasons(terms, attained)
    lit = _by_attainment(attained, terms)
    if capable.any():
        lit = np.where(capable, rows.by_capability(terms, varies), lit)
    reason = np.where((reason == 0) & (lit == UNKNOWN), REASONS.index("too short"), reason)
    lit = np.where(reason == 0, lit, UNKNOWN)
    plain = (reason == 0) & ~capable & (varies != 0)
    names = np.array(LIGHTS, dtype=object)[lit]
    judged = {
        "attainment": attained,
        "light": names,
        "reason": np.array(REASONS, dtype=object)[reason],
        "on_pace": rows.paced & (reason == 0),
        "variation": np.array(VARIATIONS, dtype=object)[varies],
        "flips": rows.flips(terms, plain),
        "accepted_until": _accepted(table, names, definitions, as_of),
    }
    added = {name: pd.Series(each, index=table.index, dtype=each.dtype, copy=False) for name, each in judged.items()}
    return table.assign(**added)


def _by_attainment(attained: Array, terms: Terms) -> Places:
    """The place in `LIGHTS` of each attainment's colour."""
    with np.errstate(invalid="ignore"):
        colour = np.where(attained >= terms.green, 0, np.where(attained >= terms.yellow, 1, 2))
    return np.where(np.isnan(attained) | ~terms.lit, UNKNOWN, colour)


def _accepted(
    table: pd.DataFrame, lights: npt.NDArray[np.object_], definitions: Definitions, as_of: dt.date | None
) -> np.ndarray:
    """The last day up to which somebody answers for each row's light, as of a day."""
    until = np.full(len(table), np.datetime64("NaT"), dtype="datetime64[s]")
    known = definitions.metrics
    for name in pd.unique(table["metric"]):
        for each in sorted(known[str(name)].accept, key=lambda said: said.until):
            if as_of is not None and as_of <= each.until:
                until[(table["metric"] == name).to_numpy() & (lights == each.light)] = np.datetime64(each.until)
    return until
