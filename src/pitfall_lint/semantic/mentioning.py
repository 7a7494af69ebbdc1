"""Every mention of a name, an attribute or a module's variable, and whether a container is one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.scopes import Binding
from pitfall_lint.semantic.walk import all_nodes
from pitfall_lint.semantic.words import occurrences

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_MAKERS = frozenset(
    {
        "set",
        "list",
        "dict",
        "deque",
        "defaultdict",
        "OrderedDict",
        "WeakSet",
        "WeakValueDictionary",
        "field",
        "Field",
    }
)


def is_fresh(binding: Binding) -> bool:
    """Tell whether a binding gives a name a container of its own."""
    if binding.kind in {"annotation", "augmented", "delete"}:
        return True
    return binding.kind == "assign" and binding.value is not None and is_fresh_value(binding.value)


def is_fresh_value(value: cst.BaseExpression) -> bool:
    """Tell whether an expression makes a container."""
    if isinstance(value, cst.Call):
        func = value.func.value if isinstance(value.func, cst.Subscript) else value.func
        leaf = func.attr.value if isinstance(func, cst.Attribute) else func.value if isinstance(func, cst.Name) else ""
        return leaf in _MAKERS
    return isinstance(value, (cst.List, cst.Set, cst.Dict, cst.ListComp, cst.SetComp, cst.DictComp)) or (
        isinstance(value, cst.Name) and value.value == "None"
    )


def references(file: File, root: cst.CSTNode, name: str) -> Iterator[cst.CSTNode]:
    """Yield the mentions of a name below a node, its bindings left out."""
    for node in all_nodes(root):
        if isinstance(node, cst.Name) and node.value == name and is_reference(file, node):
            yield node


def is_reference(file: File, node: cst.Name) -> bool:
    """Tell whether a name is read there, and not bound or a keyword."""
    outer = file.parent(node)
    if isinstance(outer, cst.Attribute):
        return outer.value is node
    if isinstance(outer, cst.Arg):
        return outer.keyword is not node
    return not isinstance(
        outer,
        (
            cst.AssignTarget,
            cst.Param,
            cst.FunctionDef,
            cst.ClassDef,
            cst.NameItem,
            cst.AsName,
            cst.ImportAlias,
        ),
    ) and not (isinstance(outer, (cst.AnnAssign, cst.NamedExpr, cst.AugAssign)) and outer.target is node)


def trees_with(file: File, word: str) -> Iterator[cst.CSTNode]:
    """Yield the roots of the definitions of this file that hold a word."""
    blocks = {}
    for start, _ in occurrences(file.source.data, word.encode()):
        blocks[file.outline.function_at(file.outline.line_of(start))] = True
    for block in blocks:
        tree = file.tree(block)
        if tree is not None:
            yield tree.module


def module_references(file: File, name: str) -> Iterator[cst.CSTNode]:
    """Yield the mentions of a module's variable in its own file."""
    for root in trees_with(file, name):
        for node in references(file, root, name):
            found = file.lookup(name, node)
            if found is not None and found.scope == "module":
                yield node


def quoted(file: File, name: str) -> bool:
    """Tell whether the name stands in quotes: getattr may read it."""
    return re.search(rb"[\"']" + re.escape(name.encode()) + rb"[\"']", file.source.data) is not None


def attribute_references(file: File, name: str) -> Iterator[cst.CSTNode]:
    """Yield the mentions of an attribute in its own file, of whatever object, assignments left out."""
    for root in trees_with(file, name):
        for node in all_nodes(root):
            if isinstance(node, cst.Attribute) and node.attr.value == name:
                outer = file.parent(node)
                stored = isinstance(outer, cst.AssignTarget) or (
                    isinstance(outer, (cst.AnnAssign, cst.AugAssign)) and outer.target is node
                )
                if not stored:
                    yield node
