"""Unchanged reports are skipped, changed ones say why; claims, due periods, the ledger's upkeep. No kernel is started."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from nbformat import v4

from dataops_nb import history, workbench
from dataops_nb.errors import LockedError, UsageError
from dataops_nb.reports import execution, inputs, ledger, plan, progress, publication, run, upkeep
from dataops_nb.reports.execution import job as job_
from dataops_nb.reports.pages import seals
from dataops_nb.sources.cache import Store
from dataops_nb.sources.fingerprints import of_file
from tests.reports.test_refresh import make, weekly

pytestmark = pytest.mark.faults  # each runs refreshes; `make check` has the time

DAY = dt.date(2026, 11, 22)
SALES = """department: Sales
owner: {owner}
metrics:
  won: {{type: simple, measure: {{source: deals, agg: count}}, targets: [{{from: 2026-01-01, per: week, value: {target}}}]}}
  lost: {{type: simple, measure: {{source: losses, agg: count}}, label: {label}}}
"""
COMPANY = """company: Lumen
sources:
  deals: {system: CRM, path: deals.csv, time: day}
  losses: {system: CRM, path: losses.csv, time: day}
"""


class Fake:
    """In place of the execution: every job ends as told, with the facts of the metric `won`."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.fails: set[str] = set()
        self.used = {"metrics": ["won"], "sources": ["deals"]}

    def run(self, jobs, *, at_a_time, timeout, started, **_):
        for job in jobs:
            started(job)
            name = job.notebook.stem
            self.ran.append(name)
            if name in self.fails:
                yield job_.JobEnd(job, "failed", 0.1, 1, "cell 3: ValueError: no")
            else:
                yield job_.JobEnd(job, "ok", 0.1, notebook=self.notebook(job))

    def notebook(self, job):
        facts = {
            "schema_version": 1, "complete": True, "company": "Lumen", "department": "Sales", "title": "Sales", "owner": None,
            "as_of": job.parameters["as_of"], "grain": "week", "period": "2026-W47", "data_to": None, "light": "green",
            "reason": None, "headline": "All is well.", "facts": [], "rows": [], "sources": [], "warnings": [],
            "used": self.used,
        }  # fmt: skip
        cell = v4.new_code_cell("x")
        cell.outputs = [
            v4.new_output("display_data", {"application/vnd.dataops-nb.facts+json": facts})
        ]
        return v4.new_notebook(cells=[cell])


@pytest.fixture
def fake(monkeypatch):
    made = Fake()
    monkeypatch.setattr(execution, "run", made.run)
    return made


@pytest.fixture
def wb(tmp_path):
    made = make(tmp_path, weekly("one", "two"), one=["1"], two=["2"])
    (tmp_path / "params" / "company.yaml").write_text(COMPANY)
    (tmp_path / "data" / "losses.csv").write_text("day\n2026-11-19\n")
    write_sales(made)
    return again(made)


def write_sales(wb, target=10, label="Lost", owner="Ann") -> None:
    text = SALES.format(target=target, label=label, owner=owner)
    (wb.root / "params" / "departments" / "sales.yaml").write_text(text)


def again(wb, **other):
    """The workbench as the next process sees it."""
    return workbench.open(wb.root, data=wb.data, out=wb.out, **other)


def refreshed(wb, **asked):
    outcome = run.run(again(wb), **{"as_of": DAY, "progress": progress.silent, "jobs": 1} | asked)
    return [result.state for result in outcome.reports]


def why(wb, **asked) -> str:
    return run.planned(again(wb), **{"as_of": DAY, "reports": ["one"]} | asked)[0].why


# --- what is skipped, and why not -----------------------------------------------------------------------------------


def test_an_unchanged_report_is_skipped_and_its_pages_stay(wb, fake):
    assert refreshed(wb) == ["ok", "ok"]
    page = wb.out / "one" / "2026-W47" / "index.html"
    before = page.read_bytes(), page.stat().st_mtime_ns
    outcome = run.run(again(wb), as_of=DAY, progress=progress.silent)
    one = outcome.reports[0]
    assert (one.state, one.light, one.code, one.pages[0]) == ("skipped", "green", 0, str(page))
    assert fake.ran == ["one", "two"]
    assert (page.read_bytes(), page.stat().st_mtime_ns) == before
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        assert [row["state"] for row in ledger.rows(book)] == ["skipped", "skipped", "ok", "ok"]


