"""Machine code of the kernels: compiled once an installation (``make`` does it), and copied into each data folder and to each user of the calculator.

A folder belongs to one edition of the kernels' sources: numba reads what stands beside a kernel before it looks whether that still fits,
and code that names a type which is gone would end every start.

Compiling takes ten seconds of processor, longer than everything else that stands between a first start and its first figures.
``python -m lanbi.machine_code`` does it for an installation made by other means; without it each data folder compiles its own.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import sys
from functools import cache
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1] / "analytics"


@cache
def edition() -> str:
    """Version of lanbi and digest of the sources that machine code is made of, as the name of a folder."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.rglob("*.py")):
        digest.update(path.relative_to(SOURCES).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{importlib.metadata.version('lanbi')}-{digest.hexdigest()[:12]}"


def folder(data: Path) -> Path:
    """Folder of the kernels' machine code of a data folder, one an edition."""
    return data / "cache" / "numba" / edition()


def installed() -> Path:
    """The same of this installation."""
    return Path(sys.prefix, "share", "lanbi", "numba", edition())


def personal() -> Path:
    """The same of whoever calls programs that have no data folder; a read-only installation has no place for it beside the source."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "lanbi", "numba", edition())


def prepared(data: Path | None = None) -> Path:
    """The folder of a data folder, or the personal one; at its first use filled with what the installation has.

    Numba compiles again whatever does not fit the machine.
    """
    own = personal() if data is None else folder(data)
    if not own.exists() and installed().is_dir():
        draft = own.with_name(f"{own.name}.{os.getpid()}.new")
        try:
            shutil.copytree(installed(), draft)
            draft.rename(own)
        except OSError:
            # Another process was first, or there is no room: then this one compiles what it needs.
            shutil.rmtree(draft, ignore_errors=True)
    return own


def main() -> None:
    """Compile the kernels of this installation."""
    os.environ["NUMBA_CACHE_DIR"] = str(installed())
    from analytics.jobs.warm import warm  # noqa: PLC0415  after the cache folder is set
    from lanbi.assess import warming  # noqa: PLC0415  same

    warm()
    warming.warm()


if __name__ == "__main__":
    main()
