"""How far a change spreads: the lines of changed files, and of those that use them, whose findings can be new.

Names are compared, nothing is resolved: rather too many lines than too few.
"""

from __future__ import annotations

import itertools
import keyword
import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from pitfall_lint.screen import Awake
from pitfall_lint.semantic.outline import Block, Outline
from pitfall_lint.semantic.project import read_bytes
from pitfall_lint.semantic.spans import imports
from pitfall_lint.source import Source

_FARTHEST = 2
"""Calls between what changed and what may become wrong by it."""
_MOST = 150
"""Lines that use what changed, beyond which nothing farther is looked at."""
_DEEPEST = 3
"""Calls between a changed line and a function of the same file that it starts."""
_DEFINITION = re.compile(rb"([ \t]*)(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)")
_MAKING = re.compile(rb"[ \t]*(?:class[ \t]|(?:async[ \t]+)?def[ \t]+__)")
"""What a class as a whole is changed by: more than a method's name knows of it."""
_KEYWORDS = frozenset(word.encode() for word in (*keyword.kwlist, "self", "cls", "typing", "annotations"))
_IMPORT = re.compile(rb"^[ \t]*(?:from|import)[ \t][^\r\n(]*(?:\([^)]*\)|[^\r\n]*)", re.MULTILINE)
_STAR = re.compile(rb"^[ \t]*from[ \t]+[\w. \t]*?(\w*)[ \t]+import[ \t]*\*", re.MULTILINE)
_ATTRIBUTE = re.compile(rb"(?<!\w)(?:self|cls)\.(\w+)")
_ASSIGNED = re.compile(rb"(?<!\w)(?:self|cls)\.(\w+)[^=\n]*=(?!=)")
_WORD = rb"(?<!\w)(?:%s)(?!\w)"
_OWN = rb"(?<!\w)(?:self|cls)\.(?:%s)(?!\w)"
_CLOSERS = (b")", b"]", b"}")


@dataclass(frozen=True)
class Change:
    """What is different in one file; lines are 0-based."""

    new: bytes
    old: bytes
    added: frozenset[int]
    """Lines of the new text that the old one does not have, and those around what it has lost."""
    gone: frozenset[int]
    """Lines of the old text that the new one does not have."""


@dataclass(frozen=True)
class Affected:
    """What of some files can have new findings."""

    lines: Mapping[str, tuple[int, ...] | None]
    """By path, the 0-based lines whose definitions are to be looked at; None for a file as a whole."""
    far: int = 0
    """How many lines that use what changed were left out, because nearer ones are already many."""


def affected(changes: Mapping[str, Change | None], paths: Iterable[str]) -> Affected:
    """Return what of some files can have new findings.

    What counts is what changed itself, what uses a changed definition or attribute, at most two calls away, and
    what a changed line starts.
    """
    names: dict[bytes, set[bytes]] = {}
    """What changed, by the last word of its module's name."""
    modules = [_Module(path, changes.get(os.path.realpath(path)), os.path.realpath(path) in changes) for path in paths]
    for path, change in changes.items():  # those that are not to be linted matter to others, too
        if change is not None:
            names.setdefault(_module_word(path), set()).update(_changed_names(change))
    waiting = [module for module in modules if not module.is_whole]
    known: dict[bytes, set[bytes]] = {}
    used = far = 0
    for _ in range(_FARTHEST):
        fresh = {word: names[word] - known.get(word, set()) for word in names}
        known = {word: set(those) for word, those in names.items()}
        for module in sorted(waiting, key=lambda module: module.change is None):
            for word, more in module.take({word: new for word, new in fresh.items() if new}):
                names.setdefault(word, set()).update(more)
            if used + len(module.fresh) > _MOST and module.change is None:
                far += len(module.fresh)
            else:
                used += len(module.fresh)
                module.hits |= module.fresh
            module.fresh = set()
    return Affected({module.path: module.lines() for module in modules if module.is_whole or module.hits}, far)


def narrowed(awake: Awake, source: Source, lines: tuple[int, ...] | None, now: Source | None = None) -> Awake:
    """Return what the screen says of a text, as far as it lies in the definitions around some lines.

    For an older text, `now` is the text that the lines are of: then what has gone since is looked at, too.
    """
    if lines is None or not awake.lines:
        return awake
    here = Outline(now or source)
    wanted = {_name(here.function_at(line)) for line in lines}
    there = Outline(source) if now else here
    still = {_name(block) for block in here.functions} | {()} if now else None
    names = {line: _name(there.function_at(line)) for line in awake.lines}
    kept = tuple(n for n, name in names.items() if name in wanted or (still is not None and name not in still))
    return replace(awake, lines=kept, rules=awake.rules if kept else ())


