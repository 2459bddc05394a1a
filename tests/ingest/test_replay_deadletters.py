"""Dead letters replayed on real journal, state and store: what is good now is stored, what is still refused stands once."""

from __future__ import annotations

from domain.civil import iso
from domain.message import Message, encode
from tests.ingest.county import NOW, TEXT
from tests.ingest.machine import Machine
from tests.ingest.replaying import HOUR, air, apply, done, entries_of, one, outcomes

__all__ = ["one"]
NEW_DEVICE = f"""{TEXT}
[[air_station]]
id = "tc-a03"
name = "三号站"
role = "township"
[[device]]
id = "air2"
sources = ["tc-a03"]
format = "lanbi-json"
interval = 3600
state = "accepted"
"""


def test_a_registered_device_gets_its_readings_back(one: Machine) -> None:
    """After the registry was corrected a replay of the dead letters stores them, and they no longer stand."""
    one.journal([air(n, HOUR - 3600 * n, pm25=5.0 + n) for n in range(4)], "lanbi/v1/air2/data")
    assert {"received": 4, "deadletter": 4} == outcomes(one)
    apply(one, NEW_DEVICE)

    assert {"read": 4, "stored": 4, "resolved": 4} == done(one, "deadletters", reason="unknown-device")
    assert {"received": 8, "deadletter": 4, "stored": 4} == outcomes(one)
    assert {HOUR - 3600 * n: 5.0 + n for n in range(4)} == {key.time: row.values["pm25"] for key, row in one.rows().items()}
    assert [] == one.refused()
    assert 4 == len(one.refused(resolved=True))
    assert {} == done(one, "deadletters")


def test_what_is_still_refused_is_not_entered_again(one: Machine) -> None:
    """A refusal stands once, however often it is replayed; with another reason it is the same one, renamed."""
    one.journal([air(1, pm25=9_999.0), air(2, pm25=9_999.0, co=0.5)])
    one.journal([air(1, source="tc-a03", pm25=9_999.0)], "lanbi/v1/air2/data")
    one.forward()
    assert {"read": 3, "duplicate": 3} == done(one, "deadletters")
    assert {"read": 3, "duplicate": 3} == done(one, "replay")
    apply(one, NEW_DEVICE)

    # The message is no longer refused as a whole, its item is.
    assert {"read": 3, "duplicate": 2, "deadletter": 1, "resolved": 1} == done(one, "deadletters")
    assert [("value-out-of-range", "pm25", 1), ("value-out-of-range", "pm25", 2), ("value-out-of-range", "pm25", 3)] == one.refused()
    apply(one, TEXT.replace('id = "air1"\nsources = ["tc-a01"]', 'id = "air1"\nsources = []'))
    assert {"read": 3, "duplicate": 3} == done(one, "deadletters", reason="value-out-of-range")


def test_each_element_of_a_message_that_was_refused_whole_is_judged(one: Machine) -> None:
    """Of a list from an unknown device the good elements are stored and the bad one is refused for its own reason."""
    parts = [Message(HOUR - 3600 * n, 3600, {"pm25": 9_999.0 if n == 1 else 5.0, "co": 0.5 if n else 999.0}, 0, n) for n in range(3)]
    one.journal([encode(parts)], "lanbi/v1/air2/data")
    assert {"received": 3, "deadletter": 3} == outcomes(one)
    apply(one, NEW_DEVICE)

    assert {"read": 3, "stored": 3, "resolved": 1} == done(one, "deadletters")
    assert [("value-out-of-range", "co", 1), ("value-out-of-range", "pm25", 1)] == one.refused()
    assert {"read": 3, "duplicate": 3} == done(one, "replay")


def test_events_that_were_refused_are_entered_and_their_lost_numbers_are_gaps(one: Machine) -> None:
    """After the device was registered, what it reported counts: an entry of its own, and numbers that it gave up, once."""
    one.journal([b'{"type": "lost", "run": 0, "from": 3, "to": 5}', b'{"type": "maintenance"}'], "lanbi/v1/air2/event")
    one.forward()
    assert ([("unknown-device", None, 1), ("unknown-device", None, 2)], []) == (one.refused(), entries_of(one))
    apply(one, NEW_DEVICE)

    assert {"resolved": 2} == done(one, "deadletters")
    done(one, "replay")
    assert ["lost", "maintenance"] == [entry.body["type"] for entry in entries_of(one)]
    assert (3, []) == (one.totals()["gaps", ""], one.refused())


def test_only_what_is_asked_for_is_replayed(one: Machine) -> None:
    """Reason, device, id and time choose dead letters; the others stand and are not counted."""
    one.journal([air(1, HOUR - 10_800, pm25=9_999.0)], now=NOW - 7_200)
    one.journal([air(1, pm25=5.0), b"rubbish"], "lanbi/v1/air2/data")
    one.forward()
    apply(one, NEW_DEVICE)

    assert {} == done(one, "deadletters", device="air3")
    assert {"read": 1, "duplicate": 1} == done(one, "deadletters", to=iso(NOW - 3_600))
    assert {"read": 1, "duplicate": 1} == done(one, "deadletters", ids=[1])
    assert {"read": 1, "deadletter": 1, "resolved": 1} == done(one, "deadletters", ids=[3])
    assert {"read": 1, "stored": 1, "resolved": 1} == done(one, "deadletters", since=iso(NOW - 60), reason="unknown-device")
    assert [("value-out-of-range", "pm25", 1), ("bad-json", None, 3)] == one.refused()
