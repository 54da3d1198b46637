"""What libraries do only when they are first used, done once in the template and not again by every report.

A library that is imported is not yet warm: nbformat compiles its schema with the first notebook it checks, pandas reads
its templates with the first styled table, altair looks around with the first chart. A fork that does this alone spends
more on it than on a small report's own cells. Nothing here may start a thread, number anything, or be seen in an output:
that the outputs stay those of the stock kernel is a test.
"""

from __future__ import annotations

import importlib

import altair
import nbformat
import pandas as pd
import sqlglot
from nbformat import v4

LATE = (
    "bdb", "IPython.core.logger", "ipywidgets", "pandas.core.methods.to_dict", "pandas.core.reshape.reshape",
    "pandas.io.parquet", "pyarrow.dataset", "pyarrow.pandas_compat", "pyarrow.parquet",
)  # fmt: skip


def rehearse() -> None:
    """Use each library once, as a report would."""
    for name in LATE:  # libraries import these when they are first called; duckdb looks for ipywidgets
        importlib.import_module(name)
    _check_a_notebook()
    _draw(pd.DataFrame({"week": pd.to_datetime(["2026-11-16"]), "value": [1.5], "of": ["a"]}))
    sqlglot.parse_one("select count(*) from deals where day >= '2026-11-16'", dialect="duckdb").sql("duckdb")


def _check_a_notebook() -> None:
    cells = [v4.new_markdown_cell("# Sales"), v4.new_code_cell("1")]  # type: ignore[no-untyped-call]
    notebook = v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    nbformat.reads(nbformat.writes(notebook), as_version=4)  # type: ignore[no-untyped-call]


def _draw(frame: pd.DataFrame) -> None:
    marked = altair.Chart(frame).mark_line().encode(x="week:T", y="value:Q", color="of")
    marked.properties(title="Sales").to_dict()
    frame.style.format({"value": "{:.1f}"}).set_caption("Sales").to_html()
