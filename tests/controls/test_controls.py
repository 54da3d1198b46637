"""The panel's answers: what is supposed changes lights and never values, and a what-if's file says it and nothing else."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dataops_nb import board, controls, definitions, sources, status, workbench
from dataops_nb.controls import panel as panel_
from dataops_nb.controls.drawers import AGREED, SUPPOSED, Side, side_by_side
from dataops_nb.controls.material import Material, answer
from dataops_nb.controls.settings import (
    Difference,
    Settings,
    in_force,
    laid,
    target_knobs,
    trimmed,
    with_lights,
    with_target,
)
from dataops_nb.controls.widgets import in_turn
from dataops_nb.errors import DefinitionsError, UsageError
from dataops_nb.metrics import SourceTarget, Target
from dataops_nb.status.attainment import attainment
from dataops_nb.workbench import whatifs
from tests.conftest import LIGHTS

pytestmark = pytest.mark.long

ROWS = "on,n,who,won,team\n" + "".join(
    f"{dt.date(2026, 1, 5) + dt.timedelta(days=i)},{i % 9},{i % 5},{i % 2},{'East' if i % 3 else 'West'}\n"
    for i in range(322)
)
SOURCE = "s: {system: CRM, owner: Ops, path: s.csv, time: on, covers: {to: as_of}}"
METRICS = """
    m: {label: Meetings, question: Are we busy?, type: simple, measure: {source: s, agg: sum, expr: n}, by: [team],
        lights: standard, unit: meetings,
        targets: [{from: 2026-01-01, per: week, value: 28}, {from: 2026-06-01, per: week, value: 30, season: {december: 0.5}}]}
    people: {type: simple, measure: {source: s, agg: count_distinct, expr: who}, by: [team], lights: standard}
    rate: {type: ratio, numerator: wins, denominator: rows, unit: percent, targets: [{value: 45%}],
           lights: {green: {at_least: 1.0, means: A, do: B}, yellow: {at_least: 0.9, means: C, do: D}, red: {means: E, do: F}}}
    wins: {type: simple, measure: {source: s, agg: sum, expr: won}}
    rows: {type: simple, measure: {source: s, agg: count}, lights: standard, better: inside, targets: [{low: 5, high: 8}]}
