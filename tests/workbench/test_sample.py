"""The sample company's truths, measured on its raw exports with pandas alone."""

from __future__ import annotations

import functools
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from dataops_nb import definitions
from dataops_nb.errors import UsageError
from dataops_nb.workbench import sample

pytestmark = pytest.mark.long

END = date(2026, 11, 22)
SEEDS = (20, 1, 2, 3, 4)
PARAMS = Path(__file__).parents[2] / "params"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    made = {seed: tmp_path_factory.mktemp(f"seed{seed}") for seed in SEEDS}
    for seed, folder in made.items():
        sample.write(folder, seed=seed, end=END)
    return made


@pytest.fixture(params=SEEDS)
def folder(request: pytest.FixtureRequest, folders: dict[int, Path]) -> Path:
    return folders[request.param]


@functools.cache
def read(folder: Path, name: str) -> pd.DataFrame:
    path = folder / name
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, dtype={"product_code": str, "version": str})


def local(stamps: pd.Series) -> pd.Series:
    """The New York days of naive UTC stamps."""
    there = pd.to_datetime(stamps).dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    return there.dt.tz_localize(None).dt.normalize()


def weekly(days: pd.Series, accounts: pd.Series | None = None) -> pd.Series:
    """Rows, or distinct accounts, by week; the sample's 130 weeks, zero where there is nothing."""
    days = pd.to_datetime(days).dropna()
    week = days - pd.to_timedelta(days.dt.day_of_week, unit="D")
    rows = pd.Series(days.index, index=days.index) if accounts is None else accounts[days.index]
    counts = rows.groupby(week.dt.normalize()).nunique()
    mondays = pd.date_range(end=pd.Timestamp(END) - pd.Timedelta(days=6), periods=130, freq="7D")
    return counts.reindex(mondays, fill_value=0)


def detrended(series: pd.Series) -> np.ndarray:
    """What a straight line and a yearly wave leave over."""
    t = np.arange(len(series))
    wave = 2 * np.pi * t / 52.18
    by = np.column_stack([np.ones(len(t)), t, np.sin(wave), np.cos(wave)])
    return np.asarray(
        series - by @ np.linalg.lstsq(by, series.to_numpy(dtype=float), rcond=None)[0]
    )


def lagged(cause: np.ndarray, effect: np.ndarray, lags: range = range(11)) -> np.ndarray:
    """The correlation of a cause with the effect so many weeks later."""
    return np.array([np.corrcoef(cause[: len(cause) - lag], effect[lag:])[0, 1] for lag in lags])


def qualified(folder: Path) -> pd.Series:
    meetings = read(folder, "meetings.csv")
    return weekly(local(meetings.loc[meetings["stage"] == "qualified", "held_at"]))


def new_customers(folder: Path) -> pd.Series:
    invoices = read(folder, "invoices.csv")
    first = invoices[invoices["kind"] == "first"].drop_duplicates("account_id")
    return weekly(first["invoice_date"])


def sad(folder: Path) -> pd.Series:
    tickets = read(folder, "tickets.csv")
    unhappy = tickets[tickets["score"] <= 2]
    return weekly(unhappy["rated_on"], unhappy["account_id"])


def lost(folder: Path) -> pd.Series:
    spans = read(folder, "subscriptions.parquet")
    return weekly(spans.loc[spans["end_reason"] == "cancelled", "end_date"])


def features(folder: Path) -> pd.Series:
    return weekly(read(folder, "features.csv")["shipped_on"])


def signups(folder: Path) -> pd.Series:
    return weekly(local(read(folder, "signups.parquet")["signed_up_at"]))


def orders(folder: Path) -> pd.Series:
    invoices = read(folder, "invoices.csv")
    return weekly(invoices.loc[invoices["kind"] == "order", "invoice_date"])


def target(department: str, metric: str) -> float:
    text = (PARAMS / "departments" / f"{department}.yaml").read_text(encoding="utf-8")
    return float(yaml.safe_load(text)["metrics"][metric]["targets"][-1]["value"])


# --- the files ---


def test_the_same_seed_end_and_weeks_give_the_same_bytes(
    folders: dict[int, Path], tmp_path: Path
) -> None:
    sample.write(tmp_path, seed=20, end=END)
    for name in (*sample.FILES, sample.MANIFEST):
        assert (tmp_path / name).read_bytes() == (folders[20] / name).read_bytes(), name


