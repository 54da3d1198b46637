"""Templates hold layout only: what they are given is escaped, and what they lack is an error."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from dataops_nb import templates
from dataops_nb.reports import ledger, schedules
from dataops_nb.reports.pages import markup


def test_what_a_page_is_given_is_escaped():
    html = markup.fill("section.html.j2", content="<b>", code="<i>")
    assert html.startswith("<section>&lt;b&gt;")
    assert "<code>&lt;i&gt;</code>" in html


def test_finished_html_stays_as_it_is():
    html = markup.fill("section.html.j2", content=Markup("<p>Won</p>"), code="")
    assert html == "<section><p>Won</p></section>\n"


def test_a_value_that_a_template_lacks_is_an_error():
    with pytest.raises(UndefinedError, match="code"):
        markup.fill("section.html.j2", content="")


def test_the_text_of_a_schedule_is_not_escaped():
    values = {"name": "x", "suite": "a & b", "command": "'<'"}
    assert "ExecStart='<'" in schedules.fill("systemd_service.txt.j2", **values)


def test_no_line_begins_with_a_per_cent_sign():
    assert templates.unbroken("7 % of 20 % less") == "7\u00a0% of 20\u00a0% less"


def test_only_what_was_killed_is_tried_again_although_nothing_has_changed():
    assert [state for state, end in ledger.ENDS.items() if end.again] == ["killed"]


def test_a_run_that_did_not_come_to_a_good_end_has_an_exit_code():
    codes = {state: end.code for state, end in ledger.ENDS.items()}
    assert codes == {"ok": 0, "failed": 1, "timed_out": 5, "killed": 6, "skipped": 0}
