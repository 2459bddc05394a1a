"""`lanbi report meter`: the account of one meter as a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from lanbi.cli import main
from tests.lanbi.import_house import House, build
from tests.lanbi.test_import_metering import COUNTY, FORM, METERS


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> House:
    """A meter with four registers, one of them below zero in effect, and an exchange with its form."""
    made = build(tmp_path, monkeypatch, capsys)
    (tmp_path / "county.toml").write_text(COUNTY + METERS, encoding="utf-8")
    rows = [("08:00", "5000.5"), ("09:00", "5003"), ("10:00", "4999"), ("11:00", "5004"), ("12:00", "2.5")]
    made.account("--format", "lanbi-csv", made.file("meter,time,register\n" + "".join(f"m-1,2025-03-01 {time},{shown}\n" for time, shown in rows)))
    made.account(made.file(FORM + "m-1,2025-03-01 11:30,5004.5,2,单1\n", "form.csv"))
    return made


def report(house: House, *words: str) -> tuple[int, str, str]:
    """Exit code and what was said."""
    house.capsys.readouterr()
    code = main(["report", "meter", *words])
    said = house.capsys.readouterr()
    return code, said.out, said.err


def test_the_account_can_be_added_up_by_hand(house: House) -> None:
    """Registers, differences times multiplier, reasons, the event, the form, the sum and the factor stand on the page."""
    code, page, _ = report(house, "m-1", "--from", "2025-03-01", "--to", "2025-03-01")
    rows = [[cell.strip() for cell in line.split("|")][2:] for line in page.splitlines() if line.startswith("2025") and "|" in line]

    assert 0 == code
    assert [
        ["5000.50", "5003.00", "40", "100.00", "正常 normal"],
        ["5003.00", "5004.00", "40", "40.00", "正常 normal"],
        ["5004.00", "2.50", "40", "40.00", "换表 exchange"],
    ] == rows
    assert "合计 sum 180.00 kWh; 待核实，未计入 held, not in the sum: 0 kWh" in page
    assert "事件 event 倒走 runs backwards 2025-03-01T10:00:00+08:00: 4999.00: 不采信 not accepted" in page
    assert "exchange form 2025-03-01T11:30:00+08:00: 旧表止码 last 5004.5, 新表起码 first 2" in page
    assert "当量 kgce: 0.1229/kWh" in page
    assert "电力 electricity [kWh]" in page


def test_a_page_in_a_file(house: House, tmp_path: Path) -> None:
    """With -o the page is written; a span without readings says so."""
    code, out, _ = report(house, "m-2", "--from", "2025-03-01", "--to", "2025-03-02", "-o", str(tmp_path / "page.txt"))

    assert (0, "") == (code, out)
    assert "无读数 no registers" in (tmp_path / "page.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("m-9", "--from", "2025-03-01", "--to", "2025-03-02"), "no such meter: m-9"),
        (("m-1", "--from", "yesterday", "--to", "2025-03-02"), "not a time: 'yesterday'"),
        (("m-1", "--from", "2025-03-02", "--to", "2025-03-01"), "the end does not lie after the start"),
    ],
)
def test_wrong_arguments(house: House, words: tuple[str, ...], says: str) -> None:
    """What cannot be reported is refused in words, with exit code 2."""
    code, _, err = report(house, *words)

    assert (2, True) == (code, says in err)


def test_a_file_that_cannot_be_written_is_told(house: House, tmp_path: Path) -> None:
    """A page goes into its file whole or not at all, with exit code 1 and the place."""
    for place in (tmp_path / "no" / "page.txt", tmp_path / "county.toml" / "page.txt", tmp_path):
        code, out, err = report(house, "m-1", "--from", "2025-03-01", "--to", "2025-03-01", "-o", str(place))

        assert (1, "", True) == (code, out, "cannot be written" in err and str(place) in err)
    assert [] == list(tmp_path.rglob("*.part"))


def test_what_lies_across_the_bounds_is_shown_and_not_added(house: House) -> None:
    """An interval that begins before the first instant, or ends behind the last, is told with its amount: nothing disappears."""
    code, page, _ = report(house, "m-1", "--from", "2025-03-01 08:30", "--to", "2025-03-01 10:30")

    assert (0, True) == (code, "合计 sum 0 kWh" in page)
    assert [("08:00", "09:00", "100.00 kWh"), ("09:00", "11:00", "40.00 kWh")] == [
        (cells[0][11:16], cells[1].strip()[11:16], cells[2].strip())
        for line in page.splitlines()
        if line.startswith("跨起止") and (cells := line.rpartition("sum: ")[2].split("|"))
    ]


def test_the_first_base_is_looked_for_as_far_back_as_for_the_figures(house: House) -> None:
    """After three months without a register the gap's sum stands on the page, as it does in the year's figure."""
    house.account("--format", "lanbi-csv", house.file("meter,time,register\nm-1,2025-06-20 12:00,102.5\n", "late.csv"))
    _, page, _ = report(house, "m-1", "--from", "2025-06-01", "--to", "2025-06-30")

    assert "across the bounds, not in the sum: 2025-03-01T12:00:00+08:00 | 2025-06-20T12:00:00+08:00 | 4000.00 kWh | 缺数，合计已知 gap" in page


def test_registers_of_a_device_on_trial_enter_no_account(house: House, tmp_path: Path) -> None:
    """The page shows what the figures count, and a trial enters no figure."""
    trial = '[[device]]\nid = "d-9"\nsources = ["m-1"]\nformat = "lanbi-json"\ninterval = 3600\nstate = "trial"\n'
    (tmp_path / "county.toml").write_text(COUNTY + METERS + trial, encoding="utf-8")
    code, page, _ = report(house, "m-1", "--from", "2025-03-01", "--to", "2025-03-01")

    assert (0, True) == (code, "无读数 no registers" in page)
