"""One seeded county for the whole folder: the API writes nothing, so the tests may share it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from tests.api.seeded import County
from tests.api.served import Client, served


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    """The county."""
    return County(Path(tmp_path_factory.mktemp("county")))


@pytest.fixture(scope="session")
def client(county: County) -> Iterator[Client]:
    """A client on this machine."""
    with served(create_app(county.sources())) as found:
        yield found
