"""What was agreed about a metric before the data: target, good direction, lights.

A company's definitions say it in params/; `Agreement` says it in Python. Everything that judges
reads agreements, so both are judged by the same code.
"""

from __future__ import annotations

import datetime as dt
import math
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, Protocol, cast

import numpy as np
import pandas as pd

from dataops_nb.alignment.tables import require_table
from dataops_nb.errors import UsageError, did_you_mean, nearest
from dataops_nb.metrics import Lights, MetricBase
from dataops_nb.terms import Better

DIRECTIONS = ("up", "down", "inside")
POLICIES = ("target", "capability")
ACCEPTED = ("red", "yellow", "unreconciled")
TARGETS = ("target", "target_low", "target_high")


@dataclass(frozen=True)
class Accepted:
    """A light that somebody answers for until a day, that day included."""

    light: str
    until: dt.date
    owner: str = ""
    because: str = ""


@dataclass(frozen=True)
class Agreement:
    """What was agreed about one metric before the data.

    `target` is one number for the table's grain, or a Series of numbers indexed by period id, in
    the metric's unit; decimals are numbers. `better` is up, down or inside; left out it is up for a
    target, and without one no change is called better or worse. inside takes a band, `low` to
    `high`, as numbers or such Series. `green` and `yellow` are the attainment from which each light
    holds (1 is on target; no `yellow`: what is not green is red). `policy` capability judges by
    process limits. `accepted` are lights that somebody answers for, each as a mapping: `{"light":
    "red", "until": "2026-12-31", "owner": "CFO", "because": "migration"}`.

    Raises UsageError for a word that is none, with the nearest right one, and for numbers that
    contradict each other.

    >>> status.Agreement(target=500, better="up", yellow=0.85).green
    1.0
    """

    target: Any = None
    better: Better = field(default=cast("Better", None), kw_only=True)  # up, and nobody said so
    green: float | None = field(default=1.0, kw_only=True)
    yellow: float | None = field(default=None, kw_only=True)
    low: Any = field(default=None, kw_only=True)
    high: Any = field(default=None, kw_only=True)
    policy: Literal["target", "capability"] = field(default="target", kw_only=True)
    accepted: tuple[Accepted, ...] = field(default=(), kw_only=True)
    ranges: Literal["mean", "median"] = field(default="mean", kw_only=True, repr=False)
    has_direction: bool | None = field(default=None, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.has_direction is None:
            object.__setattr__(self, "has_direction", self.better is not None)
        if self.better is None:
            object.__setattr__(self, "better", "up")
        _check_word("better", self.better, DIRECTIONS)
        _check_word("policy", self.policy, POLICIES)
        for name in ("target", "low", "high", "green", "yellow"):
            object.__setattr__(self, name, _without_decimals(getattr(self, name)))
        for name in ("green", "yellow"):
            _check_number(name, getattr(self, name))
        if self.green is not None and self.yellow is not None and self.yellow > self.green:
            raise UsageError(f"yellow {self.yellow} lies above green {self.green}")
        for name in ("target", "low", "high"):
            _check_numbers(name, getattr(self, name))
        band = self.low is not None, self.high is not None
        if self.better == "inside" and self.target is not None and not all(band):
            raise UsageError("better='inside' is judged by a band: give low= and high=")
        if any(band) and self.better != "inside":
            raise UsageError(f"low and high are a band, for better='inside', not {self.better!r}")
        if band[0] != band[1]:
            raise UsageError("a band has two ends: give low= and high=")
        both = all(isinstance(end, numbers.Real) for end in (self.low, self.high))
        if both and self.low > self.high:
            raise UsageError(f"low {self.low} lies above high {self.high}")
        accepted = tuple(_accepted(each) for each in self.accepted)
        object.__setattr__(self, "accepted", accepted)

    @classmethod
    def of(cls, metric: MetricBase, lights: Lights | None) -> Agreement:
        """What a company's files say about a metric; its targets stand in the metric table."""
        green = yellow = None
        policy = metric.policy
        if lights is not None:
            green = 1.0 if lights.green.at_least is None else lights.green.at_least
            yellow = (lights.yellow.at_least or 0.0) if lights.yellow else None
            policy = policy or lights.policy
        return _unchecked(
            cls,
            target=None,
            better=metric.better,
            green=green,
            yellow=yellow,
            low=None,
            high=None,
            policy=policy or "target",
            accepted=tuple(
                Accepted(each.light, each.until, each.owner, each.because) for each in metric.accept
            ),
            ranges=metric.limits.range,
            has_direction=getattr(metric, "has_direction", True),
        )


class Agreeing(Protocol):
    """A company: its metrics, and the lights each is judged by."""

    @property
    def metrics(self) -> Mapping[str, Any]:
        """Its metrics by name."""

    def lights(self, metric: str, /) -> Lights | None:
        """The lights of one of them."""


Agreements = Mapping[str, Agreement] | Agreeing


def agreements_on(names: Iterable[str], agreements: Agreements) -> dict[str, Agreement]:
    """What was agreed about each of these metrics; nothing where a mapping has no entry.

    Raises UsageError for an entry whose name looks like a metric that has none.
    """
    wanted = list(names)
    if not isinstance(agreements, Mapping):
        known = agreements.metrics
        return {name: Agreement.of(known[name], agreements.lights(name)) for name in wanted}
    for name, agreed in agreements.items():
        if not isinstance(agreed, Agreement):
            raise UsageError(
                f"what was agreed about {name!r} is a {type(agreed).__name__}; "
                f"write status.Agreement(target=...)"
            )
        near = nearest(name, [each for each in wanted if each not in agreements])
        if name not in wanted and near:
            raise UsageError(f"the table has no metric {name!r}; did you mean {near!r}?")
    nothing = Agreement(green=None)
    return {name: agreements.get(name, nothing) for name in wanted}


def add_agreed(table: pd.DataFrame, agreements: Agreements) -> pd.DataFrame:
    """The table with `target` (and the ends of bands) where totals have none of their own.

    Raises UsageError for a target by period of which the table has none.
    """
    if not isinstance(agreements, Mapping):
        return table
    require_table(table)
    known = agreements_on(map(str, table["metric"].unique()), agreements)
    columns = {name: _own(table, name) for name in TARGETS}
    totals = table["segment"].isna().to_numpy()
    for metric, agreed in known.items():
        rows = np.flatnonzero(totals & (table["metric"] == metric).to_numpy())
        said = {"target": agreed.target, "target_low": agreed.low, "target_high": agreed.high}
        numbers_of = {
            name: _by_period(each, table["period"].iloc[rows], metric)
            for name, each in said.items()
        }
        if agreed.target is None and agreed.low is not None:
            numbers_of["target"] = (numbers_of["target_low"] + numbers_of["target_high"]) / 2
        for name, values in numbers_of.items():
            own = columns[name][rows]
            columns[name][rows] = np.where(np.isnan(own), values, own)
    kept = [
        name for name in TARGETS
        if name == "target" or name in table or not np.isnan(columns[name]).all()
    ]  # fmt: skip
    return table.assign(**{name: pd.Series(columns[name], index=table.index) for name in kept})


def _own(table: pd.DataFrame, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    if name not in table:
        return np.full(len(table), np.nan)
    return table[name].to_numpy(dtype=float, na_value=np.nan, copy=True)


def _by_period(said: Any, periods: pd.Series, metric: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A number for each period: the same one, or a Series' own."""
    if said is None:
        return np.full(len(periods), np.nan)
    if not isinstance(said, pd.Series):
        return np.full(len(periods), float(said))
    ids = said.index.map(str)
    if len(said) and len(periods) and not set(ids) & set(periods):
        raise UsageError(
            f"the target of {metric!r} has none of the table's periods; index it by period id, "
            f"like {periods.iloc[0]!r}, not {ids[0]!r}"
        )
    by_id = pd.Series(said.to_numpy(dtype=float, na_value=np.nan), index=ids)
    return periods.map(by_id).to_numpy(dtype=float)


def _without_decimals(said: Any) -> Any:
    """Return decimals as floats, a Series of them too; anything else as it is."""
    if isinstance(said, Decimal):
        return float(said)
    if isinstance(said, pd.Series) and said.dtype == object:
        known = said.dropna()
        if len(known) and all(isinstance(number, Decimal) for number in known):
            return pd.Series([_as_float(number) for number in said], index=said.index, dtype=float)
    return said


def _as_float(number: Any) -> float:
    return math.nan if pd.isna(number) else float(number)


def _check_word(name: str, word: object, known: tuple[str, ...]) -> None:
    if word not in known:
        near = did_you_mean(str(word), known)
        raise UsageError(f"{name} {word!r} is unknown{near}; it is one of {', '.join(known)}")


def _check_number(name: str, said: object) -> None:
    if said is None:
        return
    if isinstance(said, bool) or not isinstance(said, numbers.Real) or math.isnan(said):
        raise UsageError(f"{name} is an attainment like 0.85, not {said!r}")


def _check_numbers(name: str, said: object) -> None:
    """Raise UsageError where a target is neither a number nor a Series of numbers by period id."""
    if isinstance(said, pd.Series):
        if not pd.api.types.is_numeric_dtype(said.dtype):
            raise UsageError(f"{name} is a Series of {said.dtype}, not of numbers")
        if said.index.duplicated().any():
            twice = said.index[said.index.duplicated()][0]
            raise UsageError(f"{name} has two numbers for period {twice!r}")
        endless = said.index[np.isinf(said.to_numpy(dtype=float, na_value=np.nan))]
        if len(endless):
            raise UsageError(f"{name} of period {endless[0]!r} is no finite number")
        return
    if said is None:
        return
    if isinstance(said, bool) or not isinstance(said, numbers.Real):
        raise UsageError(f"{name} is a number, or a Series indexed by period id, not {said!r}")
    if math.isinf(said):
        raise UsageError(f"{name} is no finite number; leave it out where there is none")


def _accepted(said: Any) -> Accepted:
    """A light that is accepted, from a mapping."""
    if isinstance(said, Accepted):
        return said
    if not isinstance(said, Mapping) or not {"light", "until"} <= set(said):
        raise UsageError("accepted lists mappings like {'light': 'red', 'until': '2026-12-31'}")
    unknown = [name for name in said if name not in ("light", "until", "owner", "because")]
    if unknown:
        raise UsageError(f"accepted: unknown {unknown[0]!r}; it takes light, until, owner, because")
    _check_word("accepted light", said["light"], ACCEPTED)
    until = said["until"]
    try:
        day = until if isinstance(until, dt.date) else dt.date.fromisoformat(str(until))
    except ValueError:
        raise UsageError(f"until {until!r} is no day; write it like 2026-12-31") from None
    return Accepted(said["light"], day, said.get("owner", ""), said.get("because", ""))


def _unchecked(cls: type[Agreement], **fields: Any) -> Agreement:
    """An agreement from files that have been checked."""
    agreed = object.__new__(cls)
    agreed.__dict__.update(fields)
    return agreed
