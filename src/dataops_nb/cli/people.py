"""Run `dataops-nb message form | record | result` and `dataops-nb note METRIC TEXT`.

`message` tries pitches on readers and compares them. `note` keeps what an owner says about a light,
with its day, until it is answered.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dataops_nb import board, cli, messages, plain, workbench
from dataops_nb.board import Board
from dataops_nb.cli import metric
from dataops_nb.company import meant
from dataops_nb.display import say
from dataops_nb.errors import UsageError
from dataops_nb.history.books import NOTES
from dataops_nb.messages import Result
from dataops_nb.messages.trials import Answer, Trial
from dataops_nb.story import comments
from dataops_nb.story.pitch import pitches

RESULT_HEADERS = ("pitch", "readers", "light", "direction", "what to do", "understood")
RESULT_SHARES = ("colour", "direction", "action", "understood")
RESULT_FIGURES = ("p", "better", "planned", "reached", "needed", "winner", "evidence")
NAMED_METRIC = re.compile(r"\bmetric\"?\s*[=:]\s*\"?(\w+)")
LONGEST = 500


def run_form(args: Namespace) -> int:
    """Write a page for each pitch, and print what the test can find before anybody reads one."""
    bench = cli.find(args)
    definitions = cli.definitions(args)
    metric = meant(definitions, args.metric)
    metric_board = board.read(
        bench,
        metrics=[metric],
        as_of=args.as_of,
        grain=cli.usual_grain(definitions.metrics[metric].grains),
    )
    planned = _planned_trial(metric_board, metric, args.readers)
    trial, paths = messages.write(bench.out, planned, args.mail)
    low, high = trial.difference
    power = messages.power(low, high, trial.readers)
    needed = messages.readers_needed(low, high)
    if args.json:
        cli.document(
            {
                "trial": trial.id,
                "metric": metric,
                "variants": dict(trial.variants),
                "readers": trial.readers,
                "power": power,
                "readers_needed": needed,
                "files": [str(path) for path in paths],
            }
        )
        return 0
    lines = [str(path) for path in paths]
    lines.append("")
    lines.append(
        f"{trial.readers} readers a pitch give a {power:.0%} chance of telling {high:.0%} from "
        f"{low:.0%}; {needed} readers give 80%."
    )
    cli.show("\n".join(lines))
    return 0


def _planned_trial(metric_board: Board, metric: str, readers: int) -> Trial:
    """Return the trial of a metric's pitches; raises UsageError for a metric without a light."""
    definitions = metric_board.company
    row = metric_board.row(metric)
    agreed = definitions.lights(metric)
    if agreed is None or row["light"] == "unknown":
        raise UsageError(
            f"{metric} has no light on {metric_board.as_of}, so there is no right answer to test"
        )
    variants = {}
    for pitch in pitches(metric_board, metric):
        if pitch.sound:
            variants[pitch.variant] = pitch.text
    actions = {}
    for colour in ("green", "yellow", "red"):
        light = getattr(agreed, colour)
        if light is not None:
            actions[colour] = light.do
    departments = {}
    for name, department in definitions.departments.items():
        departments[name] = department.department
    return Trial(
        metric=metric,
        label=definitions.label(metric),
        as_of=metric_board.as_of.isoformat(),
        period=metric_board.period.id,
        variants=variants,
        light=str(row["light"]),
        way=_direction(row["value"] - row["previous"]),
        actions=actions,
        departments=departments,
        readers=readers,
    )


def _direction(change: float) -> str | None:
    if math.isnan(change):
        return None
    if change > 0:
        return "up"
    if change < 0:
        return "down"
    return "level"


def run_record(args: Namespace) -> int:
    """Check every answer, then keep the new ones; one faulty answer keeps all from being kept."""
    out = cli.find(args).out
    trials: dict[str, Trial] = {}
    answers: dict[str, list[Answer]] = {}
    for path in args.files:
        trial, answer = _read_answer(out, path)
        trials.setdefault(trial.id, trial)
        answers.setdefault(trial.id, []).append(answer)
    now = dt.datetime.now(dt.UTC)
    count = new = 0
    for trial_id, trial in trials.items():
        count += len(answers[trial_id])
        new += messages.record(out, trial, answers[trial_id], now)
    if args.json:
        cli.document({"answers": count, "new": new})
        return 0
    cli.show(f"1 answer saved, {new} new" if count == 1 else f"{count} answers saved, {new} new")
    return 0


def _read_answer(out: Path, path: Path) -> tuple[Trial, Answer]:
    """Read one file; return the trial it belongs to and the answer in it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path} cannot be read: not UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    named = NAMED_METRIC.search(text)
    if named is None:
        raise UsageError(f"{path} is not an answer file: it names no metric")
    trial = messages.read_trial(out, named[1])
    return trial, messages.parse(text, str(path), trial)


def run_result(args: Namespace) -> int:
    """Print the comparison; --write also puts the winner into the department's file."""
    bench = cli.find(args)
    metric = meant(cli.definitions(args), args.metric)
    trial = messages.read_trial(bench.out, metric)
    result = messages.result(trial, messages.answers(bench.out))
    written = None
    if args.write:
        written = _write_winner(bench, result)
    if args.json:
        cli.document(_result_document(result, written))
        return 0
    cli.show("\n".join(_result_lines(result, written)))
    return 0


