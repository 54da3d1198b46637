"""Finding a metric: the list of all of them on the front page, and a field that narrows it down.

The list is there without a script; the field appears with one. It filters what stands on the page, so it asks nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from dataops_nb.publish.markup import text
from dataops_nb.publish.saying import Said
from dataops_nb.publish.standing import Standing
from dataops_nb.story import numbers

LONGEST = 600
CHECKED = 150


@cache
def script() -> str:
    """What makes the field work."""
    return files("dataops_nb.publish").joinpath("finder.js").read_text(encoding="utf-8").strip()


def field() -> str:
    """The field, hidden until a script shows it."""
    return (
        '<div class="nb-find" role="search" hidden><label for="nb-find">Find a metric</label>'
        '<input id="nb-find" type="search" autocomplete="off" spellcheck="false" aria-controls="metrics" '
        'aria-describedby="nb-found"><span id="nb-found" role="status"></span></div>'
    )


def section(metrics: Sequence[Standing]) -> tuple[str, list[Said]]:
    """Every metric with its light, numbers and department, in the order of the definitions; and the lines in order.

    The lines of a company with very many metrics carry no facts, and beyond 600 the list ends: a page stays one that loads.
    """
    if not metrics:
        return "", []
    lines = [_line(each) for each in metrics[:LONGEST]]
    told = lines if len(metrics) <= CHECKED else [Said(line.report, line.text, ()) for line in lines]
    items = "".join(_item(each, line) for each, line in zip(metrics, told, strict=False))
    left, written = len(metrics) - LONGEST, numbers.at(metrics[0].locale)
    more = f'<p class="nb-note">{written.count(left)} more are in the numbers of the reports.</p>' if left > 0 else ""
    title = f"<summary>All {written.count(len(metrics))} metrics</summary>"
    return f'<details id="metrics">{title}<ul class="nb-metrics">{items}</ul>{more}</details>\n', told


def _line(metric: Standing) -> Said:
    words, used = metric.now()
    return metric.line(" · ".join(part for part in (words, metric.department) if part), used, [metric.department])


def _item(metric: Standing, line: Said) -> str:
    hidden = " ".join(part for part in (metric.metric, metric.question, metric.owner) if part)
    words, _ = metric.now()
    told = " · ".join(part for part in (text(words), f"<small>{text(metric.department)}</small>") if part)
    return f'<li data-find="{text(hidden)}"{line.attribute}>{metric.small} {metric.name} {told}</li>'
