"""The company's files: what they may say, and what a person is told where they may not."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from dataops_nb import definitions, lineage
from dataops_nb.definitions import nodes
from dataops_nb.definitions.company_checks import TAKEN
from dataops_nb.definitions.models import Definitions
from dataops_nb.errors import DefinitionsError, UsageError
from dataops_nb.lineage import metric_parts

ROOT = Path(__file__).parents[2]
COMPANY = """
company: Lumen Supply
timezone: America/New_York
north_star: [revenue]
lights:
  standard:
    green: {at_least: 1.00, means: On plan., do: Keep going.}
    yellow: {at_least: 0.85, means: Recoverable., do: Review., act_within: 14d}
    red: {means: At risk., do: Re-plan., act_within: 5d}
sources:
  deals: {system: CRM, path: deals.csv, time: closed_at}
  invoices: {system: Billing, path: invoices.csv, time: day}
"""
SALES = """
department: Sales
defaults: {source: deals, lights: standard}
metrics:
  won: {type: simple, measure: {agg: count, filter: "stage = 'won'"}}
  closed: {type: simple, measure: {agg: count}}
  revenue: {type: simple, measure: {source: invoices, agg: sum, expr: amount}}
"""


@pytest.fixture
def params(tmp_path):
    """Write files under params/, company.yaml and one department unless they are given, and return the folder."""

    def write(files: dict[str, str] | None = None, **metrics: str) -> Path:
        folder = tmp_path / "params"
        (folder / "departments").mkdir(parents=True, exist_ok=True)
        lines = "".join(f"  {id_}: {text}\n" for id_, text in metrics.items())
        texts = {"company.yaml": COMPANY, "departments/sales.yaml": SALES + lines} | (files or {})
        for name, text in texts.items():
            (folder / name).write_text(dedent(text), encoding="utf-8")
        return folder

    return write


def mistakes(folder: Path, **options: Path) -> list[str]:
    with pytest.raises(DefinitionsError) as caught:
        definitions.load(folder, **options)
    return [str(mistake) for mistake in caught.value.mistakes]


def said_about(folder: Path, word: str) -> str:
    """What is said in the one line about `word`."""
    [line] = [line for line in mistakes(folder) if word in line]
    return line


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "no",
        "yes",
        "on",
        "12:30",
        "007",
        "1_000",
        "0x10",
        "0o7",
        "None",
        "nan",
        ".nan",
        ".inf",
        "True",
        "404s",
    ],
)
def test_what_only_a_machine_takes_for_a_value_stays_text(written):
    root, faults = nodes.parse(f"a: {written}", "f")
    assert (root.plain(), faults) == ({"a": written}, [])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("~", None),
        ("-12", -12),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("2026-02-28", dt.date(2026, 2, 28)),
        ('"5"', "5"),
    ],
)
def test_bools_nothing_plain_numbers_and_days_are_values(written, value):
    assert nodes.parse(f"a: {written}", "f")[0].plain() == {"a": value}


def test_a_day_that_no_calendar_has_stays_text():
    assert nodes.parse("a: 2026-02-30", "f")[0].plain() == {"a": "2026-02-30"}


def test_a_key_is_text_whatever_it_looks_like():
    assert nodes.parse("1: a\ntrue: b\n2026-01-01: c\n404s: d", "f")[0].plain() == {
        "1": "a", "true": "b", "2026-01-01": "c", "404s": "d",
    }  # fmt: skip


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40))
def test_quoted_text_is_read_as_it_is(text):
    assert nodes.parse(f"a: {json.dumps(text, ensure_ascii=False)}", "f")[0].plain() == {"a": text}


@given(st.text(max_size=60))
def test_any_text_is_a_tree_or_a_list_of_mistakes(text):
    root, faults = nodes.parse(text, "f")
    assert root is not None or faults


def test_every_node_knows_its_line_and_key():
    root, _ = nodes.parse("a:\n  - b: 1\n    c:\n      d: 2\n", "f")
    node = root.step("a").step(0).step("c").step("d")
    assert (node.line, node.key) == (4, "a[0].c.d")


def test_a_repeated_key_names_both_lines():
    _, [fault] = nodes.parse("a: 1\nb: 2\na: 3\n", "f")
    assert (fault.line, fault.key) == (3, "a")
    assert "line 1" in fault.message


def test_aliases_and_anchors_are_refused_with_their_lines():
    _, faults = nodes.parse("a: &x 1\nb: 2\nc: *x\n", "f")
    assert [(fault.line, fault.message.split(" is")[0]) for fault in faults] == [
        (1, "the anchor &x"),
        (3, "the alias *x"),
    ]


def test_an_alias_bomb_is_refused_at_its_first_aliases():
    names = "abcdefghi"
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in pairwise(names)]
    _, faults = nodes.parse("\n".join(lines), "f")
    assert {fault.line for fault in faults} == set(range(1, 10))


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system [ls]", "!!str 5", "!own x", "! x"]
)
def test_tags_are_refused(tag):
    _, faults = nodes.parse(f"a: 1\nb: {tag}\n", "f")
    assert [(fault.line, "tag" in fault.message) for fault in faults] == [(2, True)]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_absurd_depth_is_refused(opening):
    root, [fault] = nodes.parse(opening * 5000, "f")
    assert root is None
    assert "deeper" in fault.message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a:\n\tb: 1\n", 2, "a tab; indent with spaces"),
        ("a: 1\nlabel: Sales: won\n", 2, "a second ': '"),
        ("a: 1\nfoo\nb: 2\n", 3, "a key without ': '"),
        ("a: 1\nb: {x: 1, y\nc: 2\n", 2, "the '{' opened here"),
        ("a: [\n", 2, "before a '[' or '{' is closed"),
        ("a: [1, 2\nb: 3\n", 1, "the '[' opened here"),
        ('a: 1\nb: "x\nc: 2\n', 2, "a quotation mark is opened here"),
        ("a:\n    b: 1\n  c: 2\n", 3, "the indentation"),
        ("a: %x\n", 1, "text that starts with % needs quotes"),
        ("decimal: ,\n", 1, "text that starts with , needs quotes"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("a: 1\nb: \x07\n", 2, "a control character"),
        ("a: 1\n[b]: 2\n", 2, "a key must be text"),
    ],
)
@pytest.mark.parametrize("loader", ["fast", "plain"])
def test_a_broken_file_is_explained_with_its_line(monkeypatch, loader, text, line, words):
    if loader == "plain":
        monkeypatch.setattr(nodes, "_LOADER", yaml.SafeLoader)
    _, [fault] = nodes.parse(text, "f")
    assert fault.line == line
    assert words in fault.message


def test_a_file_in_another_encoding_is_named_with_its_line(params):
    folder = params()
    (folder / "glossary.yaml").write_bytes("a: b\nMüller: x\n".encode("cp1252"))
    assert said_about(folder, "glossary").startswith(
        "params/glossary.yaml:2: glossary.yaml is not UTF-8"
    )


# --- what may be said -------------------------------------------------------------------------------------------------


def test_defaults_go_into_every_metric_that_says_nothing_else(params):
    metrics = definitions.load(
        params(own="{type: simple, lights: null, measure: {source: invoices, agg: count}}")
    ).metrics
    assert (metrics["won"].measure.source, metrics["won"].lights) == ("deals", "standard")
    assert (metrics["own"].measure.source, metrics["own"].lights) == ("invoices", None)


def test_the_default_time_belongs_to_the_default_source(params):
    text = SALES.replace("{source: deals,", "{source: deals, time: signed_at,")
    metrics = definitions.load(params({"departments/sales.yaml": text})).metrics
    assert (metrics["won"].measure.time, metrics["revenue"].measure.time) == ("signed_at", None)


def test_labels_titles_and_names_may_be_any_text(params):
    folder = params(
        {
            "events.yaml": "- {date: 2026-08-04, title: 2024, kind: 1.50}\n",
            "glossary.yaml": "2024: 2026-01-01\n",
        },
        year="{type: simple, label: 2024, unit: true, measure: {agg: count}}",
    )
    known = definitions.load(folder)
    assert (known.metrics["year"].label, known.metrics["year"].unit) == ("2024", "true")
    assert (known.events[0].title, known.events[0].kind, known.glossary) == (
        "2024",
        "1.50",
        {"2024": "2026-01-01"},
    )


def test_numbers_are_written_as_people_write_them(params):
    known = definitions.load(
        params(
            rate="{type: ratio, numerator: won, denominator: closed, unit: percent, targets: [{value: 3%}]}",
            reply="{type: simple, measure: {agg: average, expr: d}, better: inside, targets: [{low: 2, high: 1w}]}",
        )
    )
    assert known.metrics["rate"].targets[0].value == 0.03
    assert (known.metrics["reply"].targets[0].low, known.metrics["reply"].targets[0].high) == (
        2.0,
        7.0,
    )


@pytest.mark.parametrize("text", ["nan%", "1_0%", "inf", "3,5%", "x%"])
def test_what_is_no_number_is_not_read_as_one(params, text):
    assert f"'{text}' is not a number" in said_about(
        params(a=f'{{type: simple, measure: {{agg: count}}, targets: [{{value: "{text}"}}]}}'),
        "value",
    )


def test_a_quoted_day_is_a_day(params):
    known = definitions.load(params({"holidays.yaml": '- {date: "2026-12-25", name: Christmas}\n'}))
    assert known.holidays[0].date == dt.date(2026, 12, 25)


def test_one_name_may_stand_for_a_list_of_keys(params):
    text = COMPANY.replace("path: deals.csv,", "path: deals.csv, key: 7,")
    assert definitions.load(params({"company.yaml": text})).company.sources["deals"].key == ["7"]


def test_the_packaged_company_is_sound():
    assert definitions.load(ROOT / "params", notebooks=ROOT / "notebooks").metrics


def test_empty_optional_files_say_nothing(params):
    known = definitions.load(
        params({"events.yaml": "", "reports.yaml": "# later\n", "glossary.yaml": ""})
    )
    assert (known.events, known.suites, known.glossary) == ([], {}, {})


# --- what is a mistake ------------------------------------------------------------------------------------------------


def test_all_mistakes_of_all_files_are_listed_at_once(params):
    folder = params(
        {
            "company.yaml": COMPANY.replace("New_York", "New_Yrok").replace(
                "north_star: [revenue]", "north_star: [revenu]"
            ),
            "departments/ops.yaml": "department: Ops\nmetrics:\n  won: {type: simple, measure: {source: deals, agg: count}}\n",
            "reports.yaml": "weekly:\n  cadense: week\n  reports: {a: {notebook: a.ipynb, parameters: {department: sale}}}\n",
            "events.yaml": "- {date: 2026-08-04, title: Release, kind: release, metrics: [clsed]}\n",
            "solve_next.yaml": "- {id: a}\n",
        },
        a="{type: simple, lable: x, measure: {agg: summ, expr: x}}",
        b="{type: ratio, numerator: won, denominator: wonn}",
    )
    found = "\n".join(mistakes(folder))
    for place, words in {
        "params/company.yaml:3: timezone": "did you mean 'America/New_York'?",
        "params/company.yaml:4: north_star[0]": "no metric 'revenu'; did you mean 'revenue'?",
        "params/departments/sales.yaml:5: metrics.won": "declared a second time; the first is params/departments/ops.yaml:3",
        "params/departments/sales.yaml:8: metrics.a.lable": "unknown key 'lable'; did you mean 'label'?",
        "params/departments/sales.yaml:8: metrics.a.measure.agg": "did you mean 'sum'?",
        "params/departments/sales.yaml:9: metrics.b.denominator": "did you mean 'won'?",
        "params/reports.yaml:2: weekly.cadense": "did you mean 'cadence'?",
        "params/reports.yaml:3: weekly.reports.a.parameters.department": "did you mean 'sales'?",
        "params/events.yaml:1: [0].metrics[0]": "did you mean 'closed'?",
        "params/solve_next.yaml:1: [0].title": "missing key 'title'",
    }.items():
        assert any(line.startswith(place) and words in line for line in found.splitlines()), (
            place,
            found,
        )


def test_mistakes_are_listed_without_pandas_or_duckdb(params):
    folder = params(a="{type: simple, lable: x, measure: {agg: count}}")
    code = f"""
