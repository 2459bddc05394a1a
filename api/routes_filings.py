"""What enterprises file about themselves, and the bureau's ruling on it; what the enterprise's own contact is told first."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Path, Query, Request, Response

from api import attached
from api.access import Whose
from api.accounts import Caller, Deed, owner
from api.answers import answer
from api.depends import Asked
from api.entered import known
from api.events import MOST
from api.faults import refusal
from api.links import leads
from api.news import news_of
from api.params import ID, Cursor, Limit, pack, unpack
from api.params import Place as Object
from api.problems import Problem, unknown, wrong
from api.routes_desk import EntryAnswer, desk_of, entered
from api.routes_login import note
from api.schemas import Page
from api.schemas_filings import FilingAnswer, FilingBody, NewsAnswer, ReceiptBody, RulingAnswer, RulingBody
from api.sources import Sources
from domain import filings, statements
from domain.civil import iso
from domain.errors import InputError
from domain.filings import Filing

router = APIRouter(prefix="/api/v1", tags=["filings"])
State = Annotated[Literal["waiting", "accepted", "returned"] | None, Query(description="only filings in this state")]
Owner = Annotated[str | None, Query(pattern=ID, description="only of this enterprise")]
Number = Annotated[int, Path(gt=0, lt=2**62, description="id of a filing")]


@router.post("/enterprises/{enterprise}/filings", status_code=202, response_model=EntryAnswer)
def file(request: Request, sources: Asked, caller: Whose, enterprise: Object, said: Annotated[FilingBody, Body()]) -> Response:
    """File a meter exchange, a multiplier, maintenance, a shutdown, or the explanation of a clue; figures change once it is accepted."""
    registry = sources.registry()
    if enterprise not in registry.enterprises:
        raise unknown(enterprise)
    body = said.model_dump(by_alias=True, exclude={"attachment"})
    named = [*filings.meters_of(body), *([body["source"]] if "source" in body else [])]
    foreign = next((name for name in named if owner(registry, name) != enterprise), None)
    if foreign:
        raise unknown(foreign)
    desk = desk_of(sources)
    words = {"enterprise": enterprise, **body}
    wrong_ = filings.fault(filings.FILING, {**words, "user": caller.name})
    if wrong_:
        raise refusal(wrong_)
    if said.attachment:
        words["attachment"] = attached.kept(desk, said.attachment, attached.paced(request, caller.name))
    return entered(sources, caller, filings.FILING, words, enterprise)


@router.post("/enterprises/{enterprise}/receipts", status_code=202, response_model=EntryAnswer)
def receive(sources: Asked, caller: Whose, enterprise: Object, said: ReceiptBody) -> Response:
    """Confirm that an order of a heavy-pollution warning was received."""
    try:
        begin = statements.instant(said.since)
    except ValueError:
        raise wrong("from", "请照抄命令的开始时间。", "Copy the begin of the order.") from None
    rows = [row for row in sources.figures.event_rows(begin - 1, begin, MOST) if (row.kind, row.source) == ("order", enterprise)]
    if not rows:
        raise Problem(404, "该企业没有在此时开始的管控指令。", "No order that began then names this enterprise.")
    body = {"enterprise": enterprise, "from": iso(begin), "document": "api"}
    return entered(sources, caller, statements.RECEIPT, body, enterprise)


@router.get("/enterprises/{enterprise}/news", response_model=Page[NewsAnswer])
def news(request: Request, sources: Asked, caller: Whose, enterprise: Object) -> Response:
    """Silence, refusals, open clues and unconfirmed orders of an enterprise, newest first: at once for itself, for the bureau after the registered delay."""
    if enterprise not in sources.registry().enterprises:
        raise unknown(enterprise)
    return answer(request, Page[NewsAnswer](items=news_of(sources, caller, enterprise)))


@router.get("/filings", response_model=Page[FilingAnswer], responses=leads("cursor", "/next", "filed"))
def filed(
    request: Request, sources: Asked, caller: Whose, cursor: Cursor = None, limit: Limit = 100, *, enterprise: Owner = None, state: State = None
) -> Response:
    """Filings with their rulings, newest first; an enterprise sees its own."""
    registry, key = sources.registry(), unpack(cursor, int)
    below = int(str(key[0])) if key else 2**62
    found = [
        one
        for one in _all(sources)
        if one.number < below and caller.sees(registry, one.enterprise) and enterprise in {None, one.enterprise} and state in {None, one.state}
    ]
    rows = [_filing(sources, one) for one in found[:limit]]
    return answer(request, Page[FilingAnswer](items=rows, next=pack((found[limit - 1].number,)) if len(found) > limit else None))


@router.get("/filings/{number}/attachment", response_class=Response, responses={200: {"content": {"application/octet-stream": {}}}})
def attachment(sources: Asked, caller: Whose, number: Number) -> Response:
    """The file of a filing, byte by byte as it was sent."""
    one = _one(sources, caller, number)
    return attached.sent(desk_of(sources), attached.told(one.body.get("attachment")))


@router.post("/desk/filings/{number}/ruling", status_code=202, response_model=EntryAnswer)
def rule(sources: Asked, caller: Whose, number: Number, said: RulingBody) -> Response:
    """Accept a filing, which then takes effect, or return it with the reason; once."""
    with _RULING:
        return _ruled(sources, caller, number, said)


_RULING: Final = Lock()
"""Two who accept the same filing at one moment would make it true twice."""


def _ruled(sources: Sources, caller: Caller, number: int, said: RulingBody) -> Response:
    desk, one = desk_of(sources), _one(sources, caller, number)
    if one.ruling:
        raise Problem(409, f"{one.ruling.person} 已处理这份填报。", f"{one.ruling.person} ruled on this filing before.")
    effects: list[str] = []
    if said.ruling == "accept":
        try:
            effects = desk.accept(one, caller.name, said.document)
        except InputError as error:
            raise refusal(error.what) from error
        note(sources, Deed(caller.name, caller.role, caller.address, f"accept {one.form}", one.enterprise, detail=", ".join(effects)))
    body = {"filing": one.record, **said.model_dump(), "effects": effects}
    return entered(sources, caller, filings.RULING, body, one.enterprise)


def _all(sources: Sources) -> list[Filing]:
    return filings.filed(known(sources, filings.FILING), known(sources, filings.RULING))


def _one(sources: Sources, caller: Caller, number: int) -> Filing:
    found = next((one for one in _all(sources) if one.number == number), None)
    if found is None or not caller.sees(sources.registry(), found.enterprise):
        raise Problem(404, "没有这份填报。", "There is no such filing.")
    return found


def _filing(sources: Sources, one: Filing) -> FilingAnswer:
    zh, en = filings.FORMS[one.form]
    words: Mapping[str, Any] = {name: value for name, value in one.body.items() if name not in {"user", "enterprise", "form", "attachment"}}
    ruling = RulingAnswer(**{**one.ruling._asdict(), "said": iso(one.ruling.said), "effects": list(one.ruling.effects)}) if one.ruling else None
    return FilingAnswer(
        id=one.number, record=one.record, enterprise=one.enterprise, enterprise_name=sources.registry().name_of(one.enterprise), form=one.form, zh=zh, en=en,
        person=one.person, filed=iso(one.filed), state=one.state, body=dict(words), attachment=attached.told(one.body.get("attachment")), ruling=ruling,
    )  # fmt: skip
