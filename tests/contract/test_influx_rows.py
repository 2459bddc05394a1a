"""Readings on their way into InfluxDB: the quick lines say what the long ones say, and two lanes never mix up a source."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Lock, get_ident
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import StoreAway, StoreRefused
from domain.items import BY_REALM
from domain.readings import Reading
from domain.sent import sent
from lanbi import influx_tables as tables
from lanbi.influx_http import LINES, Influx
from lanbi.influx_rows import WORTH, Rows
from lanbi.influx_tables import Row, Table
from tests.lanbi.ingest_house import PATIENCE_S, until

HOUR = 3_600
FIELD = re.compile(r'(\w+)=("[^"]*"|[^,]+)')


class Wire:
    """Takes bodies and remembers them, by the thread that sent them."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, list[bytes], int]] = []

    def write(self, bucket: str, lines: Sequence[bytes]) -> None:
        """Remember a body."""
        self.bodies.append((bucket, list(lines), get_ident()))

    @property
    def lines(self) -> list[str]:
        """All lines, sorted."""
        return sorted(line.decode() for _, lines, _ in self.bodies for line in lines)


def rows_for(wire: Any, looked: list[Row] | None = None, newest: Mapping[tuple[str, ...], int] | None = None) -> Rows:
    """Rows on a wire; what was looked at is noted."""

    def look(_table: Table, rows: Sequence[Row]) -> None:
        if looked is not None:
            looked.extend(rows)

    return Rows(cast("Influx", wire), look, lambda table: dict(newest or {}) if table.name == "air" else {})


def meaning(line: str) -> tuple[str, dict[str, float | str], int]:
    """What a server reads in a line."""
    head, fields, stamp = line.split(" ")
    return head, {name: value if value.startswith('"') else float(value) for name, value in FIELD.findall(fields)}, int(stamp)


def reading(kind: str, source: str, span: int, time: int, values: dict[str, float | None], rev: int, flag: str) -> Reading:
    """A row whose first item carries a flag; withdrawn, it has no value."""
    first = next(iter(values))
    if flag == "W":
        values[first] = None
    return Reading(kind, source, span, time, values, {first: flag} if flag else {}, rev)


VALUES = st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 10**6).map(lambda n: n / 100)
READINGS = st.builds(
    lambda kind, source, span, time, values, rev, flag: reading(kind, source, span, time, {BY_REALM[kind][n % len(BY_REALM[kind])]: v for n, v in values.items()}, rev, flag),
    st.sampled_from(sorted(tables.READINGS)), st.sampled_from(["a", "b-1", "c_2"]), st.sampled_from([0, 60, HOUR]), st.integers(-(10**9), 2**33),
    st.dictionaries(st.integers(0, 12), VALUES, min_size=1), st.integers(0, 2**53 - 1), st.sampled_from(["", "", "M", "Z", "W"]),
)  # fmt: skip


def as_sent(row: Reading, form: str) -> Reading:
    """The same row, with its values as a device wrote them."""
    if None in row.values.values():
        return row
    numbers = {name: f"{value + 0.0:.20E}" if form == " " else repr((value or 0.0) + 0.0) for name, value in row.values.items() if value is not None}
    texts = [f'"{name}"{form}:{form}{number}' for name, number in numbers.items()]
    return Reading(row.kind, row.source, row.span, row.time, sent(f",{form}".join(texts).encode()), row.flags, row.rev)


@given(st.lists(READINGS, min_size=1, max_size=20), st.lists(st.sampled_from(["", " ", "\r\n\t", None]), min_size=20, max_size=20))
def test_quick_lines_say_what_long_lines_say(plain: list[Reading], forms: list[str | None]) -> None:
    """Series, instant and every number of a plain row are the same to the last bit, whichever way its line is made."""
    wire = Wire()
    readings = [row if form is None else as_sent(row, form) for row, form in zip(plain, forms, strict=False)]
    rows_for(wire).write(readings)
    last = {row.key: row for row in readings}
    long = [tables.line(tables.READINGS[row.kind], tables.reading_row(row)) for row in last.values()]

    assert sorted(map(repr, map(meaning, long))) == sorted(map(repr, map(meaning, wire.lines)))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_refused_by_name(value: float) -> None:
    """One NaN among many rows is found, and nothing is sent."""
    wire = Wire()
    some = [Reading("air", "a", 60, n, {"pm25": 1.0}, {}, n) for n in range(9)]
    with pytest.raises(StoreRefused, match="finite"):
        rows_for(wire).write([*some, Reading("air", "a", 60, 99, {"pm25": value}, {}, 1)])
    assert [] == wire.bodies


def test_withdrawn_values_and_flags_stand_beside_plain_rows() -> None:
    """Each row says all that it has, in whatever company."""
    plain = Reading("air", "a", 60, 1, {"pm25": 1.5}, {}, 1)
    flagged = Reading("air", "a", 60, 2, {"pm25": 2.5}, {"pm25": "M"}, 2)
    withdrawn = Reading("air", "a", 60, 3, {"pm25": None}, {}, 3)
    for some in ([plain, flagged], [plain, withdrawn], [plain, flagged, withdrawn]):
        wire = Wire()
        rows_for(wire).write(some)
        assert sorted(tables.line(tables.READINGS["air"], tables.reading_row(row)) for row in some) == [
            line.replace(" rev=1.0,pm25=1.5", " rev=1.0,pm25=1.5") for line in wire.lines
        ]


