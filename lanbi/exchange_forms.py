"""Exchange forms against the registers that are stored: what cannot be is refused before anything is journalled."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from domain import civil, statements
from domain.errors import FileError
from domain.ports import ReadingSource
from lanbi import wiring
from lanbi.formats.rows import Said
from lanbi.register_rows import stored
from lanbi.settings import Settings

NEAR_DAYS: Final = 40
"""How far from the form readings are looked for."""


def check_forms(settings: Settings, forms: Iterable[tuple[Said, str]]) -> None:
    """Refuse the first form that does not fit the stored registers.

    Raises
    ------
    FileError
        It lies before the meter's first reading, before a reading of the old meter, or below the reading before it.
    StoreAway
        The store does not answer, so nobody can tell.
    """
    known = list(forms)
    if not known:
        return
    store = wiring.store(settings, write=False)
    try:
        for said, where in known:
            wrong = fault(store, said)
            if wrong:
                raise FileError(wrong, where, "check date and readings of the form; nothing was imported")
    finally:
        store.close()


def fault(source: ReadingSource, said: Said) -> str | None:
    """Why a form cannot be; None if it can."""
    time = statements.instant(said.body["time"])
    last, first = (float(statements.number(said.body[name])) for name in ("last", "first"))
    times, values = stored(source, said.body["meter"], time - NEAR_DAYS * civil.DAY_S, time + NEAR_DAYS * civil.DAY_S)
    before, after = values[times < time], values[times >= time]
    if not len(before):
        return f"no register of meter {said.body['meter']} within {NEAR_DAYS} days before the exchange"
    if last < before[-1]:
        return f"the old meter's last reading {last:g} lies below the register before it, {before[-1]:g}"
    if len(after) and abs(after[0] - last) < abs(after[0] - first) and after[0] >= before[-1]:
        return f"the exchange is dated before the old meter's last reading: the register after it, {after[0]:g}, still counts on from {before[-1]:g}"
    return None
