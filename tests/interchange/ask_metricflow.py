"""Ask MetricFlow for every metric of a project by day, week and month; not a part of the tests.

    python ask_metricflow.py PROJECT SEEDS WORK [--record]

Runs in an environment of its own (`make interchange`). PROJECT is copied into the folder WORK and
built there with dbt on DuckDB over SEEDS; the answers are compared with PROJECT/metricflow.json, or
with --record written there. Exits with 1 where an answer is another one.
"""

from __future__ import annotations

import decimal
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

PROFILE = "shop: {target: dev, outputs: {dev: {type: duckdb, path: shop.duckdb, schema: main}}}\n"
GRAINS = ("day", "week", "month")
PACKAGES = ("metricflow", "dbt-core", "dbt-metricflow", "duckdb")


def build(project: Path, seeds: Path, work: Path) -> None:
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(project, work)
    (work / "profiles.yml").write_text(PROFILE)
    (work / "seeds").mkdir()
    for path in seeds.glob("*.csv"):
        shutil.copy(path, work / "seeds" / f"raw_{path.name}")
    os.chdir(work)
    os.environ["DBT_PROFILES_DIR"] = "."
    dbt = str(Path(sys.executable).with_name("dbt"))
    subprocess.run([dbt, "--quiet", "build", "--profiles-dir", "."], check=True)


def plain(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return float(value)
    return value.isoformat()[:10] if hasattr(value, "isoformat") else value


def answers() -> dict[str, Any]:
    """The rows of each metric by grain; an error as its text."""
    from dbt_metricflow.cli.cli_configuration import CLIConfiguration
    from metricflow.engine.metricflow_engine import MetricFlowQueryRequest

    configuration = CLIConfiguration()
    here = Path.cwd()
    configuration.setup(dbt_profiles_path=here, dbt_project_path=here)
    manifest = json.loads(Path("target/semantic_manifest.json").read_text())
    found: dict[str, Any] = {}
    for name in [metric["name"] for metric in manifest["metrics"]]:
        found[name] = {}
        for grain in GRAINS:
            time = f"metric_time__{grain}"
            request = MetricFlowQueryRequest.create(
                metric_names=[name], group_by_names=[time], order_by_names=[time]
            )
            rows = configuration.mf.query(request).result_df.rows
            found[name][grain] = [[plain(value) for value in row] for row in rows]
    return found


def differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    lines = []
    for name in sorted({*before, *now}):
        for grain in GRAINS:
            old, new = before.get(name, {}).get(grain), now.get(name, {}).get(grain)
            if json.dumps(old) != json.dumps(new):
                lines.append(f"{name} by {grain}")
    return lines


def main(project: Path, seeds: Path, work: Path, *, record: bool) -> int:
    recorded = project / "metricflow.json"
    build(project, seeds, work)
    now = answers()
    if record:
        versions = {name: version(name) for name in PACKAGES}
        recorded.write_text(json.dumps({**versions, "answers": now}, separators=(",", ":")))
        return 0
    lines = differences(json.loads(recorded.read_text())["answers"], now)
    print(
        f"{project.name}: {len(now)} metrics asked, {len(lines)} answers differ", *lines, sep="\n  "
    )
    return 1 if lines else 0


if __name__ == "__main__":
    paths = [Path(word).absolute() for word in sys.argv[1:] if not word.startswith("--")]
    raise SystemExit(main(*paths, record="--record" in sys.argv))
