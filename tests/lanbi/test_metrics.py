"""Metrics: names, types and labels as promised, one snapshot a scrape, and honest about a process that is gone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from domain.reasons import ALL, DEAD, QUARANTINE
from lanbi import metrics
from lanbi.clock import SystemClock
from lanbi.metrics import WRITE_S, write_status
from lanbi.timed import WriteTimes
from tests.ingest.county import NOW
from tests.ingest.machine import Machine
from tests.ingest.test_forwarder import air
from tests.lanbi.ingest_house import Gadget, House, iotcore_broker, until
from tests.lanbi.test_live_law import law
from tests.lanbi.test_replaying import config, house, reading

__all__ = ["house"]
PROMISED = {
    "lanbi_ingest_messages_received_total": ("counter", set()),
    "lanbi_ingest_readings_received_total": ("counter", set()),
    "lanbi_ingest_readings_stored_total": ("counter", set()),
    "lanbi_ingest_readings_duplicate_total": ("counter", set()),
    "lanbi_ingest_readings_deadletter_total": ("counter", {"reason"}),
    "lanbi_ingest_readings_quarantined_total": ("counter", {"reason"}),
    "lanbi_ingest_items_refused_total": ("counter", {"reason"}),
    "lanbi_journal_days_until_full": ("gauge", set()),
    "lanbi_journal_pending_readings": ("gauge", set()),
    "lanbi_journal_bytes": ("gauge", {"writer"}),
    "lanbi_journal_oldest_seconds": ("gauge", set()),
    "lanbi_store_up": ("gauge", set()),
    "lanbi_store_write_seconds": ("histogram", {"le"}),
    "lanbi_store_retries_total": ("counter", {"status"}),
    "lanbi_broker_connected": ("gauge", set()),
    "lanbi_broker_last_packet_age_seconds": ("gauge", set()),
    "lanbi_sequence_gaps_total": ("counter", set()),
}
SAMPLE = re.compile(r'([a-z0-9_]+)(?:\{([a-z_]+)="([^"]*)"\})? (-?[0-9.e+-]+|NaN)')


def parsed(text: str) -> tuple[dict[str, str], dict[str, dict[str, float]]]:
    """Types by name, and samples by name and label value."""
    types = dict(line.split(" ")[2:4] for line in text.splitlines() if line.startswith("# TYPE "))
    samples: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            found = SAMPLE.fullmatch(line)
            assert found, line
            samples.setdefault(found[1], {})[found[3] or ""] = float(found[4])
    return types, samples


def scrape(data: Path) -> tuple[dict[str, str], dict[str, dict[str, float]]]:
    """What a data folder shows."""
    return parsed(metrics.text(metrics.collect(data, SystemClock())))


def test_names_types_and_labels_are_the_promised_ones(tmp_path: Path) -> None:
    """Each promised name is there with its type and labels and with samples, from the first moment on."""
    one = Machine(tmp_path)
    one.forward()
    write_status(tmp_path / "run" / "ingest.json", {"store_retries": {"503": 2}})
    text = metrics.text(metrics.collect(tmp_path, SystemClock()))
    types, samples = parsed(text)

    assert {name: kind for name, (kind, _) in PROMISED.items()} == {name: types.get(name) for name in PROMISED}
    for name, (kind, labels) in PROMISED.items():
        names = [f"{name}_bucket", f"{name}_sum", f"{name}_count"] if kind == "histogram" else [name]
        assert set() == set(names) - set(samples)
        assert labels == set(re.findall(rf'^{names[0]}{{([a-z]+)="', text, re.MULTILINE))
    reasons = {name: set(samples[f"lanbi_ingest_{name}_total"]) for name in ("readings_deadletter", "readings_quarantined", "items_refused")}
    assert {"readings_deadletter": set(DEAD), "readings_quarantined": set(QUARANTINE), "items_refused": set(ALL)} == reasons


def test_messages_are_those_journalled_also_while_the_store_is_away(tmp_path: Path) -> None:
    """What is received counts at once; how old the oldest waiting record is needs no running ingest."""
    one = Machine(tmp_path)
    one.journal([air(1, pm25=5.0), air(2, pm25=6.0)])
    _, waiting = scrape(tmp_path)
    one.forward()
    one.journal([b'{"user": "li"}'], "lanbi/v1/~person/reported", "person")
    one.forward()
    _, stored = scrape(tmp_path)

    assert (2, 2, 2) == tuple(
        waiting[name][""] for name in ("lanbi_ingest_messages_received_total", "lanbi_ingest_readings_received_total", "lanbi_journal_pending_readings")
    )
    assert waiting["lanbi_journal_oldest_seconds"][""] == pytest.approx(max(0.0, time.time() - NOW), abs=60)
    assert (2, 0, 0) == tuple(
        stored[name][""] for name in ("lanbi_ingest_messages_received_total", "lanbi_journal_pending_readings", "lanbi_journal_oldest_seconds")
    )


def test_a_process_that_fell_silent_is_not_connected(tmp_path: Path) -> None:
    """An old status file says nothing about now: not connected, store unknown, and the broker unheard for longer."""
    path = tmp_path / "run" / "ingest.json"
    write_status(path, {"connected": True, "store": "ok", "packet_age_s": 1.0, "store_retries": {"503": 2}})
    _, alive = scrape(tmp_path)
    os.utime(path, (path.stat().st_mtime - 100, path.stat().st_mtime - 100))
    _, silent = scrape(tmp_path)

    assert (1, 1, 1) == tuple(alive[name][""] for name in ("lanbi_broker_connected", "lanbi_store_up", "lanbi_broker_last_packet_age_seconds"))
    assert (0, 0) == tuple(silent[name][""] for name in ("lanbi_broker_connected", "lanbi_store_up"))
    assert silent["lanbi_broker_last_packet_age_seconds"][""] >= 100
    assert {"503": 2.0} == silent["lanbi_store_retries_total"]


def test_writes_are_a_histogram(tmp_path: Path) -> None:
    """Buckets are cumulative, and +Inf is the count."""
    times = WriteTimes()
    for seconds in (0.003, 0.3, 99.0):
        times.add(seconds)
    write_status(tmp_path / "run" / "ingest.json", {"writes": times.told()})
    _, samples = scrape(tmp_path)

    buckets = samples["lanbi_store_write_seconds_bucket"]
    assert [1.0, 2.0, 2.0, 3.0] == [buckets[edge] for edge in ("0.005", "0.5", "30", "+Inf")]
    assert (3.0, 99.303) == (samples["lanbi_store_write_seconds_count"][""], samples["lanbi_store_write_seconds_sum"][""])
    assert len(WRITE_S) + 1 == len(buckets)


@pytest.mark.parametrize("where", ["ingest", "serve"])
def test_every_process_shows_the_same_account_over_http(house: House, where: str) -> None:
    """A separate ingest on its health address and the API's process both answer with all promised names, adding up."""
    with iotcore_broker(house.port, house.data):
        house.listen()
        device = Gadget("air1", house.port)
        for seq in range(1, 20):
            device.say(reading(seq))
        until(lambda: house.law()["received"] == 19 and house.law()["pending"] == 0, "forwarded")
        device.close()
        with serving(house, where):
            url = f"http://127.0.0.1:{house.health if where == 'ingest' else house.http}/metrics"
            # The process tells of its writes once a second.
            text = until(lambda: (found := asked(url)) and "write_seconds_count 0\n" not in found and found, "metrics")
    types, samples = parsed(text)

    assert set() == set(PROMISED) - set(types)
    assert law(19, 19) == {
        name: int(samples[metric][""]) for name, metric in (("received", "lanbi_ingest_readings_received_total"), ("stored", "lanbi_ingest_readings_stored_total"), ("pending", "lanbi_journal_pending_readings"))
    } | {"duplicate": 0, "deadletter": int(sum(samples["lanbi_ingest_readings_deadletter_total"].values())), "quarantined": 0}  # fmt: skip
    assert samples["lanbi_store_write_seconds_count"][""] >= 1
    assert ("lanbi_api_request_seconds" in types) == (where == "serve")


def asked(url: str) -> str:
    """The answer, or nothing yet."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


@contextmanager
def serving(house: House, where: str) -> Iterator[None]:
    """The API's process beside the ingest, where it is asked for."""
    if where != "serve":
        yield
        return
    command = [sys.executable, "-m", "lanbi", "serve", *config(house)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield
        process.terminate()
