"""`dataops-nb note METRIC TEXT`: what an owner says about a light, kept with its day until it is answered."""

from __future__ import annotations

import datetime as dt
import sys
from argparse import Namespace
from dataclasses import asdict

from dataops_nb import board, story
from dataops_nb.cli import folder, metric, output
from dataops_nb.errors import UsageError
from dataops_nb.history import NOTES

LONGEST = 500


def run(args: Namespace) -> int:
    """Keep one note (or answer) that the facts do not contradict, with the light of the last complete period; print it."""
    bench = folder.find(args)
    metric.require(folder.definitions(args), args.metric)
    text = _text(args.text)
    grains = folder.definitions(args).metrics[args.metric].grains
    grain = "week" if "week" in grains else grains[0]
    about = [args.metric, *story.mentioned(folder.definitions(args), text, grain)]
    read = board.read(bench, metrics=list(dict.fromkeys(about)), as_of=args.as_of, grain=grain)
    typed, text = text, story.filled(read, text)
    claimed = _judged(read, story.filled(read, typed, numbers="so many"))  # what is said by name is right
    owner = read.definitions.departments[read.definitions.department_of(args.metric)].owner
    row = read.row(args.metric)
    note = {
        "noted_at": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"), "as_of": read.as_of.isoformat(),
        "metric": args.metric, "grain": read.grain, "period": read.period.id, "light": row["light"],
        "who": _text(args.who) if args.who else owner or "somebody", "kind": "answer" if args.answer else "note", "text": text,
    }  # fmt: skip
    NOTES.add(bench.out, [note])
    if args.json:
        output.document({**note, "claims": [asdict(claim) for claim in claimed]})
        return 0
    output.write(
        f"{note['who']} on {read.as_of}, {read.definitions.label(args.metric)} {output.mark(note['light'])}: {text}"
    )
    return 0


def _judged(read: board.Board, text: str) -> list[story.Claim]:
    """What the note claims; UsageError with each word that the facts contradict. What no fact tells is said on stderr."""
    claimed = story.typed(read, text)
    if wrong := story.contradictions(claimed):
        raise UsageError(f"the note is not kept, because the facts say otherwise: {'; '.join(wrong)}")
    for each in story.unjudged(claimed):
        print(f"dataops-nb: kept as it is, nobody can check {each}", file=sys.stderr)
    return claimed


def _text(said: str) -> str:
    """One line of what was typed; UsageError where it says nothing or too much."""
    text = " ".join(said.split())
    if not text:
        raise UsageError("the note says nothing; write what is being done, or why")
    if len(text) > LONGEST:
        raise UsageError(f"the note has {len(text)} characters; at most {LONGEST} are read beside a light")
    return text
