"""The truth log: what was said and what was true, every fault, every register's true energy, as Parquet files in one folder.

``readings-<kind>-N``: one row a numbered reading, each item as said and as true, the label where
the wire touched it. ``beside-N``: what else went out (events,
repetitions, malformed messages, strangers). ``numbers-N``: what was confirmed or given up; ``errors-N``: lanbi's replies. ``begun.json`` and ``faults``
are written at the begin, ``meters`` and ``scene.json`` at the end. A part is complete when it has its name, so a killed fleet loses the
last part at most.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from domain.civil import day_end, day_of
from domain.errors import InputError, WorkError
from domain.items import BY_REALM
from edge_sim.devices import encode
from edge_sim.record import runs
from edge_sim.scene import Scene
from edge_sim.wire import Word

BEGUN: Final = "begun.json"
PART: Final = 100_000
"""Rows of a part: some 100 MB of memory until it is written."""
TEXT: Final = pa.dictionary(pa.int32(), pa.string())
HEAD: Final = [("device", TEXT), ("source", TEXT), ("run", pa.int32()), ("seq", pa.int64()), ("span", pa.int32()), ("time", pa.int64()), ("at", pa.int64())]
HOW: Final = [("label", pa.string()), ("mark", pa.int32()), ("wire", TEXT)]
BESIDE: Final = pa.schema(
    [
        *(("device", TEXT), ("source", TEXT), ("stream", TEXT), ("time", pa.int64()), ("at", pa.int64()), ("wire", TEXT), ("own", pa.bool_())),
        ("retain", pa.bool_()),
        ("body", pa.binary()),
    ],
)
NUMBERS: Final = pa.schema([("device", TEXT), ("what", TEXT), ("run", pa.int32()), ("first", pa.int64()), ("last", pa.int64())])
ERRORS: Final = pa.schema([("device", TEXT), ("answer", pa.string())])
FAULTS: Final = pa.schema(
    [
        *(("number", pa.int32()), ("kind", TEXT), ("target", TEXT), ("begin", pa.int64()), ("end", pa.int64()), ("size", pa.float64())),
        *(("item", TEXT), ("partner", TEXT)),
    ],
)
METERS: Final = pa.schema([("meter", TEXT), ("day", pa.int32()), ("begin", pa.int64()), ("end", pa.int64()), ("energy", pa.string())])


def readings_schema(kind: str) -> pa.Schema:
    """Columns of a kind's readings: each item as said (null = not said) and as true, letters beside it."""
    items = [(name, pa.float64()) for name in BY_REALM[kind]] + [(f"{name}_true", pa.float64()) for name in BY_REALM[kind]]
    return pa.schema([*HEAD, *HOW, ("flags", pa.string()), *items])


class TruthLog:
    """Writes the log of one scene.

    Raises
    ------
    InputError
        The folder holds the truth of another scene: readings of two in one log would be no truth.
    WorkError
        The folder cannot be written.
    """

    def __init__(self, folder: Path, scene: Scene, about: Mapping[str, object]) -> None:
        _begin(folder, scene)
        self.folder, self.scene, self.about = folder, scene, dict(about)
        self._readings: dict[str, list[Word]] = {}
        self._beside: list[Word] = []
        self._numbers: list[tuple[str, str, int, int, int]] = []
        self._part = 1 + max((int(path.stem.rpartition("-")[2]) for path in folder.glob("numbers-*.parquet")), default=0)
        self._until = scene.begin
        self._errors: list[tuple[str, str]] = []
        self._write("faults", pa.Table.from_pylist(_fault_rows(scene), schema=FAULTS))

    def sent(self, words: Sequence[Word]) -> None:
        """Words that were measured and will be published."""
        kinds = self.scene.county.registry.kinds
        for word in words:
            if word.held:
                self._readings.setdefault(kinds[word.source], []).append(word)
            else:
                self._beside.append(word)
        if words:
            self._until = max(self._until, words[-1].slot)
        if sum(map(len, self._readings.values())) >= PART:
            self.flush()

    def receipt(self, device: str, numbers: Iterable[tuple[int, int]]) -> None:
        """Numbers that a receipt confirmed for the first time."""
        self._numbers += [(device, "confirmed", run, low, high) for run, low, high in runs(numbers)]

    def lost(self, device: str, run: int, low: int, high: int) -> None:
        """Numbers that the device gave up."""
        self._numbers.append((device, "lost", run, low, high))

    def error(self, device: str, answer: object) -> None:
        """An error reply."""
        self._errors.append((device, json.dumps(answer, ensure_ascii=False)))

    def flush(self) -> None:
        """Write what is buffered as a part."""
        for kind, words in self._readings.items():
            self._write(f"readings-{kind}-{self._part:05d}", _readings_table(kind, words))
        if self._beside:
            self._write(f"beside-{self._part:05d}", _beside_table(self._beside))
        if self._errors:
            self._write(f"errors-{self._part:05d}", _table(self._errors, ERRORS))
        self._write(f"numbers-{self._part:05d}", _table(self._numbers, NUMBERS))
        self._readings, self._beside, self._numbers, self._errors = {}, [], [], []
        self._part += 1

    def close(self) -> None:
        """Write the rest, the true energy, and what the scene was."""
        self.flush()
        self._write("meters", pa.Table.from_pylist(_meter_rows(self.scene, self._until), schema=METERS))
        _put(self.folder / "scene.json", {**_facts(self.scene), "until": self._until, **self.about})

    def _write(self, name: str, table: pa.Table) -> None:
        draft = self.folder / f"{name}.new"
        pq.write_table(table, draft, compression="zstd")
        draft.replace(self.folder / f"{name}.parquet")


