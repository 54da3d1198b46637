"""Every wording as it is read, in one list that a person can read aloud: `sentences.txt`.

The first part fills each wording of `story.wordings` and `story.decisions` with the slots of three
cases. The second part lets boards speak: good up and good down, met and missed, counts, rates,
averages, levels and money, singular and plural, with and without target and last year, in three
locales. `python -m tests.story.test_wordings` writes the list anew.
"""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from pathlib import Path

import pytest

from dataops_nb import board, definitions, sources, story
from dataops_nb.display import capitalized, say
from dataops_nb.story import decisions, wordings
from dataops_nb.story.changes import part_name
from dataops_nb.story.phrases import fill, phrase
from tests.sentences import wrong

LIST = Path(__file__).with_name("sentences.txt")
SLOT = re.compile(r"\{(\w+)\}")
# Words of voices that explain themselves; none of our own sentences says them to a reader.
NEVER = re.compile(
    r"\b(?:came to|stood at|attained|lower is better|higher is better|on pace|judged|verdict|"
    r"declared|nothing is said|activity, not movement|rocks|speak against|hang together|of late(?=[,.;:]| and |$)|"
    r"moved it most|everything else together|if nothing changed at all|at stake|slack|as it is|"
    r"let pass|nobody named|answers for it|would|receipts|fingerprint|said of|are told|is told|lit|kappa|fisher)\b",
    re.IGNORECASE,
)
# A range says its unit once: 3 to 7 days. Signs are no words: $3 to $7, 3% to 7%.
UNIT_TWICE = re.compile(r"(?<!rose )(?<!fell )(?<![\d.,])[\d.,]+ ([^\W\d]+?)s? to [\d.,]+ \1s?\b")
# Boards speak of colours where the colour is what is told: the Analyst page, and who must react.
CASES = {
    "plural": {
        "L": "Sad customers", "l": "sad customers", "S": "Churn rate", "s": "churn rate",
        "m": "churn rate", "others": "sad customers", "names": "sad customers and tickets",
        "Names": "Sad customers and Tickets", "count": "44 sad customers", "value": "44",
        "target": "26", "gap": "18", "change": "19", "was": "were", "is_": "are", "are": "are",
        "have": "have", "move": "move", "turn": "rise", "turns": "turn", "stay": "stay", "follow": "follows",
        "it": "they", "its": "their", "miss": "miss", "in_": "in", "when": "week 47",
        "grain": "week", "each_": "week", "what": "44 sad customers in week 47",
        "low": "3", "high": "7", "lower": "3", "upper": "7", "who": "Head of Customer Service",
        "until": "31 Dec", "because": "the till is replaced", "went": "up 19", "joint": ", ",
        "judged": " (worse)", "year": "down 3", "judged_year": " (better)", "reach": "20 Nov",
        "system": "Helpdesk", "range": "(usual range 3 to 7)", "meant": " for the worse",
        "center": "24", "now": "44", "before": "24", "since": "week 34", "way": "up", "event": "Release 8.0",
        "day": "18 Aug", "lag": "6 weeks", "effect": "churn rate rises 6 weeks later",
        "cost": "$668k", "green": "3", "inputs": "4", "agree": "are", "moved": "risen", "falls": "2",
        "lasted": "26 weeks", "left": "20 weeks", "usual": "an ordinary week (usual range 3 to 7)",
        "rise": "rise", "risen": "38%", "compared": "from a year earlier", "open": "1", "raise_": "raise", "step": "10 customers", "size": "0.12 points", "needed": "12 weeks",
        "answers": "rises", "periods": "13", "changes": "7", "differ": "0.60", "each_light": "Sad customers 7, Tickets 4", "lights": "3",
        "alarms": "0.40", "alarm": "alarms", "has_": "have", "days": "7", "day_now": "4", "days_late": "2 days", "so_far": "44 sad customers", "expected": "40",
        "landing": "50", "against": "limit 26", "chance": "20%", "base": "from the week before",
        "parts": "Sync error +8, Delivery \u22125", "part": "Sync error", "then": "week 46",
        "light": "red", "light_then": "green", "price": "$651", "one": "customer", "reason": "no sign yet", "side": "less",
        "flips": "57%", "an": "a", "title": "Orders get lost", "why": "Churn rate rises 6 weeks later", "alike": "tickets and share of happy customers",
        "start_by": "27 Mar 2027", "reports": "2 reports", "due": "28 Aug", "about": "week 46",
        "text": "The shop was closed.", "A": "CRM", "B": "Billing", "a": "$21,588", "b": "$20,000",
        "allowed": "2%", "apart": "22",  "reported": "40", "by": "4", "cases": "5", "value_now": "now 44", "rows": "3", "of": "10",
        "fault": "s.csv:3: no date", "last": "15 Nov", "owner": "Customer Service",
        "brier": "0.03",
    },
    "singular": {
        "L": "Length of a deal", "l": "length of a deal", "s": "Umsatz", "m": "Umsatz",
        "others": "length of a deal", "count": "1 deal", "value": "21,5 days", "target": "21 days",
        "gap": "0,5 days", "was": "was", "is_": "is", "are": "is", "have": "has", "has_": "has", "alarm": "alarm", "alarms": "1", "step": "customer", "move": "moves",
        "turns": "turns", "stay": "stays", "it": "it", "its": "its", "miss": "misses",
        "what": "Length of a deal was 21,5 days in week 47", "when": "week 47",
        "way": "down", "turn": "fall", "moved": "fallen", "meant": " for the better", "light": "green",
        "light_then": "red", "usual": "a real change for the worse (usual range 3 to 7)",
    },
    "short": dict.fromkeys(
        ("alike", "reach", "system", "range", "judged", "year", "judged_year", "each_", "lag", "s", "low",
         "expected", "against", "owner", "about", "l", "due"), "",
    ),
}  # fmt: skip


