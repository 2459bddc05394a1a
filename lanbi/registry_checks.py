"""What no single key of the registry can tell: ids, references and devices that must fit together.

The checks also run over rows with faults of their own, so that all faults are told at once; a faulty key counts as absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from domain import energy
from domain.civil import date_of
from domain.places import Dated
from lanbi import registry_mapping
from lanbi.toml_lines import nearest

Row = Mapping[str, Any]
Tables = Mapping[str, Sequence[Row]]
Fault = tuple[tuple[str | int, ...], str]
"""Path of the key, and words."""

ID: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
SOURCES: Final = ("city", "air_station", "water_section", "meter", "point", "well")
FOREIGN_NAMES: Final = (("city", "codes"), ("air_station", "codes"), ("water_section", "match"))
REFERENCES: Final = (
    ("air_station", "neighbours", "air_station"),
    ("meter", "enterprise", "enterprise"),
    ("meter", "treats", "meter"),
    ("meter", "behind", "meter"),
    ("line", "enterprise", "enterprise"),
    ("line", "meters", "meter"),
    ("point", "enterprise", "enterprise"),
)
NEAR: Final = 0.8
"""A medium so like a known one is a slip of the pen; any other word is a medium of its own, without a factor."""
_FOR_EVER: Final = 2**31


class Claim(NamedTuple):
    """Days [first, end) on which a device speaks for a source."""

    first: int
    end: int
    device: str


def faults(tables: Tables) -> Iterator[Fault]:
    """Every fault between the rows; rows are plain values in which each key is present."""
    yield from _ids(tables)
    yield from _foreign_names(tables)
    yield from _references(tables)
    for number, meter in enumerate(tables["meter"]):
        yield from (((*("meter", number), key), words) for key, words in _meter(meter))
    for number, line in enumerate(tables["line"]):
        if line["advanced"] and line["baseline"] and Decimal(line["advanced"]) > Decimal(line["baseline"]):
            yield ("line", number, "advanced"), f"the advanced level (标杆) {line['advanced']} needs more than the baseline (基准) {line['baseline']}"
    yield from _balances(tables)
    yield from _devices(tables)
    yield from registry_mapping.faults(tables)


def _balances(tables: Tables) -> Iterator[Fault]:
    """Bands of losses, and meters behind others: of one enterprise and medium, and never in a ring, or an amount would be its own part."""
    for number, owner in enumerate(tables["enterprise"]):
        low, high = owner["loss_low"], owner["loss_high"]
        if low is not None and high is not None and Decimal(low) >= Decimal(high):
            yield ("enterprise", number, "loss_low"), f"loss_low {low} must lie below loss_high {high}"
    known = {row["id"]: row for row in tables["meter"]}
    for number, row in enumerate(tables["meter"]):
        other = known.get(row["behind"] or "")
        if other is None or other is row:
            continue
        if (other["enterprise"], other["medium"]) != (row["enterprise"], row["medium"]):
            yield ("meter", number, "behind"), f"behind: '{other['id']}' is of another enterprise or medium"
        seen = {row["id"]}
        while other is not None and other["id"] not in seen:
            seen.add(other["id"])
            other = known.get(other["behind"] or "")
        if other is not None:
            yield ("meter", number, "behind"), f"behind: '{row['behind']}' leads back to '{row['id']}'"


def _ids(tables: Tables) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for kind, rows in tables.items():
        for number, row in enumerate(rows):
            name = row["id"]
            if not name:
                continue  # told already
            if not ID.fullmatch(name):
                yield (kind, number, "id"), f"id '{name}': 1 to 32 letters, digits, _ or - are allowed"
            elif name in seen:
                what = "stands twice" if seen[name] == kind else f"is taken by a {seen[name]}"
                yield (kind, number, "id"), f"id '{name}' {what}; ids are unique over all kinds"
            seen.setdefault(name, kind)


def _foreign_names(tables: Tables) -> Iterator[Fault]:
    owners = {row["id"]: row["id"] for kind in SOURCES for row in tables[kind]}
    numbered = [(kind, key, number, row) for kind, key in FOREIGN_NAMES for number, row in enumerate(tables[kind])]
    for kind, key, number, row in numbered:
        others = [(name, owners.setdefault(name, row["id"])) for name in row[key]]
        yield from (((kind, number, key), f"{key}: '{name}' already means '{owner}'") for name, owner in others if owner != row["id"])


def _references(tables: Tables) -> Iterator[Fault]:
    ids = {kind: {row["id"] for row in rows} for kind, rows in tables.items()}
    for kind, key, wanted in REFERENCES:
        for number, row in enumerate(tables[kind]):
            named = row[key] if isinstance(row[key], tuple) else (row[key],) if row[key] else ()
            lost = [name for name in named if name not in ids[wanted]]
            yield from (((kind, number, key), f"{key}: '{name}' is no registered {wanted}") for name in lost)
            if wanted == kind and row["id"] in named:
                yield (kind, number, key), f"{key}: '{row['id']}' names itself"


def _meter(row: Row) -> Iterator[tuple[str, str]]:
    known = row["medium"] in energy.FUELS
    if row["unit"] and known and energy.base_units(row["medium"], row["unit"]) is None:
        fit = tuple(unit for unit in energy.UNITS if energy.base_units(row["medium"], unit) is not None)
        yield "unit", f"unit: {row['medium']} is counted in {', '.join(fit)}, not in '{row['unit']}'{nearest(row['unit'], fit)}"
    if row["medium"] and not known and (meant := get_close_matches(row["medium"], energy.FUELS, n=1, cutoff=NEAR)):
        yield "medium", f"medium: '{row['medium']}' is unknown and would enter no figure of energy; did you mean '{meant[0]}'?"
    if row["modulus"] is None:
        return
    electric = row["medium"] == "electricity"
    if not (row["max_rate"] or (electric and row["max_power"])):
        needed = "max_power or max_rate" if electric else "max_rate"
        yield "modulus", f"meter '{row['id']}' has a modulus and needs {needed}, or a roll-over cannot be told from a fault"
    if row["resolution"] and Decimal(row["modulus"]) % Decimal(row["resolution"]):
        yield "modulus", f"modulus {row['modulus']} is no multiple of the resolution {row['resolution']}"


def _devices(tables: Tables) -> Iterator[Fault]:
    known = {row["id"] for kind in SOURCES for row in tables[kind]}
    claims: dict[str, list[Claim]] = {}
    for number, row in enumerate(tables["device"]):
        where = ("device", number, "sources")
        for _, names in row["sources"].steps:
            yield from ((where, f"source '{name}' is not registered") for name in names or () if name not in known)
            yield from ((where, f"source '{name}' stands twice") for name in sorted({one for one in names or () if names.count(one) > 1}))
        own = [(name, Claim(first, end, row["id"])) for first, end, names in _service(row["sources"], row["state"]) for name in sorted(set(names))]
        yield from ((where, words) for name, claim in own for words in _claimed(name, claim, claims.setdefault(name, [])))


def _claimed(source: str, claim: Claim, earlier: list[Claim]) -> Iterator[str]:
    """Enter a claim; words about the first other device that it meets."""
    others = [one for one in earlier if one.first < claim.end and claim.first < one.end and one.device != claim.device]
    earlier.append(claim)
    if others:
        day = max(claim.first, others[0].first)
        since = f"on {date_of(day)}" if abs(day) < 1_000_000 else "on every day"
        yield f"devices '{others[0].device}' and '{claim.device}' both speak for '{source}' {since}; date the sources or retire one"


def _service(sources: Dated[tuple[str, ...]], state: Dated[str]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """Stretches [first day, end) in which a device is in service, with what it speaks for."""
    cuts = sorted({day for steps in (sources.steps, state.steps) for day, _ in steps})
    for first, end in zip(cuts, [*cuts[1:], _FOR_EVER], strict=True):
        names = sources.on(first)
        if names and state.on(first) not in {None, "retired"}:
            yield first, end, names


def located(found: Iterator[Fault], where: Callable[..., str]) -> list[tuple[str, str]]:
    """Faults with file and line."""
    return [(where(*path), words) for path, words in found]
