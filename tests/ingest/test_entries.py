"""Events of devices: an exchange is about a meter of its own, complete, and made known; everything else is refused with its reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.civil import day_of, parse_time
from domain.places import County, Dated, Device, Enterprise, Meter, Registry
from ingest.entries import Found, announce, read_entries
from lanbi.frames import Record

ALWAYS = Dated.always
NOW = parse_time("2026-03-02T12:00:00+08:00")
FORM: dict[str, Any] = {"type": "exchange", "time": "2026-03-02T08:00:00+08:00", "last": 5004.5, "first": 2}


def device(name: str, *sources: str) -> Device:
    """A device in service."""
    return Device(name, ALWAYS(sources), ALWAYS("lanbi-json"), ALWAYS("accepted"), 900, ALWAYS(None), ALWAYS("end"), ALWAYS("s"))


def meter(name: str, owner: str) -> Meter:
    """A main meter."""
    return Meter(name, owner, "electricity", ALWAYS("main"), "kWh", ALWAYS("1"))


EMPTY: dict[str, Any] = {}
REGISTRY = Registry(
    County("c", "c"), EMPTY, EMPTY, EMPTY, {"e": Enterprise("e", "厂"), "f": Enterprise("f", "坊")},
    {"m-1": meter("m-1", "e"), "m-2": meter("m-2", "f"), "m-3": meter("m-3", "f")}, EMPTY, EMPTY, EMPTY,
    {"d-1": device("d-1", "m-1"), "d-2": device("d-2", "m-2", "m-3")}, "v1",
)  # fmt: skip


def read(name: str, body: object) -> Found:
    """What a device's event comes to."""
    record = Record("mqtt", 7, NOW * 10**9, 0, 1, f"lanbi/v1/{name}/event", json.dumps(body).encode())
    return read_entries(record, REGISTRY)


@pytest.mark.parametrize(
    ("name", "body", "about"),
    [("d-1", FORM, "m-1"), ("d-1", {**FORM, "source": "m-1"}, "m-1"), ("d-2", {**FORM, "source": "m-3"}, "m-3"), ("d-2", {**FORM, "meter": "m-2"}, "m-2")],
)
def test_an_exchange_is_made_known_for_its_meter(name: str, body: dict[str, Any], about: str) -> None:
    """Whether the meter is named as such, as source, or not at all by a device that has one: its day is to be counted anew, and forms read."""
    found = read(name, body)
    touched: dict[int, set[str]] = {}
    announce(found.entries, REGISTRY, touched)

    assert [] == found.verdicts
    assert [about] == [one.body["meter"] for one in found.entries]
    assert {day_of(parse_time(FORM["time"])): {about, "~exchange"}} == touched


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("d-1", {**FORM, "meter": "m-2"}, "identity-mismatch"),
        ("d-1", {**FORM, "source": "m-2"}, "identity-mismatch"),
        ("d-1", {**FORM, "source": "m-9"}, "unknown-source"),
        ("d-1", {**FORM, "source": ["m-1"]}, "unknown-source"),
        ("d-2", FORM, "bad-schema"),
        ("d-1", {**FORM, "last": "5 004.5"}, "bad-schema"),
        ("d-1", {**FORM, "time": "yesterday"}, "bad-schema"),
        ("d-1", {"type": "exchange"}, "bad-schema"),
        ("d-1", {"type": "calibration-start", "source": "m-2"}, "identity-mismatch"),
        ("d-1", {"type": "gremlin"}, "bad-schema"),
    ],
)
def test_what_an_event_may_not_say_is_refused(name: str, body: dict[str, Any], reason: str) -> None:
    """Another device's meter, one that is none, a form that cannot be used: nothing is entered, and the reason is told."""
    found = read(name, body)

    assert [] == found.entries
    assert [reason] == [fault.reason for verdict in found.verdicts for fault in verdict.refused]


def test_an_event_without_a_source_is_the_devices_own() -> None:
    """Maintenance of a device as a whole names nobody."""
    assert [{"type": "maintenance"}] == [one.body for one in read("d-2", {"type": "maintenance"}).entries]
