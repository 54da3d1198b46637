"""Measure how the package reads: sizes, branching, comprehensions, importers, public names.

    python benchmarks/measure.py [SIDE] [--before SIDE] [--no-walk]

SIDE is a commit or a folder (this checkout). With `--before` both are printed beside each other.
Lines are counted without blank ones. Complexity is radon's, of functions and methods. The last
figures are of running code: how many functions in how many files of the package `metric values`
and `status` walk through on the sample company. All of them are signs, not aims.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import os
import subprocess
import sys
import tempfile
import tokenize
from collections import defaultdict
from pathlib import Path

from goldens import sides
from radon.complexity import cc_visit
from radon.visitors import Function

PACKAGE = "dataops_nb"
HELPERS = (
    "periods", "alignment", "limits", "pacing", "status", "drivers", "links", "reconciliation",
    "company", "numbers", "board", "story", "charts", "tables", "controls",
)  # fmt: skip
LAYOUT = {
    tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENCODING, tokenize.ENDMARKER,
}  # fmt: skip
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
WIDE = 100
NAMES = """
import importlib, json, sys
documented, shown, names = 0, 0, []
for package in sys.argv[1:]:
    try:
        module = importlib.import_module("dataops_nb." + package)
    except ImportError:
        continue
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name, None)
        own = callable(value) or type(value).__name__ == "module"
        said = (value.__doc__ if own else module.__doc__) or ""
        documented += bool(said) if own else name in said
        shown += ">>>" in said and own
        names.append(package + "." + name)
print(json.dumps({"names": len(names), "documented": documented, "shown": shown}))
"""
COMMAND = "import sys; from dataops_nb import cli; sys.exit(cli.main(sys.argv[1:]))"
WALK = """
import json, sys, threading
package, place, words = sys.argv[1], sys.argv[2], sys.argv[3:]
walked = set()
def note(frame, event, argument):
    code = frame.f_code
    named = code.co_name[0] != "<" and code.co_flags & 1  # class bodies are none
    if event == "call" and named and code.co_filename.startswith(package):
        walked.add((code.co_filename, code.co_qualname))
from dataops_nb import cli
sys.stdout = sys.stderr
threading.setprofile(note)
sys.setprofile(note)
ended = cli.main(words)
sys.setprofile(None)
said = json.dumps([ended, len(walked), len({name for name, _ in walked})])
open(place, "w").write(said)
"""


def main() -> None:
    """Measure one side or two, and print a line a measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("side", nargs="?", default=str(sides.ROOT))
    parser.add_argument("--before", help="a second commit or folder, shown first")
    parser.add_argument("--no-walk", action="store_true", help="run no code of the sides")
    asked = parser.parse_args()
    columns = [side for side in (asked.before, asked.side) if side]
    measured = []
    with tempfile.TemporaryDirectory(prefix="measure-") as temporary:
        for number, side in enumerate(columns):
            folder = Path(temporary) / str(number)
            sides.copy_source(side, folder)
            found = texts(folder / "src" / PACKAGE)
            found |= {} if asked.no_walk else running(folder, Path(temporary))
            measured.append(found)
    if asked.before:
        print(f"{'':44}{'before':>10}{'after':>10}")
    for name in measured[-1]:
        values = [found.get(name, "") for found in measured]
        print(f"{name:44}" + "".join(f"{value:>10}" for value in values))


def texts(package: Path) -> dict[str, str]:
    """The measures of source text."""
    total: dict[str, int] = defaultdict(int)
    paths = sorted(package.rglob("*.py"))
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for name, count in of_module(text).items():
            total[name] += count
    lines = total["lines"]
    single = one_importer(package, paths)
    return {
        "modules": f"{len(paths):,}",
        "lines": f"{lines:,}",
        "lines of code": f"{total['code']:,}",
        "comment lines": f"{total['comments']:,}",
        "tokens": f"{total['tokens']:,}",
        "statements": f"{total['statements']:,}",
        "modules with one importer": f"{len(single):,}",
        "mean characters a line": f"{total['characters'] / lines:.1f}",
        f"share of lines over {WIDE}": f"{total['wide'] / lines:.1%}",
        "complexity a line": f"{total['complexity'] / lines:.3f}",
        "complexity a line of code": f"{total['complexity'] / total['code']:.3f}",
        "comprehensions per 100 lines": f"{100 * total['comprehensions'] / lines:.2f}",
        "conditional expressions per 100 lines": f"{100 * total['conditionals'] / lines:.2f}",
    }


