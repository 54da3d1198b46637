"""Whether anybody is to be told of a refresh; asked after every one, so it imports nothing that writes mails."""

from __future__ import annotations

import os
import sqlite3

from dataops_nb.refresh.results import Outcome
from dataops_nb.workbench import Workbench


def wanted(wb: Workbench, outcome: Outcome, book: sqlite3.Connection) -> bool:
    """Whether something happened and somebody is named or a channel is, or a notice is still to be delivered.

    What-ifs are told to nobody.
    """
    if wb.whatif:
        return False
    suites = {result.suite for result in outcome.reports if result.state != "skipped"}
    named = any(wb.definitions.suites[suite].mail for suite in suites)
    return named or bool(suites and os.environ.get("DATAOPS_SLACK_WEBHOOK")) or _waiting(book)


def _waiting(book: sqlite3.Connection) -> bool:
    return book.execute("select 1 from undelivered").fetchone() is not None
