"""Heavy-pollution warnings (重污染天气预警) as tables: when what has happened meets a level's conditions.

Warnings are called by forecast, and by the city; these tables say only what measured hours have met. The texts differ and none
was read in its original, so the scheme is a setting: the Shandong draft of 2022 is led by PM2.5, the national one of 2024 and the
ministry's of 2017 count from AQI 200. Whether the thresholds moved with the AQI of 2026 is unknown.
The Shandong draft knows ozone-led pollution too (its daily index above 150 for two days and more); that has no grades, and is not computed.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple

NONE, BLUE, YELLOW, ORANGE, RED = range(5)
LEVELS: Final = (("", "无", "none"), ("blue", "蓝色", "blue"), ("yellow", "黄色", "yellow"), ("orange", "橙色", "orange"), ("red", "红色", "red"))
"""Code, zh, en by level; yellow, orange and red call for response levels III, II and I."""


class Also(NamedTuple):
    """A further condition within the same stretch: 24 h means above ``over`` that last ``hours``, or one hour's own AQI above it (0)."""

    over: int
    hours: int


class Criterion(NamedTuple):
    """A level is met while the 24 h index has been above ``over`` for pollution of ``hours`` hours, and ``also`` happened in it."""

    level: int
    over: int
    hours: int
    also: Also | None = None


class Scheme(NamedTuple):
    """A text's conditions, with what it is called and how far it is confirmed."""

    id: str
    zh: str
    en: str
    criteria: tuple[Criterion, ...]


SCHEMES: Final = MappingProxyType(
    {
        one.id: one
        for one in (
            Scheme(
                "shandong-2022",
                "山东省2022年征求意见稿（细颗粒物）",
                "Shandong draft of 2022, PM2.5-led; one secondary source",
                (
                    Criterion(YELLOW, 150, 48, Also(200, 0)),
                    Criterion(ORANGE, 150, 72, Also(200, 24)),
                    Criterion(RED, 200, 72, Also(300, 24)),
                ),
            ),
            Scheme(
                "national-2024",
                "环大气〔2024〕6号（未核对原文）",
                "national scheme of 2024, from memory, unconfirmed",
                (
                    Criterion(YELLOW, 200, 24),
                    Criterion(YELLOW, 150, 48),
                    Criterion(ORANGE, 200, 48),
                    Criterion(ORANGE, 150, 72),
                    Criterion(RED, 200, 72, Also(300, 24)),
                ),
            ),
            Scheme(
                "mep-2017",
                "环境保护部2017年分级",
                "the ministry's grades of 2017; one secondary source",
                (
                    Criterion(BLUE, 200, 24),
                    Criterion(YELLOW, 200, 48),
                    Criterion(ORANGE, 200, 72, Also(300, 24)),
                    Criterion(RED, 200, 96, Also(300, 48)),
                    Criterion(RED, 499, 24),
                ),
            ),
        )
    },
)
"""Schemes by id."""
LONGEST_H: Final = max(one.hours for scheme in SCHEMES.values() for one in scheme.criteria)
"""Longest stretch that any condition asks for [h]."""
