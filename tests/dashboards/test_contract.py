"""What Grafana would not tell: unknown keys are ignored, unset variables are empty, a bad alerting file stops the server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from dashboards.files import VARIABLE, variables
from dashboards.routes import CHANNELS, MAINTENANCE
from dashboards.watchlist import watchlist
from lanbi.settings import CHANNELS as OFFERED
from tests.dashboards.sample import alerting, boards, panels, rules, sample, texts

GROUP = {"folder", "interval", "name", "orgId", "rules"}
RULE = {
    "annotations", "condition", "dashboardUid", "data", "execErrState", "for", "isPaused", "keepFiringFor", "labels", "noDataState", "panelId", "title", "uid",
}  # fmt: skip
QUERY = {"datasourceUid", "model", "refId", "relativeTimeRange"}
MODELS = {
    "influxdb": {"datasource", "intervalMs", "maxDataPoints", "query", "rawQuery", "refId", "resultFormat"},
    "reduce": {"datasource", "expression", "reducer", "refId", "settings", "type"},
    "threshold": {"conditions", "datasource", "expression", "refId", "type"},
}
CHANNEL_KEYS = {"orgId", "name", "receivers"}
ROUTE = {"continue", "group_by", "mute_time_intervals", "object_matchers", "receiver", "repeat_interval"}
UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
DURATION = re.compile(r"(\d+)(s|m|h|d)")
SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
DOCUMENTED = {
    "LANBI_INFLUX_URL", "LANBI_GRAFANA_TOKEN", "LANBI_GRAFANA_WEBHOOK_SECRET", "LANBI_GRAFANA_DASHBOARDS", "LANBI_DINGTALK_URL", "LANBI_WECOM_URL",
    "LANBI_GRAFANA_MAIL_TO", "LANBI_GRAFANA_MQTT_URL", "LANBI_GRAFANA_MQTT_PASSWORD",
}  # fmt: skip
NO_SOURCE = {"text", "alertlist"}


def seconds(text: str) -> int:
    """A duration as Prometheus writes it."""
    found = DURATION.fullmatch(text)
    assert found, text
    return int(found.group(1)) * SECONDS[found.group(2)]


def strings(value: Any) -> Iterator[str]:
    """Every text in a tree."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def kind(query: dict[str, Any]) -> str:
    """What a step of a rule is."""
    return str(query["model"].get("type", query["model"]["datasource"]["type"]))


def test_rules_have_the_flat_shape_and_no_key_that_is_ignored() -> None:
    """Groups, rules and steps hold exactly the keys that the provisioner reads."""
    assert rules()
    for rule, group in rules():
        assert GROUP == set(group)
        assert RULE == set(rule)
        for query in rule["data"]:
            assert QUERY == set(query)
            assert MODELS[kind(query)] == set(query["model"])


def test_rules_can_be_told_apart() -> None:
    """Uids and titles are unique, short enough and of the allowed letters."""
    uids, titles = [rule["uid"] for rule, _ in rules()], [rule["title"] for rule, _ in rules()]

    assert sorted(set(uids)) == sorted(uids) and sorted(set(titles)) == sorted(titles)
    assert all(UID.fullmatch(uid) for uid in uids) and all(0 < len(title) <= 190 for title in titles)


def test_what_is_striven_for_raises_no_alert() -> None:
    """Every followed target has a rule of its own but the aspirations, of which the sample has one."""
    bureau = sample()
    striven = {target.id.replace(".", "-").replace("_", "-") for target in bureau.followed if target.kind == "aspiration"}
    watched = {one.uid.removeprefix("target-") for one in watchlist(bureau) if one.uid.startswith("target-")}

    assert striven
    assert {target.id.replace(".", "-").replace("_", "-") for target in bureau.followed} - striven == watched


def test_rules_last_and_recover_with_a_band() -> None:
    """Durations are whole multiples of the evaluation, and what fires does not recover on the other side of the same limit at once."""
    for rule, group in rules():
        assert seconds(group["interval"]) % 10 == 0
        assert seconds(rule["for"]) >= 0 and seconds(rule["keepFiringFor"]) >= 0
        (condition,) = rule["data"][-1]["model"]["conditions"]
        fire, recover = condition["evaluator"], condition["unloadEvaluator"]
        assert {fire["type"], recover["type"]} == {"gt", "lt"}
        gap = fire["params"][0] - recover["params"][0]
        # An integer that only equals its limit neither fires nor recovers: the limit itself is the band.
        assert (gap if fire["type"] == "gt" else -gap) >= -1


def test_steps_of_a_rule_hang_together() -> None:
    """Each expression names a step before it, each statement is reduced, the condition is the threshold."""
    for rule, _ in rules():
        known: list[str] = []
        used = {rule["condition"]}
        for query in rule["data"]:
            of = query["model"].get("expression")
            assert of is None or of in known
            used |= {of} if of else set()
            known.append(query["refId"])
        assert len(set(known)) == len(known)
        assert set(known) - used <= {"W"}
        assert "threshold" == kind(rule["data"][-1]) and rule["condition"] == rule["data"][-1]["refId"]
        assert all(
            query["model"]["settings"] == {"mode": "dropNN"} and query["model"]["reducer"] == "last" for query in rule["data"] if kind(query) == "reduce"
        )


