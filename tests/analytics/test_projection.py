"""The year's end as seen from each day: nothing later is looked at, intervals hold, and what is not skilled decides nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from analytics import chances, projection, skill
from analytics.projection import Goal, Outlook
from analytics.skill import Case

Floats = npt.NDArray[np.float64]
MODELS = {"mean": projection.mean, "share": projection.share, "count": projection.count}
NONE = Goal("<=", None)


def history(seed: int, years: int = 4, spread: float = 0.12) -> dict[int, Floats]:
    """PM2.5 of years with a season and a between-year factor."""
    chance = np.random.default_rng(seed)
    level, found = np.log(50.0), {}
    for year in range(2021, 2021 + years):
        level += chance.normal(-0.03, spread)
        length = 366 if year % 4 == 0 else 365
        season = 1 + 0.45 * np.cos(2 * np.pi * (np.arange(length) - 10) / length)
        weather = np.repeat(chance.normal(0, 0.14, 13), 30)[:length]
        values = np.exp(level + weather + chance.normal(0, 0.35, length) - 0.06) * season
        found[year] = np.where(chance.random(length) < 0.03, np.nan, values)
    return found


def days(kind: str, values: Floats) -> Floats:
    """PM2.5 as it is, or as good (≤ 75) or heavy (> 90) days."""
    if kind == "mean":
        return values
    hits = values <= 75 if kind == "share" else values > 90
    return np.where(np.isnan(values), np.nan, hits)


def outlook(kind: str, years: dict[int, Floats], goal: Goal, known: int | None = None) -> Outlook:
    """The last year seen from its first ``known`` days."""
    table = {year: days(kind, one) for year, one in years.items()}
    last = max(table)
    found = MODELS[kind](skill.unbroken(table, last), table[last][:known], len(table[last]), goal)
    assert found is not None
    return found


def truth(kind: str, values: Floats) -> float:
    """What the year came to."""
    one = days(kind, values)
    return float({"mean": np.nanmean(one), "share": 100 * np.nanmean(one), "count": np.nansum(one)}[kind])


@pytest.mark.parametrize("kind", MODELS)
def test_nothing_later_is_looked_at(kind: str) -> None:
    """The view from a day is the same whether the days after it are there, another, or missing."""
    years = history(1)
    whole = outlook(kind, years, Goal("<=", 45.0))
    other = {**years, 2024: np.concatenate([years[2024][:200], 9 * years[2024][200:]])}

    for part, short, changed in zip(whole, outlook(kind, years, Goal("<=", 45.0), 200), outlook(kind, other, Goal("<=", 45.0)), strict=True):
        assert np.array_equal(part[:200], short, equal_nan=True)
        assert np.array_equal(part[:200], changed[:200], equal_nan=True)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("op", ["<=", ">="])
def test_the_last_day_knows_the_year(kind: str, op: str) -> None:
    """On 31 December median and interval are the year itself, and the chance of missing is 0 or 1."""
    years = history(2)
    came = truth(kind, years[2024])
    for goal, missed in ((came + 0.4, op == ">="), (came - 0.4, op == "<=")):
        seen = outlook(kind, years, Goal(op, goal))

        assert [came] * 3 == pytest.approx([float(part[-1]) for part in seen[:3]])
        assert float(missed) == seen.p_miss[-1]


@pytest.mark.parametrize("kind", MODELS)
def test_the_interval_holds_the_median_and_narrows(kind: str) -> None:
    """Low ≤ median ≤ high on every day, and the interval of November is narrower than that of March."""
    seen = outlook(kind, history(3), NONE)

    assert (seen.low90 <= seen.median).all() and (seen.median <= seen.high90).all()
    assert seen.high90[320] - seen.low90[320] < seen.high90[80] - seen.low90[80]
    assert np.isnan(seen.p_miss).all(), "without a target there is nothing to miss"


@pytest.mark.parametrize("kind", MODELS)
def test_a_laxer_target_is_missed_less(kind: str) -> None:
    """The chance of missing falls as the target is raised, and the two directions add up to one."""
    years = history(4)
    middle = float(outlook(kind, years, NONE).median[120])
    strict, lax = (outlook(kind, years, Goal("<=", middle + step)).p_miss[120] for step in (-3.5, 3.5))
    above = outlook(kind, years, Goal(">=", middle + 3.5)).p_miss[120]

    assert 0 < lax < strict <= 1
    assert above == pytest.approx(1 - lax, abs=0.001)


def test_the_level_of_the_year_is_learnt() -> None:
    """A spring that is a fifth above the usual one raises the rest of the year, but by less than a fifth."""
    years = history(5, spread=0.0)
    usual = float(outlook("mean", years, NONE).median[119])
    high = {**years, 2024: np.concatenate([1.2 * years[2024][:120], years[2024][120:]])}
    part = float(np.nansum(1.2 * years[2024][:120]) - np.nansum(years[2024][:120])) / float(np.isfinite(years[2024][:120]).sum() + 246)
    raised = float(outlook("mean", high, NONE).median[119]) - usual

    assert part < raised < 0.2 * usual


def test_intervals_hold_in_every_month() -> None:
    """Over 60 years of 20 places with a between-year factor, at least 85 % of the years end inside the interval, whenever it was said."""
    inside = []
    for seed in range(20):
        years = history(100 + seed)
        for year in (2022, 2023, 2024):
            known = {one: values for one, values in years.items() if one <= year}
            seen, came = outlook("mean", known, NONE), truth("mean", years[year])
            inside.append([seen.low90[row] <= came <= seen.high90[row] for row in range(30, 360, 30)])

    assert np.mean(inside, axis=0).min() >= 0.85


@pytest.mark.parametrize("kind", MODELS)
def test_without_a_year_to_learn_from_there_is_no_view(kind: str) -> None:
    """No earlier year, or only a fragment of one, gives nothing."""
    fragment = np.full(365, np.nan)
    fragment[:200] = 1.0

    assert None is MODELS[kind]([], np.ones(100), 365, NONE)
    assert None is MODELS[kind]([fragment], np.ones(100), 365, NONE)


def test_days_before_the_first_value_say_nothing() -> None:
    """A year that begins with a gap has no view in it, and one after it."""
    years = history(6)
    years[2024][:10] = np.nan
    years[2024][10] = 50.0
    seen = outlook("mean", years, Goal("<=", 45.0))

    assert [True, False] == [bool(np.isnan(seen.median[row])) for row in (9, 10)]
    assert np.isnan(seen.p_miss[9])


def test_years_with_a_gap_between_are_not_learnt_from() -> None:
    """Only the unbroken run that ends with the year before counts, oldest first."""
    years = history(7)
    del years[2022]

    assert [id(years[2023])] == [id(one) for one in skill.unbroken(years, 2024)]
    assert [] == skill.unbroken(years, 2026)


def test_no_year_predicts_itself() -> None:
    """The cases of a year are of earlier years, and another value in the year or after it changes none of them."""
    years = history(8)
    found = skill.cases(years, 2024, 150)
    other = {**years, 2024: 5 * years[2024], 2025: years[2021]}

    assert 2 == len(found)
    assert found == skill.cases(other, 2024, 150)
    assert skill.cases({**years, 2023: 2 * years[2023]}, 2024, 150) != found


@pytest.mark.parametrize(
    ("known", "day", "wanted"),
    [
        ([], 100, False),
        ([], 180, True),
        ([Case(0.9, missed=True)] * 7, 100, False),
        ([Case(0.9, missed=True), Case(0.1, missed=False)] * 4, 100, True),
        ([Case(0.4, missed=True), Case(0.6, missed=False)] * 4, 300, False),
        ([Case(0.9, missed=True)] * 8, 100, False),
    ],
)
def test_a_forecast_must_beat_the_base_rate(known: Any, day: int, wanted: Any) -> None:
    """Eight earlier years tell whether the forecast is better than the base rate; fewer leave it to the calendar."""
    assert wanted is skill.skilled(known, day)


@pytest.mark.parametrize(("steps", "freedom", "chance"), [(2.131847, 4, 0.95), (1.943180, 6, 0.95), (1.859548, 8, 0.95), (0.0, 4, 0.5), (-2.131847, 4, 0.05)])
def test_students_t(steps: float, freedom: int, chance: float) -> None:
    """Distribution and quantile have their tabled values and are inverse to each other."""
    assert chance == pytest.approx(float(chances.cdf(np.array(steps), freedom)), abs=1e-6)
    assert steps == pytest.approx(chances.quantile(chance, freedom), abs=1e-5)


def test_the_negative_binomial() -> None:
    """Its mean and variance are those asked for, and its chances add up to one."""
    cumulative = chances.negative_binomial(np.array([6.0, 0.0]), np.array([20.0, 0.0]), 200)
    single = np.diff(cumulative, axis=0, prepend=0.0)[:, 0]
    numbers = np.arange(201)

    assert [1.0, 1.0] == pytest.approx(cumulative[-1].tolist())
    assert (6.0, 20.0) == pytest.approx((float(single @ numbers), float(single @ (numbers - 6.0) ** 2)))
    assert 1.0 == pytest.approx(float(cumulative[0, 1])), "no rate, no day"