def of_module(text: str) -> dict[str, int]:
    """The counts of one module."""
    lines = [line for line in text.splitlines() if line.strip()]
    counts = {
        "lines": len(lines),
        "characters": sum(map(len, lines)),
        "wide": sum(len(line) > WIDE for line in lines),
        "complexity": complexity(text),
        "comments": sum(line.lstrip().startswith("#") for line in lines),
    }
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    counts["tokens"] = sum(token.type not in LAYOUT for token in tokens)
    nodes = list(ast.walk(ast.parse(text)))
    counts["statements"] = sum(isinstance(node, ast.stmt) for node in nodes)
    counts["comprehensions"] = sum(isinstance(node, COMPREHENSIONS) for node in nodes)
    counts["conditionals"] = sum(isinstance(node, ast.IfExp) for node in nodes)
    counts["code"] = code_lines(tokens, nodes)
    return counts


def code_lines(tokens: list[tokenize.TokenInfo], nodes: list[ast.AST]) -> int:
    """How many lines hold a token of code; docstrings are none."""
    code: set[int] = set()
    for token in tokens:
        if token.type not in LAYOUT:
            code.update(range(token.start[0], token.end[0] + 1))
    for node in nodes:
        if isinstance(node, ast.Expr) and is_text(node.value):
            code.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(code)


def is_text(node: ast.expr) -> bool:
    """Whether an expression is a text by itself, as docstrings are."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def complexity(text: str) -> int:
    """The complexity of all functions and methods, after radon."""
    total = 0
    for block in cc_visit(text):
        if isinstance(block, Function):  # classes repeat what their methods have
            total += block.complexity
    return total


def one_importer(package: Path, paths: list[Path]) -> list[str]:
    """The modules that exactly one other module imports."""
    modules = {module_name(package, path): path for path in paths}
    importers: dict[str, set[str]] = defaultdict(set)
    for name, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for imported in imported_names(node):
                target = imported if imported in modules else imported.rpartition(".")[0]
                if target in modules and target != name:
                    importers[target].add(name)
    return [name for name, by in importers.items() if len(by) == 1]


def module_name(package: Path, path: Path) -> str:
    """The dotted name of a module."""
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(node: ast.AST) -> list[str]:
    """What an import statement may mean: modules, or names in them."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def running(folder: Path, temporary: Path) -> dict[str, str]:
    """The measures of running code: public names, and what two commands walk through."""
    names = json.loads(python(folder, NAMES, *HELPERS))
    bench = temporary / f"bench-{folder.name}"
    python(folder, COMMAND, "init", str(bench))
    found = {
        "public names of the helper packages": str(names["names"]),
        "  with a docstring": str(names["documented"]),
        "  with an example that runs": str(names["shown"]),
    }
    python(folder, COMMAND, "-w", str(bench), "check")  # makes the sample's files
    day = ["--no-cache", "-w", str(bench), "--as-of", "2026-11-22"]
    answer = temporary / "walked.json"
    commands = {"metric values": ["metric", "values", "closed_won"], "status": ["status"]}
    for name, words in commands.items():
        package = str(folder / "src" / PACKAGE)
        python(folder, WALK, package, str(answer), *words, *day)
        ended, functions, files = json.loads(answer.read_text())
        if ended:
            sys.exit(f"{name} ended with {ended}")
        found[f"functions walked by {name}"] = str(functions)
        found[f"files walked by {name}"] = str(files)
    return found


def python(folder: Path, code: str, *words: str) -> str:
    """What a script prints on one side."""
    environment = os.environ | {"PYTHONPATH": str(folder / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
