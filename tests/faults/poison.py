"""Poison: sixty readings with a text where a number belongs, in a row, among 2,110 good ones; every good one must be stored.

A collector that cannot store what it read either stops, because the bad messages fill the window of unacknowledged ones, or
forgets. Mosquitto stands here with its own window of 20. Half-way the same is done to the database: somebody has written a text
into a field of it, so that it refuses a value that lanbi finds good.
Run it alone with ``python -m tests.faults.poison``.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from domain.message import Message, encode
from ingest.deadletters import bytes_of
from lanbi.journal import record
from lanbi.state import StateView
from tests.faults.parts.house import ORG, House, until
from tests.faults.parts.judge import FromInflux
from tests.faults.parts.report import Asked, Finding, main
from tests.faults.parts.wire import Wire
from tests.ingest.county import TEXT

GOOD: Final = 2_110
BAD: Final = 60
BEFORE: Final = 500
"""Good ones before the bad ones come."""
WINDOW: Final = "max_inflight_messages 20\n"
"""Mosquitto's own, which :class:`House` widens."""
AGED: Final = 30 * 86_400
"""The refused value is of another week, for the database fixes types a week at a time."""
TOPIC: Final = "lanbi/v1/air1/data"
LATE: Final = """SELECT "pm25", "co" FROM "air" WHERE "site" = 'tc-a01' AND "span" = '3600'"""
TRUTHS: Final = ('"broken"', '"12.5"', "true", "[1]", "{}", '"NaN"')


@dataclass
class Talk:
    """What the device said and heard."""

    receipts: set[int] = field(default_factory=set)
    errors: Counter[str] = field(default_factory=Counter)

    def heard(self, topic: str, payload: bytes) -> None:
        """A receipt or an error."""
        body = json.loads(payload)
        if topic.endswith("/receipt"):
            self.receipts |= {number for low, high in body["ranges"] for number in range(low, high + 1)}
        else:
            self.errors[body["reason"]] += 1


def campaign(asked: Asked) -> Finding:
    """Speak, look at store, dead letters and account, replay."""
    hour = int(time.time()) // 3_600 * 3_600
    talk = Talk()
    with House(asked.folder / "house", TEXT, mosquitto_more=WINDOW) as house:
        wire = Wire(house.broker_port, "air1", ("lanbi/v1/air1/receipt", "lanbi/v1/air1/error"), talk.heard)
        with closing(wire):
            wire.connect()
            said = _speak(wire, hour)
            _spoil(house, hour)
            wire.publish(TOPIC, encode(Message(hour - AGED, 3_600, {"pm25": 5.5, "co": 0.5}, 0, len(said))))
            until(lambda: _settled(wire, talk, len(said) + 1), "a receipt for everything that was said")
            until(lambda: (law := house.law())["pending"] == 0 and law["received"] == len(said) + 1, "everything is decided")
            until(lambda: _settled(wire, talk, 0) and talk.errors.total() == BAD + 1, "the device hears of what was refused")
        found = _judged(house, said, hour)
        still = _replayed(house)
        _mend(house, hour)
        mended = _replayed(house)
        found["with_it"] = _question(house, LATE) == {hour - AGED: 5.5}
    law = found["law"]
    bars = {
        "every good reading stored, as it was said": found["stored"] == found["right"] == GOOD,
        "every bad one in the dead letters, its bytes as they came": found["dead"] == found["exact"] == BAD,
        "the store's refusal cost one item": found["refused_by_store"] == [["store-rejected", "pm25"]] and found["without_it"],
        "the account adds up": law == {"received": GOOD + BAD + 1, "stored": GOOD + 1, "deadletter": BAD, "duplicate": 0, "quarantined": 0, "pending": 0},
        "all told to the device": dict(talk.errors) == {"bad-schema": BAD, "store-rejected": 1},
        "a replay leaves what is still bad": (still["read"], still["resolved"]) == (BAD + 1, 0),
        "once the database is mended a replay stores the refused item": (mended["read"], mended["resolved"]) == (BAD + 1, 1) and found["with_it"],
    }
    figures = [f"{found['right']:,} of {GOOD:,} good readings stored, {found['exact']} of {BAD} bad ones in the dead letters, window of 20"]
    return {"sound": all(bars.values()), "figures": figures, "bars": bars, **found, "errors": dict(talk.errors), "replayed": [still, mended]}


