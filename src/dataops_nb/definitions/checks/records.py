"""Events and things to solve speak of metrics that exist; things to solve have ids of their own."""

from __future__ import annotations

from dataops_nb.definitions.draft import Draft
from dataops_nb.definitions.models import SourceEvents


def check_records(draft: Draft) -> None:
    """events.yaml and solve_next.yaml."""
    for index, event in enumerate(draft.definitions.events):
        if isinstance(event, SourceEvents):
            _check_source(draft, index, event)
        for place, metric in enumerate(event.metrics if isinstance(event.metrics, list) else []):
            draft.say_unknown_metric(draft.others["events"], (index, "metrics", place), metric)
    first: dict[str, int] = {}
    for index, item in enumerate(draft.definitions.solve_next):
        file = draft.others["solve_next"]
        if item.metric is not None:
            draft.say_unknown_metric(file, (index, "metric"), item.metric)
        if item.id in first:
            draft.say(
                file, (index, "id"), f"{item.id!r} is the id of two things; the first is on line {first[item.id]}"
            )
        node = file.root.step(index)
        first.setdefault(item.id, node.line if node else 1)


def _check_source(draft: Draft, index: int, event: SourceEvents) -> None:
    draft.say_unknown_source(draft.others["events"], (index, "source"), event.source)
    source = draft.definitions.company.sources.get(event.source)
    if source is not None and source.time is None and event.date is None:
        file, text = draft.others["events"], f"source {event.source!r} has no time; say which column is the day"
        draft.say(file, (index, "date"), text)
