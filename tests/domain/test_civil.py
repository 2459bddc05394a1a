"""Civil time: end labels and days 01…24."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from domain import civil


def test_midnight_belongs_to_the_day_before() -> None:
    """The label 00:00 is hour 24 of the day before."""
    label = civil.parse_time("2026-03-01T00:00:00+08:00")

    assert date(2026, 2, 28) == civil.date_of(civil.day_of(label))
    assert 24 == civil.hour_of(label)
    assert 1 == civil.hour_of(label + civil.HOUR_S)
    assert label == civil.day_end(civil.day_of(label))


def test_the_array_form_equals_the_scalar_form() -> None:
    """Days of many labels equal the days of each."""
    labels = np.arange(-200_000, 200_000, 1_800, dtype=np.int64)

    assert [civil.day_of(int(label)) for label in labels] == civil.day_of_array(labels).tolist()


@pytest.mark.parametrize("text", ["2019-02-05 09:00", "2019/2/5 9:00:00", "2019-02-05T01:00:00Z", "2019-02-05T09:00:00+0800"])
def test_written_forms_of_one_instant_agree(text: str) -> None:
    """Spaces, slashes, offsets and missing seconds name the same instant."""
    assert "2019-02-05T09:00:00+08:00" == civil.iso(civil.parse_time(text, civil.SHANGHAI))


@pytest.mark.parametrize("text", ["", "noon", "2019-02-30", "2019-02-05T25:00", "20190205", "2019-02-05T09:00:00.5+08:00", "9999-12-31T24:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """Rubbish, impossible dates and fractions of a second raise ValueError."""
    with pytest.raises(ValueError, match=r"."):
        civil.parse_time(text, civil.SHANGHAI)


def test_a_naive_time_needs_a_zone() -> None:
    """Without offset and zone a time is refused rather than guessed."""
    with pytest.raises(ValueError, match="no offset"):
        civil.parse_time("2019-02-05T09:00:00")


def test_a_label_of_24_00_is_the_end_of_its_day() -> None:
    """24:00 and 00:00 of the next day are one instant."""
    assert civil.parse_time("2018-01-02T00:00:00+08:00") == civil.parse_time("2018-01-01 24:00", civil.SHANGHAI)


def test_a_leap_year_has_its_days() -> None:
    """Years are closed ranges of day numbers."""
    first, last = civil.year_days(2016)

    assert 366 == last - first + 1
    assert 2016 == civil.year_of_day(last)
