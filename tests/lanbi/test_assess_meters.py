"""The calculator of meters: files in, accounts out, and what it refuses."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import tarfile
from decimal import Decimal
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from lanbi.cli import main

DEV = Path(__file__).resolve().parents[3] / "shared" / "data" / "dev"
FIXTURES = DEV / "oed_meter_pipeline_fixtures.tar.gz"
TEXT = """
[county]
id = "cp"
name = "区"
[[enterprise]]
id = "e-1"
name = "厂"
town = "镇"
industry = "aluminium"
[[meter]]
id = "m-1"
enterprise = "e-1"
medium = "electricity"
role = "production"
unit = "kWh"
resolution = "0.01"
modulus = "1000000"
max_power = "100"
multiplier = "1"
[[meter]]
id = "m-2"
enterprise = "e-1"
medium = "electricity"
role = "treatment"
treats = "m-1"
unit = "kWh"
multiplier = "1"
reset = "RESET"
"""


def answered(tmp_path: Path, capfd: pytest.CaptureFixture[str], body: str, *words: str, reset: str = "never") -> list[dict[str, Any]]:
    """Lines that the calculator answers."""
    (tmp_path / "county.toml").write_text(TEXT.replace("RESET", reset), encoding="utf-8")
    (tmp_path / "in.csv").write_text("meter,time,register\n" + body, encoding="utf-8")
    capfd.readouterr()
    assert 0 == main(["assess", "meters", str(tmp_path / "in.csv"), "--registry", str(tmp_path / "county.toml"), *words])
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


ROWS = ["m-1,2026-01-01T08:00:00+08:00,999984", "m-1,2026-01-01 09:00,20", "m-1,2026-01-01 10:00,25.05", "m-2,2026-01-01 09:00,7"]


def test_lines_in_order_of_time_whatever_the_order_of_rows(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Intervals and events of each meter, exact decimals as text, the same for any order of rows."""
    found = answered(tmp_path, capfd, "\n".join(ROWS))

    assert found == [
        {"meter": "m-1", "kind": "interval", "from": "2026-01-01T08:00:00+08:00", "to": "2026-01-01T09:00:00+08:00", "energy": "36.00", "flag": "rollover"},
        {"meter": "m-1", "kind": "event", "event": "rollover", "time": "2026-01-01T09:00:00+08:00", "detail": "999984.00 → 20.00"},
        {"meter": "m-1", "kind": "interval", "from": "2026-01-01T09:00:00+08:00", "to": "2026-01-01T10:00:00+08:00", "energy": "5.05", "flag": "normal"},
    ]
    mixed = random.Random(7).sample(ROWS, len(ROWS))
    assert {json.dumps(row) for row in found} == {json.dumps(row) for row in answered(tmp_path, capfd, "\n".join(mixed))}


def test_same_time_twice(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The same register once more counts once; another one is held, and the first stays."""
    found = answered(tmp_path, capfd, "m-1,2026-01-01 08:00,100\nm-1,2026-01-01 08:00,100\nm-1,2026-01-01 09:00,100.5\nm-1,2026-01-01 09:00,100.7")

    assert ["0.50"] == [row["energy"] for row in found if row["kind"] == "interval"]
    assert ["100.5 stands, 100.7 came for the same time"] == [row["detail"] for row in found if row["kind"] == "event"]


def test_exchange_forms_come_from_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The form's last and first readings enter the account."""
    forms = tmp_path / "forms.csv"
    forms.write_text("meter,time,last,first,document\nm-1,2026-01-01 08:30,5012.5,3.0,单1\n")
    found = answered(tmp_path, capfd, "m-1,2026-01-01 08:00,5000.0\nm-1,2026-01-01 09:00,10.0", "--exchanges", str(forms))

    assert [("19.50", "exchange")] == [(row["energy"], row["flag"]) for row in found if row["kind"] == "interval"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("m-1,2026-01-01 08:00,12 kWh", "not a register: '12 kWh'"),
        ("m-1,2026-01-01 08:00,'1,000", "4 cells under 3 columns"),
        ("m-1,2026-01-01 08:00,1_000", "not a register: '1_000'"),
        ("m-1,2026-01-01 08:00,nan", "not a register: 'nan'"),
        ("m-1,2026-01-01 08:00,1e20", "not a register: '1e20'"),
        ("m-1,2026-01-01 08:00,1e999999999", "not a register: '1e999999999'"),
        ("m-1,2026-01-01 08:00,1e-999999", "not a register: '1e-999999'"),
        ("m-1,2026-01-01 08:00,0.0000001", "not a register: '0.0000001'"),
        ("m-1,2026-01-01 08:00,", "not a register: ''"),
        ("m-9,2026-01-01 08:00,1", "no such meter in the registry: 'm-9'"),
        ("m-1,yesterday,1", "not a time: 'yesterday'"),
    ],
)
def test_bad_rows_say_where(tmp_path: Path, capfd: pytest.CaptureFixture[str], row: str, says: str) -> None:
    """A bad row is one message with file and line, exit 2, and no output file."""
    (tmp_path / "county.toml").write_text(TEXT.replace("RESET", "never"), encoding="utf-8")
    (tmp_path / "in.csv").write_text(f"meter,time,register\n{ROWS[0]}\n{row}\n", encoding="utf-8")
    out = tmp_path / "out.jsonl"

    assert 2 == main(["assess", "meters", str(tmp_path / "in.csv"), "--registry", str(tmp_path / "county.toml"), "-o", str(out)])
    said = capfd.readouterr().err
    assert says in said and "in.csv, line 3" in said and not out.exists()