def test_statements_of_a_rule_are_readable_as_numbers() -> None:
    """One value column, one statement, the time filter and no other variable; the reach lies before now and is the same in a rule."""
    for rule, _ in rules():
        statements = [query for query in rule["data"] if kind(query) == "influxdb"]
        assert statements and 1 == len({query["relativeTimeRange"]["from"] for query in statements})
        for query in statements:
            text = query["model"]["query"]
            assert 1 == len(re.findall(r"SELECT", text)) and ";" not in text
            assert re.match(r'SELECT "(value|margin)" FROM', text) and "GROUP BY" in text
            assert ["$timeFilter"] == re.findall(r"\$\w+", text)
            assert query["relativeTimeRange"]["from"] > query["relativeTimeRange"]["to"] == 0
            assert "influxdb-env" == query["datasourceUid"]


def test_rules_say_what_no_data_and_errors_mean() -> None:
    """Both states are explicit; an unreachable store is an error, never silence."""
    for rule, _ in rules():
        assert "Error" == rule["execErrState"]
        assert rule["noDataState"] in {"OK", "NoData"}
    assert {"NoData"} == {rule["noDataState"] for rule, group in rules() if group["name"] == "system"}


def test_rules_lead_to_owner_panel_and_runbook() -> None:
    """Labels and annotations are complete; the panel exists, and shows what the rule judges; the runbook has a page for it."""
    pages = json.dumps(boards()["env-runbook"], ensure_ascii=False)
    shown = {(uid, panel["id"]): panel for uid, panel in panels()}
    for rule, _ in rules():
        assert {"severity", "domain", "team"} == set(rule["labels"]) and all(rule["labels"].values())
        assert {"summary", "description", "runbook_url"} == set(rule["annotations"])
        assert "/d/env-runbook" == rule["annotations"]["runbook_url"] and f"`{rule['uid']}`" in pages
        panel = shown[rule["dashboardUid"], rule["panelId"]]
        found = re.search(r'"(?:figure|kind)" (?:= \'([^\']+)\'|=~ /\^\(([^)]+)\))', rule["data"][0]["model"]["query"])
        assert found
        shows = " ".join(target["query"] for target in panel["targets"]).replace("\\", "")
        for judged in (found.group(1) or found.group(2)).split("|"):
            of = judged.rpartition(".")[0]
            assert (of if of in {*sample().judged, *sample().reported} else judged) in shows


def test_no_dollar_is_expanded_by_mistake() -> None:
    """Labels hold no template; annotations no brace that a later Grafana would expand; every variable of the files is documented."""
    for rule, _ in rules():
        assert not any("$" in text for text in rule["labels"].values())
        assert not any("${" in text for text in rule["annotations"].values())
    assert DOCUMENTED == set(variables(texts()))


def test_secrets_come_from_the_environment() -> None:
    """No file holds a password, token or address of a paid channel; what is secret is a variable."""
    for name in CHANNELS:
        settings = alerting(f"contact-{name}")["contactPoints"][0]["receivers"][0]["settings"]
        hidden = [settings[key] for key in ("url", "password", "brokerUrl", "addresses") if key in settings]
        assert hidden and all(VARIABLE.fullmatch(value) for value in hidden)
    source = json.loads(texts()["provisioning/datasources/lanbi.yaml"])["datasources"][0]
    assert "Token ${LANBI_GRAFANA_TOKEN}" == source["secureJsonData"]["httpHeaderValue1"]
    assert source["database"] == source["jsonData"]["dbName"] == "lanbi-figures"


def test_contact_points_are_complete() -> None:
    """Each receiver has a uid, a type and what its type needs; the webhook is signed with a time stamp and has no second authorization."""
    needed = {"dingding": "url", "wecom": "url", "email": "addresses", "webhook": "url", "mqtt": "topic"}
    for name in ("contact-duty-log", *(f"contact-{one}" for one in CHANNELS)):
        (point,) = alerting(name)["contactPoints"]
        (receiver,) = point["receivers"]
        assert CHANNEL_KEYS == set(point)
        assert receiver["uid"] and receiver["settings"][needed[receiver["type"]]]
        assert receiver["disableResolveMessage"] is False
    webhook = alerting("contact-duty-log")["contactPoints"][0]["receivers"][0]["settings"]
    assert {"secret", "header", "timestampHeader"} == set(webhook["hmacConfig"])
    assert not {"username", "password", "authorization_credentials"} & set(webhook)
    assert "?" not in webhook["url"]


