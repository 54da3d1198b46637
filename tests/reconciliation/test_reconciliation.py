"""Two systems' versions of one metric: the difference by cause, to the cent, and the rows that make it."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataops_nb import board, charts, definitions, reconciliation, sources, story, tables
from dataops_nb.cli import main
from dataops_nb.errors import DataError, DefinitionsError, UsageError
from dataops_nb.reconciliation.bridges import PARTS
from dataops_nb.reconciliation.pairs import find_pairs
from dataops_nb.story.lights import sentence as sentence_of
from dataops_nb.workbench import sample

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
COLUMNS = "columns: {k: {type: text}, day: {type: date}, v: {type: decimal}}"
BOTH = f"""
a: {{system: CRM, path: a.csv, time: day, covers: {{from: 2026-01-05, to: 2026-03-01}}, {COLUMNS}}}
b: {{system: Billing, path: b.csv, time: day, covers: {{from: 2026-01-05, to: 2026-03-01}}, {COLUMNS}}}
"""
HEAD = "k,day,v\n"


def metrics(said: str = "amount: {left: v, right: v}", more: str = "") -> str:
    return f"""
    won:
      type: simple
      measure: {{source: a, agg: count}}
      lights: standard
      targets: [{{per: week, value: 1}}]
      reconcile: [{{with: billed, key: {{left: k, right: k}}, {said}}}]
      {more}
    billed: {{type: simple, measure: {{source: b, agg: count}}}}
    """


@pytest.fixture
def pair(company):
    """The open data of a company whose systems hold these rows (key, day of January or later, amount)."""

    def make(
        left: str,
        right: str,
        said: str = "amount: {left: v, right: v}",
        as_of: str = "2026-12-31",
        more: str = "",
    ):
        return company(
            BOTH, metrics(said, more), {"a.csv": HEAD + left, "b.csv": HEAD + right}, as_of=as_of
        )

    return make


def parts(catalog, **options) -> dict[str, dict[str, float]]:
    """The parts that are not nothing, by period."""
    table = reconciliation.of_company(catalog, "won", **options)
    found = {
        row["period"]: {part: float(row[part]) for part in PARTS if row[part]}
        for row in table.to_dict("records")
    }
    return {period: each for period, each in found.items() if each}


# --- the five parts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("x,2026-01-06,10\n", "", {"2026-W02": {"only_a": 10}}),
        ("", "x,2026-01-06,10\n", {"2026-W02": {"only_b": -10}}),
        ("x,2026-01-06,10\n", "x,2026-01-07,8.5\n", {"2026-W02": {"amount": 1.5}}),
        ("x,2026-01-06,10\n", "x,2026-01-14,10\n", {"2026-W02": {"date": 10}, "2026-W03": {"date": -10}}),
        ("x,2026-01-06,10\n", "x,2026-01-14,8\n", {"2026-W02": {"amount": 2, "date": 8}, "2026-W03": {"date": -8}}),
        ("x,2026-01-06,10\n", "x,2026-01-06,10\nx,2026-01-06,10\n", {"2026-W02": {"duplicate": -10}}),
        ("x,2026-01-06,10\nx,2026-01-14,4\n", "x,2026-01-06,10\n", {"2026-W03": {"duplicate": 4}}),
        ("x,2026-01-06,10\nx,2026-01-06,10\n", "", {"2026-W02": {"only_a": 20}}),
        (",2026-01-06,10\n", ",2026-01-06,10\n", {"2026-W02": {"only_a": 10, "only_b": -10}}),
        ("x,2026-01-06,10\n", "x,2026-01-08,10\n", {}),
        ("x,2026-01-06,\n", "x,2026-01-06,3\n", {"2026-W02": {"amount": -3}}),
    ],
    ids=["only a", "only b", "amount", "date", "date and amount", "twice in b", "twice in a", "unknown twice", "no key",
         "same week", "no amount"],
)  # fmt: skip
def test_each_cause_has_its_part(pair, left, right, expected):
    assert parts(pair(left, right)) == expected


def test_rows_that_are_the_same_in_both_systems_meet_before_others_of_their_key(pair):
    catalog = pair("x,2026-01-14,10\n", "x,2026-01-06,7\nx,2026-01-14,10\n")
    assert parts(catalog) == {"2026-W02": {"duplicate": -7}}


def test_without_amount_a_count_compares_rows(pair):
    assert parts(
        pair("x,2026-01-06,10\n", "x,2026-01-06,99\ny,2026-01-06,1\n", "tolerance: 0")
    ) == {"2026-W02": {"only_b": -1}}


def test_filters_of_both_metrics_hold_and_an_unknown_condition_counts_as_in_the_metric(company):
    said = """
    won:
      type: simple
      measure: {source: a, agg: sum, expr: v * 2, filter: "v > 5"}
      reconcile: [{with: billed, key: {left: k, right: k}}]
    billed: {type: simple, measure: {source: b, agg: sum, expr: v, exclude: "k = 'void'"}}
    """
    left = "x,2026-01-06,10\ny,2026-01-06,1\nz,2026-01-06,\n"
    right = "x,2026-01-06,20\nvoid,2026-01-06,50\n,2026-01-06,3\n"
    catalog = company(BOTH, said, {"a.csv": HEAD + left, "b.csv": HEAD + right})
    assert parts(catalog) == {"2026-W02": {"only_b": -3}}


def test_a_number_matches_the_same_number_written_as_text(company):
    texts = BOTH.replace("{k: {type: text}", "{k: {type: integer}", 1)
    catalog = company(
        texts, metrics(), {"a.csv": HEAD + "7,2026-01-06,10\n", "b.csv": HEAD + "7,2026-01-06,10\n"}
    )
    assert parts(catalog) == {}


def test_rows_after_as_of_do_not_exist(pair):
    catalog = pair("x,2026-01-06,10\n", "x,2026-01-14,10\n", as_of="2026-01-11")
    assert parts(catalog) == {"2026-W02": {"only_a": 10}}


AMOUNTS = st.decimals(-1000, 1000, places=2, allow_nan=False)
DAYS = st.dates(dt.date(2026, 1, 5), dt.date(2026, 2, 8))
SIDE = st.lists(st.tuples(st.sampled_from(["p", "q", "r", ""]), DAYS, AMOUNTS), max_size=8)


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    folder = tmp_path_factory.mktemp("laboratory")
    (folder / "params" / "departments").mkdir(parents=True)
    lights = "lights: {standard: {green: {at_least: 1, means: x, do: x}, red: {means: x, do: x}}}"
    body = "".join(f"  {line}\n" for line in BOTH.strip().splitlines())
    (folder / "params" / "company.yaml").write_text(f"company: T\n{lights}\nsources:\n{body}")
    (folder / "params" / "departments" / "d.yaml").write_text(
        f"department: D\nmetrics:\n{metrics()}"
    )
    return folder, definitions.load(folder / "params")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(left=SIDE, right=SIDE)
def test_the_five_parts_always_add_up_to_the_difference(laboratory, left, right):
    folder, known = laboratory
    for name, side in (("a", left), ("b", right)):
        (folder / f"{name}.csv").write_text(
            HEAD + "".join(f"{k},{day},{v}\n" for k, day, v in side)
        )
    with sources.open(known, folder, dt.date(2026, 12, 31)) as catalog:
        weeks, months = (
            reconciliation.of_company(catalog, "won", grain) for grain in ("week", "month")
        )
        listed = reconciliation.rows_of_company(catalog, "won")
    for table in (weeks, months):
        assert [sum(row[part] for part in PARTS) for _, row in table.iterrows()] == table[
            "difference"
        ].tolist()
        assert sum(table["a"]) == sum(v for _, _, v in left)
        assert sum(table["b"]) == sum(v for _, _, v in right)
        assert sum(table["date"]) == 0
    assert [sum(weeks[part]) for part in PARTS] == [sum(months[part]) for part in PARTS]
    strangers = [v for k, _, v in left if not k or k not in {other for other, _, _ in right}]
    assert sum(weeks["only_a"]) == sum(strangers)
    assert _totals(listed) == {part: sum(weeks[part]) for part in PARTS if part != "date"}


def _totals(listed: pd.DataFrame) -> dict[str, Decimal]:
    totals: dict[str, Decimal] = {part: Decimal(0) for part in PARTS if part != "date"}
    for row in listed[listed["part"] != "date"].to_dict("records"):
        totals[row["part"]] += (row["a_amount"] or 0) - (row["b_amount"] or 0)
    return totals


# --- the judgement -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tolerance", "right", "within"),
    [("2%", "101", True), ("1%", "101.01", False), ("0.5", "100.5", True), ("0.5", "100.51", False), ("0", "100", True),
     ("2%", "102.03", False)],
)  # fmt: skip
def test_a_tolerance_is_a_share_of_the_mean_or_an_amount_and_equal_is_let_pass(
    pair, tolerance, right, within
):
    catalog = pair(
        "x,2026-01-06,100\n",
        f"x,2026-01-06,{right}\n",
        f"amount: {{left: v, right: v}}, tolerance: {tolerance}",
    )
    table = reconciliation.of_company(catalog, "won")
    assert table.set_index("period").loc["2026-W02", "within_tolerance"] is within


def test_exactly_two_percent_of_the_mean_is_let_pass(pair):
    catalog = pair(
        "x,2026-01-06,101\n", "x,2026-01-06,99\n", "amount: {left: v, right: v}, tolerance: 2%"
    )
    assert reconciliation.of_company(catalog, "won")["within_tolerance"].iloc[0] is True


def test_a_tolerance_is_shown_as_it_was_written(pair):
    found = pair("", "", "tolerance: 2.5%").company.metrics["won"].reconcile[0].tolerance
    assert (str(found), found.relative) == ("2.5%", True)


@pytest.mark.parametrize("said", ["-1", "2 percent", "true", "-2%"])
def test_what_is_no_tolerance_is_a_mistake(pair, said):
    with pytest.raises(DefinitionsError, match="tolerance"):
        pair("", "", f"tolerance: {said}")


def test_a_period_is_judged_once_it_is_older_than_the_lag_of_95_of_100_rows(pair):
    left = "".join(f"k{i},2026-01-{6 + i // 10:02},1\n" for i in range(100))
    shifted = "".join(
        f"k{i},2026-01-{6 + i // 10 + (3 if i < 6 else 0):02},1\n" for i in range(100)
    )
    catalog = pair(left, shifted, as_of="2026-01-20")
    assert reconciliation.lag(catalog, find_pairs(catalog.company, "won")[0]) == 3
    judged = reconciliation.of_company(catalog, "won").set_index("period")["within_tolerance"]
    assert [judged[week] is None for week in ("2026-W02", "2026-W03", "2026-W04")] == [
        False,
        True,
        True,
    ]


def test_five_late_rows_of_100_are_no_lag(pair):
    left = "".join(f"k{i},2026-01-06,1\n" for i in range(100))
    catalog = pair(left, left.replace("k1,2026-01-06", "k1,2026-01-16"))
    assert reconciliation.lag(catalog, find_pairs(catalog.company, "won")[0]) == 0


def test_before_a_system_starts_nothing_is_compared(pair):
    table = reconciliation.of_company(
        pair("x,2026-01-06,1\n", ""), "won", "week", dt.date(2025, 12, 29), dt.date(2026, 1, 11)
    )
    assert table.loc[0, ["a", "b", "difference", *PARTS, "within_tolerance"]].tolist() == [None] * 9
    assert table.loc[1, "within_tolerance"] is False


def test_a_faulty_side_that_is_only_marked_leaves_the_metric_unjudged(company):
    marked = BOTH.replace("path: b.csv,", "path: b.csv, on_fault: mark,")
    catalog = company(
        marked, metrics(), {"a.csv": HEAD + "x,2026-01-06,1\n", "b.csv": HEAD + "x,nonsense,1\n"}
    )
    table = board.measure(catalog, ["won"]).table
    assert table["reconciled"].isna().all()
    assert reconciliation.of_company(catalog, "won").empty


def test_a_faulty_side_that_stops_stops(company):
    catalog = company(
        BOTH, metrics(), {"a.csv": HEAD + "x,2026-01-06,1\n", "b.csv": HEAD + "x,nonsense,1\n"}
    )
    with pytest.raises(DataError, match="nonsense"):
        reconciliation.of_company(catalog, "won")


# --- the light ---------------------------------------------------------------------------------------------------------

APART = ("x,2026-02-24,100\n", "x,2026-02-24,90\n")


def lit(catalog) -> tuple[str, str | None]:
    row = board.measure(catalog, ["won"]).row("won")
    return row["light"], row["reason"]


def test_out_of_tolerance_the_light_is_unknown_and_the_sentence_says_why(pair):
    catalog = pair(*APART, as_of="2026-03-01")
    assert lit(catalog) == ("unknown", "unreconciled")
    assert "Two systems disagree" in sentence_of(board.measure(catalog, ["won"]), "won").text
    payload = story.record(board.measure(catalog, ["won"])).payload
    assert "Two systems disagree" in payload["headline"]
    assert payload["warnings"] == []  # the headline says it, and once is enough


def test_within_tolerance_the_light_is_judged(pair):
    assert lit(pair(*APART, "amount: {left: v, right: v}, tolerance: 20%", as_of="2026-03-01")) == (
        "green",
        None,
    )


@pytest.mark.parametrize(("until", "light"), [("2026-03-01", "green"), ("2026-02-28", "unknown")])
def test_a_disagreement_is_accepted_up_to_its_last_day(pair, until, light):
    accept = f"accept: [{{light: unreconciled, owner: CFO, until: {until}, because: migration}}]"
    assert lit(pair(*APART, as_of="2026-03-01", more=accept))[0] == light


def test_a_metric_without_reconcile_is_neither_reconciled_nor_not(pair):
    assert board.measure(pair(*APART), ["billed"]).table["reconciled"].isna().all()


# --- what can be reconciled --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("{type: cumulative, metric: billed, window: 4w, RECONCILE}", "a cumulative metric has no rows of its own"),
        ("{type: simple, measure: {source: a, agg: median, expr: v}, RECONCILE}", "agg: median does not add up row by row"),
        ("{type: simple, measure: {source: a, agg: sum, expr: v, at: end}, RECONCILE}", "not available in this version"),
        ("{type: simple, measure: {source: a, agg: count, filter: 'day > :period_start'}, RECONCILE}", "rows depend on the period"),
    ],
)  # fmt: skip
def test_what_has_no_rows_that_add_up_is_refused(company, metric, words):
    said = metric.replace("RECONCILE", "reconcile: [{with: billed, key: {left: k, right: k}}]")
    with pytest.raises(DefinitionsError, match=words):
        company(
            BOTH, f"won: {said}\nbilled: {{type: simple, measure: {{source: b, agg: count}}}}", {}
        )


def test_the_other_side_must_have_rows_too(company):
    said = metrics().replace("{source: b, agg: count}", "{source: b, agg: median, expr: v}")
    with pytest.raises(DefinitionsError, match="billed's agg: median"):
        company(BOTH, said.replace(", amount: {left: v, right: v}", ""), {})


def test_the_other_side_of_a_reconciliation_is_told_where_to_look(pair):
    with pytest.raises(UsageError, match="won is reconciled with it"):
        reconciliation.of_company(pair("", ""), "billed")


def test_a_key_that_is_no_column_is_a_fault_of_its_source(company):
    said = metrics().replace("left: k, right: k", "left: kk, right: k")
    rows = {"a.csv": HEAD + "x,2026-01-06,1\n", "b.csv": HEAD + "x,2026-01-06,1\n"}
    with pytest.raises(DataError, match=r"'kk' \(metric won, reconcile:\)"):
        reconciliation.of_company(company(BOTH, said, rows), "won")


# --- the sample company ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lumen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lumen")
    made = sample.write(folder, end=dt.date(2026, 11, 22))
    with sources.open(definitions.load(ROOT / "params"), folder, made.end) as catalog:
        yield catalog, made.planted


def test_the_planted_disagreements_are_found_to_the_row(lumen):
    catalog, planted = lumen
    found = defaultdict(list)
    for row in reconciliation.rows_of_company(catalog, "closed_won").to_dict("records"):
        found[row["part"]].append(row["key"])
    names = {"only_in_crm": "only_a", "only_in_billing": "only_b", "amount_differs": "amount", "other_period": "date",
             "billed_twice": "duplicate"}  # fmt: skip
    assert {part: sorted(found[part]) for part in names.values()} == {
        part: sorted(planted[kind]) for kind, part in names.items()
    }
    assert len(found) == len(names)


def test_the_sample_difference_is_the_sum_of_its_parts_in_every_period(lumen):
    for grain in ("week", "month", "quarter"):
        table = reconciliation.of_company(lumen[0], "closed_won", grain)
        assert (table[list(PARTS)].sum(axis=1) == table["difference"]).all()
        assert (table["difference"] == table["a"] - table["b"]).all()


def test_the_current_week_of_the_sample_is_reconciled(lumen):
    row = board.measure(lumen[0], ["closed_won"]).row("closed_won")
    assert row["reconciled"] is True
    assert row["reason"] is None


def test_a_hand_off_is_reconciled_like_anything_else(lumen, tmp_path):
    """The example of docs/reference/metrics.md: every qualified meeting is a deal that Sales opened."""
    folder = tmp_path / "params"
    (folder / "departments").mkdir(parents=True)
    for path in [
        ROOT / "params" / "company.yaml",
        *(ROOT / "params" / "departments").glob("*.yaml"),
    ]:
        (folder / path.relative_to(ROOT / "params")).write_text(path.read_text())
    sdr, sales = (folder / "departments" / f"{name}.yaml" for name in ("sdr", "sales"))
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    example = yaml.safe_load(page.split("A **hand-off**")[1].split("```yaml")[1].split("```")[0])
    said = yaml.safe_load(sdr.read_text())
    said["metrics"]["meetings_qualified"] |= example["meetings_qualified"]
    sdr.write_text(yaml.safe_dump(said))
    opened = "\n  deals_opened: {label: Deals opened, type: simple, measure: {agg: count, time: created_at}}\n"
    sales.write_text(sales.read_text() + opened)
    catalog = lumen[0]
    with sources.open(definitions.load(folder), catalog._shelf.data, catalog.as_of) as handed:
        table = reconciliation.of_company(handed, "meetings_qualified").iloc[3:]
        assert (
            "On"
            not in story.agreements(board.measure(handed, ["meetings_qualified"])).sentences[0].text
        )
    assert table["a"].sum() > 1000
    assert table[["amount", "date", "duplicate"]].sum().tolist() == [0, 0, 0]


# --- what people see ---------------------------------------------------------------------------------------------------


def test_the_sentence_of_a_pair_is_made_of_recorded_facts(lumen):
    this = board.measure(lumen[0], ["closed_won"])
    told = story.agreements(this).sentences
    known = {fact["id"]: fact["text"] for fact in story.record(this).payload["facts"]}
    assert told[0].text.startswith("CRM and Billing agree on closed-won deals for week 47: $")
    for sentence in told:
        assert all(
            known[each] in sentence.text
            for each in sentence.facts
            if not each.split(".")[1].startswith(("agrees", "difference"))
        )


@pytest.mark.parametrize(
    ("right", "said"),
    [("90", "disagree"), ("99", "within the agreed 5%"), ("100", "agree on won for week 9: $100")],
)
def test_a_sentence_says_whether_two_systems_agree(pair, right, said):
    catalog = pair(
        "x,2026-02-24,100\n",
        f"x,2026-02-24,{right}\n",
        "amount: {left: v, right: v}, tolerance: 5%",
        as_of="2026-03-01",
    )
    assert said in str(story.agreements(board.measure(catalog, ["won"])))


def test_the_chart_and_the_tables_show_the_five_parts(lumen):
    this = board.measure(lumen[0], ["closed_won"])
    (pair,) = story.pairs(this)
    spec = charts.bridge(this, pair).to_dict()
    assert all(
        name in spec["description"]
        for name in ("only in CRM", "only in Billing", "different amount", "duplicates")
    )
    assert len(tables.rows_apart(this, pair).rows) == 24
    assert all(row[3] != "–" for row in tables.bridge(this, pair).rows)


def test_the_notebook_says_shows_and_records_it(lumen, monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    monkeypatch.setenv("DATAOPS_DATA", str(lumen[0]._shelf.data))
    shown: list[object] = []
    names: dict[str, object] = {"display": lambda *each: shown.extend(each)}
    for cell in json.loads((ROOT / "notebooks" / "15_reconcile.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    kinds = [type(each).__name__ for each in shown if type(each).__name__ != "Told"]
    assert kinds == ["LayerChart", "Table", "Table", "Table"]
    assert names["this"].metrics == ("closed_won",)  # type: ignore[attr-defined]


# --- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def bench(company, tmp_path):
    company(
        BOTH,
        metrics(),
        {"a.csv": HEAD + "x,2026-01-06,10\ny,2026-01-14,1\n", "b.csv": HEAD + "x,2026-01-06,8\n"},
    ).close()
    return ["-w", str(tmp_path), "--data", str(tmp_path)]


def test_reconcile_prints_the_rows_of_the_contract(bench, capsys):
    assert (
        main([*bench, "reconcile", "won", "--as-of", "2026-02-01", "--to", "2026-01-11", "--json"])
        == 0
    )
    assert json.loads(capsys.readouterr().out) == {
        "schema_version": 1,
        "rows": [
            {"metric": "won", "with": "billed", "period": "2026-W02", "a": 10, "b": 8, "difference": 2, "only_a": 0,
             "only_b": 0, "amount": 2, "date": 0, "duplicate": 0, "within_tolerance": False}
        ],
    }  # fmt: skip


def test_without_an_id_every_reconciled_metric_is_printed_as_text(bench, capsys):
    assert main([*bench, "reconcile", "--as-of", "2026-02-01", "--grain", "month"]) == 0
    head, _, january, *_ = capsys.readouterr().out.splitlines()
    assert head.split()[:6] == ["metric", "with", "period", "a", "b", "difference"]
    assert january.split()[2:6] == ["2026-01", "11.00", "8.00", "3.00"]


def test_rows_are_printed_one_by_one(bench, capsys):
    assert main([*bench, "reconcile", "--rows", "--as-of", "2026-02-01", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [
        (row["part"], row["key"], row["a_amount"], row["b_amount"], row["a_day"]) for row in rows
    ] == [
        ("only_a", "y", 1, None, "2026-01-14"),
        ("amount", "x", 10, 8, "2026-01-06"),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wo"], "did you mean 'won'"),
        (["billed"], "won is reconciled with it"),
        (["won", "--grain", "weak"], "'week'"),
    ],
)
def test_a_mistaken_reconcile_says_what_was_meant(bench, words, said, capsys):
    assert main([*bench, "reconcile", *words]) == 2
    assert said in capsys.readouterr().err


# --- a real company ----------------------------------------------------------------------------------------------------

SHOP = """
orders: {system: Shop, path: sample4k/olist_orders_dataset.csv, key: order_id, time: order_purchase_timestamp}
items: {system: Shop, path: sample4k/olist_order_items_dataset.csv, key: [order_id, order_item_id]}
payments: {system: Payments, path: sample4k/olist_order_payments_dataset.csv, key: [order_id, payment_sequential]}
sold:
  system: Shop
  query: >-
    select order_id, order_purchase_timestamp, sum(price + freight_value) as amount
    from orders join items using (order_id) group by all
  time: order_purchase_timestamp
