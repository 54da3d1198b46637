"""dbt's semantic manifest, in both shapes: what is kept, and that it gives MetricFlow's numbers."""

from __future__ import annotations

import datetime as dt
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from dataops_nb import alignment, definitions, interchange, sources
from dataops_nb.cli import main
from dataops_nb.errors import DefinitionsError, UsageError
from dataops_nb.interchange.dbt_filters import Model, RefusedError, read_filter
from dataops_nb.interchange.dbt_metrics import formula

pytestmark = pytest.mark.long

PROJECTS = Path(__file__).parent / "projects"
SEEDS = PROJECTS / "seeds"
AS_OF = dt.date(2026, 5, 1)
SPINE_ENDS = "2026-05-01"  # of what lies behind it only the spine has rows
# Where MetricFlow gives another number, and why; docs/reference/interchange.md says the same.
DIFFERENT = {
    ("legacy", "jobs_filled"): "outside coverage",
    ("legacy", "growth"): "no rows",
    ("latest", "growth"): "no rows",
    ("latest", "kept_rate"): "no rows",
    ("latest", "more_jobs"): "no rows",
    ("latest", "jobs_28"): "after the last row",
    ("legacy", "revenue_14"): "after the last row",
    ("latest", "revenue_14"): "after the last row",
    ("legacy", "revenue_14_first"): "period_agg",
    ("legacy", "revenue_2m"): "months",
    ("legacy", "quote_to_job"): "conversion",
    ("latest", "quote_to_job"): "conversion",
    ("latest", "p90_price"): "approximate",
}


def imported(spec: str, tmp_path: Path, *data: Path) -> interchange.Imported:
    contents, others = interchange.recognised([PROJECTS / spec, *data])
    return interchange.read(contents, others, tmp_path / "bench")


def company_of(spec: str, tmp_path: Path) -> Any:
    """The import's own definitions, read back from the files it writes."""
    read = imported(spec, tmp_path, *sorted(SEEDS.glob("*.csv")))
    for name, text in read.files().items():
        path = tmp_path / "params" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return definitions.load(tmp_path / "params")


def names(notes: Any) -> list[str]:
    return [note.name for note in notes]


@pytest.mark.parametrize("spec", [pytest.param("legacy", marks=pytest.mark.faults), "latest"])
def test_the_numbers_are_metricflows_or_the_difference_is_documented(spec, tmp_path):
    company = company_of(spec, tmp_path)
    answers = json.loads((PROJECTS / spec / "metricflow.json").read_text())["answers"]
    compared, different = 0, set()
    with sources.open(company, SEEDS, AS_OF) as catalog:
        for name, metric in company.metrics.items():
            for grain in ("day", "week", "month"):
                if grain in metric.grains and name in answers:
                    theirs = dict(answers[name][grain])
                    ours = values_of(catalog, name, grain)
                    for day in {*theirs, *ours}:
                        compared += 1
                        if not is_same(ours.get(day), theirs.get(day)):
                            different.add((spec, name))
    known = {name: reason for (of, name), reason in DIFFERENT.items() if of == spec}
    print(f"\n{spec}: {compared:,} values beside MetricFlow's, another one in {known}")
    assert different == {(spec, name) for name in known}
    assert compared == {"legacy": 5015, "latest": 4287}[spec]


def values_of(catalog: Any, metric: str, grain: Any) -> dict[str, float | None]:
    frame = alignment.values(catalog, metric, grain=grain)
    values = {}
    for row in frame.itertuples():
        missing = row.value is None or math.isnan(row.value)
        values[str(row.period_start)[:10]] = None if missing else float(row.value)
    return values


def is_same(ours: float | None, theirs: float | None) -> bool:
    """Equal, or nothing there where here is 0 or nothing, which the account says."""
    if theirs is None:
        return ours in (None, 0)
    return ours is not None and math.isclose(ours, theirs, rel_tol=1e-5, abs_tol=1e-9)


