"""Changes of the registry: compared, applied as evidence, and read from a workbook."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from domain.errors import DataFolderBusy, FileError, RegistryError
from lanbi import registry_change as change
from lanbi.cli import main
from lanbi.clock import SystemClock
from lanbi.journal import JournalReader, JournalWriter
from lanbi.plans import folder
from lanbi.registry import load, loads
from lanbi.registry_workbook import from_workbook

SAMPLE = folder() / "sample-county.toml"
OTHER = folder() / "sample-county-b.toml"
HEAD = '[county]\nid = "c"\nname = "n"\n'
SHEETS: Mapping[str, Sequence[Sequence[Any]]] = {
    "county": [("id", "name"), ("c", "县")],
    "enterprise": [("id", "name", None, "two_high"), ("e", "厂", "a remark", "是")],
    "well": [("id", "name", "limit_level"), (1001, "井", -12.5)],
    "device": [("id", "sources", "interval", "state"), (None, None, None, None), ("d", "1001", 60.0, "accepted")],
}


def workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]]) -> Path:
    """A workbook of some tables."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row, 1):
                sheet.cell(number, column, value)
    book.save(path)
    return path


def test_applying_journals_hash_and_person(tmp_path: Path) -> None:
    """A change is evidence: who, when, which content; then it is in force, and its version is kept."""
    version = change.apply(OTHER, tmp_path, SystemClock(), change.Signature("王工", "文号1"))

    (record,) = JournalReader(tmp_path / "journal", "person").read()
    body = json.loads(record.payload)
    assert ("王工", "文号1", version, 0) == (body["user"], body["document"], body["version"], record.readings)
    assert load(OTHER) == load(tmp_path / change.CURRENT) == loads(body["text"], "journal")
    assert {"current.toml", f"{version}.toml"} == {path.name for path in (tmp_path / "registry").iterdir()}


def test_an_invalid_file_changes_nothing(tmp_path: Path) -> None:
    """Neither journal nor registry is touched by a faulty file."""
    bad = tmp_path / "bad.toml"
    bad.write_text("[county]\n", encoding="utf-8")

    with pytest.raises(RegistryError):
        change.apply(bad, tmp_path, SystemClock(), change.Signature("x", ""))
    assert [bad] == list(tmp_path.iterdir())


def test_what_cannot_be_journalled_does_not_come_in_force(tmp_path: Path) -> None:
    """While somebody else enters something nothing changes, and no draft is left."""
    busy = JournalWriter(tmp_path / "journal", "person")
    try:
        with pytest.raises(DataFolderBusy):
            change.apply(OTHER, tmp_path, SystemClock(), change.Signature("x", ""))
    finally:
        busy.close()

    assert not (tmp_path / "registry").exists()


def test_differences_name_what_was_added_removed_and_changed() -> None:
    """A line a difference; dated values show their days."""
    station = '[[air_station]]\nid = "s"\nname = "x"\nrole = {}\n'
    old = loads(HEAD + station.format('"site"') + '[[well]]\nid = "a"\nname = "x"\n[[well]]\nid = "b"\nname = "y"\n', "r")
    dated = station.format('[{from = 2025-01-01, value = "site"}, {from = 2026-01-01, value = "assessment"}]')
    new = loads(HEAD.replace('"n"', '"m"') + dated + '[[well]]\nid = "b"\nname = "z"\n[[well]]\nid = "d"\nname = "x"\n', "r")

    assert [
        "~ county c: name: 'n' → 'm'",
        "~ air_stations s: role: 'site' → [2025-01-01: 'site', 2026-01-01: 'assessment']",
        "+ wells d",
        "- wells a",
        "~ wells b: name: 'y' → 'z'",
    ] == change.differences(old, new)
    assert ["+ air_stations s", "+ wells b", "+ wells d"] == change.differences(None, new)


