"""The registry's nouns."""

from __future__ import annotations

from types import MappingProxyType

from domain.places import AirStation, City, County, Dated, Device, Registry


def device(name: str, *steps: tuple[int, tuple[str, ...]]) -> Device:
    """A device whose sources change on given days."""
    always = Dated.always
    return Device(name, Dated(steps), always("lanbi-json"), always("accepted"), 3600, always(None), always("end"), always("s"))


def registry() -> Registry:
    """Two stations, one of which joins the assessment on day 10 and changes its device on day 20."""
    old = AirStation("a1", "甲站", Dated.always("assessment"), codes=("1001A",))
    new = AirStation("a2", "乙站", Dated(((0, "township"), (10, "assessment"))))
    devices = {"d1": device("d1", (0, ("a1", "a2")), (20, ("a1",))), "d2": device("d2", (20, ("a2",)))}
    empty: MappingProxyType[str, object] = MappingProxyType({})
    rest = [empty] * 6
    return Registry(County("c", "某区"), {"x": City("x", "某市")}, {"a1": old, "a2": new}, *rest, devices, "v1")  # type: ignore[arg-type]


def test_a_dated_value_is_that_of_its_day() -> None:
    """Before the first day there is no value; afterwards the newest that has begun."""
    role = Dated(((5, "a"), (9, "b")))

    assert [None, "a", "a", "b"] == [role.on(day) for day in (4, 5, 8, 9)]
    assert "b" == role.newest


def test_county_figures_use_assessment_stations_of_the_day() -> None:
    """A station enters the county's figures from the day of its role."""
    assert ("a1",) == registry().assessment(9)
    assert ("a1", "a2") == registry().assessment(10)


def test_a_source_has_one_device_a_day() -> None:
    """After an exchange of devices the new one speaks for the source."""
    county = registry()

    assert ["d1", "d2"] == [getattr(county.device_of("a2", day), "id", None) for day in (19, 20)]
    assert (("a1", "a2"), ("a1",), ()) == (county.sources_of("d1", 3), county.sources_of("d1", 30), county.sources_of("d9", 3))


def test_foreign_names_lead_to_registered_ids() -> None:
    """Codes and names of cities resolve; a station's name is no key, for other cities have stations of the same name."""
    county = registry()

    assert ["a1", "a1", None, "x", None] == [county.by_code.get(name) for name in ("a1", "1001A", "甲站", "某市", "1002A")]
    assert ("air", None) == (county.kind_of("x"), county.kind_of("nobody"))
    assert ("甲站", "某区", "nobody") == (county.name_of("a1"), county.name_of("c"), county.name_of("nobody"))
