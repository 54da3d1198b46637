"""Inputs that do not lead where they should: activity without movement, and links that the data contradict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from dataops_nb.definitions import Definitions


def rocking(links: pd.DataFrame, definitions: Definitions) -> Iterator[dict[str, Any]]:
    """One row an input that rocks: those declared to move a North Star first, each with that one, else its first one."""
    rocks = links[links["rocking_chair"].astype(bool)]
    ordered = rocks.assign(first=~rocks["declared"].astype(bool)).sort_values("first", kind="stable")
    for row in ordered.drop_duplicates("input").to_dict("records"):
        risen = not pd.isna(row["rise"])
        yield {
            "kind": "rocking chair", "metric": row["input"], "other": row["target"],
            "why": f"{_busy(definitions, row) if risen else 'on target'}, and no North Star follows",
            "change": row["rise"] if risen else None,
        }  # fmt: skip


def _busy(definitions: Definitions, row: dict[Any, Any]) -> str:
    return "clearly down, as it should be" if definitions.metrics[row["input"]].better == "down" else "clearly up"


def contradicted(links: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """One row a declared link that the data speak against: no effect, or the other way round."""
    for row in links[links["contradicted"].astype(bool)].to_dict("records"):
        against = "the data show the opposite" if row["verdict"] == "moves" else "no useful effect is there"
        why = f"declared to move it, and {against}"
        yield {"kind": "contradicted link", "metric": row["input"], "other": row["target"], "why": why}
