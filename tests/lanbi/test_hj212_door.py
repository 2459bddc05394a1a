"""The TCP door for HJ 212 loggers, on real sockets and a real journal: answers after the disk, and nothing that a stranger sends grows."""

from __future__ import annotations

import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from domain.civil import parse_date
from domain.errors import JournalError, RegistryError
from ingest.decoders.hj212 import MAX_FRAME, Dialect, Packet, frame, packets
from ingest.door import IDLE_S, MOST, NOISE, ONCE, PARTIAL_S, STRANGER_S, Door
from lanbi.clock import SystemClock
from lanbi.hj212_door import bound
from lanbi.hj212_keys import add, with_keys
from lanbi.journal import JournalWriter, read
from lanbi.processes import free
from lanbi.registry import loads
from tests.ingest.decoders.foreign_house import PLACES, device
from tests.ingest.decoders.test_hj212_read import FRAMES, MN
from tests.ingest.decoders.test_hj212_sm4 import KEY, SEALED
from tests.lanbi.ingest_house import PATIENCE_S, until

LOGGER = f'format = "hj212"\nnames = {{"{MN}" = "a1"}}\npeers = ["127.0.0.1"]\n'
OTHER = 'format = "hj212"\nnames = {"88888880000001" = "s1"}\npeers = ["127.0.0.0/8"]\ncrc = "modbus"\n'
FAR = 'format = "hj212"\nnames = {"88888880000002" = "a2"}\npeers = ["10.0.0.0/8"]\n'
COUNTY = PLACES + device('["a1"]', LOGGER) + device('["s1"]', OTHER, "d2") + device('["a2"]', FAR, "d3")
ANSWER = b"ST=91;CN=9014"


class Clockwork(SystemClock):
    """The machine's clock, which a test may put forward or stop."""

    ahead = 0.0
    stopped: float | None = None

    def stop(self) -> None:
        """No time passes any more: however long a test takes, nobody is silent for too long."""
        self.stopped = super().monotonic()

    def monotonic(self) -> float:
        """Later than it is, or as late as it was."""
        return (super().monotonic() if self.stopped is None else self.stopped) + self.ahead


class House:
    """A door in a thread, with its journal."""

    def __init__(self, folder: Path, county: str = COUNTY) -> None:
        self.registry, self.clock = loads(county, "door.toml"), Clockwork()
        self.folder = folder / "journal"
        self.writer = JournalWriter(self.folder, "hj212")
        self.port = free()
        self.door = Door(bound(f"127.0.0.1:{self.port}"), self.writer, self.clock, lambda: self.registry)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self.door.run, args=(self._over.is_set,))
        self._thread.start()

    def call(self) -> socket.socket:
        """A connection."""
        one = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        return one

    def close(self) -> None:
        """End the door, then its journal."""
        self._over.set()
        self._thread.join(PATIENCE_S)
        with suppress(JournalError):
            self.writer.close()

    def kept(self) -> list[tuple[str, bytes]]:
        """Topic and bytes of what is durable."""
        return [(one.topic, one.payload) for one in read(self.folder, "hj212", 0)]


@contextmanager
def house(folder: Path, county: str = COUNTY) -> Iterator[House]:
    """A house whose thread does not outlive the test."""
    one = House(folder, county)
    try:
        yield one
    finally:
        one.close()


def heard(one: socket.socket, wanted: int) -> bytes:
    """What a connection hears until it has so many answers: they may come in any pieces."""
    got = b""
    while got.count(b"\r\n") < wanted and (more := one.recv(4_096)):
        got += more
    return got


def answers(one: socket.socket, wanted: int) -> list[Packet]:
    """Answers of a connection, so many."""
    return [packet for packet in packets(heard(one, wanted)) if isinstance(packet, Packet)]


def shut(one: socket.socket) -> bool:
    """Whether a connection is ended and nothing was said on it; what the other side has not read yet makes the end a hard one."""
    try:
        return one.recv(10) == b""
    except ConnectionResetError:
        return True


def test_an_upload_is_answered_when_it_is_durable(tmp_path: Path) -> None:
    """9014 with its QN; what wants no answer gets none; every byte stands in the journal under the logger's device."""
    with house(tmp_path) as one, one.call() as logger:
        logger.sendall(FRAMES["V7"] + FRAMES["V16"])
        told = answers(logger, 2)

        assert [("9014", "20261123090000001"), ("9014", "20261123093000124")] == [(packet.command, packet.header["QN"]) for packet in told]
        assert [("lanbi/v1/d1/data", FRAMES["V7"]), ("lanbi/v1/d1/data", FRAMES["V16"])] == one.kept()


