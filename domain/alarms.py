"""Events that call for a person: the closed list of their kinds."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple

from domain.clues import RULES


class Alarm(NamedTuple):
    """A kind of event that calls for a person, with its words."""

    kind: str
    zh: str
    en: str


ALARMS: Final = MappingProxyType(
    {
        one.kind: one
        for one in (
            Alarm("step", "读数阶跃", "step: too high or too low by a share"),
            Alarm("offset", "读数偏移", "offset: too high or too low by an amount"),
            Alarm("ramp", "缓慢漂移", "slow drift"),
            Alarm("divergence", "与邻站背离（疑似采样口受干扰）", "diverges from its neighbours: perhaps a masked sampler"),
            Alarm("stuck", "数值停滞", "stands still"),
            Alarm("probe-drift", "探头漂移（校准时发现）", "a probe had drifted, as a calibration found"),
            Alarm("probe-shift", "探头读数突跳", "a probe's level shifts without a calibration"),
            Alarm("class-breach", "断面超标", "section worse than the class to be kept"),
            Alarm("point-over", "排口超标", "permit point over a limit"),
            Alarm("level-warning", "达到警戒值", "level or flow at or above its warning value"),
            Alarm("level-guarantee", "达到保证值", "level or flow at or above its guarantee value"),
            Alarm("level-rise", "水位涨速过快", "the level rises too fast"),
            Alarm("level-low", "地下水位低于限值", "well at or below its lowest level"),
            *(Alarm(kind, f"{rule.number} {rule.zh}", f"{rule.number} {rule.en}") for kind, rule in RULES.items()),
        )
    },
)
"""Kinds of events that call for a person."""
DRIFTS: Final = ("step", "offset", "ramp", "divergence")
"""Those of a sensor that leaves its neighbours."""
