"""Write a draft as the company's first files, each guess beside its reason.

What no file can tell stands there as a question.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dataops_nb.profile.amounts import name_currency
from dataops_nb.profile.draft import NORTH_STAR_REASON, PATIENT_GAPS, Draft
from dataops_nb.profile.maker import SuggestedMetric
from dataops_nb.profile.names import MONEY, SIGNS, has, is_count, title
from dataops_nb.profile.states import code_of
from dataops_nb.profile.suggestions import MOST_METRICS
from dataops_nb.profile.tables import Table

DEPARTMENT = "first"
NOTEBOOK = "10_north_star.ipynb"
COMMENT_COLUMN = 45
DIMENSION = "a dimension"
FILE_OPTIONS = (
    "encoding",
    "delimiter",
    "widths",
    "records",
    "header",
    "names",
    "footer",
    "skip",
    "decimal",
    "date_format",
    "year_from",
    "na",
    "sheet",
)
OFFSET = "TIMESTAMP WITH TIME ZONE"
LEAST_FRESH = 2
ASKED = [
    "the company's name, its currency, its time zone, "
    "the day its weeks and the month its years start with",
    "which system each file comes from, who owns it, and how old its last row may be",
    "which metrics are the North Star, and which way each is better (up unless you say otherwise)",
    "a target: without one there is no light",
    "what each light means and who does what",
]
COMPANY_HEAD = [
    "# yaml-language-server: $schema=.schema/company.schema.json",
    "# A first draft, made from the files below. "
    "A line with `guessed` was read out of them for the reason beside it;",
    "# notebooks/05_profile.ipynb shows the figures. A line with `ask` is what no file can tell.",
]
EVENTS_HEAD = "# yaml-language-server: $schema=.schema/events.schema.json"
STANDARD_LIGHTS = [
    "  standard:",
    '    green: {at_least: 1.00, means: "On plan.", do: "Keep going."}',
    '    yellow: {at_least: 0.85, means: "Recoverable.", do: "Review this week.", act_within: 14d}',
    '    red: {means: "The plan is at risk.", do: "Stop and plan again.", act_within: 5d}',
]
DEPARTMENT_HEAD = [
    "# yaml-language-server: $schema=../.schema/department.schema.json",
    "# Every metric below was guessed from the columns of a file, for the reason beside it. "
    "Delete what nobody acts on,",
    "# rename the rest, and give each department a file of its own.",
]
METRIC_QUESTIONS = [
    "# For each metric, ask:",
    "#   better: up                      # or down, or inside a band; up unless you say otherwise",
    "#   targets: [{from: 2026-01-01, per: week, value: 12}]     "
    "# without a target its light is unknown",
]


def write(draft: Draft, root: Path) -> dict[str, str]:
    """Return the text of each file under params/ by its name, for a workbench in `root`."""
    files = {
        "company.yaml": _company(draft, root),
        f"departments/{DEPARTMENT}.yaml": _department(draft),
    }
    if draft.north_star:
        files["reports.yaml"] = _reports(draft)
    events = list(_event_lines(draft))
    if events:
        files["events.yaml"] = _text([EVENTS_HEAD, *events])
    return files


def _event_lines(draft: Draft) -> Iterator[str]:
    """Yield an event for each day on which rows begin to be missing, for charts and first pages."""
    for name, remarks in draft.remarks.items():
        ids = [metric.id for metric in draft.metrics.get(name, []) if not metric.parts]
        for remark in remarks:
            if remark.day and ids:
                event = {"date": remark.day, "title": remark.title, "kind": "data", "metrics": ids}
                yield _line(f"- {_flow(event)}", f"guessed: {remark.text}")


def _company(draft: Draft, root: Path) -> str:
    currency_name, currency_reason = _guess_currency(draft)
    star_reason = "ask: nothing could be counted"
    if draft.north_star:
        star_reason = f"guessed: {NORTH_STAR_REASON}; ask: which are yours?"
    lines = [
        *COMPANY_HEAD,
        *_lost_files(draft),
        _line(f"company: {_flow(title(root.name))}", "ask: its name"),
        _line(f"currency: {currency_name or 'USD'}", currency_reason),
        _line(
            "timezone: UTC",
            "ask: where days, weeks and months are cut, as America/New_York",
        ),
        _line(
            f"data: {_flow(_data_folder(draft, root))}",
            "where the files lie and are read; nothing was copied",
        ),
        "calendar:",
        _line("  week_starts: monday", "ask"),
        _line(
            "  year: {starts: january}",
            "ask: the month the business year starts in",
        ),
        _line(f"north_star: {_flow(draft.north_star)}", star_reason),
        _line(
            "lights:",
            "ask: from which share of the target on a colour holds, and what is done",
        ),
        *STANDARD_LIGHTS,
        "sources:",
    ]
    for name in draft.sources:
        lines += _source_lines(draft, name)
    return _text(lines)


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _line(text: str, comment: str) -> str:
    """Return a line with its comment on one line, whatever names and values of the data hold."""
    if not comment:
        return text
    one_line = " ".join(comment.split())
    return f"{text:<{COMMENT_COLUMN}} # {one_line}"


def _flow(value: Any) -> str:
    """Return a value on one line of YAML."""
    text = yaml.safe_dump(
        value,
        default_flow_style=True,
        width=10**6,
        allow_unicode=True,
        sort_keys=False,
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _lost_files(draft: Draft) -> Iterator[str]:
    """Yield a line for each file that could not be used, before everything else."""
    for name, faults in draft.faults.items():
        path = draft.sources[name]["path"]
        yield _line(f"# {path} could not be used:", f"{len(faults)} faults; the first: {faults[0]}")


def _guess_currency(draft: Draft) -> tuple[str, str]:
    """Return the currency of most amounts, by columns of currencies and by names; and why."""
    votes: Counter[str] = Counter()
    reasons: dict[str, str] = {}
    for table in draft.tables.values():
        for money in table.currencies:
            if money.single:
                votes[money.single] += 1
                reason = f"{money.column} of {table.name} holds no other"
                reasons.setdefault(money.single, reason)
        for name in table.sums:
            code = name_currency(name)
            if code:
                votes[code] += 1
                reasons.setdefault(code, f"a column's name says {code}")
    for name, sign in draft.signs.items():
        code = SIGNS[sign].upper()
        votes[code] += 1
        reasons.setdefault(code, f"numbers of {name} are written with {sign}")
    if not votes:
        for table in draft.tables.values():
            for money in table.currencies:
                code = code_of(next(iter(money.counts)))
                votes[code] += 1
                reasons.setdefault(code, f"most rows of {table.name} are in it; there are others")
    if not votes:
        return "", "ask: no column says in which currency amounts are"
    code = votes.most_common(1)[0][0]
    return code, f"guessed: {reasons[code]}"


def _data_folder(draft: Draft, root: Path) -> str:
    """Return the files' folder, relative to the workbench where it lies beside or within it."""
    relative = os.path.relpath(draft.data, root)
    if relative.count("..") <= 1:
        return Path(relative).as_posix()
    return draft.data.as_posix()


