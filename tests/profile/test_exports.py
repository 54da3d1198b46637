"""What an analyst would measure in the exports of known kinds: the right time, rows and amounts."""

import datetime as dt

import pytest

from dataops_nb import profile

pytestmark = pytest.mark.long

DAY = dt.datetime(2026, 3, 2, 10)


@pytest.fixture
def drafted(tmp_path):
    """The draft of files written out, each from its header and rows."""

    def make(**files):
        paths = []
        for name, rows in files.items():
            path = tmp_path / f"{name}.csv"
            lines = [",".join(str(cell) for cell in row) for row in rows]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            paths.append(path)
        return profile.draft(paths)

    return make


def measures(draft):
    return {metric.id: metric.definition.get("measure") for metric in draft.all_metrics}


def told(draft):
    return "\n".join(guess.why for guess in draft.guesses)


def stamp(days, minutes=0):
    return (DAY + dt.timedelta(days=days, minutes=minutes)).strftime("%Y-%m-%d %H:%M")


def deals(count=40):
    rows = [["Deal ID", "Deal Stage", "Amount", "Probability (%)", "Close Date", "Create Date"]]
    for n in range(count):
        stage = ["Closed Won", "Closed Lost", "Demo"][n % 3]
        close = n + 3 if stage.startswith("Closed") else count + 60 + n
        rows.append([n, stage, 100 + n, n % 4 * 25, stamp(close), stamp(n)])
    return rows


def test_money_of_deals_counts_where_it_was_won(drafted):
    draft = drafted(sales_pipeline=deals())
    assert measures(draft)["amount_won"] == {
        "source": "sales_pipeline",
        "agg": "sum",
        "expr": "Amount",
        "filter": "\"Deal Stage\" = 'Closed Won'",
        "time": "Close Date",
    }
    assert draft.north_star[0] == "amount_won"


def test_a_close_date_of_open_deals_is_told_to_lie_ahead(drafted):
    assert "Close Date lies ahead" in told(drafted(sales_pipeline=deals()))


def test_a_deal_is_called_by_its_key_and_a_rate_is_won_of_decided(drafted):
    draft = drafted(sales_pipeline=deals())
    by_id = {metric.id: metric.definition for metric in draft.all_metrics}
    assert by_id["deals"]["unit"] == "deals"
    assert (by_id["win_rate"]["numerator"], by_id["win_rate"]["denominator"]) == (
        "deals_won",
        "deals_decided",
    )


def test_a_price_per_period_runs_from_start_to_end(drafted):
    rows = [
        [
            "id",
            "Plan",
            "Amount",
            "Interval",
            "Start (UTC)",
            "Current Period End (UTC)",
            "Ended At (UTC)",
        ]
    ]
    for n in range(30):
        ended = stamp(n + 20) if n % 3 == 0 else ""
        rows.append(
            [
                f"sub_{n:03}",
                "Basic",
                [29, 348][n % 2],
                ["month", "year"][n % 2],
                stamp(n),
                stamp(90),
                ended,
            ]
        )
    draft = drafted(subscriptions=rows)
    assert measures(draft)["mrr"] == {
        "source": "subscriptions",
        "agg": "sum",
        "expr": "case when Interval = 'year' then Amount / 12 else Amount end",
        "open": {"from": "Start (UTC)", "to": "Ended At (UTC)"},
        "at": "end",
    }
    assert measures(draft)["subscriptions_ended"]["time"] == "Ended At (UTC)"
    assert "Current Period End (UTC) is a deadline" in told(draft)


def lines_of_orders(repeated):
    rows = [["Name", "Created at", "Total", "Email", "Lineitem quantity", "Lineitem price"]]
    for n in range(20):
        for line in range(1 + n % 3):
            total = 50 + n if line == 0 or repeated else ""
            email = f"a{n}@x.example" if line == 0 or repeated else ""
            rows.append([f"#10{n:02}", stamp(n), total, email, line + 1, 10 + line])
    return rows


def test_orders_are_counted_once_and_a_total_on_the_first_line_is_summed(drafted):
    draft = drafted(orders_export_1=lines_of_orders(repeated=False))
    made = measures(draft)
    assert draft.tables["orders_export_1"].key == []
    assert (made["orders"]["agg"], made["orders"]["expr"]) == ("count_distinct", "Name")
    assert made["total"]["expr"] == "Total"
    assert "lineitem_price" not in made


