"""What lanbi may say to a person, read from its sources: each sentence as a template with ``{}`` where something is put in.

A sentence begins at a *mouth*: a class or function whose argument is shown to a person (:data:`MOUTHS`). From there it is
followed backwards through names, constants, helpers and their answers, as far as the syntax tells.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("domain", "ingest", "analytics", "lanbi", "api", "dashboards", "edge_sim")
MOUTHS: dict[str, tuple[int, ...]] = {
    "ValueError": (0,),
    "Fault": (2, 3),
    "Wrong": (1, 2),
    "Finding": (4,),
    "Unsafe": (3,),
    "Patience": (2,),
    "Refusal": (1,),
    "warn": (0,),
    "_failed": (0,),
    "_say": (0,),
    "say": (0,),
    "tell": (1,),
}
"""Callable → positions of what is shown; the errors of ``domain.errors`` and everything that hands a text on to one join them."""
WHOLE = (
    "domain/filings.py", "domain/judgements.py", "domain/marks.py", "domain/statements.py", "domain/tasks.py", "lanbi/checking.py", "lanbi/formats/renaming.py", "lanbi/plans.py",
    "lanbi/registry.py", "lanbi/registry_checks.py", "lanbi/registry_fields.py", "lanbi/registry_mapping.py", "lanbi/registry_values.py", "lanbi/settings.py",
    "lanbi/settings_rules.py", "lanbi/toml_lines.py",
)  # fmt: skip
"""Files that collect faults in lists: every text of theirs with two English words is one."""
WORD = re.compile(r"[A-Za-z]{2,}")
LETTERS = re.compile(r"[A-Za-z]+")
HAN = re.compile(r"[\u4e00-\u9fff]")
NONE = frozenset({"lanbi device {}", "{}, line {}", "InfluxDB: {}", "hj212: {}"})
"""Names and places that are put into sentences, no sentences themselves."""
KEYWORDS = {"what": 0, "todo": 2}
SHOWN = frozenset({"what", "todo", "cause", "reasons"})
"""Attributes and arguments by name whose texts are shown."""
Function = ast.FunctionDef | ast.AsyncFunctionDef
PARTS: dict[type[ast.AST] | None, Callable[[Any], Iterable[ast.AST | None]]] = {
    **dict.fromkeys((ast.IfExp,), lambda node: (node.body, node.orelse)),
    **dict.fromkeys((ast.BoolOp, ast.Dict), lambda node: node.values),
    **dict.fromkeys((ast.Tuple, ast.List, ast.Set), lambda node: node.elts),
    **dict.fromkeys((ast.Subscript, ast.Starred, ast.NamedExpr, ast.Await, ast.FormattedValue, ast.DictComp), lambda node: (node.value,)),
    **dict.fromkeys((ast.GeneratorExp, ast.ListComp, ast.SetComp), lambda node: (node.elt,)),
    ast.BinOp: lambda node: (node.left, node.right),
    ast.Lambda: lambda node: (node.body,),
}
"""Kind of expression → what of it may be the text."""


class Place(NamedTuple):
    """An expression's file, and the functions around it from the inside out."""

    file: str
    around: tuple[Function, ...]


class Sources:
    """The sources of the rooms: functions, constants and who calls whom, by name."""

    def __init__(self) -> None:
        self.trees = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))}
        self.functions: dict[str, list[tuple[Place, Function]]] = {}
        self.constants: dict[str, dict[str, ast.expr]] = {}
        self.calls: dict[str, list[tuple[Place, ast.Call]]] = {}
        self.modules: dict[str, dict[str, tuple[str, str]]] = {}
        bases: dict[str, set[str]] = {}
        for file, tree in self.trees.items():
            self.constants[file] = dict(named(tree))
            self.modules[file] = {}
            for place, node in walked(tree, Place(file, ())):
                self._enter(place, node)
                if isinstance(node, ast.ClassDef):
                    bases.setdefault(node.name, set()).update(name_of(base) for base in node.bases)
        self.family = {"LanbiError"}
        while more := {name for name, of in bases.items() if of & self.family} - self.family:
            self.family |= more

    def _enter(self, place: Place, node: ast.AST) -> None:
        if isinstance(node, ast.ImportFrom | ast.Import):
            self._imported(place.file, node)
        elif isinstance(node, Function):
            self.functions.setdefault(node.name, []).append((place, node))
        elif isinstance(node, ast.Call):
            self.calls.setdefault(name_of(node.func), []).append((place, node))

    def _imported(self, file: str, node: ast.ImportFrom | ast.Import) -> None:
        """Name in the file → the file that it comes from, and its name there."""
        module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
        for one in node.names:
            self.modules[file][one.asname or one.name] = (f"{module.replace('.', '/')}", one.name)

    def visible(self, call: ast.expr, file: str, other: str) -> bool:
        """Whether a call in a file may mean something of another file: its own, one that it imports, or one of a module that it imports."""
        if isinstance(call, ast.Attribute):
            owner = call.value.id if isinstance(call.value, ast.Name) else ""
            folder, name = self.modules[file].get(owner, ("", ""))
            return other == file if owner in {"self", "cls"} or not owner else other == f"{folder}/{name}.py".lstrip("/")
        folder, _ = self.modules[file].get(name_of(call), ("", ""))
        return other == file or other in {f"{folder}.py", f"{folder}/__init__.py"}

    def constant(self, name: str, file: str) -> Iterator[tuple[ast.expr, str]]:
        """A constant of the file itself, else of whichever file has one of this name."""
        if name in self.constants[file]:
            yield self.constants[file][name], file
        elif name in self.modules[file]:
            folder, own = self.modules[file][name]
            yield from ((found[own], other) for other in (f"{folder}.py", f"{folder}/__init__.py") if own in (found := self.constants.get(other, {})))


