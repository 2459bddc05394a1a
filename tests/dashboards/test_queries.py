"""Every statement of boards, variables and rules runs on a real InfluxDB with the token that Grafana has, and finds something."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dashboards.files import files
from dashboards.stored import STORED
from lanbi.clock import SystemClock
from tests.dashboards.asking import ask, chosen, expanded, options, series, since
from tests.dashboards.filled import DAYS, Filled
from tests.dashboards.sample import sample

pytestmark = [pytest.mark.services, pytest.mark.timeout(400)]  # the first test fills the county

TEXTS = {"status", "text", "cause", "kind", "source", "scope", "figure", "period", "rule_set", "basis"}
DAY_S = 86_400
TIMES = 5


def boards(county: Filled) -> list[dict[str, Any]]:
    """Boards of the county in the store."""
    texts = files(replace(sample(), registry=county.registry))
    return [json.loads(text) for name, text in texts.items() if name.startswith("dashboards/")]


def rules(county: Filled) -> list[dict[str, Any]]:
    """Rules of the county in the store."""
    text = files(replace(sample(), registry=county.registry))["provisioning/alerting/rules.yaml"]
    return [rule for group in json.loads(text)["groups"] for rule in group["rules"]]


def targets(county: Filled) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
    """Board, panel and statement."""
    for board in boards(county):
        for panel in board["panels"]:
            yield from ((board, panel, target) for target in panel.get("targets", []))


def test_every_panel_finds_numbers(county: Filled) -> None:
    """Each statement gives labelled series inside its range, with numbers wherever the panel expects numbers; for all values of a variable."""
    empty, asked = [], 0
    for board, panel, target in targets(county):
        span = since(board, panel, county.clock.now), county.clock.now
        found = series(county, expanded(target["query"], span, options(board)))
        asked += 1
        if not found:
            empty.append((board["uid"], panel["id"], panel["title"], target["query"]))
        assert len(found) == len({tuple(sorted(one.labels.items())) for one in found})
        for one in found:
            assert all(1_000 * span[0] <= row[0] <= 1_000 * span[1] for row in one.rows)
            for place, name in enumerate(one.columns[1:], 1):
                kinds = {type(row[place]) for row in one.rows} - {type(None)}
                assert kinds <= ({str} if name in TEXTS else {int, float}), (board["uid"], panel["id"], name)

    assert [] == empty
    assert asked > 50


def test_one_or_several_places_can_be_chosen(county: Filled) -> None:
    """A variable with one and with several values gives the chosen series and no error."""
    for board, panel, target in targets(county):
        if "$station" in target["query"] or "station:regex" in target["query"]:
            span = since(board, panel, county.clock.now), county.clock.now
            for values in chosen(board):
                scopes = {one.labels.get("scope") for one in series(county, expanded(target["query"], span, values))} - {None}
                assert scopes <= set(values["station"])


def test_every_variable_offers_what_is_stored(county: Filled) -> None:
    """A variable that asks the store gets values, and its preset is one of them."""
    for board in boards(county):
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                (found,) = series(county, variable["query"])
                assert variable["current"]["value"] in {row[1] for row in found.rows}


def test_every_rule_finds_numbers_with_labels(county: Filled) -> None:
    """Each rule's statements give one number a series, and labels that tell the series apart; what has no fault yet has rows elsewhere."""
    now, quiet = county.clock.now, []
    for rule in rules(county):
        for query in rule["data"]:
            text = query["model"].get("query")
            if text is None:
                continue
            found = series(county, expanded(text, (now - query["relativeTimeRange"]["from"], now), {}))
            quiet += [] if found else [rule["uid"]]
            found = found or series(county, expanded(text, (now - DAYS * DAY_S, now), {}))
            assert found, (rule["uid"], text)
            assert all(one.columns in (["time", "value"], ["time", "margin"]) and one.labels for one in found), rule["uid"]
            assert all(isinstance(row[1], int | float) for one in found for row in one.rows)
            assert len(found) == len({tuple(one.labels.items()) for one in found})

    # Hours are silent since midnight, and nothing was announced, ordered or wrong with a meter or point lately: these are empty without being wrong.
    assert {"air-heavy-hour", "air-warning-met", "data-restated-confirmed", "meter-fault", "point-over-limit", "clue-open", "order-receipt"} >= set(quiet)


def test_the_table_of_what_is_stored_is_right(county: Filled) -> None:
    """No figure and period stands in the table that analytics does not write."""
    text = 'SELECT last("version") FROM "indicator" WHERE time > 0 GROUP BY "figure", "period"'
    there = {(one.labels["figure"], one.labels["period"]) for one in series(county, text)}
    first_year = {(figure, "year") for figure in STORED if figure.endswith("_yoy")}

    assert set() == {(figure, period) for figure, periods in STORED.items() for period in periods} - there - first_year


@pytest.mark.parametrize(("right", "wrong"), [('"indicator"', '"indicators"'), ('"figure"', '"figures"'), ("'aqi'", "'aqis'"), ('"scope"', '"scopes"')])
def test_a_wrong_name_would_be_found(county: Filled, right: str, wrong: str) -> None:
    """The yardstick itself: with a wrong measurement, tag or value the server says 200 and nothing, or loses the label."""
    board, panel, target = next(one for one in targets(county) if "'aqi'" in one[2]["query"] and "station:regex" in one[2]["query"])
    span = since(board, panel, county.clock.now), county.clock.now
    text = expanded(target["query"], span, options(board))

    assert series(county, text)
    assert [] == [one for one in series(county, text.replace(right, wrong)) if one.labels.get("scope")]


def test_the_token_reads_figures_and_nothing_else(county: Filled) -> None:
    """Grafana's token sees no raw readings, and a wrong one is refused: an error for every panel and rule, never an empty answer."""
    with pytest.raises(AssertionError, match="401"):
        ask(county, "SHOW MEASUREMENTS", "wrong")
    with pytest.raises(AssertionError, match=r"unauthorized|not found|insufficient|401|403|database"):
        ask(replace(county, bucket=county.bucket.replace("-figures", "")), 'SELECT * FROM "air" LIMIT 1')


def timed(county: Filled) -> dict[tuple[str, int, str], float]:
    """Median time of each statement of a board [ms], of five."""
    clock, found = SystemClock(), {}
    for board, panel, target in targets(county):
        text = expanded(target["query"], (since(board, panel, county.clock.now), county.clock.now), options(board))
        spent = []
        for _ in range(TIMES):
            begun = clock.monotonic()
            ask(county, text)
            spent.append(1_000 * (clock.monotonic() - begun))
        found[board["uid"], panel["id"], target["refId"]] = statistics.median(spent)
    return found


def test_statements_are_quick(county: Filled, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints number of panels, statements and rules, and each statement's median time: the middle and the slowest; none fails while it is timed."""
    found = timed(county)
    panels, slowest = {(uid, panel) for uid, panel, _ in found}, max(found, key=lambda key: found[key])
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(panels)} panels, {len(found)} statements, {len(rules(county))} rules; a statement's median time: "
            f"{statistics.median(found.values()):.1f} ms in the middle, {found[slowest]:.1f} ms at most ({slowest[0]} {slowest[1]})\n"
        )

    assert len(found) > len(panels) / 2
