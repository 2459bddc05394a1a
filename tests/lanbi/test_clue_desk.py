"""Electricity monitoring and orders as the analyst keeps them: told, answered, taken back, and the same after a restart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace as anew

from domain import civil
from domain.indicators import Event, Indicator, Query
from domain.places import Enterprise
from domain.readings import Entry, Reading
from tests.lanbi.meter_house import NOW, QUARTER, MeterHouse, registry

BEGIN = civil.parse_time("2024-11-25T00:00:00+08:00")
TIMES = BEGIN + QUARTER * np.arange((NOW - BEGIN) // QUARTER + 1)


def at(text: str) -> int:
    """An instant in China."""
    return civil.parse_time(text, civil.SHANGHAI)


def registers(off: tuple[str, str] = ("2025-01-03 12:00", "2025-01-03 15:00")) -> list[Reading]:
    """A line that draws 400 to 480 kW and a fan of 40 kW beside it, which stands for a while."""
    chance = np.random.default_rng(5)
    line = np.cumsum(250 + chance.integers(0, 50, len(TIMES)))
    fan = 100 + chance.integers(0, 9, len(TIMES))
    fan[(TIMES > at(off[0])) & (TIMES <= at(off[1]))] = 0
    rows = [("line", line), ("fan", np.cumsum(fan))]
    return [
        Reading("meter", name, 0, int(time), {"register": unit / 100}, {}, 1) for name, units in rows for time, unit in zip(TIMES, units.tolist(), strict=True)
    ]


class Bureau(MeterHouse):
    """The works under electricity monitoring."""

    def __init__(self, folder: Path, *, monitoring: bool = True) -> None:
        known = registry()
        works = Enterprise("works", "厂", "", "steel", two_high=True, monitoring=monitoring)
        super().__init__(folder, replace(known, enterprises={**known.enterprises, "works": works}))

    def settle(self) -> None:
        """Until nothing waits any more."""
        self.follower.step()
        while self.follower.analyst.watch.queue or self.follower.analyst.clues.queue:
            self.follower.step()

    def told(self, kind: str) -> list[tuple[Event, dict[str, Any]]]:
        """Events of a kind with their details, the oldest first."""
        return [(row, json.loads(row.text)) for row in reversed(self.store.event_rows(0, 2**40, 10**6)) if row.kind == kind]

    def hours(self, scope: str = "works") -> list[Indicator]:
        """Verdicts by hour."""
        return self.store.series(Query("order_load", scope))


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    """Six weeks of registers, with one afternoon without treatment."""
    one = Bureau(tmp_path)
    one.bring(registers())
    one.follower.start()
    one.settle()
    yield one
    one.close()


def test_a_treatment_that_stood_is_a_clue(bureau: Bureau) -> None:
    """It names the meter, when it stood, what both drew, and is open."""
    ((row, body),) = bureau.told("treatment-off")

    assert ("fan", at("2025-01-03 12:00"), 1.0) == (row.source, row.time, row.value)
    assert ("E1", "open", "2025-01-03T15:00:00+08:00", 180, 0.0) == tuple(body[name] for name in ("rule", "state", "to", "minutes", "treatment_kw"))
    assert 400 < body["production_kw"] < 480 and body["usual_kw"] == pytest.approx(41.6, abs=1)


def test_an_enterprise_that_does_not_take_part_is_not_watched(tmp_path: Path) -> None:
    """Monitoring is opt-in."""
    one = Bureau(tmp_path, monitoring=False)
    one.bring(registers())
    one.follower.start()
    one.settle()
    found = one.told("treatment-off")
    one.close()

    assert [] == found


def test_an_answer_stays_with_the_clue_and_a_correction_takes_it_back(bureau: Bureau) -> None:
    """Explained by a person, the clue asks for nobody any more; true registers withdraw it; both survive a restart."""
    said = {"rule": "E1", "source": "fan", "time": "2025-01-03T13:00:00+08:00", "state": "explained", "reason": "停产检修", "document": "d"}
    bureau.say("clue", "2025-01-03", **said)
    bureau.settle()
    ((row, body),) = bureau.told("treatment-off")
    assert (0.0, "explained", ["lanbi", "李工"]) == (row.value, body["state"], [one["user"] for one in body["trail"]])

    bureau.follower = bureau.open()
    bureau.follower.start()
    bureau.settle()
    assert [(row, body)] == bureau.told("treatment-off")

    bureau.bring([one for one in registers(off=("2000-01-01 00:00", "2000-01-01 01:00")) if one.source == "fan"])
    bureau.settle()
    ((row, body),) = bureau.told("treatment-off")
    assert (0.0, {"withdrawn": True}) == (row.value, body)


def test_silence_becomes_a_clue_and_late_readings_take_it_back(bureau: Bureau) -> None:
    """Two hours without readings make the pair blind; when they come, it was not."""
    bureau.clock.now = NOW + 3 * 3_600
    bureau.follower.step()
    bureau.settle()
    ((row, body),) = bureau.told("blind")
    assert (at("2025-01-06 02:30"), "E5", 180) == (row.time, body["rule"], body["minutes"])

    last = {one.source: one for one in registers()}
    more = [
        anew(last[name], time=NOW + QUARTER * place, values={"register": round(float(last[name].values["register"] or 0) + step * place, 2)})
        for name, step in (("line", 2.7), ("fan", 1.04))
        for place in range(1, 13)
    ]
    bureau.bring(more)
    bureau.settle()
    assert [{"withdrawn": True}] == [body for _, body in bureau.told("blind")]


LIST = {"enterprise": "works", "grade": "C", "level": "orange", "line": "", "measure": "限产50%", "share": "50", "meters": "line", "file": "f"}
ORDER = {"level": "orange", "from": "2025-01-04 08:00", "to": "2025-01-05 08:00", "document": "某指办〔2025〕1号"}


def test_an_order_is_judged_by_the_hour_and_waits_for_its_receipt(bureau: Bureau) -> None:
    """All of the load ran on: each hour not obeyed, one breach, no receipt; then the enterprise confirms."""
    bureau.say("reduction-list", "2025-01-04", **LIST)
    bureau.say("orders", "2025-01-04", **ORDER)
    bureau.settle()
    rows = bureau.hours()
    ((order, body),) = bureau.told("order")
    ((breach, clue),) = bureau.told("breach")

    assert ({"not-obeyed"}, 24, at("2025-01-04 09:00"), at("2025-01-05 08:00")) == ({row.status for row in rows}, len(rows), rows[0].time, rows[-1].time)
    assert all(400 < (row.value or 0) < 480 and 200 < (row.target or 0) < 240 and (row.low90 or 0) < (row.target or 0) < (row.high90 or 0) for row in rows)
    assert ("works", 1.0, None, {"obeyed": 0, "not-obeyed": 24, "cannot-tell": 0}) == (order.source, order.value, body["receipt"], body["hours"])
    assert ("line", "E4", "open", 24 * 60, 24) == (breach.source, clue["rule"], clue["state"], clue["minutes"], len(clue["load_kwh"]))

    bureau.say("order-receipt", "2025-01-04", enterprise="works", **{"from": "2025-01-04T08:00:00+08:00"})
    bureau.settle()
    ((order, body),) = bureau.told("order")
    assert (0.0, "李工") == (order.value, body["receipt"]["user"])


def test_an_order_that_is_shortened_takes_its_hours_back(bureau: Bureau) -> None:
    """The same begin with an earlier end replaces the order; hours behind it lose their value and say so, also for a new process."""
    bureau.say("reduction-list", "2025-01-04", **LIST)
    bureau.say("orders", "2025-01-04", **ORDER)
    bureau.settle()
    bureau.follower = bureau.open()
    bureau.follower.start()
    bureau.say("orders", "2025-01-04", **{**ORDER, "to": "2025-01-04 20:00"})
    bureau.settle()

    assert {"not-obeyed": 12, "withdrawn": 12} == {status: sum(row.status == status for row in bureau.hours()) for status in ("not-obeyed", "withdrawn")}
    assert [None] * 12 == [row.value for row in bureau.hours() if row.status == "withdrawn"]


def test_a_list_without_a_meter_cannot_be_told(bureau: Bureau) -> None:
    """Who has no meter that shows it is neither obedient nor not."""
    bureau.say("reduction-list", "2025-01-04", **{**LIST, "enterprise": "mill", "meters": "nobody"})
    bureau.say("orders", "2025-01-04", **ORDER)
    bureau.settle()

    assert {("cannot-tell", None)} == {(row.status, row.value) for row in bureau.hours("mill")}
    assert {"no-meter": 24} == bureau.told("order")[0][1]["why"]


def test_hourly_history_is_coarse_and_no_silence(tmp_path: Path) -> None:
    """A meter read hourly until New Year and every quarter of an hour since: nothing is blind, and nothing is judged before it is learnt."""
    one = Bureau(tmp_path)
    one.bring([row for row in registers() if row.time >= at("2025-01-01 00:00") or row.time % 3_600 == 0])
    one.follower.start()
    one.settle()
    found = [one.told(kind) for kind in ("blind", "treatment-off")]
    one.close()

    assert [[], []] == found


def test_a_list_that_comes_behind_its_order_counts_within_the_hour(bureau: Bureau) -> None:
    """Nobody announces a list, for it is about no day; the next hour finds it."""
    bureau.say("orders", "2025-01-04", **ORDER)
    bureau.settle()
    assert [] == bureau.told("order")
    bureau.store.enter([Entry("reduction-list", "person/list", (NOW + 5) * 10**9, "李工", LIST)])
    bureau.clock.now = NOW + 3_600
    bureau.settle()

    assert ["works"] == [row.source for row, _ in bureau.told("order")]
