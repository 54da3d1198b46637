"""What drafts of real files once said and no analyst would."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from dataops_nb.profile import Draft, draft, write
from dataops_nb.profile.texts import find_encoding


def drafted(folder: Path, header: str, row: str, name: str = "rows.csv") -> Draft:
    """Draft a file of 60 days; `{n}` in a row is its number, `{day}` its day."""
    lines = [header]
    for n in range(60):
        day = f"2026-{1 + n // 28:02}-{1 + n % 28:02}"
        lines.append(row.format(n=n, day=day, odd=n % 2, three=n % 3, some=n * 37 % 11))
    (folder / name).write_text("\n".join(lines) + "\n")
    return draft([folder / name])


def measures(made: Draft) -> set[tuple[str, str]]:
    metrics = [
        one for some in (made.metrics, made.waiting) for many in some.values() for one in many
    ]
    found = [metric.definition.get("measure", {}) for metric in metrics]
    return {(measure.get("agg", ""), measure.get("expr", "")) for measure in found}


def labels(made: Draft) -> set[str]:
    return {str(metric.definition.get("label")) for metric in made.all_metrics}


def made_ids(made: Draft) -> set[str]:
    metrics = (
        one for some in (made.metrics, made.waiting) for many in some.values() for one in many
    )
    return {metric.id for metric in metrics}


def test_many_columns_of_one_number_are_told_in_one_line(tmp_path: Path) -> None:
    zeros = [f"z{number}" for number in range(40)]
    made = drafted(tmp_path, "id,day," + ",".join(zeros), "r{n},{day}" + ",0" * 40)
    told = [guess for guess in made.guesses if "so it is not used" in guess.why]
    assert len(told) == 3
    assert any("37 more columns hold one number each" in guess.why for guess in made.guesses)


def test_a_rate_named_with_a_slash_is_not_summed(tmp_path: Path) -> None:
    made = drafted(tmp_path, "id,day,Defects/Million,Orders", "r{n},{day},{some},{three}")
    assert ("sum", '"Defects/Million"') not in measures(made)


def test_a_type_of_lead_is_no_lead(tmp_path: Path) -> None:
    made = drafted(tmp_path, "id,day,lead_type,lead_source", "r{n},{day},t{three},s{some}")
    assert not {expr for agg, expr in measures(made) if agg in ("first_seen", "count_distinct")}


def test_a_number_of_a_payment_is_no_money(tmp_path: Path) -> None:
    header = "id,day,payment_sequential,payment_installments,payment_value"
    made = drafted(tmp_path, header, "r{n},{day},{three},{some},{n}.5")
    sums = {expr for agg, expr in measures(made) if agg == "sum"}
    assert sums == {"payment_value"}


def test_a_file_that_goes_on_after_the_lead_does_not_move_the_day(tmp_path: Path) -> None:
    drafted(tmp_path, "order_id,ordered_on,revenue", "o{n},{day},{n}.5", "orders.csv")
    late = [f"v{n},2026-{6 + n // 28:02}-{1 + n % 28:02}\n" for n in range(60)]
    (tmp_path / "visits.csv").write_text("visit_id,visited_on\n" + "".join(late))
    made = draft([tmp_path / "orders.csv", tmp_path / "visits.csv"])
    assert made.north_star[0] == "revenue"
    assert str(made.last) == "2026-03-04"


def test_a_count_of_what_customers_did_is_no_customer(tmp_path: Path) -> None:
    made = drafted(tmp_path, "id,day,Customer interactions", "r{n},{day},{some}")
    assert not {expr for agg, expr in measures(made) if agg in ("first_seen", "count_distinct")}
    assert ("sum", '"Customer interactions"') in measures(made)


def test_what_all_names_of_files_begin_with_is_no_word_of_a_metric(tmp_path: Path) -> None:
    for name in ("orders", "visits", "reviews"):
        drafted(tmp_path, f"{name}_id,day", "r{n},{day}", f"acme_{name}_dataset.csv")
    made = draft(sorted(tmp_path.iterdir()))
    assert {metric.id for metric in made.all_metrics} == {"orders", "visits", "reviews"}


def test_an_anticipated_day_is_a_plan(tmp_path: Path) -> None:
    made = drafted(tmp_path, "Offer ID,Sent On,Anticipated Start Date", "f{n},{day},{day}")
    (table,) = made.tables.values()
    moment = table.moment("Anticipated Start Date")
    assert (table.time, moment and moment.role) == ("Sent On", "planned")


@pytest.mark.parametrize(
    "name",
    [
        "Base Salary",
        "CAC",
        "ltv_usd",
        "Annual Revenue",
        "declared_monthly_revenue",
        "Employees",
        "Unique visitors",
        "Daily active users",
        "AOV",
        "YTD Sales",
        "Hourly wage",
        "Line position",
    ],
)
def test_what_does_not_add_up_over_rows_is_not_summed(tmp_path: Path, name: str) -> None:
    made = drafted(tmp_path, f"offer_id,day,{name}", "r{n},{day},{some}{n}")
    assert "sum" not in {agg for agg, _ in measures(made)}


@pytest.mark.parametrize("name", ["cumulative_customers", "mrr", "Headcount", "followers"])
def test_a_level_of_days_is_taken_at_the_end_of_a_period(tmp_path: Path, name: str) -> None:
    made = drafted(tmp_path, f"day,{name},visits", "{day},1{some}{n},1{n}{three}")
    measured = [metric.definition["measure"] for metric in made.all_metrics]
    assert {"source": "rows", "agg": "sum", "expr": name, "at": "end"} in measured


@pytest.mark.parametrize("name", ["Total Orders", "new_paid_customers", "payment count"])
def test_a_count_is_no_money_whatever_word_stands_beside_it(tmp_path: Path, name: str) -> None:
    made = drafted(tmp_path, f"day,{name},revenue", "{day},{some}{n},{n}.5")
    (first, *_) = made.north_star
    assert first == "revenue"


def test_a_discount_that_is_always_zero_is_not_summed(tmp_path: Path) -> None:
    made = drafted(tmp_path, "id,day,Discount Amount,Quantity", "r{n},{day},0.00,{some}")
    assert measures(made) == {("count", ""), ("sum", "Quantity")}


def test_clicks_are_a_share_of_impressions_and_not_of_a_wider_number(tmp_path: Path) -> None:
    row = "{day},9{some}0{three}00,4{some}0{three}0,1{some}{three}"
    made = drafted(tmp_path, "day,PageViews,Impressions,Clicks", row)
    assert "Clicks as a share of impressions" in labels(made)


def test_a_metric_is_not_split_by_the_column_of_its_filter(tmp_path: Path) -> None:
    row = "r{n},{day},{n}.5,{state},{three}"
    lines = [row.format(n=n, day=f"2026-01-{1 + n % 28:02}", three=f"t{n % 3}", state=state)
             for n, state in zip(range(60), ["paid", "paid", "failed"] * 20, strict=True)]  # fmt: skip
    (tmp_path / "p.csv").write_text("id,day,amount,status,team\n" + "\n".join(lines) + "\n")
    made = draft([tmp_path / "p.csv"])
    by = {metric.id: metric.definition["by"] for metric in made.all_metrics}
    assert by["amount_paid"] == ["team"]


def test_a_file_that_is_there_in_two_formats_makes_its_metrics_once(tmp_path: Path) -> None:
    one = drafted(tmp_path, "id,day,revenue", "r{n},{day},{n}.5", "sales.csv")
    frame = pd.read_csv(tmp_path / "sales.csv", parse_dates=["day"])
    frame.to_parquet(tmp_path / "sales.parquet")
    made = draft([tmp_path / "sales.csv", tmp_path / "sales.parquet"])
    assert len(made.all_metrics) == len(one.all_metrics)


def test_the_key_of_rows_that_belong_to_others_does_not_say_what_they_are(tmp_path: Path) -> None:
    drafted(tmp_path, "lead_id,day,name", "r{n},{day},n{n}", "leads.csv")
    deals = [f"r{n},2026-02-{1 + n % 28:02},{n}.5\n" for n in range(40)]
    (tmp_path / "closed_deals.csv").write_text("lead_id,won_on,revenue\n" + "".join(deals))
    made = draft([tmp_path / "leads.csv", tmp_path / "closed_deals.csv"])
    assert [(one.source, one.target) for one in made.references] == [("closed_deals", "leads")]
    assert "Closed deals" in labels(made)


def test_a_representative_is_one_of_the_employees(tmp_path: Path) -> None:
    drafted(tmp_path, "CustomerId,day,SupportRepId", "{n},{day},{three}", "customers.csv")
    staff = "".join(f"{n},x{n}\n" for n in range(5))
    (tmp_path / "employees.csv").write_text("EmployeeId,Title\n" + staff)
    made = draft([tmp_path / "customers.csv", tmp_path / "employees.csv"])
    assert [one.column for one in made.references] == ["SupportRepId"]


def test_people_who_were_hired_years_ago_are_no_metric_of_today(tmp_path: Path) -> None:
    drafted(tmp_path, "order_id,day,revenue", "r{n},{day},{n}.5", "orders.csv")
    hired = "".join(f"{n},2019-0{n}-11\n" for n in range(1, 9))
    (tmp_path / "employees.csv").write_text("EmployeeId,HireDate\n" + hired)
    made = draft([tmp_path / "orders.csv", tmp_path / "employees.csv"])
    assert "employees" not in {metric.id for metric in made.all_metrics}


def test_a_version_is_one_of_its_project(tmp_path: Path) -> None:
    made = drafted(tmp_path, "project,version,day", "p{odd},1.{n}.0,2026-01-1{odd}", "releases.csv")
    assert made.tables["releases"].key == ["project", "version"]


def test_a_number_before_a_files_name_is_no_part_of_it(tmp_path: Path) -> None:
    made = drafted(tmp_path, "id,day", "r{n},{day}", "2026-11-20 orders.csv")
    assert list(made.sources) == ["orders"]


def test_a_known_export_is_called_by_its_system(tmp_path: Path) -> None:
    row = "{n},D{n},Closed Won,{day}"
    made = drafted(tmp_path, "Record ID,Deal Name,Deal Stage,Close Date", row, "x.csv")
    assert "system: HubSpot deals" in write(made, tmp_path)["company.yaml"]


def test_days_in_a_files_name_and_numbers_that_are_names_are_in_no_metric(tmp_path: Path) -> None:
    header = "Order Id,Opened,Table,Last 4 Card Digits,# of Guests,Total,Tip"
    row = "r{n},{day},1{some},1{n}{some},1{three}{odd},{n}.5,{some}.25"
    made = drafted(tmp_path, header, row, "Orders_2026_01_01-2026_03_01.csv")
    assert list(made.sources) == ["orders"]
    assert not measures(made) & {("sum", "Table"), ("sum", '"Last 4 Card Digits"')}
    assert labels(made) >= {"Guests", "Order total"}


def test_words_of_a_database_for_missing_are_missing_however_many(tmp_path: Path) -> None:
    made = drafted(
        tmp_path, "id,day,revenue\nx,2026-01-01,NULL\ny,2026-01-01,NULL", "r{n},{day},{n}.5"
    )
    assert made.sources["rows"]["na"] == ["NULL"]


def test_files_that_differ_by_their_year_only_keep_it(tmp_path: Path) -> None:
    for year in (2025, 2026):
        drafted(tmp_path, "id,day,amount", f"{year}-{{n}},{{day}},{{n}}.5", f"sales_{year}.csv")
    assert list(draft(sorted(tmp_path.iterdir())).sources) == ["sales_2025", "sales_2026"]


def test_a_bill_that_is_closed_on_its_day_is_no_backlog(tmp_path: Path) -> None:
    made = drafted(tmp_path, "Order Id,Opened,Closed,Total", "r{n},{day},{day},{n}.5")
    assert not {name for name in made_ids(made) if name.endswith(("_open", "_closed"))}


def test_a_metric_is_not_split_by_the_column_that_its_rows_are_left_out_by(tmp_path: Path) -> None:
    made = drafted(tmp_path, "id,day,team,IsDeleted,amount", "r{n},{day},t{three},{odd},{n}.5")
    (amount,) = [metric for metric in made.all_metrics if metric.id == "amount"]
    assert "IsDeleted" in amount.definition["measure"]["exclude"]
    assert amount.definition["by"] == ["team"]


def test_a_total_is_one_of_what_the_rows_are(tmp_path: Path) -> None:
    made = drafted(tmp_path, "Order Id,Opened,# of Guests,Total", "r{n},{day},1{three},{n}.5")
    assert {"Order total", "Guests"} <= labels(made)


def test_tips_are_no_revenue_and_pay_is_spent(tmp_path: Path) -> None:
    made = drafted(tmp_path, "id,day,Tips,Labor Pay,Sales", "r{n},{day},{some}.5,9{n}.5,{n}.5")
    assert made.north_star[0] == "sales"


def test_a_word_for_missing_values_may_stand_in_many_rows(tmp_path: Path) -> None:
    row = "r{n},{day},{n}.5\nx{n},{day},\\N"
    made = drafted(tmp_path, "id,day,amount", row)
    assert made.sources["rows"]["na"] == ["\\N"]
    assert ("sum", "amount") in measures(made)


def test_words_for_missing_values_among_texts_stay_texts(tmp_path: Path) -> None:
    made = drafted(tmp_path, "id,day,team,amount", "r{n},{day},t{three},{n}.5\nx{n},{day},none,1.5")
    assert "na" not in made.sources["rows"]


def test_the_lines_of_one_thing_are_told_apart_by_their_number(tmp_path: Path) -> None:
    row = "o{n},1,card,{n}.5\no{n},2,{some},{n}.25"
    made = drafted(tmp_path, "order_id,payment_sequential,kind,value", row, "payments.csv")
    assert made.tables["payments"].key == ["order_id", "payment_sequential"]


def test_points_between_thousands_of_some_amounts_are_read(tmp_path: Path) -> None:
    lines = [f"r{n};2026-01-{1 + n % 28:02};{n % 3 or '1.249'},50" for n in range(60)]
    (tmp_path / "a.csv").write_text("id;day;Beløb\n" + "\n".join(lines) + "\n", "utf-8")
    made = draft([tmp_path / "a.csv"])
    assert made.sources["a"]["columns"] == {"Beløb": {"type": "decimal"}}
    assert made.north_star[0] == "belob"


def test_a_danish_total_is_no_row(tmp_path: Path) -> None:
    lines = [f"r{n};2026-01-{1 + n % 28:02};{n},50" for n in range(60)]
    text = "\n".join(["id;day;Beløb", *lines, "I alt;;1800,00"])
    (tmp_path / "a.csv").write_text(text + "\n", "utf-8")
    assert draft([tmp_path / "a.csv"]).tables["a"].rows == 60


def test_a_number_of_a_bill_in_one_word_names_what_the_rows_are(tmp_path: Path) -> None:
    made = drafted(tmp_path, "Belegnr,day", "r{n},{day}")
    assert "belegs" in made_ids(made)


def test_states_of_payments_are_known_in_other_languages(tmp_path: Path) -> None:
    rows = [f"r{n},2026-01-{1 + n % 28:02},{n}.5,{'Afvist' if n % 9 == 0 else 'Betalt'}\n"
            for n in range(60)]  # fmt: skip
    (tmp_path / "a.csv").write_text("id,day,amount,Status\n" + "".join(rows))
    assert "amount_paid" in made_ids(draft([tmp_path / "a.csv"]))


def test_a_label_keeps_the_letters_of_its_language(tmp_path: Path) -> None:
    made = drafted(tmp_path, "id,day,Beløb", "r{n},{day},{n}.5")
    assert "Beløb" in labels(made)


def test_names_in_letters_that_are_not_latin_are_labels_as_they_are(tmp_path: Path) -> None:
    made = drafted(tmp_path, "id,day,金額,数量 #,金額2", "r{n},{day},{some},{n},{three}.5")
    assert {"金額", "金額2"} <= labels(made)


@pytest.mark.parametrize("name", ["temp_C", "Battery (mV)", "Außen °C", "Ø Bon €"])
def test_what_is_measured_at_a_moment_is_not_summed(tmp_path: Path, name: str) -> None:
    made = drafted(tmp_path, f"id,day,{name}", "r{n},{day},{some}.5")
    assert {agg for agg, expr in measures(made) if expr} == {"average"}


def test_a_japanese_export_of_windows_is_read_and_names_its_company(tmp_path: Path) -> None:
    lines = "".join(f"A{n},2026-01-{1 + n:02},抹茶,カード\n" for n in range(28))
    (tmp_path / "注文.csv").write_text("番号,注文日,商品,支払\n" + lines, encoding="cp932")
    made = draft([tmp_path / "注文.csv"])
    company = write(made, tmp_path / "店")["company.yaml"]
    assert "company: 店" in company
    assert "encoding: cp932" in company


def test_polish_letters_that_are_not_in_cp1252_are_no_japanese(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,miasto\n1,Źródło\n2,Łódź\n", encoding="cp1250")
    assert find_encoding(tmp_path / "a.csv") == "cp1252"
