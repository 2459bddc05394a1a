"""The short way through accept ends where the long way ends, for every message that it takes and whatever stands beside it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.civil import day_of, day_start, iso, parse_time
from domain.reasons import TOO_OLD_S
from domain.wires import Wires
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
MIDNIGHT = day_start(day_of(HOUR))
REGISTRY = county()
SENML = """
[[air_station]]
id = "tc-a03"
name = "三号站"
role = "township"
[[device]]
id = "sen"
sources = ["tc-a03"]
mapping = "senml"
interval = 60
state = "accepted"
[[mapping]]
id = "senml"
format = "senml-json"
items = [{item = "co", name = "co"}, {item = "temp", name = "temp"}]
"""
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
        one = {"time": iso(draw(st.sampled_from([HOUR - 120, HOUR - 60, HOUR, HOUR + 60, MIDNIGHT, MIDNIGHT + 60]))), "span": 60, "values": draw(good)}
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


def taken(express: Express, records: Sequence[Message], runs: Runs | None = None) -> list[list[Any] | None]:
    """What the short way makes of each of several messages: device, run, numbers, and the rows to the sign of zero; None for the long way."""
    found: list[list[Any] | None] = []
    for part in express.easy(records, runs or Runs()):
        if part is None:
            found.append(None)
            continue
        assert part.records == records[len(found) : len(found) + len(part.records)]
        for (device, run), start, end in zip(part.whose, part.starts, [*part.starts[1:], len(part.rows)], strict=True):
            rows = [(*row.key, dict(row.values), [str(value) for value in row.values.values()], row.flags, row.rev) for row in part.rows[start:end]]
            found.append([device, run, part.numbers[start:end], rows])
    return found


def judged(record: Message, device: str, run: int) -> list[Any]:
    """The same by the long way; the messages that the short one takes have no refusals."""
    verdicts = Acceptor(REGISTRY, KEEPS).judge(record)
    assert all(verdict.sight and not verdict.refused for verdict in verdicts)
    rows = []
    for verdict in verdicts:
        sight = verdict.sight
        assert sight is not None
        index = Runs().known(sight.device, sight.run)
        assert index is not None
        rows.append((*sight[:4], dict(sight.values), [str(value) for value in sight.values.values()], sight.flags, revision_of(sight, index)))
    assert {(device, run)} == {(verdict.device, verdict.run) for verdict in verdicts}
    return [device, run, [verdict.seq for verdict in verdicts], rows]


KEEPS = {"water": 30 * DAY}
RECORDS = st.builds(
    lambda topic, payload, flags, now: Message(payload, topic, received_ns=now * 10**9 + 7, flags=flags),
    TOPICS, payloads(), st.sampled_from([0, 1, 1, 1, 2, 3]), st.sampled_from([NOW, NOW, NOW, NOW + 20, NOW + 40 * DAY, 1_000]),
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=20))
def test_what_the_short_way_takes_the_long_way_accepts_alike(records: list[Message]) -> None:
    """Device, numbers, keys, values to the sign of zero, flags and revisions are the same; and no message is judged by its neighbours."""
    found = taken(Express(Acceptor(REGISTRY, KEEPS)), records)
    assert [one for record in records for one in taken(Express(Acceptor(REGISTRY, KEEPS)), [record])] == found
    for record, one in zip(records, found, strict=True):
        if one is not None:
            assert judged(record, one[0], one[1]) == one


STEADY = st.builds(
    lambda seq, time, values, more, now, flags: Message(
        json.dumps({"seq": seq, "time": time, "span": 60, "values": dict(zip(("co", "temp"), values, strict=True)), **more}).encode(),
        received_ns=now * 10**9 + 7, flags=flags,
    ),
    st.integers(0, 2**40), st.sampled_from([iso(HOUR - 60 * n) for n in range(5)] * 3 + [iso(MIDNIGHT), iso(MIDNIGHT + 60), iso(HOUR + 400), "soon", HOUR]),
    st.tuples(st.sampled_from([0.5, 1.25, 7.0, 7.0, 0.0, -0.0]), st.sampled_from([-3.5, 21.0, -0.5, 99.0])),
    st.sampled_from([{}] * 12 + [{"flags": {"co": "M"}}, {"run": 7}, {"source": "tc-a01"}, {"source": "tc-w01"}, {"corrects": True}, {"span": 3600}]),
    st.sampled_from([NOW] * 6 + [NOW + 20, NOW + 401 * DAY]), st.sampled_from([1] * 20 + [2, 3]),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(STEADY, min_size=1, max_size=12), min_size=2, max_size=5), st.booleans())
def test_what_a_device_says_in_one_form_is_judged_as_if_it_spoke_once(strides: list[list[Message]], lists: bool) -> None:  # noqa: FBT001  drawn
    """Its form is remembered from one stride to the next and its messages are judged side by side: as each alone, and as the long way does."""
    express = Express(Acceptor(REGISTRY, KEEPS))
    if lists:
        strides = [[one._replace(payload=b"[" + one.payload + b"," + one.payload + b"]") for one in records] for records in strides]
    for records in strides:
        found = taken(express, records)
        assert [one for record in records for one in taken(Express(Acceptor(REGISTRY, KEEPS)), [record])] == found
        for record, one in zip(records, found, strict=True):
            if one is not None:
                assert judged(record, one[0], one[1]) == one


@pytest.mark.parametrize("lists", [False, True])
def test_usual_messages_are_judged_side_by_side(lists: bool) -> None:  # noqa: FBT001  given by a table
    """Else nobody would notice that none is; and one that is not usual sends all of its stride the other way, which ends alike."""
    express, texts = Express(Acceptor(REGISTRY, KEEPS)), []
    for number in range(9):
        one = b'{"seq":%d,"time":"2026-11-23T07:5%d:00+08:00","span":60,"values":{"co":0.5,"temp":-7.0}}' % (number, number)
        texts.append(Message(b"[%b,%b]" % (one, one) if lists else one, received_ns=NOW * 10**9))
    before = taken(Express(Acceptor(REGISTRY, KEEPS)), texts)
    taken(express, texts[:1])
    with patch.object(Express, "_take", side_effect=AssertionError("one by one")):
        assert before == taken(express, texts)
    odd = texts[4]._replace(payload=texts[4].payload.replace(b'"span":60', b'"span":60,"flags":{"co":"M"}', 1))
    assert [*before[:4], taken(Express(Acceptor(REGISTRY, KEEPS)), [odd])[0], *before[5:]] == taken(express, [*texts[:4], odd, *texts[5:]])


def test_side_by_side_a_day_is_everybodys_own() -> None:
    """One that last spoke of a day on which it might is not taken for another on which it may not, beside a neighbour who may."""
    dated = '[{from = "2026-01-01", value = "accepted"}, {from = "2026-11-23", value = "retired"}]'
    station = '[[air_station]]\nid = "tc-a03"\nname = "三号站"\nrole = "township"\n'
    registry = county(TEXT + station + f'[[device]]\nid = "air3"\nsources = ["tc-a03"]\ninterval = 60\nstate = {dated}\n')
    express = Express(Acceptor(registry, KEEPS))

    def says(who: str, seq: int, time: str) -> Message:
        text = b'{"seq":%d,"time":"2026-11-%s:00+08:00","span":60,"values":{"pm25":58.0}}' % (seq, time.encode())
        return Message(text, f"lanbi/v1/{who}/data", received_ns=NOW * 10**9)

    for seq in (1, 2):
        assert [True, True] == [one is not None for one in taken(express, [says("air1", seq, "23T07:50"), says("air3", seq, "22T23:50")])]
    stride = [says("air1", 3, "23T07:51"), says("air3", 3, "23T07:51")]

    assert [True, False] == [one is not None for one in taken(express, stride)]
    assert [True, False] == [Acceptor(registry, KEEPS).judge(record)[0].sight is not None for record in stride]


def test_side_by_side_nothing_too_old_is_taken() -> None:
    """A message that is as old as it may be is taken, and one that is a second older is not, though its form and its day are known by then."""
    express = Express(Acceptor(REGISTRY, {}))
    text = b'{"seq":1,"time":"2026-11-23T07:50:00+08:00","span":60,"values":{"co":0.5}}'
    last = parse_time("2026-11-23T07:50:00+08:00") + TOO_OLD_S
    found = [taken(express, [Message(text, received_ns=at * 10**9)])[0] is not None for at in (last - 1, last, last, last + 1, last)]

    assert [True, True, True, False, True] == found


def test_a_device_that_changes_its_form_all_the_time_is_read_by_the_general_reader() -> None:
    """Each of its messages is taken whatever the one before was like; and after some changes nobody makes a reader for the next."""
    express = Express(Acceptor(REGISTRY, KEEPS))
    items = [{"co": 0.5}, {"co": 0.5, "temp": 7.0}, {"temp": 7.0}]
    for number in range(60):
        one = json.dumps({"seq": number, "time": iso(HOUR - 3600 + 60 * number), "span": 60, "values": items[number % 3]}).encode()
        (found,) = taken(express, [Message(one)])
        assert found is not None
        assert [items[number % 3]] == [row[4] for row in found[3]]
    with patch.object(Wires, "exact", side_effect=AssertionError("one more reader")):
        assert [None] != taken(express, [Message(one)])


def test_a_plain_message_goes_the_short_way() -> None:
    """Else nobody would notice that it is never taken."""
    express = Express(Acceptor(REGISTRY, {}))
    for topic, text in (
        ("lanbi/v1/air1/data", '{"seq": 1, "time": "2026-11-23T08:00:00+08:00", "span": 3600, "values": {"pm25": 58, "co": 0.9}}'),
        ("lanbi/v1/air1/data", '{"time": "2026-11-23T08:00:00+08:00", "span": 3600, "values": {"pm25": 58, "co": 0.9}, "flags": {"pm25": "M", "co": "N"}}'),
        ("lanbi/v1/gate/data", '[{"time": 1795392000, "span": 0, "source": "tc-m01", "values": {"register": 1.5}}]'),
    ):
        (found,) = taken(express, [Message(text.encode(), topic)])
        assert found is not None
        assert 1 == len(found[3])


def test_the_registry_is_read_by_the_days_of_receipt_and_of_the_reading() -> None:
    """A device that is retired one day is easy until then and never after, whatever was remembered of it."""
    dated = '[{from = "2026-01-01", value = "accepted"}, {from = "2026-12-01", value = "retired"}]'
    express = Express(Acceptor(county(TEXT.replace('state = "accepted"', f"state = {dated}", 1)), {}))
    found = []
    for day in ("2026-11-30", "2026-12-02", "2026-11-30"):
        time = parse_time(f"{day}T08:00:00+08:00")
        record = Message(b'{"time": %d, "span": 60, "values": {"pm25": 58}}' % time, received_ns=(time + 30) * 10**9)
        found += [one is not None for one in taken(express, [record])]

    assert [True, False, True] == found


def test_the_label_of_midnight_belongs_to_the_day_before() -> None:
    """A device that retires on a day still says the hour 24 of the day before, and the hour after it neither way."""
    dated = '[{from = "2026-01-01", value = "accepted"}, {from = "2026-12-01", value = "retired"}]'
    registry = county(TEXT.replace('state = "accepted"', f"state = {dated}", 1))
    express, received = Express(Acceptor(registry, {})), parse_time("2026-12-01T01:00:30+08:00") * 10**9
    records = [Message(b'{"time": "2026-12-01T%02d:00:00+08:00", "span": 3600, "values": {"pm25": 58}}' % hour, received_ns=received) for hour in (0, 1, 0)]

    assert [True, False, True] == [one is not None for one in taken(express, records)]
    assert [True, False, True] == [Acceptor(registry, {}).judge(record)[0].sight is not None for record in records]


@contextmanager
def machines() -> Iterator[tuple[Machine, Machine]]:
    """Two machines in folders that go away."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        registry = county(TEXT + SENML)
        yield Machine(Path(one), registry), Machine(Path(other), registry)


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


