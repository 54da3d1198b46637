"""Companies by chance with all that definitions may say (`tests/odd_workbenches.py`), through whole refreshes.

Weeks that were published are corrected between two of them. Nothing crashes, no page is refused, every page verifies.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter

import pytest

from dataops_nb import cli
from tests import odd_workbenches, workbenches

pytestmark = pytest.mark.long

DAILY, REFRESHED = range(100, 124), range(200, 220)
# In the long run, in blocks: a fault in one leaves the others, and a part of them can be run by itself.
ASKED, SOAK = range(30_000, 32_500, 250), range(20_000, 20_500, 50)
MADE_UP = "bug in dataops-nb"


@pytest.fixture
def ask(capfd, monkeypatch):
    """Run a command in this process; give its exit code and its document."""
    for name in ("DATAOPS_WORKBENCH", "DATAOPS_DATA", "DATAOPS_OUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATAOPS_TRACEBACK", "1")

    def run(made, *words):
        code = cli.main(["-w", str(made.root), *words, "--json"])
        out, err = capfd.readouterr()
        assert MADE_UP not in err, f"seed {made.seed}: {err}"
        return code, json.loads(out) if out else {}

    return run


def refresh(made, ask):
    """Publish a company, correct what stands behind it, and publish it a week later."""
    counts = Counter(companies=1)
    earlier, later = sorted(made.days[:2])
    for day in (earlier, later):
        code, done = ask(made, "refresh", "--as-of", day, "--jobs", "2")
        states = {each["report"]: (each["state"], each["error"]) for each in done["reports"]}
        assert code == 0, f"seed {made.seed} as of {day}: {states}"
        assert {state for state, _ in states.values()} <= {"ok", "skipped"}, states
        counts["refreshes"] += 1
        counts["reports"] += len(states)
        if day == earlier and odd_workbenches.correct(made):
            counts["corrected"] += 1
            if ask(made, "check")[0]:
                return counts  # corrected into a fault, which is told and published by nobody
    pages = [str(path) for path in (made.root / "out").glob("*/*/*.html")]
    code, verified = ask(made, "verify", *pages)
    assert code == 0, f"seed {made.seed}: {verified}"
    counts["pages"] += len(pages)
    return counts


def asked(made, ask, days, *words):
    """Check a company and ask for its lights as of these days; count them."""
    code, checked = ask(made, "check")
    assert code == 0, f"seed {made.seed}: {checked}"
    counts = Counter(companies=1)
    for day in days:
        code, status = ask(made, "status", "--as-of", day, *words)
        assert code == 0, f"seed {made.seed}, {day}"
        for row in status["rows"]:
            assert (row["light"] == "unknown") == (row["reason"] is not None), row
            counts[row["light"]] += 1
    return counts


@pytest.mark.parametrize("seed", DAILY)
def test_a_dressed_company_can_be_asked(tmp_path, ask, seed):
    made = odd_workbenches.dress(workbenches.make(tmp_path, seed))
    assert asked(made, ask, made.days[:1])["companies"] == 1


def test_one_seed_dresses_and_corrects_one_company_alike(tmp_path):
    one, two = (
        odd_workbenches.dress(workbenches.make(tmp_path / name, 104)) for name in ("a", "b")
    )
    odd_workbenches.correct(one)
    odd_workbenches.correct(two)
    for path in one.root.rglob("*.*"):
        if path.is_file():
            assert path.read_bytes() == (two.root / path.relative_to(one.root)).read_bytes()


@pytest.mark.faults
@pytest.mark.parametrize("seed", REFRESHED)
def test_a_dressed_company_is_refreshed_and_refreshed_again_after_a_correction(tmp_path, ask, seed):
    made = odd_workbenches.dress(workbenches.make(tmp_path, seed))
    assert refresh(made, ask)["reports"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("first", ASKED)
def test_thousands_of_dressed_companies_can_be_asked(tmp_path, ask, capfd, first):
    counts = Counter()
    for seed in range(first, first + ASKED.step):
        made = odd_workbenches.dress(workbenches.make(tmp_path, seed))
        counts += asked(made, ask, [made.days[seed % 3]], "--grain", made.grain)
        shutil.rmtree(made.root)
    with capfd.disabled():
        print(f"\n{counts['companies']:,} dressed companies: {dict(counts)}")
    assert counts["companies"] == ASKED.step


@pytest.mark.slow
@pytest.mark.parametrize("first", SOAK)
def test_hundreds_of_dressed_companies_are_refreshed(tmp_path, ask, capfd, first):
    counts = Counter()
    for seed in range(first, first + SOAK.step):
        made = odd_workbenches.dress(workbenches.make(tmp_path, seed))
        counts += refresh(made, ask)
        shutil.rmtree(made.root)
    with capfd.disabled():
        print(f"\n{counts['companies']:,} companies refreshed: {dict(counts)}")
    assert counts["companies"] == SOAK.step
