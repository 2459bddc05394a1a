"""Listeners for tests, in both ways of reading."""

from collections.abc import Callable
from functools import partial

import pytest

from ingest.listener import Listener


@pytest.fixture(params=["stock", "bulk"])
def make(request: pytest.FixtureRequest) -> Callable[..., Listener]:
    """A listener that reads packet by packet, and one that reads in bulk: both must do the same."""
    return partial(Listener, bulk=request.param == "bulk")
