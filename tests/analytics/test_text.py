"""CSV bytes become integers and back, exactly."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.kernels import lines
from analytics.kernels import written as kernel
from domain import civil, fixed


def thousandths(written: str) -> int:
    """What the kernel reads."""
    data = np.frombuffer(written.encode() or b"\0", np.uint8)
    return int(kernel.thousandths(data, 0, len(written.encode())))


@settings(max_examples=500, deadline=None)
@given(st.decimals(min_value=-2_000_000, max_value=2_000_000, allow_nan=False, places=None), st.sampled_from(["{:f}", "{}", "{:e}", "{:E}"]))
def test_decimals_are_read_exactly(value: Any, form: str) -> None:
    """A written decimal becomes its thousandths, half to even, in any of its forms."""
    written = form.format(value)

    assert fixed.from_text(written) == thousandths(written)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [("0.0005", 0), ("0.0015", 2), ("0.00050000000000000000000001", 1), (" 5. ", 5_000), ("+.5", 500), ("-0", 0), ("1e-9", 0), ("", fixed.MISSING)],
)
def test_edges_of_decimals(written: str, wanted: Any) -> None:
    """Ties, long tails, signs and blanks."""
    assert wanted == thousandths(written)


@pytest.mark.parametrize("written", ["x", "1.2.3", "--1", "1e", "e5", ".", "+", "NaN", "inf", "1_000", "0x10", "1 2", "１２"])
def test_what_is_no_number_is_refused(written: str) -> None:
    """Anything but a plain decimal is told apart from a missing value."""
    assert kernel.SLOW == thousandths(written)


@settings(max_examples=300, deadline=None)
@given(
    st.datetimes(*(datetime.fromisoformat(day) for day in ("1901-01-01", "2199-12-31"))), st.sampled_from(["+08:00", "Z", "-03:30", ""]), st.sampled_from("T ")
)
def test_times_are_read_and_written_as_the_calendar_says(when: datetime, zone: str, between: str) -> None:
    """An instant read by the kernel is that of the civil calendar, and is written back as RFC 3339."""
    written = f"{when:%Y-%m-%d}{between}{when:%H:%M:%S}{zone}"
    data = np.frombuffer(written.encode(), np.uint8)
    wanted = civil.parse_time(written, civil.SHANGHAI)
    out = np.empty(64, np.uint8)
    zones = lines.Zone(civil.OFFSET_S, np.frombuffer(b"+08:00", np.uint8))
    texts = lines.Texts(np.zeros(1, np.uint8), np.zeros(1, np.int64))
    size = lines.write(np.array([[wanted]], np.int64), np.array([lines.TIME], np.int32), texts, zones, out)

    assert wanted == kernel.instant(data, 0, len(data), civil.OFFSET_S)
    assert f"{datetime.fromtimestamp(wanted, UTC).astimezone(civil.SHANGHAI).isoformat()}\n" == out[:size].tobytes().decode()


@pytest.mark.parametrize("written", ["2025-02-29T00:00:00", "2025-13-01T00:00:00", "2025-01-01T24:00:00", "2025-01-01T00:60:00", "2025/01/01 00:00", "heute"])
def test_other_forms_of_time_are_left_to_the_caller(written: str) -> None:
    """What is not the usual form is never guessed by the kernel."""
    data = np.frombuffer(written.encode(), np.uint8)

    assert kernel.SLOW == kernel.instant(data, 0, len(data), civil.OFFSET_S)


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 3))
def test_numbers_are_written_with_their_decimals(units: int, decimals: int) -> None:
    """Units of the last decimal become decimal text."""
    texts = lines.Texts(np.zeros(1, np.uint8), np.zeros(1, np.int64))
    out = np.empty(64, np.uint8)
    size = lines.write(np.array([[units]], np.int64), np.array([decimals], np.int32), texts, lines.Zone(0, np.zeros(1, np.uint8)), out)

    assert f"{Decimal(units).scaleb(-decimals):f}\n" == out[:size].tobytes().decode()
