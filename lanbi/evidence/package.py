"""Putting an evidence package together: raw messages in a chain, decoded readings, flags, figures, a chart, and the verifier."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from domain.civil import DAY_S, day_of, iso
from domain.errors import InputError
from domain.indicators import COLUMNS, Query
from domain.items import BY_REALM, ITEMS
from domain.places import Registry
from domain.ports import IndicatorSource, ReadingSource
from domain.readings import Reading
from lanbi.evidence import verify
from lanbi.evidence.signing import key, public, signature
from lanbi.frames import DOORS, Record
from lanbi.journal import between
from lanbi.journal_reader import Loss
from lanbi.reports.page import Chart, Page, Part, Series, Words
from lanbi.reports.writing import html
from lanbi.seals import seals
from lanbi.state import StateView

NS: Final = 10**9
MOST: Final = 1_000_000
AS_OF: Final = (1980, 1, 1, 0, 0, 0)
"""Every file in the package has this date: the same state makes the same bytes."""
ABOUT: Final = """证据包 evidence package

raw.jsonl      收到的原始报文，逐条成链；payload_base64 为原始字节 raw messages as received, in a chain
readings.csv   解码入库的数值与标记 decoded readings and flags
versions.csv   被更正过的数值的每一版 every version of corrected values
refused.csv    被拒收的内容与原因 what was refused, and why
figures.csv    由此算出的指标 figures made of them
restated.csv   已公布后又被更正的指标 closed figures that changed
chart.html     曲线 the chart
seals.txt      所在日志文件的封印 seals of the journal files in which the messages lie
manifest.json  以上文件的 SHA-256 与链尾 digests of all files, end of the chain
signature.txt  manifest.json 的 Ed25519 签名 its signature
verify.py      独立核对脚本 checks everything without lanbi: python3 verify.py FILE.zip

