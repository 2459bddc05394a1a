"""Shapes of the answers about places: stations, sections, meters and permit points."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.schemas import Page


class StationAnswer(BaseModel):
    """An air station and its newest hour."""

    id: str
    name: str
    role: str | None
    town: str
    state: str = Field(description="freshness: on-time, late, silent, never, no-device")
    overdue_minutes: int | None
    time: str | None
    values: dict[str, float | None]
    flags: dict[str, str]
    units: dict[str, str]
    aqi: float | None
    aqi_time: str | None
    level: int | None
    primary: list[str]
    rule_set: str | None
    pm25_24h: float | None


class HourRow(BaseModel):
    """An hour of a station, named by its end."""

    time: str
    aqi: float | None
    level: int | None
    primary: list[str]
    rule_set: str | None
    values: dict[str, float | None]
    flags: dict[str, str]
    built: bool = Field(description="made of shorter spans, not sent as an hour")


class DayRow(BaseModel):
    """A civil day, hours 01…24."""

    date: str
    aqi: float | None
    level: int | None
    primary: list[str]
    rule_set: str
    values: dict[str, float | None]
    hours: dict[str, float | None] = Field(description="valid hours an item")


class HoursAnswer(Page[HourRow]):
    """Hours of a station."""

    site: str
    units: dict[str, str]


class DaysAnswer(Page[DayRow]):
    """Days of a station or of the county."""

    site: str
    units: dict[str, str]


class VersionRow(BaseModel):
    """One word on one value: what was said, by whom, when it was received, and whether it stands."""

    time: str
    span: int = Field(description="seconds that the value stands for")
    item: str
    value: float | None = Field(description="null = withdrawn")
    flag: str
    stands: bool = Field(description="the value in force; the others are superseded")
    received: str | None
    device: str | None = Field(description="null for an import or a person")
    journal: str | None = Field(description="journal record, writer/number")


class VersionsAnswer(Page[VersionRow]):
    """Values that were said more than once, every version of them."""

    site: str
    units: dict[str, str]


class SectionAnswer(BaseModel):
    """A water section and its newest record."""

    id: str
    name: str
    town: str
    body: str
    control: str
    state: str
    overdue_minutes: int | None
    time: str | None
    values: dict[str, float | None]
    flags: dict[str, str]
    units: dict[str, str]
    water_class: int | None
    deciding: list[str]
    rule_set: str | None
    level_state: str | None = Field(description="of level and flow at the newest record: normal, rise, warning, guarantee; null where no line is registered")


class RecordRow(BaseModel):
    """A record of a section."""

    time: str
    span: int
    values: dict[str, float | None]
    flags: dict[str, str]
    water_class: int | None


class RecordsAnswer(Page[RecordRow]):
    """Records of a section."""

    site: str
    units: dict[str, str]
    rule_set: str


class MeterAnswer(BaseModel):
    """An enterprise meter and its newest register."""

    id: str
    enterprise: str
    enterprise_name: str
    medium: str
    role: str | None
    unit: str
    state: str
    overdue_minutes: int | None
    time: str | None
    register_value: float | None
    power: float | None
    flags: dict[str, str]


class PointAnswer(BaseModel):
    """A permit point and its newest values."""

    id: str
    name: str
    enterprise: str
    enterprise_name: str
    kind: str
    state: str
    overdue_minutes: int | None
    time: str | None
    values: dict[str, float | None]
    flags: dict[str, str]
    units: dict[str, str]
    status: str | None = Field(description="of today, against its permit: within, over, marked, silent")
    over_hours: int | None = Field(description="hours of today over an hourly limit")
    multiple: float | None = Field(description="largest multiple of today over a limit, (C − S)/S")
    capture: float | None = Field(description="hours of today that came or were marked with a reason, %")
    marked_hours: int | None = Field(description="hours of today that the enterprise or a person marked invalid")
    permitted: bool = Field(description="whether a valid discharge permit is registered")
