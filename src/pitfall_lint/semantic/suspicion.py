"""Where to look: which definitions of a file could matter, told by words, imports and the stdlib's `ast`.

Over-inclusive by construction: it answers "perhaps" or "never", and a definition that it calls "never" holds no
use of what the library rows speak of. What is wanted is derived from the rows, not written per rule.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from keyword import iskeyword

from pitfall_lint.libraries import Function, Libraries, Row, Type
from pitfall_lint.semantic.outline import Outline
from pitfall_lint.semantic.reading import Reading, Use
from pitfall_lint.semantic.receivers import Receivers
from pitfall_lint.semantic.spans import Binding, Place, Spans, imports
from pitfall_lint.source import Source

TABLE = bytes(
    code if (chr(code).isalnum() and code < 128) or code == 95 or code >= 128 else 32 for code in range(256)
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
    """What the rules' pages and the row's field say of the code around the word, see SHAPES."""
    near: bool = False
    """Whether one of the roots has to be named in the very file."""
    given: str = ""
    """The argument without which a call of it does not matter, `position|keyword`."""

    def touches(self, looks: frozenset[str] | set[str]) -> bool:
        """Tell whether code that looks so is a use of what is wanted, wherever it stands."""
        return self.shape - looks <= _ELSEWHERE

    def wakes(self, looks: frozenset[str] | set[str]) -> bool:
        """Tell whether a definition with code that looks so has to be looked at."""
        return self.shape - looks <= _ABOUT_NAMES


SHAPES = frozenset(
    {"called", "not-awaited", "dropped", "in-def", "in-async", "decorates", "slashed", "slashless", "bare-await"}
    | {"through", "indirect", "coroutine-call", "local-address", "given", "assigned", "async-argument", "constructed"}
)
"""What pages and rows may say of the code around the words, so that less has to be read.

