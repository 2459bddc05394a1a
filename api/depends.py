"""What routes ask the application for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.sources import Sources


async def _sources(request: Request) -> Sources:
    found = request.app.state.sources
    assert isinstance(found, Sources)  # noqa: S101  the factory put it there
    return found


Asked = Annotated[Sources, Depends(_sources)]
