"""What people enter: a record of the person's journal, made durable, then forwarded like everything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from domain.errors import DataFolderBusy, InputError, ServiceError, StoreRefused
from lanbi import wiring
from lanbi.folders import made
from lanbi.forwarding import forward
from lanbi.journal import JournalWriter
from lanbi.settings import Settings

TOPIC: Final = "lanbi/v1/~person/"
WRITER: Final = "person"


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


def journal(settings: Settings, kind: str, body: Mapping[str, object]) -> str:
    """Make what a person says durable; returns the journal reference of the record.

    Raises
    ------
    DataFolderBusy
        Somebody else enters something at this moment.
    JournalError
        It could not be made durable.
    """
    writer = JournalWriter(made(settings.data) / "journal", WRITER)
    try:
        seq = writer.append(TOPIC + kind, json.dumps(body, ensure_ascii=False).encode(), received_ns=wiring.clock(settings).now_ns(), readings=0)
        writer.commit()
    finally:
        writer.close()
    return f"{WRITER}/{seq}"