"""
EXACT = {"check_exact": True}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("company")
    (root / "params" / "departments").mkdir(parents=True)
    (root / "s.csv").write_text(ROWS)
    (root / "params" / "company.yaml").write_text(
        f"company: Test\n{LIGHTS}\nsources:\n  {SOURCE}\n"
    )
    (root / "params" / "departments" / "dept.yaml").write_text(
        f"department: Dept\nmetrics:\n{METRICS}"
    )
    return root


@pytest.fixture(scope="module")
def this(place):
    catalog = sources.open(definitions.load(place / "params"), place, dt.date(2026, 11, 22))
    return board.measure(catalog, ["m", "people", "rate", "rows"])


@pytest.fixture(scope="module")
def material(this):
    return Material(this)


@pytest.fixture
def bench(place, tmp_path):
    shutil.copytree(place / "params", tmp_path / "params")
    return workbench.Workbench(tmp_path, place, tmp_path / "out")


def supposing(material, metric, **said):
    return Settings(metric, material.board.period.id).supposing(material.company, **said)


def aimed(material, metric, period=None, **said):
    at = material.period(period or material.board.period.id)
    changed = with_target(material.company, metric, at.start, "week", **said)
    return replace(supposing(material, metric, targets=changed), period=at.id)


# --- what is supposed -----------------------------------------------------------------------------------------------


def test_without_a_difference_the_board_is_the_board(material):
    view = material.view(Settings("m", material.board.period.id))
    pd.testing.assert_frame_equal(view.table, material.board.table, **EXACT)


@given(target=st.integers(1, 90), green=st.integers(30, 140), gap=st.integers(1, 29))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_slider_moves_the_light_by_the_rule_of_the_contract_and_nothing_else(
    material, target, green, gap
):
    agreed = with_lights(material.company.lights("m"), green / 100, (green - gap) / 100)
    wanted = replace(
        aimed(material, "m", value=target).changes.get("m", Difference()), lights=agreed
    )
    view = material.view(Settings("m", material.board.period.id, changes={"m": wanted}))
    row, before = view.row("m"), material.board.row("m")
    assert row["value"] == before["value"]
    assert row["target"] == target
    assert row["light"] == status.light(attainment(row["value"], target, "up"), agreed)
    others = view.table[view.table["metric"] != "m"]
    pd.testing.assert_frame_equal(others, material.board.table.loc[others.index], **EXACT)


def test_only_the_target_that_holds_in_the_period_is_another_one(material):
    settings = aimed(material, "m", "2026-W10", value=40)
    first, second = settings.changes["m"].targets
    assert (first.value, second.value, second.season) == (40, 30, {"december": 0.5})
    table = material.view(settings).table
    targets = table[table["metric"] == "m"].set_index("period")["target"]
    assert (targets["2026-W10"], targets["2026-W47"]) == (40, 30)


def test_the_policy_is_supposed_and_what_the_company_says_anyway_is_no_difference(material):
    capable = supposing(material, "m", policy="capability")
    assert capable.changes["m"] == Difference(policy="capability")
    assert material.view(capable).row("m")["attainment"] == material.board.row("m")["attainment"]
    assert capable.supposing(material.company, policy="target").changes == {}


def test_a_band_moves_by_both_ends(material):
    row = material.view(aimed(material, "rows", low=6, high=6.5)).row("rows")
    assert (row["target_low"], row["target_high"], row["light"]) == (6, 6.5, "red")


def test_every_answer_comes_from_memory(material, monkeypatch):
    monkeypatch.setattr(sources.Catalog, "_run", lambda *_: pytest.fail("a source was read"))
    periods = list(material.periods)
    for metric in material.board.metrics:
        for segment in ("", *material.segments(metric)[:1]):
            for against in ("previous", periods[5]):
                now = Settings(metric, periods[-9], against, segment)
                said = answer(material, now.supposing(material.company, policy="capability"))
                assert said.opening.sentences
                assert len(said.rows.rows) == 8
                assert said.scorecard.rows


@given(st.lists(st.tuples(
    st.sampled_from(["m", "people", "rate", "rows"]), st.sampled_from([20, 30, 45]), st.sampled_from(["target", "capability"]),
    st.sampled_from(["2026-W20", "2026-W40", "2026-W47"]), st.sampled_from(["", "team=West"]),
), min_size=2, max_size=5))  # fmt: skip
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_an_answer_is_what_a_board_that_nobody_has_played_with_says(this, material, choices):
    changes = {}
    for metric, target, policy, period, segment in choices:
        changes |= (
            aimed(material, metric, value=target).supposing(material.company, policy=policy).changes
        )
        now = Settings(
            metric, period, segment=segment if metric in {"m", "people"} else "", changes=changes
        )
        said = answer(material, now)
    fresh = answer(Material(this), now)
    pd.testing.assert_frame_equal(said.board.table, fresh.board.table, **EXACT)
    assert (said.light, said.opening, said.compared) == (fresh.light, fresh.opening, fresh.compared)
    assert (said.rows, said.parts, said.scorecard) == (fresh.rows, fresh.parts, fresh.scorecard)
    supposed_anew = board.measure(this.rows.under(laid(this.company, changes)), this.metrics)
    pd.testing.assert_frame_equal(
        held_alike(material.view(replace(now, segment="")).table),
        held_alike(supposed_anew.table),
        **EXACT,
    )


def held_alike(table):
    """The table with its texts held by Python, as those of a kept table are, whoever made it."""
    texts = [name for name, type_ in table.dtypes.items() if type_ == "str"]
    return table.astype(dict.fromkeys(texts, pd.StringDtype("python", na_value=np.nan)))


def test_what_is_shown_of_a_segment_is_its_own(material, this):
    view = material.view(Settings("people", this.period.id, segment="team=West"))
    rows = this.rows.fetch(
        "select count(distinct who) as n from s where team = 'West' and \"on\" >= '2026-11-16'"
    )
    assert view.row("people")["value"] == rows["n"].iloc[0]
    assert view.company.label("people") == "People, team West"
    assert (
        answer(material, Settings("people", this.period.id, segment="team=West")).light == "unknown"
    )


def test_a_period_or_segment_that_there_is_not_is_named_with_the_nearest(material, this):
    with pytest.raises(UsageError, match=r"no period '2026-W74'; did you mean"):
        material.view(Settings("m", "2026-W74"))
    with pytest.raises(UsageError, match=r"m has no segment 'team=Wst'; did you mean 'team=West'"):
        material.view(Settings("m", this.period.id, segment="team=Wst"))


def test_the_rows_are_the_picked_ones_and_else_the_latest(material, this):
    latest = Settings("m", this.period.id)
    picked = replace(latest, rows=("2026-W20", "2026-W12"))
    assert [row[0] for row in answer(material, picked).rows.rows] == [
        "2026-W20",
        "2026-W12",
    ]
    assert answer(material, latest).rows.rows[0][0] == "2026-W47"


def test_the_parts_are_those_of_the_segments_column(material, this):
    parts = answer(material, Settings("people", this.period.id, segment="team=West")).parts
    assert {row[0] for row in parts.rows} >= {"West"} or not parts.rows


# --- knobs ----------------------------------------------------------------------------------------------------------


def test_a_knob_says_what_the_file_says_and_reaches_beyond_every_value(material, this):
    view = material.view(Settings("m", this.period.id))
    (knob,) = target_knobs(view, "m", this.period)
    assert (knob.part, knob.value, knob.unit, knob.low, knob.step) == ("value", 30, "a week", 0, 1)
    assert knob.high >= 60
    assert knob.hint == "Target since 1 Jun"
    (share,) = target_knobs(view, "rate", this.period)
    assert (share.value, share.scale, share.unit) == (0.45, 100, "%")
    assert [each.part for each in target_knobs(view, "rows", this.period)] == ["low", "high"]


def test_where_no_target_was_agreed_the_knob_starts_where_the_metric_is(material, this):
    (knob,) = target_knobs(material.view(Settings("people", this.period.id)), "people", this.period)
    assert knob.hint == "No target for this period"
    assert knob.value == pytest.approx(this.row("people")["center"])


def test_a_rates_knob_names_the_grain_its_target_is_for(material, this):
    weekly = Difference(targets=(Target(grain="week", value=0.5),))
    view = material.view(Settings("rate", this.period.id, changes={"rate": weekly}))
    (knob,) = target_knobs(view, "rate", this.period)
    assert (knob.label, knob.value) == ("Target for a week", 0.5)
    (everywhere,) = target_knobs(material.board, "rate", this.period)
    assert everywhere.label == "Target"


def test_a_target_supposed_for_a_week_leaves_the_month_as_it_is_agreed(material, this):
    monthly = Difference(targets=(Target(grain="month", value=0.5),))
    company = laid(material.company, {"rate": monthly})
    view = material.view(Settings("rate", this.period.id, changes={"rate": monthly}))
    (knob,) = target_knobs(view, "rate", this.period)
    assert (knob.label, knob.hint) == ("Target for a week", "No target for this period")
    supposed = with_target(company, "rate", this.period.start, "week", value=0.4)
    assert supposed == (Target(grain="week", value=0.4), Target(grain="month", value=0.5))
    changed = with_target(
        laid(company, {"rate": Difference(targets=supposed)}),
        "rate",
        this.period.start,
        "month",
        value=0.6,
    )
    assert changed == (Target(grain="week", value=0.4), Target(grain="month", value=0.6))


def test_a_supposed_grain_is_saved_and_read_again(material, bench):
    said = {"rate": Difference(targets=(Target(grain="week", value=0.4),))}
    path = whatifs.save(bench, material.company, "weekly", said)
    assert yaml.safe_load(path.read_text()) == {
        "metrics": {"rate": {"targets": [{"grain": "week", "value": "40%"}]}}
    }
    read = definitions.load(bench.params, whatif="weekly").metrics["rate"]
    assert tuple(read.targets) == said["rate"].targets


def test_a_what_if_is_said_in_words_with_the_target_in_force(material, bench):
    both = (
        aimed(material, "m", value=44).changes
        | supposing(material, "rate", policy="capability").changes
    )
    whatifs.save(bench, material.company, "spoken", both)
    day = material.board.as_of
    spoken = whatifs.words(replace(bench, whatif="spoken"), day)
    assert [line.split(": ")[1] for line in spoken] == [
        "target 44 instead of 30",
        "light by target and usual range",
    ]
    assert whatifs.words(bench, day) == []


def test_targets_that_data_say_are_replaced_as_a_whole(material):
    planned = material.company.metrics["m"].model_copy(
        update={"targets": [SourceTarget(source="plan", column="m"), Target(value=3)]}
    )
    assert in_force(planned.targets, dt.date(2026, 5, 1), "week") is None


# --- the file -------------------------------------------------------------------------------------------------------


def test_a_file_holds_only_what_differs_and_is_the_panel_again(material, bench):
    said = (
        aimed(material, "m", value=44).changes
        | supposing(material, "rate", policy="capability").changes
    )
    path = whatifs.save(bench, material.company, "higher-target", said)
    content = yaml.safe_load(path.read_text())
    assert content == {
        "metrics": {
            "m": {
                "targets": [
                    {"from": dt.date(2026, 1, 1), "per": "week", "value": 28},
                    {
                        "from": dt.date(2026, 6, 1),
                        "per": "week",
                        "value": 44,
                        "season": {"december": 0.5},
                    },
                ]
            },
            "rate": {"policy": "capability"},
        }
    }
    assert whatifs.load(bench, material.company, "higher-target") == (said, [])
    other = definitions.load(bench.params, whatif="higher-target")
    read = board.measure(
        sources.open(other, bench.data, material.board.as_of), material.board.metrics
    )
    shown = material.view(Settings("m", material.board.period.id, changes=said))
    pd.testing.assert_frame_equal(read.table, shown.table, **EXACT)


def test_lights_that_are_written_out_beside_the_metric_stand_by_what_differs_and_named_ones_as_a_whole(
    material,
):
    both = {
        name: Difference(lights=with_lights(material.company.lights(name), 1.0, 0.8))
        for name in ("m", "rate")
    }
    found = whatifs.overlay(material.company, both)["metrics"]
    assert found["rate"] == {"lights": {"yellow": {"at_least": 0.8}}}
    assert set(found["m"]["lights"]) == {"green", "yellow", "red"}
    assert found["m"]["lights"]["yellow"] == {
        "at_least": 0.8,
        "means": "Recoverable.",
        "do": "Review.",
    }


VALUES = st.floats(0.01, 5000, allow_nan=False).map(lambda value: float(f"{value:.7g}"))


@given(
    target=VALUES, share=st.floats(0.001, 1.5), green=st.integers(60, 130), gap=st.integers(1, 50)
)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_saved_is_what_is_loaded(material, bench, target, share, green, gap):
    assume(share != 0.45)  # what is agreed already is no change
    said = aimed(material, "m", value=target).changes | aimed(material, "rate", value=share).changes
    agreed = material.company.lights("rate")
    said["rate"] = trimmed(
        material.company,
        "rate",
        replace(said["rate"], lights=with_lights(agreed, green / 100, (green - gap) / 100)),
    )
    said = {name: each for name, each in said.items() if each}
    whatifs.save(bench, material.company, "w", said, overwrite=True)
    assert whatifs.load(bench, material.company, "w") == (said, [])


def test_the_diff_shows_what_differs_with_its_signs(material):
    assert whatifs.diff(
        material.company, aimed(material, "rate", value=0.5).changes, "half"
    ).splitlines() == [
        "--- params/departments/dept.yaml: rate",
        "+++ params/whatif/half.yaml: rate",
        " targets:",
        "-- value: 45%",
        "+- value: 50%",
    ]
    assert whatifs.diff(material.company, {}) == ""


HOSTILE = ["<img src=x onerror=alert(1)>", "../../x", "a\"b'c", "x" * 300]


@pytest.mark.parametrize(
    "name", ["", "../up", "a b", ".hidden", "a/b", "con", "x" * 65, "-r", *HOSTILE]
)
def test_a_name_that_no_file_should_have_is_refused(material, bench, name):
    with pytest.raises(UsageError, match="can't be a name"):
        whatifs.save(bench, material.company, name, aimed(material, "m", value=1).changes)
    assert whatifs.names(bench) == []


def test_a_file_is_replaced_only_where_that_is_asked_for_and_nothing_of_it_would_be_lost(
    material, bench
):
    said = aimed(material, "m", value=44).changes
    path = whatifs.save(bench, material.company, "w", said)
    with pytest.raises(UsageError, match="'w' exists"):
        whatifs.save(bench, material.company, "w", said)
    whatifs.save(
        bench, material.company, "w", aimed(material, "m", value=45).changes, overwrite=True
    )
    assert "value: 45" in path.read_text()
    path.write_text("timezone: America/New_York\nmetrics: {wins: {measure: {filter: n > 3}}}\n")
    assert whatifs.load(bench, material.company, "w")[1] == ["timezone", "wins"]
    with pytest.raises(UsageError, match="also changes timezone, wins: choose another name"):
        whatifs.save(bench, material.company, "w", said, overwrite=True)


def test_nothing_to_save_and_what_would_not_hold_together_are_refused_without_a_file(
    material, bench
):
    with pytest.raises(UsageError, match="you have changed nothing yet"):
        whatifs.save(bench, material.company, "w", {})
    wrong = {"m": Difference(targets=(Target(per="week", low=1.0, high=2.0),))}
    with pytest.raises(DefinitionsError):
        whatifs.save(bench, material.company, "w", wrong)
    assert list((bench.params / "whatif").iterdir()) == []


# --- side by side ---------------------------------------------------------------------------------------------------


def column(table, name):
    return [row[list(table.columns).index(name)] for row in table.rows]


def test_two_periods_and_two_agreements_stand_side_by_side(material, bench):
    said = aimed(material, "m", value=60)
    now = material.board.period.id
    table = side_by_side(
        material, bench.memory.whatifs, said, Side(AGREED, "2026-W46"), Side(SUPPOSED, now)
    )
    assert list(table.columns) == [
        "",
        "Current targets, week 46",
        "My settings, week 47",
        "Difference",
    ]
    assert [row[0] for row in table.rows] == ["Value", "Target", "Of target", "Light", "In words"]
    assert column(table, "Difference")[1] == "+30"
    whatifs.save(bench, material.company, "sixty", said.changes)
    again = side_by_side(
        material, bench.memory.whatifs, said, Side(SUPPOSED, now), Side("sixty", now)
    )
    assert column(again, "Difference")[:4] == ["0", "0", "0 points", "same"]


def test_a_what_if_that_counts_otherwise_is_read_for_the_comparison(material, bench):
    (bench.params / "whatif").mkdir()
    (bench.params / "whatif" / "west.yaml").write_text(
        "metrics: {m: {measure: {filter: team = 'West'}}}\n"
    )
    now = material.board.period.id
    table = side_by_side(
        material, bench.memory.whatifs, Settings("m", now), Side(AGREED, now), Side("west", now)
    )
    west = material.board.rows.fetch(
        "select sum(n) as n from s where team = 'West' and \"on\" >= '2026-11-16'"
    )
    assert column(table, "west, week 47")[0] == str(int(west["n"].iloc[0]))


# --- where nobody turns a knob --------------------------------------------------------------------------------------


def test_while_a_report_is_refreshed_the_panel_is_a_folded_table_of_its_settings(this, monkeypatch):
    monkeypatch.setenv("DATAOPS_NB_REFRESH", "1")
    shown = controls.explore(this)._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert shown["text/html"].startswith(
        "<details><summary>Settings behind these results</summary>"
    )
    assert "<p" not in shown["text/html"]
    assert (
        "Meetings | week 47 | the week before | all | ≥ 30 | 100% | 85% | target only"
        in shown["text/plain"]
    )
    assert (
        "Rows | week 47 | the week before | all | 5 to 8 | 100% | 85% | target only"
        in shown["text/plain"]
    )


def test_a_script_gets_the_table_and_the_environment_can_say_otherwise(
    this, bench, monkeypatch, offline
):
    monkeypatch.delenv("DATAOPS_NB_REFRESH", raising=False)
    assert type(controls.explore(this)).__name__ == "Folded"
    monkeypatch.setenv("DATAOPS_WIDGETS", "1")
    shown = controls.explore(this, bench)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in shown[0]
    assert "Settings behind these results" in shown[0]["text/html"]


class Kernel:
    """What IPython says it runs in, where it is a kernel."""

    kernel, user_ns = object(), {}


@pytest.fixture
def kernel(monkeypatch):
    for name in ("DATAOPS_NB_REFRESH", "DATAOPS_WIDGETS", "JPY_SESSION_NAME", "JPY_PARENT_PID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("IPython.get_ipython", Kernel)
    return monkeypatch


@contextmanager
def starter(**environment):
    """A process that could have started a kernel."""
    asleep = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    with subprocess.Popen(
        asleep, env=os.environ | environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()  # it has its own environment once it runs
        yield str(process.pid)
        process.stdin.close()


def test_a_kernel_that_no_server_started_shows_the_table(kernel):
    assert not controls.usable()


def test_a_kernel_that_a_server_started_shows_the_panel(kernel):
    with starter() as server:
        kernel.setenv("JPY_SESSION_NAME", "notebooks/30_sales.ipynb")
        kernel.setenv("JPY_PARENT_PID", server)
        assert controls.usable()


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells the environment of another process"
)
def test_a_kernel_that_papermill_started_from_a_cell_shows_the_table(kernel):
    kernel.setenv("JPY_SESSION_NAME", "notebooks/30_sales.ipynb")
    with starter(JPY_SESSION_NAME="notebooks/30_sales.ipynb") as papermill:
        kernel.setenv("JPY_PARENT_PID", papermill)
        assert not controls.usable()


@pytest.mark.slow
def test_under_papermill_as_it_is_the_panel_is_the_table_of_the_same_settings(tmp_path):
    bench = workbench.init(tmp_path / "bench")
    notebook, out = bench / "notebooks" / "30_sales.ipynb", tmp_path / "out.ipynb"
    own = {
        name: said for name, said in os.environ.items() if not name.startswith(("DATAOPS", "JPY"))
    }
    words = [sys.executable, "-m", "papermill", str(notebook), str(out), "-k", "python3"]
    subprocess.run(words, env=own, cwd=bench, check=True, capture_output=True, timeout=300)
    cells = json.loads(out.read_text())["cells"]
    (panel,) = (cell for cell in cells if "controls.explore" in "".join(cell["source"]))
    (shown,) = (output["data"] for output in panel["outputs"] if "data" in output)
    assert set(shown) == {"text/html", "text/plain"}
    assert "Settings behind these results" in "".join(shown["text/html"])


# --- the chart's script ---------------------------------------------------------------------------------------------


def test_a_script_is_put_together_once_and_anew_for_other_versions(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("DATAOPS_NO_CACHE", raising=False)
    assert panel_.kept("altair 1", lambda: "one\n") == "one\n"
    assert panel_.kept("altair 1", lambda: pytest.fail("it was put together again")) == "one\n"
    assert panel_.kept("altair 2", lambda: "two") == "two"
    assert [path.suffix for path in (tmp_path / "dataops-nb").iterdir()] == [".js", ".js"]


def test_a_script_that_cannot_or_must_not_be_kept_is_put_together_each_time(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    for name, value in (("XDG_CACHE_HOME", str(tmp_path / "file")), ("DATAOPS_NO_CACHE", "1")):
        monkeypatch.setenv(name, value)
        assert [panel_.kept("x", lambda said=said: said) for said in ("one", "two")] == [
            "one",
            "two",
        ]


# --- the panel ------------------------------------------------------------------------------------------------------


@pytest.fixture
def offline(monkeypatch):
    """Without a browser nobody needs the chart's script, which takes seconds to put together."""
    from dataops_nb.controls.panel import Picture

    monkeypatch.setattr(Picture, "enable_offline", classmethod(lambda cls: None))


