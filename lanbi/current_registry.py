"""The registry in force, as the long-running processes hold it: an applied one is taken without a restart."""

from __future__ import annotations

from domain.errors import LanbiError
from domain.places import Registry
from domain.sayings import both
from lanbi import logs, wiring
from lanbi.registry_change import CURRENT
from lanbi.settings import Settings


class CurrentRegistry:
    """The registry in force, read again when another one was applied; a broken file leaves the old one standing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._stamp = self._look()
        self._registry = wiring.registry(settings)

    def __call__(self) -> Registry:
        """The registry, with a look at the file first."""
        self.changed()
        return self._registry

    def changed(self) -> bool:
        """Whether another one that can be read was applied since the last look."""
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self._registry = wiring.registry(self.settings)
        except LanbiError as error:
            logs.tell("registry.unreadable", f"{error.where}: {both(error.what)}")
            return False
        return True

    def _look(self) -> tuple[int, int] | None:
        try:
            state = (self.settings.data / CURRENT).stat()
        except OSError:
            return None
        return state.st_mtime_ns, state.st_size