PACKS = st.lists(
    st.builds(
        lambda time, name, value, unit: {"bt": time, "n": name, "u": unit, "v": value},
        st.sampled_from([HOUR - 60, HOUR, HOUR + 60, HOUR + 120, HOUR - 401 * DAY]), st.sampled_from(["co", "co", "temp", "x"]),
        st.sampled_from([5.0, 6.5, -0.0, 1e9]), st.sampled_from(["mg/m3", "mg/m3", "Cel", "ug/m3"]),
    ),
    min_size=1, max_size=3,
)  # fmt: skip
EVENTS = st.sampled_from([b'{"type": "lost", "run": 0, "from": 2, "to": 4}', b'{"type": "maintenance"}', b"{"])
MESSAGES = st.lists(
    st.tuples(TOPICS, payloads())
    | st.tuples(st.just("lanbi/v1/air1/event"), EVENTS)
    | st.tuples(st.just("lanbi/v1/sen/data"), PACKS.map(lambda pack: json.dumps(pack).encode())),
    min_size=1, max_size=9,
)  # fmt: skip


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
        with patch.object(Express, "easy", lambda _self, records, _runs: [None] * len(records)):
            long.forward(limit)

        assert all_of(long) == all_of(short)


def test_midnight_is_announced_for_the_day_before(tmp_path: Path) -> None:
    """Its label ends that day; analytics would otherwise look at the wrong one."""
    one = Machine(tmp_path)
    one.journal([json.dumps({"seq": 1, "time": time, "span": 60, "values": {"co": 5.0}}).encode() for time in (MIDNIGHT, MIDNIGHT + 60)])
    one.forward()

    assert {(day_of(HOUR) - 1, "tc-a01"), (day_of(HOUR), "tc-a01")} == one.announced()


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