def _source_lines(draft: Draft, name: str) -> Iterator[str]:
    options = draft.sources[name]
    reasons = _reasons(draft, name)
    yield f"  {name}:"
    table = draft.tables.get(name)
    if table is not None and table.system:
        known = "guessed: by its columns; ask: as people call it"
        yield _line(f"    system: {_flow(table.system.name)}", known)
    else:
        known = "ask: the system it comes from, as people call it"
        yield _line(f"    system: {_flow(title(name))}", known)
    yield _line("    # owner: Sales Ops", "ask: who owns it")
    if "query" in options:
        yield _line(f"    query: {_flow(options['query'])}", reasons.get("query", ""))
    else:
        yield f"    path: {_flow(options['path'])}"
    for option in FILE_OPTIONS:
        if option in options:
            yield _line(f"    {option}: {_flow(options[option])}", reasons.get(option, ""))
    if name in draft.faults:
        faults = draft.faults[name]
        comment = f"{len(faults)} faults; the first: {faults[0]}"
        yield _line("    on_fault: mark", comment)
    elif name in draft.tables:
        yield _key_line(draft.tables[name].key, reasons.get("key", ""))
        yield from _time_lines(draft, name)
        yield from _note_lines(draft, name)
        yield from _column_lines(draft, name)


def _note_lines(draft: Draft, name: str) -> Iterator[str]:
    """Yield what is told about a source that stands beside none of its lines."""
    beside = {f"{name}.{option}" for option in (*FILE_OPTIONS, "query", "key", "time", "columns")}
    for guess in draft.guesses:
        own = guess.about == name or guess.about.startswith((f"{name}.", f"{name}:"))
        if not own or guess.about in beside or guess.said.startswith("references"):
            continue
        column = guess.about.removeprefix(name).strip(".: ")
        text = " ".join(guess.why.split())
        if guess.said:
            text = f"guessed: {guess.said}: {text}"
        if column and column != "other columns" and column not in text:
            text = f"{column}: {text}"
        yield f"    # {text}"


