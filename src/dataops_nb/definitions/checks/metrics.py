"""Departments and their metrics: ids, parts, measures and the names they speak of."""

from __future__ import annotations

import re

from dataops_nb.definitions.checks.company import faults_of_lights
from dataops_nb.definitions.checks.expressions import fault_of_condition, fault_of_expression
from dataops_nb.definitions.checks.names import fault_of_identifier, fault_of_name
from dataops_nb.definitions.checks.reconciling import faults_of_reconciling
from dataops_nb.definitions.checks.targets import faults_of_targets
from dataops_nb.definitions.draft import Draft, File, Steps
from dataops_nb.definitions.lineage import AnyMetric, find_cycles, metric_parts, names_in
from dataops_nb.definitions.models import (
    Conversion,
    Cumulative,
    Derived,
    Lights,
    Listed,
    Measure,
    Offset,
    Ratio,
    Simple,
    SourceTarget,
)
from dataops_nb.definitions.reading import Node
from dataops_nb.errors import did_you_mean

Fault = tuple[Steps, str]
AMOUNTS = ("sum", "average", "min", "max", "median")


def check_metrics(draft: Draft) -> None:
    """Every metric by itself, then ids that are used twice and metrics that stand on themselves."""
    for id_, file in draft.departments.items():
        if fault := fault_of_name(id_, "department"):
            draft.say(file, (), f"{fault}; rename the file")
        _check_defaults(draft, file)
        for metric_id, metric in draft.definitions.departments[id_].metrics.items():
            _check_metric(draft, file, metric_id, metric)
    _check_ids(draft)
    _check_cycles(draft)


def _check_defaults(draft: Draft, file: File) -> None:
    source, lights = file.defaults.step("source"), file.defaults.step("lights")
    elsewhere = File(file.name, file.defaults)
    if source is not None and isinstance(source.value, str):
        draft.say_unknown_source(elsewhere, ("source",), source.value)
    if lights is not None and isinstance(lights.value, str):
        _check_lights_name(draft, elsewhere, ("lights",), lights.value)


def _check_lights_name(draft: Draft, file: File, path: Steps, name: str) -> None:
    if draft.company.readable:
        draft.say_unknown(file, path, "set of lights", name, draft.company.declared.get("lights", {}))


def _check_metric(draft: Draft, file: File, id_: str, metric: AnyMetric) -> None:
    here: Steps = ("metrics", id_)
    node = file.root.step("metrics")
    node = (node and node.step(id_)) or Node({})
    faults = [*faults_of_targets(metric, node), *_faults_of_parts(metric), *_faults_of_notes(id_, metric)]
    faults += faults_of_reconciling(draft, metric)
    if isinstance(metric, Conversion):
        faults += _faults_of_events(draft, metric)
    if isinstance(metric, Simple):
        draft.say_unknown_source(file, (*here, "measure", "source"), metric.measure.source)
        own = [*faults_of_measure(metric.measure), *faults_of_time(draft, metric.measure)]
        faults += [(("measure", *path), message) for path, message in own]
        faults += _faults_of_currency(draft, metric.measure)
    _check_sources_beside(draft, file, here, metric)
    if isinstance(metric.lights, str):
        _check_lights_name(draft, file, (*here, "lights"), metric.lights)
    elif isinstance(metric.lights, Lights):
        faults += [(("lights", *path), message) for path, message in faults_of_lights(metric.lights)]
    for path, message in faults:
        draft.say(file, (*here, *path), message)
    for path, name in _metrics_named(metric):
        draft.say_unknown_metric(file, (*here, *path), name)


def _check_sources_beside(draft: Draft, file: File, here: Steps, metric: AnyMetric) -> None:
    """The sources of targets, which need a time, and of listed members, which are one column."""
    for index, target in enumerate(metric.targets):
        if isinstance(target, SourceTarget):
            place = (*here, "targets", index, "source")
            draft.say_unknown_source(file, place, target.source)
            source = draft.definitions.company.sources.get(target.source)
            if source is not None and source.time is None:
                draft.say(file, place, f"targets need days: declare  time:  on the source {target.source!r}")
    for index, split in enumerate(metric.by):
        if isinstance(split, Listed) and split.values is not None:
            place = (*here, "by", index, "values")
            name, dot, column = split.values.partition(".")
            if not dot or not column:
                draft.say(file, place, f"{split.values!r} is not source.column; write staff.agent")
            else:
                draft.say_unknown_source(file, place, name)


