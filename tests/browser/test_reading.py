"""The pages of the sample as a reader meets them: what to do on the first screen, few words, headings that hold something."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from dataops_nb import board, definitions, sources
from dataops_nb.reports.delivery import formats, mail, words
from tests import summaries
from tests.reports.test_sharing import refused
from tests.story import test_generated as generated
from tests.story.test_wordings import NEVER, UNIT_TWICE

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
WEEK = "2026-W47"
OLIST = Path(__file__).parents[3] / "shared" / "data" / "olist"
# Words that are read: not what is folded or drawn, and not what stands in tables and tiles.
WORDS = r"""root => { const apart = "svg, script, style, table, figure, .nb-tiles, .nb-gap, details:not([open])";
  const count = node => { if (node.nodeType === 3) return node.textContent.split(/\s+/).filter(w => /[\p{L}\p{N}]/u.test(w)).length;
    if (node.nodeType !== 1 || node.matches(apart)) return 0; return [...node.childNodes].reduce((sum, child) => sum + count(child), 0); };
  return count(root); }"""
# A heading is empty where the next thing that is seen is another heading of its rank, or the end.
EMPTY = r"""main => { const seen = [...main.querySelectorAll("h2, h3, h4, p, li, figure, table, pre, summary")]; const empty = [];
  seen.forEach((e, i) => { if (!/^H[234]$/.test(e.tagName)) return; const next = seen[i + 1];
    if (!next || (/^H[234]$/.test(next.tagName) && next.tagName <= e.tagName)) empty.push(e.textContent); }); return empty; }"""
# A group of lines has a heading of its own: no other group, table or chart stands between the two.
HEADLESS = r"""main => { const found = []; let heading = false;
  main.querySelectorAll("h2, h3, h4, summary, strong, ul.nb-lines, figure, table").forEach(e => {
    if (e.matches("ul.nb-lines")) { if (!heading) found.push(e.innerText.slice(0, 80)); heading = false; }
    else heading = !e.matches("figure, table"); }); return found; }"""
REPORTS = ["north-star", "sdr", "sales", "customer-service", "product", "solve-next"]
each_report = pytest.mark.parametrize("report", REPORTS)


def page(out: Path, report: str, file: str) -> Path:
    return out / report / WEEK / file


@each_report
def test_what_to_do_stands_on_the_first_screen_of_a_phone(sample_out, visit, report):
    tab = visit(page(sample_out, report, "index.html"), viewport=PHONE)
    (box,) = tab.locator(".nb-todo").all()
    place = box.bounding_box()
    assert place["y"] + place["height"] <= PHONE["height"]
    assert box.locator("li").count()


@each_report
@pytest.mark.parametrize(("file", "most"), [("index.html", 250), ("manager.html", 350)])
def test_a_page_has_few_words(sample_out, visit, report, file, most):
    tab = visit(page(sample_out, report, file))
    assert tab.locator("main").evaluate(WORDS) <= most


@each_report
def test_a_summary_has_few_words_with_its_tables_and_tiles_too(sample_out, report):
    assert summaries.words(page(sample_out, report, "index.html").read_text("utf-8")) <= 250


def twice(texts: list[str]) -> set[str]:
    return {text for text in texts if texts.count(text) > 1}


@each_report
def test_no_page_and_no_mail_says_a_word_of_our_own_making_and_no_block_says_a_thing_twice(
    sample_out, report
):
    for file in ("index.html", "manager.html", "analyst.html"):
        text = page(sample_out, report, file).read_text("utf-8")
        said = [sentence for sentence in words.sentences(text) if "Brier" not in sentence]
        assert [sentence for sentence in said if NEVER.search(sentence)] == []
        for block in re.findall(r'<ul class="nb-lines.*?</ul>', text, re.DOTALL):
            assert twice([summaries.plain(line) for line in block.split("</li>")[:-1]]) == set()
    told = words.read(text, report, "red", period=WEEK)
    assert_in_our_words([told])


def assert_in_our_words(reports: list[words.Words]) -> None:
    """A mail and a message say no word of our own making, no unit twice, and fit."""
    sent = mail.message("s", reports, sender="a@b.example", to=[], day=dt.date(2026, 11, 22))
    body = formats.blocks("Week 47: 2 red · Lumen", reports)
    assert refused(body) == []
    said = [sent.get_body(("plain",)).get_content(), *generated.texts_of(body)]
    assert [text for text in said if NEVER.search(text) or UNIT_TWICE.search(text)] == []


def test_the_digest_of_all_reports_speaks_as_they_do(sample_out):
    reports = []
    for report in REPORTS:
        text = page(sample_out, report, "index.html").read_text("utf-8")
        reports.append(words.read(text, report, "red", period=WEEK, site="https://x.example"))
    assert_in_our_words(reports)


@each_report
def test_the_first_screen_says_where_we_stand_why_and_who_does_what_by_when(
    sample_out, visit, report
):
    assert unanswered(visit(page(sample_out, report, "index.html"), viewport=PHONE)) == []


@pytest.mark.parametrize("state", ["stale", "no-target", "partial", "no-data", "unreconciled"])
def test_the_first_screen_of_a_report_without_a_light_answers_too(states_out, visit, state):
    tab = visit(page(states_out, state, "index.html"), viewport=PHONE)
    open_ = unanswered(tab)
    if state not in ("stale", "no-target"):  # nobody agreed on a day for these
        open_ = [question for question in open_ if not question.startswith("by when")]
    assert open_ == []


def unanswered(tab) -> list[str]:
    """Which of three questions the first screen of a Summary leaves open, by the facts that it shows."""
    shown = {}
    for part in (".nb-headline p", ".nb-cause", ".nb-todo"):
        for place in tab.locator(part).all()[:1]:
            box = place.bounding_box()
            if box["y"] + box["height"] <= PHONE["height"]:
                marked = place.evaluate(
                    "e => [e, ...e.querySelectorAll('[data-facts]')].map(x => x.dataset.facts || '').join(' ')"
                )
                shown[part] = (place.inner_text(), marked)
    open_ = []
    text, facts = shown.get(".nb-headline p", ("", ""))
    is_missing = ".reason" in facts
    if not tab.locator(".nb-headline .nb-chip").count() or not re.search(
        r"\.(value|at_stake|reason)\b", facts
    ):
        open_.append(f"where do we stand: {text!r}")
    cause, rests_on = shown.get(".nb-cause", ("", ""))
    if not is_missing and not (cause.endswith(".") and rests_on.strip()):
        open_.append(f"why: {cause!r}")
    to_do, dates = shown.get(".nb-todo", ("", ""))
    is_idle = re.search(r"othing (?:new )?to do|no action|add no effort|et a target", to_do)
    owner = tab.locator("footer dt:text-is('Owner') + dd").inner_text()
    # Each line that asks for something begins with who is asked, or names them after the metric.
    is_named = owner in to_do or re.search(
        r"^[^:.]*[A-Za-z]: |\([A-Z][^()\d]*\): ", to_do, re.MULTILINE
    )
    if not is_idle and not is_named:
        open_.append(f"who: {to_do!r}")
    if (
        not is_idle
        and not re.search(r"\.(act_by|start_by|overdue_since)\b", dates)
        and " now" not in to_do
    ):
        open_.append(f"by when: {to_do!r}")
    return open_


@pytest.fixture(scope="module")
def olist_pages(tmp_path_factory):
    """The Summaries of Olist's departments and its North Star in August 2018, by month."""
    if not OLIST.exists():
        pytest.skip("the real data set olist is not on this machine")
    folder, written = tmp_path_factory.mktemp("olist"), {}
    known = definitions.load(Path(__file__).parents[2] / "examples" / "olist" / "params")
    with sources.open(known, OLIST, dt.date(2018, 8, 31)) as rows:
        company = rows.company
        for name in company.departments:
            own = [metric for metric in company.metrics if company.department_of(metric) == name]
            this = board.measure(rows, own, grain="month", department=name)
            written[name] = summaries.write(this, folder / name)
        this = board.measure(rows, list(company.north_star), grain="month")
        written["north star"] = summaries.write(this, folder / "star", summaries.NORTH_STAR)
    return written


