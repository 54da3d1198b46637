"""The notebooks are documents: short, stripped, and without numbers that somebody typed."""

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
REPORTS = [path for path in NOTEBOOKS if not path.name.startswith(("00", "05"))]


UNITS = r"(?:percent|points?|customers?|deals?|meetings?|weeks?|days?|months?|years?|dollars?|euros?|times?|%)"
COUNTS = r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:-\w+)?)"
MEASURED = re.compile(
    rf"\b(?:{COUNTS} {UNITS}|{COUNTS} (?:thirds|quarters|fifths)|(?:a|one|{COUNTS}) (?:hundred|thousand|million)|half of|"
    r"doubled|tripled|halved)\b",
    re.IGNORECASE,
)


NAMES = re.compile(
    r"\bsix weeks and twelve months\b", re.IGNORECASE
)  # what `tables.six_twelve` shows is called


def cells(path):
    return json.loads(path.read_text())["cells"]


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return set(cell["metadata"].get("tags", []))


by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
reports = pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)


@by_name
def test_a_notebook_has_at_most_twelve_cells_of_twelve_lines_and_defines_nothing(path):
    assert len(cells(path)) <= 12
    for cell in cells(path):
        assert source(cell).count("\n") < 12
        assert (
            not re.search(r"^\s*(def|class) ", source(cell), re.MULTILINE)
            or cell["cell_type"] == "markdown"
        )


@by_name
def test_a_notebook_is_kept_without_outputs_or_counts(path):
    for cell in cells(path):
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@by_name
def test_a_notebook_opens_with_its_title_and_question_and_then_its_parameters(path):
    first, second = cells(path)[:2]
    assert re.match(r"# \w", source(first))
    assert "parameters" in tags(second)
    assert all("# help:" in line for line in source(second).splitlines())


@pytest.mark.parametrize(
    "said",
    [
        "up by five percent",
        "forty-one meetings",
        "a hundred customers",
        "twelve weeks ago",
        "half of the deals",
        "doubled",
        "two thirds",
    ],
)
def test_a_number_in_words_is_a_number(said):
    assert MEASURED.search(said)


@by_name
def test_no_number_or_verdict_is_typed_into_the_prose(path):
    prose = " ".join(source(cell) for cell in cells(path) if cell["cell_type"] == "markdown")
    prose = re.sub(r"`[^`]*`", "", prose)
    assert not re.search(r"\d", prose)
    assert not MEASURED.search(NAMES.sub("", prose))
    assert not re.search(r"\b(green|yellow|red)\b", prose, re.IGNORECASE)


@by_name
def test_every_cell_of_a_page_says_whom_it_is_for(path):
    known = {"executive", "manager", "analyst", "parameters", "facts"}
    for cell in cells(path):
        assert tags(cell) <= known
        assert len(tags(cell)) <= 1


@reports
def test_a_report_ends_with_its_record_and_has_something_for_each_reader(path):
    assert re.fullmatch(r"story\.record\(this(, \w+=True)*\)", source(cells(path)[-1]))
    assert tags(cells(path)[-1]) == {"facts"}
    assert {"executive", "manager", "analyst"} <= set().union(*(tags(cell) for cell in cells(path)))


def test_before_a_commit_the_same_tools_look_at_the_notebooks_as_in_make_lint():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    asked = {hook["id"]: hook for repo in hooks for hook in repo["hooks"]}
    assert {repo["repo"] for repo in hooks} == {"local"}
    assert {"ruff-check", "ruff-format", "nbstripout", "layers"} <= asked.keys()
    strip = re.search(r"^STRIP := \$\(BIN\)/(.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[
        1
    ]
    assert asked["nbstripout"]["entry"] == f".venv/bin/{strip}"
    assert all(
        re.search(asked["nbstripout"]["files"], f"notebooks/{path.name}") for path in NOTEBOOKS
    )
    assert all("jupyter" in asked[name]["types_or"] for name in ("ruff-check", "ruff-format"))
