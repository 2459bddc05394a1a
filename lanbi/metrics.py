"""Status files of the processes, and the metrics that everybody may scrape, in Prometheus' text form.

Each process says once a second how it is, in ``run/<name>.json`` of the data folder; whoever wants to know reads the file and
needs no connection to the process.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.errors import WorkError
from domain.ports import Clock
from domain.reasons import ALL, DEAD, QUARANTINE
from ingest.jobs import COUNTS, RECONCILE, Job
from lanbi.clock import SystemClock
from lanbi.folders import made
from lanbi.frames import DOORS
from lanbi.journal import newest_trailer
from lanbi.journal_space import days_until_full, set_aside, used_by
from lanbi.sealing import sealable
from lanbi.state import StateView
from lanbi.waiting import oldest_ns

NS: Final = 1_000_000_000
MESSAGES: Final = ("mqtt", "hj212", "import")
"""Doors of messages; what a person enters is none."""
WRITE_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Buckets of a write [s]; the last one is the time-out."""
STATUS_SIZE: Final = 8_192
"""A status file has a multiple of this size, so that the next one has room in its place."""
STALE_S: Final = 15.0
"""A status older than this is no status (it is written every second)."""


class Metric(NamedTuple):
    """One metric: name, type, help, and its samples as (labels, value)."""

    name: str
    type: str
    help: str
    samples: tuple[tuple[Mapping[str, str], float], ...]
    parts: tuple[tuple[str, Mapping[str, str], float], ...] = ()
    """Samples under the name with an ending, as a histogram has them."""


