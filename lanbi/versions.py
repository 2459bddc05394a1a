"""Versions of everything that outlives a program: journal, databases, backups, settings.

The rule, which decides what a release may change: a minor version reads whatever older ones wrote, and what it writes can be read
and continued by the minor version before it. So it may add tables, indexes and settings, and need them one release later; it may not
add a column to a table that is there. The journal's format changes with a major version only.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from lanbi import accounts, embedded_schema, frames, state_schema, vault
from lanbi.release import RELEASE


class Known(NamedTuple):
    """One part of a data folder: its name, the version that this program writes, and the newest that it can go on with."""

    name: str
    mine: int
    reads: int


def ours() -> dict[str, int | str]:
    """What this program is and writes."""
    return {"lanbi": str(RELEASE), **{one.name: one.mine for one in PARTS}}


PARTS: Final = (
    Known("journal", frames.VERSION, frames.VERSION),
    Known("state.db", state_schema.SCHEMA.version, state_schema.SCHEMA.reads),
    Known("store.db", embedded_schema.SCHEMA.version, embedded_schema.SCHEMA.reads),
    Known("access.db", accounts.SCHEMA.version, accounts.SCHEMA.reads),
    Known("backup", vault.VERSION, vault.VERSION + 1),
)