公钥须与主管部门公布的一致，签名才有意义。The signature proves something only if the public key is the one the bureau made known.
只收入期间内的报文及其后 {late} 天内收到的迟到报文。Late messages are looked for {late} days after the period.
"""


class Store(ReadingSource, IndicatorSource, Protocol):
    """The read sides of the store."""


class Wish(NamedTuple):
    """What a package is about; times start < t ≤ end [s]."""

    source: str
    start: int
    end: int
    late_days: int


@dataclass
class Packer:
    """Files of a package on their way into the zip."""

    data: Path
    registry: Registry
    store: Store
    wish: Wish
    losses: list[Loss] = field(default_factory=list)
    head: str = verify.START
    messages: int = 0
    _touched: set[tuple[str, int]] = field(default_factory=set)

    def write(self, path: Path) -> dict[str, Any]:
        """Write the package; returns its manifest.

        Raises
        ------
        InputError
            The source is not registered.
        """
        kind = self.registry.kind_of(self.wish.source)
        if kind is None:
            raise InputError(f"no such source: {self.wish.source[:80]!r}", "--source", "write a registered place or meter")
        rows = list(self.store.rows(kind, [self.wish.source], self.wish.start, self.wish.end))
        files = {"raw.jsonl": "".join(self._raw()).encode()}
        files |= {
            "readings.csv": _csv(("time", "span", "item", "value", "flag", "rev"), _cells(rows)),
            "versions.csv": self._versions(),
            "refused.csv": self._refused(),
        }
        files |= {"figures.csv": self._figures(), "restated.csv": self._restated(), "chart.html": b"".join(html(self._page(kind, rows)))}
        files |= {"seals.txt": self._seals(), "README.txt": ABOUT.format(late=self.wish.late_days).encode(), "verify.py": Path(verify.__file__).read_bytes()}
        secret = key(self.data)
        manifest = self._manifest(files, public(secret).hex())
        signed = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
        _zip(path, {"manifest.json": signed, "signature.txt": signature(secret, signed).hex().encode() + b"\n", **files})
        return manifest

    def _manifest(self, files: dict[str, bytes], public_key: str) -> dict[str, Any]:
        registry, wish = self.registry, self.wish
        device = registry.device_of(wish.source, day_of(wish.end))
        return {
            "lanbi-evidence": 1, "county": registry.county.name, "source": wish.source, "name": registry.name_of(wish.source), "from": iso(wish.start), "to": iso(wish.end),
            "late_days": wish.late_days, "registry": registry.version, "device": device.id if device else "", "label": device.label.on(day_of(wish.end)) if device else "end",
            "messages": self.messages, "lost_records": len(self.losses), "chain_head": self.head, "public_key": public_key,
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())},
        }  # fmt: skip

    def _raw(self) -> Iterator[str]:
        until = (self.wish.end + self.wish.late_days * DAY_S) * NS
        for writer in DOORS:
            for record in between(self.data / "journal", writer, self.wish.start * NS, until, self.losses.append):
                if self._speaks(record):
                    yield self._line(record)

    def _speaks(self, record: Record) -> bool:
        """Whether a message is, or may be, about the source and the period; what cannot be read is kept."""
        parts = record.topic.split("/")
        device = self.registry.devices.get(parts[2]) if len(parts) > 2 else None
        own = device is not None and any(self.wish.source in names for _, names in device.sources.steps)
        if not own:
            return self.wish.source.encode() in record.payload and record.writer in {"import", "person"}
        found = list(verify.messages(record.payload))
        named = [one for one in found if one.get("source") in {None, self.wish.source}]
        times = [verify.instant(one.get("time")) for one in named]
        return not found or any(time is None or self.wish.start < time <= self.wish.end + DAY_S for time in times)

    def _line(self, record: Record) -> str:
        topic = record.topic.encode(errors="surrogateescape").decode(errors="backslashreplace")
        line: dict[str, Any] = {"record": record.reference, "received": iso(record.received_ns // NS), "received_ns": record.received_ns, "topic": topic}
        line |= {"payload_base64": base64.b64encode(record.payload).decode(), "previous": self.head}
        self.head = line["digest"] = verify.linked(self.head, line)
        self.messages += 1
        self._touched.add((record.writer, record.seq))
        return json.dumps(line, ensure_ascii=False) + "\n"

    def _versions(self) -> bytes:
        view = StateView(self.data)
        try:
            found = view.spoken(self.wish.source, (self.wish.start, self.wish.end), (-(2**62), 0, "", 0), MOST)
        finally:
            view.close()
        rows = (
            [
                iso(row.key.time),
                row.key.span,
                row.item,
                row.value,
                row.flag,
                row.rev,
                iso(row.received_ns // NS) if row.received_ns else "",
                row.device,
                f"{row.writer}/{row.seq}",
            ]
            for row in found
        )
        return _csv(("time", "span", "item", "value", "flag", "rev", "received", "device", "record"), rows)

    def _refused(self) -> bytes:
        view = StateView(self.data)
        try:
            found = [
                (number, row)
                for number, row in view.refused(limit=MOST, since_ns=self.wish.start * NS, resolved=True)
                if (row.writer, row.seq) in self._touched
            ]
        finally:
            view.close()
        rows = ([number, row.outcome, row.reason, row.detail, row.item, row.device, row.source, f"{row.writer}/{row.seq}"] for number, row in found)
        return _csv(("id", "outcome", "reason", "detail", "item", "device", "source", "record"), rows)

    def _figures(self) -> bytes:
        found = self.store.series(Query(None, self.wish.source, None, None, None, self.wish.start, self.wish.end, limit=MOST))
        return _csv(COLUMNS, ([iso(row.time) if name == "time" else getattr(row, name) for name in COLUMNS] for row in found))

    def _restated(self) -> bytes:
        found = [
            row
            for row in self.store.restatements(self.wish.start, 2**40, MOST)
            if row.scope == self.wish.source and self.wish.start < row.time <= self.wish.end
        ]
        names = ("figure", "period", "rule_set", "basis", "version", "old", "new", "old_status", "new_status", "cause")
        return _csv(("time", "made", *names), ([iso(row.time), iso(row.made), *(getattr(row, name) for name in names)] for row in found))

    def _seals(self) -> bytes:
        found = (seal for writer in DOORS for seal in seals(self.data / "journal", writer))
        lines = [seal.line for seal in found if any(writer == seal.writer and seal.first <= seq <= seal.last for writer, seq in self._touched)]
        return "".join(f"{line}\n" for line in lines).encode() or "报文所在文件尚未封存 the files of these messages are not sealed yet\n".encode()

    def _page(self, kind: str, rows: Sequence[Reading]) -> Page:
        labels = [iso(row.time)[5:16].replace("T", " ") for row in rows]
        shown = [name for name in BY_REALM[kind] if any(row.values.get(name) is not None for row in rows)]
        charts: list[Part] = [
            Chart(ITEMS[kind, name].zh, ITEMS[kind, name].unit, labels, [Series(name, [row.values.get(name) for row in rows])]) for name in shown
        ]
        flagged = [f"{iso(row.time)} {item} {flag}" for row in rows for item, flag in row.flags.items()]
        about = [f"{self.registry.name_of(self.wish.source)} {self.wish.source}", f"{iso(self.wish.start)} – {iso(self.wish.end)}"]
        return Page("证据包曲线 chart of an evidence package", about, 0, [*charts, Words("标记 flags", flagged)])


def _cells(rows: Iterable[Reading]) -> Iterator[list[object]]:
    for row in rows:
        for item, value in row.values.items():
            yield [iso(row.time), row.span, item, value, row.flags.get(item, "N"), row.rev]


def _csv(head: Sequence[str], rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return text.getvalue().encode()


def _zip(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(zipfile.ZipInfo(name, AS_OF), content, zipfile.ZIP_DEFLATED)
