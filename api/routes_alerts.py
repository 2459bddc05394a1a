"""Alarms: events that call for a person, newest first, with their words and details."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from api.access import Whose
from api.answers import series
from api.depends import Asked
from api.events import newest
from api.firsthand import told
from api.params import ID, Asking, Limit
from api.schemas import AlertAnswer, Page, VerdictAnswer
from api.sources import Sources
from domain.alarms import ALARMS
from domain.civil import iso
from domain.indicators import Event
from domain.judgements import VERDICT, VERDICTS, Alarm, Judgement, judged

router = APIRouter(prefix="/api/v1", tags=["figures"])
COLUMNS: Final = ("kind", "zh", "source", "name", "time", "value", "withdrawn")
Kind = Annotated[str | None, Query(pattern=ID, description="only alarms of this kind")]


@router.get("/alerts", response_model=Page[AlertAnswer])
def alerts(request: Request, sources: Asked, caller: Whose, span: Asking, limit: Limit = 1_000, *, kind: Kind = None) -> Response:
    """Alarms of the watches and breaches of sections by the time at which they could be known, newest first; JSON or CSV."""
    registry, now = sources.registry(), sources.now()

    def wanted(row: Event) -> bool:
        named = row.kind in ALARMS and kind in {None, row.kind}
        return named and caller.sees(registry, row.source) and told(registry, caller, row.source, (row.time, now))

    rows, follow = newest(sources, span, limit, wanted)
    said = judged(sources.entries.entered(VERDICT))
    page = Page[AlertAnswer](items=[_row(sources, row, said.get(Alarm(*row[:3]))) for row in rows], next=follow)
    return series(request, page, COLUMNS, [[getattr(row, column) for column in COLUMNS] for row in page.items])


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
