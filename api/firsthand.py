"""Who is told first: an enterprise's own contact at once, the bureau after the delay that the registry gives."""

from __future__ import annotations

from api.accounts import Caller, owner
from domain.places import Registry

MINUTE_S = 60


def delay_s(registry: Registry, source: str) -> int:
    """By how many seconds the bureau is told later of a source; 0 for the county's own places."""
    whose = registry.enterprises.get(owner(registry, source) or "")
    return MINUTE_S * whose.bureau_delay if whose else 0


def told(registry: Registry, caller: Caller, source: str, news: tuple[int, int]) -> bool:
    """Whether news of a source, which stand since an instant, are for this caller: ``news`` is (since, now) [s]."""
    since, now = news
    return caller.bound or now - since >= delay_s(registry, source)
