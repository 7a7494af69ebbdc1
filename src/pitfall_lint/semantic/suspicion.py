"""Where to look: which definitions of a file could matter, told by words, imports and the stdlib's `ast`.

Over-inclusive by construction: it answers "perhaps" or "never", and a definition that it calls "never" holds no
use of what the library rows speak of. What is wanted is derived from the rows, not written per rule.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from keyword import iskeyword

from pitfall_lint.libraries import Attribute, Function, Libraries, Row, Type, kinds
from pitfall_lint.semantic.outline import Outline
from pitfall_lint.semantic.reading import Reading, Use
from pitfall_lint.semantic.receivers import Receivers
from pitfall_lint.semantic.spans import Binding, Place, Spans, imports
from pitfall_lint.source import Source

TABLE = bytes(code if (chr(code).isalnum() and code < 128) or code == 95 or code >= 128 else 32 for code in range(256))
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
    also, makers, of_type = _other_names(libraries), _makers(libraries), _words_of_types(libraries)
    found: dict[str, dict[Want, None]] = {}

    def add(word: str, name: str, of_type: bool, roots: Iterable[str], more: Iterable[str] = ()) -> None:
        if iskeyword(word) and name:
            return  # a name from older Pythons
        whole = shape.union(more)
        given = str(getattr(row, "argument", "")) if "given" in whole and name else ""
        want = Want(
            word,
            name,
            of_type,
            kind,
            frozenset(roots),
            rules,
            whole - {"given", "constructed"},
            kind is Function,
            given,
        )
        found.setdefault(word, {})[want] = None

    for (kind, shape), rules in asked.items():
        for row in libraries.rows(kind):
            names = [name for n in row.names for name in also.get(libraries.canonical(n), (n,))]
            roots = {word for n in row.names for word in _near_words(n, libraries, of_type)}
            roots = roots or {name.partition(".")[0] for name in names if "." in name}
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
                        near: Iterable[str] = () if owner in ("", "builtins") else (name.partition(".")[0],)
                        if is_method := _is_type(owner, libraries):
                            near = of_type.get(libraries.canonical(owner), (_near_word(owner),))
                        add(leaf, name if owner else "", is_method, near, more)
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


def _near_words(name: str, libraries: Libraries, of_type: Mapping[str, frozenset[str]]) -> Iterable[str]:
    """Return words of which one is near whatever is an object of the type that a name speaks of."""
    canonical = libraries.canonical(name)
    owner = canonical.rpartition(".")[0]
    if canonical in of_type:
        return of_type[canonical]
    if owner in of_type:
        return of_type[owner]
    return (name.partition(".")[0],) if "." in name else ()


def _near_word(name: str) -> str:
    """Return a name's package and its leaf: "requests.sessions.Session" is near where both words stand."""
    package, _, rest = name.partition(".")
    return f"{package}.{rest.rpartition('.')[2]}" if rest and package != "builtins" else rest or package


