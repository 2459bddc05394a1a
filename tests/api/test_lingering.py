"""Nobody holds the server by being slow."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPResponse
from itertools import count

import pytest

from api.app import create_app
from lanbi import lingering
from lanbi.clock import SystemClock
from lanbi.lingering import LIMITS_S, Watched
from tests.api.seeded import County
from tests.api.served import PATIENCE_S, Client, served

HEAD = b"GET /api/v1/targets HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
def client(county: County, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A server whose patience is a tenth of the real one."""
    monkeypatch.setattr(Watched, "limits", {name: seconds / 10 for name, seconds in LIMITS_S.items()})
    monkeypatch.setattr(Watched, "look_s", 0.1)
    with served(create_app(county.sources())) as found:
        yield found


def line(client: Client, stack: ExitStack, said: bytes = b"") -> socket.socket:
    """An open line on which something was said."""
    made = stack.enter_context(socket.create_connection(("127.0.0.1", client.port), timeout=PATIENCE_S))
    made.sendall(said)
    return made


def until(true: Callable[[], bool]) -> None:
    """Wait for what the server does."""
    clock = SystemClock()
    end = clock.monotonic() + PATIENCE_S
    while not true():
        assert clock.monotonic() < end
        clock.sleep(0.02)


def ended(made: socket.socket) -> bool:
    """Whether the server hangs up; the time-out of the socket says that it does not."""
    try:
        while made.recv(65_536):
            pass
    except ConnectionError:
        return True
    return True


@pytest.mark.parametrize(
    "said",
    [b"", HEAD, HEAD + b"X-Slow: ", b"POST /api/v1/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"],
    ids=["nothing", "half a head", "half a line", "half a body"],
)
def test_half_a_request_is_cut_off(client: Client, said: bytes) -> None:
    """Whoever says nothing, half a head or half a body loses the line."""
    with ExitStack() as stack:
        assert ended(line(client, stack, said))


def test_two_hundred_halves_keep_nobody_out(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """While 200 half-open requests and 50 readers that take nothing hold their lines, everybody else is answered."""
    monkeypatch.setattr(Watched, "limits", LIMITS_S)
    with ExitStack() as stack:
        for _ in range(200):
            line(client, stack, HEAD)
        for _ in range(50):
            line(client, stack, b"GET /board/plotly.min.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")

        assert [200] * 20 == [client.get("/api/v1/targets").status for _ in range(20)]


def test_a_reader_that_takes_nothing_is_cut_off(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five megabytes that nobody takes are not held for ever: only what already lay in the buffers arrives."""
    whole = len(client.get("/board/plotly.min.js").body)
    monkeypatch.setattr(Watched, "limits", {"write": 0.5, "head": 4.0})
    with ExitStack() as stack:
        made = stack.enter_context(socket.socket())
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.settimeout(PATIENCE_S)
        made.connect(("127.0.0.1", client.port))
        made.sendall(b"GET /board/plotly.min.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        first = made.recv(100)
        # A silent line is cut off eight times later than a reader that takes nothing: when it ends, the other has ended.
        assert ended(line(client, stack))
        taken = 0
        try:
            while part := made.recv(65_536):
                taken += len(part)
        except ConnectionError:
            pass

    assert first.startswith(b"HTTP/1.1 200")
    assert taken < whole


def test_one_address_holds_so_many_lines(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line too many of another machine is cut off; this machine's proxy speaks for many."""
    monkeypatch.setattr(Watched, "each", 3)
    monkeypatch.setattr(lingering, "HERE", ("none",))
    with ExitStack() as stack:
        made = [line(client, stack, HEAD) for _ in range(4)]

        assert ended(made[3])


def test_who_is_quick_keeps_the_line(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests on one line, with a pause in between that is no idleness of the server's making."""
    monkeypatch.setattr(Watched, "limits", LIMITS_S)
    with ExitStack() as stack:
        made = line(client, stack)
        for _ in range(2):
            made.sendall(HEAD.replace(b"targets", b"county") + b"\r\n")
            answer = HTTPResponse(made)
            answer.begin()
            assert 200 == answer.status
            assert "sc" == json.loads(answer.read())["id"]


def test_a_slow_reader_is_not_cut_off(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes a little now and then gets the whole, though it takes longer than nothing may be taken for."""
    monkeypatch.setattr(Watched, "limits", {"write": 4.0})
    with ExitStack() as stack:
        made = stack.enter_context(socket.socket())
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.settimeout(PATIENCE_S)
        made.connect(("127.0.0.1", client.port))
        made.sendall(HEAD.replace(b"/api/v1/targets", b"/board/plotly.min.js") + b"\r\n")
        answer, taken, clock = HTTPResponse(made), 0, SystemClock()
        answer.begin()
        begun = clock.monotonic()
        while part := answer.read(16_384):
            taken += len(part)
            if clock.monotonic() < begun + 6:
                clock.sleep(0.05)

    assert answer.length == 0 and taken == int(answer.headers["Content-Length"])


def test_a_body_does_not_wait_for_its_head_to_be_confirmed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nagle's delay is off on every line: with it each answer on a kept line takes 40 ms more. And the kernel takes little that is not on its way."""
    made, seen = Watched.connection_made, list[list[int]]()

    def looked_at(self: Watched, transport: asyncio.Transport) -> None:
        made(self, transport)
        line = transport.get_extra_info("socket")
        seen.append([line.getsockopt(socket.IPPROTO_TCP, option) for option in (socket.TCP_NODELAY, socket.TCP_NOTSENT_LOWAT)])

    monkeypatch.setattr(Watched, "connection_made", looked_at)
    client.get("/livez")

    assert [[1, lingering.UNSENT]] == seen


def test_a_reader_that_takes_nothing_is_answered_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four requests in a row the first is answered, and the next one when that answer is taken: nobody makes a server hold what nobody reads."""
    monkeypatch.setattr(Watched, "limits", LIMITS_S)

    def answered() -> int:
        return int(client.get("/metrics").text.rpartition("lanbi_api_request_seconds_count ")[2])

    whole, before, asked = len(client.get("/api/v1/openapi.json").body), answered(), count(1)
    with ExitStack() as stack:
        made = stack.enter_context(socket.socket())
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        made.connect(("127.0.0.1", client.port))
        made.sendall(4 * b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        until(lambda: answered() - before - next(asked) >= 1)
        for _ in range(20):
            assert 200 == client.get("/livez").status
        others = answered() - before - next(asked) - 20

    assert whole > 3 * lingering.UNSENT
    assert 1 == others
