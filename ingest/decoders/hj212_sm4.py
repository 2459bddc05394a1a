"""Sealed data areas of HJ 212-2025: SM4 (GB/T 32907), whole blocks by themselves, without padding. Pure; lanbi's core runs without the cipher.

Of the text between ``CP=&&`` and ``&&`` every whole block of 16 bytes is encrypted and printed ``{0x..,0x..,…}``; the rest, less than a block, stands plain
behind it. The length of the frame is that of the printed segment, its CRC that of the plain one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final

from domain.errors import NotUnderstood

BLOCK: Final = 16
MARK: Final = b"{0x"
"""How a sealed data area begins."""
FORM: Final = re.compile(rb"\{(0[xX][0-9A-Fa-f]{2}(?:,0[xX][0-9A-Fa-f]{2})*)\}(.{0,15})", re.DOTALL)
TRIAL: Final = bytes.fromhex("0123456789abcdeffedcba9876543210"), bytes.fromhex("681edf34d206965e86b3e94f536e4246")
"""Key and text, and what they must give (GB/T 32907, annex A.1)."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

Keys = Callable[[str], Iterable[bytes]]
"""QN of a packet → keys that it may be sealed with, the likeliest first."""


def no_keys(_qn: str) -> tuple[bytes, ...]:
    """Of a device without keys."""
    return ()


@lru_cache(1)
def _library() -> Any:
    """The well-kept cipher, once it has shown that it is the right one."""
    try:
        from cryptography.hazmat.primitives import ciphers  # noqa: PLC0415  only counties with such loggers need it
        from cryptography.hazmat.primitives.ciphers import algorithms, modes  # noqa: PLC0415
    except ImportError:
        raise NotUnderstood("未安装解密库 the library for SM4 is not installed: pip install 'lanbi[sm4]'", "bad-encoding") from None

    def cipher(key: bytes) -> Any:
        return ciphers.Cipher(algorithms.SM4(key), modes.ECB())  # noqa: S305  the standard's mode, not our choice

    if cipher(TRIAL[0]).encryptor().update(TRIAL[0]) != TRIAL[1]:
        raise NotUnderstood("SM4 自检失败 the installed library fails the self-test of SM4", "bad-encoding")
    return cipher


def sealed(area: bytes, key: bytes) -> bytes:
    """A data area as it is sent under a key; shorter than a block it stays as it is."""
    whole = len(area) // BLOCK * BLOCK
    if not whole:
        return area
    blocks = _library()(key).encryptor().update(area[:whole])
    return b"{" + b",".join(b"0x%02X" % byte for byte in blocks) + b"}" + area[whole:]


def opened(area: bytes, key: bytes) -> bytes | None:
    """The plain data area, if the key gives text; None if it gives rubbish.

    Raises
    ------
    NotUnderstood
        The area has not the form, or the library is not there.
    """
    form = FORM.fullmatch(area)
    data = bytes.fromhex(form[1].decode().replace(",", "").replace("0x", "").replace("0X", "")) if form else b""
    if form is None or len(data) % BLOCK:
        raise NotUnderstood("加密区格式不合规 the encrypted area is not made of whole blocks {0x..,…}", "bad-encoding")
    plain: bytes = _library()(key).decryptor().update(data) + form[2]
    try:
        return None if _CONTROL.search(plain.decode()) else plain
    except UnicodeDecodeError:
        return None