def _name(block: Block | None) -> tuple[str, ...]:
    names = []
    while block is not None:
        names.append(block.name)
        block = block.parent
    return tuple(names)


class _Module:
    """One file, and the lines of it that were hit so far."""

    def __init__(self, path: str, change: Change | None, is_changed: bool) -> None:
        self.path = path
        self.word = _module_word(path)
        self.change = change
        self.data = change.new if change is not None else read_bytes(path) or b""
        # Lines that only end in CR are counted otherwise by git.
        self.is_whole = is_changed and (change is None or self.data.count(b"\r") != self.data.count(b"\r\n"))
        self.hits = set(change.added) if change is not None else set()
        self.imported = _imported_words(self.data)
        self.stars = {match[1] for match in _STAR.finditer(self.data)}
        self.fresh: set[int] = set()
        """The lines that were hit last."""
        self.attributes = self._changed_attributes()
        self.own = self._changed_here()

    @cached_property
    def rows(self) -> list[bytes]:
        """The lines."""
        return self.data.splitlines()

    def _changed_attributes(self) -> set[bytes]:
        """Return the attributes of an object's own that changed lines read or write."""
        if self.change is None:
            return set()
        old = self.change.old.splitlines()
        lines = [self.rows[n] for n in self.change.added if n < len(self.rows)]
        lines += [old[n] for n in self.change.gone if n < len(old)]
        return {match[1] for line in lines for match in _ATTRIBUTE.finditer(line)}

    def _changed_here(self) -> set[bytes]:
        """Return the names that changed as far as this file goes, imported ones too."""
        if self.change is None:
            return set()
        new, old = self.rows, self.change.old.splitlines()
        names = _names_around(new, self.change.added, ()) | _names_around(old, self.change.gone, ())
        now, before = _import_sources(self.change.new), _import_sources(self.change.old)
        return names | {name for name in now.keys() | before.keys() if now.get(name) != before.get(name)}

    @cached_property
    def sources(self) -> dict[bytes, set[str]]:
        """What the names that imports bind stand for."""
        return _import_sources(self.data)

    def take(self, names: Mapping[bytes, set[bytes]]) -> Iterator[tuple[bytes, set[bytes]]]:
        """Take names that changed, by module; yield those that change with them, by module."""
        foreign = set().union(*(names[word] for word in names.keys() & self.imported))
        own = names.get(self.word, set()) if self.change is not None or self.hits else set()
        used = foreign | own | self.own
        for word in self.stars & names.keys():
            yield self.word, names[word]
        if foreign:
            passed = {
                n for n, told in self.sources.items() if any(t.rpartition(".")[2].encode() in foreign for t in told)
            }
            used |= passed
            yield self.word, passed
        if used:
            hits = {number for number in _uses(self.rows, self.data, used) if number not in self.hits}
            yield self.word, _names_around(self.rows, hits, (), is_use=True)
            self.fresh = hits | set(_lines_with(self.rows, self.data, _OWN, self.attributes))
        self.attributes, self.own = set(), set()

    def lines(self) -> tuple[int, ...] | None:
        """Return the lines to look at; None for all."""
        if self.is_whole:
            return None
        outline = Outline(Source(self.path, self.data))
        lines = set(self.hits)
        for line in self.hits:
            if outline.function_at(line) is None:  # a class's own line matters to all of its methods
                for class_ in outline.classes:
                    if class_.first <= line < class_.end:
                        lines.update(b.header for b in outline.functions if class_.first <= b.first < class_.end)
        if self.change is not None:
            lines |= self._started(outline)
        return tuple(sorted(lines))

    def _started(self, outline: Outline) -> set[int]:
        """Return the first lines of the functions here that changed lines name, and of those that they name."""
        assert self.change is not None
        functions: dict[bytes, list[tuple[int, int]]] = {}
        for block in outline.functions:
            functions.setdefault(block.name.encode(), []).append((block.header, block.end))
        found: set[int] = set()
        rows = [self.rows[n] for n in self.change.added if n < len(self.rows)]
        for _ in range(_DEEPEST):
            named = {word for row in rows for word in re.findall(rb"\w+", row)}
            spans = [span for name in named & functions.keys() for span in functions[name] if span[0] not in found]
            found.update(start for start, _ in spans)
            rows = [row for start, end in spans for row in self.rows[start + 1 : end]]
        return found


