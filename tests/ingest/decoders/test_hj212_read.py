"""HJ 212 packets as readings: commands, factors, units, marks, times and identities, through accept."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.civil import parse_time
from ingest.decoders.hj212 import frame
from ingest.decoders.hj212_factors import BY_CODE, FACTORS
from ingest.decoders.hj212_read import count
from ingest.decoders.units import UNITS
from tests.ingest.decoders.foreign_house import HOUR, device, house, judge, reasons, stored

ROWS = (Path(__file__).resolve().parents[2] / "samples" / "hj212" / "vectors.txt").read_text(encoding="utf-8").splitlines()
FRAMES = {row[0]: row[3].replace("\\r\\n", "\r\n").encode() for row in (line.split("\t") for line in ROWS if line[0] != "#")}
MN = "010000A8900016F000169DC0"
MINE = f'format = "hj212"\nnames = {{"{MN}" = "SOURCE"}}\n'


def speaking(source: str, mn: str = MN, more: str = "", interval: int = 3600) -> str:
    """One device for one source under an MN."""
    return device(f'["{source}"]', MINE.replace(MN, mn).replace("SOURCE", source) + more, interval=interval)


def made(data: str, *, st: int = 22, cn: int = 2061, flag: int | None = 5, mn: str = MN, more: str = "") -> bytes:
    """A frame around a data area."""
    version = "" if flag is None else f";Flag={flag}"
    return frame(f"QN=20261123090000001;ST={st};CN={cn};PW=123456;MN={mn}{version}{more};CP=&&DataTime=20261123080000;{data}&&".encode())


def test_start_labelled_hour_ends_where_it_ends() -> None:
    """V7: 08:00 + 1 h; CO in maintenance is kept with its mark."""
    verdicts = judge(house(speaking("a1")), FRAMES["V7"])

    values = {"pm25": 58.0, "pm10": 112.0, "so2": 9.0, "no2": 41.0, "co": 0.9, "o3": 33.0}
    assert [("a1", 0, 3600, values, {"co": "M"})] == stored(verdicts)
    assert [] == reasons(verdicts)


def test_surface_water_hour() -> None:
    """V8: total nitrogen from a faulty instrument is not valid."""
    values = {"ph": 7.8, "do": 8.1, "codmn": 4.6, "nh3n": 0.32, "tp": 0.12, "tn": 3.41}

    assert [("w1", 0, 3600, values, {"tn": "D"})] == stored(judge(house(speaking("w1")), FRAMES["V8"]))


def test_split_packets_are_two_readings_of_one_time() -> None:
    """V9, V9b in either order: real-time values of one instant; converted values (Zs) are not the measured ones."""
    county = house(speaking("s1"))
    verdicts = [stored(judge(county, FRAMES[name]))[0] for name in ("V9b", "V9")]

    assert [("s1", 0, 0, {"nox": 35.2}, {}), ("s1", 0, 0, {"so2": 12.3}, {})] == verdicts


def test_back_filled_hour_is_marked() -> None:
    """V15: RF=1 becomes our P, which still counts."""
    (reading,) = stored(judge(house(speaking("a1")), FRAMES["V15"]))

    assert ("a1", -3 * 3600, {"pm25": "P", "pm10": "P"}) == (reading[0], reading[1], reading[4])


def test_old_air_stations_have_digits_for_marks_and_milligrams() -> None:
    """V17: 3 = normal, 0 = calibration; mg/m³ where the device is registered so, exact in decimals."""
    rule = '[[mapping]]\nid = "old"\nformat = "hj212"\nunits = {pm25 = "mg/m3", so2 = "mg/m3"}\n'
    county = house(speaking("a1", "88888880000001", 'mapping = "old"\n') + rule)

    assert [("a1", 0, 3600, {"pm25": 58.0, "so2": 9.0}, {"so2": "C"})] == stored(judge(county, FRAMES["V17"]))


def test_power_fault_of_2005_is_never_back_filled() -> None:
    """V18."""
    assert [("s1", -3600, 0, {"so2": 12.3}, {"so2": "D"})] == stored(judge(house(speaking("s1", "88888880000001")), FRAMES["V18"]))


@pytest.mark.parametrize("name", ["V1", "V2", "V12", "V13", "V14", "V16", "V19", "F5a"])
def test_what_brings_no_reading_is_none(name: str) -> None:
    """Commands, answers, states, start-up, heartbeat, information: understood, stored in the journal, no reading. V1 and V12 are the centre's own."""
    mn = "A110000_0001" if name == "F5a" else MN
    verdicts = judge(house(speaking("a1", mn)), FRAMES[name])

    assert [] == stored(verdicts)
    assert (["bad-schema"] if name in {"V1", "V12"} else []) == [reason for reason, _ in reasons(verdicts)]
    assert sum(verdict.readings for verdict in verdicts) == count(FRAMES[name])


