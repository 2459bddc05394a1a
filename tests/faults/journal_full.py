"""The fault campaign of full disks: the data folder on a disk of 12 MB, and a quota, filled up again and again under load.

A real ingest behind a real Mosquitto. While there is no room nothing is receipted, the process lives (it is also killed and
started again on the full disk), and says since when and for how long the broker can wait. When room returns it goes on within
ten seconds, and in the end every reading that was ever receipted stands in the journal and in the store, once. With
``drop-oldest-forwarded`` it makes the room itself, and each day that goes is a record. Run it alone with ``python -m tests.faults.journal_full
--rounds 10 --seed 3``; the disk needs root, and is left out without.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from domain.message import Message, encode, scan
from lanbi.journal import JournalReader, JournalWriter
from lanbi.journal_bytes import sealed_path
from lanbi.journal_verify import verify
from lanbi.sealing import seal, sealable
from lanbi.seals import seals
from tests.faults.parts.house import PartMissingError
from tests.faults.parts.report import Asked, Finding, main
from tests.lanbi.ingest_house import MOSQUITTO, Gadget, House, mosquitto_broker, until

DISK = "12m"
QUOTA = "30MB"
BACK_S = 10.0
WAITS_S = 1.5
"""So long the full disk is watched: nothing may be receipted."""
PER_MESSAGE = 20
STEP = 20_000
"""So many bytes less are tried where the room has shrunk."""
SPAN_S = 60
BEGIN = int(time.time()) // SPAN_S * SPAN_S - 300 * 86_400
"""Three hundred days ago: readings of a minute each, up to about now."""


@dataclass
class Report:
    """What the campaign found."""

    seed: int
    kind: str
    rounds: int = 0
    kills: int = 0
    held: int = 0
    """Rounds in which the newest message was not receipted while the disk was full."""
    said: int = 0
    repeated: int = 0
    receipted: int = 0
    back_s: list[float] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    law: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    skipped: str = ""
    timed: bool = True
    """Whether seconds are judged: on whatever machine runs the short form only that it is back."""

    @property
    def sound(self) -> bool:
        """Nothing receipted is missing, nothing died by itself, and it was back in time each time."""
        back = self.rounds == len(self.back_s) > 0 and (not self.timed or max(self.back_s) <= BACK_S)
        return bool(self.skipped) or (not self.faults and back and self.held > 0)


@dataclass
class Filler:
    """Takes and gives back the room of a folder: a disk, or a journal with a quota."""

    ballast: Path

    def fill(self, left: int, room: int) -> None:
        """Leave so many bytes of the room, or a little more: lanbi may have written since it was measured."""
        size = max(1, room - left)
        with self.ballast.open("wb") as file:
            while True:
                try:
                    os.posix_fallocate(file.fileno(), 0, size)
                except OSError as error:
                    if error.errno != errno.ENOSPC or size <= STEP:
                        raise
                    file.truncate(0)
                    size -= STEP
                else:
                    return

    def size(self) -> int:
        """What it takes now."""
        return self.ballast.stat().st_size if self.ballast.exists() else 0

    def free(self) -> None:
        """Give it back."""
        self.ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A disk of 12 MB."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def may_mount(scratch: Path) -> str:
    """Why a disk cannot be made here; empty if it can."""
    probe = scratch / "probe"
    probe.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(probe)], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        subprocess.run(["umount", str(probe)], check=True)
    return done.stderr.strip()


@dataclass
class Campaign:
    """One house, filled up and freed in rounds."""

    house: House
    filler: Filler
    report: Report
    room: Any
    chance: np.random.Generator
    next: int = 0

    def run(self, rounds: int) -> None:
        """All rounds, then the reckoning."""
        self.house.start()
        until(lambda: self.house.status().get("ready"), f"ready: {self.house.status()}")
        device = Gadget("air1", self.house.port)
        try:
            for number in range(rounds):
                self._round(device, killed=number % 2 == 1)
            self._settle(device)
        finally:
            device.close()
        self._reckon(device)

    def say(self, device: Gadget) -> None:
        """One message of some readings, each of a minute of its own."""
        self.next += PER_MESSAGE
        self.report.said = self.next
        self._say(device, self.next - PER_MESSAGE)

    @staticmethod
    def _say(device: Gadget, first: int) -> None:
        numbers = range(first, first + PER_MESSAGE)
        device.say(encode([Message(BEGIN + SPAN_S * number, SPAN_S, {"pm25": float(number % 400)}, seq=number) for number in numbers]))

    def _round(self, device: Gadget, *, killed: bool) -> None:
        self.report.rounds += 1
        self.filler.fill(int(self.chance.integers(20_000, 120_000)), self.room())
        reason = self._speak_until_full(device)
        self.report.reasons.append(reason)
        self._expect("since 20" in reason, f"it is not said since when: {reason}")
        self._expect("the broker's queue" in reason or "nothing was coming in" in reason, f"it is not said how long the broker can wait: {reason}")
        pid = self.house.status().get("pid")
        if killed:
            self.report.kills += 1
            self.house.kill()
            self.house.start(fresh=False)
        end = time.monotonic() + WAITS_S
        while time.monotonic() < end:
            self.say(device)
            time.sleep(0.1)
        self._expect(self.house.process is not None and self.house.process.poll() is None, "the process ended")
        self._expect(killed or self.house.status().get("pid") == pid, "the process was another one afterwards")
        named = device.durable()
        self.report.held += self.next - 1 not in named
        rest = named - self._journalled()
        self._expect(not rest, f"receipted on the full disk and not journalled: {sorted(rest)[:9]}")
        self._back(device)

    def _speak_until_full(self, device: Gadget) -> str:
        def full() -> str:
            self.say(device)
            return next((reason for reason in self.house.status().get("reasons", []) if reason.startswith("journal:")), "")

        return str(until(full, "the journal is full"))

    def _back(self, device: Gadget) -> None:
        """Room returns: from then until the newest message is receipted."""
        newest = self.next - 1
        self.filler.free()
        freed = time.monotonic()
        until(lambda: newest in device.durable() and self.house.status().get("ready"), f"back: {self.house.status()}")
        self.report.back_s.append(round(time.monotonic() - freed, 2))

    def _settle(self, device: Gadget) -> None:
        """As devices do, what no receipt named is said again: a process that is killed takes the receipts along that it owed."""
        named = device.durable()
        for first in range(0, self.next, PER_MESSAGE):
            if first not in named:
                self.report.repeated += PER_MESSAGE
                self._say(device, first)
        until(lambda: device.durable() >= set(range(self.next)), "all are receipted")
        until(lambda: self.house.law()["pending"] == 0, "all are forwarded")
        self.report.law = self.house.law()

    def _reckon(self, device: Gadget) -> None:
        receipted = device.durable()
        self.report.receipted = len(receipted)
        journalled = self._journalled()
        stored = {(row.key.time - BEGIN) // SPAN_S: dict(row.values) for row in self.house.rows().values()}
        self._expect(receipted <= journalled, f"receipted and not journalled: {sorted(receipted - journalled)[:9]}")
        wrong = [number for number in receipted if stored.get(number) != {"pm25": float(number % 400)}]
        self._expect(not wrong, f"receipted and not stored: {wrong[:9]}")
        self._expect(len(stored) == self.next, f"{len(stored)} rows of {self.next} readings")
        verdict = verify(self.house.data / "journal", "mqtt")
        self._expect(verdict.sound, f"the journal is broken: {verdict.faults[:3]}")

    def _journalled(self) -> set[int]:
        found: set[int] = set()
        reader = JournalReader(self.house.data / "journal", "mqtt")
        while records := reader.read():
            found.update(seq for record in records for _, seq in scan(record.payload)[1])
        return found

    def _expect(self, holds: bool, words: str) -> None:  # noqa: FBT001
        if not holds:
            self.report.faults.append(words)


OLD_DAYS = 6
OLD_MESSAGES = 16


def old_days(data: Path) -> None:
    """Some days of long ago, each of about a megabyte that does not compress; sealed at once, for ingest does so when nothing else wants the processor."""
    chance = np.random.default_rng(1)
    writer = JournalWriter(data / "journal", "mqtt")
    for day in range(OLD_DAYS):
        for _ in range(OLD_MESSAGES):
            writer.append("lanbi/v1/air1/data", chance.bytes(60_000), received_ns=(BEGIN + day * 86_400) * 10**9)
        writer.commit()
    writer.close()
    for path in sealable(data / "journal", "mqtt"):
        seal(data / "journal", "mqtt", path)


@dataclass
class Dropping(Campaign):
    """With ``drop-oldest-forwarded`` nobody frees room: old days go by themselves, and devices go on being answered."""

    def run(self, rounds: int) -> None:
        """Fill up; wait until days are gone; fill up again."""
        old_days(self.house.data)
        self.house.start()
        device = Gadget("air1", self.house.port)
        folder = self.house.data / "journal"
        try:
            until(lambda: self._sealed(folder), "old days are forwarded and sealed")
            for _ in range(min(rounds, 3)):
                self.report.rounds += 1
                self.filler.fill(60_000, self.room() + self.filler.size())
                self.report.reasons.append(self._speak_until_full(device))
                self.report.held += 1
                newest, full = self.next - 1, time.monotonic()
                until(lambda newest=newest: newest in device.durable() and self.house.status().get("ready"), f"room was made: {self.house.status()}")
                self.report.back_s.append(round(time.monotonic() - full, 2))
            until(lambda: self.house.law()["pending"] == 0, "all are forwarded")
            self.report.receipted = len(device.durable())
        finally:
            device.close()
        self._judge(folder)

    def _sealed(self, folder: Path) -> bool:
        return self.house.law()["pending"] == 0 and len(seals(folder, "mqtt")) >= OLD_DAYS - 1

    def _judge(self, folder: Path) -> None:
        self.report.law = self.house.law()
        gone = [seal for seal in seals(folder, "mqtt") if not sealed_path(folder / "mqtt" / f"{seal.name}.lbj").exists()]
        told = [json.loads(record.payload) for record in JournalReader(folder, "person").read() if record.topic.endswith("/journal")]
        self._expect(bool(gone), "no day was dropped")
        self._expect(sorted(seal.digest for seal in gone) == sorted(body["seal"] for body in told), f"{len(gone)} days are gone, {len(told)} are in the record")
        self._expect(len(self.house.rows()) == self.next, f"{len(self.house.rows())} rows of {self.next} readings")
        verdict = verify(folder, "mqtt", seals(folder, "mqtt"))
        self._expect(verdict.sound, f"the journal is broken: {verdict.faults[:3]}")


def run(kind: str, rounds: int, asked: Asked) -> Report:
    """A campaign with a small disk or with a quota."""
    report, scratch = Report(asked.seed, kind, timed=not asked.quick), asked.folder
    with ExitStack() as stack:
        data, outside = scratch / kind, scratch / f"{kind}-broker"
        data.mkdir()
        outside.mkdir()
        if kind != "quota":
            report.skipped = may_mount(scratch)
            if report.skipped:
                return report
            stack.enter_context(small_disk(data))
        house = House(data)
        keys = {"disk": "", "quota": f'[journal]\nquota = "{QUOTA}"\n', "drop": '[journal]\non_full = "drop-oldest-forwarded"\n'}[kind]
        text = (data / "lanbi.toml").read_text()
        (data / "lanbi.toml").write_text(text.replace("[broker]\n", '[broker]\nqueue_bytes = "1GB"\n') + f"\n{keys}")
        stack.enter_context(mosquitto_broker(house.port, outside))
        stack.callback(lambda: house.process and house.process.poll() is None and house.kill())
        ballast, room = _room_of(kind, data)
        campaign = Dropping if kind == "drop" else Campaign
        campaign(house, Filler(ballast), report, room, np.random.default_rng(asked.seed)).run(rounds)
    return report


def _room_of(kind: str, data: Path) -> tuple[Path, Any]:
    if kind != "quota":
        return data / "ballast", lambda: os.statvfs(data).f_bavail * os.statvfs(data).f_frsize
    folder = data / "journal" / "ballast"
    folder.mkdir(parents=True)
    return folder / "ballast", lambda: 30 * 10**6 - sum(path.stat().st_size for path in (data / "journal").rglob("*") if path.is_file())


def campaigns(asked: Asked) -> Finding:
    """The small disk, the quota, and the small disk whose oldest days may go."""
    if MOSQUITTO is None:
        raise PartMissingError("no mosquitto: make services")
    rounds = 2 if asked.quick else asked.more.rounds
    reports = [run(kind, rounds, asked) for kind in ("disk", "quota", "drop")]
    done = [report for report in reports if not report.skipped]
    back = [seconds for report in done for seconds in report.back_s]
    return {
        "sound": all(report.sound for report in reports),
        "kinds": [asdict(report) for report in reports],
        "figures": [
            *(f"{report.kind} left out: {report.skipped}" for report in reports if report.skipped),
            f"filled {sum(report.rounds for report in done)} times ({' and '.join(report.kind for report in done)}), {sum(report.kills for report in done)} `kill -9` and starts while full",
            f"back {max(back, default=0.0):.1f} s at most after room returned",
            f"{sum(report.receipted for report in done):,} readings receipted, {sum(len(report.faults) for report in done)} faults",
        ],
    }


if __name__ == "__main__":
    sys.exit(main("journal_full", str(__doc__).splitlines()[0], campaigns, (("--rounds", int, 10, "how often each kind is filled up"),)))
