"""Analytics of many counties, or of many years of one, once: ``lanbi analyse --once`` here, ``--dask ADDRESS`` on a cluster.

The unit is a county with its years, the same start that a following ``lanbi analyse`` makes: each year's comparisons and projections
rest on the year before, so the years of a county follow each other and the counties go side by side. A block that is done twice,
because its worker died, writes the same rows.
"""

from __future__ import annotations

import importlib.metadata
import os
import resource
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.errors import DataFolderBusy, InputError, LanbiError, ServiceError, SettingsError
from lanbi import machine_code, memory, wiring
from lanbi.clock import SystemClock
from lanbi.settings import Settings
from lanbi.signs import sign_of

NS: Final = 10**9
PATIENCE_S: Final = 10
MB: Final = 1 << 20
FIRST_YEAR: Final = 2000
_REAL: Final = SystemClock()


class Done(NamedTuple):
    """What came of a county: rows written, figures restated, seconds, largest memory of its process so far [MB]; or its fault."""

    county: str
    written: int = 0
    restated: int = 0
    seconds: float = 0.0
    peak_mb: float = 0.0
    fault: str = ""


@dataclass(frozen=True)
class At:
    """A clock that stands at one instant, the same for every county; only durations go on."""

    now: int

    def now_ns(self) -> int:
        """The instant [ns]."""
        return self.now * NS

    def monotonic(self) -> float:
        """Seconds of this machine."""
        return _REAL.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        _REAL.sleep(seconds)


def block(settings: Settings, years: Sequence[int], now: int) -> Done:
    """Bring a county's figures up to date: this year, the last, and ``years``; runs wherever the county's store can be reached.

    Raises
    ------
    DataFolderBusy
        A `lanbi analyse` follows this county: figures have one writer.
    """
    os.environ.setdefault("NUMBA_CACHE_DIR", str(machine_code.prepared(settings.data)))
    from lanbi.analyse import Follower, name_registry  # noqa: PLC0415  numba comes with it, after its cache folder is set
    from lanbi.analysts import analyst_of  # noqa: PLC0415  same

    sign = sign_of(settings.data, "analyse")
    if sign.alive and sign.reasons != ("stopped",):
        raise DataFolderBusy("`lanbi analyse` runs on this data folder", str(settings.data), "stop it: figures have one writer")
    clock, store = At(now), wiring.store(settings)
    begun = clock.monotonic()
    try:
        follower = Follower(analyst_of(settings, wiring.registry(settings), store, lambda: now), store, clock)
        name_registry(store, follower.analyst.registry, now)
        follower.start(years)
        settler = follower.analyst.settler
        name = follower.analyst.registry.county.name
        return Done(name, settler.written, settler.restated, clock.monotonic() - begun, _peak())
    finally:
        store.close()
        memory.give_back()


def here(every: Iterable[Settings], years: Sequence[int], now: int) -> Iterator[Done]:
    """The counties one after another in this process."""
    for settings in every:
        try:
            yield block(settings, years, now)
        except LanbiError as error:
            yield _failed(settings, error)


def on_dask(address: str, every: Sequence[Settings], years: Sequence[int], now: int) -> Iterator[Done]:
    """The counties side by side on the workers of a Dask cluster, each told when it is done.

    Raises
    ------
    SettingsError
        The library is not installed, or the workers have another lanbi.
    ServiceError
        No scheduler answers, or it has no workers.
    """
    client, as_completed = _client(address)
    with client:
        _same_everywhere(client, address)
        futures = {client.submit(block, absolute(one), tuple(years), now, pure=False): one for one in every}
        for future in as_completed(list(futures), loop=client.loop):
            error = future.exception()
            yield future.result() if error is None else _failed(futures[future], error)
            future.release()


def _client(address: str) -> tuple[Any, Callable[..., Any]]:
    try:
        from distributed import Client, as_completed  # noqa: PLC0415  whoever uses no cluster need not have it
    except ImportError as error:
        raise SettingsError("the library for Dask is not installed", "--dask", "pip install 'lanbi[dask]'") from error
    try:
        return Client(address, timeout=PATIENCE_S, set_as_default=False), as_completed  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        raise ServiceError(f"no Dask scheduler answers: {error}", address, "start one: dask scheduler; then dask worker ADDRESS --nthreads 1") from error


def version() -> str:
    """The lanbi of this process."""
    return importlib.metadata.version("lanbi")


def _same_everywhere(client: Any, address: str) -> None:
    try:
        told = client.run(version)
    except Exception as error:  # whatever the worker lacks, it cannot compute for us
        raise SettingsError(f"a worker cannot run lanbi: {error!r}"[:300], address, "install the same lanbi where the workers run") from error
    if not told:
        raise ServiceError("the scheduler has no workers", address, "dask worker ADDRESS --nthreads 1")
    others = sorted({f"{worker} has {found}" for worker, found in told.items() if found != version()})
    if others:
        raise SettingsError(f"another lanbi on the workers: {', '.join(others)}; here {version()}", address, "install the same lanbi everywhere")


def _failed(settings: Settings, error: BaseException) -> Done:
    where = f" ({error.where})" if isinstance(error, LanbiError) and error.where else ""
    return Done(str(settings.file or settings.county), fault=f"{error}{where}" if isinstance(error, LanbiError) else repr(error)[:300])


def absolute(settings: Any) -> Any:
    """Settings whose paths hold in any working folder."""
    changed: dict[str, Any] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, Path):
            changed[field.name] = value.absolute()
        elif is_dataclass(value):
            changed[field.name] = absolute(value)
        elif isinstance(value, tuple) and value and all(isinstance(one, Path) for one in value):
            changed[field.name] = tuple(one.absolute() for one in value)
    return replace(settings, **changed)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB


def years_of(text: str | None) -> tuple[int, ...]:
    """Years of ``2015-2025`` or ``2024``.

    >>> years_of("2023-2025"), years_of("2024"), years_of(None)
    ((2023, 2024, 2025), (2024,), ())

    Raises
    ------
    InputError
        No such years.
    """
    if text is None:
        return ()
    first, _, last = text.partition("-")
    whole = first.isdecimal() and (last or first).isdecimal()
    if not whole or not FIRST_YEAR <= int(first) <= int(last or first) < FIRST_YEAR + 200:
        raise InputError(f"no years: {text}", "--years", "write 2024, or 2015-2025")
    return tuple(range(int(first), int(last or first) + 1))
