"""What was published is remembered, and what has changed since is said."""

from __future__ import annotations

import csv
import datetime as dt
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataops_nb import board, history, story
from dataops_nb.board import events
from dataops_nb.bookkeeping import files
from dataops_nb.bookkeeping.lines import read_lines
from dataops_nb.bookkeeping.shapes import KEY
from dataops_nb.company import Memory
from dataops_nb.errors import PublishError
from dataops_nb.history import register
from dataops_nb.history.books import VALUES
from dataops_nb.reports.marks import HistoryDigest
from dataops_nb.sources.fingerprints import of_metric

AT = dt.datetime(2026, 11, 16, 6, 0, tzinfo=dt.UTC)
SUNDAY, NEXT = dt.date(2026, 11, 15), dt.date(2026, 11, 22)


def row(value: float | None = 41, **other: Any) -> dict[str, Any]:
    first = {
        "metric": "won",
        "segment": None,
        "grain": "week",
        "period": "2026-W46",
        "value": value,
        "complete": True,
    }
    return {**first, "n": 41, "definition": "abc", **other}


def remember(
    out: Path,
    *rows: dict[str, Any],
    as_of: dt.date = SUNDAY,
    report: str = "sales",
    run: str = "r1",
) -> int:
    return history.remember(
        out, pd.DataFrame(rows), report=report, as_of=as_of, run=run, published_at=AT
    )


def lines(out: Path) -> list[dict[str, str]]:
    with (out / "history" / "values.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# --- remembering ----------------------------------------------------------------------------------------------------


def test_a_published_value_is_a_row_of_a_csv_file(tmp_path):
    remember(tmp_path, row(41.5, segment="team=a,b"))
    assert lines(tmp_path) == [
        {
            "metric": "won", "segment": "team=a,b", "grain": "week", "period": "2026-W46", "as_of": "2026-11-15",
            "value": "41.5", "complete": "true", "n": "41", "definition": "abc",
            "report": "sales", "run": "r1", "published_at": "2026-11-16T06:00:00+00:00",
        }
    ]  # fmt: skip


def test_what_is_published_again_for_the_same_day_is_not_written_again(tmp_path):
    assert remember(tmp_path, row(), row(period="2026-W45")) == 2
    assert remember(tmp_path, row(), report="north-star", run="r2") == 0
    assert len(lines(tmp_path)) == 2


def test_another_value_for_the_same_day_stands_beside_the_first_and_counts(tmp_path):
    remember(tmp_path, row(41))
    assert remember(tmp_path, row(42)) == 1
    assert [line["value"] for line in lines(tmp_path)] == ["41", "42"]
    assert history.published(tmp_path)["value"].tolist() == [42]


def test_a_missing_value_is_an_empty_cell_and_read_as_missing(tmp_path):
    remember(tmp_path, row(None, complete=False, n=0), row(0.0, metric="lost"))
    assert [line["value"] for line in lines(tmp_path)] == ["", "0"]
    known = history.published(tmp_path)
    assert (known["value"].isna().tolist(), known["complete"].tolist()) == (
        [True, False],
        [False, True],
    )


def test_where_nothing_was_published_there_is_nothing(tmp_path):
    known = history.published(tmp_path)
    assert (list(known.columns), len(known)) == (history.COLUMNS, 0)
    assert not (tmp_path / "history").exists()


HEAD = ",".join(history.COLUMNS)
SOUND = "won,,week,2026-W46,2026-11-15,5,true,1,d,r,r,t"


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (b"won,,week", "has 3 of 12 cells"),
        (SOUND.encode() + b",more", "has 13 of 12 cells"),
        (SOUND.replace(",5,", ",x,").encode(), "has 'x' as its value, which is no number"),
        (SOUND.replace("2026-11-15", "15.11.").encode(), "has '15.11.' as its as_of"),
        (b'won,"team=a,week,2026-W46', "has a quote that is never closed"),
        (b'won,"a"b,week', "cannot be read"),
        (b"\xe9" + SOUND.encode(), "is no UTF-8: byte 0xe9"),
        (b"\x00" * 20, "has 1 of 12 cells"),
    ],
)
@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_broken_line_is_named_and_takes_no_other_with_it(tmp_path, line, rule, place):
    file = tmp_path / "history" / "values.csv"
    file.parent.mkdir()
    rows = [SOUND, SOUND.replace("W46", "W45")]
    content = [HEAD.encode(), *(row.encode() for row in rows)]
    content.insert(place, line)
    file.write_bytes(b"\r\n".join(content))
    assert history.published(tmp_path)["period"].tolist() == ["2026-W46", "2026-W45"]
    (told,) = history.broken_lines(tmp_path)
    assert told.startswith(f"history/values.csv:{place + 1} {rule}")
    before = file.read_bytes()
    assert remember(tmp_path, row(metric="lost"), row(5, n=1, definition="d")) == 1
    assert file.read_bytes().startswith(before)
    assert history.published(tmp_path)["metric"].tolist() == ["won", "won", "lost"]


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        (f"{HEAD},mine", "has a column of its own, 'mine'"),
        ("a,b", "must have the columns metric, segment"),
        (HEAD.replace("segment", "s\u00e9gment"), "must have the columns metric, segment"),
    ],
)
def test_a_broken_header_takes_no_row_away(tmp_path, header, rule):
    file = tmp_path / "history" / "values.csv"
    file.parent.mkdir()
    file.write_text(f"{header}\n{SOUND}{',x' if 'mine' in header else ''}\n")
    assert history.published(tmp_path)["value"].tolist() == [5.0]
    assert [told.partition(" ")[2][:30] for told in history.broken_lines(tmp_path)] == [rule[:30]]
    remember(tmp_path, row(7))
    assert history.published(tmp_path)["value"].tolist() == [7.0]
    assert len(history.broken_lines(tmp_path)) == 1


