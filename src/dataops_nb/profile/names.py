"""Read what a column is about from the words of its name, and make names of ids and labels.

The words are English, as most exports are, with a few of other languages for money. They only
support what values show: a name alone makes no metric.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import sqlglot
from sqlglot import exp

WORD = re.compile(r"IDs(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+(?:s|st|nd|rd|th|k)?(?![a-z])|\d+")
# Nouns that German writes in one word with others: Rechnungsbetrag, Kundennummer.
COMPOUND = re.compile(
    r"(\w{3,}?)s?(betrag|preis|datum|nummer|nr|umsatz|summe|kosten|menge|anzahl|gebuhr|rabatt"
    r"|status)"
)
# Letters of their own, which decomposing leaves as they are.
NO_ACCENTS = {"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "ł": "l", "Ł": "L", "đ": "d"}
HOW_MANY = re.compile(r"(?:#|no\.?|nr\.?|num|number)\s*of\s+", re.IGNORECASE)
# Greek, Cyrillic, Japanese and all after them, without the marks among Latin texts.
OTHER_SCRIPT = re.compile("[\u0370-\u1dff\u2c60-\ufaff]")
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text as a set, which reads better than a column of quoted words."""
    return frozenset(text.split())


IDS = word_set(
    "id ids key code uuid guid number no nr num sku ref reference hash email phone fax mobile "
    "konto gegenkonto schlussel nummer"
)
# Ids that tell one thing apart, and split no rows into groups: a country code does.
POINTING = word_set("id ids uuid guid key hash email phone fax mobile")
POINTERS = frozenset(["to", "by", "from", "of"])  # reports_to
PLACES = word_set(
    "zip postal postcode phone fax lat lon lng latitude longitude year month day week hour"
)
ORDERS = word_set("sequential sequence seq line position rank index version")
# Numbers of things that stand somewhere, and last digits of others.
NUMBERED = word_set("table room terminal register digits extension lane gate floor suite batch")
AVERAGED = word_set(
    "rate ratio pct percent percentage share score avg average mean median price "
    "rating margin age days duration hours minutes seconds tenure probability likelihood "
    "length lenght width height weight latency temperature per unit nps csat kurs "
    "elapsed estimate points hrs mins secs ctr cpc cpm roas bounce quota "
    "sequential sequence installments installment position rank "
    "salary salaries wage compensation cac ltv clv cltv arpu arppu arpa aov cpa cpl cpi rpm ecpm "
    "cvr asp apr apy bmi gpa grade mttr mtbf msrp rrp humidity speed voltage density factor "
    "dau wau mau unique uniques temp temperatur celsius fahrenheit volt volts pressure "
    "durchschnitt durchschnittlich moyenne promedio srednia"
)
# What is measured at a moment: a temperature, a voltage; and the sign of an average.
OF_A_MOMENT = re.compile(r"[(\[](?:m?V|hPa|m?bar|dBm?|ppm|pH|rpm)[)\]]|°|(?<!\w)[Øø](?!\w)")
# What is counted anew each day, or adds up from one row to the next.
RUNNING = word_set(
    "cumulative cumulated cum running ytd mtd qtd lifetime kumuliert odometer "
    "zahlerstand meterstand"
)
LEVELS = word_set(
    "mrr arr headcount followers inventory backlog subscribers fte stargazers watchers employees"
)
FLOWS = word_set(
    "new upsell downsell expansion contraction churn churned lost reactivation gained added left "
    "hired joined starts change delta net closed opened cancelled canceled"
)
# What a customer is like, which is nothing that a company earns: Annual revenue, Employees.
ATTRIBUTES = word_set("employees headcount followers population inhabitants")
PER_PERIOD = word_set("annual annualized yearly monthly weekly hourly daily declared")
OF_A_CUSTOMER = word_set("revenue income turnover sales spend budget salary")
# A number called by these words alone is an amount of work: Hours, Billable hours.
WORK = word_set("hours hrs minutes mins")
WORKED = WORK | word_set(
    "worked billable billed tracked logged booked rounded total payable regular overtime ot paid "
    "unpaid"
)
UNITS = frozenset(["price", "unit", "rate", "each", "per", "kurs"])
QUANTITIES = word_set("quantity qty units pieces menge anzahl")
MONEY = word_set(
    "amount total revenue price value cost costs charge charges mrr arr fee fees "
    "paid payment payments sales gmv net gross subtotal tax freight usd eur gbp brl chf "
    "debit credit spend balance tip tips gratuity pay wages payroll earnings proceeds donation "
    "umsatz betrag erlos preis montant importe ventas belob belopp bedrag kwota importo valor"
)
# Words of money that is earned, then of other amounts, then of what is taken off them.
EARNED = word_set("revenue sales mrr arr gmv turnover income umsatz erlos ventas")
TOTALS = word_set(
    "total amount value gross net paid betrag montant importe credit belob belopp bedrag kwota "
    "importo valor"
)
SPENT = word_set(
    "cost costs cogs spend spent expense expenses freight debit budget pay payroll wages labor "
    "labour"
)
# Of Total earnings; Total orders are counted.
MANY_MONEY = word_set(
    "earnings proceeds takings wages funds credits debits deposits donations gifts royalties "
    "commissions tips dues pledges gross"
)
PLURALS = word_set("s es e en n er")
COUNTS = word_set("count number num cnt anzahl")
TAKEN_OFF = word_set(
    "fee fees tax taxes vat shipping discount discounts refund refunds refunded tip skonto "
    "rounding surcharge commission returned tips gratuity gratuities moms btw mwst iva tva"
)
OWED = word_set(
    "due balance outstanding unpaid expected forecast weighted quota target goal plan planned"
)
RECURRING = word_set("mrr arr recurring")
# What somebody pays each month for as long as a row runs: Monthly fee, Monatsbeitrag.
FEES = word_set("fee fees charge charges price dues premium rent beitrag gebuhr miete")
INTERVALS = word_set("interval term cadence periodicity")
PEOPLE = word_set(
    "customer client account user member patient author buyer seller "
    "subscriber visitor student lead company contact requester respondent"
)
# A lead_source is no lead.
PEOPLE_NOT = word_set("source profile origin count city state country zip age size behaviour")
PEOPLE_MANY = frozenset(f"{person}s" for person in PEOPLE) | {"people", "companies"}
DAYS = word_set("date day datum belegdatum datetime on at tag")
STARTED = word_set(
    "created create creation opened open date day period month time timestamp ordered order "
    "invoice purchase purchased release released booked sold signed start started week ds at on "
    "submit submitted belegdatum datum added registered signup"
)
CREATED = word_set(
    "created create creation opened submit submitted ordered purchase purchased booked "
    "invoice order signup registered added"
)
ENDED = word_set(
    "closed close closing ended end cancelled canceled resolved solved finished completed complete "
    "churned until deleted archived expired won lost merged terminated left leave leaves leaving "
    "quit exit exited departed departure lapsed withdrawn withdrew unsubscribed deactivated "
    "austritt ausgetreten gekundigt kundigung beendet ende abgemeldet resiliation fin baja"
)
GIVEN_UP = word_set("cancelled canceled archived deleted lost expired lapsed withdrawn deactivated")
PLANNED = word_set(
    "due deadline expected anticipated planned estimated forecast scheduled expiry expires renewal "
    "renews limit target promised eta faellig fallig"
)
UPDATED = word_set(
    "updated update modified viewed last sync synced changed activity edited accessed "
    "systemmodstamp modstamp"
)
STEPS = word_set(
    "assigned fulfilled shipped delivered approved triaged contacted first reply response answered "
    "accepted carrier verified activated current next trial arrival answer"
)
PAID = word_set("paid payment settled captured")
BORN = word_set("birth born dob birthday birthdate")
GROUPS = word_set(
    "type kind class category group tier level region plan status stage channel segment priority"
)
STATES = word_set("status stage state outcome financial disposition")
# Words of questions that are answered by a number on a scale.
SCALES = word_set("likely recommend satisfied satisfaction happy agree stars nps csat rating score")
RECOMMENDED = word_set("recommend likely nps")
DURATIONS = word_set("hours minutes seconds duration resolution response reply elapsed hrs mins")
TITLES = word_set("name title subject summary description product item")
LEAST_NAMES = 3
# Words of file names and keys that say nothing about the rows.
CHAFF = word_set(
    "export exports report unified final copy data dataset table list all full csv v record row "
    "raw download details new untitled sheet date day column report dated flat"
)
# Words that are written in capitals.
ACRONYMS = word_set(
    "mrr arr cac ltv clv arpu arpa aov gmv nps csat ctr cpc cpm cpa roas vat sku url kpi sla sdr "
    "dau wau mau api crm b2b"
)
MANY_ACRONYMS = {"mqls": "MQLs", "sqls": "SQLs", "skus": "SKUs", "urls": "URLs", "ids": "IDs"}
BRANDS = {"github": "GitHub", "pypi": "PyPI", "paypal": "PayPal", "hubspot": "HubSpot"}
# Names that an expression would read as something else.
RESERVED = word_set(
    "and or not is in if else for from def class none true false lambda with as pass"
)
SIGNS = {"€": "eur", "£": "gbp", "₹": "inr"}  # of one currency; $ and ¥ are of several
CURRENCIES = word_set(
    "usd eur gbp brl chf cad aud jpy inr sek nok dkk pln czk huf nzd mxn zar sgd hkd cny"
)


