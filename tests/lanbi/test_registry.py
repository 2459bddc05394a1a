"""The loader of the registry, and the sample counties."""

from __future__ import annotations

import pytest

from domain.errors import RegistryError
from lanbi.plans import folder
from lanbi.registry import load, loads

SAMPLE = folder() / "sample-county.toml"
OTHER = folder() / "sample-county-b.toml"
HEAD = '[county]\nid = "c"\nname = "n"\n'
STATION = HEAD + '[[air_station]]\nid = "a"\nname = "x"\n'
SECTION = HEAD + '[[water_section]]\nid = "a"\nname = "x"\nbody = "lake"\ncontrol = "local"\n'
ENTERPRISE = HEAD + '[[enterprise]]\nid = "e"\nname = "x"\n'
METER = ENTERPRISE + '[[meter]]\nid = "m"\nenterprise = "e"\nmedium = "water"\nrole = "main"\nunit = "m3"\n'
POINT = ENTERPRISE + '[[point]]\nid = "o"\nenterprise = "e"\nkind = "stack"\n'


def faults(text: str) -> str:
    """What is said about a registry that is not valid."""
    with pytest.raises(RegistryError) as error:
        loads(text, "r.toml")
    return f"{error.value.where}: {error.value.what}"


def test_the_sample_county_is_what_the_demo_promises() -> None:
    """Six stations, four river sections and a reservoir, three outfalls, eight enterprises, thirty meters, two wells."""
    county = load(SAMPLE)
    roles = sorted(station.role.newest for station in county.air_stations.values())

    assert ["assessment"] * 4 + ["background", "township"] == roles
    assert ["lake", "river", "river", "river", "river"] == sorted(section.body for section in county.water_sections.values())
    assert (3, 8, 30, 2) == (len(county.points), len(county.enterprises), len(county.meters), len(county.wells))
    pairs = [meter for meter in county.meters.values() if meter.treats]
    assert pairs and all(county.meters[str(meter.treats)].role.newest == "production" for meter in pairs)
    assert set(county.kinds) == {source for device in county.devices.values() for source in device.sources.newest}


def test_a_second_county_loads_with_its_own_dates() -> None:
    """Roles, labels and states follow their days."""
    county = load(OTHER)

    assert "other" == county.county.id
    assert ("x2",) == county.assessment(19_900)
    assert ("x1", "x2") == county.assessment(20_200)


