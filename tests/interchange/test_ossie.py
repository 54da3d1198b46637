"""Ossie models: the published examples, and our own definitions out and in again."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from dataops_nb import alignment, definitions, interchange, sources
from dataops_nb.cli import main
from dataops_nb.errors import DefinitionsError, UsageError
from dataops_nb.interchange import expressions
from dataops_nb.interchange.dbt_filters import RefusedError
from dataops_nb.interchange.expressions import Reader

ROOT = Path(__file__).parents[2]
COMPANIES = [ROOT / "params", ROOT / "examples" / "olist" / "params"]
SEEDS = Path(__file__).parent / "projects" / "seeds"
MODEL = """
version: 0.2.0.dev0
semantic_model:
  - name: shop
    datasets:
      - name: jobs
        source: main.jobs
        primary_key: [job_id]
        fields:
          - {name: job_id, expression: {dialects: [{dialect: ANSI_SQL, expression: job_id}]}, datatype: Integer}
          - {name: taken_on, expression: {dialects: [{dialect: ANSI_SQL, expression: taken_on}]}, datatype: Date}
          - {name: state, expression: {dialects: [{dialect: ANSI_SQL, expression: state}]}, datatype: String, dimension: {is_time: false}}
          - {name: doubled, expression: {dialects: [{dialect: ANSI_SQL, expression: price * 2}]}}
      - name: riders
        source: main.riders
        primary_key: [rider_id]
    relationships:
      - {name: who, from: jobs, to: riders, from_columns: [rider_id], to_columns: [rider_id]}
    metrics: []
