"""Where to look: which definitions of a file could matter, told by words, imports and the stdlib's `ast`.

Over-inclusive by construction: it answers "perhaps" or "never", and a definition that it calls "never" holds no
use of what the library rows speak of. What is wanted is derived from the rows, not written per rule.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from keyword import iskeyword
from typing import Any

from pitfall_lint.libraries import Function, Libraries, Row, Type
from pitfall_lint.semantic.outline import Outline
from pitfall_lint.semantic.spans import Binding, Place, Spans, bound_by, imports
from pitfall_lint.source import Source

TABLE = bytes(
    code if chr(code).isalnum() and code < 128 or code == 95 or code >= 128 else 32 for code in range(256)
)
"""Leaves the bytes of words, so that `data.translate(TABLE).split()` are the words of a file."""


@dataclass(frozen=True, slots=True)
class Want:
    """One word that matters to some rules, and what the code around it has to look like."""

    word: str
    name: str
    """The qualified name that the word is the leaf of; empty for plain words, which matter in strings, too."""
    of_type: bool
    """Whether the name is a method, or an attribute of objects: the receiver may be anything."""
    kind: type[Row]
    roots: frozenset[str]
    """Top-level packages of which one has to be in reach; none: no condition."""
    rules: frozenset[str]
    shape: frozenset[str] = frozenset()
    """What the rules' pages say of the code around the word, see SHAPES."""

    def place_fits(self, is_async: bool) -> bool:
        """Tell whether the kind of the function around it is a wanted one."""
        return ("in-async" not in self.shape or is_async) and ("in-def" not in self.shape or not is_async)

    def code_fits(
        self, is_called: bool, is_async: bool, is_awaited: bool, decorates: bool = False, slashed: bool = False
    ) -> bool:
        """Tell whether the code around it looks as the shape says."""
        if ("decorates" in self.shape and not decorates) or ("slashed" in self.shape and not slashed):
            return False
        if not self.place_fits(is_async) or ("called" in self.shape and self.name and not is_called):
            return False
        return not ("not-awaited" in self.shape and is_awaited)


SHAPES = frozenset({"called", "not-awaited", "in-def", "in-async", "itself", "decorates", "slashed"})
"""What a page may say of the code around the words, so that less has to be read.

called: the name is called right there; not-awaited: not after `await`; in-def, in-async: the kind of the function
around; itself: only the definition that holds the word matters, not those that call that definition.
decorates: a decorator that is called with something else than a path such as "/x"; slashed: a call with a
constant that may start with a slash or be an address, or all that a function returns (a row's field says so).
"""

Wants = Mapping[str, tuple[Want, ...]]


def wants(asked: Mapping[tuple[type[Row], frozenset[str]], frozenset[str]], libraries: Libraries) -> Wants:
    """Return what rows wake, by word: leaves of names, of their other paths, and plain words.

    `asked` are the rules by the kind of rows that they ask for and the shape of code that they look for.
    """
    also, makers = _other_names(libraries), _makers(libraries)
    found: dict[str, dict[Want, None]] = {}

    def add(word: str, name: str, of_type: bool, roots: Iterable[str], more: Iterable[str] = ()) -> None:
        if iskeyword(word) and name:
            return  # a name from older Pythons
        want = Want(word, name, of_type, kind, frozenset(roots), rules, shape.union(more))
        found.setdefault(word, {})[want] = None

    for (kind, shape), rules in asked.items():
        for row in libraries.rows(kind):
            names = [name for n in row.names for name in also.get(libraries.canonical(n), (n,))]
            roots = {name.partition(".")[0] for name in names if "." in name}
            for f in fields(row):
                if not f.metadata.get("word"):
                    continue
                value = getattr(row, f.name)
                for text in (value,) if isinstance(value, str) else value:
                    if not text:
                        continue
                    if not f.metadata.get("name"):
                        for word in re.findall(r"\w+", text):
                            add(word, "", False, roots)
                        continue
                    canonical = libraries.canonical(text)
                    others = makers.get(canonical, ()) if f.name == "type" else ()
                    for name in (*also.get(canonical, (text,)), *others):
                        owner, _, leaf = name.rpartition(".")
                        more = f.metadata.get("shape", ())
                        add(leaf, name if owner else "", _is_type(owner, libraries), roots if owner else (), more)
    return {word: tuple(these) for word, these in found.items()}


