"""The LibCST visitor of a slice: parents, scopes, bindings and nodes by kind, in one pass.

The nodes are drafts as a rule; LibCST reads the text when somebody asks how or where a node is written.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import libcst as cst

from pitfall_lint.semantic.drafting import Draft
from pitfall_lint.semantic.locating import Range, ranges_of
from pitfall_lint.semantic.outline import Slice
from pitfall_lint.semantic.passages import Undraftable
from pitfall_lint.semantic.scopes import BINDERS, Binding, Scope, parameters
from pitfall_lint.semantic.walk import children, own_nodes
from pitfall_lint.source import SourceError

_COMPREHENSIONS = (cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp)
_OPENS_SCOPE = (cst.FunctionDef, cst.Lambda, cst.ClassDef, *_COMPREHENSIONS)


class Tree:
    """One parsed slice with everything the questions need. Raises libcst.ParserSyntaxError."""

    def __init__(self, slice_: Slice, *, draft: bool = True) -> None:
        self.slice = slice_
        self._draft: Draft | None = None
        if draft:
            with contextlib.suppress(Undraftable):
                self._draft = Draft(slice_.text)
        self.module = self._draft.module if self._draft is not None else cst.parse_module(slice_.text)
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.by_kind: dict[type[cst.CSTNode], list[cst.CSTNode]] = {}
        self.nodes: list[cst.CSTNode] = []
        """All of them, in textual order."""
        self.root = Scope("module", self.module)
        self.scopes: dict[cst.CSTNode, Scope] = {self.module: self.root}
        """The scope that a node opens."""
        self.scope_of: dict[cst.CSTNode, Scope] = {}
        """The scope that a node stands in."""
        self._walk()

    def _walk(self) -> None:
        stack: list[tuple[cst.CSTNode, Scope]] = [(self.module, self.root)]
        parents, by_kind, scope_of = self.parents, self.by_kind, self.scope_of
        found = self.nodes.append
        while stack:
            node, scope = stack.pop()
            kind = type(node)
            found(node)
            scope_of[node] = scope
            same = by_kind.get(kind)
            if same is not None:
                same.append(node)
            else:
                by_kind[kind] = [node]
            if kind is cst.Name:
                continue
            if (bind := BINDERS.get(kind)) is not None:
                bind(node, scope)
            below = children(node)
            inner: Scope | None = None
            if kind in _SCOPED:
                inner = self._open(node, scope)
            for child in reversed(below):
                parents[child] = node
                stack.append((child, scope if inner is None or not _inside(node, child) else inner))

    def _open(self, node: cst.CSTNode, scope: Scope) -> Scope:
        if isinstance(node, cst.ClassDef):
            kind = "class"
        else:
            kind = "function" if isinstance(node, (cst.FunctionDef, cst.Lambda)) else "comprehension"
        opened = self.scopes[node] = Scope(kind, node, scope)
        if isinstance(node, (cst.FunctionDef, cst.Lambda)):
            for param in parameters(node.params):
                opened.bind(
                    Binding(
                        param.name.value,
                        "param",
                        param,
                        param.default,
                        param.annotation.annotation if param.annotation else None,
                    )
                )
        if isinstance(node, cst.FunctionDef) and ("global " in self.slice.text or "nonlocal " in self.slice.text):
            for statement in _declarations(node.body):
                how = "global" if isinstance(statement, cst.Global) else "nonlocal"
                for item in statement.names:
                    opened.declared[item.name.value] = how
        return opened

    @cached_property
    def order(self) -> dict[cst.CSTNode, int]:
        """The number of each node in textual order."""
        return {node: number for number, node in enumerate(self.nodes)}

    def moved(self, slice_: Slice) -> Tree:
        """Return this tree for a slice with the same text that stands on other lines by now."""
        twin = copy.copy(self)
        twin.slice = slice_
        return twin

    def range_of(self, node: cst.CSTNode) -> Range | None:
        """Return where a node stands in the slice; None for a node that is not from it."""
        place = self._draft.range_of(node) if self._draft is not None else None
        return place if place is not None else self.ranges.get(node)

    def text_of(self, node: cst.CSTNode) -> str:
        """Return the source of a node; of an expression without parentheses around it."""
        text = self._draft.text_of(node) if self._draft is not None else None
        return text if text is not None else self.code_of(node)

    def code_of(self, node: cst.CSTNode) -> str:
        """Return the source of a node as it stands."""
        with _no_deeper():
            return self._exact.module.code_for_node(self.exact(node))

    def exact(self, node: cst.CSTNode) -> Any:
        """Return the node with white space, commas and parentheses; nodes that are not of this tree as they are."""
        return self._pairs.get(node, node)

    @property
    def indent(self) -> str:
        """One step of indentation, as the text has it."""
        return self._exact.module.default_indent

    @cached_property
    def ranges(self) -> dict[cst.CSTNode, Range]:
        """Where every node stands in the slice."""
        with _no_deeper():
            places = ranges_of(self._exact.module)
        return {node: places[self.exact(node)] for node in self.nodes} if self._draft is not None else places

    @cached_property
    def _exact(self) -> Tree:
        if self._draft is None:
            return self
        try:
            with _no_deeper():
                return Tree(self.slice, draft=False)
        except (cst.ParserSyntaxError, cst.CSTValidationError) as error:
            raise SourceError(f"LibCST cannot read this: {error}") from error

    @cached_property
    def _pairs(self) -> dict[cst.CSTNode, cst.CSTNode]:
        return dict(zip(self.nodes, self._exact.nodes, strict=True)) if self._draft is not None else {}


_SCOPED = frozenset(_OPENS_SCOPE)


def _inside(node: cst.CSTNode, child: cst.CSTNode) -> bool:
    """Tell whether a child is evaluated in the scope that its parent opens."""
    if isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
        return child is node.body
    return True


def _declarations(body: cst.CSTNode) -> Iterator[cst.Global | cst.Nonlocal]:
    for node in own_nodes(body):
        if isinstance(node, (cst.Global, cst.Nonlocal)):
            yield node


@contextlib.contextmanager
def _no_deeper() -> Iterator[None]:
    """Tell that LibCST cannot write code that is nested so deeply."""
    try:
        yield
    except RecursionError as error:
        raise SourceError("nested too deeply to be read") from error
