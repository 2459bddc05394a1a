"""Columns as they are written: words of codes, and numbers that may be absent."""

from __future__ import annotations

import numpy as np
import pytest

from analytics.jobs.columns import UNKNOWN, Tag, column, words

KNOWN = ("", "met", "missed")


@pytest.mark.parametrize("repeated", [1, 200])
def test_codes_become_words(repeated: int) -> None:
    """Few codes and many give the same words; one that this version does not know is told as such."""
    codes = np.array([2, 0, 1, UNKNOWN, 3] * repeated, np.uint8)

    assert ["missed", "", "met", "?", "?"] * repeated == words(KNOWN, codes, len(codes))


def test_no_codes_are_the_first_word() -> None:
    """Without codes, and where all are the first, nothing is looked up."""
    assert ["met"] * 3 == words(("met", "missed"), None, 3)
    assert ["met"] * 3 == words(("met", "missed"), np.zeros(3, np.uint8), 3)


def test_no_number_is_written_as_none() -> None:
    """NaN is no value, infinity and zero are."""
    time = np.arange(4, dtype=np.int64)
    found = column(Tag("pm25", "day", "a", "r"), time, np.array([1.5, np.nan, 0.0, np.inf]), (1, 1))

    assert [1.5, None, 0.0, float("inf")] == found.block(np.arange(4), 0.0).value
