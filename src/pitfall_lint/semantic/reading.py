"""One walk over the stdlib's `ast` of a definition: which wanted words stand in its code, and what surrounds them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pitfall_lint.semantic.below import all_below, nodes_below
from pitfall_lint.semantic.outflow import Outflow
from pitfall_lint.semantic.spans import bound_by

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
    """A word in code."""

    node: ast.Name | ast.Attribute
    looks: frozenset[str]
    """What is true of the code around it."""
    call: ast.Call | None
    """The call of it, if it is called."""


class Reading:
    """What one definition says: read once, asked for many words."""

    def __init__(self, tree: ast.AST | None = None) -> None:
        self.words: list[tuple[str, frozenset[str]]] = []
        """Keywords and arguments' names, with what is true of the code around."""
        self.texts: list[tuple[str, frozenset[str]]] = []
        """Strings that are no docstrings."""
        self.inner: dict[str, list[str]] = {}
        """What imports inside of the place bind."""
        self.local: set[str] = set()
        """Names that the place binds otherwise."""
        self.values: dict[str, list[ast.expr]] = {}
        """What names are given: by assignment, `with`, `for`, or in a comprehension."""
        self.params: dict[str, list[ast.expr]] = {}
        """The annotations and defaults of parameters."""
        self.heirs: dict[ast.AST, str] = {}
        """The names and attributes in the bases of classes, with the class."""
        self._named: dict[str, list[tuple[ast.Name | ast.Attribute, frozenset[str]]]] = {}
        self._looks: dict[ast.AST, set[str]] = {}
        self.entered: set[str] = set()
        """Names in the heads of `with` statements: what is entered, and as what."""
        self.enters_names = False
        """Whether a `with` enters something that goes by a name."""
        self.returns: list[ast.expr | None] = []
        self.closes = False
        """Whether there is a `with`, a `finally`, or a call of a method that goes by "close" or the like."""
        self._calls: dict[ast.AST, ast.Call] = {}
        self._passed: set[ast.AST] = set()
        """What is called where somebody else gets what it gives: returned, put into a list, given to a runner."""
        self.owner = ""
        """The class of the module around it, where that is sure."""
        self.tree = tree
        self._divisions: list[ast.BinOp] = []
        if tree is not None:
            self._walk(tree, _OUTSIDE, ())
        for division in self._divisions:
            if self._is_slashed(division.right):
                for part in all_below(division.left):
                    if isinstance(part, (ast.Name, ast.Attribute)):
                        self._look(part, "slashed")

    @cached_property
    def named(self) -> frozenset[str]:
        """The names and attributes that stand in it, and the names of arguments."""
        return frozenset(self._named) | {word for word, _ in self.words}

    @cached_property
    def has_class(self) -> bool:
        """Whether a class is defined in it."""
        return self.tree is None or any(isinstance(node, ast.ClassDef) for node in all_below(self.tree))

    def gives_calls_of(self, words: Container[str]) -> bool:
        """Tell whether it returns, as it is, what calling something by one of some names gives."""
        for value in self.returns:
            called = value.value if isinstance(value, ast.Await) else value
            func = called.func if isinstance(called, ast.Call) else None
            if getattr(func, "attr", getattr(func, "id", None)) in words:
                return True
        return False

    @cached_property
    def outflow(self) -> Outflow:
        """What leaves it."""
        return Outflow(self.tree or ast.Module([], []))

    @cached_property
    def defined(self) -> frozenset[str]:
        """The functions and classes that it gives to the outside."""
        names = {node.name for node in self._statements() if isinstance(node, _DEFINITIONS)}
        return frozenset(name for name in names if not name.startswith("__"))

    @cached_property
    def stored(self) -> frozenset[str]:
        """All names that it gives to the outside."""
        rest = (part for node in self._statements() if not isinstance(node, _DEFINITIONS) for part in all_below(node))
        names = {part.id for part in rest if isinstance(part, ast.Name) and type(part.ctx) is ast.Store}
        return self.defined | {name for name in names if not name.startswith("__")}

    def _statements(self) -> list[ast.stmt]:
        body: list[ast.stmt] = getattr(self.tree, "body", [])
        if len(body) == 1 and isinstance(body[0], ast.If) and isinstance(body[0].test, ast.Constant):
            return body[0].body
        return body

    def given_to(self, name: str) -> list[ast.expr] | None:
        """Return what a name is given here; None when it comes from elsewhere."""
        if name in self.params or name in self.values:
            return self.values.get(name, [])
        return None

    def notes_of(self, name: str) -> list[ast.expr]:
        """Return the annotations of a name."""
        return self.params.get(name, [])

    def is_local(self, name: str) -> bool:
        """Tell whether a name is given something otherwise than by an import."""
        return name in self.local

    def among(self, words: Collection[str]) -> list[str]:
        """Return those of some words that stand in the code as names or attributes, in a fixed order."""
        return sorted(self._named.keys() & words)

    def uses(self, word: str, coroutines: Collection[str] = (), slashed: Collection[str] = ()) -> Iterator[Use]:
        """Yield the places where a word stands in the code.

        `coroutines` are names of coroutine functions, `slashed` those of the module's absolute paths and addresses.
        """
        for node, place in self._named.get(word, ()):
            looks = self._looks.get(node, set()) | place
            if "awaited" not in looks:
                looks.add("not-awaited")
            call = self._calls.get(node)
            if call is not None:
                if node not in self._passed:
                    looks.add("astray")
                if any(self._is_slashed(arg) or getattr(arg, "id", None) in slashed for arg in call.args):
                    looks.add("slashed")
                if _is_slashless(call):
                    looks.add("slashless")
                if coroutines and _gives_coroutine(call, coroutines):
                    looks.add("async-argument")
            yield Use(node, frozenset(looks), call)

    def _is_slashed(self, node: ast.expr) -> bool:
        """Tell whether an argument, or what a local name is given, may be a constant that starts with a slash."""
        given = self.values.get(node.id, ()) if isinstance(node, ast.Name) else ()
        return _may_be_slashed(node) or any(map(_may_be_slashed, given))

    def _look(self, node: ast.AST, *words: str) -> None:
        self._looks.setdefault(node, set()).update(words)

    def _walk(self, tree: ast.AST, place: frozenset[str], around: Collection[str]) -> None:
        """Collect what stands in a tree; nested functions are walked with their own kind."""
        for value in _values(tree) if around else ():
            self._look(value, *around)
        named, looks, local = self._named, self._looks, self.local
        stack: list[ast.AST] = [tree]
        while stack:
            node: Any = stack.pop()
            kind = type(node)
            if kind is ast.Name:
                named.setdefault(node.id, []).append((node, place))
                if type(node.ctx) is ast.Store:
                    local.add(node.id)
                    self._look(node, "assigned", "async-argument")
                continue
            if kind is ast.Attribute:
                named.setdefault(node.attr, []).append((node, place))
                if type(node.ctx) is ast.Store:
                    self._look(node, "assigned", "async-argument")
                if node.attr in _CLOSING:
                    self.closes = True
                stack.append(node.value)
                continue
            if kind is ast.Constant:
                value = node.value
                if type(value) is str:
                    self.texts.append((value, place))
                elif type(value) is bytes:
                    self.texts.append((value.decode("latin-1"), place))
                continue
            if kind is ast.Call:
                self._calls[node.func] = node
                if getattr(node.func, "attr", getattr(node.func, "id", "")) in _TAKERS:
                    self._pass([*node.args, *(keyword.value for keyword in node.keywords)])
                elif len(node.args) == 1 and getattr(node.func, "id", "") in ("any", "all"):
                    self._look(node.args[0], "asked")
                self._look(node.func, "called", *looks.get(node, ()))
            elif kind is ast.Await:
                self._look(node.value, "awaited")
                bare = not isinstance(node.value, ast.Call)
                self.words.append(("await", place | {"bare-await"} if bare else place))
            elif kind is ast.keyword:
                if node.arg:
                    self.words.append((node.arg, place))
            elif kind is ast.arg:
                self.words.append((node.arg, place))
                local.add(node.arg)
                self.params.setdefault(node.arg, []).extend([node.annotation] if node.annotation else [])
            elif kind is ast.BinOp:
                if type(node.op) is ast.Div:
                    self._divisions.append(node)
            elif kind is ast.Expr:
                if type(node.value) is ast.Constant:
                    continue  # a docstring
                for value in _values(node.value):
                    self._look(value, "dropped")
            elif kind is ast.Lambda:  # where it runs, nobody knows, nor who uses what it gives
                self._walk(node.body, _ANYWHERE, ("dropped",))
                stack.append(node.args)
                continue
            elif kind is ast.Import or kind is ast.ImportFrom:
                for name, full in bound_by(node):
                    self.inner.setdefault(name, []).append(full)
                continue
            elif kind is ast.ClassDef:
                for base in node.bases:
                    for part in all_below(base):
                        if isinstance(part, (ast.Name, ast.Attribute)):
                            self.heirs[part] = node.name
                            self._look(part, "async-argument", "called")  # whoever makes an object calls it
            elif kind is ast.Return:
                self.returns.append(node.value)
                if place is not _IN_ASYNC:  # there, who awaits the function gets what it gives
                    self._pass([node.value])
                if type(node.value) is ast.Call:
                    self._look(node.value.func, "slashed")
            elif kind is ast.List or kind is ast.Tuple or kind is ast.Set:
                self._pass(node.elts)
            elif kind is ast.ListComp or kind is ast.GeneratorExp or kind is ast.SetComp:
                if node not in looks:  # else it is dropped, or asked which of it is true
                    self._pass([node.elt])
            elif kind is ast.With or kind is ast.AsyncWith or (kind is ast.Try and node.finalbody):
                self.closes = True
            if kind in _BINDING:
                self._bind(node)
            if kind is ast.ExceptHandler and node.type is None:
                self.words.append(("except", place | {"bare-except"}))
            if kind in _KEYWORDS:
                self.words.extend((word, place) for word in _KEYWORDS[kind])
                if kind is ast.FunctionDef or kind is ast.AsyncFunctionDef:
                    for child in node.body:
                        self._walk(child, _IN_ASYNC if kind is ast.AsyncFunctionDef else _IN_DEF, ())
                    stack.extend(node.decorator_list)
                    for called in _unusual_decorators(node.decorator_list):
                        self._look(called, "decorates")
                    self._default(node.args)
                    stack.append(node.args)
                    if node.returns is not None:
                        stack.append(node.returns)
                    continue
            stack += nodes_below(node)

    def _pass(self, values: Iterable[ast.expr | None]) -> None:
        self._passed.update(value.func for value in values if isinstance(value, ast.Call))

    def _default(self, args: ast.arguments) -> None:
        """Take down the defaults of parameters."""
        positional = [*args.posonlyargs, *args.args]
        for arg, default in zip(reversed(positional), reversed(args.defaults), strict=False):
            self.values.setdefault(arg.arg, []).append(default)
        for arg, given in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            if given is not None:
                self.values.setdefault(arg.arg, []).append(given)

    def _bind(self, node: Any) -> None:
        """Take down what a statement gives to names."""
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign):
            pairs = [(node.target, node.value)] if node.value is not None else []
            if isinstance(node.target, ast.Name):
                self.params.setdefault(node.target.id, []).append(node.annotation)
        elif isinstance(node, ast.withitem):
            pairs = [(node.optional_vars, node.context_expr)] if node.optional_vars is not None else []
            self.enters_names = self.enters_names or isinstance(node.context_expr, ast.Name)
            self.entered.update(part.id for part in all_below(node) if isinstance(part, ast.Name))
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            pairs = [(node.target, node.iter)]
        else:
            pairs = [(node.target, node.value)]
        for target, value in pairs:
            for part in all_below(target):
                if isinstance(part, ast.Name):
                    self.values.setdefault(part.id, []).append(value)


