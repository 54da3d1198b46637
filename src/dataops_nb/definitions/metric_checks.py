"""Check the departments' files: ids of metrics, their parts, measures, and the names they use."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from dataops_nb.definitions.draft import Draft, Fault, File, Steps
from dataops_nb.definitions.expressions import fault_on_databases
from dataops_nb.definitions.nodes import Node
from dataops_nb.definitions.sql import fault_of_condition, fault_of_expression, sources_behind
from dataops_nb.definitions.value_checks import (
    fault_of_identifier,
    fault_of_name,
    faults_of_lights,
    faults_of_reconciling,
    faults_of_targets,
)
from dataops_nb.errors import did_you_mean
from dataops_nb.lineage import depths, find_cycles, metric_parts, names_in
from dataops_nb.metrics import (
    AnyMetric,
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
from dataops_nb.terms import GRAINS

# Aggregations whose result is an amount in the unit of the rows.
AMOUNTS = ("sum", "average", "min", "max", "median", "percentile")

# Metrics may stand on each other this deep.
DEEPEST = 50


def check_metrics(draft: Draft) -> None:
    """Report what is wrong in the departments' files: each metric, repeated ids, cycles."""
    for department_id, file in draft.departments.items():
        fault = fault_of_name(department_id, "department")
        if fault:
            draft.report(file, (), f"{fault}; rename the file")
        _check_defaults(draft, file)
        department = draft.definitions.departments[department_id]
        for metric_id, metric in department.metrics.items():
            _check_metric(draft, file, metric_id, metric)
    _check_ids(draft)
    _check_cycles(draft)


def _check_defaults(draft: Draft, file: File) -> None:
    """Report unknown names under `defaults`, which stand outside the tree of the file."""
    defaults_file = File(file.name, file.defaults)
    source = file.defaults.step("source")
    if source is not None and isinstance(source.value, str):
        draft.report_unknown_source(defaults_file, ("source",), source.value)
    lights = file.defaults.step("lights")
    if lights is not None and isinstance(lights.value, str):
        _check_lights_name(draft, defaults_file, ("lights",), lights.value)


def _check_lights_name(draft: Draft, file: File, path: Steps, name: str) -> None:
    if draft.company.readable:
        known = draft.company.declared.get("lights", {})
        draft.report_unknown(file, path, "set of lights", name, known)


def _check_metric(draft: Draft, file: File, metric_id: str, metric: AnyMetric) -> None:
    here: Steps = ("metrics", metric_id)
    node = Node({})
    section = file.root.step("metrics")
    if section is not None:
        node = section.step(metric_id) or node

    draft.report_all(file, here, faults_of_targets(metric, node))
    draft.report_all(file, here, faults_of_reconciling(draft, metric))
    draft.report_all(file, here, _faults_of_parts(metric))
    if isinstance(metric, Derived):
        draft.report_all(file, here, _faults_of_part_names(metric, draft.metrics))
    draft.report_all(file, here, _faults_of_links(metric_id, metric))
    draft.report_all(file, here, _faults_of_splits(metric))
    draft.report_all(file, (*here, "limits"), _faults_of_limits(metric))
    draft.report_all(file, here, _faults_of_pitches(metric))
    if isinstance(metric, Conversion):
        draft.report_all(file, here, _faults_of_conversion(draft, metric))
    if isinstance(metric, Simple):
        _check_measure(draft, file, (*here, "measure"), metric.measure)
    if isinstance(metric.lights, str):
        _check_lights_name(draft, file, (*here, "lights"), metric.lights)
    elif isinstance(metric.lights, Lights):
        draft.report_all(file, (*here, "lights"), faults_of_lights(metric.lights))

    for path, name in _sources_named(metric):
        draft.report_unknown_source(file, (*here, *path), name)
    draft.report_all(file, here, _faults_of_target_sources(draft, metric))
    for path, name in _metrics_named(metric):
        draft.report_unknown_metric(file, (*here, *path), name)


def _check_measure(draft: Draft, file: File, here: Steps, measure: Measure) -> None:
    draft.report_unknown_source(file, (*here, "source"), measure.source)
    draft.report_all(file, here, faults_of_measure(measure))
    draft.report_all(file, here, faults_of_time(draft, measure))
    draft.report_all(file, here, faults_on_databases(draft, measure))
    fault = _fault_of_currency(draft, measure)
    if fault:
        draft.report(file, (*here, "currency"), fault)


