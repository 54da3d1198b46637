"""Readers at the notebook: each gets the pitch that chance has given them, and an answer is kept only when it is whole."""

import json
from types import SimpleNamespace

import pytest

from dataops_nb import controls, messages
from dataops_nb.controls.questions import Asking
from dataops_nb.messages.trials import Trial
from dataops_nb.workbench.memory import Answered, KeptTrial


@pytest.fixture
def trial(tmp_path):
    said = Trial(
        metric="sad", label="Sad customers", as_of="2026-11-22", period="2026-W47",
        variants={"a": "44 customers are sad.", "b": "We failed <44> customers."}, light="red", way="up",
        actions={"green": "Keep going.", "red": "Stop."}, departments={"sales": "Sales"}, readers=2,
    )  # fmt: skip
    return messages.write(tmp_path, said)[0]


@pytest.fixture
def asking(tmp_path, trial):
    return Asking(KeptTrial(tmp_path, trial))


def answer(asking, **more):
    given = {
        "colour": "red",
        "direction": "up",
        "action": "Stop.",
        "sure": "4",
        "department": "sales",
        "altitude": "manager",
    }
    for name, value in {**given, **more}.items():
        asking.answers[name].value = value
    asking.button.click()


def test_readers_get_the_pitches_in_the_order_that_chance_has_decided(asking, trial, tmp_path):
    for reader, variant in messages.assign(trial).items():
        assert asking.reader == reader
        assert (
            trial.variants[variant].replace("<", "&lt;").replace(">", "&gt;") in asking.pitch.value
        )
        answer(asking)
    kept = messages.answers(tmp_path, trial.id)
    assert dict(zip(kept["reader"], kept["variant"], strict=True)) == messages.assign(trial)
    assert kept["understood"].all()
    assert asking.button.disabled
    assert "All readers have answered" in asking.pitch.value


def test_what_is_still_open_is_said_and_nothing_is_kept(asking, trial, tmp_path):
    answer(asking, colour=None)
    assert "Please answer: How is this number doing?" in asking.message.value
    assert messages.answers(tmp_path, trial.id).empty


def test_the_next_reader_finds_nothing_chosen(asking):
    answer(asking)
    assert [each.value for each in asking.answers.values()] == [None] * 6
    assert "Saved" in asking.message.value


def test_where_nobody_can_answer_it_says_how_many_have(trial, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAOPS_WIDGETS", "0")
    here = SimpleNamespace(memory=Answered(tmp_path), lead="sad")
    shown = json.dumps(controls.readers(here)._repr_mimebundle_())
    assert "Readers of the last trial" in shown
    assert not any(reader in shown for reader in messages.assign(trial))
    assert "message form revenue" in json.dumps(
        controls.readers(here, "revenue")._repr_mimebundle_()
    )


def test_where_somebody_sits_the_questions_are_asked(trial, tmp_path, monkeypatch):
    monkeypatch.setenv("DATAOPS_WIDGETS", "1")
    assert controls.readers(
        SimpleNamespace(memory=Answered(tmp_path), lead="sad")
    ).reader in messages.assign(trial)
