"""Why something was not stored: a closed list (documented in docs/topics.md)."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

DEAD: Final = MappingProxyType(
    {
        "unknown-device": ("设备未登记", "the device is not in the registry"),
        "unknown-source": ("来源未登记", "the place or meter is not in the registry"),
        "unknown-item": ("项目未知", "no such item for this kind of place"),
        "identity-mismatch": ("设备无权代表该来源", "the device may not speak for this source"),
        "bad-encoding": ("编码错误", "not UTF-8"),
        "bad-json": ("JSON 错误", "not JSON"),
        "bad-schema": ("结构错误", "JSON, but not the native message"),
        "naive-time": ("时间缺少时区", "a time without offset, and no zone is registered"),
        "not-finite": ("数值非有限", "NaN or infinity"),
        "value-out-of-range": ("数值超出硬范围", "outside the hard range of the item"),
        "unit-mismatch": ("单位不符", "the unit does not fit the item"),
        "retained": ("保留消息不是读数", "a retained message is no reading"),
        "oversize": ("消息过大", "larger than 64 kB"),
        "internal": ("内部错误", "a fault of lanbi; the bytes are kept"),
    },
)
QUARANTINE: Final = MappingProxyType(
    {
        "future-time": ("时间超前", "more than 300 s after receipt"),
        "too-old": ("时间过旧", "more than 400 days before receipt, or older than the store keeps"),
        "conflict": ("同一修订的值不同", "another value for the same revision, or a second device"),
        "store-rejected": ("存储拒绝", "the store will never take the value, for example for its field's type"),
    },
)
ALL: Final = MappingProxyType({**DEAD, **QUARANTINE})
"""Every reason code with its words (zh, en)."""

OUTCOMES: Final = MappingProxyType(
    {"stored": ("入库", "stored"), "duplicate": ("重复", "duplicate"), "deadletter": ("死信", "dead-letter"), "quarantined": ("待审", "quarantined")},
)
"""What becomes of a reading (zh, en): whatever was received and is not pending is one of these."""

MAX_MESSAGE: Final = 64 * 1024
FUTURE_S: Final = 300
TOO_OLD_S: Final = 400 * 86_400
