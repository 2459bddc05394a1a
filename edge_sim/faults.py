"""Everything that goes wrong, as a table: kind → where it bites, what it does by default, and in words.

A fault has a target, an onset, an end and a size, all known; what it does is a pure function in one of three files: to the
values of an instrument (``sensors``), to the units of a register (``registers``), to the words on the wire (``wire``). What an
enterprise does (``loads``) changes the truth itself and stands here too, for it is to be found as well.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, NamedTuple

SENSOR, REGISTER, LOAD, WIRE, LINK = "sensor", "register", "load", "wire", "link"
"""Where a fault bites: on values, on a register's units, on what an enterprise does, on messages, on the connection."""


class Kind(NamedTuple):
    """One kind of fault.

    Attributes
    ----------
    bites : str
        One of the five places.
    realms : tuple of str
        Sources that can have it; of messages and connections: the sources of the device.
    size : float
        Usual size; its meaning stands in ``en``.
    seconds : int
        Usual length [s]; 0 = one reading.
    lasting : bool
        Whether it stays for ever, as what happened to a register does.
    """

    bites: str
    realms: tuple[str, ...]
    size: float
    seconds: int
    zh: str
    en: str
    lasting: bool = False


class Fault(NamedTuple):
    """One fault: readings with begin < end label ≤ end have it; of a lasting one, all readings behind ``begin``.

    Attributes
    ----------
    target : str
        A source; of messages and connections a device.
    item : str
        The item, empty = those that the kind concerns.
    partner : str
        What else it needs: the neighbour that is copied, the source that is forged, the class of a malformed message.
    """

    kind: str
    target: str
    begin: int
    end: int
    size: float
    item: str = ""
    partner: str = ""


