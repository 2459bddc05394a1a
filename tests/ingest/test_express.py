"""The short way through accept ends where the long way ends, for every message that it takes and whatever stands beside it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.civil import iso, parse_time
from ingest import courier
from ingest.accept import Acceptor
from ingest.express import Express
from ingest.revisions import revision_of
from ingest.sequences import Runs
from lanbi.state import State
from tests.ingest.county import NOW, TEXT, Message, county
from tests.ingest.machine import Machine

HOUR = NOW // 3600 * 3600
DAY = 86_400
REGISTRY = county()
TOPICS = st.sampled_from(["air1", "air1", "air1", "air1", "gate", "early", "nobody", "air1/x"]).map(lambda name: f"lanbi/v1/{name}/data")
TIMES = st.one_of(
    st.integers(-3, 3).map(lambda n: HOUR + 60 * n),
    st.integers(-3, 3).map(lambda n: iso(HOUR + 60 * n)),
    st.sampled_from([0, HOUR * 1000, HOUR - 401 * DAY, HOUR + 400, "2026-11-23T08:00:00", "2026-12-01T08:00:00+08:00", "2025-12-31T08:00:00Z", "soon", 2**41]),
)
NUMBERS = st.one_of(st.floats(1, 200), st.sampled_from([0.0, -0.0, -3.0, 0.5, 9_999.0, 1e300, 58, None, "58", True]))
ITEMS = st.sampled_from(["pm25", "co", "no2", "temp", "o3_8h", "ph", "register", "nothing"])


@st.composite
def elements(draw: st.DrawFn) -> dict[str, Any]:
    """One element of a message: mostly good, with everything that may be wrong about it."""
    plain = draw(st.integers(0, 3)) > 0
    one: dict[str, Any] = {"time": draw(TIMES), "span": draw(st.sampled_from([60, 3600, DAY])), "values": draw(st.dictionaries(ITEMS, NUMBERS, max_size=4))}
    if plain:
        good = st.dictionaries(st.sampled_from(["co", "temp", "no2"]), st.sampled_from([5.0, 6.5, 7.25]) | st.sampled_from([0.0, -0.0]), min_size=1)
        one = {"time": iso(HOUR + 60 * draw(st.integers(-2, 1))), "span": 60, "values": draw(good)}
    for name, value in (
        ("seq", st.integers(0, 12)),
        ("run", st.sampled_from([0, 0, 0, 1, 999, 1_000, 1_795_000_000])),
        ("source", st.sampled_from(["tc-a01", "tc-w01", "tc-m01", "tc-a02", "x"])),
        ("flags", st.sampled_from([{}, {"co": "M"}, {"co": "M", "temp": "N"}, {"temp": "P"}, {"pm25": "N"}, {"co": "Z"}, {"co": ""}, {"no2": "W"}])),
        ("corrects", st.booleans()),
        ("more", st.just(1)),
    ):
        if draw(st.integers(0, 9)) < (8 if name == "seq" else 4 if name == "flags" else 1 if plain else 2):
            one[name] = draw(value)
    return one


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """A message or a list of them; now and then no JSON."""
    some = draw(st.lists(elements(), min_size=1, max_size=4))
    text = json.dumps(some[0] if len(some) == 1 and draw(st.booleans()) else some)
    return draw(st.sampled_from([text] * 9 + [text[:-1], text.replace("58", "NaN"), " " + text, "[]"])).encode()


def judged(record: Message, taken: Any) -> list[Any]:
    """Rows of the long way in the form of the short one; the messages that it takes have no refusals."""
    verdicts = Acceptor(REGISTRY, KEEPS).judge(record)
    assert all(verdict.sight and not verdict.refused for verdict in verdicts)
    rows = []
    for verdict in verdicts:
        sight = verdict.sight
        assert sight is not None
        index = Runs().known(sight.device, sight.run)
        assert index is not None
        rows.append((*sight[:4], dict(sight.values), [str(value) for value in sight.values.values()], sight.flags, revision_of(sight, index)))
    return [taken.device, taken.run, [verdict.seq for verdict in verdicts], rows]


KEEPS = {"water": 30 * DAY}


@settings(max_examples=600, deadline=None)
@given(TOPICS, payloads(), st.sampled_from([0, 1, 2, 3]), st.sampled_from([NOW, NOW + 20, NOW + 40 * DAY, 1_000]))
def test_what_the_short_way_takes_the_long_way_accepts_alike(topic: str, payload: bytes, flags: int, now: int) -> None:
    """Device, numbers, keys, values to the sign of zero, flags and revisions are the same."""
    record = Message(payload, topic, received_ns=now * 10**9 + 7, flags=flags)
    taken = Express(Acceptor(REGISTRY, KEEPS)).easy(record, Runs())
    if taken is not None:
        rows = [(*row.key, dict(row.values), [str(value) for value in row.values.values()], row.flags, row.rev) for row in taken.rows]
        assert judged(record, taken) == [taken.device, taken.run, taken.numbers, rows]


def test_a_plain_message_goes_the_short_way() -> None:
    """Else nobody would notice that it is never taken."""
    express = Express(Acceptor(REGISTRY, {}))
    for topic, text in (
        ("lanbi/v1/air1/data", '{"seq": 1, "time": "2026-11-23T08:00:00+08:00", "span": 3600, "values": {"pm25": 58, "co": 0.9}}'),
        ("lanbi/v1/air1/data", '{"time": "2026-11-23T08:00:00+08:00", "span": 3600, "values": {"pm25": 58, "co": 0.9}, "flags": {"pm25": "M", "co": "N"}}'),
        ("lanbi/v1/gate/data", '[{"time": 1795392000, "span": 0, "source": "tc-m01", "values": {"register": 1.5}}]'),
    ):
        taken = express.easy(Message(text.encode(), topic), Runs())
        assert taken is not None
        assert 1 == len(taken.rows)


def test_the_registry_is_read_by_the_days_of_receipt_and_of_the_reading() -> None:
    """A device that is retired one day is easy until then and never after, whatever was remembered of it."""
    dated = '[{from = "2026-01-01", value = "accepted"}, {from = "2026-12-01", value = "retired"}]'
    express = Express(Acceptor(county(TEXT.replace('state = "accepted"', f"state = {dated}", 1)), {}))
    taken = []
    for day in ("2026-11-30", "2026-12-02", "2026-11-30"):
        time = parse_time(f"{day}T08:00:00+08:00")
        record = Message(b'{"time": %d, "span": 60, "values": {"pm25": 58}}' % time, received_ns=(time + 30) * 10**9)
        taken.append(express.easy(record, Runs()) is not None)

    assert [True, False, True] == taken


@contextmanager
def machines() -> Iterator[tuple[Machine, Machine]]:
    """Two machines in folders that go away."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        yield Machine(Path(one)), Machine(Path(other))


