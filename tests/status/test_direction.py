"""Better and worse, improvement and concern are said only where somebody declared which way is good."""

from __future__ import annotations

import datetime as dt
import importlib
from typing import ClassVar

import pandas as pd
import pytest

from dataops_nb import alignment, board, definitions, limits, status, tables
from dataops_nb.board import scales
from dataops_nb.cli import metric as command
from dataops_nb.controls import material
from dataops_nb.display import say
from dataops_nb.metrics import Target
from dataops_nb.status import Agreement
from dataops_nb.story.facts import facts
from dataops_nb.story.lights import within_usual

WEEKS = 20
SOURCE = "s: {system: CRM, path: s.csv, time: on, covers: {to: as_of}}"
LAST = 90


def csv(last=LAST):
    start = dt.date(2026, 7, 6)
    lines = ["on,n"]
    for week in range(WEEKS):
        amount = 10 + (week * 7) % 5 if week < WEEKS - 1 else last
        lines.append(f"{start + dt.timedelta(days=7 * week)},{amount}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def refunds(company):
    """The board of a metric that rose beyond its limits, of which the file says so much."""

    def make(rest, last=LAST):
        metrics = (
            f"m: {{label: Refunds, type: simple, measure: {{source: s, agg: sum, expr: n}}{rest}}}"
        )
        known = company(SOURCE, metrics, {"s.csv": csv(last)}, as_of="2026-11-22")
        return board.measure(known, ["m"])

    return make


DECLARED = {
    ", better: up": "special-cause improvement",
    ", better: down": "special-cause concern",
    ", lights: standard, targets: [{per: week, value: 12}]": "special-cause improvement",  # up by contract
    "": None,
    ", lights: standard": None,
    ", unit: USD, role: input": None,
}


@pytest.mark.parametrize(("rest", "variation"), DECLARED.items())
def test_a_signal_is_for_the_better_only_in_a_declared_direction(refunds, rest, variation):
    row = refunds(rest).row("m")
    assert row["signal"] == "outside"
    assert row["variation"] == variation


@pytest.mark.parametrize(("rest", "variation"), DECLARED.items())
def test_sentences_and_tables_say_better_or_worse_only_then(refunds, rest, variation):
    this = refunds(rest)
    told = say(within_usual(this, this.row("m"), facts(this))).text
    ((*_, word),) = [row[:3] for row in tables.scorecard(this).rows]
    assert ("for the better" in told, "for the worse" in told) == (
        variation == "special-cause improvement",
        variation == "special-cause concern",
    )
    assert "a real change" in told
    expected = {"special-cause improvement": "↑ better", "special-cause concern": "↑ worse"}
    assert word == expected.get(variation, "↑ unusual")


def test_a_fall_without_a_direction_is_unusual_too(refunds):
    (row,) = tables.scorecard(refunds("", last=-60)).rows
    assert row[2] == "↓ unusual"


def test_what_is_usual_is_usual_whatever_is_good(refunds):
    this = refunds("", last=12)
    assert this.row("m")["variation"] == "common cause"
    assert tables.scorecard(this).rows[0][2] == "→ ordinary"


def test_defaults_of_a_department_are_a_declaration(company, tmp_path):
    refunds = "refunds: {type: simple, measure: {source: s, agg: count}}"
    assert not company(SOURCE, refunds, {"s.csv": csv()}).company.metrics["refunds"].has_direction
    file = tmp_path / "params" / "departments" / "dept.yaml"
    file.write_text(file.read_text().replace("metrics:", "defaults: {better: up}\nmetrics:"))
    assert definitions.load(tmp_path / "params").metrics["refunds"].has_direction


def test_no_fact_calls_a_side_better_that_nobody_did(refunds):
    assert "m.better" not in facts(refunds(""))
    assert facts(refunds(", better: down"))["m.better"].text == "lower is better"


def test_the_panel_and_the_command_say_that_nobody_said(refunds):
    this = refunds("")
    entries = {row[0]: row[1] for row in material.meaning(this, "m").rows}
    assert entries["Good is"] == "not said"
    assert command.describe(this.company, "m")["better"] is None
    assert command.describe(refunds(", better: down").company, "m")["better"] == "down"


def test_the_scale_of_noise_has_no_good_side_for_it(refunds):
    assert pd.isna(scales.scale(refunds(""))["sigma"].iloc[0])
    assert scales.scale(refunds(", better: down"))["sigma"].iloc[0] < 0


def idle(this, *declared):
    """The last sentence about findings, of metrics that rose while no North Star did."""
    company = this.company
    names = {}
    for number, has_direction in enumerate(declared):
        targets = [Target(value=1.0)] if has_direction else []
        words = {"label": f"M{'abc'[number]}", "targets": targets}
        names[f"m{number}"] = company.metrics["m"].model_copy(update=words)
    department = company.departments["dept"].model_copy(update={"metrics": names})
    known = company.model_copy(update={"departments": {"dept": department}})
    rows = [{"metric": name, "other": "star", "kind": "rocking chair"} for name in names]
    return known, rows


def test_only_what_has_a_direction_is_said_to_improve(refunds, monkeypatch):
    this = refunds("")
    known, rows = idle(this, True, False, True)
    said = {"m0": "ok", "m1": "busy", "m2": "ok"}
    findings = importlib.import_module("dataops_nb.story.findings")
    chairs = {f"{name}.rocking_chair_on_star": facts(this)["m.light"] for name in said}
    monkeypatch.setattr(findings, "facts", lambda _: {})
    monkeypatch.setattr(findings, "_facts_of_findings", lambda _: chairs)
    monkeypatch.setattr(findings, "records", lambda _: rows)
    monkeypatch.setattr(findings, "_is_declared", lambda *_: False)
    monkeypatch.setattr(findings, "_results", lambda *_: {})

    class Board:
        company = known
        grain = "week"
        findings = None
        metrics = ()
        computed: ClassVar[dict] = {}

    told = [sentence.text for _, sentence in findings.told(Board())]
    assert told == [
        "Good results with no effect seen on any North Star: ma and mc.",
        "Busy, with no effect seen on any North Star: mb.",
    ]


# --- without files ------------------------------------------------------------------------------------------------------


def table():
    start = pd.Timestamp("2026-07-06")
    days = [start + pd.Timedelta(days=7 * week) for week in range(WEEKS)]
    values = [10 + (week * 7) % 5 for week in range(WEEKS - 1)] + [LAST]
    frame = pd.DataFrame({"at": days, "n": values})
    options = {"time": "at", "value": "n", "agg": "sum", "grain": "week"}
    made = alignment.from_frame(
        frame, "m", **options, as_of="2026-11-22", covers=("2026-07-06", "2026-11-22")
    )
    return limits.add_limits(made)


@pytest.mark.parametrize(
    ("agreement", "variation"),
    [
        (Agreement(), None),
        (Agreement(yellow=0.8), None),
        (Agreement(better="up"), "special-cause improvement"),
        (Agreement(better="down"), "special-cause concern"),
        (Agreement(target=12), "special-cause improvement"),
        (None, None),
    ],
)
def test_an_agreement_declares_a_direction_by_better_or_by_a_target(agreement, variation):
    agreed = {} if agreement is None else {"m": agreement}
    judged = status.judge(table(), agreed)
    assert judged["variation"].iloc[-1] == variation
    this = board.of(judged)
    assert this.company.metrics["m"].has_direction == (variation is not None)


def test_better_is_up_where_an_agreement_leaves_it_out():
    assert Agreement(target=5).better == "up"
    assert Agreement(target=5) == Agreement(target=5, better="up")


def test_a_target_in_the_table_declares_a_direction_too():
    judged = status.judge(table().assign(target=12.0), {})
    assert judged["variation"].iloc[-1] == "special-cause improvement"
