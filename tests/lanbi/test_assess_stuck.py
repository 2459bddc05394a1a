"""The calculator of standing sensors, also on a real frozen site."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest

from lanbi.cli import main

DEV = Path(__file__).resolve().parents[3] / "shared" / "data" / "dev"
STATIONS = DEV / "liaocheng_station_hourly_202004_original.csv.gz"
NAMES = {"PM2.5": "pm25", "PM10": "pm10", "SO2": "so2", "NO2": "no2", "CO": "co", "O3_1h": "o3"}


def rows(capfd: pytest.CaptureFixture[str], path: Path) -> list[dict[str, str]]:
    """What the calculator answers."""
    capfd.readouterr()
    assert 0 == main(["assess", "stuck", str(path)])
    return list(csv.DictReader(io.StringIO(capfd.readouterr().out)))


def test_a_standing_stretch(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """From, to, hours and value of a stretch; a column that is no item is ignored with a word."""
    lines = ["site,time,pm25,mood"] + [
        f"a,2026-01-{1 + hour // 24:02d}T{hour % 24:02d}:00:00,{50 if 100 <= hour < 140 else hour % 37 + 20},x" for hour in range(300)
    ]
    (tmp_path / "in.csv").write_text("\n".join(lines))

    wanted = {"site": "a", "item": "pm25", "from": "2026-01-05T04:00:00+08:00", "to": "2026-01-06T19:00:00+08:00", "hours": "40", "value": "50"}
    assert [wanted] == rows(capfd, tmp_path / "in.csv")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("site,time,pm25\na,2026-01-01T01:00:00,x\n", "not a number: 'x'"),
        ("site,time,pm25\na,2026-01-01T01:00:00,inf\n", "not a number: 'inf'"),
        ("site,time,pm25\na,2026-01-01T01:00:00,1e20\n", "outside the range -10…2000 µg/m³: '1e20'"),
        ("site,time,co\na,2026-01-01T01:00:00,900\n", "outside the range -1…200 mg/m³: '900'"),
        ("site,time,do\na,2026-01-01T01:00:00,-1\n", "outside the range 0…60 mg/L: '-1'"),
        ("site,time,temp\na,2026-01-01T01:00:00,7999\n", "outside the range -60…60 °C: '7999'"),
        ("site,time,pm25,pm25\na,2026-01-01T01:00:00,1,2\n", "column given twice: pm25"),
        (f'site,time,pm25\na,"2026-01-01T01:00:00,1\n{"b" * 140_000}\n', "a quote is opened and never closed"),
        ("site,time,pm25\n,2026-01-01T01:00:00,1\n", "an empty cell"),
        ("site,time,pm25\na,soon,1\n", "not a time: 'soon'"),
        ("site,time,pm25\na,2026-01-01T01:00:00\n", "2 cells under 3 columns"),
        ("site,pm25\na,1\n", "column missing: time"),
        ("site,time,mood\na,2026-01-01T01:00:00,1\n", "column missing: an item"),
    ],
)
def test_bad_tables_say_where(tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, says: str) -> None:
    """A bad table is one message with its line, exit 2."""
    (tmp_path / "in.csv").write_text(text)

    assert 2 == main(["assess", "stuck", str(tmp_path / "in.csv")])
    said = capfd.readouterr().err
    assert says in said and "in.csv, line" in said


@pytest.mark.skipif(not STATIONS.exists(), reason="public data not present: ../shared/data/dev")
def test_the_frozen_name_of_a_live_station(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """In a real file one name repeats one hour for days; it is found, and no live station is."""
    with gzip.open(STATIONS, "rt", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    lines = [f"site,time,{','.join(NAMES.values())}"]
    for row in found:
        day, hour = row["Date"], row["Hour"]
        cells = ["" if row[name] == "NaN" else row[name] for name in NAMES]
        lines.append(f"{row['WatchPoint']},{day[:4]}-{day[4:6]}-{day[6:]}T{hour}:00:00,{','.join(cells)}")
    (tmp_path / "in.csv").write_text("\n".join(lines), encoding="utf-8")

    assert [("监控中心(20190222启用)", "pm25", "311"), ("监控中心(20190222启用)", "so2", "16")] == [
        (row["site"], row["item"], row["value"]) for row in rows(capfd, tmp_path / "in.csv")
    ][:2]
    assert {"监控中心(20190222启用)"} == {row["site"] for row in rows(capfd, tmp_path / "in.csv")}


def test_of_a_repeated_hour_the_last_row_counts(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Rows may come in any order; a stretch that a later row breaks in its middle is two short ones."""
    hours = [(hour, 50 if 100 <= hour < 140 else hour % 37 + 20) for hour in range(300)]
    lines = [f"a,2026-01-{1 + hour // 24:02d}T{hour % 24:02d}:00:00,{value}" for hour, value in reversed(hours)]
    told = []
    for more in ("a,2026-01-05T23:00:00,50", "a,2026-01-06T00:00:00,61"):
        (tmp_path / "in.csv").write_text("\n".join(["site,time,pm25", *lines, more]))
        told.append([row["hours"] for row in rows(capfd, tmp_path / "in.csv")])

    assert [["40"], []] == told