def test_windows_are_equal_up_to_the_last_row(tmp_path):
    company = company_of("latest", tmp_path)
    answers = json.loads((PROJECTS / "latest" / "metricflow.json").read_text())["answers"]
    with sources.open(company, SEEDS, AS_OF) as catalog:
        ours = values_of(catalog, "revenue_14", "day")
    theirs = {day: value for day, value in answers["revenue_14"]["day"] if day < SPINE_ENDS}
    assert ours == pytest.approx(theirs)


def test_what_cannot_be_said_is_refused_with_its_reason_and_place(tmp_path):
    read = imported("legacy", tmp_path)
    notes = {note.name: note for note in read.refused}
    assert set(notes) == {
        "jobs.size", "p90_discrete", "busy", "bikes_open", "bikes_shop", "since_month", "safe",
        "revenue_mtd", "revenue_ever", "quote_jobs", "weekly",
    }  # fmt: skip
    assert notes["busy"].text == "filters by metric quotes; write a source query that holds it"
    assert "coalesce(revenue, 0)" in notes["safe"].text
    lines = (PROJECTS / "legacy" / "models" / "shop.yml").read_text().splitlines()
    for name in ("busy", "safe", "revenue_mtd"):
        assert notes[name].file == "models/shop.yml"
        assert f"name: {name}" in lines[(notes[name].line or 0) - 1]


def test_every_metric_of_the_project_is_in_one_of_the_three_lists(tmp_path):
    read = imported("legacy", tmp_path)
    manifest = json.loads((PROJECTS / "legacy" / "target" / "semantic_manifest.json").read_text())
    print(f"\n{len(read.kept)} kept, {len(read.changed)} changed in meaning, refused:")
    for note in read.refused:
        print(f"  {note.name}: {note.text}")
    listed = {*names(read.kept), *names(read.changed), *names(read.refused)}
    assert {metric["name"] for metric in manifest["metrics"]} <= listed


def test_a_group_is_a_department_with_its_owner(tmp_path):
    read = imported("legacy", tmp_path)
    assert read.departments["workshop"]["department"] == "Workshop"
    assert read.departments["workshop"]["owner"] == "Ada Head"
    assert set(read.departments["workshop"]["metrics"]) == {"jobs", "revenue"}


def test_our_own_keys_come_from_the_metas(tmp_path):
    jobs = imported("latest", tmp_path).metrics["jobs"]
    assert (jobs["better"], jobs["unit"], jobs["by"]) == ("up", "jobs", ["state"])
    assert jobs["question"] == "How many jobs?"


def test_without_data_files_a_source_is_the_warehouses_table(tmp_path):
    source = imported("legacy", tmp_path).sources["jobs"]
    assert (source["url"], source["table"]) == ("env:DBT_WAREHOUSE_URL", "main.jobs")


def test_a_private_metric_comes_only_where_another_stands_on_it(tmp_path):
    read = imported("latest", tmp_path)
    assert "hidden_jobs" in read.metrics
    manifest = change_manifest(tmp_path, lambda metrics: metrics.pop("shown_rate"))
    assert "hidden_jobs" not in read_manifest(manifest, tmp_path).metrics


def change_manifest(tmp_path: Path, change: Any) -> Path:
    """A manifest with other metrics, alone in its folder."""
    content = json.loads((PROJECTS / "latest" / "target" / "semantic_manifest.json").read_text())
    metrics = {metric["name"]: metric for metric in content["metrics"]}
    change(metrics)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({**content, "metrics": list(metrics.values())}))
    return path


def read_manifest(path: Path, tmp_path: Path) -> interchange.Imported:
    contents, data = interchange.recognised([path])
    return interchange.read(contents, data, tmp_path / "bench")


def test_it_is_recognised_by_its_content_whatever_its_name(tmp_path):
    path = change_manifest(tmp_path, lambda metrics: None).rename(tmp_path / "x.json")
    assert [kind for _, kind, _ in interchange.recognised([path])[0]] == ["dbt"]


