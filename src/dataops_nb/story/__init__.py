"""The story: plain sentences, made from facts and from nothing else.

A fact is one value with its metric, period, field and the text it is printed as. A sentence lists the facts it uses, so
that whoever reads it, or a program, can check it.
"""

from __future__ import annotations

from dataops_nb.story.agreement import agreements, pairs
from dataops_nb.story.answering import mind, worth
from dataops_nb.story.changing import changed
from dataops_nb.story.checking import Said, disagreements, in_order, places
from dataops_nb.story.comments import Claim, weigh
from dataops_nb.story.communicated import untold, untold_metrics
from dataops_nb.story.explaining import explained
from dataops_nb.story.facts import Fact, facts
from dataops_nb.story.finding import finding_facts, findings, told
from dataops_nb.story.leading import Step, link_facts, links
from dataops_nb.story.luck import luck, luck_facts
from dataops_nb.story.naming import names
from dataops_nb.story.pacing import pace_facts, paced
from dataops_nb.story.pitch import Pitch, pitch, pitches
from dataops_nb.story.reacting import notes, overdue, reactions
from dataops_nb.story.readers import for_departments, meant_facts
from dataops_nb.story.record import Record, record
from dataops_nb.story.restating import restated
from dataops_nb.story.sentences import (
    CHIPS,
    Sentence,
    Told,
    action,
    headline,
    lines,
    most_moved,
    moved,
    movement,
    now,
    sentence,
)
from dataops_nb.story.solving import first, solving, solving_facts
from dataops_nb.story.tracking import track, track_facts
from dataops_nb.story.typed import contradictions, filled, mentioned, typed, unjudged
from dataops_nb.story.weighing import About

__all__ = [
    "CHIPS",
    "About",
    "Claim",
    "Fact",
    "Pitch",
    "Record",
    "Said",
    "Sentence",
    "Step",
    "Told",
    "action",
    "agreements",
    "changed",
    "contradictions",
    "disagreements",
    "explained",
    "facts",
    "filled",
    "finding_facts",
    "findings",
    "first",
    "for_departments",
    "headline",
    "in_order",
    "lines",
    "link_facts",
    "links",
    "luck",
    "luck_facts",
    "meant_facts",
    "mentioned",
    "mind",
    "most_moved",
    "moved",
    "movement",
    "names",
    "notes",
    "now",
    "overdue",
    "pace_facts",
    "paced",
    "pairs",
    "pitch",
    "pitches",
    "places",
    "reactions",
    "record",
    "restated",
    "sentence",
    "solving",
    "solving_facts",
    "told",
    "track",
    "track_facts",
    "typed",
    "unjudged",
    "untold",
    "untold_metrics",
    "weigh",
    "worth",
]
