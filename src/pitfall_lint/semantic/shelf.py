"""What was read of modules and stays for a while when the files that asked for it are let go of.

Outlines and trees say nothing of other modules: whoever comes next finds them as they were.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from pitfall_lint.semantic.outline import Block, Outline, Slice
from pitfall_lint.source import Source

if TYPE_CHECKING:
    from pitfall_lint.semantic.tree import Tree

Key = tuple[Outline, "Block | Slice | None"]
"""A definition of a file, or another piece of it; None for the module without its functions."""

_BYTES = 12_000_000
"""Text of which the outlines are kept, at most."""
_LINES = 15_000
"""Lines of which the trees are kept, at most, when files are let go of."""
_ONCE = 5_000
"""Lines beside them of which trees are kept that were asked for once."""


class Shelf:
    """The outlines and trees of one project's modules. What was asked for again goes last.

    It is open only in runs over many files: where texts are edited, nothing stays.
    """

    def __init__(self) -> None:
        self.is_open = False
        self._outlines: OrderedDict[str, Outline] = OrderedDict()
        self._size = 0
        self._trees: OrderedDict[Key, Tree] = OrderedDict()
        self._seen: set[Key] = set()
        """What there was a tree of at some time."""
        self._wanted: set[Key] = set()
        """What was asked for a second time: it will be a third time."""

    def outline(self, path: str) -> Outline | None:
        """Return the outline of a file, if it is known."""
        found = self._outlines.get(path)
        if found is not None:
            self._outlines.move_to_end(path)
        return found

    def outlined(self, path: str, source: Source) -> Outline:
        """Return the outline of a text that stands at a path."""
        found = self.outline(path)
        if not self.is_open:
            return Outline(source)
        if found is None or found.source.data != source.data:
            self.forget(path)
            found = self._outlines[path] = Outline(source)
            self._size += len(source.data)
        return found

    def tree(self, outline: Outline, piece: Block | Slice | None) -> Tree | None:
        """Return the tree of a piece of a file, if it is known."""
        key = (outline, piece)
        found = self._trees.get(key)
        if found is not None:
            self._trees.move_to_end(key)
            self._wanted.add(key)
        return found

    def put(self, outline: Outline, piece: Block | Slice | None, tree: Tree) -> None:
        """Keep the tree of a piece of a file."""
        if not self.is_open:
            return
        key = (outline, piece)
        if key in self._seen:
            self._wanted.add(key)
        self._seen.add(key)
        self._trees[key] = tree

    def trim(self) -> None:
        """Let go of what was not asked for lately."""
        while self._size > _BYTES:
            self._size -= len(self._outlines.popitem(last=False)[1].source.data)
        for outline in self._outlines.values():
            vars(outline.source).pop("lines", None)  # a large list
        kept = set(self._outlines.values())
        self._seen = {key for key in self._seen if key[0] in kept}
        self._wanted &= self._seen
        left, once = _LINES, _ONCE
        for key in reversed(list(self._trees)):
            lines = len(self._trees[key].slice.lines)
            if key in self._wanted:
                left -= lines
            else:
                once -= lines
            if (left if key in self._wanted else once) < 0 or key[0] not in kept:
                del self._trees[key]

    def forget(self, path: str) -> None:
        """Drop what is known of a file."""
        outline = self._outlines.pop(path, None)
        if outline is not None:
            self._size -= len(outline.source.data)
            for key in [key for key in self._trees if key[0] is outline]:
                del self._trees[key]
