"""The house: layers, dependencies and their pins, what the wheel carries, what the command imports."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import dataops_nb

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONTRACTS: dict[str, dict[str, Any]] = {
    contract["name"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]
}
FLOORS = CONTRACTS["Three floors: imports go downward only"]
HELPERS = CONTRACTS["The helper package needs no files, no YAML and no pages"]
CORE = CONTRACTS["The core knows nothing of notebooks and charts"]
WIDGETS = CONTRACTS["Only the panel knows of widgets"]
CONDA_NAMES = {
    "duckdb": "python-duckdb",
    "jupyter-server": "jupyter_server",
    "tzdata": "python-tzdata",
}
SLOW_TO_IMPORT = {
    "pandas",
    "altair",
    "papermill",
    "duckdb",
    "pydantic",
    "sqlglot",
    "IPython",
    "ipywidgets",
    "nbformat",
}


def python(code: str) -> str:
    """Run code in a Python of its own; give what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return done.stdout


def modules_after(code: str) -> set[str]:
    """The names of the modules that a Python has loaded once it has run some code."""
    return set(python(f"import sys; {code}; print(); print(*sys.modules)").splitlines()[-1].split())


def test_imports_go_downward_only() -> None:
    code = (
        "from importlinter.cli import lint_imports_command;"
        "lint_imports_command(['--no-cache', '--no-logo'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_has_its_layer() -> None:
    placed = set()
    for layer in FLOORS["layers"]:
        placed |= {name.strip() for name in layer.split("|")}
    source = ROOT / "src" / "dataops_nb"
    packages = {path.parent.name for path in source.glob("*/__init__.py")}
    modules = {path.stem for path in source.glob("*.py")}
    assert packages | modules - {"__init__", "__main__"} == placed
    assert FLOORS["exhaustive"]


def test_what_measures_and_says_is_forbidden_what_reads_files_and_builds_pages() -> None:
    assert {"yaml", "sqlite3", "jinja2", "papermill"} <= set(HELPERS["forbidden_modules"])
    assert {"dataops_nb.board", "dataops_nb.story"} <= set(HELPERS["source_modules"])


@pytest.mark.long
def test_the_helper_package_loads_nothing_that_reads_files_or_builds_pages() -> None:
    loaded = modules_after(f"import {', '.join(HELPERS['source_modules'])}")
    by_altair = modules_after("import altair")  # jinja2, for pages of its own
    assert (loaded - by_altair) & set(HELPERS["forbidden_modules"]) == set()


@pytest.mark.long
def test_the_core_runs_without_notebooks_and_charts() -> None:
    loaded = modules_after(f"import {', '.join(CORE['source_modules'])}")
    assert loaded & set(CORE["forbidden_modules"]) == set()


@pytest.mark.long
def test_a_refresh_loads_no_widgets() -> None:
    modules = ", ".join([*WIDGETS["source_modules"], "dataops_nb.controls"])
    refresh = "import os; os.environ['DATAOPS_NB_REFRESH'] = '1'"
    loaded = modules_after(f"{refresh}; import {modules}")
    assert loaded & set(WIDGETS["forbidden_modules"]) == set()


def test_conda_and_pip_install_the_same() -> None:
    listed = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    conda = [Requirement(item) for item in listed if isinstance(item, str) and item != "pip"]
    ours = [Requirement(item) for item in PROJECT["project"]["dependencies"]]
    expected = {CONDA_NAMES.get(item.name, item.name): item.specifier for item in ours}
    expected["python"] = Requirement(f"python{PROJECT['project']['requires-python']}").specifier
    assert {item.name: item.specifier for item in conda} == expected
    assert {"pip": ["-e ."]} in listed


def test_the_recipe_for_conda_needs_what_the_environment_needs() -> None:
    listed = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text("utf-8"))
    run = {item.replace(" ", "") for item in recipe["requirements"]["run"]}
    assert run == {item for item in listed if isinstance(item, str) and item != "pip"}


def test_every_file_of_a_release_names_the_same_version() -> None:
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text("utf-8"))
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert recipe["context"]["version"] == cited["version"] == dataops_nb.__version__


def test_constraints_are_names_and_versions() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert [
        line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.!]*", line)
    ] == []


def test_constraints_pin_every_dependency_in_its_bounds() -> None:
    pinned = {
        item.name: item
        for item in map(Requirement, (ROOT / "constraints.txt").read_text("utf-8").split())
    }
    versions = {canonicalize_name(name): str(item.specifier)[2:] for name, item in pinned.items()}
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = map(
        Requirement,
        [*PROJECT["project"]["dependencies"], *(item for extra in extras for item in extra)],
    )
    outside = [
        str(item)
        for item in wanted
        if canonicalize_name(item.name) != "dataops-nb"
        and not item.specifier.contains(versions.get(canonicalize_name(item.name), "0"))
    ]
    assert outside == []