def faults_of_measure(measure: Measure) -> Iterator[Fault]:
    """Yield what is wrong with a measure by itself."""
    if measure.expr is None and measure.agg != "count":
        purpose = f"the column or expression that agg: {measure.agg} works on"
        yield ("expr",), f"missing key 'expr': {purpose}"
    if measure.agg == "percentile" and measure.q is None:
        yield ("q",), "missing key 'q': the share of values below; write q: 0.9"
    if measure.agg != "percentile" and measure.q is not None:
        yield ("q",), f"agg: {measure.agg} has no share; write agg: percentile, or leave q out"
    if measure.agg == "first_seen":
        for key in ("at", "open"):
            if getattr(measure, key) is not None:
                rule = "first_seen counts first rows over a whole period"
                yield (key,), f"{rule}; leave {key} out"

    if measure.expr is not None:
        fault = fault_of_expression(measure.expr)
        if fault:
            yield ("expr",), fault
    for key, condition in (("filter", measure.filter), ("exclude", measure.exclude)):
        if condition is not None:
            fault = fault_of_condition(condition)
            if fault:
                yield (key,), fault


def faults_of_time(draft: Draft, measure: Measure) -> Iterator[Fault]:
    """Yield a fault where no column puts the rows of a measure on a calendar."""
    source = draft.definitions.sources.get(measure.source)
    if source is None or source.time or measure.time or measure.open:
        return
    advice = f"say it here, or as time of the source {measure.source!r}"
    yield ("time",), f"no time column: {advice}"


def faults_on_databases(draft: Draft, measure: Measure) -> Iterator[Fault]:
    """Yield SQL that may mean something else where the rows stay in a database."""
    if stays_in_database(draft, measure.source):
        for key in ("expr", "filter", "exclude"):
            sql = getattr(measure, key)
            fault = fault_on_databases(sql) if sql else ""
            if fault:
                yield (key,), fault


def stays_in_database(draft: Draft, source: str) -> bool:
    """Tell whether a source, or one that its query reads, is a database other than DuckDB's."""
    known = draft.definitions.sources
    if source not in known:
        return False
    for name in sources_behind(known, [source]):
        url = known[name].url
        if url and not url.lower().startswith("duckdb:"):
            return True
    return False


def _fault_of_currency(draft: Draft, measure: Measure) -> str:
    if measure.currency is None:
        return ""
    if measure.agg not in AMOUNTS:
        return f"agg: {measure.agg} has no amount to convert; leave currency out"
    if draft.company.readable and draft.definitions.rates is None:
        return "needs exchange rates: declare  rates:  in company.yaml"
    return ""


def _faults_of_parts(metric: AnyMetric) -> Iterator[Fault]:
    """Yield what is wrong with windows and formulas."""
    if isinstance(metric, Cumulative | Conversion) and metric.window.unit == "period":
        units = "days, weeks, months, quarters or years"
        yield ("window",), f"a window has a length of its own; write {units}"
    elif isinstance(metric, Cumulative):
        if metric.window.count == 0:
            yield ("window",), "a window must be longer than nothing"
    elif isinstance(metric, Conversion):
        fault = fault_of_expression(metric.entity)
        if fault:
            yield ("entity",), fault
    elif isinstance(metric, Derived):
        names, fault = _read_formula(metric.expr)
        if fault:
            yield ("expr",), fault
        elif not names:
            yield ("expr",), "names no metric"
        yield from _faults_of_earlier_parts(metric, names)


def _faults_of_earlier_parts(metric: Derived, names: list[str]) -> Iterator[Fault]:
    """Yield parts that the formula does not name, and offsets that fit no period of a grain."""
    for name, part in metric.parts.items():
        if names and name not in names:
            near = did_you_mean(name, names)
            yield (
                ("parts", name),
                f"expr does not name {name!r}{near}; use it there, or leave it out",
            )
        place, offset = ("parts", name, "offset"), part.offset
        if offset.count == 0:
            yield place, "is no earlier period; write 1 period, or name the metric in expr"
            continue
        right = [grain for grain in GRAINS if offset.is_whole(grain)]
        wrong = [grain for grain in metric.grains if grain not in right]
        if wrong:
            advice = f"say  grains: [{', '.join(right)}]  or write it in periods"
            yield place, f"{offset} is no whole number of {wrong[0]}s; {advice}"


