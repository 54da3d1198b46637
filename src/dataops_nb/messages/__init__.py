"""Messages: is a pitch understood by people who were not there, and by which of two is it understood better?

A reader sees one variant, says the light, the direction, what should be done now, and how sure they are. `form` writes the
pages, `record` keeps what came back, `result` compares the variants: Fisher's exact test, P(B > A), the power that the
test had, and Cohen's kappa of the readers' lights with ours by department and level. `choose` writes the winner down.
"""

from __future__ import annotations

from dataops_nb.messages.answers import ANSWERS, Answer, answers, next_reader, parse, record
from dataops_nb.messages.choosing import choose
from dataops_nb.messages.evidence import better, fisher, kappa, power, readers_needed
from dataops_nb.messages.forms import Trial, assign, form, questions, read_trial, write
from dataops_nb.messages.results import Result, agreement, result

__all__ = [
    "ANSWERS",
    "Answer",
    "Result",
    "Trial",
    "agreement",
    "answers",
    "assign",
    "better",
    "choose",
    "fisher",
    "form",
    "kappa",
    "next_reader",
    "parse",
    "power",
    "questions",
    "read_trial",
    "readers_needed",
    "record",
    "result",
    "write",
]