def _is_type(owner: str, libraries: Libraries) -> bool:
    leaf = owner.rpartition(".")[2]
    return leaf[:1].isupper() or libraries.is_known_type(owner)


def _other_names(libraries: Libraries) -> dict[str, tuple[str, ...]]:
    """Return, for a canonical name, its other paths and, for a type, the types that inherit from it."""
    found: dict[str, dict[str, None]] = {}
    for kind in (Type, Function):
        for row in libraries.rows(kind):
            assert isinstance(row, (Type, Function))
            for name in (row.name, *row.also):
                found.setdefault(row.name, {row.name: None})[name] = None
    for type_ in libraries.rows(Type):
        for base in libraries.bases(type_.name)[1:]:
            found.setdefault(base, {base: None}).update(dict.fromkeys((type_.name, *type_.also)))
    return {name: tuple(names) for name, names in found.items()}


def _makers(libraries: Libraries) -> dict[str, tuple[str, ...]]:
    """Return, for a canonical type, the names of the functions that give objects of it."""
    found: dict[str, dict[str, None]] = {}
    for function in libraries.rows(Function):
        if function.returns:
            for base in libraries.bases(libraries.canonical(function.returns)):
                found.setdefault(base, {}).update(dict.fromkeys((function.name, *function.also)))
    return {name: tuple(names) for name, names in found.items()}


