"""What `check` tells of rows that break no rule, and what it does not."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataops_nb.sources import lookalikes
from dataops_nb.sources.oddities import list_oddities

DAY = dt.date(2026, 1, 1)
COUNT = "m: {type: simple, measure: {source: s, agg: count}}"


def tell(
    company: Any, text: str, metrics: str = COUNT, as_of: str = "2026-12-31", **keys: str
) -> list[str]:
    declared = {"system": "Shop", "path": "s.csv", "time": "day", **keys}
    source = ", ".join(f"{key}: {value}" for key, value in declared.items())
    with company(f"s: {{{source}}}", metrics, {"s.csv": text}, as_of=as_of) as catalog:
        assert catalog.check() == []
        return [str(notice) for notice in list_oddities(catalog)]


def days(offsets: list[int], first: dt.date = DAY) -> str:
    rows = [f"{first + dt.timedelta(offset)},{place}" for place, offset in enumerate(offsets)]
    return "\n".join(["day,v", *rows]) + "\n"


# --- days ----------------------------------------------------------------------------------------


def test_thousands_of_rows_are_told_with_a_comma(company: Any) -> None:
    (notice,) = tell(company, days([0, *range(400, 1_500)]))
    assert notice.startswith("source s: 1,100 of 1,101 rows of s lie after as-of")


def test_rows_after_as_of_are_told(company: Any) -> None:
    told = tell(company, days([0, 1, 2, 30, 31]), as_of="2026-01-10")
    assert told == [
        "source s: 2 of 5 rows of s lie after as-of 2026-01-10 (day), and are left out; "
        "exists_from: can say otherwise"
    ]


def test_a_day_decades_away_is_told(company: Any) -> None:
    text = days(list(range(40))) + "1970-01-01,7\n"
    (told,) = tell(company, text)
    assert told == (
        "source s: 1 row lies decades from all others (day): 1970-01-01, and the next is 2026-01-01;"
        " leave a day that is not known empty"
    )


def test_days_before_the_first_target_are_told_where_they_stand_alone(company: Any) -> None:
    metric = "m: {type: simple, measure: {source: s, agg: count}, targets: [{from: 2026-01-01, value: 1, per: day}]}"
    text = days(list(range(40))) + "2023-03-01,7\n"
    assert tell(company, text, metric) == [
        "source s: 1 row lies long before the first target of 2026-01-01 (day): 2023-03-01, and the"
        " next is 2026-01-01"
    ]


def test_a_sudden_gap_is_told(company: Any) -> None:
    text = days([*range(60), *range(100, 160)])
    assert tell(company, text) == [
        "source s: 40 days without any row between 2026-03-01 and 2026-04-11 (day); "
        "no other gap is longer than 0"
    ]


@pytest.mark.parametrize(
    "offsets",
    [
        [*range(60), *range(80, 140)],  # three weeks
        [day for day in range(200) if day % 7 < 5],  # weekends
        [0, 400, 900, 2000],  # seldom
        [0, *range(50, 150)],  # a start
        [*range(0, 900, 30)],  # once a month
    ],
)
def test_ordinary_days_are_not_told(company: Any, offsets: list[int]) -> None:
    assert tell(company, days(offsets), as_of="2032-01-01") == []


def test_rows_without_the_measures_own_time_are_told(company: Any) -> None:
    metrics = """
        shipped: {type: simple, measure: {source: s, agg: count, time: shipped, filter: "state = 'sent'"}}
    """
    rows = [f"2026-01-0{n},sent,2026-01-0{n}" for n in range(1, 9)]
    text = "\n".join(["day,state,shipped", *rows, "2026-01-09,sent,", "2026-01-09,new,"]) + "\n"
    assert tell(company, text, metrics) == [
        "source s: 1 of 9 rows that metric shipped counts have no time (shipped is empty), "
        "and are in no period"
    ]


def test_rows_to_which_it_has_not_happened_yet_are_not_told(company: Any) -> None:
    metrics = "shipped: {type: simple, measure: {source: s, agg: count, time: shipped}}"
    rows = [f"2026-01-0{n},{'2026-01-05' if n < 4 else ''}" for n in range(1, 9)]
    assert tell(company, "\n".join(["day,shipped", *rows]) + "\n", metrics) == []


def test_a_source_with_a_fault_hides_no_other(company: Any) -> None:
    declared = """
        s: {system: Shop, path: s.csv, time: day}
        t: {system: Shop, path: t.csv, time: day}
        q: {system: Shop, query: "select * from s", time: day}
    """
    files = {"s.csv": days(list(range(40))) + "1970-01-01,7\n", "t.csv": "day,v\nx,1\n"}
    metrics = """
        m: {type: simple, measure: {source: s, agg: count}}
        n: {type: simple, measure: {source: t, agg: count}}
        o: {type: simple, measure: {source: q, agg: count}}
    """
    with company(declared, metrics, files) as catalog:
        assert len(catalog.check()) == 1
        (told,) = list_oddities(catalog)  # what q passes on is told of s
    assert (told.source, told.count) == ("s", 1)


# --- numbers -------------------------------------------------------------------------------------


def join(
    company: Any, query: str, expr: str = "v", agg: str = "sum", payments: str = "1,4\n1,6\n2,5\n"
) -> list[str]:
    sources = f"""
        o: {{system: Shop, path: o.csv, time: day, key: id}}
        p: {{system: Bank, path: p.csv}}
        s: {{system: Both, query: "{query}", time: day}}
    """
    metric = f"m: {{type: simple, measure: {{source: s, agg: {agg}, expr: '{expr}'}}}}"
    files = {
        "o.csv": "id,day,v\n1,2026-01-01,10\n2,2026-01-02,5\n3,2026-01-03,\n",
        "p.csv": f"id,paid\n{payments}",
    }
    with company(dedent(sources), metric, files) as catalog:
        assert catalog.check() == []
        return [str(notice) for notice in list_oddities(catalog)]


@pytest.mark.parametrize(
    ("query", "expr"),
    [
        ("select o.day, o.v from o join p using (id)", "v"),
        ("select o.day, o.v as amount from o left join p on o.id = p.id", "2 * amount"),
        ("select * from o left join p using (id)", "v"),
        ("select day, v from o, p", "v"),
    ],
)
def test_amounts_that_a_join_repeats_are_told(company: Any, query: str, expr: str) -> None:
    (told,) = join(company, query, expr)
    assert "stand for 2 of o: the join repeats rows, and metric m adds them up again" in told


@pytest.mark.parametrize(
    ("query", "expr", "agg"),
    [
        ("select o.day, p.paid from o join p using (id)", "paid", "sum"),  # each payment once
        ("select o.day, o.v from o join p using (id)", "v", "max"),
        ("select o.day, sum(p.paid) as v from o join p using (id) group by 1", "v", "sum"),
        (
            "select o.day, any_value(o.v) as v from o join p using (id) group by o.day, o.id",
            "v",
            "sum",
        ),
        (
            "select day, v from o union all select o.day, p.paid from o join p using (id)",
            "v",
            "sum",
        ),
        ("select o.day, o.v from o where id in (select id from p)", "v", "sum"),
    ],
)
def test_joins_that_repeat_nothing_that_is_added_up_are_not_told(
    company: Any, query: str, expr: str, agg: str
) -> None:
    assert join(company, query, expr, agg) == []


@pytest.mark.long
@given(st.lists(st.integers(1, 4), max_size=6))
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_join_is_told_exactly_where_it_adds_more_than_there_is(
    company: Any, paid: list[int]
) -> None:
    payments = "".join(f"{id_},1\n" for id_ in paid) or "9,1\n"
    told = join(company, "select o.day, o.v from o join p using (id)", payments=payments)
    filled = [id_ for id_ in paid if id_ in (1, 2)]
    assert bool(told) == (len(filled) > 2)


@pytest.mark.parametrize("agg", ["average", "median", "max"])
def test_per_cents_that_are_no_shares_are_told(company: Any, agg: str) -> None:
    metric = f"m: {{type: simple, unit: percent, measure: {{source: s, agg: {agg}, expr: v}}}}"
    text = "day,v\n2026-01-01,45\n2026-01-02,55.5\n"
    assert tell(company, text, metric) == [
        "source s: 2 values of v reach 55.5, which metric m reads as 5550%; write expr: v / 100 if "
        "it is 55.5 %"
    ]


@pytest.mark.parametrize("values", ["0.45,0.555", "0,1", "1.2,1.5", "-45,55", "450,900"])
def test_shares_and_growth_are_not_told(company: Any, values: str) -> None:
    metric = "m: {type: simple, unit: percent, measure: {source: s, agg: average, expr: v}}"
    one, other = values.split(",")
    assert tell(company, f"day,v\n2026-01-01,{one}\n2026-01-02,{other}\n", metric) == []


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ("Nord", "nord", "'Nord' and 'nord'"),
        ("Nord", "Nord ", "'Nord' and 'Nord '"),
        ("New York", "New\u00a0York", "'New York' and 'New\u00a0York' (with U+00A0)"),
        ("Zürich", "Zu\u0308rich", "'Zürich' and 'Zu\u0308rich' (with U+0308)"),
        ("New York", "New  York", "'New York' and 'New  York'"),
        ("Nord", "No\u200brd", "'Nord' and 'No\u200brd' (with U+200B)"),
        ("Nord", "No\u00adrd", "'Nord' and 'No\u00adrd' (with U+00AD)"),
    ],
)
@pytest.mark.parametrize("place", ["by", "distinct"])
def test_lookalikes_are_told_with_both_spellings(
    company: Any, one: str, other: str, shown: str, place: str
) -> None:
    split = "m: {type: simple, measure: {source: s, agg: count}, by: [name]}"
    counted = "m: {type: simple, measure: {source: s, agg: count_distinct, expr: name}}"
    text = f"day,name\n2026-01-01,{one}\n2026-01-02,{one}\n2026-01-03,{other}\n2026-01-03,Süd\n"
    assert tell(company, text, split if place == "by" else counted) == [
        f"source s: 2 spellings in column name look alike and count apart: {shown}"
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nord", "nord "),
        ("New York", "New\u00a0York"),
        ("Zürich", "Zu\u0308rich"),
        ("Öl", "ÖL"),
        ("Nord", "N\u043erd"),
    ],
)
def test_a_database_tells_what_files_tell_of_lookalikes(
    company: Any, tmp_path: Path, one: str, other: str
) -> None:
    split = "m: {type: simple, measure: {source: s, agg: count}, by: [name]}"
    rows = [("2026-01-01", one), ("2026-01-02", one), ("2026-01-03", other), ("2026-01-03", "Süd")]
    lines = ["day,name", *(",".join(row) for row in rows)]
    of_files = tell(company, "\n".join(lines) + "\n", split)
    con = sqlite3.connect(tmp_path / "shop.db")
    con.execute("create table t (day text, name text)")
    con.executemany("insert into t values (?, ?)", rows)
    con.commit()
    con.close()
    source = "s: {system: Shop, url: 'sqlite:shop.db', table: t, time: day}"
    with company(source, split, {}) as catalog:
        assert [str(notice) for notice in list_oddities(catalog)] == of_files
    assert len(of_files) == 1


@pytest.mark.parametrize(
    ("latin", "other", "named"),
    [
        ("A", "\u0410", "U+0410"),
        ("Acme", "\u0410cme", "U+0410"),
        ("COM", "\u0421\u041e\u041c", "U+0421, U+041E, U+041C"),
        ("Iota", "\u0399ota", "U+0399"),
        ("North", "N\u03bfrth", "U+03BF"),
    ],
)
@pytest.mark.parametrize("place", ["by", "key"])
def test_letters_of_other_alphabets_are_told_with_their_numbers(
    company: Any, latin: str, other: str, named: str, place: str
) -> None:
    text = f"day,name\n2026-01-01,{latin}\n2026-01-02,{other}\n2026-01-03,Süd\n"
    split = "m: {type: simple, measure: {source: s, agg: count}, by: [name]}"
    told = tell(company, text, split) if place == "by" else tell(company, text, key="name")
    assert told == [
        "source s: 2 spellings in column name look alike and count apart: "
        f"'{latin}' and '{other}' (with {named})"
    ]


def test_names_in_other_alphabets_are_not_told(company: Any) -> None:
    names = [
        "Москва",
        "Мурманск",
        "Αθήνα",
        "東京",
        "북",
        "Moskva",
        "Athina",
        "O1",
        "01",
        "Il",
        "ll",
        "I1",
    ]
    text = "\n".join(["day,name", *(f"2026-01-01,{name}" for name in names)]) + "\n"
    split = "m: {type: simple, measure: {source: s, agg: count}, by: [name]}"
    assert tell(company, text, split) == []


def test_another_letter_case_in_another_alphabet_needs_no_numbers(company: Any) -> None:
    text = "day,name\n2026-01-01,Север\n2026-01-02,север\n"
    split = "m: {type: simple, measure: {source: s, agg: count}, by: [name]}"
    (told,) = tell(company, text, split)
    assert told.endswith("look alike and count apart: 'Север' and 'север'")


LATIN = "ABCEHIKMOPTXYacehijopsxy"


@given(st.text(LATIN, min_size=1, max_size=8), st.data())
@settings(max_examples=150, deadline=None)
def test_each_letter_may_be_another_alphabets(word: str, data: st.DataObject) -> None:
    others: dict[str, list[str]] = {}
    for other, letter in lookalikes.latin_twins().items():
        others.setdefault(letter, []).append(other)
    written = "".join(data.draw(st.sampled_from([letter, *others[letter]])) for letter in word)
    twins = lookalikes.latin_twins()
    assert lookalikes._form(written, twins) == lookalikes._form(word, twins)


def test_keys_that_look_alike_are_told(company: Any) -> None:
    text = "day,id\n2026-01-01,a1\n2026-01-02,A1\n2026-01-03,b2\n"
    assert tell(company, text, key="id") == [
        "source s: 2 spellings in column id look alike and count apart: 'A1' and 'a1'"
    ]


def test_other_names_are_not_told(company: Any) -> None:
    split = "m: {type: simple, measure: {source: s, agg: count}, by: [name]}"
    text = "day,name,note\n2026-01-01,Nord,x\n2026-01-02,Nord 2,X\n2026-01-03,Süd,x\n"
    assert tell(company, text, split) == []


REGIONS = "m: {type: simple, measure: {source: s, agg: sum, expr: v}, by: [region]}"


def test_a_member_that_is_the_sum_of_the_others_is_told(company: Any) -> None:
    rows = []
    for n in range(1, 6):
        rows += [
            f"2026-01-0{n},North,{n}.5",
            f"2026-01-0{n},South,{2 * n}",
            f"2026-01-0{n},All regions,{3 * n}.5",
        ]
    text = "\n".join(["day,region,v", *rows]) + "\n"
    assert tell(company, text, REGIONS) == [
        "source s: 1 member of region is the sum of all others: 'All regions'; "
        "metric m counts everything twice"
    ]
    excluded = "{source: s, agg: sum, expr: v, exclude: \"region = 'All regions'\"}"
    metric = f"m: {{type: simple, measure: {excluded}, by: [region]}}"
    assert tell(company, text, metric) == []


@pytest.mark.parametrize(
    ("covers", "outside"),
    [
        ("{from: 2026-01-02}", 1),
        ("{to: 2026-01-03}", 2),
        ("{from: 2026-01-02, to: 2026-01-03}", 3),
        ("{from: 2026-01-01, to: 2026-01-09}", 0),
        ("{to: as_of}", 0),
    ],
)
def test_rows_outside_of_covers_are_told(company: Any, covers: str, outside: int) -> None:
    told = tell(company, days([0, 1, 2, 3, 4]), covers=covers)
    text = f"source s: {outside} of 5 rows of s lie outside covers: (day), and are left out"
    assert told == ([text] if outside else [])


def test_subtotals_in_the_middle_are_told(company: Any) -> None:
    text = (
        "day,region,v\n2026-01-01,North,1\n2026-01-02,South,2\n2026-01-02,Subtotal,3\n"
        "2026-01-03,North,4\n2026-01-04,South,7\n2026-01-04,Subtotal,11\n"
    )
    (told,) = tell(company, text, REGIONS)
    assert "1 member of region is the sum of all others: 'Subtotal'" in told


def test_totals_are_told_in_a_column_that_splits_nothing(company: Any) -> None:
    text = (
        "day,account,v\n2026-01-01,4000 Sales,1\n2026-01-02,4000 Sales,2\n"
        "2026-01-02,Total for 4000 Sales,3\n2026-01-03,6100 Rent,7\n2026-01-04,Total for 6100 Rent,7\n"
    )
    metric = "m: {type: simple, measure: {source: s, agg: sum, expr: v}}"
    assert tell(company, text, metric) == [
        "source s: 2 members of account together are the sum of all others: 'Total for 4000 Sales'"
        " and 'Total for 6100 Rent'; metric m counts everything twice"
    ]


def test_what_is_only_called_a_total_is_not_told(company: Any) -> None:
    text = "day,shop,v\n2026-01-01,Total Energies,5\n2026-01-02,North,2\n2026-01-03,South,7\n"
    metric = "m: {type: simple, measure: {source: s, agg: sum, expr: v}}"
    assert tell(company, text, metric) == []


def test_a_member_as_large_as_the_others_by_chance_is_not_told(company: Any) -> None:
    text = (
        "day,region,v\n2026-01-01,North,1\n2026-01-01,South,2\n2026-01-01,East,3\n"
        "2026-01-02,North,2\n2026-01-02,South,2\n2026-01-02,East,3\n"
    )
    assert tell(company, text, REGIONS) == []


def test_rows_in_a_database_are_told_about_as_well(company: Any, tmp_path: Path) -> None:
    con = sqlite3.connect(tmp_path / "shop.db")
    con.execute("create table t (day text, region text, v real, shipped text)")
    for offset in range(40):
        day = str(DAY + dt.timedelta(offset))
        for region, value in (("North", 1 + offset), ("South", 2), ("All", 3 + offset)):
            con.execute("insert into t values (?, ?, ?, ?)", (day, region, value, day))
    con.execute("insert into t values ('1970-01-01', 'North', 0, null)")
    con.execute("insert into t values ('2027-02-01', 'North', 0, null)")
    con.commit()
    con.close()
    metrics = """
        m: {type: simple, measure: {source: s, agg: sum, expr: v}, by: [region]}
        n: {type: simple, measure: {source: s, agg: count, time: shipped}}
    """
    source = "s: {system: Shop, url: 'sqlite:shop.db', table: t, time: day}"
    with company(source, metrics, {}) as catalog:
        assert catalog.check() == []
        told = [notice.text.split(" (")[0] for notice in list_oddities(catalog)]
    assert told == [
        "of 122 rows of s lie after as-of 2026-12-31",
        "row lies decades from all others",
        "member of region is the sum of all others: 'All'; metric m counts everything twice",
        "of 121 rows that metric n counts have no time",
    ]
