"""The person's journal: what people enter and ask for, one durable record each. Without the forwarder, whose libraries the API does not load."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from domain.civil import iso
from ingest.jobs import DOORS
from lanbi import wiring
from lanbi.folders import made
from lanbi.journal import JournalWriter
from lanbi.settings import Settings
from lanbi.state import StateView

TOPIC: Final = "lanbi/v1/~person/"
WRITER: Final = "person"
NS: Final = 10**9


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


def request(settings: Settings, what: str, body: Mapping[str, object]) -> dict[str, object]:
    """A request as it stands in the journal: what is asked for, when, and how far everything was forwarded then."""
    view = StateView(settings.data)
    behind = {writer: view.cursor(writer)[0] for writer in DOORS}
    view.close()
    now = wiring.clock(settings).now_ns() // NS
    given = {name: value for name, value in body.items() if value is not None}
    return {**given, "time": iso(now), "what": what, "behind": behind}
