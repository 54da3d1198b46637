"""Passwords in company.yaml: `check` says where one stands and what to write instead, and never repeats it."""

from __future__ import annotations

import json

import pytest

from dataops_nb.cli import main
from dataops_nb.definitions.passwords import passwords_in

COMPANY = """company: Lumen
sources:
  crm: {system: CRM, table: deals, time: day, fresh_within: 3d,
        url: "postgresql://me:hunter22@db.example.com/crm"}
  deals: {system: CRM, path: deals.csv, time: day}
"""
SALES = "department: Sales\nmetrics:\n  won: {type: simple, measure: {source: deals, agg: count}}\n"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql://me:hunter22@db/crm", ["hunter22"]),
        ("postgresql://me:hunter%2122@db/crm", ["hunter%2122", "hunter!22"]),
        ("snowflake://db/crm?user=me&password=hunter22", ["hunter22"]),
        ("postgresql://db.example.com:5432/crm", []),
        ("duckdb:shop.duckdb", []),
        ("env:CRM_URL", []),
    ],
)
def test_a_password_is_found_wherever_it_stands_in_a_url(url, found):
    assert passwords_in(url) == found


def test_check_notes_the_line_and_what_to_write_and_not_the_password(tmp_path, capsys):
    for name, text in {
        "params/company.yaml": COMPANY,
        "params/departments/sales.yaml": SALES,
        "data/deals.csv": "day\n2026-11-20\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    main(["-w", str(tmp_path), "check"])
    told = capsys.readouterr()
    assert (
        "note: company.yaml:4: sources.crm.url: a password stands in this file; put the url into an environment variable "
        "and write  url: env:CRM_URL"
    ) in told.out
    assert "hunter22" not in told.out + told.err
    main(["-w", str(tmp_path), "check", "--json"])
    assert json.loads(capsys.readouterr().out)["notices"][0]["line"] == 4
