"""Every kind of fault on the wire and in the truth log: what a station hears of it, and what the log says was true."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from domain.civil import iso, parse_time
from domain.items import CODES
from domain.message import Message, Refusal, decode
from domain.places import Dated
from domain.reasons import MAX_MESSAGE
from edge_sim.county import SimulatedCounty
from edge_sim.devices import SimulatedDevice, payloads
from edge_sim.faults import KINDS, LINK, LOAD, REGISTER, SENSOR, WIRE, Fault
from edge_sim.malformed import CLASSES
from edge_sim.scenario import Scenario
from edge_sim.scene import Scene
from edge_sim.truthlog import TruthLog, read
from edge_sim.wire import Word
from tests.edge_sim.small_county import meter, registry

START = parse_time("2025-10-01T00:00:00+08:00")
DAYS = 4
END = START + DAYS * 86_400
ONSET = START + 2 * 86_400
HOUR = 3_600
LONG = {"late": 8 * HOUR, "ramp": 36 * HOUR}
"""Spans that show enough within four days; others are usual or twelve hours."""


@lru_cache
def county_registry() -> Any:
    """The small county with meters that never restart and resets allowed."""
    meters = {"m-1": meter("m-1", "production"), "m-2": meter("m-2", "treatment", treats="m-1", max_power="400")}
    return replace(registry(), meters=meters)


def fault(kind: str, target: str, **changes: Any) -> Fault:
    """A fault at the onset, of usual size, at most half a day long unless it needs longer."""
    usual = KINDS[kind]
    interval = 900 if target.startswith(("m-", "d-e")) else HOUR
    length = LONG.get(kind, min(usual.seconds or interval, 12 * HOUR))
    return Fault(kind, target, ONSET, ONSET + length, usual.size, **changes)


def scene(*faults: Fault) -> Scene:
    """Four days of the small county."""
    table = {"begin": "10-01", "days": DAYS}
    bare = Scenario.of("test", table).on(county_registry(), 5, START)
    acts = {one.target: (act_of(one),) for one in faults if KINDS[one.kind].bites == LOAD and one.kind != "breach"}
    return replace(bare, faults=faults, county=SimulatedCounty(county_registry(), 5, bare.county.weather, acts))


def act_of(one: Fault) -> Any:
    """What the enterprise does."""
    from edge_sim.loads import Act

    return Act(one.kind, one.begin, one.end, one.size)


def words(chosen: Scene, device: str) -> list[Word]:
    """Everything that one device says, in the order in which it goes out."""
    one = SimulatedDevice(chosen, county_registry().devices[device], said=START)
    said = one.measure(END + 86_400)
    return sorted(said, key=lambda word: word.at)


def heard(said: Sequence[Word]) -> list[tuple[int, Message | Refusal]]:
    """What a station decodes, with the time at which it went out."""
    return [(part[0].at, one) for payload, part in payloads([word for word in said if word.stream == "data"]) for one in decode(payload)]


def readings(said: Sequence[Word], item: str, source: str | None = None) -> dict[int, float]:
    """Values of an item by label, the last one said of each."""
    decoded = [one for _, one in heard(said) if isinstance(one, Message) and (source is None or one.source == source)]
    return {one.time: value for one in decoded if (value := one.values.get(item)) is not None}


def logged(chosen: Scene, said: Sequence[Word], folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The truth log of these words."""
    log = TruthLog(folder, chosen, {})
    log.sent(said)
    log.close()
    return {name: read(folder, name).to_pylist() for name in ("readings-air", "readings-meter", "beside", "faults", "meters")}


def during(one: Fault, time: int) -> bool:
    """Whether a reading has the fault."""
    return one.begin < time <= one.end


class Shown:
    """A fault, what is said with and without it."""

    def __init__(self, one: Fault, device: str) -> None:
        self.fault, self.device = one, device
        self.scene = scene(one)
        self.said, self.clean = words(self.scene, device), words(scene(), device)

    def pairs(self, item: str, source: str | None = None) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """(value, value without the fault) inside and outside of it."""
        now, then = readings(self.said, item, source), readings(self.clean, item, source)
        both = [(time, (now[time], then[time])) for time in sorted(now.keys() & then.keys())]
        inside = [pair for time, pair in both if during(self.fault, time)]
        return inside, [pair for time, pair in both if not during(self.fault, time)]


