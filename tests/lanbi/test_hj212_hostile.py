"""What a broken or hostile logger may do to the TCP door: no answer that fits into no frame, no disk full of invented MNs, no descriptor too few."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from ingest.decoders.hj212 import MAX_SEGMENT, Packet, frame, parse, reply
from ingest.door import AGAIN_S, MNS, MOST, STRANGERS
from lanbi.hj212_door import SPARE
from tests.ingest.decoders.test_hj212_read import FRAMES, MN
from tests.lanbi.ingest_house import until
from tests.lanbi.test_hj212_door import House, answers, house, shut

DATA = "CN=2011;MN={mn};Flag=5;CP=&&DataTime=20261123090000;a34004-Rtd=58,a34004-Flag=N&&"
SEALED = b"CP=&&{0x00}&&"


def filled(head: str, rest: bytes, size: int) -> bytes:
    """A segment of exactly so many bytes, its QN as long as it takes."""
    room = size - len(head.format(qn="").encode()) - len(rest)
    return head.format(qn="2" * room).encode() + rest


def sealed() -> bytes:
    """A frame whose data area is encrypted may be longer than others; its header alone nearly fills a segment."""
    segment = filled(f"QN={{qn}};ST=22;CN=2011;PW=123456;MN={MN};Flag=5;", SEALED, MAX_SEGMENT + len(SEALED) - len(b"CP=&&"))
    return b"##%04d%b0000\r\n" % (len(segment), segment)


POISON = {
    "a QN that fills the segment": frame(filled("QN={qn};", DATA.format(mn=MN).encode(), MAX_SEGMENT)),
    "a QN that is no text": frame(b"QN=" + b"\xff" * 600 + b";" + DATA.format(mn=MN).encode()),
    "a header that only an encrypted packet may have": sealed(),
}


@pytest.mark.parametrize("name", POISON)
def test_no_packet_ends_the_door(name: str, tmp_path: Path) -> None:
    """It is kept and answered like any other, without the field that is too long; the neighbour never notices."""
    with house(tmp_path) as one, one.call() as good, one.call() as mad:
        mad.sendall(POISON[name])
        until(lambda: one.door.counts["answers"] == 1 or not one._thread.is_alive(), "it is answered")
        good.sendall(FRAMES["V7"])
        told = answers(good, 1)

        assert [POISON[name], FRAMES["V7"]] == [payload for _, payload in one.kept()]
        assert ["9014"] == [packet.command for packet in told]
        assert {"ST": "91", "CN": "9014", "MN": MN, "Flag": "4"} == {key: value for key, value in answers(mad, 1)[0].header.items() if key != "PW"}


def test_fields_come_back_as_they_stood() -> None:
    """Long but possible ones too, by the byte; and the longest answer fits."""
    long = "QN={0};PW={0};MN={0}".format("数" * 64)
    packet = parse(f"{long};CN=2011;Flag=5;CP=&&&&".encode())

    assert isinstance(packet, Packet)
    assert frame(f"{long.replace(';PW', ';ST=91;CN=9014;PW')};Flag=4;CP=&&&&".encode()) == reply(packet)


def stranger(one: House, numbers: range) -> None:
    """Packets of so many MNs that nobody has, on as many connections as it takes."""
    for start in range(numbers.start, numbers.stop, STRANGERS):
        some = range(start, min(start + STRANGERS, numbers.stop))
        with one.call() as link, suppress(OSError):
            link.sendall(b"".join(frame(DATA.format(mn=f"X{number:012d}").encode()) for number in some))
            link.shutdown(1)
            link.recv(1)


def test_invented_numbers_do_not_fill_the_disk(tmp_path: Path) -> None:
    """An unknown MN is told so that it can be registered; of thousands that are invented a thousand are told, and later a thousand more."""
    with house(tmp_path) as one:
        stranger(one, range(MNS + 400))
        until(lambda: one.door.counts["unknown"] == MNS + 400, "all are heard")
        first = len(one.kept())
        one.clock.ahead += AGAIN_S + 1
        stranger(one, range(MNS + 400, MNS + 410))
        until(lambda: one.door.counts["unknown"] == MNS + 410, "the later ones too")

        assert MNS == first
        assert MNS + 10 == len(one.kept())


def test_connections_beyond_the_most_are_refused(tmp_path: Path) -> None:
    """Those that are there are served on."""
    with house(tmp_path) as one, one.call() as good:
        one.door.most = 1
        until(lambda: len(one.door.links) == 1, "the first is in")
        with one.call() as late:
            assert shut(late)
        good.sendall(FRAMES["V7"])

        assert ["9014"] == [packet.command for packet in answers(good, 1)]
        assert 1 == one.door.counts["refused"]


@pytest.mark.parametrize(
    ("soft", "hard", "room", "raised"), [(100, 100, 100 - SPARE, 100), (256, 1_024, 1_024 - SPARE, 1_024), (256, 4_096, MOST, MOST + SPARE), (10, 10, 1, 10)]
)
def test_there_is_always_a_descriptor_for_the_journal(soft: int, hard: int, room: int, raised: int) -> None:
    """Connections take what the system gives, but for some: a door without any could not refuse, nor begin a new day."""
    text = (
        "from lanbi.hj212_door import room; import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({0}, {1})); "
        "print(room(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", text.format(soft, hard)], capture_output=True, text=True, check=True)

    assert f"{room} {raised}" == done.stdout.strip()
