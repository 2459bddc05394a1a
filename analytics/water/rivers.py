"""State of a river or of all waters of a county: few sections by their mean concentrations, more by the shares of their classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from analytics.water.means import Mean, mean_of, shown
from domain import water
from domain.places import WaterSection


class State(NamedTuple):
    """What a river or basin is.

    Attributes
    ----------
    grade : int or None
        1…5; None where nothing can be said.
    method : str
        ``averages`` (fewer than five sections) or ``shares``.
    good, inferior, sections : int
        Sections at class I to III, those worse than V, and those that have a class.
    items : list of str
        Main pollution items: those worse than III at most sections, at most three.
    """

    grade: int | None
    method: str
    good: int
    inferior: int
    sections: int
    items: list[str]


def assess(places: Mapping[str, WaterSection], means: Mapping[str, Mean]) -> State:
    """State by the sections that have a class.

    Fewer than five sections: each item's mean over the rivers' sections, then the class of those means by the limits of rivers;
    lakes are left out of the mean, for their phosphorus has other limits, unless there is nothing else.
    """
    classes = {name: mean.worst for name, mean in means.items() if mean.worst is not None}
    good = sum(number <= water.GOOD for number in classes.values())
    inferior = sum(number == water.INFERIOR for number in classes.values())
    items = _main(places, means)
    if not classes:
        return State(None, "averages", 0, 0, 0, items)
    if len(classes) >= water.FEW_SECTIONS:
        return State(water.grade_of_shares(good, inferior, len(classes)), "shares", good, inferior, len(classes), items)
    body = "river" if any(places[name].body == "river" for name in classes) else "lake"
    exact = tuple(map(mean_of, zip(*(means[name].exact for name in classes if places[name].body == body), strict=True)))
    worst = water.judge(shown(exact), body)[0]
    return State(water.grade_of_class(worst) if worst else None, "averages", good, inferior, len(classes), items)


def _main(places: Mapping[str, WaterSection], means: Mapping[str, Mean]) -> list[str]:
    counts = dict.fromkeys(water.DECIDING, 0)
    for name, mean in means.items():
        for item, value in shown(mean.exact).items():
            if item in counts:
                counts[item] += water.item_class(item, value, places[name].body) > water.GOOD
    found = sorted((item for item in water.DECIDING if counts[item]), key=lambda item: -counts[item])
    return found[: water.MAIN_ITEMS]


def rivers(places: Mapping[str, WaterSection]) -> dict[str, dict[str, WaterSection]]:
    """Sections by the river that their foreign names tell; sections without one are in none."""
    found: dict[str, dict[str, WaterSection]] = {}
    for name, place in places.items():
        if place.river:
            found.setdefault(place.river, {})[name] = place
    return found