AIR_ITEM = {"negative": "so2", "error-code": "co", "unit-slip": "no2"}
INSIDE: dict[str, Callable[[list[tuple[float, float]]], bool]] = {
    "stuck": lambda pairs: len({now for now, _ in pairs}) == 1 < len({then for _, then in pairs}),
    "spike": lambda pairs: len(pairs) == 1 and pairs[0][0] == pytest.approx(8 * pairs[0][1], abs=0.1),
    "step": lambda pairs: all(now == pytest.approx(1.3 * then, abs=0.1) for now, then in pairs),
    "ramp": lambda pairs: pairs[0][0] < 1.1 * pairs[0][1] and pairs[-1][0] == pytest.approx(1.5 * pairs[-1][1], abs=0.1),
    "offset": lambda pairs: all(now == pytest.approx(then + 15, abs=0.1) for now, then in pairs),
    "unit-slip": lambda pairs: all(now == pytest.approx(then / 1000, abs=0.1) for now, then in pairs),
    "negative": lambda pairs: {now for now, _ in pairs} == {-3},
    "error-code": lambda pairs: {now for now, _ in pairs} == {-9999},
    "masked": lambda pairs: all(now == pytest.approx(0.2 * then, abs=0.1) for now, then in pairs),
}


@pytest.mark.parametrize("kind", sorted(INSIDE))
def test_sensor_faults_change_values_and_nothing_else(kind: str, tmp_path: Path) -> None:
    """Inside its span a fault does what its kind says; outside nothing differs; the log has said, true and the span."""
    shown = Shown(fault(kind, "a-1"), "d-a-1")
    inside, outside = shown.pairs(AIR_ITEM.get(kind, "pm25"))
    log = logged(shown.scene, shown.said, tmp_path)
    marked = [row for row in log["readings-air"] if row["mark"] == 0]

    assert inside and INSIDE[kind](inside)
    assert outside and all(now == then for now, then in outside)
    assert {during(shown.fault, row["time"]) for row in marked} == {True}
    assert len(marked) >= len(inside)
    assert (kind, "a-1", ONSET) == tuple(log["faults"][0][name] for name in ("kind", "target", "begin"))
    item = AIR_ITEM.get(kind, "pm25")
    assert all(row[f"{item}_true"] > 0 for row in marked)


def test_gap_is_silence() -> None:
    """In a gap nothing is said, and numbers go on without a hole: nothing was measured."""
    shown = Shown(fault("gap", "a-1"), "d-a-1")
    times = [word.slot for word in shown.said]

    assert [] == [time for time in times if during(shown.fault, time)]
    assert list(range(len(shown.said))) == [word.row["seq"] for word in shown.said]


def test_inverted_puts_fine_above_coarse() -> None:
    """PM2.5 stands above PM10."""
    shown = Shown(fault("inverted", "a-1"), "d-a-1")
    fine, coarse = readings(shown.said, "pm25"), readings(shown.said, "pm10")
    inside = [time for time in fine.keys() & coarse.keys() if during(shown.fault, time)]

    assert inside and all(fine[time] > coarse[time] for time in inside)


def test_copy_says_what_the_neighbour_says() -> None:
    """Every item is the neighbour's, digit for digit."""
    shown = Shown(fault("copy", "a-1", partner="a-2"), "d-a-1")
    own, other = readings(shown.said, "no2"), readings(words(scene(), "d-a-2"), "no2")
    inside = [time for time in own.keys() & other.keys() if during(shown.fault, time)]

    assert inside and all(own[time] == other[time] for time in inside)


@pytest.mark.parametrize(("kind", "letter", "events"), [("calibration", "C", ["calibration-start", "calibration-end"]), ("maintenance", "M", ["maintenance"])])
def test_honest_work_is_flagged(kind: str, letter: str, events: list[str], tmp_path: Path) -> None:
    """Calibration and maintenance flag each value, and say so on the event topic; the log has both."""
    shown = Shown(fault(kind, "a-1"), "d-a-1")
    inside = [word for word in shown.said if word.stream == "data" and during(shown.fault, word.slot)]
    log = logged(shown.scene, shown.said, tmp_path)

    assert inside and {letter} == {flag for word in inside for flag in word.row["flags"].values()}
    assert all(word.row["flags"].keys() == word.row["values"].keys() for word in inside)
    assert events == [word.row["type"] for word in shown.said if word.stream == "event"]
    assert events == [json.loads(row["body"])["type"] for row in log["beside"]]
    assert {letter} == {flag for row in log["readings-air"] if row["flags"] for flag in json.loads(row["flags"]).values()}


