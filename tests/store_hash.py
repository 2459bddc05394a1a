"""One hash over every reading row of a store, whichever store it is: equal hashes mean equal rows, values, flags and revisions.

Rows are hashed apart and their hashes added, so that the order of reading does not matter and nothing is kept in memory.
By hand: ``python -m tests.store_hash --config lanbi.toml``.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from typing import NamedTuple

from domain.items import REALMS
from domain.ports import ReadingSource
from domain.readings import Reading
from lanbi import wiring

FIRST, LAST = -(2**40), 2**40
_MODULUS = 2**128


class StoreHash(NamedTuple):
    """Rows, and the sum of their hashes in hexadecimal."""

    rows: int
    digest: str


def store_hash(source: ReadingSource) -> StoreHash:
    """Hash of all readings of all tables."""
    count = total = 0
    for kind in REALMS:
        for row in source.rows(kind, None, FIRST, LAST):
            count += 1
            total += row_hash(row)
    return StoreHash(count, f"{total % _MODULUS:032x}")


def row_hash(row: Reading) -> int:
    """Hash of a row: key, revision, and of each item value (to the last bit) and flag."""
    items = sorted((name, None if value is None else float(value).hex(), row.flags.get(name, "N")) for name, value in row.values.items())
    text = repr((row.kind, row.source, row.span, row.time, int(row.rev), items))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "little")


def main() -> int:
    """Print the hash of the store that a settings file names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config")
    store = wiring.store(wiring.settings(parser.parse_args().config))
    found = store_hash(store)
    store.close()
    sys.stdout.write(f"{found.rows} {found.digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
