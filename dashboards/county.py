"""What the boards are written for: a county as registered, its plans, and what the service stores about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from domain.air import RULE_SETS, rule_set_on
from domain.civil import day_number
from domain.places import Registry
from domain.targets import Plan, Target


@dataclass(frozen=True)
class Bureau:
    """The county that the boards show.

    Attributes
    ----------
    judged : mapping of target id to figure
        Targets whose attainment the service stores, and the figure that each is about.
    reported : sequence of target id
        Targets that are judged on what an authority reports; their attainment is official and of no figure of ours.
    on_course, at_risk : int [%]
        Chances of missing a target at which its state changes.
    bucket : str
        Prefix of the store's buckets.
    channels : sequence of str
        Further contact points beside the duty log.
    webhook : str
        Address of the duty log.
    """

    registry: Registry
    plans: Sequence[Plan]
    judged: Mapping[str, str] = field(default_factory=dict)
    reported: Sequence[str] = ()
    on_course: int = 30
    at_risk: int = 70
    bucket: str = "lanbi"
    channels: Sequence[str] = ()
    webhook: str = ""

    @property
    def scope(self) -> str:
        """Scope of the county's own figures."""
        return self.registry.county.id

    @property
    def targets(self) -> list[Target]:
        """Targets of all plans, in their order."""
        return [target for plan in self.plans for target in plan.targets]

    @property
    def followed(self) -> list[Target]:
        """Targets whose attainment is stored."""
        return [target for target in self.targets if target.id in self.judged]

    @property
    def told(self) -> list[Target]:
        """Targets judged on reports."""
        return [target for target in self.targets if target.id in self.reported]

    @cached_property
    def rules(self) -> str:
        """Rule set that decides the plans' last year; the newest one without a plan."""
        if not self.plans:
            return RULE_SETS[-1].name
        return rule_set_on(day_number(date(max(plan.horizon for plan in self.plans), 12, 31))).name

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What people call each source, place and enterprise."""
        known = self.registry
        ids = [self.scope, *known.kinds, *known.enterprises]
        meters = {name: f"{known.name_of(meter.enterprise)} {name}" for name, meter in known.meters.items()}
        return {name: meters.get(name) or known.name_of(name) for name in ids}
