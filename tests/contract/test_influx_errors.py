"""Whatever a library or a server says, it reaches us as one of our errors: no exception of somebody else passes the adapter."""

from __future__ import annotations

import http.client
import inspect
import json
import re
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.client import exceptions as client_exceptions
from influxdb_client.rest import ApiException
from urllib3 import exceptions as http_exceptions

from domain.errors import LanbiError, StoreAway, StoreRefused
from domain.readings import Reading
from lanbi import influx_http
from lanbi import influx_tables as tables
from lanbi.embedded_schema import Connections, Schema
from lanbi.influx import InfluxStore
from lanbi.influx_delivery import Body
from lanbi.influx_http import Influx, Place
from lanbi.influx_words import ours, refusal, translated
from lanbi.secret import Secret
from tests.lanbi.ingest_house import until


def classes_of(*modules: Any) -> list[type[Exception]]:
    """Exception classes that modules or their libraries define."""
    found = {kind for module in modules for kind in vars(module).values() if inspect.isclass(kind) and issubclass(kind, Exception)}
    roots = tuple(module.__name__.partition(".")[0] for module in modules)
    own = (kind for kind in found if kind.__module__.startswith(roots) and not issubclass(kind, Warning))
    return sorted(own, key=lambda kind: kind.__name__)


NEVER = {"ProxySchemeUnsupported": "for proxies of an unknown scheme, and no proxy is ever used"}
FOREIGNERS = [kind for kind in classes_of(http_exceptions, client_exceptions, pa.lib) if kind.__name__ not in NEVER]
FOREIGNERS += [ApiException, http.client.IncompleteRead, TimeoutError, ConnectionResetError, OSError, UnicodeError]


def instance(kind: type[Exception]) -> Exception:
    """One of a class, whatever its constructor asks for."""
    if kind is ApiException:
        return ApiException(status=0, reason="TLS")
    one = kind.__new__(kind)
    one.args = ("what it says",)
    vars(one).update(
        partial=b"" if kind is http.client.IncompleteRead else 0, expected=9, length=b"9", response=SimpleNamespace(tell=lambda: 0, length_remaining=9)
    )
    return one


