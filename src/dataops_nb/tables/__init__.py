"""Tables: the same facts for those who would rather read numbers. Plain HTML with headers, captions and no script."""

from __future__ import annotations

from dataops_nb.tables.admitted import admission, communications
from dataops_nb.tables.agreements import lights, owners, reactions
from dataops_nb.tables.flow import feeds, leads, moved
from dataops_nb.tables.lab import agreed, pitch_gate, understood
from dataops_nb.tables.leading import links
from dataops_nb.tables.markup import Table
from dataops_nb.tables.receipts import receipts
from dataops_nb.tables.reconciled import bridge, rows_apart
from dataops_nb.tables.review import provenance, scorecard, six_twelve, split
from dataops_nb.tables.solving import shortlist, solve_next
from dataops_nb.tables.starting import changed, doors, refreshed, stale
from dataops_nb.tables.tracking import track

__all__ = [
    "Table",
    "admission",
    "agreed",
    "bridge",
    "changed",
    "communications",
    "doors",
    "feeds",
    "leads",
    "lights",
    "links",
    "moved",
    "owners",
    "pitch_gate",
    "provenance",
    "reactions",
    "receipts",
    "refreshed",
    "rows_apart",
    "scorecard",
    "shortlist",
    "six_twelve",
    "solve_next",
    "split",
    "stale",
    "track",
    "understood",
]
