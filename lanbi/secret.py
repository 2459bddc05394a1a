"""Secrets: read from their files when they are needed, and wrapped so that no log, error or repr can show one."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import quote

from domain.errors import SettingsError

HIDDEN: Final = "********"
SHORTEST: Final = 4
"""A shorter one would take letters out of words; `lanbi check --live` refuses such passwords anyway."""
_KNOWN: Final[set[str]] = set()
"""What this process has read, plain and as an address spells it, so that no line of a log shows it."""


class Secret:
    """A password or token; only :meth:`reveal` gives it away."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        if len(value) >= SHORTEST:
            _KNOWN.update((value, quote(value, safe="")))

    def reveal(self) -> str:
        """The secret itself, for the library that must send it."""
        return self._value

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, _form: str) -> str:
        return HIDDEN

    def __reduce__(self) -> str:
        # A pickle would be the secret in plain bytes on some disk.
        raise TypeError(HIDDEN)


def masked(text: str) -> str:
    """A text without any secret that this process knows.

    >>> _ = Secret("open sesame")
    >>> masked("401: token open sesame, ?token=open%20sesame")
    '401: token ********, ?token=********'
    """
    for value in sorted(_KNOWN, key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def read_secret(path: Path, key: str) -> Secret:
    """The secret of a file, without the line end that editors leave.

    Parameters
    ----------
    path : Path
        File that holds nothing but the secret.
    key : str
        The settings key that names the file, for the message.

    Raises
    ------
    SettingsError
        No such file, not readable, or empty.
    """
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        # The path is not repeated: it may be the secret itself, written where its file is meant.
        raise SettingsError("the file of the secret cannot be read", key, "write the file's path, and give it to lanbi's user alone (chmod 600)") from error
    if not value:
        raise SettingsError("the file of the secret is empty", key, "write the secret into it, and nothing else")
    return Secret(value)


def open_to_others(path: Path) -> bool:
    """Whether users other than the owner may read the file."""
    return path.exists() and bool(path.stat().st_mode & 0o077)
