"""History: what was published, so that a report can say what has changed since somebody read it.

`remember` keeps every published value with its as-of and the fingerprint of its definition, `published` reads them,
`restatements` compares a metric table with them. `arrivals` and `lateness` say how late the rows of a source come.
`keep_lights` and `published_lights` do so for lights and what was foreseen; `forecasts` and `score` say what became of it.
A `Book` is one file of rows that are only added; `follow` and `carried` keep what is to be solved until it is closed,
`notes` what owners said about a light. `latest` is what is shown now.
"""

from __future__ import annotations

from dataops_nb.history.arriving import Lateness, arrivals, lateness
from dataops_nb.history.book import Book
from dataops_nb.history.communicating import SENT, communications
from dataops_nb.history.fingerprints import fingerprint
from dataops_nb.history.following import carried, follow
from dataops_nb.history.latest import latest
from dataops_nb.history.lit import keep_lights, published_lights
from dataops_nb.history.noting import NOTES, notes
from dataops_nb.history.restating import restatements
from dataops_nb.history.tracking import FEWEST, Score, forecasts, score
from dataops_nb.history.values import COLUMNS, published, remember

__all__ = [
    "COLUMNS",
    "FEWEST",
    "NOTES",
    "SENT",
    "Book",
    "Lateness",
    "Score",
    "arrivals",
    "carried",
    "communications",
    "fingerprint",
    "follow",
    "forecasts",
    "keep_lights",
    "lateness",
    "latest",
    "notes",
    "published",
    "published_lights",
    "remember",
    "restatements",
    "score",
]
