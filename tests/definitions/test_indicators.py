"""Tables of indicators: one metric a row's id, known when the data are open."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from dataops_nb import alignment, board, cli, sources, workbench
from dataops_nb.definitions.indicators import metric_id
from dataops_nb.errors import DataError, DefinitionsError
from tests.conftest import LIGHTS

COMPANY = f"""
company: City
timezone: America/New_York
{LIGHTS}
sources:
  mmr: {{path: mmr.csv, system: mmr, time: day}}
"""
FIRE = """
department: Fire Department
defaults: {lights: standard, grains: [month]}
metrics:
  rows: {type: simple, measure: {source: mmr, agg: count}}
metrics_from:
  - {source: mmr, id: ID, prefix: mmr_, label: Indicator, department: agency, expr: v, agg: sum, at: end,
     target: target, better: {column: direction, map: {Up: up, Down: down}}}
"""
ROWS = """
ID,Indicator,agency,day,v,target,direction
7,Response time,fire,2026-01-31,8,5,Down
7,Response time (min),fire,2026-02-28,4,5,Down
P 1,Parks rated good,Parks,2026-01-31,70,80,Up
P 1,Parks rated good,Parks,2026-02-15,81,90,Up
P 1,Parks rated good,Parks,2026-02-28,72,90,Up
9,Visitors,Zoo,2026-02-28,12,10,Neutral
"""


@pytest.fixture
def city(tmp_path):
    """Write a city's files and open its workbench; rows and department files can be replaced."""

    def make(rows: str = ROWS, company: str = COMPANY, fire: str = FIRE) -> workbench.Workbench:
        params = tmp_path / "params"
        (params / "departments").mkdir(parents=True, exist_ok=True)
        (tmp_path / "data").mkdir(exist_ok=True)
        (params / "company.yaml").write_text(company)
        (params / "departments" / "fire.yaml").write_text(fire)
        (params / "departments" / "parks.yaml").write_text("department: Parks\n")
        (tmp_path / "data" / "mmr.csv").write_text(rows.lstrip())
        return workbench.open(tmp_path)

    return make


def opened(wb: workbench.Workbench, as_of: str = "2026-03-05") -> sources.Catalog:
    return sources.open(wb.definitions, wb.data, dt.date.fromisoformat(as_of))


def current(wb: workbench.Workbench, **asked):
    return board.read(wb, as_of="2026-03-05", grain="month", **asked).current.set_index("metric")


def mistakes(wb: workbench.Workbench) -> str:
    with pytest.raises(DefinitionsError) as caught:
        _ = wb.definitions
    return str(caught.value)


def test_each_id_is_a_metric_named_by_prefix_and_usable_id(city):
    assert list(opened(city()).company.metrics) == ["rows", "mmr_7", "mmr_9", "mmr_P_1"]


def test_a_metric_counts_the_rows_of_its_id_only(city):
    found = alignment.values(
        opened(city()),
        "mmr_P_1",
        grain="month",
        start=dt.date(2026, 1, 1),
        end=dt.date(2026, 2, 28),
    )
    assert found["value"].tolist() == [70, 72]


def test_the_label_is_the_latest_rows(city):
    assert opened(city()).company.label("mmr_7") == "Response time (min)"


def test_a_department_is_found_by_id_or_name_and_else_the_files_own(city):
    known = opened(city()).company
    assert [known.department_of(name) for name in ("mmr_7", "mmr_P_1", "mmr_9")] == [
        "fire",
        "parks",
        "fire",
    ]


def test_a_department_that_declares_nothing_has_the_board_of_its_indicators(city):
    assert board.read(city(), as_of="2026-03-05", grain="month", department="parks").metrics == (
        "mmr_P_1",
    )


def test_the_target_of_a_period_is_its_latest_rows_and_judges_by_the_rows_direction(city):
    now = current(city())
    assert now.loc[["mmr_7", "mmr_P_1"], "target"].tolist() == [5, 90]
    assert now.loc[["mmr_7", "mmr_P_1"], "light"].tolist() == ["green", "red"]
    assert now.loc["mmr_P_1", "attainment"] == pytest.approx(72 / 90)


def test_a_target_keeps_to_its_own_period(city):
    table = board.read(city(), as_of="2026-03-05", grain="month", metrics=["mmr_P_1"]).table
    assert table.set_index("period")["target"].loc[["2026-01", "2026-02"]].tolist() == [80, 90]


def test_a_metric_whose_direction_the_map_does_not_know_is_not_judged_and_that_is_said(city):
    wb = city()
    assert current(wb).loc["mmr_9", ["light", "reason"]].tolist() == ["unknown", "no target"]
    catalog = opened(wb)
    catalog.check()
    assert [str(n) for n in catalog.notices()] == [
        "source mmr: 1 row with a direction that is not in map; such a metric is not judged"
    ]


