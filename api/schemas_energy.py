"""Shapes of the answers about meters' intervals and events, enterprises and their energy, clues and orders."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from api.schemas import Page


class IntervalRow(BaseModel):
    """What a meter counted in an hour, day, month or year so far."""

    start: str = Field(description="begin of the hour, or first day")
    time: str = Field(description="end label of the hour, or 00:00 of the period's last day")
    energy: float | None = Field(description="in the registered unit; of water, gas, heat the quantity")
    status: str = Field(description="empty, estimated, incomplete, held")
    valid: float | None
    expected: float | None


class IntervalsAnswer(Page[IntervalRow]):
    """Intervals of a meter."""

    meter: str
    medium: str
    unit: str
    period: str


class EventRow(BaseModel):
    """Something that happened to a meter."""

    kind: str
    time: str
    value: float | None = Field(description="1 stands, 0 was taken back")
    text: str


class EventsAnswer(Page[EventRow]):
    """Events of a meter."""

    meter: str


class EnterpriseAnswer(BaseModel):
    """An enterprise with its meters and lines."""

    id: str
    name: str
    town: str
    industry: str
    two_high: bool
    monitoring: bool = Field(description="takes part in electricity monitoring")
    meters: list[str]
    lines: list[str]


class EnergyRow(BaseModel):
    """One line of an enterprise's account for one period."""

    time: str
    figure: str
    zh: str
    value: float | None
    unit: str
    status: str
    valid: float | None
    expected: float | None
    target: float | None
    text: str


class EnergyAnswer(Page[EnergyRow]):
    """Account of an enterprise."""

    enterprise: str
    period: str


class ClueAnswer(BaseModel):
    """A clue of electricity monitoring: never a verdict."""

    kind: str
    rule: str
    zh: str
    en: str
    source: str
    enterprise: str
    enterprise_name: str
    state: str = Field(description="open, explained, confirmed, withdrawn")
    start: str
    end: str | None
    minutes: int | None
    details: dict[str, Any] = Field(description="the rule's numbers, the two curves, the audit trail")


class OrderAnswer(BaseModel):
    """An order of a heavy-pollution warning, and one enterprise under it."""

    enterprise: str
    enterprise_name: str
    level: str
    start: str
    end: str
    document: str
    receipt: dict[str, str] | None = Field(description="when and by whom the enterprise confirmed it")
    measures: list[dict[str, Any]]
    hours: dict[str, int] = Field(description="hours obeyed, not-obeyed, cannot-tell")
    why: dict[str, int] = Field(description="why hours cannot be told")
