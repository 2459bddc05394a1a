"""What lanbi raised: refusals, flags, events, findings of its watches; and which fault each of them tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from analytics import counting, drift, meters, standing, stuck
from domain.alarms import DRIFTS
from domain.civil import DAY_S, HOUR_S, day_end, day_of, day_start
from domain.indicators import Event
from domain.items import AIR, BY_REALM
from domain.places import Registry
from domain.reasons import DEAD, QUARANTINE
from ingest.ports import Refused
from lanbi.score.readings import Rows
from lanbi.score.truth import Floats, Said, Truth

SLACK_S: Final = 2 * DAY_S
"""So long behind its end a fault may be told; a drift, which is told by days, four months."""
CLUES: Final = ("treatment-off", "late-start", "early-stop", "idling", "breach")
ALARMS: Final = frozenset({*DRIFTS, "stuck", "spike", "negative", "over-power", "held", "reset", *CLUES})
"""Signs that call for a person: raised where nothing is wrong they are false alarms."""
MONTH_D: Final = 30.4375


class Sign(NamedTuple):
    """Something that lanbi says of a source or device; ``time`` is what it is about, ``told`` when it could be known [s]."""

    name: str
    target: str
    time: int
    told: int


TELLS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "gap": frozenset({"gap"}),
        "stuck": frozenset({"stuck", "held"}),
        "spike": frozenset({"spike", "over-power"}),
        **dict.fromkeys(("step", "ramp", "offset"), frozenset(DRIFTS)),
        "unit-slip": frozenset({"unit-mismatch"}),
        "negative": frozenset({"flag Z", "value-out-of-range"}),
        "error-code": frozenset({"value-out-of-range"}),
        "masked": frozenset({"divergence"}),
        "calibration": frozenset({"flag C"}),
        "maintenance": frozenset({"flag M"}),
        "zero": frozenset({"spike", "negative"}),
        "garbage": frozenset({"spike", "value-out-of-range"}),
        "register-reset": frozenset({"reset", "negative", "held"}),
        "roll-over": frozenset({"rollover"}),
        "exchange": frozenset({"exchange"}),
        "exchange-silent": frozenset({"negative", "over-power", "held", "reset"}),
        "step-back": frozenset({"negative", "held"}),
        "treatment-off": frozenset({"treatment-off", "late-start", "early-stop", "stuck"}),
        "late-start": frozenset({"late-start", "treatment-off", "stuck"}),
        "idling": frozenset({"idling"}),
        "breach": frozenset({"breach"}),
        "backfill": frozenset({"flag P"}),
        "retained": frozenset({"retained"}),
        "clock-skew": frozenset({"future-time"}),
        "milliseconds": frozenset({"bad-schema"}),
        "forged": frozenset({"identity-mismatch"}),
        "malformed": frozenset(DEAD),
        "oversize": frozenset({"oversize"}),
        "stolen": frozenset({"conflict"}),
    },
)
"""Signs by which a kind of fault is found; kinds that are absent have none yet, and that is said."""
METERS_ONLY: Final = frozenset({"gap", "spike"})
"""Kinds that have a sign on meters alone."""


@dataclass(frozen=True)
class Found:
    """One kind of fault.

    ``delays`` [h] from the onset to when it could be known, of those found; None among the counts = no sign tells this kind.
    """

    kind: str
    planted: int
    found: int | None
    delays: tuple[float, ...]


def judged(truth: Truth, signs: Sequence[Sign], registry: Registry) -> list[Found]:
    """Per kind of fault: planted, found, delays."""
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for fault in truth.faults:
        by_kind.setdefault(fault["kind"], []).append(fault)
    out = []
    for kind, faults in sorted(by_kind.items()):
        tellable = [fault for fault in faults if _tellable(fault, registry)]
        hits = [min((sign.told for sign in signs if _tells(sign, fault, registry)), default=None) for fault in tellable]
        delays = tuple((told - fault["begin"]) / HOUR_S for told, fault in zip(hits, tellable, strict=True) if told is not None)
        out.append(Found(kind, len(faults), len(delays) if tellable else None, delays))
    return out


def false_alarms(truth: Truth, signs: Sequence[Sign], registry: Registry) -> tuple[int, float]:
    """Alarms that no planted fault explains, and how many that is a device and month."""
    false = sum(sign.name in ALARMS and not any(_explains(fault, sign, registry) for fault in truth.faults) for sign in signs)
    devices = len({said.device for said in truth.said})
    months = devices * (truth.facts["until"] - truth.facts["begin"]) / DAY_S / MONTH_D
    return false, false / months if months else 0.0


def _tellable(fault: Mapping[str, Any], registry: Registry) -> bool:
    return fault["kind"] in TELLS and (fault["kind"] not in METERS_ONLY or fault["target"] in registry.meters)


def _tells(sign: Sign, fault: Mapping[str, Any], registry: Registry) -> bool:
    return sign.name in TELLS.get(fault["kind"], ()) and _explains(fault, sign, registry)


def _explains(fault: Mapping[str, Any], sign: Sign, registry: Registry) -> bool:
    """Whether a sign may be due to a fault: the same place, or its device, within the fault's time and what it leaves behind."""
    targets = {fault["target"], fault["partner"], *_sources(registry, fault["target"])}
    if sign.target not in targets and fault["target"] not in _sources(registry, sign.target):
        return False
    slack = 120 * DAY_S if sign.name in DRIFTS else SLACK_S
    return bool(fault["begin"] - HOUR_S <= sign.time <= fault["end"] + slack)


