"""The front page and the archives: the whole company from its reports' own facts, and the way from period to period."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from dataclasses import replace

import pytest

from dataops_nb.display import say
from dataops_nb.reports import archives, front, ledger, pages, plan
from dataops_nb.reports.pages import archive, front_page, markup, north_star, seals, sparkline
from dataops_nb.reports.pages.cards import Feed, MetricCard, More
from tests import crowds

DAY = dt.date(2026, 11, 22)


def fact(metric, field, value, text=None):
    return {"id": f"{metric}.{field}", "metric": metric, "segment": None, "period": "2026-W47", "field": field,
            "value": value, "unit": "", "text": text or str(value)}  # fmt: skip


def facts(metric, light, **fields):
    return {"light": fact(metric, "light", light)} | {
        name: fact(metric, name, value) for name, value in fields.items()
    }


CUSTOMERS = MetricCard(
    "customers", "New customers", "Finance", "CFO", "Do we grow?", report="north", path="north/2026-W47/index.html",
    facts=facts("customers", "red", value=12, target=13), said={"text": "New customers came to 12.", "facts": [fact("customers", "value", 12)], "spans": [
        {"text": "New customers", "name": True}, {"text": " came to "}, {"text": "12", "fact": "customers.value"}, {"text": "."}]},
    past=[10, None, 14, 12],
    feeds=[Feed("won", "moves", [fact("won", "verdict_on_customers", "moves"), fact("won", "lag_on_customers", 3, "3 weeks")])],
)  # fmt: skip
WON = MetricCard("won", "Won deals", "Sales", "Ann", "Do we sell?", report="sales", path="sales/2026-W47/index.html",
               facts=facts("won", "green", value=41, target=40), feeds=[Feed("customers", "part")])  # fmt: skip
IDLE = MetricCard("idle", "Calls", "Sales")
MORE = More({each.metric: each for each in (CUSTOMERS, WON, IDLE)}, ["customers"])
NORTH = front_page.Entry(
    "north",
    "North Star",
    "north/2026-W47/index.html",
    light="red",
    headline="Bad.",
    as_of="2026-11-22",
)


def tree_of(html):
    return re.search(r'<ul class="nb-tree">.*?</section>', html, re.DOTALL)[0]


def built(*entries, more=MORE):
    return front_page.build("Lumen", entries or [NORTH], DAY, more=more)


def test_the_tree_leads_from_the_north_star_to_its_inputs_with_their_lights():
    words = " ".join(re.sub("<[^>]+>", " ", tree_of(built())).split())
    assert words == "■ Red New customers ● Green Won deals 41 · target 40 effect after 3 weeks"


def test_what_stands_beside_a_metric_is_not_drawn_below_it_once_more():
    star = replace(CUSTOMERS, feeds=[Feed("won", "moves"), Feed("idle", "moves")])
    more = More(
        {each.metric: each for each in (star, replace(WON, feeds=[Feed("idle", "moves")]), IDLE)},
        ["customers"],
    )
    assert tree_of(built(more=more)).count("Calls") == 1


def test_of_many_branches_the_last_are_folded():
    others = [replace(IDLE, metric=f"m{n}", label=f"Metric {n}") for n in range(7)]
    star = replace(CUSTOMERS, feeds=[Feed(card.metric, "part") for card in others])
    html = tree_of(built(more=More({card.metric: card for card in (star, *others)}, ["customers"])))
    opened, _, folded = html.partition("<details><summary>3 more</summary>")
    assert "Metric 3" in opened
    assert "Metric 4" not in opened
    assert "Metric 6" in folded


def test_the_gravest_findings_stand_open_and_the_others_are_folded():
    kinds = ["red by noise", "green decline", *["rocking chair"] * 4, "explained signal"]
    findings = []
    for place, kind in enumerate(kinds):
        findings.append(
            {"text": f"Finding {place}.", "facts": [], "kind": kind, "metrics": [f"m{place}"]}
        )
    html = built(replace(NORTH, findings=tuple(findings)))
    opened, _, folded = html.partition("more</summary>")
    assert opened.index("Finding 6.") < opened.index("Finding 1.") < opened.index("Finding 2.")
    assert "Finding 0." in folded.partition("</details>")[0]


def test_what_feeds_itself_is_drawn_once():
    assert built().count("part of it") == 0


@pytest.mark.parametrize(
    ("how", "verdict", "words"),
    [
        ("part", "", "part of it"),
        ("moves", "", "expected"),
        ("moves", "does not", "expected, no effect seen"),
        ("moves", "cannot tell", "expected, no sign yet"),
        ("found", "moves", "seen in the data"),
    ],
)
def test_the_tree_says_whether_the_data_agree(how, verdict, words):
    said = [fact("won", "verdict_on_customers", verdict)] if verdict else []
    assert say(Feed("won", how, said).words()).text == words


def test_the_lines_of_the_front_page_agree_with_their_facts_and_a_changed_one_does_not():
    html = built()
    assert seals.page(html) == []
    assert html.count('data-facts="sales:won.value sales:won.target') == 2
    assert seals.page(html.replace("41 · target 40", "49 · target 40")) != []


def test_another_light_than_the_facts_say_is_found_even_where_the_seal_is_forged():
    html = built(
        more=replace(
            MORE,
            cards={**MORE.cards, "won": replace(WON, facts=facts("won", "red", value=41))},
        )
    )
    carried = json.loads(seals.FACTS.search(html)[1])
    for each in carried["facts"]:
        each["value"] = "green" if each["id"] == "sales:won.light" else each["value"]
    assert any("says Red" in wrong.problem for wrong in seals._disagreeing(carried))


def test_a_metric_that_no_report_is_about_says_so():
    assert "Calls" in built()
    assert re.search(r"In no report</span> Calls <small>Sales</small>", built())


def test_without_named_north_stars_the_first_report_speaks():
    html = built(more=None)
    assert "Bad." in html
    assert 'class="nb-stars"' not in html
    assert "<script>" not in html


def test_every_metric_is_listed_with_words_to_be_found_by():
    html = built()
    assert "All 3 metrics" in html
    assert 'data-find="won Do we sell? Ann"' in html


def test_the_only_script_is_the_one_that_the_policy_names():
    html = built()
    assert html.count("<script>") == 1
    assert pages.policy(markup.script("finder.js")) in html
    assert "unsafe" not in pages.policy(markup.script("finder.js")).partition("script-src")[2]


def test_a_page_with_another_script_or_style_is_refused():
    html = built()
    assert seals.page(html.replace("</body>", "<script>document.title = 1</script></body>")) != []
    assert seals.page(html.replace("</style>", ".nb-said { display: none }</style>")) != []


def test_a_company_with_very_many_metrics_still_loads():
    many = {
        f"m{i}": replace(WON, metric=f"m{i}", label=f"Metric {i}", feeds=()) for i in range(2000)
    }
    html = built(more=More(many))
    assert len(html.encode()) < 300_000
    assert "1,400 more are in the reports' downloads." in html
    assert seals.page(html) == []


def test_what_to_solve_next_is_no_department_and_says_what_it_is_about():
    said = {"text": "First: mend the export.", "facts": [fact("solve", "listed", 3)], "names": []}
    solve = front_page.Entry(
        "solve",
        "What to solve next",
        "solve/2026-W47/index.html",
        None,
        headline="Bad.",
        solve=(said,),
    )
    html = built(NORTH, solve)
    assert "First: mend the export." in html
    assert html.count("Bad.") == 0
    assert "Departments" not in html


def test_a_small_line_has_gaps_where_nothing_is_known_and_says_what_it_shows():
    svg = north_star.small_line(replace(WON, past=[10, None, 14, 12]), "week")
    assert svg.count("<polyline") == 2
    assert '12, between 10 and 14."' in svg
    assert north_star.small_line(replace(WON, past=[None, 3]), "week") == ""


def test_a_small_line_shows_its_target_and_ends_in_a_dot():
    svg = sparkline.draw([10.0, 14.0], "Won", 12.0)
    assert '<path class="nb-sparkgoal" d="M0 14.0H120"/>' in svg
    assert '<path class="nb-sparkend" d="M120 3.0h0"/>' in svg
    assert "nb-sparkgoal" not in sparkline.draw([10.0, 14.0], "Won")


# --- where a metric stands, from published files ----------------------------------------------------------------------

COMPANY = {
    "metrics": """
    customers: {type: simple, measure: {source: deals, agg: count}}
    won: {type: simple, label: Won deals, measure: {source: deals, agg: count}, moves: [{metric: customers}]}
    calls: {type: simple, measure: {source: deals, agg: count}}
    """,
    "sources": "deals: {system: CRM, path: deals.csv, time: day}",
}


@pytest.fixture
def read(company, tmp_path):
    known = company(
        COMPANY["sources"],
        COMPANY["metrics"],
        {"deals.csv": "day\n2026-11-01\n"},
        extra="north_star: [customers]",
    ).company

    def make(**reports):
        shown = []
        for name, (as_of, department, said) in reports.items():
            folder = tmp_path / "out" / name / "2026-W47"
            folder.mkdir(parents=True)
            (folder / "facts.json").write_text(json.dumps({"facts": said}))
            (folder / "numbers.csv").write_text(
                "metric,value,complete\ncustomers,3,true\ncustomers,,true\ncustomers,9,false\n"
            )
            told = [{"metric": "customers", "text": f"Said by {name}.", "facts": [], "names": []}]
            shown.append(
                front.Shown(
                    name,
                    "2026-W47",
                    as_of,
                    {"department": department, "stars": told, "grain": "day"},
                )
            )
        return front.cards(
            tmp_path / "out", shown, known, dt.datetime(2026, 11, 22, 7, tzinfo=dt.UTC)
        )

    return make


def test_a_metric_stands_where_its_newest_report_says_and_of_those_its_departments(read):
    old, new = [fact("won", "light", "red")], [fact("won", "light", "green")]
    more = read(
        all=("2026-11-22", None, new),
        dept=("2026-11-22", "Dept", new),
        late=("2026-11-15", "Dept", old),
    )
    assert (more.cards["won"].report, more.cards["won"].light) == ("dept", "green")
    assert more.cards["calls"].path is None


def test_a_north_star_is_told_by_its_own_report_with_its_whole_periods(read):
    said = [fact("customers", "light", "green")]
    more = read(north=("2026-11-22", None, said), dept=("2026-11-22", "Dept", said))
    assert more.stars == ["customers"]
    assert more.cards["customers"].said["text"] == "Said by north."
    assert more.cards["customers"].past == [3.0, None]
    assert more.grain == "day"


def test_what_the_data_found_hangs_in_the_tree_beside_what_was_declared(read):
    said = [fact("customers", "light", "green"), fact("won", "verdict_on_customers", "does not"),
            fact("calls", "verdict_on_customers", "moves"), fact("calls", "lag_on_customers", 2, "2 weeks")]  # fmt: skip
    feeds = read(north=("2026-11-22", None, said)).cards["customers"].feeds
    assert [(feed.metric, feed.how, say(feed.words()).text) for feed in feeds] == [
        ("won", "moves", "expected, no effect seen"),
        ("calls", "found", "seen in the data, after 2 weeks"),
    ]


# --- the archive ------------------------------------------------------------------------------------------------------


def past(*weeks):
    return [
        archive.Past(f"2026-W{week}", f"2026-11-{week - 25}", "green", headline="Fine.")
        for week in weeks
    ]


def test_the_archive_has_a_place_for_every_neighbour_that_a_page_asks_for():
    html = archive.build("Lumen", "Sales", past(47, 45, 44))
    item = re.search(r'<li id="2026-W45">.*?</li>', html)[0]
    assert 'id="before-2026-W47"' in item
    assert 'id="after-2026-W44"' in item
    assert '<p class="nb-note" id="after-2026-W47">Latest: 2026-W47.</p>' in html
    assert 'id="before-2026-W44"' in html
    assert seals.page(html) == []


def test_the_archive_lists_the_newest_first_with_links_that_stay_inside_the_report():
    html = archive.build("Lumen", "Sales", past(47, 46))
    assert re.findall(r'href="(2026[^"]*)"', html) == ["2026-W47/index.html", "2026-W46/index.html"]


def test_an_archive_of_a_year_of_days_stays_small():
    said = [fact("won", name, 41) for name in ("value", "target", "gap", "attainment", "light")]
    days = [DAY - dt.timedelta(days=i) for i in range(365)]
    many = [
        archive.Past(
            str(day), str(day), "green", headline=f"Won came to 41. {'x' * 90}", facts=said
        )
        for day in days
    ]
    assert len(archive.build("Lumen", "Sales", many).encode()) < 300_000


def test_a_front_page_of_500_departments_stays_small_and_lists_every_one():
    html = crowds.front(500)
    assert len(html.encode()) <= 300_000
    assert seals.page(html) == []
    listed = html.partition('<details id="departments"')[2].partition("</details>")[0]
    assert len(set(re.findall(r'href="(region-\d+)/', listed))) == 500
    assert re.findall(r'data-light="(\w+)"', listed) == ["red", "yellow", "unknown", "green"]


def test_of_many_departments_those_with_the_gravest_lights_have_a_card():
    html = crowds.front(500)
    shown = html.partition('<ul class="nb-cards">')[2].partition("</ul>")[0]
    assert re.findall(r'data-light="(\w+)"', shown) == ["red"] * 24


def test_the_cost_of_another_department_on_a_front_page_is_a_line_of_a_list():
    one_more = len(crowds.front(401)) - len(crowds.front(400))
    assert one_more < 200


def test_some_dozens_of_departments_all_have_a_card_in_the_order_of_the_suites():
    html = crowds.front(40)
    shown = html.partition('<ul class="nb-cards">')[2].partition("</ul>")[0]
    order = re.findall(r'href="region-(\d+)/', shown)
    assert order == sorted(order)
    assert len(order) == 40
    assert 'id="departments"' not in html


def test_what_there_is_no_room_for_in_the_tree_is_counted():
    tree = tree_of(crowds.front(500))
    assert tree.count("<li>") == 41  # with the North Star
    assert "460 more feed it." in tree


# --- an archive of many periods ---------------------------------------------------------------------------------------


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A report whose archive has three periods on each older page; publish one period of it."""
    monkeypatch.setattr(archives, "PAGE", 3)
    with ledger.opened(tmp_path / "ledger.sqlite") as book:

        def publish(number):
            day = dt.date(2026, 1, 4) + dt.timedelta(weeks=number)
            planned = plan.Planned("weekly", "sales", "s.ipynb", {}, f"2026-W{number:02}", True, "")
            row = ledger.start(book, "run", planned, day)
            shown = {"title": "Sales", "light": "green", "headline": "Fine."}
            ledger.finish(book, row, "ok", seconds=1.0, shown=shown)
            page = tmp_path / "sales" / planned.period / "index.html"
            page.parent.mkdir(parents=True)
            page.write_text("<html></html>")
            archives.write_archives(tmp_path, tmp_path / "runs", book, ["sales"], company="Lumen")

        yield publish


