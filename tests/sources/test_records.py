"""Rows in a list within a JSON document: `records:`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from dataops_nb import definitions
from dataops_nb.sources.records import find_records
from tests.sources.test_kinds_of_file import only_fault, opened

METRIC = "m: {type: simple, measure: {source: s, agg: sum, expr: amount}}"
ROWS = [{"day": f"2026-01-{n:02}", "amount": n + 0.25, "id": 2**53 + n} for n in range(1, 21)]
SOURCE = "s: {system: Shop, path: %s, time: day, key: id, records: %s}"


def total(company: Any, content: str, records: str) -> Any:
    with company(
        SOURCE % ("s.json", records), METRIC, {"s.json": content}, as_of="2026-12-31"
    ) as catalog:
        assert catalog.check() == []
        (row,) = catalog.fetch("select sum(amount) as a, count(*) as n, max(id) as i from s").values
        return tuple(row)


@pytest.mark.parametrize(
    ("document", "records"),
    [
        ({"orders": ROWS, "next_page": None}, "orders"),
        ({"data": {"orders": {"items": ROWS}}, "orders": []}, "data.orders.items"),
        ({"Open Orders": ROWS}, "Open Orders"),
    ],
)
def test_the_rows_of_a_list_in_a_document_are_read(
    company: Any, document: dict[str, Any], records: str
) -> None:
    assert total(company, json.dumps(document), records) == (215.0, 20, 2**53 + 20)


def test_a_file_of_several_pages_is_read_whole(company: Any) -> None:
    pages = [{"orders": ROWS[:12], "page": 1}, {"orders": ROWS[12:]}, {"orders": None}]
    for between in ("\n", "", "\n\n"):
        text = between.join(json.dumps(page, indent=1) for page in pages)
        assert total(company, text, "orders")[:2] == (215.0, 20)


def test_a_packed_document_is_read(tmp_path: Path) -> None:
    packed = gzip.compress(json.dumps({"orders": ROWS}).encode())
    (tmp_path / "s.json.gz").write_bytes(packed)
    with opened(tmp_path, path="s.json.gz", columns={}, records="orders") as catalog:
        assert catalog.check() == []
        assert catalog.columns("s")["amount"] == "DOUBLE"


def test_a_list_without_rows_is_an_export_without_rows(company: Any) -> None:
    source = SOURCE % ("s.json", "orders")
    with company(source, METRIC, {"s.json": '{"orders": []}'}, as_of="2026-12-31") as catalog:
        assert catalog.check() == []
        assert len(catalog.fetch("select * from s")) == 0


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ({"ordres": ROWS}, "has no list 'orders'; did you mean 'ordres'?"),
        ({"a": {"rows": ROWS}, "b": 5}, "has no list 'orders'; it holds a.rows"),
        ({"orders": 5}, "has no list of objects in 'orders'"),
        ({"orders": [1, 2]}, "has no list of objects in 'orders'"),
        (ROWS, "has no list 'orders'"),
        (7, "has no list 'orders'"),
    ],
)
def test_a_document_without_the_list_is_a_fault(tmp_path: Path, document: Any, rule: str) -> None:
    (tmp_path / "s.json").write_text(json.dumps(document))
    fault = only_fault(tmp_path, path="s.json", columns={}, records="orders")
    assert (fault.file, fault.rule) == ("s.json", rule)


def test_a_damaged_document_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps({"orders": ROWS}, indent=1)[:-300])
    fault = only_fault(tmp_path, path="s.json", columns={}, records="orders")
    assert fault.file == "s.json"


def test_a_document_that_is_too_deep_is_told(tmp_path: Path) -> None:
    deep = 2_000
    (tmp_path / "s.json").write_text('{"a": ' + "[" * deep + "]" * deep + "}")
    fault = only_fault(tmp_path, path="s.json", columns={}, records="orders")
    assert fault.rule == "is JSON that is nested too deeply to be read"
    assert find_records(tmp_path / "s.json") == ("", 0)


def test_records_are_of_json_files_only(tmp_path: Path) -> None:
    text = (
        "company: C\nnorth_star: []\nsources:\n"
        "  s: {system: Shop, path: s.csv, time: day, records: orders}\n"
    )
    (tmp_path / "company.yaml").write_text(text)
    with pytest.raises(definitions.DefinitionsError, match="is about the lists of a json file"):
        definitions.load(tmp_path)
