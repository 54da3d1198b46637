"""A draft as the company's first files: what was guessed stands beside its reason, what no file can tell is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dataops_nb.profile.drafting import WHY, Draft
from dataops_nb.profile.metrics import Proposed, currency
from dataops_nb.profile.names import MONEY, has, title

DEPARTMENT = "first"
NOTEBOOK = "10_north_star.ipynb"
COMMENT = 46
ASKED = [
    "the company's name, its currency, its time zone, the day its weeks and the month its years start with",
    "which system each file comes from, who answers for it, and how old its last row may be",
    "which metrics are the North Star, and which way each is better (up where nothing is said)",
    "targets: without one a light is unknown",
    "what each colour means, and what is done about it",
]


def write(draft: Draft, root: Path) -> dict[str, str]:
    """The files under params/ by name, for a workbench in `root`."""
    files = {"company.yaml": _company(draft, root), f"departments/{DEPARTMENT}.yaml": _department(draft)}
    return {**files, "reports.yaml": _reports(draft)} if draft.north_star else files


def _company(draft: Draft, root: Path) -> str:
    lines = [
        "# yaml-language-server: $schema=.schema/company.schema.json",
        "# A first draft, made from the files below. A line with `guessed` was read out of them for the reason beside it;",
        "# notebooks/05_profile.ipynb shows the figures. A line with `ask` is what no file can tell.",
        _line(f"company: {_flow(title(root.name))}", "ask: its name"),
        _line(f"currency: {_money(draft) or 'USD'}", _say_money(draft)),
        _line("timezone: UTC", "ask: where days, weeks and months are cut, as America/New_York"),
        _line(f"data: {_flow(_data(draft, root))}", "where the files lie and are read; nothing was copied"),
        "calendar:",
        _line("  week_starts: monday", "ask"),
        _line("  year: {starts: january}", "ask: the month the business year starts in"),
        _line(f"north_star: {_flow(draft.north_star)}", _say_north_star(draft)),
        _line("lights:", "ask: from which share of the target on a colour holds, and what is done"),
        "  standard:",
        '    green: {at_least: 1.00, means: "On plan.", do: "Keep going."}',
        '    yellow: {at_least: 0.85, means: "Recoverable.", do: "Review this week.", act_within: 14d}',
        '    red: {means: "The plan is at risk.", do: "Stop and plan again.", act_within: 5d}',
        "sources:",
    ]
    return "\n".join([*lines, *(line for name in draft.sources for line in _source(draft, name))]) + "\n"


def _line(text: str, comment: str) -> str:
    """A line with its comment, which no name or value of the data can end."""
    return f"{text:<{COMMENT - 1}} # {' '.join(comment.split())}" if comment else text


def _flow(value: Any) -> str:
    """A value on one line of YAML."""
    written = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True, sort_keys=False)
    return written.removesuffix("\n").removesuffix("\n...")


def _money(draft: Draft) -> str:
    names = [name for table in draft.tables.values() for name in table.sums]
    return next((found for name in names if (found := currency(name))), "")


def _say_money(draft: Draft) -> str:
    found = _money(draft)
    return f"guessed: a column's name says {found}" if found else "ask: no column says in which currency amounts are"


def _say_north_star(draft: Draft) -> str:
    return f"guessed: {WHY}; ask: which are yours?" if draft.north_star else "ask: nothing could be counted"


def _data(draft: Draft, root: Path) -> str:
    """The files' folder, told from the workbench where it lies beside or within it."""
    near = os.path.relpath(draft.data, root)
    return Path(near).as_posix() if near.count("..") <= 1 else draft.data.as_posix()


def _source(draft: Draft, name: str) -> Iterator[str]:
    options, table, said = draft.sources[name], draft.tables.get(name), _reasons(draft, name)
    yield f"  {name}:"
    yield _line(f"    system: {_flow(title(name))}", "ask: the system it comes from, as people call it")
    yield _line("    # owner: Sales Ops", "ask: who answers for it")
    yield f"    path: {_flow(options['path'])}"
    for option in ("encoding", "delimiter", "decimal", "date_format", "na"):
        if option in options:
            yield _line(f"    {option}: {_flow(options[option])}", said.get(option, ""))
    if name in draft.faults:
        faults = draft.faults[name]
        yield _line("    on_fault: mark", f"{len(faults)} faults; the first: {faults[0]}")
        return
    if table is None:
        return
    if table.key:
        yield _line(f"    key: {_flow(table.key[0] if len(table.key) == 1 else table.key)}", said.get("key", ""))
    else:
        yield _line("    # key: id", f"ask: {said.get('key', '')}; rows that stand twice would count twice")
    yield from _time(draft, name)
    yield from (f"    # {' '.join(g.why.split())}" for g in draft.guesses if g.about == f"{name}: other columns")
    yield from _columns(draft, name)