def test_force_runs_everything(wb, fake):
    refreshed(wb)
    assert refreshed(wb, force=True) == ["ok", "ok"]


def touch_rows(wb):
    (wb.data / "deals.csv").write_text("day\n2026-11-20\n2026-11-21\n2026-11-21\n")


def edit_notebook(wb):
    path = wb.notebooks / "one.ipynb"
    path.write_text(path.read_text().replace("# Sales", "# Our sales"))


def publish_history(wb, *rows):
    """Values that were published; the last three columns are of no account."""
    head = "metric,segment,grain,period,as_of,value,complete,n,definition,report,run,published_at"
    lines = [
        f"{metric},,week,2026-W46,{day},3,true,3,,r,x,now"
        for metric, day in rows or [("won", "2026-11-15")]
    ]
    (wb.out / "history" / "values.csv").write_text("\n".join([head, *lines]) + "\n")


def note(wb, metric, day):
    """What an owner says about a metric on a day."""
    history.NOTES.add(
        wb.out,
        [
            {
                "noted_at": "now",
                "metric": metric,
                "as_of": day,
                "kind": "note",
                "text": "We call them.",
            }
        ],
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (touch_rows, "deals.csv changed; 2 new rows"),
        (lambda wb: write_sales(wb, target=12), "definition of won changed"),
        (lambda wb: write_sales(wb, owner="Bob"), "params/departments/sales.yaml changed"),
        (edit_notebook, "one.ipynb changed"),
        (publish_history, "what was published before or noted changed"),
        (lambda wb: note(wb, "won", "2026-11-22"), "what was published before or noted changed"),
        (lambda wb: (wb.out / "one" / "2026-W47" / "index.html").unlink(), "pages missing"),
        (lambda wb: (wb.root / "params" / "events.yaml").write_text(
            "- {date: 2026-11-20, title: Release, kind: release}\n"), "params/events.yaml changed"),
    ],
)  # fmt: skip
def test_a_report_is_due_again_when_something_it_is_made_of_changes(wb, fake, change, said):
    (wb.out / "history").mkdir(parents=True)
    refreshed(wb)
    change(wb)
    assert why(wb) == f"2026-W47, published 2026-11-22: {said}"
    assert refreshed(wb, reports=["one"]) == ["ok"]
    assert why(wb) == "up to date (2026-W47, published 2026-11-22)"


@pytest.mark.parametrize(
    "change",
    [
        lambda wb: write_sales(wb, label="Deals lost"),
        lambda wb: (wb.data / "losses.csv").write_text("day\n2026-11-18\n"),
        lambda wb: publish_history(wb, ("lost", "2026-11-15"), ("won", "2026-11-22")),
        lambda wb: note(wb, "lost", "2026-11-22"),
        lambda wb: note(wb, "won", "2026-11-23"),
    ],
)
def test_what_a_report_does_not_use_does_not_make_it_due(wb, fake, change):
    (wb.out / "history").mkdir(parents=True)
    refreshed(wb)
    change(wb)
    assert refreshed(wb) == ["skipped", "skipped"]


def test_a_report_that_does_not_say_what_it_uses_uses_everything(wb, fake):
    fake.used = None
    refreshed(wb)
    write_sales(wb, label="Deals lost")
    assert why(wb).endswith(": definition of lost changed")


def test_another_parameter_is_said(wb, fake):
    refreshed(wb)
    assert why(wb, parameters={"word": "there"}).endswith(": word is 'there', not 'here'")


def test_a_file_touched_without_a_change_is_hashed_and_found_the_same(wb, fake):
    refreshed(wb)
    text = (wb.data / "deals.csv").read_text()
    (wb.data / "deals.csv").unlink()
    (wb.data / "deals.csv").write_text(text)
    assert refreshed(wb) == ["skipped", "skipped"]


def test_rows_of_a_csv_are_lines_outside_quotes(tmp_path):
    (tmp_path / "a.csv").write_text('a,b\n1,"two\nlines"\n2,"a ""b"""\n3,x')
    assert of_file(tmp_path / "a.csv", Store(None)).rows == 3


def test_a_failed_report_is_run_again_and_its_claim_is_free(wb, fake):
    fake.fails = {"one"}
    assert refreshed(wb) == ["failed", "ok"]
    assert why(wb) == "2026-W47 has ended and is not published; it failed as of 2026-11-22"
    fake.fails = set()
    assert refreshed(wb) == ["ok", "skipped"]