def faults_of_measure(measure: Measure) -> list[Fault]:
    """What is wrong with a measure by itself."""
    faults: list[Fault] = []
    if measure.expr is None and measure.agg != "count":
        faults.append((("expr",), f"missing key 'expr': the column or expression that agg: {measure.agg} works on"))
    for key in ("at", "open"):
        if measure.agg == "first_seen" and getattr(measure, key) is not None:
            faults.append(((key,), f"first_seen counts first rows over a whole period; leave {key} out"))
    if measure.expr is not None and (fault := fault_of_expression(measure.expr)):
        faults.append((("expr",), fault))
    for key in ("filter", "exclude"):
        condition = getattr(measure, key)
        if condition is not None and (fault := fault_of_condition(condition)):
            faults.append(((key,), fault))
    return faults


def faults_of_time(draft: Draft, measure: Measure) -> list[Fault]:
    """A measure whose rows nothing puts on a calendar."""
    source = draft.definitions.company.sources.get(measure.source)
    if source is None or source.time or measure.time or measure.open:
        return []
    return [(("time",), f"no time column: say it here, or as time of the source {measure.source!r}")]


def _faults_of_currency(draft: Draft, measure: Measure) -> list[Fault]:
    if measure.currency is None:
        return []
    if measure.agg not in AMOUNTS:
        return [(("measure", "currency"), f"agg: {measure.agg} has no amount to convert; leave currency out")]
    declared = draft.definitions.company.rates is not None or not draft.company.readable
    return [] if declared else [(("measure", "currency"), "needs exchange rates: declare  rates:  in company.yaml")]


def _faults_of_parts(metric: AnyMetric) -> list[Fault]:
    match metric:
        case Cumulative() | Conversion() if metric.window.unit == "period":
            return [(("window",), "a window has a length of its own; write days, weeks, months, quarters or years")]
        case Cumulative() if metric.window.count == 0:
            return [(("window",), "a window must be longer than nothing")]
        case Conversion():
            fault = fault_of_expression(metric.entity)
            return [(("entity",), fault)] if fault else []
        case Derived():
            fault = _fault_of_arithmetic(metric.expr)
            return [(("expr",), fault)] if fault else []
        case _:
            return []


def _fault_of_arithmetic(expr: str) -> str:
    try:
        return "" if names_in(expr) else "names no metric"
    except ValueError as error:
        return str(error)


def _faults_of_events(draft: Draft, metric: Conversion) -> list[Fault]:
    """Both sides of a conversion are rows: simple metrics, whose rows do not depend on the period asked for."""
    faults: list[Fault] = []
    for key, name in (("base_metric", metric.base_metric), ("conversion_metric", metric.conversion_metric)):
        part = draft.definitions.metrics.get(name)
        if part is not None and not isinstance(part, Simple):
            faults.append(((key,), f"{name} is {part.type}; a conversion counts rows, so it needs a simple metric"))
        elif part is not None and any(
            ":period_" in (text or "") for text in (part.measure.filter, part.measure.exclude)
        ):
            faults.append(((key,), f"the rows of {name} depend on the period asked for; filter without :period_start"))
    return faults


def _faults_of_notes(id_: str, metric: AnyMetric) -> list[Fault]:
    """Links to itself, crossed dimensions without columns, and limits locked to days that run backwards."""
    faults: list[Fault] = []
    for index, move in enumerate(metric.moves):
        if move.metric == id_:
            faults.append((("moves", index, "metric"), "a metric does not move itself; name another"))
    for index, other in enumerate(metric.reconcile):
        if other.with_ == id_:
            faults.append((("reconcile", index, "with"), "a metric agrees with itself; name the other system's"))
    for index, split in enumerate(metric.by):
        if split == []:
            faults.append((("by", index), "is empty; expected columns"))
    if metric.limits.lock is not None and metric.limits.lock.to is None:
        faults.append((("limits", "lock", "to"), "missing key 'to': the last day that limits are computed from"))
    for path, dated in [
        (("lock",), metric.limits.lock),
        *((("rebase", i), d) for i, d in enumerate(metric.limits.rebase)),
    ]:
        if dated is not None and dated.to is not None and dated.to < dated.from_:
            faults.append((("limits", *path, "to"), f"ends before it starts on {dated.from_}"))
    if fault := _fault_of_worth(metric):
        faults.append((("worth",), fault))
    return [*faults, *_faults_of_pitches(metric)]


