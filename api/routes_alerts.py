"""Alarms: events that call for a person, newest first, with their words and details."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api.access import Whose
from api.answers import series
from api.depends import Asked
from api.firsthand import told
from api.params import ID, Asking, Limit, pack, unpack, window
from api.schemas import AlertAnswer, Page, VerdictAnswer
from api.sources import Sources
from domain.alarms import ALARMS
from domain.civil import iso
from domain.indicators import Event
from domain.judgements import VERDICT, VERDICTS, Alarm, Judgement, judged

router = APIRouter(prefix="/api/v1", tags=["figures"])
MOST_DAYS: Final = 3_660
MOST: Final = 100_000
COLUMNS: Final = ("kind", "zh", "source", "name", "time", "value", "withdrawn")
Kind = Annotated[str | None, Query(pattern=ID, description="only alarms of this kind")]


@router.get("/alerts", response_model=Page[AlertAnswer])
def alerts(request: Request, sources: Asked, caller: Whose, span: Asking, limit: Limit = 1_000, *, kind: Kind = None) -> Response:
    """Alarms of the watches and breaches of sections by the time at which they could be known, newest first; JSON or CSV."""
    asked = window(span, sources.now(), days=31, most=MOST_DAYS)
    after = unpack(span.cursor, int, str, str)
    rows = sorted(
        (row for row in sources.figures.event_rows(asked.start, asked.end, MOST) if row.kind in ALARMS and kind in {None, row.kind}), key=_key, reverse=True
    )
    registry = sources.registry()
    now = sources.now()
    mine = [row for row in rows if caller.sees(registry, row.source) and told(registry, caller, row.source, (row.time, now))]
    left = [row for row in mine if after is None or _key(row) < after]
    follow = pack(_key(left[limit - 1])) if len(left) > limit else None
    said = judged(sources.entries.entered(VERDICT))
    page = Page[AlertAnswer](items=[_row(sources, row, said.get(Alarm(*row[:3]))) for row in left[:limit]], next=follow)
    return series(request, page, COLUMNS, [[getattr(row, column) for column in COLUMNS] for row in page.items])


def _key(row: Event) -> tuple[int, str, str]:
    return row.time, row.kind, row.source


def _row(sources: Sources, row: Event, word: Judgement | None) -> AlertAnswer:
    details = _details(row.text)
    words = ALARMS[row.kind]
    gone = details.pop("withdrawn", None) is True
    return AlertAnswer(
        alarm=Alarm(*row[:3]).name,
        kind=row.kind,
        zh=words.zh,
        en=words.en,
        source=row.source,
        name=sources.registry().name_of(row.source),
        time=iso(row.time),
        value=None if gone else row.value,
        withdrawn=gone,
        details=details,
        verdict=VerdictAnswer(**{**word._asdict(), "zh": VERDICTS[word.verdict][0], "said": iso(word.said)}) if word else None,
    )


def _details(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
