"""Who measures: places, meters and devices of a county, exactly as its registry names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from domain.clues import Electricity, Maintenance
from domain.energy import ACCOUNTS, NATIONAL
from domain.rules import Keyring, Rule, no_keys
from domain.watch import Watch

T = TypeVar("T")

ASSESSMENT: Final = "assessment"
ROLES: Final = (ASSESSMENT, "township", "micro", "site", "background")
"""Roles of an air station; county figures use ``assessment`` only, ``background`` is the clean control site (对照点)."""
STATES: Final = ("trial", "accepted", "retired")
BODIES: Final = ("river", "lake")
CONTROLS: Final = ("national", "provincial", "local")
METER_ROLES: Final = ("main", "production", "treatment", "sub")
FLOWS: Final = ("purchased", "own", "sold", "internal")
ENERGY: Final = ACCOUNTS[0]
POINT_KINDS: Final = ("outfall", "stack", "boundary", "dust-site")
DEVICE_STATES: Final = STATES
TIME_UNITS: Final = ("s", "ms")
LABELS: Final = ("end", "start")


_PARTS: Final = 4
"""Of a section's name in foreign files."""


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """A value that changes on given days: ((first day, value), …) in order; before the first day there is none."""

    steps: tuple[tuple[int, T], ...]

    @classmethod
    def always(cls, value: T) -> Dated[T]:
        """A value without a beginning."""
        return cls(((-(2**31), value),))

    def on(self, day: int) -> T | None:
        """The value in force on a civil day, or None before the first."""
        found: T | None = None
        for first, value in self.steps:
            if first > day:
                break
            found = value
        return found

    @property
    def newest(self) -> T:
        """The last value."""
        return self.steps[-1][1]


@dataclass(frozen=True, slots=True)
class County:
    """The county itself; its id is the scope of county figures. ``grid`` names whose grid factor counts: a province, or the nation."""

    id: str
    name: str
    grid: str = NATIONAL
    holidays: tuple[int, ...] = ()
    workdays: tuple[int, ...] = ()
    """Civil days that the yearly notice takes off the week, or adds to it (调休)."""


@dataclass(frozen=True, slots=True)
class City:
    """A whole city's own daily or hourly series."""

    id: str
    name: str
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AirStation:
    """An ambient air station."""

    id: str
    name: str
    role: Dated[str]
    town: str = ""
    codes: tuple[str, ...] = ()
    neighbours: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WaterSection:
    """A river section or a lake point (断面)."""

    id: str
    name: str
    body: str
    control: str
    town: str = ""
    match: tuple[str, ...] = ()
    tn_2020: str | None = None
    levels: Mapping[str, str] = field(default_factory=dict)
    flows: Mapping[str, str] = field(default_factory=dict)

    @property
    def river(self) -> str:
        """Its river or lake as foreign files name it (``province|city|river|station``); empty where none does."""
        return next((parts[2] for name in self.match if len(parts := name.split("|")) == _PARTS), "")


@dataclass(frozen=True, slots=True)
class Enterprise:
    """An enterprise with meters or permit points."""

    id: str
    name: str
    town: str = ""
    industry: str = ""
    two_high: bool = False
    monitoring: bool = False
    """Whether electricity monitoring looks at its pairs (用电监控)."""
    loss_low: str | None = None
    loss_high: str | None = None
    """Band of losses between main meters and those behind them [%]."""
    contact: str = ""
    """Who is told first, and how to reach them."""
    bureau_delay: int = 0
    """So many minutes later than its own contact the bureau is told of silence, refusals and clues."""


