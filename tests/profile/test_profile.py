"""Files that nobody has described: what is guessed about them, why, and the first files that are made of it."""

import datetime as dt
import json
import subprocess
import sys

import pytest
import yaml

from dataops_nb import cli, definitions, profile, sources, workbench
from dataops_nb.errors import UsageError
from dataops_nb.profile import names

pytestmark = pytest.mark.long

ORDERS = """order_id,ordered_on,customer,amount_eur,channel
1001,2026-10-26,ada,120.00,web
1002,2026-10-28,ben,80.00,web
1003,2026-11-03,ada,60.00,shop
1004,2026-11-05,cyd,150.00,web
"""

SELDOM = "id,day\n" + "".join(f"{m},2026-{m:02}-17\n" for m in range(1, 10))


@pytest.fixture
def drafted(tmp_path):
    """The draft of files written out."""

    def make(**files):
        paths = []
        for name, text in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(path)
        return profile.draft(paths)

    return make


def said(draft, about):
    return next(guess for guess in draft.guesses if guess.about == about)


# --- how a file is written -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "option", "value"),
    [
        ("id;v\n1;2\n2;3\n", "delimiter", ";"),
        ("id\tv\n1\t2\n2\t3\n", "delimiter", "\t"),
        ("id,v\n1,caf\xe9\n".encode("cp1252"), "encoding", "cp1252"),
        ("id,v\n1,2\n".encode("utf-16"), "encoding", "utf-16"),
        ("id;v\n1;1.234,5\n2;2,25\n", "decimal", ","),
        ("id,day\n1,13/04/2026\n2,05/04/2026\n", "date_format", "%d/%m/%Y"),
        ("id,day\n1,04/13/2026\n2,04/05/2026\n", "date_format", "%m/%d/%Y"),
        ("id,day\n1,2026-04\n2,2026-05\n", "date_format", "%Y-%m"),
        ("id,day\n1,13.04.2026 10:00\n2,05.04.2026 11:30\n", "date_format", "%d.%m.%Y %H:%M"),
        ('id,v\n1,"1,234"\n2,"12"\n', "columns", {"v": {"type": "decimal"}}),
        ("id,v\n" + "".join(f"{i},{'n/a' if i == 7 else i}\n" for i in range(150)), "na", ["n/a"]),
    ],
)
def test_how_a_file_is_written_is_found_out_and_said(drafted, text, option, value):
    draft = drafted(deals__csv=text)
    assert draft.sources["deals"][option] == value
    assert draft.faults == {}
    assert said(draft, f"deals.{option}").why


def test_days_that_could_be_read_both_ways_are_said_to_be_doubtful(drafted):
    doubt = said(drafted(deals__csv="id,day\n1,03/04/2026\n2,05/06/2026\n"), "deals.date_format")
    assert (doubt.said, "so does %m/%d/%Y" in doubt.why) == ("%d/%m/%Y", True)


def test_a_plain_file_needs_no_options(drafted):
    assert drafted(orders__csv=ORDERS).sources == {"orders": {"path": "orders.csv"}}


def test_a_file_with_faults_is_marked_and_its_first_fault_is_told(drafted, tmp_path):
    draft = drafted(orders__csv=ORDERS, broken__csv="id,v\n1,2\n3\n")
    assert draft.sources["broken"]["on_fault"] == "mark"
    assert "broken.csv:3" in profile.write(draft, tmp_path / "new")["company.yaml"]


# --- what its rows are -----------------------------------------------------------------------------------------------


def test_key_time_dimensions_people_and_amounts_of_a_file(drafted):
    table = drafted(orders__csv=ORDERS).tables["orders"]
    assert (table.key, table.time, table.dimensions) == (["order_id"], "ordered_on", ["channel"])
    assert (table.people, table.sums) == (["customer"], ["amount_eur"])