def _key_line(key: list[str], reason: str) -> str:
    if not key:
        comment = f"ask: {reason}; rows that stand twice would count twice"
        return _line("    # key: id", comment)
    value = key[0] if len(key) == 1 else key
    return _line(f"    key: {_flow(value)}", reason)


def _time_lines(draft: Draft, name: str) -> Iterator[str]:
    table = draft.tables[name]
    if table.time is None:
        yield _line(
            "    # time: created_on",
            "ask: no column has days, so nothing is counted here",
        )
        return
    reason = _reasons(draft, name).get("time", "")
    yield _line(f"    time: {_flow(table.time)}", reason)
    column = table.column(table.time)
    zone = _zone(table)
    if zone:
        yield _line(f"    timezone: {zone}", f"guessed: {table.time} says so")
    elif column.type == "TIMESTAMP":
        yield _line(
            "    # timezone: UTC",
            "ask: where its clock stands; left out: the company's",
        )
    if table.monthly:
        period, days = {1: ("month", 45), 3: ("quarter", 135), 12: ("year", 450)}[
            table.months_apart
        ]
        yield _line(
            f"    fresh_within: {days}d",
            f"guessed: a row is about the {period} that starts on its day",
        )
    else:
        gap = draft.dense[name].gap if name in draft.dense else 1
        days = max(LEAST_FRESH, gap * PATIENT_GAPS)
        often = "every day" if gap <= 1 else f"every {gap} days or so"
        yield _line(
            f"    fresh_within: {days}d",
            f"guessed: rows come {often}; ask: how old may its last row be, before it is stale?",
        )


def _zone(table: Table) -> str:
    """Return the zone that the name of the time says: `Created (UTC)`; empty without one."""
    if table.time and "UTC" in table.time.upper().replace("(", " ").replace(")", " ").split():
        return "UTC"
    if table.system and table.system.zone:
        return table.system.zone
    return ""


def _column_lines(draft: Draft, name: str) -> Iterator[str]:
    """Yield the columns whose type was guessed, or that point at another source."""
    rules: dict[str, dict[str, Any]] = {}
    for column, rule in draft.sources[name].get("columns", {}).items():
        rules[column] = dict(rule)
    for reference in draft.references:
        if reference.source == name:
            rule = rules.setdefault(reference.column, {})
            rule["references"] = f"{reference.target}.{reference.key}"
    if rules:
        yield "    columns:"
    type_reason = _reasons(draft, name).get("columns", "")
    for column, rule in rules.items():
        reason = type_reason
        if "references" in rule:
            reason = f"guessed: {_reference_reason(draft, f'{name}.{column}')}"
        yield _line(f"      {_flow(column)}: {_flow(rule)}", reason)