WORKS = HEAD + '[[enterprise]]\nid = "e"\nname = "x"\n[[meter]]\nid = "m"\nenterprise = "e"\nmedium = "electricity"\nrole = "main"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "r.toml:1: a table [county]"),
        (HEAD + '[[air_station]]\nid = "a"\nname = "x"\n', "r.toml:4: air_station 'a' has no role"),
        (HEAD + '[[air_station]]\nid = "a"\nname = "x"\nrole = "asessment"\n', "r.toml:7: role: 'asessment' is none of"),
        (HEAD + '[[well]]\nid = "w"\nname = "x"\nlimit_levl = "1"\n', "did you mean 'limit_level'?"),
        (HEAD + '[[well]]\nid = "w w"\nname = "x"\n', "r.toml:5: id 'w w'"),
        (HEAD + '[[well]]\nid = "w"\nname = "x"\n[[city]]\nid = "w"\nname = "y"\n', "taken by a"),
        (HEAD + '[[device]]\nid = "d"\nsources = ["no"]\ninterval = 60\nstate = "accepted"\n', "source 'no' is not registered"),
        (HEAD + '[[well]]\nid = "w"\nname = "x"\nlimit_level = "deep"\n', "a number is needed"),
        (SECTION + 'tn_2020 = "-6.31"\n', "r.toml:9: tn_2020: a number above 0"),
        (SECTION + 'levels = {warning = "33.5", guarantee = "32.8"}\n', "r.toml:9: levels: the warning level 33.5 must lie below the guarantee level 32.8"),
        (WORKS + 'unit = "kwh"\n', "r.toml:12: unit: electricity is counted in kWh, MWh, 万kWh, not in 'kwh'"),
        (WORKS + 'unit = "kwh"\n', "did you mean 'kWh'?"),
        (WORKS.replace("electricity", "gas") + 'unit = "kWh"\n', "r.toml:12: unit: gas is counted in m3,"),
        (
            WORKS.replace("electricity", "electrcity") + 'unit = "kWh"\n',
            "r.toml:10: medium: 'electrcity' is unknown and would enter no figure of energy; did you mean 'electricity'?",
        ),
        (WORKS + 'unit = "kWh"\n[[line]]\nid = "l"\nenterprise = "e"\nadvanced = "100"\nbaseline = "90"\n', "r.toml:16: the advanced level (标杆) 100"),
        ("[county\n", "r.toml:1: not TOML"),
        ('air_station = ["a"]\n' + HEAD, "r.toml:1: write [[air_station]]"),
        (HEAD + '[[well]]\nid = "c"\nname = "x"\n', "r.toml:5: id 'c' is taken by a county"),
        (HEAD + '[[well]]\nid = "w"\nname = "x"\nlimit_level = nan\n', "limit_level: a number is needed"),
        (HEAD + '[[city]]\nid = "w"\nname = "x"\ncodes = ["1A"]\n[[city]]\nid = "v"\nname = "y"\ncodes = ["1A"]\n', "r.toml:11: codes: '1A' already means 'w'"),
        (STATION + 'role = [{from = 2025-01-01, value = "site"}, {from = "2024-01-01", value = "assessment"}]\n', "must grow: 2024-01-01"),
        (STATION + 'role = [{from = "soon", value = "site"}]\n', "not from = 'soon'"),
        (STATION + 'role = [{from = 2025-01-01T00:00:00, value = "site"}]\n', "needs {from = DATE"),
        (STATION + 'role = [{from = 2025-01-01, valu = "site"}]\n', "unknown key 'valu'; did you mean 'value'?"),
        (STATION + 'role = "site"\nneighbours = ["a"]\n', "neighbours: 'a' names itself"),
        (SECTION + 'levels = {warnin = "3"}\n', "unknown key 'warnin'; did you mean 'warning'?"),
        (METER + 'multiplier = "0"\n', "multiplier: a number above 0"),
        (METER + 'modulus = "100"\nresolution = "0.3"\nmax_rate = 1\n', "no multiple of the resolution"),
        (METER + 'reset = "25:00"\n', "neither never, allowed"),
        (METER + 'treats = "no"\n', "treats: 'no' is no registered meter"),
        (METER + 'on_power = "0"\n', "on_power: a number above 0"),
        (METER + 'maintenance = [{from = "2025-01-01", to = "2025-01-02"}]\n', "a list of {from, to, document} is needed"),
        (METER + 'maintenance = [{from = "2025-01-03", to = "2025-01-02", document = "d"}]\n', "does not lie after its start"),
        (METER + 'maintenance = [{from = "soon", to = "2025-01-02", document = "d"}]\n', "soon"),
        (METER + 'maintenance = [{from = "2025-01-01", to = "2025-01-02", document = "d", til = 1}]\n', "unknown key 'til'"),
        (METER + 'behind = "m"\n', "behind: 'm' names itself"),
        (METER + 'behind = "no"\n', "behind: 'no' is no registered meter"),
        (METER + '[[meter]]\nid = "n"\nenterprise = "e"\nmedium = "gas"\nrole = "sub"\nunit = "m3"\nbehind = "m"\n', "of another enterprise or medium"),
        (METER + 'behind = "n"\n[[meter]]\nid = "n"\nenterprise = "e"\nmedium = "water"\nrole = "sub"\nunit = "m3"\nbehind = "m"\n', "leads back to 'm'"),
        (ENTERPRISE + 'loss_low = "5"\nloss_high = "5"\n', "loss_low 5 must lie below loss_high 5"),
        (HEAD.replace('name = "n"', 'name = "n"\nholidays = ["soon"]'), "holidays: a list of dates is needed"),
        (ENTERPRISE + 'monitoring = "yes"\n', "monitoring: true or false is needed"),
        (HEAD + '[electricity]\noff_share = "1.5"\n', "off_share: a share above 0 and at most 1"),
        (HEAD + '[electricity]\noff_minutes = "0.5"\n', "off_minutes: whole minutes from 1 to 1440"),
        (HEAD + '[electricity]\noff_minuts = "5"\n', "did you mean 'off_minutes'?"),
        (HEAD + '[[electricity]]\noff_minutes = "5"\n', "write [electricity], one table"),
        (POINT + 'limits = [{item = "cods", value = 5, average = "day", from = 2023-01-01}]\n', "unknown item 'cods'; did you mean 'cod'?"),
        (POINT + 'limits = [{item = "cod", value = 5, average = "day", from = 2023-01-01, til = 2024-01-01}]\n', "unknown key 'til'"),
        (POINT + 'units = {noxx = "mg/m3"}\n', "unknown key 'noxx'; did you mean 'nox'?"),
        (POINT + 'permit = "P1"\n', "permit: a table such as"),
        (POINT + 'permit = {number = "P1", from = 2023-01-01}\n', "until None must be dates"),
        (POINT + 'permit = {number = "", from = 2023-01-01, until = 2024-01-01}\n', "number '' is no text"),
        (POINT + 'permit = {number = "P1", from = 2023-01-01, until = 2022-01-01}\n', "ends 2022-01-01 before it begins"),
        (POINT + 'permit = {number = "P1", from = 2023-01-01, untl = 2022-01-01}\n', "unknown key 'untl'; did you mean 'until'?"),
        (HEAD + '[[device]]\nid = "d"\nsources = []\ninterval = 0\nstate = "accepted"\nzone = "Mars/Base"\n', "'Mars/Base' is no time zone"),
    ],
)
def test_each_fault_is_told_with_its_line(text: str, said: str) -> None:
    """What is wrong, where, and the nearest known name."""
    assert said in faults(text)


