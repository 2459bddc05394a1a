"""Tasks: who owes an answer to what, until when; replies with papers, returned or closed by the desk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from api import attached
from api.access import Whose
from api.accounts import Caller, owner
from api.answers import answer
from api.depends import Asked
from api.links import leads
from api.params import Cursor, Limit, pack, unpack
from api.problems import Problem
from api.routes_desk import EntryAnswer, desk_of, entered
from api.schemas_tasks import ReplyBody, StepAnswer, StepBody, TaskRow, TasksAnswer
from api.sources import Sources
from api.tasks import standing
from domain import tasks
from domain.civil import date_of, day_of, iso
from domain.tasks import CLOSED, OPEN, REPLIED, RETURNED, SETTLED, Step, Task

router = APIRouter(prefix="/api/v1", tags=["tasks"])
Name = Annotated[str, Path(pattern=r"^[a-z-]{1,32}@[A-Za-z0-9_-]{1,32}@[0-9]{1,12}$", description="as /api/v1/tasks names it")]
State = Annotated[Literal["open", "replied", "returned", "closed", "settled"] | None, Query(description="only tasks in this state")]
LIVE = {OPEN, REPLIED, RETURNED}
WRONG = {
    tasks.REPLY: (LIVE - {REPLIED}, "这项任务不等待回复。", "This task waits for no reply."),
    tasks.RETURN: ({REPLIED}, "没有可退回的回复。", "There is no reply to return."),
    tasks.CLOSE: (LIVE, "这项任务已结束。", "This task has ended."),
    tasks.ASSIGN: (LIVE, "这项任务已结束。", "This task has ended."),
}


@router.get("/tasks", response_model=TasksAnswer, responses=leads("cursor", "/next", "tasks_"))
def tasks_(
    request: Request,
    sources: Asked,
    caller: Whose,
    cursor: Cursor = None,
    limit: Limit = 100,
    *,
    state: State = None,
    whose: Annotated[str | None, Query(max_length=64, description="只看此部门或乡镇的 only of this department or town")] = None,
    overdue: Annotated[bool, Query(description="只看逾期的 only late ones")] = False,
) -> Response:
    """Tasks by their due day; without ``state`` those that have not ended. An enterprise sees its own."""
    today, found = day_of(sources.now()), standing(sources, caller)
    # What was settled before anybody touched it never was a task.
    found = [one for one in found if one.state != SETTLED or one.steps]
    counts = {**dict.fromkeys(tasks.STATES, 0), **Counter(one.state for one in found), "overdue": sum(one.overdue(today) for one in found)}
    wanted = [
        one for one in found if (one.state == state if state else one.state in LIVE) and whose in {None, one.owner} and (not overdue or one.overdue(today))
    ]
    key = unpack(cursor, int, str)
    left = [one for one in wanted if key is None or (one.due, one.fact.name) > key]
    follow = pack((left[limit - 1].due, left[limit - 1].fact.name)) if len(left) > limit else None
    return answer(request, TasksAnswer(items=[_row(sources, one, today) for one in left[:limit]], next=follow, counts=counts))


@router.post("/tasks/{task}/replies", status_code=202, response_model=EntryAnswer)
def reply(request: Request, sources: Asked, caller: Whose, task: Name, said: ReplyBody) -> Response:
    """Say what was found and done; the desk then closes the task or returns the reply."""
    _awaits(sources, caller, task, tasks.REPLY)
    words: dict[str, object] = {"task": task, "action": tasks.REPLY, "note": said.note}
    kept = attached.kept(desk_of(sources), said.attachment, attached.paced(request, caller.name))
    return entered(sources, caller, tasks.TASK, {**words, **({"attachment": kept} if kept else {})}, task)


@router.post("/desk/tasks/{task}/steps", status_code=202, response_model=EntryAnswer)
def step(sources: Asked, caller: Whose, task: Name, said: StepBody) -> Response:
    """Assign, return or close a task."""
    _awaits(sources, caller, task, said.action)
    return entered(sources, caller, tasks.TASK, {"task": task, **said.model_dump(exclude_none=True)}, task)


@router.get("/tasks/{task}/attachments/{number}", response_class=Response, responses={200: {"content": {"application/octet-stream": {}}}})
def task_attachment(sources: Asked, caller: Whose, task: Name, number: Annotated[int, Path(gt=0, lt=2**62)]) -> Response:
    """The file of a reply, byte by byte as it was sent."""
    found = next((one for one in _one(sources, caller, task).steps if one.record == f"person/{number}"), None)
    return attached.sent(desk_of(sources), attached.told(found.body.get("attachment")) if found else None)


def _one(sources: Sources, caller: Caller, name: str) -> Task:
    found = next((one for one in standing(sources, caller) if one.fact.name == name), None)
    if found is None:
        raise Problem(404, "没有这项任务。", "There is no such task.")
    return found


def _awaits(sources: Sources, caller: Caller, name: str, action: str) -> None:
    """Refuse a step that does not fit where the task stands."""
    found = _one(sources, caller, name)
    states, zh, en = WRONG[action]
    if found.state not in states or found.state in {CLOSED, SETTLED}:
        raise Problem(409, zh, en)


def _row(sources: Sources, one: Task, today: int) -> TaskRow:
    registry, fact = sources.registry(), one.fact
    whose = owner(registry, fact.source) or ""
    name = registry.name_of(fact.source)
    return TaskRow(
        task=fact.name, kind=fact.kind, zh=fact.zh, en=fact.en, source=fact.source, source_name=name if name != fact.source or not whose else registry.name_of(whose),
        enterprise=whose, since=iso(fact.time), owner=one.owner, due=date_of(one.due).isoformat(), state=one.state, overdue=one.overdue(today),
        steps=[_step(done) for done in one.steps],
    )  # fmt: skip


def _step(one: Step) -> StepAnswer:
    body: Mapping[str, Any] = one.body
    words = {name: str(body.get(name) or "") for name in ("owner", "due")}
    number = int(one.record.partition("/")[2].partition("#")[0])
    return StepAnswer(
        id=number, action=one.action, person=one.person, time=iso(one.said), note=one.note, attachment=attached.told(body.get("attachment")), **words
    )
