"""The judge: device logs against the store. It reads the database in its own way and computes the truth anew.

Nothing of the service is used for the reading: a fault shared by writer and reader would otherwise be invisible. Rows are compared
as arrays, bit by bit; a digest of the canonical bytes says "equal" in one word, and names are looked for only when it does not.
"""

from __future__ import annotations

import hashlib
import sqlite3
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from domain.readings import Reading
from lanbi.embedded import EmbeddedStore
from tests.faults.parts.devices import Ids
from tests.faults.parts.truth import ABSENT, FIRST_RUN, QUANTITIES, SPAN, VALID, County, Row

NAMED: Final = 20
"""Names of one kind of fault that a report lists; the number of faults is always complete."""
REST: Final = ("stored", "duplicate", "deadletter", "quarantined", "pending")
Bools = npt.NDArray[np.bool_]
Refused = set[tuple[int, str, str | None]]
ReadRows = Callable[[str, str], Row]
"""(kind, source) → its rows in the store."""


@dataclass
class Verdict:
    """What became of every number that was said.

    ``lost``: receipted and nowhere. ``missing``: said, never receipted, and nowhere. ``invented``: rows that nobody said.
    ``altered``: rows with another value, flag or revision than the truth. ``unrefused``: unusable readings without their line in
    the dead letters. ``overrefused``: refusals of readings that were usable.
    """

    readings: int = 0
    receipted: int = 0
    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    stored_expected: int = 0
    digest: str = ""
    digest_expected: str = ""

    def note(self, kind: str, name: str) -> None:
        """Count a fault, and name it if there is room."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] <= NAMED:
            self.names.setdefault(kind, []).append(name)

    @property
    def balanced(self) -> bool:
        """Received = stored + duplicate + dead letters + quarantined + pending."""
        return balanced(self.totals)

    @property
    def once(self) -> bool:
        """Every usable reading counted as stored exactly once, nothing pending."""
        return self.totals["stored"] == self.stored_expected and not self.totals["pending"]

    @property
    def sound(self) -> bool:
        """Nothing lost, doubled, altered or invented, and the account adds up."""
        return self.readings > 0 and not self.counts and self.digest == self.digest_expected and self.balanced and self.once

    def words(self) -> dict[str, object]:
        """For a report."""
        shown = {name: getattr(self, name) for name in ("readings", "receipted", "rows", "totals", "stored_expected", "digest", "digest_expected")}
        return {**shown, "faults": self.counts, "names": self.names, "balanced": self.balanced, "once": self.once}


def balanced(totals: dict[str, int]) -> bool:
    """The conservation law."""
    return totals["received"] == sum(totals[name] for name in REST) and min(totals.values()) >= 0


def judge(county: County, ids: Ids, read: ReadRows, refused: dict[str, Refused], totals: dict[str, int]) -> Verdict:
    """Compare everything.

    Parameters
    ----------
    ids : Ids
        The fleet's log.
    read : callable
        Rows of the store, see :class:`FromInflux` and :class:`FromEmbedded`.
    refused : dict of device to set
        Dead letters and quarantine, see :func:`refusals`.
    totals : dict
        The service's own account.
    """
    verdict = Verdict(totals=totals)
    expected, found = hashlib.sha256(), hashlib.sha256()
    for number in range(county.count):
        device, source, kind = county.device(number), county.source(number), county.kind(number)
        size = ids.said.get(device, 0)
        truth, stored = county.rows(number, size), read(kind, source)
        expected.update(digest(source, truth))
        found.update(digest(source, stored))
        receipted = ids.receipted.get(device, np.zeros(size, np.bool_))
        verdict.readings += size
        verdict.receipted += int(receipted.sum())
        verdict.rows += len(stored.times)
        verdict.stored_expected += int((county.plan(number, size).slot >= 0).sum())
        _rows(verdict, source, (truth, stored), receipted)
        _refusals(verdict, device, (county.refusals(number, size), refused.get(device, set())), receipted)
    verdict.digest, verdict.digest_expected = found.hexdigest(), expected.hexdigest()
    return verdict


def digest(source: str, row: Row) -> bytes:
    """Digest of a source's rows in canonical bytes."""
    values = np.where(np.isnan(row.values), np.nan, row.values) + 0.0
    parts = [np.ascontiguousarray(part).tobytes() for part in (row.times, row.revs, values, row.flags)]
    return hashlib.sha256(b"\0".join([source.encode(), *parts])).digest()


