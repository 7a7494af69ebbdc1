"""From the paths in a traceback, of whatever machine, to the files of the local tree."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePosixPath

from pitfall_lint.diagnose.reading import Frame
from pitfall_lint.run import read, shown_path
from pitfall_lint.semantic.outline import Block, Outline
from pitfall_lint.semantic.spans import imports
from pitfall_lint.source import Source

_INSTALLED = re.compile(r"(?:^|/)(?:site-packages|dist-packages)/")
_FOREIGN = re.compile(r"(?:^|/)(?:site-packages|dist-packages|lib/python\d[\d.]*)/|^<")
_GENERIC = frozenset(
    {"__init__", "__call__", "__enter__", "__exit__", "__aenter__", "__aexit__", "main", "run", "_run"}
    | {"wrapper", "wrapped", "inner", "decorator", "call", "handle", "execute", "process"}
)


@dataclass(frozen=True, eq=False)
class Module:
    """One file of the local tree."""

    path: str
    parts: tuple[str, ...]
    """The path below the root, as a tuple."""

    @cached_property
    def source(self) -> Source | None:
        """The text; None when it can't be read."""
        try:
            return Source(shown_path(self.path), read(self.path))
        except OSError:
            return None

    @property
    def data(self) -> bytes:
        """The bytes of the text; none when it can't be read."""
        return self.source.data if self.source is not None else b""

    @cached_property
    def _imported(self) -> frozenset[str]:
        found = imports(self.data).values()
        return frozenset(word for bindings in found for binding in bindings for word in binding.full.split("."))

    def imports(self, other: Module) -> bool:
        """Tell whether this module may import another one, going by the last word of its name."""
        stem = other.parts[-1].removesuffix(".py")
        word = other.parts[-2] if stem == "__init__" and len(other.parts) > 1 else stem
        return word.encode() in self.data and word in self._imported

    @cached_property
    def outline(self) -> Outline | None:
        """Its definitions."""
        return Outline(self.source) if self.source is not None else None

    def block(self, line: int, function: str) -> Block | None:
        """Return the innermost definition around a 1-based line, or else the one of that name."""
        outline = self.outline
        if outline is None:
            return None
        around = [b for b in outline.blocks if b.first <= line - 1 < b.end and not b.is_class]
        if around and (not function or around[-1].name == function.rpartition(".")[2] or "<" in function):
            return around[-1]
        named = [b for b in outline.blocks if b.name == function.rpartition(".")[2] and not b.is_class]
        return named[0] if len(named) == 1 else around[-1] if around and not named else None

    def line_of(self, text: str, near: int, block: Block | None) -> int | None:
        """Return the 1-based line of a definition that says something, the nearest one; None if there is none."""
        if self.source is None or len(text) < 4:
            return None
        first, end = (block.first, block.end) if block is not None else (0, len(self.source.lines))
        wanted = text.encode()
        found = [n + 1 for n in range(first, end) if self.source.lines[n].strip() == wanted]
        return min(found, key=lambda line: abs(line - near), default=None)


@dataclass(frozen=True, eq=False)
class Place:
    """A frame of a traceback, found again in the local tree."""

    frame: Frame
    module: Module
    block: Block | None
    """The function; None at module level."""
    is_exact: bool = False
    """Whether the line's text is known, so that the line is right though the log may be of another version."""


class Tree:
    """The files of the local tree, found by the ends of their paths."""

    def __init__(self, root: str, paths: Iterable[str]) -> None:
        self.modules: list[Module] = []
        self._by_name: dict[str, list[Module]] = {}
        base = PurePosixPath(root.replace("\\", "/"))
        for path in paths:
            whole = PurePosixPath(path.replace("\\", "/"))
            parts = whole.relative_to(base).parts if whole.is_relative_to(base) else whole.parts
            module = Module(path, parts)
            self.modules.append(module)
            self._by_name.setdefault(parts[-1], []).append(module)

    def place(self, frame: Frame) -> Place | None:
        """Return where a frame is in the local tree; None for other people's code and what is ambiguous."""
        path = frame.path.replace("\\", "/")
        parts = tuple(part for part in path.split("/") if part not in ("", "."))
        if not parts or not parts[-1].endswith(".py"):
            return None
        installed = _INSTALLED.search(path)
        package = tuple(path[installed.end() :].split("/")) if installed else ()
        scored = []
        for module in self._by_name.get(parts[-1], ()):
            common = _common_end(parts, module.parts)
            if self._belongs(module, common, package) and _may_hold(module, frame):
                scored.append((common, -len(module.parts), module))
        scored.sort(key=lambda entry: entry[:2], reverse=True)
        if not scored or (len(scored) > 1 and scored[0][:2] == scored[1][:2]):
            return None
        module = scored[0][2]
        block = module.block(frame.line, frame.function)
        line = module.line_of(frame.text, frame.line, block)
        return Place(replace(frame, line=line or frame.line), module, block, line is not None)

    def _belongs(self, module: Module, common: int, package: tuple[str, ...]) -> bool:
        if package:  # all of the package's own path must be there
            return common >= len(package)
        return common >= 2 or common == len(module.parts)


def _common_end(left: tuple[str, ...], right: tuple[str, ...]) -> int:
    common = 0
    for one, other in zip(reversed(left), reversed(right), strict=False):
        if one != other:
            break
        common += 1
    return common


def _may_hold(module: Module, frame: Frame) -> bool:
    """Tell whether the frame can be of this file at all: the line or the function is there."""
    if module.source is None:
        return False
    name = frame.function.rpartition(".")[2]
    if not name or "<" in name:
        return frame.line <= len(module.source.lines) or (len(frame.text) > 3 and frame.text.encode() in module.data)
    return name.encode() in module.source.data


def is_foreign(frame: Frame) -> bool:
    """Tell whether a frame is of installed code or the standard library."""
    return _FOREIGN.search(frame.path.replace("\\", "/").replace("/Lib/", "/lib/")) is not None


def telling_names(names: Iterable[str]) -> set[str]:
    """Return the names of functions by which their callers can be known: none that everybody uses."""
    found = {name.rpartition(".")[2] for name in names}
    return {name for name in found if len(name) > 3 and name not in _GENERIC and "<" not in name}
