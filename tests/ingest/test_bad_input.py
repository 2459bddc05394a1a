"""Every class of bad input through the real path: one reason, one line in the dead letters, its bytes kept, its neighbours stored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from domain.message import Message, decode, encode, scan
from domain.reasons import ALL
from ingest.ports import Refused
from lanbi.cli import main
from lanbi.frames import QOS1
from lanbi.journal import JournalWriter
from lanbi.state import State
from tests.ingest.bad_input import AIR, CLASSES, HOUR, Bad, message, said
from tests.ingest.county import NOW, TEXT
from tests.ingest.machine import Machine

IN_A_LIST = [one for one in CLASSES if one.topic == AIR and one.flags == QOS1 and len(one.payload) < 60_000]


class Outcome(NamedTuple):
    """What became of all classes: refusals by journal record, and the settings to ask with."""

    refused: dict[int, list[tuple[int, Refused]]]
    times: set[int]
    law: dict[str, int]
    config: str


def good(number: int) -> bytes:
    """A good neighbour, at an hour of its own."""
    return encode(Message(HOUR - 3600 * (number + 1), 3600, {"pm25": 5.0}, 0, number))


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Every class journalled between good neighbours and forwarded in batches."""
    one = Machine(tmp_path_factory.mktemp("bad"))
    writer = JournalWriter(one.data / "journal", "mqtt")
    for number, bad in enumerate(CLASSES):
        for payload, topic, flags in ((bad.payload, bad.topic, bad.flags), (good(number), AIR, QOS1)):
            writer.append(topic, payload, received_ns=NOW * 10**9, readings=scan(payload)[0], flags=flags)
    writer.commit()
    writer.close()
    one.forward(50)
    state = State(one.data)
    refused: dict[int, list[tuple[int, Refused]]] = {}
    for number, row in state.refused(limit=10_000):
        refused.setdefault(row.seq, []).append((number, row))
    state.close()
    (one.data / "county.toml").write_text(TEXT)
    (one.data / "lanbi.toml").write_text(f"data = {json.dumps(str(one.data))}\ncounty = {json.dumps(str(one.data / 'county.toml'))}\n")
    return Outcome(refused, {key.time for key in one.rows()}, one.law(), str(one.data / "lanbi.toml"))


