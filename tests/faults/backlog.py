"""Backlog campaign: the database is away for ten minutes at 10,000 readings a second, and nobody but the dashboards' history notices.

While the store is away ingest goes on taking, journalling and confirming; its memory stays where it was; the API goes on saying who
is fresh and what was measured last. When the store is back it is up to date within two minutes, while the devices go on speaking.
6,000,000 readings are the backlog of 3.3 hours at the design load of 500/s.
Run it alone with ``python -m tests.faults.backlog --away 60``.
"""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from domain.civil import parse_time
from lanbi.journal import JournalReader
from lanbi.sealing import close_idle, seal, sealable
from tests.faults.parts.devices import Fleet, Ids, Pace
from tests.faults.parts.house import House, until
from tests.faults.parts.judge import FromInflux, judge, refusals
from tests.faults.parts.proxy import HANG, Mode
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.truth import CLEAN, SPAN, County
from tests.faults.parts.watch import Watch, cpu_s, percentiles, slope

STOP: Final = "stop"
MEGABYTE: Final = 1 << 20
DAY_S: Final = 86_400
FAR_DAY: Final = 1_000_000
"""A day by which every file of the journal is an old one."""
MEMORY_MB: Final = 256.0
FLAT_MB: Final = 8.0
"""Growth from the second to the last quarter of the outage that still counts as flat: an allocator's, not a queue's (that is GBs)."""
OVERHEAD_B: Final = 64.0
SEALED_B: Final = 60.0
BACK_S: Final = 120.0
GIVE_UP_S: Final = 400.0
"""The devices speak on for so long while the store is not up to date."""
LAG_S: Final = 60.0
"""Newest value that the API shows, behind the newest one said."""
PROMPT_S: Final = 5.0
PATIENT_S: Final = 25.0
"""A board waits so long for an answer, promptly of freshness; of a silent store the API knows only after its own time-out."""
COMES_S: Final = 90.0
"""Where seconds are not judged it says that something never comes."""
FRESH_S: Final = 3.0
"""Seconds of the load that may be pending when the store counts as up to date."""


@dataclass(frozen=True)
class Size:
    """How long and how fast."""

    away: float
    rate: float
    warm: float = 20.0
    devices: int = 100
    how: str = STOP
    """How the store is away: influxd itself is stopped, or the proxy before it refuses or hangs."""
    timed: bool = True
    """Whether seconds are judged: on whatever machine runs the short form only that things go on, and that nothing is lost."""


FULL: Final = Size(away=600.0, rate=10_000.0)
QUICK: Final = Size(away=15.0, rate=2_000.0, warm=3.0, how=HANG, timed=False)


class Content(NamedTuple):
    """What a journal holds: counts, bytes of payloads, digest over everything in its order."""

    records: int
    readings: int
    payload: int
    digest: str


