"""Summaries of generated companies: what to do is always said, and nobody reads for longer than agreed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dataops_nb import alignment, board, status, story
from dataops_nb.story.summary import PAGE_WORDS, TILES, WORDS
from tests import summaries
from tests.story.test_wordings import NEVER

pytestmark = pytest.mark.faults
WEEKS = 90
NOUNS = (
    "Deals",
    "Sad customers",
    "Sign-ups, all channels",
    "Revenue",
    "Share of happy customers",
    "Tickets",
)


def company(seed: int):
    """A board of two to six metrics over 90 weeks: some with a target, some after a change of level, some with gaps."""
    random = np.random.default_rng(seed)
    days = pd.date_range("2025-03-03", periods=WEEKS * 7)
    tables, agreed, labels = [], {}, {}
    for place in range(int(random.integers(2, 7))):
        name = f"m{place}"
        level = float(random.choice([3, 40, 900, 250_000]))
        noise = random.normal(0, level * random.uniform(0.02, 0.5), len(days))
        shift = np.where(np.arange(len(days)) > random.integers(200, 900), level * 0.4, 0)
        frame = pd.DataFrame({"day": days, "n": np.maximum(level + noise + shift, 0).round(2)})
        if random.random() < 0.2:
            frame = frame.iloc[: -int(random.integers(1, 40))]
        tables.append(
            alignment.from_frame(
                frame, name, time="day", value="n", agg=str(random.choice(["sum", "average"])), as_of="2026-11-22",
                covers=("2025-03-03", "2026-11-22"),
            )
        )  # fmt: skip
        labels[name] = NOUNS[place % len(NOUNS)]
        if random.random() < 0.8:
            last = float(tables[-1]["value"].dropna().iloc[-1])
            better = str(random.choice(["up", "down"]))
            agreed[name] = status.Agreement(
                target=last * random.uniform(0.6, 1.4), better=better, yellow=0.85
            )
    judged = status.judge(alignment.combine(*tables), agreed)
    return board.of(judged, lead="m0", labels=labels)


# Twenty each time, a hundred in the long run.
SEEDS = [pytest.param(seed, marks=[] if seed < 20 else pytest.mark.slow) for seed in range(100)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_summary_says_what_to_do_and_has_few_words(seed, tmp_path):
    this = company(seed)
    parts = [story.opening(this), story.to_do(this), story.why(this), story.others(this)]
    assert parts[0].sentences
    assert parts[1].sentences
    assert sum(len(sentence.text.split()) for part in parts for sentence in part.sentences) <= WORDS
    assert 1 <= len(story.tiles(this).sentences) <= TILES
    texts = [sentence.text for part in parts for sentence in part.sentences]
    assert len(texts) == len(set(texts))
    assert [text for text in texts if NEVER.search(text)] == []
    for part in (*parts[1:], story.what_changed(this)):
        assert part.heading
    page = summaries.write(this, tmp_path).read_text("utf-8")
    assert summaries.words(page) <= PAGE_WORDS
