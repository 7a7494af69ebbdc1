"""One walk over the stdlib's `ast` of a definition: which wanted words stand in its code, and what surrounds them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pitfall_lint.semantic.spans import bound_by

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_KEYWORDS: dict[type[ast.AST], tuple[str, ...]] = {
    ast.AsyncFunctionDef: ("async", "def"),
    ast.FunctionDef: ("def",),
    ast.AsyncFor: ("async",),
    ast.AsyncWith: ("async",),
    ast.comprehension: ("async",),
    ast.ExceptHandler: ("except",),
    ast.Try: ("try", "finally"),
    ast.Yield: ("yield",),
    ast.YieldFrom: ("yield",),
    ast.Return: ("return",),
    ast.With: ("with",),
    ast.For: ("for",),
    ast.While: ("while",),
    ast.Lambda: ("lambda",),
    ast.Raise: ("raise",),
}


@dataclass(frozen=True, slots=True)
class Use:
    """A wanted word in code."""

    node: ast.expr
    looks: set[str]
    """What is true of the code around it."""
    call: ast.Call | None
    """The call of it, if it is called."""


class Reading:
    """What one definition says."""

    def __init__(self, wanted: Collection[str], plain: Collection[str], on_word: Callable[[str, set[str]], None]) -> None:
        self.wanted = wanted
        self.plain = plain
        self.on_word = on_word
        """Hears of plain words in texts, keywords and the language itself."""
        self.uses: list[Use] = []
        self.inner: dict[str, list[str]] = {}
        """What imports inside of the place bind."""
        self.local: set[str] = set()
        """Names that the place binds otherwise."""
        self.heirs: dict[ast.expr, str] = {}
        """The names and attributes in the bases of classes, with the class."""

    def walk(self, tree: ast.AST, is_async: bool) -> None:
        """Collect the uses in a tree; nested functions are walked with their own kind."""
        wanted, plain = self.wanted, self.plain
        place = "in-async" if is_async else "in-def"
        looks: dict[ast.AST, set[str]] = {}
        calls: dict[ast.AST, ast.Call] = {}
        stack: list[ast.AST] = [tree]
        while stack:
            node: Any = stack.pop()
            kind = type(node)
            if kind is ast.Name or kind is ast.Attribute:
                name = node.id if kind is ast.Name else node.attr
                if type(node.ctx) is ast.Store:
                    looks.setdefault(node, set()).add("assigned")
                    if kind is ast.Name:
                        self.local.add(name)
                if name in wanted:
                    around = looks.get(node, set())
                    around.add(place)
                    if "awaited" not in around:
                        around.add("not-awaited")
                    self.uses.append(Use(node, around, calls.get(node)))
                if kind is ast.Attribute:
                    stack.append(node.value)
                continue
            if kind is ast.Constant:
                if plain and isinstance(node.value, (str, bytes)):
                    text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
                    for word in plain:
                        if word in text:
                            self.on_word(word, {place})
                continue
            if kind is ast.Call:
                calls[node.func] = node
                around = looks.setdefault(node.func, set())
                around |= looks.get(node, set())
                around.add("called")
                if any(map(_may_be_slashed, node.args)):
                    around.add("slashed")
                if _is_slashless(node):
                    around.add("slashless")
            elif kind is ast.Await:
                looks.setdefault(node.value, set()).add("awaited")
                bare = not isinstance(node.value, ast.Call)
                self.on_word("await", {place, "bare-await"} if bare else {place})
            elif kind is ast.keyword or kind is ast.arg:
                if node.arg in plain:
                    self.on_word(node.arg, {place})
                if kind is ast.arg:
                    self.local.add(node.arg)
            elif kind is ast.BinOp and type(node.op) is ast.Div and _may_be_slashed(node.right):
                for part in ast.walk(node.left):
                    if isinstance(part, (ast.Name, ast.Attribute)):
                        looks.setdefault(part, set()).add("slashed")
            elif kind is ast.Expr:
                if type(node.value) is ast.Constant:
                    continue  # a docstring
                for value in _values(node.value):
                    looks.setdefault(value, set()).add("dropped")
            elif kind is ast.Lambda:
                for value in _values(node.body):
                    looks.setdefault(value, set()).add("dropped")
            elif kind is ast.Import or kind is ast.ImportFrom:
                for name, full in bound_by(node):
                    self.inner.setdefault(name, []).append(full)
                continue
            elif kind is ast.ClassDef:
                for base in node.bases:
                    for part in ast.walk(base):
                        if isinstance(part, (ast.Name, ast.Attribute)):
                            self.heirs[part] = node.name
            if kind in _KEYWORDS:
                for word in _KEYWORDS[kind]:
                    self.on_word(word, {place})
                if kind is ast.Return and type(node.value) is ast.Call:
                    looks.setdefault(node.value.func, set()).add("slashed")
                if kind in _FUNCTIONS:
                    for child in node.body:
                        self.walk(child, kind is ast.AsyncFunctionDef)
                    stack.extend(node.decorator_list)
                    for called in _unusual_decorators(node.decorator_list):
                        looks.setdefault(called, set()).add("decorates")
                    stack.append(node.args)
                    if node.returns is not None:
                        stack.append(node.returns)
                    continue
            for child in node.__dict__.values():
                if type(child) is list:
                    stack.extend(item for item in child if isinstance(item, ast.AST))
                elif isinstance(child, ast.AST) and not isinstance(child, ast.expr_context):
                    stack.append(child)


def _values(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what an expression may be evaluated to."""
    if isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _values(value)
    elif isinstance(node, ast.IfExp):
        yield from _values(node.body)
        yield from _values(node.orelse)
    else:
        yield node


def _unusual_decorators(decorators: Iterable[ast.expr]) -> Iterator[ast.expr]:
    """Yield what is called as a decorator, unless with a text that starts with one slash as a path does."""
    for decorator in decorators:
        if isinstance(decorator, ast.Call) and _is_slashless(decorator):
            yield decorator.func


def _is_slashless(call: ast.Call) -> bool:
    """Tell whether a call is given no constant that starts with one slash as a path does, first or by keyword."""
    given = [*call.args[:1], *(k.value for k in call.keywords if k.arg in {"path", "rule"})]
    path = given[0] if given else None
    usual = isinstance(path, ast.Constant) and isinstance(path.value, str) and path.value[:1] == "/"
    return not usual or path.value[1:2] == "/"  # type: ignore[union-attr, index]


def _may_be_slashed(node: ast.expr) -> bool:
    """Tell whether an argument may be a constant that starts with a slash, or an address."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and (node.value[:1] == "/" or "://" in node.value)
    if isinstance(node, ast.Name):
        return node.id.isupper()
    if isinstance(node, ast.Attribute):
        return node.attr.isupper()
    if isinstance(node, ast.JoinedStr):
        return bool(node.values) and _may_be_slashed(node.values[0])
    if isinstance(node, ast.BinOp):
        return _may_be_slashed(node.left)
    return isinstance(node, ast.IfExp)
