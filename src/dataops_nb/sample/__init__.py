"""Lumen Supply, the company that everybody can try the workbench on: its exports, made on the spot.

A judgement can only be tested where the truth is known. These exports of five systems look like real ones: ids, names
in any case, empty optional fields, a CRM that stamps in UTC, product codes with leading zeros, quoted commas. And this
is true:

1. Qualified meetings move new customers three weeks later.
2. Booked meetings are the qualified ones and unqualified ones that vary more and lead nowhere. In the last 20 weeks a
   third more are booked while the qualified ones stay flat: a rocking chair.
3. One release, on a Tuesday in the 14th week before the end, makes many more customers sad (a score of 1 or 2), and sad
   customers leave six weeks later. Of all shortfalls this one costs the most money.
4. Shipped features move nothing.
5. What is asked for loudest (in params/solve_next.yaml) is about features, so it is worth little.
6. Won deals in the CRM and first invoices in billing disagree on known deals: `Manifest.planted` lists them by kind.
7. The export of product use ends six days before the others.
8. Repeat orders miss their target in the last complete week by noise alone. Sign-ups are above their target and have
   been falling for 40 weeks.
9. What happened when stands in the releases and the diary: the release of 3, a bonus for booked meetings in the week in
   which 2 begins to rise, and campaigns, an outage and a price list that change nothing.
10. There is a yearly season, a dip from 24 December to 1 January, a gentle growth; weekends are quiet.

The same seed, end and number of weeks give the same bytes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from dataops_nb.errors import UsageError
from dataops_nb.sample import billing, crm, customers, diary, helpdesk, names, product, rhythm
from dataops_nb.sample.grid import Grid

__all__ = ["FILES", "MANIFEST", "Manifest", "manifest", "write"]

FILES: tuple[str, ...] = (
    "deals.parquet",
    "meetings.csv",
    "invoices.csv",
    "subscriptions.parquet",
    "tickets.csv",
    "features.csv",
    "releases.csv",
    "diary.csv",
    "usage.parquet",
    "signups.parquet",
)
MANIFEST = "sample.json"
SHORTEST = 52
DATES = {"start_date", "end_date", "customer_since", "usage_date"}


@dataclass(frozen=True)
class Manifest:
    """What was made: first and last day, seed, number of complete weeks, the day of the release, and the planted deals.

    `planted` lists deal ids by kind: `only_in_crm`, `only_in_billing`, `amount_differs`, `other_period` (billed 35 days
    late) and `billed_twice` (under two invoice numbers).
    """

    start: date
    end: date
    seed: int
    weeks: int
    release: date
    planted: dict[str, tuple[str, ...]] = field(default_factory=dict)


def write(folder: Path, *, seed: int = 20, end: date | None = None, weeks: int = 130) -> Manifest:
    """Write the exports (`FILES`) and their manifest into `folder`, made where it is missing.

    They hold `weeks` complete weeks up to the last Sunday not after `end`, and the days from there to `end`; by default
    `end` is the last Sunday before today. Raises UsageError for fewer than 52 weeks.
    """
    if weeks < SHORTEST:
        raise UsageError(f"the sample company needs at least {SHORTEST} weeks to tell its stories, not {weeks}")
    grid = Grid(end or _last_sunday(), weeks)
    frames, planted = _exports(grid, seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    for name in FILES:
        _save(frames[name], folder / name)
    made = Manifest(grid.start, grid.end, seed, weeks, product.release_day(grid), planted)
    (folder / MANIFEST).write_text(json.dumps(asdict(made), default=str, indent=2) + "\n", encoding="utf-8")
    return made


def manifest(folder: Path) -> Manifest | None:
    """The manifest of the sample in `folder`; None where there is no (whole) sample."""
    path = folder / MANIFEST
    if not path.is_file():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    days = {key: date.fromisoformat(stored[key]) for key in ("start", "end", "release")}
    planted = {kind: tuple(ids) for kind, ids in stored["planted"].items()}
    return Manifest(**{**stored, **days, "planted": planted})


def _last_sunday() -> date:
    today = date.today()
    return today - timedelta(days=today.isoweekday())


def _exports(grid: Grid, seed: int) -> tuple[dict[str, pd.DataFrame], dict[str, tuple[str, ...]]]:
    counts = rhythm.draw(grid, seed)
    met = crm.meetings(grid, counts, seed, accounts_from=customers.FOUNDERS)
    deals = crm.deals(grid, counts, met, seed)
    known = names.accounts(np.random.default_rng([seed, 14]), customers.FOUNDERS + len(met))
    lives = customers.live(grid, counts, deals, seed, accounts=len(known))
    spans = billing.subscriptions(grid, lives, seed)
    planted = billing.plant(grid, deals, seed)
    in_crm = deals[~deals["deal_id"].isin(planted["only_in_billing"])]
    frames = {
        "deals.parquet": crm.deals_export(grid, in_crm, known, seed),
        "meetings.csv": crm.meetings_export(grid, met, known, seed),
        "invoices.csv": billing.invoices_export(
            grid, lives, deals, spans, planted=planted, account_names=known, seed=seed
        ),
        "subscriptions.parquet": spans,
        "tickets.csv": helpdesk.tickets_export(grid, counts, lives, known, seed),
        "features.csv": product.features_export(grid, counts, seed),
        "releases.csv": product.releases_export(grid),
        "diary.csv": diary.diary_export(grid),
        "usage.parquet": product.usage_export(grid, seed),
        "signups.parquet": product.signups_export(grid, counts, seed),
    }
    return frames, planted


def _save(frame: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".csv":
        frame.to_csv(path, index=False, lineterminator="\n", encoding="utf-8")
        return
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    for place, name in enumerate(table.column_names):
        if name in DATES:
            table = table.set_column(place, name, table.column(name).cast(pa.date32()))
    pq.write_table(table, path)