def test_a_mistake_in_our_own_keys_refuses_the_metric_and_what_stands_on_it(tmp_path):
    def change(metrics: Any) -> None:
        metrics["revenue"]["config"]["meta"]["dataops_nb"] = {"bettr": "up"}

    read = read_manifest(change_manifest(tmp_path, change), tmp_path)
    notes = {note.name: note.text for note in read.refused}
    assert "bettr" in notes["revenue"]
    assert "revenue" in notes["growth"]
    assert "revenue" not in read.metrics


def test_a_filter_that_reads_elsewhere_is_refused(tmp_path):
    def change(metrics: Any) -> None:
        where = [{"where_sql_template": "price > (select max(price) from jobs)"}]
        metrics["jobs_one"]["filter"] = {"where_filters": where}

    read = read_manifest(change_manifest(tmp_path, change), tmp_path)
    assert "SELECT" in {note.name: note.text for note in read.refused}["jobs_one"]


def test_a_project_that_was_never_parsed_says_what_to_run(tmp_path):
    (tmp_path / "dbt_project.yml").write_text("name: shop\n")
    with pytest.raises(UsageError, match=r"no target/semantic_manifest.json in .*dbt parse"):
        interchange.recognised([tmp_path])


def test_a_projects_yaml_is_refused_with_what_to_run(tmp_path):
    with pytest.raises(UsageError, match=r"shop.yml is a dbt project's YAML; run 'dbt parse"):
        interchange.recognised([PROJECTS / "latest" / "models" / "shop.yml"])


def test_dbts_other_document_is_refused_for_the_manifest(tmp_path):
    project = tmp_path / "shop"
    shutil.copytree(PROJECTS / "latest", project)
    other = project / "target" / "osi_document.json"
    other.write_text("{}")
    with pytest.raises(UsageError, match=r"has lost offsets, stocks and filters; give .*manifest"):
        interchange.recognised([other])


def test_yaml_that_was_changed_after_the_manifest_is_said(tmp_path):
    project = tmp_path / "shop"
    shutil.copytree(PROJECTS / "latest", project)
    path = project / "models" / "shop.yml"
    path.touch()
    contents, data = interchange.recognised([project])
    read = interchange.read(contents, data, tmp_path / "bench")
    assert any("is older than models/shop.yml" in note.text for note in read.changed)


def test_init_writes_a_workbench_that_check_passes(tmp_path, capsys):
    target = tmp_path / "bench"
    assert main(["init", str(target), "--from", str(PROJECTS / "latest"), str(SEEDS)]) == 0
    account = (target / "IMPORT.md").read_text()
    assert [line for line in account.splitlines() if line.startswith("## ")] == [
        "## Kept",
        "## Changed in meaning",
        "## Refused",
    ]
    assert main(["-w", str(target), "check"]) == 0


def test_nothing_kept_is_exit_2_and_no_workbench(tmp_path, capsys):
    content = json.loads((PROJECTS / "latest" / "target" / "semantic_manifest.json").read_text())
    content |= {"semantic_models": [], "metrics": content["metrics"][:1]}
    path = tmp_path / "semantic_manifest.json"
    path.write_text(json.dumps(content))
    assert main(["init", str(tmp_path / "bench"), "--from", str(path)]) == 2
    assert "jobs: its semantic model jobs was refused" in capsys.readouterr().err
    assert not (tmp_path / "bench").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda metrics: metrics["jobs"].pop("type_params"), "missing key 'type_params'"),
        (lambda metrics: metrics["jobs"].update(filter="x"), "is no mapping but text"),
        (lambda metrics: metrics["jobs"].update(name=[]), "is no text but list"),
        (
            lambda metrics: metrics["void_rate"]["type_params"].update(numerator={}),
            "missing key 'name'",
        ),
    ],
)
def test_a_damaged_manifest_is_told_with_line_and_key(tmp_path, change, message):
    with pytest.raises(DefinitionsError) as caught:
        read_manifest(change_manifest(tmp_path, change), tmp_path)
    mistake = caught.value.mistakes[0]
    assert message in mistake.message
    assert mistake.key.startswith("metrics.")


