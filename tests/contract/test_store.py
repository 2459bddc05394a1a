"""What every store must do, whatever database is behind it: the contract of the store's ports.

A new adapter is one more parameter of the fixture ``adapter``.
"""

import hashlib
import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as reread

from domain.indicators import FIELDS, Block, Event, Indicator, Query, Restatement
from domain.items import BY_REALM, REALMS
from domain.ports import Entries, FigureBlocks, IndicatorSink, IndicatorSource, ReadingSink, ReadingSource
from domain.readings import Change, Entry, Key, Reading
from domain.sent import sent
from lanbi.embedded import EmbeddedStore
from lanbi.influx import InfluxStore
from lanbi.influx_http import Place
from lanbi.influx_tables import BUCKETS
from lanbi.secret import Secret
from tests.columns import columns
from tests.store_hash import StoreHash, row_hash, store_hash

HOUR = 3_600
T0 = 1_760_000_400


class Store(ReadingSink, ReadingSource, IndicatorSink, IndicatorSource, FigureBlocks, Entries, Protocol):
    """All ports together."""

    def close(self) -> None:
        """Give connections back."""
        ...


@dataclass(frozen=True)
class Adapter:
    """How a test opens a store in a folder, here and in another process (``code`` makes ``store`` out of ``folder``).

    ``prepare`` is what an operator does once before any process starts.
    """

    open: Callable[[Path], Store]
    code: str
    prepare: Callable[[Path], object] = str


def embedded() -> Adapter:
    """The store in one file."""
    code = "from lanbi.embedded import EmbeddedStore; store = EmbeddedStore(folder / 'store.db')"
    return Adapter(lambda folder: EmbeddedStore(folder / "store.db"), code)


def influx(server: Any) -> Adapter:
    """A real InfluxDB; every folder has buckets of its own."""

    def prefix(folder: Path) -> str:
        return hashlib.sha256(str(folder).encode()).hexdigest()[:12]

    def prepare(folder: Path) -> None:
        for suffix in BUCKETS:
            server.bucket(prefix(folder) + suffix)

    code = f"""
import hashlib
from lanbi.influx import InfluxStore
from lanbi.influx_http import Place
from lanbi.secret import Secret
prefix = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
store = InfluxStore(Place({server.url!r}, {server.org!r}, prefix), Secret({server.token!r}))
"""
    return Adapter(lambda folder: InfluxStore(Place(server.url, server.org, prefix(folder)), Secret(server.token)), code, prepare)


@pytest.fixture(params=["embedded", pytest.param("influx", marks=pytest.mark.services)])
def adapter(request: pytest.FixtureRequest) -> Adapter:
    """Every adapter in turn."""
    return embedded() if request.param == "embedded" else influx(request.getfixturevalue("influxd"))


@pytest.fixture
def store(adapter: Adapter, tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    adapter.prepare(tmp_path)
    opened = adapter.open(tmp_path)
    yield opened
    opened.close()


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


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64) | st.none()
ROWS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.dictionaries(st.sampled_from(BY_REALM["air"]), NUMBERS, min_size=1)),
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


def figure(time: int, value: float | None, **others: Any) -> Indicator:
    """A PM2.5 mean of one station."""
    tags = {"figure": "pm25_mean", "period": "ytd", "scope": "a", "rule_set": "HJ633-2012"} | others
    return Indicator(**tags, time=time, value=value, valid=20.0)


def latest(store: Store, now: int) -> Indicator | None:
    """The newest PM2.5 mean of station a at an instant."""
    return store.latest("pm25_mean", "a", "ytd", "HJ633-2012", now)


def test_latest_is_the_greatest_time_not_the_last_arrival(store: Store) -> None:
    """Of figures written in any order the latest is that with the greatest time ≤ now; other bases do not count."""
    store.put([figure(T0 + 2, 2.0), figure(T0 + 1, 1.0), figure(T0 + 9, 9.0), figure(T0 + 2, 7.0, basis="official")])
    found = latest(store, T0 + 5)
    assert figure(T0 + 2, 2.0) == found
    assert latest(store, T0) is None
    store.put([figure(T0 + 2, None)])
    assert figure(T0 + 2, None) == latest(store, T0 + 5)


