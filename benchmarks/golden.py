"""Say what changed for users between two commits: pages, facts, numbers, every verb's answer.

    python benchmarks/golden.py BEFORE [AFTER] [--olist DIR] [--part sample,olist,broken] [--quick]

AFTER is a commit or a folder; without it, this checkout as it stands. Both sides are copied into
temporary folders and run with their own source in this Python's environment: the sample company
(seed 20, to 2026-11-22, 130 weeks), Olist (where its csv are) and a small shop broken in many
ways. What is compared:

- every published file, by what is in it: visible text, tips, elements, facts, numbers, charts;
- exit code, stdout, stderr and JSON of every verb; what `check` says of the broken shops;
- the metric tables of week, month and quarter, value by value, without tolerance;
- a second refresh of each side; with `--itself` also with its first.

Clocks, run ids and folders of this machine are replaced first. Exit 1 where something that a
reader or a program sees differs; bytes that nobody sees (seals, the data that travel in a page,
white space between tags) and the code that notebooks show are only counted or listed. `--store DIR`
keeps what a commit said on a day, so that it is not run again. Nothing is written into the
checkout.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NamedTuple

from goldens import sides, views

HERE = Path(__file__).resolve().parent
OLIST = sides.ROOT.parent / "shared" / "data" / "olist"
PARTS = ("sample", "olist", "broken")
LISTED = {"code", "cells", "outputs", "style", "script"}  # shown, but allowed to differ
COUNTED = "bytes"
HASHES = re.compile(r'("(?:content|bytes)": )("[0-9a-f]+"|\d+)')  # of pages, seals included
WIDTH = 150
LONG = 5000


class Difference(NamedTuple):
    """Lines of one side that are others on the other side, somewhere."""

    kind: str
    where: str
    before: tuple[str, ...]
    after: tuple[str, ...]


def main() -> int:
    """Collect both sides, compare them, print what differs."""
    asked = arguments()
    parts = [part for part in asked.part.split(",") if part != "olist" or asked.olist.is_dir()]
    if "olist" in asked.part and "olist" not in parts:
        print(f"Olist is left out: its files are not in {asked.olist}", flush=True)
    with tempfile.TemporaryDirectory(prefix="golden-") as temporary:
        place = Path(temporary)
        with ThreadPoolExecutor(asked.jobs) as pool:
            running = [
                pool.submit(collected, side, place / name, parts, asked)
                for name, side in (("before", asked.before), ("after", asked.after))
            ]
            before, after = (side.result() for side in running)
        found = []
        if asked.itself:
            found += [
                *contradictions(before, "before", parts),
                *contradictions(after, "after", parts),
            ]
        for part in parts:
            found += compared(before / part, after / part, part)
    return told(found, asked.show)


def arguments() -> argparse.Namespace:
    """The two sides and what of them is compared."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", help="a commit or a folder")
    parser.add_argument(
        "after", nargs="?", default=str(sides.ROOT), help="the same (this checkout)"
    )
    parser.add_argument("--olist", type=Path, default=OLIST, help="the folder of Olist's files")
    parser.add_argument("--part", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="no second refresh, no backfill")
    parser.add_argument(
        "--itself", action="store_true", help="name what a second refresh says otherwise"
    )
    parser.add_argument("--jobs", type=int, default=1, help="2: both sides at a time")
    parser.add_argument("--show", type=int, default=10, help="differences shown of each kind")
    parser.add_argument("--store", type=Path, help="keep what commits said in this folder")
    return parser.parse_args()


def collected(side: str, place: Path, parts: list[str], asked: argparse.Namespace) -> Path:
    """The folder of what a side says, from the store where it is there."""
    sha = sides.commit(side)
    stored = asked.store and sha and asked.store.resolve() / stamp(sha, quick=asked.quick)
    results = Path(stored or place / "results")
    missing = [part for part in parts if not (results / part / "done").exists()]
    if missing:
        source = place / "source"
        sides.copy_source(side, source)
        for part in missing:
            collect(source, results, part, asked)
    return results


