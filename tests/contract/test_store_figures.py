"""What every store must do with figures and their restatements, whatever database is behind it."""

import itertools
from dataclasses import replace
from typing import Any

from domain.indicators import FIELDS, Block, Event, Indicator, Query, Restatement
from domain.readings import Reading
from tests.contract.stores import HOUR, T0, Store


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