@dataclass
class Gaze:
    """What the API says while the store is away, and until it is up to date."""

    house: House
    fleet: Fleet
    timed: bool = True
    lags: list[float] = field(default_factory=list)
    """Newest time of a source as the API knows it, behind what its device last said [s of the campaign]."""
    values: list[float] = field(default_factory=list)
    silent: int = 0
    asked: int = 0
    seen: dict[str, dict[int, int]] = field(default_factory=dict)
    """By kind of answer, the newest time of each device's source."""

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gaze", daemon=True)

    def start(self) -> None:
        """Ask once a second, or as often as answers come."""
        self._thread.start()

    def close(self) -> None:
        """Ask no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2 * COMES_S)

    def _run(self) -> None:
        while not self._stop.wait(1.0):
            self.look()

    def look(self) -> None:
        """Ask for freshness and latest values."""
        self.asked += 1
        county, said = self.fleet.county, self.said()
        fresh, stations = (
            self.house.get(f"/api/v1/{path}", wait if self.timed else COMES_S) for path, wait in (("freshness", PROMPT_S), ("air/stations", PATIENT_S))
        )
        a_second = self.fleet.pace.rate / county.count * SPAN
        for answer, key, name, lags in ((fresh, "last", "source", self.lags), (stations, "time", "id", self.values)):
            if not isinstance(answer, dict):
                self.silent += 1
                continue
            seen = self.seen[key] = {county.number(row[name]): parse_time(row[key]) for row in answer["items"] if row[key]}
            lags += [max(0.0, (said[number] - time_) / a_second) for number, time_ in seen.items()]

    def said(self) -> list[int]:
        """Time of what each device said last."""
        return [self.fleet.county.time(int(plan.slot[: max(1, next_)].max())) for plan, next_ in zip(self.fleet.plans, self.fleet.next, strict=True)]

    def behind(self, said: list[int]) -> bool:
        """Whether both answers show of every source something newer than this."""
        return len(self.seen) == 2 and all(time_ > said[number] for seen in self.seen.values() for number, time_ in seen.items())


def campaign(asked: Asked) -> Finding:
    """The campaign that the command line asks for."""
    more = asked.more
    return backlog(asked.folder, asked.seed, QUICK if asked.quick else Size(more.away, more.rate, how=more.how))


def backlog(folder: Path, seed: int, size: Size) -> Finding:
    """Speak, take the store away, bring it back, wait, judge."""
    county = County(seed, size.devices, int(time.time()) // DAY_S * DAY_S - 200 * DAY_S, CLEAN)
    log = folder / "devices.log"
    most = int(size.rate * (size.away + 600) / size.devices)
    with House(folder / "house", county.registry(), serve=True, direct=size.how == STOP) as house:
        fleet, watch = Fleet(county, house.broker_port, log, most, Pace(size.rate, again_s=15.0)), Watch(house, every=1.0)
        gaze = Gaze(house, fleet, size.timed)
        with closing(fleet), closing(watch), closing(gaze):
            found = _outage(house, (fleet, watch, gaze), size)
        verdict = _verdict(house, log, county, watch)
        found["exit_code"] = house.ingest.stop()
        found["journal"] = _journal(house)
    bars = _bars(found, gaze, size, whole=verdict.sound and not watch.breaches)
    return {
        "sound": all(bars.values()),
        "figures": [*_figures(found, size), f"faults {sum(verdict.counts.values())}, {len(watch.breaches)} breaches in {len(watch.looks):,} looks"],
        "bars": bars,
        "away_s": size.away,
        "rate": size.rate,
        **found,
        **verdict.words(),
        "watch": watch.words(),
    }


def _outage(house: House, parts: tuple[Fleet, Watch, Gaze], size: Size) -> dict[str, Any]:
    """The course of it, and what was measured on the way."""
    fleet, watch, gaze = parts
    fleet.prepare(int(size.rate * (size.warm + size.away + BACK_S)))
    watch.start()
    fleet.start()
    time.sleep(size.warm)
    warm = _stretch(fleet, watch)
    gaze.start()
    _take_away(house, size.how)
    begun, cpu, said = watch.now, cpu_s(house.ingest.pid), gaze.said()
    time.sleep(size.away)
    if not size.timed:
        spoken = fleet.said
        until(lambda: fleet.receipted >= spoken, "receipts go on while the store is away", COMES_S)
        until(lambda: gaze.behind(said), "freshness and latest values go on while the store is away", COMES_S)
    away = {**_stretch(fleet, watch), "ingest_cpu_s": round(cpu_s(house.ingest.pid) - cpu, 1)}
    looks = [look for look in watch.looks if begun <= look.at]
    _bring_back(house, size.how)
    back = _return(house, fleet, watch, size)
    gaze.close()
    settled = fleet.settle(60)
    until(lambda: house.law()["pending"] == 0, "the backlog is empty", 3_600)
    watch.look()
    memory = _memory([look.at for look in looks], [look.resident / MEGABYTE for look in looks])
    api = {"asked": gaze.asked, "silent": gaze.silent, "freshness_lag": _lag(gaze.lags), "values_lag": _lag(gaze.values)}
    return {"warm": warm, "away": away, "back": back, "memory": memory, "api": api, "settled": settled}


def _take_away(house: House, how: str) -> None:
    if how == STOP:
        house.influx.stop()
    else:
        house.proxy.set(Mode(how))


def _bring_back(house: House, how: str) -> None:
    if how == STOP:
        house.influx.start()
    else:
        house.proxy.set(Mode())


def _bars(found: dict[str, Any], gaze: Gaze, size: Size, *, whole: bool) -> dict[str, bool]:
    """What must hold, each by its name."""
    memory, journal = found["memory"], found["journal"]
    bars = {
        "nothing lost": whole and found["settled"] and found["exit_code"] == 0,
        "memory at most 256 MB": memory["most_mb"] <= MEMORY_MB,
        "journal at most 64 B beside the payload": journal["overhead_b"] <= OVERHEAD_B,
        "sealed at most 60 B a reading": journal["sealed_b"] <= SEALED_B and journal["sealed_reads_the_same"],
    }
    if not size.timed:
        return bars | {"freshness and latest values are always answered": gaze.silent == 0, "up to date again": found["back"]["up_to_date_s"] <= GIVE_UP_S}
    return bars | {
        "memory flat": memory["grown_mb"] <= FLAT_MB,
        "acknowledged on": found["away"]["receipted"] >= 0.95 * size.rate * size.away,
        "freshness and latest values go on": gaze.silent == 0 and _behind(found) <= min(LAG_S, size.away / 2),
        "up to date within two minutes": found["back"]["up_to_date_s"] <= BACK_S,
    }


def _figures(found: dict[str, Any], size: Size) -> list[str]:
    away, back, memory, journal = (found[name] for name in ("away", "back", "memory", "journal"))
    return [
        f"{back['backlog']:,} readings waited after {size.away:.0f} s at {size.rate:,.0f}/s",
        f"memory at most {memory['most_mb']} MB, {memory['slope_mb_min']:+.2f} MB a minute",
        f"confirmed meanwhile: PUBACK {_words(away['puback'])}, receipt {_words(away['receipt'])}",
        f"newest value over the API at most {_behind(found):.1f} s behind",
        f"journal {journal['overhead_b']} B a reading beside {journal['payload_b']} B of payload, sealed {journal['sealed_b']} B in all",
        f"up to date {back['up_to_date_s']} s after the return, {back['readings_s']:,} readings/s beside {size.rate:,.0f}/s of new ones",
    ]


def _behind(found: dict[str, Any]) -> float:
    """How far the newest value lay behind what was said, at most [s]."""
    return float(max(found["api"][name]["most_s"] for name in ("freshness_lag", "values_lag")))


def _words(latency: dict[str, float]) -> str:
    return f"p50 {latency.get('p50_ms', 0):.0f} ms, p99 {latency.get('p99_ms', 0):.0f} ms"


def _stretch(fleet: Fleet, watch: Watch) -> dict[str, Any]:
    """What was said and confirmed since the last call, and how fast."""
    said, receipted = fleet.said, fleet.receipted
    before = getattr(fleet, "_before", (0, 0))
    fleet._before = (said, receipted)  # type: ignore[attr-defined]
    acks, receipts = fleet.take_latencies()
    pending = watch.looks[-1].law["pending"] if watch.looks else 0
    return {"said": said - before[0], "receipted": receipted - before[1], "puback": percentiles(acks), "receipt": percentiles(receipts), "pending": pending}


def _return(house: House, fleet: Fleet, watch: Watch, size: Size) -> dict[str, Any]:
    """The store is back: until what is pending is what comes in a moment, while the devices go on."""
    begun, pending = watch.now, house.law()["pending"]
    parts = {part.name: part.pid for part in (house.ingest, house.influx, house.broker, house.api)} | {"devices and observer": os.getpid()}
    cpu = {name: cpu_s(pid) for name, pid in parts.items()}
    while house.law()["pending"] > FRESH_S * size.rate and watch.now - begun < GIVE_UP_S:
        time.sleep(0.1)
    took = watch.now - begun
    spent = {name: round(cpu_s(pid) - cpu[name], 1) for name, pid in parts.items()}
    done = pending + size.rate * took
    return {"backlog": pending, "up_to_date_s": round(took, 1), "readings_s": round(done / max(took, 0.1)), "cpu_s": spent, **_stretch(fleet, watch)}


def _memory(times: list[float], megabytes: list[float]) -> dict[str, Any]:
    quarter = max(1, len(times) // 4)
    second, last = float(np.median(megabytes[quarter : 2 * quarter])), float(np.median(megabytes[-quarter:]))
    a_minute = slope(times[quarter:], megabytes[quarter:]) * 60
    return {"most_mb": round(max(megabytes), 1), "grown_mb": round(last - second, 2), "slope_mb_min": round(a_minute, 3), "samples": len(times)}


def _lag(lags: list[float]) -> dict[str, float]:
    if not lags:
        return {"most_s": float("inf")}
    p50, p99 = np.percentile(lags, [50, 99])
    return {"p50_s": round(float(p50), 2), "p99_s": round(float(p99), 2), "most_s": round(max(lags), 2), "samples": len(lags)}


def _journal(house: House) -> dict[str, Any]:
    """Bytes a reading, from the journal itself: payloads, what stands beside them, and what sealing leaves."""
    folder = house.data / "journal"
    plain, size = _content(folder), _size(folder)
    per = {"payload_b": plain.payload / plain.readings, "overhead_b": (size - plain.payload) / plain.readings}
    per["overhead_b_message"] = (size - plain.payload) / plain.records
    begun = time.process_time()
    close_idle(folder, "mqtt", FAR_DAY)
    for path in sealable(folder, "mqtt"):
        seal(folder, "mqtt", path)
    per |= {"sealed_b": _size(folder) / plain.readings, "sealing_cpu_s": time.process_time() - begun}
    same = _content(folder) == plain
    return {
        "records": plain.records,
        "readings": plain.readings,
        "bytes": size,
        "sealed_reads_the_same": same,
        **{name: round(one, 2) for name, one in per.items()},
    }


def _content(folder: Path) -> Content:
    reader, digest = JournalReader(folder, "mqtt"), hashlib.sha256()
    records = readings = payload = 0
    while found := reader.read():
        for record in found:
            records += 1
            readings += record.readings
            payload += len(record.payload)
            digest.update(b"%d %d %s " % (record.seq, record.received_ns, record.topic.encode()) + record.payload)
    return Content(records, readings, payload, digest.hexdigest())


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "mqtt").glob("*.lbj*")) + sum(path.stat().st_size for path in (folder / "mqtt").glob("*.seal"))


def _verdict(house: House, log: Path, county: County, watch: Watch) -> Any:
    read = FromInflux(f"http://127.0.0.1:{house.influx_port}", house.secret("influx-write").read_text().strip())
    return judge(county, Ids.of(log), read, refusals(house.data), watch.looks[-1].law)


if __name__ == "__main__":
    arguments = (
        ("--away", float, FULL.away, "seconds without the database"),
        ("--rate", float, FULL.rate, "readings a second"),
        ("--how", str, FULL.how, "how it is away: stop, refuse or hang"),
    )
    sys.exit(main("backlog", __doc__.splitlines()[0], campaign, arguments))
