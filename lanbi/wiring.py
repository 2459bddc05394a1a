"""Wiring: settings become running things, one function a part.

The one file that may import inside its functions:
a program must not pay for the libraries of another (numba alone is 0.3 s and 92 MB).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from domain.places import Registry
    from domain.ports import Clock
    from domain.targets import Plan
    from lanbi.embedded import EmbeddedStore
    from lanbi.settings import Settings


def settings(config: str | None) -> Settings:
    """Settings from file and environment, validated whole."""
    import os

    from lanbi.settings import load

    return load(config, os.environ)


def clock(chosen: Settings) -> Clock:
    """The machine's clock, or the demo's simulated one."""
    from lanbi.clock import SimClock, SystemClock

    return SimClock(chosen.data / "clock.json") if chosen.clock == "simulated" else SystemClock()


def registry(chosen: Settings) -> Registry:
    """The registry in force: the applied one, else the file that the settings name."""
    from lanbi.registry import load

    applied = chosen.data / "registry" / "current.toml"
    return load(applied if applied.exists() else chosen.county)


def plans(chosen: Settings) -> tuple[Plan, ...]:
    """All plans that the settings name."""
    from lanbi.plans import load_all

    return load_all(chosen.targets)


def store(chosen: Settings) -> EmbeddedStore:
    """The store behind the four ports."""
    from domain.errors import SettingsError
    from lanbi.embedded import EmbeddedStore

    if chosen.store.kind != "embedded":
        what = f"store kind '{chosen.store.kind}' is not built yet"
        raise SettingsError(what, "store.kind", 'use kind = "embedded"')
    return EmbeddedStore(chosen.data / "store.db")
