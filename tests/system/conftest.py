"""One browser a file of tests; time that passes between two of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.house import House
from tests.system.chromium_page import Page, browser


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    """One browser for the file."""
    with browser() as found:
        yield found


@pytest.fixture
def pause(house: House) -> None:
    """Tries of one address are paced, so between two tests time passes."""
    house.county.clock.sleep(120)