@pytest.fixture
def panel(this, bench, offline):
    from dataops_nb.controls.panel import Panel

    return Panel(this, bench.memory.whatifs)


def test_what_a_knob_is_turned_to_is_what_the_panel_says(panel):
    panel.choices.targets[0].value = 60
    assert "short of target (60)" in panel.said.html
    assert 'data-light="red"' in panel.said.html
    assert "not what was agreed: settings of Meetings" in panel.said.html
    assert panel.picture.spec["description"].split(";")[1].strip().startswith("target 60")
    panel.choices.period.value = "2026-W40"
    assert "in week 40" in panel.said.html
    panel.choices.metric.value = "rate"
    assert (panel.choices.targets[0].value, panel.choices.targets[0].unit) == (0.45, "%")
    assert panel.choices.targets[1].layout.display == "none"


def test_a_what_if_is_saved_reset_and_loaded_from_the_panel(panel, bench):
    drawer = panel.drawers[2]
    panel.choices.targets[0].value = 60
    drawer.button.value = True
    assert "+- from: 2026-06-01" in drawer.diff.html or "value: 60" in drawer.diff.html
    drawer.name.value = "../sixty"
    drawer.saving.click()
    assert "be a name: use letters" in drawer.message.html
    drawer.name.value = "sixty"
    drawer.saving.click()
    assert "Saved as params/whatif/sixty.yaml" in drawer.message.html
    drawer.reset.click()
    assert panel.settings.changes == {}
    assert panel.choices.targets[0].value == 30
    drawer.loading.click()
    assert panel.choices.targets[0].value == 60
    assert whatifs.names(bench) == ["sixty"]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_typed_as_a_name_is_shown_as_text(panel, name):
    panel.choices.targets[0].value = 60
    drawer = panel.drawers[2]
    drawer.button.value = True
    drawer.name.value = name
    drawer.saving.click()
    drawer.fill(panel.answer.board, panel.settings)
    assert "be a name: use letters" in drawer.message.html
    assert "<img" not in drawer.message.html + drawer.diff.html


