"""A rule applied: samples of a foreign payload become messages, or reasons. Pure.

Whatever is wrong costs as little as possible: a value, then a reading, then the message. Nothing is guessed: a name that no rule
knows, a unit that does not fit and a time in another unit are refused with words that say what to register.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, DecimalException, InvalidOperation
from math import isfinite
from typing import Final, NamedTuple

from domain.errors import NotUnderstood
from domain.items import ITEMS
from domain.message import Message, Refusal
from domain.places import Device, Registry
from domain.rules import EVERYTHING, ItemRule, Rule
from ingest.decoders.native import Part
from ingest.decoders.samples import MOST, Dialect, Letter, Sample, shown
from ingest.decoders.times import instant
from ingest.decoders.units import Convert, converter

REGISTERED: Final = "registered"
PURE: Final = "1"
"""Unit of what has none, such as a power factor."""
_LIST: Final = 1_000
_EXACT: Final = 2**53
_new: Final = tuple.__new__


class Places:
    """Foreign names and units of what one device speaks for."""

    def __init__(self, registry: Registry, device: Device, day: int) -> None:
        self.registry, self.device = registry, device
        self.sources = device.sources.on(day) or ()

    def source(self, channel: str | None) -> str | Refusal | None:
        """Our id of a channel; None where the device speaks for one place only and the message names none."""
        if channel is None:
            return None if len(self.sources) == 1 else Refusal("bad-schema", f"无法确定来源 which of {len(self.sources)} sources? give the rule a source")
        known = self.device.names.get(channel)
        if known:
            return known
        if channel in self.sources:
            return channel
        others = self.registry.by_name.get(channel, ())
        if others or channel in self.registry.kinds:
            return Refusal("identity-mismatch", f"该设备无权代表 the device may not speak for {channel[:32]!r}")
        return Refusal("unknown-source", f"未登记 {channel[:32]!r} is not among the names of device {self.device.id}")

    def kind(self, source: str | None) -> str:
        """Store table of a source."""
        return self.registry.kinds.get(source or (self.sources[0] if self.sources else ""), "")

    def unit(self, source: str | None, item: str) -> str:
        """Our unit of an item there; empty where none is fixed."""
        name = source or self.sources[0]
        kind = self.kind(source)
        if kind == "meter" and item == "register":
            return self.registry.meters[name].unit
        if kind == "point" and item in self.registry.points[name].units:
            return self.registry.points[name].units[item]
        known = ITEMS.get((kind, item))
        return (known.unit or PURE) if known and known.unit != REGISTERED else ""


class Group(NamedTuple):
    """The values of one place and time, their marks, and what is refused."""

    values: dict[str, float | None]
    flags: dict[str, str]
    bad: list[Refusal]


class Way(NamedTuple):
    """What becomes of every value of one foreign name, unit and channel.

    Attributes
    ----------
    source : str, None or Refusal
        Whose it is.
    fault : Refusal, optional
        Why no such value is taken: no rule knows the name, or its unit does not fit.
    exact : callable, optional
        Decimal sent → decimal in our unit; None where both are the same, and no number means "no value".
    """

    source: str | Refusal | None
    item: str
    fault: Refusal | None = None
    exact: Convert | None = None
    plain: bool = False
    """A number is taken as it stands: there is nothing to refuse, to convert or to look up."""


class Mapper:
    """Applies one rule for one device."""

    def __init__(self, rule: Rule, dialect: Dialect, places: Places) -> None:
        self.rule, self.dialect, self.places = rule, dialect, places
        self._items: dict[str, list[ItemRule]] = {}
        for one in rule.items:
            self._items.setdefault(one.name, []).append(one)
        self._ignored = frozenset(rule.ignore)
        self._sentinels = frozenset(Decimal(one) for one in rule.sentinels)
        self._form = rule.time_format or dialect.time_format
        self._ways: dict[tuple[str, str | None, str | None, bool], tuple[Way, ...]] = {}

    def read(self, letter: Letter) -> list[Part]:
        """Parts of a payload, in the order in which their times and places first stand in it; never raises."""
        try:
            samples = self.dialect.decode(letter)
        except NotUnderstood as error:
            return [Part(Refusal(error.reason, error.what))]
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, DecimalException) as error:
            return [Part(Refusal("bad-schema", f"不是 not {self.rule.format}: {error!r}"[:160]))]
        if samples is None:
            return []
        if len(samples) > MOST:
            return [Part(Refusal("oversize", f"{len(samples)} values in one message, at most {MOST}"))]
        return self.parts(samples, letter)

    def parts(self, samples: Iterable[Sample], letter: Letter) -> list[Part]:
        """Samples by place and time."""
        groups: dict[tuple[str | None, int], Group] = {}
        lost: list[Part] = []
        times: dict[object, int] = {}
        ways = self._ways
        for sample in samples:
            name, said, when, unit, flag, channel, late, total = sample
            known = ways.get((name, unit, channel, total))
            for way in self._learn(sample) if known is None else known:
                source = way.source
                if type(source) is Refusal:
                    _once(lost, source)
                    continue
                try:
                    time = times.get(when) or self._time(sample, letter, times)
                except (NotUnderstood, TypeError) as error:
                    _once(lost, _no_time(error, when))
                    continue
                group = groups.get((source, time))  # type: ignore[arg-type]
                if group is None:
                    group = groups[source, time] = _new(Group, ({}, {}, []))  # type: ignore[index]
                plain = way.plain and flag is None and not late and _is_plain(said)
                if plain and group[0].setdefault(way.item, float(said)) == said:  # type: ignore[arg-type]
                    continue
                self._enter(sample, way, group)
        span = self.rule.span
        found = [
            _new(Part, (Message(time, span, values, 0, None, source, flags), tuple(bad) if bad else ()))
            for (source, time), (values, flags, bad) in groups.items()
        ]
        return [*found, *lost] or [Part(Refusal("bad-schema", "没有可用的值 no value that the rule knows"))]

    def _learn(self, sample: Sample) -> tuple[Way, ...]:
        """What becomes of a name, remembered while there are few."""
        rules = self._items.get(sample.name)
        ways: tuple[Way, ...]
        if rules is None:
            ignored = sample.name in self._ignored or EVERYTHING in self._ignored
            strange = Refusal("unknown-item", f"映射中没有 {sample.name[:40]!r} stands in no rule", sample.name[:32])
            ways = () if ignored else (Way(self.places.source(sample.channel), "", strange),)
        else:
            ways = tuple(self._way(sample, rule) for rule in rules)
        if len(self._ways) < _LIST:
            self._ways[sample.name, sample.unit, sample.channel, sample.sum] = ways
        return ways

    def _way(self, sample: Sample, rule: ItemRule) -> Way:
        source = self.places.source(rule.source or sample.channel)
        if isinstance(source, Refusal):
            return Way(source, rule.item)
        if sample.sum != bool(rule.sum):
            words = "SenML 累计 s: the rule must say whether it is a register or an integral" if sample.sum else "no sum (s), which the rule expects"
            return Way(source, rule.item, Refusal("bad-schema", words, rule.item))
        wanted = self.places.unit(source, rule.item)
        sent, down = _integral(rule.unit or sample.unit or wanted, integral=rule.sum == "integral")
        if rule.unit and sample.unit and isinstance(converter(sample.unit, rule.unit), str):
            words = f"报文单位 the message says {sample.unit}, the rule {rule.unit}"
            return Way(source, rule.item, Refusal("unit-mismatch", words, rule.item))
        how = converter(sent, wanted) if wanted else ("no unit is registered" if sent else None)
        if isinstance(how, str):
            return Way(source, rule.item, Refusal("unit-mismatch", how, rule.item))
        exact = _exact(rule, how, down)
        return Way(source, rule.item, None, exact, exact is None and not self._sentinels and not self.rule.unflagged)

    def _time(self, sample: Sample, letter: Letter, times: dict[object, int]) -> int:
        if sample.time is not None:
            time = instant(sample.time, self._form, letter.zone, letter.received)
        elif self.rule.arrival:
            time = letter.received
        else:
            raise NotUnderstood("没有时间 no time in the message, and the rule does not let arrival stand in")
        if not isinstance(sample.time, bool):  # true equals one, and is no time
            times[sample.time] = time
        return time

    def _enter(self, sample: Sample, way: Way, group: Group) -> None:
        if way.fault is not None:
            group.bad.append(way.fault)
            return
        if sample.value is None:
            return
        value = self._number(sample.value, way)
        if isinstance(value, Refusal):
            group.bad.append(value)
        elif group.values.setdefault(way.item, value) != value:
            group.bad.append(Refusal("bad-schema", f"两个值 two values of one time: {group.values[way.item]} and {value}", way.item))
        elif sample.flag is not None or sample.late or self.rule.unflagged:
            flag = self._flag(sample)
            if flag != "N":
                group.flags[way.item] = flag

    def _flag(self, sample: Sample) -> str:
        unknown = "N" if sample.flag == "N" else "D"
        flag = self.rule.unflagged or "N" if sample.flag is None else self.rule.flags.get(sample.flag, unknown)
        return "P" if sample.late and flag == "N" else flag

    def _number(self, said: object, way: Way) -> float | Refusal:
        """The value in our unit."""
        if way.exact is None and not self._sentinels and type(said) is float and isfinite(said):
            return said
        exact = decimal_of(said, way.item)
        if isinstance(exact, Refusal):
            return exact
        if exact in self._sentinels:
            return Refusal("value-out-of-range", f"{exact} 表示无值 means no value", way.item)
        return float(way.exact(exact) if way.exact else exact)


def _exact(rule: ItemRule, how: Convert | None, down: int) -> Convert | None:
    """Scale, offset and unit as one step; None where none of them changes a value."""
    scale, offset = Decimal(rule.scale) / down, Decimal(rule.offset)
    if scale == 1 and not offset:
        return how
    return lambda value: how(value * scale + offset) if how else value * scale + offset


def _no_time(error: Exception, said: object) -> Refusal:
    """Why a time is none; a list or an object where one belongs cannot even be looked up."""
    return Refusal(error.reason, error.what) if isinstance(error, NotUnderstood) else Refusal("bad-schema", f"不是时间 no time: {shown(said)}")


def _is_plain(said: object) -> bool:
    """Whether a value is a number that is taken as it stands."""
    return isfinite(said) if type(said) is float else type(said) is int and -_EXACT < said < _EXACT


def _once(lost: list[Part], refusal: Refusal) -> None:
    """One dead letter for a cause, not one for each value that has it."""
    if len(lost) < _LIST and Part(refusal) not in lost:
        lost.append(Part(refusal))


def _integral(unit: str, *, integral: bool) -> tuple[str, int]:
    """Unit of a value, and by what it is to be divided: a sum as RFC 8428 has it is in unit × seconds, so that W·s become Wh."""
    return ({"W": "Wh", "kW": "kWh", "var": "varh"}.get(unit, f"{unit}·h"), 3_600) if integral else (unit, 1)


def decimal_of(value: object, item: str) -> Decimal | Refusal:
    """A value as the decimal that was sent; texts are taken where they are plain numbers."""
    if isinstance(value, bool):
        return Refusal("bad-schema", f"{value} is no number", item)
    if isinstance(value, float):
        return Decimal(repr(value)) if isfinite(value) else Refusal("not-finite", f"{value} is no number", item)
    if isinstance(value, int) and abs(value) < 10**300:
        return Decimal(value)
    if isinstance(value, Decimal):
        return value if value.is_finite() and abs(value.adjusted()) < 300 else Refusal("not-finite", f"{value}"[:40], item)
    if isinstance(value, str) and len(value) < 40:
        try:
            return decimal_of(Decimal(value.strip()), item)
        except InvalidOperation:
            pass
    return Refusal("bad-schema", f"不是数字 {shown(value)} is no number", item)
