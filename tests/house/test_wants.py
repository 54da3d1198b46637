"""The table of wants, and the rules of shared pages, name tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"


def rows(document: str) -> list[str]:
    return [
        line
        for line in (DOCS / document).read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and ".py::" in line
    ]


def test_each_of_the_twenty_wants_says_how_it_is_met_and_by_which_test():
    told = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows("wants.md")]
    assert [int(cells[0].strip("| ")) for cells in told] == list(range(1, 21))
    assert all(len(cells) == 5 and all(cells) for cells in told)


@pytest.mark.parametrize(("document", "fewest"), [("wants.md", 20), ("reference/sharing.md", 12)])
def test_every_test_that_is_named_exists(document, fewest):
    assert len(rows(document)) >= fewest
    named = {
        tuple(hit.split("::"))
        for row in rows(document)
        for hit in re.findall(r"`([\w/]+\.py::\w+)`", row)
    }
    there = {
        (file, node.name)
        for file in {file for file, _ in named}
        for node in ast.parse((TESTS / file).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert sorted(named - there) == []
