"""The names people typed into five systems: accounts with commas, in any case; staff, places and goods."""

from __future__ import annotations

import numpy as np

from dataops_nb.sample.grid import NOTHING, Array

FIRST = [
    "Harbor", "Summit", "Cedar", "Granite", "Prairie", "Lakeside", "Union", "Atlas", "Beacon", "Copper", "Delta",
    "Evergreen", "Falcon", "Garden", "Hudson", "Ironwood", "Juniper", "Keystone", "Liberty", "Maple", "Northgate",
    "Orchard", "Pioneer", "Quarry", "Redwood", "Sterling", "Tidewater", "Upland", "Valley", "Willow", "Amber",
    "Bayside", "Cobalt", "Dogwood", "Eastport", "Foxglove", "Glenview", "Highland", "Inland", "Jasper",
]  # fmt: skip
SECOND = [
    "Lighting", "Electric", "Interiors", "Hotels", "Theatres", "Schools", "Clinics", "Markets", "Offices",
    "Studios", "Builders", "Facilities", "Properties", "Galleries", "Restaurants", "Logistics", "Libraries",
    "Kitchens",
]  # fmt: skip
FORM = ["", ", Inc.", " LLC", " & Sons", ", Ltd.", " Group"]
REGIONS = ["East", "Central", "West"]
SDRS = ["Ana Ruiz", "Ben Cole", "Chidi Obi", "Dana Fox", "Eli Stern", "Fay Wong"]
SELLERS = ["Gus Hall", "Hana Mori", "Ivan Petrov", "June Park", "Kofi Mensah"]
AGENTS = ["Lea Brandt", "Mo Haddad", "Nia Grant", "Otis Reed", "Pia Costa", "Quinn Day", "Rosa Lind"]


def accounts(rng: np.random.Generator, count: int) -> Array:
    """A name an account; some repeat."""
    parts = (
        rng.choice(FIRST, count),
        rng.choice(SECOND, count),
        rng.choice(FORM, count, p=[0.4, 0.2, 0.15, 0.1, 0.1, 0.05]),
    )
    return np.array([f"{first} {second}{form}" for first, second, form in zip(*parts, strict=True)], dtype=object)


def typed(rng: np.random.Generator, names: Array) -> Array:
    """The same names as hurried people type them: one in eight in capitals or without any."""
    case = rng.choice(3, len(names), p=[0.88, 0.06, 0.06])
    ways = (str, str.upper, str.lower)
    return np.array([ways[how](name) for how, name in zip(case, names, strict=True)], dtype=object)


def identifiers(prefix: str, count: int, *, digits: int, first: int = 1) -> Array:
    """Running ids such as `INV-004711`."""
    return np.array([f"{prefix}{number:0{digits}d}" for number in range(first, first + count)], dtype=object)


def account_ids(accounts: Array) -> Array:
    """The id that all five systems use for an account number."""
    ids = identifiers("A-", int(accounts.max(initial=0)) + 1, digits=5, first=0)
    return np.asarray(ids[accounts])


def mostly_empty(rng: np.random.Generator, values: list[str], count: int, share: float) -> Array:
    """An optional field: one of the values in `share` of the rows, else empty."""
    return np.where(rng.random(count) < share, rng.choice(np.array(values, dtype=object), count), NOTHING)
