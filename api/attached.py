"""Attachments: a file in a body, capped before it is decoded, kept under its hash; and on its way out again, as a file and never as a page."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Request, Response
from pydantic import BaseModel, Field, StringConstraints

from api.bodies import Line, Said
from api.desk import Desk
from api.limits import FILES, Buckets
from api.problems import Problem, wrong

MOST: Final = 700_000
"""Bytes of a file: in base64 and with the words around it, it fits the body's megabyte."""
LONGEST: Final = 4 * -(-MOST // 3)
_UNSAFE: Final = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]+')


class Attachment(Said):
    """A file as it is sent."""

    name: Line = Field(description="file name")
    content: Annotated[str, StringConstraints(min_length=4, max_length=LONGEST)] = Field(
        description=f"the bytes in base64, {MOST} of them at most", json_schema_extra={"contentEncoding": "base64"}
    )


class AttachedAnswer(BaseModel):
    """A file that was attached."""

    name: str
    sha256: str
    bytes: int


def kept(desk: Desk, sent: Attachment | None, taken: Callable[[], None]) -> dict[str, Any] | None:
    """What the journal says of a file that is durable now; None where none was sent.

    Parameters
    ----------
    taken : callable
        Told of a file before it is kept; raises where its sender has sent too many.

    Raises
    ------
    Problem
        It is no base64, or longer than :data:`MOST`.
    """
    if sent is None:
        return None
    try:
        content = base64.b64decode(sent.content.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise wrong("attachment.content", "附件须以 base64 编码。", "The attachment must be base64.") from None
    if not 0 < len(content) <= MOST:
        raise wrong("attachment.content", f"附件须为 1 至 {MOST} 字节。", f"An attachment has 1 to {MOST} bytes.")
    taken()
    name = _UNSAFE.sub("_", sent.name)
    return {"name": name, "sha256": desk.attach(content), "bytes": len(content)}


def paced(request: Request, who: str) -> Callable[[], None]:
    """Counts files of a caller."""
    buckets = request.app.state.buckets
    assert isinstance(buckets, Buckets)  # noqa: S101  the factory put it there
    return partial(buckets.take, f"file {who}", FILES)


def told(found: object) -> AttachedAnswer | None:
    """The attachment of an entry, for an answer."""
    if not isinstance(found, Mapping):
        return None
    return AttachedAnswer(name=str(found.get("name", "")), sha256=str(found.get("sha256", "")), bytes=int(found.get("bytes", 0)))


def sent(desk: Desk, found: AttachedAnswer | None) -> Response:
    """The file itself; its hash goes with it. It is never shown inside the board's own pages.

    Raises
    ------
    Problem
        Nothing was attached, or the bytes are not here.
    """
    content = desk.attached(found.sha256) if found else None
    if found is None or content is None:
        raise Problem(404, "没有附件。", "There is no attachment.")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name)}",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Lanbi-SHA256": found.sha256,
        "Cache-Control": "private, no-store",
    }
    return Response(content, headers=headers, media_type="application/octet-stream")