def registers_of(shown: Shown) -> tuple[list[float], list[float]]:
    """Registers of the production meter with and without the fault, in order of time."""
    now, then = (readings(said, "register", "m-1") for said in (shown.said, shown.clean))
    assert now.keys() == then.keys()
    return [now[time] for time in sorted(now)], [then[time] for time in sorted(then)]


def behind(times_before: int) -> int:
    """Place of the first reading behind the onset."""
    return (ONSET - START) // 900 - 1 + times_before


REGISTERS: dict[str, Callable[[list[float], list[float], int], bool]] = {
    "register-reset": lambda now, then, at: now[at] == pytest.approx((then[at] - then[at - 1]) % 10_000, abs=0.01),
    "exchange": lambda now, then, at: now[at] == pytest.approx(3 + (then[at] - then[at - 1]) % 10_000, abs=0.01),
    "exchange-silent": lambda now, then, at: now[at] == pytest.approx(3 + (then[at] - then[at - 1]) % 10_000, abs=0.01),
    "multiplier": lambda now, then, at: (now[at + 9] - now[at - 1]) % 10_000 == pytest.approx(0.5 * ((then[at + 9] - then[at - 1]) % 10_000), abs=0.02),
    "step-back": lambda now, then, at: (then[at] - now[at]) % 10_000 == pytest.approx(50),
    "zero": lambda now, then, at: now[at] == 0 and now[at + 1] == then[at + 1],
    "garbage": lambda now, then, at: now[at] == 42_949_066.16 and now[at + 1] == then[at + 1],
}


@pytest.mark.parametrize("kind", sorted(REGISTERS))
def test_register_faults_move_the_register_and_no_energy(kind: str, tmp_path: Path) -> None:
    """The register jumps at the onset as its kind says; before it nothing differs; the true energy in the log is the undisturbed one."""
    size = 3.0 if kind.startswith("exchange") else KINDS[kind].size
    shown = Shown(fault(kind, "m-1")._replace(size=size), "d-e-1")
    now, then = registers_of(shown)
    at = behind(1)
    log, clean = logged(shown.scene, shown.said, tmp_path / "a"), logged(scene(), shown.clean, tmp_path / "b")

    assert now[:at] == then[:at]
    assert REGISTERS[kind](now, then, at)
    assert clean["meters"] == log["meters"]
    assert {0} == {row["mark"] for row in log["readings-meter"] if row["source"] == "m-1" and during(shown.fault, row["time"])}


def test_exchange_has_a_form(tmp_path: Path) -> None:
    """With a form the device says both readings; without one it says nothing."""
    shown, silent = Shown(fault("exchange", "m-1")._replace(size=3.0), "d-e-1"), Shown(fault("exchange-silent", "m-1"), "d-e-1")
    form = next(word.row for word in shown.said if word.stream == "event")
    before = readings(shown.clean, "register", "m-1")[ONSET]

    assert ("exchange", "m-1", before, 3.0, iso(ONSET)) == tuple(form[name] for name in ("type", "source", "last", "first", "time"))
    assert [] == [word for word in silent.said if word.stream == "event"]


def test_roll_over_comes_behind_the_onset() -> None:
    """The register passes its modulus with one of the next readings, and increases are the undisturbed ones all the time."""
    shown = Shown(fault("roll-over", "m-1"), "d-e-1")
    now, then = registers_of(shown)
    at = behind(1)
    falls = [place for place in range(1, len(now)) if now[place] < now[place - 1]]
    steps = [(round(b - a, 2) % 10_000, round(d - c, 2) % 10_000) for a, b, c, d in zip(now, now[1:], then, then[1:], strict=False)]

    assert at in falls
    assert all(one == pytest.approx(other, abs=0.011) for one, other in steps)


def hourly(said: Sequence[Word], source: str) -> dict[int, float]:
    """Energy of each quarter hour by its end, in units of the register."""
    table = readings(said, "register", source)
    return {time: (table[time] - table[time - 900]) % 10_000 for time in table if time - 900 in table}


