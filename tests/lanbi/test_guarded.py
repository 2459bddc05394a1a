"""The guard before a server store: a silent store takes some threads of the API, never all, and is not asked by everybody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from api.app import THREADS
from domain.errors import StoreAway
from domain.readings import Reading
from lanbi.guarded import AT_ONCE, KEPT_S, PAUSE_S, Guarded
from lanbi.store import OpenStore


@dataclass
class Hand:
    """A clock moved by hand."""

    now: float = 100.0

    def now_ns(self) -> int:
        """Not asked."""
        return 0

    def monotonic(self) -> float:
        """Where it stands."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Not asked."""


@dataclass
class Store:
    """A store that answers, is silent until released, or fails."""

    silent: bool = False
    failing: bool = False
    asked: int = 0
    released: threading.Event = field(default_factory=threading.Event)
    reached: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def entered(self, kind: str) -> list[str]:
        """One question."""
        self.asked += 1
        self.reached.release()
        if self.silent:
            self.released.wait(100)
        if self.failing:
            raise StoreAway("away")
        return [kind]

    def rows(self, *_: Any) -> Iterator[Reading]:
        """Some rows, one by one."""
        for time in range(3):
            self.asked += 1
            yield Reading("air", "a", 3600, time, {"pm25": 1.0})


def guard(store: Store, clock: Hand | None = None) -> Guarded:
    """The guard before it."""
    return Guarded(cast(OpenStore, store), clock or Hand(), at_once=2)


def test_threads_are_left_for_what_needs_no_store() -> None:
    """Questions to the store never take more than half of the API's threads."""
    assert 2 * AT_ONCE <= THREADS


def test_well_store_is_simply_asked() -> None:
    """Answers pass, as often as they are asked for, rows too; one who stops reading rows gives the place back."""
    store = Store()
    one = guard(store)
    for _ in range(5):
        next(iter(one.rows("air", None, 0, 9)))

    assert [["reported"]] * 5 == [one.entered("reported") for _ in range(5)]
    assert [0, 1, 2] == [row.time for row in one.rows("air", None, 0, 9)]


def test_what_was_entered_is_asked_for_once_a_second() -> None:
    """Within a second the same entries are told again; another kind, and the next second, are asked for."""
    clock, store = Hand(), Store()
    one = guard(store, clock)
    told = [one.entered("confirmation") for _ in range(3)]
    told[0].clear()
    one.entered("reported")
    within = store.asked
    clock.now += KEPT_S

    assert ([["confirmation"]] * 2, 2) == (told[1:], within)
    assert ["confirmation"] == one.entered("confirmation")
    assert 3 == store.asked


def test_silent_store_holds_so_many_questions_and_no_more() -> None:
    """With two questions unanswered the next one is told that the store is slow, and none of it reaches the store."""
    store = Store(silent=True)
    one = guard(store)
    held = [threading.Thread(target=one.entered, args=("x",)) for _ in range(2)]
    for thread in held:
        thread.start()
        assert store.reached.acquire(timeout=60)
    with pytest.raises(StoreAway, match="slow"):
        one.entered("x")
    store.silent = False
    store.released.set()
    for thread in held:
        thread.join(60)

    assert 2 == store.asked
    assert ["x"] == one.entered("x")


def test_after_a_failure_one_question_tries() -> None:
    """Behind a failure everybody is told at once; after the pause one question goes through, and its success opens the door."""
    clock, store = Hand(), Store(failing=True)
    one = guard(store, clock)
    for expected in (1, 1, 1):
        with pytest.raises(StoreAway):
            one.entered("x")
        assert expected == store.asked
    clock.now += PAUSE_S
    for _ in range(2):
        with pytest.raises(StoreAway):
            one.entered("x")
    tried = store.asked
    clock.now += PAUSE_S
    store.failing = False

    assert 2 == tried
    assert [["x"]] * 3 == [one.entered("x") for _ in range(3)]