def test_minute_data_need_their_period() -> None:
    """F1: from the device's interval or its mapping; otherwise refused. Pressure comes in kPa."""
    at = parse_time("2022-05-13T16:28:00+08:00")
    values = {
        "no2": 4.0,
        "o3": 63.0,
        "so2": 6.0,
        "co": 0.427,
        "pm25": 14.0,
        "pm10": 31.0,
        "wind_speed": 1.0,
        "wind_dir": 11.0,
        "temp": 17.0,
        "rh": 85.0,
        "pressure": 950.0,
    }

    (reading,) = stored(judge(house(speaking("a1", "JLYP01_AIR01_0001", interval=60)), FRAMES["F1"], received=at))
    assert (at - 60 - HOUR, 60, values) == reading[1:4]
    assert [("bad-schema", None)] == reasons(judge(house(speaking("a1", "JLYP01_AIR01_0001")), FRAMES["F1"], received=at))


def test_day_data_stand_for_their_day() -> None:
    """V6: DataTime 2016-08-01 is the day, which ends at 00:00 of the next."""
    at = parse_time("2016-08-02T00:05:00+08:00")
    (reading,) = stored(judge(house(speaking("o1")), FRAMES["V6"], received=at))

    assert ("o1", at - 300 - HOUR, 86_400, {"cod": 40.1}) == reading[:4]


def test_outfall_hour_and_unknown_factors() -> None:
    """V5: an outfall keeps COD; flow and pH have no place there and are told, one by one."""
    at = parse_time("2016-08-01T09:05:00+08:00")
    verdicts = judge(house(speaking("o1")), FRAMES["V5"], received=at)

    assert [{"cod": 40.1}] == [reading[3] for reading in stored(verdicts)]
    assert {("unknown-item", "w00000"), ("unknown-item", "w01001")} == set(reasons(verdicts))


def test_old_codes_long_times_and_missing_marks() -> None:
    """V10, V11: codes of 2005, 17-digit DataTime. A value without a mark is valid only where the rule says so."""
    rule = '[[mapping]]\nid = "n"\nformat = "hj212"\nunflagged = "N"\nignore = ["001", "B01"]\n'
    at = parse_time("2016-08-24T00:39:00+08:00")
    (old,) = stored(judge(house(speaking("o1", "LD130133000015", 'mapping = "n"\n') + rule), FRAMES["V10"], received=at))
    (bare,) = stored(judge(house(speaking("o1")), made("011-Avg=20.5", st=32)))

    assert (parse_time("2016-08-24T00:38:17+08:00") - HOUR, {"cod": 231.0, "nh3n": 1.803}) == (old[1], old[3])
    assert {"cod": "D"} == bare[4]


def test_unregistered_codes_never_become_series() -> None:
    """F7, F2: every factor is unknown and told."""
    for name, mn, day in (("F7", "Z13401000010301", "2019-09-25T00:00:00+08:00"), ("F2", "TJTYTYACFC0011", "2016-05-17T00:00:00+08:00")):
        verdicts = judge(house(speaking("a1", mn)), FRAMES[name], received=parse_time(day))

        assert [] == stored(verdicts)
        assert {"unknown-item"} == {reason for reason, _ in reasons(verdicts)}


def test_lower_case_or_unknown_marks_are_not_valid() -> None:
    """``-flag``, ``d``, ``hd``: stored, never as N."""
    (reading,) = stored(judge(house(speaking("a1")), made("a34004-Avg=40,a34004-flag=N;a34002-Avg=50,a34002-Flag=d;a21004-Avg=7,a21004-Flag=hd")))

    assert {"pm25": "D", "pm10": "D", "no2": "D"} == reading[4]