import sys
from pathlib import Path
from dataops_nb import definitions
_, found = definitions.survey(Path({str(folder)!r}))
print(len(found), sorted({{"pandas", "duckdb"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1 []\n"


def test_a_misspelt_required_key_is_one_mistake(params):
    folder = params(a="{type: simple, mesure: {source: deals, agg: count}}")
    assert mistakes(folder) == [
        "params/departments/sales.yaml:8: metrics.a.mesure: unknown key 'mesure'; did you mean 'measure'?"
    ]


def test_a_missing_key_is_named_where_it_is_missing(params):
    text = COMPANY.replace("deals: {system: CRM, path", "deals: {path")
    assert mistakes(params({"company.yaml": text})) == [
        "params/company.yaml:11: sources.deals.system: missing key 'system'"
    ]


def test_a_mistake_in_a_default_is_told_once_and_there(params):
    text = SALES.replace("lights: standard", "lights: standrad, betr: up")
    assert mistakes(params({"departments/sales.yaml": text})) == [
        "params/departments/sales.yaml:3: defaults.betr: unknown key 'betr'; did you mean 'better'?",
        "params/departments/sales.yaml:3: defaults.lights: no set of lights 'standrad'; did you mean 'standard'?",
    ]


def test_a_file_that_cannot_be_read_hides_no_other_mistake_and_invents_none(params):
    broken = "department: Ops\nmetrics:\n\tup: {type: simple}\n"
    folder = params({"departments/ops.yaml": broken}, a="{type: derived, expr: up / wonn}")
    assert mistakes(folder) == [
        "params/departments/ops.yaml:3: a tab; indent with spaces",
        "params/departments/sales.yaml:8: metrics.a.expr: no metric 'wonn'; did you mean 'won'?",
    ]


def test_no_company_and_no_department_are_said_plainly(tmp_path):
    (tmp_path / "params").mkdir()
    assert mistakes(tmp_path / "params") == [
        "params/company.yaml:1: the file is missing",
        "params/departments:1: no department is declared; write departments/NAME.yaml for each",
    ]


def test_a_file_that_would_be_passed_over_is_a_mistake(params):
    folder = params({"event.yaml": "[]", "departments/ops.yml": "department: Ops"})
    assert [line.split("; ")[1] for line in mistakes(folder)] == [
        "did you mean 'ops.yaml'?",
        "did you mean 'events.yaml'?",
    ]


METRIC_MISTAKES = [
    ("{measure: {agg: count}}", "type: missing key 'type'; expected simple"),
    ("{tpye: simple, measure: {agg: count}}", "tpye: unknown key 'tpye'; did you mean 'type'?"),
    ("{type: ratoi, numerator: won, denominator: closed}", "type: 'ratoi' is not one of simple"),
    ("{type: simple, measure: {source: dealz, agg: count}}", "measure.source: no source 'dealz'; did you mean 'deals'?"),
    ("{type: simple, measure: {agg: sum}}", "measure.expr: missing key 'expr'"),
    ("{type: simple, measure: {agg: sum, expr: sum(x)}}", "measure.expr: aggregates rows"),
    ('{type: simple, measure: {agg: sum, expr: "unnest([x, 2])"}}', "measure.expr: makes several rows"),
    ("{type: simple, measure: {agg: sum, expr: 'a, b'}}", "measure.expr: is not one SQL expression: not expected: ','"),
    ("{type: simple, measure: {agg: sum, expr: 'd < :period_end'}}", "measure.expr: unknown placeholder :period_end"),
    ("{type: simple, measure: {agg: count, filter: 'a ='}}", "measure.filter: is not one SQL expression: something is missing"),
    ("{type: simple, measure: {agg: count, filter: 'a; drop table b'}}", "measure.filter: is not one SQL expression: leave the semicolon"),
    ("{type: simple, measure: {agg: count, filter: \"a = 'x\"}}", "measure.filter: is not one SQL expression: a quotation mark"),
    ("{type: simple, measure: {agg: count, exclude: drop table a}}", "measure.exclude: is not one SQL expression"),
    ("{type: simple, measure: {agg: count, exclude: a in (select 1)}}", "measure.exclude: holds a SELECT"),
    ("{type: simple, measure: {agg: count, filter: 'd < :period_ende'}}", "measure.filter: unknown placeholder :period_ende; did you mean 'period_end'?"),
    ("{type: simple, measure: {agg: first_seen, expr: x, at: end}}", "measure.at: first_seen"),
    ("{type: simple, measure: {agg: first_seen, expr: x, open: {from: a, to: b}}}", "measure.open: first_seen"),
    ("{type: ratio, numerator: won, denominator: {metric: closed}}", "denominator.offset: missing key 'offset'"),
    ("{type: cumulative, metric: won, window: 2 periods}", "window: a window has a length of its own"),
    ("{type: cumulative, metric: won, window: 90}", "window: 90 has no unit; write 90d"),
    ("{type: derived, expr: won ** 2}", "expr: 'won ** 2' is more than"),
    ("{type: derived, expr: f(won)}", "expr: 'f(won)' is more than"),
    ("{type: derived, expr: won +}", "expr: 'won +' is not arithmetic"),
    ("{type: derived, expr: 1 + 1}", "expr: names no metric"),
    ("{type: derived, expr: a + 1}", "a: stands on itself: a -> a"),
    ("{type: simple, measure: {agg: last, expr: amount}}", "measure.agg: 'last' is not one of count, sum, average, min, max, median, percentile, count_distinct or first_seen; write at: end"),
    ("{type: simple, measure: {agg: avg, expr: amount}}", "measure.agg: 'avg' is not one of count"),
    ("{type: simple, measure: {agg: p90, expr: amount}}", "measure.agg: 'p90' is not one of count, sum, average, min, max, median, percentile, count_distinct or first_seen; write percentile, with q: 0.90"),
    ("{type: count}", "type: 'count' is not one of simple, ratio, cumulative, derived or conversion; write simple, with measure: {agg: count}"),
    ("{type: rolling, metric: won, window: 3w}", "type: 'rolling' is not one of simple, ratio, cumulative, derived or conversion; write cumulative"),
    ("{type: simple, measure: {agg: count, date: day}}", "measure.date: unknown key 'date'; did you mean 'time'?"),
    ("{type: simple, measure: {agg: count}, group_by: [team]}", "group_by: unknown key 'group_by'; did you mean 'by'?"),
    ("{type: simple, measure: {agg: sum, expr: amount, at: last}}", "measure.at: 'last' can only be end"),
    ("{type: simple, measure: {agg: count, where: x > 1}}", "measure.where: unknown key 'where'; did you mean 'filter'?"),
    ("{type: conversion, base: won, conversion_metric: closed, entity: id, window: 9d}", "base: unknown key 'base'; did you mean 'base_metric'?"),
    ("{type: simple, measure: {agg: count}, targets: [{value: 1, months: {december: 2}}]}", "targets[0].months: unknown key 'months'; did you mean 'season'?"),
    ("{type: simple, measure: {agg: count}, better: higher}", "better: 'higher' is not one of up, down or inside; write up"),
    ("{type: derived, expr: won / before, parts: {before: {metric: wom, offset: 1 period}}}", "parts.before.metric: no metric 'wom'; did you mean 'won'?"),
    ("{type: derived, expr: won / befor, parts: {before: {metric: won, offset: 1 period}}}", "expr: no metric 'befor'"),
    ("{type: derived, expr: won, parts: {before: {metric: won, offset: 1 period}}}", "parts.before: expr does not name 'before'"),
    ("{type: derived, expr: won / closed, parts: {closed: {metric: won, offset: 1 period}}}", "parts.closed: 'closed' is a metric; a part needs a name of its own"),
    ("{type: derived, expr: won / before, parts: {be-fore: {metric: won, offset: 1 period}}}", "parts.be-fore: 'be-fore' is no part name"),
    ("{type: derived, expr: won / before, parts: {before: {metric: won, offset: 1 month}}}", "parts.before.offset: 1 month is no whole number of weeks; say  grains: [day, month]"),
    ("{type: derived, expr: won / before, grains: [week, month], parts: {before: {metric: won, offset: 1 week}}}", "parts.before.offset: 1 week is no whole number of months; say  grains: [day, week]"),
    ("{type: derived, expr: won / before, parts: {before: {metric: won, offset: 0 periods}}}", "parts.before.offset: is no earlier period"),
    ("{type: derived, expr: won / before, parts: {before: {metric: a, offset: 1 period}}}", "a: stands on itself: a -> a"),
    ("{type: simple, measure: {agg: percentile, expr: amount}}", "measure.q: missing key 'q'"),
    ("{type: simple, measure: {agg: percentile, expr: amount, q: 90}}", "measure.q: must be less than 1"),
    ("{type: simple, measure: {agg: percentile, expr: amount, q: 0}}", "measure.q: must be greater than 0"),
    ("{type: simple, measure: {agg: median, expr: amount, q: 0.5}}", "measure.q: agg: median has no share"),
    ("{type: simple, measure: {agg: count}, lights: standrd}", "lights: no set of lights 'standrd'; did you mean 'standard'?"),
    ("{type: simple, measure: {agg: count}, better: upp}", "better: 'upp' is not one of up, down or inside; did you mean 'up'?"),
    ("{type: simple, measure: {agg: count}, moves: [{metric: a}]}", "moves[0].metric: a metric does not move itself"),
    ("{type: simple, measure: {agg: count}, moves: [{metric: closd}]}", "moves[0].metric: no metric 'closd'"),
    ("{type: simple, measure: {agg: count}, reconcile: [{with: wn, key: {left: a, right: b}}]}", "reconcile[0].with: no metric 'wn'"),
    ("{type: simple, measure: {agg: count}, pitch: {x: 'We won {wn.value}.'}}", "pitch.x: no metric 'wn'"),
    ("{type: simple, measure: {agg: count}, pitch: {x: 'We won {won}.'}}", "pitch.x: {won} is no fact"),
    ("{type: simple, measure: {agg: count}, pitch: {../x: 'We won.'}}", "pitch.../x: '../x' is no pitch name"),
    ("{type: simple, measure: {agg: count}, limits: {lock: {from: 2026-02-01, to: 2026-01-01, because: x}}}", "limits.lock.to: ends before"),
    ("{type: simple, measure: {agg: count}, targets: null}", "targets: is empty; expected a list"),
    ("{type: simple, measure: {agg: count}, targets: [{value: 1}, {value: 2}]}", "targets[1].from: a second target without from"),
    ("{type: simple, measure: {agg: count}, targets: [{low: 1, high: 2}]}", "targets[0].low: a band is for better: inside"),
    ("{type: simple, measure: {agg: count}, targets: [{per: week}]}", "targets[0].value: missing key 'value'"),
    ("{type: simple, measure: {agg: count}, better: inside, targets: [{low: 3, high: 2}]}", "targets[0].low: low 3 is above high 2"),
    ("{type: simple, measure: {agg: count}, better: inside, targets: [{low: 3}]}", "targets[0].high: missing key 'high'"),
    ("{type: simple, measure: {agg: count}, unit: percent, targets: [{value: 3}]}", "targets[0].value: 3 is 300%; write 3%"),
    ("{type: simple, measure: {agg: count}, targets: [{by: working_days, value: 2}]}", "targets[0].by: spreads a target over the days of its period; say which with per"),
    ("{type: simple, measure: {agg: average, expr: x}, targets: [{per: week, value: 2}]}", "targets[0].per: agg: average has no amount"),
    ("{type: simple, measure: {agg: sum, expr: x, at: end}, targets: [{per: week, value: 2}]}", "targets[0].per: a stock has"),
    ("{type: cumulative, metric: won, window: 1y, targets: [{per: week, value: 2}]}", "targets[0].per: a cumulative metric has"),
    ("{type: simple, measure: {agg: count}, targets: [{from: 2026-02-30, value: 2}]}", "targets[0].from: '2026-02-30' is not a date"),
]  # fmt: skip


@pytest.mark.parametrize(("metric", "words"), METRIC_MISTAKES)
def test_a_mistaken_metric_is_told_at_its_key(params, metric, words):
    where = "metrics." if words.startswith("a: ") else "metrics.a."
    assert any(f"sales.yaml:8: {where}{words}" in line for line in mistakes(params(a=metric)))


@pytest.mark.parametrize(
    "unit_and_target",
    [
        "unit: percent, targets: [{value: 300%}]",
        "unit: percent, targets: [{value: 0.5}]",
        "unit: deals, targets: [{value: 3}]",
    ],
)
def test_a_target_above_one_is_right_where_it_says_percent_or_is_none(params, unit_and_target):
    assert definitions.load(
        params(a=f"{{type: simple, measure: {{agg: count}}, {unit_and_target}}}")
    )


COMPANY_MISTAKES = [
    ("deals: {system: CRM, path: deals.csv,", "deals: {system: CRM,", "sources.deals.path: a source needs one of path, query or url"),
    ("path: deals.csv,", "path: deals.csv, query: select 1,", "sources.deals.query: a source has path or query, not both"),
    ("path: deals.csv,", "query: select * from invoicez,", "sources.deals.query: no source 'invoicez'; did you mean 'invoices'?"),
    ("path: deals.csv,", "query: select * from deals,", "sources.deals.query: reads itself: deals -> deals"),
    ("path: deals.csv,", "query: drop table invoices,", "sources.deals.query: is not one SELECT but DROP"),
    ("path: deals.csv,", "query: select * from invoices; select 1,", "sources.deals.query: is not one SELECT: leave the semicolon out"),
    ("path: deals.csv,", "query: 'select * from read_csv(''x.csv'')',", "sources.deals.query: reads a file by itself"),
    ("path: deals.csv,", "path: deals.csv, timezone: Europe/Berln,", "sources.deals.timezone: unknown time zone 'Europe/Berln'; did you mean 'Europe/Berlin'?"),
    ("path: deals.csv,", "path: deals.csv, latest: at,", "sources.deals.latest: says which of the rows"),
    ("path: deals.csv,", "path: deals.csv, covers: {from: 2026-02-01, to: 2026-01-01},", "sources.deals.covers.to: ends before"),
    ("path: deals.csv,", "path: deals.csv, covers: {to: today},", "sources.deals.covers.to: 'today' is not a date like 2026-01-31 or as_of"),
    ("path: deals.csv,", "path: deals.csv, encoding: cp125,", "sources.deals.encoding: unknown encoding 'cp125'; did you mean 'cp1252'?"),
    ("path: deals.csv,", "path: deals.csv, sheet: A,", "sources.deals.sheet: a sheet needs a path to a workbook"),
    ("path: deals.csv,", "path: deals.csv, columns: {a: {type: txt}},", "sources.deals.columns.a.type: 'txt' is not one of"),
    ("path: deals.csv,", "path: deals.csv, columns: {a: {references: account.id}},", "sources.deals.columns.a.references: no source 'account'"),
    ("path: deals.csv,", "path: deals.csv, columns: {a: {nulls: 5}},", "sources.deals.columns.a.nulls: 5 is no share; write"),
    ("path: deals.csv,", "path: deals.csv, columns: {a: {nulls: 5%, required: true}},", "sources.deals.columns.a.nulls: contradicts required"),
    ("path: deals.csv,", "path: deals.csv, rows: {min: 5, max: 4},", "sources.deals.rows.min: 5 is above max 4"),
    ("path: deals.csv,", "path: deals.csv, rows: {min: -1},", "sources.deals.rows.min: must be at least 0"),
    ("path: deals.csv,", "path: deals.csv, rows: {mim: 1},", "sources.deals.rows.mim: unknown key 'mim'; did you mean 'min'?"),
    (", time: closed_at", "", None),
    ("deals: {system", "de als: {system", "sources.de als: 'de als' is no source name"),
    ("at_least: 0.85", "at_least: 1.2", "lights.standard.yellow.at_least: yellow starts at 1.2, which must be below green's 1"),
    ("at_least: 1.00, ", "", "lights.standard.green.at_least: missing key 'at_least'"),
    ("red: {", "red: {at_least: 0, ", "lights.standard.red.at_least: red is everything below"),
    ("timezone: America/New_York", "calendar: {week_one: january_1}", "calendar.week_one: weeks that start on Monday are ISO weeks"),
    ("timezone: America/New_York", "calendar: {year: {pattern: 4-5-4}}", "calendar.year.ends: a pattern needs the day the year ends on"),
    ("timezone: America/New_York", "calendar: {year: {ends: last friday of may}}", "calendar.year.ends: needs a pattern: 4-4-5, 4-5-4 or 5-4-4"),
    ("timezone: America/New_York", "calendar: {year: {pattern: 4-5-5, ends: last friday of may}}", "calendar.year.pattern: '4-5-5' is not one of 4-4-5, 4-5-4 or 5-4-4"),
    ("timezone: America/New_York", "calendar: {year: {pattern: 4-5-4, ends: sat nearest jan 31}}", "calendar.year.ends: 'sat nearest jan 31' names no day that a year can end on; did you mean 'saturday nearest january 31'?"),
    ("timezone: America/New_York", "calendar: {year: {pattern: 4-5-4, ends: the last Saturdy in Januari}}", "did you mean 'last saturday of january'?"),
    ("timezone: America/New_York", "calendar: {year: {pattern: 4-5-4, ends: 2026-01-31}}", "calendar.year.ends: '2026-01-31' names no day that a year can end on; write saturday nearest january 31, "),
    ("timezone: America/New_York", "calendar: {year: {pattern: 4-5-4, ends: friday nearest february 29}}", "not every february has a day 29; write february end for its last"),
    ("timezone: America/New_York", "calendar: {week_starts: monday, year: {pattern: 4-5-4, ends: saturday nearest january 31}}", "calendar.week_starts: a year that ends on a saturday has weeks that start on sunday; write sunday or leave it out"),
    ("timezone: America/New_York", "calendar: {year: {starts: june, pattern: 4-5-4, ends: saturday nearest january 31}}", "calendar.year.starts: a year that ends on the saturday nearest january 31 starts on the day after, about february; leave it out"),
    ("timezone: America/New_York", "calendar: {week_one: january_1, year: {pattern: 4-5-4, ends: last sunday of may}}", "calendar.week_one: weeks that start on Monday are ISO weeks"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "words"), [row for row in COMPANY_MISTAKES if row[2]])
def test_a_mistaken_company_is_told_at_its_key(params, old, new, words):
    assert any(
        words in line for line in mistakes(params({"company.yaml": COMPANY.replace(old, new)}))
    )


@pytest.mark.parametrize(
    ("ends", "canonical", "weeks"),
    [
        ("Saturday nearest to 31 January", "saturday nearest january 31", "sunday"),
        ("friday nearest the end of may", "friday nearest may end", "saturday"),
        ("last Sunday in June", "last sunday of june", "monday"),
    ],
)
def test_the_day_a_year_ends_on_may_be_said_as_people_say_it_and_weeks_follow_it(
    params, ends, canonical, weeks
):
    calendar = f"calendar: {{year: {{pattern: 4-4-5, ends: {ends}}}}}\n"
    known = definitions.load(params({"company.yaml": COMPANY + calendar})).company.calendar
    assert (str(known.year.ends), known.first_weekday) == (canonical, weeks)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("reports.example.com", "is no address; write https://reports.example.com"),
        ("ftp://reports.example.com", "is no address"),
        ("https://ann:secret@reports.example.com", "leave out user, password"),
        ("https://reports.example.com/?a=1", "leave out user, password, ? and #"),
    ],
)
def test_the_address_of_the_site_is_the_start_of_every_link(params, address, words):
    text = COMPANY + f'site_url: "{address}"\n'
    assert words in said_about(params({"company.yaml": text}), "site_url")


def test_the_address_of_the_site_is_kept(params):
    text = COMPANY + "site_url: https://reports.example.com/lumen\n"
    known = definitions.load(params({"company.yaml": text}))
    assert known.company.site_url == known.site_url == "https://reports.example.com/lumen"


@pytest.mark.parametrize(
    ("digest", "words"),
    [
        ("{ann: []}", "weekly.mail.digest.ann: 'ann' is no mail address"),
        ("{ann@example.com: [saels]}", "there is no report 'saels' here; did you mean 'sales'?"),
    ],
)
def test_a_mistaken_digest_is_told_at_its_key(params, digest, words):
    suite = f"weekly:\n  reports: {{sales: {{notebook: a.ipynb}}}}\n  mail: {{digest: {digest}}}\n"
    assert any(words in line for line in mistakes(params({"reports.yaml": suite})))


def test_what_is_said_twice_and_agrees_is_no_mistake(params):
    year = "{starts: february, pattern: 4-5-4, ends: saturday nearest january 31}"
    text = COMPANY + f"calendar: {{week_starts: sunday, week_one: first_full, year: {year}}}\n"
    assert (
        definitions.load(params({"company.yaml": text})).company.calendar.first_weekday == "sunday"
    )


def test_a_metric_needs_a_time_from_its_measure_or_its_source(params):
    text = COMPANY.replace(", time: closed_at", "")
    assert [line.split(": ")[1] for line in mistakes(params({"company.yaml": text}))] == [
        "metrics.won.measure.time", "metrics.closed.measure.time",
    ]  # fmt: skip


def test_a_query_may_join_known_sources_and_its_own_names(params):
    query = "with x as (select * from DEALS) select * from x join invoices using (id)"
    text = COMPANY + f'  both: {{system: both, query: "{query}", time: day}}\n'
    assert definitions.load(params({"company.yaml": text})).company.sources["both"].query == query


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "runs: {notebook: a.ipynb}",
            "weekly.reports.runs: 'runs' is a name that the tool keeps for itself",
        ),
        ("a b: {notebook: a.ipynb}", "weekly.reports.a b: 'a b' is no report name"),
        (
            "a: {notebook: 30_sale.ipynb}",
            "notebook: no notebook '30_sale.ipynb' in notebooks/; did you mean '30_sales.ipynb'?",
        ),
        ("a: {notebook: ../a.ipynb}", "notebook: '../a.ipynb' must stand in notebooks/"),
        (
            "a: {notebook: a.ipynb, parameters: {'x=1': 1}}",
            "parameters.x=1: 'x=1' is no parameter name",
        ),
        (
            "a: {notebook: a.ipynb, parameters: {x: [1]}}",
            "parameters.x: a list is not text, a whole number",
        ),
        ("a: {notebook: a.ipynb, each: team}", "each: 'team' can only be department"),
    ],
)
def test_a_mistaken_report_is_told_at_its_key(params, tmp_path, text, words):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "30_sales.ipynb").touch()
    folder = params({"reports.yaml": f"weekly:\n  reports:\n    {text}\n"})
    assert any(words in line for line in mistakes(folder, notebooks=tmp_path / "notebooks"))