def test_a_workbook_becomes_a_registry(tmp_path: Path) -> None:
    """One sheet a table, first row the keys; columns without a key and empty rows are remarks."""
    county = loads(from_workbook(workbook(tmp_path / "r.xlsx", SHEETS)), "r")

    assert ("-12.5", ("1001",), 60) == (county.wells["1001"].limit_level, county.devices["d"].sources.newest, county.devices["d"].interval)
    assert county.enterprises["e"].two_high


def test_faults_of_a_workbook_name_sheet_and_row(tmp_path: Path) -> None:
    """Somebody who types in a workbook looks for the row there, not in a text."""
    path = workbook(tmp_path / "r.xlsx", {**SHEETS, "well": [("id", "nam", "limit_level"), (1001, "井", "deep")]})

    with pytest.raises(RegistryError) as error:
        from_workbook(path)
    assert {f"{path}, sheet well, row 2"} == {where for where, _ in error.value.faults}
    assert "did you mean 'name'?" in str(error.value)


def test_a_strange_sheet_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    """A sheet that is no table would else be lost in silence; an empty one is nothing."""
    path = workbook(tmp_path / "r.xlsx", {**SHEETS, "Sheet1": [], "wells": [("id",), ("x",)]})

    with pytest.raises(FileError, match="did you mean 'well'"):
        from_workbook(path)


def broken(path: Path, how: str) -> Path:
    """Something that is called a workbook."""
    if how == "absent":
        return path
    if how == "rubbish":
        path.write_bytes(b"rubbish")
        return path
    workbook(path, SHEETS)
    whole = path.read_bytes()
    if how == "half":
        path.write_bytes(whole[: len(whole) // 2])
        return path
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data[: len(data) // 2] if name == how else data)
    return path


@pytest.mark.parametrize("how", ["absent", "rubbish", "half", "xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml", "xl/styles.xml"])
def test_what_is_no_workbook_is_told(tmp_path: Path, how: str) -> None:
    """Whatever is broken in it, a workbook is refused in plain words."""
    with pytest.raises(FileError, match="workbook"):
        from_workbook(broken(tmp_path / "r.xlsx", how))


def settings(tmp_path: Path, county: Path) -> str:
    """A settings file with a data folder of its own."""
    path = tmp_path / "lanbi.toml"
    path.write_text(f'data = "{tmp_path / "data"}"\ncounty = "{county}"\n', encoding="utf-8")
    return str(path)


def test_the_program_compares_and_applies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Diff changes nothing; apply puts in force; applying the same again is no change and no record."""
    config = settings(tmp_path, SAMPLE)

    assert 0 == main(["registry", "--config", config, "diff", str(OTHER), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert (load(SAMPLE).version, load(OTHER).version) == (answer["in_force"], answer["file"])
    assert "+ air_stations x1" in answer["differences"]
    assert not (tmp_path / "data").exists()
    assert [0, 0] == [main(["registry", "--config", config, "apply", str(OTHER), "--person", "王工"]) for _ in range(2)]
    assert "没有变化 no change" in capsys.readouterr().out
    assert 1 == len(list(JournalReader(tmp_path / "data" / "journal", "person").read()))


def test_a_broken_registry_in_force_can_be_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The way out of a bad registry is not barred by it."""
    config = settings(tmp_path, tmp_path / "none.toml")

    assert 0 == main(["registry", "--config", config, "apply", str(OTHER), "--person", "王工"])
    assert "cannot be read" in capsys.readouterr().err
    assert 2 == main(["registry", "--config", config, "apply", str(OTHER), "--person", " "])


def test_the_program_writes_a_registry_from_a_workbook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To a file, whole or not at all, or to standard output."""
    book = str(workbook(tmp_path / "r.xlsx", SHEETS))

    assert 0 == main(["registry", "import", book, "-o", str(tmp_path / "r.toml")])
    assert 0 == main(["registry", "import", book])
    assert (tmp_path / "r.toml").read_text(encoding="utf-8") == capsys.readouterr().out
    assert 2 == main(["registry", "import", book, "-o", str(tmp_path / "no" / "r.toml")])
    assert {"r.xlsx", "r.toml"} == {path.name for path in tmp_path.iterdir()}
