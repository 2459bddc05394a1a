"""The truth log as arrays: what was said of each source, when, under which number, and what was true."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from domain.civil import parse_time
from domain.errors import FileError
from domain.items import BY_REALM
from domain.places import Registry
from edge_sim.truthlog import read

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
RELABELLED: Final = frozenset({"clock-skew", "wrong-zone", "milliseconds", "start-label"})
"""What the wire does to labels; all other readings carry the time that they are about."""
NO_TIME: Final = -1
"""A label that names no instant at all."""


@dataclass(frozen=True)
class Said:
    """Numbered readings of one source and span, ordered by label and number.

    Attributes
    ----------
    slot, label : (n,) int64 [s]
        True end label, and the one that the message claims (:data:`NO_TIME` = none).
    run, seq : (n,) int64
    values, truth : (n, k) float64
        Items in the order of :data:`domain.items.BY_REALM`; NaN = not said.
    wire : (n,) object
        What the wire did to it, or None.
    """

    source: str
    kind: str
    device: str
    span: int
    slot: Longs
    label: Longs
    run: Longs
    seq: Longs
    values: Floats
    truth: Floats
    wire: npt.NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.slot)


@dataclass(frozen=True)
class Truth:
    """The whole log.

    Attributes
    ----------
    facts : dict
        ``scene.json``.
    faults : list of dict
        number, kind, target, begin, end [s], size, item, partner.
    beside : list of dict
        What went out besides numbered readings, without its bytes.
    confirmed, given_up : dict of (device, run) to (m, 2) int64
        Ranges of numbers, both ends included.
    """

    facts: Mapping[str, Any]
    said: list[Said]
    faults: list[dict[str, Any]]
    beside: list[dict[str, Any]]
    confirmed: Mapping[tuple[str, int], Longs]
    given_up: Mapping[tuple[str, int], Longs]


def load(folder: Path, registry: Registry) -> Truth:
    """Read a folder that `lanbi simulate --record` wrote.

    Raises
    ------
    FileError
        It holds no finished truth log, or that of another county.
    """
    path = folder / "scene.json"
    facts = _facts(path)
    if facts.get("county") != registry.county.id:
        what = f"the scene was played in the county {facts.get('county')!r}, the registry is that of {registry.county.id!r}"
        raise FileError(what, str(path), "name its registry with --county")
    try:
        numbers = read(folder, "numbers").to_pylist()
        beside = read(folder, "beside")
        plain = beside.drop_columns(["body"]).to_pylist() if beside.num_columns else []
        said, faults = _said(folder, registry), read(folder, "faults").to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"a damaged truth log: {str(error)[:200]}", str(folder), "play the scenario again into an empty folder") from error
    return Truth(facts, said, faults, plain, _ranges(numbers, "confirmed"), _ranges(numbers, "lost"))


def _facts(path: Path) -> Mapping[str, Any]:
    """What was played to its end."""
    todo = "let `lanbi simulate --scenario … --record DIR` end, then name its DIR"
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise FileError(f"no finished truth log: {error}", str(path), todo) from error
    if not isinstance(facts, dict) or not all(isinstance(facts.get(name), int) for name in ("begin", "end", "until")):
        raise FileError("no finished truth log: without begin, end or until", str(path), todo)
    return facts


def _said(folder: Path, registry: Registry) -> list[Said]:
    found: list[Said] = []
    for kind in BY_REALM:
        table = read(folder, f"readings-{kind}")
        if table.num_rows:
            table = table.set_column(table.column_names.index("source"), "source", table["source"].cast(pa.string()))
            table = table.sort_by([("source", "ascending"), ("span", "ascending"), ("run", "ascending"), ("seq", "ascending")])
            found += [_one(part, kind, registry) for part in _parts(table)]
    return found


def _parts(table: pa.Table) -> list[pa.Table]:
    """One table a source and span; the table is ordered by them."""
    sources = pc.dictionary_encode(table["source"]).combine_chunks().indices.to_numpy()
    spans = table["span"].to_numpy()
    cuts = [0, *(np.flatnonzero((np.diff(sources) != 0) | (np.diff(spans) != 0)) + 1).tolist(), table.num_rows]
    return [table.slice(low, high - low) for low, high in pairwise(cuts)]


def _one(table: pa.Table, kind: str, registry: Registry) -> Said:
    source, device, span = str(table["source"][0]), str(table["device"][0]), int(table["span"][0].as_py())
    slot, wire = table["time"].to_numpy().astype(np.int64), np.array(table["wire"].cast(pa.string()).to_pylist(), object)
    early = registry.devices[device].label.newest == "start"
    label = slot.copy()
    for place in np.flatnonzero([one in RELABELLED for one in wire]).tolist():
        label[place] = _claimed(str(table["label"][place]), span if early else 0)
    return Said(
        source,
        kind,
        device,
        span,
        slot,
        label,
        table["run"].to_numpy().astype(np.int64),
        table["seq"].to_numpy().astype(np.int64),
        _columns(table, BY_REALM[kind]),
        _columns(table, tuple(f"{name}_true" for name in BY_REALM[kind])),
        wire,
    )


def _claimed(text: str, shift: int) -> int:
    try:
        return parse_time(text) + shift
    except ValueError:
        return NO_TIME


def _columns(table: pa.Table, names: tuple[str, ...]) -> Floats:
    return np.stack([table[name].to_numpy(zero_copy_only=False).astype(np.float64) for name in names], axis=1)


def _ranges(rows: list[dict[str, Any]], what: str) -> dict[tuple[str, int], Longs]:
    found: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for row in rows:
        if row["what"] == what:
            found.setdefault((row["device"], row["run"]), []).append((row["first"], row["last"]))
    return {key: np.array(sorted(ranges), np.int64) for key, ranges in found.items()}


def within(ranges: Longs | None, numbers: Longs) -> npt.NDArray[np.bool_]:
    """Whether each number lies in one of the ranges: (m, 2) and (n,) to (n,)."""
    if ranges is None:
        return np.zeros(len(numbers), np.bool_)
    highest = np.maximum.accumulate(ranges[:, 1])
    place = np.searchsorted(ranges[:, 0], numbers, side="right") - 1
    return np.asarray((place >= 0) & (highest[np.maximum(place, 0)] >= numbers))
