"""Reports by address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from domain import marks
from lanbi.reports.kinds import written
from tests.api.house import House
from tests.api.served import Client, served


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A county with reports."""
    return House(Path(tmp_path_factory.mktemp("reports-api")))


@pytest.fixture(scope="module")
def client(house: House) -> Iterator[Client]:
    """Its API."""
    with served(create_app(house.sources())) as found:
        yield found


@pytest.mark.parametrize(
    ("form", "media"), [("text", "text/plain"), ("html", "text/html"), ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")]
)
def test_a_report_is_the_commands(client: Client, house: House, form: str, media: str) -> None:
    """The same bytes as `lanbi report` writes, with their type and an ETag."""
    answer = client.get(f"/api/v1/reports/month?period=2025-09&format={form}", **house.bearer("reader"))

    assert (200, media) == (answer.status, answer.headers["content-type"].partition(";")[0])
    assert written(house.county.sources(), "month", marks.period("2025-09"), "", form) == answer.body
    assert 304 == client.get(f"/api/v1/reports/month?period=2025-09&format={form}", If_None_Match=answer.headers["etag"], **house.bearer("reader")).status


@pytest.mark.parametrize(
    ("path", "status"),
    [("month", 422), ("month?period=soon", 422), ("month?period=2025-09-01", 422), ("day?period=2099-01-01", 422), ("station?period=2025-09", 422),
     ("station?period=2025-09&id=m-0001", 422), ("episode?period=2025-09", 422), ("month?period=2025-09&format=pdf", 422), ("month?period=2025-09&id=' OR 1", 422)],
)  # fmt: skip
def test_wrong_wishes_are_told(client: Client, house: House, path: str, status: int) -> None:
    """A 4xx with a sentence."""
    answer = client.get(f"/api/v1/reports/{path}", **house.bearer("operator"))

    assert (status, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert answer.json()["detail"]
