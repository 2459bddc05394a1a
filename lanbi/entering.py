"""What people enter: a record of the person's journal, made durable, then forwarded like everything else."""

from __future__ import annotations

from collections.abc import Mapping

from domain.errors import DataFolderBusy, InputError, ServiceError, StoreRefused
from lanbi import wiring
from lanbi.forwarding import forward
from lanbi.person_journal import WRITER, journal
from lanbi.settings import Settings

__all__ = ["WRITER", "enter", "journal"]


def enter(settings: Settings, kind: str, body: Mapping[str, str]) -> str:
    """Journal an entry and bring it into the store; with a running ingest, that does the second.

    Parameters
    ----------
    body : mapping
        ``user`` names the person who answers for it.

    Returns
    -------
    str
        Why it does not stand in the store yet; empty if it does, or if a running ingest brings it there in a moment.

    Raises
    ------
    InputError
        Nobody answers for it, or no document says so.
    DataFolderBusy
        Somebody else enters something at this moment.
    JournalError
        It could not be made durable.
    """
    for name, flag in (("user", "--person"), ("document", "--document")):
        if not body.get(name, "").strip():
            raise InputError("an entry needs the person who answers for it and the document that it rests on", flag, f"write {flag} TEXT")
    journal(settings, kind, body)
    try:
        forward(settings, wiring.registry(settings), WRITER)
    except DataFolderBusy:
        return ""
    except (ServiceError, StoreRefused) as error:
        return str(error)
    return ""