def test_a_period_before_the_first_value_is_said_to_have_none_and_the_panel_goes_on(
    this, bench, offline
):
    from dataops_nb.controls.panel import Panel

    early = this.table["metric"].eq("people") & (this.table["period"] < "2026-W20")
    panel = Panel(
        replace(this, table=this.table.assign(value=this.table["value"].mask(early))),
        bench.memory.whatifs,
    )
    panel.choices.metric.value = "people"
    panel.choices.period.value = "2026-W10"
    assert "People: no data for the last 9 weeks." in panel.finding.html
    assert panel.picture.spec["layer"][0]["data"] == {"values": []}
    panel.choices.period.value = "2026-W40"
    assert "40" in panel.said.html
    assert len(panel.picture.spec["layer"]) > 1


def test_periods_are_picked_in_the_chart_and_in_the_list_alike(panel):
    panel._picked((dt.datetime(2026, 9, 7), dt.datetime(2026, 9, 21)), ())
    assert panel.listed.value == ("2026-W39", "2026-W38", "2026-W37")
    assert "3 picked weeks" in panel.rows.html
    panel.listed.value = ("2026-W45",)
    assert "1 picked week" in panel.rows.html
    assert panel.picture.spec["params"][1]["value"] == [{"period": "2026-W45"}]
    panel._picked(None, ())
    assert "latest 8 weeks" in panel.rows.html