paid:
  system: Payments
  query: >-
    select order_id, order_purchase_timestamp, sum(payment_value) as amount
    from orders join payments using (order_id) group by all
  time: order_purchase_timestamp
"""
MONEY = """
sold:
  type: simple
  measure: {source: sold, agg: sum, expr: amount}
  reconcile: [{with: paid, key: {left: order_id, right: order_id}, tolerance: 2%}]
paid: {type: simple, measure: {source: paid, agg: sum, expr: amount}}
"""


def test_olist_orders_against_payments_by_cause_in_the_4000_orders_at_hand(company, shared):
    """Sums of the sample's own files: 23 orders without items, 24 with other amounts, none without a payment."""
    catalog = company(SHOP, MONEY, {}, data=shared("olist"))
    table, listed = (
        reconciliation.of_company(catalog, "sold", "month"),
        reconciliation.rows_of_company(catalog, "sold", "month"),
    )
    totals = {
        name: sum(each for each in table[name] if each is not None) for name in ("a", "b", *PARTS)
    }
    assert {name: str(total.quantize(Decimal("0.01"))) for name, total in totals.items() if total} == {
        "a": "639254.77", "b": "645494.05", "only_b": "-6096.33", "amount": "-142.95",
    }  # fmt: skip
    assert listed["part"].value_counts().to_dict() == {"amount": 24, "only_b": 23}


def test_the_published_causes_of_all_olist_orders_add_up_as_published(company, shared):
    """One row a published cause stands for its orders: 15,843,553.24 sold, 16,008,872.12 paid."""
    causes = pd.read_csv(shared("olist_published_aggregates") / "rutarj_reconciliation_summary.csv")
    sides = {
        name: HEAD + "".join(f"{cause},2026-01-06,{v}\n" for cause, v in zip(causes["gap_category"], causes[column], strict=True) if pd.notna(v))
        for name, column in (("a.csv", "sold_brl"), ("b.csv", "paid_brl"))
    }  # fmt: skip
    row = reconciliation.of_company(company(BOTH, metrics(), sides), "won").iloc[0]
    published = dict(zip(causes["gap_category"], causes["net_gap_brl"], strict=True))
    assert (float(row["a"]), float(row["b"])) == (15843553.24, 16008872.12)
    assert float(row["only_b"]) == -published.pop("missing_items")
    assert float(row["only_a"]) == -published.pop("missing_payment")
    assert float(row["amount"]) == pytest.approx(-sum(published.values()), abs=0.005)
