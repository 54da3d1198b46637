"""Files as PostgreSQL's own COPY, and psql, write them are drafted whole.

Last looked at with PostgreSQL 15.18.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dataops_nb import profile
from dataops_nb.profile.written import declare, open_sources
from tests.engines.servers import PASSWORD, Postgres

pytestmark = pytest.mark.engines

SEEN = 15
ROWS = 60
ROWS_OF_SHOP = f"""
    create table orders as select
        'o' || lpad(n::text, 4, '0') as order_id,
        date '2026-01-05' + n as ordered_on,
        timestamptz '2026-01-05 09:05:07+00' + n * interval '1 day' as created_at,
        (array['Köln', 'New York', 'a "b", c'])[1 + mod(n, 3)] as city,
        case when mod(n, 9) = 0 then null else (n / 4.0)::numeric(8, 2) end as discount,
        (1000.5 + mod(n * 37, 900))::numeric(12, 2) as amount
    from generate_series(0, {ROWS - 1}) as s(n)"""
PSQL = ["psql", "-X", "-d", "copied", "-c", "select * from orders order by order_id"]
WRITERS = {
    "csv.csv": "copy orders to stdout (format csv, header)",
    "quoted.csv": "copy orders to stdout (format csv, header, force_quote *, delimiter ';')",
    "nulls.csv": "copy orders to stdout (format csv, header, null 'NULL')",
    "text.txt": "copy orders to stdout (format text, header)",
    "western.csv": "copy orders to stdout (format csv, header, encoding 'latin1')",
    "psql.csv": [*PSQL, "--csv"],
    "unaligned.txt": [*PSQL, "-A"],
    "tabs.tsv": [*PSQL, "-A", "-F", "\t", "-P", "footer=off"],
}


@pytest.fixture(scope="module")
def shop(postgres: Postgres) -> Postgres:
    postgres.execute("postgres", "create database copied")
    postgres.execute("copied", ROWS_OF_SHOP)
    return postgres


def written(shop: Postgres, how: str | list[str]) -> bytes:
    words = ["psql", "-X", "-q", "-d", "copied", "-c", how] if isinstance(how, str) else how
    port = {"PGHOST": "127.0.0.1", "PGPORT": str(shop.port), "PGUSER": "owner"}
    secret = {"PGPASSWORD": PASSWORD, "PGTZ": "UTC", "PGCLIENTENCODING": "UTF8"}
    return subprocess.run(
        words, capture_output=True, check=True, env=os.environ | port | secret
    ).stdout


@pytest.mark.skipif(not shutil.which("psql"), reason="psql is not installed")
@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_postgres_wrote_is_drafted_whole(
    shop: Postgres, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(written(shop, WRITERS[name]))
    made = profile.draft([tmp_path / name])
    (table,) = made.tables.values()
    with open_sources(made.data) as catalog:
        declare(catalog, made.sources)
        days = "cast(min(created_at) as date), cast(max(created_at) as date), count(discount)"
        (row,) = catalog.ask(f"select sum(amount), {days} from {table.name}", table.name)
    assert not made.faults
    assert (table.rows, table.key, table.time) == (ROWS, ["order_id"], "ordered_on")
    total = sum(1000.5 + n * 37 % 900 for n in range(ROWS))
    assert row == (total, dt.date(2026, 1, 5), dt.date(2026, 3, 5), 53)


def test_the_server_is_the_one_that_was_looked_at(shop: Postgres) -> None:
    version = written(shop, ["psql", "-X", "-d", "copied", "-At", "-c", "show server_version"])
    assert int(version.split(b".")[0]) >= SEEN
