"""Seals: one line of text that fixes a closed journal file, short enough to be mailed, printed and typed again.

::

    lanbi-seal 1 mqtt/2026-11-22-000000000001 first=1 last=… records=… readings=… lost=0 bytes=…
    sha256=… before=… head=… previous=… seal=…

``sha256`` is that of the plain file, as ``zcat FILE.lbj.gz | sha256sum`` prints it; ``before`` and ``head`` are the chain's
digests at the file's beginning and end; ``previous`` is the ``seal`` of the file before (zeros: none); ``seal`` is SHA-256
over all words before it, with single spaces between. Whoever holds a later seal holds all earlier ones.

A ``.seal`` file is this line and then the index of the sealed file, with a checksum of its own.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from lanbi.frames import DOORS
from lanbi.sealed import BLOCK, Block

SEAL_SUFFIX: Final = ".seal"
NONE: Final = bytes(32).hex()
_WORDS: Final = ("first", "last", "records", "readings", "lost", "bytes", "sha256", "before", "head", "previous", "seal")
_NUMBERS: Final = frozenset(_WORDS[:6])
_LINE: Final = re.compile(
    rf"lanbi-seal 1 ({'|'.join(DOORS)})/([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}-[0-9]{{12,}}) "
    + " ".join(rf"{word}=({'[0-9]{1,20}' if word in _NUMBERS else '[0-9a-f]{64}'})" for word in _WORDS)
)
_BETWEEN: Final = re.compile(r"[\s>|]+")


class Seal(NamedTuple):
    """What is fixed of one closed file; digests in hexadecimal.

    ``records`` and ``readings`` are what the file's trailers say was written into it, ``lost`` how many of these records could
    not be read when it was sealed.
    """

    writer: str
    name: str
    first: int
    last: int
    records: int
    readings: int
    lost: int
    bytes: int
    sha256: str
    before: str
    head: str
    previous: str

    @property
    def reference(self) -> str:
        """``writer/name``."""
        return f"{self.writer}/{self.name}"

    @property
    def words(self) -> str:
        """All that the seal's digest covers."""
        return f"lanbi-seal 1 {self.reference} " + " ".join(f"{word}={getattr(self, word)}" for word in _WORDS[:-1])

    @property
    def digest(self) -> str:
        """The seal itself."""
        return hashlib.sha256(self.words.encode()).hexdigest()

    @property
    def line(self) -> str:
        """The seal as one line."""
        return f"{self.words} seal={self.digest}"

    @property
    def page(self) -> str:
        """The seal in short lines, for mail and paper; :func:`parse` reads them too."""
        numbers = " ".join(f"{word}={getattr(self, word)}" for word in _WORDS[:6])
        digests = "\n".join(f"{word}={getattr(self, word)}" for word in _WORDS[6:-1])
        return f"lanbi-seal 1 {self.reference}\n{numbers}\n{digests}\nseal={self.digest}\n"


def parse(text: str) -> Iterator[Seal]:
    """Seals in a text, however its lines were broken or quoted; one whose words do not fit its digest is passed over."""
    for found in _LINE.finditer(_BETWEEN.sub(" ", text)):
        writer, name, *rest = found.groups()
        first, last, records, readings, lost, size = (int(word) for word in rest[:6])
        seal = Seal(writer, name, first, last, records, readings, lost, size, *rest[6:-1])
        if seal.digest == rest[-1]:
            yield seal


def write_text(seal: Seal, index: Sequence[Block]) -> str:
    """Content of a ``.seal`` file."""
    lines = [f"index {len(index)} {BLOCK}", *(" ".join(map(str, block[3:])) for block in index)]
    body = "\n".join(lines) + "\n"
    return f"{seal.line}\n{body}end {zlib.crc32(body.encode()):08x}\n"


def seal_path(path: Path) -> Path:
    """Where the seal of a journal file stands."""
    return path.with_suffix(SEAL_SUFFIX)


def read_seal(path: Path) -> Seal | None:
    """The seal of a journal file; None if it has none or the line is damaged."""
    try:
        with seal_path(path).open("rb") as handle:
            line = handle.readline(2_000)
    except FileNotFoundError:
        return None
    return next(parse(line.decode("ascii", "replace")), None)


def read_index(path: Path) -> list[Block] | None:
    """The index of a sealed file, from its seal; None if there is none or it is damaged."""
    try:
        text = seal_path(path).read_bytes().decode("ascii", "replace")
    except FileNotFoundError:
        return None
    _, _, rest = text.partition("\n")
    body, _, end = rest.rpartition("end ")
    if not body or end.strip() != f"{zlib.crc32(body.encode()):08x}":
        return None
    seal = read_seal(path)
    return _blocks(body.splitlines()[1:], seal.bytes) if seal else None


def is_whole(path: Path, seal: Seal) -> bool:
    """Whether the file of a seal is, to the byte, what was written."""
    index = read_index(path)
    return index is not None and seal_path(path).read_bytes() == write_text(seal, index).encode()


def _blocks(lines: Sequence[str], size: int) -> list[Block]:
    found: list[Block] = []
    place = 0
    for number, line in enumerate(lines):
        length, *content = (int(word) for word in line.split())
        at = number * BLOCK
        found.append(Block(at, min(BLOCK, size - at), place, length, *content))
        place += length
    return found


def seals(folder: Path, writer: str) -> list[Seal]:
    """All readable seals of a writer, oldest first; they stay where files were moved or removed."""
    found = (read_seal(path) for path in sorted((folder / writer).glob(f"*{SEAL_SUFFIX}")))
    return [seal for seal in found if seal]
