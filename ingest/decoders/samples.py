"""What a decoder of a foreign format is told, and what it gives: values as they were said, before any rule is applied. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from domain.errors import NotUnderstood
from domain.message import lenient, repeated_deep
from domain.rules import Rule

MOST: Final = 5_000
"""Values of one message at most; 64 kB hold no more in any format that means them."""


class Letter(NamedTuple):
    """A foreign payload and how to read it.

    Attributes
    ----------
    received : int
        Receive time [s]; it may stand in for a time only where the rule allows it.
    zone : tzinfo, optional
        Of times without offset.
    memory : dict
        What the decoder remembers of this device from message to message (Sparkplug's births); lost at a restart.
    topics : tuple of str
        Foreign topics that the device owns.
    """

    payload: bytes
    topic: str
    rule: Rule
    received: int
    zone: tzinfo | None
    memory: dict[str, Any]
    topics: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One value as it was said: its foreign name, and whatever else stood with it; None where nothing did.

    ``channel`` is the foreign name of the place or meter; ``time`` has the form of the format or the rule; ``late`` marks values
    that the protocol calls back-filled; ``sum`` marks a SenML sum.
    """

    name: str
    value: object
    time: object = None
    unit: str | None = None
    flag: str | None = None
    channel: str | None = None
    late: bool = False
    sum: bool = False


Decoder = Callable[[Letter], list[Sample] | None]
"""A decoder: samples, or None for a message that is understood and brings no reading; raises :class:`domain.errors.NotUnderstood`."""


class Dialect(NamedTuple):
    """A format: its decoder, the form of its times, and whether arrival may stand in for a time by its own rules.

    ``mark`` names what a payload of it looks like, in words; ``like`` tells whether one does.
    """

    decode: Decoder
    time_format: str
    mark: str
    like: Callable[[Any, str], bool] | None = None


def json_of(letter: Letter) -> Any:
    """The JSON of a payload, a byte-order mark cut off.

    Raises
    ------
    NotUnderstood
        ``bad-encoding``, ``bad-json``; ``not-finite`` for NaN; ``bad-schema`` for a key that stands twice.
    """
    try:
        text = letter.payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotUnderstood(f"不是 UTF-8 not UTF-8 (GBK?): {error}"[:160], "bad-encoding") from None
    try:
        seen = lenient(text)
    except RecursionError:
        raise NotUnderstood("嵌套过深 too deep") from None
    except ValueError as error:
        raise NotUnderstood(f"不是 JSON not JSON: {error}"[:160], "bad-json") from None
    key = repeated_deep(seen)
    if key is not None:
        raise NotUnderstood(f"键重复 key {key[:32]!r} stands twice")
    return seen


def object_of(value: Any, what: str) -> Mapping[str, Any]:
    """An object, or the refusal."""
    if not isinstance(value, dict):
        raise NotUnderstood(f"{what} 应为对象 should be an object, not {shown(value)}")
    return value


def list_of(value: Any, what: str) -> list[Any]:
    """A list, or the refusal."""
    if not isinstance(value, list):
        raise NotUnderstood(f"{what} 应为列表 should be a list, not {shown(value)}")
    return value


def shown(value: Any) -> str:
    """Enough of a foreign value to recognise it."""
    try:
        return json.dumps(value, ensure_ascii=False)[:40]
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return repr(value)[:40]
    except (ValueError, RecursionError):  # Python does not write integers of thousands of digits
        return "…"