def test_two_devices_for_one_source_on_one_day_are_refused() -> None:
    """An exchange of devices needs dates that do not overlap."""
    well = HEAD + '[[well]]\nid = "w"\nname = "x"\n'
    device = '[[device]]\nid = "{}"\nsources = [{{from = 2025-01-01, value = ["w"]}}{}]\ninterval = 60\nstate = "accepted"\n'
    ended = ", {from = 2025-06-01, value = []}"

    assert "both speak for 'w'" in faults(well + device.format("d1", "") + device.format("d2", ""))
    dated = loads(well + device.format("d1", ended) + device.format("d2", "").replace("2025-01-01", "2025-06-01"), "r")
    assert "d2" == getattr(dated.device_of("w", 21_000), "id", None)


def test_a_retired_device_makes_room_for_its_successor() -> None:
    """Only days on which both are in service are refused, and the message names the first of them."""
    well = HEAD + '[[well]]\nid = "w"\nname = "x"\n'
    old = '[[device]]\nid = "d1"\nsources = ["w"]\ninterval = 60\nstate = [{from = 2024-01-01, value = "accepted"}, {from = 2025-06-01, value = "retired"}]\n'
    new = '[[device]]\nid = "d2"\nsources = ["w"]\ninterval = 60\nstate = [{from = 2025-MM-01, value = "accepted"}]\n'

    dated = loads(well + old + new.replace("MM", "06"), "r")
    assert ["d1", "d2"] == [getattr(dated.device_of("w", day), "id", None) for day in (20_000, 21_000)]
    assert "both speak for 'w' on 2025-05-01" in faults(well + old + new.replace("MM", "05"))


def test_all_faults_are_told_at_once() -> None:
    """A wrong key does not hide a wrong reference."""
    said = faults(METER + 'unitt = "l"\ntreats = "no"\n[[air_station]]\nid = "a"\nname = "x"\n')

    assert [] == [part for part in ("'unitt'", "treats: 'no'", "has no role") if part not in said]


def test_the_version_is_that_of_the_content() -> None:
    """Comments, spaces and the order of keys make no other version; a value does."""
    plain, same, other = (loads(text, "r").version for text in (HEAD, '# c\n\n[county]\nname  = "n"\nid = "c"\n', HEAD.replace('"n"', '"m"')))

    assert plain == same
    assert plain != other


def test_a_modulus_needs_a_greatest_power() -> None:
    """Without it a roll-over cannot be told from a fault."""
    meter = '[[enterprise]]\nid = "e"\nname = "x"\n[[meter]]\nid = "m"\nenterprise = "e"\nmedium = "water"\nrole = "main"\nunit = "m3"\nmodulus = "1000"\n'

    assert "needs max_rate" in faults(HEAD + meter)
    assert "needs max_rate" in faults(HEAD + meter + 'max_power = "5"\n')
    assert "needs max_power or max_rate" in faults(HEAD + meter.replace("water", "electricity"))
    assert "1000" == loads(HEAD + meter + 'max_rate = "5"\n', "r").meters["m"].modulus


def test_electricity_monitoring_reads_its_keys() -> None:
    """Who takes part, what is set, which maintenance is announced."""
    text = (
        METER.replace('name = "x"\n[[meter]]', 'name = "x"\nmonitoring = true\n[[meter]]')
        + 'on_power = "20"\nmaintenance = [{from = "2025-01-01 08:00", to = "2025-01-02", document = "d"}]\n'
    )
    county = loads(text + '[electricity]\nlag_minutes = "45"\n', "r")
    (window,) = county.meters["m"].maintenance

    assert (True, "20", "45", "15") == (
        county.enterprises["e"].monitoring,
        county.meters["m"].on_power,
        county.electricity.lag_minutes,
        county.electricity.off_minutes,
    )
    assert (40 * 3_600, "d") == (window.end - window.begin, window.document)