called: the name is called right there; dropped: and what it gives is not used; not-awaited: not after `await`.
in-def, in-async: the kind of the function around. decorates: a decorator that is called with something else than a
path such as "/x"; slashed: a call with a constant that may start with a slash or be an address, or all that a
function returns; slashless: a call with something else than a path that starts with one slash. bare-await: `await`
of something that is no call. through: who calls the function that holds the word matters, too; indirect: only they
do. coroutine-call: a call, not awaited, of something that is a coroutine function somewhere. local-address: the
file names this machine, or imports something that may do so. given: a call with the argument that the row speaks of.
assigned: the name is an attribute that is assigned to. async-argument: a call that is given something that goes by
the name of a coroutine function. constructed: functions that give an object of a type are not meant, the type is.
"""
_ABOUT_NAMES = frozenset({"through", "coroutine-call", "local-address"})
_ELSEWHERE = _ABOUT_NAMES | {"in-def", "in-async", "indirect"}

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
        whole = shape.union(more)
        given = str(getattr(row, "argument", "")) if "given" in whole and name else ""
        want = Want(word, name, of_type, kind, frozenset(roots), rules, whole - {"given", "constructed"}, kind is Function, given)
        found.setdefault(word, {})[want] = None

    for (kind, shape), rules in asked.items():
        for row in libraries.rows(kind):
            names = [name for n in row.names for name in also.get(libraries.canonical(n), (n,))]
            roots = {name.partition(".")[0] for name in names if "." in name}
            for f in fields(row):
                if isinstance(row, Function):  # asked for by whoever looks for calls of coroutine functions
                    if f.name != "name" or not row.coroutine:
                        continue
                elif not f.metadata.get("word"):
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
                    others = makers.get(canonical, ()) if f.name == "type" and "constructed" not in shape else ()
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

    def __init__(
        self,
        source: Source,
        wanted: Wants,
        libraries: Libraries,
        named: frozenset[str] = frozenset(),
        reaches: Callable[[str, frozenset[str]], bool] = lambda full, roots: True,
        coroutines: Collection[str] = (),
    ) -> None:
        self.coroutines = coroutines
        """Names that coroutine functions of the project go by here, where somebody asks for them."""
        self.source = source
        self.libraries = libraries
        self.wanted = dict(wanted)
        self.plain = [word for word, these in self.wanted.items() if any(not want.name for want in these)]
        self.spans = Spans(source)
        self.receivers = Receivers(source.data, named, lambda name: self.imports.get(name, ()), reaches, giving(libraries))
        self._held: dict[tuple[ast.expr, frozenset[str]], bool] = {}
        self._trees: dict[Place, ast.Module] = {}
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
                verdict = self._read(place)
                if verdict.rules:
                    lines.setdefault(self._line_of(offset), set()).update(verdict.rules)
                if verdict.touched:
                    pending += self._pass_on(verdict.names, verdict.touched)
            if not pending:
                break
        for line, rules in self.inherited.items():
            lines.setdefault(line, set()).update(rules)
        return lines

    def _pass_on(self, names: Iterable[str], touched: Mapping[str, frozenset[str]]) -> Iterator[str]:
        """Want the names of what matters, too: whoever uses them may matter to the same rules."""
        for name in names:
            known = self.wanted.get(name, ())
            new = set(touched).difference(*(want.rules for want in known if want.of_type))
            if new:
                by_shape: dict[frozenset[str], set[str]] = {}
                for code in new:
                    by_shape.setdefault(touched[code] - {"called", "indirect", "dropped"}, set()).add(code)
                self.passed_on.setdefault(name, set()).update(new)
                self.wanted[name] = (
                    *known,
                    *(Want(name, name, True, Row, frozenset(), frozenset(c), shape) for shape, c in by_shape.items()),
                )
                yield name

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
            called = all({"called", "not-awaited"} <= want.shape for want in self.wanted[word])
            bare_await = word == "await" and all("bare-await" in want.shape for want in self.wanted[word])
            position = data.find(needle)
            while position >= 0:
                end = position + len(needle)
                if (bare_await and _AWAITED_CALL.match(data, position)) or (called and (data[end : end + 1] not in b"( \t" or _is_awaited(data, position))):
                    pass
                elif not _is_word(data[position - 1 : position]) and not _is_word(data[end : end + 1]):
                    if data.startswith(b" as ", end) and (new := _RENAMED.match(data, end)):
                        name = new[1].decode("utf-8", "replace")
                        if name not in self.wanted:
                            self.wanted[name] = self.wanted[word]
                            pending.append(name)
                    if data[max(position - 4, 0) : position] != b"def " and not _in_import(data, position):
                        yield position
                position = data.find(needle, end)

    def _read(self, place: Place) -> _Verdict:
        """Return the rules to which a place matters, and the names that it defines."""
        try:
            if place.start < 0:
                text = self.outline.skeleton.text
            else:
                body = self.source.data[place.start : place.end].decode(self.source.encoding)
                text = f"if 1:\n{body}" if place.indent else body
            if place not in self._trees:
                self.lines_read += text.count("\n")
                self._trees[place] = ast.parse(text)
            tree = self._trees[place]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            if not place.is_function and place.start >= 0:
                return self._read(Place(-1, -1, 0, False))
            name = _DEFINED.match(self.source.data, max(place.start, 0))
            verdict = _Verdict({name[1].decode("utf-8", "replace")} if name else set())
            for these in self.wanted.values():
                for want in these:
                    verdict.add(want, want.shape)
            return verdict
        verdict = _Verdict(set())

        def hear(word: str, looks: set[str]) -> None:
            for want in self.wanted.get(word, ()):
                if not want.name:
                    verdict.add(want, looks)

        reading = Reading(self.wanted, self.plain, hear)
        reading.coroutines = self.coroutines
        reading.walk(tree, is_async=False)
        for use in reading.uses:
            before = set(verdict.rules)
            self._judge(use, reading, verdict)
            if (heir := reading.heirs.get(use.node)) is not None and verdict.rules - before:
                self._inherit(heir, verdict.rules - before)
        if verdict.touched:
            verdict.names = _defined(tree)
        return verdict

    def _inherit(self, heir: str, rules: set[str]) -> None:
        """A class inherits from what matters: its methods may matter by their names alone."""
        for block in self.outline.blocks:
            if not block.is_class and block.parent is not None and block.parent.name == heir:
                self.inherited.setdefault(block.header, set()).update(rules)

    def _judge(self, use: Use, reading: Reading, verdict: _Verdict) -> None:
        parts: list[str] = []
        current = use.node
        while isinstance(current, ast.Attribute):
            parts.append(current.attr)
            current = current.value
        word = parts[0] if parts else current.id  # type: ignore[attr-defined]
        wanted = [want for want in self.wanted[word] if want.touches(use.looks) and _is_given(want, use)]
        if not wanted:
            return
        bound: list[Binding] = []
        if isinstance(current, ast.Name):
            parts.append(current.id)
            bound = [Binding(full, True) for full in reading.inner.get(current.id, ())]
            bound += self.imports.get(current.id, ()) if not bound else ()
        parts.reverse()
        if not bound or current.id in reading.local or not any(b.surely for b in bound):  # type: ignore[attr-defined]
            # The result of a call, a parameter, an attribute: a receiver whose type has to be looked for.
            for want in wanted:
                if isinstance(use.node, ast.Attribute):
                    fits = want.of_type or not want.name
                    if fits and (not want.roots or self._may_hold(use.node.value, reading, want.roots)):
                        verdict.add(want, use.looks)
                elif not want.of_type or want.kind is Row:
                    if not want.name or self._may_stand_for(word, want, reading):
                        verdict.add(want, use.looks)
        for binding in bound:
            name = self.libraries.canonical(".".join([binding.full, *parts[1:]]))
            for want in wanted:
                if self._could_be(want, name, binding.full, len(parts) > 1):
                    verdict.add(want, use.looks)

    def _may_stand_for(self, word: str, want: Want, reading: Reading) -> bool:
        """Tell whether a plain name without an import could be what is wanted."""
        if want.kind is Row or "." not in want.name or want.name.startswith("builtins."):
            return True
        if word in reading.params:
            return False
        if word in reading.values:
            return True
        return "*" in self.imports or re.search(rb"^%s\b[^=\n(]*=" % word.encode(), self.source.data, re.M) is not None

    def _may_hold(self, node: ast.expr, reading: Reading, roots: frozenset[str]) -> bool:
        key = (node, roots)
        found = self._held.get(key)
        if found is None:
            found = self._held[key] = self.receivers.may_hold(node, reading, roots)
        return found

    def _could_be(self, want: Want, name: str, full: str, has_receiver: bool) -> bool:
        """Tell whether an imported thing could be what is wanted: it is, or it is the project's, or an object."""
        if want.kind is Row:
            return full.startswith(".") or full.partition(".")[0] not in known_roots(self.libraries)
        if want.name and (name == self.libraries.canonical(want.name) or self.libraries.find_all(want.kind, name)):
            return True
        if full.partition(".")[0] not in known_roots(self.libraries):
            return not want.roots or self.receivers.reaches(full, want.roots)
        if not want.name:
            return has_receiver and (not want.roots or full.partition(".")[0] in want.roots)
        return want.of_type and has_receiver and "." in full and full.partition(".")[0] in want.roots