def _rows(verdict: Verdict, source: str, pair: tuple[Row, Row], receipted: Bools) -> None:
    truth, stored = pair
    if digest(source, truth) == digest(source, stored):
        return
    for time in np.setdiff1d(stored.times, truth.times).tolist():
        verdict.note("invented", f"{source}@{time}")
    if len(np.unique(stored.times)) != len(stored.times):
        verdict.note("doubled", source)
    for time, rev in zip(truth.times.tolist(), truth.revs.tolist(), strict=True):
        at = np.flatnonzero(stored.times == time)
        seq = rev - FIRST_RUN
        if not len(at):
            verdict.note("lost" if receipted[seq] else "missing", f"{source}@{time} seq {seq}")
            continue
        fault = _difference(truth, stored, int((time - truth.times[0]) // SPAN), int(at[0]))
        if fault:
            stale = stored.revs[at[0]] < rev
            verdict.note(("lost" if receipted[seq] else "missing") if stale else "altered", f"{source}@{time} seq {seq}: {fault}")


def _difference(truth: Row, stored: Row, at: int, there: int) -> str:
    for name in ("revs", "values", "flags"):
        wanted, found = getattr(truth, name)[at], getattr(stored, name)[there]
        if not np.array_equal(wanted, found, equal_nan=name == "values"):
            return f"{name} {np.asarray(wanted).tolist()} said, {np.asarray(found).tolist()} stored"
    return ""


def _refusals(verdict: Verdict, device: str, pair: tuple[Refused, Refused], receipted: Bools) -> None:
    wanted, found = pair
    for seq, reason, item in sorted(wanted - found, key=str):
        verdict.note("unrefused" if receipted[seq] else "missing", f"{device} seq {seq}: no {reason} of {item or 'the reading'}")
    for seq, reason, item in sorted(found - wanted, key=str):
        verdict.note("overrefused", f"{device} seq {seq}: {reason} of {item or 'the reading'}")


def refusals(data: Path) -> dict[str, Refused]:
    """Dead letters and quarantine by device, straight from the state's file."""
    found: dict[str, Refused] = {}
    with sqlite3.connect(f"file:{data / 'state.db'}?mode=ro", uri=True) as db:
        for device, number, reason, item in db.execute("SELECT device, number, reason, item FROM refused"):
            found.setdefault(device, set()).add((number, reason, item))
    db.close()
    return found


def arranged(kind: str, table: pa.Table) -> Row:
    """Rows from a store's columns: ``time`` [s], ``rev``, items and their flags; a missing flag beside a value means valid."""
    size, quantities, there = len(table), QUANTITIES[kind], set(table.column_names)
    values, flags = np.full((size, len(quantities)), np.nan), np.zeros((size, len(quantities)), np.uint8)
    for at, one in enumerate(quantities):
        if one.name in there:
            values[:, at] = table.column(one.name).cast(pa.float64()).to_numpy()
        letters = _letters(table.column(f"{one.name}_f")) if f"{one.name}_f" in there else np.zeros(size, np.uint8)
        flags[:, at] = np.where(letters > 0, letters, np.where(np.isnan(values[:, at]), ABSENT, VALID))
    times = table.column("time").to_numpy().astype(np.int64)
    revs = table.column("rev").to_numpy().astype(np.float64).astype(np.int64)
    order = np.argsort(times, kind="stable")
    return Row(times[order], revs[order], values[order], flags[order])


def _letters(column: pa.ChunkedArray) -> npt.NDArray[np.uint8]:
    """Flag letters as numbers, 0 where there is none."""
    coded = pc.dictionary_encode(pc.fill_null(column.cast(pa.string()), "")).combine_chunks()
    numbers = np.array([ord(letter) if letter else 0 for letter in coded.dictionary.to_pylist()], np.uint8)
    return numbers[coded.indices.to_numpy()] if len(numbers) else np.zeros(len(coded), np.uint8)


@dataclass(frozen=True)
class FromInflux:
    """Reads influxd by InfluxQL, one source a question, every column that is there."""

    url: str
    token: str
    prefix: str = "lanbi"

    def __call__(self, kind: str, source: str) -> Row:
        """Rows of a source."""
        bucket = self.prefix + ("-meter" if kind == "meter" else "")
        question = f"""SELECT * FROM "{kind}" WHERE "site" = '{source}'"""  # noqa: S608  names of our own
        body = urllib.parse.urlencode({"db": bucket, "epoch": "s", "q": question}).encode()
        head = {"Authorization": f"Token {self.token}", "Accept": "application/csv"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/query", body, head), timeout=300) as answer:
            data = answer.read()
        if not data.strip():
            return arranged(kind, pa.table({"time": pa.array([], pa.int64()), "rev": pa.array([], pa.float64())}))
        texts = {f"{one.name}_f": pa.string() for one in QUANTITIES[kind]}
        options = csv.ConvertOptions(column_types={**texts, "site": pa.string(), "span": pa.string()}, strings_can_be_null=True)
        table = csv.read_csv(pa.BufferReader(data), convert_options=options)
        if unknown := set(pc.unique(table.column("span")).to_pylist()) - {str(SPAN)}:
            raise ValueError(f"{source}: rows of a span that nobody said: {unknown}")
        return arranged(kind, table)


@dataclass(frozen=True)
class FromEmbedded:
    """Reads the embedded store's file."""

    path: Path

    def __call__(self, kind: str, source: str) -> Row:
        """Rows of a source."""
        store = EmbeddedStore(self.path)
        try:
            rows = list(store.rows(kind, [source], -(2**62), 2**62))
        finally:
            store.close()
        return arranged(kind, table_of(kind, rows))


def table_of(kind: str, rows: Sequence[Reading]) -> pa.Table:
    """Columns of readings as the store's port gives them; a withdrawn item is its flag alone."""
    columns: dict[str, Any] = {"time": [row.time for row in rows], "rev": [float(row.rev) for row in rows]}
    for one in QUANTITIES[kind]:
        columns[one.name] = pa.array([row.values.get(one.name) for row in rows], pa.float64())
        letters = ["W" if row.values.get(one.name, 0) is None else row.flags.get(one.name) for row in rows]
        columns[f"{one.name}_f"] = pa.array(letters, pa.string())
    return pa.table(columns)
