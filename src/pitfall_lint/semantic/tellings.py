"""What a module's text tells others of its names: two texts of a module are compared name by name.

What is told of a function is what it may give, of a variable or attribute what it may hold, of a class what it
inherits; of code that gives nothing to anybody, nothing. Too much may be told, never too little.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

Item = tuple[str, frozenset[str]]
"""What is told of a name, as text to compare ("": that it is there), and the names that this mentions."""
STAR = "*"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_MUTATORS = frozenset({"append", "add", "extend", "insert", "update", "setdefault", "put", "put_nowait", "appendleft"})
_NOBODY = frozenset(dir(builtins)) | {"self", "cls"}
_WORD = re.compile(r"[^\W\d]\w*")
_Binding = tuple[frozenset[str], "tuple[ast.AST, ...]"]
"""Names, and what they may come to hold."""


@dataclass(frozen=True)
class Tellings:
    """What one text tells: `own` of names that who imports the module can use, `shared` of attributes and methods.

    `methods` are those of the latter that only methods tell, with their classes.
    """

    own: dict[str, Item] = field(default_factory=dict)
    shared: dict[str, Item] = field(default_factory=dict)
    methods: dict[str, frozenset[str]] = field(default_factory=dict)

    def tells_by_methods(self, name: str) -> bool:
        """Tell whether nothing but methods tells of a name, if anything does."""
        return name in self.methods or name not in self.shared


def tellings(data: bytes) -> Tellings | None:
    """Return what a text tells; None when it cannot be parsed."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    teller = _Teller()
    try:
        teller.read(tree.body, None)
    except RecursionError:
        return None
    methods = {name: frozenset(owners) for name, owners in teller.methods.items() if name not in teller.attributes}
    return Tellings(teller.items(teller.own), teller.items(teller.shared), methods)


def differing(before: dict[str, Item], now: dict[str, Item]) -> set[str]:
    """Return the names of which something else is told; a new one that gives nothing matters to nobody."""
    names = {name for name in before if name not in now or now[name][0] != before[name][0]}
    return names | {name for name in now if name not in before and now[name][0]}