class Suspicion:
    """The question of one file: which of its lines matter to which rules."""

    def __init__(self, source: Source, found: Iterable[str], wanted: Wants, libraries: Libraries) -> None:
        self.source = source
        self.libraries = libraries
        self.wanted = {word: wanted[word] for word in found if word in wanted}
        self.plain = [word for word, these in self.wanted.items() if any(not want.name for want in these)]
        self.spans = Spans(source)
        self.lines_read = 0
        """How many lines `ast` has read."""
        self.inherited: dict[int, set[str]] = {}
        self.passed_on: dict[str, set[str]] = {}
        """Names of this file's definitions that matter, with the rules to which their users matter."""

    def run(self) -> dict[int, set[str]]:
        """Return 0-based lines of the definitions that matter, with the rules to which they matter."""
        lines: dict[int, set[str]] = {}
        pending = list(self.wanted)
        for _ in range(_HOPS):
            places: dict[Place, int] = {}
            for offset in sorted(self._hits(pending)):
                place = self.spans.at(offset)
                if place is None:  # decorators and statements of a class: its whole text is read below
                    place = self._outlined(offset)
                places.setdefault(place, offset)
            pending = []
            for place, offset in places.items():
                rules, names = self._read(place)
                if rules:
                    lines.setdefault(self._line_of(offset), set()).update(rules)
                    pending += self._pass_on(names, rules)
            if not pending:
                break
        for line, rules in self.inherited.items():
            lines.setdefault(line, set()).update(rules)
        return lines

    def _pass_on(self, names: Iterable[str], rules: set[str]) -> Iterator[str]:
        """Want the names of what matters, too: whoever uses them may matter to the same rules."""
        rules = {code for code in rules if "itself" not in self._shapes.get(code, ())}
        for name in names:
            known = self.wanted.get(name, ())
            new = rules.difference(*(want.rules for want in known if want.of_type))
            if new:
                by_shape: dict[frozenset[str], set[str]] = {}
                for code in new:
                    by_shape.setdefault(self._shapes.get(code, frozenset()) - {"called"}, set()).add(code)
                self.passed_on.setdefault(name, set()).update(new)
                self.wanted[name] = (
                    *known,
                    *(Want(name, name, True, Row, frozenset(), frozenset(c), shape) for shape, c in by_shape.items()),
                )
                yield name

    @cached_property
    def _shapes(self) -> dict[str, frozenset[str]]:
        return {code: want.shape for these in self.wanted.values() for want in these for code in want.rules}

    def _outlined(self, offset: int) -> Place:
        """Return the place of an offset by the full outline: slower, and right about strings."""
        outline, line = self.outline, self.outline.line_of(offset)
        starts = self.source.line_starts
        block = outline.function_at(line)
        if block is not None:
            end = starts[block.end] if block.end < len(starts) else len(self.source.data)
            return Place(starts[block.first], end, len(block.indent), True)
        return Place(-1, -1, 0, False)

    @cached_property
    def outline(self) -> Outline:
        """The definitions of the file."""
        return Outline(self.source)

    @cached_property
    def imports(self) -> dict[str, list[Binding]]:
        """What imports anywhere in the file bind."""
        return imports(self.source.data)

    def _line_of(self, offset: int) -> int:
        data = self.source.data
        return self.outline.line_of(offset) if b"\r" in data else data.count(b"\n", 0, offset)

    def _hits(self, words: Iterable[str]) -> Iterator[int]:
        """Yield the offsets of words that are more than a definition's name, an import or a part of a longer word."""
        data = self.source.data
        pending = list(words)
        while pending:
            word = pending.pop()
            needle = word.encode()
            position = data.find(needle)
            while position >= 0:
                end = position + len(needle)
                if not _is_word(data[position - 1 : position]) and not _is_word(data[end : end + 1]):
                    if data.startswith(b" as ", end) and (new := _RENAMED.match(data, end)):
                        name = new[1].decode("utf-8", "replace")
                        if name not in self.wanted:
                            self.wanted[name] = self.wanted[word]
                            pending.append(name)
                    if data[max(position - 4, 0) : position] != b"def " and not _in_import(data, position):
                        yield position
                position = data.find(needle, end)

    def _read(self, place: Place) -> tuple[set[str], set[str]]:
        """Return the rules to which a place matters, and the names that it defines."""
        rules: set[str] = set()
        try:
            if place.start < 0:
                text = self.outline.skeleton.text
            else:
                body = self.source.data[place.start : place.end].decode(self.source.encoding)
                text = f"if 1:\n{body}" if place.indent else body
            self.lines_read += text.count("\n")
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            if not place.is_function and place.start >= 0:
                return self._read(Place(-1, -1, 0, False))
            name = _DEFINED.match(self.source.data, max(place.start, 0))
            names = {name[1].decode("utf-8", "replace")} if name else set()
            return {code for these in self.wanted.values() for want in these for code in want.rules}, names
        reading = _Reading(self.wanted, self.plain)
        reading.walk(tree, is_async=False)
        rules |= reading.rules
        for use in reading.uses:
            woken: set[str] = set()
            self._judge(use, reading, woken)
            if woken and (heir := reading.heirs.get(use.node)) is not None:
                self._inherit(heir, woken)
            rules |= woken
        return rules, _defined(tree) if rules else set()

    def _inherit(self, heir: str, rules: set[str]) -> None:
        """A class inherits from what matters: its methods may matter by their names alone."""
        for block in self.outline.blocks:
            if not block.is_class and block.parent is not None and block.parent.name == heir:
                self.inherited.setdefault(block.header, set()).update(rules)

    def _judge(self, use: _Use, reading: _Reading, rules: set[str]) -> None:
        parts: list[str] = []
        current = use.node
        while isinstance(current, ast.Attribute):
            parts.append(current.attr)
            current = current.value
        word = parts[0] if parts else current.id  # type: ignore[attr-defined]
        wanted = [
            want for want in self.wanted[word] if want.code_fits(use.is_called, use.is_async, use.is_awaited, use.decorates, use.slashed)
        ]
        if not wanted:
            return
        bound: list[Binding] = []
        if isinstance(current, ast.Name):
            parts.append(current.id)
            bound = [Binding(full, True) for full in reading.inner.get(current.id, ())]
            bound += self.imports.get(current.id, ()) if not bound else ()
        parts.reverse()
        if not bound or current.id in reading.local or not any(b.surely for b in bound):  # type: ignore[attr-defined]
            # The result of a call, a parameter, an attribute: a receiver of any type.
            for want in wanted:
                if want.of_type or not want.name or len(parts) == 1:
                    rules.update(want.rules)
        for binding in bound:
            name = self.libraries.canonical(".".join([binding.full, *parts[1:]]))
            for want in wanted:
                if not want.rules <= rules and self._could_be(want, name, binding.full, len(parts) > 1):
                    rules.update(want.rules)

    def _could_be(self, want: Want, name: str, full: str, has_receiver: bool) -> bool:
        """Tell whether an imported thing could be what is wanted: it is, or it is the project's, or an object."""
        if not want.name or full.startswith("."):
            return True
        if name == self.libraries.canonical(want.name) or self.libraries.find_all(want.kind, name):
            return True
        if full.partition(".")[0] not in known_roots(self.libraries):
            return True
        return want.of_type and has_receiver and "." in full


