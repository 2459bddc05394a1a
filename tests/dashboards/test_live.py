"""A running Grafana with our folder: provisioned without a word of complaint, every panel answers, alerts fire and reach the duty log.

Runs where a Grafana server is: GRAFANA_HOME names its folder (with bin/ and public/), else the packaged one is looked for.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lanbi.clock import SystemClock
from tests.dashboards.asking import expanded, options, since
from tests.dashboards.filled import Filled, bad_winter, filled, small
from tests.dashboards.grafana_house import SECRET, Grafana, grafana, home, provisioned, receiver
from tests.dashboards.sample import sample

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(home() is None, reason="no Grafana server here: set GRAFANA_HOME to its folder"),
    pytest.mark.timeout(600),
]

CLOCK = SystemClock()
LINKS_FROM = (10, 0)
"""Older servers read a file's dashboardUid and panelId, and then make no links of them."""
SIGNED_FROM = (12, 0)
"""Older servers sign nothing."""


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A county whose history ends now, after a bad winter."""
    now = CLOCK.now_ns() // 10**9
    with filled(tmp_path_factory.mktemp("today"), small(sample().registry), now, air=bad_winter) as found:
        yield found


@pytest.fixture(scope="module")
def running(today: Filled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grafana]:
    """Grafana before that county."""
    folder = tmp_path_factory.mktemp("grafana")
    with receiver() as (webhook, taken):
        environment = provisioned(today, folder / "lanbi", webhook, quick=True)
        with grafana(folder / "server", environment, provisioning=folder / "lanbi" / "provisioning") as one:
            one.received = taken
            yield one


def boards(running: Grafana) -> list[dict[str, Any]]:
    """Our boards as written."""
    folder = running.folder.parent / "lanbi" / "dashboards"
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def version(running: Grafana) -> tuple[int, ...]:
    """Of the server."""
    return tuple(int(part) for part in running.ask("/api/health")["version"].split("-")[0].split(".")[:2])


def until(true: Any, seconds: float) -> None:
    """Wait for it."""
    end = CLOCK.monotonic() + seconds
    while not true():
        assert CLOCK.monotonic() < end, "never came true"
        CLOCK.sleep(2)


def test_it_is_provisioned_without_complaint(running: Grafana, capsys: pytest.CaptureFixture[str]) -> None:
    """Our boards are there as written, in our folder, read-only; rules are known by their uids; no error of provisioning is logged."""
    with capsys.disabled():
        sys.stdout.write(f"\nGrafana {running.ask('/api/health')['version']}\n")
    written = {board["uid"]: board for board in boards(running)}
    until(lambda: len(running.ask("/api/search?type=dash-db")) == len(written), 30)
    found = running.ask("/api/search?type=dash-db")
    assert set(written) == {one["uid"] for one in found} and {"环境监测"} == {one["folderTitle"] for one in found}
    for uid, board in written.items():
        kept = running.ask(f"/api/dashboards/uid/{uid}")
        assert kept["meta"]["provisioned"] is True
        assert board == {key: value for key, value in kept["dashboard"].items() if key not in {"id", "version"}}
    rules = json.loads((running.folder.parent / "lanbi" / "provisioning" / "alerting" / "rules.yaml").read_text())
    assert {rule["uid"] for group in rules["groups"] for rule in group["rules"]} == {rule["uid"] for rule in running.ask("/api/v1/provisioning/alert-rules")}
    assert [] == [line for line in running.log() if "logger=provisioning" in line and "level=error" in line]


def test_every_panel_answers(running: Grafana, today: Filled) -> None:
    """Each statement gives frames with rows through the server's own data source."""
    empty = []
    for board in boards(running):
        for panel in board["panels"]:
            span = since(board, panel, today.clock.now), today.clock.now
            for target in panel.get("targets", []):
                text = expanded(target["query"], span, options(board)).replace("\\", "\\\\").replace("\\\\", "\\")
                query = {**target, "query": text, "intervalMs": 60_000, "maxDataPoints": 1_100}
                answer = running.ask("/api/ds/query", {"queries": [query], "from": str(1_000 * span[0]), "to": str(1_000 * span[1])})
                result = answer["results"][target["refId"]]
                assert "error" not in result, (board["uid"], panel["id"], result)
                if not any(frame["data"]["values"] and frame["data"]["values"][0] for frame in result["frames"]):
                    empty.append((board["uid"], panel["id"], panel["title"]))

    assert [] == empty


