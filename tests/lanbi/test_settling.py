"""Whether a year has figures at all: a last year without any is passed over at a start, one that has some is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import civil
from domain.indicators import Indicator
from lanbi.embedded import EmbeddedStore
from lanbi.settling import Settler

LAST, THIS = (civil.day_start(civil.parse_date(day)) for day in ("2024-06-30", "2025-01-01"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedStore]:
    """An empty store."""
    one = EmbeddedStore(tmp_path / "store.db")
    yield one
    one.close()


def put(store: EmbeddedStore, figure: str, scope: str, time: int) -> None:
    """Store a daily figure."""
    store.put([Indicator(figure, "day", scope, "HJ633-2012", time, 42.0, valid=24.0, expected=24.0)])


@pytest.mark.parametrize(("figure", "scope", "time", "there"), [("aqi", "s1", LAST, True), ("aqi", "s2", LAST, False), ("aqi", "s1", THIS, False)])
def test_a_year_has_the_figures_of_its_own_scopes(store: EmbeddedStore, figure: str, scope: str, time: int, *, there: bool) -> None:
    """What is stored of others, or of the next year's first day, makes no last year."""
    put(store, figure, scope, time)

    assert there is Settler(store).stored(2024, ["s1", "c"])


def test_what_only_follows_makes_no_year(store: EmbeddedStore) -> None:
    """A comparison is not read back: it follows from figures, and without any it stands for nothing."""
    put(store, "aqi_yoy", "s1", LAST)

    assert store.holds(LAST - 1, LAST)
    assert not Settler(store).stored(2024, ["s1"])


def test_an_empty_store_has_no_year(store: EmbeddedStore) -> None:
    """Nothing is nothing."""
    assert not Settler(store).stored(2024, ["s1"])
