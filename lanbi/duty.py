"""``duty.db``: the duty log, one line an alert and state, whatever is delivered how often.

Written by the serve process. Who took note of a line stands in the person's journal too; that is the evidence, this the desk's copy.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from api.desk import Alert, Line
from domain.ports import Clock
from lanbi.embedded_schema import Connections, Schema
from lanbi.secret import Secret

NS: Final = 10**9
NEAR_S: Final = 300
"""A delivery whose time stamp is farther away is an old one, sent again by somebody."""
SCHEMA: Final = Schema(
    1,
    """
CREATE TABLE line (id INTEGER PRIMARY KEY AUTOINCREMENT, fingerprint TEXT NOT NULL, starts TEXT NOT NULL, status TEXT NOT NULL, name TEXT NOT NULL,
    severity TEXT NOT NULL, team TEXT NOT NULL, summary TEXT NOT NULL, ends TEXT NOT NULL, labels TEXT NOT NULL, received INTEGER NOT NULL,
    times INTEGER NOT NULL DEFAULT 1, person TEXT NOT NULL DEFAULT '', taken INTEGER, note TEXT NOT NULL DEFAULT '', record TEXT NOT NULL DEFAULT '',
    UNIQUE (fingerprint, starts, status));
CREATE INDEX line_waiting ON line (status, person, id)""",
)
_ALERT: Final = ", ".join(Alert._fields)
_LINE: Final = f"id, received, times, {_ALERT}, person, taken, note, record"
_OVER: Final = "EXISTS (SELECT 1 FROM line AS after WHERE after.fingerprint = line.fingerprint AND after.starts = line.starts AND after.status = 'resolved')"


class DutyFile:
    """The duty log of one data folder, see :class:`api.desk.Duty`."""

    def __init__(self, data: Path, clock: Clock, secret: Secret | None = None, tell: Callable[[Sequence[Alert]], None] = lambda _: None) -> None:
        self._files = Connections(data / "duty.db", SCHEMA, what="duty log")
        self._clock = clock
        self._secret = secret
        self._tell = tell

    def fault(self, stamp: str, signature: str, body: bytes) -> str:
        """Why a delivery's signature cannot be believed; empty if it can, ``none`` where no secret is set."""
        if self._secret is None:
            return "none"
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 15) or abs(int(stamp) - self._clock.now_ns() // NS) > NEAR_S:
            return "time stamp"
        signed = hmac.new(self._secret.reveal().encode(), f"{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        return "" if hmac.compare_digest(signed.encode(), signature.encode()) else "signature"

    def take(self, alerts: Sequence[Alert]) -> int:
        """Write alerts down; what is there already is counted once more, what is new is told on. Returns how many were new."""
        now, names = self._clock.now_ns() // NS, f"{_ALERT}, received"
        text = f"INSERT INTO line ({names}) VALUES ({', '.join('?' * 10)}) ON CONFLICT DO UPDATE SET times = times + 1, ends = excluded.ends"  # noqa: S608  our own columns
        with self._files.write() as db:
            known = "SELECT 1 FROM line WHERE fingerprint = ? AND starts = ? AND status = ?"
            new = [one for one in dict.fromkeys(alert[:3] for alert in alerts) if not db.execute(known, one).fetchone()]
            db.executemany(text, [(*one[:-1], json.dumps(dict(one.labels), ensure_ascii=False), now) for one in alerts])
        if new:
            self._tell([alert for alert in {one[:3]: one for one in alerts}.values() if alert[:3] in new])
        return len(new)

    def lines(self, after: int, limit: int, *, waiting: bool) -> list[Line]:
        """Lines below a number (0: the newest), newest first; with ``waiting`` only firing ones that nobody took note of."""
        more = f"AND status = 'firing' AND person = '' AND NOT {_OVER} " if waiting else ""
        text = f"SELECT {_LINE} FROM line WHERE id < ? {more}ORDER BY id DESC LIMIT ?"  # noqa: S608  our own columns
        return [_line(row) for row in self._files.all(text, (after or 2**62, limit))]

    def line(self, number: int) -> Line | None:
        """One line."""
        rows = self._files.all(f"SELECT {_LINE} FROM line WHERE id = ?", (number,))  # noqa: S608  our own columns
        return _line(rows[0]) if rows else None

    def acknowledge(self, number: int, person: str, note: str, record: str) -> bool:
        """Write down who took note; False where somebody did before."""
        with self._files.write() as db:
            text = "UPDATE line SET person = ?, taken = ?, note = ?, record = ? WHERE id = ? AND person = ''"
            return bool(db.execute(text, (person, self._clock.now_ns() // NS, note, record, number)).rowcount)

    def close(self) -> None:
        """Close this thread's connection."""
        self._files.close()


def _line(row: Sequence[Any]) -> Line:
    alert = Alert._make((*row[3:11], json.loads(row[11])))
    return Line(row[0], row[1], row[2], alert, *row[12:])
