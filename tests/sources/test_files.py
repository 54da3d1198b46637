"""Which files a path means: each that it matches, by its own name, once; and none without a word."""

from __future__ import annotations

import datetime as dt
import glob
import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from dataops_nb import sources
from dataops_nb.sources import files as file_reading
from dataops_nb.sources.matches import expand
from tests.sources.test_delimited import define

AS_OF = dt.date(2026, 12, 31)


def write(path: Path, value: int) -> None:
    """Write a file of one row with the column v, in the format of its ending."""
    if path.suffix == ".csv":
        path.write_text(f"v\n{value}\n")
    elif path.suffix == ".json":
        path.write_text(json.dumps([{"v": value}]))
    elif path.suffix == ".parquet":
        plain = path.with_name("plain")
        with duckdb.connect() as con:
            con.execute(f"copy (select {value} as v) to '{plain}' (format parquet)")
        plain.rename(path)
    else:
        book = Workbook()
        book.active.append(["v"])
        book.active.append([value])
        book.save(path)


def values(data: Path, **source: Any) -> list[int]:
    with sources.open(define(source), data, AS_OF) as catalog:
        assert catalog.check() == []
        return sorted(catalog.fetch("select v from s")["v"])


def faults(data: Path, **source: Any) -> list[str]:
    with sources.open(define(source), data, AS_OF) as catalog:
        return [str(fault) for fault in catalog.check()]


# --- names that look like patterns ---------------------------------------------------------------


@pytest.mark.parametrize("ending", [".csv", ".json", ".parquet", ".xlsx"])
def test_a_matched_name_is_no_pattern(tmp_path: Path, ending: str) -> None:
    names = ["export1", "export[1]", "export?", "export{1,2}", "export[*]", "export[!a]"]
    for value, name in enumerate(names):
        write(tmp_path / f"{name}{ending}", value)
    assert values(tmp_path, path=f"export*{ending}") == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("ending", [".csv", ".json", ".parquet", ".xlsx"])
@pytest.mark.parametrize("name", ["export[1]", "export?", "export*"])
def test_a_literal_path_has_no_neighbours(tmp_path: Path, ending: str, name: str) -> None:
    write(tmp_path / f"{name}{ending}", 1)
    write(tmp_path / f"export1{ending}", 2)
    assert values(tmp_path, path=f"{name}{ending}") == [1]


@pytest.mark.parametrize("ending", [".csv", ".json", ".parquet"])
def test_the_name_of_the_data_folder_is_no_pattern(tmp_path: Path, ending: str) -> None:
    data, neighbour = tmp_path / "data[1]", tmp_path / "data1"
    for value, folder in enumerate([data, neighbour]):
        folder.mkdir()
        write(folder / f"a{ending}", value)
    assert values(data, path=f"*{ending}") == [0]
    assert values(data, path=f"{data}/*{ending}") == [0]


@pytest.mark.long
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.text("a1[]?*{},!^-' ", min_size=1, max_size=6), min_size=2, max_size=5))
def test_every_matched_file_is_read_once(tmp_path: Path, stems: set[str]) -> None:
    stems -= {"*"}  # then the path is the name of a file, and means that file
    data = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
    data.mkdir()
    for value, stem in enumerate(sorted(stems)):
        write(data / f"x{stem}.csv", value)
    assert values(data, path="x*.csv") == list(range(len(stems)))


@pytest.mark.parametrize("scheme", ["duckdb", "sqlite"])
def test_a_database_has_no_neighbours(tmp_path: Path, scheme: str) -> None:
    import sqlite3

    connect: Any = duckdb.connect if scheme == "duckdb" else sqlite3.connect
    for value, name in enumerate(["shop[1].db", "shop1.db"]):
        con = connect(str(tmp_path / name))
        con.execute("create table t (v integer)")
        con.execute(f"insert into t values ({value})")
        con.commit()
        con.close()
    assert values(tmp_path, url=f"{scheme}:shop[1].db", table="t") == [0]


# --- several ways to one file --------------------------------------------------------------------


def notices(data: Path, **source: Any) -> list[str]:
    with sources.open(define(source), data, AS_OF) as catalog:
        assert catalog.check() == []
        return [str(notice) for notice in catalog.notices("s")]


