"""What the front page of a large company shows at once, so that it stays one that loads.

Up to some dozens of departments each has its card. Of more, those whose lights are the gravest have
one, and all of them stand in a folded list by their lights, which the search looks through too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from markupsafe import Markup

from dataops_nb.reports.pages import markup

CARDS = 40  # departments that all have a card
FOREMOST = 24  # cards where there are more departments
METRICS = 250  # metrics in the list beside so many departments
AT_MOST = 24  # findings, failures and reactions
GRAVEST = ("red", "yellow", "unknown", "green")
Item = TypeVar("Item")


class Report(Protocol):
    """A report of the front page, as far as it is listed here."""

    @property
    def title(self) -> str:
        """Its title."""

    @property
    def path(self) -> str | None:
        """Its page; None where nothing is shown of it."""

    @property
    def light(self) -> str:
        """Its light."""

    @property
    def owner(self) -> str | None:
        """Who answers for it."""


Listed = TypeVar("Listed", bound=Report)


@dataclass(frozen=True)
class Group:
    """The reports of one light, in the order of the suites."""

    chip: Markup
    reports: Sequence[Report]


def foremost(reports: Sequence[Listed]) -> Sequence[Listed]:
    """Return the reports that have a card: all of a few, those with the gravest lights of many."""
    if len(reports) <= CARDS:
        return reports
    return sorted(reports, key=_rank)[:FOREMOST]


def by_light(reports: Sequence[Report]) -> list[Group]:
    """Return many reports by their lights, the gravest first; nothing for a few."""
    if len(reports) <= CARDS:
        return []
    groups = []
    for light in GRAVEST:
        own = [report for report in reports if GRAVEST[_rank(report)] == light]
        if own:
            groups.append(Group(markup.chip(light, None), own))
    return groups


def first(items: Sequence[Item]) -> tuple[Sequence[Item], int]:
    """Return the first of many items, and how many are left."""
    return items[:AT_MOST], max(len(items) - AT_MOST, 0)


def _rank(report: Report) -> int:
    return GRAVEST.index(report.light) if report.light in GRAVEST else GRAVEST.index("unknown")