def test_defaults_hold_for_indicators_too(city):
    assert opened(city()).company.metrics["mmr_7"].grains == ["month"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "P-1,x,fire,2026-02-28,1,1,Up",
            "mmr.csv:8: source mmr, column ID, value 'P-1': makes the metric mmr_P_1, which is",
        ),
        (
            "***,x,fire,2026-02-28,1,1,Up",
            "mmr.csv:8: source mmr, column ID, value '***': has no letter or digit",
        ),
        (
            ",x,fire,2026-02-28,1,1,Up",
            "mmr.csv:8: source mmr, column ID: is empty, so the row belongs to no metric",
        ),
    ],
)
def test_an_id_that_makes_no_metric_is_a_fault_that_names_its_row(city, row, said):
    wb = city(ROWS + row + "\n")
    faults = [str(fault) for fault in opened(wb).check()]
    assert len(faults) == 1 and said in faults[0]  # noqa: PT018  one behaviour: this fault and no other
    with pytest.raises(DataError, match="ID"):
        board.read(wb, as_of="2026-03-05", grain="month")


def test_ids_need_a_prefix_where_they_are_numbers(city):
    faults = opened(city(fire=FIRE.replace("prefix: mmr_, ", ""))).check()
    assert any("makes no metric: '7' is no metric name" in str(fault) for fault in faults)


def test_an_indicator_does_not_replace_a_declared_metric(city):
    wb = city(fire=FIRE.replace("  rows:", "  mmr_7:"))
    assert any(
        "makes the metric mmr_7, which is declared under metrics:" in str(f)
        for f in opened(wb).check()
    )


def test_a_table_that_cannot_be_read_stops_what_needs_its_metrics(city):
    wb = city()
    (wb.data / "mmr.csv").unlink()
    with pytest.raises(DataError, match=r"mmr\.csv"):
        board.read(wb, as_of="2026-03-05", grain="month")


@pytest.mark.parametrize(
    "formula",
    ["{type: derived, expr: rows / mmr_7}", "{type: ratio, numerator: mmr_7, denominator: rows}"],
)
def test_a_formula_that_names_an_indicator_is_a_mistake_that_says_why(city, formula):
    said = mistakes(city(fire=FIRE.replace("metrics_from:", f"  share: {formula}\nmetrics_from:")))
    assert (
        "'mmr_7' is made by metrics_from; only a metric declared under metrics: may be named"
        in said
    )


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        (
            "source: mmr, id",
            "source: mrm, id",
            "metrics_from[0].source: no source 'mrm'; did you mean 'mmr'?",
        ),
        ("Down: down", "Down: inside", "inside needs a band"),
        ("expr: v,", "expr: 'v +',", "metrics_from[0].expr"),
        ("prefix: mmr_", "prefix: m-", "metrics_from[0].prefix"),
    ],
)
def test_a_mistake_in_a_table_is_found_before_its_rows_are_read(city, was, becomes, said):
    assert said in mistakes(city(fire=FIRE.replace(was, becomes)))


def test_a_table_without_a_time_is_a_mistake(city):
    assert "no time column" in mistakes(city(company=COMPANY.replace(", time: day", ""), fire=FIRE))


def test_the_command_lists_shows_and_computes_indicators(city, capsys):
    root = str(city().root)
    assert cli.main(["-w", root, "metric", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["metrics"]
    assert {"mmr_7", "mmr_P_1"} <= {row["id"] for row in listed}
    assert cli.main(["-w", root, "metric", "show", "mmr_7"]) == 0
    assert "column: target" in capsys.readouterr().out
    assert cli.main(["-w", root, "metric", "values", "mmr_7", "--grain", "month", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["value"] == 8
    assert cli.main(["-w", root, "status", "--as-of", "2026-03-05", "--grain", "month"]) == 0
    assert "Parks rated good" in capsys.readouterr().out


def test_check_counts_indicators_and_tells_what_is_not_judged_once(city, capsys):
    assert cli.main(["-w", str(city().root), "check", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["metrics"] == 4
    assert [n["text"] for n in document["notices"] if "map" in n["text"]] == [
        "row with a direction that is not in map; such a metric is not judged"
    ]


def test_check_lists_a_table_that_cannot_be_read(city, capsys):
    wb = city()
    (wb.data / "mmr.csv").unlink()
    assert cli.main(["-w", str(wb.root), "check"]) == 3
    assert "mmr.csv" in capsys.readouterr().out


def test_an_expanded_definition_keeps_what_was_declared(city):
    wb = city()
    assert opened(wb).declared == wb.definitions
    assert list(wb.definitions.metrics) == ["rows"]


def test_letters_lose_their_accents_and_everything_else_is_an_underscore():
    assert metric_id("mmr_", "Café seats (m²)") == "mmr_Cafe_seats_m2"
