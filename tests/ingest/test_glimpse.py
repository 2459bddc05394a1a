"""A glimpse ahead: newest values while the store is away, in bounded memory, and nothing decided by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from domain.message import Message, encode
from ingest import glimpse
from ingest.easy import Easy
from ingest.glimpse import Glimpse
from ingest.ports import Record
from ingest.sequences import Runs
from lanbi.journal import JournalReader, JournalWriter, newest_trailer
from tests.ingest.county import NOW
from tests.ingest.machine import REGISTRY, Machine

HOUR = NOW // 3600 * 3600


def air(time: int, value: float | None, seq: int = 1) -> bytes:
    """A message of the air device."""
    return encode(Message(time, 3600, {"pm25": value}, 0, seq))


def looking(data: Path, after: int = 0) -> Glimpse:
    """A glimpse of a data folder behind a cursor."""
    journal = data / "journal"
    return Glimpse(
        lambda writer, seq: JournalReader(journal, writer, seq), lambda _: after, lambda writer: newest_trailer(journal, writer).last_seq, lambda: REGISTRY
    )


def values(one: Glimpse) -> dict[str, object]:
    """Newest PM2.5 value and flag by source."""
    return {source: row.items.get("pm25") for (source, _), row in one.latest.items()}


def test_newest_reading_is_seen_before_it_is_decided(tmp_path: Path) -> None:
    """The value with the greatest time is shown, whatever came last; a refused one and an event are not."""
    one = Machine(tmp_path)
    one.journal([air(HOUR - 3600, 40.0), air(HOUR, 50.0), air(HOUR - 7200, 30.0), air(HOUR + 86_400, 60.0), b"rubbish"])
    one.journal([b'{"type": "power-up"}'], topic="lanbi/v1/air1/event")
    seen = looking(tmp_path)
    seen.look()
    row = seen.latest["tc-a01", 3600]

    assert {"tc-a01": (50.0, "N")} == values(seen)
    assert ("air", HOUR, "air1") == (row.kind, row.time, row.device)
    assert {} == one.totals()


def test_of_a_list_the_newest_is_seen(tmp_path: Path) -> None:
    """Wherever it stands in a message or among messages; easy or not, its flags are seen with it, and of two of one time the last."""
    one = Machine(tmp_path)
    plain = [Message(HOUR - 3600 * back, 3600, {"pm25": 40.0 + back, "co": -0.0}, 0, back) for back in (3, 1, 1, 2)]
    flagged = Message(HOUR, 3600, {"pm25": 50.0}, 0, 9, flags={"pm25": "M"})
    hard = Message(HOUR + 60, 60, {"pm25": None, "co": 1.0}, 0, 10)
    one.journal([encode(plain), encode([*plain[:2], msgspec.structs.replace(plain[1], values={"pm25": 48.0})])])
    seen = looking(tmp_path)
    seen.look()
    assert {"tc-a01": (48.0, "N")} == values(seen)
    one.journal([encode([flagged, *plain]), encode([hard, flagged])])
    seen.look()

    assert {("tc-a01", 3600), ("tc-a01", 60)} == set(seen.latest)
    assert {"pm25": (50.0, "M")} == seen.latest["tc-a01", 3600].items
    assert {"pm25": (None, "W"), "co": (1.0, "N")} == seen.latest["tc-a01", 60].items


def test_it_follows_the_journal(tmp_path: Path) -> None:
    """Later looks go on where the last one ended, a withdrawn value is shown as withdrawn, and what is behind the cursor is left alone."""
    one = Machine(tmp_path)
    one.journal([air(HOUR - 3600, 40.0)])
    seen = looking(tmp_path)
    seen.look()
    one.journal([air(HOUR, None)])
    seen.look()
    caught_up = looking(tmp_path, 2)
    caught_up.look()

    assert {"tc-a01": (None, "W")} == values(seen)
    assert {} == caught_up.latest


def test_a_long_backlog_costs_a_look_at_the_newest_of_each_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a full slice only the last messages of each device are decoded, and the silent device's only message is among them."""
    judged: list[str] = []
    easy = glimpse.Express.easy

    def counting(self: glimpse.Express, records: Sequence[Record], runs: Runs) -> list[Easy | None]:
        judged.extend(record.topic for record in records)
        return easy(self, records, runs)

    monkeypatch.setattr(glimpse.Express, "easy", counting)
    writer = JournalWriter(tmp_path / "journal", "mqtt")
    for number in range(1_500):
        topic = "lanbi/v1/gate/data" if number == 7 else "lanbi/v1/air1/data"
        payload = encode(Message(HOUR, 0, {"ph": 7.5}, 0, 1, "tc-w01")) if number == 7 else air(HOUR - 3600 * (1_500 - number), float(number), number)
        writer.append(topic, payload, received_ns=NOW * 10**9, flags=1)
    writer.commit()
    writer.close()
    seen = looking(tmp_path)
    more = seen.look()

    assert {"tc-a01", "tc-w01"} == {source for source, _ in seen.latest}
    assert (1_499.0, "N") == values(seen)["tc-a01"]
    assert (3, False) == (len(judged), more)


def test_the_end_of_a_long_backlog_is_seen_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look shows what came last; what was said long before is added, and never stands over a later word about the same time."""
    monkeypatch.setattr(glimpse, "NEAR", 3)
    monkeypatch.setattr(glimpse, "SLICE", 4)
    one = Machine(tmp_path)
    one.journal([encode(Message(HOUR, 0, {"ph": 7.5}, 0, 1, "tc-w01"))], topic="lanbi/v1/gate/data")
    one.journal([air(HOUR - 3600, 40.0), *(air(HOUR - 3600 * n, float(n)) for n in range(2, 13)), air(HOUR - 3600, 50.0)])
    seen = looking(tmp_path)

    assert seen.look(), "there is more, long ago"
    assert (50.0, "N") == values(seen)["tc-a01"]
    one.journal([air(HOUR, 60.0)])
    seen.look()
    assert (60.0, "N") == values(seen)["tc-a01"], "what comes now does not wait for what lies between"
    while seen.look():
        pass
    assert {"tc-a01": (60.0, "N"), "tc-w01": None} == values(seen)
