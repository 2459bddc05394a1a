"""A publisher for an enterprise's computer: it keeps each reading on disk until lanbi's receipt says that it is on lanbi's disk.

Feeds: the lines that are appended to a CSV file, a JSON page over HTTP, registers of a Modbus TCP meter, a meter of DL/T 645-2007. Needs
paho-mqtt (and pymodbus or dlt645 for meters). Kill it at any moment and start it again: nothing is lost, and nothing counts twice. One process a spool file.

    python publisher.py --config publisher.toml
"""

from __future__ import annotations

import argparse
import json
import signal
import sqlite3
import ssl
import sys
import time
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

BATCH = 100
"""Readings of one message at most: lanbi takes 64 kB."""
AGAIN_S = (10.0, 30.0, 120.0, 600.0, 3_600.0)
"""Without a receipt a reading is sent again, later each time; after these it is set aside and declared lost."""
TICK_S = 0.2


class Spool:
    """What was measured and is not confirmed: an SQLite file, written through to the disk before anything is sent."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path)
        self.db.executescript("""
            PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
            CREATE TABLE IF NOT EXISTS held (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0);
            CREATE TABLE IF NOT EXISTS lost (first INTEGER, last INTEGER, told INTEGER NOT NULL DEFAULT 0);
            CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, value TEXT NOT NULL);
        """)

    def mark(self, name: str, default: str = "0") -> str:
        """A remembered value: the run, the next number, how far a feed was read."""
        row = self.db.execute("SELECT value FROM marks WHERE name = ?", (name,)).fetchone()
        return row[0] if row else default

    def put(self, readings: list[dict[str, Any]], marks: dict[str, str]) -> None:
        """Number readings and keep them; with them, in the same transaction, how far their feed was read."""
        with self.db:
            seq = int(self.mark("next"))
            for number, reading in enumerate(readings, seq):
                self.db.execute("INSERT INTO held (seq, body) VALUES (?, ?)", (number, json.dumps(reading)))
            for name, value in {**marks, "next": str(seq + len(readings))}.items():
                self.db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (name, value))

    def due(self, now: float) -> list[tuple[int, dict[str, Any]]]:
        """Readings that are to be sent (again) now, oldest first."""
        rows = self.db.execute("SELECT seq, body FROM held WHERE due <= ? ORDER BY seq LIMIT ?", (now, BATCH)).fetchall()
        return [(seq, json.loads(body)) for seq, body in rows]

    def sent(self, numbers: list[int], now: float) -> None:
        """They went out: without a receipt they are due again later; after the last try they are lost, and that is told."""
        with self.db:
            for seq in numbers:
                (tries,) = self.db.execute("SELECT tries FROM held WHERE seq = ?", (seq,)).fetchone()
                if tries < len(AGAIN_S):
                    self.db.execute("UPDATE held SET tries = ?, due = ? WHERE seq = ?", (tries + 1, now + AGAIN_S[tries], seq))
                else:
                    self.db.execute("DELETE FROM held WHERE seq = ?", (seq,))
                    self.db.execute("INSERT INTO lost (first, last) VALUES (?, ?)", (seq, seq))

    def confirmed(self, ranges: list[list[int]]) -> None:
        """A receipt: these numbers are on lanbi's disk."""
        with self.db:
            self.db.executemany("DELETE FROM held WHERE seq BETWEEN ? AND ?", ranges)

    def to_tell(self) -> list[tuple[int, int]]:
        """Numbers given up that lanbi has not been told of."""
        return self.db.execute("SELECT first, last FROM lost WHERE told = 0").fetchall()

    def told(self) -> None:
        """It was told."""
        with self.db:
            self.db.execute("UPDATE lost SET told = 1")

    def waiting(self) -> int:
        """Readings that are not confirmed."""
        return int(self.db.execute("SELECT count(*) FROM held").fetchone()[0])


# ---- feeds: (readings, marks) each time something is new


