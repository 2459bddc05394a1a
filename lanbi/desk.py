"""What people enter through the API: straight into the person's journal, durable before it is answered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any, Final

from domain.errors import DataFolderBusy, InputError, JournalError, ServiceError
from domain.filings import Filing
from domain.readings import Entry
from ingest.deadletters import bytes_of
from ingest.jobs import REPLAY
from lanbi import attachments, filing_effects, question, wiring
from lanbi.clock import SystemClock
from lanbi.journal import record
from lanbi.mapping_trial import mapped
from lanbi.person_journal import journal, request
from lanbi.registry_change import Signature
from lanbi.registry_edit import table_text
from lanbi.settings import Settings
from lanbi.state import StateView

WAIT_S: Final = 3.0
AGAIN_S: Final = 0.05
PREVIEW_S: Final = 30.0
OWN: Final = 1_000
"""Entries of this process that are remembered until the store has them."""


class PersonDesk:
    """Entries of one data folder, see :class:`api.desk.Desk`.

    The person's journal has one appender at a time, the API, a command line, or ingest when it closes a day: whoever comes second waits.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._one = Lock()
        self._asking = Lock()
        self._made: deque[Entry] = deque(maxlen=OWN)

    def enter(self, kind: str, body: Mapping[str, object]) -> str:
        """Make an entry durable; returns its journal record.

        Raises
        ------
        ServiceError
            Somebody else enters all the while, or the journal takes nothing.
        """
        until = self._clock.monotonic() + WAIT_S
        with self._one:
            while (made := self._try(kind, body)) is None:
                if self._clock.monotonic() > until:
                    raise ServiceError("somebody else enters something", "journal", "try again in a moment")
                self._clock.sleep(AGAIN_S)
            self._made.append(Entry(kind, made, wiring.clock(self._settings).now_ns(), str(body.get("user", "")), dict(body)))
        return made

    def own(self, kind: str) -> list[Entry]:
        """Entries of a kind that this process made lately: they may not have reached the store yet."""
        return [one for one in tuple(self._made) if one.kind == kind]

    def attach(self, content: bytes) -> str:
        """Make a file durable; returns its SHA-256.

        Raises
        ------
        ServiceError
            The disk takes nothing.
        """
        try:
            return attachments.keep(self._settings.data, content)
        except JournalError as error:
            raise ServiceError(error.what, error.where, error.todo) from error

    def attached(self, digest: str) -> bytes | None:
        """The bytes of a hash; None where they are not here."""
        return attachments.read(self._settings.data, digest)

    def accept(self, filing: Filing, person: str, document: str) -> list[str]:
        """Make an enterprise's filing true, see :func:`lanbi.filing_effects.effects`."""
        try:
            return filing_effects.effects(self._settings, self.enter, filing, filing_effects.Ruler(person, document))
        except DataFolderBusy as error:
            raise ServiceError(error.what, error.where, error.todo) from error

    def _try(self, kind: str, body: Mapping[str, object]) -> str | None:
        """The record, or None while somebody else appends."""
        try:
            return journal(self._settings, kind, body)
        except DataFolderBusy:
            return None
        except JournalError as error:
            raise ServiceError(f"the journal takes nothing: {error.what}", error.where, error.todo) from error

    def replay(self, ids: Sequence[int], user: str) -> str:
        """Ask for refusals to be judged once more; returns the journal record of the request."""
        return self.enter(REPLAY, request(self._settings, "deadletters", {"ids": list(ids), "user": user}))

    def preview(self, kind: str, body: Mapping[str, object]) -> tuple[list[Mapping[str, object]], int]:
        """Figures that an entry would change, and how many in all, as the running analytics says.

        Raises
        ------
        ServiceError
            Analytics does not run, answers somebody else, or takes too long.
        """
        told = question.ask(self._settings.data, {"kind": kind, "body": dict(body)}, self._clock)
        return told["changes"], told["count"]

    def _process(self, module: str, asked: Mapping[str, object], what: str) -> dict[str, Any]:
        """What a process of our own answers; one at a time."""
        if not self._asking.acquire(timeout=WAIT_S):
            raise ServiceError(f"another {what} is being computed", what, "try again in a moment")
        try:
            question = {"config": str(self._settings.file) if self._settings.file else None, **asked}
            command = [sys.executable, "-m", module]
            done = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, timeout=PREVIEW_S, check=False)
            told = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise ServiceError(f"the {what} was not computed", what, "enter it without one, or try again") from error
        finally:
            self._asking.release()
        assert isinstance(told, dict)  # noqa: S101  our own process said it
        return told

    def mapping(self, device: str) -> str:
        """The mapping by which a device's messages are read, as it was typed; empty where it has none."""
        known = wiring.registry(self._settings).devices.get(device)
        name = known.mapping.newest if known else None
        return table_text(filing_effects.registry_text(self._settings), "mapping", name) if name else ""

    def try_mapping(self, device: str, mapping: str) -> Mapping[str, Any]:
        """How the dead letters of a device would fare by a mapping, judged in a process of its own."""
        told = self._process("lanbi.mapping_trial", {"device": device, "mapping": mapping}, "trial")
        if "error" in told:
            raise InputError(told["error"]) if told["input"] else ServiceError(told["error"], "trial", "try again")
        return told

    def map(self, device: str, mapping: str, person: str, document: str) -> str:
        """Put a mapping in force for a device; returns the registry's version."""
        try:
            return filing_effects.amend(self._settings, lambda text: mapped(text, device, mapping), Signature(person, document))
        except DataFolderBusy as error:
            raise ServiceError(error.what, error.where, error.todo) from error

    def letter(self, number: int) -> bytes | None:
        """Bytes of a refusal as they came; None where nobody refused anything under this number."""
        view = StateView(self._settings.data)
        try:
            found = [row for known, row in view.refused(after=number - 1, limit=1, resolved=True) if known == number]
        finally:
            view.close()
        if not found:
            return None
        source = record(self._settings.data / "journal", found[0].writer, found[0].seq) if found[0].seq else None
        return bytes_of(source, found[0].element) if source else b""