def write_status(path: Path, status: Mapping[str, object]) -> None:
    """Replace a status file whole, so that a reader never sees half of it.

    On a full disk it is written over in place, for a supervisor must not take a process for dead that waits for room.
    """
    data = json.dumps(status, ensure_ascii=False).encode()
    data = data.ljust(-(-len(data) // STATUS_SIZE) * STATUS_SIZE)
    draft = path.with_suffix(".new")
    try:
        made(path.parent)
        draft.write_bytes(data)
        draft.replace(path)
    except (OSError, WorkError):
        _write_over(path, draft, data)


def _write_over(path: Path, draft: Path, data: bytes) -> None:
    with suppress(OSError):  # neither way: the age of the file tells it
        draft.unlink(missing_ok=True)
        with path.open("r+b", buffering=0) as file:
            if len(data) <= path.stat().st_size:
                file.write(data.ljust(path.stat().st_size))


def read_status(path: Path) -> dict[str, Any]:
    """A status file; empty if there is none."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def collect(data: Path, clock: Clock) -> list[Metric]:
    """Metrics of ingest and journal, from durable totals: they survive restarts and add up at every scrape."""
    state = StateView(data)
    try:
        law, totals = state.account()
        last = state.last_job(RECONCILE)
        waiting = oldest_ns(data, state)
    finally:
        state.close()
    age = max(0.0, (clock.now_ns() - waiting) / NS) if waiting else 0.0
    messages = sum(newest_trailer(data / "journal", writer).records for writer in MESSAGES)
    status = _alive(data / "run" / "ingest.json")
    own = [*_readings(messages, law, totals), *_journal(data, law["pending"], age)]
    return [*own, *_links(status), _writes(status.get("writes") or {}), *_reconciled(last)]


def _alive(path: Path) -> dict[str, Any]:
    """What a process says of itself; of one that has fallen silent only how long nobody heard the broker."""
    status = read_status(path)
    try:
        age = SystemClock().now_ns() / NS - path.stat().st_mtime
    except OSError:
        return status
    if age <= STALE_S:
        return status
    packet = status.get("packet_age_s")
    return {"packet_age_s": None if packet is None else packet + age, "store_retries": status.get("store_retries"), "writes": status.get("writes")}


def text(metrics: Iterable[Metric]) -> str:
    """Metrics in the text form that Prometheus scrapes.

    >>> print(text([Metric("a_total", "counter", "what it counts", (({"reason": "x"}, 2.0),))]), end="")
    # HELP a_total what it counts
    # TYPE a_total counter
    a_total{reason="x"} 2
    """
    lines: list[str] = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.type}"]
        lines += [f"{metric.name}{_labels(labels)} {value:.15g}" for labels, value in metric.samples]
        lines += [f"{metric.name}{ending}{_labels(labels)} {value:.15g}" for ending, labels, value in metric.parts]
    return "".join(f"{line}\n" for line in lines)


def _labels(labels: Mapping[str, str]) -> str:
    quoted = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return "{" + ",".join(quoted) + "}" if quoted else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _readings(messages: int, law: Mapping[str, int], totals: Mapping[tuple[str, str], int]) -> list[Metric]:
    def single(name: str, words: str, value: float) -> Metric:
        return Metric(f"lanbi_{name}_total", "counter", words, (({}, float(value)),))

    def by_reason(name: str, words: str, total: str, known: Iterable[str]) -> Metric:
        # A reason that has not been met yet stands at 0, so that its first time is seen as a rise.
        counts = {**dict.fromkeys(known, 0), **{reason: count for (found, reason), count in totals.items() if found == total}}
        rows = sorted(counts.items())
        return Metric(f"lanbi_{name}_total", "counter", words, tuple(({"reason": reason}, float(count)) for reason, count in rows))

    return [
        single("ingest_messages_received", "messages journalled", messages),
        single("ingest_readings_received", "readings journalled", law["received"]),
        single("ingest_readings_stored", "readings stored, as value or as history", law["stored"]),
        single("ingest_readings_duplicate", "readings known already", law["duplicate"]),
        by_reason("ingest_readings_deadletter", "readings refused", "deadletter", DEAD),
        by_reason("ingest_readings_quarantined", "readings held for a person", "quarantined", QUARANTINE),
        by_reason("ingest_items_refused", "items refused out of readings", "items_refused", ALL),
        single("ingest_readings_replayed", "readings that replays received once more", totals.get(("replayed", ""), 0)),
        single("store_mended_rows", "rows changed by a late write or a value come back, and put right", totals.get(("mended", ""), 0)),
        single("journal_lost_records", "records that damage took before they were decoded", totals.get(("journal_lost", ""), 0)),
        single("sequence_gaps", "numbers of devices that were skipped at first sight or declared lost", totals.get(("gaps", ""), 0)),
    ]


def _journal(data: Path, pending: int, age: float) -> list[Metric]:
    folder, keeper = data / "journal", read_status(data / "run" / "keeper.json")

    def by_writer(name: str, words: str, measure: Callable[[Path], int]) -> Metric:
        return Metric(name, "gauge", words, tuple(({"writer": writer}, float(measure(folder / writer))) for writer in DOORS))

    return [
        _gauge("lanbi_journal_pending_readings", "readings that wait for the store", pending),
        by_writer("lanbi_journal_bytes", "size of the journal on its disk", used_by),
        by_writer("lanbi_journal_set_aside_bytes", "torn ends that no commit covered", set_aside),
        _gauge("lanbi_journal_oldest_seconds", "age of the oldest record that waits for the store", age),
        _gauge("lanbi_journal_days_until_full", "days until disk or quota is full at the journal's growth", days_until_full(data, keeper.get("quota"))),
        _gauge("lanbi_journal_unsealed_files", "closed files that are not sealed yet", sum(len(sealable(folder, writer)) for writer in DOORS)),
        _gauge("lanbi_journal_unanchored_seals", "seals that an address was not sent yet", keeper.get("unanchored")),
        _gauge("lanbi_journal_keeper_faults", "what failed in the last round of sealing and mailing", len(keeper.get("faults", []))),
    ]


def _reconciled(last: Job | None) -> list[Metric]:
    rows = [({"result": name}, float(last.counts.get(name, 0))) for name in COUNTS] if last else []
    words = "when the last finished comparison of journal and store was begun (0: never)"
    return [
        _gauge("lanbi_reconcile_timestamp_seconds", words, last.asked_ns / NS if last else 0.0),
        Metric("lanbi_reconcile_rows", "gauge", "what that comparison came to, in rows", tuple(rows)),
    ]


def _links(status: Mapping[str, Any]) -> list[Metric]:
    retries = status.get("store_retries") or {}
    return [
        _gauge("lanbi_broker_connected", "1 while ingest has its session at the broker", status.get("connected")),
        _gauge("lanbi_broker_last_packet_age_seconds", "seconds since the broker was last heard", status.get("packet_age_s")),
        _gauge("lanbi_store_up", "1 while the store takes what it is given", status.get("store") == "ok"),
        Metric(
            "lanbi_store_retries_total", "counter", "batches that had to be tried again", tuple(({"status": name}, float(n)) for name, n in retries.items()),
        ),
    ]  # fmt: skip


def _writes(told: Mapping[str, Any]) -> Metric:
    """Seconds that the store took to write, in Prometheus' buckets, since the process began."""
    counts, number = told.get("counts") or [0] * len(WRITE_S), float(told.get("number") or 0)
    edges = [("_bucket", {"le": f"{edge:g}"}, float(count)) for edge, count in zip(WRITE_S, counts, strict=False)]
    rest = [("_bucket", {"le": "+Inf"}, number), ("_sum", {}, float(told.get("seconds") or 0.0)), ("_count", {}, number)]
    return Metric("lanbi_store_write_seconds", "histogram", "seconds that the store took to write a batch of readings", (), (*edges, *rest))


def _gauge(name: str, words: str, value: float | None) -> Metric:
    return Metric(name, "gauge", words, (({}, float(value or 0)),))
