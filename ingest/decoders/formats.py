"""Every format by name: ours, and those that other packages add. The registry's rule decides; looks only check it and help people."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from typing import Any, Final

import msgspec

from domain.rules import HJ212, NATIVE
from ingest.decoders import clouds, gateways, paths, senml, sparkplug
from ingest.decoders.lineprotocol import line_protocol
from ingest.decoders.samples import Dialect

GROUP: Final = "lanbi.decoders"
"""Entry points of other packages: name of the format → a :class:`Dialect`."""


def _has(*keys: str) -> Any:
    return lambda seen, _topic: isinstance(seen, dict) and all(key in seen for key in keys)


def _pack(seen: Any, _topic: str) -> bool:
    return isinstance(seen, list) and bool(seen) and all(isinstance(one, dict) for one in seen) and any("bn" in one or "n" in one for one in seen)


DIALECTS: Final[Mapping[str, Dialect]] = {
    "senml-json": Dialect(senml.senml_json, "s", "a list of objects with bn or n", _pack),
    "senml-cbor": Dialect(senml.senml_cbor, "s", "CBOR, an array"),
    "sparkplug-b": Dialect(sparkplug.sparkplug, "ms", "protobuf on spBv1.0/…"),
    "line-protocol": Dialect(line_protocol, "ns", "name,tag=value field=value time"),
    "telegraf-json": Dialect(clouds.telegraf, "s", "fields, tags and name, or a metrics list",
                             lambda seen, topic: _has("fields", "name")(seen, topic) or _has("metrics")(seen, topic)),
    "thingsboard": Dialect(clouds.thingsboard, "ms", "ts and values", _has("ts", "values")),
    "alink": Dialect(clouds.alink, "ms", f"method = {clouds.ALINK}", lambda seen, _: isinstance(seen, dict) and seen.get("method") == clouds.ALINK),
    "onenet": Dialect(clouds.onenet, "ms", "params without method",
                      lambda seen, topic: _has("params")(seen, topic) and "method" not in seen),
    "iotda": Dialect(clouds.iotda, "compact", "services", _has("services")),
    "jetlinks": Dialect(clouds.jetlinks, "ms", "a properties object",
                        lambda seen, _: isinstance(seen, dict) and isinstance(seen.get("properties"), dict)),
    "gateway-wide": Dialect(gateways.wide, "s", "one flat object a meter"),
    "gateway-list": Dialect(gateways.listed, "s", "a properties list of key and value",
                            lambda seen, _: isinstance(seen, dict) and isinstance(seen.get("properties"), list)),
    "gateway-devices": Dialect(gateways.by_device, "s", "a list of objects with i and v",
                               lambda seen, _: isinstance(seen, list) and bool(seen) and all(isinstance(one, dict) and {"i", "v"} <= one.keys() for one in seen)),
    "json": Dialect(paths.by_paths, "s", "JSON of any form, by the paths of its rule"),
    "plain": Dialect(paths.plain, "s", "a number, or several with commas"),
}  # fmt: skip


EXAMPLES: Final = {
    "sensor-community": {"sensordatavalues"},
    "qingping": {"sensorData"},
    "tasmota": {"Time", "ENERGY"},
    "the-things-stack": {"uplink_message"},
    "shelly-gen2": {"src", "method", "params"},
    "airgradient": {"serialno", "pm02"},
    "zigbee2mqtt": {"linkquality"},
}
"""Keys by which devices are known whose messages a mapping without code reads."""


@lru_cache(1)
def dialects() -> Mapping[str, Dialect]:
    """All formats but ours and HJ 212; what another package adds may not take the name of one of these."""
    added = {one.name: one.load() for one in entry_points(group=GROUP) if one.name not in DIALECTS and one.name not in {NATIVE, HJ212}}
    return {**DIALECTS, **{name: one for name, one in added.items() if isinstance(one, Dialect)}}


def names() -> tuple[str, ...]:
    """Names that a device's or a mapping's ``format`` may have."""
    return (NATIVE, HJ212, *dialects())


def looks_like(payload: bytes, topic: str) -> str:
    """The format whose mark a payload bears, for people; empty if it bears none."""
    start = payload.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start[:2] == b"##" and start[2:5].isdigit():
        return HJ212
    if topic.startswith("spBv1.0/"):
        return "sparkplug-b"
    if start[:1] in {b"{", b"["}:
        return _of_json(start, topic)
    return "senml-cbor" if start[:1] and 0x80 <= start[0] <= 0x9F else ""


def example_of(payload: bytes) -> str:
    """The mapping example whose device speaks like this, by what only it says; empty if none does."""
    try:
        seen = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return next((name for name, keys in EXAMPLES.items() if isinstance(seen, dict) and keys <= seen.keys()), "")


def _of_json(start: bytes, topic: str) -> str:
    try:
        seen = msgspec.json.decode(start)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    first = seen[0] if isinstance(seen, list) and seen else seen
    if isinstance(first, dict) and "time" in first and "values" in first:
        return NATIVE
    return next((name for name, one in dialects().items() if one.like and one.like(seen, topic)), "")
