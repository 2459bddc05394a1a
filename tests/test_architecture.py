"""The form of the house: budgets, packages, imports without effect, the error tree, and no county's names in code."""

import ast
import inspect
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import errors

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("domain", "ingest", "analytics", "api", "dashboards", "edge_sim", "lanbi")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))

FUNCTION_LINES = 40
NESTING = 3
FILE_LINES = 350
MEDIAN_LINES = 150

# Whoever goes over a budget says why: "file" or "file:function" -> reason.
LONGER: dict[str, str] = {}

# An exception outside the tree says why it is none of the errors that people meet.
ELSEWHERE = {"api/problems.py:Problem": "an answer of HTTP on its way out of a route"}

BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def name_of(path: Path) -> str:
    """The path as it is written in the lists of this file."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Every function of a file with the name under which an exception would list it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, FUNCTIONS):
            yield f"{name_of(path)}:{node.name}", node


def depth(node: ast.AST) -> int:
    """Control-flow depth below a node; an ``elif`` is as deep as its ``if``, a function inside counts for itself."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            continue
        chained = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        step = 1 if isinstance(child, BLOCKS) and not chained else 0
        deepest = max(deepest, step + depth(child))
    return deepest


def test_depth_counts_blocks_and_not_elif() -> None:
    """The yardstick itself: two blocks are two deep, an elif adds nothing, a function inside counts for itself."""
    text = """
def outer():
    for x in y:
        if x:
            pass
        elif z:
            pass
    def inner():
        while True:
            pass
"""
    outer = ast.parse(text).body[0]

    assert depth(outer) == 2


def test_functions_are_short() -> None:
    """A function is at most 40 lines long, counted from its signature to its last line."""
    long = {name: node.end_lineno - node.lineno + 1 for path in SOURCES for name, node in functions(path) if node.end_lineno}

    assert {} == {name: lines for name, lines in long.items() if lines > FUNCTION_LINES and name not in LONGER}


def test_functions_are_flat() -> None:
    """Control flow nests at most three deep."""
    deep = {name: depth(node) for path in SOURCES for name, node in functions(path)}

    assert {} == {name: found for name, found in deep.items() if found > NESTING and name not in LONGER}


def test_files_have_one_subject() -> None:
    """A file is at most 350 lines long, and half of them at most 150."""
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in SOURCES}
    middle = sorted(lengths.values())[len(lengths) // 2]

    assert {} == {name: lines for name, lines in lengths.items() if lines > FILE_LINES and name not in LONGER}
    assert middle <= MEDIAN_LINES


def test_exceptions_are_still_needed() -> None:
    """An exception whose file or function is gone, or says nothing, leaves the list."""
    known = {name_of(path) for path in SOURCES} | {name for path in SOURCES for name, _ in functions(path)}

    assert set() == set(LONGER) - known
    assert all(LONGER.values())


def test_every_source_folder_is_a_package() -> None:
    """A folder without __init__.py would be invisible to the import contracts; tests/ must have none at all."""
    folders = {path.parent for path in SOURCES}

    assert [] == [name_of(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()]
    assert [] == [name_of(path) for path in (ROOT / "tests").rglob("__init__.py")]


IMPORT_ALL = """
import importlib, socket, sys, threading

def refuse(*_args, **_kwargs):
    raise RuntimeError("a socket was connected or bound at import")

socket.socket.bind = socket.socket.connect = refuse
before = threading.active_count()
for name in sys.argv[1:]:
    importlib.import_module(name)
    if threading.active_count() != before:
        raise SystemExit(f"{name} started a thread")
print(len(sys.argv) - 1)
"""


def modules() -> list[str]:
    """Every module of ours by its import name, but the one whose import is the program itself."""
    names = (name_of(path).removesuffix(".py").replace("/", ".").removesuffix(".__init__") for path in SOURCES)
    return [name for name in names if not name.endswith("__main__")]


def test_imports_have_no_effect(tmp_path: Path) -> None:
    """Importing every module starts no thread, opens no connection and leaves no file."""
    names = modules()
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL, *names],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "NUMBA_CACHE_DIR": str(tmp_path / "numba"), "HOME": str(tmp_path)},
    )

    assert (str(len(names)), "") == (answer.stdout.strip(), answer.stderr[-2000:])
    assert [] == [path.name for path in tmp_path.iterdir() if path.name != "numba"]


