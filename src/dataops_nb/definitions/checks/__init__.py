"""What no single value can tell: names that must exist, parts that must fit."""

from __future__ import annotations

from dataops_nb.definitions.checks.company import check_company
from dataops_nb.definitions.checks.indicators import check_indicators
from dataops_nb.definitions.checks.metrics import check_metrics
from dataops_nb.definitions.checks.records import check_records
from dataops_nb.definitions.checks.reports import check_reports
from dataops_nb.definitions.checks.sources import check_sources
from dataops_nb.definitions.draft import Draft

__all__ = ["check"]


def check(draft: Draft) -> None:
    """Add to `draft.mistakes` everything in which the files contradict themselves, or each other."""
    check_company(draft)
    check_sources(draft)
    check_metrics(draft)
    check_indicators(draft)
    check_reports(draft)
    check_records(draft)
