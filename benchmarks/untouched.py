"""Whether `verify` lets every untouched page pass and refuses every changed one: five suites of the sample, seed by seed.

    python benchmarks/untouched.py [--seeds 10] [--first 0] [--locale de_DE] [--jobs 2] [--keep DIR]

The suites are the packaged reports by week, by month and by quarter, a what-if, and the pages that answer a question; each is
refreshed by the command, like a user's. Every page it leaves (three altitudes a report, and the front page) is read back
by `verify`. Then 200 pages are changed, one thing in each: a digit, a direction, a colour, a comparison or a superlative in
a sentence, a tooltip or the header. Prints the counts; ends with 1 where an untouched page is refused or a changed one is
let pass.
"""

from __future__ import annotations

import argparse
import datetime as dt
import html
import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from dataops_nb import workbench
from dataops_nb.reports.pages import seals
from dataops_nb.workbench import sample

END = dt.date(2026, 11, 22)
CHANGED = 200
ASKED = ("closed_won", "churn_rate", "sad", "meetings_booked", "cycle_time", "revenue_ttm")
WHATIF = """
metrics:
  closed_won: {targets: [{from: 2020-01-01, per: week, value: 9}]}
  sad: {targets: [{from: 2020-01-01, per: week, value: 60}]}
  meetings_booked: {targets: [{from: 2020-01-01, per: week, value: 120}]}
"""
FLIPS = {
    "above": "below", "below": "above", "up": "down", "down": "up", "Up": "Down", "Down": "Up", "rose": "fell", "fell": "rose",
    "more": "fewer", "fewer": "more", "inside": "outside", "within": "outside", "higher": "lower", "lower": "higher",
}  # fmt: skip
COLOURS = {
    "green": "red",
    "yellow": "green",
    "red": "green",
    "Green": "Red",
    "Yellow": "Green",
    "Red": "Green",
}


def suites(packaged: str) -> str:
    """The packaged suite at three cadences, and a page for each metric that is asked about."""
    reports = packaged.partition("reports:\n")[2]
    asked = "".join(
        f"    {name.replace('_', '-')}: {{notebook: 70_when_asked.ipynb, parameters: {{metric: {name}}}}}\n"
        for name in ASKED
    )
    lab = "    lab: {notebook: 80_message_lab.ipynb}\n    agree: {notebook: 15_reconcile.ipynb}\n"
    named = {
        grain: re.sub(r"^    ([\w-]+):", rf"    {grain}-\1:", reports, flags=re.MULTILINE)
        for grain in ("month", "quarter")
    }
    return (
        f"weekly:\n  cadence: week\n  reports:\n{reports}"
        f"monthly:\n  cadence: month\n  reports:\n{named['month']}"
        f"quarterly:\n  cadence: quarter\n  reports:\n{named['quarter']}"
        f"asked:\n  cadence: week\n  reports:\n{asked}{lab}"
    )


def company(folder: Path, seed: int, locale: str) -> None:
    """A workbench with the exports of one seed, and its suites."""
    workbench.init(folder)
    sample.write(folder / "data", seed=seed, end=END)
    params = folder / "params"
    (params / "reports.yaml").write_text(suites((params / "reports.yaml").read_text()))
    (params / "whatif").mkdir(exist_ok=True)
    (params / "whatif" / "other.yaml").write_text(WHATIF)
    if locale:
        said = (params / "company.yaml").read_text()
        (params / "company.yaml").write_text(
            said.replace("currency: USD\n", f"currency: USD\nlocale: {locale}\n", 1)
        )


def refresh(folder: Path, jobs: int) -> list[str]:
    """Every suite and the what-if; the reports that did not end well."""
    bad = []
    for more in (
        ["weekly"],
        ["monthly"],
        ["quarterly"],
        ["asked"],
        ["weekly", "--whatif", "other"],
    ):
        command = [
            sys.executable,
            "-m",
            "dataops_nb",
            "-w",
            str(folder),
            "refresh",
            *more,
            "--jobs",
            str(jobs),
            "--json",
        ]
        done = subprocess.run(
            [*command, "--as-of", END.isoformat(), "--quiet"],
            capture_output=True,
            text=True,
            check=False,
        )
        if not done.stdout.strip():
            sys.exit(f"{' '.join(more)}: {done.stderr}")
        reports = json.loads(done.stdout)["reports"]
        bad += [
            f"{' '.join(more)} {r['report']}: {r['state']} {r['error']}"
            for r in reports
            if r["state"] != "ok"
        ]
    return bad