def test_a_packet_sent_again_is_answered_again(tmp_path: Path) -> None:
    """A logger that heard nothing sends up to four times; each is kept, and later known as the same."""
    with house(tmp_path) as one, one.call() as logger:
        logger.sendall(FRAMES["V7"] * 4)

        assert 4 == len(answers(logger, 4))
        assert 4 == len(one.kept())


def test_split_packets_and_pieces_of_packets(tmp_path: Path) -> None:
    """Parts in the wrong order, in single bytes."""
    with house(tmp_path) as one, one.call() as logger:
        for byte in FRAMES["V9b"] + FRAMES["V9"]:
            logger.sendall(bytes([byte]))

        assert ["20261123090000003", "20261123090000002"] == [packet.header["QN"] for packet in answers(logger, 2)]


def test_each_logger_has_its_own_crc(tmp_path: Path) -> None:
    """Behind one relay: the standard's and, where registered, that of Modbus, which also answers so."""
    segment = FRAMES["V18"][6:-6].replace(b"CP=", b"Flag=1;CP=")
    with house(tmp_path) as one, one.call() as relay:
        relay.sendall(FRAMES["V7"] + frame(segment, "modbus") + frame(segment))
        got = heard(relay, 2)
        until(lambda: len(one.kept()) == 3, "all three are kept")

        assert frame(b"ST=91;CN=9014;PW=123456;MN=88888880000001;Flag=0;CP=&&&&", "modbus") in got
        assert ["d1", "d2", "d2"] == [topic.split("/")[2] for topic, _ in one.kept()]
        assert 1 == one.door.counts["bad"]


def test_strangers_are_not_answered(tmp_path: Path) -> None:
    """An MN that nobody has is a dead letter once; one that is registered elsewhere is not let in from here."""
    nobody = FRAMES["V7"].replace(MN.encode(), b"88888880000009")
    nobody = frame(nobody[6:-6])
    far = frame(FRAMES["V7"][6:-6].replace(MN.encode(), b"88888880000002"))
    with house(tmp_path) as one, one.call() as stranger:
        stranger.sendall(nobody * 3 + far)
        until(lambda: one.door.counts["unknown"] == 4, "they are counted")
        until(lambda: len(one.kept()) == 2, "one of each is kept")
        stranger.sendall(nobody * 20)

        assert shut(stranger)
        assert {"lanbi/v1/~88888880000009/data", "lanbi/v1/~88888880000002/data"} == {topic for topic, _ in one.kept()}
        assert 0 == one.door.counts["answers"]


def test_an_address_that_no_logger_has_is_not_listened_to(tmp_path: Path) -> None:
    """Nor one of a county without loggers."""
    with house(tmp_path, PLACES + device('["a2"]', FAR)) as one, one.call() as stranger:
        assert shut(stranger)
        assert 1 == one.door.counts["refused"]


def test_a_wrong_password_is_not_answered(tmp_path: Path) -> None:
    """Where one is registered."""
    with house(tmp_path, COUNTY.replace("peers", 'pw = "654321"\npeers', 1)) as one, one.call() as logger:
        logger.sendall(FRAMES["V7"])
        until(lambda: one.door.counts["unknown"], "it is counted")

        assert 0 == one.door.counts["answers"]


def broken(logger: socket.socket) -> None:
    """Whatever a broken logger may send, until it is cut off."""
    pieces = (FRAMES["V7"].replace(b"=58,", b"=59,"), FRAMES["V7"][:100], b"##9999", b"##1024" + b"x" * 2_000, bytes(range(256)) * 64)
    with suppress(OSError):
        for piece in pieces * 20:
            logger.sendall(piece)
        while logger.recv(4_096):
            pass


def test_ten_megabytes_without_a_line_end_take_no_room(tmp_path: Path) -> None:
    """The connection is cut after a bounded amount; the neighbour is answered all the while."""
    most = 0
    with house(tmp_path) as one, one.call() as good, one.call() as flood:
        with suppress(OSError):
            for _ in range(160):
                flood.sendall(b"A" * 65_536)
                most = max([most, *(len(link.buffer) for link in list(one.door.links.values()))])
                good.sendall(FRAMES["V7"])
        until(lambda: one.door.counts["cut"] == 1, "the flood is cut off")
        good.sendall(FRAMES["V16"])
        until(lambda: one.door.counts["answers"] == one.door.counts["packets"] > 0, "the neighbour is answered")

        assert most <= ONCE + MAX_FRAME
        assert one.door.counts["noise_bytes"] <= NOISE + ONCE


