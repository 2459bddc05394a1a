"""Links of OpenAPI: where a value of an answer leads, so that a machine finds its way from list to thing and from page to page."""

from __future__ import annotations

from typing import Any


def leads(parameter: str, pointer: str, *operations: str) -> dict[int | str, dict[str, Any]]:
    """Description of a 200 whose value at ``pointer`` (JSON pointer) is the ``parameter`` of these operations."""
    links = {f"{name}_{parameter}": {"operationId": name, "parameters": {parameter: f"$response.body#{pointer}"}} for name in operations}
    return {200: {"links": links}}
