"""The calculator of drift: a table of hours in, alarms out."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from bench.drift import county
from domain.civil import day_start, iso, parse_date
from lanbi.cli import main

START = day_start(parse_date("2024-01-01"))
FAULT = 400
SITES = 6


def table(path: Path) -> Path:
    """Six sites over 500 days; the second reads 1.6 times too high from day 400 on."""
    hours = county(600, 2)[: 24 * 500, :SITES]
    hours[24 * FAULT :, 1] *= 1.6
    with path.open("w", encoding="utf-8") as out:
        out.write("site,time,pm25\n")
        for row, values in enumerate(np.round(hours, 1).tolist()):
            label = iso(START + 3_600 * (row + 1))
            out.writelines(f"s{place},{label},{'' if np.isnan(value) else value}\n" for place, value in enumerate(values))
    return path


def test_a_drifting_site_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The site, kind, onset, detection and size of a planted step."""
    assert 0 == main(["assess", "drift", str(table(tmp_path / "in.csv"))])
    rows = [row for row in csv.DictReader(io.StringIO(capfd.readouterr().out)) if row["site"] == "s1" and row["kind"] == "step"]

    assert [("pm25", "%")] == [(row["item"], row["unit"]) for row in rows]
    assert 60 == pytest.approx(float(rows[0]["size"]), rel=0.3)
    assert "2025-01-15" <= rows[0]["onset"][:10] <= "2025-02-25" and rows[0]["onset"] < rows[0]["detected"]


def test_no_neighbour_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One site alone cannot be compared, and that is said."""
    (tmp_path / "in.csv").write_text("site,time,pm25\na,2026-01-01T01:00:00,30\n")

    assert 0 == main(["assess", "drift", str(tmp_path / "in.csv")])
    said = capfd.readouterr()
    assert "site,item,kind,onset,detected,size,unit\n" == said.out and "no neighbours" in said.err


def test_neighbours_must_be_sites(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A pair that names an unknown site is refused with its line."""
    (tmp_path / "in.csv").write_text("site,time,pm25\na,2026-01-01T01:00:00,30\n")
    (tmp_path / "pairs.csv").write_text("site,neighbour\na,b\n")

    assert 2 == main(["assess", "drift", str(tmp_path / "in.csv"), "--neighbours", str(tmp_path / "pairs.csv")])
    assert "'b'" in (said := capfd.readouterr().err) and "pairs.csv, line 2" in said
