"""Giving memory back."""

from __future__ import annotations

import platform

from lanbi import memory


def test_memory_is_given_back_where_the_library_can() -> None:
    """With glibc freed memory is returned; elsewhere the answer is that it was not."""
    assert (platform.libc_ver()[0] == "glibc") == memory.give_back()
