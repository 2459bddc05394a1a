"""The likely cause of a difference to an official figure."""

from __future__ import annotations

import pytest

from analytics import official
from analytics.official import Ours

WHOLE, LACKING = Ours(423, 30, 30), Ours(423, 27, 30)


@pytest.mark.parametrize(
    ("said", "ours", "ways", "cause"),
    [
        (423, WHOLE, {"review": [417]}, "equal"),
        (417, WHOLE, {"review": [417], "dust": [417], "station-set": [417]}, "review"),
        (417, WHOLE, {"review": [420], "dust": [417]}, "dust"),
        (417, WHOLE, {"review": [423], "dust": [420], "station-set": [430, 417]}, "station-set"),
        (417, WHOLE, {"review": [420], "dust": [419]}, "dust"),
        (417, WHOLE, {"review": [421]}, "unknown"),
        (417, WHOLE, {"station-set": [418]}, "unknown"),
        (417, LACKING, {"review": [421]}, "missing-hours"),
        (417, LACKING, {"review": [418]}, "review"),
        (417, WHOLE, {}, "unknown"),
    ],
)
def test_the_likely_cause(said: int, ours: Ours, ways: dict[str, list[int]], cause: str) -> None:
    """What gives the official figure is named, else what halves the difference, else what we lack, else nothing."""
    assert cause == official.cause(said, ours, ways)


def test_other_sets_of_stations() -> None:
    """All but one, one alone, and all stations that there are, with those that have a mean."""
    assert sorted([25.0, 20.0, 15.0, 10.0, 20.0, 30.0, 25.0]) == sorted(
        official.station_sets({"a": 10.0, "b": 20.0, "c": 30.0, "town": 40.0}, ("a", "b", "c", "off"))
    )
    assert [40.0] == official.station_sets({"town": 40.0}, ())
