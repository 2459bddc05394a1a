"""JSON Schemas of the files that a county writes: ``registry.schema.json`` and ``plan.schema.json``, from the loader's own tables.

An editor that knows TOML (Taplo, Even Better TOML) completes and checks by them: ``#:schema`` in the first line of the file names one.
They tell what one key may hold; what no single key can tell (two devices of one topic, a source that is not registered) is `lanbi check`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

from domain.items import BY_REALM
from domain.readings import DEVICE_FLAGS
from domain.rules import SUMS
from ingest.decoders.hj212_read import MINUTES
from ingest.decoders.units import UNITS
from lanbi import plans, registry_mapping, registry_values
from lanbi.registry_fields import FIELDS, SINGLE, Field

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
TEXT: Final[Schema] = {"type": "string"}
FILLED: Final[Schema] = {"type": "string", "pattern": r"\S"}
TEXTS: Final[Schema] = {"type": "array", "items": TEXT}
TABLE: Final[Schema] = {"type": "object", "additionalProperties": TEXT}
DATE: Final[Schema] = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d\d-\d\d$"}
TIME: Final[Schema] = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$"}
_DIGITS: Final = r"(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)([eE][+-]?\d+)?\s*$"
NUMBER: Final[Schema] = {"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^\s*[+-]?" + _DIGITS}]}
POSITIVE: Final[Schema] = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": r"^\s*\+?(?=[^eE]*[1-9])" + _DIGITS}]}


def _whole(low: int, high: int | None = None) -> Schema:
    return {"type": "integer", "minimum": low} | ({} if high is None else {"maximum": high})


def _object(properties: Mapping[str, Schema], required: tuple[str, ...] = ()) -> Schema:
    return {"type": "object", "additionalProperties": False, "required": list(required), "properties": dict(properties)}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _items(*realms: str) -> Schema:
    return {"enum": sorted({name for realm in realms for name in BY_REALM[realm]})}


_UNIT: Final[Schema] = {"enum": sorted(UNITS)}
_ITEM: Final = {
    **dict.fromkeys(registry_mapping.ITEM, TEXT),
    "item": {"enum": sorted(registry_mapping.ITEMS)},
    "name": FILLED,
    "unit": {"enum": ["", *sorted(UNITS)]},
    "scale": NUMBER,
    "offset": NUMBER,
    "sum": {"enum": ["", *SUMS]},
}
_LIMIT: Final = {"item": _items("point"), "value": POSITIVE, "average": {"enum": [*registry_values.AVERAGES]}, "from": DATE}
_PERMIT: Final = {"number": FILLED, "from": DATE, "until": DATE}
_WINDOW: Final = _object({"from": TIME, "to": TIME, "document": FILLED}, ("from", "to", "document"))

OF_READER: Final[Mapping[object, Schema]] = {
    registry_values.text: TEXT,
    registry_values.texts: TEXTS,
    registry_values.match: {"anyOf": [TEXT, TEXTS]},
    registry_values.number: NUMBER,
    registry_values.positive: POSITIVE,
    registry_values.whole: _whole(1),
    registry_values.share: {"anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 1}, POSITIVE["anyOf"][1]]},
    registry_values.minutes: {"anyOf": [_whole(1, 1_440), {"type": "string", "pattern": r"^\s*\+?(?=[^eE]*[1-9])" + _DIGITS}]},
    registry_values.waiting: _whole(0, 10_080),
    registry_values.yes_no: {"type": "boolean"},
    registry_values.units: {"type": "object", "propertyNames": _items("point"), "additionalProperties": TEXT},
    registry_values.zone: FILLED | {"examples": ["Asia/Shanghai"]},
    registry_values.limits: _list(_object(_LIMIT, registry_values.LIMIT)),
    registry_values.permit: _object(_PERMIT, registry_values.PERMIT),
    registry_values.reset: {"anyOf": [{"enum": ["never", "allowed"]}, {"type": "string", "pattern": f"^({registry_values.CLOCK.pattern})$"}]},
    registry_values.dates: _list(DATE),
    registry_values.windows: {"anyOf": [_WINDOW, _list(_WINDOW)]},
    registry_mapping.format_: FILLED | {"examples": ["lanbi-json", "json", "hj212"], "description": "内置或已安装的格式 built in, or of an installed package"},
    registry_mapping.table: TABLE,
    registry_mapping.options: {"type": "object"},
    registry_mapping.seconds: _whole(0, 31_622_400),
    registry_mapping.minutes: {"enum": [0, *sorted(MINUTES)]},
    registry_mapping.sentinels: _list(NUMBER),
    registry_mapping.flags: {"type": "object", "additionalProperties": {"enum": sorted(DEVICE_FLAGS)}},
    registry_mapping.units: {"type": "object", "propertyNames": {"enum": sorted(registry_mapping.ITEMS)}, "additionalProperties": _UNIT},
    registry_mapping.items: _list(_object(_ITEM, ("item", "name"))),
    registry_mapping.topics: TEXTS,
    registry_mapping.peers: TEXTS,
}
"""What each reader takes. A reader that is missing here stops the script, so that a new one is never forgotten."""


def _plain(rule: Field) -> Schema:
    """Schema of one key; readers that are made of a list of words tell the words themselves."""
    if rule.read in OF_READER:
        return dict(OF_READER[rule.read])
    made = inspect.getclosurevars(rule.read).nonlocals
    if "choices" in made:
        return {"enum": list(made["choices"])}
    return _object({name: POSITIVE if name == "rise" else NUMBER for name in made["names"]})


def _field(rule: Field) -> Schema:
    plain = _plain(rule)
    if rule.dated:
        step = _object({"from": DATE, "value": plain}, ("from", "value"))
        plain = {"anyOf": [plain, {**_list(step), "minItems": 1, "description": "自某日起 dated: each value from its day on"}]}
    known = isinstance(rule.default, str | int | float) and rule.default != "" and not rule.needed
    return plain | ({"default": rule.default} if known else {})


def _row(kind: str) -> Schema:
    fields = FIELDS[kind]
    return _object({name: _field(rule) for name, rule in fields.items()}, tuple(name for name, rule in fields.items() if rule.needed))


def registry() -> Schema:
    """The registry: the county's places, meters, devices and mappings."""
    tables = {kind: {"$ref": f"#/$defs/{kind}"} if kind in SINGLE else _list({"$ref": f"#/$defs/{kind}"}) for kind in FIELDS}
    whole = _object(tables, ("county",))
    return {"$schema": DIALECT, "title": "lanbi registry 登记册", **whole, "$defs": {kind: _row(kind) for kind in FIELDS}}


def plan() -> Schema:
    """A plan: its head and its targets."""
    year = _whole(1900, 2200)
    value = _object({"year": year, "value": {"type": "number", "description": "没有则为目标值待下达 without it the value waits"}, "document": TEXT}, ("year",))
    choices = {key: {"enum": list(words)} for key, words in plans.CHOICES.items()}
    texts = dict.fromkeys(plans.TEXTS, TEXT) | {key: {**TEXT, "minLength": 1} for key in plans.NEEDED}
    identity = {"type": "string", "pattern": f"^{plans.ID.pattern}$", "description": "数值以此存储 figures are stored under it"}
    target = _object({**texts, **choices, "id": identity, "departments": TEXTS, "values": _list(value)}, plans.NEEDED)
    head = _object({**dict.fromkeys(plans.HEAD, TEXT), "horizon": year}, ("horizon",))
    return {"$schema": DIALECT, "title": "lanbi plan 规划", **_object({"plan": head, "target": _list(target)}, ("plan",))}
