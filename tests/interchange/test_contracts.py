"""Open Data Contracts: their rules as a source's rules, and our sources out and in again."""

from __future__ import annotations

import datetime as dt
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataops_nb import definitions, interchange, sources
from dataops_nb.cli import main
from dataops_nb.errors import DefinitionsError, UsageError

ROOT = Path(__file__).parents[2]
COMPANIES = [ROOT / "params", ROOT / "examples" / "olist" / "params"]
CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: shop
name: Shop
version: 1.0.0
status: active
team: {name: Workshop}
servers:
  - {server: files, type: local, path: "{model}.csv", format: csv, delimiter: ";"}
schema:
  - name: riders
    properties:
      - {name: rider_id, logicalType: string, primaryKey: true}
  - name: jobs
    quality:
      - {metric: rowCount, mustBeBetween: [3, 100]}
      - {type: sql, query: "select count(*) from jobs", mustBe: 0}
      - {type: text, description: Prices are net.}
    properties:
      - {name: job_id, logicalType: integer, primaryKey: true, primaryKeyPosition: 2}
      - {name: part, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}
      - {name: taken_on, logicalType: date, required: true, logicalTypeOptions: {minimum: "2026-01-01", maximum: "2026-12-31"}}
      - {name: state, logicalType: string, enum: [{value: done}, {value: void}]}
      - {name: price, logicalType: number, logicalTypeOptions: {minimum: 0, maximum: 500}}
      - {name: parcels, logicalType: integer, logicalTypeOptions: {exclusiveMinimum: 0}}
      - {name: code, logicalType: string, unique: true, logicalTypeOptions: {pattern: "^A"}}
      - name: note
        logicalType: string
        quality: [{metric: nullValues, mustBeLessOrEqualTo: 40, unit: percent}]
      - name: size
        logicalType: string
        quality: [{metric: invalidValues, arguments: {validValues: [big, small]}, mustBe: 0}]
      - name: rider_id
        logicalType: string
        relationships: [{type: foreignKey, to: riders.rider_id}]
slaProperties:
  - {property: latency, value: 36, unit: h, element: jobs.taken_on}
  - {property: retention, value: 3, unit: y}
