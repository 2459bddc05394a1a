"""Entries as they are known: those in the store, and those of this process that are on their way there."""

from __future__ import annotations

from api.sources import Sources
from domain.readings import Entry


def known(sources: Sources, kind: str) -> list[Entry]:
    """All entries of a kind, each once, in order of receipt."""
    stored = sources.entries.entered(kind)
    there = {one.id for one in stored}
    fresh = [one for one in sources.desk.own(kind) if one.id not in there] if sources.desk else []
    return sorted([*stored, *fresh], key=lambda one: one.received_ns)
