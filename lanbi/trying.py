"""`lanbi simulate device`: one device for an integrator, registered or not yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Final

from domain.errors import InputError
from domain.places import AirStation, County, Dated, Device, Enterprise, Meter, Point, Registry, WaterSection
from domain.ports import Clock
from edge_sim.county import SimulatedCounty
from edge_sim.devices import SimulatedDevice
from edge_sim.faults import KINDS, LINK, LOAD, WIRE, Fault
from edge_sim.line import Address
from edge_sim.malformed import CLASSES
from edge_sim.scene import Scene
from edge_sim.trial import Trial, opening
from lanbi.processes import until_told
from lanbi.registry_checks import ID

USUAL_S: Final = {"air": 3_600, "water": 14_400, "point": 3_600, "meter": 900}
"""How often a device of a kind speaks, unless said otherwise."""
MOST: Final = 10_000
"""Slots of a trial."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asked for; empty texts and 0 where it said nothing."""

    device: str
    source: str = ""
    kind: str = ""
    interval: int = 0
    count: int = 3
    fault: str = ""
    patience: float = 20.0
    seed: int = 0


def try_out(registry: Registry | None, address: Address, clock: Clock, wish: Wish) -> int:
    """Say the last readings of one device and tell what lanbi answers; 0 if all of them were confirmed and none refused.

    Raises
    ------
    InputError
        The device is in no registry and no kind is named; no such kind of fault; nothing to say.
    BrokerAway
        Nobody listens at the broker's address.
    """
    known = registered(registry, wish)
    device = known.devices[wish.device]
    now = clock.now_ns() // 10**9
    begin = now - (wish.count + 1) * device.interval
    scene = Scene(SimulatedCounty(known, wish.seed), _faults(wish, device, begin, now), begin)
    # Numbers of a device without memory begin with the second at which it was switched on.
    simulated = SimulatedDevice(scene, device, run=now, said=now - wish.count * device.interval)
    print(opening(simulated, wish.count, now))  # noqa: T201  the answer itself
    with until_told() as told:
        whole = Trial(simulated, address, clock, wish.patience, print).run(now, told)
        return told.exit_code or int(not whole)


def registered(registry: Registry | None, wish: Wish) -> Registry:
    """The registry with the device, or a small one made for it."""
    _checked(wish)
    if registry and wish.device in registry.devices and not wish.kind:
        device = registry.devices[wish.device]
        sources = (wish.source,) if wish.source else device.sources.newest
        chosen = replace(device, sources=Dated.always(sources), interval=wish.interval or device.interval)
        return replace(registry, devices={**registry.devices, wish.device: chosen})
    if wish.kind not in USUAL_S:
        what = f"device {wish.device!r} is in no registry here, so its kind must be said"
        raise InputError(what, "--kind", f"one of {', '.join(USUAL_S)}; or name the registry with --county")
    return _made(wish, wish.source or "s-001")


def _checked(wish: Wish) -> None:
    if not 1 <= wish.count <= MOST:
        raise InputError(f"{wish.count} readings are none, or too many", "--count", f"1 to {MOST}")
    if wish.interval < 0 or not 0 < wish.patience < inf:
        raise InputError("a time to wait must lie above 0", "--interval, --patience", "write seconds, such as --interval 900 --patience 20")
    wrong = next((name for name in (wish.device, wish.source) if name and not ID.fullmatch(name)), None)
    if wrong:
        raise InputError(f"not an id: {wrong!r}", "--device, --source", "1 to 32 letters, digits, _ or -")


def _made(wish: Wish, source: str) -> Registry:
    always, name = Dated.always, "试验"
    interval = wish.interval or USUAL_S[wish.kind]
    device = Device(wish.device, always((source,)), always("lanbi-json"), always("accepted"), interval, always(None), always("end"), always("s"))
    meter = Meter(source, "e-1", "electricity", always("main"), "kWh", always("1"), resolution="0.01", max_power="1000")
    return Registry(
        County("trial", name),
        {},
        {source: AirStation(source, name, always("assessment"))} if wish.kind == "air" else {},
        {source: WaterSection(source, name, "river", "local")} if wish.kind == "water" else {},
        {"e-1": Enterprise("e-1", name)},
        {source: meter} if wish.kind == "meter" else {},
        {},
        {source: Point(source, name, "e-1", "outfall")} if wish.kind == "point" else {},
        {},
        {wish.device: device},
        "trial",
    )


def _faults(wish: Wish, device: Device, begin: int, now: int) -> tuple[Fault, ...]:
    """The one fault that is to be shown, on everything that is said."""
    if not wish.fault:
        return ()
    kind, _, partner = wish.fault.partition(":")
    if kind not in KINDS or KINDS[kind].bites in {LINK, LOAD}:
        usable = ", ".join(name for name, one in KINDS.items() if one.bites not in {LINK, LOAD})
        raise InputError(f"no such fault to try: {kind!r}", "--fault", f"one of {usable}")
    if kind == "malformed" and partner and partner not in CLASSES:
        raise InputError(f"no such class of malformed messages: {partner!r}", "--fault", f"one of {', '.join(CLASSES)}")
    target = device.id if KINDS[kind].bites == WIRE else device.sources.newest[0]
    return (Fault(kind, target, begin, now, KINDS[kind].size, "", partner),)


def password_of(path: Path | None, device: str, address: Address) -> Address:
    """The address with the device's password from a file, if one is named."""
    if path is None:
        return address
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        what = getattr(error, "strerror", None) or "not UTF-8"
        raise InputError(f"the password cannot be read: {what}", str(path), "name a file that holds it") from error
    return replace(address, passwords={**address.passwords, device: text})
