"""The duty log: what Grafana delivers, once each, and who took note of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from api.access import Whose
from api.accounts import Caller, Deed
from api.answers import answer
from api.bodies import Lines, Said
from api.depends import Asked
from api.desk import Alert, Duty, Line
from api.params import Cursor, Limit, pack, unpack
from api.problems import Problem
from api.routes_login import note
from api.schemas import Page
from api.sources import Sources
from domain.civil import iso

router = APIRouter(prefix="/api/v1", tags=["desk"])
STAMP: Final = "X-Lanbi-Timestamp"
SIGNATURE: Final = "X-Lanbi-Signature"
OFF: Final = ("值班日志未启用。", "There is no duty log here.")
MOST: Final = 1_000
Text = Annotated[str, StringConstraints(max_length=4_000)]


class DeliveredAlert(BaseModel):
    """An alert of Grafana; keys that are not named here are left aside."""

    model_config = ConfigDict(extra="ignore")

    fingerprint: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9a-zA-Z]+$")]
    starts: Annotated[str, StringConstraints(min_length=10, max_length=64, pattern=r"^[0-9TZ:.+-]+$")] = Field(alias="startsAt")
    ends: Annotated[str, StringConstraints(max_length=64)] = Field("", alias="endsAt")
    status: Literal["firing", "resolved"]
    labels: dict[Text, Text] = {}
    annotations: dict[Text, Text] = {}


class Delivery(BaseModel):
    """What Grafana sends at once."""

    model_config = ConfigDict(extra="ignore")

    alerts: list[DeliveredAlert] = Field(max_length=MOST)
    truncated: int = Field(0, alias="truncatedAlerts", ge=0)


class TakenAnswer(BaseModel):
    """What became of a delivery: new lines, ones that were there, and how many Grafana left out."""

    taken: int
    known: int
    truncated: int


class LineAnswer(BaseModel):
    """A line of the duty log."""

    id: int
    received: str
    times: int = Field(description="deliveries of this line")
    status: str
    name: str
    severity: str
    team: str
    summary: str
    starts: str
    ends: str
    labels: dict[str, str]
    person: str = Field(description="who took note; empty while nobody did")
    taken: str | None
    note: str
    record: str = Field(description="journal record of the acknowledgement")


class AcknowledgeBody(Said):
    """Taking note of a line."""

    note: Lines = ""


def _described() -> dict[str, Any]:
    """The body as the description shows it: the route reads it byte by byte first, because the signature is over bytes."""
    schema, one = Delivery.model_json_schema(by_alias=True), DeliveredAlert.model_json_schema(by_alias=True)
    schema.pop("$defs")
    schema["properties"]["alerts"]["items"] = one
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


@router.post("/alerts/grafana", response_model=TakenAnswer, openapi_extra=_described())
async def grafana(request: Request, sources: Asked, caller: Whose) -> Response:
    """Grafana's webhook: a key of role ``sender``, or a signature where a secret is set, which then is always needed."""
    duty, content = _duty(sources), await request.body()
    _trusted(request, duty, caller, content)
    try:
        delivered = Delivery.model_validate_json(content)
    except (ValidationError, RecursionError) as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"][:3]) if isinstance(error, ValidationError) else "body"
        raise Problem(422, "正文不是 Grafana 的告警。", "The body is no delivery of Grafana.", where or "body") from None
    alerts = [_alert(one) for one in delivered.alerts]
    taken = await to_thread.run_sync(duty.take, alerts)
    told = TakenAnswer(taken=taken, known=len(alerts) - taken, truncated=delivered.truncated)
    return Response(told.model_dump_json(), headers={"Cache-Control": "no-store"}, media_type="application/json")


SIGNED: Final = {"time stamp": "时间戳过旧或有误", "signature": "与正文不符"}
"""What is wrong with a signature, in Chinese."""


def _trusted(request: Request, duty: Duty, caller: Caller, content: bytes) -> None:
    fault = duty.fault(request.headers.get(STAMP, ""), request.headers.get(SIGNATURE, ""), content)
    if fault == "none" and "alert" not in caller.rights:
        raise Problem(
            401,
            "告警推送需要 sender 密钥，或设置 http.webhook_secret_file。",
            "Alerts need a key of role sender, or http.webhook_secret_file.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    if fault not in {"", "none"}:
        raise Problem(401, f"签名无效：{SIGNED.get(fault, fault)}", f"The signature is not good: {fault}", headers={"WWW-Authenticate": "Bearer"})


def _alert(one: DeliveredAlert) -> Alert:
    labels, said = ({_plain(name): _plain(text) for name, text in table.items()} for table in (one.labels, one.annotations))
    words = {"name": labels.get("alertname", ""), "severity": labels.get("severity", ""), "team": labels.get("team", ""), "summary": said.get("summary", "")}
    return Alert(one.fingerprint, one.starts, one.status, ends=_plain(one.ends), labels=labels, **words)


def _plain(text: str) -> str:
    """Text as a database takes it; labels are arbitrary text, and every screen escapes them."""
    return text.encode(errors="replace").decode().replace("\0", "")


@router.get("/duty", response_model=Page[LineAnswer])
def duty(
    request: Request,
    sources: Asked,
    cursor: Cursor = None,
    limit: Limit = 100,
    *,
    waiting: Annotated[bool, Query(description="只看未处置的 only firing ones that nobody took note of")] = False,
) -> Response:
    """The duty log, newest first."""
    key = unpack(cursor, int)
    found = sources.duty.lines(int(str(key[0])) if key else 0, limit + 1, waiting=waiting) if sources.duty else []
    follow = pack((found[limit - 1].number,)) if len(found) > limit else None
    return answer(request, Page[LineAnswer](items=[_line(one) for one in found[:limit]], next=follow))


@router.post("/desk/duty/{number}/acknowledge", response_model=LineAnswer)
def acknowledge(sources: Asked, caller: Whose, number: int, said: AcknowledgeBody) -> Response:
    """Take note of a line, once; the word stands in the journal too."""
    log, desk = _duty(sources), sources.desk
    line = log.line(number) if 0 < number < 2**62 else None
    if line is None:
        raise Problem(404, "值班日志里没有这一条。", "The duty log has no such line.")
    if line.person or desk is None:
        raise Problem(409, f"{line.person or '–'} 已处置。", f"{line.person or 'nobody'} took note of it before.")
    body = {"user": caller.name, "alert": line.alert.name, "fingerprint": line.alert.fingerprint, "starts": line.alert.starts, "note": said.note}
    record = desk.enter("acknowledgement", body)
    done = log.acknowledge(number, caller.name, said.note, record)
    note(sources, Deed(caller.name, caller.role, caller.address, "acknowledge", str(number), "done" if done else "late", record))
    found = log.line(number)
    assert found  # noqa: S101  lines are never removed
    return Response(_line(found).model_dump_json(), headers={"Cache-Control": "no-store"}, media_type="application/json")


def _line(one: Line) -> LineAnswer:
    words: Mapping[str, Any] = {name: getattr(one.alert, name) for name in ("status", "name", "severity", "team", "summary", "starts", "ends")}
    taken = None if one.taken is None else iso(one.taken)
    more: Mapping[str, Any] = {name: getattr(one, name) for name in ("person", "note", "record", "times")}
    return LineAnswer(id=one.number, received=iso(one.received), taken=taken, labels=dict(one.alert.labels), **words, **more)


def _duty(sources: Sources) -> Duty:
    if sources.duty is None:
        raise Problem(409, *OFF)
    return sources.duty