# Slots that mean something else in one wording.
OWN = {
    "history": {"compared": "90"}, "green missed": {"light": "green"}, "red met": {"light": "red"},
    "restated": {"reason": "3 rows arrived late"},
}  # fmt: skip


def filled(name, wording, case):
    slots = {**CASES["plural"], **CASES[case], **OWN.get(name, {})}
    return say(capitalized(phrase(wording, slots))).text


def of_wordings():
    """Every wording, filled; a case that reads as the one before it is left out."""
    for title, table in wordings.TABLES.items():
        yield f"== {title}"
        for name, wording in table.items():
            needed = set(SLOT.findall(re.sub(r"\[[^\]]*\]", "", wording)))
            cases = [case for case in CASES if case != "short" or not needed & set(CASES["short"])]
            texts = dict.fromkeys(filled(name, wording, case) for case in cases)
            yield from (f"{name}: {text}" for text in texts)


def of_decisions():
    slots = {
        "who": "Head of Sales: ", "agreed": "Review the plan.", "grain": "week", "bound": "target",
        "target": "13", "star": "new customers", "since": "since week 34", "by": "by 6 Dec",
        "effect": "new customers fall 3 weeks later", "costs": "costs", "again": "4 weeks", "needed": "9 weeks",
        "left": "5 weeks", "waiting": "1 Jun", "supplier": "Sales Ops: ", "system": "CRM",
        "late": "18 Nov", "other": "CFO",
    }  # fmt: skip
    yield "== what to do"
    for (light, variation), cells in decisions.WORDINGS.items():
        for link, wording in zip(decisions.LINKS, cells, strict=True):
            if wording:
                yield f"{light}, {variation}, {link}: {fill(wording, slots).text}"


COMPANY = """company: Test
timezone: Europe/Berlin
locale: {locale}
currency: EUR
lights:
  standard:
    green: {{at_least: 1.0, means: "On plan.", do: "Keep going."}}
    yellow: {{at_least: 0.85, means: "Recoverable.", do: "Review."}}
    red: {{means: "At risk.", do: "Re-plan."}}
sources: {{log: {{system: CRM, path: log.csv, time: on}}}}
"""
DEPARTMENT = """department: Shop
owner: Ann
defaults: {source: log, lights: standard}
metrics:
  sold: {label: Sold boxes, type: simple, unit: boxes, measure: {agg: sum, expr: n}, targets: [{per: week, value: 9}]}
  sent: {label: Boxes sent, type: simple, unit: boxes, measure: {agg: sum, expr: n}, targets: [{per: week, value: 11}]}
  met: {label: Exact boxes, type: simple, unit: boxes, measure: {agg: sum, expr: n}, targets: [{per: week, value: 10}]}
  back: {label: Lost boxes, type: simple, unit: boxes, better: down, measure: {agg: sum, expr: n}, targets: [{per: week, value: 9}]}
  few: {label: Broken boxes, type: simple, unit: boxes, better: down, measure: {agg: sum, expr: one}, targets: [{per: week, value: 2}]}
  free: {label: Free boxes, type: simple, unit: boxes, measure: {agg: sum, expr: n}}
  money: {label: Revenue, type: simple, unit: EUR, measure: {agg: sum, expr: n * 1234.5}, targets: [{per: week, value: 20000}]}
  wait: {label: First response, type: simple, unit: hours, better: down, measure: {agg: average, expr: n / 4.0}, targets: [{value: 3}]}
  rate: {label: Win rate, type: ratio, unit: percent, numerator: few, denominator: sold, targets: [{value: 8%}]}
  kept: {label: Repeat rate, type: ratio, unit: percent, numerator: few, denominator: sold, targets: [{value: 20%}]}
  lost: {label: Churn rate, type: ratio, unit: percent, better: down, numerator: few, denominator: sold, targets: [{value: 8%}]}
  band: {label: Cycle time, type: simple, unit: days, better: inside, measure: {agg: average, expr: n / 2.0}, targets: [{low: 6, high: 9}]}
  last: {label: Stock, type: simple, unit: boxes, measure: {agg: sum, expr: n, at: end}, targets: [{value: 12}]}
"""


