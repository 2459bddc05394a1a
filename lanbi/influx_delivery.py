"""What an InfluxDB refused of a body: which lines, which item of them, or that the fault is not in the data at all.

The server tells a refusal in three dialects: 400 and nothing of the body is kept, 422 and the rest is kept, and, in some
versions, 500 for what is a 422 elsewhere. So its words are read, not its status; where they name no line, halves of the body
are tried until one line is left. Trying means writing, which is harmless: the same rows are written whole once more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from domain.errors import StoreRefused
from domain.readings import Reading, Rejected

MANY: Final = 16
"""More lines than this refused at once are no bad data (the forwarder counts over a whole batch)."""
REJECTED: Final = "store-rejected"
TOO_OLD: Final = "too-old"
_CONFLICT: Final = re.compile(r'input field "([^"]+)" on measurement "([^"]+)" is type (\w+), already exists as type (\w+)')
_DROPPED: Final = re.compile(r"dropped=(\d+)")
_LINE: Final = re.compile(r"unable to parse '(.*)': (.*)")
_BOUND: Final = re.compile(r"Retention Policy Lower Bound at ([0-9-]+T[0-9:]+)\.?\d*Z")

Send = Callable[[Sequence[bytes]], None]


class Words(NamedTuple):
    """What the server's words say: the field and table in conflict, why, how many lines were dropped."""

    field: str
    table: str
    why: str
    dropped: int | None


def words(said: str) -> Words:
    """Read a refusal.

    >>> words('partial write: field type conflict: input field "ph" on measurement "water" is type float, already exists as type string dropped=3')
    Words(field='ph', table='water', why='field type conflict: "ph" is float, the store has string', dropped=3)
    """
    count = _DROPPED.search(said)
    dropped = int(count[1]) if count else None
    found = _CONFLICT.search(said)
    if not found:
        return Words("", "", said.partition("\n")[0][:200], dropped)
    field, table, ours, theirs = found.groups()
    return Words(field, table, f'field type conflict: "{field}" is {ours}, the store has {theirs}', dropped)


@dataclass
class Body:
    """Rows of one body, the lines that say them, and the way to send lines."""

    rows: Sequence[Reading]
    lines: Sequence[bytes]
    send: Send

    def deliver(self) -> list[Rejected]:
        """Send the body.

        Returns
        -------
        list of Rejected
            Empty if all of it is stored; else what was found that the server will never take. There may be more of it.

        Raises
        ------
        StoreRefused
            The server refuses for a cause that no row bears.
        """
        try:
            self.send(self.lines)
        except StoreRefused as error:
            if not error.said:
                raise
            return self._refused(error)
        return []

    def _refused(self, error: StoreRefused) -> list[Rejected]:
        bound = _BOUND.search(error.said)
        if bound:
            return self._too_old(error, bound[1])
        named = self._named(error.said)
        told = words(error.said)
        if max(len(named), told.dropped or 0) > MANY:
            raise error
        return named or self._searched(error, told)

    def _too_old(self, error: StoreRefused, bound: str) -> list[Rejected]:
        """What lies beyond the retention is known by its time alone, however much it is."""
        oldest = int(datetime.fromisoformat(f"{bound}+00:00").timestamp()) + 1
        found = [Rejected(row.key, None, TOO_OLD, f"the store keeps nothing before {bound}Z") for row in self.rows if row.time < oldest]
        if not found:
            raise error
        return found

    def _named(self, said: str) -> list[Rejected]:
        """Lines that the server repeats in its words."""
        places = {line: place for place, line in enumerate(self.lines)}
        named = [(places[line.encode()], why) for line, why in _LINE.findall(said) if line.encode() in places]
        return [Rejected(self.rows[place].key, None, REJECTED, why) for place, why in named]

    def _searched(self, error: StoreRefused, told: Words) -> list[Rejected]:
        suspects = [place for place, row in enumerate(self.rows) if not told.field or (row.kind == told.table and _item(row, told.field) is not None)]
        if not suspects:
            raise error
        places, last = self._isolate(suspects, told)
        return [_rejection(self.rows[place], [last, told]) for place in places]

    def _isolate(self, suspects: Sequence[int], told: Words) -> tuple[Sequence[int], Words]:
        """One refused line, or several of which the server says that it dropped them all; and its words about them."""
        if told.dropped == len(suspects) > 1:
            again = self._try(suspects)
            if again and again.dropped == len(suspects):
                return suspects, again
        while len(suspects) > 1:
            middle = (len(suspects) + 1) // 2
            half = self._try(suspects[:middle])
            suspects = suspects[:middle] if half else suspects[middle:]
            told = half or told
            if half and half.dropped == len(suspects) and half.field:
                break
        return suspects, told

    def _try(self, places: Sequence[int]) -> Words | None:
        """Send some of the lines; None if the server takes them."""
        try:
            self.send([self.lines[place] for place in places])
        except StoreRefused as error:
            if not error.said:
                raise
            return words(error.said)
        return None


def _rejection(row: Reading, told: Sequence[Words]) -> Rejected:
    """The item that the words name, where the row has it; else the row."""
    for one in told:
        item = _item(row, one.field)
        if item:
            return Rejected(row.key, item, REJECTED, one.why)
    return Rejected(row.key, None, REJECTED, told[0].why)


def _item(row: Reading, field: str) -> str | None:
    """The item of a row to which a field belongs; empty if it is the row's own, None if the row does not have it."""
    if field == "rev":
        return ""
    name = field.removesuffix("_f")
    return name if name in row.values else None
