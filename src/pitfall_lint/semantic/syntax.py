"""The parsed slices of one file, and where their nodes stand."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, TypeVar, cast, overload

import libcst as cst

from pitfall_lint.semantic.heading import Heading, heading_of
from pitfall_lint.semantic.outline import Block, Slice
from pitfall_lint.semantic.scopes import Binding, Scope
from pitfall_lint.semantic.shelf import Shelf
from pitfall_lint.semantic.tree import Tree
from pitfall_lint.semantic.walk import all_nodes
from pitfall_lint.source import Source

N = TypeVar("N", bound=cst.CSTNode)
FUNCTIONS = (cst.FunctionDef, cst.Lambda)


class Syntax:
    """The trees of one file: parsed when asked for, each node known by its surroundings.

    `lines` (0-based) say which definitions are looked at: those that hold such a line; None means all.
    """

    def __init__(self, source: Source, lines: Iterable[int] | None, shelf: Shelf, path: str) -> None:
        self.source = source
        self.outline = shelf.outlined(path, source)
        self._shelf = shelf
        self.errors: list[tuple[int, str]] = []
        """Definitions that do not parse: (1-based line, message)."""
        self.kept: dict[str, list[Tree]] = {}
        """Trees of the text before an edit, by their slices' text: what is the same is not read again."""
        self.is_edited = False
        """Whether such trees were given: each of them may stand for one definition only."""
        self.read: dict[str, list[Tree]] = {}
        """The trees of this text, for the next one."""
        self.memo: dict[object, Any] = {}
        """For rooms of `semantic/` that keep an answer per file."""
        self._lines = None if lines is None else tuple(sorted(lines))
        self.is_looked_at = True
        """Whether checks run on this file, or others only ask it something."""
        self._first_lines = self._lines
        self._in_whole: bool | None = None
        self._pieces: dict[Slice, Tree | None] = {}
        self._trees: dict[Block | None, Tree | None] = {}
        self._parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self._scope_of: dict[cst.CSTNode, Scope] = {}
        self._tree_of: dict[cst.CSTNode, Tree] = {}

    def look_at(self, lines: tuple[int, ...] | None) -> None:
        """Look at other definitions from now on: those that hold one of these lines, in order, or all."""
        if lines != self._lines:
            self._lines = lines
            self.__dict__.pop("trees", None)

    @property
    def view(self) -> tuple[int, ...] | None:
        """The lines that are looked at: a part of the key of every kept answer that depends on them."""
        return self._lines

    @cached_property
    def trees(self) -> tuple[Tree, ...]:
        """The parsed slices of what is being looked at, in textual order of the definitions."""
        blocks: list[Block | None]
        if self._lines is None:
            blocks = [None, *self.outline.functions]
        else:
            wanted = {self.outline.function_at(line) for line in self._lines}
            blocks = sorted(wanted, key=lambda block: -1 if block is None else block.first)
        return tuple(tree for block in blocks if (tree := self.tree(block)) is not None)

    @overload
    def nodes(self, kind: type[N], /) -> Iterator[N]: ...
    @overload
    def nodes(self, *kinds: type[cst.CSTNode]) -> Iterator[cst.CSTNode]: ...
    def nodes(self, *kinds: type[cst.CSTNode]) -> Iterator[cst.CSTNode]:
        """Yield the nodes of these kinds, in textual order within each definition."""
        for tree in self.trees:
            found = [node for kind in kinds for node in tree.by_kind.get(kind, ())]
            yield from sorted(found, key=tree.order.__getitem__) if len(kinds) > 1 else found

    def tree(self, block: Block | None) -> Tree | None:
        """Return the parsed slice of an outermost function, the skeleton's for None; None if unreadable."""
        if block in self._trees:
            return self._trees[block]
        tree = self._parse(block)
        self._trees[block] = tree
        if tree is not None:
            self._know(tree)
        return tree

    def piece(self, slice_: Slice) -> Tree | None:
        """Return the tree of a piece of the module that is no definition of its own; None if unreadable."""
        if slice_ not in self._pieces:
            tree = self._shelf.tree(self.outline, slice_)
            if tree is None:
                with contextlib.suppress(cst.ParserSyntaxError, RecursionError):
                    tree = Tree(slice_)
                    self._shelf.put(self.outline, slice_, tree)
            self._pieces[slice_] = tree
            if tree is not None:
                self._know(tree)
        return self._pieces[slice_]

    def read_module(self) -> Tree:
        """Return the skeleton's tree; from now on nothing of it is read in pieces."""
        self._in_whole = True
        return self.skeleton

    @property
    def reads_whole_module(self) -> bool:
        """Whether what stands in the module itself is read in one piece: then its nodes are met elsewhere, too."""
        if self._in_whole is None:
            looked_at = self._first_lines if self.is_looked_at else ()
            self._in_whole = looked_at is None or any(self.outline.function_at(line) is None for line in looked_at)
        return self._in_whole

    def module_bindings(self, name: str) -> Sequence[Binding]:
        """Return what binds a name in the module, but for what stands behind `global`; only that much is read."""
        slices = self.outline.statements_binding(name)
        if slices is None or (slices and (self.reads_whole_module or self.has_read(None))):
            return self.skeleton.root.bindings.get(name, ())
        found: list[Binding] = []
        for slice_ in slices:
            tree = self.piece(slice_)
            if tree is None:
                return self.skeleton.root.bindings.get(name, ())
            found.extend(tree.root.bindings.get(name, ()))
        return found

    def release(self) -> None:
        """Let go of everything that was read: trees and what is told of them hold each other. It is not used again."""
        for known in vars(self).values():
            if isinstance(known, dict):
                known.clear()
        self.__dict__.pop("trees", None)
        self.__dict__.pop("skeleton", None)

    def _know(self, tree: Tree) -> None:
        self._parents.update(tree.parents)
        self._scope_of.update(tree.scope_of)
        self._tree_of[tree.module] = tree

    def has_read(self, block: Block | None) -> bool:
        """Tell whether the tree of a definition was asked for: only then can an answer depend on its text."""
        return block in self._trees

    def _parse(self, block: Block | None) -> Tree | None:
        tree = self._shelf.tree(self.outline, block) if not self.is_edited else None
        slice_ = (
            tree.slice if tree is not None else self.outline.skeleton if block is None else self.outline.slice(block)
        )
        try:
            if tree is None:
                known = self.kept.get(slice_.text)
                tree = known.pop().moved(slice_) if known else Tree(slice_)
                self._shelf.put(self.outline, block, tree)
            self.read.setdefault(slice_.text, []).append(tree)
            return tree
        except cst.ParserSyntaxError as error:
            at = min(max(error.raw_line, 1), len(slice_.lines)) - 1
            line = slice_.lines[at] if slice_.lines else 0
            self.errors.append((line + 1, error.message.partition("\n")[0]))
        except cst.CSTValidationError as error:  # read, but not Python: `except:` before `except ValueError:`
            self.errors.append(((block.header if block is not None else 0) + 1, str(error).partition("\n")[0]))
        except (RecursionError, UnicodeDecodeError):
            self.errors.append(((block.header if block is not None else 0) + 1, "nested too deeply to be read"))
        return None

    @cached_property
    def skeleton(self) -> Tree:
        """The tree of what runs at import; an empty one if it does not parse."""
        return self.tree(None) or Tree(Slice("", ()))

    @cached_property
    def heading(self) -> Heading:
        """Where imports belong in the file."""
        return heading_of(self.outline)

    def exact(self, node: N) -> N:
        """Return a node with white space, commas and parentheses, which drafts do not have."""
        tree = self.tree_of(node)
        return cast(N, tree.exact(node)) if tree is not None else node

    def adopt(self, expression: cst.BaseExpression, at: cst.CSTNode) -> None:
        """Give an expression that was parsed from a string annotation the surroundings of the string."""
        self._parents[expression] = at
        for node in all_nodes(expression):
            self._scope_of[node] = self.scope_of(at)

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return the node around a node."""
        return self._parents.get(node)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield the nodes around a node, inner ones first."""
        current = self._parents.get(node)
        while current is not None:
            yield current
            current = self._parents.get(current)

    @overload
    def enclosing(self, node: cst.CSTNode, kind: type[N], /) -> N | None: ...
    @overload
    def enclosing(self, node: cst.CSTNode, *kinds: type[cst.CSTNode]) -> cst.CSTNode | None: ...
    def enclosing(self, node: cst.CSTNode, *kinds: type[cst.CSTNode]) -> cst.CSTNode | None:
        """Return the innermost node of these kinds around a node, within the same function."""
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, kinds):
                return ancestor
            if isinstance(ancestor, (*FUNCTIONS, cst.ClassDef)):
                return None
        return None

    def statement_of(self, node: cst.CSTNode) -> cst.CSTNode:
        """Return the small or compound statement that a node stands in (or is)."""
        current: cst.CSTNode | None = node
        while current is not None and not isinstance(current, (cst.BaseSmallStatement, cst.BaseCompoundStatement)):
            current = self._parents.get(current)
        return current if current is not None else node

    def scope_of(self, node: cst.CSTNode) -> Scope:
        """Return the scope in which a node is evaluated."""
        scope = self._scope_of.get(node)
        return scope if scope is not None else self.skeleton.root

    def tree_of(self, node: cst.CSTNode) -> Tree | None:
        """Return the tree that holds a node."""
        scope = self._scope_of.get(node)
        while scope is not None and scope.parent is not None:
            scope = scope.parent
        return self._tree_of.get(scope.node) if scope is not None else None
