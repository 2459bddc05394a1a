"""What people enter: marks, confirmations, reported values, replays. Each is judged first, then durable in the journal, then answered.

Nothing here changes a stored figure: analytics does, when the entry has reached it, and restates what was closed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import Whose
from api.accounts import Caller, Deed
from api.answers import answer, tagged
from api.bodies import Line, Said
from api.depends import Asked
from api.desk import Desk
from api.entered import known
from api.events import MOST as EVENTS
from api.faults import chinese, refusal
from api.params import ID, Cursor, Limit, pack, unpack
from api.problems import Problem, unknown, wrong
from api.routes_login import note
from api.schemas import Page
from api.shaping import unit_of
from api.sources import Sources
from domain import filings, judgements, marks, statements, tasks
from domain.civil import iso
from domain.errors import ServiceError
from domain.restating import CONFIRMATION, confirmation

router = APIRouter(prefix="/api/v1/desk", tags=["desk"])
ACKNOWLEDGED: Final = "acknowledgement"
Kind = Literal["mark", "confirmation", "reported", "acknowledgement", "verdict"]
MOST: Final = 500
NS: Final = 10**9


class MarkBody(Said):
    """Hours of a station marked: H held, R rejected, X dust or exceptional, N takes a mark back. Nothing is ever deleted."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    source: Annotated[str, Field(pattern=ID, description="an air station, section, well or permit point, or the county for all air stations")]
    since: Line = Field(alias="from", description="civil day, or time with offset")
    to: Line = Field(description="civil day (included), or time with offset")
    items: list[Line] = Field([], max_length=16, description="all of the place if empty")
    flag: Literal["H", "R", "X", "N"]
    reason: Line
    document: Line


class ConfirmBody(Said):
    """A month's figures confirmed, or the confirmation taken back."""

    month: Line = Field(description="2026-06; it must be over")
    action: Literal["confirm", "withdraw"]
    document: Line


class ReportedBody(Said):
    """A value that an authority reports for a target, shown as reported and never as measured."""

    target: Annotated[str, Field(pattern=ID)]
    period: Line = Field(description="2025, 2025-06 or 2025Q2")
    value: Line = Field(description="a plain decimal number")
    document: Line
    person: Line = Field(description="who answers for it")


class VerdictBody(Said):
    """What an operator says of an alarm; the last word stands."""

    alarm: Line = Field(description="the alarm's name, as /api/v1/alerts gives it")
    verdict: Literal["true", "false", "known-work"]
    reason: Line
    document: Line


class ReplayBody(Said):
    """Refusals to be judged once more."""

    ids: list[Annotated[int, Field(gt=0, lt=2**62)]] = Field(min_length=1, max_length=MOST)


class EntryAnswer(BaseModel):
    """An entry that is durable; figures follow when it has reached analytics."""

    kind: str
    record: str = Field(description="journal record")


class ChangeAnswer(BaseModel):
    """A figure that would differ."""

    figure: str
    period: str
    scope: str
    scope_name: str
    rule_set: str
    basis: str
    time: str
    unit: str
    old: float | None
    new: float | None
    old_status: str
    new_status: str
    restated: bool = Field(description="it is closed: the change would be said openly")


class PreviewAnswer(BaseModel):
    """What an entry would change, as far as it is listed, and how many figures in all."""

    items: list[ChangeAnswer]
    count: int
    next: str | None = None


class SaidAnswer(BaseModel):
    """What somebody entered."""

    kind: str
    record: str
    received: str
    person: str
    body: dict[str, Any]


@router.post("/marks", status_code=202, response_model=EntryAnswer)
def mark(sources: Asked, caller: Whose, said: MarkBody) -> Response:
    """Mark hours invalid or valid again."""
    return entered(sources, caller, marks.MARK, _mark(sources, said), said.source)


@router.post("/previews", response_model=PreviewAnswer)
def preview(sources: Asked, caller: Whose, said: MarkBody) -> Response:
    """What a mark would change: days, months, quarters, years and the running year, before anything is entered."""
    body = _judged(caller, marks.MARK, _mark(sources, said))
    try:
        found, count = desk_of(sources).preview(marks.MARK, body)
    except ServiceError as error:
        zh, en = f"没有预览：{chinese(error.what, '存储或分析程序暂时不可用')}。", f"No preview: {error.what}."
        raise Problem(503, f"{zh}可以不预览就填报，或稍后再试。", f"{en} Enter it without one, or ask again.", headers={"Retry-After": "5"}) from error
    names = sources.registry().name_of
    rows = [ChangeAnswer.model_validate({**row, "unit": unit_of(str(row["figure"])), "scope_name": names(str(row["scope"]))}) for row in found]
    return Response(PreviewAnswer(items=rows, count=count).model_dump_json(), headers={"Cache-Control": "no-store"}, media_type="application/json")


def _mark(sources: Sources, said: MarkBody) -> dict[str, object]:
    if not marks.places(said.source, sources.registry()):
        raise unknown(said.source)
    body = {"source": said.source, "from": said.since, "to": said.to, "flag": said.flag, "reason": said.reason, "document": said.document}
    return body | ({"items": said.items} if said.items else {})


