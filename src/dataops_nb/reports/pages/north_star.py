"""Draw the North Stars: each with its last values as a small line, and the tree of what feeds it.

The tree is a nested list, so that it reads in order without a picture; the style sheet draws its
branches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dataops_nb import numbers
from dataops_nb.display import say
from dataops_nb.reports.pages import sparkline
from dataops_nb.reports.pages.cards import Feed, MetricCard
from dataops_nb.reports.pages.quotes import Quoted, quoted


@dataclass(frozen=True)
class Star:
    """One North Star: its card, its sentence, and its last values as a small line."""

    card: MetricCard
    sentence: Quoted
    line: Markup


@dataclass(frozen=True)
class Branch:
    """A metric in the tree: its line, its number in a few words, how it feeds, what feeds it."""

    card: MetricCard
    line: Quoted
    words: str = ""
    how: str = ""
    below: Sequence[Branch] = ()


def stars(cards: Iterable[MetricCard], grain: str) -> list[Star]:
    """Prepare the North Stars that stand side by side, each with its sentence and small line."""
    prepared = []
    for card in cards:
        sentence = quoted(card.report, card.said or {"text": ""}, card.locale)
        prepared.append(Star(card, sentence, small_line(card, grain)))
    return prepared


def tree(cards: Iterable[MetricCard], known: Mapping[str, MetricCard]) -> list[Branch]:
    """Follow what feeds each North Star, and what feeds that; only those that something feeds."""
    roots = []
    for card in cards:
        below = _branches(card, known, (card.metric,))
        if below:
            roots.append(Branch(card, card.line(), below=below))
    return roots


def lines(branches: Iterable[Branch]) -> list[Quoted]:
    """List the lines of a tree in the order in which they stand on the page."""
    quotes = []
    for branch in branches:
        quotes += [branch.line, *lines(branch.below)]
    return quotes


def _branches(
    above: MetricCard, known: Mapping[str, MetricCard], path: tuple[str, ...]
) -> list[Branch]:
    """What stands below a metric; `path` holds the metrics that are drawn already.

    Below what only the data found, nothing is drawn.
    """
    branches = []
    beside = tuple(feed.metric for feed in above.feeds)
    for feed in above.feeds:
        if feed.metric in path or feed.metric not in known:
            continue
        card = known[feed.metric]
        below = list[Branch]()
        if feed.how != "found":
            below = _branches(card, known, (*path, *beside))
        branches.append(_branch(card, feed, below))
    return branches


def _branch(card: MetricCard, feed: Feed, below: list[Branch]) -> Branch:
    now, how = card.now(), feed.words()
    return Branch(card, card.line(now, how), say(now).text, say(how).text, below)


def small_line(card: MetricCard, grain: str) -> Markup:
    """Draw the last values of a metric, with its target; nothing for fewer than two.

    The text alternative says lowest, highest and last.
    """
    known = [value for value in card.past if value is not None]
    if len(known) < 2:
        return Markup()
    written, unit = numbers.at(card.locale), card.unit
    low, high, last = (written.number(value, unit) for value in (min(known), max(known), known[-1]))
    periods = f"last {len(card.past)} {grain}s"
    description = f"{card.label}, {periods}: {last}, between {low} and {high}."
    target = card.facts["target"]["value"] if "target" in card.facts else None
    return sparkline.draw(card.past, description, target)
