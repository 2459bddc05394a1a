"""The calculators of air: columns, forms of input, bad input, figures."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lanbi.cli import main
from lanbi.plans import folder
from tests import reference

Assess = Callable[..., tuple[int, str, str]]
HEAD = "site,time,pm25,pm10,so2,no2,co,o3\n"
DAYS = "site,date,pm25,pm10,so2,no2,co,o3_8h\n"
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "dev"


@pytest.fixture
def assess(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Assess:
    """Run a calculator on a text; exit code, standard output and standard error."""

    def run(kind: str, text: str | bytes, *words: str) -> tuple[int, str, str]:
        path = tmp_path / "in.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        capfd.readouterr()
        code = main(["assess", kind, str(path), *words])
        out, err = capfd.readouterr()
        return code, out, err.replace(str(tmp_path) + "/", "")

    return run


def rows(text: str) -> list[dict[str, str]]:
    """Rows of a CSV answer."""
    return list(csv.DictReader(io.StringIO(text)))


def test_columns_of_air_hourly(assess: Assess) -> None:
    """The answer has the promised columns, times with +08:00, and the rule set of the civil day."""
    code, out, _ = assess("air-hourly", HEAD + "a,2026-03-01T00:00:00,61,,,,,\na,2026-03-01T01:00:00,76,1,1,1,1,1\n")

    assert code == 0
    assert out.splitlines() == [
        "site,time,aqi,level,primary,iaqi_pm25,iaqi_pm10,iaqi_so2,iaqi_no2,iaqi_co,iaqi_o3,rule_set",
        "a,2026-03-01T00:00:00+08:00,83,2,pm25,83,,,,,,HJ633-2012",
        "a,2026-03-01T01:00:00+08:00,115,3,pm25,115,1,1,1,10,1,HJ633-2026",
    ]


def test_forms_of_input(assess: Assess, tmp_path: Path) -> None:
    """Offsets, slashes, 24:00, quotes, a byte order mark, CRLF, exponents and unknown columns are taken."""
    text = '\ufeffx,site,time,pm25,pm10,so2,no2,co,o3\r\n1,"a,""b""",2025-01-01T16:00:00Z,3.5e1,,,,,\r\n\r\n2,c,2025/1/1 24:00, 36.5 ,,,,,\r\n'
    code, out, err = assess("air-hourly", text)

    assert code == 0
    assert [('a,"b"', "2025-01-02T00:00:00+08:00", "50"), ("c", "2025-01-02T00:00:00+08:00", "52")] == [(r["site"], r["time"], r["aqi"]) for r in rows(out)]
    assert "columns ignored: x" in err


