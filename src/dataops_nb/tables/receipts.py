"""Receipts: the query behind each number, the rows it read and the fingerprint of the files."""

from __future__ import annotations

from dataops_nb.alignment import receipts as written
from dataops_nb.board import Board
from dataops_nb.story import numbers
from dataops_nb.tables.markup import Table


def receipts(board: Board, metric: str | None = None) -> Table:
    """One row a measure that a metric stands on: source, rows, fingerprint, and the query as it ran."""
    found = written(board.catalog, metric or board.lead)
    traced = board.catalog.provenance(*dict.fromkeys(found["source"])).set_index("source")
    rows = [
        [
            metric,
            source,
            numbers.of(board).count(int(traced.loc[source, "rows"])),
            str(traced.loc[source, "sha256"])[:12],
            query,
        ]
        for metric, source, query in found.itertuples(index=False)
    ]
    return Table(
        "The queries behind the number",
        ["Measure", "Source", "Rows", "Fingerprint", "Query"],
        rows,
        frozenset({"Rows"}),
    )
