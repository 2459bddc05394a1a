"""What Grafana's data source does with a statement: macros and variables expanded in its way, asked of the store on `/query`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import urllib3

from domain import civil
from tests.dashboards.filled import Filled

VARIABLE = re.compile(r"\$\{(\w+):regex\}")
UNITS = {"m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True)
class Series:
    """One labelled series: column names and rows; the first column is the time [ms]."""

    labels: dict[str, str]
    columns: list[str]
    rows: list[list[Any]]


def seconds(text: str) -> int:
    """A relative range such as ``7d``."""
    return int(text[:-1]) * UNITS[text[-1]]


def since(board: dict[str, Any], panel: dict[str, Any], now: int) -> int:
    """Where a panel's time range begins."""
    own = panel.get("timeFrom")
    if own:
        return now - seconds(own)
    begin = board["time"]["from"]
    if begin == "now/y":
        return civil.day_start(civil.year_days(civil.year_of_day(civil.day_of(now)))[0])
    assert begin.startswith("now-"), begin
    return now - seconds(begin[4:])


def expanded(text: str, span: tuple[int, int], variables: dict[str, list[str]]) -> str:
    """A statement with its macros and variables."""
    values = {name: "|".join(re.escape(value).replace("\\-", "-") for value in some) for name, some in variables.items()}
    said = VARIABLE.sub(lambda found: f"({values[found.group(1)]})", text)
    start, end = span
    return said.replace("$timeFilter", f"time >= {1_000 * start}ms and time <= {1_000 * end}ms")


def ask(county: Filled, text: str, token: str | None = None) -> Any:
    """The first result of an answer; a status or an error is a failure, as for the plugin."""
    head = county.head if token is None else {"Authorization": f"Token {token}"}
    answer = urllib3.request("POST", f"{county.url}/query", headers=head, fields={"db": county.bucket, "epoch": "ms", "q": text}, retries=False)
    assert answer.status == 200, (answer.status, answer.data[:300], text)
    (result,) = answer.json()["results"]
    assert "error" not in result, (result, text)
    return result


def series(county: Filled, text: str, token: str | None = None) -> list[Series]:
    """The series of an answer."""
    return [Series(one.get("tags", {}), one["columns"], one["values"]) for one in ask(county, text, token).get("series", [])]


def options(board: dict[str, Any]) -> dict[str, list[str]]:
    """Every value of a board's own variables; of those that the store fills, the chosen one."""
    found = {}
    for variable in board["templating"]["list"]:
        own = [one["value"] for one in variable["options"] if one["value"] != "$__all"]
        found[variable["name"]] = own or [variable["current"]["value"]]
    return found


def chosen(board: dict[str, Any]) -> Iterator[dict[str, list[str]]]:
    """Variables with all values, with one and with several."""
    whole = options(board)
    yield whole
    yield {name: values[:1] for name, values in whole.items()}
    yield {name: values[-2:] for name, values in whole.items()}