@pytest.mark.parametrize("kind", ["link", "absolute link", "hard link", "chain"])
@pytest.mark.parametrize("ending", [".csv", ".parquet", ".xlsx"])
def test_a_file_with_two_names_is_read_once_and_told(
    tmp_path: Path, kind: str, ending: str
) -> None:
    first, second, latest = (tmp_path / f"{stem}{ending}" for stem in ("x1", "x2", "a-latest"))
    write(first, 1)
    write(second, 2)
    if kind == "link":
        latest.symlink_to(second.name)
    elif kind == "absolute link":
        latest.symlink_to(second)
    elif kind == "chain":
        (tmp_path / "y").symlink_to(second.name)
        latest.symlink_to("y")
    else:
        os.link(second, latest)
    kept, other = (second, latest) if kind != "hard link" else (latest, second)
    assert values(tmp_path, path=f"*{ending}") == [1, 2]
    assert notices(tmp_path, path=f"*{ending}") == [
        f"source s: 1 file has two names, and is read once: '{kept.name}' is also '{other.name}'"
    ]


def test_a_link_is_read_where_what_it_leads_to_is_not_matched(tmp_path: Path) -> None:
    write(tmp_path / "kept.csv", 1)
    (tmp_path / "x.csv").symlink_to("kept.csv")
    assert values(tmp_path, path="x*.csv") == [1]
    assert values(tmp_path, path="x.csv") == [1]


def test_a_folder_that_leads_back_is_entered_once(tmp_path: Path) -> None:
    for place, name in enumerate(["a", "b", "c"]):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "x.csv", place)
        for other in range(8):  # each of which doubled the ways at every step down
            (tmp_path / name / f"up{other}").symlink_to("..")
    assert values(tmp_path, path="**/*.csv") == [0, 1, 2]
    assert notices(tmp_path, path="**/*.csv") == []


def test_a_linked_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kept").mkdir()
    write(tmp_path / "data" / "kept" / "x.csv", 1)
    (tmp_path / "data" / "x").symlink_to("kept")
    assert values(tmp_path / "data", path="x/**/*.csv") == [1]
    assert values(tmp_path / "data", path="**/*.csv") == [1]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.sampled_from(["a", "b", ".c", "a1", "[a]"]), min_size=1, max_size=4)),
    st.lists(
        st.sampled_from(["**", "*", "a", "a*", "?", ".c", "*1", "[ab]"]), min_size=1, max_size=4
    ),
)
def test_any_depth_matches_what_pythons_glob_matches(
    tmp_path: Path, files: list[list[str]], parts: list[str]
) -> None:
    home = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
    home.mkdir()
    for names in files:
        path = home.joinpath(*names[:-1], f"{names[-1]}.csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    pattern = "/".join(["**", *parts]) + ".csv"
    expected = {home / path for path in glob.glob(pattern, root_dir=home, recursive=True)}
    assert set(expand(pattern, home, is_literal=False)) == expected


# --- what is matched and cannot be read ----------------------------------------------------------


def dead_link(path: Path) -> None:
    path.symlink_to("archive/2026-11.csv")


def folder(path: Path) -> None:
    path.mkdir()


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (dead_link, "is a link to '2026-11.csv', which does not exist"),
        (folder, "is a folder, but the path matches it like a file"),
        (pipe, "is no regular file, but the path matches it"),
    ],
)
def test_what_a_glob_matches_is_read_or_a_fault(tmp_path: Path, make: Any, rule: str) -> None:
    write(tmp_path / "sales-2026-10.csv", 1)
    make(tmp_path / "sales-2026-11.csv")
    write(tmp_path / "sales-2026-12.csv", 3)
    (fault,) = faults(tmp_path, path="sales-*.csv")
    assert fault.startswith(f"sales-2026-11.csv: source s: {rule}")


