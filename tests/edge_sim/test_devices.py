"""Devices, spool and history: numbered, native, complete."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.civil import day_end, day_of, parse_time
from domain.message import Message, decode
from domain.places import Dated
from edge_sim import history, spool
from edge_sim.county import SimulatedCounty
from edge_sim.devices import SimulatedDevice, encode, payloads
from edge_sim.record import runs
from edge_sim.scene import Scene
from edge_sim.spool import Spool
from edge_sim.wire import Word
from tests.edge_sim.small_county import device, registry

START = parse_time("2025-10-01T00:00:00+08:00")


def county(seed: int = 1) -> SimulatedCounty:
    """The small county."""
    return SimulatedCounty(registry(), seed)


def quiet(seed: int = 1) -> Scene:
    """The small county without faults."""
    return Scene(county(seed))


def heard(words: list[Word]) -> list[Message]:
    """What a station would decode of them."""
    return [one for payload, _ in payloads(words) for one in messages(payload)]


def messages(payload: bytes) -> list[Message]:
    """Decoded, and nothing refused."""
    found = decode(payload)

    assert all(isinstance(one, Message) for one in found)
    return [one for one in found if isinstance(one, Message)]


def test_device_speaks_once_a_slot() -> None:
    """Each ended slot is measured once, numbers grow by one, and a quiet hour says nothing."""
    chosen = SimulatedDevice(quiet(), county().registry.devices["d-e-1"], said=START)

    assert [] == chosen.measure(START + 899)

    said = heard(chosen.measure(START + 1800))

    assert [START + 900, START + 900, START + 1800, START + 1800] == [one.time for one in said]
    assert [0, 1, 2, 3] == [one.seq for one in said]
    assert ["m-1", "m-2"] == sorted({one.source or "" for one in said})
    assert [] == chosen.measure(START + 1800)


def test_lone_source_is_left_to_the_topic() -> None:
    """A device with one source does not repeat its name."""
    chosen = SimulatedDevice(quiet(), county().registry.devices["d-a-1"], said=START)

    assert {None} == {one.source for one in heard(chosen.measure(START + 40 * 3600))}


def test_start_labels_are_sent_where_registered() -> None:
    """A device registered with start labels names the hour by its start."""
    early = device("d-a-1", ("a-1",), 3600, label=Dated.always("start"))
    chosen = SimulatedDevice(quiet(), early, said=START)

    assert [START, START + 3600] == [one.time for one in heard(chosen.measure(START + 7200))]


def test_payloads_are_small_and_native() -> None:
    """One reading goes as an object, many as lists of at most a hundred; both decode to what was meant."""
    chosen = SimulatedDevice(quiet(), county().registry.devices["d-e-1"], said=START)
    said = chosen.measure(START + 86_400)
    parts = list(payloads(said))

    assert [(one.slot, one.number) for one in said] == [(one.time, (0, one.seq)) for payload, _ in parts for one in messages(payload)]
    assert [one.row["values"] for one in said] == [one.values for payload, _ in parts for one in messages(payload)]
    assert max(len(part) for _, part in parts) == 100
    assert next(iter(payloads(said[:1])))[0].startswith(b"{")


def test_history_is_complete_and_in_order() -> None:
    """Three weeks: every source's times only grow, air hourly, water four-hourly, registers by quarter hour at the end."""
    last = day_of(START)
    times: dict[str, list[int]] = {}
    total = 0
    for payload, number in history.days(county(), last - 20, last):
        found = messages(payload)
        total += number

        assert number == len(found) <= 100
        for one in found:
            times.setdefault(one.source or "", []).append(one.time)

    assert set(county().sources()) == set(times)
    assert all(sorted(set(seen)) == seen for seen in times.values())
    assert 14 * 24 + 7 * 96 == len(times["m-1"])
    assert 21 * 6 >= len(times["w-1"]) > 21 * 6 * 0.9
    assert 21 * 24 >= len(times["a-1"]) > 21 * 24 * 0.9
    assert {START} == {seen[-1] for name, seen in times.items() if name.startswith("m")}
    assert 0.97 < total / history.count(county(), last - 20, last) <= 1
    assert START == day_end(last)


