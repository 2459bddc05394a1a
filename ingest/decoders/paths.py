"""JSON of any form, by paths that the rule names (JMESPath): a mapping without code. Also a plain number as a whole payload. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from domain.errors import NotUnderstood
from domain.rules import Rule
from ingest.decoders.samples import Letter, Sample, json_of, shown


@lru_cache(2_000)
def compiled(path: str) -> Any:
    """A path, compiled once.

    Raises
    ------
    NotUnderstood
        It is no JMESPath; the registry refuses it when it is loaded.
    """
    try:
        return jmespath.compile(path)
    except JMESPathError as error:
        raise NotUnderstood(f"不是 JMESPath {path!r}: {str(error).splitlines()[0]}") from None


def find(path: str, value: Any) -> Any:
    """What stands at a path; None if nothing does."""
    try:
        return compiled(path).search(value)
    except JMESPathError as error:
        raise NotUnderstood(f"路径 path {path!r}: {str(error).splitlines()[0]}"[:160]) from None


def by_paths(letter: Letter) -> list[Sample] | None:
    """Samples at the paths of a rule, of one record or of each."""
    rule, seen = letter.rule, json_of(letter)
    if rule.require and find(rule.require, seen) in (None, False, "", [], {}):
        raise NotUnderstood(f"不符合 the message does not fulfil {rule.require!r}")
    if rule.skip and find(rule.skip, seen) is True:
        return None
    records = find(rule.records, seen) if rule.records else seen
    if records is None:
        raise NotUnderstood(f"没有记录 nothing stands at {rule.records!r}")
    return [sample for record in (records if isinstance(records, list) else [records]) for sample in _record(record, letter)]


def _record(record: Any, letter: Letter) -> Iterator[Sample]:
    rule = letter.rule
    time = find(rule.time, record) if rule.time else None
    flag = find(rule.flag, record) if rule.flag else None
    channel = channel_of(rule, letter.topic, record)
    for name in dict.fromkeys(one.name for one in rule.items):
        value = find(name, record)
        if isinstance(value, dict | list):
            raise NotUnderstood(f"{name!r} 不是单个值 is no single value: {shown(value)}")
        if value is not None:
            yield Sample(name, value, time, flag=None if flag is None else str(flag), channel=channel)


def channel_of(rule: Rule, topic: str, record: Any) -> str | None:
    """Foreign name of whose values these are, from the record or from a level of the topic."""
    if not rule.source:
        return None
    found: Any = None
    if rule.source.startswith("topic:"):
        levels, number = topic.split("/"), int(rule.source[6:])
        found = levels[number] if -len(levels) <= number < len(levels) else None
    else:
        found = find(rule.source, record)
    if not isinstance(found, str | int) or isinstance(found, bool):
        raise NotUnderstood(f"缺少来源 nothing tells whose values these are: {rule.source!r}")
    return str(found)


def plain(letter: Letter) -> list[Sample]:
    """A number alone, or several with commas; the last level of the topic is its name, or the place in the list (1, 2, …)."""
    try:
        text = letter.payload.decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise NotUnderstood(f"不是数字 no number: {error}"[:160], "bad-encoding") from None
    parts = text.split(",")
    levels = letter.topic.split("/")
    channel = channel_of(letter.rule, letter.topic, None) if letter.rule.source else None
    names = [levels[-1]] if len(parts) == 1 else [str(number) for number in range(1, len(parts) + 1)]
    return [Sample(name, part.strip() or None, channel=channel) for name, part in zip(names, parts, strict=True)]
