"""What the numbers will look like over time is told before they are read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import yaml

from dataops_nb.profile import Draft, draft, write

START = dt.date(2025, 1, 1)


def days(first: dt.date, count: int, step: int = 1) -> list[dt.date]:
    return [first + dt.timedelta(days=number * step) for number in range(count)]


def orders(folder: Path, ordered: Iterable[dt.date], name: str = "orders.csv") -> Path:
    rows = [f"o{number:04},{day},10.5\n" for number, day in enumerate(ordered)]
    path = folder / name
    path.write_text("order_id,ordered_on,amount\n" + "".join(rows))
    return path


def told(made: Draft, source: str) -> str:
    return " | ".join(remark.text for remark in made.remarks[source])


def test_a_gap_is_told_and_becomes_an_event(tmp_path: Path) -> None:
    ordered = [*days(START, 100), *days(dt.date(2025, 6, 1), 100)]
    made = draft([orders(tmp_path, ordered)])
    assert "a gap: no rows from 2025-04-11 to 2025-05-31 (51 days)" in told(made, "orders")
    (event,) = yaml.safe_load(write(made, tmp_path / "w")["events.yaml"])
    assert (event["date"], event["kind"]) == (dt.date(2025, 4, 11), "data")
    assert "amount" in event["metrics"]


def test_days_that_come_regularly_are_no_gap(tmp_path: Path) -> None:
    made = draft([orders(tmp_path, days(START, 60, step=7))])
    assert told(made, "orders") == ""
    assert "events.yaml" not in write(made, tmp_path / "w")


def test_one_far_day_is_told_and_is_no_gap(tmp_path: Path) -> None:
    ordered = [dt.date(1970, 1, 1), *days(START, 200), dt.date(2031, 1, 1)]
    made = draft([orders(tmp_path, ordered)])
    text = told(made, "orders")
    assert "2 of 202 rows are far from all others in ordered_on: 1970-01-01, 2031-01-01" in text
    assert "a gap" not in text


def test_a_series_that_stops_before_others_is_told(tmp_path: Path) -> None:
    first = orders(tmp_path, days(START, 100), "orders.csv")
    second = orders(tmp_path, days(START, 300), "visits.csv")
    made = draft([first, second])
    assert "its rows stop on 2025-04-10, 200 days before those of other files" in told(
        made, "orders"
    )
    assert told(made, "visits") == ""


def buyers(folder: Path, ids: Iterable[int]) -> Path:
    rows = [
        f"o{number:04},{day},c{who:03},10.5\n"
        for number, (day, who) in enumerate(zip(days(START, 400), ids, strict=False))
    ]
    path = folder / "orders.csv"
    path.write_text("order_id,ordered_on,customer_id,amount\n" + "".join(rows))
    return path


def test_only_the_first_months_have_new_people(tmp_path: Path) -> None:
    made = draft([buyers(tmp_path, (number % 60 for number in range(400)))])
    assert "60 of 60 different customer_id come first in the first 3 months" in told(made, "orders")


def test_new_people_in_every_month_are_not_told(tmp_path: Path) -> None:
    made = draft([buyers(tmp_path, (number // 2 for number in range(400)))])
    assert told(made, "orders") == ""


def tickets(folder: Path, wait: int) -> Path:
    rows = []
    for number, day in enumerate(days(START, 300)):
        closed = day + dt.timedelta(days=wait)
        rows.append(f"t{number:04},{day},{closed if number < 280 else ''}\n")
    path = folder / "tickets.csv"
    path.write_text("ticket_id,created_on,closed_on\n" + "".join(rows))
    return path


def test_a_backlog_that_begins_with_the_file_is_told(tmp_path: Path) -> None:
    made = draft([tickets(tmp_path, wait=40)])
    text = told(made, "tickets")
    assert "nine of ten are closed within 40 days" in text
    assert "tickets_open starts at 0 and is whole from about 2025-02-10 on" in text


def test_what_is_closed_at_once_has_no_such_backlog(tmp_path: Path) -> None:
    assert told(draft([tickets(tmp_path, wait=1)]), "tickets") == ""


def customers(folder: Path, left: str) -> Path:
    rows = [f"c{number:04},{day},{left}\n" for number, day in enumerate(days(START, 300))]
    path = folder / "customers.csv"
    path.write_text("customer_id,created_on,churned_on\n" + "".join(rows))
    return path


def test_a_rise_of_those_who_stayed_is_told(tmp_path: Path) -> None:
    assert "no column says who left" in told(draft([customers(tmp_path, "")]), "customers")


def test_where_it_is_known_who_left_nothing_is_told(tmp_path: Path) -> None:
    made = draft([customers(tmp_path, "2026-01-01")])
    assert "no column says who left" not in told(made, "customers")


def test_who_is_new_is_told_of_moments_with_an_offset(tmp_path: Path) -> None:
    rows = []
    for number, day in enumerate(days(START, 300)):
        rows.append(f"o{number:04},{day}T10:00:00Z,c{number % 60},10.5\n")
    path = tmp_path / "orders.csv"
    path.write_text("order_id,created_at,customer_id,amount\n" + "".join(rows))
    assert "come first in the first 3 months" in told(draft([path]), "orders")
