"""Shapes of the answers. Times are RFC 3339 in +08:00; a value stands beside its unit, a figure beside its rule set."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

Row = TypeVar("Row")


class Page(BaseModel, Generic[Row]):
    """A list; ``next`` is the cursor of what follows, null at the end."""

    items: list[Row]
    next: str | None = None


class Words(BaseModel):
    """The same in both languages."""

    zh: str
    en: str


class PlanHead(BaseModel):
    """A plan in force."""

    id: str
    name_zh: str
    name_en: str
    horizon: int


class CountyAnswer(BaseModel):
    """Whose board this is, and how fresh it is."""

    id: str
    name: str
    simulated: bool
    speed: float | None = Field(description="simulated seconds a second; null on the machine's clock")
    data_until: str | None = Field(description="time of the newest reading")
    year: int
    rule_set: str = Field(description="AQI rule set in force today")
    registry_version: str
    plans: list[PlanHead]


class LevelWords(BaseModel):
    """An AQI class (HJ 633)."""

    level: int
    top: int = Field(description="greatest AQI of the class")
    grade: str
    zh: str
    en: str
    colour: str


class ItemWords(BaseModel):
    """An item or a figure: its words, unit and displayed digits."""

    zh: str
    en: str
    unit: str
    digits: int


class LegendAnswer(BaseModel):
    """Words and colours of every code in the answers, so that no screen needs its own."""

    levels: list[LevelWords]
    good_max: int = Field(description="a good day has an AQI up to this")
    water_classes: list[str]
    statuses: dict[str, Words]
    freshness: dict[str, Words]
    flags: dict[str, Words]
    reasons: dict[str, Words]
    causes: dict[str, Words] = Field(description="why closed figures change")
    lost: dict[str, Words] = Field(description="why hours are lost")
    ledger: dict[str, Words] = Field(description="states of a ledger's row")
    chances: dict[str, Words] = Field(description="whether what is not valid can become so")
    allowances: dict[str, Words] = Field(description="states of today's allowances")
    differences: dict[str, Words] = Field(description="likely causes of a difference to an official figure")
    bases: dict[str, Words] = Field(description="what a figure is made from")
    states: dict[str, dict[str, Words]] = Field(description="statuses of figures: by figure, and under an empty name those that mean the same beside any")
    reports: dict[str, Words] = Field(description="kinds of reports")
    deeds: dict[str, Words] = Field(description="actions in the audit log; of several words the first decides")
    results: dict[str, Words] = Field(description="what came of them")
    units: dict[str, Words] = Field(description="units of targets and meters as they are printed; one that is not here stands for itself")
    figures: dict[str, ItemWords]
    items: dict[str, dict[str, ItemWords]] = Field(description="by realm: air, water, point, meter")


class IndicatorAnswer(BaseModel):
    """A stored figure."""

    figure: str
    period: str
    scope: str
    rule_set: str
    basis: str
    time: str
    value: float | None
    unit: str
    valid: float | None
    expected: float | None
    target: float | None
    margin: float | None
    low90: float | None
    high90: float | None
    status: str
    text: str
    provisional: bool = Field(description="until every month of its period is confirmed; hours always are")


class FreshAnswer(BaseModel):
    """When a source last spoke, and whether it should have spoken since."""

    source: str
    name: str
    kind: str
    owner: str
    device: str | None
    trial: bool
    interval: int | None
    last: str | None
    due: str | None = Field(description="by then the next reading should have come")
    state: str
    overdue_minutes: int | None


class RestatementAnswer(BaseModel):
    """A closed figure that changed."""

    figure: str
    period: str
    scope: str
    scope_name: str
    rule_set: str
    basis: str
    time: str
    version: int
    old: float | None
    new: float | None
    unit: str
    old_status: str
    new_status: str
    made: str
    cause: str = Field(description="codes of the legend's causes with what exactly: late: source item time…; correction: …")
    causes: list[str] = Field(description="the codes alone")
    confirmed: bool = Field(description="the figure was confirmed when it changed: the change was announced")


class DeadLetterAnswer(BaseModel):
    """What ingest refused, or holds for a person; its bytes stand in the journal."""

    id: int
    outcome: str
    reason: str
    detail: str
    detail_zh: str = Field(description="the detail in Chinese; as it is where no Chinese is known")
    item: str | None
    device: str
    source: str
    record: str = Field(description="journal record: writer/sequence")
    received: str
    topic: str


class AccountAnswer(BaseModel):
    """Received = stored + duplicate + dead-letter + quarantined + pending, in readings, since the journal began."""

    received: int
    stored: int
    duplicate: int
    deadletter: int
    quarantined: int
    pending: int
    balanced: bool
    reasons: dict[str, int]
    items_refused: dict[str, int]


class TaskAnswer(BaseModel):
    """Something that a person should look at today, and why."""

    kind: str
    urgency: str = Field(description="act, watch or know")
    zh: str
    en: str
    count: int
    view: str = Field(description="part of the board that shows it")


class ProcessAnswer(BaseModel):
    """One process of ours."""

    ready: bool
    reasons: list[str]


class ReadyAnswer(BaseModel):
    """Whether everything that must run does; the store is told, and never makes us unready."""

    ready: bool
    store: str
    processes: dict[str, ProcessAnswer]


class Fault(BaseModel):
    """A parameter that cannot be used."""

    parameter: str
    rule: str | None = None


class ProblemAnswer(BaseModel):
    """An error (RFC 9457), in the caller's language."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = None


class VerdictAnswer(BaseModel):
    """What an operator said of an alarm."""

    verdict: str = Field(description="true, false or known-work")
    zh: str
    person: str
    reason: str
    document: str
    said: str


class AlertAnswer(BaseModel):
    """An event that calls for a person."""

    alarm: str = Field(description="its name, by which it is judged")

    kind: str
    zh: str
    en: str
    source: str
    name: str
    time: str = Field(description="when it could be known; of what stands still and of breaches, since when")
    value: float | None = Field(description="size in % or the item's unit, hours, or the worst class; null once withdrawn")
    withdrawn: bool = Field(description="later data took it away")
    details: dict[str, Any] = Field(description="item, onset, neighbours and so on, by kind")
    verdict: VerdictAnswer | None = Field(description="the last word of an operator; null while nobody has judged it")
