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
    from lanbi.settings import Settings
    from lanbi.store import OpenStore


def settings(config: str | None) -> Settings:
    """Settings from file and environment, validated whole; from here on root acts as the owner of the data folder."""
    import os

    from lanbi.ownership import as_owner
    from lanbi.settings import load

    found = load(config, os.environ)
    as_owner(found.data)
    return found


def clock(chosen: Settings) -> Clock:
    """The machine's clock, or the demo's simulated one."""
    from lanbi.clock import SimClock, SystemClock

    return SimClock(chosen.data / "clock.json") if chosen.clock == "simulated" else SystemClock()


def registry(chosen: Settings) -> Registry:
    """The registry in force: the applied one, else the file that the settings name."""
    from lanbi.hj212_keys import with_keys
    from lanbi.registry import load
    from lanbi.registry_change import in_force

    return with_keys(load(in_force(chosen)), chosen.data)


def plans(chosen: Settings) -> tuple[Plan, ...]:
    """All plans that the settings name."""
    from lanbi.plans import load_all

    return load_all(chosen.targets)


def store(chosen: Settings, *, write: bool = True) -> OpenStore:
    """The store behind the ports; ``write=False`` takes the token that may only read."""
    if chosen.store.kind == "embedded":
        from lanbi.embedded import EmbeddedStore

        return EmbeddedStore(chosen.data / "store.db")
    influx_there()
    from lanbi.influx import InfluxStore
    from lanbi.influx_http import Place
    from lanbi.secret import read_secret

    place = Place(chosen.store.url, chosen.store.org, chosen.store.bucket)
    if write:
        return InfluxStore(place, read_secret(chosen.store.token_file, "store.token_file"))
    # Who only reads is a person before a screen, or answers one.
    return InfluxStore(place._replace(patience_s=15.0), read_secret(chosen.store.read_token_file, "store.read_token_file"))


def influx_there() -> None:
    """Say what to install where InfluxDB is asked for and its libraries are not there."""
    from importlib.util import find_spec

    from domain.errors import SettingsError

    if not (find_spec("influxdb_client") and find_spec("pyarrow")):
        raise SettingsError("the libraries for InfluxDB are not installed", "store.kind", "pip install 'lanbi[influx]', or use kind = \"embedded\"")