@pytest.mark.parametrize(("kind", "target", "share"), [("treatment-off", "m-2", 0.0), ("idling", "m-2", 0.2), ("curtailed", "m-1", 0.5)])
def test_loads_fall_while_the_act_lasts(kind: str, target: str, share: float, tmp_path: Path) -> None:
    """Truth itself has the reduced load: register and logged energy agree, the other meter of the pair runs on."""
    shown = Shown(fault(kind, target), "d-e-1")
    now, then = hourly(shown.said, target), hourly(shown.clean, target)
    inside = [time for time in now if during(shown.fault, time - 1) and during(shown.fault, time)]
    other = "m-1" if target == "m-2" else "m-2"
    log, clean = logged(shown.scene, shown.said, tmp_path / "a"), logged(scene(), shown.clean, tmp_path / "b")
    energy = {name: sum(float(row["energy"]) for row in one["meters"] if row["meter"] == target) for name, one in (("now", log), ("then", clean))}
    lost = 40 * sum(then[time] - now[time] for time in now)

    assert sum(now[time] for time in inside) == pytest.approx(share * sum(then[time] for time in inside), abs=0.05)
    assert all(now[time] == pytest.approx(then[time], abs=0.011) for time in now if not during(shown.fault, time))
    assert hourly(shown.said, other) == hourly(shown.clean, other)
    assert energy["then"] - energy["now"] == pytest.approx(lost, rel=0.01) and lost > 0


def test_late_start_stands_each_morning() -> None:
    """Treatment stands for hours behind six o'clock and runs afterwards."""
    shown = Shown(fault("late-start", "m-2")._replace(end=ONSET + 86_400), "d-e-1")
    now, then = hourly(shown.said, "m-2"), hourly(shown.clean, "m-2")
    morning = [ONSET + 6 * HOUR + 900 * n for n in range(1, 13)]

    assert [0] * 12 == [round(now[time], 2) for time in morning]
    assert all(then[time] > 0 for time in morning)
    assert now[ONSET + 12 * HOUR] == pytest.approx(then[ONSET + 12 * HOUR], abs=0.011)


def test_breach_is_logged_and_changes_nothing(tmp_path: Path) -> None:
    """An order that is not kept shows in no register: only the log knows of the order."""
    shown = Shown(fault("breach", "m-1"), "d-e-1")
    log = logged(shown.scene, shown.said, tmp_path)

    assert shown.clean == [word._replace(mark=-1) for word in shown.said]
    assert {"breach"} == {row["kind"] for row in log["faults"]}
    assert {0} == {row["mark"] for row in log["readings-meter"] if row["source"] == "m-1" and during(shown.fault, row["time"])}


def marked(shown: Shown) -> list[Word]:
    """Words that the wire has touched."""
    return [word for word in shown.said if word.fault == shown.fault.kind]


def wire(kind: str, **changes: Any) -> Shown:
    """A fault of one station's messages."""
    return Shown(fault(kind, "d-a-1")._replace(**changes), "d-a-1")


def test_backfill_comes_in_a_burst() -> None:
    """What was measured while the line was down comes at once behind it, flagged P, under its own times and numbers."""
    shown = wire("backfill")
    late = marked(shown)

    assert len(late) > 4 and min(word.at for word in late) >= shown.fault.end
    assert max(word.at for word in late) - min(word.at for word in late) < 120
    assert {"P"} == {letter for word in late for letter in word.row["flags"].values()}
    assert [word.slot for word in late] == [parse_time(word.row["time"]) for word in late]


def test_duplicates_are_the_same_bytes() -> None:
    """Each message goes out twice, under one number, with one content."""
    shown = wire("duplicate")
    sent = [payload for word in marked(shown) for payload, _ in payloads([word])]

    assert len(sent) == 2 * len(set(sent)) > 4


def test_reordered_words_arrive_out_of_order() -> None:
    """Numbers do not grow on the way, and none is missing."""
    shown = wire("reorder", size=4 * HOUR)
    numbers = [word.row["seq"] for word in shown.said]

    assert sorted(numbers) != numbers
    assert list(range(len(numbers))) == sorted(numbers)


def test_late_words_are_days_late() -> None:
    """They go out days behind their slot, not flagged."""
    late = marked(wire("late"))

    assert late and all(word.at - word.slot >= 3 * 86_400 and "flags" not in word.row for word in late)


def test_retained_words_go_alone() -> None:
    """A retained reading has a message of its own, with the flag set."""
    shown = wire("retained")
    retained = [part for _, part in payloads(shown.said) if any(word.retain for word in part)]

    assert retained and all(len(part) == 1 for part in retained)
    assert len(retained) == len(marked(shown))


