"""No true sentence is refused: whatever unit, size, sign, direction, locale and restatement, pages stand and readers agree."""

from __future__ import annotations

from collections import Counter

import pytest
from nbformat import v4

from dataops_nb import story
from dataops_nb.reports import pages
from dataops_nb.reports.pages import seals
from tests import boards
from tests.sentences import wrong

pytestmark = pytest.mark.long

META = pages.Meta("sales", "1.2.3")
DAILY, SOAK = range(12), range(1_000, 3_000)


def cell(shown):
    return v4.new_code_cell("s", outputs=[v4.new_output("display_data", data=shown)])


def check(seed):
    """Build and verify the page of all that is told of a board, and count its sentences by kind."""
    drawn = boards.draw(seed)
    counts = Counter()
    cells = []
    for name, told in drawn.told():
        counts[name] += len(told.sentences)
        if told.sentences:
            cells.append(cell(told._repr_mimebundle_()))
        if drawn.locale == "en_US":  # the reader knows English
            for sentence in told.sentences:
                problems = wrong(sentence, drawn.locale)
                assert not problems, f"seed {seed}, {name}: {sentence.text!r} {problems}"
    cells.append(cell(story.record(drawn.this)._repr_mimebundle_()))
    html = pages.build(v4.new_notebook(cells=cells), "analyst", META)
    refused = seals.page(html)
    assert not refused, f"seed {seed}, {drawn.unit!r}, {drawn.locale}: {refused[0]}"
    return counts


@pytest.mark.parametrize("seed", DAILY)
def test_every_sentence_about_a_board_by_chance_is_published_and_verified(seed):
    assert check(seed)["headline"] >= 1


@pytest.mark.slow
def test_every_sentence_about_thousands_of_boards(capsys):
    counts = Counter()
    for seed in SOAK:
        counts += check(seed)
    with capsys.disabled():
        print(f"\n{len(SOAK):,} boards, {counts.total():,} sentences: {dict(counts)}")
    assert min(counts[name] for name in ("headline", "restated", "action", "moved")) > 100