def words(name: str) -> list[str]:
    """Split a name into words in small letters, without accents; € becomes eur.

    `CustomerId` and `customer_id` both are customer, id.
    """
    return list(_words(name))


@lru_cache(maxsize=1 << 14)
def _words(name: str) -> tuple[str, ...]:
    """Return the words of a name; the same few hundred names are asked again and again."""
    for sign, word in SIGNS.items():
        name = name.replace(sign, f" {word} ")
    for letter, plain in NO_ACCENTS.items():
        name = name.replace(letter, plain)
    decomposed = unicodedata.normalize("NFKD", name)
    letters = decomposed.encode("ascii", "ignore").decode()
    split: list[str] = []
    for word in map(str.casefold, WORD.findall(letters)):
        compound = COMPOUND.fullmatch(word)
        split += compound.groups() if compound else [word]
    return tuple(split)


def has(name: str, known: Iterable[str]) -> bool:
    """Return whether one of a name's words is among the known ones."""
    return not set(words(name)).isdisjoint(known)


def is_averaged(name: str) -> bool:
    """Return whether a number is named as one that does not add up: a rate, a score, a duration.

    >>> is_averaged("Defects/Million"), is_averaged("Amount (EUR/USD)")
    (True, False)
    >>> is_averaged("Resolution time (hours)"), is_averaged("Billable hours")
    (True, False)
    """
    own = set(words(name))
    if (own & WORK and own <= WORKED) or own & RUNNING or is_monthly_fee(name):
        return False
    outside = re.sub(r"\(.*?\)", "", name)
    signed = "%" in name or "/" in outside or name.strip().endswith("?") or "active" in own
    return signed or bool(OF_A_MOMENT.search(name)) or has(name, AVERAGED | SCALES)