def csv_tail(feed: dict[str, Any], spool: Spool) -> Iterator[tuple[list[dict[str, Any]], dict[str, str]]]:
    """Whole lines behind the place that was read last: ``time,item,item,…``; the first line of the file names the items."""
    name, path = f"csv:{feed['path']}", Path(feed["path"])
    while True:
        at = int(spool.mark(name))
        with path.open("rb") as file:
            head = file.readline().decode().strip().split(",")
            file.seek(max(at, file.tell()))
            begun, lines = file.tell(), file.read(1 << 20)
        whole = lines.rpartition(b"\n")[0]
        rows = [dict(zip(head, line.split(","), strict=False)) for line in whole.decode().splitlines() if line.strip()]
        readings = [reading for row in rows if (reading := from_row(row, feed))]
        yield readings, {name: str(begun + len(whole) + 1)} if whole else {}


def from_row(row: dict[str, str], feed: dict[str, Any]) -> dict[str, Any] | None:
    """A reading of a line; an empty cell is a missing value, a line that cannot be read is said and left out."""
    try:
        values = {item: float(text) for item, text in row.items() if item != "time" and text.strip()}
        return message(row["time"], values, feed) if values else None
    except (KeyError, ValueError) as error:
        print(f"line left out: {row}: {error!r}", file=sys.stderr)
        return None


def http_json(feed: dict[str, Any], _spool: Spool) -> Iterator[tuple[list[dict[str, Any]], dict[str, str]]]:
    """A page that answers ``{"pm25": 38, …}``; ``items`` renames its keys."""
    while True:
        with urllib.request.urlopen(feed["url"], timeout=10) as answer:  # noqa: S310  the address is ours
            seen = json.load(answer)
        values = {item: seen[key] for key, item in feed["items"].items() if seen.get(key) is not None}
        yield [message(now(), values, feed)] if values else [], {}


def modbus_tcp(feed: dict[str, Any], _spool: Spool) -> Iterator[tuple[list[dict[str, Any]], dict[str, str]]]:
    """Holding registers of a meter: ``items = {register = {address = 0, count = 2, scale = 0.01}}``, big-endian words, unsigned."""
    from pymodbus.client import ModbusTcpClient  # noqa: PLC0415  only who has such a meter needs it

    client = ModbusTcpClient(feed["host"], port=feed.get("port", 502))
    while True:
        values = {}
        for item, where in feed["items"].items():
            answer = client.read_holding_registers(where["address"], count=where.get("count", 2), device_id=feed.get("unit", 1))
            if not answer.isError():  # a failed read leaves its item out
                number = int.from_bytes(b"".join(word.to_bytes(2, "big") for word in answer.registers), "big")
                values[item] = round(number * where.get("scale", 1), 6)
        yield [message(now(), values, feed)] if values else [], {}


def dlt645_tcp(feed: dict[str, Any], _spool: Spool) -> Iterator[tuple[list[dict[str, Any]], dict[str, str]]]:
    """A meter of DL/T 645-2007 behind a serial server, by data identifiers: ``items = {register = "00000000", voltage = "02010100"}``."""
    from dlt645 import MeterClientService  # noqa: PLC0415  only who has such a meter needs it

    client = MeterClientService.new_tcp_client(feed["host"], feed.get("port", 8899), timeout=5)
    client.set_address(feed["address"])
    try:
        while True:
            read = {item: (client.read_00 if name.startswith("00") else client.read_02)(int(name, 16)) for item, name in feed["items"].items()}
            values = {item: round(float(one.value), 6) for item, one in read.items() if one is not None}  # a failed read leaves its item out
            if not values:
                raise ConnectionError(f"meter {feed['address']} does not answer")
            yield [message(now(), values, feed)], {}
    finally:
        client.client.disconnect()


FEEDS = {"csv": csv_tail, "http": http_json, "modbus": modbus_tcp, "dlt645": dlt645_tcp}


def message(at: str, values: dict[str, float], feed: dict[str, Any]) -> dict[str, Any]:
    """The native message, without its number."""
    reading = {"time": at, "span": feed.get("span", 0), "values": values}
    return {**reading, "source": feed["source"]} if "source" in feed else reading


def now() -> str:
    """The current second, in China's time."""
    return datetime.now(timezone(timedelta(hours=8))).isoformat(timespec="seconds")


# ---- the link


