"""An analyst as the settings want it, for the process that follows the changes and for those that compute many counties once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analytics.skill import Cuts
from domain.places import Registry
from domain.warning import SCHEMES
from lanbi import wiring
from lanbi.analyst import Analyst
from lanbi.settings import Settings
from lanbi.together import refusals


def analyst_of(settings: Settings, registry: Registry, store: Any, now: Callable[[], int]) -> Analyst:
    """The analyst of a county; ``now`` is wall time [s]."""
    analyst = Analyst(store, store, registry, wiring.plans(settings))
    analyst.scheme = SCHEMES.get(settings.analyse.warning)
    analyst.cuts = Cuts(settings.analyse.on_course / 100, settings.analyse.at_risk / 100)
    analyst.settler.closing = 60 * settings.analyse.closing
    analyst.ledger.refusals = refusals(settings, analyst.registry, now)
    return analyst
