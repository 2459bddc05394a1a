"""The sample county with its plan, as `lanbi dashboards` takes them from the settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from dashboards.county import Bureau
from dashboards.files import files
from lanbi.commands.dashboards import bureau
from lanbi.settings import load

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "deploy" / "grafana"


@cache
def sample() -> Bureau:
    """The county of the default settings."""
    return bureau(load(None, {}))


@cache
def texts() -> dict[str, str]:
    """Every file of it, with all channels."""
    return files(replace(sample(), channels=("dingtalk", "wecom", "email", "mqtt")))


def boards() -> dict[str, dict[str, Any]]:
    """Boards by uid."""
    found = (json.loads(text) for name, text in texts().items() if name.startswith("dashboards/"))
    return {board["uid"]: board for board in found}


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every panel that is no row, with its board's uid."""
    for uid, board in boards().items():
        yield from ((uid, panel) for panel in board["panels"] if panel["type"] != "row")


def alerting(name: str) -> dict[str, Any]:
    """A file of the alerting folder."""
    found = json.loads(texts()[f"provisioning/alerting/{name}.yaml"])
    assert isinstance(found, dict)
    return found


def rules() -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every rule with its group."""
    return [(rule, group) for group in alerting("rules")["groups"] for rule in group["rules"]]
