"""Where to look: which definitions of a file could matter, told by words, imports and the stdlib's `ast`.

Over-inclusive by construction: it answers "perhaps" or "never", and a definition that it calls "never" holds no
use of what the library rows speak of. What is wanted is derived from the rows, not written per rule.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from keyword import iskeyword

from pitfall_lint.libraries import Function, Libraries, Row, Type
from pitfall_lint.semantic.outline import Block, Outline

TABLE = bytes(code if chr(code).isalnum() and code < 128 or code == 95 or code >= 128 else 32 for code in range(256))
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


Wants = Mapping[str, tuple[Want, ...]]


def wants(rules_of: Mapping[type[Row], frozenset[str]], libraries: Libraries) -> Wants:
    """Return what the rows of these kinds wake, by word: leaves of names, of their other paths, and plain words."""
    also, makers = _other_names(libraries), _makers(libraries)
    found: dict[str, dict[Want, None]] = {}

    def add(word: str, name: str, of_type: bool, kind: type[Row], roots: Iterable[str]) -> None:
        if iskeyword(word) and name:
            return  # a name from older Pythons
        want = Want(word, name, of_type, kind, frozenset(roots), rules_of[kind])
        found.setdefault(word, {})[want] = None

    for kind in rules_of:
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
                            add(word, "", False, kind, roots)
                        continue
                    canonical = libraries.canonical(text)
                    others = makers.get(canonical, ()) if f.name == "type" else ()
                    for name in (*also.get(canonical, (text,)), *others):
                        owner, _, leaf = name.rpartition(".")
                        add(leaf, name if owner else "", _is_type(owner, libraries), kind, roots if owner else ())
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

    def __init__(self, outline: Outline, found: Iterable[str], wanted: Wants, libraries: Libraries) -> None:
        self.outline = outline
        self.libraries = libraries
        self.wanted = {word: wanted[word] for word in found if word in wanted}
        self.plain = [word for word, these in self.wanted.items() if any(not want.name for want in these)]
        self.lines_read = 0
        """How many lines `ast` has read."""
        self.lines: dict[int, set[str]] = {}
        """0-based lines that stand for the definitions to look at, and the rules that they matter to."""

    def run(self) -> dict[int, set[str]]:
        """Return the lines that matter, with the rules to which they matter."""
        blocks: dict[Block | None, int] = {}
        for line in self._hits():
            blocks.setdefault(self.outline.function_at(line), line)
        for block, line in blocks.items():
            self._read(block, line)
        return self.lines

    def _hits(self) -> list[int]:
        """Return the lines with an occurrence that is more than a definition's name or part of a longer word."""
        data, lines = self.outline.source.data, []
        for word in self._spellings():
            needle = word.encode()
            position = data.find(needle)
            while position >= 0:
                end = position + len(needle)
                if not _is_word(data[position - 1 : position]) and not _is_word(data[end : end + 1]):
                    if data[max(position - 4, 0) : position] != b"def " and not _in_import(data, position):
                        lines.append(self.outline.line_of(position))
                position = data.find(needle, end)
        return sorted(set(lines))

    def _spellings(self) -> list[str]:
        """Return the wanted words, and the names that imports give them here."""
        renamed: dict[str, tuple[Want, ...]] = {}
        for name, bindings in self.outline.imports.items():
            for bound in bindings:
                if bound.attribute in self.wanted and bound.attribute != name and name not in self.wanted:
                    renamed[name] = self.wanted[bound.attribute]
        self.wanted.update(renamed)
        return list(self.wanted)

    def _read(self, block: Block | None, line: int) -> None:
        slice_ = self.outline.skeleton if block is None else self.outline.slice(block)
        self.lines_read += len(slice_.lines)
        rules: set[str] = set()
        try:
            tree = ast.parse(slice_.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            rules.update(code for these in self.wanted.values() for want in these for code in want.rules)
        else:
            self._walk(tree, rules)
        if rules:
            self.lines[line] = rules

    def _walk(self, tree: ast.AST, rules: set[str]) -> None:
        inner: dict[str, list[str]] = {}
        used: list[ast.expr] = []
        stack: list[ast.AST] = [tree]
        wanted, plain = self.wanted, self.plain
        while stack:
            node = stack.pop()
            kind = type(node)
            if kind is ast.Name:
                if node.id in wanted:  # type: ignore[attr-defined]
                    used.append(node)  # type: ignore[arg-type]
                continue
            if kind is ast.Constant:
                if plain and isinstance(value := node.value, (str, bytes)):  # type: ignore[attr-defined]
                    text = value if isinstance(value, str) else value.decode("latin-1")
                    for word in plain:
                        if word in text:
                            rules.update(code for want in wanted[word] if not want.name for code in want.rules)
                continue
            if kind is ast.Attribute:
                if node.attr in wanted:  # type: ignore[attr-defined]
                    used.append(node)  # type: ignore[arg-type]
            elif kind is ast.keyword:
                if node.arg in plain:  # type: ignore[attr-defined]
                    for want in wanted[node.arg]:  # type: ignore[attr-defined]
                        rules.update(want.rules if not want.name else ())
            elif kind is ast.Expr:
                if type(node.value) is ast.Constant:  # type: ignore[attr-defined]
                    continue  # a docstring
            elif kind in (ast.Import, ast.ImportFrom):
                _bind(node, inner)
                for alias in node.names:  # type: ignore[attr-defined]
                    if alias.asname and alias.name in wanted and kind is ast.ImportFrom:
                        rules.update(code for want in wanted[alias.name] for code in want.rules)
                continue
            elif kind in _KEYWORDS:
                for word in _KEYWORDS[kind]:
                    for want in wanted.get(word, ()):
                        rules.update(want.rules if not want.name else ())
            for child in node.__dict__.values():
                if type(child) is list:
                    stack.extend(item for item in child if isinstance(item, ast.AST))
                elif isinstance(child, ast.AST) and not isinstance(child, ast.expr_context):
                    stack.append(child)
        for expression in used:
            self._judge(expression, inner, rules)

    def _judge(self, node: ast.expr, inner: Mapping[str, list[str]], rules: set[str]) -> None:
        parts: list[str] = []
        current = node
        while isinstance(current, ast.Attribute):
            parts.append(current.attr)
            current = current.value
        word = parts[0] if parts else current.id  # type: ignore[attr-defined]
        wanted = self.wanted[word]
        if not isinstance(current, ast.Name):  # the result of a call, an item, …: a receiver of any type
            for want in wanted:
                if want.of_type or not want.name:
                    rules.update(want.rules)
            return
        parts.append(current.id)
        parts.reverse()
        bound = [*inner.get(parts[0], ())]
        bound += [_full(b.module, b.attribute, b.level) for b in self.outline.imports.get(parts[0], ())]
        if not bound:
            for want in wanted:
                if want.of_type or not want.name or len(parts) == 1:
                    rules.update(want.rules)
            return
        for full in bound:
            name = self.libraries.canonical(".".join([full, *parts[1:]]))
            for want in wanted:
                if not want.rules <= rules and self._could_be(want, name, full, len(parts) > 1):
                    rules.update(want.rules)

    def _could_be(self, want: Want, name: str, full: str, has_receiver: bool) -> bool:
        """Tell whether an imported thing could be what is wanted: it is, or it is the project's, or an object."""
        if not want.name or full.startswith("."):
            return True
        if name == self.libraries.canonical(want.name) or self.libraries.find_all(want.kind, name):
            return True
        if full.partition(".")[0] not in self._known_roots:
            return True
        return want.of_type and has_receiver and "." in full

    @property
    def _known_roots(self) -> frozenset[str]:
        return known_roots(self.libraries)


_ROOTS: dict[int, frozenset[str]] = {}


def known_roots(libraries: Libraries) -> frozenset[str]:
    """Return the top-level packages that rows speak of: nothing of a project stands in them."""
    found = _ROOTS.get(id(libraries))
    if found is None:
        names = (name for kind in (Type, Function) for row in libraries.rows(kind) for name in row.names)
        found = _ROOTS[id(libraries)] = frozenset(name.partition(".")[0] for name in names if "." in name)
    return found


_KEYWORDS: dict[type[ast.AST], tuple[str, ...]] = {
    ast.AsyncFunctionDef: ("async", "def"),
    ast.FunctionDef: ("def",),
    ast.AsyncFor: ("async",),
    ast.AsyncWith: ("async",),
    ast.comprehension: ("async",),
    ast.Await: ("await",),
    ast.ExceptHandler: ("except",),
    ast.Try: ("try", "finally"),
    ast.Yield: ("yield",),
    ast.YieldFrom: ("yield",),
    ast.Return: ("return",),
    ast.With: ("with",),
    ast.For: ("for",),
    ast.While: ("while",),
    ast.ClassDef: ("class",),
    ast.Lambda: ("lambda",),
    ast.Raise: ("raise",),
}


def _is_word(byte: bytes) -> bool:
    return byte.isalnum() or byte == b"_" or byte >= b"\x80"


def _in_import(data: bytes, position: int) -> bool:
    """Tell whether a place stands in a module-level import of one line."""
    start = max(data.rfind(b"\n", 0, position), data.rfind(b"\r", 0, position)) + 1
    return data.startswith((b"from ", b"import "), start) and b";" not in data[start:position]


def _bind(node: ast.AST, names: dict[str, list[str]]) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            target = alias.name if alias.asname else alias.name.partition(".")[0]
            names.setdefault(alias.asname or target, []).append(target)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            full = _full(node.module or "", alias.name, node.level)
            names.setdefault(alias.asname or alias.name, []).append(full)


def _full(module: str, attribute: str | None, level: int) -> str:
    return "." * level + ".".join(part for part in (module, attribute) if part)
