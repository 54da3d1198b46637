"""How often the judgements are wrong, by simulation: every number that the documentation states, printed beside its promise.

`python benchmarks/honesty.py` runs all of it (a few minutes, seeded); `--boards 200` a smaller one; `--sample` adds the
sample company of eleven seeds. Nothing here is timed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

import honesty_chance
import honesty_limits
import numpy as np
import numpy.typing as npt
import pandas as pd

from dataops_nb import definitions, limits, links, sources, status
from dataops_nb.limits.xmr import NHS, WHEELER, SignalRules, marks
from dataops_nb.links.evidence import Correlations, Q, adjusted
from dataops_nb.metrics import Light, Lights, Limits
from dataops_nb.workbench import sample

Array = npt.NDArray[np.float64]
SEED = 20261122
INPUTS, LAGS = 20, range(1, 9)
MEMORIES = {"white noise": 0.0, "AR .5": 0.5, "AR .8": 0.8, "random walk": 1.0}
OUTSIDE = SignalRules(run=99, near=99, near_of=99, near_at=1)
TOGETHER = 25


def drifting(rng: np.random.Generator, rows: int, n: int, memory: float) -> Array:
    """Series that remember: 0 nothing, 1 everything (a random walk)."""
    noise = rng.standard_normal((rows, n + 50))
    for i in range(1, n + 50):
        noise[:, i] += memory * noise[:, i - 1]
    return noise[:, 50:]


def weeks(n: int) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """The first and the last days of so many weeks."""
    starts = pd.date_range("2024-01-01", periods=n, freq="7D")
    return starts, starts + pd.Timedelta(days=6)


def error(share: float, count: int) -> float:
    """The Monte-Carlo standard error of a share."""
    return math.sqrt(max(share * (1 - share), 1e-12) / count)


# --- links ----------------------------------------------------------------------------------------------------------------


def boards(causes: Array, effects: Array) -> Iterator[list[Correlations]]:
    """The correlations of each board of 20 inputs and one target."""
    starts, ends = weeks(causes.shape[1])
    found = links.relate(starts, ends, causes, effects, lags=[LAGS] * len(causes), grain="week")
    known = [each for each in found if each is not None]
    for first in range(0, len(known), INPUTS):
        yield known[first : first + INPUTS]


def moves(board: list[Correlations]) -> npt.NDArray[np.bool_]:
    """Which inputs (rows) at which lags (columns) are said to move the target: `links.judge` says `moves` where any does."""
    return (adjusted(np.concatenate([each.p for each in board])) <= Q).reshape(len(board), -1)


def false_boards(count: int, n: int, memory: float, seed: int = SEED) -> float:
    """The share of boards of independent series on which something is said to move the target."""
    rng, hits = np.random.default_rng(seed), 0
    for _ in range(count // TOGETHER):
        causes = drifting(rng, TOGETHER * INPUTS, n, memory)
        effects = np.repeat(drifting(rng, TOGETHER, n, memory), INPUTS, axis=0)
        hits += sum(bool(moves(board).any()) for board in boards(causes, effects))
    return hits / (count // TOGETHER * TOGETHER)


def power(count: int, n: int, memory: float, r: float, seed: int = SEED + 1) -> float:
    """The share of boards on which the one of 20 inputs that moves the target three weeks later is found, at 3 ± 1 weeks.

    Of the target's own surprises the input's make up a correlation of `r`.
    """
    rng, hits = np.random.default_rng(seed), 0
    for _ in range(count // TOGETHER):
        causes = drifting(rng, TOGETHER * INPUTS, n, memory)
        effects = drifting(rng, TOGETHER, n, memory) * math.sqrt(1 - r * r)
        effects[:, 3:] += r * causes[::INPUTS, :-3]
        for board in boards(causes, np.repeat(effects, INPUTS, axis=0)):
            strongest = int(board[0].lags[np.argmax(np.abs(board[0].z) * np.sqrt(board[0].free))])
            hits += bool(moves(board)[0].any() and abs(strongest - 3) <= 1)
    return hits / (count // TOGETHER * TOGETHER)


# --- signals --------------------------------------------------------------------------------------------------------------


def signalled(series: Array, rules: SignalRules) -> float:
    """The share of series that show any signal within limits of their own."""
    rows, n = series.shape
    center = np.repeat(series.mean(axis=1), n)
    reach = np.repeat(2.66 * np.abs(np.diff(series, axis=1)).mean(axis=1), n)
    found = marks(series.ravel(), np.repeat(np.arange(rows), n), center, reach, rules)
    return float((found.reshape(rows, n) > 0).any(axis=1).mean())


def false_signals(count: int, seed: int = SEED + 2) -> dict[str, tuple[float, float]]:
    """By what was simulated, the stated share of series of 24 points with a signal, and the one found."""
    rng = np.random.default_rng(seed)
    stable = rng.standard_normal((count, 24))
    found = {
        "a point outside": (0.059, signalled(stable, OUTSIDE)),
        "Wheeler's three": (0.109, signalled(stable, WHEELER)),
        "the NHS four": (0.161, signalled(stable, NHS)),
    }
    for memory, stated in ((0.3, 0.19), (0.5, 0.40), (0.7, 0.68)):
        found[f"outside, AR {memory}"] = (
            stated,
            signalled(drifting(rng, count, 24, memory), OUTSIDE),
        )
    return found


# --- lights ---------------------------------------------------------------------------------------------------------------


class Agreed:
    """What judging asks of definitions: one metric `m`, higher is better, with these lights."""

    def __init__(self, yellow: float) -> None:
        said = {"better": "up", "policy": None, "accept": [], "limits": Limits()}
        self.metrics = {"m": type("Metric", (), said)}
        green, amber = (Light(at_least=each, means="m", do="d") for each in (1.0, yellow))
        self._lights = Lights(green=green, yellow=amber, red=Light(means="m", do="d"))

    def lights(self, _: str) -> Lights:
        """The lights of the metric."""
        return self._lights


def lucky_changes(
    draws: int, target: float, yellow: float, n: int = 65, seed: int = SEED + 3
) -> tuple[float, float]:
    """Of so many stable metrics (mean 100, sigma 10): how often lights changed in 13 weeks, and how often was said."""
    rng = np.random.default_rng(seed)
    starts, ends = weeks(n)
    table = pd.DataFrame(
        {
            "metric": "m", "segment": np.repeat([f"s={i}" for i in range(draws)], n), "grain": "week",
            "period_start": np.tile(starts, draws), "period_end": np.tile(ends, draws),
            "value": rng.normal(100, 10, draws * n), "complete": True, "target": target,
        }
    )  # fmt: skip
    agreed = Agreed(yellow)
    judged = status.judge(limits.add_limits(table, agreed), agreed)  # type: ignore[arg-type]
    lights = judged["light"].to_numpy().reshape(draws, n)[:, -14:]
    said = judged["flips"].to_numpy().reshape(draws, n)[:, -1]
    known = np.isfinite(said)
    changed = (lights[:, 1:] != lights[:, :-1]).sum(axis=1)[known]
    return float(changed.mean()), float(np.round(13 * said[known]).mean())


# --- the sample company -----------------------------------------------------------------------------------------------------

END = dt.date(2026, 11, 22)
PARAMS = Path(__file__).parents[1] / "params"


def planted(seed: int) -> dict[str, bool]:
    """Whether the links of the sample company of a seed are those that were planted in it."""
    with tempfile.TemporaryDirectory() as folder:
        sample.write(Path(folder), seed=seed, end=END, weeks=130)
        with sources.open(definitions.load(PARAMS), Path(folder), END) as catalog:
            found = links.of_company(catalog).set_index(["input", "target"])
    met, sad = found.loc[("meetings_qualified", "new_customers")], found.loc[("sad", "churn_rate")]
    return {
        "meetings booked rocks": bool(
            found.loc[("meetings_booked", "new_customers"), "rocking_chair"]
        ),
        "qualified moves new customers at 3 ± 1": met["verdict"] == "moves"
        and abs(met["lag"] - 3) <= 1,
        "sad moves churn at 6 ± 1": sad["verdict"] == "moves" and abs(sad["lag"] - 6) <= 1,
        "features shipped moves something": bool(
            (found.loc["features_shipped", "verdict"] == "moves").any()
        ),
    }


# --- the report -----------------------------------------------------------------------------------------------------------


def main() -> None:
    """Print every rate beside what is promised."""
    parser = argparse.ArgumentParser(
        description="How often the judgements are wrong, by simulation."
    )
    parser.add_argument(
        "--boards", type=int, default=2000, help="boards of 20 inputs, for each kind and length"
    )
    parser.add_argument(
        "--sample", action="store_true", help="also the sample company of eleven seeds"
    )
    args = parser.parse_args()
    count = args.boards
    allowed = 0.05 + 2 * error(0.05, count)
    print(
        f"Boards of {INPUTS} independent inputs with any false link, of {count} each; at most {allowed:.1%}:"
    )
    for n in (52, 104):
        rates = ", ".join(
            f"{name} {false_boards(count, n, memory):.1%}" for name, memory in MEMORIES.items()
        )
        print(f"  {n} weeks: {rates}", flush=True)
    print("Power: one of 20 inputs moves the target three weeks later, found at 3 ± 1 weeks:")
    for r in (0.4, 0.6):
        for n in (52, 104, 130):
            rates = ", ".join(
                f"{name} {power(max(count // 8, TOGETHER), n, memory, r):.0%}"
                for name, memory in MEMORIES.items()
            )
            print(f"  r = {r}, {n} weeks: {rates}", flush=True)
    print(f"Series of 24 points with any signal, of {count * 10}:")
    for name, (stated, found) in false_signals(count * 10).items():
        print(
            f"  {name}: stated {stated:.1%}, found {found:.1%} ± {2 * error(found, count * 10):.1%}"
        )
    print(
        "Changes of a light in 13 weeks, mean of 2,000 stable metrics of 65 weeks: happened, said:"
    )
    for target, yellow in ((100, 0.95), (100, 0.85), (105, 0.9), (90, 0.85), (120, 0.85)):
        happened, said = lucky_changes(2000, target, yellow)
        print(f"  target {target}, yellow from {yellow}: {happened:.2f}, {said:.2f}")
    honesty_limits.report(count * 2)
    honesty_chance.report(count * 10)
    if args.sample:
        rows = pd.DataFrame({seed: planted(seed) for seed in (20, *range(1, 11))}).T
        print("The sample company, by seed:")
        print(rows.to_string())
        print(rows.sum().to_string())


if __name__ == "__main__":
    main()
