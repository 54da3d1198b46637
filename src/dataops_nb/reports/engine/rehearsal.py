"""Use each library once; apart from `template`, which must make the shell before it imports any.

An imported library is not yet warm: nbformat compiles its schema with the first notebook, pandas
reads its templates with the first styled table, altair looks around with the first chart. The
template does it once; in each fork that would cost more than a small report's cells. Nothing here
may start a thread, count anything, or show in an output; a test compares the outputs with those of
the stock kernel.
"""

from __future__ import annotations

import importlib

import altair
import nbformat
import pandas as pd
import sqlglot
from nbformat import v4

from dataops_nb import numbers

# Libraries import these at their first call; duckdb looks for ipywidgets.
LATE = (
    "bdb",
    "IPython.core.logger",
    "ipywidgets",
    "pandas.core.methods.to_dict",
    "pandas.core.reshape.reshape",
    "pandas.io.parquet",
    "pyarrow.csv",
    "pyarrow.dataset",
    "pyarrow.pandas_compat",
    "pyarrow.parquet",
)


def rehearse() -> None:
    """Use each library once, as a report does."""
    for name in LATE:
        importlib.import_module(name)
    _check_notebook()
    _draw_chart()
    query = "select count(*) from deals where day >= '2026-11-16'"
    sqlglot.parse_one(query, dialect="duckdb").sql("duckdb")
    numbers.at(numbers.DEFAULT).number(1.5)  # reads the names and signs of the locale


def _check_notebook() -> None:
    title = v4.new_markdown_cell("# Sales")  # type: ignore[no-untyped-call]
    code = v4.new_code_cell("1")  # type: ignore[no-untyped-call]
    notebook = v4.new_notebook(cells=[title, code])  # type: ignore[no-untyped-call]
    text = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    nbformat.reads(text, as_version=4)  # type: ignore[no-untyped-call]


def _draw_chart() -> None:
    weeks = pd.to_datetime(["2026-11-16"])
    frame = pd.DataFrame({"week": weeks, "value": [1.5], "of": ["a"]})
    lines = altair.Chart(frame).mark_line()
    chart = lines.encode(x="week:T", y="value:Q", color="of")
    chart.properties(title="Sales").to_dict()
    frame.style.format({"value": "{:.1f}"}).set_caption("Sales").to_html()
