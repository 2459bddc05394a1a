"""What a person asks the forwarder to do again: a request in the person's journal becomes a job with a durable position. Pure.

The request is evidence, so that a stored value can always be traced to who had it replayed, and so that it reaches the one
process that may write the store, wherever that runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from domain.civil import parse_time
from domain.readings import Entry, Key, Reading

REPLAY: Final = "replay"
NS: Final = 1_000_000_000
EVER: Final = 2**63 - 1
WAITING: Final = "waiting"
DONE: Final = "done"
FAILED: Final = "failed"
DOORS: Final = ("person", "mqtt", "hj212", "import")
"""Order in which a job walks the journal: what people entered first, as in the live path."""

DEADLETTERS: Final = "deadletters"
RECONCILE: Final = "reconcile"
RECHECK: Final = "recheck"
COUNTS: Final = ("rows", "missing", "different", "extra", "repaired", "removed", "remaining")
"""What a reconciliation counts, in rows; those of the middle three that were mended, and those that were not, follow."""
What = Literal["replay", "deadletters", "reconcile"]


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """A request as it stands in the journal; times are RFC 3339, ``to`` is included."""

    user: str
    time: str
    what: What
    since: str | None = None
    to: str | None = None
    writers: list[Literal["person", "mqtt", "hj212", "import"]] | None = None
    source: str | None = None
    registry: Literal["now", "then"] = "now"
    reason: str | None = None
    device: str | None = None
    ids: list[int] | None = None
    repair: bool = False
    remove: bool = False
    behind: dict[str, int] | None = None


class Job(msgspec.Struct):
    """A request being worked off.

    Attributes
    ----------
    id : str
        Journal reference of the request.
    upto : dict of writer to int
        Last record of each writer that belongs to the job: what came later is the live path's.
    writer, seq : str, int
        Position: everything of earlier writers and up to this record is done.
    slices : int
        Slices done, a sign of life.
    records, wanted : int
        Records done, and how many there are, for a progress bar.
    counts : dict
        Of a replay ``read stored duplicate deadletter quarantined resolved left unreadable``, read = the four outcomes; of a
        reconciliation ``rows missing different extra repaired removed remaining``.
    gentle : bool
        Nobody asked for it: it makes way for everything else, and is forgotten after a while.
    after_ns : int
        It begins at this moment at the earliest.
    behind : dict of writer to int
        Of a second look: the records that it looks at follow this one.
    only : list of int
        Of a second look: only these records; empty = all.
    touching : dict of day to list of str
        Sources on a day whose rows the unfinished slice was about to write: announced again after a crash.
    """

    id: str
    what: str
    asked_ns: int
    user: str
    since_ns: int = 0
    to_ns: int = EVER
    writers: list[str] = []
    source: str | None = None
    registry: str = "now"
    reason: str | None = None
    device: str | None = None
    ids: list[int] | None = None
    repair: bool = False
    remove: bool = False
    gentle: bool = False
    after_ns: int = 0
    behind: dict[str, int] = {}
    only: list[int] = []
    upto: dict[str, int] = {}
    state: str = WAITING
    detail: str = ""
    writer: str = ""
    seq: int = 0
    slices: int = 0
    records: int = 0
    wanted: int = 0
    counts: dict[str, int] = {}
    touching: dict[int, list[str]] = {}

    @property
    def open(self) -> bool:
        """Whether there is still something to do."""
        return self.state == WAITING

    def count(self, name: str, by: int = 1) -> None:
        """Add to the account."""
        self.counts[name] = self.counts.get(name, 0) + by


class Finding(NamedTuple):
    """A row that is not as the journal says: expected is None where no record knows it, found is None where the store lacks it."""

    what: Literal["missing", "different", "extra"]
    key: Key
    expected: Reading | None
    found: Reading | None
    mended: bool = False


def job_of(entry: Entry, cursors: Mapping[str, int]) -> Job:
    """The job that an entry asks for; one that cannot be understood has failed before it began. Never raises.

    Parameters
    ----------
    cursors : mapping of writer to int
        How far the live path is. A request that knew it further on is older than this state: everything is being forwarded
        again anyway, so the job is done at once.
    """
    try:
        asked = msgspec.convert(dict(entry.body), Asked)
        since, to = _ns(asked.since, 0), _ns(asked.to, EVER - NS) + NS - 1
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        return Job(entry.id, "", entry.received_ns, entry.user, state=FAILED, detail=f"not understood: {error}"[:300])
    writers = [name for name in DOORS if asked.writers is None or name in asked.writers]
    rebuilt = any(seq > cursors.get(name, 0) for name, seq in (asked.behind or {}).items())
    return Job(
        entry.id, asked.what, entry.received_ns, asked.user, since, to, writers, asked.source, asked.registry, asked.reason, asked.device, asked.ids, asked.repair, asked.remove,
        upto={name: cursors.get(name, 0) for name in writers},
        state=DONE if rebuilt else WAITING,
        detail="the state is being rebuilt from the journal: everything is judged anew without this" if rebuilt else "",
    )  # fmt: skip


def _ns(text: str | None, absent: int) -> int:
    return absent if text is None else parse_time(text) * NS
