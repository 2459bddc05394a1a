"""docs/settings.md tells every key as the code has it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from domain.places import Dated
from lanbi import plans
from lanbi.registry_fields import FIELDS
from lanbi.settings import FREE_NAMES, FREE_PREFIXES, variable
from lanbi.settings_keys import KEYS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """Rows of the table of keys below a heading, as cells."""
    section = re.split(r"^#{2,3} ", PAGE.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    lines = section[section.index("| key |") :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def shown(value: object) -> str:
    """A default as the page writes it."""
    if value is None:
        return "–"
    if isinstance(value, tuple) and value:
        return f"`{', '.join(value)}`"
    plain = isinstance(value, str) and value
    return f"`{value}`" if plain else f"`{json.dumps(value)}`"


def test_the_page_has_every_key_with_its_variable_and_default() -> None:
    """In the order of `lanbi check --explain`."""
    assert [[f"`{name}`", f"`{variable(name)}`", shown(key.default)] for name, key in KEYS.items()] == [row[:3] for row in rows("lanbi.toml")]


def test_the_page_names_what_is_free_in_the_environment() -> None:
    """Variables that lanbi does not read itself."""
    assert [] == [name for name in (*FREE_NAMES, *FREE_PREFIXES) if f"`{name}`" not in PAGE]


@pytest.mark.parametrize("kind", FIELDS)
def test_the_page_has_every_key_of_the_registry(kind: str) -> None:
    """Needed, dated, and the default of what may be left out."""
    expected = [
        [f"`{name}`", "yes" if field.needed else "", "yes" if field.dated else "", "" if field.needed else shown(field.default)]
        for name, field in FIELDS[kind].items()
    ]

    assert expected == [row[:4] for row in rows(kind)]


@pytest.mark.parametrize(("title", "keys", "needed"), [("plan", plans.HEAD, ("horizon",)), ("target", plans.KEYS, plans.NEEDED)])
def test_the_page_has_every_key_of_a_plan(title: str, keys: tuple[str, ...], needed: tuple[str, ...]) -> None:
    """Head and target, with what may not be left out."""
    found = {row[0].strip("`"): row[1] for row in rows(title)}

    assert {name: "yes" if name in needed else "" for name in keys} == found


def test_defaults_of_dated_keys_are_plain_values() -> None:
    """The page shows a default as it would be written, so it may not be a dated one already."""
    assert [] == [name for keys in FIELDS.values() for name, field in keys.items() if isinstance(field.default, Dated)]