def test_routes_lead_to_receivers_that_exist() -> None:
    """Every receiver, mute time and label of a matcher exists; the root is never muted, and trouble of the data source has a route."""
    names = {alerting(name)["contactPoints"][0]["name"] for name in ("contact-duty-log", *(f"contact-{one}" for one in CHANNELS))}
    (root,) = alerting("policies")["policies"]
    teams = {rule["labels"]["team"] for rule, _ in rules()}

    assert "mute_time_intervals" not in root and root["receiver"] in names
    assert any("DatasourceError" in route["object_matchers"][0][2] for route in root["routes"])
    for route in root["routes"]:
        assert set(route) <= ROUTE and route["receiver"] in names
        assert set(route.get("mute_time_intervals", [])) <= {MAINTENANCE}
        key, _, value = route["object_matchers"][0]
        assert key == "alertname" or (key == "team" and value in teams)
    assert teams == {route["object_matchers"][0][2] for route in root["routes"] if route["object_matchers"][0][0] == "team"}
    assert all(one["location"] == "Asia/Shanghai" for one in alerting("mute-times")["muteTimes"][0]["time_intervals"])


def test_the_settings_offer_the_channels_that_are_written() -> None:
    """What may be configured is what has a contact point, and only these files lie in the alerting folder."""
    assert set(OFFERED) == set(CHANNELS)
    folder = {name.rsplit("/", 1)[1] for name in texts() if "/alerting/" in name}
    assert all(name.endswith(".yaml") for name in folder)


def test_every_panel_says_what_it_shows() -> None:
    """Each panel has a title, a description and, where it has numbers, a unit; its source is the provisioned one."""
    for uid, panel in panels():
        where = f"{uid} {panel['id']}"
        assert panel["title"] and panel["description"], where
        assert "13.2.2" == panel["pluginVersion"], where
        if panel["type"] in NO_SOURCE:
            assert "datasource" not in panel, where
            continue
        assert {"type": "influxdb", "uid": "influxdb-env"} == panel["datasource"], where
        assert "unit" in panel["fieldConfig"]["defaults"], where
        assert panel["maxDataPoints"] >= 366, where
        assert all(one["datasource"] == panel["datasource"] for one in panel["targets"]), where


def test_an_empty_table_does_not_claim_that_all_is_well() -> None:
    """Its text also stands there when the statement failed, so whatever says more than a dash says how a failure looks."""
    texts = [panel["fieldConfig"]["defaults"]["noValue"] for _, panel in panels() if panel["type"] == "table"]

    assert [] == [text for text in texts if text != "—" and "查询失败" not in text]
    assert any("查询失败" in text for text in texts)


def test_no_panel_needs_the_internet_or_an_old_shape() -> None:
    """No map, no picture, no foreign address; none of the shapes that Grafana has given up."""
    for uid, panel in panels():
        assert panel["type"] in {"stat", "timeseries", "table", "bargauge", "state-timeline", "status-history", "heatmap", "text", "alertlist"}, uid
        assert not any("://" in text for text in strings(panel)), (uid, panel["id"])
        assert "displayMode" not in panel.get("fieldConfig", {}).get("defaults", {}).get("custom", {})
        assert not any(one["id"] == "formatTime" for one in panel.get("transformations", []))
        for step in panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps", []):
            assert set(step) == {"color", "value"} and (step["value"] is None or isinstance(step["value"], int | float))


@pytest.mark.parametrize("uid", boards())
def test_boards_keep_the_house_rules(uid: str) -> None:
    """Zone, week, refresh, links, 说明 and schema are the same on every board."""
    board = boards()[uid]

    assert (42, "Asia/Shanghai", "monday", False, ["lanbi"]) == tuple(board[key] for key in ("schemaVersion", "timezone", "weekStart", "editable", "tags"))
    assert board["refresh"] in {"1m", "5m", ""}
    assert board["links"][0]["keepTime"] and board["links"][0]["includeVars"]
    assert any(panel["type"] == "text" and panel["title"] == "说明" for panel in board["panels"])
    assert re.fullmatch(r"[a-z-]{1,40}", uid)


def test_boards_ask_only_for_what_filters_rules_and_basis() -> None:
    """Every statement about figures names figure, period, basis and rule set, and no statement computes."""
    for uid, panel in panels():
        for target in panel.get("targets", []):
            text = target["query"]
            if '"indicator"' in text:
                assert all(f'"{tag}" ' in text for tag in ("figure", "period", "basis", "rule_set")), (uid, panel["id"])
            assert not re.search(r"\b(mean|sum|count|derivative|last|first)\(", text, re.IGNORECASE) and not re.search(r"SELECT [^F]*[-+*/]", text)


def test_every_question_is_asked_where_its_figures_are_stored() -> None:
    """No rule is lost between the watchlist and the file without being named in the runbook."""
    pages = json.dumps(boards()["env-runbook"], ensure_ascii=False)

    assert [] == [one.uid for one in watchlist(sample()) if one.title not in pages]
