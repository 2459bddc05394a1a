"""Shapes of what enterprises file, and of what the bureau says to it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.attached import AttachedAnswer, Attachment
from api.bodies import Line, Said
from api.params import ID

Name = Annotated[str, Field(pattern=ID)]
Number = Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,9})?$", description="a plain decimal number")]


class _Window(Said):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    meters: list[Name] = Field(min_length=1, max_length=50)
    since: Line = Field(alias="from", description="civil day, or time with offset")
    to: Line = Field(description="civil day (included), or time with offset")
    reason: Line
    attachment: Attachment | None = None


class ExchangeBody(Said):
    """A meter was exchanged: last register of the old one, first of the new one."""

    form: Literal["exchange"]
    meter: Name
    time: Line = Field(description="time with offset")
    last: Number
    first: Number
    attachment: Attachment | None = None


class MultiplierBody(Said):
    """A meter's multiplier (倍率) changes from a day on."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    form: Literal["multiplier"]
    meter: Name
    since: Line = Field(alias="from", description="civil day")
    value: Number
    reason: Line
    attachment: Attachment | None = None


class MaintenanceBody(_Window):
    """Treatment stands for maintenance."""

    form: Literal["maintenance"]


class ShutdownBody(_Window):
    """Production and treatment stand."""

    form: Literal["shutdown"]


class ExplanationBody(Said):
    """Why a clue is none: what it is about stands in /api/v1/clues."""

    form: Literal["explanation"]
    source: Name
    rule: Name
    time: Line = Field(description="any time within the clue")
    reason: Line
    attachment: Attachment | None = None


FilingBody = Annotated[ExchangeBody | MultiplierBody | MaintenanceBody | ShutdownBody | ExplanationBody, Field(discriminator="form")]


class RulingBody(Said):
    """Accept a filing, or return it with the reason."""

    ruling: Literal["accept", "return"]
    reason: Line
    document: Line


class ReceiptBody(Said):
    """An enterprise has received an order."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    since: Line = Field(alias="from", description="begin of the order, as /api/v1/orders gives it")


class RulingAnswer(BaseModel):
    """What the bureau said."""

    ruling: str
    person: str
    reason: str
    document: str
    said: str
    effects: list[str] = Field(description="journal records of what it made true, or the registry's version")


class FilingAnswer(BaseModel):
    """A filing and what became of it."""

    id: int
    record: str
    enterprise: str
    enterprise_name: str
    form: str
    zh: str
    en: str
    person: str
    filed: str
    state: str = Field(description="waiting, accepted, returned")
    body: dict[str, Any]
    attachment: AttachedAnswer | None
    ruling: RulingAnswer | None


class NewsAnswer(BaseModel):
    """What an enterprise's contact is told first."""

    kind: str = Field(description="silence, refusal, clue, order")
    source: str
    since: str
    zh: str
    en: str
    bureau_from: str = Field(description="when the bureau is told")