@pytest.mark.parametrize("name", sorted(TAKEN))
def test_no_report_is_named_like_what_the_tool_keeps_beside_it(params, name):
    text = f"weekly: {{reports: {{{name.capitalize()}: {{notebook: a.ipynb}}}}}}\n"
    assert "keeps for itself" in said_about(
        params({"reports.yaml": text}), f"weekly.reports.{name.capitalize()}"
    )


@pytest.mark.parametrize(
    ("suite", "report", "place", "letters"),
    [
        ("weekly", "r" * 101, "weekly.reports.", "101 letters"),
        ("s" * 101, "one", "s" * 101, "101 letters"),
    ],
)
def test_names_of_folders_have_at_most_a_hundred_letters(params, suite, report, place, letters):
    text = f"{suite}: {{reports: {{{report}: {{notebook: a.ipynb}}}}}}\n"
    lines = [line for line in mistakes(params({"reports.yaml": text})) if "letters" in line]
    assert len(lines) == 1
    assert place in lines[0]
    assert letters in lines[0]


@given(
    st.one_of(
        st.text(min_size=1, max_size=120),
        st.text("abr-_.0A", min_size=1, max_size=120),
        st.sampled_from(sorted(TAKEN)).map(str.upper),
    )
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_report_name_that_is_let_through_can_be_a_folder_of_its_own(params, tmp_path, name):
    text = json.dumps({"weekly": {"reports": {name: {"notebook": "a.ipynb"}}}})
    try:
        definitions.load(params({"reports.yaml": text}))
    except DefinitionsError:
        return
    assert len(name) <= 100
    assert name.lower() not in TAKEN
    out = tmp_path / "out"
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    assert folder.resolve().parent == out.resolve()


def test_a_name_of_a_hundred_letters_is_one(params):
    text = f"weekly: {{reports: {{{'r' * 100}: {{notebook: a.ipynb}}}}}}\n"
    assert definitions.load(params({"reports.yaml": text})).suites["weekly"].reports


def test_a_report_for_each_department_is_as_long_as_with_its_department(params):
    text = f"weekly: {{reports: {{{'r' * 97}: {{notebook: a.ipynb, each: department}}}}}}\n"
    assert any("has 103 letters" in line for line in mistakes(params({"reports.yaml": text})))


def test_a_report_for_each_department_may_not_meet_another_one(params):
    text = "weekly: {reports: {by: {notebook: a.ipynb, each: department}, by-sales: {notebook: a.ipynb}}}"
    assert any(
        "declared a second time" in line for line in mistakes(params({"reports.yaml": text}))
    )


def test_one_report_id_in_two_suites_is_a_mistake(params):
    text = "weekly: {reports: {sales: {notebook: a.ipynb}}}\ndaily: {reports: {Sales: {notebook: a.ipynb}}}\n"
    assert "the first is in 'weekly'" in said_about(
        params({"reports.yaml": text}), "daily.reports.Sales"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("url: env:X, table: deals, delimiter: ';'", "delimiter: is about files"),
        ("url: env:X, table: deals, header: 2", "header: is about files"),
        ("path: a.parquet, footer: 2", "footer: is about the lines of a csv, tsv or xlsx file"),
        ("path: a.csv, header: 0", "header: 0 is no line; the first is 1"),
        ("path: a.csv, names: [id, ID]", "names: 'ID' appears twice, capitals aside"),
        ("path: a.csv, thousands: x", "thousands: 'x' groups no digits"),
        ("path: a.csv, thousands: '.'", "thousands: '.' is the decimal sign as well"),
        ("path: a.csv, delimiter: '\"'", "cannot separate cells"),
        ("path: a.csv, delimiter: ';;'", "delimiter: ';;' must be one character"),
        ("path: deals.csv, watermark: max(amount)", "watermark: a watermark needs a url"),
        ("url: env:X", "url: a url needs either table or query"),
    ],
)
def test_what_belongs_to_files_or_databases_only_is_said(params, text, words):
    assert any(
        words in line
        for line in mistakes(params({"company.yaml": COMPANY.replace("path: deals.csv", text)}))
    )


