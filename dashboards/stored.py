"""What the service stores, as a table: a panel or a rule that asks for anything else is left out, and the board says so.

Grown by hand, held against the store by ``tests/dashboards``: a row here that no analysis writes is an error there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from dashboards.county import Bureau
from domain.indicators import FIGURES
from domain.items import DAILY
from domain.water import RULE_SET

MEANS: Final = ("pm25_mean", "pm10_mean", "so2_mean", "no2_mean", "co_p95", "o3_p90")
COUNTS: Final = ("good_days", "good_ratio", "heavy_days", "valid_days", "data_capture", "composite")
PERIODS: Final = ("month", "quarter", "ytd", "year")
RANKED: Final = ("pm25_mean", "pm10_mean", "o3_p90", "good_ratio", "heavy_days", "composite")
TARGET_PERIODS: Final = ("ytd", "year")
PARTS: Final = ("state", "risk", "burn", "left")
"""What stands beside an air target's own row, as figures of their own, because an alert can judge numbers only."""
WATER_PARTS: Final = ("state",)
"""Of a water target, and of one that is judged on reports."""
WATER_MEANS: Final = ("do_mean", "codmn_mean", "nh3n_mean", "tp_mean", "tn_mean")
WATER: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "water_class": ("hour", *PERIODS),
        **dict.fromkeys((*WATER_MEANS, "tn_ratio", "water_quality", "water_good_ratio"), PERIODS),
        "water_exceedance": ("month", "quarter", "year"),
    },
)
"""Of sections and of the county's waters, under the rule set of GB 3838."""


class Need(NamedTuple):
    """A figure and the period in which it is asked for; a figure ``*`` means the targets."""

    figure: str
    period: str


def _air() -> dict[str, tuple[str, ...]]:
    hours = {"aqi": ("hour", "day"), "pm25_24h": ("hour",), "warning": ("hour",)}
    days = dict.fromkeys(("aqi", *DAILY), ("day",))
    sums = dict.fromkeys((*MEANS, *COUNTS), PERIODS)
    left = {figure: ("day",) for figure in FIGURES if "_allowance_" in figure}
    lost = {"lost_hours": ("day",), "lost_days": ("month", "year")}
    compared = {f"{figure}_yoy": PERIODS for figure in (*MEANS, "good_ratio", "good_days", "heavy_days", "composite")}
    ranks = {f"{figure}_rank": PERIODS for figure in RANKED}
    return {**days, **hours, **sums, **left, **lost, **compared, **ranks}


SUMS: Final = ("day", "month", "year")
"""A running month or year has its row under its last day, ahead of now: of running ones boards ask ``ytd``."""
ACCOUNT: Final = (
    "electricity_bought", "water_use", "energy_tce", "energy_equal", "energy_net", "co2", "co2_net",
)  # fmt: skip
"""Of an enterprise, an industry and the county's metered part."""
ENERGY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {**dict.fromkeys(ACCOUNT, (*SUMS, "ytd")), "meter_use": ("hour", *SUMS), "meter_capture": SUMS, "electricity_loss": SUMS, "order_load": ("hour",)},
)
"""Of meters and accounts."""
POINTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "point_over_hours": ("day", "month", "ytd"),
        "point_capture": ("day", "month", "ytd"),
        **dict.fromkeys(("point_over_days", "point_multiple", "point_marked_hours"), ("day", "month")),
        "point_supervision": ("day",),
    },
)
"""Of permit points, and of the county."""
LEVELS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"water_level": ("day", "month", "ytd"), "water_level_state": ("day",)})
"""Of sections and wells."""
SENSORS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"sensor_alarms": ("day",)})
"""Of stations and sections."""
LINES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(dict.fromkeys(("line_consumption", "line_water", "line_rank"), ("year", "ytd")))
"""Of two-high lines."""
WATCH: Final = (
    "freshness", "ingest_received", "ingest_stored", "ingest_duplicate", "ingest_deadletter", "ingest_quarantined", "ingest_pending",
    "ingest_refused", "ingest_unaccounted", "ingest_waiting", "store_up", "broker_up", "broker_silence", "journal_days",
)  # fmt: skip
"""How the service itself is doing, as figures of period hour."""
STORED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {**_air(), **WATER, **LEVELS, **POINTS, **SENSORS, **ENERGY, **LINES, **dict.fromkeys(WATCH, ("hour",))}
)
"""Figure → periods."""


def lacking(needs: Iterable[Need], bureau: Bureau) -> list[Need]:
    """What of some needs is not stored for this county."""
    return [need for need in needs if not _there(need, bureau)]


def _there(need: Need, bureau: Bureau) -> bool:
    if need.figure == "*":
        return bool(bureau.judged)
    target, _, part = need.figure.rpartition(".")
    if need.figure in bureau.judged or need.figure in bureau.reported:
        return need.period in TARGET_PERIODS
    if target in bureau.reported:
        return part in WATER_PARTS and need.period == "ytd"
    if target in bureau.judged:
        return part in (WATER_PARTS if bureau.judged[target] in WATER else PARTS) and need.period == "ytd"
    known = bureau.registry
    gauges = {**known.water_sections, **known.wells}
    owners = ((WATER, known.water_sections), (ENERGY, known.meters), (POINTS, known.points), (LEVELS, gauges), (LINES, known.lines))
    if any(need.figure in figures and not places for figures, places in owners):
        return False
    return need.period in STORED.get(need.figure, ())


def rule_set(figure: str, bureau: Bureau) -> str:
    """Rule set under which a target's figure is judged."""
    return RULE_SET if figure in WATER else bureau.rules
