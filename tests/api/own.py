"""A county and its client for the tests of one file, which write into it: imported under the names of the folder's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from tests.api.seeded import County
from tests.api.served import Client, served


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    """The county."""
    return County(Path(tmp_path_factory.mktemp("county")))


@pytest.fixture(scope="module")
def client(county: County) -> Iterator[Client]:
    """A client on this machine."""
    with served(create_app(county.sources())) as found:
        yield found
