"""Shapes of tasks, and of what is done with them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.attached import AttachedAnswer, Attachment
from api.bodies import Line, Said
from api.schemas import Page


class ReplyBody(Said):
    """What was found and done, with the paper that shows it."""

    note: Line
    attachment: Attachment | None = None


class StepBody(Said):
    """The desk gives a task to somebody until a day, returns a reply, or closes the task."""

    action: Literal["assign", "return", "close"]
    owner: Line | None = Field(None, description="department or town; of an assignment")
    due: Line | None = Field(None, description="civil day; of an assignment")
    note: Line | None = Field(None, description="why it is returned or closed")


class StepAnswer(BaseModel):
    """Something that was done with a task."""

    id: int = Field(description="number of its record in the person's journal")
    action: str
    person: str
    time: str
    note: str
    owner: str
    due: str
    attachment: AttachedAnswer | None


class TaskRow(BaseModel):
    """A task: a held register, a clue or an alarm with its owner, its day, and what was done."""

    task: str
    kind: str = Field(description="held, clue, alarm")
    zh: str
    en: str
    source: str
    source_name: str
    enterprise: str
    since: str
    owner: str
    due: str
    state: str = Field(description="open, replied, returned, closed, settled")
    overdue: bool
    steps: list[StepAnswer]


class TasksAnswer(Page[TaskRow]):
    """Tasks, and how many there are in each state and late, whatever page is shown."""

    counts: dict[str, int] = Field(description="by state, and overdue")
