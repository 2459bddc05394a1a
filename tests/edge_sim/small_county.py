"""A county small enough to read: one of each kind of source, built without files."""

from __future__ import annotations

from domain.places import (
    AirStation,
    County,
    Dated,
    Device,
    Enterprise,
    Meter,
    Point,
    PointLimit,
    Registry,
    WaterSection,
    Well,
)


def device(name: str, sources: tuple[str, ...], interval: int, **changes: object) -> Device:
    """A device of the native format."""
    fields: dict[str, object] = {
        "id": name,
        "sources": Dated.always(sources),
        "format": Dated.always("lanbi-json"),
        "state": Dated.always("accepted"),
        "interval": interval,
        "zone": Dated.always(None),
        "label": Dated.always("end"),
        "time_unit": Dated.always("s"),
    }
    return Device(**(fields | changes))  # type: ignore[arg-type]  the fields are the ones above


def meter(name: str, role: str, **changes: object) -> Meter:
    """An electricity meter of 100 kW behind a transformer of 40, six digits and two decimals."""
    fields: dict[str, object] = {
        "id": name,
        "enterprise": "e-1",
        "medium": "electricity",
        "role": Dated.always(role),
        "unit": "kWh",
        "multiplier": Dated.always("40"),
        "resolution": "0.01",
        "modulus": "10000",
        "max_power": "4000",
    }
    return Meter(**(fields | changes))  # type: ignore[arg-type]  the fields are the ones above


def registry(stations: int = 3) -> Registry:
    """Air stations, a river, a lake, a well, an outfall and a production with its treatment."""
    air = {f"a-{n}": AirStation(f"a-{n}", f"站点{n}", Dated.always("assessment")) for n in range(1, stations + 1)}
    water = {
        "w-1": WaterSection("w-1", "河", "river", "national"),
        "w-2": WaterSection("w-2", "湖", "lake", "local"),
    }
    meters = {"m-1": meter("m-1", "production"), "m-2": meter("m-2", "treatment", treats="m-1", max_power="400")}
    point = Point("o-1", "排口", "e-1", "outfall", (PointLimit("cod", "50", "day", 0),))
    hourly = [device(f"d-{name}", (name,), 3600) for name in (*air, "o-1")]
    others = [
        *(device(f"d-{name}", (name,), 14_400) for name in water),
        device("d-g-1", ("g-1",), 3600),
        device("d-e-1", tuple(meters), 900),
    ]
    return Registry(
        county=County("x", "某县"),
        cities={},
        air_stations=air,
        water_sections=water,
        enterprises={"e-1": Enterprise("e-1", "厂", industry="aluminium")},
        meters=meters,
        lines={},
        points={"o-1": point},
        wells={"g-1": Well("g-1", "井", "-12.5")},
        devices={one.id: one for one in (*hourly, *others)},
        version="test",
    )
