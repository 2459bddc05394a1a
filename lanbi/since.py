"""From when on a list shows what there is: a date, a time, or a stretch before now."""

from __future__ import annotations

from typing import Final

from domain import civil, statements
from domain.errors import InputError

DAYS: Final = 31


def since(text: str | None, now: int) -> int:
    """Instant of ``--since`` [s]; 31 days before now where none is given.

    Raises
    ------
    InputError
        Neither a date nor a time.
    """
    if text is None:
        return now - DAYS * civil.DAY_S
    try:
        return statements.instant(text)
    except ValueError as error:
        raise InputError(str(error), "--since", "write a date 2026-06-01 or a time 2026-06-01 08:00") from error
