"""Check-ins: what was agreed to be done about a light, by when, and what its owner said."""

import datetime as dt
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from dataops_nb import board, definitions, history, sources, status, story
from dataops_nb.bookkeeping import files
from dataops_nb.cli import main
from dataops_nb.story import actions
from tests import sentences

END = dt.date(2026, 11, 22)
COMPANY = """
company: Test
timezone: America/New_York
lights:
  standard:
    green: {at_least: 1.0, means: "On plan.", do: "Go on."}
    yellow: {at_least: 0.8, means: "Recoverable.", do: "Review.", act_within: 14d}
    red: {means: "At risk.", do: "Re-plan.", act_within: 5d}
sources: {orders: {system: Shop, path: orders.csv, time: day}}
"""
DEPARTMENT = """
department: Shop
owner: Ann
defaults: {source: orders, lights: standard}
metrics:
  orders: {type: simple, measure: {agg: count}, targets: [{from: 2020-01-01, per: week, value: 7}]}
  amount: {type: simple, measure: {agg: sum, expr: amount}}
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A shop with an order a day, and none in the week from 9 November; two in the week after."""
    root = tmp_path_factory.mktemp("shop")
    (root / "params" / "departments").mkdir(parents=True)
    (root / "params" / "company.yaml").write_text(COMPANY)
    (root / "params" / "departments" / "shop.yaml").write_text(DEPARTMENT)
    (root / "data").mkdir()
    days = [
        *pd.date_range("2026-10-05", "2026-11-08"),
        *pd.to_datetime(["2026-11-17", "2026-11-22"]),
    ]
    (root / "data" / "orders.csv").write_text(
        "day,amount\n" + "".join(f"{day:%Y-%m-%d},5\n" for day in days)
    )
    return root


@pytest.fixture(scope="module")
def this(bench):
    known = definitions.load(bench / "params")
    return board.measure(sources.open(known, bench / "data", END), ["orders", "amount"])


def said(this, *rows):
    notes = pd.DataFrame(rows, columns=["metric", "as_of"])
    return status.reactions(this.table, notes, this.company, END).set_index("metric")


def test_a_light_is_on_since_the_end_of_the_first_period_of_its_run(this):
    found = said(this)
    assert found.loc["orders", ["light", "since"]].tolist() == ["red", dt.date(2026, 11, 15)]


def test_the_agreed_days_are_counted_down_from_there(this):
    found = said(this)
    assert found.loc["orders", ["due", "days_left", "overdue"]].tolist() == [
        dt.date(2026, 11, 20),
        -2,
        True,
    ]


def test_a_note_since_then_answers_the_light(this):
    found = said(this, ("orders", "2026-11-16"))
    assert found.loc["orders", ["answered", "overdue"]].tolist() == [True, False]


def test_a_note_on_an_earlier_light_answers_nothing(this):
    assert said(this, ("orders", "2026-11-08")).loc["orders", "overdue"]


def test_what_is_not_judged_asks_for_no_reaction(this):
    assert "amount" not in said(this).index


def test_an_overdue_reaction_is_told_with_its_owner_and_its_day(this):
    text = str(story.reactions(this))
    assert "Ann: respond on orders now. It was due 20 Nov, 2 days ago." in text
    assert [each.text for each in actions.overdue(this)] == text.splitlines()


def test_a_reaction_that_is_months_late_is_told_by_its_day_and_not_counted(this):
    rows = this.reactions.assign(days_left=-actions.COUNTED - 1)
    (said,) = actions.overdue(replace_reactions(this, rows))
    assert said.text.endswith("It was due 20 Nov and nothing has been recorded since 15 Nov.")


def replace_reactions(this, rows):
    other = replace(this)
    other.__dict__["reactions"] = rows
    return other


def test_a_light_that_cannot_be_judged_now_is_told_as_it_last_was(this):
    now = this.table.assign(
        light=this.table["light"].mask(this.table["period"] == this.period.id, "unknown"),
        complete=this.table["complete"] & (this.table["period"] != this.period.id),
    )
    unsure = replace(this, table=now)
    told = story.reactions(unsure).sentences[0]
    assert "Last result red since 15 Nov; no newer data." in told.text
    assert sentences.wrong(told) == []


def test_every_fact_of_a_reaction_travels_with_the_record(this):
    known = {fact["id"] for fact in story.record(this).payload["facts"]}
    assert {id_ for each in story.reactions(this).sentences for id_ in each.facts} <= known


def note(bench, out, metric, text):
    """Note something about a metric by command; returns the exit code."""
    words = ["-w", str(bench), "--out", str(out), "note", metric, text, "--as-of", "2026-11-22"]
    return main(words)