def stamp(sha: str, *, quick: bool) -> str:
    """The name of a stored result: commit, day, how it is collected."""
    digest = hashlib.sha256()
    for name in ("collect.py", "broken.py"):
        digest.update((HERE / "goldens" / name).read_bytes())
    day = datetime.now(UTC).date().isoformat()
    return f"{sha[:12]}-{day}-{digest.hexdigest()[:8]}{'-quick' if quick else ''}"


def collect(source: Path, results: Path, part: str, asked: argparse.Namespace) -> None:
    """Run one part of one side."""
    shutil.rmtree(results / part, ignore_errors=True)
    results.mkdir(parents=True, exist_ok=True)
    kept = {"PYTHONPATH": f"{source / 'src'}{os.pathsep}{HERE}", "COLUMNS": "100", "NO_COLOR": "1"}
    environment = {}
    for name, value in os.environ.items():
        if not name.startswith("DATAOPS_") and name != "PYTHONDONTWRITEBYTECODE":
            environment[name] = value
    words = [sys.executable, str(HERE / "goldens" / "collect.py"), str(results), part]
    words += ["--olist", str(asked.olist.resolve())]
    words += ["--quick"] if asked.quick else []
    log = results / f"{part}.log"
    with log.open("w") as stream:
        done = subprocess.run(
            words, cwd=source, env=environment | kept, stdout=stream, stderr=stream, check=False
        )
    if done.returncode:
        said = "".join(log.read_text().splitlines(keepends=True)[-20:])
        sys.exit(f"{part} of {source.parent.name} ended with {done.returncode}:\n{said}")
    (results / part / "done").touch()
    print(f"collected {part} of {source.parent.name}", flush=True)


def contradictions(side: Path, name: str, parts: list[str]) -> Iterator[Difference]:
    """What a second refresh of one side says otherwise than its first."""
    for part in parts:
        if (side / part / "again").is_dir():
            yield from pages(side / part / "pages", side / part / "again", f"{name}, again: {part}")


def compared(before: Path, after: Path, part: str) -> Iterator[Difference]:
    """Everything that differs in one part."""
    yield from verbs(before, after, part)
    for name in ("pages", "again", "written"):
        yield from pages(before / name, after / name, f"{part}/{name}")
    yield from boards(before, after, part)
    data = [loaded(side / "data.json") for side in (before, after)]
    yield from lines("data", f"{part}: the sample's files", *map(views.of_json, data))


