"""Whatever a board holds, every public function of charts, tables and story says something of it."""

from __future__ import annotations

import inspect
import math

import pandas as pd
import pytest

from dataops_nb import alignment, board, charts, status, story, tables

SHOWN = [
    pytest.param(module, name, id=f"{module.__name__.rpartition('.')[2]}.{name}")
    for module in (charts, tables, story)
    for name in sorted(module.__all__)
    if inspect.isfunction(getattr(module, name))
]
DERIVED = (
    "inputs", "feeding", "pitched", "events", "company_links", "links", "findings", "priorities", "closed", "reactions",
    "decisions", "fingerprints", "restated", "track", "notes", "communicated", "unfinished",
)  # fmt: skip


def measured(values, name="won", as_of=None, agg="sum", by=None):
    days = pd.date_range("2026-09-07", periods=len(values), freq="7D")
    rows = pd.DataFrame(
        {
            "day": days,
            "v": values,
            "team": ["a", "b"] * (len(values) // 2) + ["a"] * (len(values) % 2),
        }
    )
    return alignment.from_frame(
        rows, name, time="day", value="v", agg=agg, by=by, grain="week", as_of=as_of
    )


def of(table, *, target=10.0):
    agreed = status.Agreement(target=target, better="up", green=1.0, yellow=0.85)
    wanted = {} if target is None else dict.fromkeys(table["metric"].unique(), agreed)
    return board.of(status.judge(table, wanted))


NOTHING = [math.nan] * 6
SERIES = [5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 9.0, 8.0]
BOARDS = {
    "one period": lambda: of(measured([5.0], as_of="2026-09-13")),
    "one open period": lambda: of(measured([5.0], as_of="2026-09-09")),
    "two periods": lambda: of(measured([5.0, 7.0], as_of="2026-09-20")),
    "all missing": lambda: of(measured(NOTHING, agg="average", as_of="2026-10-18")),
    "no target": lambda: of(measured(SERIES, as_of="2026-11-01"), target=None),
    "zeros": lambda: of(measured([0.0] * 8, as_of="2026-11-01")),
    "any size and sign": lambda: of(
        measured([-5.0, 3.0, -1e12, 4.0, 0.0, 1e-6, 2.0, 1.0], as_of="2026-11-01")
    ),
    "segments": lambda: of(measured(SERIES, by="team", as_of="2026-11-01")),
    "one of two missing": lambda: of(
        alignment.combine(
            measured(SERIES[:4], as_of="2026-10-04"),
            measured(NOTHING[:4], "lost", agg="average", as_of="2026-10-04"),
        )
    ),
}


DAILY = {"one period", "all missing", "no target", "one of two missing"}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[] if name in DAILY else pytest.mark.faults) for name in BOARDS
    ],
)
def this(request):
    return BOARDS[request.param]()


def arguments(function, this, metric):
    """What a function needs; None where this board has none of it."""
    known = {"board": this, "metric": metric, "metrics": list(this.metrics)}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.default is parameter.empty and name not in known:
            wanted = {
                "by": next(iter(this.company.metrics[metric].by), None),
                "pair": next(iter(story.pairs(this)), None),
            }.get(name)
            if wanted is None:
                return None
            known[name] = wanted
    wanted = inspect.signature(function).parameters
    return {name: value for name, value in known.items() if name in wanted}


def check_all(this, module, name):
    """Show a function for each metric of a board, and say for how many there was something."""
    function, count = getattr(module, name), 0
    for metric in this.metrics:
        given = arguments(function, this, metric)
        if given is None:
            continue
        count += 1
        shown = function(**given)
        if hasattr(shown, "to_dict"):
            assert shown.to_dict()["description"]
        elif hasattr(shown, "_repr_mimebundle_"):
            assert shown._repr_mimebundle_()
    return count


@pytest.mark.parametrize(("module", "name"), SHOWN)
def test_every_board_can_be_shown(this, module, name):
    if not check_all(this, module, name):
        pytest.skip("this board has no such thing")


@pytest.mark.parametrize("name", DERIVED)
def test_every_board_knows_what_is_derived_from_it(this, name):
    getattr(this, name)


@pytest.mark.long
def test_a_company_without_any_data_yet_can_be_shown(company):
    rows = company(
        "orders: {system: Shop, path: orders.csv, time: day}\nbills: {system: Books, path: bills.csv, time: day}",
        """
        sales: {type: simple, measure: {source: orders, agg: sum, expr: amount}, by: [team], lights: standard,
                targets: [{from: 2026-01-01, per: week, value: 10}],
                reconcile: [{with: billed, key: {left: id, right: id}, amount: {left: amount, right: amount}}]}
        billed: {type: simple, measure: {source: bills, agg: sum, expr: amount}}
        share: {type: ratio, numerator: billed, denominator: sales, unit: percent}
        year: {type: cumulative, metric: sales, window: 12 months}
        """,
        {
            "orders.csv": "id,day,amount,team\n1,2026-09-07,5,a\n2,2026-09-15,7,b\n",
            "bills.csv": "id,day,amount\n1,2026-09-08,5\n",
        },
        as_of="2022-01-09",
    )
    with rows:
        this = board.measure(rows, list(rows.company.metrics))
        for parameter in SHOWN:
            check_all(this, *parameter.values)
        for name in DERIVED:
            getattr(this, name)