def _faults_of_part_names(metric: Derived, metrics: Collection[str]) -> Iterator[Fault]:
    """Yield names of parts that are no identifiers, or mean a metric already."""
    for name in metric.parts:
        fault = fault_of_identifier(name, "part")
        if fault:
            yield ("parts", name), fault
        elif name in metrics:
            rule = "a part needs a name of its own, so that expr is read one way"
            yield ("parts", name), f"{name!r} is a metric; {rule}: {name}_before"


def _read_formula(formula: str | None) -> tuple[list[str], str]:
    """Return the metrics that a formula names, and why it cannot be read; "" where it can."""
    if not formula:
        return [], ""
    try:
        return names_in(formula), ""
    except ValueError as error:
        return [], str(error)


def _faults_of_conversion(draft: Draft, metric: Conversion) -> Iterator[Fault]:
    """Yield sides of a conversion that are not rows, or rows that depend on the period."""
    for key in ("base_metric", "conversion_metric"):
        name = getattr(metric, key)
        part = draft.definitions.metrics.get(name)
        if part is None:
            continue
        if isinstance(part, Simple) and stays_in_database(draft, part.measure.source):
            fault = fault_on_databases(metric.entity)
            if fault and key == "base_metric":
                yield ("entity",), fault
        if not isinstance(part, Simple):
            rule = "a conversion counts rows, so it needs a simple metric"
            yield (key,), f"{name} is {part.type}; {rule}"
            continue
        conditions = (part.measure.filter or "", part.measure.exclude or "")
        if any(":period_" in condition for condition in conditions):
            rule = "depend on the period asked for; filter without :period_start"
            yield (key,), f"the rows of {name} {rule}"


def _faults_of_links(metric_id: str, metric: AnyMetric) -> Iterator[Fault]:
    """Yield links of a metric to itself, and a worth that is no formula."""
    for index, move in enumerate(metric.moves):
        if move.metric == metric_id:
            place = ("moves", index, "metric")
            yield place, "a metric does not move itself; name another"
    for index, other in enumerate(metric.reconcile):
        if other.with_ == metric_id:
            place = ("reconcile", index, "with")
            yield place, "a metric agrees with itself; name the other system's"
    _, fault = _read_formula(metric.worth)
    if fault:
        yield ("worth",), fault


def _faults_of_splits(metric: AnyMetric) -> Iterator[Fault]:
    for index, split in enumerate(metric.by):
        if split == []:
            yield ("by", index), "is empty; expected columns"
        if isinstance(split, Listed) and split.values is not None:
            _, _, column = split.values.partition(".")
            if not column:
                message = f"{split.values!r} is not source.column; write staff.agent"
                yield ("by", index, "values"), message


def _faults_of_limits(metric: AnyMetric) -> Iterator[Fault]:
    """Yield spans of limits that have no end, or end before they start."""
    lock = metric.limits.lock
    if lock is not None:
        if lock.to is None:
            purpose = "the last day that limits are computed from"
            yield ("lock", "to"), f"missing key 'to': {purpose}"
        elif lock.to < lock.from_:
            yield ("lock", "to"), f"ends before it starts on {lock.from_}"
    for index, rebase in enumerate(metric.limits.rebase):
        if rebase.to is not None and rebase.to < rebase.from_:
            place = ("rebase", index, "to")
            yield place, f"ends before it starts on {rebase.from_}"


def _faults_of_pitches(metric: AnyMetric) -> Iterator[Fault]:
    for name, text in metric.pitch.items():
        fault = fault_of_name(name, "pitch")
        if fault:
            yield ("pitch", name), fault
        for message in _faults_of_pitch(text):
            yield ("pitch", name), message

    choice = metric.pitch_choice
    if choice is not None and choice.use not in metric.pitch:
        near = did_you_mean(choice.use, metric.pitch)
        message = f"{choice.use!r} is no pitch of this metric{near}"
        yield ("pitch_choice", "use"), message


def _faults_of_pitch(text: str) -> Iterator[str]:
    """Yield braces without a partner, and facts that are not written {metric.field}."""
    rest = re.sub(r"\{[^{}]*\}", "", text)
    if "{" in rest or "}" in rest:
        yield "a { or } has no partner; facts are written {metric.field}"
    for fact in _facts_in_pitch(text):
        if not re.fullmatch(r"[^.\s]+\.\S.*", fact):
            advice = "write {metric.field}, like {closed_won.value}"
            yield f"{{{fact}}} is no fact; {advice}"


