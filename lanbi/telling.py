"""Telling findings as events: what is new or differs is written, and what later data took back keeps its place and says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from domain.indicators import Event
from domain.ports import IndicatorSink

WITHDRAWN: Final = '{"withdrawn": true}'
"""Text of a finding that later data took back."""
Key = tuple[str, str, int]


class Teller:
    """Findings as they stand in the store; the only hand that writes them."""

    def __init__(self, sink: IndicatorSink, stored: Iterable[Event] = ()) -> None:
        self.sink = sink
        self.told = {_key(event): event for event in stored}

    def tell(self, found: Iterable[Event], owned: Callable[[Event], bool]) -> int:
        """Write what is new or differs; returns how many.

        Parameters
        ----------
        owned : callable
            Which of the stored findings this look would have found again: those that it did not are taken back.
        """
        new = {_key(event): event for event in found}
        # As a number too, for an alert can judge nothing else: a store keeps the value of an event that comes again without one.
        gone = [event._replace(value=0.0, text=WITHDRAWN) for key, event in self.told.items() if key not in new and event.text != WITHDRAWN and owned(event)]
        changed = [event for key, event in new.items() if self.told.get(key) != event] + gone
        if changed:
            self.sink.events(changed)
            self.told.update({_key(event): event for event in changed})
        return len(changed)


def _key(event: Event) -> Key:
    return event[:3]