def test_several_columns_are_a_key_where_none_is(drafted):
    rows = "".join(f"2026-0{m}-01,{o},{m * 10}\n" for m in (1, 2, 3) for o in ("a", "b"))
    table = drafted(visits__csv="period,org_code,visits\n" + rows).tables["visits"]
    assert (table.key, table.monthly, table.last) == (
        ["period", "org_code"],
        True,
        dt.date(2026, 3, 1),
    )


def test_what_repeats_has_no_key_and_that_is_said(drafted):
    draft = drafted(clicks__csv="day,page\n2026-01-01,a\n2026-01-01,a\n2026-01-02,b\n")
    assert draft.tables["clicks"].key == []
    assert said(draft, "clicks.key").said == ""


def test_ids_codes_and_birthdays_are_neither_added_up_nor_times(drafted):
    text = "id,birth_date,zip,number,score\n1,1980-01-01,10115,5,1.5\n2,1981-02-03,10117,6,2.5\n3,1982-02-03,10118,7,3.5\n"
    table = drafted(people__csv=text).tables["people"]
    assert (table.time, table.sums, table.averages) == (None, [], ["score"])


def test_a_file_without_days_makes_no_metric_and_says_so(drafted):
    draft = drafted(customers__csv="id,name\n1,ada\n2,ben\n")
    assert (draft.all_metrics, draft.north_star) == ([], [])
    assert "no date column" in said(draft, "customers").why


def test_a_column_points_at_the_key_of_another_file(drafted):
    draft = drafted(
        orders__csv="order_id,customer_id,day\n1,7,2026-01-01\n2,8,2026-01-02\n",
        customers__csv="id,name\n7,ada\n8,ben\n",
    )
    assert [(r.source, r.column, r.target, r.key) for r in draft.references] == [
        ("orders", "customer_id", "customers", "id")
    ]


def test_a_reference_with_lost_values_is_told_and_not_declared(drafted):
    draft = drafted(
        orders__csv="order_id,customer_id,day\n1,7,2026-01-01\n2,9,2026-01-02\n",
        customers__csv="customer_id,name\n7,ada\n8,ben\n",
    )
    assert draft.references == []
    assert "1 of 2 values are not found" in said(draft, "orders.customer_id").why


# --- what can be counted ---------------------------------------------------------------------------------------------


def test_metrics_count_add_up_and_know_new_people(drafted):
    measures = {m.id: m.definition.get("measure") for m in drafted(orders__csv=ORDERS).all_metrics}
    assert measures == {
        "amount_eur": {"source": "orders", "agg": "sum", "expr": "amount_eur"},
        "orders": {"source": "orders", "agg": "count"},
        "active_customers": {"source": "orders", "agg": "count_distinct", "expr": "customer"},
        "new_customers": {"source": "orders", "agg": "first_seen", "expr": "customer"},
    }


def test_rows_with_an_end_are_counted_when_they_end_and_while_they_are_open(drafted):
    text = "id,created,closed\n1,2026-01-01,2026-01-03\n2,2026-01-02,\n3,2026-01-02,2026-01-05\n"
    measures = {m.id: m.definition["measure"] for m in drafted(issues__csv=text).all_metrics}
    assert measures["issues_closed"] == {"source": "issues", "agg": "count", "time": "closed"}
    assert measures["issues_open"]["open"] == {"from": "created", "to": "closed"}


MEMBERS = "member_id,plan,{fee},{joined},{left}\n" + "".join(
    f"{n},Flex,{n % 3 + 1}9,2026-01-{n:02},{'2026-03-01' if n % 4 == 0 else ''}\n"
    for n in range(1, 29)
)


@pytest.mark.parametrize(
    ("fee", "joined", "left"),
    [("monthly_fee", "joined", "left"), ("Monthly charge", "signup_date", "Left on"),
     ("price_per_month", "start_date", "Austritt"), ("Monthly dues", "Joined", "exit_date")],
)  # fmt: skip
def test_members_with_a_monthly_fee_and_a_day_on_which_they_left_are_recurring_revenue(
    drafted, fee, joined, left
):
    made = drafted(members__csv=MEMBERS.format(fee=fee, joined=joined, left=left))
    measures = {m.id: m.definition["measure"] for m in made.all_metrics}
    span = {"from": joined, "to": left}
    assert (measures["mrr"]["agg"], measures["mrr"]["open"]) == ("sum", span)
    assert (measures["members_active"]["agg"], measures["members_active"]["open"]) == (
        "count",
        span,
    )