def test_history_joins_the_live_county() -> None:
    """What a device says live fits the history of the same seed: the register goes on where it stood."""
    payload = list(history.days(county(), day_of(START), day_of(START)))
    past = [one for part, _ in payload for one in messages(part) if one.source == "m-1"][-1]
    live = SimulatedDevice(quiet(), county().registry.devices["d-e-1"], said=START).measure(START + 900)[0]
    step = (live.row["values"]["register"] or 0) - (past.values["register"] or 0)

    assert 0 < step % 10_000 < 30


def test_retired_devices_are_silent() -> None:
    """Retired devices and sources that no device speaks for are not simulated."""
    old = registry()
    gone = replace(old.devices["d-a-1"], state=Dated.always("retired"))
    chosen = SimulatedCounty(replace(old, devices={**old.devices, "d-a-1": gone}), 1)

    assert "a-1" not in chosen.sources()
    assert "d-a-1" not in {one.id for one in chosen.devices()}


def reopened(path: Path) -> Spool:
    """What a new fleet finds in the file."""
    found = Spool(path)
    found.close()
    return found


def message(seq: int) -> Word:
    """A word with a number."""
    time = START + 3600 * seq
    return Word(time, time, time, "d", "a-1", {"seq": seq, "time": time, "span": 3600, "values": {"pm25": 40.5}})


def test_spool_survives_and_continues(tmp_path: Path) -> None:
    """A new spool on the same file holds what was not confirmed and knows the next number and the last slot."""
    first = Spool(tmp_path / "spool")
    first.add("d", [message(seq) for seq in range(5)], START + 5)
    first.drop("d", first.covered("d", 0, [(0, 1), (3, 3)]))
    first.close()
    second = reopened(tmp_path / "spool")
    book = second.book("d")

    assert [(0, 2), (0, 4)] == list(book.held)
    assert (5, START + 5) == (book.seq, book.said)
    assert encode(message(2).row) == book.held[0, 2].body
    assert 2 == len(second)


def test_torn_spool_measures_again(tmp_path: Path) -> None:
    """A write cut off in the middle loses no number: the slot is not marked as said."""
    path = tmp_path / "spool"
    first = Spool(path)
    first.add("d", [message(0)], START)
    first.add("d", [message(1), message(2)], START + 7200)
    first.close()
    path.write_bytes(path.read_bytes()[:-60])
    book = reopened(path).book("d")

    assert START == book.said
    assert [(0, 0), (0, 1)] == list(book.held)
    assert 2 == book.seq


def test_foreign_run_confirms_nothing(tmp_path: Path) -> None:
    """A receipt of another run is ignored."""
    chosen = Spool(tmp_path / "spool")
    chosen.add("d", [message(0)], START)

    assert [] == chosen.covered("d", 1, [(0, 9)])
    assert [] == chosen.drop("d", [(1, 0)])
    chosen.close()


def test_spool_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full spool gives up its oldest messages and says which."""
    monkeypatch.setattr(spool, "MAX_HELD", 3)
    monkeypatch.setattr(spool, "COMPACT_AFTER", 3)
    chosen = Spool(tmp_path / "spool")
    lost = [number for seq in range(8) for number in chosen.add("d", [message(seq)], START + seq)]
    chosen.close()

    assert [(0, seq) for seq in range(5)] == lost
    assert [(0, 5), (0, 6), (0, 7)] == list(reopened(tmp_path / "spool").book("d").held)


def test_given_up_numbers_are_joined() -> None:
    """Neighbouring numbers become one declaration."""
    assert [(0, 1, 3), (0, 7, 7), (1, 0, 1)] == runs([(0, 3), (0, 1), (0, 2), (1, 0), (0, 7), (1, 1)])
