"""Passwords of people: what they must be, and how they are kept (argon2id, RFC 9106)."""

from __future__ import annotations

import secrets
import string
from threading import Semaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

SHORTEST: Final = 10
LONGEST: Final = 200
KINDS: Final = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
FEWEST_KINDS: Final = 3
"""Of small letters, capitals, digits and anything else (GB/T 22239-2019: complexity)."""
AT_ONCE: Final = 2
"""Each hash takes 64 MiB: a storm of logins must not take the machine."""
_ALPHABET: Final = string.ascii_letters + string.digits
_hasher: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_room: Final = Semaphore(AT_ONCE)


def fault(password: str, name: str) -> str:
    """Why a password will not do; empty if it will."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"密码须 {SHORTEST} 至 {LONGEST} 个字符 a password has {SHORTEST} to {LONGEST} characters"
    kinds = sum(any(one in kind for one in password) for kind in KINDS) + any(all(one not in kind for kind in KINDS) for one in password)
    if kinds < FEWEST_KINDS:
        return "密码须含大写、小写、数字、其他字符中的三类 a password has three of: small letters, capitals, digits, others"
    return "密码不得包含用户名 a password does not hold the name" if name.lower() in password.lower() else ""


def hashed(password: str) -> str:
    """As it is kept, with salt and parameters."""
    with _room:
        return _hasher.hash(password.encode("utf-8", "surrogatepass"))


def fits(password: str, kept: str) -> bool:
    """Whether it is the one that was kept; a hash of nothing takes as long and never fits."""
    try:
        with _room:
            return _hasher.verify(kept, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


def made() -> str:
    """A password for a first login: 16 random letters and digits in groups, with all kinds in it.

    >>> fault(made(), "wang")
    ''
    """
    while True:
        parts = ["".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4)]
        if not fault(found := "-".join(parts), "-" * 20):
            return found
