"""Bulk reading gives what paho's own reading gives, wherever the stream is cut, and whatever stands in it."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from paho.mqtt.client import MQTT_ERR_SUCCESS
from paho.mqtt.enums import CallbackAPIVersion

from ingest import bulk
from ingest.bulk import BulkClient, publishes, unfit
from ingest.group import first_byte

Seen = list[tuple[Any, ...]]
CONNACK = b"\x20\x02\x00\x00"


class House:
    """A client on one end of a pair of sockets, and what it has told in order; the other end is the broker's."""

    def __init__(self, kind: type[mqtt.Client]) -> None:
        self.ours, self.broker = socket.socketpair()
        for end in (self.ours, self.broker):
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 21)
        self.seen: Seen = []
        self.client = kind(CallbackAPIVersion.VERSION2, client_id="us", clean_session=False, manual_ack=True)
        self.client.max_inflight_messages_set(100)
        self.client._sock = self.ours
        self.client.on_message = lambda _c, _u, one: self._note(one._topic, one.mid, first_byte(qos=one.qos, retain=one.retain, dup=one.dup), one.payload)
        self.client.on_connect = lambda _c, _u, _f, reason, _p: self._note("connected", str(reason))
        self.client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._note("subscribed", mid, str(reasons))
        self.client.on_publish = lambda _c, _u, mid, _r, _p: self._note("published", mid)
        self.client.on_disconnect = lambda *_: self._note("disconnected")
        if isinstance(self.client, BulkClient):
            self.client.take = self._take

    def _note(self, *what: Any) -> None:
        self.seen.append(what)

    def _take(self, packets: Sequence[tuple[bytes, int, int, bytes]]) -> None:
        self.seen += packets

    def read(self) -> None:
        """Read until nothing is there; what paho raises at lengths that do not fit counts as the protocol error that it is."""
        for _ in range(1_000):
            before = len(self.seen)
            try:
                done = self.client.loop_read() if self.client._sock else MQTT_ERR_SUCCESS
            except struct.error:
                self.client._loop_rc_handle(mqtt.MQTT_ERR_PROTOCOL)
                return
            if done != MQTT_ERR_SUCCESS or (len(self.seen) == before and not self._waiting()):
                return

    def _waiting(self) -> bool:
        if self.client._sock is None:
            return False
        try:
            return bool(self.ours.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False

    def told(self) -> bytes:
        """What the client has sent."""
        try:
            return self.broker.recv(1 << 20)
        except (BlockingIOError, ConnectionResetError):
            return b""

    def close(self) -> None:
        """Both ends."""
        self.client._sock_close()
        self.ours.close()
        self.broker.close()


@contextmanager
def house(kind: type[mqtt.Client]) -> Iterator[House]:
    """One that is closed again."""
    one = House(kind)
    try:
        yield one
    finally:
        one.close()


def length(size: int) -> bytes:
    """A remaining length, lowest seven bits first."""
    out = bytearray()
    while True:
        size, low = divmod(size, 128)
        out.append(low | (128 if size else 0))
        if not size:
            return bytes(out)


def publish(topic: bytes, payload: bytes, *, first: int = 0x32, mid: int = 1) -> bytes:
    """A PUBLISH packet."""
    body = struct.pack(">H", len(topic)) + topic + (struct.pack(">H", mid) if first & 6 else b"") + payload
    return bytes([first]) + length(len(body)) + body


def heard(kind: type[mqtt.Client], parts: Sequence[bytes]) -> tuple[Seen, bool, bytes]:
    """What a client tells of a stream that comes in these parts, whether it is still connected, and what it has answered."""
    with house(kind) as one:
        for part in parts:
            if part and one.client._sock is not None:
                one.broker.sendall(part)
                one.read()
        return one.seen, one.client._sock is not None, one.told()


STREAM = b"".join(
    [
        CONNACK,
        b"\x90\x03\x00\x01\x01",
        publish(b"lanbi/v1/a/data", b'{"seq": 1}', mid=7),
        publish(b"t", b"", first=0x30),
        publish(b"lanbi/v1/b/data", b"x" * 300, first=0x3B, mid=65_535),
        b"\xd0\x00",
        publish(b"a/b", b"y" * 127, first=0x31),
        publish(b"q/2", b"two", first=0x34, mid=9),
        b"\x62\x02\x00\x09",
        publish("蓝碧/水".encode(), b"z" * 16_500, mid=12),
        publish(b"lanbi/v1/a/data", b'{"seq": 2}', mid=8),
        b"\x40\x02\x00\x05",
    ]
)
"""All kinds of packets that a broker sends, with lengths of one, two and three bytes, retained, repeated, and of every quality of service."""


def test_every_cut_of_the_stream_gives_the_same() -> None:
    """Cut in two at each place, the messages, the other packets' callbacks and the answers are those of paho's own loop, in the same order."""
    expected = heard(mqtt.Client, [STREAM])
    assert (9, True) == (len(expected[0]), expected[1])
    for cut in range(len(STREAM)):
        if cut % 97 and 700 < cut < len(STREAM) - 80:
            continue  # inside the long payload one place is as good as another
        parts = [STREAM[:cut], STREAM[cut:]]
        assert expected == heard(BulkClient, parts), cut


def test_byte_by_byte_gives_the_same() -> None:
    """Nothing is known about how the bytes come."""
    short = STREAM[: STREAM.index(b"\x62\x02")]
    parts = [short[at : at + 1] for at in range(len(short))]
    assert heard(mqtt.Client, parts) == heard(BulkClient, parts)


packets = st.one_of(
    st.builds(
        publish,
        st.binary(min_size=1, max_size=20),
        st.binary(max_size=300),
        first=st.sampled_from([0x30, 0x31, 0x32, 0x33, 0x3A, 0x3B]),
        mid=st.integers(1, 65_535),
    ),
    st.sampled_from([b"\xd0\x00", b"\x40\x02\x00\x05", b"\x90\x03\x00\x01\x01"]),
)


@given(st.lists(packets, min_size=1, max_size=12), st.lists(st.integers(0, 4_000), max_size=6))
def test_random_streams_in_random_pieces_give_the_same(stream: list[bytes], cuts: list[int]) -> None:
    """Any packets, cut anywhere."""
    data = b"".join(stream)
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    parts = [data[low:high] for low, high in pairwise(places)]
    assert heard(mqtt.Client, parts) == heard(BulkClient, parts)


@given(st.binary(min_size=1, max_size=60), st.integers(0, 60))
def test_rubbish_gives_the_same(data: bytes, cut: int) -> None:
    """Bytes that are no MQTT end the connection where paho ends it, or sooner: paho reads on behind a packet of type 0."""
    parts = [data[:cut], data[cut:]]
    (ours, connected, _), (theirs, *more) = heard(BulkClient, parts), heard(mqtt.Client, parts)
    said = ours if connected else ours[:-1]
    assert said == theirs[: len(said)]
    assert (ours, *more[:1]) == (theirs, True) if connected else ours[-1] == ("disconnected",)


MALFORMED = {
    "a topic beyond the packet": b"\x32\x06\x00\x40tt\x00\x01",
    "no topic": b"\x32\x04\x00\x00\x00\x01",
    "both bits of the quality of service": b"\x36\x07\x00\x01t\x00\x01xx",
    "five bytes of length": b"\x32\x80\x80\x80\x80\x01" + b"t" * 20,
    "no room for the packet id": b"\x32\x04\x00\x01t\x00",
    "an unknown type": b"\x00\x02\x00\x00",
    "a publish that is too short": b"\x32\x01\x00",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_packet_ends_the_connection(name: str) -> None:
    """What stood before it is taken, nothing behind it, and the client says that it is disconnected."""
    good = publish(b"t", b"good", mid=3)
    seen, connected, _ = heard(BulkClient, [good + MALFORMED[name] + good])
    assert ([(b"t", 3, 0x32, b"good"), ("disconnected",)], False) == (seen, connected)


def test_a_packet_that_claims_256_mb_costs_no_memory() -> None:
    """Its header alone reserves nothing; it is paho that waits for the rest."""
    with house(BulkClient) as one:
        one.broker.sendall(b"\x32\xff\xff\xff\x7f\x00\x01t\x00\x01" + b"x" * 1_000)
        one.read()
        assert len(one.client._in_packet["packet"]) == 1_005


def test_what_came_before_the_end_of_the_connection_is_taken() -> None:
    """A broker that sends and leaves has still sent."""
    with house(BulkClient) as one:
        one.broker.sendall(publish(b"t", b"last", mid=4))
        one.broker.close()
        one.read()
        one.read()
        assert [(b"t", 4, 0x32, b"last"), ("disconnected",)] == one.seen


def test_half_a_packet_does_not_outlive_its_connection() -> None:
    """The end of a connection inside a packet: on the next one the broker's first packet is read as what it is."""
    with house(BulkClient) as one, socket.create_server(("127.0.0.1", 0)) as server:
        one.broker.sendall(publish(b"lanbi/v1/a/data", b"x" * 200)[:100])
        one.read()
        one.client.connect("127.0.0.1", server.getsockname()[1])
        link, _ = server.accept()
        with link:
            link.sendall(CONNACK)
            one.client._sock.setblocking(True)  # type: ignore[union-attr]
            assert MQTT_ERR_SUCCESS == one.client.loop_read()
        assert ("connected", "Success") == one.seen[-1]


def test_acknowledgements_are_joined_and_are_those_of_paho() -> None:
    """One send; the bytes are those that paho sends one by one."""
    mids = [1, 2, 300, 65_535]
    with house(BulkClient) as ours, house(mqtt.Client) as theirs:
        ours.client.acknowledge(mids)  # type: ignore[attr-defined]
        for mid in mids:
            theirs.client.ack(mid, 1)
        told = ours.told()
        assert (told, 16) == (theirs.told(), len(told))


def test_acknowledgements_that_the_socket_cannot_take_follow_later() -> None:
    """A broker that does not read fills the socket: the rest waits in paho's queue, whole and in order."""
    with house(BulkClient) as one:
        mids = [1 + number % 65_535 for number in range(2_000_000)]
        one.client.acknowledge(mids)  # type: ignore[attr-defined]
        assert one.client.want_write()
        got = b""
        while one.client.want_write():
            got += one.told()
            one.client.loop_write()
        while more := one.told():
            got += more
    assert b"".join(struct.pack(">BBH", 0x40, 2, mid) for mid in mids) == got


def test_words_are_joined_and_their_acknowledgements_are_passed_over() -> None:
    """What is said in one send are PUBLISH packets of QoS 1; the broker's answers to them are no business of paho's, those to paho's own are."""
    words = [(f"lanbi/v1/d{number}/receipt", b"x" * size) for number, size in enumerate((3, 100, 120, 900))]
    with house(BulkClient) as one, house(mqtt.Client) as reader:
        info = one.client.publish("own", b"y", qos=1)
        one.told()
        bad = ("lanbi/v1/号+/receipt", b"x")
        assert [bad] == one.client.say([bad, *words])  # type: ignore[attr-defined]
        reader.broker.sendall(one.told())
        reader.read()
        assert [(topic.encode(), 0x32, payload) for topic, payload in words] == [(seen[0], *seen[2:]) for seen in reader.seen]
        answers = [struct.pack(">BBH", 0x40, 2, seen[1]) for seen in reader.seen]
        own = struct.pack(">BBH", 0x40, 2, info.mid)
        one.broker.sendall(b"".join([*answers[:2], own, publish(b"t", b"z", mid=5), *answers[2:], publish(b"t", b"end", mid=6)]))
        one.read()
        assert [("published", info.mid), (b"t", 5, 0x32, b"z"), (b"t", 6, 0x32, b"end")] == one.seen


def test_topics_of_forged_devices_eat_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only some are remembered, and each is said under its own name all the same."""
    monkeypatch.setattr(bulk, "HEADS", 3)
    words = [(f"lanbi/v1/d{number % 5}/receipt", b"x") for number in range(20)]
    with house(BulkClient) as one, house(mqtt.Client) as reader:
        one.client.say(words)  # type: ignore[attr-defined]
        assert 3 >= len(one.client.heads)  # type: ignore[attr-defined]
        reader.broker.sendall(one.told())
        reader.read()
        assert [topic.encode() for topic, _ in words] == [seen[0] for seen in reader.seen]


def test_another_paho_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a version that was not tested, or one without a name that is touched, the stock way is used, and it is told why."""
    assert "" == unfit()
    monkeypatch.setattr(bulk, "NAMES", ("_gone",))
    assert "has no _gone" in unfit()
    monkeypatch.setattr(bulk, "installed", "9.9.9")
    assert "9.9.9 is installed" in unfit()


def test_a_socket_of_another_kind_is_left_to_paho() -> None:
    """TLS and WebSocket sockets are other objects: paho's own loop reads them."""

    class Wrapped(socket.socket):
        """As a TLS socket is one."""

    with house(BulkClient) as one:
        other = Wrapped(fileno=one.ours.detach())
        one.client._sock = one.ours = other
        one.broker.sendall(publish(b"t", b"x", mid=3) * 2)
        one.client.loop_read()
        assert [(b"t", 3, 0x32, b"x")] == one.seen


def test_only_whole_sound_packets_go_the_short_way() -> None:
    """A row ends at whatever paho must look at."""
    good = publish(b"t", b"x", mid=3)
    for odd in (b"\xd0\x00", good[:-1], *MALFORMED.values(), publish(b"t", b"x", mid=0), publish(b"t", b"x" * 16_384)):
        assert ([(b"t", 3, 0x32, b"x")], len(good)) == publishes(good + odd, 0)