def test_only_what_may_be_there_is_looked_at() -> None:
    """A row newer than everything in its series is not looked for, at the first time and at the second; any other is."""
    looked: list[Row] = []
    wire = Wire()
    rows = rows_for(wire, looked, {("a", "60"): 100 * 10**9})
    rows.write([Reading("air", "a", 60, n, {"pm25": 1.0}, {}, n) for n in (99, 100, 101, 102)])
    assert [99, 100] == [row.time // 10**9 for row in looked]
    looked.clear()
    rows.write([Reading("air", "a", 60, 102, {"pm25": 1.0}, {}, 1), Reading("air", "a", 60, 103, {"pm25": 1.0}, {}, 1)])
    assert [102] == [row.time // 10**9 for row in looked]


def test_a_row_that_comes_twice_in_a_batch_is_sent_once() -> None:
    """Fields of two lines of one key would be united: the last row stands alone."""
    wire = Wire()
    rows_for(wire).write([Reading("air", "a", 60, 5, {"pm25": 1.0, "co": 1.0}, {}, 1), Reading("air", "a", 60, 5, {"pm25": 2.0}, {}, 2)])
    assert ["air,site=a,span=60 rev=2.0,pm25=2.0 5000000000"] == wire.lines


def many(sites: int, each: int) -> list[Reading]:
    """Rows of several sources, by turns."""
    return [Reading("air", f"s-{site}", 60, n, {"pm25": 1.0}, {}, n) for n in range(each) for site in range(sites)]


def test_two_lanes_by_source() -> None:
    """A great batch goes in two requests at once, each source in one of them and in order, each body of at most 5,000 lines; a small one in one."""

    class Together(Wire):
        meet = Barrier(2, timeout=PATIENCE_S)

        def write(self, bucket: str, lines: Sequence[bytes]) -> None:
            if not self.bodies:
                self.meet.wait()
            super().write(bucket, lines)

    wire = Together()
    rows = rows_for(wire)
    rows.write(many(40, 400))
    rows.close()
    lanes: dict[int, list[str]] = {}
    for _, lines, thread in wire.bodies:
        assert len(lines) <= LINES
        lanes.setdefault(thread, []).extend(line.decode() for line in lines)
    assert 2 == len(lanes)
    assert 16_000 == sum(map(len, lanes.values()))
    for lane in lanes.values():
        for site in {line.split(",")[1] for line in lane}:
            times = [int(line.rpartition(" ")[2]) for line in lane if line.split(",")[1] == site]
            assert (400, times) == (len(times), sorted(times))
    small = Wire()
    rows_for(small).write(many(4, WORTH // 4 - 1))
    assert 1 == len(small.bodies)


def test_an_error_of_a_lane_is_told_when_both_have_ended() -> None:
    """Nothing is under way any more when the caller hears of it, and what was sent is looked at by the next attempt."""
    ended: list[int] = []

    class Broken(Wire):
        meet = Barrier(2, timeout=PATIENCE_S)

        def write(self, bucket: str, lines: Sequence[bytes]) -> None:
            first = self.meet.wait() == 0
            ended.append(1)
            if first:
                raise StoreAway("cut")
            super().write(bucket, lines)

    looked: list[Row] = []
    rows = rows_for(Broken(), looked)
    with pytest.raises(StoreAway):
        rows.write(many(40, 20))
    assert [1, 1] == ended
    with pytest.raises(StoreAway):
        rows.write(many(40, 20))
    assert 800 == len(looked)
    rows.close()


def test_two_writes_at_once_keep_each_source_in_order_and_two_requests_under_way() -> None:
    """Lines of one write are made while those of another are sent."""

    class Busy(Wire):
        now, most, lock, both = 0, 0, Lock(), Event()

        def write(self, bucket: str, lines: Sequence[bytes]) -> None:
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
            self.both.wait(PATIENCE_S)
            super().write(bucket, lines)
            with self.lock:
                self.now -= 1

    wire = Busy()
    rows = rows_for(wire)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(rows.write, [Reading("air", f"s-{site}", 60, n, {"pm25": 1.0}, {}, n) for n in range(50) for site in range(40)])
        until(lambda: rows._sent, "the first is under way")
        second = pool.submit(rows.write, [Reading("air", f"s-{site}", 60, n, {"pm25": 1.0}, {}, n) for n in range(50, 55) for site in range(40)])
        until(lambda: len(rows._sent) == 4 and wire.now == 2, "lines of the second are made while those of the first are under way on both lanes")
        wire.both.set()
        assert [[], []] == [first.result(PATIENCE_S), second.result(PATIENCE_S)]
    rows.close()

    assert 2 == wire.most
    for site in range(40):
        sent = [line for _, lines, _ in wire.bodies for line in lines if f"site=s-{site}," in line.decode()]
        assert list(range(55)) == [int(line.rpartition(b" ")[2]) // 10**9 for line in sent]


def test_whether_a_row_is_there_is_asked_when_nothing_is_under_way() -> None:
    """A row that another write has not sent yet would be missed."""
    done: list[str] = []

    class Slow(Wire):
        go = Event()

        def write(self, bucket: str, lines: Sequence[bytes]) -> None:
            self.go.wait(PATIENCE_S)
            super().write(bucket, lines)
            done.append("sent")

    wire = Slow()
    rows = Rows(cast("Influx", wire), lambda _table, _rows: done.append("looked"), lambda _: {})
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(rows.write, [Reading("air", "a", 60, 5, {"pm25": 1.0}, {}, 1)])
        until(lambda: rows._sent, "the first is under way")
        second = pool.submit(rows.write, [Reading("air", "a", 60, 5, {"co": 1.0}, {}, 2)])
        wire.go.set()
        assert [[], []] == [first.result(PATIENCE_S), second.result(PATIENCE_S)]
    rows.close()

    assert ["sent", "looked", "sent"] == done
