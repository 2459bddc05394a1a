"""What an enterprise files about itself, and how the bureau rules on it. A filing changes no figure: once it is accepted, the bureau's own entry does.

Kinds of the person's journal: ``filing`` (of an enterprise's person) and ``ruling`` (of the bureau's). The first ruling stands: what was
accepted has taken effect, and what was returned is filed anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from domain import civil, statements
from domain.readings import Entry, lacking

FILING: Final = "filing"
RULING: Final = "ruling"
KINDS: Final = (FILING, RULING)
EXCHANGE, MULTIPLIER, MAINTENANCE, SHUTDOWN, EXPLANATION = "exchange", "multiplier", "maintenance", "shutdown", "explanation"
FORMS: Final = MappingProxyType(
    {
        EXCHANGE: ("换表", "meter exchange"),
        MULTIPLIER: ("倍率变更", "change of multiplier"),
        MAINTENANCE: ("检修", "maintenance"),
        SHUTDOWN: ("停产停运", "shutdown"),
        EXPLANATION: ("线索说明", "explanation of a clue"),
    },
)
"""Forms (zh, en)."""
WAITING, ACCEPTED, RETURNED = "waiting", "accepted", "returned"
RULINGS: Final = MappingProxyType({"accept": ACCEPTED, "return": RETURNED})
MOST_METERS: Final = 50
LONGEST_S: Final = 400 * civil.DAY_S
"""Of a window: longer is no maintenance, but a plant that is closed."""
_RECORD: Final = re.compile(r"person/\d{1,18}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_NS: Final = 10**9
Body = Mapping[str, Any]


class Ruling(NamedTuple):
    """What the bureau said: by whom, why, when [s], and the journal records of what it made true."""

    ruling: str
    person: str
    reason: str
    document: str
    said: int
    effects: tuple[str, ...] = ()


class Filing(NamedTuple):
    """A filing: its journal record, who filed what for which enterprise and when [s], and the ruling."""

    record: str
    enterprise: str
    form: str
    person: str
    filed: int
    body: Body
    ruling: Ruling | None = None

    @property
    def number(self) -> int:
        """Number of its journal record.

        >>> Filing("person/7", "e", "exchange", "liu", 0, {}).number
        7
        """
        return int(self.record.partition("/")[2])

    @property
    def state(self) -> str:
        """Whether it waits, was accepted or was returned."""
        return RULINGS[self.ruling.ruling] if self.ruling else WAITING


def fault(kind: str, body: Body) -> str | None:
    """Why a filing or ruling cannot be used; None if it can."""
    try:
        return _ruling(body) if kind == RULING else _filing(body)
    except (ValueError, TypeError, OverflowError, AttributeError) as error:
        return str(error)
    except KeyError as error:
        return f"without {error.args[0]}"


def _filing(body: Body) -> str | None:
    if body["form"] not in FORMS:
        return f"no form: {str(body['form'])[:40]!r}; forms are {', '.join(FORMS)}"
    wrong = _attached(body.get("attachment")) or _CHECKS[body["form"]](body)
    return wrong or lacking(body, "enterprise", "user")


def _attached(found: object) -> str | None:
    if found is None:
        return None
    good = isinstance(found, Mapping) and _SHA256.fullmatch(str(found.get("sha256"))) and str(found.get("name") or "").strip()
    return None if good else "an attachment has a name and a sha256"


def _exchange(body: Body) -> str | None:
    return statements.fault(statements.EXCHANGE, body)


def _multiplier(body: Body) -> str | None:
    civil.parse_date(str(body["from"]))
    if not statements.number(body["value"]):
        return "a multiplier lies above 0"
    return lacking(body, "meter", "reason")


def _window(body: Body) -> str | None:
    meters = body["meters"]
    if not isinstance(meters, list | tuple) or not 0 < len(meters) <= MOST_METERS or not all(isinstance(one, str) and one for one in meters):
        return f"a window names 1 to {MOST_METERS} meters"
    begin, end = statements.instant(body["from"]), statements.until(body["to"])
    if not begin < end:
        return "the end does not lie after the start"
    return "longer than 400 days" if end - begin > LONGEST_S else lacking(body, "reason")


def _explanation(body: Body) -> str | None:
    return statements.fault(statements.CLUE, {**body, "state": "explained"})


def _ruling(body: Body) -> str | None:
    if body["ruling"] not in RULINGS:
        return f"no ruling: {str(body['ruling'])[:40]!r}; rulings are {', '.join(RULINGS)}"
    if not _RECORD.fullmatch(str(body["filing"])):
        return "a ruling names the record of its filing, such as person/12"
    return lacking(body, "user", "reason")


_CHECKS: Final[Mapping[str, Callable[[Body], str | None]]] = MappingProxyType(
    {EXCHANGE: _exchange, MULTIPLIER: _multiplier, MAINTENANCE: _window, SHUTDOWN: _window, EXPLANATION: _explanation},
)


def filed(filings: Iterable[Entry], rulings: Iterable[Entry]) -> list[Filing]:
    """Filings with their rulings, the newest first; what cannot be read is passed over, for ingest refused it."""
    said: dict[str, Ruling] = {}
    for entry in sorted(rulings, key=lambda one: one.received_ns):
        if fault(RULING, {**entry.body, "user": entry.user}) is None:
            body: Mapping[str, Any] = entry.body
            effects = tuple(str(one) for one in body.get("effects") or ())
            ruling = Ruling(body["ruling"], entry.user, str(body["reason"]), str(body.get("document") or ""), entry.received_ns // _NS, effects)
            said.setdefault(str(body["filing"]), ruling)
    good = [one for one in filings if fault(FILING, {**one.body, "user": one.user}) is None and _RECORD.fullmatch(one.id)]
    ordered = sorted(good, key=lambda one: (one.received_ns, one.id), reverse=True)
    return [Filing(one.id, str(one.body["enterprise"]), str(one.body["form"]), one.user, one.received_ns // _NS, one.body, said.get(one.id)) for one in ordered]


def meters_of(body: Body) -> tuple[str, ...]:
    """Meters that a filing is about."""
    return tuple(str(one) for one in body.get("meters") or ([body["meter"]] if body.get("meter") else []))
