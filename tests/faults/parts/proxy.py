"""A TCP proxy before the store that can fail in the ways stores fail: gone, silent, slow, cut off, unwilling, or lying.

The service talks to a port that stays the same; what happens on it is changed while it runs. Cutting the answer off after the
request has passed is the cruellest: the store has the rows and nobody has said so.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from lanbi.processes import free

CHUNK: Final = 1 << 16
PATIENCE_S: Final = 60
PASS, REFUSE, HANG, DELAY, CUT_ANSWER, CUT_REQUEST, ANSWER, LATE = "pass", "refuse", "hang", "delay", "cut-answer", "cut-request", "answer", "late"


@dataclass(frozen=True)
class Mode:
    """What the proxy does.

    ``seconds`` is the delay of answers, or in mode late the time after which a request reaches the store whose client was cut off at once; ``size`` the bytes of a request that pass before it is cut; ``status``, ``headers`` and
    ``body`` the answer given in the store's name to requests whose path begins with ``path``, all others pass.
    """

    kind: str = PASS
    seconds: float = 0.0
    size: int = 5_000
    status: int = 503
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b'{"code":"unavailable","message":"the proxy says so"}'
    path: str = "/"


@dataclass
class Proxy:
    """The proxy and its thread."""

    target: int
    port: int = field(default_factory=free)
    counts: Counter[str] = field(default_factory=Counter)
    """Connections by mode, and answers given in the store's name by status."""

    def __post_init__(self) -> None:
        self.mode = Mode()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._changed = asyncio.Event()
        self._late: set[asyncio.Task[None]] = set()
        self._released = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._up = threading.Event()

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        assert self._up.wait(PATIENCE_S)
        self._do(self._listen())

    def stop(self) -> None:
        """Close everything."""
        if self._loop:
            self._do(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE_S)
            self._loop = None

    def set(self, mode: Mode) -> None:
        """Change what happens; connections that are open are cut, as they would be."""
        self._do(self._change(mode))

    def release(self) -> None:
        """Requests that are late arrive now."""
        self._do(self._let_go())

    async def _let_go(self) -> None:
        self._released.set()
        await asyncio.gather(*self._late)
        self._released.clear()

    def _do(self, work: object) -> None:
        assert self._loop, "the proxy is not started"
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)  # type: ignore[arg-type]

    def _run(self) -> None:
        loop = self._loop = asyncio.new_event_loop()
        loop.call_soon(self._up.set)
        loop.run_forever()
        loop.run_until_complete(self._left())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    @staticmethod
    async def _left() -> None:
        """End what is still under way, also what came while everything was being closed; each closes its own lines."""
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # a line that was cut is closed in the loop's next round

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)

    async def _silence(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        self._changed.set()
        self._changed = asyncio.Event()
        for writer in list(self._open):
            writer.transport.abort()
        # Let the connections' tasks see that they are cut.
        await asyncio.sleep(0.01)

    async def _end(self) -> None:
        for task in self._late:
            task.cancel()
        await self._silence()

    async def _change(self, mode: Mode) -> None:
        self.mode = mode
        await self._silence()
        if mode.kind != REFUSE:
            await self._listen()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        self.counts[self.mode.kind] += 1
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                await self._treat(reader, writer)
        finally:
            writer.transport.abort()
            self._open.discard(writer)

    async def _treat(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode.kind == HANG:
            await self._changed.wait()
        elif self.mode.kind == ANSWER:
            await self._answer(reader, writer)
        elif self.mode.kind == LATE:
            await self._keep(reader, writer)
        else:
            await self._pass(reader, writer, b"")

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection: answered in the store's name, or passed and then closed."""
        mode = self.mode
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.split(b" ")[1].decode().startswith(mode.path):
            await self._pass(reader, writer, head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            return
        await reader.readexactly(_length(head))
        self.counts[str(mode.status)] += 1
        lines = [f"HTTP/1.1 {mode.status} proxy", f"Content-Length: {len(mode.body)}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in mode.headers]
        writer.write("\r\n".join([*lines, "", ""]).encode() + mode.body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def _keep(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a request whole and cut its client off; what is on its way arrives later, whatever has happened since."""
        mode = self.mode
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.split(b" ")[1].decode().startswith(mode.path):
            await self._pass(reader, writer, head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            return
        body = await reader.readexactly(_length(head))
        task = asyncio.create_task(self._arrive(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + body, mode.seconds))
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _arrive(self, request: bytes, seconds: float) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._released.wait(), seconds)
        with contextlib.suppress(OSError):
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            try:
                back.write(request)
                await back.drain()
                await there.read()
                self.counts["arrived late"] += 1
            finally:
                back.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        self._open.add(back)
        try:
            back.write(first)
            pumps = [asyncio.create_task(self._requests(reader, back)), asyncio.create_task(self._answers(there, writer))]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            back.transport.abort()
            self._open.discard(back)

    async def _requests(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        passed = 0
        while data := await reader.read(CHUNK):
            passed += len(data)
            if self.mode.kind == CUT_REQUEST and passed > self.mode.size:
                back.write(data[: max(0, self.mode.size - passed + len(data))])
                await back.drain()
                # The store should see the half before it sees the end.
                await asyncio.sleep(0.01)
                return
            back.write(data)
            await back.drain()

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await there.read(CHUNK):
            if self.mode.kind == CUT_ANSWER:
                return
            if self.mode.kind == DELAY:
                await asyncio.sleep(self.mode.seconds)
            writer.write(data)
            await writer.drain()


def _length(head: bytes) -> int:
    """Length of the body that a request's head announces."""
    return next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