def _time(draft: Draft, name: str) -> Iterator[str]:
    table, said = draft.tables[name], _reasons(draft, name)
    if table.time is None:
        yield _line("    # time: created_on", "ask: no column has days, so nothing is counted here")
        return
    yield _line(f"    time: {_flow(table.time)}", said.get("time", ""))
    column = next(c for c in table.columns if c.name == table.time)
    if column.type == "TIMESTAMP":
        yield _line("    # timezone: UTC", "ask: where its clock stands; left out: the company's")
    if table.monthly:
        yield _line("    fresh_within: 45d", "guessed: a row is about the month that starts on its day")
    else:
        yield _line("    # fresh_within: 2d", "ask: how old may its last row be, before it is stale?")


def _columns(draft: Draft, name: str) -> Iterator[str]:
    agreed: dict[str, dict[str, Any]] = {c: dict(rule) for c, rule in draft.sources[name].get("columns", {}).items()}
    for one in draft.references:
        if one.source == name:
            agreed.setdefault(one.column, {})["references"] = f"{one.target}.{one.key}"
    if agreed:
        yield "    columns:"
    for column, rule in agreed.items():
        why = (
            "guessed: " + _reason(draft, f"{name}.{column}")
            if "references" in rule
            else _reasons(draft, name).get("columns", "")
        )
        yield _line(f"      {_flow(column)}: {_flow(rule)}", why)


def _reasons(draft: Draft, name: str) -> dict[str, str]:
    """Why each option of a source was guessed."""
    own = {g.about.removeprefix(f"{name}."): g for g in draft.guesses if g.about.startswith(f"{name}.")}
    return {option: f"guessed: {g.why}" if g.said else g.why for option, g in own.items()}


def _reason(draft: Draft, about: str) -> str:
    return next((g.why for g in draft.guesses if g.about == about and g.said.startswith("references")), "")


def _department(draft: Draft) -> str:
    lines = [
        "# yaml-language-server: $schema=../.schema/department.schema.json",
        "# Every metric below was guessed from the columns of a file, for the reason beside it. Delete what nobody acts on,",
        "# rename the rest, and give each department a file of its own.",
        _line("department: First department", "ask: its name"),
        _line("# owner: Head of Sales", "ask: who answers for its metrics"),
        "defaults: {lights: standard}",
        "# For each metric, ask:",
        "#   better: up                      # or down, or inside a band; up where nothing is said",
        "#   targets: [{from: 2026-01-01, per: week, value: 12}]     # without a target its light is unknown",
    ]
    metrics = [line for name, listed in draft.metrics.items() for one in listed for line in _metric(draft, name, one)]
    tables = [line for one in draft.indicators for line in _line_of_table(one.definition, one.why)]
    lines += ["metrics:" if metrics else "metrics: {}", *metrics]
    return "\n".join([*lines, *(["metrics_from:", *tables] if tables else [])]) + "\n"


def _metric(draft: Draft, source: str, metric: Proposed) -> Iterator[str]:
    yield _line(f"  {metric.id}:", f"guessed: {metric.why}")
    said = _reasons(draft, source)
    for key, value in metric.definition.items():
        comment = ""
        if key == "measure" and "unit" not in metric.definition and _is_money(value):
            comment = "ask: its unit, such as the currency"
        elif key == "by":
            comment = "; ".join(f"{said[column]} of {column}" for column in value if column in said)
        yield _line(f"    {key}: {_flow(value)}", comment)


def _is_money(measure: Any) -> bool:
    return isinstance(measure, dict) and has(str(measure.get("expr", "")), MONEY)


def _line_of_table(definition: dict[str, Any], why: str) -> Iterator[str]:
    yield f"  # guessed: {why}; ask: which way each is better, as  better: {{column: direction, map: {{Up: up, Down: down}}}}"
    yield f"  - {_flow(definition)}"


def _reports(draft: Draft) -> str:
    grain = draft.grain
    comment = f"guessed: {'rows come too seldom for weeks' if grain == 'month' else 'every week has rows'}"
    report = {"notebook": NOTEBOOK, "parameters": {"grain": grain}}
    return "\n".join(
        [
            "# yaml-language-server: $schema=.schema/reports.schema.json",
            "first:",
            _line(f"  cadence: {grain}", comment),
            "  reports:",
            f"    north-star: {_flow(report)}",
            "",
        ]
    )
