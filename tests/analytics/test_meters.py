"""The counter engine against the field's vectors, and energy conserved on any history of a meter."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import counting, meters, standing
from domain.civil import OFFSET_S, parse_date
from domain.places import Dated, Meter

MILLION = "1000000"


def meter(**changed: Any) -> Meter:
    """A meter of 100 kW that rolls over at a million."""
    given_: dict[str, Any] = {"resolution": "0.01", "modulus": MILLION, "max_power": "100", "reset": "never"}
    return Meter("m", "e", "electricity", Dated.always("main"), "kWh", changed.pop("multiplier", Dated.always("1")), **(given_ | changed))


def at(hour: float) -> int:
    """An hour of 1970-01-01 in China."""
    return int(hour * 3600) - OFFSET_S


def told(of: Meter, rows: Sequence[tuple[float, str]], exchanges: Sequence[counting.Exchange] = (), interval: int = 3600) -> meters.Account:
    """The account of (hour, register) rows."""
    unit = Decimal(of.resolution)
    times = np.array([at(hour) for hour, _ in rows], np.int64)
    return meters.account(of, counting.Readings(times, np.array([int(Decimal(text) / unit) for _, text in rows], np.int64), unit), interval, exchanges)


def columns(rows: Sequence[tuple[float, str]]) -> counting.Counted:
    """Intervals of (hour, register) rows as columns."""
    times = np.array([at(hour) for hour, _ in rows], np.int64)
    units = np.array([int(Decimal(text) * 100) for _, text in rows], np.int64)
    return counting.count(meter(), counting.Readings(times, units, Decimal("0.01")), 3600)


def energies(found: meters.Account) -> list[Decimal]:
    """Energy of each interval."""
    return [one.energy for one in found.intervals]


def kinds(found: meters.Account) -> list[tuple[str, float]]:
    """Kind and hour of each event."""
    return [(one.kind, (one.time + OFFSET_S) / 3600) for one in found.events]


DAYS = [(24, "24"), (48, "72"), (72, "144"), (96, "96"), (120, "216")]
VECTORS: dict[str, tuple[Meter, list[tuple[float, str]], list[str], list[tuple[str, float]]]] = {
    "roll-over": (meter(), [(8, "999984"), (9, "20")], ["36"], [("rollover", 9)]),
    "spurious zero": (meter(), [(8, "1000.0"), (9, "0"), (10, "1000.4")], ["0.4"], [("negative", 9)]),
    "spurious zero, resets allowed": (meter(reset="allowed"), [(8, "1000.0"), (9, "0"), (10, "1000.4")], ["0.4"], [("spike", 9)]),
    "gap of six hours": (meter(), [(8, "100.0"), (14, "160.0")], ["60"], [("gap", 14)]),
    "negative step": (meter(), [(8, "1000"), (9, "999"), (10, "1001")], ["1"], [("negative", 9)]),
    "32-bit garbage": (meter(), [(8, "5715.7"), (9, "42949066.16"), (10, "5716.1")], ["0.4"], [("spike", 9)]),
    "reset": (meter(reset="allowed"), [(8, "1000"), (9, "5"), (10, "25")], ["5", "20"], [("reset", 9)]),
    "reset not allowed": (meter(), [(8, "1000"), (9, "5"), (10, "25")], [], [("negative", 9), ("negative", 10)]),
    "late reading in its place": (meter(), [(8, "100"), (9, "112"), (10, "130")], ["12", "18"], []),
    "decimal roll-over": (meter(modulus="10000"), [(8, "9999.98"), (9, "0.05")], ["0.07"], [("rollover", 9)]),
    "32-bit roll-over": (meter(modulus="42949672.96"), [(8, "42949672.90"), (9, "0.10")], ["0.16"], [("rollover", 9)]),
    "a drop of any size": (meter(modulus=None, max_power=None, reset="allowed"), DAYS, ["48", "72", "96", "120"], [("reset", 96)]),
    "reset at its hour": (meter(reset="00:00"), [(23.75, "90"), (24, "91"), (24.25, "0.5")], ["1", "0.5"], [("reset", 24.25)]),
    "reset at another hour": (meter(reset="12:00"), [(23.75, "90"), (24, "91"), (24.25, "0.5")], ["1"], [("negative", 24.25)]),
    "over power": (meter(), [(8, "100"), (9, "900"), (10, "950")], ["800", "50"], [("over-power", 9)]),
    "not decided yet": (meter(), [(8, "100"), (9, "900")], [], [("held", 9)]),
    "long silence": (meter(reset="allowed", max_power="6000"), [(8, "500000"), (128, "20"), (129, "25")], ["5"], [("held", 128), ("gap", 128)]),
    "exchange that nobody told": (meter(), [(8, "9000"), (9, "3"), (10, "8"), (11, "15")], ["5", "7"], [("held", 9)]),
    "two bad readings": (meter(), [(8, "100"), (9, "70000"), (10, "90000"), (11, "130")], ["30"], [("spike", 9), ("spike", 10)]),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vectors_of_the_field(name: str) -> None:
    """Each case of the field gives its energy exactly, and its event."""
    of, rows, wanted, events = VECTORS[name]
    interval = 86_400 if rows is DAYS else 900 if rows[0][0] == 23.75 else 3600
    found = told(of, rows, interval=interval)

    assert [Decimal(text) for text in wanted] == energies(found)
    assert events == kinds(found)


def test_exchange_with_its_form() -> None:
    """The old meter's rest and the new meter's beginning are both counted."""
    form = counting.Exchange(at(8.5), Decimal("5012.5"), Decimal("3.0"))
    found = told(meter(), [(8, "5000.0"), (9, "10.0")], [form])

    assert [Decimal("19.5")] == energies(found)
    assert [("exchange", 9)] == kinds(found)


def test_form_that_does_not_fit_is_held() -> None:
    """A last reading below what was read before counts nothing; a person must look."""
    found = told(meter(), [(8, "5000.0"), (9, "10.0"), (10, "11")], [counting.Exchange(at(8.5), Decimal(4000), Decimal(3))])

    assert [Decimal(1)] == energies(found)
    assert [("held", 9)] == kinds(found)


def test_form_dated_too_early_is_held() -> None:
    """A form before the old meter's last reading would count that register as the new meter's beginning: a person must look."""
    form = counting.Exchange(at(8.5), Decimal("5012.5"), Decimal("3.0"))
    found = told(meter(), [(8, "5000.0"), (9, "5010.0"), (10, "5020.0")], [form])

    assert [Decimal(10)] == energies(found)
    assert [("held", 9)] == kinds(found)


def test_absurd_register_is_held() -> None:
    """A difference that no meter can show does not wrap: it is kept apart."""
    found = told(meter(max_power=None, modulus=None, multiplier=Dated.always("20000")), [(8, "1"), (9, "999999999999"), (10, "999999999999.5")])

    assert ["held", "normal"] == [one.flag for one in found.intervals]
    assert Decimal(10_000) == found.energy


def test_over_power_is_kept_apart() -> None:
    """More than the meter can have run is shown, and is no part of the sum."""
    found = told(meter(), [(8, "100"), (9, "900"), (10, "950")])

    assert ["held", "normal"] == [one.flag for one in found.intervals]
    assert Decimal(50) == found.energy


def test_multiplier_counts_from_its_day() -> None:
    """Energy uses the multiplier of its day; an interval across the change is shared by time and says so."""
    steps = Dated(((-(2**31), "40"), (parse_date("1970-01-02"), "60")))
    found = told(meter(multiplier=steps, max_power="6000"), [(23, "100"), (24, "110"), (25, "120"), (47, "130"), (49, "140")])

    assert [Decimal(400), Decimal(600), Decimal(600), Decimal(600)] == energies(found)
    across = told(meter(multiplier=steps, max_power="6000"), [(23, "100"), (25, "120")], interval=7200)
    assert ([Decimal(1000)], ["estimated"]) == (energies(across), [one.flag for one in across.intervals])


def test_a_multiplier_that_came_and_went_within_an_interval_counts() -> None:
    """×40, for one day ×60, then ×40 again: 48 units from noon to noon two days later are shared over all three, although both ends have the same multiplier."""
    dates = ("1970-01-02", "60"), ("1970-01-03", "40"), ("1970-01-04", "40")
    steps = Dated(((-(2**31), "40"), *((parse_date(day), value) for day, value in dates)))
    found = told(meter(multiplier=steps, max_power="6000"), [(12, "100"), (60, "148"), (84, "172")])

    assert ([Decimal(2400), Decimal(960)], ["estimated", "gap"]) == (energies(found), [one.flag for one in found.intervals])


def test_stuck_only_while_a_neighbour_runs() -> None:
    """A register that stands for a day is told if a meter beside it ran meanwhile, and not if all rested."""
    still = columns([(hour, str(100 + min(hour, 10))) for hour in range(40)] + [(40, "120")])
    ran = columns([(hour, str(50 * hour)) for hour in range(41)])

    assert [meters.Event("stuck", at(11), "0 for 29 h while meters beside it counted 1450.00")] == standing.stuck({"a": still, "b": ran}, {"a": ["b"]})["a"]
    assert [] == standing.stuck({"a": still, "b": still}, {"a": ["b"]})["a"]


@settings(max_examples=200, deadline=None)
@given(steps=st.lists(st.integers(0, 9_000), min_size=2, max_size=60), start=st.integers(0, 99_999_999), drop=st.sets(st.integers(1, 58), max_size=20))
def test_energy_is_conserved(steps: list[int], start: int, drop: set[int]) -> None:
    """Whatever readings are missing, the sum is what the register turned between the first and the last, roll-overs included."""
    turned = np.cumsum([start, *steps])
    kept = [i for i in range(len(turned)) if i not in drop or i == len(turned) - 1]
    rows = [(float(i), str(Decimal(int(turned[i]) % 10**8) / 100)) for i in kept]
    found = told(meter(), rows)

    assert Decimal(int(turned[kept[-1]] - turned[kept[0]])) / 100 == found.energy
    assert all(before.end == after.begin for before, after in pairwise(found.intervals))


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(st.integers(1, 9_000), min_size=6, max_size=40),
    bad=st.dictionaries(st.integers(1, 38), st.sampled_from(["zero", "garbage", "dip", "none"]), max_size=4),
)
def test_rejected_readings_cost_no_energy(steps: list[int], bad: dict[int, str]) -> None:
    """Spurious zeros, garbage, dips and texts in single readings leave the sum untouched and are all listed."""
    turned = [50_000_00 + int(value) for value in np.cumsum([0, *steps])]
    places = sorted(place for place in bad if place < len(steps))
    lone = [place for place in places if not {place - 1, place + 1} & set(places)]
    units = np.array(turned, np.int64)
    for place in lone:
        units[place] = {"zero": 0, "garbage": 4_294_906_616, "dip": units[place - 1] - 1, "none": -1}[bad[place]]
    times = np.array([at(hour) for hour in range(len(units))], np.int64)
    found = meters.account(meter(), counting.Readings(times, units, Decimal("0.01")), 3600)

    assert Decimal(turned[-1] - turned[0]) / 100 == found.energy
    assert [int(times[place]) for place in lone] == [one.time for one in found.events]


@pytest.mark.parametrize("resolution", ["0.001", "0.00000001"])
def test_an_absurd_exchange_form_is_held(resolution: str) -> None:
    """A last reading of nearly 10¹² in a form gives more than any meter turns: kept apart for a person, and the account goes on."""
    of = meter(resolution=resolution, modulus=None, max_power=None, multiplier=Dated.always("40000"))
    found = told(of, [(1, "1"), (2, "2"), (3, "0.5"), (4, "0.75")], [counting.Exchange(at(2.5), Decimal(999999999999), Decimal(0))])

    assert ["normal", "held", "normal"] == [one.flag for one in found.intervals]
    assert [Decimal(40_000), Decimal(10_000)] == [one.energy for one in found.intervals if one.flag != "held"]
