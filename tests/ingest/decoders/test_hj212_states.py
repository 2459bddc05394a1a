"""Treatment units and the logger itself: events, never readings; golden frames by hand after the standard's own examples."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.accept import Verdict
from ingest.decoders.hj212 import frame
from ingest.decoders.hj212_read import count
from ingest.decoders.hj212_states import words
from ingest.entries import events
from tests.ingest.decoders.foreign_house import Message, device, house, judge, reasons, stored
from tests.ingest.decoders.test_hj212_read import FRAMES, MN, speaking
from tests.ingest.decoders.test_hj212_sm4 import KEY, SEALED

UNITS = house(device('["o1", "m1"]', f'format = "hj212"\nnames = {{"{MN}" = "o1", SB1 = "m1"}}'))


def said(cn: int, data: str) -> bytes:
    """A packet of a command."""
    return frame(f"QN=20160802000000001;ST=32;CN={cn};PW=123456;MN={MN};Flag=5;CP=&&{data}&&".encode())


def told(verdicts: list[Verdict]) -> list[Any]:
    """Bodies of the events."""
    assert [] == stored(verdicts) + reasons(verdicts)
    return [dict(one.event) for one in verdicts if one.event is not None]


def test_states_of_treatment_units() -> None:
    """V13: SB1 runs, SB2 stands; a unit that the registry knows is held beside its meter."""
    (event,) = told(judge(UNITS, FRAMES["V13"]))

    assert {
        "type": "equipment", "time": "2016-08-01T08:58:57+08:00", "source": "o1",
        "units": [{"unit": "SB1", "meter": "m1", "state": 1, "zh": "运行", "en": "running"}, {"unit": "SB2", "state": 0, "zh": "停运", "en": "off"}],
    } == event  # fmt: skip
    assert "equipment, 2016-08-01T08:58:57+08:00: SB1 (m1) 运行 running, SB2 停运 off" == words(event)


def test_a_start_of_the_logger() -> None:
    """V14: the moment at which it started, not that at which it says so."""
    assert [{"type": "power-up", "time": "2016-08-01T08:56:24+08:00", "source": "o1"}] == told(judge(UNITS, FRAMES["V14"]))


@pytest.mark.parametrize("label", ["20160801000000", "20160801000001"])
def test_running_time_belongs_to_the_day_that_its_label_begins(label: str) -> None:
    """2041 of 1 August, sent on the 2nd: from 00:00 of that day to 00:00 of the next."""
    (event,) = told(judge(UNITS, said(2041, f"DataTime={label};SB1-RT=1.1;SB2-RT=24")))

    assert ("2016-08-01", "2016-08-01T00:00:00+08:00", "2016-08-02T00:00:00+08:00") == (event["day"], event["time"], event["to"])
    assert [{"unit": "SB1", "meter": "m1", "hours": 1.1}, {"unit": "SB2", "hours": 24.0}] == event["units"]


@pytest.mark.parametrize(
    ("cn", "data"),
    [
        (2021, "DataTime=20160801085857;SB1-RS=6"),
        (2021, "DataTime=20160801085857;SB1-RS=-1"),
        (2021, "DataTime=20160801085857;SB1-RS=1;SB1-RS=0"),
        (2021, "DataTime=20160801085857"),
        (2021, "SB1-RS=1"),
        (2041, "DataTime=20160801000000;SB1-RT=24.1"),
        (2041, "DataTime=20160801000000;SB1-RT=1e1"),
        (2041, "DataTime=20160801000000;SB1-RS=1"),
        (2081, "DataTime=20160801085857"),
        (2081, "DataTime=20160801085857;RestartTime=2016"),
    ],
)
def test_what_cannot_be_is_a_dead_letter(cn: int, data: str) -> None:
    """With its reason, and no event."""
    verdicts = judge(UNITS, said(cn, data))

    assert [("bad-schema", None)] == reasons(verdicts)
    assert [None] == [one.event for one in verdicts]


def test_an_event_counts_no_reading_and_stands_beside_readings() -> None:
    """Neither before the commit nor after; several packets of one payload are numbered entries of one record."""
    payload = FRAMES["V13"] + FRAMES["V14"]
    verdicts = judge(UNITS, payload)
    entries = events(Message(payload), verdicts)

    assert (0, 0) == (count(payload), sum(one.readings for one in verdicts))
    assert [("event", "mqtt/1#0", "d1", "equipment"), ("event", "mqtt/1#1", "d1", "power-up")] == [
        (one.kind, one.id, one.user, one.body["type"]) for one in entries
    ]


def test_a_stranger_tells_nothing() -> None:
    """Another's MN, and a device that is out of service."""
    retired = house(speaking("a1").replace('state = "accepted"', 'state = "retired"'))

    assert ["unknown-device"] == [reason for reason, _ in reasons(judge(retired, FRAMES["V13"]))]
    assert ["unknown-device"] == [reason for reason, _ in reasons(judge(house(speaking("a1", "other")), FRAMES["V13"]))]


def test_an_encrypted_state_is_told_too(tmp_path: Any) -> None:
    """Once its key is there."""
    from domain.civil import parse_date
    from lanbi.hj212_keys import add, with_keys

    add(tmp_path, "d1", KEY.hex(), parse_date("2016-07-01"))
    (event,) = told(judge(with_keys(UNITS, tmp_path), SEALED["V13"][1]))

    assert [1, 0] == [one["state"] for one in event["units"]]
