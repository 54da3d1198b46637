"""What people type beside a number is held against it by meaning; what cannot be judged is said to be."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dataops_nb import story
from dataops_nb.story import About, Fact

CORPUS = Path(__file__).with_name("comments.csv")


def about(metric, label, unit, better, past, target, last_year, light, variation, question=""):
    value, previous = past[-1], past[-2]
    attained = min(target / value if better == "down" else value / target, 9)
    numbers = {
        "value": value, "target": target, "gap": value - target, "previous": previous, "change": value - previous,
        "same_last_year": last_year, "change_last_year": value - last_year, "attainment": attained,
    }  # fmt: skip
    facts = [Fact(f"{metric}.{n}", metric, None, "2026-W47", n, v, unit, f"{v:g}") for n, v in numbers.items()]
    words = {"light": light, "better": better, "variation": variation}
    facts += [Fact(f"{metric}.{n}", metric, None, "2026-W47", n, v, "", v) for n, v in words.items()]
    return About(metric, label, {fact.field: fact for fact in facts}, past, question=question)


KNOWN = [
    about("meetings", "Meetings held", "meetings", "up", [33, 36, 40, 44, 39, 42, 45, 40, 37, 36, 35, 38, 41], 45, 46,
          "yellow", "common cause"),
    about("churn", "Churn rate", "percent", "down",
          [0.015, 0.016, 0.015, 0.017, 0.018, 0.016, 0.017, 0.018, 0.019, 0.02, 0.0205, 0.021, 0.024], 0.02, 0.03,
          "red", "special-cause concern", "What share of our customers left?"),
    about("revenue", "Revenue", "USD", "up", [140e3, 150e3, 148e3, 155e3, 151e3, 149e3, 158e3, 157e3, 161e3, 156e3, 162e3, 160e3, 183400],
          180e3, 91500, "green", "special-cause improvement"),
    about("sad", "Sad customers", "customers", "down", [20, 22, 19, 25, 21, 23, 26, 24, 22, 21, 23, 24, 12], 15, 12, "green",
          "common cause"),
]  # fmt: skip


def verdicts(comment, beside="meetings"):
    return [claim.verdict for claim in story.weigh(comment, beside, KNOWN)]


def test_the_comments_of_the_corpus_are_told_right_from_wrong():
    """Precision: of those that are refused, how many are wrong. Recall: of those that are wrong, how many are refused."""
    with CORPUS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    refused = [row for row in rows if "wrong" in verdicts(row["comment"], row["beside"])]
    hits = sum(row["truth"] == "wrong" for row in refused)
    bad = sum(row["truth"] == "wrong" for row in rows)
    unjudged = sum("cannot judge" in verdicts(row["comment"], row["beside"]) for row in rows)
    precision, recall = hits / len(refused), hits / bad
    print(
        f"{len(rows)} comments: precision {precision:.3f}, recall {recall:.3f}; {unjudged} hold something it cannot judge"
    )
    for row in rows:
        if ("wrong" in verdicts(row["comment"], row["beside"])) != (row["truth"] == "wrong"):
            print(row, story.weigh(row["comment"], row["beside"], KNOWN))
    assert len(rows) >= 200
    assert precision >= 0.95
    assert recall >= 0.95


@pytest.mark.parametrize(
    ("comment", "verdict"),
    [
        ("We will be green next week.", "cannot judge"),
        ("Two reps were on leave.", "cannot judge"),
        ("It was red last week.", "cannot judge"),
    ],
)
def test_what_cannot_be_judged_is_said(comment, verdict):
    assert verdict in verdicts(comment)


def test_a_comment_without_a_claim_has_none():
    assert verdicts("The trade fair kept everybody busy.") == []


def test_a_clause_is_about_the_metric_it_names():
    found = story.weigh("We are yellow, but churn rate is green.", "meetings", KNOWN)
    assert [claim.verdict for claim in found] == ["right", "wrong"]
    assert "Churn rate is red" in found[1].why