def digit(chance: random.Random, text: str) -> str:
    """Another digit."""
    at = chance.choice([hit.start() for hit in re.finditer(r"\d", text)])
    return text[:at] + chance.choice([d for d in "0123456789" if d != text[at]]) + text[at + 1 :]


def word(among: dict[str, str]) -> Callable[[random.Random, str], str]:
    """One of some words, by its contrary."""

    def change(chance: random.Random, text: str) -> str:
        hit = chance.choice([hit for hit in re.finditer(r"\b[A-Za-z]+\b", text) if hit[0] in among])
        return text[: hit.start()] + among[hit[0]] + text[hit.end() :]

    return change


def swap(chance: random.Random, text: str) -> str:
    """Two numbers, each in the place of the other."""
    hits = list(re.finditer(r"\d[\d.,]*\d|\d", text))
    one, two = sorted(chance.sample(hits, 2), key=lambda hit: hit.start())
    return text[: one.start()] + two[0] + text[one.end() : two.start()] + one[0] + text[two.end() :]


def most(chance: random.Random, text: str) -> str:
    """A superlative that nobody proved."""
    return f"{text.rstrip('.')}, {chance.choice(['the highest', 'the best', 'the lowest'])} of the year."


def changes(chance: random.Random, page: str) -> Iterator[tuple[str, str]]:
    """Changed pages without end, each with what was changed."""
    places: list[tuple[str, str]] = [
        *(
            ("sentence", text)
            for text in re.findall(
                r'(?s)<(?:p|li)[^>]* data-facts="[^"]*"[^>]*>(.*?)</(?:p|li)>', page
            )
        ),
        *(("tooltip", text) for text in re.findall(r'data-tip="([^"]*)"', page)),
        *(("header", text) for text in re.findall(r"(?s)<header>(.*?)</header>", page)),
    ]
    while True:
        kind, was = chance.choice(places)
        change = chance.choice((digit, word(FLIPS), word(COLOURS), swap, most))
        plain = (
            was
            if kind == "tooltip"
            else chance.choice(
                [each for each in re.findall(r">([^<>]+)<", f">{was}<") if each.strip()]
            )
        )
        try:
            now = change(chance, html.unescape(plain))
        except (IndexError, ValueError):
            continue
        now = html.escape(now, quote=kind == "tooltip")
        if now != plain and was.count(plain):
            yield f"{kind}: {plain} -> {now}", page.replace(was, was.replace(plain, now, 1), 1)


def main() -> int:
    """Run, print, and answer with 1 where a page was judged wrongly."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10, help="how many (10)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--locale", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--keep", type=Path, help="a folder for the workbenches; by default they are thrown away"
    )
    args = parser.parse_args()
    chance = random.Random(20261122 + args.first)  # noqa: S311  a repeatable choice, no secret
    total, refused, failed, tried, passed = 0, 0, 0, 0, list[str]()
    with tempfile.TemporaryDirectory() as temporary:
        for seed in range(args.first, args.first + args.seeds):
            folder = (args.keep or Path(temporary)) / f"seed{seed}"
            company(folder, seed, args.locale)
            bad = refresh(folder, args.jobs)
            pages = sorted(
                path for path in (folder / "out").rglob("*.html") if "runs" not in path.parts
            )
            wrong = {
                path: found
                for path in pages
                if (found := seals.page(path.read_text(encoding="utf-8")))
            }
            total, refused, failed = total + len(pages), refused + len(wrong), failed + len(bad)
            print(
                f"seed {seed}: {len(pages)} pages, {len(wrong)} refused, {len(bad)} reports failed",
                flush=True,
            )
            for path, found in wrong.items():
                print(f"  {path.relative_to(folder)}: {found[0]}")
            print("".join(f"  {each}\n" for each in bad), end="")
            for path in chance.choices(
                [path for path in pages if path not in wrong], k=-(-CHANGED // args.seeds)
            ):
                what, changed = next(changes(chance, path.read_text(encoding="utf-8")))
                tried += 1
                if not seals.page(changed):
                    passed.append(f"{path.relative_to(folder)}: {what}")
    print(f"{total} untouched pages: {refused} refused; {failed} reports failed")
    print(f"{tried} changed pages: {tried - len(passed)} refused", *passed, sep="\n  ")
    return 1 if refused or failed or passed else 0


if __name__ == "__main__":
    raise SystemExit(main())