class _Verdict:
    """What one definition matters to."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        """The names that it gives to the outside."""
        self.rules: set[str] = set()
        """Rules that have to look at it."""
        self.touched: dict[str, frozenset[str]] = {}
        """Rules that have to look at who uses it, with the shape of what they look for."""

    def add(self, want: Want, looks: set[str] | frozenset[str]) -> None:
        """Take down a use of what is wanted."""
        if want.wakes(looks):
            self.rules |= want.rules
        if "through" in want.shape and want.touches(looks):
            self.touched.update(dict.fromkeys(want.rules, want.shape))


def _is_given(want: Want, use: Use) -> bool:
    """Tell whether a call has the argument that the row speaks of, where the shape asks for that."""
    if not want.given:
        return True
    if use.call is None:
        return False
    position, _, keyword = want.given.rpartition("|")
    if any(k.arg in (None, keyword) for k in use.call.keywords):
        return True
    starred = any(isinstance(arg, ast.Starred) for arg in use.call.args)
    return starred or (position.isdigit() and len(use.call.args) > int(position))


_ROOTS: dict[int, frozenset[str]] = {}


_GIVING: dict[int, frozenset[str]] = {}


def giving(libraries: Libraries) -> frozenset[str]:
    """Return the leaf names of functions and methods that are known to give objects of a type."""
    found = _GIVING.get(id(libraries))
    if found is None:
        names = (n for row in libraries.rows(Function) if row.returns for n in (row.name, *row.also))
        found = _GIVING[id(libraries)] = frozenset(name.rpartition(".")[2] for name in names)
    return found


def known_roots(libraries: Libraries) -> frozenset[str]:
    """Return the top-level packages that rows speak of: nothing of a project stands in them."""
    found = _ROOTS.get(id(libraries))
    if found is None:
        names = (name for kind in (Type, Function) for row in libraries.rows(kind) for name in row.names)
        found = _ROOTS[id(libraries)] = frozenset(name.partition(".")[0] for name in names if "." in name)
    return found


_HOPS = 3
_DEFINED = re.compile(rb"[ \t\f]*(?:async[ \t]+)?def[ \t]+(\w+)")
_AWAITED_CALL = re.compile(rb"await[ \t]+[\w.]+[ \t]*\(")
_AWAITED_NAME = re.compile(rb"\bawait[ \t]+[\w.]*$")
_RENAMED = re.compile(rb" as[ \t]+(\w+)")


def _defined(tree: ast.Module) -> set[str]:
    """Return the names that a place gives to the outside: a function's own, or what a statement assigns."""
    body = tree.body
    if len(body) == 1 and isinstance(body[0], ast.If) and isinstance(body[0].test, ast.Constant):
        body = body[0].body
    names: set[str] = set()
    for statement in body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(statement.name)
        else:
            names.update(n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and type(n.ctx) is ast.Store)
    return {name for name in names if not name.startswith("__")}


def _is_word(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_" or byte >= b"\x80"


def _is_awaited(data: bytes, position: int) -> bool:
    """Tell whether `await` stands before a dotted name that ends at a place."""
    before = data[max(position - 80, 0) : position]
    return _AWAITED_NAME.search(before) is not None


def _in_import(data: bytes, position: int) -> bool:
    """Tell whether a place stands in a module-level import of one line."""
    start = max(data.rfind(b"\n", 0, position), data.rfind(b"\r", 0, position)) + 1
    return data.startswith((b"from ", b"import "), start) and b";" not in data[start:position]