def of_boards(folder):
    """What boards of a little shop say: a year and a week, in three locales."""
    lines = ["on,n,one"]
    start = dt.date(2025, 11, 3)
    for week in range(56):
        amount = 10 if week % 3 else 9
        lines.append(f"{start + dt.timedelta(days=7 * week + 6)},{amount},1")
    (folder / "log.csv").write_text("\n".join(lines) + "\n")
    for locale in ("en_US", "de_DE", "fr_FR"):
        params = folder / locale
        (params / "departments").mkdir(parents=True)
        (params / "company.yaml").write_text(COMPANY.format(locale=locale))
        (params / "departments" / "shop.yaml").write_text(DEPARTMENT)
        known = definitions.load(params)
        with sources.open(known, folder, dt.date(2026, 11, 29)) as catalog:
            metrics = list(known.departments["shop"].metrics)
            if locale != "en_US":
                metrics = ["money", "wait", "rate"]
            this = board.measure(catalog, metrics)
            yield f"== a shop, {locale}"
            for metric in this.metrics:
                yield from story.headline(this, metric).sentences
                yield from story.now(this, metric).sentences
            yield from story.lines(this).sentences
            yield from story.tiles(this, this.metrics).sentences
            yield from story.moved(this).sentences
            yield from story.mind(this).sentences
            yield from story.reactions(this).sentences
    with sources.open(known, folder, dt.date(2026, 12, 13)) as catalog:
        this = board.measure(catalog, ["sold", "rate"])
        yield "== a shop without data of its last week"
        yield from story.headline(this).sentences
        yield from story.lines(this).sentences


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    return list(of_boards(tmp_path_factory.mktemp("shop")))


def as_list(spoken):
    lines = [*of_wordings(), *of_decisions()]
    for said in spoken:
        lines.append(said if isinstance(said, str) else said.text)
    return "\n".join(lines) + "\n"


def test_the_list_of_sentences_is_the_one_that_was_read(spoken):
    """Read what has changed aloud, then write it anew: `python -m tests.story.test_wordings`."""
    assert as_list(spoken) == LIST.read_text("utf-8")


def test_what_the_shop_says_agrees_with_its_facts(spoken):
    locale = "en_US"
    for said in spoken:
        if isinstance(said, str):
            locale = next((name for name in ("en_US", "de_DE") if name in said), "fr_FR")
        elif said.kind != "tile":  # which says better of a rise too
            assert wrong(said, locale) == [], said.text


def test_no_wording_says_a_word_that_explains_itself_to_its_maker():
    for line in [*of_wordings(), *of_decisions()]:
        if not line.startswith("=="):
            _, _, text = line.partition(": ")
            assert not NEVER.search(text), line


def test_a_range_says_its_unit_once(spoken):
    assert [line for line in as_list(spoken).splitlines() if UNIT_TWICE.search(line)] == []
    assert UNIT_TWICE.search("agreed 1 day to 7 days")


@pytest.mark.parametrize(
    ("wording", "text"),
    [
        ("{L} rose.", "Revenue, last year, rose."),
        ("{L}: {value}.", "Revenue, last year: 5."),
        ("No effect on {L}.", "No effect on Revenue, last year."),
        ("{L} {value}.", "Revenue, last year, 5."),
    ],
)
def test_a_name_with_a_comma_ends_with_one_where_the_sentence_goes_on(wording, text):
    assert fill(wording, {"L": say.name("Revenue, last year"), "value": "5"}).text == text


@pytest.mark.parametrize(
    ("part", "name"), [("type=1", "type 1"), ("type=West", "West"), ("a=1,b=x", "a 1, b x")]
)
def test_a_part_that_is_a_number_is_told_with_its_column(part, name):
    assert part_name(None, "m", part, "segment") == name


def test_every_sentence_is_short_enough_to_be_heard_once():
    for line in of_decisions():
        for sentence in re.split(r"[.;:!?]\s", line.partition(": ")[2]):
            assert len(sentence.split()) <= 20, sentence


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        LIST.write_text(as_list(of_boards(Path(made))), "utf-8")