def test_survey_keeps_what_is_sound_and_drops_what_stands_on_mistakes(params):
    folder = params(
        {"company.yaml": COMPANY.replace("path: invoices.csv", "pth: [invoices.csv]")},
        rate="{type: ratio, numerator: won, denominator: revenue}",
        share="{type: ratio, numerator: won, denominator: closed}",
    )
    readable, found = definitions.survey(folder)
    assert (list(readable.company.sources), list(readable.metrics)) == (
        ["deals"],
        ["won", "closed", "share"],
    )
    assert "sources.invoices.pth" in str(found[0])


# --- lineage and schemas ------------------------------------------------------------------------------------------------


@pytest.fixture
def known(params) -> Definitions:
    return definitions.load(
        params(
            rate="{type: ratio, numerator: won, denominator: {metric: closed, offset: 1 period}}",
            ttm="{type: cumulative, metric: revenue, window: 12 months}",
            each="{type: derived, expr: (ttm - 2 * rate) / won}",
        )
    )


def test_parts_are_the_metrics_that_a_metric_names(known):
    parts = {id_: metric_parts(metric) for id_, metric in known.metrics.items()}
    assert parts == {
        "won": [], "closed": [], "revenue": [], "rate": ["won", "closed"], "ttm": ["revenue"], "each": ["ttm", "rate", "won"],
    }  # fmt: skip