def test_columns_in_another_order_stay_in_it(tmp_path):
    remember(tmp_path, row())
    file = tmp_path / "history" / "values.csv"
    table = pd.read_csv(file, dtype=str)[history.COLUMNS[::-1]]
    table.to_csv(file, index=False, encoding="utf-8-sig")
    remember(tmp_path, row(7))
    assert not history.broken_lines(tmp_path)
    assert history.published(tmp_path)["value"].tolist() == [7.0]
    assert list(pd.read_csv(file)) == history.COLUMNS[::-1]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=5)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=40).filter(lambda it: it.strip(b"\r\n")), st.lists(CELLS, min_size=1))
def test_whatever_stands_in_a_line_the_lines_around_it_are_read(line, names):
    """Quotes apart, which may belong to a cell of several lines."""
    line = line.replace(b'"', b"")
    rows = [[name, *SOUND.split(",")[1:]] for name in names]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    content = f"{HEAD}\n".encode() + line + b"\n" + text.getvalue().encode()
    read = read_lines(content, history.COLUMNS, VALUES.wrong)
    assert read.rows[-len(rows) :] == rows
    assert len(read.rows) + len(read.broken) >= len(rows)


def test_a_broken_line_of_the_lights_takes_no_other_with_it(tmp_path):
    history.keep_lights(
        tmp_path,
        [{"metric": "won", "grain": "week", "period": "2026-W46", "light": "red"}],
        as_of=SUNDAY,
        report="r",
        run="r",
    )
    file = tmp_path / "history" / "lights.csv"
    file.write_bytes(file.read_bytes() + b"won,week,\xff")
    assert history.published_lights(tmp_path)["light"].tolist() == ["red"]
    assert history.broken_lines(tmp_path) == ["history/lights.csv:3 is no UTF-8: byte 0xff"]


def test_a_file_without_a_last_line_end_is_continued_on_a_new_line(tmp_path):
    remember(tmp_path, row())
    file = tmp_path / "history" / "values.csv"
    file.write_text(file.read_text().rstrip("\n"))
    remember(tmp_path, row(period="2026-W45"))
    assert [line["period"] for line in lines(tmp_path)] == ["2026-W46", "2026-W45"]


