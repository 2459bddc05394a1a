"""What a request may carry: only names that the route knows, each once, and no more than a megabyte."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import body, wrong

MOST_BYTES: Final = 1_000_000


async def known_names(request: Request) -> None:
    """Refuse a query name that the route does not know, or one that stands twice: a mistyped filter must not read as "everything".

    What a route knows is what the API's description says of it; what stands in no description (the board's files) is not judged.
    """
    described = request.app.openapi()["paths"].get(path_of(request), {}).get(request.method.lower())
    if described is None:
        return
    known = [one["name"] for one in described.get("parameters", ()) if one["in"] == "query"]
    given = [name for name, _ in request.query_params.multi_items()]
    strange = next((name for name in given if name not in known), None)
    if strange is not None:
        near = next(iter(get_close_matches(strange[:64], known, 1)), "")
        zh, en = (f"，是否想写 {near}？", f"; did you mean {near}?") if near else ("。", ".")
        names = sorted(known)
        raise wrong(near or "?", f"不认识的参数名{zh}可用：{'、'.join(names) or '无'}。", f"Unknown parameter{en} There are: {', '.join(names) or 'none'}.")
    twice = next((name for name in known if given.count(name) > 1), None)
    if twice:
        raise wrong(twice, f"{twice} 只能写一次。", f"{twice} may stand once only.")


def path_of(request: Request) -> str:
    """The route's path as the description writes it, with its parameters in braces."""
    return str(getattr(request.scope.get("route"), "path_format", ""))


async def other_method(request: Request, error: Exception) -> Response:
    """405 with every method of the path: its routes are told one by one, and the router names those of the first (RFC 9110 10.2.1)."""
    answer = body(request, 405)
    described = request.app.openapi()["paths"].get(path_of(request))
    answer.headers.update(getattr(error, "headers", None) or {})
    if described:
        answer.headers["Allow"] = ", ".join(sorted(name.upper() for name in described))
    return answer


class Cap:
    """Cuts bodies off at :data:`MOST_BYTES`, announced or not: 413 before anything is parsed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body counted."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not announced.isdigit() or int(announced[:20]) > MOST_BYTES:
            await body(Request(scope), 413)(scope, receive, send)
            return
        await self.app(scope, self._counting(receive), send)

    @staticmethod
    def _counting(receive: Receive) -> Receive:
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > MOST_BYTES:
                raise HTTPException(413)
            return message

        return counted