def test_upstream_puts_every_part_before_what_stands_on_it(known):
    assert known.upstream(["each", "won"]) == [
        "revenue",
        "ttm",
        "won",
        "closed",
        "rate",
        "each",
    ]


def test_upstream_of_an_unknown_metric_names_the_nearest(known):
    with pytest.raises(UsageError, match="no metric 'ech'; did you mean 'each'"):
        known.upstream(["ech"])


def as_json(node: nodes.Node) -> object:
    return json.loads(json.dumps(node.plain(), default=str))


@pytest.fixture
def schemas(tmp_path):
    written = definitions.write_schema(tmp_path / ".schema")
    return {
        path.name.split(".")[0]: Draft7Validator(json.loads(path.read_text())) for path in written
    }


def test_the_packaged_files_fit_their_schemas(schemas):
    for path in (ROOT / "params").rglob("*.yaml"):
        kind = "department" if path.parent.name == "departments" else path.stem
        assert list(schemas[kind].iter_errors(as_json(nodes.read(path, path.name)[0]))) == []


def test_a_schema_takes_the_forms_that_people_write(schemas):
    metric = "{type: simple, label: 7, measure: {agg: count}, by: [a, [b, c]], targets: [{value: 3%, from: 2026-01-01}]}"
    text = SALES + f"  a: {metric}\n  b: {{type: cumulative, metric: a, window: 2 months}}\n"
    assert list(schemas["department"].iter_errors(as_json(nodes.parse(text, "f")[0]))) == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("company", COMPANY.replace("timezone", "timezon")),
        ("department", SALES.replace("agg: count", "ag: count")),
        ("department", SALES.replace("lights:", "light:")),
        ("reports", "weekly: {reports: {a: {notebok: a.ipynb}}}"),
        ("events", "- {date: 2026-01-01, title: a, knd: b}"),
        ("solve_next", "- {id: a, title: b, effort: five}"),
        ("glossary", "a: [b]"),
        ("holidays", "- {date: 2026-01-01}"),
    ],
)
def test_a_schema_refuses_a_misspelt_key(schemas, kind, text):
    assert not schemas[kind].is_valid(as_json(nodes.parse(text, "f")[0]))


