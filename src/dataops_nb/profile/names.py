"""What a column is about, by its name alone: every rule here is a guess, and is written down as one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import sqlglot
from sqlglot import exp

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

IDS = frozenset("id key code uuid guid number no nr sku ref reference hash email".split())  # noqa: SIM905  read as a list
POINTERS = frozenset(["to", "by", "from", "of"])  # reports_to
PLACES = frozenset("zip postal postcode phone fax lat lon lng latitude longitude year month day week hour".split())  # noqa: SIM905
ORDERS = frozenset("sequential sequence seq line position rank index version".split())  # noqa: SIM905
AVERAGED = frozenset(
    "rate ratio pct percent percentage share score avg average mean median price rating margin age days duration hours "  # noqa: SIM905
    "minutes seconds tenure length lenght width height weight latency temperature per".split()
)
MONEY = frozenset(
    "amount total revenue price value cost costs charge charges mrr arr fee fees paid payment payments sales gmv net gross "  # noqa: SIM905
    "subtotal tax freight usd eur gbp brl chf umsatz betrag erlos preis montant importe ventas".split()
)
PEOPLE = frozenset(
    "customer client account user member patient author buyer seller subscriber visitor student lead company".split()  # noqa: SIM905
)
STARTED = frozenset(
    "created opened date day period month time timestamp ordered order invoice purchase purchased release released booked "  # noqa: SIM905
    "sold signed start started week ds at on".split()
)
ENDED = frozenset(
    "closed close ended end cancelled canceled resolved finished completed churned until deleted archived expired".split()  # noqa: SIM905
)
BORN = frozenset("birth born dob birthday birthdate".split())  # noqa: SIM905
GROUPS = frozenset("type kind class category group tier level region plan status stage channel segment".split())  # noqa: SIM905
SIGNS = {"€": "eur", "£": "gbp", "₹": "inr"}  # of one currency; $ and ¥ are of several
CURRENCIES = ("usd", "eur", "gbp", "brl", "chf", "cad", "aud", "jpy", "inr")


def words(name: str) -> list[str]:
    """The words of a name in small letters: `CustomerId` and `customer_id` are customer, id; accents are left out, € is eur."""
    for sign, word in SIGNS.items():
        name = name.replace(sign, f" {word} ")
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return [word.casefold() for word in WORD.findall(plain)]


def has(name: str, known: Iterable[str]) -> bool:
    """Whether one of the words of a name is among the known ones."""
    return not set(words(name)).isdisjoint(known)


def is_id(name: str) -> bool:
    """Whether a name ends as names of identifiers do."""
    found = words(name)
    return bool(found) and found[-1] in IDS | POINTERS


def slug(name: str, taken: Iterable[str] = ()) -> str:
    """A name for a source or metric: small letters, digits and _, started by a letter, none of those taken."""
    written = re.sub(r"\W+", "_", "_".join(words(name)) or "column", flags=re.ASCII).strip("_")
    first = written if written[:1].isalpha() else f"n_{written}"
    unique, place = first, 1
    while unique in set(taken) or unique in RESERVED:
        place += 1
        unique = f"{first}_{place}"
    return unique


RESERVED = frozenset("and or not is in if else for from def class none true false lambda with as pass".split())  # noqa: SIM905


def plural(name: str) -> str:
    """The usual plural of an English noun in small letters; one that ends in s stays, and so does `export_2`."""
    if name.endswith("s") or not name[-1:].isalpha():
        return name
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(("x", "ch", "sh")) else f"{name}s"


def title(name: str) -> str:
    """A name as a label: `first_invoices` is First invoices, `net_amount_eur` is Net amount EUR."""
    said = [word.upper() if word in CURRENCIES else word for word in words(name)]
    return " ".join([said[0][:1].upper() + said[0][1:], *said[1:]]) if said else ""


def column(name: str) -> str:
    """A column as it stands in an expression: quoted where it would be read as something else."""
    try:
        read = sqlglot.parse_one(name, read="duckdb")
    except sqlglot.errors.SqlglotError:
        read = None
    plain = (
        isinstance(read, exp.Column) and not read.table and read.name == name and re.fullmatch(r"[A-Za-z_]\w*", name)
    )
    return name if plain else '"' + name.replace('"', '""') + '"'
