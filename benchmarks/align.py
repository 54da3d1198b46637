"""Raw events to weekly and monthly metrics: ours against straightforward DuckDB SQL and against pandas, as ratios in one run.

    python benchmarks/align.py [--rows 1000000 10000000] [--folder DIR] [--pandas-up-to 10000000]

One parquet file of events, stamped in UTC; a company in New York with four departments; counts, a sum, exact distinct counts,
a ratio, and revenue of the trailing twelve months, each by week and by month. Every way runs in a process of its own and
writes what it found; what differs from ours by more than 1e-9 stops the run. Wall time is of the work, without imports; peak
memory is the process's (VmHWM), imports included.

- ours: the package's definitions and alignment, contract checks included: every column that is used is there and has its
  type, no account is empty (`required`), no amount is below 0 (`min`) or infinite, rows without a time are counted, the days
  that the file covers are found, rows after as-of are left out. First without memory, then twice with kept aggregates.
- duckdb: one query a metric and grain, as an analyst writes it.
- pandas: the columns that are needed, read once; a groupby a metric and grain.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ZONE = "America/New_York"
AS_OF = dt.date(2026, 12, 31)
FIRST = dt.date(2024, 1, 1)
KINDS = {"sdr": "meeting", "sales": "deal", "service": "ticket", "product": "login"}
ACCOUNTS = 2_000_000
COMPANY = f"""
company: Events
timezone: {ZONE}
sources:
  events:
    {{path: events.parquet, system: log, time: happened, timezone: UTC, covers: {{from: {FIRST}, to: as_of}},
     columns: {{account_id: {{required: true}}, amount: {{type: decimal, min: 0}}}}}}
