"""Define the commands of people: what they ask and note, and the pitches they try on readers."""

from __future__ import annotations

from pathlib import Path

from dataops_nb.cli.options import Verbs, add_as_of, add_flag, add_metric, address, day, positive


def add_questions(verbs: Verbs) -> None:
    """Add `solve` and `ask`."""
    solve = verbs.add(
        "solve",
        "status:run_solve",
        "which problem to solve first",
    )
    add_as_of(solve)
    ask = verbs.add(
        "ask",
        "ask:run_ask",
        "everything about one metric",
    )
    add_metric(ask, "metric id or part of its name")
    add_as_of(ask)


def add_messages(verbs: Verbs) -> None:
    """Add `message form`, `record` and `result`."""
    actions = verbs.branch(
        "message",
        "test which wording readers understand",
    )
    form = actions.add(
        "form",
        "people:run_form",
        "write one form for each pitch",
    )
    add_metric(form, "metric id")
    form.add_argument(
        "--readers",
        type=positive,
        default=20,
        metavar="N",
        help="readers per pitch (20)",
    )
    form.add_argument(
        "--mail",
        type=address,
        metavar="ADDRESS",
        help="email address for answers",
    )
    add_as_of(form)
    record = actions.add("record", "people:run_record", "save the answers")
    record.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="answer files or saved emails",
    )
    result = actions.add(
        "result",
        "people:run_result",
        "show which pitch is clearer",
    )
    add_metric(result, "metric id")
    add_flag(result, "--write", "save the clearer pitch in params")


def add_notes(verbs: Verbs) -> None:
    """Add `note`, about a light, and `event`, about a day."""
    note = verbs.add(
        "note",
        "people:run_note",
        "record what is being done about a metric",
    )
    add_metric(note, "metric id")
    note.add_argument("text", metavar="TEXT", help="what is being done, or why")
    note.add_argument(
        "--who",
        metavar="NAME",
        help="author (default: the metric's owner)",
    )
    add_flag(note, "--answer", "close this metric's open notes")
    add_as_of(note)
    event = verbs.add("event", "start:run_event", "record what happened on a day")
    event.add_argument("date", type=day, metavar="DATE", help="the day, like 2026-08-04")
    event.add_argument("title", metavar="TITLE", help="what happened")
    event.add_argument(
        "--metric",
        dest="metrics",
        action="append",
        default=[],
        metavar="ID",
        help="a metric it may have moved; repeatable",
    )
    event.add_argument(
        "--kind",
        default="event",
        metavar="WORD",
        help="release, campaign, outage, price change (event)",
    )
