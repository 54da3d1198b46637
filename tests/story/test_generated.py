"""Summaries of generated companies: what to do is always said, and nobody reads for longer than agreed.

What is sent of them says the same words, none of our own making, and fits into a mail and a message.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dataops_nb import alignment, board, status, story
from dataops_nb.reports.delivery import formats, mail, words
from dataops_nb.story.summary import PAGE_WORDS, TILES, WORDS
from tests import summaries
from tests.reports.test_sharing import refused
from tests.story.test_wordings import NEVER, UNIT_TWICE

pytestmark = pytest.mark.long
WEEKS = 90
WEEK = "2026-W47"
NOUNS = (
    "Deals",
    "Sad customers",
    "Sign-ups, all channels",
    "Revenue",
    "Share of happy customers",
    "Tickets",
)


LONG = "of the customers whom our partners in the northern and the southern regions have looked after for years"


def company(seed: int, ending: str = ""):
    """A board of two to six metrics over 90 weeks: some with a target, some after a change of level, some with gaps.

    `ending` makes the labels longer.
    """
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
        labels[name] = f"{NOUNS[place % len(NOUNS)]} {ending}".strip()
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
    assert_sent_in_our_words(page)


def sent(page: str, report: str = "sales") -> words.Words:
    """What a mail and a message tell of a page."""
    return words.read(page, report, "red", period=WEEK, site="https://reports.example")


def texts_of(body: dict) -> list[str]:
    """Every text of a message for Slack."""
    found = [body["text"]]
    for block in body["blocks"]:
        found += [block["text"]["text"], *(field["text"] for field in block.get("fields", []))]
    return found


LONG_LABELS = [
    pytest.param(seed, marks=[] if seed < 5 else pytest.mark.slow) for seed in range(100)
]


@pytest.mark.parametrize("seed", LONG_LABELS)
def test_labels_of_a_long_name_fit_into_a_mail_and_a_message(seed, tmp_path):
    assert_sent_in_our_words(summaries.write(company(seed, LONG), tmp_path).read_text("utf-8"))


def assert_sent_in_our_words(page: str) -> None:
    """A mail, a message and a digest say what a page says, without the words that explain themselves."""
    # Without the chart, which is looked at elsewhere.
    told = replace(sent(page), picture=None)
    assert bool(told.cause) == ('class="nb-cause"' in page)
    letter = mail.as_text(told.subject, [told])
    body = formats.blocks(told.subject, [told])
    assert refused(body) == []
    said = [*letter.splitlines(), *texts_of(body)]
    assert [line for line in said if NEVER.search(line)] == []
    assert [line for line in said if UNIT_TWICE.search(line)] == []
    for sentence in (told.headline, *told.to_do):
        assert sentence.split()[0] in letter
    digest = mail.as_text("Week 47", [told] * 3)
    assert not NEVER.search(digest)
    assert refused(formats.blocks("Week 47: 3 red · Lumen", [told] * 60)) == []