def test_a_total_that_is_repeated_on_each_line_is_never_summed(drafted):
    draft = drafted(invoices=lines_of_orders(repeated=True))
    assert "total" not in measures(draft)
    assert "Total is repeated on each line" in told(draft)


def payments(currencies):
    rows = [["id", "Created (UTC)", "Amount", "Currency", "Status"]]
    for n in range(40):
        status = "Failed" if n % 5 == 0 else "Paid"
        rows.append([f"ch_{n:03}", stamp(n), 10 + n, currencies[n % len(currencies)], status])
    return rows


def test_failed_payments_are_no_money(drafted):
    draft = drafted(payments=payments(["eur"]))
    assert measures(draft)["amount_paid"]["filter"] == "Status = 'Paid'"
    assert "Failed (8) are in the file; they are not counted" in told(draft)


def test_one_currency_is_the_companys(drafted, tmp_path):
    text = profile.write(drafted(payments=payments(["eur"])), tmp_path)["company.yaml"]
    assert "currency: EUR" in text


def test_several_currencies_are_never_one_sum(drafted):
    draft = drafted(payments=payments(["eur", "usd", "eur"]))
    assert measures(draft)["amount_paid"]["filter"] == "Status = 'Paid' and Currency = 'eur'"
    assert "several currencies in Currency" in told(draft)


def test_a_zone_in_a_header_is_the_sources(drafted, tmp_path):
    text = profile.write(drafted(payments=payments(["eur"])), tmp_path)["company.yaml"]
    assert "    timezone: UTC " in text


def test_a_deadline_is_no_time(drafted):
    rows = [["item", "order_id", "price", "shipping_limit_date"]]
    rows += [[n % 2, n, 5 + n, stamp(n)] for n in range(20)]
    draft = drafted(items=rows)
    assert draft.tables["items"].time is None
    assert "shipping_limit_date is a deadline" in told(draft)


def test_price_times_quantity_is_the_amount(drafted):
    rows = [["day", "sku", "unit_price", "quantity"]]
    rows += [[stamp(n)[:10], f"s{n % 3}", 5 + n, 1 + n % 3] for n in range(20)]
    assert "quantity * unit_price" in [
        m.get("expr") for m in measures(drafted(sales=rows)).values()
    ]


def test_a_rate_of_two_columns_becomes_a_ratio(drafted):
    rows = [["day", "sessions", "engaged", "engagement_rate"]]
    for n in range(20):
        rows.append([stamp(n)[:10], 100 + n, 40 + 2 * n, round((40 + 2 * n) / (100 + n), 4)])
    by_id = {metric.id: metric.definition for metric in drafted(traffic=rows).all_metrics}
    assert by_id["engagement_rate"]["numerator"] == "engaged"


def test_a_ledger_is_summed_by_account(drafted):
    rows = [["Date", "Num", "Account", "Amount"]]
    accounts = ["4000 Sales", "4900 Refunds", "6100 Rent"]
    rows += [[stamp(n)[:10], 1000 + n, accounts[n % 3], 10 + n] for n in range(30)]
    made = measures(drafted(ledger=rows))
    assert made["sales"]["filter"] == "Account = '4000 Sales'"
    assert made["refunds"]["filter"] == "Account = '4900 Refunds'"


def test_debit_and_credit_give_the_sign(drafted):
    rows = [["id", "Date", "Amount", "Side"]]
    rows += [[f"p{n:03}", stamp(n)[:10], 10 + n, "SH"[n % 2]] for n in range(20)]
    exprs = [measure.get("expr", "") for measure in measures(drafted(postings=rows)).values()]
    assert "case when Side = 'H' then -Amount else Amount end" in exprs


def test_the_order_of_day_and_month_is_settled_by_a_sibling(drafted):
    first = [["id", "day"], *[[n, f"0{n}/0{n + 1}/2026"] for n in range(1, 8)]]
    second = [["id", "day"], *[[n, f"0{n % 9 + 1}/{n + 12}/2026"] for n in range(1, 8)]]
    draft = drafted(first=first, second=second)
    assert draft.sources["first"]["date_format"] == "%m/%d/%Y"


