"""Charts: where people would rather look. Direct labels and dashes, never colour alone; each with a text alternative.

In JupyterLab a chart is an SVG, drawn without a network. While a report is refreshed it leaves the notebook as its
Vega-Lite specification, and the page builder draws it.
"""

from __future__ import annotations

from dataops_nb.charts import importing  # noqa: F401  first: it says how altair is loaded
from dataops_nb.charts.lines import compare, trend
from dataops_nb.charts.parts import by_segment
from dataops_nb.charts.priorities import eisenhower
from dataops_nb.charts.rendering import enable
from dataops_nb.charts.waterfall import bridge, waterfall

__all__ = ["bridge", "by_segment", "compare", "eisenhower", "trend", "waterfall"]

enable()