_BINDING = (
    *(ast.Assign, ast.AnnAssign, ast.AugAssign, ast.NamedExpr, ast.withitem, ast.For, ast.AsyncFor),
    ast.comprehension,
)


_TAKERS = frozenset(
    {"create_task", "ensure_future", "gather", "wait_for", "shield", "run", "run_until_complete", "start_soon"}
    | {"run_coroutine_threadsafe", "append", "add", "put", "put_nowait", "add_task", "spawn", "as_completed", "timeout"}
)
"""Names that go with taking a coroutine; what one of them is wrongly given, other rules tell."""
_CLOSING = frozenset({"close", "aclose", "shutdown", "disconnect", "dispose", "release", "quit", "stop", "cleanup"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_IN_DEF, _IN_ASYNC = frozenset({"in-def"}), frozenset({"in-async"})
_ANYWHERE = _IN_DEF | _IN_ASYNC
_OUTSIDE = _IN_DEF | {"outside"}
"""Outside of the bodies of functions."""


def _gives_coroutine(call: ast.Call, coroutines: Collection[str]) -> bool:
    """Tell whether a call is given something that goes by the name of a coroutine function, or what it gives."""
    pending: list[ast.AST] = [*call.args, *(keyword.value for keyword in call.keywords)]
    while pending:
        part = pending.pop()
        if getattr(part, "attr", getattr(part, "id", None)) in coroutines:
            return True
        while isinstance(part, ast.Attribute):  # what it is an attribute of is not given itself
            part = part.value
        if not isinstance(part, ast.Name):
            pending += nodes_below(part)
    return False


def _values(node: ast.AST) -> Iterator[ast.AST]:
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
        if isinstance(decorator, ast.Call) and _is_slashless(decorator, trailing=True):
            yield decorator.func


def _is_slashless(call: ast.Call, *, trailing: bool = False) -> bool:
    """Tell whether a call is given something else than paths as they should be; `trailing` allows "/x/"."""
    given = [*call.args[:1], *(k.value for k in call.keywords if k.arg is None or k.arg in _PATHS)]
    return any(not _is_plain_path(node, trailing) for node in given)


_PATHS = frozenset({"path", "rule", "prefix", "url_prefix", "route", "pattern"})


def _is_plain_path(node: ast.expr, trailing: bool) -> bool:
    text = node.value if isinstance(node, ast.Constant) else None
    if not isinstance(text, str) or text[:1] != "/" or text[1:2] == "/":
        return False
    return trailing or text == "/" or text[-1:] != "/"


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
