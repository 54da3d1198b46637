"""A notebook says explicitly what the front page may quote; `check` names those that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from nbformat import v4, writes

from dataops_nb.cli import check

ROOT = Path(__file__).parents[1]


def lacking(folder, *code):
    cells = [v4.new_code_cell(source) for source in code]
    (folder / "old.ipynb").write_text(writes(v4.new_notebook(cells=cells)))
    return [notice.message for notice in check.missing_flags(folder)]


@pytest.mark.parametrize(
    ("used", "flag"),
    [
        ("story.findings(this)", "findings"),
        ("display(story.links(this))", "links"),
        ("tables.solve_next(this)", "solve"),
    ],
)
def test_a_record_without_the_flag_for_what_is_used_is_named(tmp_path, used, flag):
    (message,) = lacking(tmp_path, used, "story.record(this)")
    assert f"add {flag}=True" in message
    assert lacking(tmp_path, used, f"story.record(this, {flag}=True)") == []


def test_a_notebook_that_is_no_report_needs_no_flag(tmp_path):
    assert lacking(tmp_path, "story.findings(this)") == []


def test_code_that_python_cannot_read_is_passed_over(tmp_path):
    assert lacking(tmp_path, "%matplotlib inline", "story.record(this)") == []


def test_no_packaged_notebook_lacks_a_flag():
    assert check.missing_flags(ROOT / "notebooks") == []