@pytest.fixture
def descriptors() -> Iterator[int]:
    """Room for so many connections, both ends of them in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4_096 if hard == resource.RLIM_INFINITY else min(4_096, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield 1_000 if wanted >= 2_300 else wanted // 3
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_connections_and_a_good_neighbour(tmp_path: Path, descriptors: int) -> None:
    """Silent ones, slow ones that send a byte now and then, broken ones: memory is bounded by their number, and the good one is served."""
    with house(tmp_path) as one:
        one.clock.stop()
        crowd = [one.call() for _ in range(descriptors)]
        until(lambda: len(one.door.links) == descriptors, "all are let in")
        mad = threading.Thread(target=broken, args=(crowd[0],))
        mad.start()
        with one.call() as good:
            for turn in range(20):
                for slow in crowd[1:100]:
                    slow.sendall(FRAMES["V7"][turn : turn + 1])
                good.sendall(FRAMES["V7"])
                assert ["9014"] == [packet.command for packet in answers(good, 1)]
        room = sum(len(link.buffer) + len(link.unsent) for link in list(one.door.links.values()))
        for link in crowd:
            link.close()
        mad.join()
        until(lambda: not one.door.links, "all are gone")

        assert 20 == one.door.counts["packets"] == one.door.counts["answers"]
        assert room <= (descriptors + 1) * (ONCE + MAX_FRAME)
        assert descriptors < MOST


@pytest.mark.parametrize(("said", "seconds"), [(b"", STRANGER_S), (b"##0279QN", PARTIAL_S), (FRAMES["V7"], IDLE_S), (FRAMES["V7"] + b"##0279", PARTIAL_S)])
def test_whoever_stays_silent_is_cut_off(tmp_path: Path, said: bytes, seconds: float) -> None:
    """A stranger, half a frame, a link that has died; the half frame of a logger is told in the dead letters."""
    with house(tmp_path) as one, one.call() as logger:
        logger.sendall(said)
        until(lambda: one.door.links and (not said or any(link.heard > link.opened or link.buffer for link in one.door.links.values())), "it is heard")
        time.sleep(0.3)
        one.clock.ahead += seconds + 1
        until(lambda: not one.door.links, "it is cut off")
        whole, half = said.startswith(FRAMES["V7"]), said.removeprefix(FRAMES["V7"])

        assert [FRAMES["V7"]] * whole + [half] * bool(whole and half) == [payload for _, payload in one.kept()]


def test_nothing_is_answered_that_is_not_on_disk(tmp_path: Path) -> None:
    """While the journal cannot be written loggers hear nothing; then each gets its answer."""
    with house(tmp_path) as one, one.call() as logger:
        real, failing = one.writer.commit, threading.Event()
        failing.set()

        def commit() -> Any:
            if failing.is_set():
                raise JournalError("disk full", "test")
            return real()

        one.writer.commit = commit  # type: ignore[method-assign]
        logger.sendall(FRAMES["V7"])
        until(lambda: one.door.fault, "the fault is told")
        assert (0, []) == (one.door.counts["answers"], one.kept())
        failing.clear()

        assert ["9014"] == [packet.command for packet in answers(logger, 1)]
        assert "" == one.door.fault


@pytest.mark.parametrize("peers", ['["nowhere"]', '["10.0.0.0/99"]', "[1]"])
def test_peers_are_addresses(peers: str) -> None:
    """Told with the line."""
    with pytest.raises(RegistryError):
        loads(PLACES + device('["a1"]', f"peers = {peers}"), "f.toml")


def test_an_encrypted_packet_waits_in_the_journal_for_its_key(tmp_path: Path) -> None:
    """Without a key its sender is known by the plain header: kept whole, counted as a packet, answered. With keys what none opens is broken."""
    plain, sealed = SEALED["V7"]
    with house(tmp_path) as one, one.call() as logger:
        logger.sendall(sealed)
        assert [("9014", "20261123090000001")] == [(packet.command, packet.header["QN"]) for packet in answers(logger, 1)]
        assert [("lanbi/v1/d1/data", sealed)] == one.kept()
        add(tmp_path, "d1", KEY.hex(), parse_date("2026-10-01"))
        one.registry = with_keys(one.registry, tmp_path)
        logger.sendall(sealed.replace(b"{0x", b"{0xff,0x", 1)[: len(sealed) - 7] + sealed[-7:] + sealed)
        assert 1 == len(answers(logger, 1))
        until(lambda: 3 == len(one.kept()), "all bytes are kept")
        assert {"packets": 2, "bad": 1} == {name: one.door.counts[name] for name in ("packets", "bad")}
        assert plain in b"".join(packet.raw for packet in packets(sealed, Dialect(keys=one.registry.keyring("d1"))) if isinstance(packet, Packet))
