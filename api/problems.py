"""Every error as ``application/problem+json`` (RFC 9457), in the caller's language, without an echo of what was sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from domain.errors import InputError, LanbiError, ServiceError, StoreRefused

MEDIA: Final = "application/problem+json"

# Status → (title zh, title en, what to do zh, what to do en) for what the framework itself refuses.
_WORDS: Final = {
    400: ("请求有误", "Bad request", "请检查请求格式。", "Check the form of the request."),
    401: ("需要登录", "Login needed", "请先登录，或在 Authorization 中带上密钥。", "Log in first, or send a key in Authorization."),
    403: ("不允许", "Not allowed", "没有权限。", "You may not read this."),
    404: ("没有这个地址", "Not found", "请核对路径和编号；路径表见 /api/v1/openapi.json。", "Check path and id; /api/v1/openapi.json lists the paths."),
    405: ("方法不支持", "Method not allowed", "请用接口说明里列出的方法。", "Use a method that the API's description lists."),
    406: ("没有这种格式", "Not acceptable", "请用 application/json；序列也可用 text/csv。", "Ask for application/json; series also come as text/csv."),
    409: ("状态冲突", "Conflict", "请刷新后再试。", "Look again and try once more."),
    413: ("正文过大", "Too large", "请求正文不得超过 1 MB。", "The body may have 1 MB at most."),
    415: ("正文类型有误", "Unsupported body", "正文请用 application/json。", "Send the body as application/json."),
    422: ("参数有误", "Wrong parameter", "请改正所列参数。", "Mend the parameters listed."),
    429: ("请求过多", "Too many requests", "请稍后再试。", "Wait a moment, then ask again."),
    500: ("服务内部错误", "Internal error", "已记入日志，请联系管理员。", "It is in the log; tell the administrator."),
    503: ("暂时无法提供", "Unavailable", "请稍后再试。", "Try again later."),
}


PAGE: Final = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{title_zh} {title_en}</title>
<link rel="icon" href="/board/mark.svg" type="image/svg+xml"><link rel="stylesheet" href="/board/board.css"></head>
<body><main class="door panel"><h1>{title_zh} <small lang="en">{title_en}</small></h1><p>{zh}</p><p class="note" lang="en">{en}</p>
<p><a href="/">回到看板 <span lang="en">Back to the board</span></a></p></main></body></html>
"""
"""What a person sees who typed an address that is none of the API's."""


class Problem(Exception):
    """A refusal with a sentence for the caller, in both languages."""

    def __init__(self, status: int, zh: str, en: str, parameter: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(en)
        self.status = status
        self.zh = zh
        self.en = en
        self.parameter = parameter
        self.headers = headers or {}


def wrong(parameter: str, zh: str, en: str) -> Problem:
    """A parameter that cannot be used."""
    return Problem(422, zh, en, parameter)


def unknown(name: str) -> Problem:
    """An id that is not registered; it is well-formed, so naming it echoes nothing strange."""
    return Problem(404, f"登记册里没有 {name}。", f"The registry has no {name}.")


def install(app: FastAPI) -> None:
    """Map every error of an app; the map is total."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(LanbiError, _ours)
    app.add_exception_handler(Exception, _any)


def status_of(error: LanbiError) -> int:
    """HTTP status of an error of the tree: the caller's, ours for now, or ours."""
    if isinstance(error, InputError):
        return 422
    return 503 if isinstance(error, ServiceError | StoreRefused) else 500


def body(request: Request, status: int, detail: tuple[str, str] | None = None, **more: object) -> Response:
    """The problem as an answer; ``detail`` is (zh, en)."""
    title_zh, title_en, todo_zh, todo_en = _WORDS.get(status, _WORDS[400 if status < 500 else 500])
    english = _english(request)
    said = detail or (todo_zh, todo_en)
    if _reader(request):
        page = PAGE.format(title_zh=title_zh, title_en=title_en, zh=escape(said[0]), en=escape(said[1]))
        return Response(page, status, {"Cache-Control": "no-store", "Vary": "Accept"}, "text/html; charset=utf-8")
    words = {"type": "about:blank", "title": title_en if english else title_zh, "status": status, "detail": said[english]}
    content = json.dumps({**words, **more}, ensure_ascii=False, allow_nan=False)
    headers = {"Cache-Control": "no-store", "Content-Language": "en" if english else "zh"}
    return Response(content, status, headers, MEDIA)


def _reader(request: Request) -> bool:
    """Whether a person's browser asks for a page: programs ask below /api, and not for HTML."""
    return request.method == "GET" and not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _english(request: Request) -> bool:
    """Chinese unless the caller's first language is another."""
    first = request.headers.get("accept-language", "").split(",")[0].strip().lower()
    return bool(first) and not first.startswith(("zh", "*"))


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101  registered for it only
    more: Mapping[str, object] = {"errors": [{"parameter": error.parameter}]} if error.parameter else {}
    answer = body(request, error.status, (error.zh, error.en), **more)
    answer.headers.update(error.headers)
    return answer


async def _invalid(request: Request, error: Exception) -> Response:
    """Names the parameters and the rule, never the value: a NaN or a megabyte sent must not come back."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for it only
    faults = [{"parameter": ".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0]), "rule": str(fault["type"])} for fault in error.errors()]
    names = "、".join(sorted({fault["parameter"] for fault in faults}))
    return body(request, 422, (f"参数有误：{names}。", f"Wrong or missing: {names}."), errors=faults)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  registered for it only
    answer = body(request, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, LanbiError)  # noqa: S101  registered for it only
    status = status_of(error)
    if status == 503:
        said = ("存储或服务暂时不可用；读数在日志中等待，不会丢失。", "Store or service is away; the readings wait in the journal, nothing is lost.")
        answer = body(request, status, said)
        answer.headers["Retry-After"] = "5"
        return answer
    return body(request, status)


async def _any(request: Request, _error: Exception) -> Response:
    """The framework logs the traceback; the caller learns only that it is ours to mend."""
    return body(request, 500)
