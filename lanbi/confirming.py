"""Confirming a month: what it must be, and how it is entered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain import civil
from domain.errors import InputError
from domain.restating import CONFIRM, CONFIRMATION, WITHDRAW, month_of
from lanbi import wiring
from lanbi.entering import enter
from lanbi.settings import Settings

NS: Final = 10**9


def confirm(settings: Settings, month: str, signed: Mapping[str, str], *, withdraw: bool = False) -> str:
    """Enter that a month is confirmed, or is not any more; returns what :func:`lanbi.entering.enter` does.

    Parameters
    ----------
    signed : mapping
        ``user`` and ``document``.

    Raises
    ------
    InputError
        Not a month, or one that is not over yet; nobody answers for it.
    """
    try:
        named = month_of(month)
    except ValueError as error:
        raise InputError(str(error), "MONTH", "write it as 2026-06") from error
    now = wiring.clock(settings).now_ns() // NS
    if named >= civil.month_of_day(civil.day_of(now)):
        what = f"{month} is not over yet"
        raise InputError(what, "MONTH", "a month can be confirmed from the first day of the next on")
    action = WITHDRAW if withdraw else CONFIRM
    return enter(settings, CONFIRMATION, {**signed, "month": month.strip(), "action": action})
