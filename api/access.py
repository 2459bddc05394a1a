"""Who may read what.

Until people and keys have logins, the one caller is this machine: a request must come from the loopback **and** be addressed
to it, for a page of elsewhere can point its own name at 127.0.0.1 (DNS rebinding), and a proxy would open the door to all.
Every route asks :func:`admit`; logins and roles replace its body, not its callers.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from api.problems import Problem

NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and as what."""

    name: str
    role: str


LOCAL: Final = Caller("local", "reader")


async def admit(request: Request) -> Caller:
    """The caller, or a refusal."""
    peer = request.client.host if request.client else "127.0.0.1"
    host = request.headers.get("host", "")
    if _loopback(peer) and _name(host) in NAMES:
        return LOCAL
    raise Problem(
        403,
        "目前只允许本机访问；远程请用 SSH 隧道：ssh -L 8080:127.0.0.1:8080 服务器，然后打开 http://127.0.0.1:8080 。",
        "Only this machine may ask; from elsewhere use a tunnel: ssh -L 8080:127.0.0.1:8080 SERVER, then open http://127.0.0.1:8080 .",
    )


def _loopback(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """Host of a Host header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host
