"""What no single value can tell: names that must exist, parts that must fit, words this version cannot follow."""

from __future__ import annotations

from dataops_nb.definitions.checks.company import check_company
from dataops_nb.definitions.checks.indicators import check_indicators
from dataops_nb.definitions.checks.metrics import check_metrics
from dataops_nb.definitions.checks.records import check_records
from dataops_nb.definitions.checks.reports import check_reports
from dataops_nb.definitions.checks.sources import check_sources
from dataops_nb.definitions.draft import Draft
from dataops_nb.definitions.unavailable import COMPANY, DEPARTMENT, find_unavailable
from dataops_nb.errors import Mistake

__all__ = ["check"]


def check(draft: Draft) -> None:
    """Add to `draft.mistakes` everything in which the files contradict themselves, each other, or this version."""
    check_company(draft)
    check_sources(draft)
    check_metrics(draft)
    check_indicators(draft)
    check_reports(draft)
    check_records(draft)
    files = [(draft.company, COMPANY), *((file, DEPARTMENT) for file in draft.departments.values())]
    for file, entries in files:
        for node, message in find_unavailable(file.root, entries):
            draft.mistakes.append(Mistake(file.name, node.line, node.key, message))
