"""Coming in, going out, oneself, and the log of who did what."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from api.access import COOKIE, EVERYBODY, Whose
from api.accounts import Accounts, Deed
from api.answers import answer
from api.bodies import Said, Word
from api.depends import Asked
from api.limits import LOGINS, Buckets
from api.params import Cursor, Limit, pack, unpack
from api.problems import Problem
from api.rights import RIGHTS
from api.schemas import Page
from api.sources import Sources
from domain.civil import iso

router = APIRouter(prefix="/api/v1", tags=["access"])
OFF: Final = ("登录未启用，请见 http.login。", "Logins are off: see http.login.")
WRONG: Final = ("用户名或密码不对；连续失败 5 次的账号停用 15 分钟。", "Name or password is wrong; after 5 failures in a row an account rests for 15 min.")
"""The same for a wrong name, a wrong password and a resting account: a stranger learns nothing about which it was."""


class LoginBody(Said):
    """Name and password."""

    name: Word
    password: Word


class PasswordBody(Said):
    """The old password and the new one."""

    old: Word
    new: Word


class MeAnswer(BaseModel):
    """Who asks, and what it may."""

    name: str
    role: str
    rights: list[str]
    enterprises: list[str] = Field(description="of an enterprise's account: its own, and nothing else exists for it")
    door: str = Field(description="local, key, session, or none")
    login: bool = Field(description="whether logins are on")
    password_due: bool


class DeedAnswer(BaseModel):
    """A line of the audit log."""

    id: int
    time: str
    who: str
    role: str
    address: str
    action: str
    object: str
    result: str
    detail: str


@router.post("/login", status_code=204, response_class=Response)
def login(request: Request, sources: Asked, caller: Whose, said: LoginBody) -> Response:
    """Open a session; the answer sets a cookie that no script can read."""
    accounts, buckets = _accounts(sources), request.app.state.buckets
    assert isinstance(buckets, Buckets)  # noqa: S101  the factory put it there
    buckets.take(f"login {caller.address}", LOGINS)
    opened = accounts.login(said.name, said.password, caller.address)
    if opened is None:
        raise Problem(401, *WRONG)
    done = Response(status_code=204)
    done.set_cookie(COOKIE, opened.token, httponly=True, samesite="strict", secure=sources.doors.secure, path="/")
    return done


@router.post("/logout", status_code=204, response_class=Response)
def logout(request: Request, sources: Asked, caller: Whose) -> Response:
    """End the session."""
    token = request.cookies.get(COOKIE, "")
    if token and sources.doors.accounts:
        sources.doors.accounts.logout(token)
        note(sources, Deed(caller.name, caller.role, caller.address, "logout"))
    done = Response(status_code=204)
    done.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=sources.doors.secure, path="/")
    return done


@router.post("/password", status_code=204, response_class=Response)
def password(request: Request, sources: Asked, caller: Whose, said: PasswordBody) -> Response:
    """Change one's own password; every session of the account ends."""
    if caller.door != "session":
        raise Problem(403, "只有登录的人可以改密码。", "Only a person who is logged in has a password.")
    buckets = request.app.state.buckets
    assert isinstance(buckets, Buckets)  # noqa: S101  the factory put it there
    buckets.take(f"password {caller.name}", LOGINS)  # whoever has found an open session must not guess the password by it
    why = _accounts(sources).change(caller.name, said.old, said.new)
    note(sources, Deed(caller.name, caller.role, caller.address, "password", result="refused" if why else "done"))
    if why:
        raise Problem(422, why, why, "new")
    return Response(status_code=204)


@router.get("/me", response_model=MeAnswer)
def me(request: Request, sources: Asked, caller: Whose) -> Response:
    """Who asks, and what it may."""
    rights = [name for name in RIGHTS if name in caller.rights]
    told = MeAnswer(
        name=caller.name,
        role=caller.role,
        rights=rights,
        enterprises=sorted(caller.enterprises),
        door=caller.door,
        login=sources.doors.login,
        password_due=caller.password_due,
    )
    return answer(request, told)


@router.get("/audit", response_model=Page[DeedAnswer])
def audit(request: Request, sources: Asked, caller: Whose, cursor: Cursor = None, limit: Limit = 100) -> Response:
    """Who did what, newest first; an enterprise finds here who read its data."""
    key = unpack(cursor, int)
    objects = [*sorted(caller.enterprises), EVERYBODY] if caller.bound else None
    found = sources.doors.audit.deeds(int(str(key[0])) if key else 0, limit + 1, objects) if sources.doors.audit else []
    rows = [DeedAnswer(id=one.number, time=iso(one.time), **one.deed._asdict()) for one in found[:limit]]
    return answer(request, Page[DeedAnswer](items=rows, next=pack((found[limit - 1].number,)) if len(found) > limit else None))


def note(sources: Sources, deed: Deed) -> None:
    """Write a deed down where there is a log."""
    if sources.doors.audit:
        sources.doors.audit.note(deed)


def _accounts(sources: Sources) -> Accounts:
    if not sources.doors.login or sources.doors.accounts is None:
        raise Problem(409, *OFF)
    return sources.doors.accounts