@pytest.mark.parametrize("kind", FOREIGNERS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_foreign_exception_is_mapped(kind: type[Exception]) -> None:
    """All classes that urllib3, influxdb-client and pyarrow define become errors of the store; a new one of theirs fails here."""
    with pytest.raises((StoreAway, StoreRefused)), ours("http://x"):
        raise instance(kind)


SQLITE = [kind for kind in classes_of(sqlite3) if issubclass(kind, sqlite3.Error)]
OUR_FAULTS = {"InterfaceError", "ProgrammingError", "IntegrityError", "DataError", "NotSupportedError", "InternalError", "Error"}
"""Wrong use of the library: a fault of the program, which must be seen as one."""


@pytest.mark.parametrize("kind", SQLITE, ids=lambda kind: kind.__name__)
def test_every_exception_of_sqlite_has_its_place(kind: type[Exception], tmp_path: Path) -> None:
    """What a disk or another process causes is an error of the store; what only a wrong program causes stays what it is."""
    files = Connections(tmp_path / "x.db", Schema(1, "CREATE TABLE a (b)"), what="file")
    expected = kind if kind.__name__ in OUR_FAULTS else LanbiError
    with pytest.raises(expected), files.refusals():
        raise kind("what it says")
    files.close()


@given(st.integers(100, 599), st.text(), st.none() | st.floats(0, 1e9))
def test_every_answer_is_mapped(status: int, body: str, wait_s: float | None) -> None:
    """Any status with any body is an error of ours that says what to do; only refusals of what was sent carry its words."""
    error = refusal(status, body, wait_s, "http://x")
    assert isinstance(error, (StoreAway, StoreRefused))
    assert str(status) == error.status
    assert error.todo
    assert isinstance(error, StoreAway) or bool(error.said) == (status not in {401, 403, 404, 413} and bool(error.said))


def test_a_time_out_and_a_closed_port_have_their_labels() -> None:
    """Retries are counted by what happened."""
    cases: list[tuple[str, Exception]] = [
        ("timeout", http_exceptions.ReadTimeoutError(urllib3.HTTPConnectionPool("x"), "/", "slow")),
        ("timeout", http_exceptions.ConnectTimeoutError("slow")),
        ("timeout", http_exceptions.ProtocolError("Connection aborted.", TimeoutError("write"))),
        ("timeout", http_exceptions.MaxRetryError(urllib3.HTTPConnectionPool("x"), "/", http_exceptions.ConnectTimeoutError("slow"))),
        ("connection", http_exceptions.ProtocolError("Connection aborted.", ConnectionResetError("reset"))),
        ("connection", ConnectionRefusedError("closed")),
    ]
    for label, error in cases:
        found = translated(error, "http://x")
        assert isinstance(found, StoreAway)
        assert label == found.status


def serving(talk: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """A server of raw bytes, one thread a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ends: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    end, _ = listening.accept()
                except OSError:
                    return
                ends.append(end)
                Thread(target=one, args=(end,), daemon=True).start()

        def one(end: socket.socket) -> None:
            try:
                while data := end.recv(1 << 20):
                    talk(end, data)
            except OSError:
                return

        Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        for end in ends:
            end.close()
        listening.shutdown(socket.SHUT_RDWR)


def answer(body: bytes, head: str = "200 OK") -> Callable[[socket.socket, bytes], None]:
    """Say the same to everything."""
    return lambda end, _: end.sendall(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


TALKS: dict[str, Callable[[socket.socket, bytes], None]] = {
    "nothing": lambda end, _: end.close(),
    "no HTTP": lambda end, _: end.sendall(b"hello\r\n\r\n"),
    "half an answer": lambda end, _: (end.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"), end.close())[0],
    "HTML": answer(b"<html>welcome</html>"),
    "broken JSON": answer(b'{"results": ['),
    "a list": answer(b"[1, 2]"),
    "bytes": answer(b"\xff\xfe\x00"),
    "broken CSV": answer(b'name,tags,time\nair,,"broken\n\nname,tags,name\ndatabases,,x\n'),
    "bytes as an error": answer(b"\xff\xfe\x00", "500 Oops"),
    "a redirect": answer(b"", "302 Found\r\nLocation: /elsewhere"),
    "a bad chunk": lambda end, _: end.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
}


@contextmanager
def strange(talk: str) -> Iterator[InfluxStore]:
    """A store at whose address a stranger listens."""
    for url in serving(TALKS[talk]):
        store = InfluxStore(Place(url, "o", "p"), Secret("t"))
        yield store
        store.close()


READING = Reading("air", "a", 3600, 1_760_000_400, {"pm25": 1.0}, {}, 1)


@pytest.mark.parametrize("talk", TALKS)
def test_a_stranger_at_the_address_is_told_in_our_words(talk: str) -> None:
    """Whatever answers where the database should be, questions end in our errors, and no write is believed before a question was."""
    with strange(talk) as store:
        asked: list[Callable[[], object]] = [lambda: store.write([READING]), lambda: store.cells([READING.key])]
        asked += [lambda: store.changes_after({}), lambda: list(store.rows("air", None, 0, 9))]
        for ask in asked:
            with pytest.raises((StoreAway, StoreRefused)):
                ask()


@pytest.mark.parametrize("talk", TALKS)
def test_a_retention_that_cannot_be_read_is_none(talk: str) -> None:
    """An answer that tells no retention is taken for none; no answer is an error."""
    with strange(talk) as store:
        try:
            assert {} == store.keeps()
        except StoreAway:
            assert talk in {"nothing", "no HTTP", "half an answer", "a bad chunk"}


def test_a_deletion_that_hangs_is_repeated_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never answers a deletion is asked three times, then the store counts as away."""
    asked: list[bytes] = []
    monkeypatch.setattr(influx_http, "DELETE_MS", 1_000)
    for url in serving(lambda _, data: asked.append(data) if data.startswith(b"POST") else None):
        db = Influx(Place(url, "o", "p"), Secret("t"))
        with pytest.raises(StoreAway) as caught:
            db.delete(tables.READINGS["air"], ("a", "60"), 0, 9)
        until(lambda: len(asked) >= 3, "what was asked has arrived, for the client did not wait for it")
        assert ("timeout", 3) == (caught.value.status, len(asked))
        db.close()


def test_a_slow_server_gets_less_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time-out halves the next body; an answer doubles it again, up to the greatest."""
    sizes: list[int] = []
    bodies: dict[socket.socket, bytes] = {}

    def talk(end: socket.socket, data: bytes) -> None:
        head, _, body = (bodies.pop(end, b"") + data).partition(b"\r\n\r\n")
        wanted = int(re.search(rb"(?i)content-length: (\d+)", head)[1])  # type: ignore[index]
        if len(body) < wanted:
            bodies[end] = head + b"\r\n\r\n" + body
            return
        sizes.append(body.count(b"\n") + 1)
        if sizes[-1] <= 1_250 or len(sizes) > 3:
            end.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    monkeypatch.setattr(influx_http, "WRITE_MS", 1_000)
    lines = [b"a b=1.0 %d" % n for n in range(5_000)]
    for url in serving(talk):
        db = Influx(Place(url, "o", "p"), Secret("t"))
        for number in (1, 2):
            with pytest.raises(StoreAway):
                db.write("", lines)
            until(lambda number=number: len(sizes) == number, "the body that was not waited for has arrived")
        # From here on everything is answered, by a thread that may have to wait for its turn.
        db._client.conf.timeout = 60_000
        db.write("", lines)
        db.close()
    assert [5_000, 2_500, 1_250, 2_500, 1_250] == sizes


def test_words_of_a_refusal_point_at_nothing_of_ours() -> None:
    """A conflict in a field or table that no row has is a fault of the store, and so is a line that was never sent."""
    said = 'partial write: field type conflict: input field "x" on measurement "y" is type float, already exists as type string dropped=1'
    row = Reading("air", "a", 3600, 0, {"pm25": 1.0}, {}, 1)

    def send(_lines: object) -> None:
        raise refusal(422, json.dumps({"message": said}), None, "http://x")

    with pytest.raises(StoreRefused):
        Body([row, row], [b"a", b"b"], send).deliver()