def _faults_of_pitches(metric: AnyMetric) -> list[Fault]:
    faults: list[Fault] = [
        (("pitch", name), each) for name, text in metric.pitch.items() for each in _faults_of_pitch(text)
    ]
    faults += [(("pitch", name), fault) for name in metric.pitch if (fault := fault_of_name(name, "pitch"))]
    if metric.pitch_choice is not None and metric.pitch_choice.use not in metric.pitch:
        near = did_you_mean(metric.pitch_choice.use, metric.pitch)
        faults.append((("pitch_choice", "use"), f"{metric.pitch_choice.use!r} is no pitch of this metric{near}"))
    return faults


def _facts_in(text: str) -> list[str]:
    return re.findall(r"\{([^{}]*)\}", text)


def _faults_of_pitch(text: str) -> list[str]:
    rest = re.sub(r"\{[^{}]*\}", "", text)
    faults = ["a { or } has no partner; facts are written {metric.field}"] if "{" in rest or "}" in rest else []
    wrong = [fact for fact in _facts_in(text) if not re.fullmatch(r"[^.\s]+\.\S.*", fact)]
    return faults + [f"{{{fact}}} is no fact; write {{metric.field}}, like {{closed_won.value}}" for fact in wrong]


def _metrics_named(metric: AnyMetric) -> list[tuple[Steps, str]]:
    """Every metric that a metric speaks of, and where."""
    named: list[tuple[Steps, str]] = []
    match metric:
        case Ratio():
            for key, part in (("numerator", metric.numerator), ("denominator", metric.denominator)):
                named.append(((key, "metric"), part.metric) if isinstance(part, Offset) else ((key,), part))
        case Cumulative():
            named.append((("metric",), metric.metric))
        case Conversion():
            named += [(("base_metric",), metric.base_metric), (("conversion_metric",), metric.conversion_metric)]
        case Derived():
            named += [(("expr",), name) for name in parts_of(metric)]
    named += [(("moves", index, "metric"), move.metric) for index, move in enumerate(metric.moves)]
    named += [(("reconcile", index, "with"), other.with_) for index, other in enumerate(metric.reconcile)]
    named += [(("worth",), name) for name in _names_of_worth(metric)]
    for name, text in metric.pitch.items():
        named += [(("pitch", name), fact.split(".")[0]) for fact in _facts_in(text) if "." in fact]
    return named


def _names_of_worth(metric: AnyMetric) -> list[str]:
    try:
        return names_in(metric.worth) if metric.worth else []
    except ValueError:
        return []


def _fault_of_worth(metric: AnyMetric) -> str:
    try:
        names_in(metric.worth or "0")
    except ValueError as error:
        return str(error)
    return ""


def parts_of(metric: AnyMetric) -> list[str]:
    """The parts of a metric; none where its expression cannot be read."""
    try:
        return metric_parts(metric)
    except ValueError:
        return []


def _check_ids(draft: Draft) -> None:
    first: dict[str, str] = {}
    for file in draft.departments.values():
        for id_, node in file.declared.get("metrics", {}).items():
            if fault := fault_of_identifier(id_, "metric"):
                draft.say(file, ("metrics", id_), fault)
            if id_ in first:
                draft.say(
                    file, ("metrics", id_), f"the metric {id_!r} is declared a second time; the first is {first[id_]}"
                )
            first.setdefault(id_, f"{file.name}:{node.line}")


def _check_cycles(draft: Draft) -> None:
    places = {id_: file for file in draft.departments.values() for id_ in file.declared.get("metrics", {})}
    parts = {id_: parts_of(metric) for id_, metric in draft.definitions.metrics.items()}
    for cycle in find_cycles(parts):
        draft.say(places[cycle[0]], ("metrics", cycle[0]), f"stands on itself: {' -> '.join(cycle)}")
