"""Dead letters mended at their root: the mapping of a device seen, tried on its dead letters, put in force; then they are replayed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from api.access import Whose
from api.accounts import Deed
from api.answers import answer
from api.bodies import Line, Said
from api.depends import Asked
from api.faults import chinese
from api.params import ID
from api.problems import Problem, unknown, wrong
from api.routes_desk import EntryAnswer, desk_of
from api.routes_login import note
from api.sources import Sources
from domain.errors import InputError

router = APIRouter(prefix="/api/v1/desk/mappings", tags=["desk"])
LONGEST = 20_000
Device = Annotated[str, Path(pattern=ID, description="registered device")]


def _plain(text: str) -> str:
    if not all(letter.isprintable() or letter in "\n\r\t" for letter in text):
        raise ValueError("not_plain_text")
    return text.replace("\r\n", "\n")


Toml = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST), AfterValidator(_plain)]


class TrialBody(Said):
    """A mapping on trial."""

    mapping: Toml = Field(description="one [[mapping]] of the registry, as TOML")


class MappingBody(TrialBody):
    """A mapping to be put in force."""

    document: Line


class MappingAnswer(BaseModel):
    """The mapping of a device as it was typed; empty where it has none."""

    device: str
    mapping: str


class TrialAnswer(BaseModel):
    """How the dead letters of a device would fare: messages, those that would pass whole, in part, whose bytes are gone, and why the rest would not."""

    messages: int
    whole: int
    partly: int
    lost: int
    reasons: dict[str, int]


@router.get("/{device}", response_model=MappingAnswer)
def mapping(request: Request, sources: Asked, device: Device) -> Response:
    """The mapping by which a device's messages are read."""
    _known(sources, device)
    return answer(request, MappingAnswer(device=device, mapping=desk_of(sources).mapping(device)))


@router.post("/{device}/trials", response_model=TrialAnswer)
def try_mapping(sources: Asked, device: Device, said: TrialBody) -> Response:
    """Judge the dead letters of a device by a mapping; nothing is stored."""
    _known(sources, device)
    try:
        told = desk_of(sources).try_mapping(device, said.mapping)
    except InputError as error:
        raise _refusal(error) from error
    return Response(TrialAnswer(**told).model_dump_json(), headers={"Cache-Control": "no-store"}, media_type="application/json")


@router.post("/{device}", status_code=202, response_model=EntryAnswer)
def put_mapping(sources: Asked, caller: Whose, device: Device, said: MappingBody) -> Response:
    """Put a mapping in force, by a change of the registry with person and document; then replay the dead letters."""
    _known(sources, device)
    try:
        version = desk_of(sources).map(device, said.mapping, caller.name, said.document)
    except InputError as error:
        raise _refusal(error) from error
    note(sources, Deed(caller.name, caller.role, caller.address, "mapping", device, detail=version))
    return Response(EntryAnswer(kind="mapping", record=version).model_dump_json(), 202, {"Cache-Control": "no-store"}, "application/json")


def _known(sources: Sources, device: str) -> None:
    if device not in sources.registry().devices:
        raise unknown(device)


def _refusal(error: InputError) -> Problem:
    shown = f"{error.where}: {error.what}" if error.where else error.what
    return wrong("mapping", f"映射不能用：{chinese(shown[:400])}", f"The mapping cannot be used: {shown[:400]}")