def test_a_fee_that_is_no_monthly_one_is_no_recurring_revenue(drafted):
    text = MEMBERS.format(fee="fee", joined="joined", left="left")
    assert "mrr" not in {m.id for m in drafted(members__csv=text).all_metrics}


@pytest.mark.parametrize(
    ("many", "one"), [("buchungen", "Buchungs-Nr"), ("rechnungen", "Rechnungsnummer"),
                      ("kunden", "Kunden-Nr"), ("orders", "order_id"), ("boxes", "box_id")]
)  # fmt: skip
def test_rows_are_called_as_their_file_where_its_name_is_the_plural_of_their_key(many, one):
    assert names.noun_of(f"{many}_2026", [one]) == many


def test_a_part_that_never_exceeds_its_whole_is_a_share(drafted):
    rows = "".join(f"2026-01-{d:02},{d * 10},{d * 2},{d}\n" for d in range(1, 9))
    proposed = [
        m.definition for m in drafted(visits__csv="day,visits,late,other\n" + rows).all_metrics
    ]
    shares = [(d["numerator"], d["denominator"]) for d in proposed if d["type"] == "ratio"]
    assert shares == [("late", "visits"), ("other", "visits")]


def test_a_long_table_of_indicators_makes_one_metric_an_id(drafted, tmp_path):
    rows = "".join(f"{i},2026-0{m}-01,{m},5\n" for i in ("a", "b", "c") for m in (1, 2, 3))
    draft = drafted(kpis__csv="indicator,month,value,target\n" + rows)
    assert draft.all_metrics == []
    assert draft.indicators[0].definition == {
        "source": "kpis", "id": "indicator", "prefix": "kpis_", "expr": "value", "agg": "sum", "target": "target",
    }  # fmt: skip


def test_rows_that_come_seldom_are_looked_at_by_the_month(drafted):
    assert drafted(orders__csv=SELDOM).grain == "month"
    daily = "id,day\n" + "".join(f"{d},2026-01-{d:02}\n" for d in range(1, 29))
    assert drafted(daily__csv=daily).grain == "week"


# --- the files that are made of it -----------------------------------------------------------------------------------

NAMES = "id,day,first name,when: #1,order,404s,sum\n1,2026-01-01,a,1.5,3,7,2\n2,2026-01-02,a,2.5,4,8,3\n3,2026-01-03,b,3.5,5,9,4\n"


@pytest.mark.parametrize(
    "text", [ORDERS, NAMES, "day,v\n2026-01-01,1\n2026-01-02,2\n2026-01-03,3\n"]
)
def test_the_files_load_and_their_check_has_no_fault(drafted, tmp_path, text):
    draft = drafted(orders__csv=text)
    params = tmp_path / "new" / "params"
    for name, written in profile.write(draft, tmp_path / "new").items():
        (params / name).parent.mkdir(parents=True, exist_ok=True)
        (params / name).write_text(written)
    with sources.open(definitions.load(params), tmp_path, dt.date(2026, 12, 31)) as catalog:
        assert catalog.check() == []


def test_every_guess_that_is_written_stands_beside_its_reason_and_the_rest_is_asked_for(
    drafted, tmp_path
):
    draft = drafted(orders__csv=ORDERS)
    text = "".join(profile.write(draft, tmp_path / "new").values())
    for guess in draft.guesses:
        assert guess.why in text, guess
    for asked in (
        "its name",
        "America/New_York",
        "the system",
        "who owns it",
        "better: up",
        "targets:",
        "a colour holds",
    ):
        assert asked in text


def test_a_currency_in_a_columns_name_is_taken_and_said(drafted, tmp_path):
    company = profile.write(drafted(orders__csv=ORDERS), tmp_path / "new")["company.yaml"]
    assert yaml.safe_load(company)["currency"] == "EUR"
    assert "guessed: a column's name says EUR" in company