def _facts_in_pitch(text: str) -> list[str]:
    return re.findall(r"\{([^{}]*)\}", text)


def _sources_named(metric: AnyMetric) -> Iterator[tuple[Steps, str]]:
    """Yield the sources that targets and lists of members name, with the place of each."""
    for index, target in enumerate(metric.targets):
        if isinstance(target, SourceTarget):
            yield ("targets", index, "source"), target.source
    for index, split in enumerate(metric.by):
        if isinstance(split, Listed) and split.values is not None:
            source_name, _, column = split.values.partition(".")
            if column:
                yield ("by", index, "values"), source_name


def _faults_of_target_sources(draft: Draft, metric: AnyMetric) -> Iterator[Fault]:
    """Yield sources of targets that have no time column."""
    for index, target in enumerate(metric.targets):
        if not isinstance(target, SourceTarget):
            continue
        source = draft.definitions.sources.get(target.source)
        if source is not None and source.time is None:
            advice = f"declare  time:  on the source {target.source!r}"
            yield ("targets", index, "source"), f"targets need days: {advice}"


def _metrics_named(metric: AnyMetric) -> Iterator[tuple[Steps, str]]:
    """Yield every metric that a metric names, with the place of each."""
    yield from _parts_named(metric)
    for index, move in enumerate(metric.moves):
        yield ("moves", index, "metric"), move.metric
    for index, other in enumerate(metric.reconcile):
        yield ("reconcile", index, "with"), other.with_
    names, _ = _read_formula(metric.worth)
    for name in names:
        yield ("worth",), name
    for pitch_name, text in metric.pitch.items():
        for fact in _facts_in_pitch(text):
            name, dot, _ = fact.partition(".")
            if dot:
                yield ("pitch", pitch_name), name


def _parts_named(metric: AnyMetric) -> Iterator[tuple[Steps, str]]:
    match metric:
        case Ratio():
            for key in ("numerator", "denominator"):
                part = getattr(metric, key)
                if isinstance(part, Offset):
                    yield (key, "metric"), part.metric
                else:
                    yield (key,), part
        case Cumulative():
            yield ("metric",), metric.metric
        case Conversion():
            yield ("base_metric",), metric.base_metric
            yield ("conversion_metric",), metric.conversion_metric
        case Derived():
            for name in _read_formula(metric.expr)[0]:
                if name not in metric.parts:
                    yield ("expr",), name
            for name, part in metric.parts.items():
                yield ("parts", name, "metric"), part.metric


def parts_of(metric: AnyMetric) -> list[str]:
    """List the parts of a metric; none where its expression cannot be read."""
    try:
        return metric_parts(metric)
    except ValueError:
        return []


def _check_ids(draft: Draft) -> None:
    """Report ids that are no identifiers, or are declared twice."""
    first_places: dict[str, str] = {}
    for file in draft.departments.values():
        for metric_id, node in file.declared.get("metrics", {}).items():
            here = ("metrics", metric_id)
            fault = fault_of_identifier(metric_id, "metric")
            if fault:
                draft.report(file, here, fault)
            if metric_id in first_places:
                first = f"the first is {first_places[metric_id]}"
                message = f"the metric {metric_id!r} is declared a second time; {first}"
                draft.report(file, here, message)
            first_places.setdefault(metric_id, f"{file.name}:{node.line}")


def _check_cycles(draft: Draft) -> None:
    """Report metrics that stand on themselves, in the last file that declares them."""
    files: dict[str, File] = {}
    for file in draft.departments.values():
        for metric_id in file.declared.get("metrics", {}):
            files[metric_id] = file
    parts = {metric_id: parts_of(metric) for metric_id, metric in draft.definitions.metrics.items()}
    for cycle in find_cycles(parts):
        message = f"stands on itself: {' -> '.join(cycle)}"
        draft.report(files[cycle[0]], ("metrics", cycle[0]), message)
    for metric_id, depth in depths(parts).items():
        if depth == DEEPEST + 1 and metric_id in files:
            rule = f"stands on {depth} metrics one below the other"
            message = (
                f"{rule}; nobody follows more than {DEEPEST}: name the lower ones in one formula"
            )
            draft.report(files[metric_id], ("metrics", metric_id), message)