@dataclass(frozen=True, slots=True)
class _Use:
    """A wanted word in code, and what stands around it."""

    node: ast.expr
    is_called: bool
    is_awaited: bool
    is_async: bool
    decorates: bool = False
    slashed: bool = False


class _Reading:
    """One walk over the tree of a place."""

    def __init__(self, wanted: Wants, plain: list[str]) -> None:
        self.wanted = wanted
        self.plain = plain
        self.rules: set[str] = set()
        """What plain words have woken."""
        self.uses: list[_Use] = []
        self.inner: dict[str, list[str]] = {}
        """What imports inside of the place bind."""
        self.local: set[str] = set()
        """Names that the place binds otherwise."""
        self.heirs: dict[ast.expr, str] = {}
        """The names and attributes in the bases of classes, with the class."""

    def walk(self, tree: ast.AST, is_async: bool) -> None:
        """Collect the uses in a tree; nested functions are walked with their own kind."""
        wanted, plain = self.wanted, self.plain
        called: set[ast.AST] = set()
        awaited: set[ast.AST] = set()
        decorators: set[ast.AST] = set()
        slashed: set[ast.AST] = set()
        stack: list[ast.AST] = [tree]
        while stack:
            node: Any = stack.pop()
            kind = type(node)
            if kind is ast.Name:
                if type(node.ctx) is ast.Store:
                    self.local.add(node.id)
                if node.id in wanted:
                    self.uses.append(_Use(node, node in called, node in awaited, is_async, slashed=node in slashed))
                continue
            if kind is ast.Constant:
                if plain and isinstance(node.value, (str, bytes)):
                    self._plain_text(node.value, is_async)
                continue
            if kind is ast.Call:
                called.add(node.func)
                if any(map(_may_be_slashed, node.args)):
                    slashed.add(node.func)
                if node in awaited:
                    awaited.add(node.func)
            elif kind is ast.Attribute:
                if node.attr in wanted:
                    self.uses.append(
                        _Use(node, node in called, node in awaited, is_async, node in decorators, node in slashed)
                    )
            elif kind is ast.Await:
                awaited.add(node.value)
                self._plain_words(("await",), is_async)
            elif kind is ast.keyword or kind is ast.arg:
                if node.arg in plain:
                    self._plain_words((node.arg,), is_async)
                if kind is ast.arg:
                    self.local.add(node.arg)
            elif kind is ast.BinOp and type(node.op) is ast.Div and _may_be_slashed(node.right):
                slashed.update(part for part in ast.walk(node.left) if isinstance(part, (ast.Name, ast.Attribute)))
            elif kind is ast.Return and type(node.value) is ast.Call:
                slashed.add(node.value.func)
            elif kind is ast.Expr:
                if type(node.value) is ast.Constant:
                    continue  # a docstring
            elif kind is ast.Import or kind is ast.ImportFrom:
                for name, full in bound_by(node):
                    self.inner.setdefault(name, []).append(full)
                continue
            elif kind is ast.ClassDef:
                for base in node.bases:
                    for part in ast.walk(base):
                        if isinstance(part, (ast.Name, ast.Attribute)):
                            self.heirs[part] = node.name
            elif kind in _KEYWORDS:
                self._plain_words(_KEYWORDS[kind], is_async)
                if kind in _FUNCTIONS:
                    for child in node.body if type(node.body) is list else ():
                        self.walk(child, kind is ast.AsyncFunctionDef)
                    stack.extend(node.decorator_list)
                    decorators.update(_unusual_decorators(node.decorator_list))
                    stack.append(node.args)
                    if node.returns is not None:
                        stack.append(node.returns)
                    continue
            for child in node.__dict__.values():
                if type(child) is list:
                    stack.extend(item for item in child if isinstance(item, ast.AST))
                elif isinstance(child, ast.AST) and not isinstance(child, ast.expr_context):
                    stack.append(child)

    def _plain_text(self, value: str | bytes, is_async: bool) -> None:
        text = value if isinstance(value, str) else value.decode("latin-1")
        self._plain_words([word for word in self.plain if word in text], is_async)

    def _plain_words(self, words: Iterable[str], is_async: bool) -> None:
        for word in words:
            for want in self.wanted.get(word, ()):
                if not want.name and want.place_fits(is_async):
                    self.rules.update(want.rules)


