"""Right when asked: the metric that is meant, what a unit of it is worth, and the receipts."""

import datetime as dt
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from dataops_nb import definitions, sources
from dataops_nb.cli import main
from dataops_nb.drivers.decompositions import slopes
from dataops_nb.errors import UsageError
from dataops_nb.reports.pages import seals

END = dt.date(2026, 11, 22)
COMPANY = """
company: Test
timezone: America/New_York
north_star: [revenue]
lights: {standard: {green: {at_least: 1.0, means: "Ok.", do: "Go on."}, red: {means: "Risk.", do: "Re-plan."}}}
sources: {orders: {system: Shop, path: orders.csv, time: day}}
"""
DEPARTMENT = """
department: Shop
owner: Ann
defaults: {source: orders, lights: standard}
metrics:
  revenue: {type: derived, expr: orders * price, unit: USD, targets: [{from: 2020-01-01, value: 40}]}
  orders: {type: simple, label: Closed-won deals, measure: {agg: count}, unit: deals, targets: [{from: 2020-01-01, per: week, value: 8}]}
  lost: {type: simple, label: Lost deals, measure: {agg: count, filter: amount < 0}}
  price: {type: simple, label: Mean price, measure: {agg: average, expr: amount}, unit: USD}
"""


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    root = tmp_path_factory.mktemp("shop")
    (root / "params" / "departments").mkdir(parents=True)
    (root / "params" / "company.yaml").write_text(COMPANY)
    (root / "params" / "departments" / "shop.yaml").write_text(DEPARTMENT)
    (root / "data").mkdir()
    days = pd.date_range("2026-09-07", "2026-11-22")
    (root / "data" / "orders.csv").write_text(
        "day,amount\n" + "".join(f"{day:%Y-%m-%d},5\n" for day in days)
    )
    return root


@pytest.fixture(scope="module")
def known(bench):
    return definitions.load(bench / "params")


@pytest.mark.parametrize(
    ("said", "metric"),
    [
        ("orders", "orders"), ("Closed-won deals", "orders"), ("closed won", "orders"), ("closed deals", "orders"),
        ("CLOSED WON DEAL", "orders"), ("lost", "lost"), ("revenu", "revenue"), ("mean prise", "price"),
    ],
)  # fmt: skip
def test_a_metric_is_meant_by_its_id_its_label_or_words_of_them(known, said, metric):
    assert definitions.meant(known, said) == metric


def test_in_the_packaged_company_closed_deals_are_those_that_were_won():
    packaged = definitions.load(Path(__file__).parents[2] / "params")
    assert definitions.meant(packaged, "closed deals") == "closed_won"
    assert definitions.meant(packaged, "closed won") == "closed_won"


def test_where_several_may_be_meant_the_near_ones_are_listed(known):
    with pytest.raises(
        UsageError, match=r"could be orders \(Closed-won deals\), lost \(Lost deals\)"
    ):
        definitions.meant(known, "deals")


@pytest.mark.parametrize("said", ["", "zebra", "!!"])
def test_what_nothing_is_called_is_an_error_that_says_where_the_names_are(known, said):
    with pytest.raises(UsageError, match="see dataops-nb metric list"):
        definitions.meant(known, said)


def ask(bench, out, capsys, *words):
    code = main(["-w", str(bench), "--out", str(out), "ask", *words, "--as-of", "2026-11-22"])
    return code, capsys.readouterr().out


def test_the_answer_says_what_one_more_is_worth_by_the_formulas_derivative(bench, tmp_path, capsys):
    _, out = ask(bench, tmp_path, capsys, "closed deals", "--json")
    said = json.loads(out)
    with sources.open(definitions.load(bench / "params"), bench / "data", END) as catalog:
        from dataops_nb.periods import calendar

        week = calendar(catalog.company.company.calendar).last_complete("week", END)
        slope = slopes(catalog, "revenue", week)["orders"]
    assert said["worth"]["effect"] == pytest.approx(slope) == pytest.approx(5)
    assert said["worth"]["value"] == pytest.approx(5)
    assert said["links"][0]["input"] == "orders"


def test_the_page_is_written_and_agrees_with_its_facts(bench, tmp_path, capsys):
    code, out = ask(bench, tmp_path, capsys, "closed_won")
    page = Path(out.splitlines()[-1])
    assert code == 0
    assert "Closed-won deals: each deal more is worth about $5 a year through revenue" in out
    assert "Closed-won deals turn green at 8 deals or more" in out
    assert 'FROM "orders"' in out
    assert seals.page(page.read_text()) == []


def test_what_is_asked_for_and_not_there_ends_with_2(bench, tmp_path, capsys):
    assert ask(bench, tmp_path, capsys, "zebra")[0] == 2


def test_every_link_of_the_page_leads_somewhere(bench, tmp_path, capsys):
    ask(bench, tmp_path, capsys, "closed_won")
    folder = tmp_path / "ask" / "orders"
    links = [
        link
        for page in folder.glob("*.html")
        for link in re.findall(r'<a [^>]*href="([^"#]+)', page.read_text())
    ]
    assert links
    assert [link for link in links if not (folder / link).exists()] == []


def test_the_page_leads_up_to_the_front_page_where_there_is_one(bench, tmp_path, capsys):
    (tmp_path / "index.html").write_text("<!doctype html><title>All reports</title>")
    ask(bench, tmp_path, capsys, "closed_won")
    assert 'href="../../index.html"' in (tmp_path / "ask" / "orders" / "index.html").read_text()


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("value: 7", "Closed-won deals stay green at 7 deals or more."),
        ("value: 8", "Closed-won deals turn green at 8 deals or more."),
        (None, "No target, so no light."),
    ],
)
def test_what_would_change_our_mind_is_said_of_every_light(bench, tmp_path, capsys, target, said):
    params = tmp_path / "params" / "departments"
    shutil.copytree(bench / "params", tmp_path / "params")
    there = ", targets: [{from: 2020-01-01, per: week, value: 8}]"
    changed = DEPARTMENT.replace(
        there, f", targets: [{{from: 2020-01-01, per: week, {target}}}]" if target else ""
    )
    (params / "shop.yaml").write_text(changed)
    assert (
        main(
            [
                "-w",
                str(tmp_path),
                "--data",
                str(bench / "data"),
                "ask",
                "orders",
                "--as-of",
                "2026-11-22",
            ]
        )
        == 0
    )
    shown = capsys.readouterr().out
    assert f"What would change our mind\n{said}" in shown
    assert "\n\n\n" not in shown


def test_money_itself_is_not_said_to_be_worth_itself(bench, tmp_path, capsys):
    _, out = ask(bench, tmp_path, capsys, "revenue")
    assert "Revenue is already in money." in out
