"""The rows of a metric table as a judgement looks at them: columns, all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb.status import noise
from dataops_nb.status.capability import assurances, colours, variations
from dataops_nb.status.terms import Asked, Terms

REASONS = (None, "stale", "fault", "no data", "incomplete", "unreconciled", "no target", "too short")
Sides = npt.NDArray[np.int8]
Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.signedinteger]


@dataclass(frozen=True)
class Rows:
    """The columns of a metric table that a judgement looks at; those that it does not have are missing."""

    value: Array
    asked: Asked
    center: Array
    lower: Array
    upper: Array
    landing: Array
    whole: Mask
    paced: Mask
    signalled: Mask
    silent: Mask
    unreconciled: Mask
    stale: Mask
    faulty: Mask

    @classmethod
    def of(cls, table: pd.DataFrame, side: Sides) -> Rows:
        """The columns of this table, whose metrics have these good sides."""
        whole, landing = table["complete"].to_numpy(dtype=bool), _numbers(table, "landing")
        return cls(
            value=_numbers(table, "value"),
            asked=Asked(side, *(_numbers(table, name) for name in ("target", "target_low", "target_high"))),
            center=_numbers(table, "center"),
            lower=_numbers(table, "lower"),
            upper=_numbers(table, "upper"),
            landing=landing,
            whole=whole,
            paced=~whole & np.isfinite(landing),
            signalled=_said(table, "signal"),
            silent=_said(table, "limits_reason"),
            unreconciled=_equals(table, "reconciled", False),
            stale=_equals(table, "condition", "stale"),
            faulty=_equals(table, "condition", "fault"),
        )

    def variations(self) -> Places:
        """The place in `VARIATIONS` of each row's variation; 0 where its limits prove nothing."""
        known = self.whole & np.isfinite(self.value) & np.isfinite(self.center) & ~self.silent
        return variations(self.signalled, self.value, self.center, self.asked) * known

    def by_capability(self, terms: Terms, varies: Places) -> Places:
        """The place in `LIGHTS` of the colour of both axes; without a yellow light, yellow is red."""
        sure = assurances(self.lower, self.upper, self.asked)
        found = colours(sure, varies)
        return np.where((found == 1) & np.isnan(terms.yellow), 2, found)

    def reasons(self, terms: Terms, attained: Array) -> Places:
        """The place in `REASONS` of why each row has no colour; the first that holds."""
        held = {
            "no target": ~terms.lit | np.isnan(attained),
            "unreconciled": self.unreconciled,
            "incomplete": ~self.whole & ~self.paced,
            "no data": np.isnan(self.value),
            "fault": self.faulty | np.isinf(self.value),
            "stale": self.stale,
        }
        out = np.zeros(len(attained), dtype=np.int8)
        for name, rows in held.items():
            out[rows] = REASONS.index(name)
        return out

    def flips(self, terms: Terms, plain: Mask) -> Array:
        """How likely the next light differs, where that can be said; rows in a row that are alike are computed once."""
        columns = (self.center, self.upper, self.asked.target, self.asked.low, self.asked.high)
        fresh = np.diff(terms.metric, prepend=-1) != 0
        for each in columns:
            bits = each.view(np.int64)
            fresh[1:] |= bits[1:] != bits[:-1]
        at = np.flatnonzero(fresh)
        spread = (self.upper[at] - self.center[at]) * terms.noise[at]
        once = noise.flips_of(self.center[at], spread, terms.green[at], terms.yellow[at], self.asked.of(at))
        return np.where(plain, np.repeat(once, np.diff(np.append(at, len(plain)))), np.nan)


def _numbers(table: pd.DataFrame, name: str) -> Array:
    if name not in table:
        return np.full(len(table), np.nan)
    return np.ascontiguousarray(table[name].to_numpy(dtype=float, na_value=np.nan))


def _said(table: pd.DataFrame, name: str) -> Mask:
    return table[name].notna().to_numpy() if name in table else np.zeros(len(table), dtype=bool)


def _equals(table: pd.DataFrame, name: str, value: object) -> Mask:
    """Which rows hold this value; most tables hold none, and are not compared."""
    said = _said(table, name)
    if not said.any():
        return said
    known = table[name].to_numpy(dtype=object)
    return np.array([here and each == value for here, each in zip(said, known, strict=True)], dtype=bool)
