"""Import of the real public files: every row accounted for, and the same once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.places import Registry
from lanbi import cli, registry, wiring
from lanbi.settings import load

DEV = Path(__file__).parents[3] / "shared" / "data" / "dev"
pytestmark = pytest.mark.skipif(not DEV.is_dir(), reason="public data not present: ../shared/data/dev")
XML = "cnemc_feed_original_201907181429_data.xml.gz"
FEED_2018 = "cnemc_live_hourly_20180220T07.csv.gz"
STATIONS = "liaocheng_station_hourly_202004_original.csv.gz"
JINAN = "daily_jinan_2014_2018.csv.gz"
OUTCOMES = ("stored", "duplicate", "deadletter", "quarantined", "empty")


class House:
    """A folder in which `lanbi import` runs."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.env = {"LANBI_DATA": str(folder / "var"), "LANBI_COUNTY": str(folder / "county.toml")}
        self.folder, self.capsys = folder, capsys

    def run(self, *words: str) -> dict[str, Any]:
        """What `lanbi import --json` answers."""
        self.capsys.readouterr()
        assert 0 == cli.main(["import", "--json", *words])
        found: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return found

    def terms(self, file: str) -> list[int]:
        """Read, stored, duplicate, dead-letter, quarantined, empty."""
        found = self.run(str(DEV / file))
        return [found["read"], *(found[name] for name in OUTCOMES)]

    def proposed(self, *files: str) -> Registry:
        """The registry that --propose wrote for these files."""
        self.run(*(str(DEV / file) for file in files), "--propose", self.env["LANBI_COUNTY"])
        return registry.load(Path(self.env["LANBI_COUNTY"]))

    def count(self, source: str, span: int) -> int:
        """Rows in the store."""
        store = wiring.store(load(None, self.env))
        try:
            return sum(1 for _ in store.rows("air", [source], 0, 2**40, span))
        finally:
            store.close()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> House:
    """A house without any registry."""
    found = House(tmp_path, capsys)
    for name, value in found.env.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.mark.parametrize(
    ("file", "read", "empty", "repeated"),
    [
        (XML, 1_499, 42, 0),
        ("air_station_hourly_20190718T12.csv.gz", 1_499, 51, 0),
        (FEED_2018, 1_495, 18, 0),
        (STATIONS, 686, 294, 20),
        (JINAN, 1_823, 0, 0),
        ("daily_liaocheng_aqistudy_201312_201701.csv.gz", 1_157, 0, 0),
        ("city_hourly_shandong_20190204_0212.csv.gz", 3_419, 0, 0),
        ("prsa_wanliu_2014_2015.parquet", 17_520, 0, 0),
    ],
)
def test_every_row_is_accounted_for_and_a_second_import_stores_nothing(house: House, file: str, read: int, empty: int, repeated: int) -> None:
    """With the registry that --propose wrote: stored once, then all duplicate."""
    if file.endswith(".parquet"):
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    house.proposed(file)

    assert [read, read - empty - repeated, repeated, 0, 0, empty] == house.terms(file)
    assert [read, 0, read - empty, 0, 0, empty] == house.terms(file)


def test_dead_and_frozen_names_are_proposed_with_a_word_to_the_reviewer(house: House) -> None:
    """Seven names of 聊城: three live, one frozen alias, three dead; the dead ones have no series, the live ones 93 hours."""
    county = house.proposed(STATIONS)
    text = Path(house.env["LANBI_COUNTY"]).read_text(encoding="utf-8")
    house.terms(STATIONS)
    by_name = {station.name: house.count(station.id, 3_600) for station in county.air_stations.values()}

    assert {"区政府": 93, "聊大东校": 93, "监控中心": 93, "监控中心(20190222启用)": 93, "二轻机（已停运）": 0, "二轻机": 0, "党校": 0} == by_name
    assert (3, 2) == (text.count("never a value"), text.count("the name carries a state"))


def test_names_are_trimmed_and_control_sites_are_background(house: House) -> None:
    """13 names of the feed end in an ideographic space; 对照点 belongs to no city mean."""
    county = house.proposed(XML, FEED_2018)
    stations = county.air_stations.values()

    assert all(station.name == station.name.strip() for station in stations)
    assert {"background"} == {station.role.newest for station in stations if "对照点" in station.name}
    assert ("区政府", "党校") == (county.air_stations["1625A"].name, county.air_stations["1627A"].name)


def test_the_published_index_of_every_day_with_one_is_kept(house: House) -> None:
    """济南 published an AQI on 1,820 of 1,823 days."""
    house.proposed(JINAN)

    assert 1_820 == house.run(str(DEV / JINAN))["published"]
    assert 0 == house.run(str(DEV / JINAN))["published"]
