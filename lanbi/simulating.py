"""The simulate process: devices of the registry over MQTT, or their history through the journal."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from domain.errors import InputError
from domain.places import Registry
from domain.ports import Clock
from edge_sim.county import SimulatedCounty
from edge_sim.devices import SimulatedDevice
from edge_sim.fleet import Fleet
from edge_sim.line import Address
from edge_sim.record import Record
from edge_sim.scene import Scene
from edge_sim.spool import Spool
from lanbi.broker_access import address_of, tls_of
from lanbi.folders import made
from lanbi.metrics import write_status
from lanbi.processes import until_told
from lanbi.settings import Settings

DEVICE_SECRETS = "devices"
"""Folder of the devices' passwords in the secrets folder, as ``lanbi broker passwd`` keeps them; absent where the broker asks for none."""


@dataclass(frozen=True, slots=True)
class Live:
    """What to simulate: seed, first instant [s] for devices without a past, folder for the truth log."""

    seed: int
    start: int
    record: Path | None = None


def live(settings: Settings, registry: Registry, clock: Clock, wish: Live) -> int:
    """Publish until SIGTERM or SIGINT; the spool keeps what was not confirmed."""
    scene = Scene(SimulatedCounty(registry, wish.seed))
    devices = [SimulatedDevice(scene, device) for device in scene.county.devices()]
    spool = Spool(settings.data / "simulate" / "spool")
    record = Record(made(wish.record) / "devices.jsonl" if wish.record else None)
    fleet = Fleet(devices, broker_address(settings), clock, spool, record, wish.start)
    path = settings.data / "run" / "simulate.json"
    with until_told() as told:
        fleet.run(told, lambda one: write_status(path, status(one, clock)))
        return told.exit_code


def status(fleet: Fleet, clock: Clock) -> dict[str, object]:
    """What the process says of itself once a second."""
    everybody = fleet.connected() == len(fleet.links)
    reasons = [] if everybody else [f"{len(fleet.links) - fleet.connected()} devices without a connection"]
    return {
        "pid": os.getpid(),
        "heartbeat": clock.now_ns() / 1e9,
        "ready": everybody,
        "reasons": reasons,
        "devices": len(fleet.links),
        "unconfirmed": len(fleet.spool),
        "errors": fleet.errors,
    }


def broker_address(settings: Settings) -> Address:
    """Where the devices connect to, and their passwords, if they are kept here; each logs in as itself, without lanbi's certificate."""
    host, port = address_of(settings.broker.url)
    kept = settings.data / "secrets" / DEVICE_SECRETS
    passwords = {path.name: path.read_text(encoding="utf-8").strip() for path in kept.iterdir()} if kept.is_dir() else {}
    return Address(host, port, passwords, tls_of(settings.broker, identify=False))


def plain_address(url: str, usual: Address) -> Address:
    """The address that the command line names; passwords and trust as usual."""
    parts = urlsplit(url)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise InputError(f"not an address of a broker: {url!r}", "--broker", "write mqtt://HOST:PORT or mqtts://HOST:PORT")
    host, port = address_of(url)
    return Address(host, port, usual.passwords, usual.tls or (ssl.create_default_context() if parts.scheme == "mqtts" else None))
