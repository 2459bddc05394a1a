"""The calculators on the published files: field rules that single rows cannot show."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lanbi.cli import main

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "dev"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="public data not present: ../shared/data/dev")
DAYS = "site,date,pm25,pm10,so2,no2,co,o3_8h\n"
HOURS = "site,time,pm25,pm10,so2,no2,co,o3\n"
Run = Callable[..., str]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Output of a calculator for a table."""

    def answer(kind: str, text: str, *words: str) -> str:
        path, out = tmp_path / "in.csv", tmp_path / "out"
        path.write_text(text, encoding="utf-8")
        assert 0 == main(["assess", kind, str(path), "-o", str(out), *words])
        return out.read_text(encoding="utf-8")

    return answer


def daily(name: str) -> list[dict[str, str]]:
    """Rows of a file of published days."""
    with gzip.open(DATA / name, "rt", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def days(rows: list[dict[str, str]]) -> str:
    """The same as the calculator's table."""
    return DAYS + "".join(",".join(row[key] for key in ("city", "date", "pm25", "pm10", "so2", "no2", "co", "o3_8h")) + "\n" for row in rows)


def test_the_years_of_jinan(run: Run) -> None:
    """Years recomputed from published days: means without zeros, days without PM neither good nor heavy, 2016 as published."""
    rows: list[dict[str, Any]] = json.loads(run("air-year", days(daily("daily_jinan_2014_2018.csv.gz")), "--from", "daily", "--rules", "2012"))
    found = {row["year"]: tuple(row[key] for key in ("good_days", "heavy_days", "valid_days")) for row in rows}
    means = {row["year"]: f"{eval_fraction(row['pm25_mean_exact']):.3f}" for row in rows}

    assert {2014: (93, 35, 363), 2015: (132, 38, 364), 2016: (166, 24, 366), 2017: (180, 16, 358), 2018: (194, 14, 362)} == found
    assert {2014: "88.129", 2015: "89.863", 2016: "75.399", 2017: "64.553", 2018: "53.171"} == means


def eval_fraction(text: str) -> float:
    """A fraction as it is written."""
    top, _, below = text.partition("/")
    return int(top) / int(below or 1)


@pytest.mark.parametrize(
    ("years", "agree", "of"), [(["2016"], 366, 366), (["2015-08", "2015-09", "2015-10", "2015-11", "2015-12"], 153, 153), (["2018"], 347, 362)]
)
def test_published_days_agree_as_often_as_they_are_known_to(run: Run, years: list[str], agree: int, of: int) -> None:
    """2016 and the end of 2015 are reproduced on every day, 2018 but for 15 days that the publisher gave provisionally."""
    rows = [row for row in daily("daily_jinan_2014_2018.csv.gz") if any(row["date"].startswith(year) for year in years)]
    published = {row["date"]: int(float(row["aqi"])) for row in rows if float(row["aqi"] or 0) > 0}
    table = csv.DictReader(run("air-daily", days(rows), "--from", "daily", "--rules", "2012").splitlines())
    ours = {row["date"]: row["aqi"] for row in table}

    assert (agree, of) == (sum(ours[date] == str(aqi) for date, aqi in published.items()), len(published))


def test_the_running_24_h_mean_includes_its_own_hour(run: Run) -> None:
    """R12, Beijing 万柳 2015-01-02: published means are those of the 24 hours that end with the label, 0.5 above the file's cut values."""
    pyarrow = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    rows = [row for row in pyarrow.read_table(DATA / "prsa_wanliu_2014_2015.parquet").to_pylist() if "2014-12-30" < str(row["t"]) < "2015-01-04"]
    text = HOURS + "".join(f"w,{str(row['t'])[:19]},{'' if row['PM2.5'] is None else row['PM2.5']},,,,,\n" for row in rows)
    table = {row["time"][:13]: row["pm25_24h"] for row in csv.DictReader(run("air-rolling", text).splitlines())}
    published = {"00": 39.0, "01": 43.3, "02": 47.2, "03": 51.1, "04": 54.5, "05": 55.5, "06": 55.9, "07": 56.1, "08": 56.3, "12": 56.2, "17": 56.1}

    assert all(abs(float(table[f"2015-01-02T{hour}"]) - (mean - 0.53)) <= 0.6 for hour, mean in published.items())
    exact = {"01": "43", "02": "47", "03": "51", "05": "55", "12": "56"}
    assert exact == {hour: table[f"2015-01-02T{hour}"] for hour in exact}