def keys_in(schema: dict) -> dict[str, dict]:
    """Every key that a schema knows, by the form it belongs to."""
    forms = {"file": schema, **schema.get("$defs", {})}
    return {
        f"{name}.{key}": entry
        for name, form in forms.items()
        for key, entry in form.get("properties", {}).items()
    }


def test_every_key_is_explained_in_the_schemas(schemas):
    keys = {
        key: entry
        for validator in schemas.values()
        for key, entry in keys_in(validator.schema).items()
    }
    assert {
        "Source.path",
        "Measure.expr",
        "Target.season",
        "Because.because",
        "Report.notebook",
    } <= set(keys)
    assert [key for key, entry in keys.items() if not entry.get("description")] == []


def test_every_key_stands_in_the_reference(schemas):
    text = (ROOT / "docs" / "reference" / "definitions.md").read_text(encoding="utf-8")
    keys = {
        key.split(".")[1] for validator in schemas.values() for key in keys_in(validator.schema)
    }
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []


@pytest.mark.parametrize("folder", ["params", "examples/olist/params"])
def test_the_schemas_that_editors_read_are_those_of_the_models(folder, tmp_path):
    kept = Path(__file__).parents[2] / folder / ".schema"
    for written in definitions.write_schema(tmp_path):
        assert (kept / written.name).read_text() == written.read_text()