@pytest.mark.long
def test_two_processes_lose_nothing(tmp_path):
    code = """
import datetime as dt, sys
from pathlib import Path
import pandas as pd
from dataops_nb import history
for i in range(15):
    rows = pd.DataFrame([{"metric": sys.argv[2], "segment": None, "grain": "week", "period": f"P{i}", "value": i,
                          "complete": True, "n": 1, "definition": ""}])
    history.remember(Path(sys.argv[1]), rows, report="r", as_of=dt.date(2026, 11, 15), run="r",
                     published_at=dt.datetime.now(dt.UTC))
"""
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in ("a", "b")
    ]
    assert [process.wait(60) for process in both] == [0, 0]
    found = sorted((line["metric"], int(line["value"])) for line in lines(tmp_path))
    assert found == [(name, i) for name in ("a", "b") for i in range(15)]
    assert [path.name for path in (tmp_path / "runs").iterdir() if path.suffix != ".lock"] == []


# --- a long history -------------------------------------------------------------------------------------------------


@pytest.fixture
def long(tmp_path, monkeypatch):
    """A history that is kept as columns however short it is, and what of its file was read."""
    monkeypatch.setattr(register, "FEW", 100)
    taken: list[int] = []
    whole = files.read

    def counted(*arguments):
        content = whole(*arguments)
        taken.append(len(content))
        return content

    monkeypatch.setattr(files, "read", counted)
    remember(tmp_path, *(row(metric=f"m{number}") for number in range(200)))
    history.published(tmp_path)
    taken.clear()
    return tmp_path, taken


def test_a_question_about_a_file_that_is_as_it_was_reads_nothing_of_it(long):
    out, taken = long
    assert len(history.newest(out)) == 200
    assert sum(taken) == 0


def test_of_a_file_that_grew_here_only_the_new_rows_are_read(long):
    out, taken = long
    remember(out, row(7), as_of=NEXT)
    taken.clear()
    assert history.newest(out)["value"].tolist().count(7.0) == 1
    assert sum(taken) == len((out / "history" / "values.csv").read_bytes().splitlines(True)[-1])


def test_what_is_added_to_a_long_history_is_all_that_is_written(long):
    out, _ = long
    file = out / "history" / "values.csv"
    before, inode = file.read_bytes(), file.stat().st_ino
    remember(out, row(7), as_of=NEXT)
    assert file.read_bytes().startswith(before)
    assert file.stat().st_ino == inode


@pytest.mark.parametrize("old", ["m7,", "41,true"])
def test_a_long_history_that_somebody_has_edited_is_read_anew(long, old):
    out, _ = long
    file = out / "history" / "values.csv"
    file.write_text(file.read_text().replace(old, old.replace("7", "9").replace("41", "42")))
    assert history.published(out).equals(published_by_rows(out))


def test_a_broken_line_of_a_long_history_is_still_told_when_it_has_grown(long):
    out, _ = long
    file = out / "history" / "values.csv"
    file.write_bytes(file.read_bytes() + b"broken\n")
    history.published(out)
    remember(out, row(7), as_of=NEXT)
    assert history.broken_lines(out) == ["history/values.csv:202 has 1 of 12 cells"]
    assert len(history.published(out)) == 201


def published_by_rows(out: Path) -> pd.DataFrame:
    """The same table from all rows of the csv, as anybody would read it."""
    frame = pd.read_csv(out / "history" / "values.csv", dtype=str, keep_default_na=False)
    frame = frame.astype(object).drop_duplicates(KEY, keep="last", ignore_index=True)
    return frame.assign(
        segment=frame["segment"].where(frame["segment"] != "", None),
        as_of=pd.to_datetime(frame["as_of"]).astype("datetime64[s]"),
        value=pd.to_numeric(frame["value"]).astype(float),
        complete=frame["complete"] == "true",
        n=pd.to_numeric(frame["n"].where(frame["n"] != "", "0")).astype(int),
    )


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["won", "lost", 'a "b"', "c,d\ne"]),
        st.sampled_from([None, "team=a,b", "1"]),
        st.sampled_from(["2026-W45", "2026-W46"]),
        st.sampled_from([SUNDAY, NEXT, NEXT + dt.timedelta(days=7)]),
        st.one_of(st.none(), st.integers(-3, 3)),
        st.booleans(),
    ),
    max_size=12,
)


