"""What a notebook shows of a metric table or of links: the columns that are read, with lights.

The frames stay pandas' own: only their look in a notebook is another one, and that of frames with
other columns is pandas'.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from dataops_nb.display import Light, Table

if TYPE_CHECKING:
    import pandas as pd

METRIC_TABLE = ("metric", "period", "value")
LINKS = ("input", "target", "verdict")
# The columns that are shown where they are there, in this order.
SHOWN = {
    METRIC_TABLE: (
        *("metric", "segment", "period", "light", "value", "target", "attainment", "variation"),
        *("p_hit", "n", "complete"),
    ),
    LINKS: (
        *("input", "target", "verdict", "lag", "effect", "effect_low", "effect_high", "q"),
        *("same_as", "reason"),
    ),
}
TITLES = {METRIC_TABLE: "Metric table", LINKS: "Links"}
MOST, ENDS = 20, 10
LARGE = 1000


def enable() -> None:
    """Show metric tables and links this way in the notebook that runs here, if one does."""
    ipython = sys.modules.get("IPython")
    get_shell = getattr(ipython, "get_ipython", None)
    shell = get_shell() if get_shell is not None else None
    if shell is not None:
        formatter = shell.display_formatter.formatters["text/html"]
        formatter.for_type_by_name("pandas", "DataFrame", html)


def html(frame: pd.DataFrame) -> str | None:
    """Return a frame as HTML: as a table with lights where it is one of ours, else as pandas'."""
    table = table_of(frame)
    if table is None:
        text: str | None = frame._repr_html_()  # type: ignore[operator]
        return text
    return table._repr_mimebundle_()["text/html"]


def table_of(frame: pd.DataFrame) -> Table | None:
    """Return what is shown of a metric table or of links; None for any other frame."""
    names = [name for name in frame.columns if isinstance(name, str)]
    for needed, shown in SHOWN.items():
        if set(needed) <= set(names) and frame.columns.is_unique:
            present = [name for name in shown if name in names]
            filled = [name for name in present if name in needed or frame[name].notna().any()]
            return _table(frame, filled, TITLES[needed])
    return None


def _table(frame: pd.DataFrame, columns: Sequence[str], title: str) -> Table:
    is_cut = len(frame) > MOST
    shown = frame.iloc[[*range(ENDS), *range(-ENDS, 0)]] if is_cut else frame
    rows: list[list[Any]] = []
    for place, row in enumerate(shown.to_dict("records")):
        if is_cut and place == ENDS:
            rows.append(["…"] * len(columns))
        rows.append([_cell(name, row[name], row.get("reason")) for name in columns])
    hidden = len(frame.columns) - len(columns)
    caption = f"{title}: {len(frame):,} {'row' if len(frame) == 1 else 'rows'}"
    if hidden:
        caption += f", {hidden} more columns"
    numeric = [name for name in columns if frame[name].dtype.kind in "if"]
    return Table(caption, columns, rows, frozenset(numeric))


def _cell(name: str, value: Any, reason: Any) -> Any:
    if value is None or value != value or str(value) in {"NaT", "<NA>"}:  # noqa: PLR0124  NaN
        return ""
    if name == "light":
        return Light(str(value), reason if isinstance(reason, str) else None)
    if isinstance(value, bool) or str(value) in {"True", "False"}:
        return "yes" if value else "no"
    if isinstance(value, Integral):
        return f"{int(value):,}"
    if isinstance(value, Real):
        number = float(value)
        return f"{number:,.0f}" if abs(number) >= LARGE else f"{number:.4g}"
    return str(value)
