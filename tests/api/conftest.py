"""One seeded county for the whole folder, into which no test writes (see `own.py`), and for tests that log in one of their own with one operator."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from tests.api.house import PASSWORD, House
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


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A county with one operator."""
    found = House(tmp_path)
    found.accounts.add("wang", "operator", PASSWORD, [])
    return found


@pytest.fixture
def operator(house: House) -> Iterator[Client]:
    """Its API."""
    with served(create_app(house.sources())) as found:
        yield found
