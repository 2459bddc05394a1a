"""Sheets of figures: what differs, what is carried on, and how they are looked up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.jobs import sheets
from analytics.jobs.columns import Tag
from analytics.jobs.sheets import Kind, Sheet, Shelf
from domain.indicators import Block, Indicator

KIND = Kind(("pm25", "co"), "day", "s", "r")
DIVISORS = np.array([[1.0], [10.0]])
CELLS = st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 2), st.integers(0, 1)), min_size=2, max_size=12).map(lambda cells: cells[: len(cells) // 2 * 2])


def sheet(cells: list[tuple[int, int, int]], **more: Any) -> Sheet:
    """A sheet of two figures out of (units, valid, status)."""
    units, valid, status = np.array(cells, np.int64).reshape(2, -1, 3).transpose(2, 0, 1)
    time = 100 * np.arange(units.shape[1], dtype=np.int64)
    made = Sheet(KIND, time, units, DIVISORS, valid, np.asarray(24), status.astype(np.uint8), statuses=("", "x"))
    return replace(made, **more)


def rows(one: Sheet) -> dict[tuple[str, int], Indicator]:
    """Rows that a store would hold."""
    return {(row.figure, row.time): row for column in one.columns() for place in range(len(column.time)) if (row := column.row(place, 0.0)).valid}


@settings(max_examples=300, deadline=None)
@given(CELLS, CELLS)
def test_what_differs_is_what_rows_say(new: Any, old: Any) -> None:
    """Cells differ exactly where the stored rows of two sheets do; a cell that is absent in both never does."""
    one, other = sheet(new), sheet(old)
    now, before = rows(one), rows(other)
    wanted = {(figure, time) for figure in KIND.figures for time in one.time.tolist() if now.get((figure, time)) != before.get((figure, time))}
    found = {(KIND.figures[place], int(one.time[row])) for place, some in sheets.differing(one, other).items() for row in some.tolist()}

    # A row that the new sheet does not reach is left as it is: a year only grows.
    assert wanted == found


@settings(max_examples=100, deadline=None)
@given(CELLS)
def test_a_sheet_comes_back_from_its_rows(cells: Any) -> None:
    """What was written and is read back differs from nothing, so that a restart writes nothing again."""
    one = sheet(cells)
    back = sheets.stored(one, {column.tag.figure: column.block(np.flatnonzero(column.valid), 0.0) for column in one.columns()})

    assert {} == sheets.differing(one, back)
    assert rows(one) == rows(back)


@settings(max_examples=100, deadline=None)
@given(cells=CELLS, coded=st.booleans())
def test_a_block_has_the_rows_of_its_column(cells: Any, *, coded: bool) -> None:
    """Some rows of a sheet, taken at once, are those of the column."""
    one = sheet(cells, odd={(0, 0): 3.25}, **({} if coded else {"status": sheets._NOTHING, "expected": np.arange(len(cells) // 2)}))
    places = np.arange(len(one.time))[::2]

    for place, column in enumerate(one.columns()):
        assert column.rows(places.tolist(), 7.0) == list(one.block(place, places, 7.0).rows())


def test_everything_is_new_where_nothing_was_stored() -> None:
    """Without a stored sheet every cell with data is written."""
    assert {0: [0], 1: [1]} == {place: some.tolist() for place, some in sheets.differing(sheet([(3, 1, 0), (3, 0, 0), (-1, 0, 0), (5, 2, 0)]), None).items()}


@pytest.mark.parametrize(("value", "status"), [(3.14, ""), (3.0, "from another version")])
def test_what_another_version_stored_is_written_again(value: Any, status: str) -> None:
    """A stored value with other digits, or a status without a word, is a difference, and the old value is told as it was."""
    one = sheet([(3, 1, 0), (5, 2, 0)])
    old = sheets.stored(one, {"pm25": Block("pm25", "day", "s", "r", "raw", None, [0], [value], [1.0], [24.0], [1.0], [status], [""])})

    assert [0] == sheets.differing(one, old)[0].tolist()
    assert value == old.column(0).row(0, 0.0).value


def test_versions_are_carried_on_and_raised() -> None:
    """A new sheet goes on with the versions of the old one, row by row, also where it is longer."""
    old = sheet([(1, 1, 0), (1, 1, 0)])
    old.restate(1, np.array([0]))
    new = sheet([(1, 1, 0), (2, 1, 0), (1, 1, 0), (2, 1, 0)])
    sheets.carry(new, old)
    new.restate(1, np.array([0, 1]))

    assert [[1, 1], [3, 2]] == [new.column(place).version.tolist() for place in range(2)]
    assert [[1], [2]] == [old.column(place).version.tolist() for place in range(2)]


def test_a_sheet_of_which_nothing_is_left_differs_where_it_had_rows() -> None:
    """What is not made any more is written as absent."""
    old = sheet([(1, 1, 1), (-1, 0, 0), (2, 1, 0), (3, 1, 0)])

    assert {0: [0], 1: [0, 1]} == {place: some.tolist() for place, some in sheets.differing(sheets.gone(old), old).items()}
    assert {} == rows(sheets.gone(old))


def test_a_shelf_finds_columns_by_tag() -> None:
    """Sheets are looked up figure by figure; one of the same kind takes the place of the other."""
    shelf = Shelf()
    shelf.put(sheet([(1, 1, 0), (2, 1, 0)]))
    shelf.put(sheet([(7, 1, 0), (8, 1, 0)]))
    shelf.put(sheet([(9, 1, 0), (9, 1, 0)], kind=KIND._replace(figures=("so2", "no2"))))

    assert 7.0 == shelf[Tag("pm25", "day", "s", "r")].value[0]
    assert 0.8 == shelf[Tag("co", "day", "s", "r")].value[0]
    assert [Tag(name, "day", "s", "r") for name in ("pm25", "co", "so2", "no2")] == list(shelf)
    assert (4, None) == (len(shelf), shelf.get(Tag("o3", "day", "s", "r")))
    assert Tag("pm25", "day", "s", "r", "reviewed") not in shelf
