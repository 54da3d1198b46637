"""What changed since the last report: lights that differ from those of the newest earlier day."""

from __future__ import annotations

import datetime as dt

import pytest

from dataops_nb import board, definitions, history, sources, story
from dataops_nb.tables.scorecard import reactions
from tests import sentences
from tests.story.test_reactions import COMPANY, DEPARTMENT, END


@pytest.fixture
def this(tmp_path):
    """A shop with an order a day up to the last week, which has one; `lights` came before."""
    (tmp_path / "params" / "departments").mkdir(parents=True)
    (tmp_path / "params" / "company.yaml").write_text(COMPANY)
    (tmp_path / "params" / "departments" / "shop.yaml").write_text(DEPARTMENT)
    days = [dt.date(2026, 10, 5) + dt.timedelta(days=i) for i in range(42)]
    rows = "".join(f"{day},5\n" for day in [*days, END])
    (tmp_path / "orders.csv").write_text(f"day,amount\n{rows}")
    known = definitions.load(tmp_path / "params")

    def make(*lights):
        for as_of, period, metric, light in lights:
            row = {"metric": metric, "grain": "week", "period": period, "light": light}
            history.keep_lights(
                tmp_path / "out", [row], as_of=dt.date.fromisoformat(as_of), report="shop", run="r"
            )
        catalog = sources.open(known, tmp_path, END)
        return board.measure(
            catalog,
            ["orders", "amount"],
            department="shop",
            memory=history.Folder(tmp_path / "out"),
        )

    return make


def test_a_light_that_turned_is_told_with_the_day_of_the_report_before(this):
    now = this(
        ("2026-11-15", "2026-W46", "orders", "green"),
        ("2026-11-15", "2026-W46", "amount", "unknown"),
    )
    (said,) = story.changed(now).sentences
    assert said.text == "Orders: green on 15 Nov, red now."
    facts = {fact["id"]: fact for fact in story.record(now).payload["facts"]}
    assert set(said.facts) <= set(facts)
    assert sentences.wrong(said) == []


def test_only_the_newest_earlier_report_counts_and_of_it_the_period_that_was_complete(this):
    now = this(("2026-11-08", "2026-W45", "orders", "green"), ("2026-11-18", "2026-W46", "orders", "red"),
               ("2026-11-18", "2026-W47", "orders", "green"), ("2026-11-22", "2026-W47", "orders", "yellow"))  # fmt: skip
    assert str(story.changed(now)) == "No light has changed since 18 Nov."


def test_a_first_report_has_nothing_to_compare_with(this):
    assert str(story.changed(this())) == ""


def test_it_is_folded_in_a_notebook(this):
    assert (
        story.changed(this())
        ._repr_mimebundle_()["text/html"]
        .startswith("<details><summary>What changed since")
    )


def test_what_we_do_next_names_owner_action_and_day(this):
    assert list(reactions(this()).rows[0])[2:] == ["Ann", "Find the cause.", "Fri 27 Nov"]