def named(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Constants of a file."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name):
                yield target.id, node.value


def walked(node: ast.AST, place: Place) -> Iterator[tuple[Place, ast.AST]]:
    """Every node below, with its place."""
    for child in ast.iter_child_nodes(node):
        yield place, child
        inside = Place(place.file, (child, *place.around)) if isinstance(child, Function) else place
        yield from walked(child, inside)


def name_of(node: ast.expr) -> str:
    """The last part of a dotted name."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def parameters(function: Function) -> list[str]:
    """Names by position, without self."""
    names = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


class Found:
    """Sentences with the places where they stand; phrases that are put into others stand apart."""

    def __init__(self) -> None:
        self.sources = Sources()
        self.said: dict[str, set[str]] = {}
        self._open: list[tuple[Place, ast.expr]] = []
        self._seen: set[int] = set()
        self._mouths: set[tuple[str, int, str]] = set()
        for name, positions in {**dict.fromkeys(self.sources.family, (0, 2)), "NotUnderstood": (0,), **MOUTHS}.items():
            for position in positions:
                self._mouth(name, position)
        self._families()
        self._named_so()
        for file in WHOLE:
            self._whole(file)
        while self._open:
            self._take(*self._open.pop())

    def _mouth(self, name: str, position: int, keyword: str = "", file: str = "") -> None:
        """Open what every caller hands over at this position."""
        if (name, position, file) in self._mouths:
            return
        self._mouths.add((name, position, file))
        for place, call in self.sources.calls.get(name, ()):
            if not file or self.sources.visible(call.func, place.file, file):
                self._arguments(place, call, position, keyword)

    def _arguments(self, place: Place, call: ast.Call, position: int, keyword: str = "") -> None:
        if len(call.args) > position and not any(isinstance(one, ast.Starred) for one in call.args[: position + 1]):
            self._open.append((place, call.args[position]))
        names = {keyword} if keyword else {word for word, at in KEYWORDS.items() if at == position}
        self._open += [(place, one.value) for one in call.keywords if one.arg in names]

    def _families(self) -> None:
        """Calls of a parameter that stands for an error: ``error: type[InputError]``."""
        for name, calls in self.sources.calls.items():
            for place, call in calls:
                kinds = [ast.unparse(arg.annotation) for function in place.around for arg in function.args.args if arg.arg == name and arg.annotation]
                if kinds and any(f"type[{one}]" in kinds[0] for one in self.sources.family):
                    self._arguments(place, call, 0)
                    self._arguments(place, call, 2)

    def _named_so(self) -> None:
        """What is given to an attribute or an argument of such a name, or answered by a function of it."""
        for file, tree in self.sources.trees.items():
            for place, node in walked(tree, Place(file, ())):
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute) and node.targets[0].attr in SHOWN:
                    self._open.append((place, node.value))
                elif isinstance(node, ast.Dict):
                    self._open += [
                        (place, value)
                        for key, value in zip(node.keys, node.values, strict=True)
                        if isinstance(key, ast.Constant) and key.value in {"error", "fault"}
                    ]
                elif isinstance(node, ast.keyword) and node.arg == "reasons":
                    self._open.append((place, node.value))
                elif isinstance(node, Function) and node.name in SHOWN:
                    inside = Place(file, (node, *place.around))
                    self._open += [(inside, one.value) for one in ast.walk(node) if isinstance(one, ast.Return) and one.value]

    def _whole(self, file: str) -> None:
        quiet = {id(node.value) for node in ast.walk(self.sources.trees[file]) if isinstance(node, ast.Expr)}
        quiet |= {id(part) for node in ast.walk(self.sources.trees[file]) if isinstance(node, ast.Compare) for part in ast.walk(node)}
        inner = {id(part) for node in ast.walk(self.sources.trees[file]) if isinstance(node, ast.JoinedStr) for part in ast.walk(node) if part is not node}
        for place, node in walked(self.sources.trees[file], Place(file, ())):
            if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in quiet | inner:
                for text in self._texts(place, node):
                    if len(LETTERS.findall(text)) > 1 and " " in text.strip() and "\\" not in text:
                        self._add(place, node, text)

    def _take(self, place: Place, node: ast.expr) -> None:
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        for text in self._texts(place, node):
            self._add(place, node, text)

    def _add(self, place: Place, node: ast.AST, text: str) -> None:
        text = re.sub(r"\{[a-z]+\}", "{}", text)
        self.said.setdefault(text, set()).add(f"{place.file}:{getattr(node, 'lineno', 0)}")

    def _texts(self, place: Place, node: ast.AST | None) -> Iterator[str]:
        """Texts that an expression may be; what stands behind names and calls is opened for later."""
        if isinstance(node, ast.Constant):
            yield from [node.value] if isinstance(node.value, str) else []
        elif isinstance(node, ast.JoinedStr):
            yield self._joined(place, node)
        elif isinstance(node, ast.BinOp) and not isinstance(node.right, ast.List | ast.ListComp):
            left, right = (list(self._texts(place, side)) or ["{}"] for side in (node.left, node.right))
            yield from (one + other for one in left for other in right)
        elif isinstance(node, ast.Call):
            yield from self._called(place, node)
        elif isinstance(node, ast.Name):
            self._named(place, node.id)
        else:
            yield from (text for one in PARTS.get(type(node), lambda _: ())(node) for text in self._texts(place, one))

    def _joined(self, place: Place, node: ast.JoinedStr) -> str:
        """The template; a text constant is put in, other phrases are found for themselves."""
        text = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                text += str(part.value)
                continue
            inner = part.value if isinstance(part, ast.FormattedValue) else part
            known = list(self.sources.constant(inner.id, place.file)) if isinstance(inner, ast.Name) and inner.id.isupper() else []
            fixed = [value.value for value, _ in known if isinstance(value, ast.Constant)]
            if len(fixed) == 1 and isinstance(fixed[0], str):
                text += fixed[0]
                continue
            text += "{}"
            if not isinstance(inner, ast.Attribute):
                for phrase in self._texts(place, inner):
                    self._add(place, node, phrase)
        return text

    def _called(self, place: Place, node: ast.Call) -> Iterator[str]:
        name = name_of(node.func)
        if name == "format" and isinstance(node.func, ast.Attribute):
            yield from (re.sub(r"\{[^{}]*\}", "{}", text) for text in self._texts(place, node.func.value))
        elif name in {"rstrip", "strip", "replace", "removesuffix"} and isinstance(node.func, ast.Attribute):
            yield from self._texts(place, node.func.value)
        elif name in {"join", "next", "str", "dict", "sorted", "tuple", "list"}:
            yield from (text for one in node.args for text in self._texts(place, one))
        else:
            for where, function in self.sources.functions.get(name, ()):
                if not self.sources.visible(node.func, place.file, where.file):
                    continue
                inside = Place(where.file, (function, *where.around))
                for inner in ast.walk(function):
                    if isinstance(inner, ast.Return | ast.Yield | ast.YieldFrom) and inner.value:
                        self._open.append((inside, inner.value))

    def _named(self, place: Place, name: str) -> None:
        for function in place.around:
            values = list(assigned(function, name))
            self._open += [(place, value) for value in values]
            if name in parameters(function):
                self._mouth(function.name, parameters(function).index(name), name, place.file)
            if values or name in parameters(function):
                return
        self._open += [(Place(file, ()), value) for value, file in self.sources.constant(name, place.file)]


def assigned(function: Function, name: str) -> Iterator[ast.expr]:
    """Everything that a function gives a name."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        elif isinstance(node, ast.For | ast.comprehension):
            targets, node = [node.target], ast.NamedExpr(node.target, node.iter)  # noqa: PLW2901  both give a value
        elif isinstance(node, ast.NamedExpr):
            targets = [node.target]
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name) and target.id == name:
                yield node.value
            elif isinstance(target, ast.Tuple) and name in [name_of(one) for one in target.elts]:
                at = [name_of(one) for one in target.elts].index(name)
                same = isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(target.elts)
                yield node.value.elts[at] if same else node.value


def sentences() -> dict[str, list[str]]:
    """Everything that is said → where it stands."""
    return {text: sorted(at) for text, at in Found().said.items()}


def english(text: str) -> bool:
    """Whether a text is a sentence without Chinese; one word alone is a name or a code."""
    return bool(WORD.search(text)) and " " in text.strip() and not HAN.search(text) and "\\" not in text and text not in NONE