HOUR: Final = 3_600
DAY: Final = 86_400
ALL: Final = ("air", "water", "point", "meter")
FIELD: Final = ("air", "water", "point")
METER: Final = ("meter",)
KINDS: Final = MappingProxyType(
    {
        "gap": Kind(SENSOR, ALL, 0, 8 * HOUR, "缺数", "nothing is measured"),
        "stuck": Kind(SENSOR, ALL, 0, 3 * DAY, "数值停滞", "the value of the onset is said again and again"),
        "spike": Kind(SENSOR, ALL, 8, 0, "尖峰", "one reading, size times its value"),
        "step": Kind(SENSOR, FIELD, 0.3, 120 * DAY, "阶跃", "gain: too high by this share"),
        "ramp": Kind(SENSOR, FIELD, 0.5, 150 * DAY, "缓慢漂移", "gain grows to this share until a calibration ends it"),
        "offset": Kind(SENSOR, FIELD, 15, 120 * DAY, "偏移", "too high by so many units"),
        "unit-slip": Kind(SENSOR, FIELD, 0.001, 2 * DAY, "单位错误", "said in another unit: times size"),
        "negative": Kind(SENSOR, FIELD, 3, 6 * HOUR, "负值", "below zero by size"),
        "error-code": Kind(SENSOR, FIELD, -9999, 5 * HOUR, "错误码当数值", "an error code in place of a value"),
        "inverted": Kind(SENSOR, ("air",), 1.3, 12 * HOUR, "PM2.5 高于 PM10", "PM2.5 is size times PM10"),
        "copy": Kind(SENSOR, ("air", "water"), 0, 10 * DAY, "照抄邻站", "a neighbour's values are said"),
        "masked": Kind(SENSOR, ("air",), 0.2, 2 * DAY, "采样被遮", "the sampler is covered: particulates times size, 28 against the neighbours' 140"),
        "calibration": Kind(SENSOR, FIELD, 0, 2 * HOUR, "校准", "zero and span gas, flagged C, with events"),
        "maintenance": Kind(SENSOR, FIELD, 0, 4 * HOUR, "维护", "flagged M, with an event"),
        "zero": Kind(SENSOR, METER, 0, 0, "单次归零", "one register of 0, then back"),
        "garbage": Kind(SENSOR, METER, 42_949_066.16, 0, "32 位乱码", "one register of a misread 32-bit word"),
        "register-reset": Kind(REGISTER, METER, 0, 0, "表底归零", "the register begins anew at 0", lasting=True),
        "roll-over": Kind(REGISTER, METER, 0, 0, "表底翻转", "the register passes its modulus soon behind the onset", lasting=True),
        "exchange": Kind(REGISTER, METER, 0, 0, "换表有单", "another meter, begins at size; an event gives both readings", lasting=True),
        "exchange-silent": Kind(REGISTER, METER, 0, 0, "换表无单", "another meter, begins at size; nobody says so", lasting=True),
        "multiplier": Kind(REGISTER, METER, 0.5, 0, "倍率变更未报", "the register turns size times as fast, the registry does not know", lasting=True),
        "step-back": Kind(REGISTER, METER, 50, 0, "表底倒退", "the register falls by so many units", lasting=True),
        "treatment-off": Kind(LOAD, METER, 0, 8 * HOUR, "治污停运", "treatment stands while production runs"),
        "late-start": Kind(LOAD, METER, 3, 10 * DAY, "治污晚开", "treatment starts so many hours late each day"),
        "idling": Kind(LOAD, METER, 0.2, 3 * DAY, "治污空转", "treatment runs at this share of its load"),
        "curtailed": Kind(LOAD, METER, 0.5, 3 * DAY, "按令限产", "an order is kept: this share of the load remains (no fault, the counterpart of a breach)"),
        "breach": Kind(LOAD, METER, 0.5, 3 * DAY, "违令未限产", "an order allows this share of the load, and all of it runs"),
        "backfill": Kind(WIRE, ALL, 0, 6 * HOUR, "断线补传", "held back while the line is down, then all at once, flagged P"),
        "duplicate": Kind(WIRE, ALL, 2, 6 * HOUR, "重复", "each message so many times"),
        "reorder": Kind(WIRE, ALL, 1_800, 12 * HOUR, "乱序", "delayed by chance, at most so many seconds"),
        "late": Kind(WIRE, ALL, 3 * DAY, 6 * HOUR, "迟到数日", "delayed by so many seconds"),
        "retained": Kind(WIRE, ALL, 0, 2 * HOUR, "误设保留", "published retained"),
        "clock-skew": Kind(WIRE, ALL, 900, 6 * HOUR, "时钟偏差", "the device's clock is ahead by so many seconds"),
        "wrong-zone": Kind(WIRE, ALL, 28_800, 6 * HOUR, "时区错误", "local time said as UTC"),
        "milliseconds": Kind(WIRE, ALL, 0, 3 * HOUR, "毫秒当秒", "epoch milliseconds where seconds belong"),
        "start-label": Kind(WIRE, FIELD, 0, 12 * HOUR, "起始时标", "the hour is named by its start"),
        "forged": Kind(WIRE, ALL, 0, 3 * HOUR, "冒名", "speaks for a place of another device"),
        "malformed": Kind(WIRE, ALL, 0, HOUR, "畸形消息", "messages that are none, one of each class"),
        "oversize": Kind(WIRE, ALL, 70_000, 0, "超大消息", "a message of so many bytes"),
        "stolen": Kind(WIRE, ALL, 0.3, 6 * HOUR, "凭据被盗", "a stranger with the device's login says size times the truth, under higher numbers"),
        "takeover": Kind(LINK, ALL, 300, 2 * HOUR, "客户端被顶替", "a stranger connects with the device's client id every so many seconds"),
        "connect-storm": Kind(LINK, ALL, 2, HOUR, "连接风暴", "connects and leaves every so many seconds"),
    },
)
"""Every kind of fault by its name in scenario files."""


def table() -> str:
    """All kinds as a Markdown table, for docs/simulator.md."""
    rows = [f"| `{name}` | {kind.bites} | {kind.zh} | {kind.en} | {kind.size:g} | {_length(kind)} |" for name, kind in KINDS.items()]
    return "\n".join(["| kind | bites | 中文 | what happens | usual size | usual length |", "|---|---|---|---|---|---|", *rows])


def _length(kind: Kind) -> str:
    if kind.lasting:
        return "for ever"
    hours = kind.seconds / HOUR
    return "one reading" if not hours else f"{hours / 24:g} d" if hours >= 48 else f"{hours:g} h"
