"""Shapes of the completeness ledger's answers."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Loss(BaseModel):
    """A stretch of lost hours (1…24) of a day, of lost days, or a station whose day is not valid."""

    first: str = Field(description="hour of the day, or date; empty for a station")
    last: str
    count: int = Field(description="hours or days")
    items: list[str]
    reason: str = Field(description="code of the legend's lost")
    detail: str = Field(description="flag letter, reason of the refusal, or silent since when")
    station: str = Field(description="in the county's days: the station that lacks")


class ItemDays(BaseModel):
    """Valid days of an item in a month or year, how many it needs, and how many are to come."""

    valid: int
    needed: int
    to_come: int


class LedgerAnswer(BaseModel):
    """What a day, month or year of a scope lacks, and whether it can still become valid."""

    scope: str
    name: str
    period: str
    time: str
    status: str = Field(description="code of the legend's ledger")
    lost: float | None = Field(description="hours with a lost item; days that are not valid; in the county's days: stations")
    valid: float | None
    expected: float | None
    losses: list[Loss]
    more: int = Field(description="stretches beyond the listed ones")
    chances: dict[str, str] = Field(description="of the items that are not valid: code of the legend's chances")
    hours: dict[str, int] = Field(description="valid hours by item; of days")
    items: dict[str, ItemDays] = Field(description="of months and years")


class CompleteAnswer(BaseModel):
    """How complete a scope's year is so far."""

    scope: str
    name: str
    valid_days: float | None
    expected_days: float | None
    needed_days: int = Field(description="valid days that a year's mean needs")
    data_capture: float | None
    unit: str
    rule_set: str
    time: str | None
    year: LedgerAnswer | None = Field(description="the year's ledger; null before analytics made one")
    today: LedgerAnswer | None = Field(description="the running day's ledger")