def meanwhile(panel, choose, *, put):
    """Somebody chooses while another answer is being given, at whose end the knobs are put to something."""
    waiting = threading.Thread(target=choose)

    def answering():
        waiting.start()
        waiting.join(0.1)  # it waits for its turn, so this is all the time it takes
        assert waiting.is_alive()
        panel.choices.put(put)

    in_turn(answering)()
    waiting.join()


@pytest.mark.parametrize(
    ("knob", "value"),
    [("metric", "people"), ("period", "2026-W40"), ("against", "same_last_year"), ("segment", "team=West"),
     ("policy", "capability")],
)  # fmt: skip
def test_what_is_chosen_while_another_answer_puts_the_knobs_is_not_lost(panel, knob, value):
    chosen = getattr(panel.choices, knob)
    meanwhile(panel, lambda: setattr(chosen, "value", value), put=panel.settings)
    assert chosen.value == value
    said = panel.settings.changes["m"].policy if knob == "policy" else getattr(panel.settings, knob)
    assert said == value


def test_a_slider_that_waited_is_where_it_was_left_and_is_answered(panel):
    slider = panel.choices.targets[0]
    meanwhile(panel, lambda: setattr(slider, "value", 60.0), put=panel.settings)
    assert slider.value == 60
    assert "short of target (60)" in panel.said.html


def test_a_target_that_was_chosen_for_one_metric_never_becomes_anothers(panel):
    slider = panel.choices.targets[0]
    meanwhile(
        panel, lambda: setattr(slider, "value", 60.0), put=replace(panel.settings, metric="rate")
    )
    assert slider.value == 0.45
    assert panel.settings.changes == {}


def test_periods_that_are_picked_in_the_list_while_it_is_put_are_picked(panel):
    waiting = threading.Thread(target=lambda: setattr(panel.listed, "value", ("2026-W45",)))

    def answering():
        waiting.start()
        waiting.join(0.1)
        panel._offer_periods()

    in_turn(answering)()
    waiting.join()
    assert panel.listed.value == ("2026-W45",)
    assert "1 picked week" in panel.rows.html