def _write_winner(bench: workbench.Workbench, result: Result) -> str:
    metric = result.trial.metric
    if result.winner is None:
        raise UsageError(f"no clear winner for {metric}: {result.evidence}")
    department = bench.definitions.department_of(metric)
    file = bench.params / "departments" / f"{department}.yaml"
    as_of = workbench.as_of(bench, None)
    return messages.choose(file, metric, result.winner, as_of, result.evidence)


def _result_document(result: Result, written: str | None) -> dict[str, Any]:
    variants = []
    rows = plain.rows(result.shares)
    for name, row in zip(result.shares.index, rows, strict=True):
        variants.append({"variant": str(name), **row})
    return {
        "trial": result.trial.id,
        "metric": result.trial.metric,
        "difference": list(result.trial.difference),
        "variants": variants,
        **{name: plain.value(getattr(result, name)) for name in RESULT_FIGURES},
        "agreement": plain.rows(result.agreement),
        "written": written,
    }


def _result_lines(result: Result, written: str | None) -> Iterator[str]:
    rows = []
    for name, row in result.shares.iterrows():
        shares = [_share_text(row[key]) for key in RESULT_SHARES]
        rows.append([name, int(row["readers"]), *shares])
    yield cli.table(RESULT_HEADERS, rows, right=RESULT_HEADERS[1:])
    yield f"\n{result.evidence}"
    low, high = result.trial.difference
    yield (
        f"Chance of telling {high:.0%} from {low:.0%}: {result.planned:.0%} as planned, "
        f"{result.reached:.0%} with these answers"
    )
    for agreement in plain.rows(result.agreement):
        group = f"{agreement['by']} {agreement['group']}"
        yield f"readers agree on the light, {group}: {_agreement_text(agreement)}"
    if result.winner:
        yield f"Clearer: {result.winner}"
    else:
        yield "No clear winner"
    if written:
        yield f"written: {written}"


def _agreement_text(agreement: dict[str, Any]) -> str:
    text = f"{agreement['alike']:.0%} of {agreement['readers']} answers"
    if agreement["kappa"] is None:
        return f"{text}; agreement needs answers about at least two different lights"
    return f"{text} (kappa {agreement['kappa']:.2f}, chance removed)"


def _share_text(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.0%}"


def run_note(args: Namespace) -> int:
    """Keep one note, or answer, that the facts do not contradict, and print it.

    It is kept with the light of the last complete period.
    """
    bench = cli.find(args)
    definitions = cli.definitions(args)
    metric.require(definitions, args.metric)
    text = _one_line(args.text)
    grain = cli.usual_grain(definitions.metrics[args.metric].grains)
    # The numbers in the text may be facts of other metrics.
    names = dict.fromkeys([args.metric, *comments.mentioned(definitions, text, grain)])
    metric_board = board.read(bench, metrics=list(names), as_of=args.as_of, grain=grain)
    filled = say(comments.filled(metric_board, text)).text
    claims = _checked_claims(metric_board, text)
    note = _note(args, metric_board, filled)
    NOTES.add(bench.out, [note])
    for claim in comments.unjudged(claims):
        print(f"dataops-nb: saved; we can't check {claim}", file=sys.stderr)
    if args.json:
        cli.document({**note, "claims": [asdict(claim) for claim in claims]})
        return 0
    label = metric_board.company.label(args.metric)
    light = cli.mark(note["light"])
    cli.show(f"Noted for {label} ({light}): {filled} ({note['who']}, {metric_board.as_of})")
    return 0


def _note(args: Namespace, metric_board: Board, text: str) -> dict[str, Any]:
    """Return the note as it is kept; without --who its author is the department's owner."""
    company = metric_board.company
    who = company.departments[company.department_of(args.metric)].owner or "no name"
    if args.who:
        who = _one_line(args.who)
    kind = "note"
    if args.answer:
        kind = "answer"
    return {
        "noted_at": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
        "as_of": metric_board.as_of.isoformat(),
        "metric": args.metric,
        "grain": metric_board.grain,
        "period": metric_board.period.id,
        "light": metric_board.row(args.metric)["light"],
        "who": who,
        "kind": kind,
        "text": text,
    }


def _checked_claims(metric_board: Board, text: str) -> list[comments.Claim]:
    """Return what the note claims.

    Raises UsageError with each word that the facts contradict.
    """
    claims = comments.typed(metric_board, text)
    contradictions = comments.contradictions(claims)
    if contradictions:
        reasons = "; ".join(contradictions)
        raise UsageError(f"not saved, the numbers disagree: {reasons}")
    return claims


def _one_line(typed: str) -> str:
    """Return a text that was typed as one line. Raises UsageError for an empty or long one."""
    text = " ".join(typed.split())
    if not text:
        raise UsageError("the note is empty: say what you are doing, or why")
    if len(text) > LONGEST:
        raise UsageError(f"the note is too long: {len(text)} characters, {LONGEST} at most")
    return text
