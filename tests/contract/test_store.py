"""What every store must do, whatever database is behind it: the contract of the store's ports for readings, changes, events and entries.

A new adapter is one more parameter of the fixture ``adapter``.
"""

import itertools
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as reread

from domain.indicators import Event
from domain.items import BY_REALM, REALMS
from domain.readings import Change, Entry, Key, Reading
from domain.sent import sent
from tests.columns import columns
from tests.contract.stores import HOUR, T0, Adapter, Store
from tests.store_hash import StoreHash, row_hash, store_hash


def air(source: str, time: int, span: int = HOUR, **values: float | None) -> Reading:
    """An air reading without flags."""
    return Reading("air", source, span, time, values, {}, time)


def every(store: Store, kind: str = "air") -> list[Reading]:
    """All rows of a table."""
    return list(store.rows(kind, None, -(2**40), 2**40))


def test_columns_are_the_rows(store: Store) -> None:
    """Columns hold every row of a source once, by span and time, with gaps, flags and withdrawals, over the seams of pages."""
    many = [air("a", T0 + 60 * n, 60, pm25=float(n), co=None if n % 7 == 0 else 0.1, **({"o3": 5.0} if n % 3 else {})) for n in range(10_500)]
    some = [reread(air("a", T0 + HOUR * n, pm25=1.5, temp=-3.0), flags={"pm25": "M", **({"temp": "Z"} if n % 2 else {})}) for n in range(9)]
    store.write([*many, *some, air("b", T0, pm25=1.0)])
    inside = list(store.rows("air", ["a"], T0, T0 + 10**6))
    found = list(store.columns("air", "a", T0, T0 + 10**6))
    for one, wanted in zip(found, columns(inside), strict=True):
        assert (wanted.span, wanted.time.tolist(), wanted.flags.tolist()) == (one.span, one.time.tolist(), one.flags.tolist())
        assert np.array_equal(wanted.values, one.values, equal_nan=True)
    assert [] == list(store.columns("air", "nobody", 0, 2**40)) == list(store.columns("air", "a", 0, T0 - 1))


def test_the_same_reading_twice_is_one_row(store: Store) -> None:
    """Writing a reading again, in the same batch or later, changes nothing."""
    reading = air("a", T0, pm25=58.0, co=0.9)
    store.write([reading, reading])
    store.write([reading])
    assert [reading] == every(store)


@pytest.mark.parametrize("kind", REALMS)
def test_every_item_of_every_kind_comes_back(store: Store, kind: str) -> None:
    """All items with their decimals, flags and the greatest revision come back as they were written."""
    values = {name: 0.1 * number + 0.07 for number, name in enumerate(BY_REALM[kind])}
    flags = dict(zip(values, itertools.cycle("MCFDBTSHZRPX"), strict=False))
    reading = Reading(kind, "s-1", 0, T0, values, flags, 2 * 2**51 + 2_047 * 2**40 + 5)
    store.write([reading])
    assert [reading] == every(store, kind)
    assert reading == store.cells([reading.key])[reading.key]


NUMBERS = ("58", "58.10", "0.1000000000000000055511151231257827", "1e-7", "1E+2", "5.0e0", "-0.25", "1234567890.12345678901234567890", "0", "9007199254740993")


@pytest.mark.parametrize("number", [*NUMBERS, "4.9E-324", "1.7976931348623157e308"])
def test_a_number_that_was_sent_as_text_comes_back_as_the_nearest_double(store: Store, number: str) -> None:
    """Whatever JSON calls a number, the store reads as Python does; beside numbers of its own, and once more over itself."""
    one, other = Reading("air", "a", 60, T0, sent(b'"pm25": %b, "co":1.5' % number.encode()), {}, 1), air("a", T0 + 60, pm25=float(number), co=1.5)
    for _ in range(2):
        store.write([one, other])
        assert [repr(dict(one.values))] * 2 == [repr(dict(row.values)) for row in every(store)]
        assert repr(float(number)) == repr(one.values["pm25"])


def test_value_no_value_value(store: Store) -> None:
    """An item that a row loses is gone from the store, and may come back."""
    first = air("a", T0, pm25=58.0, co=0.9)
    for row in (first, reread(first, values={"co": 0.9}, rev=1), reread(first, values={"pm25": 7.0}, rev=2)):
        store.write([row])
        assert [row] == every(store)


