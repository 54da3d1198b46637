"""`dataops-nb links`: which inputs move the North Star, and which only rock."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from dataops_nb import links, sources, workbench
from dataops_nb.cli import folder, output
from dataops_nb.cli.records import records
from dataops_nb.definitions import Definitions

COLUMNS = (
    "input", "target", "verdict", "lag", "effect", "effect_low", "effect_high", "q", "declared", "rocking_chair",
)  # fmt: skip
LARGE = 1000
HEADERS = ("input", "target", "verdict", "lag", "effect", "from", "to", "q", "note")


def run(args: Namespace) -> int:
    """Print one line for each input and North Star: those that move it first, then what was declared."""
    bench = folder.find(args)
    workbench.ensure_data(bench)
    with sources.open(bench.definitions, bench.data, workbench.as_of(bench, args.as_of), keep=bench.cache) as catalog:
        rows = records(links.find(catalog, args.grain))
    if args.json:
        output.document({"rows": [{name: row[name] for name in COLUMNS} for row in rows]})
        return 0
    lines = [_line(bench.definitions, row, args.grain) for row in sorted(rows, key=_rank)]
    output.write(output.table(HEADERS, lines, right=HEADERS[3:8]))
    return 0


def _rank(row: dict[str, Any]) -> tuple[bool, bool, bool]:
    return row["verdict"] != "moves", not row["declared"], not row["rocking_chair"]


def _line(definitions: Definitions, row: dict[str, Any], grain: str) -> list[Any]:
    numbers = [
        None if row[name] is None else _short(row[name]) for name in ("effect", "effect_low", "effect_high", "q")
    ]
    target = definitions.label(row["target"])
    return [definitions.label(row["input"]), target, row["verdict"], row["lag"], *numbers, _note(row, grain)]


def _short(value: float) -> str:
    """A number in three digits, and in full where it has more before the point: 3,130, not 3.13e+03."""
    return f"{value:,.0f}" if abs(value) >= LARGE else f"{value:.3g}"


def _note(row: dict[str, Any], grain: str) -> str:
    needed = row["periods_needed"]
    said = {
        "rocking chair": row["rocking_chair"],
        "declared, and the data speak against it": row["contradicted"],
        "declared": row["declared"] and not row["contradicted"],
        f"needs {needed} {grain}{'' if needed == 1 else 's'} more": needed is not None,
        "a part of it": row["is_part"],
        f"both move in the same {grain}": row["together"] and not row["is_part"],
    }
    return "; ".join(text for text, holds in said.items() if holds)
