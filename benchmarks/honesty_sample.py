"""What the front page of the sample company says moves its North Stars, and what of it is false.

`python benchmarks/honesty_sample.py` makes the sample of 20 seeds (`--seeds N` fewer) and prints the
finds of each: the strongest input of each cause, as the page names it. The truth is planted
(`workbench/sample`): qualified meetings move new customers, and their revenue; sad customers move
churn. A find is false where its input carries neither cause to that North Star; a cause that is
named twice for one North Star is counted too. At most 1 board of 20 may show a false find. Nothing
here is timed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from pathlib import Path

import pandas as pd

from dataops_nb import definitions, links, sources
from dataops_nb.workbench import sample

END = dt.date(2026, 11, 22)
PARAMS = Path(__file__).parents[1] / "params"
FALSE = 0.05
# What carries a planted cause, and the North Stars it moves: by the cause's own metric.
CAUSES = {
    "meetings_qualified": (
        {"meetings_qualified", "meetings_held", "pipeline"},
        {"new_customers", "revenue_ttm"},
    ),
    "sad": ({"sad", "csat", "mrr_at_risk", "tickets"}, {"churn_rate", "revenue_ttm"}),
}


def finds(seed: int) -> pd.DataFrame:
    """The links that the front page of a seed's sample names: one row each, `input target lag`."""
    with tempfile.TemporaryDirectory() as folder:
        sample.write(Path(folder), seed=seed, end=END, weeks=130)
        with sources.open(definitions.load(PARAMS), Path(folder), END) as catalog:
            pairs = links.of_company(catalog)
    named = (pairs["verdict"] == "moves") & ~pairs["contradicted"] & pairs["same_as"].isna()
    return pairs.loc[named, ["input", "target", "lag"]].reset_index(drop=True)


def cause_of(metric: str, star: str) -> str | None:
    """The planted cause that a metric carries to a North Star; None where it carries none."""
    for cause, (carriers, stars) in CAUSES.items():
        if metric in carriers and star in stars:
            return cause
    return None


def main() -> None:
    """Print the finds of each seed, and how many boards have a false or a double one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    false_boards = double_boards = 0
    for seed in range(1, seeds + 1):
        named = finds(seed)
        causes = [cause_of(row.input, row.target) for row in named.itertuples()]
        pairs = [
            (cause, star)
            for cause, star in zip(causes, named["target"], strict=True)
            if cause is not None
        ]
        is_false, is_double = None in causes, len(set(pairs)) < len(pairs)
        false_boards += is_false
        double_boards += is_double
        texts = [f"{row.input} > {row.target} ({row.lag})" for row in named.itertuples()]
        note = " FALSE" * is_false + " TWICE" * is_double
        print(f"{seed:3} {', '.join(texts)}{note}", flush=True)
    kept = "holds" if false_boards <= FALSE * seeds else "BROKEN"
    print(f"boards with a false find: {false_boards} of {seeds}, at most {FALSE:.0%}: {kept}")
    print(f"boards that name a cause twice for one North Star: {double_boards} of {seeds}")


if __name__ == "__main__":
    main()
