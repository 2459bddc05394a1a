"""What people enter through the API: straight into the person's journal, durable before it is answered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Final

from domain.errors import DataFolderBusy, JournalError, ServiceError
from ingest.deadletters import bytes_of
from ingest.jobs import REPLAY
from lanbi.clock import SystemClock
from lanbi.journal import record
from lanbi.person_journal import journal, request
from lanbi.settings import Settings
from lanbi.state import StateView

WAIT_S: Final = 3.0
AGAIN_S: Final = 0.05
PREVIEW_S: Final = 30.0


class PersonDesk:
    """Entries of one data folder, see :class:`api.desk.Desk`.

    The person's journal has one appender at a time, the API, a command line, or ingest when it closes a day: whoever comes second waits.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._one = Lock()
        self._asking = Lock()

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
        return made

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
        """Figures that an entry would change, and how many in all; one question at a time, in a process of its own.

        Raises
        ------
        ServiceError
            Another question is being answered, or the answer takes too long or fails.
        """
        if not self._asking.acquire(timeout=WAIT_S):
            raise ServiceError("another preview is being computed", "preview", "try again in a moment")
        try:
            asked = {"config": str(self._settings.file) if self._settings.file else None, "kind": kind, "body": dict(body)}
            done = subprocess.run(
                [sys.executable, "-m", "lanbi.rehearsal"], input=json.dumps(asked), capture_output=True, text=True, timeout=PREVIEW_S, check=False
            )
            told = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError) as error:
            raise ServiceError("the preview was not computed", "preview", "enter it without one, or try again") from error
        finally:
            self._asking.release()
        if "error" in told:
            raise ServiceError(told["error"], "preview", "try again")
        return told["changes"], told["count"]

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
