"""Every word of a company's report shows something of the sample company."""

import datetime as dt
from pathlib import Path

import pytest

from dataops_nb import board, charts, definitions, reconciliation, sources, story, tables
from dataops_nb.display import Table, Told
from dataops_nb.workbench import sample
from tests.test_doctests import WORDS

PARAMS = Path(__file__).parents[1] / "params"
END = dt.date(2026, 11, 22)
OF_A_PAIR = ("bridge", "rows_apart")


@pytest.fixture(scope="module")
def this(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    sample.write(folder, seed=20, end=END, weeks=52)
    known = definitions.load(PARAMS)
    metrics = [known.company.north_star[0], *reconciliation.declared(known)]
    with sources.open(known, folder, END) as catalog:
        yield board.measure(catalog, list(dict.fromkeys(metrics)))


def arguments(this, word):
    if word in OF_A_PAIR:
        return [this, story.pairs(this)[0]]
    return [this]


@pytest.mark.parametrize("word", [word for word in WORDS["story"] if word != "pairs"])
def test_a_word_of_the_story_is_said(this, word):
    assert isinstance(getattr(story, word)(this), Told)


@pytest.mark.parametrize("word", [word for word in WORDS["tables"] if word != "doors"])
def test_a_word_of_the_tables_is_shown(this, word):
    table = getattr(tables, word)(*arguments(this, word))
    assert isinstance(table, Table)
    assert str(table)


def test_two_systems_are_compared(this):
    pair = story.pairs(this)[0]
    assert pair.a.metric in reconciliation.declared(this.company)
    assert charts.bridge(this, pair).to_dict()["title"]["text"]
