"""Live check of the processes: each that ever ran on this data folder gives a sign and is ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain.sayings import chinese
from lanbi.live import FAULT, NOTE, OK, Finding
from lanbi.settings import Settings
from lanbi.signs import PATIENCE, Sign, sign_of

PART: Final = "processes"
BUSY: Final = {"starting", "compiling", "computing"}
"""What a process says that gives signs and will be ready: after a start, after another registry, after a large import."""
WORDS: Final = {"ingest": "接收", "analyse": "计算", "serve": "看板接口"}


def look(settings: Settings) -> Iterator[Finding]:
    """One finding a process; a store that is away is told, and makes no process unready."""
    for name in PATIENCE:
        sign = sign_of(settings.data, name)
        yield _of(name, sign)
        store = str(sign.status.get("store", "ok")) if sign.alive else "ok"
        if store != "ok":
            yield Finding(
                PART,
                FAULT,
                f"存储未接收，读数在日志中等待：{chinese(store) or store}",
                f"the store takes nothing, readings wait in the journal: {store}",
                "see store",
            )


def _of(name: str, sign: Sign) -> Finding:
    word = WORDS[name]
    if sign.age is None:
        return Finding(PART, NOTE, f"{word}从未在此数据文件夹运行", f"{name} never ran on this data folder", f"start it: lanbi run, or lanbi {name}")
    if sign.ready:
        return Finding(PART, OK, f"{word}就绪（{sign.age:.0f} 秒前）", f"{name} is ready, {sign.age:.0f} s ago")
    why = "; ".join(sign.reasons) or "no reason given"
    zh = "；".join(chinese(reason) or reason for reason in sign.reasons) or "未说明原因"
    if sign.alive and set(sign.reasons) <= BUSY and sign.reasons:
        return Finding(PART, NOTE, f"{word}正在进行：{zh}", f"{name} is at work: {why}", "look again in a minute")
    return Finding(PART, FAULT, f"{word}未就绪：{zh}", f"{name} is not ready: {why}", f"start it, or look into the log of {name}")