"""
RIDERS = "rider_id\nr1\nr2\n"
GOOD = {
    "job_id": "1", "part": "1", "taken_on": "2026-02-01", "state": "done", "price": "10",
    "parcels": "1", "code": "A1", "note": "x", "size": "big", "rider_id": "r1",
}  # fmt: skip
# A cell that breaks each rule, and what is said of it.
BROKEN = [
    ("taken_on", "", "is empty but required"),
    ("taken_on", "2025-12-31", "is below min: 2026-01-01"),
    ("taken_on", "2027-01-01", "is above max: 2026-12-31"),
    ("state", "lost", "must be one of done, void"),
    ("price", "-1", "is below min: 0"),
    ("price", "501", "is above max: 500"),
    ("parcels", "0", "is below min: 1"),
    ("code", "A0", "is not unique"),
    ("size", "huge", "must be one of big, small"),
    ("rider_id", "r9", "riders.rider_id"),
    ("job_id", "x", "integer"),
]


def read(path: Path, tmp_path: Path, *data: Path) -> interchange.Imported:
    contents, others = interchange.recognised([path, *data])
    return interchange.read(contents, others, tmp_path / "bench")


def contract(tmp_path: Path, text: str = CONTRACT) -> Path:
    path = tmp_path / "contract.yaml"
    path.write_text(text)
    return path


def load(imported: interchange.Imported, folder: Path) -> Any:
    for name, text in imported.files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return definitions.load(folder)


def rows_of(*changes: dict[str, str]) -> str:
    lines = [";".join(GOOD)]
    for number, change in enumerate(changes):
        row = {**GOOD, "job_id": str(number), "code": f"A{number}", **change}
        lines.append(";".join(row.values()))
    return "\n".join(lines) + "\n"


def test_a_contracts_rules_are_a_sources_rules(tmp_path):
    source = read(contract(tmp_path), tmp_path).sources["jobs"]
    assert source == {
        "system": "Shop",
        "path": "jobs.csv",
        "delimiter": ";",
        "owner": "Workshop",
        "key": ["part", "job_id"],
        "rows": {"min": 3, "max": 100},
        "columns": {
            "job_id": {"type": "integer"},
            "part": {"type": "integer"},
            "taken_on": {"type": "date", "required": True, "min": "2026-01-01", "max": "2026-12-31"},
            "state": {"type": "text", "one_of": ["done", "void"]},
            "price": {"type": "decimal", "min": 0, "max": 500},
            "parcels": {"type": "integer", "min": 1},
            "code": {"type": "text", "unique": True},
            "note": {"type": "text", "nulls": "40%"},
            "size": {"type": "text", "one_of": ["big", "small"]},
            "rider_id": {"type": "text", "references": "riders.rider_id"},
        },
        "time": "taken_on",
        "fresh_within": "2d",
    }  # fmt: skip


def test_what_nothing_here_checks_is_listed_one_line_a_rule(tmp_path):
    imported = read(contract(tmp_path), tmp_path)
    refused = [str(note) for note in imported.refused]
    assert any("select count(*) from jobs" in line for line in refused)
    assert any("Prices are net." in line for line in refused)
    assert any("jobs.code: pattern ^A" in line for line in refused)
    assert any("retention: 3" in line for line in refused)
    assert "36 hours there, 2 days here" in str(imported.changed[0])


@pytest.mark.parametrize(
    ("column", "value", "rule"), BROKEN, ids=[f"{c}={v}" for c, v, _ in BROKEN]
)
def test_a_row_that_breaks_a_rule_is_named_with_file_row_and_column(tmp_path, column, value, rule):
    company = load(read(contract(tmp_path), tmp_path), tmp_path / "params")
    many = [{"job_id": str(number), "code": f"C{number}"} for number in range(200, 300 - 3)]
    if column != "job_id":
        many = []
    (tmp_path / "riders.csv").write_text(RIDERS)
    (tmp_path / "jobs.csv").write_text(rows_of({}, {}, {column: value}, *many))
    with sources.open(company, tmp_path, dt.date(2026, 2, 2)) as catalog:
        faults = [fault for fault in catalog.check() if fault.source == "jobs"]
    assert [(fault.file, fault.row, fault.column) for fault in faults] == [("jobs.csv", 4, column)]
    assert rule in faults[0].rule


def test_too_many_empty_cells_and_too_few_rows_are_faults(tmp_path):
    company = load(read(contract(tmp_path), tmp_path), tmp_path / "params")
    (tmp_path / "riders.csv").write_text(RIDERS)
    (tmp_path / "jobs.csv").write_text(rows_of({"note": ""}, {"note": ""}))
    with sources.open(company, tmp_path, dt.date(2026, 2, 2)) as catalog:
        rules = " ".join(str(fault) for fault in catalog.check())
    assert "note" in rules
    assert "at least 3" in rules or "rows" in rules


def test_init_makes_a_workbench_of_a_contract(tmp_path, capsys):
    (tmp_path / "riders.csv").write_text(RIDERS)
    (tmp_path / "jobs.csv").write_text(rows_of({}, {}, {}))
    files = [str(tmp_path / name) for name in ("riders.csv", "jobs.csv")]
    target = tmp_path / "bench"
    assert main(["init", str(target), "--from", str(contract(tmp_path)), *files]) == 0
    assert main(["-w", str(target), "check"]) == 0
    assert "jobs_rows" in (target / "params" / "departments" / "shop.yaml").read_text()


@pytest.mark.parametrize(
    ("written", "wrong", "line", "message"),
    [
        ("required: true", "required: 'yes'", 23, "is no flag but text"),
        ("unique: true", "uniqe: true", 27, "unknown key 'uniqe'; did you mean 'unique'?"),
        ("mustBeLessOrEqualTo: 40, ", "", 30, "a rule has one of"),
        ("{property: latency, value: 36", "{property: latency, vlaue: 36", 38, "missing key 'value'"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_contract_is_told_with_line_and_key(tmp_path, written, wrong, line, message):
    path = contract(tmp_path, CONTRACT.replace(written, wrong, 1))
    with pytest.raises(DefinitionsError) as caught:
        read(path, tmp_path)
    first = caught.value.mistakes[0]
    assert (first.line, first.file) == (line, str(path))
    assert message in first.message


def test_a_version_of_another_form_is_refused_by_its_number(tmp_path):
    path = contract(tmp_path, CONTRACT.replace("v3.2.0", "v2.2.2"))
    with pytest.raises(UsageError, match=r"data contract v2.2.2: this reads v3.0.0 to v3.2.0"):
        read(path, tmp_path)


@pytest.mark.parametrize(
    ("server", "where"),
    [
        ("{server: lake, type: postgres, host: db, schema: crm}", {"url": "env:LAKE_URL", "table": "crm.jobs"}),
        ("{server: files, type: local, path: 'x/{model}.parquet', format: parquet}", {"path": "x/jobs.parquet"}),
    ],
)  # fmt: skip
def test_a_server_says_where_tables_are(tmp_path, server, where):
    old = CONTRACT[CONTRACT.index("  - {server") : CONTRACT.index("schema:")]
    source = read(contract(tmp_path, CONTRACT.replace(old, f"  - {server}\n")), tmp_path).sources
    assert where.items() <= source["jobs"].items()


@pytest.mark.parametrize(
    ("kind", "reason"), [("kafka", "has no tables"), ("s3", "it lies in s3; give a copy")]
)
def test_a_server_without_tables_refuses_them(tmp_path, kind, reason):
    old = CONTRACT[CONTRACT.index("  - {server") : CONTRACT.index("schema:")]
    text = CONTRACT.replace(old, f"  - {{server: x, type: {kind}}}\n")
    imported = read(contract(tmp_path, text), tmp_path)
    assert reason in {note.name: note.text for note in imported.refused}["jobs"]
    assert not imported.kept


@pytest.mark.parametrize(
    ("column", "rule"),
    [
        ("{name: c, logicalType: date, logicalTypeOptions: {format: dd.MM.yyyy}}", {"date_format": "%d.%m.%Y"}),
        ("{name: c, logicalType: timestamp, logicalTypeOptions: {defaultTimezone: Europe/Paris}}", {"timezone": "Europe/Paris"}),
        ("{name: c, quality: [{rule: duplicateValues, mustBe: 0}]}", {"columns": {"c": {"unique": True}}}),
        ("{name: c, physicalName: C_1, required: true}", {"columns": {"C_1": {"required": True}}}),
        ("{name: c, quality: [{metric: nullValues, mustBe: 0}]}", {"columns": {"c": {"required": True}}}),
    ],
)  # fmt: skip
def test_more_words_of_the_standard(tmp_path, column, rule):
    head = CONTRACT[: CONTRACT.index("schema:")]
    text = f"{head}schema:\n  - name: t\n    properties:\n      - {column}\n"
    assert rule.items() <= read(contract(tmp_path, text), tmp_path).sources["t"].items()


def test_a_measure_of_a_contract_is_a_metric(tmp_path):
    measure = "{name: paid, semanticType: measure, logicalType: number, transformLogic: SUM(price)}"
    old = "      - {name: code,"
    imported = read(
        contract(tmp_path, CONTRACT.replace(old, f"      - {measure}\n{old}")), tmp_path
    )
    assert imported.metrics["paid"]["measure"] == {"source": "jobs", "agg": "sum", "expr": "price"}
    assert "paid" not in imported.sources["jobs"]["columns"]


def test_several_contracts_are_put_together(tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(
        "{apiVersion: v3.1.0, kind: DataContract, id: o, version: 1.0.0, schema: [{name: visits}]}"
    )
    contents, data = interchange.recognised([contract(tmp_path), other])
    imported = interchange.read(contents, data, tmp_path / "bench")
    assert set(imported.sources) == {"riders", "jobs", "visits"}
    with pytest.raises(UsageError, match="both have a source"):
        interchange.read([contents[0], contents[0]], data, tmp_path / "bench")


def test_a_data_file_that_no_table_is_called_after_is_told(tmp_path):
    (tmp_path / "jobs.csv").write_text(rows_of({}, {}, {}))
    (tmp_path / "visits.csv").write_text("id\n1\n")
    files = [tmp_path / "jobs.csv", tmp_path / "visits.csv"]
    imported = read(contract(tmp_path), tmp_path, *files)
    assert "visits.csv" in {note.name for note in imported.refused}


# --- out -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", COMPANIES, ids=["sample", "olist"])
def test_sources_are_equal_after_out_and_in(params, tmp_path):
    company = definitions.load(params)
    path = contract(tmp_path, interchange.export(company, "odcs").text)
    imported = read(path, tmp_path)
    assert load(imported, tmp_path / "params").sources == company.sources
    assert not imported.changed
    assert not imported.refused


@pytest.mark.parametrize("params", COMPANIES, ids=["sample", "olist"])
def test_an_export_is_valid_against_the_published_schema(params):
    jsonschema = pytest.importorskip("jsonschema")
    if find_spec("open_data_contract_standard") is None:
        pytest.skip("the standard's own package has the schema")
    package = Path(str(find_spec("open_data_contract_standard").origin)).parent  # type: ignore[union-attr]
    schema = yaml.safe_load((package / "schema.json").read_text())
    jsonschema.validate(interchange.export(definitions.load(params), "odcs").document, schema)


def test_what_was_changed_in_the_contract_counts_and_is_told(tmp_path):
    company = definitions.load(COMPANIES[0])
    document = interchange.export(company, "odcs").document
    deals = next(entry for entry in document["schema"] if entry["name"] == "deals")
    amount = next(column for column in deals["properties"] if column["name"] == "amount")
    amount["unique"] = True
    imported = read(contract(tmp_path, yaml.safe_dump(document)), tmp_path)
    assert imported.sources["deals"]["columns"]["amount"]["unique"]
    assert [note.name for note in imported.changed] == ["deals"]
