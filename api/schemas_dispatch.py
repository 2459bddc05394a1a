"""Shapes of the dispatch of a heavy-pollution episode."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from api.schemas import Page


class OrderHead(BaseModel):
    """An order that was given."""

    start: str
    end: str
    level: str
    zh: str
    en: str
    document: str
    enterprises: int
    unconfirmed: int


class DispatchHour(BaseModel):
    """What an enterprise did in an hour under an order."""

    time: str = Field(description="end label")
    status: str = Field(description="obeyed, not-obeyed, cannot-tell; the legend has the words")
    why: str = Field(description="why it cannot be told: within-uncertainty, no-baseline, no-data, no-meter")
    load: float | None = Field(description="kWh in the hour")
    allowed: float | None = Field(description="kWh in the hour")


class DispatchRow(BaseModel):
    """An enterprise under an order, hour by hour."""

    enterprise: str
    enterprise_name: str
    town: str
    contact: str = Field(description="for the desk and for itself; empty for others")
    confirmed: str | None = Field(description="when it confirmed the order; null while it did not")
    silent: list[str] = Field(description="meters that are silent now")
    measures: list[dict[str, Any]]
    counts: dict[str, int] = Field(description="hours by verdict")
    why: dict[str, int] = Field(description="why hours cannot be told")
    hours: list[DispatchHour]


class DispatchAnswer(Page[DispatchRow]):
    """The orders of the last year, and one of them, enterprise by enterprise, the worst first."""

    orders: list[OrderHead]
    order: OrderHead | None = Field(description="the one shown; null where no order was given")
    unit: str