# --- filters and formulas ------------------------------------------------------------------------

JOBS = Model(
    "jobs",
    {
        "job": {"name": "job", "type": "primary", "expr": "job_id"},
        "rider": {"name": "rider", "type": "foreign", "expr": "rider_id"},
    },
    {
        "state": {"name": "state", "type": "categorical", "expr": None},
        "size": {"name": "size", "type": "categorical", "expr": "price > 9"},
        "taken_on": {"name": "taken_on", "type": "time"},
    },
    {},
    "job",
    {"defaults_time": "taken_on"},
)
RIDERS = Model(
    "riders",
    {"rider": {"name": "rider", "type": "primary", "expr": "rider_id"}},
    {"town": {"name": "town", "type": "categorical", "expr": None}},
    {},
    "rider",
    {"defaults_time": None},
)
MODELS = {"jobs": JOBS, "riders": RIDERS}


@pytest.mark.parametrize(
    ("template", "sql"),
    [
        ("{{ Dimension('job__state') }} = 'void'", "(state) = 'void'"),
        ("{{Dimension(\"job__size\")}}", "(price > 9)"),
        ("{{ Entity('rider') }} is null", "(rider_id) is null"),
        ("{{ TimeDimension('metric_time', 'day') }} > '2026-01-01'", "cast(taken_on as date) > '2026-01-01'"),
        ("{{ Dimension('metric_time').grain('month') }} = '2026-01-01'", "cast(date_trunc('month', taken_on) as date) = '2026-01-01'"),
        ("{{ TimeDimension('job__taken_on__week') }} = x", "cast(date_trunc('week', taken_on) as date) = x"),
        ("{{ Dimension('rider__town') }} = 'north'", "(rider__town) = 'north'"),
        ("{{ Dimension('town', entity_path=['rider']) }} = 'north'", "(rider__town) = 'north'"),
        ("price > 10", "price > 10"),
    ],
)  # fmt: skip
def test_a_filter_names_columns_after_it_was_read(template, sql):
    assert read_filter([template], JOBS, MODELS, "taken_on").sql == sql


def test_several_filters_all_hold():
    assert read_filter(["a = 1 or b", "c"], JOBS, MODELS, "t").sql == "(a = 1 or b) and (c)"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% if x %}a{% endif %}", "program in Jinja"),
        ("{{ var('x') }} = 1", "calls var"),
        ("{{ Dimension(x) }}", "program in Jinja"),
        ("{{ Dimension('job__state') | upper }}", "program in Jinja"),
        ("{{ Dimension('rider__age') }}", "which no model behind it has"),
        ("{{ Dimension('shop__town') }}", "shop is no entity of it"),
        ("{{ Dimension('rider__town__region') }}", "two joins away"),
        ("{{ TimeDimension('metric_time', 'hour') }}", "a grain that is not here"),
        ("{{ Metric('quotes', group_by=['rider']) }} > 2", "filters by metric quotes"),
        ("{{ Entity('shop') }}", "entity shop"),
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(template, reason):
    with pytest.raises(RefusedError, match=reason):
        read_filter([template], JOBS, MODELS, "taken_on")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a - b", "x - b"),
        ("(a + b) * 2.5", "(x + b) * 2.5"),
        ("a / nullif(b, 0)", "x / b"),
        ("-a / (b - 1)", "-x / (b - 1)"),
    ],
)
def test_a_formula_is_arithmetic_with_our_names(text, written):
    assert formula(text, {"a": "x", "b": "b"}) == written


@pytest.mark.parametrize(
    "text", ["coalesce(a, 0)", "case when a > 1 then b end", "a % b", "a / nullif(b, 1)", "c"]
)
def test_a_formula_that_is_more_is_refused(text):
    with pytest.raises(RefusedError):
        formula(text, {"a": "x", "b": "b"})