def test_numbers_are_plain_decimals() -> None:
    """No exponent, no NaN; an empty value is missing."""
    data = "a34004-Avg=1e1,a34004-Flag=N;a34002-Avg=NaN,a34002-Flag=N;a21004-Avg=,a21004-Flag=N;a21026-Avg=--,a21026-Flag=N;a05024-Avg=2.69700,a05024-Flag=N"
    verdicts = judge(house(speaking("a1")), made(data))

    assert [{"o3": 2.697}] == [reading[3] for reading in stored(verdicts)]
    assert [("bad-schema", "pm25"), ("bad-schema", "pm10")] == reasons(verdicts)


def test_power_codes_of_2025_are_given_by_the_mapping() -> None:
    """Not published when this was written: configuration, also which field counts."""
    rule = '[[mapping]]\nid = "p"\nformat = "hj212"\nitems = [{item = "register", name = "d10001-Cou", unit = "kWh"}, {item = "power", name = "d10002", unit = "W"}]\n'
    county = house(speaking("m1", more='mapping = "p"\n') + rule)
    data = "d10001-Cou=5715.7,d10001-Flag=N;d10002-Rtd=308080,d10002-Flag=N"

    assert [{"register": 5715.7, "power": 308.08}] == [reading[3] for reading in stored(judge(county, made(data, st=44, cn=2011, flag=9)))]


@pytest.mark.parametrize(
    ("more", "mn", "reason"),
    [
        pytest.param("", "88888880000009", "unknown-device", id="an MN that nobody has"),
        pytest.param(device('["a2"]', 'format = "hj212"\nnames = {"88888880000002" = "a2"}', "d2"), "88888880000002", "identity-mismatch", id="another's"),
    ],
)
def test_an_mn_belongs_to_its_device(more: str, mn: str, reason: str) -> None:
    """Identity comes from the login; the MN must be one of the device's own."""
    assert [(reason, None)] == reasons(judge(house(speaking("a1") + more), made("a34004-Avg=40,a34004-Flag=N", mn=mn)))


def test_a_registered_password_must_fit() -> None:
    """PW is weak and never the only protection, but a wrong one is told; it stands in no detail."""
    verdicts = judge(house(speaking("a1", more='pw = "654321"\n')), FRAMES["V7"])

    assert [("identity-mismatch", None)] == reasons(verdicts)
    assert "654321" not in str(verdicts) and "PW=123456" not in str(verdicts)


def test_end_label_where_the_platform_says_so() -> None:
    """Many devices follow their platform: by registry, once."""
    (reading,) = stored(judge(house(speaking("a1", more='label = "end"\n')), FRAMES["V7"]))

    assert -3600 == reading[1]


def test_good_packets_pass_beside_a_broken_one() -> None:
    """One bad CRC costs one packet; what it cost is told."""
    verdicts = judge(house(speaking("a1")), FRAMES["V7"].replace(b"=58,", b"=59,") + FRAMES["V15"])

    assert 1 == len(stored(verdicts))
    assert [("bad-encoding", None)] == reasons(verdicts)


def test_factor_table_is_consistent() -> None:
    """No code twice; the traps of public tables are right here; every unit of a factor that we keep is known."""
    codes = [code for one in FACTORS for code in (one.code, one.old) if code]

    assert len(codes) == len(set(codes)) == len(BY_CODE)
    assert ["一氧化氮", "二氧化碳", "一氧化碳"] == [BY_CODE[code].name for code in ("a21003", "a05001", "a21005")]
    assert [] == [one for one in FACTORS if one.item and not {one.unit, one.ambient or one.unit} <= UNITS.keys()]


@pytest.mark.parametrize("name", FRAMES)
def test_vectors_count_before_and_after_alike(name: str) -> None:
    """What is counted before the commit is what decoding finds, for whatever MN."""
    mn = FRAMES[name].split(b"MN=")[1].split(b";")[0].decode()
    tolerant = '[[mapping]]\nid = "t"\nformat = "hj212"\ntolerant = true\n'
    verdicts = judge(house(speaking("a1", mn, 'mapping = "t"\n', 60) + tolerant), FRAMES[name])

    assert count(FRAMES[name]) == sum(verdict.readings for verdict in verdicts)
