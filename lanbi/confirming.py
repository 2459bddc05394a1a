"""Confirming a month: what it must be, and how it is entered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.errors import InputError
from domain.restating import CONFIRMATION, confirmation
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
        body = confirmation(month, wiring.clock(settings).now_ns() // NS, withdraw=withdraw)
    except ValueError as error:
        raise InputError(str(error), "MONTH", "write a month that is over, as 2026-06") from error
    return enter(settings, CONFIRMATION, {**signed, **body})
