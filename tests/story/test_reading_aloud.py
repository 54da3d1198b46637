"""The packaged reports' summaries can be read aloud in half a minute (docs/reading-aloud.md)."""

import datetime as dt
import json
from pathlib import Path

import pytest

from dataops_nb import workbench
from dataops_nb.display import Told
from dataops_nb.workbench import sample

NOTEBOOKS = ("20_sdr", "30_sales", "40_customer_service", "50_product", "60_solve_next")
WORDS = 75  # half a minute at 150 words a minute


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    root = workbench.init(tmp_path_factory.mktemp("company") / "lumen")
    sample.write(root / "data", end=dt.date(2026, 11, 22))
    return root


def summary(bench, name, monkeypatch):
    """What the cells tagged `executive` say: run as a notebook runs them."""
    monkeypatch.chdir(bench / "notebooks")
    shown = []
    space = {"display": lambda *values: shown.extend(values)}
    for cell in json.loads(Path(f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]:
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code" and (not tags or {"parameters", "executive"} & set(tags)):
            *_, last = ("".join(cell["source"])).splitlines()
            exec("".join(cell["source"]), space)
            shown += [eval(last, space)] if last.startswith("story.") else []
    told = [each for each in shown if isinstance(each, Told) and not getattr(each, "title", None)]
    return [said.text for each in told for said in each.sentences if " · " not in said.text]


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_summary_is_read_aloud_in_about_half_a_minute(bench, name, monkeypatch):
    said = summary(bench, name, monkeypatch)
    count = sum(len(text.split()) for text in said)
    print(f"{name}: {count} words, {count / 150 * 60:.0f} s")
    assert said
    assert count <= WORDS, said