def test_a_note_is_kept_with_its_light_and_shown_until_it_is_answered(bench, tmp_path, capsys):
    def run(*words):
        assert (
            main(["-w", str(bench), "--out", str(tmp_path), *words, "--as-of", "2026-11-22"]) == 0
        )
        return capsys.readouterr().out

    run("note", "orders", "The shop  was closed.")
    kept = history.notes(tmp_path, END).iloc[0]
    assert kept[["light", "who", "text", "as_of"]].tolist() == [
        "red",
        "Ann",
        "The shop was closed.",
        "2026-11-22",
    ]
    assert "overdue" not in run("status")
    known = definitions.load(bench / "params")
    noted = board.measure(
        sources.open(known, bench / "data", END), ["orders"], memory=history.Folder(tmp_path)
    )
    assert str(story.notes(noted)) == "Ann, 22 Nov: The shop was closed."
    run("note", "orders", "It is open again.", "--answer", "--who", "Bob")
    assert not history.notes(tmp_path, END)["open"].any()


@pytest.mark.parametrize(
    ("text", "word", "fact"),
    [
        ("We are green again.", "'green'", "Orders are red"),
        ("We had nine orders.", "'9'", "the value of Orders is 2"),
    ],
)
def test_a_note_that_the_facts_contradict_is_not_kept(bench, tmp_path, capsys, text, word, fact):
    assert note(bench, tmp_path, "orders", text) == 2
    said = capsys.readouterr().err
    assert word in said
    assert fact in said
    assert history.notes(tmp_path, END).empty


def test_what_nobody_can_check_in_a_note_is_said_and_the_note_kept(bench, tmp_path, capsys):
    text = "Two cooks were ill; we will be green next week."
    assert note(bench, tmp_path, "orders", text) == 0
    said = capsys.readouterr().err
    assert "we can't check '2' in 'Two cooks were ill'" in said
    assert "'green' in 'we will be green next week'" in said
    assert len(history.notes(tmp_path, END)) == 1


def test_a_note_whose_number_no_longer_holds_is_told_of_its_own_period(bench, tmp_path):
    assert note(bench, tmp_path, "orders", "Only 2 orders, we are red.") == 0
    known = definitions.load(bench / "params")
    later = board.measure(
        sources.open(known, bench / "data", dt.date(2026, 11, 29)),
        ["orders"],
        memory=history.Folder(tmp_path),
    )
    (noted,) = story.notes(later).sentences
    assert noted.text == "Ann, 22 Nov (about week 47): Only 2 orders, we are red."
    assert sentences.wrong(noted) == []


def test_a_note_for_which_there_is_no_room_is_told_and_the_earlier_ones_stay(
    bench, tmp_path, monkeypatch, capsys
):
    assert note(bench, tmp_path, "orders", "The shop was closed.") == 0

    def full(handle, content):
        handle.write(content[:9])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files, "_write", full)
        assert note(bench, tmp_path, "orders", "The disk is full.") == 7
    assert "No space left on device" in capsys.readouterr().err
    assert history.notes(tmp_path, END)["text"].tolist() == ["The shop was closed."]


def test_a_note_of_a_later_day_does_not_exist_yet(tmp_path):
    row = {"noted_at": "t", "as_of": "2026-11-23", "metric": "m", "kind": "note", "text": "later"}
    history.NOTES.add(tmp_path, [row])
    assert history.notes(tmp_path, END).empty


@pytest.mark.parametrize("text", ["", "   ", "x" * 501])
def test_a_note_that_says_nothing_or_too_much_is_refused(bench, tmp_path, capsys, text):
    assert main(["-w", str(bench), "--out", str(tmp_path), "note", "orders", text]) == 2
    assert "the note" in capsys.readouterr().err


def test_a_note_says_facts_by_name_and_is_kept_with_the_numbers_of_its_period(
    bench, tmp_path, capsys
):
    words = ["-w", str(bench), "--out", str(tmp_path), "note", "orders", "--as-of", "2026-11-22"]
    assert main([*words, "Only {orders.value} orders of {orders.target}: {so it goes}."]) == 0
    assert history.notes(tmp_path, END)["text"].tolist() == ["Only 2 orders of 7: {so it goes}."]
    assert main([*words, "Only {orders.valeu} orders."]) == 2
    assert (
        "no fact {orders.valeu} for 2026-W47; did you mean 'orders.value'?"
        in capsys.readouterr().err
    )


def test_where_nobody_owns_a_metric_the_action_says_so(bench, tmp_path):
    shutil.copytree(bench / "params", tmp_path / "params")
    (tmp_path / "params" / "departments" / "shop.yaml").write_text(
        DEPARTMENT.replace("owner: Ann\n", "")
    )
    known = definitions.load(tmp_path / "params")
    nobodys = board.measure(sources.open(known, bench / "data", END), ["orders"])
    told = story.action(nobodys)
    assert str(told).splitlines()[-1] == "No owner yet."
    assert not any(sentences.wrong(said) for said in told.sentences)


def test_the_companys_own_words_speak_where_nothing_else_is_known(bench, tmp_path):
    shutil.copytree(bench / "params", tmp_path / "params")
    plain = COMPANY.replace(
        'means: "At risk.", do: "Re-plan.", act_within: 5d', 'means: "At risk", do: "Re-plan"'
    )
    assert plain != COMPANY
    (tmp_path / "params" / "company.yaml").write_text(plain)
    known = definitions.load(tmp_path / "params")
    told = story.action(board.measure(sources.open(known, bench / "data", END), ["orders"]))
    assert str(told) == "Ann: Re-plan."
