"""What happened on a day: read from a file and from sources, drawn, and offered where a signal came after it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from dataops_nb import board, charts, definitions, sources, story
from dataops_nb.board import events
from dataops_nb.errors import DataError
from tests import sentences

SUNDAY = dt.date(2026, 11, 22)
QUIET = [40, 44, 37, 42, 45, 35, 41, 38, 40, 44, 43, 39, 38, 45, 40, 36, 42, 41, 39, 43]
SHIFTED = [*QUIET, 60, 63, 58, 61, 64, 59]
METRICS = """
m: {label: Sad people, type: simple, unit: people, better: down, measure: {source: s, agg: sum, expr: n}}
other: {type: simple, measure: {source: s, agg: count}}
"""
DIARY = """
s: {system: CRM, path: s.csv, time: on}
diary: {system: Diary, path: diary.csv, time: day}
"""


def csv(values):
    days = [SUNDAY - dt.timedelta(weeks=len(values) - 1 - i) for i in range(len(values))]
    rows = [
        f"{days[0] - dt.timedelta(days=6)},0",
        *(f"{day},{n}" for day, n in zip(days, values, strict=True)),
    ]
    return "on,n\n" + "\n".join(rows) + "\n"


def weeks_ago(count):
    """The Tuesday of the week so many weeks before the last complete one."""
    return SUNDAY - dt.timedelta(weeks=count, days=5)


@pytest.fixture
def made(company, tmp_path):
    def make(values, said, diary="day,what,sort,about\n", as_of=SUNDAY):
        (tmp_path / "params").mkdir()
        (tmp_path / "params" / "events.yaml").write_text(said)
        files = {"s.csv": csv(values), "diary.csv": diary}
        return board.measure(
            company(DIARY, METRICS, files, as_of=as_of.isoformat()), ["m", "other"]
        )

    return make


def one(ago, title="Release 8.0", about="[m]"):
    return f"- {{date: {weeks_ago(ago)}, title: {title}, kind: release, metrics: {about}}}\n"


# --- reading ------------------------------------------------------------------------------------------------------------


def test_events_come_from_the_file_and_from_sources_oldest_first_none_after_as_of(made):
    said = (
        one(2) + "- {source: diary, title: what, kind: {column: sort}, metrics: {column: about}}\n"
    )
    diary = [
        "day,what,sort,about",
        f'{weeks_ago(4)},Fair,campaign,"m, other"',
        f"{weeks_ago(-1)},Later,outage,m",
        f"{weeks_ago(3)},,x,",
        f"{weeks_ago(3)},Strike,,",
    ]
    found = made(QUIET, said, "\n".join(diary) + "\n").events
    assert found.to_dict("list") == {
        "date": [pd.Timestamp(weeks_ago(ago)) for ago in (4, 3, 2)],
        "title": ["Fair", "Strike", "Release 8.0"],
        "kind": ["campaign", "", "release"],
        "metrics": [("m", "other"), (), ("m",)],
    }
    assert events.about(found, "other")["title"].tolist() == ["Fair", "Strike"]


def test_what_a_system_keeps_and_somebody_wrote_down_too_is_one_event(made):
    said = one(3) + one(3, about="[other]") + one(3, title="Another")
    found = made(QUIET, said).events
    assert list(found["title"]) == ["Another", "Release 8.0"]
    assert found["metrics"].iloc[1] == ("m", "other")


def test_a_row_that_names_no_metric_is_a_fault_with_the_nearest_name(made):
    said = "- {source: diary, title: what, kind: release, metrics: {column: about}}\n"
    this = made(QUIET, said, f"day,what,sort,about\n{weeks_ago(4)},Fair,x,othr\n")
    with pytest.raises(DataError, match=r"column about, value 'othr'.*did you mean 'other'"):
        _ = this.events


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            "- {date: 2026-08-04, title: x, kind: y, metrics: [mm]}",
            "no metric 'mm'; did you mean 'm'",
        ),
        ("- {date: 2026-08-04, title: x}", "missing key 'kind'"),
        ("- {date: 2026-08-04, titel: x, kind: y}", "did you mean 'title'"),
        ("- {source: dairy, title: what, kind: y}", "no source 'dairy'; did you mean 'diary'"),
        ("- {source: untimed, title: what, kind: y}", "source 'untimed' has no time"),
        ("- {source: diary, title: what, kind: {colum: y}}", "did you mean 'column'"),
    ],
)
def test_mistakes_in_events_name_the_nearest(tmp_path, said, message):
    (tmp_path / "departments").mkdir()
    indented = (DIARY + "untimed: {system: X, path: x.csv}").replace("\n", "\n  ")
    (tmp_path / "company.yaml").write_text(f"company: T\nsources:{indented}\n")
    (tmp_path / "departments" / "dept.yaml").write_text(
        "department: D\nmetrics:" + METRICS.replace("\n", "\n  ") + "\n"
    )
    (tmp_path / "events.yaml").write_text(said + "\n")
    _, mistakes = definitions.survey(tmp_path)
    assert any(message in str(each) and each.file.endswith("events.yaml") for each in mistakes), (
        mistakes
    )


def past(values):
    start = pd.date_range(end=SUNDAY - dt.timedelta(days=6), periods=len(values), freq="7D")
    return pd.DataFrame(
        {"period_start": start, "period_end": start + pd.Timedelta(days=6), "value": values}
    )


def known(ago, title="Release", about=("m",)):
    day = pd.Timestamp(weeks_ago(ago))
    return pd.DataFrame({"date": [day], "title": [title], "kind": ["release"], "metrics": [about]})


# --- what came after ----------------------------------------------------------------------------------------------------


def test_a_lasting_shift_after_an_event_is_said_to_have_followed_it(made):
    this = made(SHIFTED, one(6))
    row = this.findings.set_index("kind").loc["explained signal"]
    assert (row["metric"], row["event"], row["event_lag"], row["signal"]) == (
        "m",
        "Release 8.0",
        1,
        "outside",
    )
    said = next(each for each in story.findings(this).sentences if "averaged" in each.text)
    assert said.text.startswith("Sad people have averaged ")
    assert " since week 42, up from " in said.text
    assert "The rise began 1 week after Release 8.0 (6 Oct)." in said.text
    assert sentences.wrong(said) == []


@pytest.mark.parametrize(
    ("values", "ago", "found"),
    [
        (SHIFTED, 5, True),
        (SHIFTED, 9, True),
        (SHIFTED, 10, False),  # five periods later is too late
        (SHIFTED, 4, False),  # it was under way before
        (QUIET, 5, False),
        ([*QUIET, 60, *QUIET[:6]], 6, False),  # over, more than six periods ago
        ([*QUIET, 60, *QUIET[:5]], 5, True),
        (SHIFTED[9:], 5, False),  # too little before it
    ],
)
def test_an_event_is_offered_where_a_signal_begins_soon_after_it_and_still_matters(
    values, ago, found
):
    assert bool(list(events.followed("m", past(values), known(ago)))) is found


def test_an_event_about_other_metrics_is_not_offered_and_one_about_none_is():
    about = [known(5, about=about) for about in (("other",), ())]
    assert [len(list(events.followed("m", past(SHIFTED), each))) for each in about] == [0, 1]


def test_of_several_events_the_last_one_before_the_signal_is_offered():
    all_ = pd.concat([known(8, "First"), known(5, "Second"), known(2, "Third")], ignore_index=True)
    assert [row["event"] for row in events.followed("m", past(SHIFTED), all_)] == ["Second"]


@pytest.mark.long
def test_stable_series_seldom_have_a_signal_after_an_event():
    rng, found = np.random.default_rng(2), 0
    for _ in range(400):
        found += len(list(events.followed("m", past(rng.normal(size=60)), known(4))))
    assert found / 400 < 0.07


# --- drawing ------------------------------------------------------------------------------------------------------------


def test_a_trend_numbers_its_events_and_says_below_and_in_words_what_they_were(made):
    this = made(SHIFTED, one(5) + one(3, "Elsewhere", "[other]"))
    spec = charts.trend(this, "m").to_dict()
    assert spec["title"]["subtitle"] == ["1 Release 8.0, 13 Oct"]
    assert [{"period_start": "2026-10-13T00:00:00", "number": "1"}] in spec["datasets"].values()
    assert spec["description"].endswith(" Events: Release 8.0, 13 Oct.")
    assert "Elsewhere" not in str(spec)


def test_the_sources_of_events_are_read_by_check(tmp_path, made):
    this = made(QUIET, "- {source: diary, title: wat, kind: x}\n")
    with sources.open(this.company, tmp_path, SUNDAY) as catalog:
        assert any("events.yaml" in str(fault) and "wat" in str(fault) for fault in catalog.check())
