"""Shapes of what is said about a target: the judgement, what the rest of the year must keep, and what stands beside it."""

from __future__ import annotations

from pydantic import BaseModel, Field


class LastValue(BaseModel):
    """The newest value that a plan set for a target."""

    year: int
    value: float
    document: str


class Reported(BaseModel):
    """What an authority reported for a target; never measured by us."""

    period: str
    value: float | None
    document: str
    person: str
    received: str


class OneMore(BaseModel):
    """Where a target would stand after one more bad day: above AQI 100 for the ratio, a heavy-pollution day for the others."""

    value: float | None
    value_text: str
    margin: float | None
    remaining_budget: float | None
    required_rest: float | None
    status: str


class Beside(BaseModel):
    """The same target at the same time under another rule set or on another basis."""

    rule_set: str
    basis: str
    value: float | None
    value_text: str
    status: str
    margin: float | None
    margin_text: str
    remaining_budget: float | None


class Allowed(BaseModel):
    """What today's hours to come may have so that the day stays within a cap."""

    item: str
    cap: int = Field(description="AQI that the day must not exceed")
    limit: float | None = Field(description="daily value that just keeps the cap")
    value: float | None = Field(description="largest mean of the hours to come (ozone: level of each); null unless open")
    value_text: str
    unit: str
    status: str = Field(description="code of the legend's allowances")
    hours_left: int | None


class LastYear(BaseModel):
    """The same figure of the same calendar period last year."""

    value: float | None
    value_text: str
    change: float | None
    change_text: str = Field(description="with its sign")
    percent: float | None
    status: str = Field(description="empty, or incomplete, last-incomplete, both-incomplete")


class OfficialBeside(BaseModel):
    """The newest official figure of the year beside ours of the same period."""

    period: str = Field(description="as people write it: 2025-06, 2025Q2, 2025")
    value: float | None
    ours: float | None
    difference: float | None = Field(description="ours - official")
    percent: float | None
    cause: str = Field(description="likely cause: code of the legend's differences")
    rank: float | None = Field(description="among counties")
    document: str


class Cost(BaseModel):
    """A place that costs a target."""

    id: str
    name: str
    since: str = Field(description="civil day since which it does")
    value: float | None = Field(description="its class, or its change in percent")
    items: list[str] = Field(description="items that make it, the worst first")


class Breach(BaseModel):
    """A stretch in which a place was worse than it must always be."""

    id: str
    name: str
    begin: str
    end: str | None = Field(description="null while it goes on")
    item: str


class TargetAnswer(BaseModel):
    """A target of a plan and where the county stands.

    ``…_text`` are the figures as they are printed, rounded half to even.
    """

    id: str
    plan: str
    item: str
    group: str
    figure: str | None
    name_zh: str
    name_en: str
    op: str
    unit: str
    kind: str
    source: str
    departments: list[str]
    clause: str
    baseline: str
    horizon: int
    horizon_passed: bool
    year: int
    target: float | None
    target_text: str
    document: str
    last: LastValue | None
    value: float | None
    value_text: str
    value_source: str | None = Field(description="measured, official, reported, or null where there is no value")
    status: str
    margin: float | None
    margin_text: str
    remaining_budget: float | None
    required_rest: float | None
    required_rest_text: str
    rounding: bool
    burn_rate: float | None = Field(description="used share of the allowed over the elapsed share of the year in valid days; above 1 it will not last")
    one_more: OneMore | None = Field(description="null once the year is over")
    median: float | None = Field(description="how the year may end, as projected; null without earlier years to learn from")
    low90: float | None = Field(description="lower end of the projection's 90 % interval")
    high90: float | None = Field(description="upper end of it")
    p_miss: float | None = Field(description="projected chance of missing the target, 0 … 1")
    beside: list[Beside] = Field(description="other rule sets and bases; where an official figure is known, it is the one above")
    time: str | None = Field(description="last day that the value covers")
    period: str | None
    rule_set: str | None
    basis: str | None
    valid: float | None
    expected: float | None
    provisional: bool
    last_year: LastYear | None
    allowances: list[Allowed] = Field(description="of today, for targets that count days; the county's, under the target's rule set")
    official: OfficialBeside | None
    costs: list[Cost] = Field(description="sections that cost a water target")
    breaches: list[Breach] = Field(description="the newest breaches of a target that must always be kept")
    breach_count: int | None = Field(description="breaches so far this year; null for other targets")
    note_zh: str
    note_en: str
    reported: list[Reported]