@pytest.mark.long
@settings(deadline=None, max_examples=40)
@given(ROWS, st.booleans())
def test_the_newest_value_is_that_of_the_latest_day_whatever_was_published(
    tmp_path_factory, given_rows, complete
):
    out = tmp_path_factory.mktemp("history")
    for metric, segment, period, day, value, is_complete in given_rows:
        said = row(value, metric=metric, segment=segment, period=period, complete=is_complete)
        remember(out, said, as_of=day)
    folder = history.Folder(out)
    plain = Memory.newest(folder, NEXT, complete=complete)
    order = ["metric", "segment", "period"]
    assert (
        folder.newest(NEXT, complete=complete)
        .sort_values(order, ignore_index=True)
        .equals(plain.sort_values(order, ignore_index=True))
    )
    assert folder.told_metrics(NEXT) == Memory.told_metrics(folder, NEXT)
    if given_rows:
        assert folder.published().equals(published_by_rows(out))


def test_rows_that_a_killed_writer_had_begun_are_seen_whole_or_not_and_finished_later(tmp_path):
    remember(tmp_path, row(1))
    file = tmp_path / "history" / "values.csv"
    size = file.stat().st_size
    remember(tmp_path, row(2, metric="lost"))
    added = file.read_bytes()[size:]
    file.write_bytes(file.read_bytes()[: size + 9])
    (tmp_path / "runs" / "values.adding").write_bytes(f"{size}\n".encode() + added)
    assert history.published(tmp_path)["metric"].tolist() == ["won"]
    assert history.broken_lines(tmp_path) == []
    remember(tmp_path, row(3, metric="third"))
    assert history.published(tmp_path)["metric"].tolist() == ["won", "lost", "third"]
    assert not (tmp_path / "runs" / "values.adding").exists()


def test_what_somebody_wrote_after_a_killed_writer_stays(tmp_path):
    remember(tmp_path, row(1))
    file = tmp_path / "history" / "values.csv"
    size = file.stat().st_size
    (tmp_path / "runs" / "values.adding").write_bytes(f"{size}\nlost,,week\n".encode())
    file.write_text(file.read_text() + SOUND.replace("W46", "W40") + "\n")
    remember(tmp_path, row(3, metric="third"))
    assert history.published(tmp_path)["period"].tolist() == ["2026-W46", "2026-W40", "2026-W46"]


def test_rows_for_which_there_is_no_room_leave_the_file_as_it_was(tmp_path, monkeypatch):
    remember(tmp_path, row(1))
    before = (tmp_path / "history" / "values.csv").read_bytes()

    def full(handle, content):
        handle.write(content[:9])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(files, "_write", full)
        with pytest.raises(PublishError, match="No space left"):
            remember(tmp_path, row(2, metric="lost"))
    assert (tmp_path / "history" / "values.csv").read_bytes() == before
    assert remember(tmp_path, row(2, metric="lost")) == 1


def test_digests_of_what_was_published_do_not_depend_on_the_order_of_rows(tmp_path):
    rows = [row(1), row(2, metric="lost"), row(3, period="2026-W45")]
    digests = set()
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        out = tmp_path / str(order)
        marks = HistoryDigest(out)
        for place in order:
            remember(out, rows[place], run=str(place))
            marks.digest(None, NEXT)
        digests.add((marks.digest({"won"}, NEXT), marks.digest(None, NEXT)))
        assert HistoryDigest(out).digest(None, NEXT) == marks.digest(None, NEXT)
    assert len(digests) == 1


def test_digests_of_a_long_history_are_kept_and_go_on(tmp_path, monkeypatch):
    monkeypatch.setattr("dataops_nb.reports.marks.LONG", 0)
    remember(tmp_path, row(1))
    before = HistoryDigest(tmp_path)
    first = before.digest(None, NEXT)
    before.keep()
    remember(tmp_path, row(2, metric="lost"))
    read = []
    monkeypatch.setattr("dataops_nb.reports.marks._lines", lambda *at: read.append(at) or iter(()))
    HistoryDigest(tmp_path).digest(None, NEXT)
    assert [start > 0 for _, start, _ in read] == [True]
    monkeypatch.undo()
    assert HistoryDigest(tmp_path).digest(None, NEXT) != first