def is_level(name: str) -> bool:
    """Return whether a number stands for all up to its row, or for what is there on its day.

    >>> is_level("cumulative_customers"), is_level("mrr"), is_level("new_mrr")
    (True, True, False)
    """
    own = set(words(name))
    return bool(own & RUNNING) or (bool(own & LEVELS) and not own & FLOWS)


def is_attribute(name: str) -> bool:
    """Return whether a number says what somebody is like, a customer's own revenue or people.

    >>> is_attribute("Annual Revenue"), is_attribute("Monthly recurring revenue")
    (True, False)
    """
    own = set(words(name))
    a_customers = bool(own & PER_PERIOD and own & OF_A_CUSTOMER) and "recurring" not in own
    return a_customers or bool(own & ATTRIBUTES and not own & FLOWS)


def is_monthly_fee(name: str) -> bool:
    """Return whether a number is what somebody pays each month for as long as a row runs.

    >>> is_monthly_fee("monthly_fee"), is_monthly_fee("Price per month"), is_monthly_fee("Fee")
    (True, True, False)
    """
    own = set(words(name))
    return bool(own & FEES) and ("monthly" in own or {"per", "month"} <= own)


def is_count(name: str) -> bool:
    """Return whether a number counts people or things, whatever words of money stand beside.

    >>> is_count("new_paid_customers"), is_count("Total orders"), is_count("Total sales")
    (True, True, False)
    """
    own = words(name)
    if set(own) & COUNTS or (own[-1:] and own[-1] in PEOPLE_MANY):
        return True
    money = MONEY | TAKEN_OFF | SPENT | MANY_MONEY
    total = own[:1] == ["total"] and len(own) > 1
    return total and own[1].endswith("s") and len(own[1]) > 3 and own[1] not in money


def is_id(name: str) -> bool:
    """Return whether a name ends like one of an identifier: `order_id`, `Order #`."""
    bare = re.sub(r"\s*\([^)]*\)\s*$", "", name) or name
    name_words = words(bare)
    if bare.rstrip().endswith("#"):
        return True
    return bool(name_words) and name_words[-1] in IDS | POINTERS


def slug(name: str, taken: Iterable[str] = ()) -> str:
    """Return an id for a source or metric: small letters, digits and _; none of those taken."""
    first = "_".join(words(HOW_MANY.sub("", name))) or "column"
    if not first[:1].isalpha():
        first = f"n_{first}"
    forbidden = {*taken, *RESERVED}
    unique = first
    number = 1
    while unique in forbidden:
        number += 1
        unique = f"{first}_{number}"
    return unique