def test_files_beside_the_workbench_are_named_from_it_and_others_by_their_place(drafted, tmp_path):
    draft = drafted(orders__csv=ORDERS)
    assert yaml.safe_load(profile.write(draft, tmp_path / "new")["company.yaml"])["data"] == ".."
    assert (
        yaml.safe_load(profile.write(draft, tmp_path / "a/b/c")["company.yaml"])["data"]
        == tmp_path.as_posix()
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [("order.csv", "did you mean 'orders.csv'"), ("notes.pdf", "notes.pdf cannot be profiled")],
)
def test_a_file_that_cannot_be_profiled_is_named(tmp_path, name, words):
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "notes.pdf").write_text("x")
    with pytest.raises(UsageError, match=words):
        profile.draft([tmp_path / name])


def test_a_folder_stands_for_the_files_in_it(tmp_path):
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "notes.pdf").write_text("x")
    assert list(profile.draft([tmp_path]).sources) == ["orders"]


# --- the command and the notebook ------------------------------------------------------------------------------------


def test_a_column_that_stands_twice_in_the_header_makes_no_metric_and_its_file_passes_check(
    tmp_path, capsys
):
    (tmp_path / "sales.csv").write_text(
        "day,amount,Amount,n\n" + "".join(f"2026-03-0{d},{d},{d},{d}\n" for d in range(1, 9))
    )
    assert cli.main(["init", str(tmp_path / "w"), "--from", str(tmp_path / "sales.csv")]) == 0
    assert "left open: sales.Amount (appears twice in the header" in capsys.readouterr().out
    assert cli.main(["check", "-w", str(tmp_path / "w")]) == 0


def test_a_fault_that_shows_only_in_use_marks_the_file_and_is_told(drafted):
    found = drafted(old__csv="day,n\n" + "".join(f"1890-01-{d:02},{d}\n" for d in range(1, 20)))
    assert found.sources["old"]["on_fault"] == "mark"
    assert "lies before 1900-01-01" in found.faults["old"][0].rule
    assert found.all_metrics == []


def test_columns_of_which_nothing_is_made_are_listed_with_what_they_hold(drafted, tmp_path):
    found = drafted(
        us__csv="Day,Total,Note\n" + "".join(f'2026-03-0{d},"$1,00{d}.00",\n' for d in range(1, 9))
    )
    why = said(found, "us: other columns").why
    assert why == "not used: Note (empty)"
    assert f"# {why}" in profile.write(found, tmp_path)["company.yaml"]


def test_columns_that_are_periods_are_asked_for_as_rows(drafted):
    found = drafted(wide__csv="region,2026-01,2026-02,2026-03\nN,1,2,3\nS,4,5,6\n")
    assert "the columns 2026-01 to 2026-03 are periods" in said(found, "wide").why


def test_the_sign_of_a_currency_in_a_columns_name_is_taken(drafted, tmp_path):
    found = drafted(
        shop__csv="Datum,Umsatz (€)\n" + "".join(f"2026-03-0{d},{d}.5\n" for d in range(1, 9))
    )
    assert found.north_star == ["umsatz_eur"]
    assert "currency: EUR" in profile.write(found, tmp_path)["company.yaml"]


@pytest.fixture
def made(tmp_path, capsys):
    (tmp_path / "orders.csv").write_text(ORDERS)
    assert (
        cli.main(["init", str(tmp_path / "new"), "--from", str(tmp_path / "orders.csv"), "--json"])
        == 0
    )
    return tmp_path / "new", json.loads(capsys.readouterr().out)


def test_init_from_files_makes_a_workbench_whose_check_passes(made, capsys):
    folder, told = made
    assert (told["last"], told["faults"], len(told["asked"]) > 0) == ("2026-11-05", [], True)
    assert cli.main(["-w", str(folder), "check"]) == 0
    assert "ok: 4 metrics, 1 source" in capsys.readouterr().out


