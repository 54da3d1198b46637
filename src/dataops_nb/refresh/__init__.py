"""Refresh: execute the due notebooks and publish their pages, safely.

plan, then for each report that has changed: claim it and enter it in the ledger, execute it in a private folder and its
own process, judge it, build its pages, publish them in one step, record how it ended. A failed report never stops the
others and never replaces the last good pages.
"""

from __future__ import annotations

from dataops_nb.refresh import plan
from dataops_nb.refresh.results import Outcome, Result
from dataops_nb.refresh.runner import planned, run

__all__ = ["Outcome", "Result", "plan", "planned", "run"]