def _sources(registry: Registry, device: str) -> tuple[str, ...]:
    return registry.devices[device].sources.newest if device in registry.devices else ()


def of_refusals(found: Sequence[Refused], said: Sequence[Said]) -> Iterator[Sign]:
    """Dead letters and quarantined readings; one without a number is about the scene's device as a whole."""
    slots = {(one.device, int(run), int(seq)): slot for one in said for run, seq, slot in _numbers(one, found)}
    spans = {one.device: (int(one.slot.min()), int(one.slot.max())) for one in said if len(one)}
    for one in found:
        slot = None if one.number is None else slots.get((one.device, one.run, one.number))
        if one.reason in DEAD or one.reason in QUARANTINE:
            times = [slot] if slot is not None else list(range(*spans.get(one.device, (0, 0)), HOUR_S))
            yield from (Sign(one.reason, one.device, time, time) for time in times)


def _numbers(said: Said, found: Sequence[Refused]) -> list[tuple[int, int, int]]:
    wanted = {(one.run, one.number) for one in found if one.device == said.device}
    rows = zip(said.run.tolist(), said.seq.tolist(), said.slot.tolist(), strict=True)
    return [row for row in rows if row[:2] in wanted] if wanted else []


def of_flags(said: Said, rows: Rows) -> Iterator[Sign]:
    """Letters that stand beside stored values."""
    for letter in "CMPZ":
        for time in rows.times[(rows.flags == ord(letter)).any(axis=1)].tolist():
            yield Sign(f"flag {letter}", said.source, time, time)


def of_events(found: Sequence[Event]) -> Iterator[Sign]:
    """Events that lanbi has stored."""
    return (Sign(one.kind, one.source, one.time, one.time) for one in found)


def of_meters(accounts: Mapping[str, meters.Account], counted: Mapping[str, counting.Counted], registry: Registry) -> Iterator[Sign]:
    """Events of the accounts of meters, and registers that stand while others beside them run."""
    pairs = {name: [other for other, one in registry.meters.items() if registry.meters[name].treats == other or one.treats == name] for name in accounts}
    for name, one in accounts.items():
        yield from (Sign(event.kind, name, event.time, event.time) for event in one.events)
    for name, events in standing.stuck(counted, pairs).items():
        yield from (Sign(event.kind, name, event.time, event.time) for event in events)


def of_standing(said: Said, rows: Rows) -> Iterator[Sign]:
    """Instruments that stand still."""
    if said.kind in {"air", "water"} and len(rows.times) > 1:
        items = {name: rows.values[:, place] for place, name in enumerate(BY_REALM[said.kind]) if not np.isnan(rows.values[:, place]).all()}
        yield from (Sign("stuck", said.source, run.begin, run.end) for run in stuck.find(rows.times, items))


def of_drift(stored: Sequence[tuple[Said, Rows]], registry: Registry) -> Iterator[Sign]:
    """Air stations that drift off their neighbours."""
    hours = [(said, rows) for said, rows in stored if said.source in registry.air_stations and said.span == HOUR_S and len(rows.times)]
    if len(hours) < 2:
        return
    first, last = day_of(min(int(rows.times[0]) for _, rows in hours)), day_of(max(int(rows.times[-1]) for _, rows in hours))
    for item in AIR:
        table = np.stack([_grid(rows, item, first, last) for _, rows in hours], axis=1)
        for place, (said, _) in enumerate(hours):
            beside = drift.proxy(table, place, range(len(hours)))
            for one in drift.find(item, np.ascontiguousarray(table[:, place]), beside):
                yield _drifted(one, said.source, first)


def _grid(rows: Rows, item: str, first: int, last: int) -> Floats:
    out = np.full((last - first + 1) * 24, np.nan)
    whole = (rows.times % HOUR_S == 0) & (rows.times > day_start(first)) & (rows.times <= day_end(last))
    out[(rows.times[whole] - day_start(first)) // HOUR_S - 1] = rows.values[whole, BY_REALM["air"].index(item)]
    return out


def _drifted(one: drift.Drift, source: str, first: int) -> Sign:
    if one.kind == "divergence":
        begin = day_start(first)
        return Sign(one.kind, source, begin + (one.onset + 1) * HOUR_S, begin + (one.detected + 1) * HOUR_S)
    return Sign(one.kind, source, day_end(first + one.detected), day_end(first + one.detected))