def _imported_words(data: bytes) -> frozenset[bytes]:
    return frozenset(word for match in _IMPORT.finditer(data) for word in re.findall(rb"\w+", match.group()))


def _import_sources(data: bytes) -> dict[bytes, set[str]]:
    """Return what the names that imports bind stand for."""
    return {name.encode(): {binding.full for binding in found} for name, found in imports(data).items()}


def _uses(rows: list[bytes], data: bytes, words: Iterable[bytes]) -> Iterator[int]:
    """Yield the 0-based lines in which one of some words is used: a class by making or inheriting from it."""
    for number in _lines_with(rows, data, _WORD, words):
        row = rows[number].lstrip()
        if not row.startswith((b"from ", b"import ", b"#")):
            found = (row[m.end() : m.end() + 1] for m in re.finditer(_WORD % b"|".join(sorted(words)), row))
            plain = any(not word[:1].isupper() for word in re.findall(rb"\w+", row) if word in words)
            if plain or row.startswith((b"class ", b"@")) or any(after in (b"(", b".") for after in found):
                yield number


def _lines_with(rows: list[bytes], data: bytes, form: bytes, words: Iterable[bytes]) -> list[int]:
    """Return the 0-based lines in which one of some words stands in a form."""
    some = b"|".join(sorted(words))
    pattern = re.compile(form % some)
    if not some or not pattern.search(data):
        return []
    return [number for number, row in enumerate(rows) if pattern.search(row)]


def _changed_names(change: Change) -> set[bytes]:
    """Return the names of the definitions and attributes in which two texts of a module differ."""
    new, old = change.new.splitlines(), change.old.splitlines()
    names = _names_around(new, change.added, ())  # what is only imported now is nothing that others can have used
    names |= _names_around(old, change.gone, _imported_words(change.old) - _imported_words(change.new))
    rows = [new[n] for n in change.added if n < len(new)] + [old[n] for n in change.gone if n < len(old)]
    return names | {match[1] for row in rows for match in _ASSIGNED.finditer(row)}


def _names_around(
    lines: list[bytes], numbers: Iterable[int], imported: Container[bytes] | None = None, is_use: bool = False
) -> set[bytes]:
    """Return the names of the definitions around some lines, and what statements outside of any begin with.

    Of the names that lines import only those count that are among `imported`, if that is given. A class counts
    where it as a whole is another one: by its own lines and those of its `__init__`, but if they only use what
    changed (`is_use`), by what they give to its attributes.
    """
    names: set[bytes] = set()
    for number in numbers:
        if number >= len(lines):
            continue
        line = lines[number]
        depth = len(line) - len(line.lstrip())
        if line.lstrip().startswith(b"@"):  # it belongs to the definition below
            below = (match for other in lines[number + 1 :] if (match := _DEFINITION.match(other)))
            names.update(match[2] for match in itertools.islice(below, 1))
        in_method = _MAKING.match(line) is None and _DEFINITION.match(line) is not None and bool(depth)
        if match := _DEFINITION.match(line):
            names.add(match[2])
        elif not depth and not line.startswith(_CLOSERS):
            names |= _bound(line, imported)
        if not depth and not line.startswith(_CLOSERS):
            continue
        for above in reversed(lines[:number]):
            deep = len(above) - len(above.lstrip())
            if not above.strip() or (deep and deep >= depth) or above.lstrip().startswith((*_CLOSERS, b"#")):
                continue
            depth = deep
            if match := _DEFINITION.match(above):
                if not in_method or not above.lstrip().startswith(b"class"):
                    names.add(match[2])
                in_method = in_method or not _MAKING.match(above) or (is_use and not _ASSIGNED.search(line))
            elif not deep:
                names |= _bound(above, imported)
            if not deep:
                break
    return {name for name in names if name not in _KEYWORDS and not name.startswith(b"__")}


def _bound(line: bytes, imported: Container[bytes] | None) -> set[bytes]:
    """Return what a line at the margin binds: the names of an import, or the word that it begins with."""
    if line.startswith(b"from "):
        found = re.findall(rb"\w+", line.partition(b" import ")[2])
        return {word for word in found if imported is None or word in imported}
    begins = re.match(rb"[A-Za-z_]\w*", line)
    return {begins[0]} if begins else set()


def _module_word(path: str) -> bytes:
    """Return the last word of the name by which a file is imported."""
    stem = os.path.basename(path).rpartition(".")[0]
    return (os.path.basename(os.path.dirname(path)) if stem == "__init__" else stem).encode()
