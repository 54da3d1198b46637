"""A small company in a few lines, and the real data where they are at hand."""

from __future__ import annotations

import datetime as dt
import gc
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import settings

from dataops_nb import definitions, sources

# What tests and libraries hold is much and lives long: to look through it less often saves a tenth of the time.
gc.set_threshold(100_000, 50, 100)

# No deadline: a busy machine is no fault of the code. `make soak` tries many times as many examples.
settings.register_profile("house", deadline=None, max_examples=25)
settings.register_profile("soak", deadline=None, max_examples=400)
settings.load_profile("house")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What needs a browser is not even read where nobody asks for it."""
    return (
        True
        if collection_path.name == "browser" and "not browser" in config.option.markexpr
        else None
    )


SHARED = Path(__file__).parents[2] / "shared" / "data"

LIGHTS = """
lights:
  standard:
    green: {at_least: 1.0, means: "On plan.", do: "Keep going."}
    yellow: {at_least: 0.85, means: "Recoverable.", do: "Review."}
    red: {means: "At risk.", do: "Re-plan."}
"""


@pytest.fixture
def shared():
    """A folder of real data by name; skips where the data are not at hand."""

    def find(name: str) -> Path:
        if not (SHARED / name).exists():
            pytest.skip(f"the real data set {name} is not on this machine")
        return SHARED / name

    return find


@pytest.fixture
def company(tmp_path):
    """Write a company (its sources, one department's metrics, its files) and open its data as of a day."""

    def make(
        sources_yaml: str,
        metrics_yaml: str,
        files: dict[str, str],
        *,
        as_of: str = "2026-12-31",
        extra: str = "",
        data=None,
    ):
        params = tmp_path / "params"
        (params / "departments").mkdir(parents=True, exist_ok=True)
        head = f"company: Test\ntimezone: America/New_York\n{LIGHTS}{dedent(extra)}\nsources:\n"
        (params / "company.yaml").write_text(head + _indented(sources_yaml))
        (params / "departments" / "dept.yaml").write_text(
            "department: Dept\nmetrics:\n" + _indented(metrics_yaml)
        )
        for name, text in files.items():
            (tmp_path / name).write_text(dedent(text).lstrip())
        known = definitions.load(params)
        return sources.open(known, data or tmp_path, dt.date.fromisoformat(as_of))

    return make


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in dedent(text).strip("\n").splitlines())
