"""Data areas of a form that was met before: a logger says the same names in the same order, and only times, numbers and marks change. Pure.

A form is learned from a packet that was read the long way and brought a reading without a refusal. It matches a data area whole, or
not at all; what does not match goes the long way again, so nothing is decided here that is not decided there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Final, NamedTuple

from domain.message import Message
from ingest.decoders.times import digits
from ingest.decoders.units import Convert

MOST: Final = 32
"""Forms of one logger: learning costs a thousand times what reading does."""
ALIKE: Final = 4
"""Of one header, such as the parts of a split packet."""
_MET: Final = 256
_MANY: Final = 20_000
_AREA: Final = "CP=&&"
_TEXT: Final = "[^,;=&]*+"
_TIME: Final = r"DataTime=(\d{14}(?:\d{3})?)"
NUMBER: Final = r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)"
"""A plain decimal, as the standard has it: no exponent."""
_is_number: Final = re.compile(NUMBER, re.ASCII).fullmatch

Pick = Callable[[Sequence[str]], tuple[str, ...]]


class Meant(NamedTuple):
    """What a name of the data area means: a value of an item and how it is converted, a mark of one, or nothing."""

    value: bool = False
    mark: bool = False
    item: str = ""
    convert: Convert | None = None


class Place(NamedTuple):
    """What the header tells: whose values, what they stand for [s], and whether they are back-filled."""

    source: str | None
    span: int
    late: bool


class Form(NamedTuple):
    """A data area: its pattern, and which of its groups are values and marks of which items."""

    match: Callable[[str], re.Match[str] | None]
    place: Place
    numbers: Pick
    items: tuple[str, ...]
    converts: tuple[tuple[int, Convert], ...]
    marks: Pick
    marked: tuple[str, ...]
    letters: dict[tuple[str, ...], Mapping[str, str]]
    """Flags other than N by the marks that were met: nearly always those of a working instrument."""


class _Numbers(dict[str, float]):
    """Numbers by their text: values of the field have few digits and come again and again."""

    def __missing__(self, text: str) -> float:
        if len(self) >= _MANY:
            self.clear()
        number = self[text] = float(text)
        return number


_number: Final = _Numbers().__getitem__


class Forms:
    """Forms of one logger.

    Parameters
    ----------
    flags : mapping
        Mark → our letter; ``unknown`` is that of a mark that stands nowhere, ``unflagged`` that of a value without one.
    sentinels : set of str
        Texts that mean no value.
    """

    def __init__(self, zone: tzinfo, flags: Mapping[str, str], letters: tuple[str, str], sentinels: frozenset[str]) -> None:
        self._zone, self._flags, self._sentinels = zone, flags, sentinels
        self._unknown, self._unflagged = letters
        self._forms: dict[str, list[Form]] = {}
        self._met: set[tuple[str, str]] = set()
        self._learned = 0

    def read(self, segment: bytes) -> Message | None:
        """The reading of a data segment; None if its form is not known."""
        head, _, data = segment.decode("ascii", "replace").partition(_AREA)
        for form in self._forms.get(_without_number(head), ()):
            found = form.match(data)
            if found:
                return self._filled(form, found.groups())
        return None

    def _filled(self, form: Form, said: Sequence[str]) -> Message | None:
        numbers, marks = form.numbers(said), form.marks(said)
        if self._sentinels and not self._sentinels.isdisjoint(numbers):
            return None
        try:
            time = digits(said[0], self._zone)
        except ValueError:
            return None
        values: dict[str, float | None] = dict(zip(form.items, map(_number, numbers)))  # noqa: B905  the pattern has both, and this is the hot loop
        for place, convert in form.converts:
            values[form.items[place]] = float(convert(Decimal(numbers[place])))
        flags = form.letters.get(marks)
        source, span, _ = form.place
        return Message(time, span, values, 0, None, source, self._letters(form, marks) if flags is None else flags)

    def _letters(self, form: Form, marks: tuple[str, ...]) -> Mapping[str, str]:
        """Flags other than N."""
        known, unknown, unflagged = self._flags, self._unknown, self._unflagged
        flags = {item: letter for item, mark in zip(form.marked, marks, strict=True) if (letter := known.get(mark, unknown)) != "N"}
        if unflagged != "N":
            flags |= {item: unflagged for item in form.items if item not in form.marked}
        if form.place.late:
            flags = {item: flags.get(item, "P") for item in form.items}
        if len(form.letters) < _MET:
            form.letters[marks] = flags
        return flags

    def learn(self, segment: bytes, known: Mapping[str, Meant], place: Place) -> None:
        """Take the form of a packet that was read without a refusal, if it comes a second time."""
        if self._learned >= MOST or not segment.isascii():
            return
        head, _, data = segment.decode("ascii").partition(_AREA)
        head, names = _without_number(head), re.sub("=[^,;]*", "", data)
        if (head, names) not in self._met:
            if len(self._met) >= _MET:
                self._met.clear()
            self._met.add((head, names))
            return
        form = _form(data, known, place)
        if form is not None:
            self._learned += 1
            self._forms[head] = [form, *self._forms.get(head, ())][:ALIKE]


def _without_number(head: str) -> str:
    """A header without the QN, which each packet has of its own."""
    return head[21:] if head[20:21] == ";" and head[:3] == "QN=" else head


def _form(data: str, known: Mapping[str, Meant], place: Place) -> Form | None:
    """The form of a data area; None where one of its names needs a closer look."""
    pieces = re.split("([,;])", data.removesuffix("&&"))
    pattern, groups = "", 1
    found: tuple[list[tuple[int, Meant]], list[tuple[int, Meant]]] = ([], [])
    for number, (pair, mark) in enumerate(zip(pieces[::2], [*pieces[1::2], ""], strict=True)):
        meant = known.get(pair.partition("=")[0], None if pair else Meant())
        said = _TIME if number == 0 and pair.startswith("DataTime=") else _said(pair, meant)
        if said is None or (number == 0) != (said is _TIME) or meant is None:
            return None
        pattern += said + mark
        if meant.value or meant.mark:
            found[meant.mark].append((groups, meant))
            groups += 1
    items, marked = (tuple(meant.item for _, meant in some) for some in found)
    if not items or len({*items}) < len(items) or len({*marked}) < len(marked):
        return None
    converts = tuple((at, meant.convert) for at, (_, meant) in enumerate(found[0]) if meant.convert)
    alive = [(group, meant.item) for group, meant in found[1] if meant.item in items]  # a mark of a value that is not there says nothing
    marks = _pick([group for group, _ in alive])
    return Form(_compiled(pattern + "&&"), place, _pick([group for group, _ in found[0]]), items, converts, marks, tuple(item for _, item in alive), {})


def _said(pair: str, meant: Meant | None) -> str | None:
    """The pattern of a pair that is not the time; None where it needs a closer look."""
    name, equals, text = pair.partition("=")
    if not pair:
        return ""
    if meant is None or not equals or (meant.value and not _is_number(text)):
        return None
    group = f"({NUMBER if meant.value else _TEXT})" if meant.value or meant.mark else _TEXT
    return f"{re.escape(name)}={group}"


def _pick(places: list[int]) -> Pick:
    if len(places) > 1:
        return itemgetter(*places)
    return (lambda said: (said[places[0]],)) if places else lambda _: ()


@lru_cache(4_096)
def _compiled(pattern: str) -> Callable[[str], re.Match[str] | None]:
    """A pattern, which loggers that measure the same share."""
    return re.compile(pattern, re.ASCII).fullmatch
