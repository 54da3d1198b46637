"""The papermill engine `dataops-forked`: the cells of a notebook run in this process, without a kernel.

papermill loads every registered engine whenever it is imported, so this module imports nothing but papermill's base
class; the shell comes when a notebook is executed.
"""

from __future__ import annotations

from typing import Any

from papermill.engines import Engine

NAME = "dataops-forked"


class Forked(Engine):  # type: ignore[misc]  # papermill has no types
    """Runs a notebook's cells in an IPython shell of this process; what they display is what a kernel would send."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Run the cells in order until one of them fails; papermill raises for that one afterwards.

        `on_cell_start` is called as nbclient calls it; papermill's options for a kernel are not needed.
        """
        from dataops_nb.execution import cells  # noqa: PLC0415  slow, and papermill loads this module for everybody

        cells.run(nb_man, on_cell_start=options.get("on_cell_start"))