def test_the_last_of_equal_keys_counts(assess: Assess) -> None:
    """A repeated site and time is one row, the last, and the number of the others is told."""
    code, out, err = assess("air-hourly", HEAD + "a,2025-01-01 01:00,10,,,,,\nb,2025-01-01 01:00,10,,,,,\na,2025-01-01 01:00,75,,,,,\n")

    assert [("b", "15"), ("a", "100")] == [(row["site"], row["aqi"]) for row in rows(out)]
    assert (0, True) == (code, "1 rows repeat a key" in err)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (HEAD + "a,2025-01-01 01:00,10,,,x,,\n", "in.csv, line 2, column no2 (6)"),
        (HEAD + "a,2025-01-01 01:00,,,,,,\na,2025-01-01 02:00,2001,,,,,\n", "in.csv, line 3, column pm25 (3)"),
        (HEAD + "a,2025-01-01 01:00,-11,,,,,\n", "in.csv, line 2, column pm25 (3)"),
        (HEAD + "a,2025-01-01 01:00,1e20,,,,,\n", "in.csv, line 2, column pm25 (3)"),
        (HEAD + "a,2025-01-01 01:00,nan,,,,,\n", "in.csv, line 2, column pm25 (3)"),
        (HEAD + "a,2025-01-01 01:00,,,,,900,\n", "in.csv, line 2, column co (7)"),
        (HEAD + "a,2025-01-01 01:00,35,9999,,,,\n", "in.csv, line 2, column pm10 (4)"),
        (HEAD + "a,2025-01-01 01:00,-999,,,,,\n", "in.csv, line 2, column pm25 (3)"),
        (HEAD + "a,2025-01-01 01:00,35,60,8,30,0.8,90\na,2025-01-01 02:00,0.035,0.06,0.008,0.03,0.8,0.09\n", "in.csv, line 3"),
        (HEAD + "a,2025-01-01 01:00,-inf,,,,,\n", "in.csv, line 2, column pm25 (3)"),
        (HEAD + "a,2025-01-01 01:30,,,,,,\n", "in.csv, line 2, column time (2)"),
        (HEAD + "a,2025-02-30 01:00,,,,,,\n", "in.csv, line 2, column time (2)"),
        (HEAD + "a,2019-04-14,35,,,,,\n", "in.csv, line 2, column time (2)"),
        (HEAD + '"a\nb",2025-01-01 01:00,,,,,,\nc,yesterday,,,,,,\n', "in.csv, line 4, column time (2)"),
        (HEAD + ",2025-01-01 01:00,,,,,,\n", "in.csv, line 2, column site (1)"),
        (HEAD + "a,2025-01-01 01:00,1,2\n", "in.csv, line 2, column pm10 (4)"),
        (HEAD + "a,2025-01-01 01:00,,,,,,,9\n", "in.csv, line 2, column 9"),
        (HEAD + 'a,2025-01-01 01:00,,,,,,"9\n', "in.csv, line 2, column o3 (8)"),
        ("site,time,pm25\n", "in.csv, line 1"),
        ("", "in.csv"),
        ("site,time,pm25,pm25,pm10,so2,no2,co,o3\n", "in.csv, line 1"),
        (HEAD.encode() + "区政府,2025-01-01 01:00,,,,,,\n".encode("gbk"), "in.csv, line 2, column site (1)"),
    ],
)
def test_bad_input_is_told_with_its_place(assess: Assess, tmp_path: Path, text: Any, where: str) -> None:
    """A bad cell ends with exit 2, one message with file, line and column, and no output file."""
    out = tmp_path / "out.csv"
    code, printed, err = assess("air-hourly", text, "-o", str(out))

    assert (2, "", False) == (code, printed, out.exists())
    assert f" {where}\n" in err
    assert "Traceback" not in err
    assert ["in.csv"] == [path.name for path in tmp_path.iterdir()], "no draft is left behind"


def test_the_earliest_bad_cell_is_told(assess: Assess) -> None:
    """A bad time in line 2 is told before a bad number in line 3."""
    _, _, err = assess("air-hourly", HEAD + "a,whenever,,,,,,\na,2025-01-01 02:00,x,,,,,\n")

    assert "line 2" in err


@pytest.mark.parametrize("words", [("--exclude", "a"), ("--city", "X", "--exclude", "nobody")])
def test_a_wrong_exclusion_is_told(assess: Assess, words: Any) -> None:
    """Excluding without a city, or a site that is not there, is no silent no-op."""
    assert 2 == assess("air-daily", HEAD + "a,2025-01-01 01:00,,,,,,\n", *words)[0]


def test_a_missing_file_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """A file that is not there ends with exit 2."""
    assert 2 == main(["assess", "air-daily", "nowhere.csv"])
    assert "nowhere.csv" in capfd.readouterr().err


def test_a_folder_that_is_missing_is_told(assess: Assess, tmp_path: Path) -> None:
    """An output that cannot be written ends with exit 1."""
    assert 1 == assess("air-hourly", HEAD, "-o", str(tmp_path / "no" / "out.csv"))[0]