def test_the_hash_is_of_the_rows_and_of_nothing_else(store: Store) -> None:
    """Whichever store holds them, in whichever order they came, the same rows have the same hash; any other value, flag or revision has another."""
    rows = [air("a", T0, pm25=1.1), Reading("meter", "m", 0, T0, {"power": -0.25, "register": None}, {"register": "W", "power": "M"}, 2**41 + 3)]
    store.write([air("a", T0, pm25=9.0, co=2.0), *rows])
    expected = StoreHash(2, f"{sum(map(row_hash, rows)) % 2**128:032x}")
    assert expected == store_hash(store)
    for other in (
        reread(rows[0], rev=1),
        reread(rows[0], values={"pm25": 1.2}),
        reread(rows[0], flags={"pm25": "M"}),
        reread(rows[1], values={"power": -0.25}, flags={"power": "M"}),
    ):
        store.write([other])
        assert expected.digest != store_hash(store).digest
        store.write(rows[::-1])
        assert expected == store_hash(store)


def test_rows_are_taken_away(store: Store) -> None:
    """Exactly the named rows go, whatever the table and span; those that are not there are no fault, and a row may come back."""
    rows = [air("a", T0, pm25=1.0), air("a", T0 + HOUR, pm25=2.0), reread(air("a", T0, pm25=3.0), span=60), Reading("meter", "a", 0, T0, {"power": 1.0})]
    store.write(rows)
    store.remove([rows[0].key, rows[3].key, Key("air", "b", HOUR, T0)])
    assert ([rows[2], rows[1]], []) == (every(store), every(store, "meter"))
    store.write([rows[0]])
    assert [rows[2], rows[0], rows[1]] == every(store)


def test_a_flag_that_is_gone_is_gone(store: Store) -> None:
    """A correction without a flag takes the old flag away."""
    row = Reading("water", "w", 4 * HOUR, T0, {"ph": 7.1, "do": 6.0}, {"ph": "M"}, 1)
    store.write([row])
    store.write([reread(row, flags={}, rev=2)])
    assert [{}] == [dict(one.flags) for one in every(store, "water")]


def test_withdrawn_is_not_absent(store: Store) -> None:
    """A withdrawn value comes back as None with flag W; an item never sent does not come back."""
    store.write([air("a", T0, pm25=None, co=0.9)])
    found = every(store)[0]
    assert {"pm25": None, "co": 0.9} == dict(found.values)
    assert {"pm25": "W"} == dict(found.flags)


def test_rows_come_ordered_and_bounded(store: Store) -> None:
    """Rows are ordered by source, span and time, begin behind the start and include the end."""
    written = [air(site, T0 + hour * HOUR, span, pm25=1.0) for site in ("b", "a", "c") for span in (60, HOUR, 0) for hour in range(3)]
    store.write(written)
    expected = sorted(written, key=lambda row: (row.source, row.span, row.time))
    assert expected == every(store)
    assert [row for row in expected if row.source != "b"] == list(store.rows("air", ["c", "a", "c", "nobody"], 0, 2**40))
    inside = [row for row in expected if row.span == HOUR and row.time in {T0 + HOUR, T0 + 2 * HOUR}]
    assert inside == list(store.rows("air", None, T0, T0 + 2 * HOUR, HOUR))
    assert [] == list(store.rows("meter", None, 0, 2**40))


def test_many_pages_are_one_answer(store: Store) -> None:
    """A series longer than any page of the adapter comes whole and in order."""
    written = [air("a", T0 + 60 * number, 60, pm25=float(number)) for number in range(12_345)]
    for start in range(0, len(written), 5_000):
        store.write(written[start : start + 5_000])
    assert written == every(store)


def test_cells_finds_exactly_the_keys_asked_for(store: Store) -> None:
    """Cells of several kinds, sources, spans and times are found in one call; absent keys are absent."""
    rows = [air(site, T0 + n * HOUR, pm25=float(n)) for site in "ab" for n in range(50)]
    rows.append(Reading("meter", "m", 0, T0, {"register": 12_345.678}, {}, 9))
    store.write(rows)
    wanted = {row.key: row for row in rows[::7]} | {rows[-1].key: rows[-1]}
    absent = [Key("air", "a", HOUR, T0 - 1), Key("air", "a", 60, T0), Key("point", "a", HOUR, T0)]
    assert wanted == store.cells([*wanted, *absent])
    assert {} == store.cells([])


FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=64) | st.none()
ROWS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.dictionaries(st.sampled_from(BY_REALM["air"]), FLOATS, min_size=1)),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=ROWS)
def test_a_store_is_a_dict_of_rows(store: Store, written: list[tuple[str, int, dict[str, float | None]]]) -> None:
    """Whatever is written in whatever order, the last row of each key stands, bit for bit."""
    model = {row.key: row for row in every(store)}
    for site, hour, values in written:
        flags = {name: "W" for name, value in values.items() if value is None}
        row = Reading("air", site, HOUR, T0 + hour * HOUR, values, flags, len(model))
        store.write([row])
        model[row.key] = row
    assert model == {row.key: row for row in every(store)}


def test_changes_are_dense_and_followed_per_ingest(store: Store) -> None:
    """Changes behind the number seen come ordered for each ingest; announcing one twice is one."""
    rows = [Change(ingest, n, 20_000 + n, ("a", "b")) for ingest in ("1", "2") for n in (1, 2, 3)]
    store.changes(rows[::-1])
    store.changes([rows[0]])
    assert rows == store.changes_after({})
    assert [rows[2], rows[4], rows[5]] == store.changes_after({"1": 2, "2": 1, "9": 5})
    assert [] == store.changes_after({"1": 3, "2": 3})


def test_events_newest_first(store: Store) -> None:
    """Events come newest first within their bounds; the same event twice is one."""
    rows = [Event("silent", "a", T0 + n, float(n) if n else None, "无数据") for n in range(4)]
    store.events([*rows, rows[2]])
    assert rows[:0:-1] == store.event_rows(T0, T0 + 3, 10)
    assert rows[::-1][:2] == store.event_rows(T0 - 1, T0 + 3, 2)


def test_entries_in_journal_order(store: Store) -> None:
    """What people entered comes back by kind in journal order, bodies unchanged; the same id is one row."""
    rows = [Entry("reported", f"person/{n}", T0 * 10**9, "wang", {"值": n, "list": [1, None, "x"]}) for n in (8, 9, 10)]
    store.enter(rows[::-1])
    store.enter([rows[0], Entry("mark", "person/11", 1, "li", {})])
    assert rows == store.entered("reported")
    assert ["li"] == [row.user for row in store.entered("mark")]


READER = """
import sys
from pathlib import Path
folder = Path(sys.argv[1])
{open}
print("ready", flush=True)
last = 0
while last < 20:
    counts = [row.values["pm25"] for row in store.rows("air", ["a", "b"], 0, 2**40)]
    # A batch is 200 rows of one value.
    assert len(counts) % 200 == 0, len(counts)
    last = int(max(counts, default=0))
    store.cells([]), store.changes_after({{}})
print(last)
"""


def test_another_process_reads_while_this_one_writes(adapter: Adapter, store: Store, tmp_path: Path) -> None:
    """A reader in another process is never refused, never blocks the writer and sees whole batches only."""
    code = READER.format(open=adapter.code)
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert "ready\n" == child.stdout.readline()
        for number in range(1, 21):
            store.write([air("a", T0 + number * 1_000 + n, 1, pm25=float(number)) for n in range(200)])
            store.changes([Change("1", number, 20_000, ("a",))])
        out, err = child.communicate(timeout=60)
    assert ("", "20\n", 0) == (err, out, child.returncode)


def test_two_processes_open_an_empty_store_at_once(adapter: Adapter, tmp_path: Path) -> None:
    """Processes that start together on a new data folder all get their store."""
    adapter.prepare(tmp_path)
    code = f"import sys; from pathlib import Path; folder = Path(sys.argv[1])\n{adapter.code}\nstore.events([]); print(len(store.entered('x')))"
    children: Sequence[subprocess.Popen[str]] = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert [("0\n", "")] * 4 == [child.communicate(timeout=60) for child in children]
