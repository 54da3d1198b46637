"""What an analyst writes by hand for a large company, and how `status` compares with it.

    python benchmarks/byhand.py [--metrics 200] [--turns 5]

A company is made by chance: ten years of days in one table, twenty measures in ten channels, and a
metric for each measure of a channel, with targets that change, lights and limits. `BY_HAND` is the
script that one would write instead, with DuckDB and pandas: values, targets, lights, limits by
moving ranges, and last year. Both run in new processes, in turns, and the median counts; that the
script says what `status` says is checked first. `status` runs once on data that no command has
looked at, and then on unchanged ones. Processor seconds stand beside the clock's, because a machine
that does other work shows in one and not in the other.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

FIRST, AS_OF = "2016-11-21", "2026-11-22"
CHANNELS = ("web", "shop", "partner", "phone", "fair", "mail", "app", "export", "press", "other")
ALIKE = ("value", "target", "same_last_year", "center", "lower", "upper")


WATCH = """
import json, os, sys, time
begun = time.perf_counter()
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, ended, usage = os.wait4(child, 0)
assert not ended
took = time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
print(json.dumps(took))
"""


class Took(NamedTuple):
    """Seconds by the clock and of the processor, and MiB at the peak, of one process."""

    clock: float
    processor: float
    memory: float


def make(root: Path, metrics: int = 200, channels: int = 10) -> None:
    """Write a company of so many metrics into a new folder."""
    chance = np.random.default_rng(20261122)
    measures = -(-metrics // channels)
    names = CHANNELS[:channels]
    days = pd.date_range(FIRST, AS_OF, freq="D")
    level = chance.uniform(50, 500, (channels, measures))
    weekday = np.array([1.1, 1.2, 1.15, 1.1, 1.0, 0.8, 0.65])[days.day_of_week]
    shape = (channels, len(days), measures)
    values = chance.gamma(30, level[:, None, :] / 30, shape) * weekday[None, :, None]
    values = values.reshape(-1, measures).round(2)
    frame = pd.DataFrame(values, columns=[f"x{place}" for place in range(measures)])
    frame.insert(0, "channel", np.repeat(names, len(days)))
    frame.insert(0, "day", np.tile(days, channels))
    (root / "params" / "departments").mkdir(parents=True)
    (root / "data").mkdir()
    frame.to_parquet(root / "data" / "daily.parquet", index=False)
    lights = {
        "green": {"at_least": 1.0, "means": "On plan.", "do": "Keep going."},
        "yellow": {"at_least": 0.9, "means": "Recoverable.", "do": "Review."},
        "red": {"means": "At risk.", "do": "Plan again."},
    }
    company = {
        "company": "Large",
        "currency": "USD",
        "timezone": "UTC",
        "data": "data",
        "lights": {"standard": lights},
        "sources": {"daily": {"system": "Warehouse", "path": "daily.parquet", "time": "day"}},
    }
    defined: dict[str, Any] = {}
    for number in range(metrics):
        channel, place = number % channels, number // channels
        target = round(float(level[channel, place]) * 7 * float(chance.uniform(0.9, 1.1)), 2)
        defined[f"x{place}_{names[channel]}"] = {
            "label": f"Measure {place}, {names[channel]}",
            "type": "simple",
            "unit": "USD",
            "measure": {
                "agg": "sum",
                "expr": f"x{place}",
                "filter": f"channel = '{names[channel]}'",
            },
            "limits": {"chart": "xmr"},
            "targets": [
                {"from": "2016-01-01", "per": "week", "value": round(target * 0.98, 2)},
                {"from": "2021-01-01", "per": "week", "value": target},
            ],
        }
    department = {
        "department": "All",
        "owner": "Head",
        "defaults": {"source": "daily", "lights": "standard"},
        "metrics": defined,
    }
    for path, content in (("company", company), ("departments/all", department)):
        text = yaml.dump(content, sort_keys=False)
        (root / "params" / f"{path}.yaml").write_text(text, encoding="utf-8")


BY_HAND = '''
import sys
import duckdb, numpy as np, pandas as pd, yaml
root = sys.argv[1]
weeks = duckdb.sql(f"""select channel, date_trunc('week', day) as week, sum(columns('x.*'))
    from '{root}/data/daily.parquet' group by all order by all""").df()
long = weeks.melt(["channel", "week"], var_name="x").sort_values(["channel", "x", "week"])
long["metric"] = long["x"] + "_" + long["channel"]
with open(f"{root}/params/departments/all.yaml") as file:
    defined = yaml.load(file, yaml.CSafeLoader)["metrics"]
dated = pd.DataFrame([(name, pd.Timestamp(each["from"]), each["value"]) for name, metric
    in defined.items() for each in metric["targets"]], columns=["metric", "week", "target"])
long["week"] = long["week"].astype("datetime64[us]")
dated["week"] = dated["week"].astype("datetime64[us]")
long = pd.merge_asof(long.sort_values("week"), dated.sort_values("week"), on="week", by="metric")
long = long.sort_values(["metric", "week"], ignore_index=True)
of = long.groupby("metric")["value"]
long["previous"], long["same_last_year"] = of.shift(1), of.shift(52)
long["center"] = of.transform("mean")
reach = 2.66 * of.diff().abs().groupby(long["metric"]).transform("mean")
long["lower"], long["upper"] = long["center"] - reach, long["center"] + reach
long["attainment"] = long["value"] / long["target"]
long["light"] = np.select([long["attainment"] >= 1, long["attainment"] >= 0.9], ["green", "yellow"], "red")
last = long[long["week"] == long["week"].max()]
print(last.to_json(orient="records") if "--json" in sys.argv else last.to_string())
'''


def main() -> None:
    """Print each way's medians, and their ratios to the script."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=int, default=200)
    parser.add_argument("--turns", type=int, default=5)
    args = parser.parse_args()
    times: dict[str, list[Took]] = {}
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "large"
        make(root, args.metrics)
        script = Path(place) / "byhand.py"
        script.write_text(BY_HAND, encoding="utf-8")
        by_hand = (str(script), str(root))
        status = ("-m", "dataops_nb", "--quiet", "-w", str(root), "status", "--as-of", AS_OF)
        compare(output(*by_hand, "--json"), output(*status, "--json"))
        for _ in range(args.turns):
            shutil.rmtree(root / "out", ignore_errors=True)
            for name, words in (("by hand", by_hand), ("first", status), ("again", status)):
                times.setdefault(name, []).append(run(*words))
    base = Took(*map(statistics.median, zip(*times["by hand"], strict=True)))
    heads = ("clock", "ratio", "processor", "ratio", "peak", "ratio")
    print(f"{args.metrics:>5} metrics  " + "".join(f"{head:>11}" for head in heads))
    for name, taken in times.items():
        own = Took(*map(statistics.median, zip(*taken, strict=True)))
        ratios = [mine / theirs for mine, theirs in zip(own, base, strict=True)]
        print(
            f"{name:<15}{own.clock:>9.2f} s{ratios[0]:>11.2f}{own.processor:>9.2f} s"
            f"{ratios[1]:>11.2f}{own.memory:>7.0f} MiB{ratios[2]:>11.2f}"
        )


def compare(by_hand: str, by_status: str) -> None:
    """End with what differs where the script and `status` say another number or light."""
    known = {row["metric"]: row for row in json.loads(by_hand)}
    rows = {row["metric"]: row for row in json.loads(by_status)["rows"]}
    if known.keys() != rows.keys():
        sys.exit("the metrics differ")
    for name, row in rows.items():
        alike = [np.isclose(row[column], known[name][column], rtol=1e-9) for column in ALIKE]
        if row["light"] != known[name]["light"] or not all(alike):
            sys.exit(f"{name} differs: {row} and {known[name]}")


def output(*words: str) -> str:
    """Run this Python in a new process and return what it prints."""
    return subprocess.run(line(*words), capture_output=True, text=True, check=True).stdout


def line(*words: str) -> list[str]:
    """Return the command line of this Python."""
    return [sys.executable, "-W", "ignore", *words]


def run(*words: str) -> Took:
    """Run this Python in a new process, and return what it took."""
    # A small process starts it: the peak of a process counts from the memory of who forked it.
    watched = subprocess.run(
        [sys.executable, "-S", "-c", WATCH, *line(*words)], capture_output=True, check=True
    )
    return Took(*json.loads(watched.stdout))


if __name__ == "__main__":
    main()