def plural(name: str) -> str:
    """Return the usual plural of an English noun; `orders` and `export_2` stay as they are."""
    if name.endswith("s") or not name[-1:].isalpha():
        return name
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    if name.endswith(("x", "ch", "sh")):
        return f"{name}es"
    return f"{name}s"


def singular(noun: str) -> str:
    """Return one of a usual plural: `orders` are each an order, `companies` each a company."""
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    if noun.endswith(("xes", "ches", "shes", "sses")):
        return noun[:-2]
    if noun.endswith("s") and not noun.endswith("ss"):
        return noun[:-1]
    return noun


def common_beginning(names: Sequence[str]) -> list[str]:
    """Return the words that three or more names, and most, begin with, as those of one export do.

    >>> common_beginning(["olist_orders", "olist_order_items", "olist_reviews"])
    ['olist']
    """
    firsts = Counter(words(name)[0] for name in names if len(words(name)) > 1)
    first, count = firsts.most_common(1)[0] if firsts else ("", 0)
    if count < LEAST_NAMES or count * 2 <= len(names):
        return []
    alike = [words(name)[:-1] for name in names if words(name)[0] == first]
    shared: list[str] = []
    for same in zip(*filter(None, alike), strict=False):
        if len(set(same)) > 1:
            break
        shared.append(same[0])
    return shared


def is_plural(many: str, one: str) -> bool:
    """Return whether a word is the plural of another in English or German.

    German joins words by an s, Buchungs-Nr, or by a plural that names them both, Kunden-Nr.
    """
    stem = one.removesuffix("s")
    if many == one:
        return many.endswith("en")
    return len(stem) > 2 and many.startswith(stem) and many[len(stem) :] in PLURALS


def noun_of(source: str, key: Iterable[str] = ()) -> str:
    """Return what a row is called, in the plural: by its key, else by its file without the chaff.

    >>> noun_of("orders_export_1"), noun_of("sales_pipeline", ["Deal ID"])
    ('orders', 'deals')
    >>> noun_of("Buchungen_2026", ["Buchungs-Nr"])
    'buchungen'
    """
    key_words: list[str] = []
    columns = list(key)
    if len(columns) == 1:
        key_words = [word for word in words(columns[0]) if word not in IDS]
    own = [word for word in words(source) if word not in CHAFF and not word.isdigit()]
    if len(own) == 1 and len(key_words) == 1 and is_plural(own[0], key_words[0]):
        return own[0]
    if key_words and not set(key_words) & CHAFF and len(key_words) <= 2:
        return plural(" ".join(key_words))
    return plural(" ".join(own) or "rows")


def title(name: str) -> str:
    """Return a name as a label: `net_amount_eur` becomes Net amount EUR.

    A name in letters that are not Latin stays as it is written.
    """
    if OTHER_SCRIPT.search(name):
        return name.strip()
    label_words = []
    for word in words(name):
        label_word = MANY_ACRONYMS.get(word) or BRANDS.get(word) or word
        if word in CURRENCIES | ACRONYMS:
            label_word = word.upper()
        label_words.append(label_word)
    label = " ".join(label_words) or name.strip()
    return label[:1].upper() + label[1:]


def label_of(column_name: str) -> str:
    """Return a column's name as a label, as people wrote it, without remarks in parentheses.

    >>> label_of("Created date (UTC)"), label_of("net_amount_eur"), label_of("new_mrr")
    ('Created date', 'Net amount EUR', 'New MRR')
    """
    bare = re.sub(r"\s*\([^)]*\)", "", column_name).strip() or column_name
    bare = HOW_MANY.sub("", bare)
    bare = bare.rpartition(" - ")[2].strip().rstrip(".").replace("/", " per ")
    if bare[:1].isupper() and (" " in bare or (bare.isalpha() and not bare.isascii())):
        return bare
    return title(bare)


def expression(column_name: str) -> str:
    """Return a column's name as an SQL expression, quoted where it would mean something else."""
    if IDENTIFIER.fullmatch(column_name) and _reads_as_column(column_name):
        return column_name
    escaped = column_name.replace('"', '""')
    return f'"{escaped}"'


def _reads_as_column(name: str) -> bool:
    """Return whether SQL takes a name for a column, not for a keyword or a function."""
    try:
        parsed = sqlglot.parse_one(name, read="duckdb")
    except sqlglot.errors.SqlglotError:
        return False
    if not isinstance(parsed, exp.Column):
        return False
    return not parsed.table and parsed.name == name