@pytest.mark.parametrize("number", range(len(CLASSES)), ids=[one.name for one in CLASSES])
def test_one_reason_one_line_and_its_bytes(outcome: Outcome, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The class ends in its reason, in exactly one line, and `lanbi deadletters show` gives the bytes back as they came."""
    bad = CLASSES[number]
    ((name, row),) = outcome.refused[2 * number + 1]

    assert (bad.reason, bad.item) == (row.reason, row.item)
    assert row.detail and "Traceback" not in row.detail and len(row.detail) <= 400
    assert 0 == main(["deadletters", "show", str(name), "--json", "--config", outcome.config])
    assert bad.payload == bytes.fromhex(json.loads(capsys.readouterr().out)["message"])
    assert 0 == main(["deadletters", "show", str(name), "--config", outcome.config])
    assert bad.reason in capsys.readouterr().out


def test_good_neighbours_are_stored_and_the_account_adds_up(outcome: Outcome) -> None:
    """Each message between two bad ones is stored, none of them is refused, and every reading is accounted for."""
    assert {HOUR - 3600 * (number + 1) for number in range(len(CLASSES))} == outcome.times
    assert set() == {seq for seq in outcome.refused if seq % 2 == 0}
    assert (len(CLASSES), 0) == (outcome.law["stored"], outcome.law["pending"])
    held = sum(bad.reason in {"future-time", "too-old"} for bad in CLASSES)
    assert held == outcome.law["quarantined"]


def test_the_classes_cover_what_a_device_can_do_wrong() -> None:
    """Every reason that a message alone can end in has a class; the rest needs a store, a unit or a second message."""
    assert {"conflict", "store-rejected", "unit-mismatch", "internal"} == set(ALL) - {one.reason for one in CLASSES}


def elements() -> Iterator[tuple[Bad, bytes]]:
    """Classes whose bytes may stand in a list: those that are JSON themselves, or but for a NaN."""
    for one in IN_A_LIST:
        try:
            json.loads(one.payload.decode())
        except (ValueError, RecursionError):
            continue
        if not one.payload.lstrip().startswith(b"["):
            yield one, one.payload


@pytest.mark.parametrize(("bad", "payload"), [pytest.param(*pair, id=pair[0].name) for pair in elements()])
def test_neighbours_in_the_same_list_are_stored(bad: Bad, payload: bytes, tmp_path: Path) -> None:
    """One bad element costs itself, or its item, and not the good elements before and behind it."""
    one = Machine(tmp_path)
    first, last = said(time=HOUR - 7_200, seq=1), said(time=HOUR - 3_600, seq=2)
    one.journal([b"[" + b",".join([first, payload, last]) + b"]"])
    one.forward()

    assert {HOUR - 7_200, HOUR - 3_600} == {key.time for key in one.rows()}
    assert [(bad.reason, bad.item, 1)] == one.refused()
    assert 3 == one.law()["received"]


REPEATS: list[tuple[str, bool]] = [
    ('{"time": 1795392000, "span": 60, "values": {"pm25": 1}}', False),
    ('{"time": 1795392000, "span": 60, "values": {"pm25": 1}, "run": 0, "corrects": false, "seq": null, "flags": null, "source": null}', False),
    ('{"time": "2026-11-23T08:00:00+08:00", "span": 60, "values": {"pm25": 1, "co": 2}, "flags": {"co": "M"}, "source": "a", "seq": 1, "run": 5}', False),
    ('{"time": 1795392000, "span": 60, "values": {"pm\\u00325": 1}}', False),
    ('{"time": 1795392000, "span": 60, "values": {"pm25": 1, "pm25": 1}}', True),
    ('{"time": 1795392000, "span": 60, "values": {"pm25": 1, "pm\\u00325": 1}}', True),
    ('{"time": 1795392000, "span": 60, "span": 60, "values": {"pm25": 1}}', True),
    ('{"time": 1795392000, "span": 60, "values": {"pm25": 1}, "values": {"co": 1}}', True),
    ('{"time": 1795392000, "span": 60, "values": {"pm25": 1}, "run": 0, "run": 0}', True),
    ('{"time": 1795392000, "span": 60, "values": {"pm25": 1}, "seq": 1, "seq": 2}', True),
    ('{"time": 1795392000, "span": 60, "values": {"pm25": 1}, "flags": {"pm25": "M", "pm25": "N"}}', True),
    ('{"time": 1795392000, "time": "2026-11-23T08:00:00+08:00", "span": 60, "values": {"pm25": 1}}', True),
]


@pytest.mark.parametrize(("text", "repeats"), REPEATS)
def test_a_key_that_stands_twice_is_never_guessed_at(text: str, repeats: bool) -> None:  # noqa: FBT001
    """Alone or in a list, whatever else may be left out, a repeated key is seen, and nothing else is taken for one."""
    (alone,) = decode(text.encode())
    before, among, behind = decode(f"[{REPEATS[0][0]}, {text}, {REPEATS[2][0]}]".encode())

    assert [repeats, repeats] == ["twice" in getattr(one, "detail", "") for one in (alone, among)]
    assert isinstance(before, Message)
    assert isinstance(behind, Message)
    assert repeats or isinstance(alone, Message)


def test_bytes_come_back_for_one_element_too(tmp_path: Path) -> None:
    """The element that was refused is shown alone, beside its whole message."""
    one = Machine(tmp_path)
    parts: list[Any] = [message(time=HOUR - 3_600), message(values={"pm25": 9_999})]
    payload = json.dumps(parts).encode()
    one.journal([payload])
    one.forward()
    state = State(one.data)
    ((_, row),) = state.refused()
    state.close()
    from ingest.deadletters import bytes_of
    from lanbi.journal import record

    found = record(one.data / "journal", "mqtt", row.seq)
    assert found
    assert (payload, json.dumps(parts[1]).encode()) == (found.payload, bytes_of(found, row.element))
