"""Docstrings name what is there: references lead somewhere, and what is described as a parameter or an attribute is one."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("domain", "ingest", "analytics", "api", "dashboards", "edge_sim", "lanbi", "scripts", "bench", "tests", "examples")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
MODULES = {path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): path for path in FILES}
REFERENCE = re.compile(r":(?:func|class|data|meth|mod|attr):`~?([\w.]+)`")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def bound(node: ast.AST) -> Iterator[str]:
    """Names that a statement binds, those of ``self`` among them."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        yield node.name
    targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets if isinstance(node, ast.Assign) else []
    for target in targets:
        for one in target.elts if isinstance(target, ast.Tuple) else [target]:
            if isinstance(one, (ast.Name, ast.Attribute)):
                yield one.id if isinstance(one, ast.Name) else one.attr
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from ((one.asname or one.name).partition(".")[0] for one in node.names)


@cache
def tree(module: str) -> ast.Module:
    """A module, read once."""
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def inside(node: ast.ClassDef) -> set[str]:
    """Names that a class binds."""
    return {name for one in ast.walk(node) for name in bound(one)}


@cache
def members(module: str) -> dict[str, set[str]]:
    """Names of a module; those of a class with its members."""
    found: dict[str, set[str]] = {name: set() for node in tree(module).body for name in bound(node)}
    return found | {node.name: inside(node) for node in tree(module).body if isinstance(node, ast.ClassDef)}


def leads(module: str, reference: str) -> bool:
    """Whether a reference of a module names a module, one of its names, or a member of a class."""
    parts = reference.split(".")
    place = next((place for place in range(len(parts), 0, -1) if ".".join(parts[:place]) in MODULES), 0)
    known, rest = members(".".join(parts[:place]) if place else module), parts[place:]
    if not rest:
        return True
    if rest[0] in known:
        return len(rest) == 1 or not known[rest[0]] or rest[1] in known[rest[0]]
    return not place and any(rest[0] in some for some in known.values())


def described(node: ast.AST, section: str) -> Iterator[str]:
    """Names that a section of a docstring describes."""
    text = ast.get_docstring(node) or "" if isinstance(node, (*FUNCTIONS, ast.ClassDef)) else ""
    found = re.search(rf"^{section}\n-+\n(.*?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    for line in found[1].splitlines() if found else ():
        if not line.startswith(" "):
            yield from (name.strip().lstrip("*") for name in line.partition(" : ")[0].split(","))


@pytest.mark.parametrize("folder", FOLDERS)
def test_references_lead_somewhere(folder: str) -> None:
    """What a docstring or comment refers to is there."""
    said = ((module, REFERENCE.findall(path.read_text(encoding="utf-8"))) for module, path in MODULES.items() if module.split(".")[0] == folder)

    assert [] == [(module, reference) for module, references in said for reference in references if not leads(module, reference)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_described_is_there(folder: str) -> None:
    """A parameter of a docstring is one of its function's, an attribute one of its class's."""
    assert {} == {module: wrong for module in MODULES if module.split(".")[0] == folder and (wrong := list(_absent(module)))}


def _absent(module: str) -> Iterator[str]:
    for node in ast.walk(tree(module)):
        if isinstance(node, FUNCTIONS):
            taken = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
            yield from (f"{node.name}: {name}" for name in described(node, "Parameters") if name not in taken)
        elif isinstance(node, ast.ClassDef):
            yield from (f"{node.name}: {name}" for name in described(node, "Attributes") if name not in inside(node))