def test_a_figure_is_replaced_whole(store: Store) -> None:
    """A figure written again loses the fields that the new one does not have."""
    rich = replace(figure(T0, 42.5), target=43.0, margin=0.5, low90=41.0, high90=44.0, status="met", text='{"注": "§"}', version=3.0)
    store.put([rich])
    assert [rich] == store.series(Query())
    store.put([figure(T0, 42.5)])
    assert [figure(T0, 42.5)] == store.series(Query())


def test_blocks_are_figures_side_by_side(store: Store) -> None:
    """Figures put as blocks are those put one by one; read as blocks they are the wanted ones of one scope and time, in order of time, whole."""
    rich = replace(figure(T0 + 2, None), target=43.0, margin=0.5, low90=41.0, high90=44.0, status="met", text='{"注": "§"}', version=3.0)
    plain = Block("pm25_mean", "ytd", "a", "HJ633-2012", "raw", 7.0, [T0 + 3, T0 + 1], [3.5, None], [20.0, 20.0], [24.0, 24.0], [1.0, 2.0], ["", "x"], ["", ""])
    store.put(
        [rich, figure(T0 + 9, 9.0), figure(T0 + 1, 1.0, scope="b"), figure(T0 + 1, 5.0, figure="aqi"), figure(T0 + 1, 6.0, figure="aqi", basis="official")]
    )
    store.put_blocks([plain, plain._replace(figure="aqi_yoy")])

    assert [replace(row, computed=7.0) for row in plain.rows()] == [row for row in store.series(Query("pm25_mean", "a", end=T0 + 4)) if row.computed][::-1]
    found = list(store.blocks("a", T0, T0 + 3, lambda name, _: () if name.endswith("_yoy") else FIELDS))
    assert {("aqi", "raw"), ("aqi", "official"), ("pm25_mean", "raw")} == {(one.figure, one.basis) for one in found}
    (means,) = [one for one in found if one.figure == "pm25_mean"]
    first, last = (replace(row, computed=None) for row in reversed(list(plain.rows())))
    assert [first, rich, last] == list(means.rows())
    assert [] == list(store.blocks("c", 0, 2**40, lambda *_: FIELDS))
    assert [True, True, False, False] == [store.holds(*window) for window in ((T0, T0 + 1), (T0 + 8, T0 + 9), (T0 + 9, 2**40), (T0 - 9, T0))]
    (official,) = store.blocks("a", T0, T0 + 3, lambda name, basis: ("value", "text") if basis == "official" else ())
    assert Block("aqi", "ytd", "a", "HJ633-2012", "official", None, (T0 + 1,), (6.0,), *[None] * 4, ("",), *[None] * 4) == official._replace(  # type: ignore[arg-type]
        time=tuple(official.time), value=tuple(official.value), text=tuple(official.text)
    ), "a column that was not asked for is None"


def test_series_filters_and_pages(store: Store) -> None:
    """A query filters by every tag and by time, and its pages join to the whole without a seam."""
    rows = [figure(T0 + n, float(n), scope=scope, figure=name) for n in range(9) for scope in ("a", "b") for name in ("aqi", "pm25")]
    store.put([*rows, figure(T0, 1.0, basis="official"), figure(T0, 1.0, period="day")])
    assert [float(n) for n in range(3, 6)] == [row.value for row in store.series(Query("aqi", "b", "ytd", start=T0 + 2, end=T0 + 5))]
    assert 18 == len(store.series(Query(figure="aqi", period="ytd")))
    assert 1 == len(store.series(Query(basis="official")))
    assert [] == store.series(Query(rule_set="HJ633-2026"))
    query, pages = Query(period="ytd", limit=7), []
    while page := store.series(query):
        pages.append(page)
        query = replace(query, after=page[-1].key)
    assert all(len(page) <= 7 for page in pages)
    joined = list(itertools.chain(*pages))
    assert store.series(Query(period="ytd")) == joined
    assert [row.time for row in joined] == sorted(row.time for row in joined)
    assert len(rows) == len({row.key for row in joined}) == len(joined)


