"""The error tree, split by who must act.

::

    LanbiError                     exit 1
    ├── InputError                 exit 2   whoever typed it: wrong input, settings or arguments; nothing changed
    │   ├── FileError                       a file: missing, unreadable, a bad cell
    │   ├── SettingsError                   lanbi.toml or a LANBI_ variable
    │   ├── RegistryError                   the county's registry
    │   ├── PlanError                       a plan of targets
    │   └── NotUnderstood                   a foreign payload; its reason code goes with it
    ├── WorkError                  exit 1   the operator of this machine
    │   ├── DataFolderBusy                  another lanbi works on the same data
    │   ├── PortTaken                       the address is in use
    │   ├── JournalError                    nothing could be made durable (disk full, bad sector)
    │   └── StoreRefused                    the store understood and said no
    └── ServiceError               exit 3   a service that is away; long-running programs retry instead
        ├── BrokerAway
        └── StoreAway

Every error says what is wrong, where, and what to do; the command line prints exactly these three.
"""

from __future__ import annotations


class LanbiError(Exception):
    """Anything that lanbi reports to a person: what, where, what to do."""

    exit_code = 1
    told = False
    """Whether a log has said it already."""

    def __init__(self, what: str, where: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.todo = todo

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.todo:
            parts.append(self.todo)
        return " — ".join(parts)


class InputError(LanbiError):
    """Wrong input, settings or arguments; nothing was changed.

    ``faults`` holds every (where, what) of a look that found several; ``what`` tells them all in words.
    """

    exit_code = 2
    faults: tuple[tuple[str, str], ...] = ()


class FileError(InputError):
    """A file that cannot be used; ``where`` names file, line and column."""


class SettingsError(InputError):
    """A wrong key or value in the settings."""


class RegistryError(InputError):
    """A wrong entry in the county's registry."""


class PlanError(InputError):
    """A wrong entry in a plan of targets."""


class NotUnderstood(InputError):
    """A foreign payload, or a part of it, that cannot be read; ``reason`` is a code of ``domain.reasons``."""

    def __init__(self, what: str, reason: str = "bad-schema") -> None:
        super().__init__(what)
        self.reason = reason


class WorkError(LanbiError):
    """The work failed on this machine."""


class DataFolderBusy(WorkError):
    """Another process holds the lock."""


class PortTaken(WorkError):
    """The address to listen on is in use."""


class JournalError(WorkError):
    """Bytes could not be made durable, so nothing may be acknowledged."""


class StoreRefused(WorkError):
    """The store answered no: token, schema, permission; ``status`` is its own code for it, ``said`` its words in full."""

    status: str = ""
    said: str = ""


class ServiceError(LanbiError):
    """A needed service is unreachable."""

    exit_code = 3


class BrokerAway(ServiceError):
    """The MQTT broker does not answer."""


class StoreAway(ServiceError):
    """The store does not answer; the readings wait in the journal.

    ``status`` is its code, or ``connection`` or ``timeout``; ``wait_s`` is how long it asks to be left alone, None if it does not say.
    """

    status: str = ""
    wait_s: float | None = None