def test_an_older_as_of_that_was_published_last_is_what_is_in_place(wb, fake):
    refreshed(wb)
    refreshed(wb, as_of=dt.date(2026, 11, 25))
    refreshed(wb)
    assert (
        json.loads((wb.out / "one" / "latest.json").read_text())["published_as_of"] == "2026-11-22"
    )
    assert refreshed(wb) == ["skipped", "skipped"]


# --- due periods, for schedulers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "states"),
    [
        ("2026-11-22", ["skipped", "skipped"]),  # asked a second time
        ("2026-11-24", ["skipped", "skipped"]),  # the same period, another day
        ("2026-11-29", ["ok", "ok"]),            # the next period
        ("2026-12-20", ["ok", "ok"]),            # three periods were missed: the latest, once
        ("2026-11-15", ["skipped", "skipped"]),  # the clock was set back
    ],
)  # fmt: skip
def test_due_means_that_the_latest_period_was_never_published(wb, fake, day, states):
    refreshed(wb, missed=True)
    fake.ran.clear()
    assert refreshed(wb, missed=True, as_of=day) == states
    assert refreshed(wb, missed=True, as_of=day) == ["skipped", "skipped"]
    assert len(fake.ran) == states.count("ok")


def test_a_cell_that_fails_is_not_tried_again_until_something_has_changed(wb, fake):
    fake.fails = {"one"}
    assert refreshed(wb, missed=True) == ["failed", "ok"]
    assert refreshed(wb, missed=True) == ["skipped", "skipped"]
    touch_rows(wb)
    assert refreshed(wb, missed=True) == ["failed", "skipped"]


def test_what_was_killed_is_tried_again(wb, fake):
    (one, _) = plan.reports(again(wb).definitions, wb.notebooks, as_of=DAY)
    wb.out.mkdir()
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        ledger.claim(book, "key", "r0")
        ledger.start(book, "r0", one, DAY)
    assert refreshed(wb, missed=True) == ["ok", "ok"]
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        assert ledger.claim(book, "key", "r1")


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-03-29T01:30:00+00:00", "2026-03-29"),  # 02:30 does not exist in Berlin
        ("2026-10-25T00:30:00+00:00", "2026-10-25"),  # 02:30 comes twice: the first time
        ("2026-10-25T01:30:00+00:00", "2026-10-25"),  # and the second
        ("2026-11-22T23:30:00+00:00", "2026-11-23"),  # the company is a day ahead of the machine
    ],
)
def test_today_is_the_companys_day_whatever_its_clock_does(wb, fake, moment, day, monkeypatch):
    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return dt.datetime.fromisoformat(moment).astimezone(tz)

    (wb.root / "params" / "company.yaml").write_text(COMPANY + "timezone: Europe/Berlin\n")
    monkeypatch.setattr(workbench.dt, "datetime", Clock)
    assert workbench.as_of(again(wb)).isoformat() == day


# --- the ledger's upkeep, claims, shards ----------------------------------------------------------------------------


def test_a_claim_is_given_once(tmp_path):
    with ledger.opened(tmp_path / "l.sqlite") as one, ledger.opened(tmp_path / "l.sqlite") as two:
        assert [ledger.claim(one, "k", "r1"), ledger.claim(two, "k", "r2")] == [True, False]
        ledger.release(one, ["k"])
        assert ledger.claim(two, "k", "r2")


def test_a_ledger_of_an_earlier_version_gets_what_it_lacks(tmp_path):
    with ledger.opened(tmp_path / "l.sqlite") as book:
        book.execute("drop index runs_in_place")
        for name in ("whatif", "made_of"):
            book.execute(f"alter table runs drop column {name}")
    with ledger.opened(tmp_path / "l.sqlite") as book:
        assert ledger.in_place(book) == {}


def links(wb, report):
    """The periods that a report's archive leads to, in its order."""
    return re.findall(
        r'href="([^"]+)/index.html">[^<]+</a></h2>', (wb.out / report / "index.html").read_text()
    )


def test_the_archive_leads_to_every_period_and_a_new_one_changes_no_older_content(wb, fake):
    refreshed(wb, as_of=dt.date(2026, 11, 15))
    before = (wb.out / "one" / "2026-W46" / "index.html").read_text()
    refreshed(wb, as_of=dt.date(2026, 11, 22))
    assert links(wb, "one") == ["2026-W47", "2026-W46"]
    older = (wb.out / "one" / "2026-W46" / "index.html").read_text()
    assert seals.page(older) == []
    content = [page.split("<main")[1].split("</main>")[0] for page in (older, before)]
    assert content[0] == content[1]