@pytest.mark.parametrize(("time", "last", "says"), [("2026-01-01 08:00", "5012", "before the meter's first"), ("2026-01-01 08:30", "4000", "lies below")])
def test_forms_that_cannot_be_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str], time: str, last: str, says: str) -> None:
    """A form before the first reading, or with a last reading below the one before it, is refused with its place."""
    (tmp_path / "county.toml").write_text(TEXT.replace("RESET", "never"), encoding="utf-8")
    (tmp_path / "in.csv").write_text("meter,time,register\nm-1,2026-01-01 08:00,5000.0\nm-1,2026-01-01 09:00,10.0\n", encoding="utf-8")
    (tmp_path / "forms.csv").write_text(f"meter,time,last,first\nm-1,{time},{last},3.0\n", encoding="utf-8")
    words = ["--registry", str(tmp_path / "county.toml"), "--exchanges", str(tmp_path / "forms.csv")]

    assert 2 == main(["assess", "meters", str(tmp_path / "in.csv"), *words])
    assert says in capfd.readouterr().err


def pipe(number: str, part: str = "Input") -> list[list[str]]:
    """Rows of a fixture of the Open Energy Dashboard."""
    with tarfile.open(FIXTURES) as tar:
        member = next(one for one in tar.getnames() if one.split("/")[-1] == f"pipe{number}{part}.csv")
        file = tar.extractfile(member)
        assert file
        return [row for row in csv.reader(io.StringIO(file.read().decode())) if row and "/" not in row[0] and row[0].replace(".", "").lstrip("-").isdigit()]


@pytest.mark.skipif(not FIXTURES.exists(), reason="public data not present: ../shared/data/dev")
@pytest.mark.parametrize(
    ("number", "reset", "differs"),
    [
        ("3", "never", {}),
        ("4", "never", {}),
        ("5", "allowed", {}),
        ("6", "00:00", {}),
        ("10", "allowed", {}),
        ("12", "12:00", {}),
        ("21", "never", {}),
        ("25", "never", {}),
        ("52A", "allowed", {"expected": "3"}),
        # There the reading itself must lie at the hour of the reset; here the hour must lie between two readings.
        ("7", "12:00", {"expected": "5"}),
        # A batch with one reading that cannot be is refused whole there; here that reading is refused and named.
        ("9", "never", {"energies": ["48", "72", "72"], "events": ["negative"]}),
        ("22", "allowed", {"energies": ["48", "72", "119"], "events": ["negative", "reset"]}),
        ("33", "never", {"energies": ["48", "168", "120"], "events": ["negative"]}),
    ],
)
def test_cases_of_the_open_energy_dashboard(tmp_path: Path, capfd: pytest.CaptureFixture[str], number: str, reset: str, differs: dict[str, Any]) -> None:
    """Registers of that dashboard's own tests give its energies; where it refuses a batch, one reading is refused and named."""
    body = "\n".join(f"m-2,{row[-1]},{row[0]}" for row in pipe(number))
    found = answered(tmp_path, capfd, body, reset=reset)
    wanted = differs.get("energies") or [row[0] for row in pipe(differs.get("expected", number), "Expected")]

    assert [Decimal(text) for text in wanted] == [Decimal(row["energy"]) for row in found if row["kind"] == "interval"]
    assert differs.get("events", ["reset"] if reset != "never" and number != "52A" else []) == [row["event"] for row in found if row["kind"] == "event"]


def test_midnights_labelled_a_day_early_are_moved_and_counted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A day's last quarter hour that says 00:00 of its own day belongs to the next one; the intervals stay whole and a note counts it."""
    times = ["01-01 23:30", "01-01 23:45", "01-01 00:00", "01-02 00:15", "01-02 00:30"]
    (tmp_path / "county.toml").write_text(TEXT.replace("RESET", "never"), encoding="utf-8")
    (tmp_path / "in.csv").write_text(
        "meter,time,register\n" + "".join(f"m-1,2026-{time},{100 + place}\n" for place, time in enumerate(times)), encoding="utf-8"
    )

    assert 0 == main(["assess", "meters", str(tmp_path / "in.csv"), "--registry", str(tmp_path / "county.toml")])
    said = capfd.readouterr()
    assert "m-1: 1 midnights are labelled 00:00" in said.err
    assert ["1.00"] * 4 == [json.loads(line)["energy"] for line in said.out.splitlines()]


