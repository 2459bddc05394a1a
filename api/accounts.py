"""What the API asks of whoever keeps accounts, keys, sessions and the audit log; the adapter lives in ``lanbi``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from api.rights import BOUND, ROLES
from domain.places import Registry


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as what, and from where.

    Attributes
    ----------
    enterprises : frozenset of ids
        Of an enterprise's people and keys: the only ones whose objects exist for them.
    door : str
        ``local``, ``key`` or ``session``.
    """

    name: str
    role: str
    rights: frozenset[str]
    enterprises: frozenset[str] = frozenset()
    door: str = "local"
    address: str = ""
    password_due: bool = False

    @property
    def bound(self) -> bool:
        """Whether only objects of its own enterprises exist for this caller."""
        return self.role == BOUND

    def sees(self, registry: Registry, name: str) -> bool:
        """Whether an object exists for this caller: a meter, point, line, source or enterprise."""
        return not self.bound or owner(registry, name) in self.enterprises


def owner(registry: Registry, name: str) -> str | None:
    """The enterprise that an object belongs to, or is; None for the county's own places and unknown names."""
    if name in registry.enterprises:
        return name
    for places in (registry.meters, registry.points, registry.lines):
        place = places.get(name)
        if place:
            return str(place.enterprise)
    return None


def rights_of(role: str, only: Sequence[str] = ()) -> frozenset[str]:
    """Rights of a role, or those of them that are named."""
    return ROLES[role] & frozenset(only) if only else ROLES[role]


class Opened(NamedTuple):
    """A session: its secret, for the cookie."""

    token: str


class Deed(NamedTuple):
    """A line of the audit log: who did or read what, from where, and what came of it; never with a secret."""

    who: str
    role: str
    address: str
    action: str
    object: str = ""
    result: str = "done"
    detail: str = ""


class Noted(NamedTuple):
    """A deed with its number and time [s]."""

    number: int
    time: int
    deed: Deed


class Accounts(Protocol):
    """Accounts, keys, sessions."""

    def by_key(self, text: str, address: str) -> Caller | None:
        """Who holds this key; None for a wrong, expired or revoked one."""
        ...

    def by_session(self, token: str, address: str, *, active: bool) -> Caller | None:
        """Whose session this is, which goes on if a person is active; None for an unknown or timed-out one."""
        ...

    def login(self, name: str, password: str, address: str) -> Opened | None:
        """Open a session; None for a wrong name or password, or while the account rests."""
        ...

    def logout(self, token: str) -> None:
        """End a session."""
        ...

    def change(self, name: str, old: str, new: str) -> str:
        """Change a password and end the person's sessions; returns why not, empty if done."""
        ...


class Audit(Protocol):
    """The append-only log of deeds."""

    def note(self, deed: Deed) -> None:
        """Make a deed durable."""
        ...

    def deeds(self, after: int, limit: int, objects: Sequence[str] | None) -> list[Noted]:
        """Deeds below a number (0: the newest), newest first; of these objects only, where they are named."""
        ...


@dataclass(frozen=True)
class Doors:
    """How callers come in.

    Attributes
    ----------
    login : bool
        False: this machine alone, for reading. True: everybody logs in or brings a key.
    names : frozenset of str
        Host names under which the API may be asked, besides those of the loopback.
    secure : bool
        Whether the cookie is for TLS only.
    """

    accounts: Accounts | None = None
    audit: Audit | None = None
    login: bool = False
    names: frozenset[str] = field(default_factory=frozenset)
    secure: bool = False