@dataclass(frozen=True, slots=True)
class Meter:
    """An enterprise meter; decimals stay text, for a register is counted in its own resolution."""

    id: str
    enterprise: str
    medium: str
    role: Dated[str]
    unit: str
    multiplier: Dated[str]
    flow: str = "purchased"
    resolution: str = "1"
    modulus: str | None = None
    max_power: str | None = None
    max_rate: str | None = None
    reset: str = "never"
    treats: str | None = None
    account: str = ENERGY
    heat_value: Dated[str | None] = field(default_factory=lambda: Dated.always(None))
    on_power: str | None = None
    behind: str | None = None
    maintenance: tuple[Maintenance, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A two-high (两高) production line."""

    id: str
    enterprise: str
    product: str = ""
    capacity: str | None = None
    advanced: str | None = None
    baseline: str | None = None
    water_quota: str | None = None
    meters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PointLimit:
    """A permit limit: item, value, average, first day in force."""

    item: str
    value: str
    average: str
    first_day: int


@dataclass(frozen=True, slots=True)
class Permit:
    """A discharge permit (排污许可证): its number, and the civil days between which it holds, both included."""

    number: str
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class Point:
    """A permit point: outfall, stack, boundary or dust site."""

    id: str
    name: str
    enterprise: str
    kind: str
    limits: tuple[PointLimit, ...] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    permit: Permit | None = None

    def permitted(self, day: int) -> bool:
        """Whether a valid permit is registered for a civil day."""
        return self.permit is not None and self.permit.first_day <= day <= self.permit.last_day


@dataclass(frozen=True, slots=True)
class Well:
    """A groundwater well."""

    id: str
    name: str
    limit_level: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A device: its id is MQTT user name, client id and topic level at once.

    ``names`` are foreign names (MN, meter addresses, channels) of what it speaks for; ``topics`` are its own foreign topics, which
    the broker's access list lets only it write; ``peers`` are addresses from which it may speak HJ 212 over TCP, ``pw`` is the password
    of its packets, which protects nothing by itself. ``label`` is None where the format's own convention holds.
    """

    id: str
    sources: Dated[tuple[str, ...]]
    format: Dated[str]
    state: Dated[str]
    interval: int
    zone: Dated[str | None]
    label: Dated[str | None]
    time_unit: Dated[str]
    crc: str = "standard"
    mapping: Dated[str | None] = field(default_factory=lambda: Dated.always(None))
    names: Mapping[str, str] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    pw: str | None = None
    peers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Factor:
    """What a base unit of a medium is worth, by the county's own source: standard coal (当量, 等价) or CO2 [kg a base unit]."""

    id: str
    medium: str
    kind: str
    value: Dated[str]
    source: str


@dataclass(frozen=True)
class Registry:
    """The county as registered, of one version.

    ``version`` is the short hash of its content; every figure names it. ``keyring`` gives the keys of encrypted packets, which no registry holds.
    """

    county: County
    cities: Mapping[str, City]
    air_stations: Mapping[str, AirStation]
    water_sections: Mapping[str, WaterSection]
    enterprises: Mapping[str, Enterprise]
    meters: Mapping[str, Meter]
    lines: Mapping[str, Line]
    points: Mapping[str, Point]
    wells: Mapping[str, Well]
    devices: Mapping[str, Device]
    version: str
    factors: Mapping[str, Factor] = field(default_factory=dict)
    watch: Watch = field(default_factory=Watch)
    mappings: Mapping[str, Rule] = field(default_factory=dict)
    electricity: Electricity = field(default_factory=Electricity)
    keyring: Keyring = field(default=no_keys, repr=False, compare=False)

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """Store table of every source id: cities report air, wells report water levels."""
        tables = {"air": (self.cities, self.air_stations), "water": (self.water_sections, self.wells), "point": (self.points,), "meter": (self.meters,)}
        return MappingProxyType({name: kind for kind, groups in tables.items() for places in groups for name in places})

    def kind_of(self, source: str) -> str | None:
        """Store table of a source: air, water, point, meter; None if it is not registered."""
        return self.kinds.get(source)

    def name_of(self, source: str) -> str:
        """The name a person knows; the id where there is none."""
        return self._names.get(source, source)

    @cached_property
    def _names(self) -> Mapping[str, str]:
        groups = (self.cities, self.air_stations, self.water_sections, self.enterprises, self.points, self.wells)
        named = {place.id: place.name for places in groups for place in places.values()}
        return {**named, self.county.id: self.county.name}

    def assessment(self, day: int) -> tuple[str, ...]:
        """Stations whose values make the county's figures on a day."""
        return tuple(name for name, station in self.air_stations.items() if station.role.on(day) == ASSESSMENT)

    def sources_of(self, device: str, day: int) -> tuple[str, ...]:
        """Sources that a device may speak for on a day."""
        known = self.devices.get(device)
        return (known.sources.on(day) or ()) if known else ()

    @cached_property
    def by_name(self) -> Mapping[str, tuple[str, ...]]:
        """Ids of the devices that bear a foreign name."""
        found: dict[str, list[str]] = {}
        for device in self.devices.values():
            for name in device.names:
                found.setdefault(name, []).append(device.id)
        return {name: tuple(devices) for name, devices in found.items()}

    @cached_property
    def _devices_by_source(self) -> Mapping[str, tuple[Device, ...]]:
        found: dict[str, list[Device]] = {}
        for device in self.devices.values():
            for source in {name for _, names in device.sources.steps for name in names}:
                found.setdefault(source, []).append(device)
        return {source: tuple(devices) for source, devices in found.items()}

    def device_of(self, source: str, day: int) -> Device | None:
        """The device that speaks for a source on a day; one that is retired by then only if no other does."""
        known = [device for device in self._devices_by_source.get(source, ()) if source in (device.sources.on(day) or ())]
        serving = (device for device in known if device.state.on(day) not in {None, "retired"})
        return next(serving, known[0] if known else None)

    def on_trial(self, source: str, day: int) -> bool:
        """Whether a source's device is on trial on a day: its readings are stored and enter no figure."""
        device = self.device_of(source, day)
        return device is not None and device.state.on(day) == "trial"

    @cached_property
    def by_code(self) -> Mapping[str, str]:
        """Source id of every name in foreign files: ids, codes, section matches, names of cities.

        A station's name is a label and no key: other cities have stations of the same name. What two places claim is nobody's.
        """
        claims = [(code, city.id) for city in self.cities.values() for code in city.codes]
        claims += [(code, station.id) for station in self.air_stations.values() for code in station.codes]
        claims += [(city.name, city.id) for city in self.cities.values()]
        claims += [(match, section.id) for section in self.water_sections.values() for match in section.match]
        owners: dict[str, set[str]] = {}
        for name, owner in claims:
            owners.setdefault(name, set()).add(owner)
        names = {name: next(iter(owner)) for name, owner in owners.items() if len(owner) == 1}
        return MappingProxyType({**names, **{name: name for name in self.kinds}})
