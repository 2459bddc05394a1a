"""One device on trial: an integrator sees each message, each receipt and each refusal in plain words.

It sends the readings of the last slots one by one and waits for lanbi's answer to each, so that what is wrong with a registration,
a login, a topic or a clock shows within a minute and not on the first working day.
"""

from __future__ import annotations

import json
import selectors
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

from domain.civil import iso
from domain.errors import BrokerAway
from domain.ports import Clock
from domain.reasons import ALL
from edge_sim.devices import SimulatedDevice, payloads
from edge_sim.line import Address, Ears, Line, Person
from edge_sim.wire import Word

LOOK_S: Final = 0.1
VERDICT_S: Final = 3.0
"""So long behind the last receipt refusals may still come."""
TOPIC: Final = "lanbi/v1"


@dataclass
class Trial:
    """A trial under way.

    Attributes
    ----------
    device : SimulatedDevice
        What it has to say has ended already; it is said as fast as it is answered.
    patience : float [s]
        Longest wait for a connection, and for each answer.
    say : callable
        Told one line at a time.
    """

    device: SimulatedDevice
    address: Address
    clock: Clock
    patience: float
    say: Callable[[str], None]
    up: bool = False
    sent: int = 0
    confirmed: int = 0
    refused: int = 0
    unanswered: int = 0
    _awaited: set[tuple[int, int]] = field(default_factory=set)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def run(self, now: int, stop: Callable[[], bool]) -> bool:
        """Say everything up to ``now`` [s]; whether every reading was confirmed and none refused."""
        name = self.device.id
        line = Line(self.address, Person(name, name), Ears(self._connected, self._away, self._heard, refused=self._turned_away), self._selector)
        self.say(f"连接 connecting to {self.address.host}:{self.address.port} 设备 as {name}")
        if not line.dial():
            where = f"{self.address.host}:{self.address.port}"
            raise BrokerAway("无法连接 nobody listens there", where, "检查地址、端口和防火墙 check address, port and firewall")
        self._wait(line, lambda: self.up, stop)
        arrived = self.up
        if arrived:
            line.subscribe([f"{TOPIC}/{name}/{stream}" for stream in ("receipt", "error")])
            self._speak(line, now, stop)
            # A receipt says durable, not accepted: what is refused is told a moment later.
            self._wait(line, lambda: False, stop, min(self.patience, VERDICT_S))
            self.up = False
            line.hang_up()
        self.say(f"共发送 sent {self.sent}，回执 receipts {self.confirmed}，拒收 refused {self.refused}，无回执 without receipt {self.unanswered}")
        return arrived and self.sent == self.confirmed and not self.refused

    def _speak(self, line: Line, now: int, stop: Callable[[], bool]) -> None:
        slots = [list(words) for _, words in groupby(self.device.measure(now), key=attrgetter("tick"))]
        for payload, part in (sent for words in slots for sent in payloads(words)):
            if stop() or not self.up:
                break
            self._one(line, payload, part)
            self._wait(line, lambda: not self._awaited, stop)
            if self._awaited and not stop():
                self.unanswered += len(self._awaited)
                self.say(
                    f"✗ {self.patience:g} 秒无回执 no receipt: lanbi ingest 是否在运行？设备号是否登记？ is `lanbi ingest` running, and is the device in the registry?"
                )
                self._awaited.clear()

    def _one(self, line: Line, payload: bytes, part: list[Word]) -> None:
        word = part[0]
        topic = f"{TOPIC}/{word.device}/{word.stream}"
        self.say(f"→ {topic}  {_shown(payload)}")
        line.publish(topic, payload, retain=word.retain)
        if word.stream == "data":
            self.sent += len(part)
            self._awaited = {one.number for one in part if one.held}

    def _wait(self, line: Line, happened: Callable[[], bool], stop: Callable[[], bool], longest: float | None = None) -> None:
        end = self.clock.monotonic() + (self.patience if longest is None else longest)
        while not happened() and not stop() and self.clock.monotonic() < end and not (self.up and line.idle):
            for _ in self._selector.select(LOOK_S):
                line.read()
            line.misc()
            line.flush()

    def _connected(self) -> None:
        self.up = True
        self.say("✓ 已连接 connected")

    def _away(self) -> None:
        if self.up:
            self.say("… 连接已断 the connection has ended")
        self.up = False

    def _turned_away(self, words: str) -> None:
        self.say(f"✗ 登录被拒 the broker refuses the login ({words}): 用户名须等于设备号，检查密码 user name = device id; check the password")

    def _heard(self, topic: str, payload: bytes) -> None:
        try:
            answer = json.loads(payload)
            told = self._refusal(answer) if topic.endswith("/error") else self._receipt(answer)
        except (ValueError, KeyError, TypeError):
            told = f"? 看不懂的答复 an answer that cannot be read: {_shown(payload)}"
        self.say(told)

    def _receipt(self, answer: Mapping[str, Any]) -> str:
        run, ranges = int(answer["run"]), [(int(low), int(high)) for low, high in answer["ranges"]]
        covered = {(own, seq) for own, seq in self._awaited if own == run and any(low <= seq <= high for low, high in ranges)}
        self._awaited -= covered
        self.confirmed += len(covered)
        shown = ", ".join(f"{low}…{high}" if low != high else str(low) for low, high in ranges)
        return f"← 回执 receipt: 批次 run {run} 编号 seq {shown} 已落盘，设备可删除 is durable; the device may forget it"

    def _refusal(self, answer: Mapping[str, Any]) -> str:
        self.refused += 1
        zh, en = ALL.get(str(answer["reason"]), ("未知原因", "unknown reason"))
        item = f" 项目 item {answer['item']}" if answer.get("item") else ""
        number = "无 none" if answer.get("seq") is None else answer["seq"]
        return f"← 拒收 refused: 编号 seq {number}{item}: {answer['reason']} {zh} {en} — {answer.get('detail', '')}"


def _shown(payload: bytes, most: int = 400) -> str:
    text = payload[:most].decode(errors="replace")
    return text if len(payload) <= most else f"{text}… ({len(payload)} 字节 bytes)"


def opening(device: SimulatedDevice, count: int, now: int) -> str:
    """What will be said, in a line."""
    sources = ", ".join(device.device.sources.newest)
    return f"设备 device {device.id}，来源 sources {sources}，间隔 interval {device.device.interval} s：{count} 个时段 slots，至 up to {iso(now)}"
