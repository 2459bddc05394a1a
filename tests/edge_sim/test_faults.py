"""The table of faults is tested whole, and what a device says without any of them."""

from __future__ import annotations

from dataclasses import replace

from domain.civil import parse_time
from domain.items import CODES
from domain.places import Dated
from edge_sim.devices import SimulatedDevice
from edge_sim.faults import KINDS, LINK, LOAD, REGISTER, SENSOR, WIRE
from edge_sim.wire import Word
from tests.edge_sim.shown_faults import DAYS, END, HOUR, INSIDE, REGISTERS, START, county_registry, scene, words


def test_every_kind_has_its_test() -> None:
    """No kind stands in the table without a test that shows it."""
    single = {
        "gap",
        "inverted",
        "copy",
        "calibration",
        "maintenance",
        "roll-over",
        "late-start",
        "breach",
        "backfill",
        "duplicate",
        "reorder",
        "late",
        "retained",
    }
    single |= {"clock-skew", "wrong-zone", "milliseconds", "start-label", "forged", "malformed", "oversize", "stolen", "takeover", "connect-storm"}
    tested = single | set(INSIDE) | set(REGISTERS) | {"treatment-off", "idling", "curtailed"}

    assert set(KINDS) == tested
    assert {SENSOR, REGISTER, LOAD, WIRE, LINK} == {kind.bites for kind in KINDS.values()}


def test_nutrients_settle_once() -> None:
    """A section first says its probes with the last batch's nutrients and revises the nutrients once, two hours later, under a higher number."""
    said = words(scene(), "d-w-1")
    by_slot: dict[int, list[Word]] = {}
    for word in said:
        by_slot.setdefault(word.slot, []).append(word)
    whole = [pair for pair in by_slot.values() if len(pair) == 2 and "tp" in pair[0].row["values"]]

    assert len(whole) > DAYS * 4
    for first, second in whole:
        assert second.at - first.at == 2 * HOUR and second.number > first.number
        assert {"codmn", "nh3n", "tp", "tn"} >= second.row["values"].keys()
    changed = sum(first.row["values"].get("tp") != second.row["values"].get("tp") for first, second in whole)
    assert changed > len(whole) / 2


def test_codes_of_instruments_are_known() -> None:
    """The usual error code lies outside every hard range, and its positive twin is one that lanbi knows."""
    assert KINDS["error-code"].size == -max(CODES)


def test_start_labels_are_registered_or_wrong() -> None:
    """A device registered with start labels is honest with them: its label plus its span is the slot."""
    known = county_registry()
    early = replace(known.devices["d-a-1"], label=Dated.always("start"))
    said = SimulatedDevice(scene(), early, said=START).measure(END)

    assert {HOUR} == {word.slot - parse_time(word.row["time"]) for word in said}
