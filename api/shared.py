"""One answer for all who ask the same: fifty boards that poll cost the store as much as one.

An answer is made once and told for :data:`HOLD_S`, or :data:`NEWEST_S`, to whoever asks the same with the same rights; those who ask while it is being made
wait for it. One that was long in the making is made anew before its time is over, while the kept one is still told, so that where many
ask nobody waits for it. How old an answer is stands in ``Age`` (RFC 9111), so nobody takes an answer of before for one of now. What is
entered through this API forgets all of them at once: whoever entered something sees what came of it. People who are bound to their own
enterprise get answers of their own.
"""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, Final

from anyio import to_thread
from fastapi import Request, Response

from api.access import caller_of
from api.answers import known
from domain.ports import Clock

NS: Final = 1_000_000_000
HOLD_S: Final = 2.0
"""Little beside the 15 s between two polls of a board."""
NEWEST_S: Final = 0.5
"""For what was measured last: a reading shows within two seconds, and the way to us takes its share of them."""
AHEAD: Final = 32.0
"""An answer is made anew when less of its time is left than so many times what its making took, and half of its time is over: what is quickly made costs
the store no more."""
JUMP_S: Final = 300
"""The county's clock may run faster, or be set: beyond this it is another question [s]."""
MOST_BYTES: Final = 32_000_000
"""Kept at once; those made longest ago go first."""
PACKED_BYTES: Final = 1_000
LEVEL: Final = 5
CONDITION: Final = b"if-none-match"


@dataclass(slots=True)
class Told:
    """An answer as it was made: when its making began, how long that took, the county's time then, and how long it is told [s]."""

    content: bytes
    headers: dict[str, str]
    made: float = 0.0
    took: float = 0.0
    county: int = 0
    hold: float = HOLD_S
    packed: bytes | None = None

    def response(self, request: Request, age: float | None = None) -> Response:
        """It as an answer to this request: 304 where the caller holds it, packed where the caller unpacks; with its age [s] where it grows old."""
        headers = self.headers if age is None else {**self.headers, "Age": str(int(age))}
        if known(request, headers.get("etag", "")):
            return Response(status_code=304, headers={name: value for name, value in headers.items() if name != "content-type"})
        if len(self.content) < PACKED_BYTES or "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self.content, headers=headers)
        if self.packed is None:
            self.packed = gzip.compress(self.content, LEVEL, mtime=0)
        return Response(self.packed, headers={**headers, "Content-Encoding": "gzip"})


class Shared:
    """Answers by question; lives in the event loop, so it needs no lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: OrderedDict[object, Told] = OrderedDict()
        self._making: dict[object, asyncio.Task[Told]] = {}
        self._bytes = 0

    async def ask(self, question: object, make: Callable[[], Response], hold: float = HOLD_S) -> tuple[Told, float]:
        """The answer and its age [s]; made in a thread by the first who asks, and kept for ``hold`` seconds."""
        found = self._told.get(question)
        if found is None or self._old(found):
            # One who goes away leaves the others waiting for it.
            found = await asyncio.shield(self._task(question, make, hold))
        elif self._ends(found):
            self._task(question, make, hold)
        return found, max(0.0, self._clock.monotonic() - found.made)

    def _task(self, question: object, make: Callable[[], Response], hold: float) -> asyncio.Task[Told]:
        """Its making: that under way, or one begun now."""
        task = self._making.get(question)
        if task is None:
            task = self._making[question] = asyncio.create_task(self._make(make, hold))
            task.add_done_callback(partial(self._done, question))
        return task

    def _old(self, told: Told) -> bool:
        return self._clock.monotonic() - told.made >= told.hold or abs(self._clock.now_ns() // NS - told.county) >= JUMP_S

    def _ends(self, told: Told) -> bool:
        """Whether it is time to make it anew beside."""
        return self._clock.monotonic() - told.made >= told.hold - min(told.hold / 2, AHEAD * told.took)

    async def _make(self, make: Callable[[], Response], hold: float) -> Told:
        begun, county = self._clock.monotonic(), self._clock.now_ns() // NS
        made = await to_thread.run_sync(make)
        headers = {name: value for name, value in made.headers.items() if name != "content-length"}
        return Told(bytes(made.body), headers, begun, self._clock.monotonic() - begun, county, hold)

    def _done(self, question: object, task: asyncio.Task[Told]) -> None:
        """Keep what was made, unless something was entered meanwhile."""
        current = self._making.get(question) is task
        if current:
            del self._making[question]
        # Looked at in any case: of what is made ahead nobody waits to hear that it failed. Who asks when the kept answer is old will hear.
        if task.cancelled() or task.exception() or not current:
            return
        self._drop(question)
        self._told[question] = task.result()
        self._bytes += len(task.result().content)
        while self._told and (self._bytes > MOST_BYTES or self._old(next(iter(self._told.values())))):
            self._drop(next(iter(self._told)))

    def _drop(self, question: object) -> None:
        gone = self._told.pop(question, None)
        self._bytes -= len(gone.content) if gone else 0

    def forget(self) -> None:
        """Something was entered: neither what is kept nor what is being made is news any more."""
        self._told.clear()
        self._making.clear()
        self._bytes = 0


def shared(endpoint: Callable[..., Response], hold: float = HOLD_S) -> Callable[..., Any]:
    """A route whose answer depends on its address, on Accept and on the caller's rights, and on nothing else that the caller says."""

    @wraps(endpoint)
    async def asked(request: Request, **given: Any) -> Response:
        caller, answers = caller_of(request), request.app.state.shared
        assert isinstance(answers, Shared)  # noqa: S101  the factory put it there
        if caller.bound:
            return await to_thread.run_sync(partial(endpoint, request=request, **given))
        address = request.scope["path"], request.scope["query_string"], request.headers.get("accept"), caller.rights
        told, age = await answers.ask(address, partial(endpoint, request=_plain(request), **given), hold)
        return told.response(request, age)

    return asked


def shared_briefly(endpoint: Callable[..., Response]) -> Callable[..., Any]:
    """:func:`shared`, for routes that show what was measured last."""
    return shared(endpoint, NEWEST_S)


def _plain(request: Request) -> Request:
    """The request without its condition: what is made is the whole answer."""
    headers = [pair for pair in request.scope["headers"] if pair[0] != CONDITION]
    return Request({**request.scope, "headers": headers}, request.receive)
