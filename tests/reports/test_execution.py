"""Execution: a forked report shows what a kernel would show, shares nothing, and is small enough to read."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import nbformat
import pytest
from nbformat import v4

from dataops_nb import grammars_later
from dataops_nb.reports import engine, environment, execution, processes, resources
from dataops_nb.reports.engine import child, shell
from dataops_nb.reports.execution import job as job_

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")

EVERYTHING = [
    "x: int = 1  # help: a parameter",
    "1 + x",
    "print('one'); import sys; print('two', file=sys.stderr); print('three')",
    "import dataops_nb, pandas as pd\npd.DataFrame({f'column_{i}': range(3) for i in range(30)})",
    "import altair as alt\nalt.Chart(pd.DataFrame({'a': [1, 2]})).mark_bar().encode(x='a:Q').to_dict()['mark']",
    "display({'text/plain': 'a', 'application/json': {'k': (1, None)}}, raw=True); 'after'",
    "handle = display('first', display_id='d')",
    "handle.update('second')",
    "from IPython.display import clear_output\nprint('gone'); clear_output(); print('stays')",
    "await __import__('asyncio').sleep(0)\n'awaited'",
    "!echo shell; exit 0",
    "lines = !echo captured\nlines",
    "%%bash\necho from bash",
    "get_ipython().__class__.__name__.startswith('Z'), __name__, 'IPKernelApp' in get_ipython().config, sys.path[0]",
    "_, __, In[2], Out[3]",
    "%timeit -n1 -r1 -q pass",
    "import warnings; warnings.warn('careful')",
    "from tqdm.auto import trange\nprint(repr('\\u00e9'), sys.stdout.encoding, sys.stdout.isatty())",
    "import asyncio\nasyncio.get_running_loop().is_running()",
    "class A:\n    def _repr_html_(self): return '<b>a</b>'\n    def _repr_mimebundle_(self, **_): return {'x/y': '1'}\nA()",
    "for i in range(3): display(i)",
    "def f(n):\n    return 1 / n\nf(0)",
]


def write(path: Path, *cells: str, kernel: str = "python3") -> Path:
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    notebook = v4.new_notebook(
        metadata={"kernelspec": spec}, cells=[v4.new_code_cell(dedent(cell)) for cell in cells]
    )
    notebook.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, path)
    return path


def execute_all(
    folder: Path, notebook: Path, engine: resources.Engine, **options
) -> tuple[job_.JobEnd, list]:
    job = job_.Job(
        notebook, options.pop("parameters", {}), folder / f"job-{engine}", environment.passed()
    )
    options = {"at_a_time": 1, "timeout": 120, "started": lambda _: None} | options
    (ended,) = execution.run([job], engine=engine, **options)
    cells = nbformat.read(job.executed, as_version=4).cells if job.executed.exists() else []
    return ended, cells


def settled(cells: list) -> list:
    """What the cells show, without what differs from one run to the next: ids of objects and of processes."""
    shown = [(c.source, c.execution_count, c.outputs) for c in cells if c.cell_type == "code"]
    text = re.sub(r"0x[0-9a-f]+|ipykernel_\d+/\d+|File (/tmp|~)/\S+:", "ID", repr(shown))
    return ast.literal_eval(text.replace("NotebookNode", ""))


@pytest.mark.faults
@linux
def test_a_forked_report_shows_what_the_stock_kernel_shows(tmp_path):
    notebook = write(tmp_path / "all.ipynb", *EVERYTHING)
    forked = settled(execute_all(tmp_path, notebook, "forked", parameters={"x": 2})[1])
    kernel = settled(execute_all(tmp_path, notebook, "kernel", parameters={"x": 2})[1])
    assert len(forked) == len(kernel) == len(EVERYTHING) + 1
    assert [
        (ours, theirs) for ours, theirs in zip(forked, kernel, strict=True) if ours != theirs
    ] == []


@linux
def test_the_template_makes_its_shell_before_libraries_are_imported():
    """pandas decides once, when it is imported, whether it writes for a terminal or a notebook."""
    code = "import sys; from dataops_nb.reports.engine import template; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"pandas", "altair", "duckdb"} & set(done.stdout.split()) == set()


@pytest.mark.long
@linux
def test_what_programs_print_past_python_is_shown_with_the_cell(tmp_path):
    """The stock kernel shows it as well, unless the cell is over before the pipe is read."""
    notebook = write(
        tmp_path / "past.ipynb", "", "import subprocess; subprocess.run(['echo', 'past Python']);"
    )
    _, (_, cell) = execute_all(tmp_path, notebook, "forked")
    assert [output.text for output in cell.outputs] == ["past Python\n"]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("import ipywidgets as w", "talks to a browser"),
        ("from dataops_nb import board, controls", None),
        ("x = 1\n%matplotlib widget", "talks to a browser"),
        ("import pandas", None),
        ("# import ipywidgets", None),
    ],
)
def test_a_notebook_that_talks_to_a_browser_needs_a_kernel(cell, reason):
    found = engine.reason_for_kernel(v4.new_notebook(cells=[v4.new_code_cell(cell)]))
    assert found is None if reason is None else reason in found


def test_a_notebook_of_another_kernel_is_left_to_it():
    notebook = v4.new_notebook(
        metadata={"kernelspec": {"name": "other", "display_name": "", "language": "python"}}
    )
    assert engine.reason_for_kernel(notebook) == "it names the kernel 'other'"


def stream(text: str, name: str = "stdout"):
    return v4.new_output("stream", name=name, text=text)


def shown(*outputs, limit: int = 10):
    notebook = v4.new_notebook(cells=[v4.new_code_cell("", outputs=list(outputs))])
    shell.settle(notebook, limit)
    return [o.get("text") or o.data["text/plain"] for o in notebook.cells[0].outputs]


def test_pieces_of_one_stream_are_one_output():
    assert shown(stream("a"), stream("b"), stream("c", "stderr"), stream("d")) == ["ab", "c", "d"]


def test_what_is_printed_beyond_the_limit_is_counted():
    first, note = shown(stream("x" * 25))
    assert first == "x" * 10
    assert "15 more were printed" in note


def test_a_display_beyond_the_limit_is_left_out_and_said():
    (said,) = shown(v4.new_output("display_data", data={"text/plain": "y" * 11}))
    assert "left out: this output has 11 characters" in said


def test_facts_are_data_and_never_cut():
    facts = v4.new_output(
        "display_data", data={shell.DATA: {"rows": "z" * 50}, "text/plain": "facts"}
    )
    assert shown(facts) == ["facts"]


def test_a_grammar_that_nobody_asks_for_is_not_built_while_importing():
    known = sys.modules.pop("rfc3987_syntax", None)
    try:
        with grammars_later():
            valid = sys.modules["rfc3987_syntax"].is_valid_syntax
        assert "rfc3987_syntax" not in sys.modules
        assert valid("iri", "https://example.com/ü")
    finally:
        if known is not None:
            sys.modules["rfc3987_syntax"] = known


@linux
def test_this_process_knows_its_threads_and_its_memory():
    assert processes.threads()
    assert processes.resident(0) == 0
    assert 0 < processes.resident(__import__("os").getpid()) <= processes.available() * 10


def test_an_executed_notebook_is_written_on_one_line_and_read_as_it_was(tmp_path):
    outputs = [
        v4.new_output(
            "display_data", data={"text/plain": "a\nb ü", "application/json": [{"b": 1, "a": None}]}
        )
    ]
    notebook = v4.new_notebook(cells=[v4.new_code_cell("1\n2", outputs=outputs)])
    child._write(notebook, str(tmp_path / "executed.ipynb"))
    assert (tmp_path / "executed.ipynb").read_text("utf-8").count("\n") == 1
    assert nbformat.read(tmp_path / "executed.ipynb", as_version=4) == notebook