def begun(folder: Path) -> dict[str, Any]:
    """What the scene of a folder was begun with: seed, county, registry, begin, end [s], digest of its faults; nothing where none was."""
    try:
        facts = json.loads((folder / BEGUN).read_bytes())
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _begin(folder: Path, scene: Scene) -> None:
    old, new = begun(folder), {**_facts(scene), "faults": hashlib.sha256(repr(scene.faults).encode()).hexdigest()[:16]}
    differing = sorted(name for name in new if old and old.get(name) != new[name])
    if differing:
        what = f"the folder holds the truth of another scene; differing: {', '.join(differing)}"
        raise InputError(what, str(folder), "go on with the same seed, begin, scenario and registry, or name another folder with --record")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not old:
            _put(folder / BEGUN, new)
    except OSError as error:
        raise WorkError(
            f"the truth log cannot be written: {error.strerror or error}", str(folder), "name a folder that can be written, with --record"
        ) from error


def _facts(scene: Scene) -> dict[str, object]:
    county = scene.county
    return {"seed": county.seed, "county": county.registry.county.id, "registry": county.registry.version, "begin": scene.begin, "end": scene.end}


def _put(path: Path, facts: Mapping[str, object]) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(path)


def _readings_table(kind: str, words: Sequence[Word]) -> pa.Table:
    schema = readings_schema(kind)
    rows = [word.row for word in words]
    said, true = [row["values"] for row in rows], [word.truth for word in words]
    known = set().union(*said, *true)
    columns: dict[str, Any] = {
        "device": [word.device for word in words],
        "source": [word.source for word in words],
        "run": [row.get("run", 0) for row in rows],
        "seq": [row["seq"] for row in rows],
        "span": [row["span"] for row in rows],
        "time": [word.slot for word in words],
        "at": [word.at for word in words],
        "label": [str(word.row["time"]) if word.fault else None for word in words],
        "mark": [word.mark for word in words],
        "wire": [word.fault or None for word in words],
        "flags": [json.dumps(row["flags"]) if "flags" in row else None for row in rows],
    }
    for name in known:
        columns[name], columns[f"{name}_true"] = [row.get(name) for row in said], [row.get(name) for row in true]
    return pa.table([_array(columns.get(field.name), field.type, len(words)) for field in schema], schema=schema)


def _array(values: Sequence[object] | None, kind: pa.DataType, size: int) -> pa.Array:
    return pa.nulls(size, kind) if values is None else pa.array(values, kind)


def _beside_table(words: Sequence[Word]) -> pa.Table:
    rows = [
        (word.device, word.source, word.stream, word.slot, word.at, word.fault or None, word.own, word.retain, word.body or encode(word.row)) for word in words
    ]
    return _table(rows, BESIDE)


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema)


def _fault_rows(scene: Scene) -> list[dict[str, object]]:
    return [{"number": number, **fault._asdict()} for number, fault in enumerate(scene.faults)]


def _meter_rows(scene: Scene, until: int) -> list[dict[str, object]]:
    """True energy of each meter by civil day, exact: register units × resolution × the multiplier of the day."""
    days = range(day_of(scene.begin + 1), day_of(until) + 1)
    edges = np.array([scene.begin, *(min(day_end(day), until) for day in days)], np.int64)
    rows: list[dict[str, object]] = []
    for name, meter in scene.county.registry.meters.items():
        if until <= scene.begin or not scene.county.known(name) or ":" in meter.reset:
            continue
        signal = scene.county.meter(name)
        for day, units, begin, end in zip(days, np.diff(signal.turned(edges)).tolist(), edges.tolist(), edges[1:].tolist(), strict=False):
            ratio = Decimal(meter.multiplier.on(day) or meter.multiplier.steps[0][1])
            rows.append({"meter": name, "day": day, "begin": begin, "end": end, "energy": f"{units * signal.resolution * ratio:f}"})
    return rows


def read(folder: Path, table: str) -> pa.Table:
    """All parts of a table of the log; an empty one has no column."""
    paths = sorted(folder.glob(f"{table}-[0-9]*.parquet")) or sorted(folder.glob(f"{table}.parquet"))
    return pa.concat_tables([pq.read_table(path) for path in paths]) if paths else pa.table({})
