"""`dataops-nb note METRIC TEXT`: what an owner says about a light, kept with its day until it is answered."""

from __future__ import annotations

import datetime as dt
from argparse import Namespace

from dataops_nb import board
from dataops_nb.cli import folder, metric, output
from dataops_nb.errors import UsageError
from dataops_nb.history import NOTES

LONGEST = 500


def run(args: Namespace) -> int:
    """Keep one note (or answer) with the metric's light of the last complete period, and print it."""
    bench = folder.find(args)
    metric.require(folder.definitions(args), args.metric)
    text = _text(args.text)
    grains = folder.definitions(args).metrics[args.metric].grains
    read = board.read(bench, metrics=[args.metric], as_of=args.as_of, grain="week" if "week" in grains else grains[0])
    owner = read.definitions.departments[read.definitions.department_of(args.metric)].owner
    row = read.row(args.metric)
    note = {
        "noted_at": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"), "as_of": read.as_of.isoformat(),
        "metric": args.metric, "grain": read.grain, "period": read.period.id, "light": row["light"],
        "who": _text(args.who) if args.who else owner or "somebody", "kind": "answer" if args.answer else "note", "text": text,
    }  # fmt: skip
    NOTES.add(bench.out, [note])
    if args.json:
        output.document(note)
        return 0
    output.write(
        f"{note['who']} on {read.as_of}, {read.definitions.label(args.metric)} {output.mark(note['light'])}: {text}"
    )
    return 0


def _text(said: str) -> str:
    """One line of what was typed; UsageError where it says nothing or too much."""
    text = " ".join(said.split())
    if not text:
        raise UsageError("the note says nothing; write what is being done, or why")
    if len(text) > LONGEST:
        raise UsageError(f"the note has {len(text)} characters; at most {LONGEST} are read beside a light")
    return text