def test_prune_keeps_the_newest_periods_and_always_the_latest_good_one(wb, fake):
    for day in (8, 15, 22):
        refreshed(wb, as_of=dt.date(2026, 11, day))
    fake.fails = {"one"}
    refreshed(wb, as_of=dt.date(2026, 11, 29))
    gone = upkeep.prune(again(wb), 1)
    assert sorted(gone.pages) == [
        "one/2026-W45",
        "one/2026-W46",
        "two/2026-W45",
        "two/2026-W46",
        "two/2026-W47",
    ]
    assert (wb.out / "one" / "2026-W47" / "index.html").exists()
    assert (wb.out / "two" / "2026-W48" / "index.html").exists()
    assert links(wb, "two") == ["2026-W48"]
    assert upkeep.prune(again(wb), 1) == upkeep.Pruned([], [], 0)
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        assert {(row["report"], row["state"]) for row in ledger.rows(book)} == {
            ("one", "ok"),
            ("one", "failed"),
            ("two", "ok"),
        }
    with pytest.raises(UsageError, match="never removed"):
        upkeep.prune(wb, 0)


def test_a_start_sweeps_what_a_killed_run_left(wb, fake):
    left = wb.out / "runs" / "r0" / "one.weekly"
    (left / "publish").mkdir(parents=True)
    (left / "publish" / "index.html").write_text("half")
    (left / "remember.json.new").write_text("half")
    (wb.out / "runs" / "values.csv.new").write_text("half")
    (left / "log.txt").write_text("evidence")
    refreshed(wb)
    assert [path.name for path in (wb.out / "runs" / "r0").rglob("*") if path.is_file()] == [
        "log.txt"
    ]
    assert not (wb.out / "runs" / "values.csv.new").exists()


@pytest.mark.parametrize(
    ("shard", "taken"), [("1/2", [0, 2, 4]), ("2/2", [1, 3]), ("1/1", [0, 1, 2, 3, 4]), ("9/9", [])]
)
def test_each_shard_takes_its_part(shard, taken):
    assert plan.pick(range(5), shard) == taken


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3"])
def test_a_shard_that_is_none_is_refused(shard):
    with pytest.raises(UsageError, match="2/4"):
        plan.pick(range(5), shard)


def died_after_claiming(wb, monkeypatch, **asked):
    """A refresh that is killed when it has claimed its reports and entered none of them."""
    with monkeypatch.context() as patched:
        patched.setattr(publication, "_work_off", lambda *_: iter(()))
        with pytest.raises(KeyError):  # it has no results to tell of
            refreshed(wb, **asked)
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        assert book.execute("select count(*) from claims").fetchone()[0]
        assert ledger.rows(book) == []


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("", "1/1"), ("1/1", ""), ("1/1", "1/1"), ("1/1", "1/2")]
)
def test_what_a_dead_run_had_claimed_is_executed_by_the_next_one(
    wb, fake, monkeypatch, before, after
):
    died_after_claiming(wb, monkeypatch, shard=before)
    assert set(refreshed(wb, shard=after)) == {"ok"}


def test_what_another_living_shard_has_claimed_is_left_to_it(wb, fake, monkeypatch):
    died_after_claiming(wb, monkeypatch, shard="1/1")
    with ledger.held(wb.out / "runs", shard="1/1"):
        assert refreshed(wb, shard="1/2") == ["skipped"]
        assert refreshed(wb, shard="2/2") == ["skipped"]
    assert refreshed(wb, shard="1/2") == ["ok"]


def test_a_ledger_whose_claims_name_no_shard_is_read(wb, fake):
    wb.out.mkdir()
    with closing(sqlite3.connect(wb.out / "ledger.sqlite")) as old, old:
        old.execute("create table claims (key text primary key, run text, claimed text)")
        old.execute("insert into claims values ('left', 'r', 'long ago')")
    assert refreshed(wb) == ["ok", "ok"]
    with ledger.opened(wb.out / "ledger.sqlite") as book:
        assert not book.execute("select 1 from claims where key = 'left'").fetchone()