_ROOTS: dict[int, frozenset[str]] = {}


def known_roots(libraries: Libraries) -> frozenset[str]:
    """Return the top-level packages that rows speak of: nothing of a project stands in them."""
    found = _ROOTS.get(id(libraries))
    if found is None:
        names = (name for kind in (Type, Function) for row in libraries.rows(kind) for name in row.names)
        found = _ROOTS[id(libraries)] = frozenset(name.partition(".")[0] for name in names if "." in name)
    return found


_HOPS = 3
_DEFINED = re.compile(rb"[ \t\f]*(?:async[ \t]+)?def[ \t]+(\w+)")
_RENAMED = re.compile(rb" as[ \t]+(\w+)")
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


def _defined(tree: ast.Module) -> set[str]:
    """Return the names that a place gives to the outside: a function's own, or what a statement assigns."""
    body = tree.body
    if len(body) == 1 and isinstance(body[0], ast.If) and isinstance(body[0].test, ast.Constant):
        body = body[0].body
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
            names.add(statement.name)
        else:
            names.update(n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and type(n.ctx) is ast.Store)
    return {name for name in names if not name.startswith("__")}


def _is_word(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_" or byte >= b"\x80"


def _in_import(data: bytes, position: int) -> bool:
    """Tell whether a place stands in a module-level import of one line."""
    start = max(data.rfind(b"\n", 0, position), data.rfind(b"\r", 0, position)) + 1
    return data.startswith((b"from ", b"import "), start) and b";" not in data[start:position]


def _unusual_decorators(decorators: list[ast.expr]) -> Iterator[ast.expr]:
    """Yield what is called as a decorator, unless with a text that starts with one slash as a path does."""
    for decorator in decorators:
        if isinstance(decorator, ast.Call):
            given = [*decorator.args[:1], *(k.value for k in decorator.keywords if k.arg in {"path", "rule"})]
            path = given[0] if given else None
            usual = isinstance(path, ast.Constant) and isinstance(path.value, str) and path.value[:1] == "/"
            if not usual or path.value[1:2] == "/":  # type: ignore[union-attr, index]
                yield decorator.func


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
