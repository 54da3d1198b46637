"""The panel, the notebooks and the command line say no word that explains itself to its maker.

Pages, mail and messages are read elsewhere as they are sent; here every text of the code that
speaks is read, since no test can reach each error and each help.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.test_wordings import NEVER

ROOT = Path(__file__).parents[2]
SPEAKING = {
    "the panel": "src/dataops_nb/controls",
    "the command line": "src/dataops_nb/cli",
    "tables": "src/dataops_nb/tables",
    "charts": "src/dataops_nb/charts",
}
# Names that were agreed on: of a knob, of a heading, of a program and of two tests of statistics.
AGREED = {
    "Judged by",
    "What would change our mind",
    "html,pdf,eml,slack,ipynb (html)",
    "Kappa (chance removed)",
    " (kappa ",
}
WITH_DOCSTRINGS = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def texts(path: Path) -> Iterator[str]:
    """Every text of several words in a module, without its docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    docstrings = []
    for node in ast.walk(tree):
        if isinstance(node, WITH_DOCSTRINGS) and ast.get_docstring(node) is not None:
            docstrings.append(node.body[0].value)
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and node not in docstrings and " " in node.value:
            yield node.value


@pytest.mark.parametrize("folder", SPEAKING.values(), ids=SPEAKING)
def test_no_text_of_the_code_that_speaks_says_a_word_of_our_own_making(folder):
    modules = sorted((ROOT / folder).rglob("*.py"))
    assert modules
    for path in modules:
        own = [text for text in texts(path) if text not in AGREED]
        assert [text for text in own if NEVER.search(text)] == [], path.name


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_no_cell_of_a_notebook_says_one(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    for cell in cells:
        lines = "".join(cell["source"]).splitlines()
        if cell["cell_type"] == "code":  # what is read of it are its comments
            lines = [line.partition("#")[2] for line in lines]
        assert [line for line in lines if NEVER.search(line)] == []


def test_what_is_looked_for_is_found_in_code(tmp_path):
    path = tmp_path / "module.py"
    path.write_text('"""It would."""\nHELP = "what it would do"\nNAME = "would"\n')
    assert list(texts(path)) == ["what it would do"]
