"""The North Star and what feeds it: a tree from each number the company looks at down to the inputs, with their lights.

The tree is a nested list, so that it reads in order without a picture; the style sheet draws its branches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dataops_nb.publish import sparkline
from dataops_nb.publish.markup import prose, text
from dataops_nb.publish.saying import Said
from dataops_nb.publish.standing import Feed, Standing

Known = Mapping[str, Standing]


def section(stars: Sequence[Standing], title: str, path: str, grain: str) -> tuple[str, list[Said]]:
    """The North Stars side by side, each with its light, its sentence and its small line; and the sentences in order.

    `title` is that of their own report, at `path`; empty where a department speaks for them.
    """
    told = [Said(star.report, star.said, star.said_facts, star.names, star.locale) for star in stars]
    cards = "".join(_card(star, said, grain) for star, said in zip(stars, told, strict=True))
    name = f'<a href="{text(path)}">{text(title)}</a>' if title else "North Star"
    return f'<section class="nb-north"><h2>{name}</h2><ul class="nb-stars">{cards}</ul></section>\n', told


def _card(star: Standing, said: Said, grain: str) -> str:
    picture = sparkline.draw(star.label, star.past, star.unit, grain, star.locale)
    sentence = f'<p class="nb-said"{said.attribute}>{prose(said.text)}</p>' if said.text else ""
    head = f'<div class="nb-cardtop"><h3>{star.name}</h3>{star.chip}</div>'
    return f"<li><article>{head}{sentence}{picture}</article></li>"


def tree(stars: Sequence[Standing], known: Known) -> tuple[str, list[Said]]:
    """What feeds each North Star, and what feeds that; and the lines in order. Nothing where nothing feeds any."""
    roots, said = [], list[Said]()
    for star in stars:
        branches, below = _branches(star, known, (star.metric,))
        if branches:
            root = star.line()
            roots.append(f"<li><p{root.attribute}>{star.small} {star.name}</p><ul>{branches}</ul></li>")
            said += [root, *below]
    if not roots:
        return "", []
    title = "<h2>What feeds the North Star</h2>"
    return f'<section class="nb-feeds">{title}<ul class="nb-tree">{"".join(roots)}</ul></section>\n', said


def _branches(above: Standing, known: Known, path: tuple[str, ...]) -> tuple[str, list[Said]]:
    """What stands below a metric; below what only the data found, nothing is drawn. `path` is drawn already."""
    pieces, said = [], list[Said]()
    beside = tuple(feed.metric for feed in above.feeds)
    for feed in above.feeds:
        if feed.metric in path or feed.metric not in known:
            continue
        node = known[feed.metric]
        html, told = _node(node, feed)
        inner, below = _branches(node, known, (*path, *beside)) if feed.how != "found" else ("", [])
        pieces.append(f"<li>{html}{f'<ul>{inner}</ul>' if inner else ''}</li>")
        said += [told, *below]
    return "".join(pieces), said


def _node(node: Standing, feed: Feed) -> tuple[str, Said]:
    words, used = node.now()
    short, how = words.removesuffix(f" · {node.reason}"), feed.words()
    told = node.line(f"{short} {how}".strip(), [*used, *feed.facts])
    return f"<p{told.attribute}>{node.small} {node.name} <small>{prose(short)} <em>{text(how)}</em></small></p>", told