@router.post("/confirmations", status_code=202, response_model=EntryAnswer)
def confirm(sources: Asked, caller: Whose, said: ConfirmBody) -> Response:
    """Confirm a month that is over, or take that back."""
    try:
        body = confirmation(said.month, sources.now(), withdraw=said.action == "withdraw")
    except ValueError as error:
        raise wrong("month", "请写已结束的月份，例如 2026-06。", f"Write a month that is over, such as 2026-06: {error}") from None
    return entered(sources, caller, CONFIRMATION, {**body, "document": said.document}, said.month)


@router.post("/reported", status_code=202, response_model=EntryAnswer)
def report(sources: Asked, caller: Whose, said: ReportedBody) -> Response:
    """Enter a reported value of a target with its document."""
    if not any(plan.target(said.target) for plan in sources.plans):
        raise unknown(said.target)
    return entered(sources, caller, statements.REPORTED, said.model_dump(), said.target)


@router.post("/verdicts", status_code=202, response_model=EntryAnswer)
def judge(sources: Asked, caller: Whose, said: VerdictBody) -> Response:
    """Judge an alarm that was told: true, false, or known work."""
    try:
        about = judgements.alarm(said.alarm)
    except ValueError as error:
        raise wrong("alarm", "请从告警列表复制告警名称。", f"Copy the alarm's name from the list: {error}") from None
    if not any(row[:3] == about for row in sources.figures.event_rows(about.time - 1, about.time, EVENTS)):
        raise unknown(said.alarm)
    return entered(sources, caller, judgements.VERDICT, {**said.model_dump(), "alarm": about.name}, about.source)


@router.post("/replays", status_code=202, response_model=EntryAnswer)
def replay(sources: Asked, caller: Whose, said: ReplayBody) -> Response:
    """Have refusals judged once more under today's registry; what is good now is stored, the rest stays as it is."""
    desk = desk_of(sources)
    missing = [number for number in said.ids if desk.letter(number) is None]
    if missing:
        raise wrong("ids", f"没有编号为 {missing[0]} 的死信。", f"No dead letter has the id {missing[0]}.")
    record = desk.replay(said.ids, caller.name)
    note(sources, Deed(caller.name, caller.role, caller.address, "replay", "", detail=f"{record}: {len(said.ids)}"))
    return _answered("replay", record)


@router.get("/entries", response_model=Page[SaidAnswer])
def entries(request: Request, sources: Asked, cursor: Cursor = None, limit: Limit = 100, *, kind: Annotated[Kind, Query()]) -> Response:
    """What was entered, newest first, as far as it has reached the store."""
    key = unpack(cursor, int)
    skip = min(max(0, int(str(key[0]))), 10**6) if key else 0
    found = known(sources, kind)[::-1][skip : skip + limit + 1]
    rows = [SaidAnswer(kind=one.kind, record=one.id, received=iso(one.received_ns // NS), person=one.user, body=dict(one.body)) for one in found[:limit]]
    return answer(request, Page[SaidAnswer](items=rows, next=pack((skip + limit,)) if len(found) > limit else None))


@router.get("/deadletters/{number}", response_class=Response, responses={200: {"content": {"application/octet-stream": {}}}})
def letter(request: Request, sources: Asked, number: Annotated[int, Path(gt=0, lt=2**62)]) -> Response:
    """The bytes of a refusal as they came."""
    content = desk_of(sources).letter(number)
    if content is None:
        raise Problem(404, "没有这条死信。", "There is no such dead letter.")
    return tagged(request, content, "application/octet-stream")


def entered(sources: Sources, caller: Caller, kind: str, body: Mapping[str, object], about: str) -> Response:
    """Make an entry of a caller durable, note the deed, and answer with the record; what no figure can be made of is refused."""
    whole = {"user": caller.name, **body}
    fault = _FAULTS.get(kind, statements.fault)(kind, whole)
    if fault:
        raise refusal(fault)
    record = desk_of(sources).enter(kind, whole)
    note(sources, Deed(caller.name, caller.role, caller.address, kind, about[:64], detail=record))
    return _answered(kind, record)


_FAULTS: Final[Mapping[str, Callable[[str, Mapping[str, object]], str | None]]] = {
    **dict.fromkeys(marks.KINDS, marks.fault),
    **dict.fromkeys(filings.KINDS, filings.fault),
    tasks.TASK: tasks.fault,
    judgements.VERDICT: lambda _, body: judgements.fault(body),
}
"""Who judges an entry; statements where no other kind of evidence is named."""


def _judged(caller: Caller, kind: str, body: Mapping[str, object]) -> dict[str, object]:
    """The entry with its user, if figures can be made of it."""
    whole = {"user": caller.name, **body}
    fault = marks.fault(kind, whole) if kind in marks.KINDS else statements.fault(kind, whole)
    if fault:
        raise refusal(fault)
    return whole


def _answered(kind: str, record: str) -> Response:
    return Response(EntryAnswer(kind=kind, record=record).model_dump_json(), 202, {"Cache-Control": "no-store"}, "application/json")


def desk_of(sources: Sources) -> Desk:
    """Where entries go; 409 where nothing can be entered."""
    if sources.desk is None:
        raise Problem(409, "这里不能填报。", "Nothing can be entered here.")
    return sources.desk
