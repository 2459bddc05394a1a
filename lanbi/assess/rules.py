"""Which rule set judges which row: one for all, or the one in force on the civil day."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from analytics import tables
from domain.air import RULE_SETS

DATED: Final = "dated"
CHOICES: Final = ("2012", "2026", DATED)
NAMES: Final = tuple(rules.name for rules in RULE_SETS)
MIXED: Final = "mixed"


def on(days: npt.NDArray[np.integer], choice: str) -> npt.NDArray[np.uint8]:
    """Index of the rule set for each civil day."""
    if choice == DATED:
        return tables.rules_on(days)
    return np.full(len(days), CHOICES.index(choice), np.uint8)


def yearly(days: npt.NDArray[np.integer], choice: str) -> list[tuple[str, npt.NDArray[np.uint8]]]:
    """Rule sets of a year's rows: one, or ``mixed`` and both pure ones where the year spans the change."""
    rule = on(days, choice)
    used = np.unique(rule)
    if len(used) == 1:
        return [(NAMES[int(used[0])], rule)]
    return [(MIXED, rule), *((name, np.full_like(rule, place)) for place, name in enumerate(NAMES))]
