"""Permit points (排口、厂界、扬尘点): which hours count against a limit, which are excused, and when a point is supervised.

An hour that the enterprise marked invalid with its reason (自动监测数据标记: maintenance, calibration, stopped, fault, link fault, over
range) counts as told and never as exceedance. The shares are ours, after the 75 % and 90 % by which transmission of polluters'
data (传输有效率) has been judged; no text that we found gives a number for a county's own points.
"""

from __future__ import annotations

from typing import Final

from domain.readings import STATISTICAL

COUNTED: Final = STATISTICAL
"""Flags whose hours are held against a limit; S waits for a person, who answers with a mark."""
EXCUSED: Final = frozenset("MCFDBTHR")
"""Flags that say why an hour is not valid: the enterprise's marks, and a person's H and R."""
COMPLETE: Final = 90
"""Share of the due hours [%] from which on a point's data are complete."""
DAY_HOURS: Final = 18
"""Valid hours that a day's mean needs: 75 % of 24."""
MINUTES: Final = 45
"""An hour of shorter spans needs as many of them."""
WINDOW_DAYS: Final = 30
"""A point is supervised by its data of so many closed days, so that what fell silent does not live on its past."""
RULE_SET: Final = "none"
OUTFALL: Final = "outfall"
"""The kind of points that the plan's target on outfalls is about."""
STATES: Final = {
    "within": ("未超标", "within its limits"),
    "over": ("超标", "over a limit"),
    "marked": ("全部标记无效", "nothing but marked hours"),
    "silent": ("无数据", "nothing came"),
}
"""Status of a point's day (zh, en)."""
