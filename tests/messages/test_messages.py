"""The message lab: exact figures, forms that give nothing away, answers that are checked, and the winner in params."""

import datetime as dt
import json
import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataops_nb import messages, tables
from dataops_nb.cli import main
from dataops_nb.errors import UsageError
from dataops_nb.messages.trials import Trial
from dataops_nb.workbench.memory import Answered

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
COUNT = st.integers(min_value=0, max_value=12)


# --- figures --------------------------------------------------------------------------------------------------------


def test_fisher_gives_the_published_p():
    assert messages.fisher((8, 2), (1, 5)) == pytest.approx(0.03497, abs=5e-6)
    assert messages.fisher((12, 8), (17, 3)) == pytest.approx(0.1552, abs=5e-5)


def test_the_chance_that_b_is_better_is_the_beta_binomials():
    assert messages.better((12, 8), (17, 3)) == pytest.approx(0.9573, abs=5e-5)


@given(COUNT, COUNT, COUNT, COUNT)
def test_one_is_better_as_often_as_the_other_is_not(a, b, c, d):
    assert messages.better((a, b), (c, d)) + messages.better((c, d), (a, b)) == pytest.approx(1)


@given(COUNT, COUNT, COUNT, COUNT)
def test_fishers_p_does_not_depend_on_which_row_or_answer_comes_first(a, b, c, d):
    p = messages.fisher((a, b), (c, d))
    assert 0 < p <= 1 + 1e-12
    assert messages.fisher((c, d), (a, b)) == pytest.approx(p)
    assert messages.fisher((b, a), (d, c)) == pytest.approx(p)


def test_the_power_is_what_was_computed_for_readers_an_arm():
    assert messages.readers_needed(0.4, 0.8) == 27
    assert messages.power(0.6, 0.8, 10) == pytest.approx(0.06, abs=0.005)
    assert messages.power(0.6, 0.8, 90) == pytest.approx(0.80, abs=0.005)


def test_kappa_is_agreement_beyond_chance():
    # 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: .7 seen, .5 by chance
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert messages.kappa(pairs) == pytest.approx(0.4)
    assert messages.kappa([]) != messages.kappa([])


# --- forms ----------------------------------------------------------------------------------------------------------


def trial(**more):
    said = {
        "metric": "sad", "label": "Sad customers", "as_of": "2026-11-22", "period": "2026-W47",
        "variants": {"a": "44 customers are sad.", "b": "We failed 44 <customers>."}, "light": "red", "way": "up",
        "actions": {"green": "Keep going.", "red": "Stop & plan."}, "departments": {"sales": "Sales"}, "readers": 5,
    }  # fmt: skip
    return Trial(**{**said, **more})


def test_a_form_shows_one_variant_and_gives_no_answer_away(tmp_path):
    messages.write(tmp_path, trial(), "lab@example.com")
    page = (tmp_path / "messages" / "sad" / "b.html").read_text()
    assert "We failed 44 &lt;customers&gt;." in page
    assert "44 customers are sad" not in page
    assert page.index('value="green"') < page.index('value="red"')
    assert "checked" not in page
    assert "http:" not in page.replace("http-equiv", "")
    assert sorted(each.name for each in (tmp_path / "messages" / "sad").iterdir()) == [
        "a.html",
        "b.html",
    ]


def test_readers_are_assigned_by_chance_and_evenly():
    plan = list(messages.assign(trial(readers=50)).values())
    assert (plan.count("a"), plan.count("b")) == (50, 50)
    assert all(abs(plan[:n].count("a") - n / 2) <= 1 for n in range(100))
    assert len({"".join(plan[i : i + 2]) for i in range(0, 100, 2)}) > 2


def test_a_number_does_not_tell_its_variant_without_the_seed(tmp_path):
    kept, _ = messages.write(tmp_path, trial(readers=20))
    other, _ = messages.write(tmp_path / "elsewhere", trial(readers=20))
    assert kept.id == other.id
    assert not set(messages.assign(kept)) & set(messages.assign(other))


def test_who_was_invited_stays_invited_when_more_are(tmp_path):
    first, _ = messages.write(tmp_path, trial(readers=5))
    more, _ = messages.write(tmp_path, trial(readers=9))
    before, after = messages.assign(first), messages.assign(more)
    assert {reader: after[reader] for reader in before} == before
    assert len(after) == 18
    assert messages.assign(messages.write(tmp_path, trial(readers=2))[0]) == after


