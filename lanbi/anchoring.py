"""Anchoring: every seal is mailed out of the server, to addresses where whoever owns the disk cannot reach it.

``journal/anchored.jsonl`` remembers which seal went where. It is a note for the sender, no proof: proof is the mail itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from domain.civil import iso
from domain.errors import LanbiError
from domain.ports import Clock
from lanbi import mail
from lanbi.frames import DOORS
from lanbi.seals import Seal, seals
from lanbi.settings import Settings

NS: Final = 1_000_000_000
LEDGER: Final = "anchored.jsonl"
A_MAIL: Final = 100
"""Seals of one mail."""
_HEAD: Final = """\
请保存这封邮件，不要存放在监测服务器上。下面的封印固定了蓝碧的原始记录：
谁以后改动这些记录，都会与封印不符。核对命令：lanbi journal verify --anchors 这封邮件.eml

Keep this mail, and not on the monitoring server. The seals below fix the raw record of lanbi:
whoever changes it later contradicts them. To check: lanbi journal verify --anchors THIS_MAIL.eml

"""


def ledger(folder: Path) -> list[dict[str, Any]]:
    """What was mailed: seal, file, to, time, message id. A line that a death cut is passed over."""
    found = []
    try:
        lines = (folder / LEDGER).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def reached(folder: Path) -> dict[str, set[str]]:
    """Address → digests of the seals that it was sent."""
    found: dict[str, set[str]] = {}
    for row in ledger(folder):
        found.setdefault(str(row.get("to")), set()).add(str(row.get("seal")))
    return found


def waiting(folder: Path, addresses: Iterable[str]) -> dict[str, list[Seal]]:
    """Address → seals that it was not sent yet, oldest first; addresses that have all are not in it."""
    all_seals = [seal for writer in DOORS for seal in seals(folder, writer)]
    sent = reached(folder)
    rest = {to: [seal for seal in all_seals if seal.digest not in sent.get(to, set())] for to in addresses}
    return {to: some for to, some in rest.items() if some}


def anchor(settings: Settings, clock: Clock) -> list[str]:
    """Mail what waits, one mail an address; returns what went wrong. A failure of one address holds up no other."""
    folder = settings.data / "journal"
    faults = []
    for to, some in waiting(folder, settings.journal.anchor_mail).items():
        part = some[:A_MAIL]
        now_s = clock.now_ns() // NS
        try:
            number = mail.send(settings.mail, to, _subject(settings, part), _HEAD + "\n".join(seal.page for seal in part), now_s)
        except LanbiError as error:
            faults.append(f"{len(some)} 个封印未寄出 seals wait: {error}")
            continue
        _remember(folder, [{"seal": seal.digest, "file": seal.reference, "to": to, "time": iso(now_s), "message": number} for seal in part])
    return faults


def _subject(settings: Settings, part: list[Seal]) -> str:
    names = part[-1].reference if len(part) == 1 else f"{part[0].reference} … {part[-1].reference}"
    return f"lanbi 封印 seal {settings.ingest.instance} {names} {part[-1].digest[:12]}"


def _remember(folder: Path, rows: list[dict[str, str]]) -> None:
    """Behind the mail: a death in between sends it twice, never not at all."""
    handle = os.open(folder / LEDGER, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640)
    try:
        size = os.fstat(handle).st_size
        torn = size and os.pread(handle, 1, size - 1) != b"\n"
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        os.write(handle, (("\n" if torn else "") + text).encode())
        os.fsync(handle)
    finally:
        os.close(handle)