def test_another_seed_gives_other_data(folders: dict[int, Path]) -> None:
    assert (folders[1] / "tickets.csv").read_bytes() != (folders[2] / "tickets.csv").read_bytes()


def test_a_folder_holds_the_listed_files_and_the_manifest(folders: dict[int, Path]) -> None:
    assert {path.name for path in folders[20].iterdir()} == {*sample.FILES, "sample.json"}


def test_the_manifest_reads_back_as_it_was_returned(tmp_path: Path) -> None:
    made = sample.write(tmp_path, seed=7, end=END, weeks=60)
    assert sample.manifest(tmp_path) == made
    assert (made.start, made.end, made.weeks) == (END - timedelta(days=60 * 7 - 1), END, 60)


def test_a_folder_without_a_sample_has_no_manifest(tmp_path: Path) -> None:
    assert sample.manifest(tmp_path) is None


def test_the_sample_ends_on_the_last_sunday_before_today_by_default(tmp_path: Path) -> None:
    end = sample.write(tmp_path, weeks=52).end
    assert end.isoweekday() == 7
    assert 1 <= (date.today() - end).days <= 7


def test_too_few_weeks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 52 weeks"):
        sample.write(tmp_path, weeks=51)


def test_nothing_after_a_midweek_end_is_known(tmp_path: Path) -> None:
    wednesday = date(2026, 11, 25)
    sample.write(tmp_path, end=wednesday, weeks=52)
    deals, tickets = read(tmp_path, "deals.parquet"), read(tmp_path, "tickets.csv")
    assert local(deals["closed_at"]).max() == pd.Timestamp(wednesday)
    assert (deals.loc[deals["stage"] != "open", "closed_at"].notna()).all()
    assert tickets["closed_at"].max() < "2026-11-26"
    assert tickets.loc[tickets["closed_at"].isna(), ["score", "rated_on"]].isna().all(axis=None)
    assert read(tmp_path, "invoices.csv")["invoice_date"].max() == "2026-11-25"
    assert pd.to_datetime(
        read(tmp_path, "subscriptions.parquet")["end_date"]
    ).max() <= pd.Timestamp(wednesday)


def test_a_midweek_end_moves_no_complete_week(folders: dict[int, Path], tmp_path: Path) -> None:
    sample.write(tmp_path, end=END + timedelta(days=3))
    assert qualified(tmp_path).equals(qualified(folders[20]))


def test_the_exports_look_like_real_ones(folder: Path) -> None:
    invoices, meetings = (folder / name for name in ("invoices.csv", "meetings.csv"))
    assert ",00417," in invoices.read_text(encoding="utf-8")
    assert ', Inc."' in meetings.read_text(encoding="utf-8")
    names = read(folder, "meetings.csv")["account_name"]
    assert names.str.isupper().any()
    assert names.str.islower().any()
    assert read(folder, "tickets.csv")["score"].isna().mean() > 0.3
    assert read(folder, "deals.parquet")["campaign"].isna().mean() > 0.5


def test_the_crm_stamps_evenings_as_the_next_day(folder: Path) -> None:
    deals = read(folder, "deals.parquet")
    closed = deals.loc[deals["stage"] == "won", "closed_at"].dropna()
    assert (closed.dt.normalize() != local(closed)).mean() > 0.05


def test_keys_are_unique(folder: Path) -> None:
    company = yaml.safe_load((PARAMS / "company.yaml").read_text(encoding="utf-8"))
    for name, source in company["sources"].items():
        if "path" in source:
            assert not read(folder, source["path"]).duplicated(source["key"]).any(), name


def test_the_week_is_believable(folder: Path) -> None:
    invoices = read(folder, "invoices.csv")
    revenue = invoices.loc[invoices["status"] != "void"].groupby("invoice_date")["total"].sum()
    assert 100_000 < revenue.sum() / 130 < 200_000
    assert 35 < weekly(local(read(folder, "meetings.csv")["held_at"])).mean() < 50
    assert 10 < new_customers(folder).mean() < 14
    assert 270 < weekly(read(folder, "tickets.csv")["opened_at"].str[:10]).mean() < 330


def test_its_definitions_load_and_name_only_its_columns(folder: Path) -> None:
    company = definitions.load(PARAMS).company
    for name, source in company.sources.items():
        if source.path:
            named = {source.time, *(source.key or []), *source.columns}
            assert named <= set(read(folder, source.path).columns), name
    assert {source.path for source in company.sources.values()} - {None} == set(sample.FILES)


# --- the truths, numbered as in the module ---


