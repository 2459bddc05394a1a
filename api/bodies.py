"""What a body may hold: text that can be written down, documents that have a name."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

LONG: Final = 2_000


def _plain(text: str) -> str:
    """No control characters and no halves of characters: they could stand in no database and no print."""
    if not text.replace("\n", " ").isprintable():
        raise ValueError("not_plain_text")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_plain)]
Lines = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONG), AfterValidator(_plain)]
Word = Annotated[str, StringConstraints(max_length=LONG)]
"""A password: as it was typed."""


class Said(BaseModel):
    """A body: every field known, none more."""

    model_config = ConfigDict(extra="forbid", strict=True)
