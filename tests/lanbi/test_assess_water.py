"""The calculator of water classes."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain import water
from lanbi.cli import main

HEAD = "section,time,temp,ph,do,codmn,nh3n,tp,tn,type\n"


def classes(tmp_path: Path, capfd: pytest.CaptureFixture[str], body: str, *words: str, head: str = HEAD) -> list[dict[str, str]]:
    """Rows that the calculator answers."""
    path = tmp_path / "in.csv"
    path.write_text(head + body, encoding="utf-8")
    capfd.readouterr()
    assert 0 == main(["assess", "water", str(path), *words])
    return list(csv.DictReader(io.StringIO(capfd.readouterr().out)))


@pytest.mark.parametrize(
    ("do", "codmn", "nh3n", "tp", "body", "wanted", "deciding"),
    [
        ("11.1", "1.2", "0.02", "0.012", "river", "1", "do+codmn+nh3n+tp"),
        ("9.9", "2.001", "0.02", "0.005", "lake", "1", "do+codmn+nh3n+tp"),
        ("5.994", "2.7", "0.06", "0.073", "river", "2", "do+codmn+tp"),
        ("8.9", "2.5", "0.02", "0.1001", "river", "2", "codmn+tp"),
        ("5.0", "6.012", "0.53", "0.118", "river", "3", "do+codmn+nh3n+tp"),
        ("5.8", "5.1", "0.03", "0.137", "river", "3", "do+codmn+tp"),
        ("0.8", "7.1", "0.17", "0.341", "river", "6", "do"),
        ("10.6", "1.8", "0.02", "0.016", "lake", "2", "tp"),
        ("11.3", "3.6", "0.04", "0.093", "lake", "4", "tp"),
        ("9.3", "", "", "", "river", "", ""),
    ],
)
def test_published_classes_are_met(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], do: str, codmn: str, nh3n: str, tp: str, body: str, wanted: Any, deciding: str
) -> None:
    """Published sections have their class from displayed values; nothing is classed unless all four are there."""
    row = classes(tmp_path, capfd, f"s,2025-11-06 16:00,12,8,{do},{codmn},{nh3n},{tp},6.44,{body}\n")[0]

    assert (wanted, deciding, body) == (row["class"], row["deciding"], row["type"])


@pytest.mark.parametrize(
    ("value", "digits", "wanted"),
    [("0.025", 2, "0.02"), ("0.045", 2, "0.04"), ("10.25", 1, "10.2"), ("1.25", 1, "1.2"), ("0.0065", 3, "0.006"), ("6.5", 0, "6"), ("1046.85", 1, "1046.8"),
     ("0.0139", 1, "0.01"), ("0.049", 1, "0.05"), ("0.065", 1, "0.1"), ("0.00015", 3, "0.0002"), ("0.00069", 3, "0.001"), ("0", 1, "0.0")],
)  # fmt: skip
def test_display_rounding(value: Any, digits: int, wanted: Any) -> None:
    """Half to even on the decimal text; what would be zero keeps one significant digit."""
    assert Decimal(wanted) == water.displayed(Decimal(value), digits)


MANUAL = "section,time,temp,ph,do,codmn,nh3n,tp,tn,type,cod,hg\n"


@pytest.mark.parametrize(
    ("row", "body", "wanted", "deciding"),
    [
        (",7.8,8.1,4.6,0.32,0.12,3.41,,", "river", "3", "codmn+tp"),
        (",8.9,4.4,5.9,0.99,0.20,,,", "river", "4", "do"),
        (",7.2,7.5,2.0,0.15,0.02,,,", "river", "1", "ph+do+codmn+nh3n+tp"),
        (",9.1,7.5,2.0,0.15,0.02,,,", "river", "6", "ph"),
        ("28,7.2,6.9,2.0,0.15,0.02,,,", "river", "2", "do"),
        ("28,7.2,7.1,2.0,0.15,0.02,,,", "river", "1", "ph+do+codmn+nh3n+tp"),
        (",,,7,1.2,0.31,,26,", "river", "5", "tp"),
        (",,,,,0.06,,,", "lake", "4", "tp"),
        (",,,,,0.06,,,", "river", "2", "tp"),
        (",7,,,,,,,<0.00004", "river", "1", "ph+hg"),
        (",7,,,,,,,0.00006L", "river", "3", "hg"),
        (",,,,,,9.9,,", "river", "", ""),
    ],
)
def test_manual_records_by_21_items(tmp_path: Path, capfd: pytest.CaptureFixture[str], row: str, body: str, wanted: Any, deciding: str) -> None:
    """Manual results have the worst class of what was measured: saturation, pH, lakes, detection limits; total nitrogen never decides."""
    temp, ph, do, codmn, nh3n, tp, tn, cod, hg = row.split(",")
    line = f"s,2025-11-06 16:00,{temp},{ph},{do},{codmn},{nh3n},{tp},{tn},{body},{cod},{hg}\n"
    found = classes(tmp_path, capfd, line, "--method", "manual", head=MANUAL)[0]

    assert (wanted, deciding) == (found["class"], found["deciding"])


def test_types_from_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The water body may come from a second file."""
    (tmp_path / "types.csv").write_text("section,type\ns,lake\n", encoding="utf-8")
    row = classes(tmp_path, capfd, "s,2025-11-06 16:00,,,9,1,0.1,0.06,\n", "--types", str(tmp_path / "types.csv"), head=HEAD.replace(",type", ""))[0]

    assert ("4", "lake") == (row["class"], row["type"])


@pytest.mark.parametrize("body", ["s,2025-11-06 16:00,,,x,1,0.1,0.06,,river\n", "s,2025-11-06 16:00,,,9,1,0.1,0.06,,sea\n", "s,whenever,,,9,1,0.1,0.06,,river\n",
                                  "s,2025-11-06 16:00,,,61,1,0.1,0.06,,river\n", ",2025-11-06 16:00,,,9,1,0.1,0.06,,river\n", "s,2025-11-06 16:00\n",
                                  "s,2025-11-06 16:00,,,9,1_5,0.1,0.06,,river\n", "s,0001-01-01 00:00,,,9,1,0.1,0.06,,river\n",
                                  "s,9999-12-31 24:00,,,9,1,0.1,0.06,,river\n"])  # fmt: skip
def test_bad_records_are_told(tmp_path: Path, capfd: pytest.CaptureFixture[str], body: str) -> None:
    """A bad number, type, time or row ends with exit 2 and its place."""
    path = tmp_path / "in.csv"
    path.write_text(HEAD + body, encoding="utf-8")

    assert 2 == main(["assess", "water", str(path)])
    assert "line 2" in capfd.readouterr().err


def test_a_repeated_record_counts_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Nutrients settle later: the last record of a section and time is the one."""
    rows = classes(tmp_path, capfd, "s,2025-11-06 16:00,,,9,1,0.1,0.01,,river\ns,2025-11-06 16:00,,,9,1,0.1,0.06,,river\n")

    assert ["2"] == [row["class"] for row in rows]


def test_a_unit_is_told_as_it_stands_in_the_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A manual result in ``mg/L`` ends in the sign of the detection limit: the message shows the cell and not what is left of it."""
    path = tmp_path / "in.csv"
    path.write_text(HEAD + "s,2025-01-01 00:00,10,7,8,3 mg/L,0.1,0.1,1,river\n", encoding="utf-8")

    assert 2 == main(["assess", "water", str(path), "--method", "manual"])
    assert "not a number: '3 mg/L'" in capfd.readouterr().err