@pytest.mark.parametrize(("kind", "shift"), [("clock-skew", 900), ("wrong-zone", 28_800), ("start-label", -HOUR)])
def test_wrong_clocks_move_the_label(kind: str, shift: int, tmp_path: Path) -> None:
    """The label is off by what is wrong with the clock; the log has the true time beside it."""
    shown = wire(kind)
    log = logged(shown.scene, shown.said, tmp_path)
    moved = [row for row in log["readings-air"] if row["wire"] == kind]

    assert moved and {shift} == {parse_time(row["label"]) - row["time"] for row in moved}
    assert {shift} == {parse_time(word.row["time"]) - word.slot for word in marked(shown)}


def test_milliseconds_are_no_seconds(tmp_path: Path) -> None:
    """A decoder refuses them, each under its number."""
    shown = wire("milliseconds")
    refused = [one for _, one in heard(shown.said) if isinstance(one, Refusal)]

    assert len(marked(shown)) == len(refused) > 0
    assert {"bad-schema"} == {one.reason for one in refused}
    assert [word.row["seq"] for word in marked(shown)] == [one.seq for one in refused]


def test_forgeries_name_another_place() -> None:
    """The device speaks for a place that is registered to another one."""
    shown = wire("forged")
    own = set(county_registry().devices["d-a-1"].sources.newest)

    assert marked(shown) and all(word.row["source"] in county_registry().kinds and word.row["source"] not in own for word in marked(shown))


@pytest.mark.parametrize("name", list(CLASSES))
def test_malformed_messages_are_refused_and_cost_no_neighbour(name: str) -> None:
    """Nothing of a malformed message is a reading that lanbi could store as it stands; the good one beside it is unharmed."""
    shown = wire("malformed", partner=name)
    bodies = [word.body for word in shown.said if word.body or word.fault == "malformed"]
    good = [word for word in shown.said if word.held]
    allowed = {"unknown-item", "unknown-source", "unknown-flag", "injection", "no-values"}

    assert len(bodies) == sum(during(shown.fault, word.slot) for word in good) > 0
    assert all(isinstance(one, Refusal) for body in bodies for one in decode(body)) or name in allowed
    assert [word.row for word in shown.clean] == [word.row for word in good]


def test_all_classes_come_together() -> None:
    """Without a class all of them go out beside each reading."""
    shown = wire("malformed")

    assert len(CLASSES) == len(marked(shown)) / sum(during(shown.fault, word.slot) for word in shown.clean)


def test_oversize_is_beyond_the_limit() -> None:
    """A message of the asked size, above what lanbi takes."""
    assert {70_000} == {len(word.body) for word in marked(wire("oversize"))}
    assert MAX_MESSAGE < 70_000


def test_strangers_say_false_values_under_higher_numbers(tmp_path: Path) -> None:
    """A stolen login repeats each reading with false values, under a run above the device's, on a connection of its own; the log has the truth."""
    shown = wire("stolen")
    false = marked(shown)
    log = logged(shown.scene, shown.said, tmp_path)

    assert false and all(not word.own and word.number > (0, word.row["seq"]) for word in false)
    assert all(
        word.row["values"]["no2"] == pytest.approx(0.3 * readings(shown.clean, "no2")[word.slot], abs=0.01) for word in false if "no2" in word.row["values"]
    )
    assert len(false) == sum(not row["own"] for row in log["beside"])


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.bites == LINK])
def test_link_faults_are_in_the_log(kind: str, tmp_path: Path) -> None:
    """What happens to connections leaves words alone and stands in the log with its span; the fleet's tests show it on the wire."""
    shown = wire(kind)
    log = logged(shown.scene, shown.said, tmp_path)

    assert shown.clean == shown.said
    assert [(kind, "d-a-1", ONSET, shown.fault.end)] == [tuple(row[name] for name in ("kind", "target", "begin", "end")) for row in log["faults"]]


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


def test_faults_of_one_register_add_up() -> None:
    """A reset behind an exchange begins at zero again, and a roll-over shifts both."""
    first = fault("exchange-silent", "m-1")._replace(size=3.0)
    second = fault("register-reset", "m-1")._replace(begin=ONSET + HOUR, end=ONSET + HOUR + 900)
    said = words(scene(fault("roll-over", "m-1")._replace(begin=START + 86_400), first, second), "d-e-1")
    table, step = readings(said, "register", "m-1"), hourly(words(scene(), "d-e-1"), "m-1")

    assert table[ONSET + 900] == pytest.approx(3 + step[ONSET + 900], abs=0.011)
    assert table[ONSET + HOUR + 900] == pytest.approx(step[ONSET + HOUR + 900], abs=0.011)


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