def _speak(wire: Wire, hour: int) -> dict[int, float | bytes]:
    """Say everything, each reading a message of its own; what was said by number: the value, or the bytes of a bad one."""
    said: dict[int, float | bytes] = {}
    for number in range(GOOD + BAD):
        bad = BEFORE <= number < BEFORE + BAD
        value = 5.0 + number % 100
        payload = encode(Message(hour - 60 * number, 60, {"pm25": value}, 0, number))
        if bad:
            payload = payload.replace(json.dumps(value).encode(), TRUTHS[number % len(TRUTHS)].encode())
        said[number] = payload if bad else value
        wire.publish(TOPIC, payload)
        if number % 50 == 0:
            wire.turn(0.01)
    return said


def _settled(wire: Wire, talk: Talk, numbers: int) -> bool:
    wire.turn(0.02)
    return len(talk.receipts) >= numbers


def _spoil(house: House, hour: int) -> None:
    """Write a text where lanbi writes a number, some weeks ago."""
    _post(house, "write", f'air,site=stranger,span=3600 pm25="text" {hour - AGED}000000000'.encode())


def _mend(house: House, hour: int) -> None:
    """Delete the table in that week, as docs/store.md says: the database keeps a field's type as long as there is any row."""
    day = 86_400
    words = {"start": _instant(hour - AGED - 8 * day), "stop": _instant(hour - AGED + 8 * day), "predicate": '_measurement="air"'}
    _post(house, "delete", json.dumps(words).encode())


def _post(house: House, verb: str, body: bytes) -> None:
    token = house.secret("influx-write").read_text().strip()
    url = f"http://127.0.0.1:{house.influx_port}/api/v2/{verb}?{urlencode({'org': ORG, 'bucket': 'lanbi'})}"
    with urllib.request.urlopen(urllib.request.Request(url, body, {"Authorization": f"Token {token}"}), timeout=60):
        pass


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _replayed(house: House) -> dict[str, Any]:
    """What a replay of the dead letters comes to."""
    answer: dict[str, Any] = json.loads(house.lanbi("deadletters", "replay", "--json").stdout)
    return answer


def _judged(house: House, said: dict[int, float | bytes], hour: int) -> dict[str, Any]:
    """Store, by questions of the judge's own; dead letters, by their bytes in the journal."""
    answer = _question(house, """SELECT "pm25" FROM "air" WHERE "site" = 'tc-a01' AND "span" = '60'""")
    truth = {hour - 60 * number: value for number, value in said.items() if isinstance(value, float)}
    view = StateView(house.data)
    rows = [row for _, row in view.refused(limit=1_000)]
    view.close()
    dead = [row for row in rows if row.outcome == "deadletter"]
    sources = [(row, record(house.data / "journal", row.writer, row.seq)) for row in dead]
    exact = sum(source is not None and bytes_of(source, row.element) == said.get(int(row.number or 0)) for row, source in sources)
    return {
        "stored": len(answer),
        "right": sum(truth.get(when) == value for when, value in answer.items()),
        "dead": len(dead),
        "exact": exact,
        "refused_by_store": [[row.reason, row.item] for row in rows if row.outcome == "quarantined"],
        "without_it": _question(house, LATE) == {hour - AGED: None},
        "law": house.law(),
    }


def _question(house: House, text: str) -> dict[int, float | None]:
    """The first column of an answer by time."""
    reader = FromInflux(f"http://127.0.0.1:{house.influx_port}", house.secret("influx-write").read_text().strip())
    body = urlencode({"db": "lanbi", "epoch": "s", "q": text}).encode()
    head = {"Authorization": f"Token {reader.token}"}
    with urllib.request.urlopen(urllib.request.Request(f"{reader.url}/query", body, head), timeout=60) as answer:
        series = json.load(answer)["results"][0].get("series", [])
    return {row[0]: row[1] for one in series for row in one["values"]}


if __name__ == "__main__":
    sys.exit(main("poison", __doc__ or "", campaign))