class _Teller:
    """Collects what is told, by name."""

    def __init__(self) -> None:
        self.own: dict[str, list[ast.AST | str]] = {}
        self.shared: dict[str, list[ast.AST | str]] = {}
        self.methods: dict[str, set[str]] = {}
        self.attributes: set[str] = set()

    @staticmethod
    def items(told: dict[str, list[ast.AST | str]]) -> dict[str, Item]:
        """Return what was collected in a form to compare."""
        found = {}
        for name, parts in told.items():
            texts = dict.fromkeys(part if isinstance(part, str) else ast.dump(part) for part in parts)
            mentioned = {word for part in parts for word in _mentioned(part)}
            found[name] = "\n".join(texts), frozenset(mentioned - _NOBODY)
        return found

    def read(self, body: Iterable[ast.stmt], owner: ast.ClassDef | None) -> None:
        """Take down what the statements of a module or class tell."""
        told = self.own if owner is None else self.shared
        for node in body:
            if isinstance(node, _FUNCTIONS):
                given = _given_by(node)
                told.setdefault(node.name, []).extend(given)
                if owner is not None:
                    self.methods.setdefault(node.name, set()).add(owner.name)
                    if node.name.startswith("__"):
                        self.own.setdefault(owner.name, []).extend(given)
                self._inside(node)
            elif isinstance(node, ast.ClassDef):
                self._class(node)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                self._import(node)
            else:
                for names, values in _bindings(node):
                    for name in names:
                        told.setdefault(name, []).extend(value for value in values if _matters(value))
                    self.attributes |= names if owner is not None else set()
                self._attributes(node, ())
                for inner in _blocks(node):
                    self.read(inner, owner)

    def _class(self, node: ast.ClassDef) -> None:
        self.own.setdefault(node.name, []).extend([*node.bases, *node.keywords, *node.decorator_list])
        self.read(node.body, node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            name = alias.asname or (alias.name.partition(".")[0] if isinstance(node, ast.Import) else alias.name)
            start = f"{'.' * node.level}{node.module or ''}." if isinstance(node, ast.ImportFrom) else ""
            self.own.setdefault(name, []).append(f"{start}{alias.name}")

    def _inside(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Take down what a function, and those in it, tell of others' names: attributes, globals, classes."""
        bound = list(_bindings_in(function))
        self._attributes(function, bound)
        for node in ast.walk(function):
            if isinstance(node, ast.ClassDef):
                self._class(node)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                self._import(node)
            elif isinstance(node, ast.Global):
                for name in node.names:
                    values = [value for names, values in bound if name in names for value in values]
                    self.own.setdefault(name, []).extend(_with_sources(filter(_matters, values), bound))

    def _attributes(self, within: ast.AST, bound: Iterable[_Binding]) -> None:
        """Take down what attributes of objects may hold."""
        nodes = ast.walk(within) if isinstance(within, _FUNCTIONS) else _shallow(within)
        for node in nodes:
            for target, values in _assigned(node):
                for name in _attributes_of(target):
                    self.attributes.add(name)
                    kept = filter(_matters, values)
                    self.shared.setdefault(name, []).extend(_with_sources(kept, bound))


def _given_by(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.AST | str]:
    """Return what is told of a function: what it may give, and what that comes from."""
    given: list[ast.AST] = [*function.decorator_list, *([function.returns] if function.returns else [])]
    for node in ast.walk(function):
        if isinstance(node, (ast.Return, ast.Yield, ast.YieldFrom)) and node.value is not None and _matters(node.value):
            given.append(node.value)
    if not given:
        return []
    kind = "async" if isinstance(function, ast.AsyncFunctionDef) else "plain"
    return [kind, *_with_sources(given, list(_bindings_in(function)))]


def _with_sources(values: Iterable[ast.AST], bound: Iterable[_Binding]) -> list[ast.AST | str]:
    """Return some values with all that the local names in them may come from."""
    found: dict[ast.AST, None] = dict.fromkeys(values)
    needed = {name for value in found for name in _mentioned(value)}
    waiting = list(bound)
    while True:
        used = [(names, these) for names, these in waiting if not names.isdisjoint(needed)]
        if not used:
            return list(found)
        waiting = [(names, these) for names, these in waiting if names.isdisjoint(needed)]
        for _, these in used:
            found.update(dict.fromkeys(these))
            needed.update(name for value in these for name in _mentioned(value))


def _bindings_in(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[_Binding]:
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            yield frozenset({node.arg}), (node.annotation,) if node.annotation else ()
        elif isinstance(node, ast.arguments):
            yield frozenset(arg.arg for arg in (*node.posonlyargs, *node.args)), tuple(node.defaults)
            yield frozenset(arg.arg for arg in node.kwonlyargs), tuple(d for d in node.kw_defaults if d)
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and node is not function:
            yield frozenset({node.name}), (node,)
        else:
            yield from _bindings(node, deep=False)


def _bindings(node: ast.AST, deep: bool = True) -> Iterator[_Binding]:
    """Yield what a statement gives to plain names; `deep` also what assignment expressions in it do."""
    for inner in _shallow(node) if deep else (node,):
        for target, values in _assigned(inner):
            names = frozenset(_names_of(target))
            if names:
                yield names, values


def _assigned(node: ast.AST) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    """Yield targets, with what they are given."""
    if isinstance(node, ast.Assign):
        yield from ((target, (node.value,)) for target in node.targets)
    elif isinstance(node, ast.AnnAssign):
        yield node.target, (node.annotation, *([node.value] if node.value else []))
    elif isinstance(node, (ast.AugAssign, ast.NamedExpr)):
        yield node.target, (node.value,)
    elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
        yield node.target, (node.iter,)
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        yield node.optional_vars, (node.context_expr,)
    elif isinstance(node, ast.ExceptHandler) and node.name and node.type is not None:
        yield ast.Name(node.name), (node.type,)
    elif isinstance(node, ast.match_case):
        names = [n.name for n in ast.walk(node.pattern) if isinstance(n, (ast.MatchAs, ast.MatchStar)) and n.name]
        yield from ((ast.Name(name), (node.pattern,)) for name in names)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        if isinstance(call.func, ast.Attribute) and call.func.attr in _MUTATORS:
            yield call.func.value, (call,)
        elif isinstance(call.func, ast.Name) and call.func.id == "setattr" and len(call.args) == 3:
            name = call.args[1]
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield ast.Attribute(call.args[0], name.value), (call.args[2],)


def _names_of(target: ast.AST) -> Iterator[str]:
    """Yield the plain names that a target gives something to, or into."""
    while isinstance(target, (ast.Subscript, ast.Starred)):
        target = target.value
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Attribute):
        yield from _names_of(target.value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            yield from _names_of(element)


def _attributes_of(target: ast.AST) -> Iterator[str]:
    """Yield the attributes that a target gives something to, or into."""
    while isinstance(target, (ast.Subscript, ast.Starred)):
        target = target.value
    if isinstance(target, ast.Attribute):
        yield target.attr
    elif isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            yield from _attributes_of(element)


def _matters(value: ast.AST) -> bool:
    """Tell whether a value may be more than a number, a truth value, nothing, or something empty."""
    if isinstance(value, ast.Constant):
        return isinstance(value.value, (str, bytes))
    if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        return any(map(_matters, value.elts))
    if isinstance(value, ast.Dict):
        return bool(value.keys)
    return not isinstance(value, ast.Compare)


def _mentioned(part: ast.AST | str) -> Iterator[str]:
    """Yield the names in a part, with those in annotations that are texts."""
    if isinstance(part, str):
        yield from _WORD.findall(part)
        return
    for node in ast.walk(part):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
            yield from _WORD.findall(node.value)


def _shallow(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a statement outside of functions and classes, and the expressions in it."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(n for n in ast.iter_child_nodes(current) if not isinstance(n, (ast.stmt, ast.ExceptHandler)))


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the statements inside a compound statement."""
    for name in ("body", "orelse", "finalbody"):
        yield getattr(node, name, None) or []
    for inner in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield inner.body
