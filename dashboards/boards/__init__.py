"""The boards, one file each: what is shown where. Statements and looks come from ``queries`` and ``style``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dashboards.board import Board
from dashboards.boards.air import air
from dashboards.boards.energy import energy
from dashboards.boards.enterprise import enterprise
from dashboards.boards.overview import overview
from dashboards.boards.quality import quality
from dashboards.boards.system import system
from dashboards.boards.water import water
from dashboards.county import Bureau

BOARDS: Final[tuple[Callable[[Bureau], Board], ...]] = (overview, air, water, energy, enterprise, quality, system)
