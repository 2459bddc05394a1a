"""Split packets of HJ 212: which parts have come. Pure but for its memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.decoders.hj212 import Packet


@dataclass(slots=True)
class Parts:
    """Which parts of split packets have come, in any order; a part is usable alone, so this only tells what is missing.

    Parts of one split packet share MN, CN and DataTime; each has its own QN (§6.6).
    """

    most: int = 64
    seen: dict[tuple[str, str, str], tuple[int, set[int]]] = field(default_factory=dict)

    def note(self, packet: Packet, time: str) -> list[int]:
        """Enter a part; returns the numbers that are still missing, none of a packet that is whole."""
        number, total = packet.part
        if total == 1:
            return []
        key = (packet.header.get("MN", ""), packet.command, time)
        _, numbers = self.seen.setdefault(key, (total, set()))
        numbers.add(number)
        missing = [one for one in range(1, total + 1) if one not in numbers]
        if not missing:
            del self.seen[key]
        while len(self.seen) > self.most:
            del self.seen[next(iter(self.seen))]
        return missing