def test_shards_run_beside_each_other_but_not_beside_a_whole_refresh(tmp_path):
    runs = tmp_path / "out" / "runs"
    runs.mkdir(parents=True)
    with ledger.held(runs, shard="1/2"), ledger.held(runs, shard="2/2"):
        for shard in ("", "1/2"):
            with (
                pytest.raises(LockedError, match="another refresh is running"),
                ledger.held(runs, shard=shard),
            ):
                pass
    with ledger.held(runs), pytest.raises(LockedError), ledger.held(runs, shard="1/2"):
        pass


def test_two_shards_publish_what_one_refresh_would(wb, fake):
    assert refreshed(wb, shard="1/2") == ["ok"]
    assert refreshed(wb, shard="2/2") == ["ok"]
    assert refreshed(wb) == ["skipped", "skipped"]
    assert [
        one["state"] for one in json.loads((wb.out / "latest.json").read_text())["reports"]
    ] == ["ok", "ok"]


# --- what-ifs -------------------------------------------------------------------------------------------------------


def test_a_whatif_lays_only_what_differs_over_the_files(wb):
    folder = wb.root / "params" / "whatif"
    folder.mkdir()
    (folder / "more.yaml").write_text(
        "metrics:\n  won: {targets: [{from: 2026-01-01, per: week, value: 99}]}\ncurrency: EUR\n"
    )
    (folder / "same.yaml").write_text(
        "departments:\n  sales: {owner: Bob, metrics: {lost: {label: Gone}}}\n"
    )
    more, same = (again(wb, whatif=name).definitions for name in ("more", "same"))
    assert (
        more.metrics["won"].targets[0].value,
        more.company.currency,
        more.metrics["won"].measure.source,
    ) == (
        99,
        "EUR",
        "deals",
    )
    assert (
        same.departments["sales"].owner,
        same.label("lost"),
        same.metrics["won"].targets[0].value,
    ) == (
        "Bob",
        "Gone",
        10,
    )


def test_a_mistake_in_a_whatif_is_reported_there(wb):
    folder = wb.root / "params" / "whatif"
    folder.mkdir()
    (folder / "bad.yaml").write_text(
        "metrics:\n  wun: {label: x}\n  won:\n    bettr: up\ndepartments:\n  sels: {}\nlites: {}\n"
    )
    with pytest.raises(UsageError) as caught:
        _ = again(wb, whatif="bad").definitions
    for said in (
        "params/whatif/bad.yaml:2: metrics.wun: no metric 'wun'; did you mean 'won'?",
        "params/whatif/bad.yaml:4: metrics.won.bettr",
        "params/whatif/bad.yaml:6: departments.sels: no department 'sels'; did you mean 'sales'?",
        "params/whatif/bad.yaml:7: lites",
    ):
        assert said in str(caught.value)
    with pytest.raises(UsageError, match="did you mean 'bad'"):
        again(wb, whatif="bat")


def test_a_whatif_is_published_in_its_own_place_and_says_what_it_is(wb, fake):
    (wb.root / "params" / "whatif").mkdir()
    (wb.root / "params" / "whatif" / "more.yaml").write_text("currency: EUR\n")
    refreshed(wb)
    real = {path: path.read_bytes() for path in wb.out.rglob("*.html")}
    outcome = run.run(again(wb, whatif="more"), as_of=DAY, progress=progress.silent)
    assert [result.state for result in outcome.reports] == ["ok", "ok"]
    place = wb.out / "whatif" / "more"
    assert outcome.reports[0].pages[0] == str(place / "one" / "2026-W47" / "index.html")
    for page in (place / "index.html", place / "one" / "2026-W47" / "analyst.html"):
        assert "What-if “more”, not the real report" in page.read_text()
        assert seals.page(page.read_text()) == []
    assert {path: path.read_bytes() for path in real} == real
    assert refreshed(wb) == ["skipped", "skipped"]
    assert not (wb.out / "history" / "values.csv").exists()


def test_the_claim_of_a_report_stands_for_all_it_is_made_of(wb):
    (one, two) = plan.reports(again(wb).definitions, wb.notebooks, as_of=DAY)
    keys = {
        inputs.claim_key(one, {"a": 1}),
        inputs.claim_key(one, {"a": 2}),
        inputs.claim_key(two, {"a": 1}),
    }
    assert len(keys | {inputs.claim_key(replace(one, whatif="x"), {"a": 1})}) == 4