def _words_of_types(libraries: Libraries) -> dict[str, frozenset[str]]:
    """Return, for a canonical type, the leaf words by which code comes to its objects: classes, makers, variables."""
    found: dict[str, set[str]] = {}

    def add(type_: str, names: Iterable[str]) -> None:
        for base in libraries.bases(libraries.canonical(type_)):
            found.setdefault(base, {_near_word(base)}).update(map(_near_word, names))

    for type_ in libraries.rows(Type):
        add(type_.name, (type_.name, *type_.also))
        if type_.enters:
            add(type_.enters, (type_.name, *type_.also))
    for function in libraries.rows(Function):
        if function.returns:
            add(function.returns, (function.name, *function.also))
    for attribute in libraries.rows(Attribute):
        add(attribute.type, (attribute.name,))
    return {name: frozenset(words) for name, words in found.items()}


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
        self.spans = Spans(source)
        self.receivers = Receivers(
            source.data, named, lambda name: self.imports.get(name, ()), reaches, giving(libraries)
        )
        self._held: dict[tuple[ast.expr, frozenset[str]], bool] = {}
        self._readings: dict[Place, list[tuple[ast.Module, Reading]]] = {}
        self.lines_read = 0
        """How many lines `ast` has read."""
        self.lines: dict[int, set[str]] = {}
        self._told: set[tuple[str, str]] = set()
        self.inherited: dict[int, set[str]] = {}
        self.passed_on: dict[str, tuple[Want, ...]] = {}
        """Names of this file's definitions that matter, with what wants them where they are used."""

    def run(self) -> dict[int, set[str]]:
        """Return 0-based lines of the definitions that matter, with the rules to which they matter."""
        self._follow(list(self.wanted))
        return self.lines

    def more(self, wanted: Wants) -> dict[int, set[str]]:
        """Look for further words, too: those that other modules pass on."""
        for word, these in wanted.items():
            self.wanted[word] = (*self.wanted.get(word, ()), *these)
            classes = {name for want in these for name in want.roots if name.encode() in self.source.data}
            self.receivers.named |= classes
        self._follow(list(wanted))
        return self.lines

    def _follow(self, pending: list[str]) -> None:
        lines = self.lines
        for _ in range(_HOPS):
            places: dict[Place, int] = {}
            words: set[str] = set()
            for offset, word in sorted(self._hits(pending)):
                place = self.spans.at(offset)
                if place is None:  # decorators and statements of a class: its whole text is read below
                    place = self._outlined(offset)
                places.setdefault(place, offset)
                words.add(word)
            pending = []
            for place, offset in places.items():
                verdict = self._read(place, words, offset)
                if verdict.rules:
                    lines.setdefault(self._line_of(offset), set()).update(verdict.rules)
                if verdict.touched:
                    class_ = self._class_at(place.start) if place.indent else ""
                    pending += self._pass_on(verdict.names, verdict.touched, class_, place.is_function)
            if not pending:
                break
        for line, rules in self.inherited.items():
            lines.setdefault(line, set()).update(rules)

    def _class_at(self, offset: int) -> str:
        """Return the name of the module's class around a method."""
        data = self.source.data
        start = data.rfind(b"\nclass ", 0, offset) + 1
        match = _CLASS.match(data, start)
        return match[1].decode("utf-8", "replace") if match else ""

    def _pass_on(
        self, names: Iterable[str], touched: Mapping[str, frozenset[str]], class_: str, is_function: bool
    ) -> Iterator[str]:
        """Want the names of what matters, too: whoever uses them may matter to the same rules."""
        if not is_function:  # what a variable was given cannot block
            touched = {code: shape for code, shape in touched.items() if "indirect" not in shape}
        owners = frozenset({class_} if class_ else ())
        for name in {*names, *owners}:
            roots = owners - {name}
            new = {code for code in touched if (name, code) not in self._told}
            if not new:
                continue
            self._told.update((name, code) for code in new)
            by_shape: dict[frozenset[str], set[str]] = {}
            for code in new:
                shape = touched[code] - ({"indirect"} if "indirect" in touched[code] else {"called", "dropped"})
                by_shape.setdefault(shape, set()).add(code)
            wants = tuple(
                Want(name, name, bool(roots), Row, roots, frozenset(codes), shape) for shape, codes in by_shape.items()
            )
            self.receivers.named |= owners
            self.passed_on[name] = (*self.passed_on.get(name, ()), *wants)
            self.wanted[name] = (*self.wanted.get(name, ()), *wants)
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

    def _hits(self, words: Iterable[str]) -> Iterator[tuple[int, str]]:
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
                if (bare_await and _AWAITED_CALL.match(data, position)) or (
                    called and (data[end : end + 1] not in b"( \t" or _is_awaited(data, position))
                ):
                    pass
                elif not _is_word(data[position - 1 : position]) and not _is_word(data[end : end + 1]):
                    if data.startswith(b" as ", end) and (new := _RENAMED.match(data, end)):
                        name = new[1].decode("utf-8", "replace")
                        if name not in self.wanted:
                            self.wanted[name] = self.wanted[word]
                            pending.append(name)
                    if data[max(position - 4, 0) : position] != b"def " and not _in_import(data, position):
                        yield position, word
                position = data.find(needle, end)

    def _read(self, place: Place, words: set[str], offset: int) -> _Verdict:
        """Return to which rules a place matters by some words, and the names that it defines."""
        try:
            pieces = self._pieces(place)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            if not place.is_function and place.start >= 0:  # perhaps a string looked like code
                return self._read(self._outlined(offset), words, offset)
            name = _DEFINED.match(self.source.data, max(place.start, 0))
            verdict = _Verdict({name[1].decode("utf-8", "replace")} if name else set())
            for word in words:
                for want in self.wanted[word]:
                    verdict.add(want, want.shape)
            return verdict
        verdict = _Verdict(set())
        for piece, reading in pieces:
            touched, verdict.touched = verdict.touched, {}
            self._weigh(reading, words, verdict)
            if verdict.touched:
                verdict.names |= _defined(piece)
            verdict.touched = {**touched, **verdict.touched}
        return verdict

    def _pieces(self, place: Place) -> list[tuple[ast.Module, Reading]]:
        """Return what a place says; the module without its functions in pieces, each statement for itself."""
        found = self._readings.get(place)
        if found is None:
            if place.start < 0:
                text = self.outline.skeleton.text
            else:
                body = self.source.data[place.start : place.end].decode(self.source.encoding)
                text = f"if 1:\n{body}" if place.indent else body
            self.lines_read += text.count("\n")
            tree = ast.parse(text)
            pieces = [tree] if place.start >= 0 else [ast.Module([statement], []) for statement in tree.body]
            found = self._readings[place] = [(piece, Reading(piece)) for piece in pieces]
        return found

    def _weigh(self, reading: Reading, words: set[str], verdict: _Verdict) -> None:
        """Add what the code of a piece matters to, as far as some words go."""
        plain = {word for word in words if any(not want.name for want in self.wanted[word])}
        if plain:
            for word, looks in reading.words:
                if word in plain:
                    self._hear(word, looks, verdict)
            for text, looks in reading.texts:
                for word in plain:
                    if word in text:
                        self._hear(word, looks, verdict)
        for word in words:
            for use in reading.uses(word, self.coroutines):
                heir = reading.heirs.get(use.node)
                if heir is None:
                    self._judge(use, reading, verdict)
                    continue
                own = _Verdict(set())
                self._judge(use, reading, own)
                self._inherit(heir, own.rules)
                verdict.rules |= own.rules
                verdict.touched.update(own.touched)

    def _hear(self, word: str, looks: frozenset[str], verdict: _Verdict) -> None:
        for want in self.wanted[word]:
            if not want.name:
                verdict.add(want, looks)

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
        if getattr(node, "attr", getattr(node, "id", "")) in telling_names(self.libraries):
            return True
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
            return has_receiver and (
                not want.roots or not _leaves(want.roots).isdisjoint([*full.split("."), *name.split(".")])
            )
        return (
            want.of_type
            and has_receiver
            and not _leaves(want.roots).isdisjoint([*full.split("."), *name.split(".")[:-1]])
        )


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


@lru_cache(maxsize=4096)
def _leaves(roots: frozenset[str]) -> frozenset[str]:
    return frozenset(root.rpartition(".")[2] for root in roots)


_TELLING: dict[int, frozenset[str]] = {}


def telling_names(libraries: Libraries) -> frozenset[str]:
    """Return the names that say what an untyped object is, by the rows: `loop`, `executor`."""
    found = _TELLING.get(id(libraries))
    if found is None:
        rows = (row for kind in kinds().values() for row in libraries.rows(kind))
        found = _TELLING[id(libraries)] = frozenset(n for row in rows for n in getattr(row, "receivers", ()))
    return found


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
_CLASS = re.compile(rb"class[ \t]+(\w+)")
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
