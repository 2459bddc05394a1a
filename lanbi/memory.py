"""Memory that was needed once: given back to the system, so that a start's peak is not what a process holds for months."""

from __future__ import annotations

import ctypes


def give_back() -> bool:
    """Return freed memory to the system; whether this C library can (glibc does)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return False
    trim(0)
    return True
