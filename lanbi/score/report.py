"""The score as a table for people and as JSON for machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal
from statistics import median
from typing import Any

from lanbi.score.classes import Classes
from lanbi.score.energy import Energy
from lanbi.score.readings import Tally
from lanbi.score.signs import Found


@dataclass(frozen=True)
class Score:
    """Everything that a score says; ``facts`` is the scene's."""

    facts: dict[str, Any]
    tally: Tally
    energies: list[Energy]
    classes: Classes
    found: list[Found]
    false: int
    false_rate: float

    @property
    def sound(self) -> bool:
        """Whether nothing is lost, missing, doubled or altered but by a planted fault."""
        explained = sum(self.tally.explained.values())
        return self.tally.lost + self.tally.missing + self.tally.doubled + self.tally.altered <= explained and not self.tally.lost

    @property
    def wrong_meters(self) -> list[Energy]:
        """Meters whose energy is not the true one."""
        return [one for one in self.energies if one.error]


def lines(score: Score) -> Iterator[str]:
    """The table."""
    facts, tally = score.facts, score.tally
    yield f"场景 scenario {facts.get('scenario')}  种子 seed {facts.get('seed')}  区县 county {facts.get('county')}"
    rows = (
        ("说出 said", tally.said), ("确认 confirmed", tally.confirmed), ("放弃 given up", tally.given_up), ("入库 stored", tally.stored),
        ("拒收 refused", tally.refused), ("确认后丢失 lost", tally.lost), ("未确认缺失 missing", tally.missing), ("多出 doubled", tally.doubled),
        ("改变 altered", tally.altered),
    )  # fmt: skip
    yield from (f"  {name:<24}{count:>12,}" for name, count in rows)
    yield from (f"    其中因故障 of them by a fault: {name:<24}{count:>8,}" for name, count in sorted(tally.explained.items()))
    true = sum((one.true for one in score.energies), Decimal(0))
    error = sum((abs(one.error) for one in score.energies), Decimal(0))
    yield f"电量误差 energy error: {error} / {true} ({len(score.wrong_meters)} 块表不符 meters of {len(score.energies)})"
    yield from (f"    {one.meter}: 计 counted {one.counted}, 真 true {one.true}, 暂扣 held {one.held}" for one in score.wrong_meters[:20])
    kinds = score.classes
    yield f"级别不同 classes that differ: 空气 air {kinds.air_differ}/{kinds.air_days} 日 days, 水 water {kinds.water_differ}/{kinds.water_records} 次 records"
    yield f"误报 false alarms: {score.false} ({score.false_rate:.3f} 每台设备每月 a device-month)"
    if score.found:
        yield f"  {'故障 fault':<20}{'植入 planted':>12}{'发现 found':>12}{'延迟 delay':>16}"
    for one in score.found:
        told = "—" if one.found is None else str(one.found)
        yield f"  {one.kind:<20}{one.planted:>12}{told:>14}{_delay(one):>18}"
    yield "结论 verdict: " + ("无损 sound" if score.sound else "有损 NOT SOUND")


def _delay(one: Found) -> str:
    return f"{median(one.delays):.1f} h" if one.delays else ""


def words(score: Score) -> dict[str, Any]:
    """For JSON; energies as exact decimals in text."""
    tally = asdict(score.tally)
    return {
        "scene": score.facts,
        "sound": score.sound,
        "readings": {**tally, "explained": dict(score.tally.explained)},
        "energy": [{"meter": one.meter, "true": f"{one.true:f}", "counted": f"{one.counted:f}", "held": f"{one.held:f}"} for one in score.energies],
        "energy_error": f"{sum((abs(one.error) for one in score.energies), Decimal(0)):f}",
        "classes": asdict(score.classes),
        "faults": [{"kind": one.kind, "planted": one.planted, "found": one.found, "delays_h": list(one.delays)} for one in score.found],
        "false_alarms": score.false,
        "false_alarms_per_device_month": score.false_rate,
    }
