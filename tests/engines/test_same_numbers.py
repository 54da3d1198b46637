"""The same definitions over the same rows give the same metric table in every engine, and only aggregates leave it."""

from __future__ import annotations

import logging

import pandas as pd
import pytest

from dataops_nb import alignment, reconciliation
from dataops_nb.alignment import comparisons

from .company import COMPANY, TABLES
from .conftest import open_company

FISCAL = COMPANY.replace(
    "timezone:", "calendar: {year: {pattern: 4-4-5, ends: last saturday of january}}\ntimezone:", 1
)


def _same(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    keys = ["metric", "segment", "period"] if "segment" in theirs else ["metric", "with", "period"]
    order = [
        frame.sort_values(keys, na_position="first", ignore_index=True) for frame in (ours, theirs)
    ]
    pd.testing.assert_frame_equal(order[0], order[1], check_exact=False, rtol=1e-9, atol=1e-9)


pytestmark = pytest.mark.engines


@pytest.mark.parametrize(("grain", "by"), [("week", ()), ("month", "declared")])
def test_every_metric_and_split_is_the_same_as_over_files(files, database, grain, by):
    names = list(files().company.metrics)
    assert names == list(database().company.metrics)
    assert len(names) > 25
    tables = [
        alignment.add_targets(alignment.align(each, names, grain=grain, by=by), each)
        for each in (files(), database())
    ]
    assert tables[0]["value"].notna().mean() > 0.5
    assert tables[0]["target"].notna().any()
    _same(*tables)


def test_a_year_of_whole_weeks_is_cut_the_same(files, database):
    names = ["won", "buyers", "middle", "trailing_buyers", "stock", "converts"]
    tables = [
        comparisons.compare(alignment.align(each, names, grain="month"), each)
        for each in (files(FISCAL), database(FISCAL))
    ]
    assert tables[0]["period"].str.startswith("FY").all()
    _same(*tables)


def test_two_systems_are_reconciled_to_the_same_parts(files, database):
    bridges = [reconciliation.of_company(each, "won", "month") for each in (files(), database())]
    assert (bridges[0]["only_a"].astype(float) != 0).any()
    assert (bridges[0]["date"].astype(float) != 0).any()
    _same(*bridges)
    rows = [reconciliation.rows_of_company(each, "won", "month") for each in (files(), database())]
    assert sorted(rows[0]["key"].astype(str)) == sorted(rows[1]["key"].astype(str))


def test_sources_say_the_same_of_their_rows(files, database):
    ours, theirs = files(), database()
    assert not ours.check()
    assert not theirs.check()
    assert sorted(str(n) for n in ours.notices()) == sorted(str(n) for n in theirs.notices())
    assert [ours.coverage(n) for n in TABLES] == [theirs.coverage(n) for n in TABLES]
    assert list(ours.provenance(*TABLES)["rows"]) == list(theirs.provenance(*TABLES)["rows"])
    assert theirs.provenance("deals")["files"].item().endswith("deals")


def test_only_aggregates_leave_the_database(shop, tmp_path, caplog):
    with (
        caplog.at_level(logging.DEBUG, logger="dataops_nb.engines"),
        open_company(shop.folder, "log", COMPANY.replace("URL", shop.url)) as catalog,
    ):
        catalog.require("deals", "accounts", "meetings", "fx")
        caplog.clear()
        alignment.align(
            catalog, ["won", "revenue", "buyers", "middle", "converts", "trailing"], grain="month"
        )
        sent = [record.args for record in caplog.records]
    if shop.url.startswith("duckdb:"):
        assert not sent  # it is read in this process, and nothing is sent at all
        return
    days = 90
    assert len(sent) >= 6
    assert max(rows for _, rows, _ in sent) <= days
    assert sum(rows for _, rows, _ in sent) < len(TABLES["deals"].rows)


BROKEN = """
company: Lumen
timezone: America/New_York
lights:
  standard:
    green: {at_least: 1.0, means: "On plan.", do: "Keep going."}
    red: {means: "At risk.", do: "Re-plan."}
sources:
  deals: {system: CRM, url: "URL", table: deals, key: deal_id, time: closed_at, columns: {amount: {max: 99}, stage: {required: true}}}
  lines: {system: CRM, url: "URL", table: invoices, key: invoice, time: day}
  missing: {system: CRM, url: "URL", table: invoice}
  unread: {system: CRM, url: "URL", query: "select nil from deals"}
  undated: {system: CRM, url: "URL", table: meetings, time: held_at}
  texts: {system: CRM, url: "URL", table: accounts, columns: {team: {type: decimal}}}
"""
NOTHING = (
    "department: Shop\nmetrics:\n  all: {type: simple, measure: {source: deals, agg: count}}\n"
)


def test_what_is_wrong_is_said_alike(shop):
    with open_company(shop.folder, "broken", BROKEN.replace("URL", shop.url), NOTHING) as catalog:
        said = [str(fault) for fault in catalog.check()]
    rows = TABLES["deals"].rows[:-1]
    high, empty = [[r for r in rows if r[4] > 99], [r for r in rows if r[3] is None]]
    for row in high:
        assert any(
            line.startswith(f"deals: source deals, column amount, value '{row[4]}")
            and f"row deal_id {row[0]}: is above max: 99" in line
            for line in said
        )
    assert (
        f"deals: source deals, column stage, row deal_id {empty[0][0]}: is empty but required"
        in said
    )
    assert (
        f"deals: source deals, column stage: and {len(empty) - 20} more: is empty but required"
        in said
    )
    again = TABLES["invoices"].rows[-1]
    assert any(
        f"value '{again[0]}': 2 rows share this key and differ in total, changed" in line
        for line in said
    )
    assert any("has no table 'invoice'; did you mean 'invoices'?" in line for line in said)
    assert any(line.startswith("unread: source unread: query: ") and "nil" in line for line in said)
    assert any("missing: 'held_at' (time:; did you mean 'held_on'?)" in line for line in said)
    assert any(
        "column team, value 'Ost'" in line and "is not a number, the type declared" in line
        for line in said
    )
