"""Is a device ready for its figures to count? Its last hours, judged by the registry in force, check by check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from domain.civil import day_of
from domain.items import MICRO
from domain.places import Device, Registry
from ingest.accept import NS, Acceptor, Sight, Verdict
from ingest.ports import Record

LATE_S: Final = 900
"""A reading comes within a quarter of an hour after its end; what was kept during a cut comes later, and is not the freshest."""
HOUR_S: Final = 3_600
FOREIGN: Final = frozenset({"identity-mismatch", "unknown-device", "unknown-source"})


class Check(NamedTuple):
    """One check: its name in both languages, whether it passed (None: it cannot be told yet), and what was seen."""

    zh: str
    en: str
    good: bool | None
    seen: str


@dataclass
class Trial:
    """What a device has sent, gathered record by record.

    Parameters
    ----------
    registry : Registry
        In force.
    device : Device
        On trial, or accepted: the checks are the same.
    """

    registry: Registry
    device: Device
    messages: int = 0
    sights: list[Sight] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    numbers: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._acceptor = Acceptor(self.registry)

    def see(self, record: Record) -> None:
        """A record of any device; those of others are passed over."""
        verdicts = self._acceptor.judge(record)
        mine = [verdict for verdict in verdicts if verdict.device == self.device.id]
        self.messages += bool(mine)
        for verdict in mine:
            self._enter(verdict)

    def _enter(self, verdict: Verdict) -> None:
        self.reasons.update(one.reason for one in verdict.refused)
        if verdict.sight:
            self.sights.append(verdict.sight)
        if verdict.seq is not None:
            self.numbers.append((verdict.run, verdict.seq))

    def checks(self) -> list[Check]:
        """All checks, in the order in which they help."""
        refused = sum(self.reasons.values())
        told = ", ".join(f"{reason} {count}" for reason, count in self.reasons.most_common(4))
        return [
            Check("收到", "received", bool(self.messages) or None, f"{self.messages} 条报文 messages, {len(self.sights)} 条读数 readings"),
            Check(
                "身份", "identity", not FOREIGN & self.reasons.keys() if self.messages else None, f"{sum(self.reasons[one] for one in FOREIGN)} 条被拒 refused"
            ),
            Check("内容", "content", not refused if self.messages else None, told or "全部接受 all accepted"),
            self._skew(),
            self._label(),
            self._unit(),
            *self._sequence(),
            *self._registers(),
        ]

    def _delays(self) -> list[int]:
        """Receipt − end of each reading [s], freshest first: what was kept during a cut lies at the end."""
        return sorted(sight.received_ns // NS - sight.time for sight in self.sights)

    def _skew(self) -> Check:
        delays = self._delays()
        if not delays:
            return Check("时钟和时区", "clock and zone", None, "尚无读数 no reading yet")
        fresh = delays[len(delays) // 10]
        hours = round(fresh / HOUR_S)
        if hours and abs(fresh - hours * HOUR_S) <= LATE_S:
            return Check("时钟和时区", "clock and zone", False, f"差 {hours} 小时 off by {hours} h: 时区或标签 zone or label?")
        good = -60 <= fresh <= LATE_S
        return Check("时钟和时区", "clock and zone", good, f"最新读数延迟 freshest readings come {fresh} s after their end")

    def _label(self) -> Check:
        spans = {sight.span for sight in self.sights if sight.span}
        if not spans:
            return Check("时段标签", "label", None if not self.sights else True, "瞬时值 instantaneous values")
        span, delays = max(spans), self._delays()
        fresh = delays[len(delays) // 10]
        late = abs(fresh - span) <= LATE_S and span > 2 * LATE_S
        early = abs(fresh + span) <= LATE_S and span > 2 * LATE_S
        words = "像是起始标签 looks like labels of the start" if late else "像是结束标签 looks like labels of the end" if early else f"时长 span {span} s"
        return Check("时段标签", "label", not (late or early), words)

    def _unit(self) -> Check:
        """Micrograms that are all below one are milligrams; any other middle is shown for a person to judge."""
        values: dict[str, list[float]] = {}
        for sight in self.sights:
            for name, value in sight.values.items():
                if value is not None:
                    values.setdefault(name, []).append(value)
        middles = {name: median(found) for name, found in values.items()}
        small = [name for name in MICRO if name in middles and 0 < max(values[name]) < 1 and self._air()]
        seen = ", ".join(f"{name} {value:g}" for name, value in middles.items())
        words = f"{', '.join(small)} 都小于 1 all below 1: mg/m³?" if small else f"中位数 medians: {seen}"
        return Check("单位", "unit", not small and not self.reasons["unit-mismatch"] if values else None, words if values else "尚无数值 no value yet")

    def _air(self) -> bool:
        return any(sight.kind == "air" for sight in self.sights)

    def _sequence(self) -> Iterator[Check]:
        if not self.numbers:
            words = "没有 seq：没有回执 no seq: there are no receipts"
            yield Check("序号和回执", "sequence and receipts", None, words)
            return
        newest = max(run for run, _ in self.numbers)
        seen = {seq for run, seq in self.numbers if run == newest}
        missing = max(seen) - min(seen) + 1 - len(seen)
        yield Check("序号和回执", "sequence and receipts", not missing, f"run {newest}: {min(seen)}…{max(seen)}, 缺 missing {missing}")
        again = len(self.numbers) - len(set(self.numbers))
        late = sum(delay > 2 * max(self.device.interval, LATE_S) for delay in self._delays())
        words = (
            f"重发 sent again {again}, 补传 kept during a cut {late}" if again or late else "未见；请断网十分钟再看 not seen: cut the network for ten minutes"
        )
        yield Check("断网续传", "re-send after a cut", True if again or late else None, words)

    def _registers(self) -> Iterator[Check]:
        """Power between registers against the nameplate; a register that falls."""
        for source in self.device.sources.newest:
            meter = self.registry.meters.get(source)
            points = sorted({(one.time, one.values["register"]) for one in self.sights if one.source == source and one.values.get("register") is not None})
            if meter is None or not points:
                continue
            steps = [(late[0] - early[0], Decimal(repr(late[1])) - Decimal(repr(early[1]))) for early, late in pairwise(points) if late[0] > early[0]]
            factor = Decimal(meter.multiplier.on(day_of(points[-1][0])) or "1")
            most = max((amount * factor * HOUR_S / seconds for seconds, amount in steps), default=Decimal(0))
            limit = meter.max_power if meter.medium == "electricity" else None
            falls = sum(amount < 0 for _, amount in steps)
            over = limit is not None and most > Decimal(limit)
            words = f"最大 most {most:.4g} {meter.unit}/h, 铭牌 nameplate {limit or '未登记 not registered'}, 下降 falls {falls}"
            yield Check(f"表底数 {source}", f"register {source}", not (over or falls) if steps else None, words)
