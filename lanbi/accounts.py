"""``access.db``: people, keys, sessions and the audit log. Secrets are kept as hashes only; the log only grows.

Not evidence and not derived: back it up beside the journal. The API and ``lanbi access`` write it; every write is one short
transaction. Times are the machine's, also in the demo, whose simulated hours would end a session in seconds.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from api.accounts import Caller, Deed, Noted, Opened, rights_of
from domain.errors import InputError, StoreAway
from domain.ports import Clock
from lanbi import passwords
from lanbi.embedded_schema import Connections, Schema

NS: Final = 10**9
DAY_S: Final = 86_400
TRIES: Final = 5
"""Wrong passwords in a row, then the account rests."""
REST_S: Final = 900
IDLE_S: Final = 1_800
LONGEST_S: Final = 12 * 3_600
TOUCH_S: Final = 60
"""A session's or key's last use is written at most this often."""
PASSWORD_DAYS: Final = 90
KEY: Final = "lb"
KEPT_DAYS: Final = 180
"""The law asks for six months (网络安全法); the log refuses to lose anything younger."""
SCHEMA: Final = Schema(
    1,
    f"""
CREATE TABLE person (name TEXT PRIMARY KEY, role TEXT NOT NULL, enterprises TEXT NOT NULL, hash TEXT NOT NULL, changed INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0, rests_until INTEGER NOT NULL DEFAULT 0, disabled INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE session (digest TEXT PRIMARY KEY, name TEXT NOT NULL, opened INTEGER NOT NULL, seen INTEGER NOT NULL, address TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE token (id TEXT PRIMARY KEY, digest TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, rights TEXT NOT NULL, enterprises TEXT NOT NULL,
    made INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, revoked INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, who TEXT NOT NULL, role TEXT NOT NULL, address TEXT NOT NULL,
    action TEXT NOT NULL, object TEXT NOT NULL, result TEXT NOT NULL, detail TEXT NOT NULL, chain TEXT NOT NULL);
CREATE INDEX audit_object ON audit (object, id);
CREATE TRIGGER audit_stands BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER audit_stays BEFORE DELETE ON audit WHEN old.time > CAST(strftime('%s') AS INTEGER) - {KEPT_DAYS * DAY_S}
    BEGIN SELECT RAISE(ABORT, 'the audit log keeps {KEPT_DAYS} days'); END""",
)
NO_HASH: Final = "$argon2id$v=19$m=65536,t=3,p=4$" + "A" * 22 + "$" + "A" * 43
"""Of nobody: an unknown name takes as long as a known one."""


class AccountFile:
    """Accounts, sessions, keys and the log of one data folder, see :class:`api.accounts.Accounts` and :class:`api.accounts.Audit`."""

    def __init__(self, data: Path, clock: Clock) -> None:
        self._files = Connections(data / "access.db", SCHEMA, what="file of the accounts")
        (data / "access.db").chmod(0o600)
        self._clock = clock

    def now(self) -> int:
        """Seconds since 1970."""
        return self._clock.now_ns() // NS

    def by_key(self, text: str, address: str) -> Caller | None:
        """Who holds this key; None for a wrong, expired or revoked one."""
        _, name, secret = (*text.split("_", 2), "", "")[:3]
        now = self.now()
        rows = self._files.all(
            "SELECT digest, name, role, rights, enterprises, used FROM token WHERE id = ? AND NOT revoked AND expires > ?", (_plain(name), now)
        )
        if not rows or not hmac.compare_digest(rows[0][0], _digest(secret)):
            return None
        _, holder, role, rights, enterprises, used = rows[0]
        if now - used >= TOUCH_S:
            self._touch("UPDATE token SET used = ? WHERE id = ?", (now, name))
        return Caller(holder, role, rights_of(role, json.loads(rights)), frozenset(json.loads(enterprises)), "key", address)

    def by_session(self, token: str, address: str, *, active: bool) -> Caller | None:
        """Whose session this is, which goes on if a person is active; None for an unknown or timed-out one."""
        now, digest = self.now(), _digest(token)
        text = """SELECT person.name, role, enterprises, changed, seen FROM session JOIN person USING (name)
            WHERE digest = ? AND NOT disabled AND seen > ? AND opened > ?"""
        rows = self._files.all(text, (digest, now - IDLE_S, now - LONGEST_S))
        if not rows:
            return None
        name, role, enterprises, changed, seen = rows[0]
        if active and now - seen >= TOUCH_S:
            self._touch("UPDATE session SET seen = ? WHERE digest = ?", (now, digest))
        due = now - changed > PASSWORD_DAYS * DAY_S
        return Caller(name, role, rights_of(role), frozenset(json.loads(enterprises)), "session", address, password_due=due)

    def login(self, name: str, password: str, address: str) -> Opened | None:
        """Open a session; None if refused. A try is counted before it is judged, so that many at once are no way around."""
        now, kept, rests = self.now(), NO_HASH, 0
        with self._files.write() as db:
            found = db.execute("SELECT hash, failures, rests_until FROM person WHERE name = ? AND NOT disabled", (_plain(name),)).fetchone()
            if found:
                kept, failures, rests = found
                if rests <= now:
                    last = failures + 1 >= TRIES
                    db.execute("UPDATE person SET failures = ?, rests_until = ? WHERE name = ?", (0 if last else failures + 1, now + REST_S * last, name))
        good = passwords.fits(password, kept) and bool(found)
        if rests > now or not good:
            self.note(Deed(_plain(name)[:64], "", address, "login", result="refused", detail="resting" if rests > now else "wrong"))
            return None
        token = secrets.token_urlsafe(32)
        with self._files.write() as db:
            db.execute("UPDATE person SET failures = 0, rests_until = 0 WHERE name = ?", (name,))
            db.execute("DELETE FROM session WHERE seen <= ? OR opened <= ?", (now - IDLE_S, now - LONGEST_S))
            db.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?)", (_digest(token), name, now, now, address))
        self.note(Deed(name, "", address, "login"))
        return Opened(token)

    def logout(self, token: str) -> None:
        """End a session."""
        self._do("DELETE FROM session WHERE digest = ?", (_digest(token),))

    def change(self, name: str, old: str, new: str) -> str:
        """Change a password and end the person's sessions; returns why not, empty if done."""
        rows = self._files.all("SELECT hash FROM person WHERE name = ?", (_plain(name),))
        if not passwords.fits(old, rows[0][0] if rows else NO_HASH):
            return "原密码不对 the old password is wrong"
        wrong = "新旧密码相同 the new password is the old one" if old == new else passwords.fault(new, name)
        if not wrong:
            self.renew(name, new)
        return wrong

    def add(self, name: str, role: str, password: str, enterprises: Sequence[str]) -> None:
        """Register a person.

        Raises
        ------
        InputError
            The name is taken, or the password will not do.
        """
        wrong = passwords.fault(password, name)
        if wrong:
            raise InputError(wrong, "--password-file", "choose another, or leave it out and get one made")
        if self._files.all("SELECT 1 FROM person WHERE name = ?", (name,)):
            raise InputError(f"there is a user {name} already", "NAME", "choose another name")
        self._do(
            "INSERT INTO person (name, role, enterprises, hash, changed) VALUES (?, ?, ?, ?, ?)",
            (name, role, json.dumps(list(enterprises)), passwords.hashed(password), self.now()),
        )

    def renew(self, name: str, password: str) -> None:
        """Give a person a new password: it may log in again at once, and its sessions end."""
        kept = passwords.hashed(password)
        with self._files.write() as db:
            db.execute("UPDATE person SET hash = ?, changed = ?, failures = 0, rests_until = 0 WHERE name = ?", (kept, self.now(), name))
            db.execute("DELETE FROM session WHERE name = ?", (name,))

    def disable(self, name: str, *, disabled: bool = True) -> None:
        """Shut a person out, or let it in again; its sessions end."""
        with self._files.write() as db:
            db.execute("UPDATE person SET disabled = ?, failures = 0, rests_until = 0 WHERE name = ?", (disabled, name))
            db.execute("DELETE FROM session WHERE name = ?", (name,))

    def people(self) -> list[Any]:
        """Name, role, enterprises, changed, failures, rests until, disabled."""
        return self._files.all("SELECT name, role, enterprises, changed, failures, rests_until, disabled FROM person ORDER BY name")

    def give(self, holder: str, role: str, rights: Sequence[str], enterprises: Sequence[str], days: int) -> str:
        """Make a key; the answer is the only time that it is seen."""
        name, secret, now = secrets.token_hex(4), secrets.token_urlsafe(32), self.now()
        words = (name, _digest(secret), holder, role, json.dumps(list(rights)), json.dumps(list(enterprises)), now, now + days * DAY_S)
        self._do("INSERT INTO token (id, digest, name, role, rights, enterprises, made, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", words)
        return f"{KEY}_{name}_{secret}"

    def revoke(self, name: str) -> bool:
        """Take a key back; whether there was one."""
        found = bool(self._files.all("SELECT 1 FROM token WHERE id = ? AND NOT revoked", (name,)))
        self._do("UPDATE token SET revoked = 1 WHERE id = ?", (name,))
        return found

    def tokens(self) -> list[Any]:
        """Id, holder, role, rights, enterprises, made, expires, used, revoked."""
        return self._files.all("SELECT id, name, role, rights, enterprises, made, expires, used, revoked FROM token ORDER BY made")

    def note(self, deed: Deed) -> None:
        """Make a deed durable; each line holds the digest of the one before, so that a line that was taken out shows."""
        now = self.now()
        with self._files.write() as db:
            last = db.execute("SELECT chain FROM audit ORDER BY id DESC LIMIT 1").fetchone()
            chain = _chained(last[0] if last else "", (now, *deed))
            db.execute(
                "INSERT INTO audit (time, who, role, address, action, object, result, detail, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (now, *deed, chain)
            )

    def deeds(self, after: int, limit: int, objects: Sequence[str] | None) -> list[Noted]:
        """Deeds below a number (0: the newest), newest first; of these objects only, where they are named."""
        where = "" if objects is None else "AND object IN (SELECT value FROM json_each(?)) "
        text = f"SELECT id, time, who, role, address, action, object, result, detail FROM audit WHERE id < ? {where}ORDER BY id DESC LIMIT ?"  # noqa: S608  our own words
        values = (after or 2**62, *(() if objects is None else (json.dumps(list(objects)),)), limit)
        return [Noted(row[0], row[1], Deed(*row[2:])) for row in self._files.all(text, values)]

    def broken(self) -> int | None:
        """Number of the first line of the log that does not follow from the one before; None if all do."""
        before = None
        for number, *row, chain in self._files.all("SELECT id, time, who, role, address, action, object, result, detail, chain FROM audit ORDER BY id"):
            if before is not None and _chained(before, tuple(row)) != chain:
                return int(number)
            before = chain
        return None

    def close(self) -> None:
        """Close this thread's connection."""
        self._files.close()

    def _touch(self, text: str, values: Sequence[object]) -> None:
        """Write down a last use; a disk that takes nothing must not shut out who came to see why."""
        with suppress(StoreAway):
            self._do(text, values)

    def _do(self, text: str, values: Sequence[object]) -> None:
        with self._files.write() as db:
            db.execute(text, values)


def _digest(secret: str) -> str:
    """A random secret of 256 bits needs no stretching."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _chained(before: str, row: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps([before, *row], ensure_ascii=False).encode()).hexdigest()


def _plain(text: str) -> str:
    """Text that a database takes: what is no text is nobody's name."""
    return text if text.isprintable() else "?"