def test_1_qualified_meetings_move_new_customers_three_weeks_later(folder: Path) -> None:
    found = lagged(detrended(qualified(folder)), detrended(new_customers(folder)))
    assert found.argmax() == 3
    assert found[3] > 0.6
    assert np.delete(np.abs(found), 3).max() < 0.35


def test_2_booked_meetings_are_mostly_unqualified_variation(folder: Path) -> None:
    booked = weekly(local(read(folder, "meetings.csv")["booked_at"]))[:-20]
    good = qualified(folder)[:-20]
    assert detrended(booked - good).var() > 6 * detrended(good).var()
    assert abs(np.corrcoef(detrended(booked - good), detrended(good))[0, 1]) < 0.4


def test_2_booked_meetings_rise_by_a_third_while_qualified_ones_stay_flat(folder: Path) -> None:
    booked = weekly(local(read(folder, "meetings.csv")["booked_at"]))
    good = qualified(folder)
    assert 1.25 < booked[-20:].mean() / booked[:-20].mean() < 1.45
    assert 0.93 < good[-20:].mean() / good[:-20].mean() < 1.1


def test_3_sad_customers_rise_after_one_release(folder: Path) -> None:
    made = sample.manifest(folder)
    assert made is not None
    assert str(made.release) in set(read(folder, "releases.csv")["released_on"])
    since = sad(folder).index > pd.Timestamp(made.release)
    assert made.release == END - timedelta(days=7 * 14 - 2)
    assert sad(folder)[since].mean() > 1.6 * sad(folder)[~since].mean()
    assert sad(folder)[~since][-26:].mean() < 1.15 * sad(folder)[~since][:-26].mean()


def test_3_sad_customers_leave_six_weeks_later(folder: Path) -> None:
    found = lagged(np.diff(sad(folder)), np.diff(lost(folder)))
    assert found.argmax() == 6
    assert found[6] > 0.5
    assert np.delete(found, 6).max() < 0.3


def test_3_they_are_the_same_customers(folder: Path) -> None:
    tickets, spans = read(folder, "tickets.csv"), read(folder, "subscriptions.parquet")
    unhappy = tickets[tickets["score"] <= 2]
    gone = spans[spans["end_reason"] == "cancelled"].merge(unhappy, on="account_id")
    waited = (pd.to_datetime(gone["end_date"]) - pd.to_datetime(gone["rated_on"])).dt.days
    assert waited.between(36, 48).sum() > 5 * waited.between(22, 34).sum()


def test_3_it_costs_more_than_every_other_shortfall(folder: Path) -> None:
    spans, invoices = read(folder, "subscriptions.parquet"), read(folder, "invoices.csv")
    year = 12 * spans["mrr"].mean()
    leaving = (lost(folder)[-8:].mean() - lost(folder)[:-14].mean()) * year
    coming = (target("finance", "new_customers") - new_customers(folder)[-26:].mean()) * year
    ordering = (target("sales", "repeat_orders") - orders(folder)[-26:].mean()) * 12
    credited = -invoices.loc[invoices["kind"] == "credit", "total"].sum() / 130
    assert leaving > 2 * max(coming, ordering * 14, credited)


def test_4_shipped_features_move_nothing(folder: Path) -> None:
    shipped = detrended(features(folder))
    for outcome in (new_customers, lost, signups, sad, orders):
        assert np.abs(lagged(shipped, detrended(outcome(folder)), range(1, 9))).max() < 0.36, (
            outcome.__name__
        )


def test_4_features_move_nothing_on_average_over_the_seeds(folders: dict[int, Path]) -> None:
    found = [
        lagged(detrended(features(f)), detrended(signups(f)), range(1, 9)) for f in folders.values()
    ]
    assert np.abs(np.mean(found)) < 0.1


def test_5_the_loudest_request_is_about_what_moves_nothing() -> None:
    items = yaml.safe_load((PARAMS / "solve_next.yaml").read_text(encoding="utf-8"))
    loudest = max(items, key=lambda item: item["asked"])
    assert loudest["metric"] == "features_shipped"
    assert loudest["asked"] > 2 * sorted(item["asked"] for item in items)[-2]
    assert next(item for item in items if item["metric"] == "sad")["asked"] < 5


