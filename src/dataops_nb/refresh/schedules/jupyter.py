"""Job definitions for jupyter-scheduler, one a report: it runs the notebooks inside JupyterLab, and publishes no pages."""

from __future__ import annotations

import json

from dataops_nb.refresh.parameters import declared, read
from dataops_nb.refresh.plan import Planned
from dataops_nb.refresh.schedules.moment import Plan


def files(plan: Plan) -> dict[str, str]:
    """A list; each item is the body of  POST /scheduler/job_definitions  of a JupyterLab opened in the workbench."""
    return {f"{plan.name}.json": json.dumps([_definition(plan, one) for one in plan.reports], indent=2) + "\n"}


def _definition(plan: Plan, one: Planned) -> dict[str, object]:
    """What differs from the notebook's own parameters, as Python literals: they are put into a cell as they are."""
    known = declared(read(plan.root / "notebooks" / one.notebook))
    return {
        "name": f"{plan.suite} {one.report}",
        "input_uri": f"notebooks/{one.notebook}",
        "runtime_environment_name": "python3",
        "output_formats": ["ipynb", "html"],
        "parameters": {
            name: repr(value)
            for name, value in one.parameters.items()
            if name != "as_of" and value != known[name].default
        },
        "schedule": plan.cron,
        "timezone": plan.timezone,
    }