def test_each_invitation_leads_to_the_page_of_its_variant(tmp_path):
    kept, files = messages.write(tmp_path, trial())
    (invited,) = [path for path in files if path.suffix == ".csv"]
    assert "messages" not in invited.parts
    rows = [line.split(",") for line in invited.read_text().splitlines()[1:]]
    assert {reader: (variant, page) for reader, variant, page in rows} == {
        reader: (variant, f"{variant}.html#{reader}")
        for reader, variant in messages.assign(kept).items()
    }


def test_one_pitch_cannot_be_compared(tmp_path):
    with pytest.raises(UsageError, match="two pitches"):
        messages.write(tmp_path, trial(variants={"a": "Text."}))


# --- answers --------------------------------------------------------------------------------------------------------


def reader_of(this, variant, place=0):
    return [reader for reader, given in messages.assign(this).items() if given == variant][place]


def said(this, variant="a", place=0, **more):
    answer = {
        "schema_version": 1, "trial": this.id, "metric": "sad", "variant": variant, "reader": reader_of(this, variant, place), "department": "sales",
        "altitude": "manager", "colour": "red", "direction": "up", "action": "Stop & plan.", "sure": "4", "words": "Call.",
    }  # fmt: skip
    return json.dumps({**answer, **more})


def test_an_answer_is_kept_with_what_was_right_in_it(tmp_path):
    this = trial()
    found = [
        messages.parse(said(this, place=n, colour=c), "f", this)
        for n, c in ((1, "red"), (2, "green"))
    ]
    assert messages.record(tmp_path, this, found, NOW) == 2
    kept = messages.answers(tmp_path, this.id)
    assert kept["understood"].tolist() == [True, False]
    assert kept["direction_right"].tolist() == [True, True]


def test_a_reader_answers_a_trial_once(tmp_path):
    this = trial()
    first, again = (messages.parse(said(this, colour=c), "f", this) for c in ("red", "green"))
    assert [messages.record(tmp_path, this, [each], NOW) for each in (first, again)] == [1, 0]


def test_an_answer_comes_back_as_the_lines_of_a_mail_too():
    this = trial()
    mail = "\r\n".join(f"{name}={value}" for name, value in json.loads(said(this)).items())
    assert messages.parse(mail, "mail.txt", this) == messages.parse(said(this), "f", this)


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"trial": "x"}, "belongs to trial x"),
        ({"colour": "rde"}, "colour 'rde' is not one of the choices; did you mean 'red'"),
        ({"department": ""}, "department '' is not one of the choices"),
        ({"reader": ""}, "reader '' was not invited"),
        ({"reader": "r001"}, "reader 'r001' was not invited"),
        ({"sure": "9"}, "sure '9' is not one of the choices"),
    ],
)
def test_what_was_not_offered_is_refused_by_file_and_field(more, fault):
    with pytest.raises(
        UsageError, match=re.escape(f"f.json: {fault}") if "trial" not in more else fault
    ):
        messages.parse(said(trial(), **more), "f.json", trial())


def test_a_reader_cannot_choose_the_other_variant():
    this = trial()
    with pytest.raises(
        UsageError, match=f"reader {reader_of(this, 'a')} was sent pitch 'a', not 'b'"
    ):
        messages.parse(said(this, "a").replace('"variant": "a"', '"variant": "b"'), "f.json", this)


def test_the_next_reader_is_the_first_who_has_not_answered(tmp_path):
    this = trial()
    first, second, *_ = messages.assign(this)
    assert messages.next_reader(tmp_path, this) == first
    given = messages.assign(this)[first]
    messages.record(tmp_path, this, [messages.parse(said(this, given), "f", this)], NOW)
    assert messages.next_reader(tmp_path, this) == second
    assert messages.next_reader(tmp_path, trial(readers=0)) is None


def answered_frame(this, out, colours):
    found = [
        messages.parse(said(this, "a", place, colour=c), "f", this)
        for place, c in enumerate(colours)
    ]
    messages.record(out, this, found, NOW)
    return messages.answers(out)


def answered(this, tmp_path, a, b):
    found = []
    for variant, (right, wrong) in (("a", a), ("b", b)):
        for place in range(right + wrong):
            colour = "red" if place < right else "cannot tell"
            text = said(this, variant, place, colour=colour)
            found.append(messages.parse(text, "f", this))
    messages.record(tmp_path, this, found, NOW)
    return messages.result(this, messages.answers(tmp_path))