def test_a_reference_goes_by_its_values_whatever_the_column_is_called(drafted):
    companies = [["Record ID", "Company name", "Create Date"]]
    companies += [[5000 + n, f"Lamp {n} Ltd", stamp(n)] for n in range(10)]
    tickets = [["Ticket ID", "Associated Company IDs (Primary)", "Create date"]]
    tickets += [[n, 5000 + n % 10, stamp(n)] for n in range(30)]
    draft = drafted(companies=companies, tickets=tickets)
    assert [(r.column, r.target, r.key) for r in draft.references] == [
        ("Associated Company IDs (Primary)", "companies", "Record ID")
    ]


def test_another_spelling_is_told_with_a_map_to_paste(drafted):
    products = [["product_name", "since"], *[[f"Pro {sign}", stamp(0)] for sign in "VWXYZ"]]
    orders = [["id", "day", "product_name"]]
    orders += [[n, stamp(n), ["ProX", "Pro V"][n % 4 > 0]] for n in range(20)]
    assert "map: {ProX: Pro X}" in told(drafted(products=products, orders=orders))


def test_few_metrics_are_proposed_and_the_rest_wait_with_their_reasons(drafted, tmp_path):
    rows = [["day", *[f"count_{n}" for n in range(12)]]]
    rows += [[stamp(d)[:10], *[d * 3 + n for n in range(12)]] for d in range(20)]
    draft = drafted(visits=rows)
    text = profile.write(draft, tmp_path)["departments/first.yaml"]
    assert len(draft.all_metrics) <= 8
    waiting = [one.id for metrics in draft.waiting.values() for one in metrics]
    assert all(f"  # {name}:" in text for name in waiting)


def test_scores_are_averaged_and_recommendations_netted(drafted):
    rows = [["Respondent ID", "End Date", "How likely are you to recommend us?"]]
    rows += [[9000 + n * 7, stamp(n), n % 11] for n in range(33)]
    made = measures(drafted(survey=rows))
    assert {measure["agg"] for measure in made.values()} == {"count", "average"}
    assert "net_promoter_score" in made


def test_the_advised_day_is_the_last_dense_one(drafted):
    daily = [["id", "day"], *[[n, stamp(n)[:10]] for n in range(60)], [99, "2030-01-01"]]
    assert drafted(visits=daily).last == dt.date(2026, 4, 30)


def test_a_title_and_what_stands_beside_it_are_no_key(drafted):
    rows = [["Deal name", "Owner", "Create Date"]]
    rows += [[f"deal {n}", "ab"[n % 2], stamp(n)] for n in range(20)]
    assert drafted(deals=rows).tables["deals"].key == []


def test_how_often_rows_come_says_how_old_the_last_may_be(drafted, tmp_path):
    rows = [["id", "day"], *[[n, stamp(n * 4)[:10]] for n in range(20)]]
    text = profile.write(drafted(visits=rows), tmp_path)["company.yaml"]
    assert "    fresh_within: 12d " in text


def test_rows_with_money_and_no_time_get_the_time_of_what_they_belong_to(drafted):
    orders = [["order_id", "ordered_on"], *[[f"o{n:04}", stamp(n)[:10]] for n in range(20)]]
    items = [["order_id", "item", "price"], *[[f"o{n % 20:04}", n, 5 + n] for n in range(40)]]
    draft = drafted(orders=orders, items=items)
    assert measures(draft)["sales"] == {"source": "items_dated", "agg": "sum", "expr": "price"}
    assert "left join" in draft.sources["items_dated"]["query"]


def test_the_sign_of_euros_in_numbers_is_the_companys_currency(drafted, tmp_path):
    rows = [["id", "day", "Amount"], *[[n, stamp(n)[:10], f"€{n + 7}.50"] for n in range(20)]]
    draft = drafted(shop=rows)
    assert draft.sources["shop"]["columns"] == {"Amount": {"type": "decimal"}}
    assert "currency: EUR" in profile.write(draft, tmp_path)["company.yaml"]