def test_init_prints_every_guess_with_its_reason_and_what_it_asks(tmp_path, capsys):
    (tmp_path / "orders.csv").write_text(ORDERS)
    assert cli.main(["init", str(tmp_path / "new"), "--from", str(tmp_path / "orders.csv")]) == 0
    out, err = capsys.readouterr()
    assert "guessed orders.key = order_id (4 rows, 4 different values)" in out
    assert "ask: a target" in out
    assert "refresh --as-of 2026-11-05" in err


def test_the_notebooks_start_at_the_grain_of_the_rows(tmp_path):
    (tmp_path / "orders.csv").write_text(SELDOM)
    assert cli.main(["init", str(tmp_path / "new"), "--from", str(tmp_path / "orders.csv")]) == 0
    assert (
        'grain: str = \\"month\\"'
        in (tmp_path / "new" / "notebooks" / "10_north_star.ipynb").read_text()
    )


def test_the_notebook_shows_the_figures_behind_every_guess(made):
    seen = profile.look(workbench.open(made[0]), "2026-11-30")
    assert seen.files.loc[0, ["source", "rows", "key", "time"]].tolist() == [
        "orders",
        4,
        "order_id",
        "ordered_on",
    ]
    guessed = seen.guesses.set_index("about")
    assert guessed.loc["orders.key", ["guess", "declared"]].tolist() == ["order_id", "order_id"]
    assert guessed.loc["metric new_customers", "declared"] == "yes"
    row = seen.columns.set_index("column").loc["amount_eur"]
    assert (row["values"], row["different"], row["smallest"], row["taken for"]) == (
        4,
        4,
        "60.0",
        "sum",
    )


def test_a_source_that_cannot_be_looked_through_is_a_fault_of_the_look(made, tmp_path):
    (tmp_path / "orders.csv").unlink()
    assert "orders.csv" in profile.look(workbench.open(made[0]), "2026-11-30").faults[0]


def test_new_people_who_hardly_ever_come_do_not_lead(tmp_path):
    days = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(200)]
    rows = [
        f"c{n},{day},{'ann' if n < 100 else 'ben' if n % 3 else 'cyd'}"
        for n, day in enumerate(days)
    ]
    (tmp_path / "commits.csv").write_text("\n".join(["id,day,author", *rows, ""]))
    found = profile.draft([tmp_path / "commits.csv"])
    assert found.north_star[0] == "commits"
    assert "new_authors" in [one.id for one in found.metrics["commits"]]


def test_a_label_keeps_a_currencys_capitals_and_a_version_takes_no_plural():
    assert names.title("net_amount_eur") == "Net amount EUR"
    assert names.title("first_invoices") == "First invoices"
    assert names.plural("export_final_v_2") == "export_final_v_2"


REAL = {"pyart_oss": 5, "oss_releases": 1, "chinook": 4, "nhs_ae": 1}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_files_make_a_workbench_whose_check_passes_and_whose_first_report_is_published(
    name, shared, tmp_path
):
    files = sorted(shared(name).glob("*.csv"))
    assert len(files) == REAL[name]
    run = [sys.executable, "-m", "dataops_nb"]
    first = subprocess.run(
        [*run, "init", tmp_path / "new", "--json", "--from", *files],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(first.stdout)
    subprocess.run([*run, "-w", tmp_path / "new", "check"], check=True)
    subprocess.run([*run, "-w", tmp_path / "new", "refresh", "--as-of", told["last"]], check=True)
    page = next((tmp_path / "new" / "out" / "north-star").glob("*/index.html")).read_text()
    assert 'data-light="unknown"' in page  # nobody has set a target yet


def test_files_of_one_name_in_two_folders_are_told_apart_by_their_folders(tmp_path):
    for folder in ("north", "south"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "orders.csv").write_text(ORDERS)
    found = profile.draft([tmp_path / "north" / "orders.csv", tmp_path / "south" / "orders.csv"])
    assert list(found.sources) == ["orders", "south_orders"]
