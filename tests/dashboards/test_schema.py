"""Boards against Grafana's own schema: the foundation SDK reads them, and nothing that we wrote is lost on the way."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dashboards.sample import boards

LEGACY = ("editable", "error", "span", "height", "minSpan")


def read_back(board: dict[str, Any]) -> Any:
    """A board as the SDK understands it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it would like its second model, which no file can provision
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.models.dashboard import Dashboard

        return json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(copy.deepcopy(board))))


def lost(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Paths of ours that are missing afterwards."""
    if isinstance(ours, dict):
        for key, value in ours.items():
            where = f"{path}.{key}"
            if not isinstance(theirs, dict) or key not in theirs:
                # The schema leaves these open: whatever a query or a transformation wants.
                if value not in (None, {}, []):
                    yield where
            else:
                yield from lost(value, theirs[key], where)
    elif isinstance(ours, list):
        for number, value in enumerate(ours):
            there = isinstance(theirs, list) and number < len(theirs)
            yield from lost(value, theirs[number], f"{path}[{number}]") if there else iter([f"{path}[{number}]"])


@pytest.mark.parametrize("uid", boards())
def test_no_key_is_unknown_to_grafana(uid: str) -> None:
    """Every key of every board survives the way through the SDK's classes of Grafana 13."""
    assert [] == list(lost(boards()[uid], read_back(boards()[uid])))


@pytest.mark.parametrize("key", LEGACY)
def test_a_legacy_key_would_be_found(key: str) -> None:
    """The yardstick itself: a key of Grafana 6 on a panel is reported."""
    board = copy.deepcopy(boards()["env-overview"])
    panel = next(one for one in board["panels"] if one["type"] == "stat")
    panel[key] = 3

    assert any(path.endswith(f".{key}") for path in lost(board, read_back(board)))
