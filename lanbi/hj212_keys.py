"""SM4 keys of HJ 212-2025 loggers: a file a device under ``secrets/sm4``, never in the registry, a log or an answer.

A line is a date and a key, ``2026-01-01 0123456789abcdeffedcba9876543210``: in force from that day until the next line's. Keys change every 90 days.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from domain.civil import date_of, parse_date
from domain.errors import InputError, NotUnderstood, SettingsError, WorkError
from domain.places import Registry
from ingest.decoders.hj212_sm4 import BLOCK, Keys
from lanbi.folders import made
from lanbi.secret import open_to_others

FOLDER: Final = Path("secrets") / "sm4"
LIFE: Final = 90
"""Days after which a key is to be replaced (HJ 212-2025)."""
GRACE: Final = 7
"""Days that a logger may be late, or early, with a change of key."""
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HEX: Final = re.compile(rf"[0-9A-Fa-f]{{{2 * BLOCK}}}")
TODO: Final = "write lines such as 2026-01-01 and 32 hexadecimal digits, and give the file to lanbi's user alone (chmod 600)"


class Key(NamedTuple):
    """From which civil day on, and the sixteen bytes, which are never shown."""

    since: int
    octets: bytes

    def __repr__(self) -> str:
        return f"Key(since={self.since}, ********)"


def read(path: Path) -> tuple[Key, ...]:
    """The keys of a file, oldest first; none where there is no file.

    Raises
    ------
    SettingsError
        Others may read it, a line is no date and key, or the dates do not grow. No word of a line is repeated.
    """
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("密钥文件无法读取 the file of the keys cannot be read", str(path), TODO) from error
    if open_to_others(path):
        raise SettingsError("密钥文件对其他用户开放 others may read the file of the keys", str(path), f"chmod 600 {path}")
    found: list[Key] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        date, _, key = line.strip().partition(" ")
        try:
            since = parse_date(date)
        except ValueError:
            since = None
        if since is None or not _HEX.fullmatch(key.strip()) or (found and since <= found[-1].since):
            raise SettingsError("不是日期和密钥，或日期未递增 no date and key, or a date that does not lie behind the last one", f"{path}:{number}", TODO)
        found.append(Key(since, bytes.fromhex(key)))
    return tuple(found)


@dataclass
class Keyring:
    """The keys of all loggers; a file is read again once it has changed, so that a new key needs no restart."""

    folder: Path
    _known: dict[str, tuple[tuple[int, int, int], tuple[Key, ...]]] = field(default_factory=dict, repr=False)

    def __call__(self, device: str) -> Keys:
        """Keys of a device by the QN of its packet."""
        return partial(self.fitting, device)

    def fitting(self, device: str, qn: str) -> Iterable[bytes]:
        """Keys that were in force when a packet was sent, give or take a week, the newest first; all, where its QN names no day.

        Raises
        ------
        NotUnderstood
            The file cannot be used, in words.
        """
        try:
            keys = self._of(device)
        except SettingsError as error:
            raise NotUnderstood(f"{error}", "bad-encoding") from None
        try:
            day = parse_date(f"{qn[:4]}-{qn[4:6]}-{qn[6:8]}")
        except ValueError:
            return [key.octets for key in reversed(keys)]
        spans = [(key, later.since) for key, later in pairwise((*keys, Key(day, b"")))]  # the last key is in force until now
        return [key.octets for key, end in reversed(spans) if key.since - GRACE <= day <= end + GRACE]

    def _of(self, device: str) -> tuple[Key, ...]:
        path = self.folder / device
        try:
            status = path.stat() if NAME.fullmatch(device) else None
        except OSError:
            status = None
        if status is None:
            return ()
        stamp = status.st_mtime_ns, status.st_size, status.st_mode
        known = self._known.get(device)
        if known is None or known[0] != stamp:
            known = self._known[device] = stamp, read(path)
        return known[1]


def with_keys(registry: Registry, data: Path) -> Registry:
    """The registry with the keys of its devices at hand."""
    return replace(registry, keyring=Keyring(data / FOLDER))


def add(data: Path, device: str, text: str, since: int) -> Path:
    """Put a key behind those of a device, in a file that is never open to others, also not for a moment.

    Raises
    ------
    InputError
        Not 32 hexadecimal digits, or the day does not lie behind that of the last key.
    """
    if not _HEX.fullmatch(text.strip()):
        raise InputError("密钥应为 32 位十六进制数字 a key is 32 hexadecimal digits", "standard input", "lanbi device key ID < file-with-the-key")
    path = made(data / FOLDER) / device
    known = read(path)
    if known and since <= known[-1].since:
        raise InputError(f"已有自 {date_of(known[-1].since)} 起的密钥 a key from that day on is there already", "--from", "name a later day")
    lines = "".join(f"{date_of(key.since)} {key.octets.hex()}\n" for key in (*known, Key(since, bytes.fromhex(text.strip()))))
    draft = path.with_name(f".{device}.new")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
            out.write(lines)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(path)
    except OSError as error:
        raise WorkError(f"the file of the keys cannot be written: {error.strerror}", str(path), "run as the user of the data folder") from error
    return path


def old(registry: Registry, data: Path, day: int) -> Iterable[str]:
    """What is wrong with the keys of registered devices: files that cannot be used, and keys that should have been replaced."""
    for device in registry.devices:
        try:
            keys = read(data / FOLDER / device) if NAME.fullmatch(device) else ()
        except SettingsError as error:
            yield f"{device}: {error}"
            continue
        age = day - keys[-1].since if keys else 0
        if age > LIFE:
            yield f"设备 device {device}: SM4 密钥已用 {age} 天 its key of HJ 212-2025 is {age} days old, it changes every {LIFE} (lanbi device key {device})"
