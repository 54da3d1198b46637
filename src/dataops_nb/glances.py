"""What a notebook shows of frames: metric tables and links with lights, others as plain tables.

The frames stay pandas' own: only their look in a notebook is another one. Of a metric table and of
links the columns that are read are shown, of any other frame what pandas' display options let
through. Names of the index are column names like others, and joined names are written in one.
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
LONGEST = 1e15  # longer numbers are written with an exponent
MISSING = "–"


def enable() -> None:
    """Show frames this way in the notebook that runs here, if one does."""
    ipython = sys.modules.get("IPython")
    get_shell = getattr(ipython, "get_ipython", None)
    shell = get_shell() if get_shell is not None else None
    if shell is not None:
        formatter = shell.display_formatter.formatters["text/html"]
        formatter.for_type_by_name("pandas", "DataFrame", html)
        formatter.for_type_by_name("pandas", "Series", html)


def html(shown: pd.DataFrame | pd.Series) -> str:
    """Return a frame or a series as HTML: as a table, with lights where it is one of ours."""
    frame: Any = shown
    if isinstance(shown, sys.modules["pandas"].Series):
        frame = frame.to_frame("value" if frame.name is None else frame.name)
    table = table_of(frame) or plain_table(frame)
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


def plain_table(frame: pd.DataFrame) -> Table:
    """Return any frame as a table of texts, its index as the first columns.

    Rows that are only counted have no column. Of more rows or columns than pandas shows the ends
    stand, and the caption says how many there are. Decimals are as many as a column needs, up to
    those of `display.precision`.
    """
    options = sys.modules["pandas"].options.display
    columns = [*_index_columns(frame), *_columns(frame)]
    shown = _ends(len(columns), options.max_columns, options.max_columns)
    rows = _ends(len(frame), options.max_rows, options.min_rows)
    names, texts = list[str](), list[list[str]]()
    for place in shown:
        name, values = columns[place] if place is not None else ("…", None)
        names.append(name)
        texts.append(_texts(values, rows, options.precision))
    numeric = set[str]()
    for place in shown:
        if place is not None and columns[place][1].dtype.kind in "iufc":
            numeric.add(columns[place][0])
    caption = ""
    if None in rows or None in shown:
        caption = f"{len(frame):,} rows, columns: {len(frame.columns):,}"
    body = [list(cells) for cells in zip(*texts, strict=True)]
    return Table(caption, names, body, frozenset(numeric), "no rows")


def _index_columns(frame: pd.DataFrame) -> list[tuple[str, Any]]:
    """Return the levels of the index with their names; none where rows are only counted."""
    index = frame.index
    is_counted = type(index).__name__ == "RangeIndex" and index.name is None
    if is_counted and len(frame.columns):
        return []
    levels = list[tuple[str, Any]]()
    for place, name in enumerate(index.names):
        usual = "index" if index.nlevels == 1 else f"index {place + 1}"
        values = index.get_level_values(place).to_series()
        levels.append((usual if name is None else str(name), values))
    return levels


def _columns(frame: pd.DataFrame) -> list[tuple[str, Any]]:
    named = list[tuple[str, Any]]()
    for place, name in enumerate(frame.columns):
        parts = name if isinstance(name, tuple) else (name,)
        text = ", ".join(str(part) for part in parts if str(part))
        named.append((text, frame.iloc[:, place]))
    return named


def _ends(count: int, most: int | None, kept: int | None) -> list[int | None]:
    """Return the places that are shown, with None for those between the ends."""
    if not most or count <= most:
        return list(range(count))
    half = max(1, min(kept or most, most) // 2)
    return [*range(half), None, *range(count - half, count)]


def _texts(values: Any, rows: Sequence[int | None], precision: int) -> list[str]:
    if values is None:
        return ["…"] * len(rows)
    kept = values.iloc[[place for place in rows if place is not None]]
    texts = _written(kept, precision)
    if None in rows:
        texts.insert(rows.index(None), "…")
    return texts


def _written(values: Any, precision: int) -> list[str]:
    """Write the values of a column: numbers with equal decimals, days without a time."""
    known = values.dropna()
    write = _cut
    if values.dtype.kind == "f":
        style = _decimals(known.to_list(), precision)
        write = style.format
    elif values.dtype.kind == "M" and (known == known.dt.normalize()).all():
        write = "{:%Y-%m-%d}".format
    texts = list[str]()
    for value, is_missing in zip(values, values.isna(), strict=True):
        texts.append(MISSING if is_missing else write(value))
    return texts


def _cut(value: Any) -> str:
    text = {"True": "yes", "False": "no"}.get(str(value), str(value))
    widest = sys.modules["pandas"].options.display.max_colwidth
    return f"{text[:widest]}…" if widest and len(text) > widest else text


def _decimals(values: Sequence[float], precision: int) -> str:
    """Return the format with the fewest decimals that tells all values, up to so many."""
    if not all(-LONGEST < value < LONGEST for value in values):
        return f"{{:.{precision}g}}"
    for places in range(precision):
        if all(abs(round(value, places) - value) < 0.5 * 10**-precision for value in values):
            return f"{{:.{places}f}}"
    is_small = any(0 < abs(value) < 0.5 * 10**-precision for value in values)
    return f"{{:.{precision}{'g' if is_small else 'f'}}}"