def all_of(one: Machine) -> dict[str, Any]:
    """Everything that a machine knows in the end."""
    state = State(one.data)
    rows = one.rows()
    found = {
        "rows": {key: (dict(row.values), dict(row.flags), row.rev) for key, row in rows.items()},
        "totals": state.totals(),
        "latest": {(row.source, row.span): (*row[2:7], {name: tuple(cell) for name, cell in row.items.items()}) for row in state.latest()},
        "versions": {key: set(versions) for key, versions in state.versions(rows).items()},
        "runs": state.runs(),
        "sequences": state.sequences(),
        "refused": [tuple(row)[:-1] for _, row in state.refused(limit=1_000)],
        "announced": one.announced(),
        "cursor": state.cursor("mqtt"),
    }
    state.close()
    return found


EVENTS = st.sampled_from([b'{"type": "lost", "run": 0, "from": 2, "to": 4}', b'{"type": "maintenance"}', b"{"])
MESSAGES = st.lists(st.tuples(TOPICS, payloads()) | st.tuples(st.just("lanbi/v1/air1/event"), EVENTS), min_size=1, max_size=9)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(MESSAGES, st.integers(1, 9))
def test_both_ways_end_in_the_same_state_and_store(messages: list[tuple[str, bytes]], limit: int) -> None:
    """Duplicates, corrections, late and bad readings in any mixture, sent ahead one by one or not: nothing tells the ways apart."""
    with machines() as (short, long), ThreadPoolExecutor(2) as pool:
        for topic, payload in messages:
            for one in (short, long):
                one.journal([payload], topic)
        short.pool = pool
        with patch.object(courier, "LOAD", 1):
            short.forward(limit)
        with patch.object(Express, "easy", lambda *_: None):
            long.forward(limit)

        assert all_of(long) == all_of(short)


def test_a_late_reading_keeps_its_flags(tmp_path: Path) -> None:
    """It leaves the short way to be decided with the others; what was said about its values goes with it."""
    one = Machine(tmp_path)
    for time, flags in ((HOUR, {}), (HOUR - 60, {"co": "M"}), (HOUR - 60, {"co": "M"})):
        one.journal([json.dumps({"seq": 1, "time": time, "span": 60, "values": {"co": 0.5, "temp": 7.0}, "flags": flags}).encode()])
    one.forward()

    assert {HOUR: {}, HOUR - 60: {"co": "M"}} == {key.time: dict(row.flags) for key, row in one.rows().items()}
    assert (2, 1) == (one.law()["stored"], one.law()["duplicate"])


def test_a_fault_on_the_short_way_costs_nothing(tmp_path: Path) -> None:
    """A program error there is seen, and the next attempt goes the long way."""
    one = Machine(tmp_path)
    one.journal([b'{"time": %d, "span": 60, "values": {"pm25": 5}}' % HOUR])

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with patch.object(Express, "easy", broken), one.forwarder() as forwarder:
        with pytest.raises(ZeroDivisionError):
            forwarder.step()
        assert 1 == forwarder.step()
    assert 1 == one.law()["stored"]
