"""The papermill engine `dataops-forked`; apart from `cells`, because papermill imports it always.

papermill loads every registered engine when it is imported, for everybody. So this module imports
only papermill's base class; the shell comes when a notebook is executed, in this process and
without a kernel.
"""

from __future__ import annotations

from typing import Any

from papermill.engines import Engine

NAME = "dataops-forked"


class Forked(Engine):  # type: ignore[misc]  # papermill has no types
    """Run a notebook's cells in an IPython shell of this process; outputs are those of a kernel."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Run the cells in order until one fails; papermill raises for that one afterwards.

        `on_cell_start` is called as nbclient calls it; the options for a kernel are ignored.
        """
        # slow to import, and papermill loads this module for everybody
        from dataops_nb.reports.engine import cells  # noqa: PLC0415

        cells.run(nb_man, on_cell_start=options.get("on_cell_start"))
