"""What is kept warm: it forks from its only thread, and whatever happens to it, reports are executed and drawn."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from dataops_nb.errors import KilledError, UsageError
from dataops_nb.reports import engine, environment, execution, pages, processes, run
from dataops_nb.reports.engine import Template, UnsafeError
from dataops_nb.reports.execution import job as job_
from tests.faults.faulty import DAY, again, alive, make, wait_for, write_notebook

pytest_plugins = ["tests.faults.faulty"]  # its fixtures
pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely"),
]
THREAD = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
TELLS = """
import os
threads = lambda: len(os.listdir(f"/proc/{os.getppid()}/task"))
assert threads() == 1, threads()
"""


def test_the_template_has_one_thread_whenever_it_forks(warm, tmp_path):
    """Seen from the fork itself; so Python 3.12 and later have nothing to warn of, and no lock can stay locked."""
    wb = make(tmp_path, "one", "two", cells=(TELLS,))
    assert {result.state for result in again(wb, "one", "two", jobs=2).reports} == {"ok"}
    template = warm.template
    assert [path.name for path in Path(f"/proc/{template.pid}/task").iterdir()] == [
        str(template.pid)
    ]


def test_a_company_is_read_before_its_reports_are_forked(tmp_path):
    """And neither thread nor database stands in their way; a broken company stops nobody."""
    inherits = "from dataops_nb import workbench\nassert '_surveyed' in vars(workbench.open())"
    wb = make(tmp_path, "one", "two", cells=(TELLS + inherits,))
    assert {result.state for result in again(wb, "one", "two", warm=None).reports} == {"ok"}


def test_what_a_report_does_to_the_shared_company_its_neighbour_does_not_see(tmp_path):
    wb = make(tmp_path, "one", "two")
    opened = "from dataops_nb import workbench\nhere = workbench.open()\n"
    write_notebook(wb.notebooks / "one.ipynb", opened + "here.definitions.metrics.clear()")
    write_notebook(wb.notebooks / "two.ipynb", opened + "assert here.definitions.metrics")
    result = again(wb, "one", "two", jobs=1, warm=None)
    assert {report.state for report in result.reports} == {"ok"}


@pytest.mark.parametrize(("force", "closed"), [(True, [True]), (False, [])])
def test_the_template_starts_before_the_plan_only_where_every_report_runs(
    tmp_path, monkeypatch, force, closed
):
    started = []

    class Started:
        def __init__(self, *_: object) -> None:
            self.is_closed = False
            started.append(self)

        def close(self) -> None:
            self.is_closed = True

    monkeypatch.setattr(run.engines, "Template", Started)
    with pytest.raises(UsageError):
        run.run(make(tmp_path, "one"), reports=["none of these"], as_of=DAY, force=force)
    assert [one.is_closed for one in started] == closed


def test_a_library_that_starts_a_thread_makes_reports_run_on_the_kernel(
    tmp_path, monkeypatch, caplog
):
    (tmp_path / "sitecustomize.py").write_text(THREAD)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    template = Template(environment.passed())
    with pytest.raises(UnsafeError, match="threads run beside it"):
        template.ready()
    wait_for(lambda: not alive(template.pid), 10)  # it ends by itself: nobody can ask it to fork
    template.close()
    wb = make(tmp_path / "wb", "one")
    assert again(wb, "one", warm=None).exit_code == 0  # those of the other tests are safe
    assert "one.ipynb is executed on the stock kernel: threads run beside it" in caplog.text


def test_a_renderer_that_was_killed_is_replaced(warm, tmp_path):
    wb = make(tmp_path, "one")
    assert again(wb, "one").exit_code == 0
    template = warm.template
    before = template.helper
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: not alive(before[0]), 10)
    assert again(wb, "one").exit_code == 0
    assert template.helper != before


def test_a_renderer_that_does_not_answer_is_ended(warm, tmp_path):
    wb = make(tmp_path, "one")
    job = job_.Job(
        wb.notebooks / "one.ipynb", {"as_of": "2026-11-22"}, tmp_path / "job", environment.passed()
    )
    (ended,) = execution.run([job], at_a_time=1, timeout=60, started=lambda _: None)
    template, renderer = warm.template, warm.renderer
    meta = pages.Meta("one", "0", {})
    good = renderer.files(ended.notebook, meta)
    stuck = template.helper[0]
    os.kill(stuck, signal.SIGSTOP)
    with pytest.raises(KilledError, match=r"took more than 0\.5 s"):
        renderer.files(ended.notebook, meta, longest=0.5)
    wait_for(lambda: not alive(stuck), 10)
    assert renderer.files(ended.notebook, meta) == good == pages.files(ended.notebook, meta)


def test_a_template_that_was_killed_takes_its_children_along_and_is_replaced(tmp_path):
    template = Template(environment.passed())
    template.ready()
    helper = engine.Helper(template, "dataops_nb.reports.pages.renderer:beside")
    wait_for(lambda: helper.poll() is None and template.helper[0], 10)
    os.kill(template.pid, signal.SIGKILL)
    wait_for(lambda: not alive(template.helper[0]), 10)
    assert helper.poll() == -signal.SIGKILL
    with pytest.raises(UnsafeError, match="has ended"):
        template.fork(tmp_path / "job.json", {})
    template.close()
    assert not [
        pid for pid, _ in processes.below(os.getpid()) if pid in {template.pid, template.helper[0]}
    ]


def test_a_report_that_talks_to_a_browser_unseen_is_executed_on_the_kernel(warm, tmp_path):
    """It leaves the fork before anything of it is shown, and starts again from the first cell."""
    hidden = "import importlib; slider = importlib.import_module('ipywidgets').IntSlider(value=3)"
    note = "import os; open(os.path.join(os.environ['DATAOPS_OUT'], 'starts'), 'a').write('x')"
    wb = make(tmp_path, "one", cells=(note, hidden, "assert slider.value == 3"))
    (only,) = again(wb, "one").reports
    assert (only.state, only.error) == ("ok", None)
    assert (wb.out / "starts").read_text() == "xx"


SLOW = """
import os, time
open(os.path.join(os.environ["DATAOPS_OUT"], "began"), "a").write("x")
time.sleep(3)
"""
ENDS_ITS_PARENT = """
import os, signal, time
while not os.path.exists(os.path.join(os.environ["DATAOPS_OUT"], "began")):
    time.sleep(0.05)
os.kill(os.getppid(), signal.SIGKILL)
time.sleep(60)
"""


def test_an_innocent_report_beside_a_cell_that_ends_its_parent_is_executed_again(tmp_path):
    wb = make(tmp_path, "good", "bad", "later")
    write_notebook(wb.notebooks / "good.ipynb", SLOW)
    write_notebook(wb.notebooks / "bad.ipynb", ENDS_ITS_PARENT)
    result = again(wb, "good", "bad", "later", jobs=2, warm=None)
    states = {report.report: report.state for report in result.reports}
    assert states == {"good": "ok", "bad": "killed", "later": "ok"}
    assert (wb.out / "began").read_text() == "xx"  # twice, and no third time
