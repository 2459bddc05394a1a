"""How often one caller may ask."""

import pytest

from api.limits import MOST, Buckets, OnceAnHour, Pace
from api.problems import Problem


def test_a_burst_then_a_pace() -> None:
    """Five at once, then two a second; another caller is not touched."""
    now = [0.0]
    buckets, pace = Buckets(lambda: now[0]), Pace(5, 2)
    for _ in range(5):
        buckets.take("a", pace)
    with pytest.raises(Problem) as refusal:
        buckets.take("a", pace)
    buckets.take("b", pace)
    now[0] = 0.5
    buckets.take("a", pace)

    assert (429, "1") == (refusal.value.status, refusal.value.headers["Retry-After"])
    with pytest.raises(Problem):
        buckets.take("a", pace)


def test_callers_are_forgotten_in_turn() -> None:
    """A storm of names takes a bounded memory."""
    buckets = Buckets(lambda: 0.0)
    for number in range(MOST + 50):
        buckets.take(str(number), Pace(1, 1))

    assert MOST == len(buckets._left)


def test_once_an_hour() -> None:
    """The same mark is new again in the next hour."""
    now = [0.0]
    once = OnceAnHour(lambda: now[0])
    first = [once.first(("a",)), once.first(("a",)), once.first(("b",))]
    now[0] = 3_600.0

    assert [True, False, True, True] == [*first, once.first(("a",))]
