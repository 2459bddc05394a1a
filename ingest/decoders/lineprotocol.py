"""InfluxDB line protocol (v2). A device's tags say whose value it is and are never copied into the store. Pure."""

from __future__ import annotations

import re
from typing import Final

from domain.errors import NotUnderstood
from ingest.decoders.samples import Letter, Sample

_CUT: Final = re.compile(r"\\(?s:.)|[ ,=\"]|\n")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER: Final = re.compile(r"([+-]?\d+)[iu]", re.ASCII)
_TRUTH: Final = frozenset({"t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE"})
_ESCAPED: Final = re.compile(r"\\([,= \"\\])")
FLAG: Final = "qc"
"""A tag, or a field, of this name is the quality mark of its line unless the rule's ``flag`` names another."""


def line_protocol(letter: Letter) -> list[Sample]:
    """Samples of all lines; the channel is the tag that the rule's ``source`` names. A name is ``measurement.field`` or ``field``."""
    try:
        text = letter.payload.decode()
    except UnicodeDecodeError as error:
        raise NotUnderstood(f"不是 UTF-8 not UTF-8: {error}"[:160], "bad-encoding") from None
    found: list[Sample] = []
    for line in _lines(text):
        found += _line(line, letter)
    if not found:
        raise NotUnderstood("没有数据行 no line of data")
    return found


def _lines(text: str) -> list[str]:
    """Lines; a line end inside quotes belongs to its text."""
    lines, start, quoted, at = [], 0, False, 0
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == '"':
            quoted = not quoted
        elif text[at] == "\n" and not quoted:
            lines.append(text[start:at])
            start = at + 1
        at += 1
    lines.append(text[start:])
    return [line.strip("\r ") for line in lines if line.strip("\r ") and not line.lstrip().startswith("#")]


def _parts(text: str, at: str) -> list[str]:
    """A text cut at a character that is neither escaped nor inside quotes."""
    parts, start, quoted = [], 0, False
    for cut in _CUT.finditer(text):
        if cut[0] == '"':
            quoted = not quoted
        elif cut[0] == at and not quoted:
            parts.append(text[start : cut.start()])
            start = cut.end()
    if quoted:
        raise NotUnderstood(f"引号未闭合 an open quote: {text[:40]!r}")
    return [*parts, text[start:]]


def _pair(text: str) -> tuple[str, str]:
    parts = _parts(text, "=")
    if len(parts) != 2 or not all(parts):
        raise NotUnderstood(f"应为 name=value is expected: {text[:40]!r}")
    return _ESCAPED.sub(r"\1", parts[0]), parts[1]


def _line(line: str, letter: Letter) -> list[Sample]:
    pieces = [part for part in _parts(line, " ") if part]
    if not 2 <= len(pieces) <= 3:
        raise NotUnderstood(f"行应为 measurement,tags fields [time], not {line[:60]!r}")
    measurement, *tags = _parts(pieces[0], ",")
    known = {name: _ESCAPED.sub(r"\1", value) for name, value in map(_pair, tags)}
    fields = [_pair(part) for part in _parts(pieces[1], ",")]
    if len(known) < len(tags) or len({name for name, _ in fields}) < len(fields):
        raise NotUnderstood(f"键重复 a key stands twice: {line[:60]!r}")
    if len(pieces) == 3 and not re.fullmatch(r"-?\d+", pieces[2], re.ASCII):
        raise NotUnderstood(f"时间应为整数 the time should be an integer: {pieces[2][:30]!r}")
    time = int(pieces[2]) if len(pieces) == 3 and len(pieces[2]) < 30 else None
    rule, mark = letter.rule, letter.rule.flag or FLAG
    flag = known.get(mark) or next((value.strip('"') for name, value in fields if name == mark), None)
    if rule.source and rule.source not in known:
        raise NotUnderstood(f"缺少标签 tag {rule.source!r} is missing")
    wanted = {one.name for one in rule.items}
    own = _ESCAPED.sub(r"\1", measurement)
    names = (f"{own}.{name}" for name, _ in fields)
    said = [(full if full in wanted else name, value) for full, (name, value) in zip(names, fields, strict=True) if name != mark]
    return [Sample(name, _value(value), time, flag=flag, channel=known.get(rule.source)) for name, value in said]


def _value(text: str) -> object:
    whole = _INTEGER.fullmatch(text)
    if whole:
        return int(whole[1]) if len(text) < 40 else text
    if _NUMBER.fullmatch(text):
        return float(text)
    if text in _TRUTH:
        return text[0] in "tT"
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text  # a text in quotes is never a number here, whatever stands between them
    raise NotUnderstood(f"不是行协议的值 no value of line protocol: {text[:40]!r}")
