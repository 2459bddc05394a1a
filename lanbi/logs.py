"""What running programs say beside their work: one line an event, as text for people or as JSON for collectors.

Each event has an id that stays (:data:`EVENTS`, docs/logs.md): whoever counts or alerts on lines relies on it, not on the words. Of
one event at most :attr:`~lanbi.settings_sections.LogSettings.lines` lines come out a minute; what is held back is counted, and the
count is said when the minute is over: a fault that repeats must neither fill a disk nor hide another one. Secrets that this process
has read are taken out of every line, wherever they come from.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, Any, Final, NamedTuple

from domain.civil import iso
from domain.errors import LanbiError
from domain.ports import Clock
from domain.sayings import both
from lanbi.clock import SystemClock
from lanbi.secret import masked
from lanbi.settings_sections import LogSettings

FORMATS: Final = ("text", "json")
MINUTE_S: Final = 60.0
PRIORITY: Final = {"error": 3, "warning": 4, "info": 6}
"""Levels of syslog, which journald takes from the beginning of a line."""
LONGEST: Final = 4_000
"""Characters of a text; a library's error may repeat a whole request."""
_NS: Final = 10**9


class Known(NamedTuple):
    """An event: how bad it is, and what it says."""

    level: str
    zh: str
    en: str


EVENTS: Final[Mapping[str, Known]] = {
    "program.failed": Known("error", "进程因错误退出，附原因、位置、处理", "a program ended with an error: what, where, what to do"),
    "program.crashed": Known("error", "进程因程序缺陷退出，附调用栈", "a program ended by a defect, with where it stood"),
    "program.ended": Known("error", "被监管的进程退出、失去响应或拒绝设置", "a supervised program ended, hangs, or refused its settings"),
    "ingest.ready": Known("info", "接收就绪", "ingest is ready"),
    "ingest.unready": Known("warning", "接收未就绪，附原因", "ingest is not ready, and why"),
    "ingest.standby": Known("info", "备用接收在等待数据文件夹", "a standby waits for the data folder"),
    "store.up": Known("info", "存储恢复接受写入", "the store takes what it is given again"),
    "store.down": Known("warning", "存储不应答或拒绝写入；读数在日志里等待", "the store does not answer, or refuses; readings wait in the journal"),
    "broker.unsafe": Known("warning", "MQTT 服务器自检发现的隐患", "what the self-test found unsafe at the broker"),
    "journal.kept": Known("info", "封存了一个日志文件，或为腾出空间删除了一个", "a file of the journal was sealed, or removed to make room"),
    "journal.unkept": Known("warning", "封存、寄出封印或腾出空间未成", "sealing, mailing seals or making room failed"),
    "figures.ready": Known("info", "计算就绪：各数值已是最新", "analytics is ready: figures are up to date"),
    "figures.waiting": Known("warning", "计算在等待存储", "analytics waits for the store"),
    "registry.unreadable": Known("error", "生效的登记册不可读，沿用旧的", "the registry in force cannot be read; the old one stands"),
    "notifier.unloadable": Known("error", "通知渠道无法加载", "a channel of alerts cannot be loaded"),
    "notifier.again": Known("warning", "通知失败，稍后重试", "telling a channel failed; it is tried again"),
    "notifier.lost": Known("error", "通知失败，仅存于值班日志", "a channel was not told; the alert stands in the duty log only"),
    "library.said": Known("warning", "所用程序库的警告或错误", "a warning or an error of a library"),
    "log.held": Known("warning", "限流：一分钟内略去了某事件多少行", "lines of an event that were held back in a minute"),
}
"""Ids are kept from release to release (docs/stability.md); new ones may come."""


@dataclass
class _Minute:
    """Lines of one event since ``begun``."""

    begun: float
    said: int = 0
    held: int = 0


