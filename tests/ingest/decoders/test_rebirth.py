"""When an edge node of Sparkplug is asked for its births, and how."""

from __future__ import annotations

import pytest

from ingest.accept import Acceptor
from ingest.decoders import sparkplug
from ingest.decoders.protobuf import fields
from ingest.decoders.sparkplug import Node, rebirth
from ingest.outbox import Outbox, Word
from ingest.rebirths import AGAIN_S, FRESH_S, MOST, Rebirths
from lanbi import mosquitto
from lanbi.mosquitto import Logins
from tests.ingest.decoders.foreign_house import HOUR, NS, Message, house, reasons
from tests.ingest.decoders.test_examples import BIRTH, DATA, SPARKPLUG

NODE = Node("plant", "edge")
WHOLE = SPARKPLUG.replace("spBv1.0/plant/+/edge/press", "spBv1.0/plant/+/edge/#")


def heard(acceptor: Acceptor, kind: str, seq: int | None = None, *, payload: str = "", device: str = "/press") -> list[Node]:
    """Take a message; which nodes are to be asked."""
    number = b"" if seq is None else b"\x18" + (bytes([seq]) if seq < 128 else bytes([seq & 127 | 128, 1]))
    acceptor.judge(Message(bytes.fromhex(payload) + number, f"spBv1.0/plant/{kind}/edge{device}", (HOUR + 120) * NS))
    return list(acceptor.foreign.silent())


def test_an_unknown_alias_asks_for_the_birth_and_a_known_one_does_not() -> None:
    """What came before the birth is a dead letter that says so; asked once, whatever came."""
    acceptor = Acceptor(house(SPARKPLUG))
    lost = acceptor.judge(Message(bytes.fromhex(DATA), "spBv1.0/plant/DDATA/edge/press", (HOUR + 120) * NS))

    assert {"unknown-item"} == {reason for reason, _ in reasons(lost)}
    assert {NODE: HOUR + 120} == acceptor.foreign.silent()
    assert [[], []] == [heard(acceptor, kind, payload=payload) for kind, payload in (("DBIRTH", BIRTH), ("DDATA", DATA))]


def test_an_alias_that_the_mapping_names_needs_no_birth() -> None:
    """Nobody is asked for what is known."""
    named = SPARKPLUG.replace('"Voltage"', '"#3"').replace('name = "Power"', 'name = "#2"').replace("Energy/Total", "#1")

    assert [] == heard(Acceptor(house(named)), "DDATA", payload=DATA)


def test_a_gap_in_the_sequence_of_a_node_that_is_heard_whole() -> None:
    """Numbers go round at 256; what is said again is no gap; a birth begins anew, a death forgets."""
    acceptor = Acceptor(house(WHOLE))
    begun = [heard(acceptor, "NBIRTH", 0, device=""), *(heard(acceptor, "DDATA", seq) for seq in (1, 2, 2, 1, 3))]
    gap = heard(acceptor, "NDATA", 5, device="")
    on = [heard(acceptor, "DDATA", seq) for seq in (6, 120, 240, 255, 0, 1)]
    dead = [heard(acceptor, "NDEATH", device=""), heard(acceptor, "DDATA", 77), heard(acceptor, "NBIRTH", 0, device="")]

    assert [[]] * 6 == begun
    assert [NODE] == gap
    assert [[], [NODE], [NODE], [NODE], [], []] == on
    assert [[], [], []] == dead


def test_who_hears_a_part_of_a_node_sees_no_gaps() -> None:
    """Other devices of the node use numbers of the same sequence."""
    acceptor = Acceptor(house(SPARKPLUG))

    assert [[], []] == [heard(acceptor, "DDATA", seq) for seq in (1, 9)]


