"""Clocks of devices as their readings show them."""

from __future__ import annotations

import json

from domain import civil
from domain.indicators import Event
from ingest.ports import Latest, Refused
from lanbi.clocks import Clocks

NOON = civil.parse_time("2025-04-10T12:00:00+08:00")


def latest(number: int, delay: int, device: str = "d") -> Latest:
    """The reading of the hour that ends ``number`` hours after noon, received ``delay`` seconds later."""
    time = NOON + 3_600 * number
    return Latest("s1", 3_600, "air", time, 1, (time + delay) * 10**9, device, {})


def told(clocks: Clocks, *delays: int, device: str = "d") -> list[Event]:
    """What is told while readings come in one after the other."""
    return [event for number, delay in enumerate(delays) for event in clocks.look([latest(number, delay, device)], [], NOON + 3_600 * number)]


def test_ordinary_delays_say_nothing() -> None:
    """Seconds, a minute, an outage of hours that is made up for, and a clock that is half a minute ahead."""
    assert [] == told(Clocks(), 5, 40, 9_000, 5_400, 1_800, 3, 70)
    assert [] == told(Clocks(), *[-30] * 8)


def test_a_clock_ahead_or_behind_is_told_once_with_its_size() -> None:
    """After six readings; a step of seconds is not told anew, one of minutes is."""
    (ahead,) = told(Clocks(), *[-120] * 7, -125)
    (behind,) = told(Clocks(), *[2_000] * 8)

    assert (("quality-clock", "s1", 120.0), -2_000.0) == ((ahead.kind, ahead.source, ahead.value), behind.value)
    assert (0, -1) == (json.loads(ahead.text)["effect"]["hours_off"], json.loads(behind.text)["effect"]["hours_off"])


def test_an_import_says_nothing_about_a_clock() -> None:
    """History comes late by nature."""
    assert [] == told(Clocks(), *[86_000] * 8, device="")


def test_readings_that_were_held_as_future_ones_prove_a_clock_ahead() -> None:
    """One is enough; the words with which it was held give the size."""
    held = Refused(
        "quarantined", "future-time", "2025-04-10T12:20:00+08:00 is 1200 s after receipt", None, "d", "s1", 0, 1, "mqtt", 7, 0, NOON * 10**9, "", b""
    )
    (event,) = Clocks().look([], [held, held], NOON)

    assert (1_200.0, 1) == (event.value, json.loads(event.text)["held"])


def test_a_new_day_is_judged_anew() -> None:
    """What was told yesterday is told again while it lasts."""
    clocks = Clocks()
    days = {civil.day_of(event.time) for event in told(clocks, *[-120] * 20)}

    assert 2 == len(days)
