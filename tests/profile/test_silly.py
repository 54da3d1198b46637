"""What drafts of real files once said and no analyst would."""

from __future__ import annotations

from pathlib import Path

from dataops_nb.profile import Draft, draft


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
