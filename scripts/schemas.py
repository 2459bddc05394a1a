"""Writes ``docs/schemas`` from the code's own tables: the JSON Schemas of messages, registry and plan, and the AsyncAPI document; ``--check`` only compares."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from domain.items import BY_REALM, ITEMS, REALMS
from domain.message import MAX_RUN, MAX_SEQ, MAX_SPAN
from domain.readings import DEVICE_FLAGS, FLAGS
from domain.reasons import ALL, MAX_MESSAGE
from ingest.entries import EVENTS
from scripts import schemas_county

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "docs" / "schemas"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NAMES: Final = sorted({name for realm in REALMS for name in BY_REALM[realm]})
TIME: Final = {"oneOf": [{"type": "string", "format": "date-time"}, {"type": "integer", "minimum": 0}]}
SEQ: Final = {"type": "integer", "minimum": 0, "maximum": MAX_SEQ}
RUN: Final = {"type": "integer", "minimum": 0, "maximum": MAX_RUN}


def _about(name: str) -> str:
    found = [ITEMS[realm, name] for realm in REALMS if (realm, name) in ITEMS]
    return "; ".join(dict.fromkeys(f"{one.zh} {one.en} [{one.unit or '1'}] ({one.realm})" for one in found))


def message() -> dict[str, Any]:
    """The native message, or a list of them."""
    flags = " ".join(f"{letter} {FLAGS[letter][0]} {FLAGS[letter][1]};" for letter in sorted(DEVICE_FLAGS))
    one = {
        "type": "object",
        "additionalProperties": False,
        "required": ["time", "span", "values"],
        "properties": {
            "run": {**RUN, "description": "一次计数 grows by one whenever the count starts anew"},
            "seq": {"oneOf": [SEQ, {"type": "null"}], "description": "序号 grows by exactly 1; without it there are no receipts"},
            "time": {**TIME, "description": "时段结束 end of the span, RFC 3339 with offset, or seconds since 1970"},
            "span": {"type": "integer", "minimum": 0, "maximum": MAX_SPAN, "description": "时长（秒），0 为瞬时值 seconds; 0 = instantaneous"},
            "source": {"type": ["string", "null"], "description": "点位或计量表 place or meter, if the device speaks for several"},
            "values": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": {name: {"type": ["number", "null"], "description": _about(name)} for name in NAMES},
            },
            "flags": {"type": ["object", "null"], "additionalProperties": {"enum": sorted(DEVICE_FLAGS)}, "description": flags},
            "corrects": {"type": "boolean", "description": "更正 meant to replace an earlier one of the same time"},
        },
    }
    return {"$schema": DIALECT, "title": "lanbi data", "oneOf": [{"$ref": "#/$defs/message"}, _many("message")], "$defs": {"message": one}}


def _many(name: str) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": {"$ref": f"#/$defs/{name}"}}


def event() -> dict[str, Any]:
    """An event, or a list of them."""
    lost = {"if": {"properties": {"type": {"const": "lost"}}}, "then": {"required": ["from", "to"], "properties": {"run": RUN, "from": SEQ, "to": SEQ}}}
    exchange = {"if": {"properties": {"type": {"const": "exchange"}}}, "then": {"required": ["time", "last", "first"]}}
    one = {"type": "object", "required": ["type"], "properties": {"type": {"enum": sorted(EVENTS)}}, "allOf": [lost, exchange]}
    return {"$schema": DIALECT, "title": "lanbi event", "oneOf": [{"$ref": "#/$defs/event"}, _many("event")], "$defs": {"event": one}}


def receipt() -> dict[str, Any]:
    """What a device is told to be durable."""
    pair = {"type": "array", "items": SEQ, "minItems": 2, "maxItems": 2}
    properties = {"run": RUN, "ranges": {"type": "array", "minItems": 1, "maxItems": 32, "items": pair}, "time": {"type": "string", "format": "date-time"}}
    return {"$schema": DIALECT, "title": "lanbi receipt", "type": "object", "required": ["run", "ranges", "time"], "properties": properties}


def refusal() -> dict[str, Any]:
    """What a device is told to be refused, and why."""
    words = "; ".join(f"{reason} {zh}" for reason, (zh, _) in ALL.items())
    properties = {
        "run": RUN,
        "seq": SEQ,
        "reason": {"enum": sorted(ALL), "description": words},
        "item": {"type": "string"},
        "detail": {"type": "string"},
    }
    return {"$schema": DIALECT, "title": "lanbi error", "type": "object", "required": ["reason", "detail"], "properties": properties}


def state() -> dict[str, Any]:
    """Whether a device is online; its last will too."""
    properties = {"online": {"type": "boolean"}, "firmware": {"type": "string"}}
    return {"$schema": DIALECT, "title": "lanbi state", "type": "object", "required": ["online"], "properties": properties}


SCHEMAS: Final = {"data": message, "event": event, "state": state, "receipt": receipt, "error": refusal}
SENT: Final = ("data", "event", "state")
WRITTEN: Final = {"registry": schemas_county.registry, "plan": schemas_county.plan}
"""Files that a county writes; no message, so not of AsyncAPI."""


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0: what lanbi receives and sends, seen from lanbi."""
    channels = {
        name: {
            "address": f"lanbi/v1/{{device}}/{name}",
            "parameters": {"device": {"description": "设备编号，即用户名和客户端标识 the device's id, its user name and client id"}},
            "messages": {name: {"contentType": "application/json", "payload": {"$ref": f"./{name}.schema.json"}}},
        }
        for name in SCHEMAS
    }
    operations = {
        f"{'receive' if name in SENT else 'send'}-{name}": {
            "action": "receive" if name in SENT else "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "bindings": {"mqtt": {"qos": 1, "retain": name == "state"}},
        }
        for name in SCHEMAS
    }
    info = {
        "title": "蓝碧 lanbi",
        "version": "1",
        "description": f"MQTT 3.1.1, QoS 1, UTF-8 JSON of at most {MAX_MESSAGE} bytes. docs/topics.md, docs/onboarding.md",
    }
    server = {"host": "lanbi.example.cn:8883", "protocol": "mqtts", "security": [{"type": "userPassword"}]}
    return {
        "asyncapi": "3.0.0",
        "info": info,
        "defaultContentType": "application/json",
        "servers": {"county": server},
        "channels": channels,
        "operations": operations,
    }


def files() -> dict[Path, str]:
    """Every file with its text."""
    texts = {FOLDER / f"{name}.schema.json": make() for name, make in {**SCHEMAS, **WRITTEN}.items()}
    return {path: json.dumps(body, ensure_ascii=False, indent=1) + "\n" for path, body in {**texts, FOLDER / "asyncapi.json": asyncapi()}.items()}


def main(words: list[str]) -> int:
    """Write them, or say which are stale."""
    stale = [path for path, text in files().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if "--check" in words:
        print("\n".join(f"stale: {path.relative_to(ROOT)}" for path in stale) or "docs/schemas is fresh")
        return bool(stale)
    FOLDER.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