@pytest.mark.parametrize(("kind", "text"), [("air-hourly", HEAD), ("air-rolling", HEAD), ("air-daily", HEAD)])
def test_no_rows_give_a_header(assess: Assess, kind: str, text: Any) -> None:
    """An empty table has an empty answer with its header."""
    code, out, _ = assess(kind, text)

    assert (0, 1) == (code, len(out.splitlines()))


def test_gzip_and_standard_input(tmp_path: Path) -> None:
    """A .gz file and standard input are read like a file; output goes to a file that is whole."""
    body = HEAD + "a,2025-01-01 01:00,35,,,,,\n"
    (tmp_path / "in.csv.gz").write_bytes(gzip.compress(body.encode()))
    command = [sys.executable, "-m", "lanbi", "assess", "air-hourly"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    packed = subprocess.run([*command, "in.csv.gz"], cwd=tmp_path, capture_output=True, env=environment, check=True)
    piped = subprocess.run([*command, "-", "-o", "out.csv"], cwd=tmp_path, input=body.encode(), capture_output=True, env=environment, check=True)

    assert packed.stdout == (tmp_path / "out.csv").read_bytes()
    assert b"" == piped.stdout


def hours(site: str, days: int, value: Any) -> str:
    """Hours of a site with a PM2.5 of its own."""
    stamps = [f"2025-01-{1 + (h // 24):02}T{h % 24:02}:00:00" for h in range(1, 24 * days + 1)]
    return "".join(f"{site},{stamp},{value(h)},40,5,20,0.5,60\n" for h, stamp in enumerate(stamps, 1))


def test_air_daily_from_hours(assess: Assess) -> None:
    """A day of 24 hours has its means, its hours and status ok; its last hour is labelled 00:00."""
    _, out, _ = assess("air-daily", HEAD + hours("a", 2, lambda h: "3.4" if h == 1 else "44.2"))
    first = rows(out)[0]

    assert ("2025-01-01", "42", "0.5", "60", "24", "ok", "59") == tuple(first[key] for key in ("date", "pm25", "co", "o3_8h", "hours_pm25", "status", "aqi"))
    assert 2 == len(rows(out))


def test_air_daily_states(assess: Assess) -> None:
    """A day without PM2.5 is incomplete, one without any PM invalid."""
    _, out, _ = assess("air-daily", DAYS + "a,2025-01-01,,50,5,20,0.5,60\na,2025-01-02,0,0,5,20,0.5,60\n", "--from", "daily")

    assert [("incomplete", "50"), ("invalid", "")] == [(row["status"], row["aqi"]) for row in rows(out)]


def test_a_city_is_the_mean_of_its_sites(assess: Assess) -> None:
    """Sites' unrounded days are averaged, the control site left out, then rounded once."""
    text = HEAD + hours("a", 1, lambda h: 41) + hours("b", 1, lambda h: 44) + hours("clean", 1, lambda h: 5)
    _, out, _ = assess("air-daily", text, "--city", "甲市", "--exclude", "clean")

    assert [("甲市", "42")] == [(row["site"], row["pm25"]) for row in rows(out)]


def test_running_means(assess: Assess) -> None:
    """24 h means need 20 hours, the 8 h ozone mean begins with its day."""
    _, out, _ = assess("air-rolling", HEAD + hours("a", 2, lambda h: h))
    table = rows(out)

    assert ["", "10", "12", "14"] == [table[place]["pm25_24h"] for place in (18, 19, 23, 25)]
    assert ["60"] * 48 == [row["o3_8h"] for row in table]
    assert "0.5" == table[30]["co_24h"]


def year(assess: Assess, *words: str, days: int = 365, pm25: Any = lambda day: 40, start: str = "2025-01-01") -> Any:
    """Year figures of published days."""
    first = np.datetime64(start)
    text = DAYS + "".join(f"a,{first + day},{pm25(day)},60,10,20,0.8,90\n" for day in range(days))
    return json.loads(assess("air-year", text, "--from", "daily", *words)[1])


def test_keys_of_air_year(assess: Assess) -> None:
    """The JSON has the promised keys, exact values beside the rounded ones."""
    row = year(assess)[0]

    assert [
        "scope", "year", "rule_set", "days", "valid_days", "good_days", "good_ratio", "good_ratio_exact", "heavy_days", "pm25_mean", "pm25_mean_exact",
        "pm10_mean", "pm10_mean_exact", "so2_mean", "so2_mean_exact", "no2_mean", "no2_mean_exact", "co_p95", "co_p95_exact", "o3_p90", "o3_p90_exact",
        "composite", "composite_exact", "data_capture", "data_capture_exact", "valid", "targets",
    ] == list(row)  # fmt: skip
    assert (365, 365, 100.0, 40.0, "40", True, []) == tuple(
        row[key] for key in ("days", "valid_days", "good_ratio", "pm25_mean", "pm25_mean_exact", "valid", "targets")
    )


def test_targets_of_the_plan(assess: Assess) -> None:
    """The three air targets of the plan are judged; a running year says what the rest must be."""
    plan = str(folder() / "chiping.toml")
    targets = {target["id"]: target for target in year(assess, "--targets", plan, days=200, pm25=lambda day: 50)[0]["targets"]}

    assert {"air.pm25.annual_mean", "air.aqi.good_day_ratio", "air.aqi.heavy_days"} == set(targets)
    mean = targets["air.pm25.annual_mean"]
    assert (50.0, 42, "undecidable", -8) == (mean["value"], mean["target"], mean["status"], mean["margin"])
    assert float(round(Fraction(42 * 365 - 200 * 50, 165), 3)) == mean["required_rest"]
    assert ("on-course", 5) == tuple(targets["air.aqi.heavy_days"][key] for key in ("status", "remaining_budget"))


def test_a_year_that_spans_the_change_of_rules_is_mixed(assess: Assess) -> None:
    """2026 has a mixed row and one a pure set; PM2.5 of 65 is good before March and not after."""
    found = {row["rule_set"]: row["good_days"] for row in year(assess, pm25=lambda day: 65, start="2026-01-01")}

    assert {"mixed": 59, "HJ633-2012": 365, "HJ633-2026": 0} == found
    assert ["HJ633-2026"] == [row["rule_set"] for row in year(assess, "--rules", "2026", start="2026-01-01")]


def test_a_year_is_held_against_its_standard(assess: Assess) -> None:
    """Each item's percentile, compliance rate and exceedance multiples stand with the year; a mean of 43.3 exceeds 35 by 0.24, in 2026 30 by 0.44."""
    old, new = (year(assess, "--standard", "--rules", rules, pm25=lambda day: 100 if day < 20 else 40)[0] for rules in ("2012", "2026"))
    pm25 = old["compliance"][0]

    assert {"item": "pm25", "pm25_p95": 100.0, "rate": 94.5, "mean_multiple": 0.24, "percentile_multiple": 0.33, "attained": False} == pm25
    assert [False, False] == [old["attained"], new["attained"]]
    assert {"item": "co", "co_p95": 0.8, "rate": 100.0, "percentile_multiple": None, "attained": True} == old["compliance"][4]
    assert 0.44 == new["compliance"][0]["mean_multiple"]


def test_three_years_have_a_rolling_mean(assess: Assess) -> None:
    """The third year of three in a row carries the mean of their means; the others none."""
    rows = year(assess, "--standard", "--rules", "2012", days=365 + 365 + 366, pm25=lambda day: 30 + 10 * (day // 365), start="2022-01-01")

    assert [None, None, 40.0] == [row["pm25_mean_3y"] for row in rows]


def test_a_running_year_is_counted_to_its_last_day(assess: Assess) -> None:
    """Data capture divides by the days so far, in an earlier year by the whole year."""
    text = DAYS + "".join(f"a,{day},40,60,10,20,0.8,90\n" for day in ("2024-12-30", "2024-12-31", "2025-01-01", "2025-01-04"))
    found = json.loads(assess("air-year", text, "--from", "daily")[1])

    assert [(366, 2, 0.5), (4, 2, 50.0)] == [(row["days"], row["valid_days"], row["data_capture"]) for row in found]


@pytest.mark.skipif(not DATA.exists(), reason="the public data files are not here")
def test_jinan_2016_is_the_published_year(assess: Assess) -> None:
    """济南 2016: 166 good days, 24 heavy ones, PM2.5 75.4."""
    with gzip.open(DATA / "daily_jinan_2014_2018.csv.gz", "rt", encoding="utf-8") as file:
        table = [row for row in csv.DictReader(file) if row["date"].startswith("2016")]
    text = DAYS + "".join(",".join(row[key] for key in ("city", "date", "pm25", "pm10", "so2", "no2", "co", "o3_8h")) + "\n" for row in table)
    row = json.loads(assess("air-year", text, "--from", "daily", "--rules", "2012")[1])[0]

    assert (166, 24, 75.4, True) == tuple(row[key] for key in ("good_days", "heavy_days", "pm25_mean", "valid"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(range(72)))
def test_the_order_of_rows_changes_no_figure(assess: Assess, order: list[int]) -> None:
    """Any order of the same hours gives the same days, byte for byte."""
    body = hours("a", 1, lambda h: h) + hours("b", 2, lambda h: 3 * h % 50)
    lines = body.splitlines(keepends=True)
    shuffled = sorted(assess("air-daily", HEAD + "".join(lines[place] for place in order))[1].splitlines())

    assert sorted(assess("air-daily", HEAD + body)[1].splitlines()) == shuffled


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.none(), st.decimals(0, 190, places=2, allow_nan=False)), min_size=6, max_size=6), st.sampled_from([2012, 2026]))
def test_an_hour_equals_fractions(assess: Assess, values: Any, law: int) -> None:
    """AQI and primary of any written decimals are those of plain fractions."""
    micro = [value for value in values[:4] + values[5:] if value is not None]
    assume(sum(value > 0 for value in micro) < 3 or max(micro) >= 1)  # such a row is refused as mg/m³
    cells = ",".join("" if value is None else str(value) for value in values)
    _, out, _ = assess("air-hourly", HEAD + f"a,2025-01-01 01:00,{cells}\n", "--rules", str(law))
    displayed = [reference.shown(item, None if value is None else Fraction(str(value))) for item, value in zip(reference.ITEMS, values, strict=True)]
    aqi, primary = reference.judge(law, "hour", displayed)
    row = rows(out)[0]

    assert ("" if aqi is None else str(aqi), primary) == (row["aqi"], row["primary"])


def test_help_imports_no_numba() -> None:
    """The help of the calculators loads neither numba nor numpy's friends."""
    code = "import sys; from lanbi.cli import main\ntry:\n    main(['assess', '--help'])\nexcept SystemExit:\n    pass\nsys.exit('numba' in sys.modules)"

    assert 0 == subprocess.run([sys.executable, "-c", code], capture_output=True, check=False, cwd=Path(__file__).resolve().parents[2]).returncode


def test_a_city_of_published_days_knows_no_hours(assess: Assess) -> None:
    """Days that came as days have no count of hours; an empty cell says so, a 0 would lie."""
    text = DAYS + "a,2024-01-01,30,60,5,20,0.5,90\nb,2024-01-01,50,80,5,20,0.5,90\n"
    _, out, _ = assess("air-daily", text, "--from", "daily", "--city", "Z")

    (row,) = list(csv.DictReader(io.StringIO(out)))
    assert ("40", "ok", [""] * 6) == (row["pm25"], row["status"], [value for name, value in row.items() if name.startswith("hours_")])