def test_a_list_whose_only_entry_is_wrong_is_not_called_empty_too(params):
    [line] = mistakes(params(m="{type: simple, measure: {agg: count}, grains: [hour]}"))
    assert "metrics.m.grains[0]: 'hour' is not one of" in line
    [line] = mistakes(params(m="{type: simple, measure: {agg: count}, grains: []}"))
    assert line.endswith("metrics.m.grains: is empty; expected at least one entry")


def test_a_long_chain_of_metrics_is_refused_and_one_with_many_ways_is_taken(params):
    chain = {f"m{i}": f"{{type: derived, expr: m{i - 1} + 1}}" for i in range(1, 600)}
    [said] = mistakes(params(m0="{type: derived, expr: won}", **chain))
    assert "metrics.m50: stands on 51 metrics one below the other" in said
    ways = {f"m{i}": f"{{type: derived, expr: m{i - 1} + m{i - 2}}}" for i in range(2, 49)}
    known = definitions.load(
        params(m0="{type: derived, expr: won}", m1="{type: derived, expr: m0}", **ways)
    )
    assert known.adds_up("m48")
    assert lineage.time_power(known.metrics, "m48") == 1


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3)))
def test_a_walk_lists_parts_first_and_every_closed_chain(parts):
    cycles = lineage.find_cycles(parts)
    for cycle in cycles:
        assert cycle[0] == cycle[-1]
        assert all(below in parts[name] for name, below in pairwise(cycle))
    walked = lineage.upstream(parts, lambda name: parts.get(name, ()))
    assert len(walked) == len(set(walked))
    if not cycles:
        place = {name: number for number, name in enumerate(walked)}
        assert all(place[part] < place[name] for name in parts for part in parts[name])
