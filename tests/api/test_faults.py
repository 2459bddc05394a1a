"""What happens when something behind the API fails."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from api.app import create_app
from api.sources import Health
from domain.errors import StoreAway, StoreRefused
from domain.indicators import Indicator, Query, Restatement
from tests.api.seeded import County
from tests.api.served import served


class Away:
    """A store that does not answer."""

    def _raise(self) -> None:
        raise StoreAway("the store does not answer", "/secret/path", "wait")

    def latest(self, figure: str, scope: str, period: str, rule_set: str, now: int) -> Indicator | None:
        """Does not answer."""
        self._raise()
        return None

    def newest(self, figures: Collection[str], scopes: Collection[str], periods: Collection[str], window: tuple[int, int]) -> list[Indicator]:
        """Does not answer."""
        self._raise()
        return []

    def series(self, query: Query) -> list[Indicator]:
        """Does not answer."""
        self._raise()
        return []

    def several(self, queries: Sequence[Query]) -> list[list[Indicator]]:
        """Does not answer."""
        self._raise()
        return []

    def restatements(self, start: int, end: int, limit: int) -> list[Restatement]:
        """Does not answer."""
        self._raise()
        return []

    event_rows = restatements


def test_store_away(tmp_path: Path) -> None:
    """Without the store figures are 503 with Retry-After and no inner path, while freshness, account and readiness still answer."""
    sources = replace(County(tmp_path).sources(), figures=Away())
    with served(create_app(sources)) as client:
        answer = client.get("/api/v1/targets")
        ready = client.get("/readyz")

        assert (503, "application/problem+json", "5") == (answer.status, answer.headers["content-type"], answer.headers["retry-after"])
        assert "secret" not in answer.text
        assert [200, 200, 200] == [client.get(f"/api/v1/{name}").status for name in ("freshness", "account", "deadletters")]
        assert (200, True, "down: the store does not answer") == (ready.status, ready.json()["ready"], ready.json()["store"])


def test_a_store_that_says_no_is_told_from_one_that_is_away(tmp_path: Path) -> None:
    """A wrong token is mended otherwise than a server that is down, so readiness names which it is."""

    class Closed(Away):
        def _raise(self) -> None:
            raise StoreRefused("401 unauthorized", "http://store:8086", "check the token")

    with served(create_app(replace(County(tmp_path).sources(), figures=Closed()))) as client:
        ready = client.get("/readyz")

    assert (200, True, "refused: 401 unauthorized") == (ready.status, ready.json()["ready"], ready.json()["store"])


def test_newest_values_without_the_store(tmp_path: Path) -> None:
    """Without the store every station and section still shows its newest values, only without the figures; it is asked once."""
    asked: list[str] = []

    class Silent(Away):
        def newest(self, figures: Collection[str], scopes: Collection[str], periods: Collection[str], window: tuple[int, int]) -> list[Indicator]:
            asked.append("newest")
            return super().newest(figures, scopes, periods, window)

    with served(create_app(County(tmp_path).sources())) as client:
        usual = {row["id"]: row["values"] for row in client.get("/api/v1/air/stations").json()["items"]}
    with served(create_app(replace(County(tmp_path / "away").sources(), figures=Silent()))) as client:
        rows = client.get("/api/v1/air/stations").json()["items"]
        sections = client.get("/api/v1/water/sections")

    assert usual == {row["id"]: row["values"] for row in rows}
    assert any(usual.values())
    assert {None} == {row["aqi"] for row in rows}
    assert (200, 2) == (sections.status, len(asked))


def test_a_process_that_is_not_well(tmp_path: Path) -> None:
    """A process that is not ready makes us unready with its reason, and stands first among the tasks."""
    county = County(tmp_path, health={"ingest": Health(ready=False, reasons=("broker: not connected", "no sign for 70 s")), "analyse": Health(ready=True)})
    with served(create_app(county.sources())) as client:
        ready = client.get("/readyz")
        task = client.get("/api/v1/today").json()["items"][0]

        assert (503, {"ready": False, "reasons": ["broker: not connected", "no sign for 70 s"]}) == (ready.status, ready.json()["processes"]["ingest"])
        assert ("act", "程序 ingest 异常：MQTT 服务器：not connected；70 秒没有动静") == (task["urgency"], task["zh"])
        assert "Program ingest is not well: broker: not connected; no sign for 70 s" == task["en"]
        assert (200, "ok\n") == (client.get("/livez").status, client.get("/livez").text)


def test_a_fault_of_ours_tells_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A bug is a 500 problem without a trace of the inside; the trace goes to the log."""

    def broken() -> str:
        raise ZeroDivisionError("secret 42")

    with served(create_app(replace(County(tmp_path).sources(), metrics=broken))) as client:
        answer = client.get("/metrics")

    assert (500, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert "secret" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_metrics_of_all(tmp_path: Path) -> None:
    """The page joins the other processes' metrics and our own request times."""
    with served(create_app(County(tmp_path).sources())) as client:
        client.get("/api/v1/county")
        answer = client.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.text.startswith("lanbi_up 1\n")
    assert 'lanbi_api_request_seconds_bucket{le="+Inf"} 1\n' in answer.text
