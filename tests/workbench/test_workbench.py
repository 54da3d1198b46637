"""The folder a company works in: how it is found, which day it is there, and how the sample's data get into it."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from dataops_nb import definitions, workbench
from dataops_nb.errors import DefinitionsError, PublishError, UsageError
from dataops_nb.workbench import packaged as packaged_
from dataops_nb.workbench import sample

ROOT = Path(__file__).parents[2]
LAST_DAY = dt.date(2026, 3, 1)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("DATAOPS_WORKBENCH", "DATAOPS_DATA", "DATAOPS_OUT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def bench(tmp_path):
    """A workbench with one source and one metric; `marked` as the sample where that is tested."""

    def make(
        name: str = "bench",
        *,
        path: str = "deals.parquet",
        data: str = "data",
        timezone: str = "UTC",
        marked: bool = False,
    ) -> Path:
        root = tmp_path / name
        (root / "params" / "departments").mkdir(parents=True)
        source = f"sources:\n  deals: {{system: CRM, path: {path}, time: day}}\n"
        head = f"company: Test\ndata: {data}\ntimezone: {timezone}\n"
        if marked:
            head += "sample: true\n"
        (root / "params" / "company.yaml").write_text(head + source)
        metric = "metrics:\n  won: {type: simple, measure: {source: deals, agg: count}}\n"
        (root / "params" / "departments" / "sales.yaml").write_text("department: Sales\n" + metric)
        return root

    return make


@pytest.fixture
def quick_sample(monkeypatch):
    """A sample of one small file, and how often it was written."""
    written: list[Path] = []

    def write(folder: Path, *, seed: int = 0, end: dt.date | None = None) -> sample.Manifest:
        written.append(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "deals.parquet").write_text("rows")
        (folder / "sample.json").write_text("{}")
        return manifest(folder)

    def manifest(folder: Path) -> sample.Manifest | None:
        if not (folder / "sample.json").is_file():
            return None
        return sample.Manifest(
            start=dt.date(2025, 1, 1), end=LAST_DAY, seed=0, weeks=52, release=LAST_DAY
        )

    monkeypatch.setattr(sample, "write", write)
    monkeypatch.setattr(sample, "manifest", manifest)
    return written


# --- finding ----------------------------------------------------------------------------------------------------------


def test_a_named_folder_is_the_workbench(bench):
    root = bench()
    wb = workbench.open(root)
    assert (wb.root, wb.params, wb.notebooks) == (root, root / "params", root / "notebooks")
    assert (wb.data, wb.out) == (root / "data", root / "out")


def test_a_named_folder_that_is_none_says_how_to_make_one(tmp_path):
    with pytest.raises(UsageError, match=r"no params/company\.yaml; run dataops-nb init"):
        workbench.open(tmp_path)


def test_naming_the_params_folder_is_understood(bench):
    root = bench()
    with pytest.raises(UsageError, match=f"did you mean {root}"):
        workbench.open(root / "params")


def test_a_named_folder_is_not_looked_for_above(bench):
    below = bench() / "notebooks"
    below.mkdir()
    with pytest.raises(UsageError, match="is no workbench"):
        workbench.open(below)


def test_without_a_name_the_nearest_folder_above_counts(bench, monkeypatch):
    root = bench()
    (root / "notebooks" / "deep").mkdir(parents=True)
    monkeypatch.chdir(root / "notebooks" / "deep")
    assert workbench.open().root == root


def test_the_environment_goes_before_the_current_folder(bench, monkeypatch):
    monkeypatch.chdir(bench("here"))
    there = bench("there")
    monkeypatch.setenv("DATAOPS_WORKBENCH", str(there))
    assert workbench.open().root == there


def test_a_name_goes_before_the_environment(bench, monkeypatch):
    here = bench("here")
    monkeypatch.setenv("DATAOPS_WORKBENCH", str(bench("there")))
    assert workbench.open(here).root == here


def test_nowhere_near_a_workbench_says_what_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="run dataops-nb init DIR, or use -w DIR"):
        workbench.open()


def test_folders_come_from_arguments_then_environment_then_files(bench, monkeypatch, tmp_path):
    root = bench(data="../exports")
    assert workbench.open(root).data == root / "../exports"
    monkeypatch.setenv("DATAOPS_DATA", str(tmp_path / "d"))
    monkeypatch.setenv("DATAOPS_OUT", str(tmp_path / "o"))
    from_environment = workbench.open(root)
    assert (from_environment.data, from_environment.out) == (tmp_path / "d", tmp_path / "o")
    named = workbench.open(root, data=tmp_path / "x", out=tmp_path / "y")
    assert (named.data, named.out) == (tmp_path / "x", tmp_path / "y")


def test_a_relative_folder_starts_where_the_command_runs(bench, monkeypatch, tmp_path):
    root = bench()
    monkeypatch.chdir(tmp_path)
    assert workbench.open("bench", data="mine").data == tmp_path / "mine"
    assert workbench.open("bench").root == root


@pytest.mark.parametrize("name", ["../../x", "<img src=x>", "a\"b'c", "x" * 300, "."])
def test_a_what_if_is_a_file_in_its_folder_and_nothing_else(bench, name):
    root = bench()
    (root / "x.yaml").write_text("metrics: {}\n")
    with pytest.raises(UsageError, match="there is no what-if"):
        workbench.open(root, whatif=name)


def test_definitions_are_read_once(bench):
    wb = workbench.open(bench())
    assert wb.definitions is wb.definitions
    assert list(wb.definitions.metrics) == ["won"]


def test_mistakes_are_raised_when_the_definitions_are_asked_for(bench):
    root = bench()
    (root / "params" / "company.yaml").write_text("company: [\n")
    wb = workbench.open(root)
    with pytest.raises(DefinitionsError, match=r"params/company.yaml:2: .* before a '\['"):
        _ = wb.definitions


# --- the day ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", ["2026-02-03", dt.date(2026, 2, 3), dt.datetime(2026, 2, 3, 23, 59)]
)
def test_the_day_said_is_the_day_meant(bench, said):
    day = workbench.as_of(workbench.open(bench()), said)
    assert (type(day), day) == (dt.date, dt.date(2026, 2, 3))


@pytest.mark.parametrize(
    "said", ["yesterday", "2026-02-30", "20260203", "03.02.2026", "", "2026-02-03T10:00"]
)
def test_what_is_no_day_is_a_usage_error(bench, said):
    with pytest.raises(UsageError, match="is not a date: write 2026-11-22"):
        workbench.as_of(workbench.open(bench()), said)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_by_default_it_is_today_where_the_company_is(bench, zone):
    wb = workbench.open(bench(path="own.csv", timezone=zone))
    before = dt.datetime.now(ZoneInfo(zone)).date()
    assert before <= workbench.as_of(wb) <= dt.datetime.now(ZoneInfo(zone)).date()


def test_with_the_sample_it_is_the_samples_last_day(bench, quick_sample):
    assert workbench.as_of(workbench.open(bench(marked=True))) == LAST_DAY


def test_own_data_under_the_samples_names_have_no_last_day(bench, quick_sample):
    root = bench(marked=True)
    (root / "data").mkdir()
    (root / "data" / "deals.parquet").write_text("mine")
    assert workbench.as_of(workbench.open(root)) >= dt.datetime.now(
        ZoneInfo("UTC")
    ).date() - dt.timedelta(days=1)


# --- the sample's data ------------------------------------------------------------------------------------------------


def test_the_sample_is_written_on_first_use_and_never_again(bench, quick_sample):
    wb = workbench.open(bench(marked=True))
    workbench.ensure_data(wb)
    (wb.data / "deals.parquet").write_text("changed")
    workbench.ensure_data(wb)
    assert (wb.data / "deals.parquet").read_text() == "changed"
    assert len(quick_sample) == 1


def test_an_export_that_an_earlier_sample_did_not_have_is_added_and_nothing_else_touched(bench):
    root = bench(marked=True)
    wb = workbench.open(root, data=root / "data")
    made = sample.write(wb.data, weeks=52)
    deals = (wb.data / "deals.parquet").read_bytes()
    (wb.data / "meetings.csv").write_text("changed")
    (wb.data / "deals.parquet").unlink()
    workbench.ensure_data(wb)
    assert (wb.data / "deals.parquet").read_bytes() == deals
    assert (wb.data / "meetings.csv").read_text() == "changed"
    assert sample.manifest(wb.data) == made


def test_an_empty_folder_that_was_named_counts_as_none(bench, quick_sample):
    root = bench(marked=True)
    (root / "data").mkdir()
    workbench.ensure_data(workbench.open(root, data=root / "data"))
    assert (root / "data" / "deals.parquet").is_file()


def test_a_sample_without_its_folder_has_its_data_below_out(bench, quick_sample):
    root = bench(marked=True)
    wb = workbench.open(root)
    assert workbench.as_of(wb) == LAST_DAY
    assert wb.data == root / "out" / "cache" / "sample"
    assert sorted(path.name for path in root.iterdir()) == ["out", "params"]
    (root / "data").mkdir()
    (root / "data" / "deals.parquet").touch()
    assert workbench.open(root).data == root / "data"


def test_a_refresh_moves_the_samples_data_to_their_own_folder(bench, quick_sample):
    root = bench(marked=True)
    asked_first = workbench.open(root)
    workbench.ensure_data(asked_first)
    (asked_first.data / "deals.parquet").write_text("kept")
    assert workbench.settle(asked_first).data == root / "data"
    assert (root / "data" / "deals.parquet").read_text() == "kept"
    assert len(quick_sample) == 1


@pytest.mark.parametrize("path", ["own.csv", "deals.parquet"])
def test_a_company_of_ones_own_gets_no_sample_whatever_its_files_are_called(
    bench, quick_sample, path
):
    wb = workbench.open(bench(path=path))
    workbench.ensure_data(wb)
    assert workbench.as_of(wb) > LAST_DAY
    assert not wb.data.exists()
    assert not wb.out.exists()


def test_the_sample_of_the_first_version_counts_as_long_as_nobody_changed_it(tmp_path):
    old = tmp_path / "params"
    shutil.copytree(ROOT / "params", old)
    company = old / "company.yaml"
    text = company.read_text(encoding="utf-8")
    company.write_text(re.sub("(?m)^sample:.*\n", "", text), encoding="utf-8", newline="\r\n")
    assert not definitions.is_marked_sample(old)
    assert packaged_.is_sample(old)
    (old / "whatif").mkdir()
    (old / "whatif" / "more.yaml").touch()
    assert packaged_.is_sample(old)
    sales = old / "departments" / "sales.yaml"
    sales.write_text(sales.read_text(encoding="utf-8") + "# ours\n", encoding="utf-8")
    assert not packaged_.is_sample(old)


def test_a_folder_with_anything_in_it_is_left_alone(bench, quick_sample):
    root = bench(marked=True)
    (root / "data").mkdir()
    (root / "data" / "notes.txt").touch()
    workbench.ensure_data(workbench.open(root))
    assert [path.name for path in (root / "data").iterdir()] == ["notes.txt"]


def test_a_failed_write_leaves_nothing_behind(bench, monkeypatch):
    def fail(folder: Path) -> None:
        folder.mkdir()
        (folder / "half").touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sample, "write", fail)
    root = bench(marked=True)
    wb = workbench.open(root, data=root / "data")
    with pytest.raises(PublishError, match="No space left"):
        workbench.ensure_data(wb)
    assert [path.name for path in wb.root.iterdir()] == ["params"]


def test_of_two_at_once_the_later_keeps_what_the_first_has_written(
    bench, quick_sample, monkeypatch
):
    root, quick = bench(marked=True), sample.write
    wb = workbench.open(root, data=root / "data")
    both = threading.Barrier(2)

    def write(folder: Path) -> None:
        quick(folder)
        (folder / "writer").write_text(folder.name)
        both.wait(timeout=10)

    monkeypatch.setattr(sample, "write", write)
    raised: list[BaseException] = []

    def run() -> None:
        try:
            workbench.ensure_data(wb)
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert raised == []
    assert len(quick_sample) == 2
    assert (wb.data / "writer").read_text() in {folder.name for folder in quick_sample}
    assert sorted(path.name for path in wb.root.iterdir()) == ["data", "params"]


# --- a new one --------------------------------------------------------------------------------------------------------


@pytest.fixture
def packaged(tmp_path, monkeypatch, bench, quick_sample):
    """What the package brings along, made small and untidy."""
    root = bench("packaged", marked=True)
    (root / "notebooks" / ".ipynb_checkpoints").mkdir(parents=True)
    (root / "notebooks" / "10_north_star.ipynb").write_text("{}")
    for stray in (
        "notebooks/.ipynb_checkpoints/x.ipynb",
        "notebooks/out/x",
        "notebooks/data/x",
        "params/.schema/old",
    ):
        (root / stray).parent.mkdir(parents=True, exist_ok=True)
        (root / stray).touch()
    monkeypatch.setattr(packaged_, "packaged", lambda name: root / name)
    return root


def test_a_new_workbench_holds_the_packaged_company_and_its_schemas(packaged, tmp_path):
    made = workbench.init(tmp_path / "new" / "one")
    files = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert {name for name in files if not name.startswith("params/.schema/")} == {
        ".gitignore", "README.md", "data/deals.parquet", "data/sample.json", "notebooks/10_north_star.ipynb",
        "params/company.yaml", "params/departments/sales.yaml",
    }  # fmt: skip
    assert {"params/.schema/company.schema.json", "params/.schema/department.schema.json"} <= files
    assert "params/.schema/old" not in files
    assert workbench.open(made).definitions.metrics


def test_a_new_workbench_keeps_data_and_results_out_of_git(packaged, tmp_path):
    ignored = (workbench.init(tmp_path / "new") / ".gitignore").read_text().splitlines()
    assert {"data/", "out/"} <= set(ignored)


def test_a_workbench_is_never_written_over(packaged, tmp_path):
    made = workbench.init(tmp_path / "new")
    (made / "params" / "company.yaml").write_text("mine")
    with pytest.raises(UsageError, match="is a workbench already"):
        workbench.init(made)
    assert (made / "params" / "company.yaml").read_text() == "mine"


def test_other_files_in_the_folder_stay(packaged, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "README.md").write_text("mine")
    assert (workbench.init(tmp_path / "new") / "README.md").read_text() == "mine"


def test_a_notebook_of_the_same_name_is_not_written_over(packaged, tmp_path):
    (tmp_path / "new" / "notebooks").mkdir(parents=True)
    (tmp_path / "new" / "notebooks" / "10_north_star.ipynb").write_text("mine")
    with pytest.raises(UsageError, match=r"already holds 10_north_star\.ipynb"):
        workbench.init(tmp_path / "new")
    assert not (tmp_path / "new" / "params").exists()


def test_a_file_is_no_place_for_a_workbench(packaged, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        workbench.init(tmp_path / "file")


def test_the_real_package_makes_a_workbench_with_the_samples_data(tmp_path):
    wb = workbench.open(workbench.init(tmp_path / "lumen"))
    assert "revenue_ttm" in wb.definitions.company.north_star
    day = workbench.as_of(wb)
    assert day == sample.manifest(wb.data).end
    assert {path.name for path in wb.data.iterdir()} == {*sample.FILES, sample.MANIFEST}


def test_finding_a_workbench_does_not_wait_for_pandas():
    code = "import sys; from dataops_nb import workbench; print(sorted({'pandas', 'duckdb', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_new_department_has_definitions_that_hold_and_a_notebook(bench):
    wb = workbench.open(bench())
    definitions, notebook = workbench.new_department(wb, "field_service")
    known = workbench.open(wb.root).definitions
    assert known.departments["field_service"].department == "Field service"
    assert known.metrics["field_service_rows"].measure.source == "deals"
    cells = json.loads(notebook.read_text())["cells"]
    assert notebook.name == "25_field_service.ipynb"
    assert cells[1]["source"][0].startswith('department: str = "field_service"')
    assert "department=department" in "".join(cells[2]["source"])
    assert definitions == wb.params / "departments" / "field_service.yaml"


@pytest.mark.parametrize(
    ("name", "metric"),
    [("East-Coast", "east_coast_rows"), ("24h", "d_24h_rows"), ("on", "on_rows")],
)
def test_a_new_department_may_be_called_what_definitions_may_be_called(bench, name, metric):
    wb = workbench.open(bench())
    workbench.new_department(wb, name)
    known = workbench.open(wb.root).definitions
    assert known.owners[metric] == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Field Service", "write it like 'field_service'"),
        ("SALES", "there is a department 'sales' already"),
        ("Ähnliches", "write it like 'ahnliches'"),
        ("../x", "write it like 'x'"),
    ],
)
def test_a_new_department_under_a_wrong_or_taken_name_is_refused(bench, name, why):
    with pytest.raises(UsageError, match=why):
        workbench.new_department(workbench.open(bench()), name)


def test_a_workbench_that_could_not_be_finished_is_taken_back_and_what_was_there_stays(
    tmp_path, monkeypatch
):
    def full(folder):
        raise OSError(28, "No space left on device")

    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "mine.txt").write_text("mine")
    monkeypatch.setattr("dataops_nb.workbench.packaged.write_schema", full)
    for target in ("new", "old"):
        with pytest.raises(PublishError, match="No space left on device"):
            workbench.init(tmp_path / target)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine.txt", "old"]
