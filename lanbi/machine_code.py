"""Machine code of the kernels: compiled once an installation (``make`` does it), and copied into each data folder.

Compiling takes ten seconds of processor, longer than everything else that stands between a first start and its first figures.
``python -m lanbi.machine_code`` does it for an installation made by other means; without it each data folder compiles its own.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path


def folder(data: Path) -> Path:
    """Folder of the kernels' machine code of a data folder, one a version."""
    return data / "cache" / "numba" / importlib.metadata.version("lanbi")


def installed() -> Path:
    """The same of this installation."""
    return Path(sys.prefix, "share", "lanbi", "numba", importlib.metadata.version("lanbi"))


def prepared(data: Path) -> Path:
    """The folder of a data folder; at its first use filled with what the installation has. Numba compiles again whatever does not fit the machine."""
    own = folder(data)
    if not own.exists() and installed().is_dir():
        draft = own.with_name(f"{own.name}.{os.getpid()}.new")
        shutil.copytree(installed(), draft)
        try:
            draft.rename(own)
        except OSError:
            # Another process was first.
            shutil.rmtree(draft)
    return own


def main() -> None:
    """Compile the kernels of this installation."""
    os.environ["NUMBA_CACHE_DIR"] = str(installed())
    from analytics.jobs.warm import warm  # noqa: PLC0415  after the cache folder is set

    warm()


if __name__ == "__main__":
    main()