def test_the_newest_of_many_is_one_question(store: Store) -> None:
    """Of each rule set and basis the row with the greatest time within the window, whole; as many figures, scopes and periods as are asked."""
    rich = replace(figure(T0 + 2, None), target=43.0, low90=41.0, status="met", text='{"注": "§"}', version=3.0)
    others = [
        figure(T0 + 3, 3.0, basis="official"),
        figure(T0 + 1, 1.0, rule_set="HJ633-2026"),
        figure(T0 + 1, 4.0, scope="b's"),
        figure(T0, 5.0, period="year"),
    ]
    aside = [
        figure(T0 + 1, 1.0),
        figure(T0 + 9, 9.0),
        figure(T0 - 9, 0.0, rule_set="old"),
        figure(T0 + 2, 6.0, figure="aqi"),
        figure(T0 + 2, 7.0, period="day"),
    ]
    store.put([*aside, rich, *others])

    assert sorted([rich, *others], key=lambda row: row.key) == store.newest(("pm25_mean", "none"), ("a", "b's"), ("ytd", "year"), (T0 - 1, T0 + 5))
    assert [] == store.newest((), ("a",), ("ytd",), (0, T0))
    assert [] == store.newest(("pm25_mean",), ("a",), ("ytd",), (T0 + 9, T0 + 99))


def test_several_queries_are_answered_as_one_by_one(store: Store) -> None:
    """Also those that overlap, that find nothing, and that find more than they want."""
    rows = [figure(T0 + n, float(n), scope=scope, figure=name) for n in range(9) for scope in ("a", "b") for name in ("aqi", "pm25")]
    store.put([*rows, figure(T0 + 1, 1.0, basis="official")])
    asked = [
        Query("aqi", "a", start=T0, end=T0 + 4),
        Query("aqi", start=T0 + 2, limit=3),
        Query(None, "b", start=T0 + 6),
        Query("none"),
        Query("aqi", "b", after=rows[2].key, limit=4),
        Query(basis="official"),
    ] * 10

    assert [store.series(one) for one in asked] == store.several(asked)
    assert [4, 3, 4, 0, 4, 1] == [len(some) for some in store.several(asked)][:6]


def restatement(version: int, new: float) -> Restatement:
    """A changed day mean."""
    return Restatement("pm25", "day", "a", "HJ633-2012", "raw", T0, version, 40.0, new, "2", "3", T0 + version, "mqtt/7")


def test_a_restatement_repeated_is_one(store: Store) -> None:
    """A restatement is known by its figure, time and version: repeating it overwrites, a new version is a new row."""
    store.restate([restatement(2, 41.0)])
    store.restate([restatement(2, 41.0), restatement(3, 44.0)])
    assert [restatement(3, 44.0), restatement(2, 41.0)] == store.restatements(T0, T0 + 9, 10)
    assert [restatement(3, 44.0)] == store.restatements(T0 + 2, T0 + 9, 10)
    assert [restatement(3, 44.0)] == store.restatements(T0, T0 + 9, 1)


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


def test_hours_past_their_time_go_and_nothing_else_does(store: Store) -> None:
    """Of every scope, rule set and basis; days and longer, hours from the instant on, readings and events stay; a second time finds nothing."""
    kept = (("hour", 100 * HOUR), ("day", 0), ("month", 0), ("year", 0))
    old = [
        Indicator("pm25", "hour", scope, rules, HOUR * number, 1.0, basis)
        for scope in "ab"
        for rules in ("r", "s")
        for basis in ("raw", "official")
        for number in range(3)
    ]
    store.put([*old, *(Indicator("pm25", period, "a", "r", time, 2.0, "raw") for period, time in kept)])
    store.write([Reading("air", "a", HOUR, HOUR, {"pm25": 3.0}, {}, 1)])
    store.events([Event("registry", "a", HOUR, None, "v")])

    assert len(old) == store.hours_before(100 * HOUR)
    store.drop_hours(100 * HOUR)

    left = [(row.period, row.time) for period, _ in kept for row in store.series(Query(period=period, basis=None, start=-HOUR, end=200 * HOUR, limit=100))]
    assert list(kept) == left
    assert (0, 1, 1) == (store.hours_before(100 * HOUR), len(list(store.rows("air", ["a"], 0, 2 * HOUR))), len(store.event_rows(0, 2 * HOUR, 10)))
    store.drop_hours(100 * HOUR)
    assert 1 == store.hours_before(101 * HOUR)
