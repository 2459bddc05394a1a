"""What people answer to clues and orders: found in the store, entered through the person's journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from domain import statements
from domain.civil import iso
from domain.clues import RULES
from domain.details import details
from domain.errors import InputError
from domain.indicators import Event
from domain.places import Registry
from domain.ports import IndicatorSource
from lanbi.entering import enter
from lanbi.settings import Settings

MOST: Final = 1_000_000
ORDER: Final = "order"
NUMBERS: Final = {
    "production_kw": "生产 kW", "treatment_kw": "治污 kW", "usual_kw": "平时治污 kW", "load_kwh": "实际 kWh/h", "allowed_kwh": "允许 kWh/h",
}  # fmt: skip
"""Numbers of a clue that a line shows."""
TIME: Final = "write a time such as 2026-06-01 08:15, Beijing time"


def told(figures: IndicatorSource, start: int, end: int, kinds: Sequence[str]) -> list[Event]:
    """Clues or orders that began with start < time ≤ end and were not taken back, the newest first."""
    return [row for row in figures.event_rows(start, end, MOST) if row.kind in kinds and not details(row.text).get("withdrawn")]


def lines(found: Sequence[Event], registry: Registry) -> Iterator[str]:
    """One line a clue, for people."""
    for row in found:
        body = details(row.text)
        state = statements.STATES[body["state"]][0]
        numbers = ", ".join(f"{words} {_shown(body[name])}" for name, words in NUMBERS.items() if body.get(name) is not None)
        yield f"{body['from']}  {_owner(row.source, registry)} {row.source}  {body['rule']} {RULES[row.kind].zh}  {body['minutes']} min  {state}  {numbers}"


def _shown(value: float | list[float]) -> str:
    return f"{min(value):g}…{max(value):g}" if isinstance(value, list) else f"{value:g}"


def _owner(source: str, registry: Registry) -> str:
    place = registry.meters.get(source) or registry.lines.get(source)
    return registry.name_of(place.enterprise if place else source)


def orders(found: Sequence[Event], registry: Registry) -> Iterator[str]:
    """One line an order and enterprise, for people."""
    for row in found:
        body = details(row.text)
        receipt = body["receipt"]
        said = f"已回执 confirmed {receipt['time']} {receipt['user']}" if receipt else "未回执 no receipt yet"
        hours = ", ".join(f"{state} {count} h" for state, count in body["hours"].items())
        yield f"{body['from']} … {body['to']}  {body['zh']} {body['document']}  {registry.name_of(row.source)} {row.source}  {said}  {hours}"


def answer(settings: Settings, figures: IndicatorSource, asked: Mapping[str, str], signed: Mapping[str, str]) -> str:
    """Enter what a person says of a clue; returns what :func:`lanbi.entering.enter` does.

    Parameters
    ----------
    asked : mapping
        ``source``, ``time`` (any instant within the clue), ``rule`` (number or kind), ``state``, ``reason``.
    signed : mapping
        ``user`` and ``document``.

    Raises
    ------
    InputError
        There is no such clue; the words are not what an answer must be.
    """
    wrong = statements.fault(statements.CLUE, {**asked, **signed})
    if wrong:
        raise InputError(wrong, "ID TIME --rule --reason", f"take source, time and rule from lanbi clues list; {TIME}")
    time = statements.instant(asked["time"])
    if not any(_is(row, asked["rule"], asked["source"], time) for row in told(figures, -1, time, tuple(RULES))):
        what = f"no clue {asked['rule']} about {asked['source']} at {iso(time)}"
        raise InputError(what, "ID TIME --rule", "lanbi clues list shows the clues")
    return enter(settings, statements.CLUE, {**asked, **signed, "time": iso(time)})


def _is(row: Event, rule: str, source: str, time: int) -> bool:
    return row.source == source and rule in {row.kind, RULES[row.kind].number} and time <= statements.instant(details(row.text)["to"])


def receive(settings: Settings, figures: IndicatorSource, owner: str, begin: str, user: str) -> str:
    """Enter that an enterprise has received an order; returns what :func:`lanbi.entering.enter` does.

    Raises
    ------
    InputError
        There is no such order for this enterprise.
    """
    try:
        time = statements.instant(begin)
    except ValueError as error:
        raise InputError(str(error), "--from", TIME) from error
    found = [row for row in told(figures, time - 1, time, (ORDER,)) if row.source == owner]
    if not found:
        what = f"no order that began {iso(time)} names enterprise {owner}"
        raise InputError(what, "ENTERPRISE --from", "lanbi clues orders shows the orders")
    body = {"enterprise": owner, "from": iso(time), "user": user, "document": str(details(found[0].text)["document"])}
    return enter(settings, statements.RECEIPT, body)