def _reasons(draft: Draft, name: str) -> dict[str, str]:
    """Return why each option of a source was guessed, or could not be."""
    reasons = {}
    for guess in draft.guesses:
        if guess.about.startswith(f"{name}."):
            option = guess.about.removeprefix(f"{name}.")
            reasons[option] = f"guessed: {guess.why}" if guess.said else guess.why
    return reasons


def _reference_reason(draft: Draft, about: str) -> str:
    for guess in draft.guesses:
        if guess.about == about and guess.said.startswith("references"):
            return guess.why
    return ""


def _department(draft: Draft) -> str:
    metric_lines: list[str] = []
    order = {star: place for place, star in enumerate(draft.north_star)}
    chosen = draft.all_metrics
    chosen.sort(key=lambda metric: (order.get(metric.id, len(order)), -metric.weight))
    for metric in chosen:
        metric_lines += _metric_lines(draft, metric.source, metric)
    waiting_lines: list[str] = []
    for source_name, metrics in draft.waiting.items():
        for metric in metrics:
            for line in _metric_lines(draft, source_name, metric):
                waiting_lines.append(f"  # {line[2:]}")
    if waiting_lines:
        why = f"  # More that could be measured, left out to keep {MOST_METRICS} or fewer:"
        waiting_lines = [why, *waiting_lines]
    lines = [
        *DEPARTMENT_HEAD,
        _line("department: First department", "ask: its name"),
        _line("# owner: Head of Sales", "ask: who owns its metrics"),
        "defaults: {lights: standard}",
        *METRIC_QUESTIONS,
        "metrics:" if metric_lines else "metrics: {}",
        *metric_lines,
        *waiting_lines,
    ]
    if draft.indicators:
        lines.append("metrics_from:")
    for indicators in draft.indicators:
        lines.append(
            f"  # guessed: {indicators.why}; ask: which way each is better, as  "
            "better: {column: direction, map: {Up: up, Down: down}}"
        )
        lines.append(f"  - {_flow(indicators.definition)}")
    return _text(lines)


def _metric_lines(draft: Draft, source_name: str, metric: SuggestedMetric) -> Iterator[str]:
    yield _line(f"  {metric.id}:", f"guessed: {metric.why}")
    for key, value in metric.definition.items():
        comment = ""
        if key == "measure" and "unit" not in metric.definition and _is_money(value):
            comment = "ask: its unit, such as the currency"
        elif key == "by":
            comment = _dimension_reasons(draft, source_name, value)
        yield _line(f"    {key}: {_flow(value)}", comment)


def _dimension_reasons(draft: Draft, name: str, columns: list[str]) -> str:
    """Return why columns are dimensions."""
    whys = {guess.about: guess.why for guess in draft.guesses if guess.said == DIMENSION}
    known = [column for column in columns if f"{name}.{column}" in whys]
    return "; ".join(f"guessed: {whys[f'{name}.{column}']} of {column}" for column in known)


def _is_money(measure: dict[str, Any]) -> bool:
    expr = str(measure.get("expr", ""))
    return measure["agg"] == "sum" and has(expr, MONEY) and not is_count(expr)


def _reports(draft: Draft) -> str:
    grain = draft.grain
    reason = "every week has rows"
    if grain != "week":
        reason = "rows come too seldom for weeks"
    report = {"notebook": NOTEBOOK, "parameters": {"grain": grain}}
    return _text(
        [
            "# yaml-language-server: $schema=.schema/reports.schema.json",
            "first:",
            _line(f"  cadence: {grain}", f"guessed: {reason}"),
            "  reports:",
            f"    north-star: {_flow(report)}",
        ]
    )
