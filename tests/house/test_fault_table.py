"""The table of faults in the documentation names tests that exist, and marks that make them run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = TESTS.parent / "docs" / "reference" / "faults.md"
ROWS = [
    line
    for line in TABLE.read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and "::" in line
]


def test_every_fault_has_its_test():
    named = {
        tuple(hit.split("::")) for row in ROWS for hit in re.findall(r"`([\w/]+\.py::\w+)`", row)
    }
    there = {
        (file, node.name)
        for file in {file for file, _ in named}
        for node in ast.parse((TESTS / file).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert len(ROWS) > 30
    assert sorted(named - there) == []