@dataclass
class Log:
    """Lines of one program.

    Attributes
    ----------
    stream : callable
        Where lines go; asked each time, for a test or a supervisor may change it.
    lines : int
        So many of one event come out a minute.
    """

    clock: Clock = field(default_factory=SystemClock)
    stream: Callable[[], IO[str]] = lambda: sys.stderr
    form: str = "text"
    program: str = ""
    lines: int = 20
    _minutes: dict[str, _Minute] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _timer: threading.Timer | None = None

    def tell(self, event: str, text: str, **more: Any) -> None:
        """Say an event, or count it among those held back.

        Parameters
        ----------
        more : any
            Further fields of the JSON line; the text must say enough without them.

        Raises
        ------
        KeyError
            The event has no id in :data:`EVENTS`.
        """
        known = EVENTS[event]
        with self._lock:
            self.turn()
            minute = self._minutes.setdefault(event, _Minute(self.clock.monotonic()))
            if minute.said >= self.lines:
                minute.held += 1
                self._later()
                return
            minute.said += 1
            self._write(known.level, event, text, more)

    def turn(self, *, over: bool = False) -> None:
        """Say what was held back in minutes that are over; of all of them at the end of the process."""
        with self._lock:
            now = self.clock.monotonic()
            for event in [name for name, minute in self._minutes.items() if over or now - minute.begun >= MINUTE_S]:
                minute = self._minutes.pop(event)
                if minute.held:
                    words = f"{event}: 略去 {minute.held} 行 lines held back in {now - minute.begun:.0f} s"
                    self._write(EVENTS["log.held"].level, "log.held", words, {"of": event, "held": minute.held})

    def _later(self) -> None:
        """The count is told even if the event never comes again."""
        if self._timer is None or not self._timer.is_alive():
            self._timer = threading.Timer(MINUTE_S, self.turn)
            self._timer.daemon = True
            self._timer.start()

    def _write(self, level: str, event: str, text: str, more: Mapping[str, Any]) -> None:
        now, out = iso(self.clock.now_ns() // _NS), self.stream()
        plain = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
        if self.form == "json":
            row = {"time": now, "level": level, "event": event, "program": self.program, "pid": os.getpid(), "text": plain, **more}
            line = json.dumps(row, ensure_ascii=False, default=str)
        else:
            line = f"{now} {self.program or 'lanbi'} {event}: {plain}"
        with suppress(OSError):  # a log on a full disk must not end who writes it
            out.write(f"{_priority(level, out)}{masked(line)}\n")
            out.flush()


def _priority(level: str, out: IO[str]) -> str:
    """What journald takes as the line's priority; anywhere else it would stand in the line."""
    named = os.environ.get("JOURNAL_STREAM", "")
    try:
        about = os.fstat(out.fileno()) if named else None
    except (OSError, ValueError):
        return ""
    return f"<{PRIORITY[level]}>" if about and named == f"{about.st_dev}:{about.st_ino}" else ""


_LOG: Final = Log()


def tell(event: str, text: str, **more: Any) -> None:
    """Say an event in this process's log."""
    _LOG.tell(event, text, **more)


@contextmanager
def speaking(settings: LogSettings, program: str) -> Iterator[None]:
    """For a program that goes on running: its name in every line, and libraries' lines among its own.

    As JSON also why it ends and what is a defect; as text these stand as a person is used to see them.
    """
    root, before, hook = logging.getLogger(), (_LOG.form, _LOG.lines, _LOG.program), threading.excepthook
    library = _Library(logging.WARNING)
    _LOG.form, _LOG.lines, _LOG.program = settings.format, settings.lines, program
    root.addHandler(library)
    try:
        if _LOG.form == "json":
            threading.excepthook = lambda found: _crashed(found.exc_type, found.exc_value)
        yield
    except LanbiError as error:
        if _LOG.form == "json":
            tell("program.failed", "; ".join(part for part in (both(error.what), error.where, both(error.todo)) if part), where=error.where, do=error.todo)
            error.told = True
        raise
    except Exception as error:
        if _LOG.form != "json":
            raise
        _crashed(type(error), error)
        raise SystemExit(1) from error
    finally:
        _LOG.turn(over=True)
        root.removeHandler(library)
        threading.excepthook = hook
        _LOG.form, _LOG.lines, _LOG.program = before


def _crashed(kind: type[BaseException], error: BaseException | None) -> None:
    stack = "".join(traceback.format_exception(kind, error, error.__traceback__ if error else None))
    tell("program.crashed", repr(error), stack=stack)


class _Library(logging.Handler):
    """Lines of libraries that use the standard library's logging."""

    def emit(self, record: logging.LogRecord) -> None:
        trace = f"\n{''.join(traceback.format_exception(*record.exc_info))}" if record.exc_info else ""
        tell("library.said", f"{record.name}: {record.getMessage()}{trace}", library=record.name)