def test_error_tree_is_the_drawn_one() -> None:
    """Every error of the project hangs in the one tree, is drawn in its docstring and has a promised exit code."""
    tree = {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, Exception)}

    assert [] == [name for name in tree if name not in (errors.__doc__ or "")]
    assert [] == [name for name, kind in tree.items() if not issubclass(kind, errors.LanbiError)]
    assert {1, 2, 3} == {getattr(kind, "exit_code", None) for kind in tree.values()}


def test_errors_are_declared_in_the_tree_only() -> None:
    """An exception class elsewhere is private to its file, so that users meet only those of the tree."""
    bases = {"Exception", "RuntimeError", "ValueError", "OSError", *(n for n in dir(errors) if n[0].isupper())}
    strangers = [
        f"{name_of(path)}:{node.name}"
        for path in SOURCES
        if path != ROOT / "domain" / "errors.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and any(isinstance(base, ast.Name) and base.id in bases for base in node.bases)
    ]

    assert [] == [name for name in strangers if name not in ELSEWHERE]


def county_words(path: Path) -> set[str]:
    """Ids and names that a registry or plan gives: the words that code must not know."""
    tables = tomllib.loads(path.read_text())
    rows = [row for rows in tables.values() for row in (rows if isinstance(rows, list) else [rows])]
    words = {str(row[key]) for row in rows if isinstance(row, dict) for key in ("id", "name", "name_zh", "name_en") if key in row}
    return {word for word in words if len(word) > 3 or not word.isascii()}


@pytest.mark.parametrize("path", sorted((ROOT / "plans").glob("*.toml")), ids=lambda path: path.stem)
def test_no_county_stands_in_code(path: Path) -> None:
    """What one county is called, and how its plan numbers its targets, stands in plans/ and nowhere else."""
    allowed = generic_words()
    words = county_words(path) - allowed
    found = sorted(
        (name_of(source), node.value)
        for source in SOURCES
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in words
    )

    assert [] == found


def generic_words() -> set[str]:
    """Words of the law that a plan may use as names too."""
    from domain.indicators import FIGURES
    from domain.items import AIR, REALMS

    return {*FIGURES, *REALMS, *AIR, *(figure.zh for figure in FIGURES.values()), *(figure.en for figure in FIGURES.values())}


@pytest.mark.parametrize("word", ["茌平", "Chiping", "chiping", "聊城", "Liaocheng"])
def test_the_home_county_is_not_named(word: str) -> None:
    """The county whose plan ships with the project is data like any other; only the file of its plan may be a default."""
    texts = {name_of(path): path.read_text().replace("chiping.toml", "") for path in SOURCES}

    assert [] == [name for name, text in texts.items() if word in text]


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-sparkplug.txt"])
def test_locks_hold_hashes_and_no_address(name: str) -> None:
    """Every locked package has a hash, and no line says where to fetch it."""
    lines = (ROOT / name).read_text().splitlines()
    pins = [number for number, line in enumerate(lines) if "==" in line]

    assert [] == [lines[number] for number in pins if "--hash=sha256:" not in lines[number + 1]]
    assert [] == [line for line in lines if "://" in line or "index" in line]


def test_make_names_are_the_promised_ones() -> None:
    """The targets that users and CI call are in the Makefile, and CI calls only those."""
    makefile = (ROOT / "Makefile").read_text()
    ci = (ROOT / ".ci" / "run").read_text()
    promised = {"demo", "test", "check", "bench", "faults", "services", "sbom"}

    assert set() == {target for target in promised if f"\n{target}:" not in makefile}
    assert {"services", "check", "bench", "faults", "sbom"} == {line.split("make ")[1].split()[0] for line in ci.splitlines() if "make " in line}
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