def transfers():
    rows = [["Transaction ID", "Date", "Type", "Status", "Gross", "Invoice Number", "Impact"]]
    for n in range(60):
        kind = "Bank Withdrawal" if n % 10 == 9 else "Refund" if n % 10 == 8 else "Payment"
        gross = -(10 + n) if n % 10 > 7 else 10 + n
        status = ["Completed", "Completed", "Denied", "Pending"][n % 4]
        impact = "Debit" if gross < 0 else "Credit"
        rows.append([f"T{n:03}", stamp(n)[:10], kind, status, gross, f"I{n // 2:03}", impact])
    return rows


def test_what_only_moves_money_and_what_waits_are_no_income(drafted):
    draft = drafted(activity=transfers())
    money = measures(draft)["gross_paid"]
    assert money["filter"] == "Status = 'Completed'"
    assert money["exclude"] == "Type = 'Bank Withdrawal'"
    assert "Bank Withdrawal (6) only move money" in told(draft)


def test_a_side_beside_amounts_with_a_sign_changes_none(drafted):
    exprs = [measure.get("expr", "") for measure in measures(drafted(a=transfers())).values()]
    assert "Gross" in exprs
    assert not [expr for expr in exprs if "case" in expr]


def test_rows_with_ids_of_their_own_are_no_lines_of_what_they_only_share_a_day_with(drafted):
    assert drafted(activity=transfers()).tables["activity"].thing is None


def test_a_postal_code_is_no_key_and_lines_of_orders_are_orders(drafted):
    rows = [["order-id", "day", "state", "channel", "postal-code", "amount"]]
    for n in range(60):
        order = n // 2
        rows.append(
            [f"o-{order}", stamp(order), f"s{order % 2}", f"c{order % 3}", 10_000 + n * 7, n]
        )
    draft = drafted(n_1=rows)
    assert draft.tables["n_1"].key == []
    assert measures(draft)["orders"]["agg"] == "count_distinct"


def test_two_columns_that_split_alike_are_one_dimension(drafted):
    rows = [["id", "day", "owner", "owner_email", "amount"]]
    rows += [[n, stamp(n), "ab"[n % 2], f"{'ab'[n % 2]}@x.example", n + 9] for n in range(40)]
    assert drafted(deals=rows).tables["deals"].dimensions == ["owner"]


def test_what_stopped_years_ago_is_no_north_star(drafted):
    old = [["id", "hired"], *[[n, f"20{n + 2:02}-05-01"] for n in range(8)]]
    sales = [["id", "day", "total"], *[[n, stamp(n)[:10], 5 + n] for n in range(40)]]
    assert drafted(employees=old, sales=sales).north_star == ["total", "sales"]


def test_yes_and_no_as_1_and_0_put_rows_out_and_are_no_scores(drafted):
    rows = [["id", "day", "total", "Refunded?", "Recurring charge?"]]
    rows += [[n, stamp(n)[:10], 5 + n, int(n % 7 == 0), 0] for n in range(40)]
    made = measures(drafted(sales=rows))
    assert made["total"]["exclude"] == '"Refunded?" = 1'
    assert not [measure for measure in made.values() if measure.get("agg") == "average"]


def test_a_rate_of_money_is_no_percent_and_stands_once(drafted):
    rows = [["Day", "Amount spent (EUR)", "Impressions", "Link clicks", "CPC (EUR)", "CTR"]]
    for n in range(30):
        clicks, seen, spent = 20 + n % 9, 900 + n * 7, 100.5 + n
        day = stamp(n)[:10]
        rows.append([day, spent, seen, clicks, round(spent / clicks, 6), clicks / seen * 100])
    by_id = {one.id: one.definition for one in drafted(ads=rows).all_metrics}
    assert (by_id["cpc_eur"]["unit"], by_id["ctr"]["unit"]) == ("EUR", "percent")
    assert not [name for name in by_id if name.startswith("average")]


def test_hours_of_work_add_up_and_a_currency_may_follow_its_name(drafted, tmp_path):
    rows = [["Date", "Task", "Hours", "Billable Rate", "Billable Amount", "Currency"]]
    rows += [
        [stamp(n)[:10], "ab"[n % 2], n % 7 / 4, 90, n % 7 * 22.5, "Euro - EUR"] for n in range(40)
    ]
    draft = drafted(time_report=rows)
    assert ("sum", "Hours") in {(one["agg"], one.get("expr")) for one in measures(draft).values()}
    assert "currency: EUR" in profile.write(draft, tmp_path)["company.yaml"]