# --- restatement ----------------------------------------------------------------------------------------------------


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    return frame.assign(period_start=pd.Timestamp("2026-11-09"))


def compared(
    tmp_path: Path, now: dict[str, Any], as_of: dt.date = NEXT
) -> list[tuple[float, float, bool]]:
    found = events.restatements(table(now), history.published(tmp_path), as_of=as_of)
    return list(zip(found["reported"], found["value"], found["redefined"], strict=True))


def test_a_changed_value_of_a_closed_period_is_a_restatement(tmp_path):
    remember(tmp_path, row(41))
    assert compared(tmp_path, row(43, n=43)) == [(41, 43, False)]
    assert compared(tmp_path, row(41)) == []


def test_only_what_was_published_for_earlier_days_counts(tmp_path):
    remember(tmp_path, row(41), as_of=NEXT)
    assert compared(tmp_path, row(43), as_of=NEXT) == []
    assert compared(tmp_path, row(43), as_of=NEXT + dt.timedelta(days=1)) == [(41, 43, False)]


def test_the_last_published_value_is_the_one_that_counts(tmp_path):
    remember(tmp_path, row(43), as_of=NEXT - dt.timedelta(days=1))
    remember(tmp_path, row(41), as_of=SUNDAY)
    assert compared(tmp_path, row(43)) == []


def test_what_was_partial_then_or_is_partial_now_is_no_restatement(tmp_path):
    remember(tmp_path, row(20, complete=False), row(41, metric="lost"))
    assert compared(tmp_path, row(43)) == []
    assert compared(tmp_path, row(43, metric="lost", complete=False)) == []


def test_segments_and_totals_are_compared_each_with_itself(tmp_path):
    remember(tmp_path, row(41), row(10, segment="team=a"))
    assert compared(tmp_path, row(12, segment="team=a")) == [(10, 12, False)]
    assert compared(tmp_path, row(12, segment="team=b")) == []


def test_a_value_that_is_another_because_of_its_definition_is_marked(tmp_path):
    remember(tmp_path, row(41))
    assert compared(tmp_path, row(43, definition="xyz")) == [(41, 43, True)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=8))
def test_what_has_not_changed_is_never_restated(tmp_path_factory, values):
    out = tmp_path_factory.mktemp("out")
    rows = [row(value, period=f"P{i}") for i, value in enumerate(values)]
    remember(out, *rows)
    assert events.restatements(table(*rows), history.published(out), as_of=NEXT).empty


# --- definitions ----------------------------------------------------------------------------------------------------

SOURCES = """
s: {{system: CRM, path: s.csv, time: on, columns: {{n: {{type: decimal{column}}}}}{source}}}
q: {{system: CRM, query: "select * from s{query}", time: on}}
"""
METRICS = """
sold: {{type: simple, measure: {{source: q, agg: sum, expr: n{measure}}}, label: Sold{label}}}
visits: {{type: simple, measure: {{source: s, agg: count}}}}
rate: {{type: ratio, numerator: sold, denominator: visits}}
"""


def mark(company: Any, **said: str) -> str:
    parts = {"column": "", "source": "", "query": "", "measure": "", "label": ""} | said
    catalog = company(
        SOURCES.format(**parts), METRICS.format(**parts), {"s.csv": "on,n\n2026-11-20,1\n"}
    )
    return of_metric(catalog.company, "rate")


@pytest.mark.parametrize(
    "said",
    [
        {"measure": ", filter: n > 1"},
        {"query": " where n > 0"},
        {"source": ", timezone: UTC"},
        {"column": ", map: {a: 1}"},
    ],
)
def test_a_fingerprint_changes_with_all_that_the_value_is_computed_from(company, said):
    assert mark(company, **said) != mark(company)