STEEL = DEV / "steel_industry_2018_15min.csv.gz"
EIGHTY = DEV / "tianchi_80_enterprises.csv.gz"
LONG = """
[[meter]]
id = "m-3"
enterprise = "e-1"
medium = "electricity"
role = "main"
unit = "kWh"
resolution = "RESOLUTION"
multiplier = "1"
max_power = "100000"
"""


@pytest.mark.skipif(not STEEL.exists(), reason="public data not present: ../shared/data/dev")
def test_a_year_of_a_steel_works(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """35,040 quarter hours, cumulated to a register: 365 midnights are moved, every interval is its row's energy, the year is the file's sum."""
    with gzip.open(STEEL, "rt", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    shown = list(accumulate(Decimal(row["Usage_kWh"]) for row in rows))
    times = [f"{year}-{month}-{day} {clock}" for row in rows for date, clock in [row["date"].split()] for day, month, year in [date.split("/")]]
    body = "".join(f"m-3,{time},{value}\n" for time, value in zip(times, shown, strict=True))
    (tmp_path / "county.toml").write_text((TEXT + LONG).replace("RESET", "never").replace("RESOLUTION", "0.01"), encoding="utf-8")
    (tmp_path / "in.csv").write_text("meter,time,register\nm-3,2018-01-01 00:00,0\n" + body, encoding="utf-8")

    assert 0 == main(["assess", "meters", str(tmp_path / "in.csv"), "--registry", str(tmp_path / "county.toml")])
    said = capfd.readouterr()
    found = [json.loads(line) for line in said.out.splitlines()]
    energies = [Decimal(row["energy"]) for row in found if row["kind"] == "interval"]
    assert "365 midnights" in said.err
    assert [Decimal(row["Usage_kWh"]) for row in rows] == energies
    assert Decimal("959636.71") == sum(energies)
    carbon = sum(Decimal(row["CO2(tCO2)"]) for row in rows)
    # The file's CO2 has two decimals a quarter hour, 60 % of which are zero; half a hundredth a row is what rounding can cost.
    assert abs(sum(energies) * Decimal("0.000421") - carbon) < len(rows) * Decimal("0.005")
    assert [] == [row for row in found if row["kind"] == "event" and row["event"] != "gap"]


@pytest.mark.skipif(not EIGHTY.exists(), reason="public data not present: ../shared/data/dev")
def test_days_of_eighty_enterprises(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Days of 80 enterprises as registers, where 1 stands for idle: no crash, every kWh in its day, those that never ran are quiet."""
    with gzip.open(EIGHTY, "rt", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "record_date"]
    days = ["2014-12-31", *(row["record_date"].replace("/", "-") for row in rows)]
    used = {name: [0 if row[name] == "1" else int(row[name]) for row in rows] for name in names}
    body = [f"t-{name},{day} 00:00,{value}\n" for name in names for day, value in zip(days, accumulate([0, *used[name]]), strict=True)]
    tables = "".join(LONG.replace("m-3", f"t-{name}").replace("RESOLUTION", "1") for name in names)
    (tmp_path / "county.toml").write_text(TEXT.replace("RESET", "never") + tables, encoding="utf-8")
    (tmp_path / "in.csv").write_text("meter,time,register\n" + "".join(body), encoding="utf-8")

    assert 0 == main(["assess", "meters", str(tmp_path / "in.csv"), "--registry", str(tmp_path / "county.toml")])
    found = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    sums: dict[str, int] = {}
    for row in found:
        if row["kind"] == "interval":
            sums[row["meter"]] = sums.get(row["meter"], 0) + int(row["energy"])
    idle = {f"t-{name}" for name in names if not any(used[name])}
    stuck = {row["meter"] for row in found if row.get("event") == "stuck"}
    assert {f"t-{name}": sum(used[name]) for name in names} == sums
    assert (5, {"stuck"}) == (len(idle), {row["event"] for row in found if row["kind"] == "event"})
    assert idle < stuck


def test_the_longest_register_is_counted_exactly(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Twelve digits before the point and six behind it lose nothing."""
    found = answered(tmp_path, capfd, "m-1,2026-01-01 08:00,999999999990.000001\nm-1,2026-01-01 09:00,999999999990.000004")

    assert ["0.000003"] == [row["energy"] for row in found if row["kind"] == "interval"]