def test_the_first_screens_of_a_real_company_answer_too(olist_pages, visit):
    open_ = {name: unanswered(visit(path, viewport=PHONE)) for name, path in olist_pages.items()}
    assert not any(open_.values()), open_


def test_the_pages_and_letters_of_a_real_company_say_no_word_of_our_own_making(olist_pages):
    for path in olist_pages.values():
        text = path.read_text("utf-8")
        said = words.sentences(text)
        assert [each for each in said if NEVER.search(each) or UNIT_TWICE.search(each)] == []
        assert_in_our_words([words.read(text, "shop", "red", period="2018-08")])


@pytest.mark.long
@pytest.mark.parametrize("seed", generated.SEEDS)
def test_the_first_screen_of_a_generated_company_answers_too(seed, visit, tmp_path):
    tab = visit(summaries.write(generated.company(seed), tmp_path), viewport=PHONE)
    # Nobody owns these companies' metrics, and no time was agreed: the box can only say so.
    open_ = [each for each in unanswered(tab) if not each.startswith("by when")]
    if any(each.startswith("who") for each in open_):
        assert "No owner yet." in tab.locator(".nb-todo").inner_text()
    assert [each for each in open_ if not each.startswith("who")] == []
    place = tab.locator(".nb-todo").bounding_box()
    assert place["y"] + place["height"] <= PHONE["height"]
    assert tab.locator("main").evaluate(EMPTY) == []
    assert tab.locator("main").evaluate(HEADLESS) == []


def test_the_summaries_of_a_real_company_have_few_words(olist_pages):
    counts = {name: summaries.words(path.read_text("utf-8")) for name, path in olist_pages.items()}
    assert max(counts.values()) <= 250, counts


@each_report
def test_the_block_of_a_summary_is_read_in_half_a_minute(sample_out, visit, report):
    tab = visit(page(sample_out, report, "index.html"))
    lines = tab.locator(
        ".nb-headline p, .nb-cause, main > section > .nb-todo li, main > section > ul.nb-lines li"
    )
    assert lines.count() >= 2
    assert sum(len(line.split()) for line in lines.all_inner_texts()) <= 90


@each_report
@pytest.mark.parametrize("file", ["index.html", "manager.html", "analyst.html"])
def test_no_heading_is_empty_and_no_lines_are_without_one(sample_out, visit, report, file):
    main = visit(page(sample_out, report, file)).locator("main")
    assert main.evaluate(EMPTY) == []
    assert main.evaluate(HEADLESS) == []


@each_report
def test_a_summary_keeps_its_order(sample_out, visit, report):
    parts = [".nb-headline", ".nb-cause", ".nb-tiles", ".nb-todo", "figure", "h2#why"]
    if report == "solve-next":
        parts.pop()  # the line below its headline has said why
    tab = visit(page(sample_out, report, "index.html"), viewport=PHONE)
    tops = [tab.locator(part).first.bounding_box()["y"] for part in parts]
    assert tops == sorted(tops)


@each_report
def test_what_feeds_it_has_at_most_seven_rows(sample_out, visit, report):
    table = visit(page(sample_out, report, "index.html")).locator(
        '[aria-label="What feeds it"] tbody tr'
    )
    assert table.count() <= 7