@pytest.mark.parametrize(
    "said",
    [
        {"label": " things, targets: [{value: 3}]"},
        {"column": ", min: 0"},
        {"source": ", on_fault: mark"},
        {"measure": ""},
    ],
)
def test_a_fingerprint_keeps_what_does_not_touch_the_value(company, said):
    assert mark(company, **said) == mark(company)


# --- the story ------------------------------------------------------------------------------------------------------

DAYS = [dt.date(2026, 11, 9) + dt.timedelta(days=i) for i in range(14)]
SOURCE = "s: {system: CRM, path: s.csv, time: on}"
WON = "won: {{label: Closed-won deals, type: simple, measure: {{source: s, agg: count{rest}}}}}"


def at(company: Any, tmp_path: Path, as_of: dt.date, late: int = 0, rest: str = "") -> board.Board:
    days = [*DAYS, *[DAYS[6]] * late]
    text = "on,n\n" + "".join(f"{day},{i}\n" for i, day in enumerate(days))
    catalog = company(SOURCE, WON.format(rest=rest), {"s.csv": text}, as_of=str(as_of))
    return board.measure(catalog, ["won"], memory=history.Folder(tmp_path / "out"))


def published(this: board.Board) -> board.Board:
    payload = story.record(this).payload
    rows = [
        {**each, "definition": payload["definitions"][each["metric"]]} for each in payload["rows"]
    ]
    remember(this.memory.out, *rows, as_of=this.as_of)
    return this


def test_late_rows_are_said_with_both_values_and_their_number(company, tmp_path):
    published(at(company, tmp_path, SUNDAY))
    told = story.restated(at(company, tmp_path, NEXT, late=2))
    assert str(told) == "Closed-won deals, week 46: reported 7, now 9. 2 rows arrived late."
    assert told.sentences[0].facts == (
        "won.reported@2026-W46",
        "won.value@2026-W46",
        "won.late_rows@2026-W46",
    )


def test_one_row_fewer_is_said_too(company, tmp_path):
    published(at(company, tmp_path, SUNDAY, late=1))
    assert str(story.restated(at(company, tmp_path, NEXT))).endswith(
        "reported 8, now 7. 1 row was removed."
    )


def test_a_changed_definition_is_said_apart_from_late_rows(company, tmp_path):
    published(at(company, tmp_path, SUNDAY))
    told = story.restated(at(company, tmp_path, NEXT, rest=", filter: n > 2"))
    said = "Closed-won deals, week 46: reported 7, now 4. The definition has changed."
    assert str(told) == said


def test_nothing_changed_tells_nothing(company, tmp_path):
    published(at(company, tmp_path, SUNDAY))
    told = story.restated(at(company, tmp_path, NEXT))
    assert told.sentences == ()
    assert told._repr_mimebundle_()["text/html"] == ""


def test_a_repeated_report_says_the_same(company, tmp_path):
    published(at(company, tmp_path, SUNDAY))
    first = published(at(company, tmp_path, NEXT, late=2))
    again = at(company, tmp_path, NEXT, late=2)
    assert story.record(again).payload == story.record(first).payload
    assert "now 9" in str(story.restated(again))


def test_the_facts_of_its_sentences_are_in_the_record_and_say_their_numbers(company, tmp_path):
    published(at(company, tmp_path, SUNDAY))
    this = at(company, tmp_path, NEXT, late=2)
    facts = {
        fact["id"]: (fact["period"], fact["value"], fact["text"])
        for fact in story.record(this).payload["facts"]
    }
    assert facts["won.reported@2026-W46"] == ("2026-W46", 7.0, "7")
    assert facts["won.value@2026-W46"] == ("2026-W46", 9.0, "9")
    assert facts["won.late_rows@2026-W46"] == ("2026-W46", 2.0, "2")
    assert facts["won.restated"] == ("2026-W47", 1.0, "1")


def test_more_changed_periods_than_are_told_are_counted(company, tmp_path):
    first = at(company, tmp_path, NEXT)
    rows = [row(100, period=f"2026-W{w}", metric="won", n=100, definition="") for w in (46, 47)]
    remember(first.memory.out, *rows, as_of=SUNDAY)
    told = str(story.restated(at(company, tmp_path, NEXT), most=1)).splitlines()
    assert told == [
        "Closed-won deals, week 47: reported 100, now 7. 93 rows were removed.",
        "Closed-won deals: 2 reported weeks have changed in all.",
    ]