def test_a_node_is_asked_once_a_minute_and_never_for_old_messages() -> None:
    """A backlog shows nothing of now; a node that cannot answer is not asked for ever; nor can forged names fill the memory."""
    one = Rebirths()
    asked = []
    for now, received in ((0.0, 1_000), (1.0, 1_001), (AGAIN_S + 1, 1_061), (3 * AGAIN_S, 1_000)):
        one.want({NODE: received})
        asked.append([topic for topic, _ in one.due(now, 1_000 + int(now))])
    one.want({Node("g", str(number)): 5_000 for number in range(3 * MOST)})

    assert [["spBv1.0/plant/NCMD/edge"], [], ["spBv1.0/plant/NCMD/edge"], []] == asked
    assert 180 - FRESH_S > 0 and 2 == one.asked
    assert MOST >= len(list(one.due(5_000.0, 5_000)))
    assert [] == list(one.due(5_000.0, 5_000))


def test_the_request_is_a_command_of_sparkplug() -> None:
    """QoS 0; a time, one metric of the name that the specification gives, a boolean, true; no sequence number."""
    outbox = Outbox()
    outbox.rebirths.want({NODE: HOUR})
    (word,) = outbox.due(0.0, HOUR)
    found = dict(fields(word.text))

    assert Word("spBv1.0/plant/NCMD/edge", rebirth(HOUR * 1_000), qos=0) == word
    assert {1: HOUR * 1_000, 2: found[2]} == found
    assert {1: b"Node Control/Rebirth", 4: 11, 14: 1} == dict(fields(found[2]))  # type: ignore[arg-type]


def test_the_access_list_lets_lanbi_ask_and_the_node_hear() -> None:
    """Only registered nodes, only their rebirth topic's commands, only lanbi; a node reads its own."""
    topics = {"d1": ("spBv1.0/plant/+/edge/#",), "d2": ("spBv1.0/+/+/any/#", "tele/x")}
    text = mosquitto.access_list(Logins(("in",), "probe"), ["d1", "d2"], "v", topics)
    rights = {block.partition("\n")[0]: [line for line in block.splitlines() if "NCMD" in line] for block in text.split("user ")[1:]}

    assert {"in": ["topic write spBv1.0/plant/NCMD/edge"], "probe": [], "d1": ["topic read spBv1.0/plant/NCMD/edge"], "d2": []} == rights


def born(aliases: range) -> str:
    """A birth with so many metrics, each with a name and an alias."""
    metrics = [b"\x0a" + bytes([len(f"m{one}")]) + f"m{one}".encode() + b"\x10" + varint(one) + b"\x20\x0a" for one in aliases]
    return b"".join(b"\x12" + bytes([len(one)]) + one for one in metrics).hex()


def varint(value: int) -> bytes:
    """A number of protobuf."""
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def test_invented_births_take_a_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A login that may speak for a whole node invents devices without end: the oldest births go, the newest of each counts, data remember nothing."""
    monkeypatch.setattr(sparkplug, "MOST", 1_000)
    acceptor = Acceptor(house(WHOLE))
    for number in range(300):
        heard(acceptor, "DBIRTH", payload=born(range(10)), device=f"/d{number}")
        heard(acceptor, "DDATA", payload=DATA, device=f"/x{number}")
        heard(acceptor, "DBIRTH", payload=born(range(5 + number % 2)), device="/again")
    (kept,) = acceptor.foreign._memories.values()
    births = kept[sparkplug.BIRTH]

    assert sum(1 + len(one) for one in births.values()) == kept[sparkplug.SIZE] <= 1_000
    assert {"plant/edge/again", "plant/edge/d299"} <= {*births}
    assert not {*births} & {"plant/edge/d0", "plant/edge/x299"}
    assert [NODE] == heard(acceptor, "DDATA", payload=DATA, device="/d0")


def test_one_birth_may_be_larger_than_all_that_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands alone then, and its data are understood."""
    monkeypatch.setattr(sparkplug, "MOST", 4)
    acceptor = Acceptor(house(SPARKPLUG))

    assert [[], [], []] == [heard(acceptor, kind, payload=payload) for kind, payload in (("DBIRTH", born(range(9))), ("DBIRTH", BIRTH), ("DDATA", DATA))]
