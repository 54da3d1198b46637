"""Small companies by chance (`tests/workbenches.py`): checked, asked and added up, and nothing crashes."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import numpy as np
import pytest

from dataops_nb import alignment, cli, workbench
from dataops_nb.metrics import Simple
from tests import workbenches

pytestmark = pytest.mark.long

# With the dressed ones of `test_dressed.py` these are two hundred, and ten thousand in the long run:
# in blocks, so that a fault in one leaves the others, and a part of them can be run by itself.
DAILY, BLOCKS = range(176), range(1_000, 8_500, 250)
LIGHTS = {"green", "yellow", "red", "unknown"}
MADE_UP = "bug in dataops-nb"


@pytest.fixture
def ask(capsys, monkeypatch):
    """Run a command in this process; give its exit code and its document."""
    for name in ("DATAOPS_WORKBENCH", "DATAOPS_DATA", "DATAOPS_OUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATAOPS_TRACEBACK", "1")

    def run(*words):
        code = cli.main([*words, "--json"])
        out, err = capsys.readouterr()
        assert MADE_UP not in err
        return code, json.loads(out) if out else {}

    return run


def check(made, ask, days):
    """Ask a company for its lights as of these days; count them."""
    here = ("-w", str(made.root))
    code, checked = ask(*here, "check")
    assert code == 0, f"seed {made.seed}: {checked}"
    counts = Counter(companies=1)
    for day in days:
        code, status = ask(*here, "status", "--as-of", day, "--grain", made.grain)
        assert code == 0, f"seed {made.seed}, {day}"
        assert {row["light"] for row in status["rows"]} <= LIGHTS
        for row in status["rows"]:
            assert (row["light"] == "unknown") == (row["reason"] is not None), row
            counts[row["light"]] += 1
    assert sorted(path.name for path in made.root.iterdir()) in (
        ["data", "out", "params"],
        ["data", "params"],
    )
    return counts


def parts_fit(made):
    """Segments add up to their total, days to their week, and a ratio is its numerator over its denominator."""
    rows = workbench.open(made.root).rows(made.days[0])
    weeks = {}
    with rows:
        for name in ("orders", "amount", "won", "win_rate", "per_order"):
            weeks[name] = alignment.values(rows, name, grain="week").set_index("period")
        for name in ("orders", "amount", "won"):
            assert isinstance(rows.company.metrics[name], Simple)
            days = alignment.values(rows, name, grain="day")
            assert_same(days["value"].sum(), weeks[name]["value"].sum())
            if rows.company.metrics[name].by:
                parts = alignment.values(rows, name, grain="week", by=("team",))
                parts = parts[parts["segment"].notna()]
                added = parts.groupby("period")["value"].sum().reindex(weeks[name].index)
                assert_same(added.fillna(0), weeks[name]["value"].fillna(0))
    orders, won = weeks["orders"]["value"], weeks["won"]["value"]
    assert_same(weeks["win_rate"]["value"], (won / orders).where(orders != 0))
    assert_same(weeks["per_order"]["value"], (weeks["amount"]["value"] / orders).where(orders != 0))
    return len(orders)


def assert_same(one, other):
    np.testing.assert_allclose(
        np.asarray(one, dtype=float), np.asarray(other, dtype=float), rtol=1e-9, atol=1e-6
    )


@pytest.mark.parametrize("seed", DAILY)
def test_a_company_by_chance_can_be_asked(tmp_path, ask, seed):
    made = workbenches.make(tmp_path, seed)
    assert check(made, ask, [made.days[seed % 3]])["companies"] == 1


@pytest.mark.parametrize("seed", DAILY[:4])
def test_the_parts_of_a_company_by_chance_fit(tmp_path, seed):
    assert parts_fit(workbenches.make(tmp_path, seed)) >= 0


def test_one_seed_gives_one_company(tmp_path):
    one, two = (workbenches.make(tmp_path / name, 3).root for name in ("a", "b"))
    for path in one.rglob("*.*"):
        if path.is_file():
            assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("first", BLOCKS)
def test_thousands_of_companies_by_chance(tmp_path, ask, capsys, first):
    counts = Counter()
    for seed in range(first, first + BLOCKS.step):
        made = workbenches.make(tmp_path, seed)
        counts += check(made, ask, [made.days[seed % 3]])
        counts["weeks"] += parts_fit(made)
        shutil.rmtree(made.root)
    with capsys.disabled():
        print(f"\n{counts['companies']:,} companies, {counts['weeks']:,} weeks: {dict(counts)}")
    assert all(counts[light] for light in LIGHTS)