# --- how late rows come ---------------------------------------------------------------------------------------------


def arrived(*days: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [(i, *each) for i, each in enumerate(days)], columns=["key", "event_day", "first_seen_day"]
    )


def test_lateness_counts_the_days_from_event_to_first_export():
    found = history.lateness(
        arrived(
            ("2026-11-02", "2026-11-02"), ("2026-11-02", "2026-11-05"), ("2026-11-03", "2026-11-05")
        )
    )
    assert found.days.to_dict("list") == {
        "days": [0, 2, 3],
        "rows": [1, 1, 1],
        "share": pytest.approx([1 / 3, 2 / 3, 1]),
    }
    assert (found.rows, found.late, found.p95, found.longest) == (3, 2, 3, 3)


def test_the_95th_percentile_is_a_number_of_days_after_which_95_in_100_are_in():
    days = (
        [("2026-11-01", "2026-11-01")] * 94
        + [("2026-11-01", "2026-11-08")]
        + [("2026-11-01", "2026-11-30")] * 5
    )
    assert history.lateness(arrived(*days)).p95 == 7


def test_a_row_before_its_day_is_not_late_and_one_without_a_day_is_left_out():
    found = history.lateness(arrived(("2026-11-09", "2026-11-02"), (None, "2026-11-02")))
    assert (found.rows, found.late, found.p95) == (1, 0, 0)


def test_no_rows_have_no_percentile():
    found = history.lateness(history.arrivals([]))
    assert (found.rows, found.p95, len(found.days)) == (0, None, 0)


def test_arrivals_keep_the_first_export_of_a_key_and_leave_out_what_is_older_than_all_exports():
    def export(day: str, *rows: tuple[str, str]) -> tuple[dt.date, pd.DataFrame]:
        return dt.date.fromisoformat(day), pd.DataFrame(rows, columns=["key", "event_day"])

    later = export(
        "2026-11-08",
        ("old", "2026-10-01"),
        ("late", "2026-10-30"),
        ("a", "2026-11-01"),
        ("b", "2026-11-02"),
    )
    found = history.arrivals(
        [later, export("2026-11-01", ("old", "2026-10-01"), ("a", "2026-11-01"))]
    )
    rows = [
        (key, str(event.date()), str(seen.date()))
        for key, event, seen in found.itertuples(index=False)
    ]
    assert rows == [("a", "2026-11-01", "2026-11-01"), ("b", "2026-11-02", "2026-11-08")]
    assert history.lateness(found).p95 == 6


# --- books ----------------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.text(st.sampled_from("=+-@'a1 ,\"\n"), max_size=5), min_size=1, max_size=3, unique=True
    )
)
@settings(max_examples=30, deadline=None)
def test_what_a_book_is_told_it_says_and_a_spreadsheet_runs_none_of_it(tmp_path_factory, texts):
    out = tmp_path_factory.mktemp("out")
    history.NOTES.add(out, [{"noted_at": str(i), "text": text} for i, text in enumerate(texts)])
    assert history.NOTES.read(out)["text"].tolist() == texts
    with (out / "history" / "notes.csv").open(encoding="utf-8", newline="") as file:
        assert not any(
            each["text"].startswith(("=", "+", "-", "@")) for each in csv.DictReader(file)
        )


def test_a_book_that_a_spreadsheet_has_saved_is_read(tmp_path):
    (tmp_path / "history").mkdir()
    saved = "\ufeffsent_at,report,as_of,readers\r\n2026-11-23,sales,2026-11-22,board@example.com\r\n\r\n"
    (tmp_path / "history" / "sent.csv").write_bytes(saved.encode())
    assert history.SENT.read(tmp_path)["report"].tolist() == ["sales"]
    history.SENT.add(tmp_path, [{"sent_at": "2026-11-30", "report": "sdr"}])
    assert history.SENT.read(tmp_path)["report"].tolist() == ["sales", "sdr"]
