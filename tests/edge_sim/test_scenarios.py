"""Scenarios: those that come with lanbi fit any county, wrong ones are refused with the place, and a seed names one set of bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from domain.civil import day_of, iso, parse_time
from domain.errors import FileError, InputError
from edge_sim import scenario_files
from edge_sim.devices import SimulatedDevice, payloads
from edge_sim.faults import KINDS, table
from edge_sim.scenario import Scenario
from edge_sim.scenario_checks import span
from edge_sim.scene import Scene
from lanbi.registry import load
from tests.edge_sim.small_county import registry

ROOT = Path(__file__).resolve().parents[2]
START = parse_time("2025-03-01T00:00:00+08:00")
NAMES = scenario_files.names()


def sample() -> Any:
    """The sample county."""
    return load(ROOT / "plans" / "sample-county.toml")


def bytes_of(scene: Scene, days: int) -> str:
    """Digest of everything that the first days say, in order."""
    digest = hashlib.sha256()
    for one in scene.devices():
        device = SimulatedDevice(scene, one, said=scene.begin)
        words = sorted(device.measure(scene.begin + days * 86_400), key=lambda word: word.at)
        for payload, _ in payloads(words):
            digest.update(payload)
    return digest.hexdigest()


def test_the_promised_scenarios_are_there() -> None:
    """Eight stories come with lanbi."""
    assert ["bad-winter", "dust-spring", "flood", "hostile-network", "meter-fraud", "onboarding", "outage-day", "quiet-year"] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_scenarios_fit_the_sample_county(name: str) -> None:
    """Every fault finds its target, lies within the scene and is worded in both languages."""
    scenario = scenario_files.load(name)
    scene = scenario.on(sample(), 1, START)

    assert () == scene.missing
    assert scenario.zh and scenario.en
    assert all(scene.begin <= one.begin < one.end <= scene.end for one in scene.faults)
    assert ("quiet-year" == name) == (not scene.faults)
    assert scene.devices()


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_bytes(name: str) -> None:
    """A scenario, a seed and a begin name one set of bytes on the wire; another seed names another."""
    scenario = scenario_files.load(name)
    once, again, other = (bytes_of(scenario.on(sample(), seed, START), 2) for seed in (4, 4, 5))

    assert once == again != other


def test_pieces_are_the_same_bytes() -> None:
    """Measured slot by slot, or a day ahead, or all at once: the same words in the same order."""
    scene = scenario_files.load("hostile-network").on(sample(), 4, START)
    for one in scene.devices()[:8]:
        whole = SimulatedDevice(scene, one, said=START).measure(START + 2 * 86_400)
        device, pieces = SimulatedDevice(scene, one, said=START, ahead=86_400), []
        for now in range(START + 1_800, START + 2 * 86_400 + 1, 1_800):
            pieces += device.measure(now)

        assert whole == pieces


def test_a_scenario_is_told_what_a_county_lacks() -> None:
    """What a small county cannot have is left out and named."""
    scene = scenario_files.load("meter-fraud").on(registry(), 1, START)
    none = Scenario.of(
        "x",
        {"begin": "01-01", "days": 1, "fault": [{"kind": "stuck", "target": "water:lake#0", "at": "1h"}, {"kind": "late", "target": "point#0", "at": "1h"}]},
    )

    assert {"m-1", "m-2"} >= {one.target for one in scene.faults}
    assert () == none.on(registry(), 1, START).missing
    assert ("copy air",) == Scenario.of("x", {"begin": "01-01", "days": 1, "fault": [{"kind": "copy", "target": "air", "at": "1h"}]}).on(
        registry(1), 1, START
    ).missing


def test_only_one_enterprise_speaks() -> None:
    """The onboarding concerns the devices of one enterprise alone."""
    scene = scenario_files.load("onboarding").on(sample(), 1, START)
    owners = {scene.county.registry.meters[name].enterprise for one in scene.devices() for name in one.sources.newest if name in scene.county.registry.meters}

    assert 1 == len(owners)
    assert len(scene.devices()) < len(scene.county.devices())


def test_weather_is_everybodys() -> None:
    """Haze, dust and rain of a scenario show at every station and section, and not before they come."""
    winter, quiet = (scenario_files.load(name).on(sample(), 2, START) for name in ("bad-winter", "quiet-year"))
    during, before = (winter.slots(3600, START + day * 86_400, START + (day + 1) * 86_400) for day in (14, 3))
    for station in sample().air_stations:
        hazy, usual = (one.county.truth(station, during)["pm25"] for one in (winter, quiet))

        assert (hazy > 1.5 * usual).all()
        assert (winter.county.truth(station, before)["pm25"] == quiet.county.truth(station, before)["pm25"]).all()

    dusty = scenario_files.load("dust-spring").on(sample(), 2, START)
    storm = dusty.slots(3600, START + 15 * 86_400, START + 15 * 86_400 + 6 * 3600)

    assert min(dusty.county.truth(name, storm)["pm10"].min() for name in sample().air_stations) > 500

    flood = scenario_files.load("flood").on(sample(), 2, START)
    wet = flood.slots(14_400, START + 7 * 86_400, START + 8 * 86_400)

    assert min(flood.county.truth(name, wet)["turb"].max() for name in sample().water_sections) > 300


WRONG = [
    ({"begin": "01-01", "days": 1, "weather": [{"kind": "hail", "at": "1d", "for": "1d", "size": 1}]}, "no such weather"),
    ({"begin": "01-01", "days": 1, "weather": [{"kind": "haze", "at": "1d"}]}, "missing"),
    ({"begin": "01-01", "days": 1, "fault": [{"kind": "gremlin", "target": "air", "at": "1d"}]}, "no such kind"),
    ({"begin": "01-01", "days": 1, "fault": [{"kind": "gap", "target": "air"}]}, "either at or times"),
    ({"begin": "01-01", "days": 1, "fault": [{"kind": "gap", "target": "air", "at": "soon"}]}, "not a length"),
    ({"begin": "01-01", "days": 1, "fault": [{"kind": "gap", "target": "air", "at": "1h", "size": "big"}]}, "must be a number"),
    ({"begin": "01-01", "days": 1, "fault": [{"kind": "gap", "target": "air", "at": "1d", "colour": "red"}]}, "unknown: colour"),
    ({"begin": "01-01", "days": 1, "faults": []}, "unknown: faults"),
    ({"begin": "spring", "days": 1}, "begin or days"),
    ({"begin": "01-01", "days": 0}, "begin or days"),
    ({"begin": "01-01", "days": True}, "begin or days"),
    ({"begin": "01-01", "days": 10**9}, "begin or days"),
    ({"begin": "13-45", "days": 1}, "begin or days"),
    ({"begin": "01-01", "days": 1, "only": "enterprise#x"}, "nobody can be meant"),
    ({"begin": "01-01", "days": 1, "fault": "gap"}, "list of tables"),
    ({"begin": "01-01", "days": 1, "weather": 3}, "list of tables"),
    ({"begin": "01-01", "days": 1, "weather": [1]}, "list of tables"),
    ({"begin": "01-01", "days": 1, "weather": [{"kind": "haze", "at": "0d", "for": "1d", "size": "x"}]}, "must be a number"),
    ({"begin": "01-01", "days": 1, "fault": [{"kind": ["gap"], "target": "air", "at": "1h"}]}, "kind must be text"),
    ({"begin": "01-01", "days": 1, "fault": [{"kind": "gap", "target": 5, "at": "1h"}]}, "target must be text"),
    ({"begin": "01-01", "days": 1, "fault": [{"kind": "gap", "target": "air", "at": "1h", "size": float("nan")}]}, "must be a number"),
    ({"begin": "01-01", "days": 1, "fault": [{"kind": "gap", "target": "air", "times": True}]}, "whole number"),
    ({"begin": "01-01", "days": 1, "fault": [{"kind": "gap", "target": "air", "at": "9d"}]}, "the scenario is over"),
    ({"begin": "01-01", "days": 1, "fault": [{"kind": "gap", "target": "air", "at": "1h", "item": "pm2.5"}]}, "no such item"),
    ({"begin": "01-01", "days": 1, "fault": [{"kind": "malformed", "target": "air", "at": "1h", "partner": "x"}]}, "no such class"),
]


@pytest.mark.parametrize(("table", "words"), WRONG, ids=[f"{number} {words}" for number, (_, words) in enumerate(WRONG)])
def test_wrong_scenarios_are_refused(table: dict[str, Any], words: str) -> None:
    """What is unknown, missing or of the wrong form is named with its place and what to write."""
    with pytest.raises(InputError, match=words) as told:
        Scenario.of("own", table)

    assert "own" in told.value.where and told.value.todo


def test_missing_and_broken_files_are_refused(tmp_path: Path) -> None:
    """No such scenario, and no TOML: with the names of those that there are."""
    (tmp_path / "broken.toml").write_text("begin = ")
    (tmp_path / "bytes.toml").write_bytes(b'begin = "\xff"')
    with pytest.raises(FileError, match="no such scenario") as told:
        scenario_files.load("quiet-yeer")
    with pytest.raises(FileError, match="no TOML"):
        scenario_files.load(str(tmp_path / "broken.toml"))
    with pytest.raises(FileError, match="not UTF-8"):
        scenario_files.load(str(tmp_path / "bytes.toml"))

    assert "quiet-year" in told.value.todo


def test_lengths_of_time_add_up() -> None:
    """Days, hours, minutes and seconds, several of them, and nothing else."""
    assert [93_600, 5_400, 0] == [span(text) for text in ("1d 2h", "90m", "0d")]
    for text in ("", "2", "1w", "1d2h"):
        with pytest.raises(ValueError, match="not a length"):
            span(text)


def test_a_scenario_begins_on_its_day_of_the_last_year_that_is_over() -> None:
    """Its latest begin with its end not ahead; 29 February in a leap year."""
    now = parse_time("2026-01-05T12:00:00+08:00")
    winter, leap = scenario_files.load("bad-winter"), Scenario.of("leap", {"begin": "02-29", "days": 3})

    assert "2024-11-15T00:00:00+08:00" == iso(scenario_files.begin_of(winter, now))
    assert "2024-02-29T00:00:00+08:00" == iso(scenario_files.begin_of(leap, now))
    assert day_of(scenario_files.begin_of(winter, now) + 1) == day_of(parse_time("2024-11-15T12:00:00+08:00"))


def test_repeated_faults_are_spread_and_seeded() -> None:
    """Faults that come several times lie in their shares of the scene, on different targets, the same for one seed."""
    table = {"begin": "01-01", "days": 40, "fault": [{"kind": "gap", "target": "air", "times": 4}]}
    once, again, other = (Scenario.of("x", table).on(sample(), seed, START).faults for seed in (1, 1, 2))

    assert once == again != other
    assert 4 == len({one.target for one in once})
    assert [0, 1, 2, 3] == [(one.begin - START) // (10 * 86_400) for one in once]


def test_kinds_are_worded_in_both_languages() -> None:
    """Every kind of fault has its words."""
    assert all(kind.zh and kind.en for kind in KINDS.values())


def test_docs_know_every_kind() -> None:
    """The table in docs/simulator.md is the one that `edge_sim.faults.table()` prints: replace it by that if this fails."""
    assert table() in (ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