"""


def write_events(path: Path, rows: int) -> None:
    """Three years of events, evenly spread; some accounts are busier than others. A file that is there is used again."""
    import duckdb  # noqa: PLC0415  each way pays for its own imports only

    if path.exists():
        return
    span = 3 * 365 * 86_400_000_000
    kinds = ", ".join(f"'{kind}'" for kind in KINDS.values())
    query = f"""
        select timestamp '{FIRST} 06:00:00' + to_microseconds(cast(i * ({span} / {rows}) as bigint)) as happened,
               ([{kinds}])[1 + cast(floor(random() * 4) as int)] as kind,
               cast(floor(pow(random(), 1.5) * {ACCOUNTS}) as bigint) as account_id,
               round(random() * 1000, 2) as amount
        from range({rows}) t(i)"""
    with duckdb.connect() as con:
        con.execute(f"select setseed(0.5); copy ({query}) to '{path}.part' (format parquet)")
    Path(f"{path}.part").rename(path)


def write_workbench(folder: Path) -> None:
    """Definitions of four departments over the events."""
    (folder / "params" / "departments").mkdir(parents=True, exist_ok=True)
    (folder / "params" / "company.yaml").write_text(COMPANY)
    for name, kind in KINDS.items():
        own = f"filter: \"kind = '{kind}'\""
        metrics = [
            f"{name}_count: {{type: simple, measure: {{agg: count, {own}}}}}",
            f"{name}_accounts: {{type: simple, measure: {{agg: count_distinct, expr: account_id, {own}}}}}",
        ]
        if name == "sales":
            metrics += [
                f"revenue: {{type: simple, measure: {{agg: sum, expr: amount, {own}}}}}",
                "revenue_ttm: {type: cumulative, metric: revenue, window: 12 months}",
                "deals_a_meeting: {type: ratio, numerator: sales_count, denominator: sdr_count}",
            ]
        body = "".join(f"  {line}\n" for line in metrics)
        text = f"department: {name}\ndefaults: {{source: events, grains: [week, month]}}\nmetrics:\n{body}"
        (folder / "params" / "departments" / f"{name}.yaml").write_text(text)


def run_ours(folder: Path, keep: Path | None) -> Callable[[], dict[str, dict[str, float]]]:
    """The package: definitions read, the file checked, two metric tables."""
    from dataops_nb import alignment, definitions, sources  # noqa: PLC0415  not imported by the others' processes

    open_sources = sources.open  # found when asked for: its imports are no part of the work

    def run() -> dict[str, dict[str, float]]:
        known = definitions.load(folder / "params")
        found = {}
        with open_sources(known, folder, AS_OF, keep=keep) as catalog:
            for grain in ("week", "month"):
                table = alignment.align(catalog, list(catalog.company.metrics), grain=grain)
                for metric, start, value in zip(
                    table["metric"], table["period_start"], table["value"], strict=True
                ):
                    found.setdefault(f"{metric} {grain}", {})[str(start.date())] = value
        return found

    return run


def run_duckdb(folder: Path) -> Callable[[], dict[str, dict[str, float]]]:
    """One query a metric and grain."""
    import duckdb  # noqa: PLC0415  see write_events

    local = f"happened at time zone 'UTC' at time zone '{ZONE}'"
    file = f"'{folder / 'events.parquet'}'"

    def plain(value: str, grain: str, where: str = "true") -> str:
        return f"select cast(date_trunc('{grain}', {local}) as date), {value} from {file} where {where} group by 1"

    def trailing(value: str, grain: str, where: str) -> str:
        return f"""
            with days as (select cast({local} as date) as d, {value} as v from {file} where {where} group by 1),
            ends as (select distinct date_trunc('{grain}', d) as s, s + interval 1 {grain} as e from days)
            select cast(s as date), sum(v) from ends join days on d >= e - interval 12 month and d < e group by 1"""

    def run() -> dict[str, dict[str, float]]:
        con, found = duckdb.connect(), {}
        for grain in ("week", "month"):
            asked = {
                "deals_a_meeting": plain(
                    "count(*) filter (kind = 'deal') / count(*) filter (kind = 'meeting')", grain
                )
            }
            for name, kind in KINDS.items():
                asked[f"{name}_count"] = plain("count(*)", grain, f"kind = '{kind}'")
                asked[f"{name}_accounts"] = plain(
                    "count(distinct account_id)", grain, f"kind = '{kind}'"
                )
            asked["revenue"] = plain("sum(amount)", grain, "kind = 'deal'")
            asked["revenue_ttm"] = trailing("sum(amount)", grain, "kind = 'deal'")
            for metric, query in asked.items():
                found[f"{metric} {grain}"] = {
                    str(start): value for start, value in con.execute(query).fetchall()
                }
        return found

    return run


def run_pandas(folder: Path) -> Callable[[], dict[str, dict[str, float]]]:
    """All rows in memory, a groupby a metric and grain."""
    import pandas as pd  # noqa: PLC0415  see write_events

    def run() -> dict[str, dict[str, float]]:
        frame = pd.read_parquet(folder / "events.parquet")
        local = frame["happened"].dt.tz_localize("UTC").dt.tz_convert(ZONE).dt.tz_localize(None)
        frame["day"] = local.dt.normalize()
        frame["week"] = frame["day"] - pd.to_timedelta(frame["day"].dt.day_of_week, unit="D")
        frame["month"] = frame["day"] - pd.to_timedelta(frame["day"].dt.day - 1, unit="D")
        found: dict[str, dict[str, float]] = {}
        for grain in ("week", "month"):
            for name, kind in KINDS.items():
                own = frame[frame["kind"] == kind].groupby(grain)
                found[f"{name}_count {grain}"] = _plain(own.size())
                found[f"{name}_accounts {grain}"] = _plain(own["account_id"].nunique())
            deals = frame[frame["kind"] == "deal"]
            found[f"revenue {grain}"] = _plain(deals.groupby(grain)["amount"].sum())
            days = deals.groupby("day")["amount"].sum().sort_index()
            step = pd.DateOffset(weeks=1) if grain == "week" else pd.DateOffset(months=1)
            ends = {start: start + step for start in sorted(frame[grain].unique())}
            found[f"revenue_ttm {grain}"] = {
                str(start.date()): days[
                    (days.index >= end - pd.DateOffset(months=12)) & (days.index < end)
                ].sum()
                for start, end in ends.items()
            }
            counts = found[f"sales_count {grain}"], found[f"sdr_count {grain}"]
            found[f"deals_a_meeting {grain}"] = {
                start: counts[0][start] / counts[1][start] for start in counts[0]
            }
        return found

    return run


def _plain(series) -> dict[str, float]:
    return {str(start.date()): float(value) for start, value in series.items()}


def work(way: str, folder: Path, out: Path) -> None:
    """In a process of its own: do it, and write what was found, the seconds, and the peak memory in MiB."""
    ways = {
        "duckdb": lambda: run_duckdb(folder),
        "pandas": lambda: run_pandas(folder),
        "ours": lambda: run_ours(folder, None),
        "ours, keeping": lambda: run_ours(folder, folder / "cache"),
        "ours, unchanged": lambda: run_ours(folder, folder / "cache"),
    }
    run = ways[way]()
    start, used = time.perf_counter(), time.process_time()
    found = run()
    spent, cpu = time.perf_counter() - start, time.process_time() - used
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    out.write_text(json.dumps({"found": found, "seconds": spent, "cpu": cpu, "peak": peak}))


def measure(way: str, folder: Path) -> dict:
    """Run one way in a process of its own."""
    with tempfile.NamedTemporaryFile() as out:
        command = [
            sys.executable,
            __file__,
            "--way",
            way,
            "--folder",
            str(folder),
            "--out",
            out.name,
        ]
        subprocess.run(command, check=True)
        return json.loads(Path(out.name).read_text())


def differ(ours: dict, theirs: dict) -> list[str]:
    """Where two ways disagree; a period without rows may be left out or 0."""
    wrong = []
    for name, values in ours.items():
        for start in {*values, *theirs[name]}:
            a, b = values.get(start) or 0.0, theirs[name].get(start) or 0.0
            if name.startswith("revenue_ttm") and start not in theirs[name]:
                continue  # a window with no row in its own period, which the other ways do not list
            if abs(a - b) > 1e-9 * max(abs(a), abs(b), 1):
                wrong.append(f"{name} {start}: {a} and {b}")
    return wrong


def compare(folder: Path, rows: int, ways: list[str]) -> None:
    """Measure the ways on a file of so many rows, and print ratios to DuckDB's wall and peak."""
    write_events(folder / "events.parquet", rows)
    write_workbench(folder)
    (folder / "cache" / "aggregates.sqlite").unlink(missing_ok=True)
    results = {way: measure(way, folder) for way in ways}
    base = results["duckdb"]
    print(f"{rows:,} rows")
    for way, result in results.items():
        wrong = differ(results["ours"]["found"], result["found"])
        ratio = f"{result['seconds'] / base['seconds']:6.3f} x wall {result['peak'] / base['peak']:6.2f} x peak"
        print(
            f"  {way:16}{result['seconds']:8.2f} s {result['cpu']:8.2f} s cpu {result['peak']:7.0f} MiB  {ratio}",
            flush=True,
        )
        if wrong:
            sys.exit(f"{way} differs: {'; '.join(wrong[:5])}")


def main() -> None:
    """Compare at each size; with --way, be one of the processes compared."""
    asked = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    asked.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    asked.add_argument("--folder", type=Path, help="where the files are made, and found again")
    asked.add_argument("--pandas-up-to", type=int, default=10_000_000)
    asked.add_argument("--way", help=argparse.SUPPRESS)
    asked.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    said = asked.parse_args()
    if said.way:
        return work(said.way, said.folder, said.out)
    with tempfile.TemporaryDirectory() as temporary:
        for rows in said.rows:
            folder = (said.folder or Path(temporary)) / str(rows)
            folder.mkdir(parents=True, exist_ok=True)
            ways = [
                "duckdb",
                "ours",
                "ours, keeping",
                "ours, unchanged",
                *["pandas"] * (rows <= said.pandas_up_to),
            ]
            compare(folder, rows, ways)
    return None


if __name__ == "__main__":
    main()
