"""One filled county for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.dashboards.filled import Filled, filled, small
from tests.dashboards.sample import sample


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """A simulated county in a real InfluxDB."""
    with filled(tmp_path_factory.mktemp("county"), small(sample().registry)) as found:
        yield found