def loaded(path: Path) -> Any:
    """A JSON file; an empty mapping where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def verbs(before: Path, after: Path, part: str) -> Iterator[Difference]:
    """What commands answer otherwise."""
    answers = []
    for side in (before, after):
        answers.append({said["name"]: said for said in loaded(side / "verbs.json")})
    yield from lines("verbs", part, sorted(answers[0]), sorted(answers[1]))
    for name, old in answers[0].items():
        new = answers[1].get(name)
        if new is None or new == old:
            continue
        where = f"{part}: {name}"
        yield from lines("exit code", where, [str(old["code"])], [str(new["code"])])
        yield from lines("stderr", where, old["stderr"].splitlines(), new["stderr"].splitlines())
        stdouts = [old["stdout"], new["stdout"]]
        if "--json" in name:
            yield from lines("json", where, *map(json_lines, stdouts))
        else:
            yield from lines("stdout", where, stdouts[0].splitlines(), stdouts[1].splitlines())


def json_lines(text: str) -> list[str]:
    """A JSON text as a line a leaf; as it is where it is none."""
    text = text.replace(": <n>", ": 0")
    text = HASHES.sub(r'\1"#"', text)
    try:
        return views.of_json(json.loads(text))
    except ValueError:
        return text.splitlines()


def pages(before: Path, after: Path, where: str) -> Iterator[Difference]:
    """What published files say otherwise, each by its kind."""
    names = [published(side) for side in (before, after)]
    yield from lines("files", where, sorted(names[0]), sorted(names[1]))
    for name in sorted(set(names[0]) & set(names[1])):
        old, new = (side.joinpath(name).read_bytes() for side in (before, after))
        if old != new:
            yield from file_views(f"{where}/{name}", name, old, new)


def published(side: Path) -> set[str]:
    """The files of a kept folder."""
    return {str(path.relative_to(side)) for path in side.rglob("*") if path.is_file()}


def file_views(where: str, name: str, old: bytes, new: bytes) -> Iterator[Difference]:
    """The views of one file that differ; its bytes where none does."""
    try:
        before, after = (views.of_file(name, content.decode()) for content in (old, new))
    except UnicodeDecodeError:
        yield Difference("binary", where, (), ())
        return
    seen = False
    for kind in before | after:
        for found in lines(kind, where, before.get(kind, []), after.get(kind, [])):
            seen = True
            yield found
    if not seen:
        yield Difference(COUNTED, where, (), ())


def boards(before: Path, after: Path, part: str) -> Iterator[Difference]:
    """Values of the metric tables that differ."""
    tables = [loaded(side / "boards.json") for side in (before, after)]
    for grain in tables[0] | tables[1]:
        where = f"{part}: board by {grain}"
        old, new = (side.get(grain, {}) for side in tables)
        yield from lines("table", where, list(old), list(new))
        for column in old:
            yield from lines("table", f"{where}, {column}", old[column], new.get(column, []))


def lines(kind: str, where: str, before: list[str], after: list[str]) -> Iterator[Difference]:
    """The lines that differ, each change by itself."""
    if before == after:
        return
    if len(before) == len(after) and len(before) > LONG:  # a matcher would take minutes
        for old, new in zip(before, after, strict=True):
            if old != new:
                yield Difference(kind, where, (old,), (new,))
        return
    matcher = SequenceMatcher(None, before, after, autojunk=max(len(before), len(after)) > LONG)
    for tag, start, end, from_, to in matcher.get_opcodes():
        if tag != "equal":
            yield Difference(kind, where, tuple(before[start:end]), tuple(after[from_:to]))


def told(found: list[Difference], most: int) -> int:
    """Print the differences by kind, the same change in several places once; 1 where one counts."""
    kinds: dict[str, dict[tuple[Any, ...], list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        key = () if one.kind == COUNTED else (one.before, one.after)
        kinds[one.kind][key].append(one.where)
    for kind, changes in kinds.items():
        if kind == COUNTED:
            continue
        note = " (may differ)" if kind in LISTED else ""
        print(f"\n{kind}{note}: {len(changes)} changes in {places(changes)} places")
        widest = sorted(changes.items(), key=lambda item: -len(item[1]))
        for (before, after), where in widest[:most]:
            more = f" and {len(where) - 1} more" if len(where) > 1 else ""
            print(f"  {where[0]}{more}")
            print_change(before, after)
        if len(changes) > most:
            print(f"  ... {len(changes) - most} more")
    unseen = kinds.get(COUNTED, {}).get((), [])
    if unseen:
        print(f"\nbytes that nobody sees differ in {len(unseen)} files, as {unseen[0]}")
    failed = sorted(set(kinds) - LISTED - {COUNTED})
    print(f"\ndifferent: {', '.join(failed)}" if failed else "\nequal")
    return 1 if failed else 0


def places(changes: dict[tuple[Any, ...], list[str]]) -> int:
    """In how many places changes were seen."""
    return len({where for found in changes.values() for where in found})


def parting(before: str, after: str) -> int:
    """The place from which on two texts differ."""
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        if old != new:
            return place
    return min(len(before), len(after))


def print_change(before: tuple[str, ...], after: tuple[str, ...], most: int = 4) -> None:
    """A short diff: long lines begin shortly before they part."""
    start = 0
    if before and after:
        start = max(0, parting(before[0], after[0]) - 40)
    for sign, side in (("-", before), ("+", after)):
        for text in side[:most]:
            shown = text[start : start + WIDTH]
            print(
                f"    {sign} {'…' if start else ''}{shown}{'…' if len(text) > start + WIDTH else ''}"
            )
        if len(side) > most:
            print(f"    {sign} ... {len(side) - most} lines more")


if __name__ == "__main__":
    sys.exit(main())
