"""What an accepted filing does: the bureau's own entry, or a change of the registry, by the same paths as everything else that people enter."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from domain import statements
from domain.errors import InputError
from domain.filings import EXCHANGE, EXPLANATION, MULTIPLIER, Filing, meters_of
from domain.places import Registry
from lanbi import exchange_forms, wiring
from lanbi.formats.rows import Said
from lanbi.registry_change import Signature, in_force, put
from lanbi.registry_edit import dated, set_key
from lanbi.settings import Settings
from lanbi.toml_lines import read

Enter = Callable[[str, Mapping[str, object]], str]
TODO: Final = "return the form with what to change"


class Ruler(NamedTuple):
    """Who accepts, and by which document."""

    person: str
    document: str


def effects(settings: Settings, enter: Enter, filing: Filing, ruler: Ruler) -> list[str]:
    """Make a filing true; returns the journal records, or the registry's version, of what did it.

    Raises
    ------
    InputError
        It does not fit what is stored or registered; nothing was changed.
    ServiceError
        Store or journal do not answer now.
    """
    body, document = filing.body, f"{ruler.document} ({filing.record})"
    if filing.form == EXCHANGE:
        words = {name: str(body[name]) for name in ("meter", "time", "last", "first")}
        _fits(settings, words)
        return [enter(statements.EXCHANGE, {**words, "document": document, "user": ruler.person})]
    if filing.form == EXPLANATION:
        words = {name: str(body[name]) for name in ("rule", "source", "time", "reason")}
        return [enter(statements.CLUE, {**words, "state": "explained", "document": document, "user": ruler.person})]
    return [amend(settings, lambda text: _registered(text, filing, document, wiring.registry(settings)), Signature(ruler.person, document))]


def _fits(settings: Settings, words: Mapping[str, str]) -> None:
    """An exchange lies where the stored registers allow it."""
    store = wiring.store(settings, write=False)
    try:
        wrong = exchange_forms.fault(store, Said(0, statements.EXCHANGE, words))
    finally:
        store.close()
    if wrong:
        raise InputError(wrong, "exchange", TODO)


def _registered(text: str, filing: Filing, document: str, registry: Registry) -> str:
    """The registry's text with the new multiplier, or the announced window at every treatment meter that it is about."""
    body = filing.body
    rows = {str(row.get("id")): row for row in tomllib.loads(text).get("meter", [])}
    if filing.form == MULTIPLIER:
        name = str(body["meter"])
        return set_key(text, "meter", name, "multiplier", dated(rows[name].get("multiplier", "1"), str(body["from"]), str(body["value"])))
    window = {"from": str(body["from"]), "to": str(body["to"]), "document": document}
    for name in treatments(registry, meters_of(body)):
        known: list[Any] = [one for one in rows[name].get("maintenance", []) if one != window]
        text = set_key(text, "meter", name, "maintenance", [*known, window])
    return text


def treatments(registry: Registry, meters: tuple[str, ...]) -> tuple[str, ...]:
    """Meters at which a window is registered: the treatment meters among those named and behind them; those named where there is none."""
    found = [one.id for one in registry.meters.values() if one.treats and (one.id in meters or one.treats in meters)]
    return tuple(found or meters)


def registry_text(settings: Settings) -> str:
    """Text of the registry in force."""
    return read(in_force(settings), InputError)


def amend(settings: Settings, change: Callable[[str], str], signature: Signature) -> str:
    """Put the registry in force with a change of its text; returns its version.

    Raises
    ------
    InputError
        The changed text is no valid registry; nothing was changed.
    """
    return put(change(registry_text(settings)), "registry", settings.data, wiring.clock(settings), signature)
