"""Confirmation of months and the words of restatements."""

from __future__ import annotations

import pytest

from domain import civil
from domain.indicators import Restatement
from domain.readings import Entry
from domain.restating import NAMED, Confirmations, announcement, causes_of, confirmation_events, confirmations, month_of, months_of, period_text


def entry(number: int, month: str, action: str = "confirm") -> Entry:
    """What a person entered at a second."""
    return Entry("confirmation", f"person/{number}", number * 10**9, "Li", {"month": month, "action": action, "document": "d"})


def stamp(text: str) -> int:
    """Time of a day's row."""
    return civil.period_stamp(civil.parse_date(text))


@pytest.mark.parametrize(
    ("period", "date", "months"),
    [
        ("day", "2025-03-31", ((2025, 3),)),
        ("month", "2025-03-31", ((2025, 3),)),
        ("quarter", "2025-06-30", ((2025, 4), (2025, 5), (2025, 6))),
        ("ytd", "2025-03-02", ((2025, 1), (2025, 2), (2025, 3))),
        ("year", "2025-12-31", tuple((2025, month) for month in range(1, 13))),
        ("hour", "2025-03-02", ()),
    ],
)
def test_a_period_is_made_of_months(period: str, date: str, months: tuple[tuple[int, int], ...]) -> None:
    """A figure hangs on every month of its period; an hour hangs on none, since hours are never confirmed."""
    assert months == months_of(period, stamp(date))


def test_a_quarter_is_confirmed_with_its_last_month() -> None:
    """A quarter is confirmed once all three months are, and provisional again when one is taken back."""
    entries = [entry(1, "2025-04"), entry(2, "2025-06"), entry(3, "2025-05"), entry(4, "2025-04", "withdraw")]
    said = confirmations(entries)

    assert [False, False, True, False] == [said.covers("quarter", stamp("2025-06-30"), instant) for instant in (1, 2, 3, 4)]
    assert not said.covers("quarter", stamp("2025-06-30"))


def test_what_names_no_month_says_nothing() -> None:
    """An entry without a month, or with one that is none, is passed over."""
    assert Confirmations({}) == confirmations([entry(1, "2025-13"), entry(2, ""), entry(3, "June")])
    assert [] == confirmation_events([entry(1, "2025-13")], "c")


def test_months_confirmed_in_one_second_are_one_event() -> None:
    """The event store has one row a kind, scope and second, so months entered together are named together."""
    events = confirmation_events([entry(5, "2025-01"), entry(5, "2025-02")], "c")

    assert [("confirmed", "c", 5, "2025-01 Li: d; 2025-02 Li: d")] == [(event.kind, event.source, event.time, event.text) for event in events]


@pytest.mark.parametrize("text", ["2025-6", "2025-00", "2025/06", "202506", "", "2025-06-01"])
def test_only_a_month_is_a_month(text: str) -> None:
    """Anything but YYYY-MM is refused."""
    with pytest.raises(ValueError, match="not a month"):
        month_of(text)


def test_words() -> None:
    """Periods are written as people write them, and a cause's codes are found in its text."""
    assert ["2025-03-02", "2025-03", "2025Q1", "2025", "2025-01-01 – 2025-03-02"] == [
        period_text(*pair)
        for pair in (
            ("day", stamp("2025-03-02")),
            ("month", stamp("2025-03-31")),
            ("quarter", stamp("2025-03-31")),
            ("year", stamp("2025-12-31")),
            ("ytd", stamp("2025-03-02")),
        )
    ]
    assert ("late", "rule") == causes_of("late: s1 pm25 2025-01-02T10:00; rule: lanbi 1 → lanbi 2")
    assert () == causes_of("time")


@pytest.mark.parametrize(("count", "more"), [(NAMED, ""), (NAMED + 2, f"；等共 {NAMED + 2} 项")])
def test_an_announcement_names_the_first_and_counts_all(count: int, more: str) -> None:
    """Figures by their names, the cause in words; one of a kind that nobody knows, and a value that was not there, are told as they are."""
    row = Restatement("pm25", "day", "s1", "HJ633-2012", "raw", stamp("2025-06-30"), 1, 35.0, 71.5, "", "", 0, "correction: s1 pm25")
    text = announcement([row._replace(figure="target.1", old=None), *[row] * (count - 1)])

    assert text.startswith("target.1 2025-06-30 HJ633-2012: – → 71.5；细颗粒物 PM2.5 2025-06-30 HJ633-2012: 35 → 71.5；")
    assert NAMED == text.count("→")
    assert text.endswith(f"71.5{more}（数据更正 correction: s1 pm25）")
