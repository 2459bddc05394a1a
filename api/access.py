"""The one door: who asks, whether the route is for them, and whether the object is theirs. Every route hangs on :func:`admit`.

With logins off the one caller is this machine, for reading: a request must come from the loopback **and** be addressed to it, for a
page of elsewhere can point its own name at 127.0.0.1 (DNS rebinding), and no proxy may have passed it on, which would open the door to
all. With logins on everybody, also on this machine, brings a session or a key.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Final

from anyio import to_thread
from fastapi import Depends, Request

from api.accounts import Caller, Deed, Doors, owner
from api.limits import ENTRIES, READS, Buckets, OnceAnHour
from api.problems import Problem, unknown
from api.rights import OBJECTS, PUBLIC, ROLES, Rule, rule_of
from api.sources import Sources
from api.strict import path_of

NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
PASSED_ON: Final = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"})
"""What a proxy says of whom it speaks for: a request that bears any of them is not this machine's own."""
COOKIE: Final = "lanbi"
AUTO: Final = "x-lanbi-auto"
LOCAL: Final = Caller("local", "reader", ROLES["operator"] - {"desk", "reply"})
"""This machine, with logins off: everything may be read, nothing entered."""
NOBODY: Final = Caller("nobody", "none", frozenset())
WHOLE: Final = frozenset({"/api/v1/meters", "/api/v1/points", "/api/v1/clues", "/api/v1/orders", "/api/v1/filings", "/api/v1/tasks", "/api/v1/dispatch"})
"""Lists that hold what belongs to every enterprise."""
EVERYBODY: Final = "*"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
NO_LOGINS: Final = (
    "目前只允许本机访问；远程请用 SSH 隧道：ssh -L 8080:127.0.0.1:8080 服务器，然后打开 http://127.0.0.1:8080 。",
    "Only this machine may ask; from elsewhere use a tunnel: ssh -L 8080:127.0.0.1:8080 SERVER, then open http://127.0.0.1:8080 .",
)


async def admit(request: Request) -> Caller:
    """The caller, or a refusal; what others read of an enterprise is noted."""
    sources, buckets = request.app.state.sources, request.app.state.buckets
    assert isinstance(sources, Sources)  # noqa: S101  the factory put it there
    assert isinstance(buckets, Buckets)  # noqa: S101  same
    caller = await _identify(request, sources.doors)
    if caller.door != "local":
        buckets.take(f"{caller.door} {caller.name} {caller.address if caller is NOBODY else ''}", READS)
    method, path = request.method, path_of(request)
    if (method, path) not in PUBLIC:
        _permit(caller, rule_of(method, path), request, sources)
        if caller.bound and method not in SAFE:
            buckets.take(f"enter {caller.name}", ENTRIES)
        await _note(request, sources, caller)
    request.state.caller = caller
    return caller


def caller_of(request: Request) -> Caller:
    """Who asks, as :func:`admit` found out."""
    found = request.state.caller
    assert isinstance(found, Caller)  # noqa: S101  every route hangs on admit
    return found


Whose = Annotated[Caller, Depends(caller_of)]


async def _identify(request: Request, doors: Doors) -> Caller:
    peer, host = request.client.host if request.client else "127.0.0.1", _name(request.headers.get("host", ""))
    address = _address(request, peer, doors)
    if host not in NAMES and host not in doors.names:
        raise Problem(403, *NO_LOGINS) if not doors.login else Problem(403, "不认识这个主机名，请见 http.names。", "Not a name of this server: see http.names.")
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    if kind:
        return await _by_key(doors, kind, key.strip(), address)
    if not doors.login:
        if _loopback(peer) and host in NAMES and PASSED_ON.isdisjoint(request.headers):
            return LOCAL
        raise Problem(403, *NO_LOGINS)
    token = request.cookies.get(COOKIE, "")
    # A board that asks by itself keeps no session alive: only its person does.
    look = partial(doors.accounts.by_session, token, address, active=AUTO not in request.headers) if token and doors.accounts else None
    found = await to_thread.run_sync(look) if look else None
    if found and request.method not in SAFE:
        _same_origin(request)
    return found or Caller(NOBODY.name, NOBODY.role, NOBODY.rights, door="none", address=address)


async def _by_key(doors: Doors, kind: str, key: str, address: str) -> Caller:
    found = await to_thread.run_sync(doors.accounts.by_key, key, address) if kind.lower() == "bearer" and doors.accounts else None
    if found is None:
        headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise Problem(401, "密钥无效、已过期或已撤销。", "The key is wrong, expired or revoked.", headers=headers)
    return found


def _same_origin(request: Request) -> None:
    """The cookie is SameSite=Strict; a browser that does not know that word still names the page that asks."""
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host", ""):
        raise Problem(403, "请求来自别的网页。", "Another page asks in your name.")


def _permit(caller: Caller, rule: Rule | None, request: Request, sources: Sources) -> None:
    if caller.role == NOBODY.role:
        raise Problem(401, "请先登录，或在 Authorization 中带上密钥。", "Log in first, or send a key in Authorization.", headers={"WWW-Authenticate": "Bearer"})
    if rule is None or not (rule.own if caller.bound else rule.right in caller.rights):
        raise Problem(403, "您的角色无权使用这个地址。", "Your role may not use this address.")
    if caller.bound and rule.own == "object":
        named = list(_named(request.path_params, request.query_params))
        if not named:
            raise Problem(403, "请用 scope 等参数写明本企业的对象。", "Name an object of your own enterprise, for example by scope.")
        for name in named:
            if not caller.sees(sources.registry(), name):
                # As unknown: whether it exists elsewhere is nobody's business.
                raise unknown(name) if name.isascii() and name.isprintable() else Problem(404, "没有这个对象。", "No such object.")


def _named(*given: Mapping[str, str]) -> Iterator[str]:
    for names in given:
        yield from (str(value) for key, value in names.items() if key in OBJECTS)


async def _note(request: Request, sources: Sources, caller: Caller) -> None:
    """What anybody but itself reads of an enterprise stands in the audit log, once an hour and address; what is entered, its route notes."""
    audit = sources.doors.audit
    if audit is None or request.method not in SAFE or caller.bound or caller.door == "local":
        return
    registry, path, once = sources.registry(), path_of(request), request.app.state.once
    assert isinstance(once, OnceAnHour)  # noqa: S101  the factory put it there
    whose = {found for one in _named(request.path_params, request.query_params) if (found := owner(registry, one))}
    for name in whose or ({EVERYBODY} if path in WHOLE else ()):
        if once.first((caller.name, caller.address, name, path)):
            await to_thread.run_sync(audit.note, Deed(caller.name, caller.role, caller.address, "read", name, detail=path))


def _address(request: Request, peer: str, doors: Doors) -> str:
    """Where a caller comes from: behind a proxy on this machine, what the proxy says of its own peer."""
    said = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    if doors.login and said and _loopback(peer):
        try:
            return str(ipaddress.ip_address(said))
        except ValueError:
            return peer
    return peer


def _loopback(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False


def _name(host: str) -> str:
    """Host of a Host header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()
