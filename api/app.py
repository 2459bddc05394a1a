"""The application: a factory on one screen, nothing at import."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from anyio import to_thread
from fastapi import Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.middleware.gzip import GZipMiddleware

from api import (
    problems,
    routes_air,
    routes_alerts,
    routes_board,
    routes_desk,
    routes_dispatch,
    routes_duty,
    routes_energy,
    routes_figures,
    routes_filings,
    routes_health,
    routes_ingest,
    routes_ledger,
    routes_login,
    routes_mappings,
    routes_places,
    routes_reports,
    routes_targets,
    routes_tasks,
)
from api.access import admit
from api.answers import JSON, labelled
from api.limits import Buckets, OnceAnHour
from api.schemas import ProblemAnswer
from api.shared import Shared, Told
from api.sources import Sources
from api.strict import Cap, known_names, other_method
from api.timing import Edge, Histogram

VERSION: Final = "1.6.0"
"""Version of the API; a change of docs/openapi.json without a change here fails a test."""
THREADS: Final = 8
"""A county's readers need no more. At most half of them are with a server store at a time (``lanbi/guarded.py``), so that what needs no
store is answered while one is silent."""
ROUTERS: Final = (
    routes_targets.router,
    routes_figures.router,
    routes_ledger.router,
    routes_air.router,
    routes_alerts.router,
    routes_places.router,
    routes_energy.router,
    routes_filings.router,
    routes_tasks.router,
    routes_dispatch.router,
    routes_ingest.router,
    routes_health.router,
    routes_login.router,
    routes_duty.router,
    routes_desk.router,
    routes_mappings.router,
    routes_reports.router,
)
REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ProblemAnswer, "content": {problems.MEDIA: {}}} for status in (400, 401, 403, 404, 406, 409, 413, 422, 429, 503)
}


def create_app(sources: Sources) -> FastAPI:
    """The API and the board over the given sources.

    Parameters
    ----------
    sources : Sources
        Ports and callables; nothing is read from them before the first request.
    """
    app = FastAPI(
        title="lanbi",
        version=VERSION,
        description="蓝碧：已存储的事实 · stored facts of a county's environment",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=_name,
        redirect_slashes=False,
        lifespan=_lifespan,
        dependencies=[Depends(admit), Depends(known_names)],
        responses=REFUSALS,
    )
    app.state.sources = sources
    app.state.histogram = Histogram()
    monotonic = sources.clock.monotonic if sources.clock else float
    app.state.description = None
    app.state.shared = Shared(sources.clock)
    app.state.buckets, app.state.once = Buckets(monotonic), OnceAnHour(monotonic)
    problems.install(app)
    app.add_exception_handler(405, other_method)
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(routes_board.router(routes_board.Board.load()))
    app.add_api_route("/api/v1/openapi.json", _openapi, include_in_schema=False)
    app.add_middleware(Cap)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=5)
    app.add_middleware(Edge, clock=sources.clock, histogram=app.state.histogram, entered=app.state.shared.forget)
    return app


def _name(route: APIRoute) -> str:
    """Operations are called like their functions: clients are generated from these names."""
    return route.name


def described(app: FastAPI) -> Told:
    """The API's description, written out once: that takes time, and every request is judged by it (:func:`api.strict.known_names`)."""
    if app.state.description is None:
        content = json.dumps(app.openapi(), ensure_ascii=False).encode()
        headers = {**labelled(content), "Content-Type": JSON}
        app.state.description = Told(content, {name.lower(): value for name, value in headers.items()})
    found = app.state.description
    assert isinstance(found, Told)  # noqa: S101  written above
    return found


def _openapi(request: Request) -> Response:
    app = request.app
    assert isinstance(app, FastAPI)  # noqa: S101  it is this one
    return described(app).response(request)


@asynccontextmanager
async def _lifespan(_app: FastAPI) -> AsyncIterator[None]:
    to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield
