"""The duty log: Grafana's deliveries once each, who may deliver, and who took note."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from lanbi.journal import record
from tests.api.house import SECRET, START, House
from tests.api.served import Client, Reply, served

FIRING = {
    "status": "firing", "labels": {"alertname": "站点静默", "severity": "page", "team": "air"}, "annotations": {"summary": "<b>sc-a02</b> 无数据"},
    "startsAt": "2026-11-23T08:00:00.123456789+08:00", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "c0ffee", "values": None, "generatorURL": "http://x",
}  # fmt: skip
RESOLVED = {**FIRING, "status": "resolved", "endsAt": "2026-11-23T09:00:00+08:00"}
OTHER = {**FIRING, "fingerprint": "beef"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A county with a duty log."""
    return House(tmp_path)


@pytest.fixture
def client(house: House) -> Iterator[Client]:
    """Its API, without a signing secret."""
    with served(create_app(house.sources())) as found:
        yield found


def deliver(client: Client, alerts: object, **headers: str) -> Reply:
    """As Grafana does."""
    body = alerts if isinstance(alerts, bytes) else json.dumps({"receiver": "值班日志", "status": "firing", "alerts": alerts, "truncatedAlerts": 2}).encode()
    return client.get("/api/v1/alerts/grafana", method="POST", body=body, Content_Type="application/json", **headers)


def test_a_delivery_is_written_down_once(client: Client, house: House) -> None:
    """Repeated deliveries count; resolved is a line of its own; text stays text."""
    sender = house.bearer("sender")
    told = [deliver(client, alerts, **sender).json() for alerts in ([FIRING, OTHER], [FIRING], [RESOLVED, FIRING])]
    lines = client.get("/api/v1/duty", **house.bearer("reader")).json()["items"]

    assert [(2, 0), (0, 1), (1, 1)] == [(one["taken"], one["known"]) for one in told]
    assert 2 == told[0]["truncated"]
    assert [("resolved", 1), ("firing", 1), ("firing", 3)] == [(line["status"], line["times"]) for line in lines]
    assert ("站点静默", "page", "air", "<b>sc-a02</b> 无数据", FIRING["startsAt"]) == tuple(
        lines[2][name] for name in ("name", "severity", "team", "summary", "starts")
    )


def test_what_waits_is_firing_and_nobodys(client: Client, house: House) -> None:
    """A resolved alert waits for nobody, an acknowledged one neither."""
    deliver(client, [FIRING, OTHER], **house.bearer("sender"))
    deliver(client, [RESOLVED], **house.bearer("sender"))
    waiting = client.get("/api/v1/duty?waiting=true", **house.bearer("operator")).json()["items"]

    assert ["beef"] == [hashed(line) for line in waiting]
    assert 200 == acknowledge(client, house, waiting[0]["id"]).status
    assert [] == client.get("/api/v1/duty?waiting=true", **house.bearer("operator")).json()["items"]


def test_today_names_alerts_that_wait(client: Client, house: House) -> None:
    """An alert that nobody took note of presses and leads to the desk; then it is gone from today."""
    deliver(client, [FIRING, OTHER], **house.bearer("sender"))

    def told() -> list[tuple[str, str, str]]:
        items = client.get("/api/v1/today", **house.bearer("operator")).json()["items"]
        return [(one["urgency"], one["zh"], one["view"]) for one in items if one["kind"] == "alert"]

    assert [("act", "2 条告警待处置：站点静默", "desk")] == told()
    for number in (1, 2):
        assert 200 == acknowledge(client, house, number).status
    assert [] == told()


def hashed(line: dict[str, str]) -> str:
    """Which of the two alerts a line is."""
    return {"2": "beef", "1": "c0ffee"}[str(line["id"])]


def acknowledge(client: Client, house: House, number: int) -> Reply:
    """Take note of a line."""
    path = f"/api/v1/desk/duty/{number}/acknowledge"
    return client.get(path, method="POST", body='{"note": "已派人"}'.encode(), Content_Type="application/json", **house.bearer("operator"))


def test_taking_note_is_evidence(client: Client, house: House) -> None:
    """Who, when and what stands in the log and in the journal; a second one hears who was first."""
    deliver(client, [FIRING], **house.bearer("sender"))
    line = acknowledge(client, house, 1).json()
    writer, _, seq = line["record"].partition("/")
    kept = record(house.county.data / "journal", writer, int(seq))

    assert ("key-operator", "已派人", "lanbi/v1/~person/acknowledgement") == (line["person"], line["note"], kept.topic if kept else "")
    assert (409, True) == (acknowledge(client, house, 1).status, "key-operator" in acknowledge(client, house, 1).json()["detail"])


def test_without_secret_only_a_sender_delivers(client: Client, house: House) -> None:
    """Another role's key does not, and nobody at all."""
    assert [200, 401, 401] == [deliver(client, [FIRING], **house.bearer(role)).status for role in ("sender", "operator", "nobody")]
    assert 401 == deliver(client, [FIRING], Authorization="Bearer lb_1_2").status


def signed(body: bytes, stamp: object = START, secret: str = SECRET) -> dict[str, str]:
    """Headers of a signed delivery."""
    digest = hmac.new(secret.encode(), f"{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X_Lanbi_Timestamp": str(stamp), "X_Lanbi_Signature": digest}


def test_a_signature_is_needed_where_a_secret_is_set(house: House) -> None:
    """Right secret, right bytes, near in time; a key alone, a forged, an old or a changed delivery is refused."""
    body = json.dumps({"alerts": [FIRING]}).encode()
    with served(create_app(house.sources(signed=True))) as client:
        good = deliver(client, body, **signed(body))
        wrong = [
            deliver(client, body, **house.bearer("sender")),
            deliver(client, body, **signed(body, secret="other")),
            deliver(client, body, **signed(body, START - 301)),
            deliver(client, body, **signed(body, "1e9")),
            deliver(client, body + b" ", **signed(body)),
            deliver(client, body, X_Lanbi_Timestamp=str(START), X_Lanbi_Signature="\xe9"),
        ]

    assert (200, [401] * 6) == (good.status, [one.status for one in wrong])


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"alerts": {}}', b'{"alerts": [1]}', b'{"alerts": [{"status": "firing"}]}', b"[" * 60_000, b'{"alerts": NaN}',
     json.dumps({"alerts": [{**FIRING, "fingerprint": "x' OR 1=1"}]}).encode(), json.dumps({"alerts": [{**FIRING, "startsAt": "yesterday!"}]}).encode(),
     json.dumps({"alerts": [FIRING] * 1_001}).encode()],
)  # fmt: skip
def test_no_delivery_breaks_it(client: Client, house: House, body: bytes) -> None:
    """Anything else is a 4xx that Grafana shows, and no line."""
    assert 400 <= deliver(client, body, **house.bearer("sender")).status < 500
    assert [] == client.get("/api/v1/duty", **house.bearer("reader")).json()["items"]


def test_strange_text_in_labels_is_kept_harmless(client: Client, house: House) -> None:
    """Halves of characters and zero bytes are no reason to lose an alert."""
    body = json.dumps({"alerts": [{**FIRING, "labels": {"alertname": "a\ud800\x00b"}}]}).encode()

    assert 200 <= deliver(client, body, **house.bearer("sender")).status < 500