def test_6_crm_and_billing_disagree_on_the_planted_deals_only(folder: Path) -> None:
    made = sample.manifest(folder)
    assert made is not None
    deals, invoices = read(folder, "deals.parquet"), read(folder, "invoices.csv")
    won = deals[deals["stage"] == "won"].assign(day=lambda frame: local(frame["closed_at"]))
    first = invoices[invoices["kind"] == "first"]
    both = won.merge(first.drop_duplicates("deal_ref"), left_on="deal_id", right_on="deal_ref")
    assert {kind: set(ids) for kind, ids in made.planted.items()} == {
        "only_in_crm": set(won["deal_id"]) - set(first["deal_ref"]),
        "only_in_billing": set(first["deal_ref"]) - set(won["deal_id"]),
        "amount_differs": set(both.loc[(both["amount"] - both["total"]).abs() > 0.005, "deal_id"]),
        "other_period": set(
            both.loc[both["day"] != pd.to_datetime(both["invoice_date"]), "deal_id"]
        ),
        "billed_twice": set(first.loc[first["deal_ref"].duplicated(), "deal_ref"]),
    }
    assert all(len(ids) >= 4 for ids in made.planted.values())
    shifted = both[both["deal_id"].isin(made.planted["other_period"])]
    assert (shifted["day"].dt.month != pd.to_datetime(shifted["invoice_date"]).dt.month).all()


def test_7_product_use_ends_six_days_early(folder: Path) -> None:
    last = pd.to_datetime(read(folder, "usage.parquet")["usage_date"]).max()
    assert last.date() == END - timedelta(days=6)


def test_7_every_other_source_is_fresh(folder: Path) -> None:
    company = yaml.safe_load((PARAMS / "company.yaml").read_text(encoding="utf-8"))
    for name, source in company["sources"].items():
        if "path" in source and "fresh_within" in source and name != "usage":
            times = read(folder, source["path"])[source["time"]]
            day = (
                (local(times) if source.get("timezone") == "UTC" else pd.to_datetime(times))
                .max()
                .date()
            )
            assert (END - day).days <= int(source["fresh_within"].rstrip("d")), name


def test_8_repeat_orders_are_red_by_noise_alone(folder: Path) -> None:
    series = orders(folder)
    spread = series.diff().abs().mean()
    assert series.iloc[-1] < 0.85 * target("sales", "repeat_orders")
    assert abs(series.iloc[-1] - series.mean()) < 2.2 * spread
    assert (abs(series[-8:-1] - series.mean()) < 2.66 * spread).all()
    assert abs(series[-27:-1].mean() / series[:-27].mean() - 1) < 0.04


def test_8_sign_ups_are_green_and_falling(folder: Path) -> None:
    series = signups(folder)
    slope, _ = np.polyfit(np.arange(40), series[-40:], 1)
    assert series.iloc[-1] >= 1.05 * target("marketing", "signups")
    assert slope < -0.5
    assert series[-8:].max() < series[:-40].mean()


def test_9_the_end_of_december_is_quiet(folder: Path) -> None:
    for series in (signups(folder), weekly(read(folder, "tickets.csv")["opened_at"].str[:10])):
        for monday in ("2024-12-23", "2025-12-22"):
            at = series.index.get_loc(pd.Timestamp(monday))
            around = series.iloc[[at - 3, at - 2, at + 2, at + 3]].mean()
            assert series.iloc[at] < 0.8 * around


def test_9_orders_are_bigger_in_autumn(folder: Path) -> None:
    invoices = read(folder, "invoices.csv")
    placed = invoices[invoices["kind"] == "order"]
    month = pd.to_datetime(placed["invoice_date"]).dt.month
    size = placed.groupby(month)["total"].mean()
    assert size[[9, 10, 11]].mean() > 1.12 * size[[3, 4, 5]].mean()


def test_9_the_company_grows_gently(folder: Path) -> None:
    invoices = read(folder, "invoices.csv")
    billed = invoices[invoices["status"] != "void"]
    day = pd.to_datetime(billed["invoice_date"])
    last = billed.loc[day > pd.Timestamp(END) - pd.DateOffset(years=1), "total"].sum()
    before = (
        billed.loc[day <= pd.Timestamp(END) - pd.DateOffset(years=1), "total"].sum()
        * 365
        / (910 - 365)
    )
    assert 1.01 < last / before < 1.12


def test_9_weekends_are_quiet(folder: Path) -> None:
    opened = pd.to_datetime(read(folder, "tickets.csv")["opened_at"])
    booked = local(read(folder, "meetings.csv")["booked_at"])
    signed = local(read(folder, "signups.parquet")["signed_up_at"])
    assert max((days.dt.day_of_week >= 5).mean() for days in (opened, booked, signed)) < 0.06
