"""The command: what is parsed, what is printed where, and which exit code says what."""

from __future__ import annotations

import datetime as dt
import json
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import dataops_nb
from dataops_nb import cli
from dataops_nb.cli import arguments, check, main, start, status
from dataops_nb.cli.metric import split
from dataops_nb.errors import DataError, DataopsError, Fault, LockedError, UsageError
from dataops_nb.reports.resources import Limits

ROOT = Path(__file__).parents[2]
COMPANY = """
company: Acme
timezone: UTC
north_star: [revenue]
lights:
  standard:
    green: {at_least: 1.00, means: "On plan.", do: "Keep going."}
    yellow: {at_least: 0.85, means: "Recoverable.", do: "Review it.", act_within: 14d}
    red: {means: "At risk.", do: "Stop.", act_within: 5d}
sources:
  deals:
    {system: CRM, owner: Sales Ops, path: deals.csv, key: id, time: day, columns: {amount: {type: decimal, min: 0}}}
"""
SALES = """
department: Sales
owner: Ada
defaults: {source: deals, lights: standard}
metrics:
  deals:
    label: Deals
    type: simple
    measure: {agg: count}
    unit: deals
    by: [team, [team, region]]
    targets: [{from: 2026-01-01, per: week, value: 2}]
    moves: [{metric: revenue, after: 2w}]
  revenue: {label: Revenue, type: derived, expr: deals * price}
  price: {type: simple, measure: {agg: average, expr: amount}, grains: [week, month]}
"""
REPORTS = """
weekly:
  reports:
    sales: {notebook: sales.ipynb, parameters: {department: sales}}
"""
DEALS = """id,day,team,region,amount
1,2026-11-02,a,north,10
2,2026-11-04,b,north,20
3,2026-11-11,a,south,30
4,2026-11-22,a,south,40
"""
NOTEBOOK: dict[str, Any] = {
    "cells": [
        {"cell_type": "code", "id": "a", "metadata": {"tags": ["parameters"]}, "outputs": [], "execution_count": None,
         "source": 'as_of: str = ""  # the last day that counts\ndepartment: str = "sales"  # whose report'},
    ],
    "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATAOPS_WORKBENCH", "DATAOPS_DATA", "DATAOPS_OUT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    files = {
        "params/company.yaml": COMPANY,
        "params/departments/sales.yaml": SALES,
        "params/reports.yaml": REPORTS,
        "data/deals.csv": DEALS,
        "notebooks/sales.ipynb": json.dumps(NOTEBOOK),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


class Said:
    """What one command printed, and its exit code."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *words: object) -> None:
        capsys.readouterr()
        self.code = main([str(word) for word in words])
        self.out, self.err = capsys.readouterr()

    @property
    def document(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(
            self.out, parse_constant=lambda name: pytest.fail(f"{name} in JSON")
        )
        return read


# --- parsing --------------------------------------------------------------------------------------------------------


def test_global_options_stand_before_or_after_the_verb() -> None:
    before = arguments.parse(["-w", "x", "--json", "metric", "list"])
    after = arguments.parse(["metric", "list", "-w", "x", "--json"])
    assert (before.workbench, before.json) == (after.workbench, after.json) == (Path("x"), True)


def test_a_global_option_before_the_verb_survives_the_verb() -> None:
    args = arguments.parse(["--quiet", "--out", "o", "status", "--data", "d"])
    assert (args.quiet, args.out, args.data, args.json) == (True, Path("o"), Path("d"), False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stauts"], "no command 'stauts'; did you mean 'status'?"),
        (["metric", "lits"], "no command 'lits'; did you mean 'list'?"),
        (["status", "--grian", "day"], "no option '--grian'; did you mean '--grain'?"),
        (["status", "--grain", "weak"], "--grain can't be 'weak'; did you mean 'week'?"),
        (["status", "--as-of", "2026-13-01"], "'2026-13-01' is not a date"),
        (["status", "--as-of", "20261122"], "write 2026-11-22"),
        (["refresh", "-p", "x=1;print(1)#"], None),
        (["refresh", "-p", "x;y=1"], "write NAME=VALUE, not 'x;y=1'"),
        (["refresh", "--jobs", "0"], "'0' must be 1 or more"),
        (["refresh", "--fail-on", "gren"], "--fail-on can't be 'gren'"),
        (
            ["refresh", "--whatif", "<img src=x>"],
            "there is no what-if '<img src=x>'; params/whatif/ holds none",
        ),
        (["status", "--as", "2026-01-01"], "no option '--as'"),
        (["plan", "a", "b"], "no argument 'b'"),
        (["slove"], "no command 'slove'; did you mean 'solve'?"),
        ([], "COMMAND"),
    ],
)
def test_a_mistyped_command_ends_with_2_and_the_nearest_name(
    words: list[str], message: str | None, capsys: pytest.CaptureFixture[str], bench: Path
) -> None:
    said = Said(capsys, "-w", bench, *words)
    assert (said.code, said.out) == (2, "")
    assert message is None or message in said.err


def test_what_follows_two_dashes_is_for_jupyterlab() -> None:
    args = arguments.parse(["lab", "--no-browser", "--", "--port", "9000", "--json"])
    assert (args.no_browser, args.extra, args.json) == (True, ["--port", "9000", "--json"], False)


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    said = Said(capsys, "--version")
    assert (said.code, said.out.splitlines()[0]) == (0, f"dataops-nb {dataops_nb.__version__}")


def test_the_versions_that_decide_what_comes_out_stand_below_it(capsys) -> None:
    names = [line.split()[0] for line in Said(capsys, "--version").out.splitlines()]
    assert names[1:4] == ["python", "pandas", "duckdb"]


def test_without_arguments_the_help_is_printed(capsys) -> None:
    said = Said(capsys)
    assert (said.code, said.out.split()[:2]) == (0, ["usage:", "dataops-nb"])


def verbs() -> list[str]:
    return re.findall(
        r"^    (\w+) {2,}\S", arguments.build().format_help().split("commands:")[1], re.MULTILINE
    )


def test_the_verbs_that_are_offered_are_those_in_the_docs() -> None:
    page = (ROOT / "docs" / "reference" / "command.md").read_text("utf-8")
    documented = re.findall(r"^dataops-nb ([a-z]+)", page, re.MULTILINE)
    assert set(verbs()) == set(documented)


@pytest.mark.parametrize(
    "words",
    [
        *([verb] for verb in verbs()),
        *(["metric", a] for a in ("list", "show", "values", "explain", "tree")),
        ["new", "department"],
        *(["message", a] for a in ("form", "record", "result")),
    ],
)
def test_every_command_and_option_has_help_and_stands_in_the_docs(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(capsys, *words, "--help")
    page = (ROOT / "docs" / "reference" / "command.md").read_text("utf-8")
    section = (
        re.split(r"^## ", page, flags=re.MULTILINE)[0]
        + page.partition(f"\n## {' '.join(words)}\n")[2].partition("\n## ")[0]
    )
    if words not in (["metric"], ["message"], ["new"]):
        assert f"dataops-nb {' '.join(words)}" in section
    assert said.code == 0
    assert [
        option
        for option in re.findall(r"^  (?:-\w, )?(--?[a-z-]+)", said.out, re.MULTILINE)
        if option not in section and option != "-h"
    ] == []
    assert re.findall(r"^  --?[a-z-]+(?: \S+)?$\n(?!  {10,}\S)", said.out, re.MULTILINE) == []


# --- what main does with errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no"), 2),
        (DataError([Fault("deals", "negative", "deals.csv", 3)]), 3),
        (LockedError("no"), 8),
        (DataopsError("no"), 1),
        (OSError(28, "No space left on device"), 7),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_error_has_its_exit_code_and_leaves_stdout_alone(
    error: BaseException,
    code: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: Namespace) -> int:
        raise error

    monkeypatch.setattr(status, "run_status", fail)
    said = Said(capsys, "status", "--json")
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith("dataops-nb: ")


def test_a_closed_pipe_is_not_an_error(bench: Path) -> None:
    code = f"from dataops_nb.cli import main; from dataops_nb import cli as output; import sys; sys.exit(main(['-w', {str(bench)!r}, 'metric', 'list']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_a_folder_without_params_is_no_workbench(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(capsys, "-w", tmp_path, "metric", "list")
    assert said.code == 2
    assert "params" in said.err


# --- output ---------------------------------------------------------------------------------------------------------


def test_missing_and_infinite_numbers_are_null_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    cli.document(
        {"rows": [{"a": float("nan"), "b": (float("inf"), 1.5)}], "day": dt.date(2026, 11, 22)}
    )
    assert json.loads(capsys.readouterr().out) == {
        "schema_version": 1,
        "rows": [{"a": None, "b": [None, 1.5]}],
        "day": "2026-11-22",
    }


def test_a_table_aligns_its_columns() -> None:
    assert cli.table(("id", "n"), [("deals", 12), ("a\nb", None)], right=("n",)) == (
        "id      n\n-----  --\ndeals  12\na b"
    )


@pytest.mark.parametrize(
    ("said", "columns"),
    [(None, ()), (["team"], ("team",)), (["region,team"], ("team", "region")), (["team", "region"], ("team", "region")),
     (["a,b"], ("a,b",)), (["city"], ("city",))],
)  # fmt: skip
def test_by_names_one_dimension_or_crosses_several(
    said: list[str] | None, columns: tuple[str, ...]
) -> None:
    assert split(said, [("team",), ("team", "region"), ("a,b",)]) == columns


# --- metric ---------------------------------------------------------------------------------------------------------


def test_metric_list_has_every_metric_in_order(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(capsys, "-w", bench, "metric", "list", "--json")
    assert said.document["schema_version"] == 1
    assert [row["id"] for row in said.document["metrics"]] == ["deals", "revenue", "price"]
    assert said.document["metrics"][2] == {
        "id": "price", "label": "Price", "department": "sales", "type": "simple", "grains": ["week", "month"],
        "unit": "", "role": "input",
    }  # fmt: skip


def test_metric_list_is_a_table_for_people(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Said(capsys, "-w", bench, "metric", "list").out.splitlines()
    assert lines[0].split() == ["id", "label", "department", "type", "grains", "unit", "role"]
    assert lines[4].split() == ["price", "Price", "sales", "simple", "week,", "month", "input"]


def test_metric_show_tells_definition_sources_targets_and_lights(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Said(capsys, "-w", bench, "metric", "show", "deals", "--json").document
    assert shown["metric"] == "deals"
    assert shown["owner"] == "Ada"
    assert shown["definition"]["measure"] == {"agg": "count", "source": "deals"}
    assert shown["definition"]["moves"] == [{"metric": "revenue", "after": "2 weeks"}]
    assert [source["source"] for source in shown["sources"]] == ["deals"]
    assert shown["targets"] == [{"from": "2026-01-01", "per": "week", "value": 2.0}]
    assert shown["lights"]["yellow"]["act_within"] == "14 days"


def test_metric_show_follows_parts_to_their_sources(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Said(capsys, "-w", bench, "metric", "show", "revenue", "--json").document
    assert (shown["made_of"], shown["moved_by"]) == (["deals", "price"], ["deals"])
    assert [source["source"] for source in shown["sources"]] == ["deals"]


def test_metric_show_is_readable(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = Said(capsys, "-w", bench, "metric", "show", "deals")
    assert "label: Deals\n" in said.out
    assert "means: On plan.\n" in said.out


@pytest.mark.parametrize("action", ["show", "values", "explain"])
def test_an_unknown_metric_names_the_nearest(
    action: str, bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(capsys, "-w", bench, "metric", action, "deal")
    assert (said.code, said.out) == (2, "")
    assert "no metric 'deal'; did you mean 'deals'?" in said.err


def test_the_tree_shows_parts_and_movers_below_the_north_star(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Said(capsys, "-w", bench, "metric", "tree").out.splitlines() == [
        "revenue  (Revenue, sales)",
        "|-- deals  (Deals, sales)",
        "`-- price  (Price, sales)",
    ]


def test_a_metric_that_is_no_part_moves_the_north_star(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = bench / "params/departments/sales.yaml"
    path.write_text(SALES.replace("expr: deals * price", "expr: price * 2"), "utf-8")
    (top,) = Said(capsys, "-w", bench, "metric", "tree", "--json").document["tree"]
    assert [(child["metric"], child["relation"]) for child in top["children"]] == [
        ("price", "part"),
        ("deals", "moves"),
    ]


def test_values_come_period_by_period_with_gaps_as_zero(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(capsys, "-w", bench, "metric", "values", "deals", "--as-of", "2026-11-22", "--json")
    document = said.document
    assert {name: document[name] for name in ("schema_version", "metric", "unit", "grain")} == {
        "schema_version": 1, "metric": "deals", "unit": "deals", "grain": "week",
    }  # fmt: skip
    assert [(row["period"], row["value"]) for row in document["rows"]] == [
        ("2026-W45", 2), ("2026-W46", 1), ("2026-W47", 1),
    ]  # fmt: skip
    assert document["rows"][0] == {
        "period": "2026-W45", "period_start": "2026-11-02", "period_end": "2026-11-08", "segment": None, "value": 2.0,
        "n": 2, "complete": True,
    }  # fmt: skip


def test_values_by_a_dimension_have_segments(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "metric",
        "values",
        "deals",
        "--by",
        "team",
        "--grain",
        "month",
        "--as-of",
        "2026-11-22",
        "--json",
    )
    rows = Said(capsys, "-w", bench, *words).document["rows"]
    assert {row["segment"]: row["value"] for row in rows} == {"team=a": 3, "team=b": 1}


def test_values_from_and_to_limit_the_periods(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        "metric",
        "values",
        "deals",
        "--from",
        "2026-11-09",
        "--to",
        "2026-11-15",
        "--as-of",
        "2026-11-22",
        "--json",
    )
    assert [row["period"] for row in Said(capsys, "-w", bench, *words).document["rows"]] == [
        "2026-W46"
    ]


def test_values_for_people_have_units_and_words(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = Said(
        capsys, "-w", bench, "metric", "values", "deals", "--as-of", "2026-11-22"
    ).out.splitlines()
    assert lines[2].split() == ["2026-W45", "2026-11-02", "2026-11-08", "2", "deals", "2", "yes"]


def test_an_undeclared_dimension_names_the_declared_ones(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(capsys, "-w", bench, "metric", "values", "deals", "--by", "city")
    assert said.code == 2
    assert "city" in said.err
    assert "team,region" in said.err


def test_show_and_check_tell_the_grain_of_a_rates_target(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = bench / "params" / "departments" / "sales.yaml"
    stock = "  stock: {type: simple, measure: {agg: count, at: end}}\n"
    rate = (
        "  churn: {type: ratio, numerator: deals, denominator: stock, targets: [{GRAINvalue: 2}]}\n"
    )
    file.write_text(SALES + stock + rate.replace("GRAIN", ""), "utf-8")
    noted = Said(capsys, "-w", bench, "check", "--json")
    assert noted.code == 0
    notes = [note for note in noted.document["notices"] if "targets" in note.get("key", "")]
    assert [(note["file"], note["line"]) for note in notes] == [("departments/sales.yaml", 17)]
    assert "note: departments/sales.yaml:17" in Said(capsys, "-w", bench, "check").out

    file.write_text(SALES + stock + rate.replace("GRAIN", "grain: month, "), "utf-8")
    assert "grain:" not in Said(capsys, "-w", bench, "check").out
    shown = Said(capsys, "-w", bench, "metric", "show", "churn")
    assert "grain: month" in shown.out
    document = Said(capsys, "-w", bench, "metric", "show", "churn", "--json").document
    assert document["targets"] == [{"grain": "month", "value": 2.0}]


def test_explain_has_the_parts_of_the_change(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("metric", "explain", "deals", "--by", "team", "--as-of", "2026-11-22", "--json")
    assert Said(capsys, "-w", bench, *words).document == {
        "schema_version": 1, "metric": "deals", "period": "2026-W47", "against": "2026-W46",
        "before": 1.0, "now": 1.0, "change": 0.0,
        "rows": [{"part": "team=a", "kind": "segment", "before": 1.0, "now": 1.0, "effect": 0.0, "share": None}],
    }  # fmt: skip


def test_explain_for_people_ends_each_line_with_its_share(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = Said(
        capsys, "-w", bench, "metric", "explain", "revenue", "--as-of", "2026-11-22"
    ).out.splitlines()
    assert lines[0] == "Revenue: 40 in 2026-W47, 30 in 2026-W46 (+10)"
    assert [line.split() for line in lines[4:]] == [
        ["Deals", "factor", "1", "deal", "1", "deal", "0", "0%"],
        ["Price", "factor", "30", "40", "+10", "100%"],
    ]


def test_explain_against_any_period_of_the_grain(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("metric", "explain", "deals", "--as-of", "2026-11-22", "--against")
    document = Said(capsys, "-w", bench, *words, "2026-W45", "--json").document
    assert (document["against"], document["before"], document["now"]) == ("2026-W45", 2.0, 1.0)
    refused = Said(capsys, "-w", bench, *words, "2026-w45")
    assert (refused.code, refused.out) == (2, "")
    assert "known are 2026-W45 to 2026-W47" in refused.err
    assert "did you mean '2026-W45'?" in refused.err


def test_explain_against_a_period_of_another_grain_takes_its_grain(bench: Path, capsys) -> None:
    words = ("metric", "explain", "deals", "--as-of", "2026-11-22", "--json", "--against")
    document = Said(capsys, "-w", bench, *words, "2026-11-06").document
    assert (document["period"], document["against"]) == ("2026-11-22", "2026-11-06")
    refused = Said(capsys, "-w", bench, *words, "2026-11-06", "--grain", "week")
    assert (refused.code, "--grain day" in refused.err) == (2, True)


def test_explain_as_factors_ends_with_their_product(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("metric", "explain", "revenue", "--as-of", "2026-11-22", "--against", "2026-W45")
    said = Said(capsys, "-w", bench, *words, "--multiplicative")
    assert [line.split() for line in said.out.splitlines()[4:]] == [
        ["Deals", "factor", "2", "deals", "1", "deal", "0.5000"],
        ["Price", "factor", "15", "40", "2.667"],
        ["product", "1.333"],
    ]
    document = Said(capsys, "-w", bench, *words, "--multiplicative", "--json").document
    assert document["factor"] == pytest.approx(40 / 30)
    assert document["rows"][0] == {
        "part": "deals", "kind": "factor", "before": 2.0, "now": 1.0, "factor": 0.5,
    }  # fmt: skip


def test_explain_refuses_factors_of_a_sum(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = Said(
        capsys,
        "-w",
        bench,
        "metric",
        "explain",
        "deals",
        "--multiplicative",
        "--as-of",
        "2026-11-22",
    )
    assert (said.code, said.out) == (2, "")
    assert "so it has no factors; leave --multiplicative out" in said.err


def test_explain_says_where_there_is_nothing_to_explain(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("metric", "explain", "deals", "--against", "last-year", "--as-of", "2026-11-22")
    said = Said(capsys, "-w", bench, *words)
    assert said.out == "Deals: data are missing for 2026-W47 or 2025-W47\n"
    document = Said(capsys, "-w", bench, *words, "--json").document
    assert (document["before"], document["change"], document["rows"]) == (None, None, [])


# --- check, status, plan, refresh -----------------------------------------------------------------------------------


def test_check_counts_what_is_well(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = Said(capsys, "-w", bench, "check")
    assert said.code == 0
    assert said.out.splitlines()[-1] == "ok: 3 metrics, 1 source"


def test_check_lists_every_fault_in_the_data_and_ends_with_3(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bench / "data/deals.csv").write_text(
        DEALS.replace(",10\n", ",-1\n").replace(",20\n", ",x\n"), "utf-8"
    )
    said = Said(capsys, "-w", bench, "check")
    assert said.code == 3
    assert "deals.csv:2" in said.out
    assert "deals.csv:3" in said.out
    assert "2 errors in the data" in said.err


def test_check_says_mistakes_and_faults_together_and_ends_with_2(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bench / "data/deals.csv").write_text(DEALS.replace(",10\n", ",-1\n"), "utf-8")
    (bench / "params/departments/sales.yaml").write_text(
        SALES.replace("unit: deals", "unti: deals"), "utf-8"
    )
    said = Said(capsys, "-w", bench, "check", "--json")
    assert said.code == 2
    assert [mistake["key"] for mistake in said.document["mistakes"]] == ["metrics.deals.unti"]
    assert [(fault["row"], fault["column"]) for fault in said.document["faults"]] == [(2, "amount")]


def test_check_tells_what_is_odd_and_ends_with_0(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bench / "data/deals.csv").write_text(DEALS + "99,1970-01-01,a,north,10\n", "utf-8")
    said = Said(capsys, "-w", bench, "check")
    assert said.code == 0
    assert "1 row lies decades from all others" in said.out


def test_check_notes_are_not_faults(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bench / "data/deals.csv").write_text(DEALS + DEALS.splitlines()[-1] + "\n", "utf-8")
    said = Said(capsys, "-w", bench, "check", "--json")
    assert said.code == 0
    assert [(note["source"], note["count"]) for note in said.document["notices"]] == [("deals", 1)]


def test_check_says_which_source_is_stale(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = bench / "params/company.yaml"
    path.write_text(COMPANY.replace("time: day,", "time: day, fresh_within: 2d,"), "utf-8")
    (bench / "data/deals.csv").write_text(DEALS.replace("2026-", "2020-"), "utf-8")
    said = Said(capsys, "-w", bench, "check")
    assert said.code == 0
    assert "days since its last row on 2020-11-22; due within 2 days" in said.out


def test_check_of_an_unreadable_company_file_ends_with_2(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bench / "params/company.yaml").write_text("company: [", "utf-8")
    said = Said(capsys, "-w", bench, "check")
    assert said.code == 2
    assert "params/company.yaml:" in said.out


def test_status_is_the_metric_table_of_the_last_complete_period(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = Said(capsys, "-w", bench, "status", "--as-of", "2026-11-22", "--json").document
    assert (document["as_of"], document["grain"]) == ("2026-11-22", "week")
    found = {
        row["metric"]: (row["period"], row["value"], row["target"], row["light"], row["reason"])
        for row in document["rows"]
    }
    assert found["deals"] == ("2026-W47", 1, 2, "red", None)
    assert found["revenue"] == ("2026-W47", 40, None, "unknown", "no target")


COLUMNS = (
    "metric department segment grain period period_start period_end value n complete coverage data_to previous same_last_year "
    "mtd qtd ytd mtd_last_year qtd_last_year ytd_last_year target center lower upper signal expected pace landing p_hit "
    "attainment light reason variation flips accepted_until"
)


def test_status_rows_have_every_column_of_the_metric_table(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = Said(capsys, "-w", bench, "status", "--as-of", "2026-11-22", "--json").document["rows"]
    assert [set(COLUMNS.split()) - set(row) for row in rows] == [set()] * len(rows)


def test_status_shows_the_north_star_first(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = Said(capsys, "-w", bench, "status", "--as-of", "2026-11-22").out.splitlines()
    assert lines[0] == "Acme, 2026-W47 (2026-11-16 to 2026-11-22), as of 2026-11-22"
    assert lines[4].split() == [
        "◇",
        "unknown",
        "North",
        "Star",
        "Revenue",
        "40",
        "no",
        "target",
        "Ada",
    ]
    assert "■ red" in lines[5]
    assert "1 deal " in lines[5]


def test_status_has_the_findings_each_with_its_sentence(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sales = bench / "params" / "departments" / "sales.yaml"
    high = SALES.replace("deals * price}", "deals * price, targets: [{value: 1000}]}").replace(
        "value: 2", "value: 1"
    )
    sales.write_text(high, "utf-8")
    document = Said(capsys, "-w", bench, "status", "--as-of", "2026-11-22", "--json").document
    assert {"schema_version", "as_of", "grain", "rows", "findings"} <= set(document)
    found = {row["kind"]: row for row in document["findings"]}["watermelon"]
    assert (found["metric"], found["light"], found["green"], found["judged"]) == (
        "revenue",
        "red",
        1,
        1,
    )
    printed = Said(capsys, "-w", bench, "status", "--as-of", "2026-11-22").out
    assert f"Behind the lights\n- {found['sentence']}" in printed


def test_links_have_a_row_for_each_input_and_north_star(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(capsys, "links", "-w", bench, "--as-of", "2026-11-22", "--json")
    rows = said.document["rows"]
    keys = "input target verdict lag horizon effect effect_low effect_high q same_as reason declared rocking_chair"
    assert [" ".join(row) for row in rows] == [keys, keys]
    assert [(row["input"], row["target"], row["declared"]) for row in rows] == [
        ("deals", "revenue", True),
        ("price", "revenue", False),
    ]
    assert {(row["verdict"], row["lag"], row["q"], row["rocking_chair"]) for row in rows} == {
        ("cannot tell", None, None, False)
    }
    assert set(said.document) == {"schema_version", "rows"}


def test_links_for_people_say_what_is_missing(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sales = bench / "params" / "departments" / "sales.yaml"
    sales.write_text(SALES.replace("expr: deals * price", "expr: price * 2"), "utf-8")
    said = Said(capsys, "links", "-w", bench, "--as-of", "2026-11-22")
    assert re.search(
        r"^Deals +Revenue +no sign yet .*expected; \d+ weeks more needed$", said.out, re.MULTILINE
    )
    assert re.search(r"^Price +Revenue +no sign yet .*a part of it$", said.out, re.MULTILINE)


def test_links_of_a_grain_that_nothing_has_are_none(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sales = bench / "params" / "departments" / "sales.yaml"
    sales.write_text(
        SALES.replace("expr: deals * price", "expr: deals * price, grains: [week]"), "utf-8"
    )
    said = Said(capsys, "links", "-w", bench, "--as-of", "2026-11-22", "--grain", "year", "--json")
    assert (said.code, said.document["rows"]) == (0, [])


def test_plan_has_every_report(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = Said(capsys, "-w", bench, "plan", "--as-of", "2026-11-22", "--json").document
    (report,) = document["reports"]
    assert (document["suite"], document["as_of"], report["report"]) == (None, "2026-11-22", "sales")
    assert set(report) == {"report", "notebook", "parameters", "period", "due", "why"}
    assert report["parameters"]["department"] == "sales"


def test_plan_of_an_unknown_suite_names_the_nearest(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(capsys, "-w", bench, "plan", "weekl")
    assert said.code == 2
    assert "weekly" in said.err


def outcome(light: str | None, code: int = 0) -> SimpleNamespace:
    report = SimpleNamespace(
        report="sales",
        state="ok",
        light=light,
        seconds=1.25,
        pages=["sales/2026-W47/index.html"],
        error=None,
    )
    return SimpleNamespace(
        undelivered=[], run="r1", as_of=dt.date(2026, 11, 22), reports=[report], exit_code=code
    )


@pytest.mark.parametrize(
    ("ended", "fail_on", "code"),
    [
        (outcome("red"), "red", 4), (outcome("yellow"), "red", 0), (outcome("yellow"), "yellow", 4),
        (outcome("red"), "yellow", 4), (outcome("red"), "never", 0), (outcome("unknown"), "yellow", 0),
        (outcome(None), "yellow", 0), (outcome("red", 5), "red", 5),
    ],
)  # fmt: skip
def test_fail_on_counts_where_everything_else_is_ok(
    ended: SimpleNamespace, fail_on: str, code: int,
    bench: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("dataops_nb.reports.run.run", lambda *_, **__: ended)
    assert Said(capsys, "-w", bench, "refresh", "--fail-on", fail_on).code == code


def test_refresh_hands_its_options_on_and_prints_how_reports_ended(
    bench: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def run(_: object, **options: Any) -> SimpleNamespace:
        given.update(options)
        return outcome("red")

    monkeypatch.setattr("dataops_nb.reports.run.run", run)
    words = (
        "refresh weekly --report sales -p department=a=b --jobs 2 --timeout 60 --due --shard 1/2"
    )
    words += " --to html,eml --engine kernel --memory 2 --json"
    said = Said(capsys, "-w", bench, *words.split())
    assert given == {
        "suite": "weekly", "reports": ("sales",), "as_of": None, "parameters": {"department": "a=b"}, "jobs": 2,
        "timeout": 60, "progress": None, "force": False, "missed": True, "shard": "1/2",
        "executor": "local", "to": ("html", "eml"), "engine": "kernel", "limits": Limits(memory=2 << 20),
    }  # fmt: skip
    assert said.document["reports"] == [
        {
            "report": "sales",
            "state": "ok",
            "light": "red",
            "seconds": 1.25,
            "pages": ["sales/2026-W47/index.html"],
            "error": None,
        }
    ]
    assert (said.document["run"], said.document["as_of"]) == ("r1", "2026-11-22")


def test_a_parameter_is_given_once(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = Said(capsys, "-w", bench, "refresh", "-p", "a=1", "-p", "a=2")
    assert said.code == 2
    assert "'a' is given twice" in said.err


# --- init, lab, doctor ----------------------------------------------------------------------------------------------


def test_init_makes_a_workbench_that_can_be_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Said(capsys, "init", tmp_path / "new")
    assert made.code == 0
    assert Path(made.out.strip()) == (tmp_path / "new").resolve()
    assert Said(capsys, "-w", tmp_path / "new", "metric", "list").code == 0


def test_lab_starts_at_the_first_notebook_with_its_root_at_the_workbench(bench: Path) -> None:
    place = SimpleNamespace(root=bench, notebooks=bench / "notebooks")
    words = start.command(place, browser=False, extra=["--port", "9000"])  # type: ignore[arg-type]
    assert words == [
        sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={bench}",
        "--ServerApp.contents_manager_class=dataops_nb.cli.contents.Contents",
        f"--LabApp.default_url=/lab/workspaces/{start.workspace(place)}/tree/notebooks/sales.ipynb",
        "--no-browser", "--port", "9000",
    ]  # fmt: skip


def test_doctor_finds_a_healthy_machine(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = Said(capsys, "-w", bench, "doctor", "--json")
    assert [check["name"] for check in said.document["checks"] if not check["ok"]] == []
    assert said.code == 0
    assert {"python", "papermill", "kernel", "charts", "workbench", "data", "out", "today"} <= {
        check["name"] for check in said.document["checks"]
    }


def test_doctor_reports_a_missing_data_folder_and_ends_with_1(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = Said(capsys, "-w", bench, "--data", bench / "nowhere", "doctor")
    assert said.code == 1
    assert re.search(r"^problem +data +.*nowhere", said.out, re.MULTILINE)


def test_doctor_names_what_failed_and_goes_on(
    bench: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "PACKAGES", ("pandas", "no-such-package"))
    said = Said(capsys, "-w", bench, "doctor")
    assert "no-such-package missing: pip install no-such-package" in re.sub(" +", " ", said.out)
    assert said.out.splitlines()[-1].startswith("ok ")


def test_doctor_leaves_no_folder_behind(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Said(capsys, "-w", bench, "doctor")
    assert not (bench / "out").exists()


def test_a_workbench_has_a_workspace_of_its_own_that_is_laid_out_once(
    bench: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERLAB_WORKSPACES_DIR", str(tmp_path / "spaces"))
    (tmp_path / "spaces").mkdir()
    (tmp_path / "spaces" / "mine.jupyterlab-workspace").write_text("mine")
    place = SimpleNamespace(root=bench, notebooks=bench / "notebooks")
    made = start.arrange(place)  # type: ignore[arg-type]
    said = json.loads(made.read_text())
    assert said["metadata"] == {"id": start.workspace(place)}  # type: ignore[arg-type]
    assert said["data"]["file-browser-filebrowser:cwd"] == {"path": "notebooks"}
    assert (
        said["data"]["layout-restorer:data"]["main"]["current"] == "notebook:notebooks/sales.ipynb"
    )
    made.write_text("arranged otherwise")
    assert start.arrange(place) == made  # type: ignore[arg-type]
    assert made.read_text() == "arranged otherwise"
    assert (tmp_path / "spaces" / "mine.jupyterlab-workspace").read_text() == "mine"
    other = SimpleNamespace(root=tmp_path / "other", notebooks=tmp_path / "other")
    assert start.workspace(other) != start.workspace(place)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "words",
    ["status", "status --grain year", "links", "solve", "metric values deals", "metric values price", "ask deals",
     "metric values deals --by team", "metric explain deals", "reconcile"],
)  # fmt: skip
def test_before_anybody_has_data_every_command_answers_that_there_are_none(
    words: str, bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words.split(), "-w", str(bench), "--as-of", "2019-01-01", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {row.get("value") for row in said.get("rows", [])} <= {None}
    assert main([*words.split(), "-w", str(bench), "--as-of", "2019-01-01"]) == 0


def test_a_file_with_a_header_and_no_rows_has_no_data(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = (bench / "data" / "deals.csv").read_text().splitlines()[0]
    (bench / "data" / "deals.csv").write_text(header + "\n")
    assert main(["status", "-w", str(bench), "--json"]) == 0
    assert {row["reason"] for row in json.loads(capsys.readouterr().out)["rows"]} == {"no data"}


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            KeyError("week"),
            1,
            "bug in dataops-nb: KeyError: 'week'. Please report it with DATAOPS_TRACEBACK=1",
        ),
        (MemoryError(), 6, "out of memory"),
    ],
)
def test_a_mistake_of_ours_is_one_line_and_no_trace(
    error: Exception,
    code: int,
    said: str,
    bench: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(args: Namespace) -> int:
        raise error

    monkeypatch.setattr(status, "run_status", fail)
    assert main(["status", "-w", str(bench)]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert said in shown.err


@pytest.mark.parametrize("words", ["metric values deals", "reconcile", "backfill weekly"])
def test_a_span_that_ends_before_it_starts_is_an_error(
    words: str, bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main([*words.split(), "-w", str(bench), "--from", "2026-03-01", "--to", "2026-02-01"]) == 2
    )
    assert "--from 2026-03-01 is later than --to 2026-02-01" in capsys.readouterr().err


def test_the_runs_of_a_report_that_there_is_not_are_an_error(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "-w", str(bench), "--report", "slaes"]) == 2
    assert "there is no report 'slaes'; did you mean 'sales'?" in capsys.readouterr().err
    assert main(["runs", "-w", str(bench), "--report", "sales"]) == 0


def test_a_department_that_there_is_not_is_an_error_before_anything_runs(
    bench: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["refresh", "-w", str(bench), "-p", "department=slaes"]) == 2
    assert "there is no department 'slaes'; did you mean 'sales'?" in capsys.readouterr().err