"""


def read(path: Path, tmp_path: Path, *data: Path) -> interchange.Imported:
    contents, others = interchange.recognised([path, *data])
    return interchange.read(contents, others, tmp_path / "bench")


def model(tmp_path: Path, **metrics: str) -> Path:
    """A model over the jobs of a shop, with these expressions."""
    content = yaml.safe_load(MODEL)
    content["semantic_model"][0]["metrics"] = [
        {"name": name, "expression": {"dialects": [{"dialect": "ANSI_SQL", "expression": text}]}}
        for name, text in metrics.items()
    ]
    path = tmp_path / "model.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def load(imported: interchange.Imported, folder: Path) -> Any:
    for name, text in imported.files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return definitions.load(folder)


def exported(company: Any, tmp_path: Path, **options: Any) -> Path:
    path = tmp_path / "exported.yaml"
    path.write_text(interchange.export(company, "ossie", **options).text)
    return path


# --- out and in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("params", COMPANIES, ids=["sample", "olist"])
def test_an_export_read_again_gives_equal_definitions(params, tmp_path):
    company = definitions.load(params)
    again = load(read(exported(company, tmp_path), tmp_path), tmp_path / "params")
    for field in (
        "sources",
        "departments",
        "named_lights",
        "calendar",
        "rates",
        "events",
        "holidays",
        "north_star",
        "solve_next",
        "glossary",
    ):
        assert getattr(again, field) == getattr(company, field), field  # fmt: skip


@pytest.mark.parametrize("params", COMPANIES, ids=["sample", "olist"])
def test_an_export_is_valid_against_the_published_schema(params, tmp_path, shared):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((shared("ossie") / "osi-schema.json").read_text())
    document = interchange.export(definitions.load(params), "ossie").document
    jsonschema.validate(document, schema)


def test_what_has_no_right_expression_is_left_out_and_told(tmp_path, capsys):
    assert main(["-w", str(ROOT), "export", "--format", "ossie"]) == 0
    out, err = capsys.readouterr()
    listed = {metric["name"] for metric in yaml.safe_load(out)["semantic_model"][0]["metrics"]}
    assert "revenue" in listed
    assert not listed & {"revenue_ttm", "new_customers", "mrr", "churn_rate"}
    assert "left out: mrr: counts spans that are open" in err


def test_a_metric_brings_what_it_stands_on_and_nothing_else(tmp_path):
    company = definitions.load(COMPANIES[0])
    again = load(
        read(exported(company, tmp_path, metrics=["win_rate"]), tmp_path), tmp_path / "params"
    )
    assert set(again.metrics) == set(company.upstream(["win_rate"]))
    assert set(again.sources) < set(company.sources)


def test_a_source_brings_the_metrics_that_need_nothing_else(tmp_path):
    company = definitions.load(COMPANIES[0])
    again = load(read(exported(company, tmp_path, sources=["deals"]), tmp_path), tmp_path / "p")
    assert again.sources["deals"] == company.sources["deals"]
    assert "closed_won" in again.metrics
    assert "revenue" not in again.metrics


@pytest.mark.parametrize("word", ["metric", "source"])
def test_an_unknown_name_is_answered_with_the_nearest(word, capsys):
    wrong = {"metric": "revenu", "source": "dealz"}[word]
    right = {"metric": "revenue", "source": "deals"}[word]
    assert main(["-w", str(ROOT), "export", "--format", "ossie", f"--{word}", wrong]) == 2
    assert f"no {word} {wrong!r}; did you mean {right!r}?" in capsys.readouterr().err


def test_an_expression_that_was_changed_there_counts_and_is_told(tmp_path):
    company = definitions.load(COMPANIES[0])
    document = interchange.export(company, "ossie").document
    for metric in document["semantic_model"][0]["metrics"]:
        if metric["name"] == "closed_won":
            metric["expression"]["dialects"][0]["expression"] = "COUNT(DISTINCT deals.account_id)"
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(document))
    imported = read(path, tmp_path)
    changed = imported.metrics["closed_won"]
    assert changed["measure"] == {"source": "deals", "agg": "count_distinct", "expr": "account_id"}
    assert changed["targets"]
    assert [note.name for note in imported.changed] == ["closed_won"]


@pytest.mark.faults
def test_the_lights_are_equal_after_out_and_in(tmp_path, capsys):
    bench, data = tmp_path / "a", tmp_path / "a" / "data"
    assert main(["init", str(bench)]) == 0
    capsys.readouterr()
    words = ["status", "--json", "--as-of", "2026-11-22", "--data", str(data)]
    assert main(["-w", str(bench), *words]) == 0
    before = json.loads(capsys.readouterr().out)
    assert main(["-w", str(bench), "export", "--format", "ossie"]) == 0
    path = tmp_path / "model.yaml"
    path.write_text(capsys.readouterr().out)
    assert main(["init", str(tmp_path / "b"), "--from", str(path)]) == 0
    capsys.readouterr()
    assert main(["-w", str(tmp_path / "b"), *words]) == 0
    assert json.loads(capsys.readouterr().out) == before


@pytest.mark.long
def test_a_real_companys_lights_are_equal_after_out_and_in(tmp_path, capsys, shared):
    bench, data = tmp_path / "a", shared("olist")
    shutil.copytree(COMPANIES[1], bench / "params")
    words = ["status", "--json", "--as-of", "2018-08-31", "--grain", "month", "--data", str(data)]
    assert main(["-w", str(bench), *words]) == 0
    before = json.loads(capsys.readouterr().out)
    path = exported(definitions.load(COMPANIES[1]), tmp_path)
    assert main(["init", str(tmp_path / "b"), "--from", str(path)]) == 0
    capsys.readouterr()
    assert main(["-w", str(tmp_path / "b"), *words]) == 0
    assert json.loads(capsys.readouterr().out) == before


# --- their models --------------------------------------------------------------------------------


def test_the_published_retail_model_imports_and_what_is_left_out_is_listed(tmp_path, shared):
    imported = read(shared("ossie") / "tpcds_semantic_model.yaml", tmp_path)
    assert set(imported.metrics) == {"total_sales", "total_profit", "sales_by_brand"}
    assert imported.metrics["total_sales"]["measure"] == {
        "source": "store_sales_dated",
        "agg": "sum",
        "expr": "ss_ext_sales_price",
    }
    reasons = {note.name: note for note in imported.refused}
    assert "joins customer and store_sales" in reasons["customer_lifetime_value"].text
    assert reasons["store_productivity"].line == 600
    assert imported.sources["store_sales_dated"]["time"] == "d_date"


def test_an_ontology_is_refused_by_what_it_is(tmp_path, shared):
    with pytest.raises(UsageError, match="holds an ontology"):
        read(shared("ossie") / "flights.yaml", tmp_path)


def test_a_table_with_a_data_file_of_its_name_is_that_file(tmp_path):
    imported = read(model(tmp_path, jobs="COUNT(*)"), tmp_path, SEEDS / "jobs.csv")
    assert imported.sources["jobs"]["path"] == "jobs.csv"
    assert imported.sources["riders"]["table"] == "main.riders"
    assert imported.sources["riders"]["url"] == "env:WAREHOUSE_URL"


def test_imported_metrics_have_the_numbers_of_their_expressions(tmp_path):
    texts = {
        "paid": "SUM(jobs.price)",
        "late": "SUM(CASE WHEN jobs.state = 'late' THEN jobs.price END)",
        "share": "COUNT(CASE WHEN jobs.state = 'void' THEN jobs.job_id END) / NULLIF(COUNT(jobs.job_id), 0)",
        "mixed": "(SUM(jobs.price) - SUM(doubled)) / COUNT(DISTINCT jobs.state) * 2",
        "p": "PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY jobs.price)",
    }
    imported = read(model(tmp_path, **texts), tmp_path, SEEDS / "jobs.csv")
    company = load(imported, tmp_path / "params")
    query = "select sum(price), sum(price) filter (state = 'late'), count(*) filter (state = 'void') / count(*), (sum(price) - sum(price * 2)) / count(distinct state) * 2, quantile_cont(price, 0.9)"
    rows = f"from read_csv('{SEEDS / 'jobs.csv'}') where taken_on between '2026-03-01' and '2026-03-31'"
    expected = duckdb.sql(f"{query} {rows}").fetchall()[0]
    with sources.open(company, SEEDS, dt.date(2026, 5, 1)) as catalog:
        ours = []
        for name in texts:
            frame = alignment.values(
                catalog, name, grain="month", start=dt.date(2026, 3, 1), end=dt.date(2026, 3, 31)
            )
            ours.append(float(frame["value"].iloc[0]))
    assert ours == pytest.approx([float(value) for value in expected])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SUM(price) OVER (PARTITION BY state)", "uses a window"),
        ("COUNT(DISTINCT jobs.state) + COUNT(riders.rider_id)", "joins"),
        ("SUM(jobs.price * riders.rate)", "joins"),
        ("STDDEV(price)", "is more than aggregations"),
        ("(SELECT max(price) FROM jobs)", "SELECT"),
        ("jobs.price", "is more than aggregations"),
        ("SUM(price", "cannot be read"),
        ("1 + 2", "aggregates nothing"),
    ],
)
def test_an_expression_that_says_more_is_refused(tmp_path, text, reason):
    imported = read(model(tmp_path, good="COUNT(*)", bad=text), tmp_path)
    assert reason in {note.name: note.text for note in imported.refused}["bad"]
    assert list(imported.metrics) == ["good"]


def test_a_relationship_is_a_question_and_no_rule(tmp_path):
    imported = read(model(tmp_path, jobs="COUNT(*)"), tmp_path)
    assert "references" not in imported.sources["jobs"].get("columns", {}).get("rider_id", {})
    assert "{references: riders.rider_id}" in imported.files()["company.yaml"]


@pytest.mark.parametrize("version", ["0.3.0", "1.0"])
def test_a_version_that_is_not_known_is_refused_by_its_number(tmp_path, version):
    path = tmp_path / "model.yaml"
    path.write_text(MODEL.replace("0.2.0.dev0", f"'{version}'"))
    with pytest.raises(UsageError, match=f"Ossie {version}: this reads 0.1.0, 0.1.1, 0.2.0.dev0"):
        read(path, tmp_path)


def test_mistakes_are_told_at_once_with_line_and_key(tmp_path):
    text = MODEL.replace("primary_key: [job_id]", "primray_key: [job_id]", 1)
    path = tmp_path / "model.yaml"
    path.write_text(text.replace("source: main.riders", "source: [riders]"))
    with pytest.raises(DefinitionsError) as caught:
        read(path, tmp_path)
    first, second = caught.value.mistakes
    assert "unknown key 'primray_key'; did you mean 'primary_key'?" in first.message
    assert (first.line, first.key) == (8, "semantic_model.0.datasets.0.primray_key")
    assert (second.line, second.message) == (15, "is no text but list")


def test_a_file_that_is_no_yaml_names_its_line(tmp_path):
    path = tmp_path / "model.yaml"
    path.write_text("version: 0.2.0.dev0\nsemantic_model: [")
    with pytest.raises(UsageError, match=r"model.yaml:\d: is no YAML"):
        read(path, tmp_path)


# --- expressions ---------------------------------------------------------------------------------

MEASURES = [
    {"agg": "count"},
    {"agg": "count", "expr": "price"},
    {"agg": "count", "filter": "state = 'void' or express"},
    {"agg": "sum", "expr": "price * parcels", "exclude": "state = 'void'"},
    {"agg": "average", "expr": "price", "filter": "a", "exclude": "b"},
    {"agg": "median", "expr": "price"},
    {"agg": "percentile", "q": 0.9, "expr": "price", "filter": "express"},
    {"agg": "count_distinct", "expr": "rider_id"},
]


@pytest.mark.parametrize("measure", MEASURES, ids=str)
def test_an_expression_reads_back_as_what_writes_it_again(measure):
    table = {"jobs": {"key": "job_id"}}
    documents = {"m": {"type": "simple", "measure": {"source": "jobs", **measure}}}
    text = expressions.write("m", documents, table)
    reader = Reader(lambda _: "jobs", lambda _, column: column, lambda: "jobs", {"m"})
    assert expressions.write("m", reader.read("m", text), table) == text


@pytest.mark.parametrize(
    ("measure", "reason"),
    [
        ({"agg": "first_seen", "expr": "x"}, "first time"),
        ({"agg": "sum", "expr": "x", "at": "end"}, "stock"),
        ({"agg": "sum", "expr": "x", "currency": "c"}, "converts"),
        ({"agg": "count", "filter": "day > :as_of"}, ":as_of"),
        ({"agg": "count", "filter": "state = 'x'"}, "other spellings of state"),
    ],
)
def test_no_expression_is_written_where_none_is_right(measure, reason):
    table = {"jobs": {"key": "job_id", "columns": {"state": {"map": {"y": "x"}}}}}
    documents = {"m": {"type": "simple", "measure": {"source": "jobs", **measure}}}
    with pytest.raises(RefusedError, match=reason):
        expressions.write("m", documents, table)
