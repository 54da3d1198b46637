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

MOST_LINES = 40  # of all trees


@dataclass(frozen=True)
class Star:
    """One North Star: its card, its sentence, and its last values as a small line."""

    card: MetricCard
    sentence: Quoted
    line: Markup


@dataclass(frozen=True)
class Branch:
    """A metric in the tree: its line, its number in a few words, how it feeds, what feeds it.

    `left` is how many more feed it than are drawn.
    """

    card: MetricCard
    line: Quoted
    words: str = ""
    how: str = ""
    below: Sequence[Branch] = ()
    left: int = 0


def stars(cards: Iterable[MetricCard], grain: str) -> list[Star]:
    """Prepare the North Stars that stand side by side, each with its sentence and small line."""
    prepared = []
    for card in cards:
        sentence = quoted(card.report, card.said or {"text": ""}, card.locale)
        prepared.append(Star(card, sentence, small_line(card, grain)))
    return prepared


def tree(cards: Iterable[MetricCard], known: Mapping[str, MetricCard]) -> list[Branch]:
    """Follow what feeds each North Star, and what feeds that; only those that something feeds.

    A tree that would be larger than a page ends where it has as many lines as one shows.
    """
    roots = []
    room = _Room()
    for card in cards:
        below, left = _branches(card, known, (card.metric,), room)
        if below or left:
            roots.append(Branch(card, card.line(), below=below, left=left))
    return roots


@dataclass
class _Room:
    """How many lines of a tree there is still room for."""

    lines: int = MOST_LINES

    def take(self) -> bool:
        """Take the room of one line, where there is any."""
        self.lines -= 1
        return self.lines >= 0


def lines(branches: Iterable[Branch]) -> list[Quoted]:
    """List the lines of a tree in the order in which they stand on the page."""
    quotes = []
    for branch in branches:
        quotes += [branch.line, *lines(branch.below)]
    return quotes


def _branches(
    above: MetricCard, known: Mapping[str, MetricCard], path: tuple[str, ...], room: _Room
) -> tuple[list[Branch], int]:
    """Return what stands below a metric, and how many there was no room for.

    `path` holds the metrics that are drawn already. Below what only the data found, nothing is
    drawn.
    """
    drawn: list[tuple[MetricCard, Feed]] = []
    left = 0
    beside = tuple(feed.metric for feed in above.feeds)
    for feed in above.feeds:
        if feed.metric in path or feed.metric not in known:
            continue
        if room.take():
            drawn.append((known[feed.metric], feed))
        else:
            left += 1
    branches = []
    for card, feed in drawn:
        below, more = list[Branch](), 0
        if feed.how != "found":
            below, more = _branches(card, known, (*path, *beside), room)
        branches.append(_branch(card, feed, below, more))
    return branches, left


def _branch(card: MetricCard, feed: Feed, below: list[Branch], left: int) -> Branch:
    now, how = card.now(), feed.words()
    return Branch(card, card.line(now, how), say(now).text, say(how).text, below, left)


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
