"""Backfill: the reports of past periods, each as of its own last day, oldest first; what is there already stays.

What was published for earlier days can show in a report, so the reports of one day are finished before those of the
next one start. A backfill that is cut short and started again goes on where it was; a repeated one executes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import replace

from dataops_nb import periods, workbench
from dataops_nb.errors import UsageError
from dataops_nb.refresh import due, plan, warmth
from dataops_nb.refresh.plan import Planned
from dataops_nb.refresh.progress import Progress, begins, choose
from dataops_nb.refresh.results import Outcome, Result
from dataops_nb.refresh.runner import TIMEOUT, How, opened, work
from dataops_nb.workbench import Workbench


def backfill(
    wb: Workbench,
    suite: str,
    *,
    first: dt.date,
    last: dt.date,
    reports: Collection[str] = (),
    jobs: int | None = None,
    timeout: float = TIMEOUT,
    progress: Progress | None = None,
) -> Outcome:
    """Publish every period of a suite's reports whose last day lies in `first`..`last` and not after today.

    UsageError where there is none. Like a refresh otherwise.
    """
    workbench.ensure_data(wb)
    end = min(last, workbench.as_of(wb))
    days = _planned(wb, suite, reports, first, end)
    if not days:
        raise UsageError(f"no report of {suite!r} has a period that ends between {first} and {last} and is over today")
    results: list[Result] = []
    show = progress or choose(sum(map(len, days)))
    with opened(wb, end, many=True) as refresh, ExitStack() as stack:
        for planned in days:
            today = replace(refresh, as_of=planned[0].as_of or end)
            decided = due.decide(planned, refresh.larder, due.past(refresh.book, wb.whatif), refresh.place)
            if any(one.planned.due for one in decided):
                stack.enter_context(warmth.kept())
            results += work(today, decided, How(jobs, timeout, begun=begins(show)), show)
    return Outcome(refresh.run, end, results)


def _planned(wb: Workbench, suite: str, reports: Collection[str], first: dt.date, last: dt.date) -> list[list[Planned]]:
    """The reports of each day on which a period of theirs ends, oldest day first."""

    def at(day: dt.date) -> list[Planned]:
        return plan.reports(wb.definitions, wb.notebooks, suite=suite, only=reports, as_of=day, whatif=wb.whatif)

    calendar = periods.calendar(wb.definitions.company.calendar)
    grains = {one.covers.grain for one in at(last) if one.covers}
    ends = {period.end for grain in grains for period in calendar.periods(grain, first, last)}
    days = [at(day) for day in sorted(ends) if first <= day <= last]
    return [kept for day in days if (kept := [one for one in day if one.covers and one.covers.end == one.as_of])]
