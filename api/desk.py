"""What the API asks of whoever makes people's words durable and keeps the duty log; the adapters live in ``lanbi``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from domain.filings import Filing
from domain.readings import Entry


class Desk(Protocol):
    """What people enter, on its way into the journal."""

    def enter(self, kind: str, body: Mapping[str, object]) -> str:
        """Make an entry durable; returns its journal record.

        Raises
        ------
        ServiceError
            It could not be made durable now.
        """
        ...

    def replay(self, ids: Sequence[int], user: str) -> str:
        """Ask for refusals to be judged once more; returns the journal record of the request."""
        ...

    def preview(self, kind: str, body: Mapping[str, object]) -> tuple[list[Mapping[str, object]], int]:
        """Figures that an entry would change, as analytics computes them without writing, and how many there are in all.

        Raises
        ------
        ServiceError
            Analytics does not answer in time, or the store does not.
        """
        ...

    def own(self, kind: str) -> list[Entry]:
        """Entries of a kind that this process made lately: they may not have reached the store yet."""
        ...

    def attach(self, content: bytes) -> str:
        """Make a file durable; returns its SHA-256."""
        ...

    def attached(self, digest: str) -> bytes | None:
        """The bytes of a hash; None where they are not here."""
        ...

    def accept(self, filing: Filing, person: str, document: str) -> list[str]:
        """Make an enterprise's filing true; returns the journal records, or the registry's version, of what did it.

        Raises
        ------
        InputError
            It does not fit what is stored or registered.
        ServiceError
            It cannot be done now.
        """
        ...

    def mapping(self, device: str) -> str:
        """The mapping by which a device's messages are read, as it was typed; empty where it has none."""
        ...

    def try_mapping(self, device: str, mapping: str) -> Mapping[str, Any]:
        """How the dead letters of a device would fare by a mapping: messages, whole, partly, lost, reasons; nothing is stored.

        Raises
        ------
        InputError
            It is no mapping.
        ServiceError
            It takes too long.
        """
        ...

    def map(self, device: str, mapping: str, person: str, document: str) -> str:
        """Put a mapping in force for a device; returns the registry's version. Raises as :meth:`try_mapping` does."""
        ...

    def letter(self, number: int) -> bytes | None:
        """Bytes of a refusal as they came; None where nobody refused anything under this number."""
        ...


class Alert(NamedTuple):
    """An alert as it was delivered. ``starts`` is kept to the letter, because it is part of what makes an alert the same."""

    fingerprint: str
    starts: str
    status: str
    """``firing`` or ``resolved``."""
    name: str
    severity: str
    team: str
    summary: str
    ends: str
    labels: Mapping[str, str]


class Line(NamedTuple):
    """A line of the duty log: an alert, when it came first [s], how often, and who took note of it."""

    number: int
    received: int
    times: int
    alert: Alert
    person: str
    taken: int | None
    note: str
    record: str


class Duty(Protocol):
    """The duty log."""

    def fault(self, stamp: str, signature: str, body: bytes) -> str:
        """Why a delivery's signature cannot be believed; empty if it can, ``none`` where no secret is set."""
        ...

    def take(self, alerts: Sequence[Alert]) -> int:
        """Write alerts down; what is there already is counted once more. Returns how many were new."""
        ...

    def lines(self, after: int, limit: int, *, waiting: bool) -> list[Line]:
        """Lines below a number (0: the newest), newest first; with ``waiting`` only firing ones that nobody took note of."""
        ...

    def line(self, number: int) -> Line | None:
        """One line."""
        ...

    def acknowledge(self, number: int, person: str, note: str, record: str) -> bool:
        """Write down who took note; False where somebody did before."""
        ...
