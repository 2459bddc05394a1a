"""The checked-in description of the API is the API."""

import json
from pathlib import Path

from api.app import VERSION, create_app
from tests.api.seeded import County
from tests.api.served import Client

FILE = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def test_description_is_fresh(county: County) -> None:
    """docs/openapi.json is what the application says of itself; `python -m api.openapi` writes it anew."""
    assert create_app(county.sources()).openapi() == json.loads(FILE.read_text())


def test_description_is_served(client: Client) -> None:
    """The same stands under /api/v1/openapi.json."""
    assert json.loads(FILE.read_text()) == client.get("/api/v1/openapi.json").json()


def test_version_is_named() -> None:
    """Title and version identify the contract."""
    assert ("lanbi", VERSION) == (json.loads(FILE.read_text())["info"]["title"], json.loads(FILE.read_text())["info"]["version"])


def test_every_answer_is_described() -> None:
    """Each operation has a described success, and problems are problem+json."""
    for path, methods in json.loads(FILE.read_text())["paths"].items():
        for method, one in methods.items():
            assert {"200", "202", "204"} & set(one["responses"]), (method, path)
            assert "application/problem+json" in one["responses"]["404"]["content"], (method, path)
