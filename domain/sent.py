"""Values of a reading as the text in which they were sent, for whoever only hands them on: a number is made of it when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Final, cast

import msgspec

_decode: Final = msgspec.json.Decoder(dict[str, float]).decode


class Sent(msgspec.Struct, gc=False, eq=False):
    """A mapping of item to float.

    Attributes
    ----------
    text : bytes
        What stands between the brackets of a JSON object that was read before: names of items, each once, with finite numbers, none of them a
        negative zero, and perhaps white space.

    Millions are made and few are ever looked into, so it costs a twentieth of the dictionary that it stands for, and as much more to look into.
    """

    text: bytes

    def all(self) -> dict[str, float]:
        """As a dictionary, made anew each time."""
        return _decode(b"{%b}" % self.text)

    def __getitem__(self, name: str) -> float:
        return self.all()[name]

    def get(self, name: str, default: Any = None) -> Any:
        """The value of an item."""
        return self.all().get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self.all()

    def __iter__(self) -> Iterator[str]:
        return iter(self.all())

    def __len__(self) -> int:
        return self.text.count(b":")

    def keys(self) -> KeysView[str]:
        """Names of the items."""
        return self.all().keys()

    def values(self) -> ValuesView[float]:
        """The numbers."""
        return self.all().values()

    def items(self) -> ItemsView[str, float]:
        """Both."""
        return self.all().items()

    def __eq__(self, other: object) -> bool:
        return self.all() == (other.all() if isinstance(other, Sent) else other)

    __hash__ = None  # type: ignore[assignment]  # as of any mapping

    def __repr__(self) -> str:
        return repr(self.all())


Mapping.register(Sent)
sent: Final = cast("Callable[[bytes], Mapping[str, float | None]]", Sent)
"""The same for those who check types: a structure of msgspec cannot have a mapping among its ancestors."""


def kept(values: Mapping[str, float | None]) -> Mapping[str, float | None] | bytes:
    """Values as whoever encodes them wants them: the text, where there is one.

    >>> kept(sent(b'"co": 0.8'))
    b'"co": 0.8'
    """
    return values.text if isinstance(values, Sent) else values
