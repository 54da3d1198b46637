"""The Excel tables and named ranges of a workbook, which `sheet:` may name as it names a sheet."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dataops_nb.sources.pages import Area

WHOLE_SHEET = 1_048_576  # rows


def list_areas(book: Any, path: Path) -> list[Area]:
    """Return the tables and named ranges of a workbook that openpyxl has opened, in their order."""
    return [*_list_tables(book, path), *_list_ranges(book)]


def _list_tables(book: Any, path: Path) -> Iterator[Area]:
    """Yield the tables of all sheets; their totals are no rows.

    A workbook that is only read does not know its tables, so they are looked up in its package.
    """
    from openpyxl.packaging.relationship import get_dependents, get_rels_path  # noqa: PLC0415
    from openpyxl.worksheet.table import Table  # noqa: PLC0415
    from openpyxl.xml.functions import fromstring  # noqa: PLC0415

    with zipfile.ZipFile(path) as package:
        names = set(package.namelist())
        for sheet in book.worksheets:
            relations = get_rels_path(sheet._worksheet_path.removeprefix("/"))
            if relations not in names:
                continue
            for relation in get_dependents(package, relations).find(Table._rel_type):
                table = Table.from_tree(fromstring(package.read(relation.target)))
                area = _area(table.displayName, sheet.title, table.ref, has_header=True)
                if area is not None:
                    yield Area(
                        area.name,
                        area.sheet,
                        area.top,
                        area.bottom - (table.totalsRowCount or 0),
                        area.left,
                        area.right,
                        has_header=table.headerRowCount != 0,
                        is_table=True,
                    )


def _list_ranges(book: Any) -> Iterator[Area]:
    """Yield the names that stand for one range of cells each."""
    named = [*book.defined_names.items()]
    for sheet in book.worksheets:
        named += getattr(sheet, "defined_names", {}).items()
    for name, defined in named:
        if defined.type != "RANGE" or name.startswith("_xlnm"):
            continue
        destinations = list(defined.destinations)
        if len(destinations) == 1:
            sheet_name, cells = destinations[0]
            area = _area(name, sheet_name, cells, has_header=True)
            if area is not None:
                yield area


def _area(name: str, sheet: str, cells: str, *, has_header: bool) -> Area | None:
    """Return a range such as `$A$1:$C$20` as an area; None for what is none."""
    from openpyxl.utils import range_boundaries  # noqa: PLC0415

    try:
        left, top, right, bottom = range_boundaries(cells)
    except ValueError:
        return None
    if left is None or right is None:
        return None
    return Area(name, sheet, top or 1, bottom or WHOLE_SHEET, left - 1, right - 1, has_header)