class Publisher:
    """Sends what is due, takes receipts, and says on standard error what lanbi refused."""

    def __init__(self, config: dict[str, Any], spool: Spool) -> None:
        self.config, self.spool, self.run = config, spool, int(spool.mark("run", str(int(time.time()))))
        spool.put([], {"run": str(self.run)})
        self.topic = f"lanbi/v1/{config['device']}"
        self.inbox: list[tuple[str, bytes]] = []
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=config["device"], clean_session=False)
        self.client.username_pw_set(config["device"], Path(config["password_file"]).read_text().strip() if "password_file" in config else None)
        if "ca_file" in config:
            self.client.tls_set_context(ssl.create_default_context(cafile=config["ca_file"]))
        self.client.will_set(f"{self.topic}/state", '{"online": false}', qos=1, retain=True)
        self.client.on_connect = self._connected
        self.client.on_message = lambda _c, _u, one: self.inbox.append((one.topic, one.payload))
        self.client.connect_async(config["host"], config.get("port", 8883 if "ca_file" in config else 1883), keepalive=60)
        self.client.loop_start()

    def _connected(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe([(f"{self.topic}/receipt", 1), (f"{self.topic}/error", 1)])
        client.publish(f"{self.topic}/state", '{"online": true}', qos=1, retain=True)

    def turn(self) -> None:
        """Receipts first, then what is due."""
        while self.inbox:
            topic, payload = self.inbox.pop(0)
            self._heard(topic, payload)
        if not self.client.is_connected():
            return
        due = self.spool.due(time.time())
        if due:
            body = [{"run": self.run, "seq": seq, **reading} for seq, reading in due]
            self.client.publish(f"{self.topic}/data", json.dumps(body), qos=1)
            self.spool.sent([seq for seq, _ in due], time.time())
        for first, last in self.spool.to_tell():
            event = {"type": "lost", "run": self.run, "from": first, "to": last}
            self.client.publish(f"{self.topic}/event", json.dumps(event), qos=1).wait_for_publish(10)
            self.spool.told()

    def _heard(self, topic: str, payload: bytes) -> None:
        said = json.loads(payload)
        if topic.endswith("/error"):
            print(f"lanbi refused: {said}", file=sys.stderr)
        elif said["run"] == self.run:  # a receipt of another run is not for us
            self.spool.confirmed(said["ranges"])


def feed_all(feeds: list[tuple[dict[str, Any], Any]], due: dict[int, float], spool: Spool) -> None:
    """Ask every feed whose time has come; one that fails is asked again, and costs the others nothing."""
    for place, (feed, source) in enumerate(feeds):
        if time.monotonic() < due.get(place, 0):
            continue
        due[place] = time.monotonic() + feed.get("every", 60)
        try:
            readings, marks = next(source[0])
        except Exception as error:  # noqa: BLE001  whatever a feed does, it is tried again from the last mark
            print(f"feed {feed['kind']}: {error!r}", file=sys.stderr)
            source[0] = FEEDS[feed["kind"]](feed, spool)
            continue
        if readings or marks:
            spool.put(readings, marks)


def main() -> int:
    """Run until SIGTERM or Ctrl-C; with ``--once`` until everything in the feeds is confirmed."""
    parser = argparse.ArgumentParser(description="readings of a feed to lanbi, losing none")
    parser.add_argument("--config", required=True, type=Path)
    parser.add_argument("--once", action="store_true", help="end when nothing waits any more")
    args = parser.parse_args()
    config = tomllib.loads(args.config.read_text(encoding="utf-8"))
    spool = Spool(Path(config["spool"]))
    feeds = [(feed, [FEEDS[feed["kind"]](feed, spool)]) for feed in config["feed"]]
    publisher, over, due = Publisher(config, spool), [], {}
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.append(True))
    while not over:
        feed_all(feeds, due, spool)
        publisher.turn()
        if args.once and due and not spool.waiting() and not spool.to_tell():
            break
        time.sleep(TICK_S)
    with suppress(RuntimeError):
        publisher.client.publish(f"{publisher.topic}/state", '{"online": false}', qos=1, retain=True).wait_for_publish(5)
    publisher.client.loop_stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