def test_older_periods_stand_on_pages_that_stay_as_they_are(published, tmp_path):
    for number in range(1, 10):
        published(number)
    first = (tmp_path / "sales" / "older-1.html").stat().st_ino
    for number in range(10, 14):
        published(number)
    pages = {
        page.name: re.findall(r'<h2><a href="([\w-]+)/', page.read_text())
        for page in (tmp_path / "sales").glob("*.html")
    }
    weeks = [f"2026-W{number:02}" for number in range(13, 0, -1)]
    assert pages == {
        "index.html": weeks[:4], "older-3.html": weeks[4:7], "older-2.html": weeks[7:10], "older-1.html": weeks[10:],
    }  # fmt: skip
    assert (tmp_path / "sales" / "older-1.html").stat().st_ino == first


def test_another_period_reads_the_pages_of_the_one_before_it_alone(published, monkeypatch):
    for number in range(1, 10):
        published(number)
    led = []
    monkeypatch.setattr(archives, "_lead_on", lambda folder, private: led.append(folder.name))
    published(10)
    assert led == ["2026-W09"]


def test_the_pages_of_periods_that_were_pruned_go(published, tmp_path):
    for number in range(1, 10):
        published(number)
    for number in range(1, 5):
        shutil.rmtree(tmp_path / "sales" / f"2026-W{number:02}")
    published(10)
    assert sorted(page.name for page in (tmp_path / "sales").glob("*.html")) == [
        "index.html",
        "older-1.html",
    ]
