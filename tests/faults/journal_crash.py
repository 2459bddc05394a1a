"""The fault campaign of the journal's files: a death behind every system call, every write cut at every byte, and power cuts.

A journal is written, rotated, closed and sealed on a disk that remembers (``tests/lanbi/disk_model.py``). Each moment of it is
laid out again, opened, read, gone on with and sealed to the end. Nothing that was acknowledged may be missing then, nothing may
be there that was not written, and nothing twice. Run it alone with ``python -m tests.faults.journal_crash --seed 3``.
"""

from __future__ import annotations

import copy
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lanbi.journal import JournalWriter, Record, files
from lanbi.journal_examine import Examination
from lanbi.sealing import close_idle, seal, sealable
from tests.faults.parts.report import Asked, Finding, main
from tests.lanbi.disk_model import Disk, Recorder
from tests.lanbi.sealed_house import DAY_NS, NOON_NS, TOPIC, everything, seal_all

FAST = Path("/dev/shm")
"""No disk is needed for what is modelled."""
NOON_DAY = 20_370


@dataclass
class Report:
    """What the campaign found."""

    seed: int
    every: int
    calls: int = 0
    deaths: int = 0
    power_cuts: int = 0
    second_deaths: int = 0
    acknowledged: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Nothing lost, invented or doubled, and something was tried."""
        return not self.faults and self.deaths > 1_000 and self.power_cuts > 100 and self.second_deaths > 30


class Work:
    """What is done while the disk remembers: three days, a closed idle day, an appender that comes again, all sealed."""

    def __init__(self, root: Path, seed: int) -> None:
        self.folder = root
        self.chance = np.random.default_rng(seed)
        self.made: list[Record] = []
        self.recorder = Recorder(root)

    def run(self) -> None:
        """Do it all."""
        with self.recorder.watching():
            writer = JournalWriter(self.folder, "mqtt")
            for day in (0, 0, 1, 1):
                self._commit(writer, day)
            self._seal()
            self._commit(writer, 2)
            writer.close()
            close_idle(self.folder, "mqtt", NOON_DAY + 9)
            self._seal()
            writer = JournalWriter(self.folder, "mqtt")
            self._commit(writer, 2)
            self._commit(writer, 3)
            writer.close()
            self._seal()

    def _commit(self, writer: JournalWriter, day: int) -> None:
        for _ in range(int(self.chance.integers(1, 4))):
            payload = self.chance.bytes(int(self.chance.integers(0, 30)))
            when = NOON_NS + day * DAY_NS + len(self.made)
            seq = writer.append(TOPIC, payload, received_ns=when, readings=len(self.made) % 3)
            self.made.append(Record("mqtt", seq, when, 0, len(self.made) % 3, TOPIC, payload))
        writer.commit()
        self.recorder.mark(writer.committed.last_seq)

    def _seal(self) -> None:
        for path in sealable(self.folder, "mqtt"):
            seal(self.folder, "mqtt", path)


def campaign(seed: int, every: int, scratch: Path) -> Report:
    """One journal, all its moments; ``every`` thins out the cuts of long writes and the second deaths."""
    report = Report(seed, every)
    work = Work(scratch / "work", seed)
    work.run()
    _model_is_true(work, report)
    report.calls = sum(op.what != "mark" for op in work.recorder.ops)
    report.acknowledged = len(work.made)
    chance = np.random.default_rng(seed)
    for name, disk in _deaths(work, every):
        report.deaths += 1
        folder = scratch / "one"
        disk.lay_out(folder)
        _judge(folder, disk.acknowledged, work.made, f"death {name}", report)
        if report.deaths % (100 if every > 1 else 20) == 1:
            _dies_again(disk, work, scratch / "again", chance, report)
        shutil.rmtree(folder)
    for name, disk, (arrived, data) in _power_cuts(work):
        report.power_cuts += 1
        folder = scratch / "one"
        disk.lay_out(folder, arrived, data=data)
        _judge(folder, disk.acknowledged, work.made, f"power cut {name}; of what was not synced arrived: names {arrived}, bytes {data}", report)
        shutil.rmtree(folder)
    return report


def _model_is_true(work: Work, report: Report) -> None:
    """Every change went through calls that were noted: else deaths would be tried on a disk that never was."""
    disk = Disk()
    for op in work.recorder.ops:
        disk.take(op)
    real = {str(path.relative_to(work.folder)): path.read_bytes() for path in work.folder.rglob("*") if path.is_file()}
    if {name: bytes(file.data) for name, file in disk.names.items()} != real:
        report.faults.append("the model of the disk is not what stands on the disk")


def _deaths(work: Work, every: int) -> Iterator[tuple[str, Disk]]:
    """The disk behind each call, and within each write behind each byte; commits at every byte, whatever ``every``."""
    disk = Disk()
    for number, op in enumerate(work.recorder.ops):
        if op.what == "write":
            step = 1 if op.path.endswith(".lbj") else every
            for cut in range(0, len(op.data), step):
                torn = copy.deepcopy(disk)
                torn.take(op, cut)
                yield f"in call {number} ({op.what} {op.path}) at byte {cut}", torn
        disk.take(op)
        yield f"behind call {number} ({op.what} {op.path})", disk


def _power_cuts(work: Work) -> Iterator[tuple[str, Disk, tuple[str, bool]]]:
    """Behind each call, whatever may have arrived of what was not synced."""
    disk = Disk()
    for number, op in enumerate(work.recorder.ops):
        disk.take(op)
        for arrived in ("none", "added", "removed", "all"):
            for data in (False, True):
                if op.what != "mark" and (arrived, data) != ("all", True):
                    yield f"behind call {number} ({op.what} {op.path})", disk, (arrived, data)


def _judge(folder: Path, acknowledged: int, made: list[Record], name: str, report: Report) -> None:
    try:
        fault = _fault(folder, acknowledged, made)
    except Exception as error:  # noqa: BLE001  a traceback is a finding, and the other moments are still of interest
        fault = f"{type(error).__name__}: {error}"
    if fault:
        report.faults.append(f"{name}: {fault}")


def _fault(folder: Path, acknowledged: int, made: list[Record]) -> str:
    """What is wrong with a journal that is opened after a death; nothing if all is well."""
    if wrong := _strange(everything(folder), made):
        return f"before recovery: {wrong}"
    writer = JournalWriter(folder, "mqtt")
    found = everything(folder)
    if wrong := _strange(found, made) or _missing(found, acknowledged):
        return wrong
    seq = writer.append(TOPIC, b"after", received_ns=NOON_NS + 9 * DAY_NS)
    writer.commit()
    writer.close()
    if seq <= acknowledged:
        return f"number {seq} was given twice"
    expected = [*found, Record("mqtt", seq, NOON_NS + 9 * DAY_NS, 0, 1, TOPIC, b"after")]
    if everything(folder) != expected:
        return "the next record does not stand behind the others"
    seal_all(folder)
    if everything(folder) != expected:
        return "sealing changed what is read"
    return _unproven(folder)


def _strange(found: list[Record], made: list[Record]) -> str:
    seqs = [one.seq for one in found]
    if seqs != sorted(set(seqs)):
        return f"out of order or twice: {seqs}"
    return "" if all(one.seq <= len(made) and one == made[one.seq - 1] for one in found) else "a record that was never written"


def _missing(found: list[Record], acknowledged: int) -> str:
    gone = set(range(1, acknowledged + 1)) - {one.seq for one in found}
    return f"acknowledged and gone: {sorted(gone)}" if gone else ""


def _unproven(folder: Path) -> str:
    totals, loose = None, 0
    for path in files(folder, "mqtt"):
        examined = Examination(path, totals, loose)
        for _ in examined.commits():
            pass
        if examined.faults:
            return f"the chain does not hold: {examined.faults[0]}"
        totals, loose = examined.totals, examined.loose
    left = [path.name for path in (folder / "mqtt").iterdir() if path.name.endswith(".new")]
    return f"left behind: {left}" if left else ""


def _dies_again(disk: Disk, work: Work, scratch: Path, chance: np.random.Generator, report: Report) -> None:
    """A death while the first one is recovered from and its sealing done again."""
    folder = scratch / "first"
    disk.lay_out(folder)
    recorder = Recorder(folder)
    with recorder.watching():
        JournalWriter(folder, "mqtt").close()
        for path in sealable(folder, "mqtt"):
            seal(folder, "mqtt", path)
    for number in sorted({int(one) for one in chance.integers(0, len(recorder.ops), 4)}):
        later = copy.deepcopy(disk)
        for op in recorder.ops[:number]:
            later.take(op)
        op = recorder.ops[number]
        later.take(op, int(chance.integers(0, len(op.data) + 1)) if op.what == "write" else None)
        later.lay_out(scratch / "second")
        report.second_deaths += 1
        _judge(scratch / "second", disk.acknowledged, work.made, f"second death in call {number} ({op.what} {op.path})", report)
        shutil.rmtree(scratch / "second")
    shutil.rmtree(scratch)


def campaigns(asked: Asked) -> Finding:
    """As many journals as asked for, each with its own seed."""
    rounds, every = (1, 61) if asked.quick else (asked.more.rounds, 1)
    reports = []
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="lanbi-faults-", dir=FAST if FAST.is_dir() else None) as folder:
            reports.append(campaign(asked.seed + number, every, Path(folder)))
    total = {name: sum(getattr(report, name) for report in reports) for name in ("calls", "deaths", "power_cuts", "second_deaths", "acknowledged")}
    return {
        "sound": all(report.sound for report in reports),
        "journals": rounds,
        **total,
        "faults": [fault for report in reports for fault in report.faults][:50],
        "figures": [
            f"{rounds} journals written, rotated, closed and sealed by {total['calls']:,} system calls",
            f"{total['deaths']:,} deaths behind calls and within writes, {total['power_cuts']:,} power cuts, {total['second_deaths']:,} second deaths in the recovery",
            f"{sum(len(report.faults) for report in reports)} records lost, invented or doubled",
        ],
    }


if __name__ == "__main__":
    sys.exit(main("journal_crash", str(__doc__).splitlines()[0], campaigns, (("--rounds", int, 3, "journals, each with its own seed"),)))
