"""`dataops-nb solve`: what to solve next, and what was closed since the last report."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from dataops_nb import board
from dataops_nb.cli import folder, output
from dataops_nb.cli.records import records
from dataops_nb.story import numbers

HEADERS = ("#", "what", "metric", "slack", "at stake a year", "from", "to", "work", "top three", "asked", "why")


def run(args: Namespace) -> int:
    """Print the list, best first; JSON carries every column of the ranking."""
    read = board.read(folder.find(args), as_of=args.as_of)
    rows, closed = records(read.priorities), records(read.closed)
    currency = read.definitions.company.currency
    if args.json:
        about = {"as_of": read.as_of, "grain": read.grain, "period": read.period.id, "currency": currency}
        output.document({**about, "rows": rows, "closed": closed})
        return 0
    lines = [_line(row, currency, numbers.of(read)) for row in rows]
    output.write(output.table(HEADERS, lines, right=(*HEADERS[3:7], "top three", "asked")))
    for row in closed:
        output.write(f"closed since the last report: {row['title']}")
    return 0


def _line(row: dict[str, Any], currency: str, written: numbers.Numbers) -> list[Any]:
    money = [row[name] for name in ("at_stake", "at_stake_low", "at_stake_high")]
    again = f" (in {row['reports']} before)" if row["reports"] else ""
    return [
        row["rank"], f"{row['title']}{again}", row["metric"], None if row["slack"] is None else f"{row['slack']:.0f} d",
        *(None if each is None else written.rough(each, currency) for each in money), row["effort"],
        written.share(row["stability"]), row["asked"] if row["kind"] == "asked" else None, row["why"],
    ]  # fmt: skip
