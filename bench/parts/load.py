"""A load generator: publishes prepared messages at QoS 1 on one connection, as fast as a window allows or at a rate. Run as a program.

``python bench/parts/load.py PORT FILE WINDOW RATE``: FILE was written by :func:`prepare`; WINDOW messages may be without PUBACK;
RATE [messages/s] 0 = as fast as possible. It prints one JSON object: messages, seconds, seconds of the processor, connections made.
It does almost nothing: the bytes are made before, and it looks after acknowledgements every few milliseconds only.
"""

from __future__ import annotations

import json
import mmap
import resource
import select
import socket
import struct
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np

TURN_S: Final = 0.004
HEAD: Final = struct.Struct("<QQ")
IDS: Final = 65_535
PATIENCE_S: Final = 60.0
CONNECT: Final = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x00\x00\x04load"


def prepare(path: Path, messages: Iterable[tuple[str, bytes]]) -> int:
    """Write (topic, payload) as packets with the offset behind each; how many."""
    packets, ends, at = [], [], 0
    for number, (topic, payload) in enumerate(messages):
        name = topic.encode()
        body = struct.pack(">H", len(name)) + name + struct.pack(">H", number % IDS + 1) + payload
        packet = b"\x32" + _length(len(body)) + body
        at += len(packet)
        packets.append(packet)
        ends.append(at)
    with path.open("wb") as file:
        file.write(HEAD.pack(len(ends), at))
        file.write(np.array(ends, np.int64).tobytes())
        file.writelines(packets)
    return len(ends)


def _length(size: int) -> bytes:
    out = bytearray()
    while size > 127:
        out.append(size & 127 | 128)
        size >>= 7
    out.append(size)
    return bytes(out)


def blast(port: int, path: Path, window: int, rate: float) -> dict[str, float]:
    """Publish the file; back when everything is acknowledged."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        count, size = HEAD.unpack_from(whole)
        ends = np.frombuffer(whole, np.int64, count, HEAD.size).tolist()
        with memoryview(whole)[HEAD.size + 8 * count :] as packets, socket.create_connection(("127.0.0.1", port)) as link:
            assert len(packets) == size
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link.sendall(CONNECT)
            assert link.recv(4, socket.MSG_WAITALL) == b"\x20\x02\x00\x00", "the broker refused"
            link.setblocking(False)
            return _published(link, packets, ends, window, rate)


def _published(link: socket.socket, packets: memoryview, ends: list[int], window: int, rate: float) -> dict[str, float]:
    count = len(ends)
    begun, used, wall = time.perf_counter(), _cpu(), time.time()
    answered = sent = 0
    heard = begun
    while answered < 4 * count:
        now = time.perf_counter()
        assert now - heard < PATIENCE_S, "the broker acknowledges nothing any more"
        upto = min(count, answered // 4 + window, int((now - begun) * rate) if rate else count)
        if upto and sent < ends[upto - 1]:
            with suppress(BlockingIOError):
                sent += link.send(packets[sent : ends[upto - 1]])
        time.sleep(TURN_S)
        if select.select([link], [], [], 0)[0]:
            came = link.recv(1 << 20)
            assert came, "the broker hung up"
            answered, heard = answered + len(came), now
        elif sent == 0:
            heard = now
    return {"messages": count, "seconds": time.perf_counter() - begun, "cpu": _cpu() - used, "begun": wall}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(json.dumps(blast(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))))