def test_the_result_has_the_figures_of_its_answers(tmp_path):
    found = answered(trial(readers=20), tmp_path, (12, 8), (17, 3))
    assert found.better == pytest.approx(0.9573, abs=5e-5)
    assert found.p == pytest.approx(0.1552, abs=5e-5)
    assert found.winner == "b"
    assert found.evidence == "a 12 of 20, b 17 of 20 understood it; P(b > a) .96, Fisher p .155"
    assert found.reached == pytest.approx(messages.power(0.6, 0.8, 20))
    assert set(found.agreement["by"]) == {"department", "altitude"}


def test_agreement_on_lights_is_told_across_trials_of_several_lights(tmp_path):
    red, green = trial(readers=20), trial(light="green", as_of="2026-11-29", readers=20)
    one = messages.agreement(answered_frame(red, tmp_path, ["red"] * 8 + ["green"] * 2)).iloc[0]
    assert one["alike"] == pytest.approx(0.8)
    assert one["kappa"] != one["kappa"]
    both = messages.agreement(answered_frame(green, tmp_path, ["green"] * 7 + ["red"] * 3))
    # ours red 10, green 10; theirs red 11, green 9; 15 of 20 alike, .5 by chance
    assert both[both["by"] == "department"]["kappa"].tolist() == pytest.approx([0.5])


def test_a_table_shows_the_agreement_and_where_it_cannot_be_told(tmp_path):
    answered_frame(trial(readers=20), tmp_path, ["red"] * 8 + ["green"] * 2)
    company = SimpleNamespace(departments={"sales": SimpleNamespace(department="Sales")})
    board = SimpleNamespace(memory=Answered(tmp_path), company=company, locale="en_US")
    shown = tables.agreed(board).rows
    rest = ["10", "80%", "one status only"]
    assert shown == [["department", "Sales", *rest], ["altitude", "manager", *rest]]


def test_a_probability_is_never_printed_as_none_or_all_of_it(tmp_path):
    found = answered(trial(readers=40), tmp_path, (2, 38), (38, 2))
    assert found.evidence == "a 2 of 40, b 38 of 40 understood it; P(b > a) >.99, Fisher p <.001"


def test_too_few_answers_have_no_winner(tmp_path):
    assert answered(trial(), tmp_path, (2, 1), (2, 1)).winner is None


def test_without_answers_there_is_no_figure():
    found = messages.result(trial(), messages.answers(None))
    assert (found.p, found.better, found.winner, found.evidence) == (
        None,
        None,
        None,
        "both pitches need answers first",
    )


# --- the winner -----------------------------------------------------------------------------------------------------

FILE = """# who we are
metrics:
  sad:
    type: simple   # one aggregation
    pitch:
      a: "One."   # the old one
      b: "Two."

  # the good side
  happy:
    type: simple
"""


def choose(path, variant="b"):
    return messages.choose(path, "sad", variant, dt.date(2026, 11, 22), 'b is "better"')


def test_the_winner_is_one_new_line_and_every_other_byte_stays(tmp_path):
    path = tmp_path / "service.yaml"
    path.write_text(FILE)
    line = choose(path)
    assert path.read_text() == FILE.replace('      b: "Two."\n', f'      b: "Two."\n    {line}\n')
    assert line == 'pitch_choice: {use: "b", on: 2026-11-22, because: "b is \\"better\\""}'


def test_a_later_winner_takes_the_place_of_the_earlier_one(tmp_path):
    path = tmp_path / "service.yaml"
    path.write_text(FILE)
    choose(path, "a")
    choose(path, "b")
    assert path.read_text().count("pitch_choice") == 1
    assert 'use: "b"' in path.read_text()


def test_where_the_pitch_is_no_block_the_line_is_said_and_nothing_written(tmp_path):
    path = tmp_path / "service.yaml"
    path.write_text('metrics:\n  sad: {type: simple, pitch: {a: "One."}}\n')
    with pytest.raises(UsageError, match="add this line below sad's pitch: pitch_choice"):
        choose(path)
    assert "pitch_choice" not in path.read_text()


def test_answers_go_to_one_mail_address(capsys):
    assert main(["message", "form", "closed_won", "--mail", "nobody"]) == 2
    assert "'nobody' is not an email address" in capsys.readouterr().err
