"""How the code reads: modules of a size, lines of a width, plain loops, names that say something.

The thresholds are signs, each with its reason. What is better as it is, or not better yet, stands
in the list of its rule. `python -m tests.house.test_reading` prints all that crosses a threshold.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import dataops_nb

# Two windows fit beside each other on a laptop, and a comment is read without scrolling.
WIDEST = 100
# Less than a screen is seldom a concept of its own: a reader opens two files to see one thing.
SHORTEST = 100
# More than a dozen screens holds more than one concept.
LONGEST = 450
# A room that one neighbour alone enters should be worth the door.
SMALLEST_FOR_ONE = 150
# What is read at once: one loop, one condition. More are steps, and steps have names.
MOST_LOOPS = MOST_CONDITIONS = 1
# Names of what is done, where a noun says what is there. These are the trade's own nouns.
GERUNDS = {"billing", "crossing", "pacing"}
# Participles that say nothing about the type or the content of what they name.
EMPTY_NAMES = {"found", "said", "each", "told", "lit", "whole", "asked"}
# A package's door, and the program, are as short as what they open.
MAY_BE_SHORT = {"__init__", "__main__"}

LONG: dict[str, str] = {}  # module: reason
SMALL = {
    "alignment/rows": "the door of data, which every measure names",
    "alignment/sql": "how a measure's SQL is read, below all that asks for rows",
    "board/measurement": "how a board gets its table; doors lead here from both floors",
    "board/rebases": "a line for a person's file, from what a board knows; page, panel and check ask",
    "board/scales": "the three scales; priorities and stakes read them alike",
    "charts/lean": "it runs before anything imports altair",
    "charts/moves": "the other half of an XmR chart, drawn apart from the values",
    "cli/completion": "a verb of its own, and what only a shell asks",
    "cli/conversations": "the verbs of people, apart from those of numbers and reports",
    "profile/texts": "bytes, read quickly; the layout that enters it knows lines and cells",
    "sources/records": "rows within JSON documents; what reads JSON is long enough without them",
    "limits/columns": "how columns of very many rows are read; limits, pace and lights share it",
    "profile/times": "which column of days counts, asked of times alone",
    "cli/levels": "one part of `check`, and the only one that measures",
    "cli/pitches": "one part of `check`, and the only one that needs readers",
    "controls/questions": "brings widgets, which a refresh must not load",
    "cli/export": "a verb of its own",
    "cli/suites": "one part of `check`, which needs no data",
    "sources/lookalikes": "names that look alike, apart from what is odd about days and numbers",
    "sources/matches": "what a pattern matches, for files and for what may appear beside them",
    "cli/sound": "what three verbs say of a damaged history",
    "reports/marks": "what was published, as digests, apart from what else a report is made of",
    "reports/pages/crowds": "what is shown of very many departments, apart from what is shown of a few",
    "bookkeeping/shapes": "columns and cells, which the refresh checks without a table",
    "bookkeeping/lines": "how a file that somebody touched is read, apart from what stands in it",
    "cli/outside": "the verbs for other tools, apart from those for people",
    "cli/verify": "a verb of its own",
    "cli/explain": "a verb of its own, with two kinds of tables",
    "definitions/edits": "a line more in a person's YAML, for whoever adds one",
    "drivers/names": "how a period is named, whoever asks",
    "definitions/rates": "what a check notes of targets, apart from what it refuses",
    "definitions/passwords": "what may not stand in a file, for checks and addresses",
    "definitions/whatif": "what a what-if may change: a file format of its own",
    "board/glance": "what a notebook shows of a board, which asks for nothing in particular",
    "cli/contents": "JupyterLab imports it",
    "glances": "the look of frames, without pandas until there is one",
    "interchange/dbt_measures": "what one aggregation means there and here, apart from metrics",
    "interchange/contract_shape": "the form of a standard, which changes with it",
    "interchange/ossie_shape": "the form of a standard, which changes with it",
    "limits/attributes": "the arithmetic of counts, shares and rates: formulas of Montgomery and Laney",
    "limits/expectations": "what makes values alike, where nobody said it; lines are what it tries",
    "limits/lines": "the line that limits follow, the one fit among them",
    "limits/ranges": "the other half of an XmR chart, which judges nothing",
    "limits/runs": "Anhøj's rules, which need no limits",
    "limits/verdicts": "what limits say, apart from where they lie",
    "limits/regimes": "which series are searched, and what their newest level says",
    "links/causes": "what is one find, after all verdicts",
    "links/checks": "what speaks against a strong correlation; apart from what makes it one",
    "links/memory": "autoregressions, for what is regular and for what is left",
    "links/seasons": "the columns of a calendar, without any series",
    "links/pairs": "which pairs are looked at, before any evidence",
    "profile/wide": "periods that are columns, and nothing else",
    "pacing/levels": "forecasts, apart from what is asked of them",
    "pacing/track_record": "what was published before, against what came",
    "sources/arrow": "a file kind of its own, with a slow package",
    "sources/areas": "names that stand for cells, for readers and drafts",
    "profile/columns": "what is known of a column, below everything that guesses",
    "profile/dates": "the formats of days, apart from the trial of them",
    "profile/parts": "numbers side by side, which nothing else looks at",
    "profile/revenue": "money, apart from what is counted",
    "profile/sheets": "a file kind of its own, with a slow package",
    "profile/systems": "the reader of a table of known exports",
    "profile/things": "one question, and the queries that answer it",
    "plain": "the one writer of plain JSON, below everything",
    "reports/delivery/formats": "files beside the pages; brings what pages do not need",
    "reports/engine/child": "started as a program",
    "reports/engine/entry": "papermill imports it for everybody",
    "reports/engine/isolation": "numpy comes after the shell",
    "reports/engine/kernel": "a forked report has no kernel",
    "reports/engine/rehearsal": "the shell is made before libraries are imported",
    "reports/environment": "what a notebook sees, for runs and for the check of secrets",
    "reports/formats": "the names of formats, without what writes them",
    "reports/journal": "what survives a run that is killed",
    "reports/pages/archive": "a page of its own",
    "reports/pages/north_star": "one block of the front page",
    "reports/pages/outputs": "what a cell may show, for whoever asks what reaches a page",
    "reports/pages/sparkline": "one drawing, for tiles and for the front page",
    "reports/pages/quotes": "what a page without a notebook says, for `verify`",
    "reports/progress": "below everything that reports progress",
    "reports/redaction": "what no page and no log may show",
    "reports/resources": "the types of what a report may use, below those who use it",
    "sources/cells": "what a cell of a workbook means, apart from which cells count",
    "sources/engines/spark": "an engine of its own, with a package of its own",
    "sources/engines/sqlite": "an engine of its own",
    "sources/formats": "where a file format is chosen",
    "sources/moments": "days and stamps in expressions over a database, for the shelf",
    "sources/indicators": "a format of rows of its own",
    "sources/references": "columns that point at another source",
    "story/phrases": "how wordings are filled, apart from what they say",
    "story/luck": "what nobody saw: expectations, apart from findings",
    "story/answers": "what somebody asks, apart from what is told",
    "templates": "the one reader of templates, below everything",
    "workbench/memory": "the door of earlier reports, as the first floor asks for it",
}
# How many a folder still has that nobody has rewritten yet; a number only ever falls.
WIDE: dict[str, int] = {
    "alignment": 4,
    "company": 1,
    "lineage": 2,
    "pacing": 1,
    "reports": 1,
    "story": 1,
}
NESTED: dict[str, int] = {
    "alignment": 10,
    "display": 1,
    "lineage": 1,
    "pacing": 2,
    "reports": 3,
    "sources": 1,
}
EMPTY: dict[str, int] = {
    "alignment": 32,
    "board": 1,
    "cli": 1,
    "company": 2,
    "definitions": 1,
    "drivers": 7,
    "lineage": 1,
    "links": 5,
    "messages": 2,
    "numbers": 4,
    "pacing": 10,
    "profile": 2,
    "reports": 18,
    "story": 2,
    "tables": 2,
}

PACKAGE = Path(dataops_nb.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def name_of(path: Path) -> str:
    """A module as its path in the package, without its ending."""
    return path.relative_to(PACKAGE).with_suffix("").as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def size_of(path: Path) -> int:
    """The lines of a module, without blank ones."""
    return sum(1 for line in path.read_text("utf-8").splitlines() if line.strip())


def beyond(counts: Counter[str], allowed: dict[str, int]) -> dict[str, int]:
    """The folders that have more of something than they may."""
    by_folder: Counter[str] = Counter()
    for name, count in counts.items():
        by_folder[name.partition("/")[0]] += count
    return {name: count for name, count in by_folder.items() if count > allowed.get(name, 0)}


def test_no_module_holds_more_than_a_concept():
    assert set(long_modules()) <= set(LONG)


def long_modules() -> dict[str, int]:
    sizes = {name_of(path): size_of(path) for path in MODULES}
    return {name: size for name, size in sizes.items() if size > LONGEST}


def test_a_small_module_has_a_reason():
    assert set(small_modules()) <= set(SMALL)


def small_modules() -> dict[str, int]:
    """Modules that are short, or rather short with one neighbour as their only importer."""
    importers = importers_by_module()
    small = {}
    for path in MODULES:
        size = size_of(path)
        shortest = SMALLEST_FOR_ONE if is_for_one(path, importers) else SHORTEST
        if size < shortest and path.stem not in MAY_BE_SHORT:
            small[name_of(path)] = size
    return small


def is_for_one(path: Path, importers: dict[str, set[Path]]) -> bool:
    users = importers[dotted(path)]
    return len(users) == 1 and next(iter(users)).parent == path.parent


def test_two_windows_fit_beside_each_other():
    assert beyond(wide_lines(), WIDE) == {}


def wide_lines() -> Counter[str]:
    counts: Counter[str] = Counter()
    for path in MODULES:
        for line in path.read_text("utf-8").splitlines():
            if len(line) > WIDEST:
                counts[name_of(path)] += 1
    return counts


def test_a_comprehension_is_read_at_once():
    assert beyond(nested_comprehensions(), NESTED) == {}


def nested_comprehensions() -> Counter[str]:
    counts: Counter[str] = Counter()
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, Comprehension) and not is_plain(node):
                counts[name_of(path)] += 1
    return counts


def is_plain(node: Comprehension) -> bool:
    conditions = sum(len(loop.ifs) for loop in node.generators)
    branches = any(isinstance(inner, ast.IfExp) for inner in ast.walk(node))
    return len(node.generators) <= MOST_LOOPS and conditions <= MOST_CONDITIONS and not branches


def test_modules_are_nouns():
    stems = {path.stem for path in MODULES if path.stem.endswith("ing")}
    assert stems <= GERUNDS


def test_names_say_what_they_hold():
    assert beyond(empty_names(), EMPTY) == {}


def empty_names() -> Counter[str]:
    counts: Counter[str] = Counter()
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if given_name(node) in EMPTY_NAMES:
                counts[name_of(path)] += 1
    return counts


def given_name(node: ast.AST) -> str | None:
    """The name that a node gives to a variable or a parameter."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    if isinstance(node, ast.arg):
        return node.arg
    return None


def importers_by_module() -> defaultdict[str, set[Path]]:
    """The modules that import each of ours."""
    known = {dotted(path) for path in MODULES}
    importers: defaultdict[str, set[Path]] = defaultdict(set)
    for path in MODULES:
        for name in imported_names(tree_of(path)):
            module = name if name in known else name.rpartition(".")[0]
            if module != dotted(path):
                importers[module].add(path)
    return importers


def imported_names(module: ast.Module) -> Iterator[str]:
    """What its imports may mean: modules, or names in them."""
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def print_all() -> None:
    """Print all that crosses a threshold, whether it is allowed or not."""
    measures = {
        "LONG": long_modules(),
        "SMALL": small_modules(),
        "WIDE": wide_lines(),
        "NESTED": nested_comprehensions(),
        "EMPTY": empty_names(),
    }
    for name, counts in measures.items():
        print(f"{name}  # {len(counts)} modules, {sum(counts.values())} in all")
        for module, count in sorted(counts.items()):
            print(f'    "{module}": {count},')


if __name__ == "__main__":
    print_all()