def test_a_glob_over_folders_reads_the_files_in_them(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    write(tmp_path / "a.csv", 1)
    write(tmp_path / "deep" / "deeper" / "b.csv", 2)
    assert values(tmp_path, path="**/*.csv") == [1, 2]
    assert values(tmp_path, path="**") == [1, 2]


@pytest.mark.parametrize("make", [dead_link, folder, pipe])
def test_the_snapshot_of_the_day_is_read_or_a_fault(tmp_path: Path, make: Any) -> None:
    write(tmp_path / "crm-2026-11-20.csv", 1)
    make(tmp_path / "crm-2026-11-22.csv")
    (fault,) = faults(tmp_path, path="crm-{snapshot}.csv")
    assert fault.startswith("crm-2026-11-22.csv: source s: is ")


def test_an_older_snapshot_that_is_not_read_is_no_fault(tmp_path: Path) -> None:
    dead_link(tmp_path / "crm-2026-11-20.csv")
    write(tmp_path / "crm-2026-11-22.csv", 2)
    assert values(tmp_path, path="crm-{snapshot}.csv") == [2]


def test_a_name_that_is_no_utf8_is_a_fault(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", 1)
    (tmp_path / os.fsdecode(b"a\xff.csv")).write_text("v\n1\n")
    (fault,) = faults(tmp_path, path="*.csv")
    assert "has a name that is no UTF-8" in fault


def test_a_file_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    path = "umsatz.csv"
    assert faults(tmp_path, path=path) == [
        "umsatz.csv: source s: does not exist, and its folder has no file that could be meant"
    ]
    assert faults(tmp_path, path=f"crm/{path}") == [
        "crm/umsatz.csv: source s: does not exist, and neither does its folder"
    ]
    for name in ("deals", "meetings"):
        write(tmp_path / f"{name}.csv", 1)
    assert faults(tmp_path, path=path) == [
        "umsatz.csv: source s: does not exist; its folder has deals.csv, meetings.csv"
    ]


# --- months that are away ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "covers", "away"),
    [
        (["2026-10", "2026-12"], {"from": "2026-10-01"}, ["2026-11"]),
        (["2026-10", "2026-12"], {}, []),
        (["202610", "202612"], {"to": "as_of"}, ["2026-11"]),
        (["2026-11", "2026-12"], {"from": "2026-09-15"}, ["2026-09", "2026-10"]),
        (["2026-09", "2026-10"], {"from": "2026-09-01", "to": "2026-11-30"}, ["2026-11"]),
        (["2026-11", "2026-12"], {"from": "2026-11-01", "to": "2027-03-31"}, []),
        (["2026-10", "2026-11"], {"from": "2026-10-01", "to": "as_of"}, []),
        (
            [f"2026-{month}-{day:02}" for month in (10, 12) for day in range(1, 9)],
            {"from": "2026-10-05"},
            ["2026-11"],
        ),
        (["2026-08-31", "2026-09-30", "2026-11-30"], {"from": "2026-08-01"}, ["2026-10"]),
        (["20260801", "20260901", "20261101"], {"from": "2026-08-01"}, ["2026-10"]),
        (["2026-08-05", "2026-09-17", "2026-11-09"], {"from": "2026-08-01"}, []),
        (["2026-01", "2026-04", "2026-10"], {"from": "2026-01-01"}, ["2026-07"]),
        (["2025-12", "2026-02"], {"from": "2025-12-01"}, ["2026-01"]),
        (["2026-01", "2026-04"], {"from": "2026-01-01"}, []),
        (["north", "south"], {"from": "2026-01-01"}, []),
    ],
)
def test_a_month_whose_file_is_away_is_a_fault(
    tmp_path: Path, names: list[str], covers: dict[str, str], away: list[str]
) -> None:
    for value, name in enumerate(names):
        write(tmp_path / f"sales-{name}.csv", value)
    days = {
        key: day if day == "as_of" else dt.date.fromisoformat(day) for key, day in covers.items()
    }
    expected = [
        f"sales-*.csv: source s: no file is named by {month}, a month that covers: speaks about"
        for month in away
    ]
    assert faults(tmp_path, path="sales-*.csv", covers=days) == expected


def test_a_link_that_is_dead_is_one_fault_and_its_month_is_not_away_as_well(tmp_path: Path) -> None:
    write(tmp_path / "sales-2026-10.csv", 1)
    dead_link(tmp_path / "sales-2026-11.csv")
    write(tmp_path / "sales-2026-12.csv", 3)
    covers = {"from": dt.date(2026, 10, 1)}
    (fault,) = faults(tmp_path, path="sales-*.csv", covers=covers)
    assert "is a link to" in fault


def test_bytes_that_do_not_fit_an_encoding_get_another_one_suggested(tmp_path):
    (tmp_path / "orders.csv").write_bytes(b"id,amount\n1,\x81\n")
    with pytest.raises(file_reading.WrongBytes, match="for instance utf-8 or cp932"):
        file_reading.decode_text(tmp_path / "orders.csv", "cp1252")
