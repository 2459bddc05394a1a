"""The completeness ledger: why hours and days are lost, and whether a period can still become valid."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple

LOST: Final = MappingProxyType(
    {
        "silent": ("无数据", "nothing came"),
        "item": ("缺项", "the item was not sent"),
        "flag": ("设备标记", "flagged by the device"),
        "withdrawn": ("撤回", "withdrawn"),
        "short": ("不足 45 分钟", "less than 45 minutes"),
        "review": ("人工剔除", "held or rejected by a person"),
        "refused": ("拒收", "refused"),
        "held": ("待审", "held for a person"),
        "trial": ("设备试运行", "the device is on trial"),
        "no-device": ("未配设备", "no device is registered"),
        "pending": ("待到", "may still come: the hour has just ended"),
    },
)
"""Reasons for which an hour does not count (zh, en)."""

MENDABLE: Final = frozenset({"silent", "item", "short", "refused", "held", "pending"})
"""Reasons that late data, a replay or a release can mend; what a device or a person took out stays out."""

STATES: Final = MappingProxyType(
    {
        "valid": ("有效", "valid"),
        "incomplete": ("部分项目无效", "an item is not valid"),
        "invalid": ("无效", "not valid"),
        "open": ("未结束", "still running"),
    },
)
"""Status of a ledger's row (zh, en)."""

CHANCES: Final = MappingProxyType(
    {
        "yes": ("仍可有效", "can still become valid"),
        "late": ("仅迟到数据可补救", "only by late data, a replay or a release"),
        "no": ("已无法有效", "can no longer become valid"),
    },
)
"""Whether something that is not valid can still become so (zh, en)."""


class Refused(NamedTuple):
    """A value that ingest did not store: the end label of its hour [s], its item (None: the whole reading), and the reason code."""

    time: int
    item: str | None
    reason: str
    held: bool