def test_rules_are_healthy_and_fire_into_the_duty_log(running: Grafana) -> None:
    """Every rule is evaluated without error; what is wrong in this county fires, and arrives with labels, value and links."""

    def rules() -> list[dict[str, Any]]:
        groups = running.ask("/api/prometheus/grafana/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    until(lambda: rules() and all(rule["health"] in {"ok", "nodata"} and rule.get("lastEvaluation", "0")[0] != "0" for rule in rules()), 120)
    until(lambda: {"来源静默", "MQTT 连接断开"} <= {alert["labels"]["alertname"] for one in running.received for alert in one["body"]["alerts"]}, 120)
    assert [] == [rule["name"] for rule in rules() if rule["health"] not in {"ok", "nodata"}]
    alerts = [alert for one in running.received for alert in one["body"]["alerts"] if alert["labels"]["alertname"] == "来源静默"]
    assert all({"severity", "domain", "team", "scope"} <= set(alert["labels"]) for alert in alerts)
    assert all(alert["annotations"]["summary"].split("已缺报")[1].strip()[0].isdigit() for alert in alerts)
    assert any("区政府" in alert["annotations"]["summary"] for alert in alerts)
    if version(running) >= LINKS_FROM:
        assert all("/d/env-overview" in alert["dashboardURL"] and "viewPanel=16" in alert["panelURL"] for alert in alerts)


def test_what_arrives_is_what_the_duty_log_expects(running: Grafana) -> None:
    """The payload's keys, types and times are those that the receiver of the API is written for; unknown keys may come with a newer server."""
    assert running.received
    for one in running.received:
        body = one["body"]
        assert {"receiver", "status", "alerts", "groupLabels", "commonLabels", "commonAnnotations", "externalURL", "version", "groupKey"} <= set(body)
        assert ("1", "值班日志") == (body["version"], body["receiver"]) and body["status"] in {"firing", "resolved"}
        for alert in body["alerts"]:
            assert {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint", "silenceURL", "values"} <= set(alert)
            assert alert["values"] is None or all(isinstance(value, int | float) for value in alert["values"].values())
            assert alert["startsAt"][:4].isdigit() and alert["fingerprint"]
            assert not [key for key in alert["labels"] if key.startswith("__")]
        if version(running) >= SIGNED_FROM:
            stamp = one["headers"]["X-Lanbi-Timestamp"]
            signed = hmac.new(SECRET.encode(), f"{stamp}:".encode() + one["raw"], hashlib.sha256).hexdigest()
            assert signed == one["headers"]["X-Lanbi-Signature"]


def test_an_alert_is_resolved_when_the_fault_is_over(running: Grafana, today: Filled) -> None:
    """The broker is there again: resolved arrives in the duty log."""
    from dataclasses import replace

    from domain.indicators import Query

    now = CLOCK.now_ns() // 10**9
    (row,) = today.store.series(Query("broker_up", None, "hour", None, "raw", now - 7_200, now))[-1:]
    today.store.put([replace(row, time=CLOCK.now_ns() // 10**9 // 60 * 60, value=1.0)])

    until(
        lambda: any(
            alert["status"] == "resolved" and alert["labels"]["alertname"] == "MQTT 连接断开" for one in running.received for alert in one["body"]["alerts"]
        ),
        120,
    )


@pytest.mark.parametrize("fault", ["rule", "board"])
def test_a_broken_file_is_told(today: Filled, tmp_path: Path, fault: str) -> None:
    """A rule without title stops the server from starting; a broken board is logged and the rest is there."""
    environment = provisioned(today, tmp_path / "lanbi", "http://127.0.0.1:9", quick=False)
    if fault == "rule":
        file = tmp_path / "lanbi" / "provisioning" / "alerting" / "rules.yaml"
        body = json.loads(file.read_text())
        body["groups"][0]["rules"][0]["title"] = ""
        file.write_text(json.dumps(body))
        with pytest.raises(RuntimeError, match="title"), grafana(tmp_path / "server", environment, provisioning=tmp_path / "lanbi" / "provisioning"):
            pass
        return
    (tmp_path / "lanbi" / "dashboards" / "env-air.json").write_text("{")
    with grafana(tmp_path / "server", environment, provisioning=tmp_path / "lanbi" / "provisioning") as one:
        until(lambda: len(one.ask("/api/search?type=dash-db")) == len(list((tmp_path / "lanbi" / "dashboards").glob("*.json"))) - 1, 30)
        assert any("env-air.json" in line and "level=error" in line for line in one.log())


def test_a_wrong_secret_is_an_error_and_not_all_quiet(today: Filled, tmp_path: Path) -> None:
    """With a token that the store refuses every rule is in error and DatasourceError reaches the duty log."""
    with receiver() as (webhook, taken):
        environment = provisioned(today, tmp_path / "lanbi", webhook, quick=True) | {"LANBI_GRAFANA_TOKEN": "wrong"}
        with grafana(tmp_path / "server", environment, provisioning=tmp_path / "lanbi" / "provisioning"):
            until(lambda: any(alert["labels"]["alertname"] == "DatasourceError" for one in taken for alert in one["body"]["alerts"]), 180)
