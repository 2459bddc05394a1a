"""How answers leave: JSON or CSV as asked, with an ETag, so that a poll without news costs a few bytes."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from typing import Final

from fastapi import Request, Response
from pydantic import BaseModel

from api.problems import Problem

JSON: Final = "application/json"
CSV: Final = "text/csv"
PLAIN_UNITS: Final = str.maketrans({"µ": "u", "³": "3", "°": "deg "})


def answer(request: Request, model: BaseModel) -> Response:
    """A model as JSON, or 304 where the caller has it already."""
    wanted(request, JSON)
    return tagged(request, model.model_dump_json().encode(), JSON)


def series(request: Request, model: BaseModel, columns: Sequence[str], rows: Iterable[Sequence[object]], units: str = "") -> Response:
    """A series as JSON, or as CSV for those who ask for it.

    ``units`` goes beside the table as a header in ASCII, so that the columns stay those of the file formats.
    """
    if wanted(request, JSON, CSV) == JSON:
        return tagged(request, model.model_dump_json().encode(), JSON)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    made = tagged(request, text.getvalue().encode(), f"{CSV}; charset=utf-8; header=present")
    follow = getattr(model, "next", None)
    made.headers["X-Lanbi-Units"] = units.translate(PLAIN_UNITS)
    if follow:
        made.headers["X-Lanbi-Next"] = follow
    return made


def tagged(request: Request, content: bytes, media: str, cache: str = "no-cache") -> Response:
    """Bytes with their ETag; weak, because compression on the way does not change what they say."""
    headers = labelled(content, cache)
    if known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=media)


def labelled(content: bytes, cache: str = "no-cache") -> dict[str, str]:
    """Headers of a content: its ETag, and how it may be kept."""
    tag = f'W/"{hashlib.sha256(content).hexdigest()[:24]}"'
    return {"ETag": tag, "Cache-Control": cache, "Vary": "Accept, Accept-Encoding"}


def known(request: Request, tag: str) -> bool:
    """Whether the caller holds this version (RFC 9110 13.1.2, weak comparison)."""
    asked = request.headers.get("if-none-match", "")
    plain = tag.removeprefix("W/")
    return asked.strip() == "*" or any(part.strip().removeprefix("W/") == plain for part in asked.split(","))


def wanted(request: Request, *offers: str) -> str:
    """The offer that Accept likes best; the first where it has no preference."""
    ranges = [_media_range(part) for part in request.headers.get("accept", "*/*").split(",") if part.strip()] or [("*/*", 1.0)]
    best = max(offers, key=lambda offer: _quality(offer, ranges))
    if not _quality(best, ranges):
        named = ", ".join(offers)
        raise Problem(406, f"只提供 {named}。", f"This address speaks {named} only.")
    return best


def _quality(offer: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The closest range decides (RFC 9110 12.5.1); 0 = not wanted."""
    return max(((_match(offer, media), quality) for media, quality in ranges if _match(offer, media)), default=(0, 0.0))[1]


def _media_range(text: str) -> tuple[str, float]:
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    quality = next((part[2:] for part in parameters if part.startswith("q=")), "1")
    try:
        return media, min(1.0, max(0.0, float(quality)))
    except ValueError:
        return media, 0.0


def _match(offer: str, media: str) -> int:
    """How closely a media range names an offer: 0 not at all … 3 exactly."""
    if media == offer:
        return 3
    if media == f"{offer.partition('/')[0]}/*":
        return 2
    return int(media == "*/*")
