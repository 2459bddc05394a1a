"""A small real mail server on the loopback: it speaks SMTP with STARTTLS, TLS and logins, and can refuse, hang up and be away."""

from __future__ import annotations

import base64
import shutil
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

OPENSSL = shutil.which("openssl")


@dataclass
class MailHouse:
    """What the server took, and how it behaves.

    Attributes
    ----------
    refuse : str
        Address that it refuses.
    hang_up : bool
        Whether it closes the connection at the first command.
    login : (str, str) or None
        User and password without which it takes nothing.
    """

    port: int = 0
    mails: list[tuple[str, bytes]] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    refuse: str = ""
    hang_up: bool = False
    login: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    wrapped: bool = False


class _Talk(socketserver.StreamRequestHandler):
    house: MailHouse

    def handle(self) -> None:
        self._to = ""
        self._known = self.house.login is None
        self._say("220 house")
        while line := self.rfile.readline():
            if self.house.hang_up:
                return
            words = line.decode().strip()
            verb = words.partition(" ")[0].upper()
            if not getattr(self, f"do_{verb}", self._unknown)(words):
                return

    def finish(self) -> None:
        """Close also what was wrapped on the way."""
        super().finish()
        self.request.close()

    def _say(self, line: str) -> bool:
        self.wfile.write(line.encode() + b"\r\n")
        return True

    def _unknown(self, _: str) -> bool:
        return self._say("500 what?")

    def do_EHLO(self, _: str) -> bool:  # noqa: N802
        more = ["8BITMIME", "AUTH PLAIN"] + (["STARTTLS"] if self.house.tls and not self.house.wrapped else [])
        for number, word in enumerate(more):
            self._say(f"250{' ' if number + 1 == len(more) else '-'}{word}")
        return True

    def do_STARTTLS(self, _: str) -> bool:  # noqa: N802
        self._say("220 go on")
        assert self.house.tls
        self.request = self.house.tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        return True

    def do_AUTH(self, words: str) -> bool:  # noqa: N802
        _, user, password = base64.b64decode(words.split()[2]).decode().split("\0")
        self._known = (user, password) == self.house.login
        self.house.logins.append(user)
        return self._say("235 welcome" if self._known else "535 not with that password")

    def do_MAIL(self, _: str) -> bool:  # noqa: N802
        return self._say("250 ok" if self._known else "530 log in first")

    def do_RCPT(self, words: str) -> bool:  # noqa: N802
        self._to = words.partition("<")[2].partition(">")[0]
        return self._say("550 no such person" if self._to == self.house.refuse else "250 ok")

    def do_RSET(self, _: str) -> bool:  # noqa: N802
        return self._say("250 ok")

    def do_DATA(self, _: str) -> bool:  # noqa: N802
        self._say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.house.mails.append((self._to, b"".join(lines)))
        return self._say("250 taken")

    def do_QUIT(self, _: str) -> bool:  # noqa: N802
        self._say("221 bye")
        return False


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    wrap: ssl.SSLContext | None = None

    def get_request(self) -> tuple[object, object]:
        """A connection, inside TLS where the house speaks nothing else."""
        taken, address = super().get_request()
        return (self.wrap.wrap_socket(taken, server_side=True) if self.wrap else taken), address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust us is no matter of ours."""


@contextmanager
def mail_house(house: MailHouse) -> Iterator[MailHouse]:
    """Serve for a while."""
    talk = type("Talk", (_Talk,), {"house": house})
    with _Server(("127.0.0.1", house.port), talk) as server:
        server.wrap = house.tls if house.wrapped else None
        house.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield house
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS for 127.0.0.1, and the certificate that vouches for it."""
    key, pem = folder / "mail.key", folder / "mail.pem"
    command = [str(OPENSSL), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mail", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(pem)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return context, pem
