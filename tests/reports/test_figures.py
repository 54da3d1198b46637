"""Slimmer drawings show the same: the same words at the same places, the same lines, circles and colours."""

from __future__ import annotations

import re
import sqlite3
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
import vl_convert
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb.reports.pages import figures
from dataops_nb.sources.cache import NAME

HEAD = '<svg xmlns="http://www.w3.org/2000/svg"><g fill="none">'


def slimmed(inner: str) -> str:
    ET.register_namespace("", "http://www.w3.org/2000/svg")
    root = ET.fromstring(f"{HEAD}{inner}</g></svg>")
    figures.slim(root)
    return (
        ET.tostring(root, encoding="unicode")
        .partition('fill="none">')[2]
        .removesuffix("</g></svg>")
        .replace(" />", "/>")
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<path d="M0,1.23456L2,3.999" stroke="red"/>', '<path d="M0,1.2L2,4" stroke="red"/>'),
        ('<path d="M0,5L1,5L1,5L2,5L3,6" stroke="red"/>', '<path d="M0,5L2,5L3,6" stroke="red"/>'),
        ('<path d="M0,5L2,5L1,5" stroke="red"/>', '<path d="M0,5L2,5L1,5" stroke="red"/>'),
        ('<path d="M0,1L1,1M5,1L6,1" stroke="red"/>', '<path d="M0,1L1,1M5,1L6,1" stroke="red"/>'),
        ('<path transform="translate(3,4)" d="M2.1,0A2.1,2.1,0,1,1,-2.1,0A2.1,2.1,0,1,1,2.1,0" fill="red"/>',
         '<circle fill="red" cx="3" cy="4" r="2.1"/>'),
        ('<path d="M0,0h9v9h-9Z"/>', ""),
        ('<path d="M0,0h9v9h-9Z" fill="red"/>', '<path d="M0,0h9v9h-9Z" fill="red"/>'),
        ('<g><g transform="translate(0,0)"><text opacity="1" fill="red">x</text></g></g>', '<text fill="red">x</text>'),
        ('<g><text opacity="0">hidden</text><text fill="red">x</text></g>', '<text fill="red">x</text>'),
        ('<g stroke="red"><line x2="5" y2="0" stroke="red" stroke-width="1"/></g>', '<g stroke="red"><line x2="5"/></g>'),
        ('<g><line x2="1" stroke="red"/><line x2="2" stroke="red"/></g>', '<g stroke="red"><line x2="1"/><line x2="2"/></g>'),
        ('<defs><clipPath id="a"><path d="M0,0h9"/></clipPath></defs>', '<defs><clipPath id="a"><path d="M0,0h9"/></clipPath></defs>'),
    ],
)  # fmt: skip
def test_what_is_left_out_is_not_seen(before, after):
    assert slimmed(before) == after


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12))
def test_a_line_keeps_every_turn_and_its_length(points):
    piece = "L".join(f"{x},{y}" for x, y in points)
    kept = [tuple(map(float, point.split(","))) for point in figures._line(piece)[1:].split("L")]
    assert length(kept) == pytest.approx(length(points))
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert set(kept) <= set(points)


def length(points) -> float:
    return sum(((a - c) ** 2 + (b - d) ** 2) ** 0.5 for (a, b), (c, d) in pairwise(points))


def test_a_chart_keeps_its_words_and_loses_two_fifths_of_its_bytes():
    rows = [{"x": i, "y": 5 if i % 3 else i} for i in range(40)]
    spec = {
        "data": {"values": rows}, "mark": {"type": "line", "point": True, "interpolate": "step-after"},
        "encoding": {"x": {"field": "x", "type": "quantitative"}, "y": {"field": "y", "type": "quantitative"}},
    }  # fmt: skip
    svg = vl_convert.vegalite_to_svg(spec)
    root = ET.fromstring(svg)
    figures.slim(root)
    text = ET.tostring(root, encoding="unicode")
    assert re.findall(r">([^<>]+)</", text.replace("ns0:", "")) == re.findall(r">([^<>]+)</", svg)
    assert text.count("circle ") == 40
    assert len(text) < 0.6 * len(svg)


SPEC = {
    "data": {"values": [{"x": 1, "y": 2}, {"x": 2, "y": 3}]},
    "mark": "line",
    "encoding": {"x": {"field": "x"}, "y": {"field": "y"}},
    "title": "Sales",
}


@pytest.fixture
def drawn(monkeypatch):
    """Each specification that is drawn, and none that is kept."""
    draw, calls = vl_convert.vegalite_to_svg, []

    def counted(spec, **options):
        calls.append(spec)
        return draw(spec, **options)

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", counted)
    return calls


def figure_of_another_process(spec, kept=None) -> str:
    figures._dressed.cache_clear()
    return figures.figure(spec, "f0", kept)


def test_a_drawing_that_is_kept_is_not_made_again(drawn, tmp_path):
    first = figure_of_another_process(SPEC, tmp_path)
    assert len(drawn) == 2  # wide and narrow
    assert figure_of_another_process(SPEC, tmp_path) == first
    assert len(drawn) == 2
    assert figure_of_another_process(SPEC) == first  # where nothing is kept
    assert len(drawn) == 4


def test_another_chart_is_drawn_and_so_is_one_whose_drawing_was_damaged(drawn, tmp_path):
    first = figure_of_another_process(SPEC, tmp_path)
    assert figure_of_another_process({**SPEC, "mark": "bar"}, tmp_path) != first
    assert len(drawn) == 4
    with sqlite3.connect(tmp_path / NAME) as con:
        con.execute("update kept set value = x'00'")
    assert figure_of_another_process(SPEC, tmp_path) == first
    assert len(drawn) == 6


def test_the_pages_of_a_report_share_a_drawing_and_its_ids_differ(drawn):
    figures._dressed.cache_clear()
    clipped = {**SPEC, "mark": {"type": "line", "clip": True}}  # its frame has an id
    first, second = figures.figure(clipped, "f0"), figures.figure(clipped, "f1")
    assert len(drawn) == 2
    assert first != second
    assert first.replace("f0", "f1") == second
