"""A proposal for the registry: tables for places that files name and nobody registered. A person reviews it; nothing is stored."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from domain.errors import InputError, RegistryError
from domain.places import Registry
from lanbi.formats.survey import Seen
from lanbi.registry import loads
from lanbi.registry_change import write_whole
from lanbi.registry_checks import ID
from lanbi.toml_lines import read

PREFIXES: Final = {"city": "c", "air_station": "a", "water_section": "w"}
"""Kinds that a name is enough for; a meter needs its enterprise, medium and unit, which no reading tells."""
BACKGROUND: Final = "对照点"
LAKES: Final = ("湖", "水库", "淀", "海子")
STATES: Final = ("启用", "停运")
NOBODY: Final = '# 尚无登记册，请改写 no registry yet: write the county here\n[county]\nid = "county"\nname = "区县"\n'


def unknown(places: Iterable[Seen], registry: Registry) -> list[Seen]:
    """Places that no id, code or match leads to."""
    return [seen for seen in places if seen.name not in registry.by_code]


def propose(path: Path, in_force: Path, places: Iterable[Seen]) -> list[Seen]:
    """Write a registry that knows the places too; returns those that were added.

    ``path`` is extended if it exists; else it begins with the registry in force, so that it can be put in force as it is.

    Raises
    ------
    RegistryError
        The registry to begin with is not valid.
    InputError
        Files name meters, which cannot be proposed.
    """
    base = next((one for one in (path, in_force) if one.exists()), None)
    text = read(base, RegistryError) if base else NOBODY
    registry = loads(text, str(base or path))
    added = unknown(places, registry)
    odd = [seen.name for seen in added if seen.kind not in PREFIXES]
    if odd:
        what = f"{len(odd)} meters are not registered: {', '.join(odd[:5])}"
        raise InputError(what, "--propose", "register them by hand: a meter needs enterprise, medium, role and unit")
    whole = "\n".join([text.rstrip("\n"), *_tables(added, registry)]) + "\n"
    loads(whole, str(path))
    write_whole(path, whole)
    return added


def _tables(added: list[Seen], registry: Registry) -> Iterable[str]:
    taken = {*registry.kinds, *registry.enterprises, *registry.lines, registry.county.id}
    titles = Counter(seen.title for seen in added if seen.kind == "air_station")
    if added:
        yield "\n# ---- 建议，请逐项核对 proposed from files: review every entry ----"
    for seen in added:
        name = _id(seen, taken)
        taken.add(name)
        yield ""
        yield from _comments(seen, titles)
        yield from _table(seen, name)


def _id(seen: Seen, taken: set[str]) -> str:
    """The name itself where it can be an id; else one that the same name always gets."""
    if ID.fullmatch(seen.name) and seen.name not in taken:
        return seen.name
    digest = hashlib.sha256(seen.name.encode()).hexdigest()
    return next(one for length in range(8, 31) if (one := f"{PREFIXES[seen.kind]}-{digest[:length]}") not in taken)


def _comments(seen: Seen, titles: Counter[str]) -> Iterable[str]:
    if seen.area:
        yield f"# {_plain(seen.area)}"
    if any(word in seen.title for word in STATES):
        yield "# 名称带状态：可能是别名或已停运，请核对 the name carries a state: an alias or closed? Remove it, or choose another role"
    if not seen.readings:
        yield "# 文件中没有任何数值 never a value in these files"
    if seen.kind == "water_section" and any(word in seen.name for word in LAKES):
        yield "# 名称像湖库：总磷限值不同，请核对 body the name sounds like a lake or reservoir, whose limit of phosphorus is another: review body"
    if titles[seen.title] > 1 and seen.kind == "air_station":
        yield "# 有同名站点 other places bear the same name"


def _table(seen: Seen, name: str) -> Iterable[str]:
    yield f"[[{seen.kind}]]"
    yield f"id = {_text(name)}"
    yield f"name = {_text(seen.title or seen.name)}"
    if seen.kind == "water_section":
        yield 'body = "river"  # 或 or "lake"'
        yield 'control = "local"  # 或 or "national", "provincial"'
        yield f"match = {_text(seen.name)}"
        return
    if seen.kind == "air_station":
        role = "background" if BACKGROUND in seen.title else "assessment"
        yield f'role = "{role}"  # 请核对 review: assessment | township | micro | site | background'
    yield f"codes = [{_text(seen.name)}]"


def _text(value: str) -> str:
    """A TOML text; what JSON escapes, TOML reads."""
    return json.dumps(_plain(value), ensure_ascii=False)


def _plain(value: str) -> str:
    return "".join(one for one in value if one.isprintable())
