"""`dataops-nb message form | record | result`: try pitches on readers, keep what they say, compare."""

from __future__ import annotations

import datetime as dt
import re
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dataops_nb import board, messages, story, workbench
from dataops_nb import definitions as company_files
from dataops_nb.cli import folder, output
from dataops_nb.cli.records import plain, records
from dataops_nb.errors import UsageError
from dataops_nb.messages import Result, Trial

HEADERS = ("pitch", "readers", "light", "direction", "what to do", "understood")


def run_form(args: Namespace) -> int:
    """Write the pages, and say before anybody reads one what the test can find."""
    bench = folder.find(args)
    metric = company_files.meant(folder.definitions(args), args.metric)
    trial, written = messages.write(bench.out, _trial(bench, metric, args), args.mail)
    low, high = trial.difference
    power, needed = messages.power(low, high, trial.readers), messages.readers_needed(low, high)
    if args.json:
        about = {"trial": trial.id, "metric": metric, "variants": dict(trial.variants), "readers": trial.readers}
        output.document({**about, "power": power, "readers_needed": needed, "files": [str(path) for path in written]})
        return 0
    said = f"With {trial.readers} readers of each pitch the test finds {low:.0%} against {high:.0%} in {power:.0%} of trials"
    output.write("\n".join([*map(str, written), "", f"{said}; {needed} of each give 80%."]))
    return 0


def _trial(bench: workbench.Workbench, metric: str, args: Namespace) -> Trial:
    grains = folder.definitions(args).metrics[metric].grains
    read = board.read(bench, metrics=[metric], as_of=args.as_of, grain="week" if "week" in grains else grains[0])
    row, agreed = read.row(metric), read.definitions.lights(metric)
    if agreed is None or row["light"] == "unknown":
        raise UsageError(f"{metric} has no light as of {read.as_of}, so nobody could read it right")
    change = row["value"] - row["previous"]
    colours = {name: getattr(agreed, name) for name in ("green", "yellow", "red")}
    return Trial(
        metric=metric,
        label=read.definitions.label(metric),
        as_of=read.as_of.isoformat(),
        period=read.period.id,
        variants={each.variant: each.text for each in story.pitches(read, metric) if each.sound},
        light=str(row["light"]),
        way=None if change != change else "up" if change > 0 else "down" if change < 0 else "level",  # noqa: PLR0124  NaN
        actions={name: light.do for name, light in colours.items() if light is not None},
        departments={name: each.department for name, each in read.definitions.departments.items()},
        readers=args.readers,
    )


def run_record(args: Namespace) -> int:
    """Check every answer, then keep those that are new; one that is wrong keeps none."""
    bench = folder.find(args)
    found: dict[str, tuple[Trial, list[messages.Answer]]] = {}
    for trial, answer in _answers(bench.out, args.files):
        found.setdefault(trial.id, (trial, []))[1].append(answer)
    now = dt.datetime.now(dt.UTC)
    new = sum(messages.record(bench.out, trial, said, now) for trial, said in found.values())
    count = sum(len(said) for _, said in found.values())
    if args.json:
        output.document({"answers": count, "new": new})
    else:
        output.write(f"{count} answer{'' if count == 1 else 's'}, {new} new")
    return 0


def _answers(out: Path, files: list[Path]) -> Iterator[tuple[Trial, messages.Answer]]:
    for file in files:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise UsageError(f"{file} cannot be read: not UTF-8 text") from None
        except OSError as error:
            raise UsageError(f"{file} cannot be read: {error.strerror}") from None
        named = re.search(r"\bmetric\"?\s*[=:]\s*\"?(\w+)", text)
        if named is None:
            raise UsageError(f"{file}: it is no answer: it names no metric")
        trial = messages.read_trial(out, named[1])
        yield trial, messages.parse(text, str(file), trial)


def run_result(args: Namespace) -> int:
    """Print the comparison; with --write also put the winner into the department's file."""
    bench = folder.find(args)
    metric = company_files.meant(folder.definitions(args), args.metric)
    trial = messages.read_trial(bench.out, metric)
    found = messages.result(trial, messages.answers(bench.out))
    written = _choose(bench, found) if args.write else None
    if args.json:
        output.document(_document(found, written))
        return 0
    output.write("\n".join(_lines(found, written)))
    return 0


def _choose(bench: workbench.Workbench, found: Result) -> str:
    if found.winner is None:
        raise UsageError(f"no pitch of {found.trial.metric} is understood better for sure: {found.evidence}")
    file = bench.params / "departments" / f"{bench.definitions.department_of(found.trial.metric)}.yaml"
    return messages.choose(file, found.trial.metric, found.winner, workbench.as_of(bench, None), found.evidence)


def _document(found: Result, written: str | None) -> dict[str, Any]:
    variants = [
        {"variant": str(name), **plain_row}
        for name, plain_row in zip(found.shares.index, records(found.shares), strict=True)
    ]
    figures = {
        name: plain(getattr(found, name))
        for name in ("p", "better", "planned", "reached", "needed", "winner", "evidence")
    }
    about = {"trial": found.trial.id, "metric": found.trial.metric, "difference": list(found.trial.difference)}
    return {**about, "variants": variants, **figures, "agreement": records(found.agreement), "written": written}


def _lines(found: Result, written: str | None) -> Iterator[str]:
    rows = [
        [name, int(row["readers"]), *(_share(row[key]) for key in ("colour", "direction", "action", "understood"))]
        for name, row in found.shares.iterrows()
    ]
    low, high = found.trial.difference
    yield output.table(HEADERS, rows, right=HEADERS[1:])
    yield f"\n{found.evidence}"
    yield f"Power for {low:.0%} against {high:.0%}: {found.planned:.0%} as planned, {found.reached:.0%} with these answers"
    for row in records(found.agreement):
        yield f"agreement on lights, {row['by']} {row['group']}: {_agreed(row)}"
    yield f"understood better: {found.winner}" if found.winner else "neither is understood better for sure"
    if written:
        yield f"written: {written}"


def _agreed(row: dict[str, Any]) -> str:
    said = f"{row['alike']:.0%} of {row['readers']} answers"
    if row["kappa"] is None:
        return f"{said}; kappa cannot be told before they are about two lights"
    return f"{said}, kappa {row['kappa']:.2f}"


def _share(value: float) -> str:
    return "" if value != value else f"{value:.0%}"  # noqa: PLR0124  NaN
