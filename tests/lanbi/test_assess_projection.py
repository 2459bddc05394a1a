"""`lanbi assess projection`: how a year may end, from a table of days."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lanbi.cli import main

Ask = Callable[..., tuple[int, list[dict[str, Any]], str]]
HEAD = "site,date,pm25\n"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "dev"


@pytest.fixture
def ask(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Ask:
    """Exit code, objects and standard error for a table."""

    def run(text: str, *words: str) -> tuple[int, list[dict[str, Any]], str]:
        path = tmp_path / "in.csv"
        path.write_text(text, encoding="utf-8")
        capfd.readouterr()
        code = main(["assess", "projection", str(path), *words])
        out, err = capfd.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return run


def steady(year: int, days: int, mean: float, site: str = "a") -> str:
    """The first days of a year, all alike."""
    first = date(year, 1, 1)
    return "".join(f"{site},{first + timedelta(day)},{mean}\n" for day in range(days))


@pytest.mark.parametrize(("days", "mean", "rest", "status"), [(90, 70, 32.836, "undecidable"), (300, 45, 28.154, "undecidable"), (340, 46, -12.4, "missed")])
def test_the_required_rest_is_exact(ask: Ask, days: int, mean: float, rest: float, status: str) -> None:
    """The rest of the year must average (T·N - Σ)/(N - n); below zero the target is missed for certain."""
    asof = (date(2025, 1, 1) + timedelta(days - 1)).isoformat()
    code, (row,), _ = ask(HEAD + steady(2025, days, mean), "--asof", asof, "--target", "42")

    assert (0, rest, status, float(mean)) == (code, row["required_rest"], row["status"], row["ytd_mean"])
    assert [None] * 4 == [row[name] for name in ("median", "low90", "high90", "p_miss")], "no earlier year to learn from"


def test_keys_and_what_is_looked_at(ask: Ask) -> None:
    """One object a site with the promised keys; days after the date, zeros and sites without the year are not looked at."""
    past = steady(2023, 365, 50) + steady(2024, 366, 48) + steady(2024, 366, 30, "old")
    table = past + steady(2025, 120, 60) + "a,2025-05-01,0\n"
    words = ("--asof", "2025-05-01", "--target", "42")
    _, (row,), _ = ask(HEAD + table, *words)
    _, (later,), _ = ask(HEAD + table + "a,2025-05-02,1900\na,2026-01-01,5\n", *words)

    assert {"site", "asof", "ytd_mean", "required_rest", "median", "low90", "high90", "p_miss", "status"} <= set(row)
    assert ("a", "2025-05-01", 60.0, 120, 244, 2) == tuple(row[key] for key in ("site", "asof", "ytd_mean", "valid_days", "remaining_days", "years"))
    assert 48 < row["low90"] < row["median"] < row["high90"] < 70
    assert row == later


def test_the_closed_year_is_settled(ask: Ask) -> None:
    """On the last day the state is met or missed, judged on exact integers."""
    table = steady(2024, 366, 50) + steady(2025, 364, 42) + "a,2025-12-31,42.001\n"
    found = [ask(HEAD + table, "--asof", "2025-12-31", "--target", target)[1][0]["status"] for target in ("42", "42.001")]

    assert ["missed", "met"] == found


def test_spring_decides_nothing_near_the_target(ask: Ask) -> None:
    """In April a chance of missing between the marks, or without proven skill, is not yet decidable; far away it is at risk."""
    table = HEAD + steady(2023, 365, 50) + steady(2024, 366, 50) + steady(2025, 120, 52)
    near, far = (ask(table, "--asof", "2025-04-30", "--target", target)[1][0] for target in ("47", "25"))

    assert 0.7 < near["p_miss"] < 0.95
    assert ["undecidable", "at-risk"] == [near["status"], far["status"]]


def test_autumn_decides_by_the_chance(ask: Ask) -> None:
    """In October the chance of missing decides: on course, undecidable, at risk."""
    table = HEAD + steady(2023, 365, 50) + steady(2024, 366, 50) + steady(2025, 300, 50)
    found = [ask(table, "--asof", "2025-10-27", "--target", target)[1][0]["status"] for target in ("53", "50", "48")]

    assert ["on-course", "undecidable", "at-risk"] == found


def test_few_valid_days_decide_nothing(ask: Ask) -> None:
    """With fewer than 90 valid days the state is undecidable, whatever the chance says."""
    days = "".join(f"a,{date(2025, 1, 1) + timedelta(day)},20\n" for day in range(0, 300, 4))
    _, (row,), _ = ask(HEAD + steady(2024, 366, 50) + days, "--asof", "2025-10-27", "--target", "42")

    assert (75, "undecidable") == (row["valid_days"], row["status"])


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--asof", "soon", "--target", "42"), "--asof"),
        (("--asof", "2025-05-01", "--target", "x"), "--target"),
        (("--asof", "2025-05-01", "--target", "-1"), "--target"),
        (("--asof", "2025-05-01", "--target", "1e20"), "--target"),
        (("--asof", "2031-05-01", "--target", "42"), "no day of 2031"),
    ],
)
def test_bad_questions_are_told(ask: Ask, words: Any, what: str) -> None:
    """A wrong date or target, or a year without a day, ends with exit 2 and no output."""
    code, rows, err = ask(HEAD + steady(2025, 10, 40), *words)

    assert (2, [], True) == (code, rows, what in err)


def test_other_items_have_their_own_column(ask: Ask) -> None:
    """``--item no2`` reads that column; its zero is a value."""
    text = "site,date,no2\n" + "".join(f"a,{date(2025, 1, 1) + timedelta(day)},{day % 2 * 40}\n" for day in range(100))
    _, (row,), _ = ask(text, "--asof", "2025-04-10", "--target", "40", "--item", "no2")

    assert ("no2", 20.0, 100) == (row["item"], row["ytd_mean"], row["valid_days"])


@pytest.mark.skipif(not DATA.exists(), reason="the public data files are not here")
def test_the_published_vectors(ask: Ask) -> None:
    """济南 2016 as of 03-31: 91 days sum to 8,753; the rest must average 24.069 for 42 and 67.989 for 75; 75 came within 0.4."""
    with gzip.open(DATA / "daily_jinan_2014_2018.csv.gz", "rt", encoding="utf-8-sig") as file:
        table = HEAD + "".join(f"{row['city']},{row['date']},{row['pm25']}\n" for row in csv.DictReader(file))
    rows = [ask(table, "--asof", "2016-03-31", "--target", target)[1][0] for target in ("42", "75")]

    assert [24.069, 67.989] == [row["required_rest"] for row in rows]
    assert [96.187, 96.187] == [row["ytd_mean"] for row in rows]
    assert rows[1]["low90"] < 75.399 < rows[1]["high90"]
    means = [ask(table, "--asof", f"2018-{day}", "--target", "55")[1][0]["ytd_mean"] for day in ("01-31", "03-31", "06-30", "09-30", "11-30", "12-31")]
    assert [87.258, 71.433, 56.534, 49.085, 51.13, 53.171] == means


def test_many_sites_teach_each_other(ask: Ask) -> None:
    """Earlier years of all sites count for the skill; a table of many sites has an object each."""
    chance = np.random.default_rng(3)
    rows = []
    for site in range(6):
        for year in (2022, 2023, 2024, 2025):
            level = 50 * np.exp(chance.normal(0, 0.12))
            for day in range(365 if year < 2025 else 120):
                value = level * np.exp(chance.normal(0, 0.3))
                rows.append(f"s{site},{date(year, 1, 1) + timedelta(day)},{value:.1f}\n")
    code, found, _ = ask(HEAD + "".join(rows), "--asof", "2025-04-30", "--target", "50")

    assert (0, [f"s{site}" for site in range(6)]) == (code, [row["site"] for row in found])
    assert {3} == {row["years"] for row in found}
    assert {"undecidable"} != {row["status"] for row in found}, "twelve earlier forecasts prove the skill in April"
