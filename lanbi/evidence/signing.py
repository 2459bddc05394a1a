"""The bureau's own key for evidence packages (Ed25519, RFC 8032), over the arithmetic of the verifier that travels in them."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import Final

from domain.errors import WorkError
from lanbi.evidence.verify import BASE, Q, modulo, packed, times
from lanbi.folders import made
from lanbi.secret import Secret, read_secret

BYTES: Final = 32


def key(data: Path) -> Secret:
    """The secret key of a data folder, made at the first use."""
    path = made(data / "secrets") / "evidence"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(BYTES))
    except FileExistsError:
        pass
    except OSError as error:
        raise WorkError(f"the key for evidence cannot be made: {error.strerror}", str(path), "give lanbi's user the folder") from error
    return read_secret(path, "evidence key")


def _parts(secret: Secret) -> tuple[int, bytes]:
    whole = hashlib.sha512(bytes.fromhex(secret.reveal())).digest()
    return int.from_bytes(whole[:BYTES], "little") & ((1 << 254) - 8) | (1 << 254), whole[BYTES:]


def public(secret: Secret) -> bytes:
    """The key by which everybody may check."""
    return packed(times(_parts(secret)[0], BASE))


def signature(secret: Secret, message: bytes) -> bytes:
    """Signature of a message, 64 bytes; the same message has the same."""
    number, prefix = _parts(secret)
    random = modulo(prefix + message)
    point = packed(times(random, BASE))
    return point + int.to_bytes((random + modulo(point + public(secret) + message) * number) % Q, BYTES, "little")