def test_pinned_versions_install_on_the_oldest_python() -> None:
    pinned = set((ROOT / "constraints.txt").read_text("utf-8").split())
    there = [
        one.metadata
        for one in distributions()
        if f"{one.metadata['Name']}=={one.version}" in pinned
    ]
    needs = {one["Name"]: SpecifierSet(one["Requires-Python"] or "") for one in there}
    assert len(needs) > 100
    assert [
        name for name, python_versions in needs.items() if not python_versions.contains("3.11.0")
    ] == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel that is built from a checkout in which somebody has worked."""
    checkout, built = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("wheel")
    for name in ("src", "params", "notebooks"):
        shutil.copytree(ROOT / name, checkout / name)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, checkout / name)
    (checkout / "notebooks" / ".ipynb_checkpoints").mkdir(exist_ok=True)
    (checkout / "notebooks" / ".ipynb_checkpoints" / "a-checkpoint.ipynb").write_text("{}")
    code = (
        "import sys; from hatchling.builders.wheel import WheelBuilder;"
        "print(*WheelBuilder('.').build(directory=sys.argv[1], versions=['standard']))"
    )
    words = [sys.executable, "-c", code, str(built)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1600000000"}
    subprocess.run(words, capture_output=True, check=True, cwd=checkout, env=environment)
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_the_wheel_carries_the_sample_company(wheel: set[str]) -> None:
    params = {
        f"dataops_nb/workbench/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "params").rglob("*.yaml")
    }
    notebooks = {
        f"dataops_nb/workbench/notebooks/{path.name}"
        for path in (ROOT / "notebooks").glob("*.ipynb")
    }
    assert "dataops_nb/workbench/params/company.yaml" in wheel
    assert "dataops_nb/workbench/notebooks/00_start_here.ipynb" in wheel
    assert params | notebooks <= wheel


def not_python() -> set[str]:
    """The templates, style sheets and scripts of the package, by their place below src/."""
    carried = set()
    for path in (ROOT / "src").rglob("*"):
        if path.suffix in {".j2", ".css", ".js"}:
            carried.add(path.relative_to(ROOT / "src").as_posix())
    assert len([name for name in carried if name.endswith(".j2")]) > 10
    return carried


def test_the_wheel_carries_what_is_not_python(wheel: set[str]) -> None:
    assert {"dataops_nb/py.typed"} | not_python() <= wheel


def test_the_source_archive_carries_what_is_not_python(tmp_path: Path) -> None:
    code = (
        "import sys; from hatchling.builders.sdist import SdistBuilder;"
        "print(*SdistBuilder('.').build(directory=sys.argv[1], versions=['standard']))"
    )
    words = [sys.executable, "-c", code, str(tmp_path)]
    subprocess.run(words, capture_output=True, check=True, cwd=ROOT)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/src/")[2] for name in archive.getnames()}
    assert not_python() <= names


def test_the_wheel_carries_nothing_made_by_use(wheel: set[str]) -> None:
    left = ("__pycache__", ".ipynb_checkpoints", "/data/", "/out/", ".DS_Store")
    assert [name for name in wheel if any(part in name for part in left)] == []


@pytest.mark.parametrize(
    "words",
    [["--help"], ["refresh", "--help"], ["--version"], ["stauts"], ["status", "--grian", "day"]],
)
def test_help_and_mistakes_answer_without_slow_imports(words: list[str]) -> None:
    loaded = modules_after(f"from dataops_nb.cli import main; main({words!r})")
    assert {name.partition(".")[0] for name in loaded} & SLOW_TO_IMPORT == set()


def test_the_changelog_has_this_version() -> None:
    assert f"\n## {dataops_nb.__version__}\n" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    listed = set(
        re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (folder / "README.md").read_text("utf-8"))
    )
    assert listed == {path.name for path in folder.glob("[0-9]*.md")}


def test_make_alone_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    listed = subprocess.run(
        ["make", "--no-print-directory"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert re.findall(r"^  make ([\w-]+) ", listed, re.MULTILINE) == phony.split()


def test_ci_is_test_check_and_docs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert re.findall(r"^make (\w+)$", script.read_text("utf-8"), re.MULTILINE) == [
        "test",
        "check",
        "docs",
    ]


def test_a_module_needs_at_most_one_optional_package() -> None:
    """Who has installed one extra is not asked for another one."""
    optional = {"sqlalchemy", "psycopg", "pyspark", "distributed", "dask"}
    source = ROOT / "src" / "dataops_nb"
    needed: dict[str, set[str]] = {}
    for path in source.rglob("*.py"):
        imported: set[str] = set()
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").partition(".")[0])
        if imported & optional:
            needed[path.relative_to(source).as_posix()] = imported & optional
    assert needed["sources/engines/servers.py"] == {"sqlalchemy"}
    assert {path: names for path, names in needed.items() if len(names) > 1} == {}
