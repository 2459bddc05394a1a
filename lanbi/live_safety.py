"""Live check of settings and files: what is unsafe is a fault; what is only unwise is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain.errors import LanbiError
from lanbi import wiring
from lanbi.broker import EMBEDDED
from lanbi.broker_files import BrokerFiles
from lanbi.checking import today
from lanbi.clock import SystemClock
from lanbi.founding import FIRST
from lanbi.live import FAULT, NOTE, OK, Finding
from lanbi.safety import as_root, unsafe
from lanbi.settings import Settings

PART: Final = "safety"


def look(settings: Settings) -> Iterator[Finding]:
    """Secrets, open addresses, the access list on disk, leftovers of the installation."""
    found = [Finding(PART, FAULT, one.zh, f"{one.where}: {one.en}", one.todo) for one in unsafe(settings)]
    yield from found or [Finding(PART, OK, "密码文件、监听地址均安全", "secrets and addresses are safe")]
    if as_root():
        yield Finding(PART, NOTE, "以 root 身份检查", "this runs as root; lanbi itself needs no rights of root", "give it a user of its own (deploy/systemd)")
    if (settings.data / "secrets" / FIRST).exists():
        yield Finding(PART, NOTE, "首个账号的密码文件还在", "the first login's password is still in its file", f"log in, change it, remove secrets/{FIRST}")
    if settings.broker.url != EMBEDDED and (settings.broker.folder / "acl").exists():
        yield _access_list(settings)


def _access_list(settings: Settings) -> Finding:
    path = settings.broker.folder / "acl"
    try:
        expected = BrokerFiles(settings, wiring.registry(settings), today(SystemClock())).access_list()
        same = _rules(path.read_text(encoding="utf-8")) == _rules(expected)
    except (LanbiError, OSError) as error:
        return Finding(PART, NOTE, "访问控制表无法核对", f"the access list cannot be compared: {error}", "run as the user who made it")
    if same:
        return Finding(PART, OK, "访问控制表与登记册一致", "the access list is the registry's")
    words = "the access list on disk is not what the registry gives: somebody edited it, or the registry changed"
    return Finding(PART, FAULT, "访问控制表与登记册不一致", words, "lanbi broker acl")


def _rules(text: str) -> list[str]:
    """Lines that let somebody in; the remark above them names a registry that may have changed elsewhere."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]
