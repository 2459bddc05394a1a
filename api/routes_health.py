"""Is it alive, is it well, what does it count; and what must be done today."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from api.access import Whose
from api.answers import answer
from api.depends import Asked
from api.schemas import Page, ProcessAnswer, ReadyAnswer, TaskAnswer
from api.shared import shared
from api.sources import Sources
from api.timing import Histogram
from api.today import tasks
from domain.errors import LanbiError, StoreRefused

router = APIRouter(tags=["health"])


@router.get("/livez", response_class=PlainTextResponse)
async def livez() -> PlainTextResponse:
    """The process answers."""
    return PlainTextResponse("ok\n")


@router.get("/readyz", response_model=ReadyAnswer, responses={503: {"model": ReadyAnswer}})
def readyz(sources: Asked) -> Response:
    """200 while every process of ours is well; the store is told, but never makes us unready, for the journal covers it."""
    processes = {name: ProcessAnswer(ready=one.ready, reasons=list(one.reasons)) for name, one in sources.health().items()}
    ready = all(one.ready for one in processes.values())
    body = ReadyAnswer(ready=ready, store=_store(sources), processes=processes)
    return Response(body.model_dump_json(), 200 if ready else 503, {"Cache-Control": "no-store"}, "application/json")


def _store(sources: Sources) -> str:
    """Word ``ok``, or whether it is away or said no, and why."""
    try:
        sources.figures.restatements(0, 1, 1)
    except LanbiError as error:
        return f"{'refused' if isinstance(error, StoreRefused) else 'down'}: {error.what}"
    return "ok"


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request, sources: Asked) -> PlainTextResponse:
    """Metrics of all processes in Prometheus' text form."""
    histogram = request.app.state.histogram
    assert isinstance(histogram, Histogram)  # noqa: S101  the factory put it there
    return PlainTextResponse(sources.metrics() + histogram.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/api/v1/today", response_model=Page[TaskAnswer], tags=["targets"])
@shared
def today(request: Request, sources: Asked, caller: Whose) -> Response:
    """What a person should look at today, the pressing first."""
    return answer(request, Page[TaskAnswer](items=tasks(sources, caller)))
