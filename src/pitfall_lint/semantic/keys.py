"""Which keys a dict has that a function fills, so far as all of them are plain texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


def keys_of(file: File, node: cst.BaseExpression) -> frozenset[str] | None:
    """Return the keys of a dict display, or of a local name that only ever holds one; None when unknown."""
    if isinstance(node, cst.Dict):
        return _displayed(node)
    function = file.function_of(node)
    if function is None or not isinstance(node, cst.Name) or isinstance(function.node, cst.Lambda):
        return None
    found: set[str] = set()
    for mention in all_nodes(function.node.body):
        if isinstance(mention, cst.Name) and mention.value == node.value:
            keys = _keys_at(file, mention)
            if keys is None:
                return None
            found |= keys
    return frozenset(found) if not any(param.name == node.value for param in function.params) else None


def _keys_at(file: File, mention: cst.Name) -> frozenset[str] | None:
    """Return the keys that one mention gives to the dict: by a display, or by `name["key"] = …`."""
    outer = file.parent(mention)
    if isinstance(outer, cst.Arg):
        return frozenset() if outer.star == "**" or outer.keyword is mention else None
    if isinstance(outer, cst.AssignTarget) or (isinstance(outer, cst.AnnAssign) and outer.target is mention):
        statement = outer if isinstance(outer, cst.AnnAssign) else file.parent(outer)
        value = getattr(statement, "value", None)
        return _displayed(value) if isinstance(value, cst.Dict) else None
    if isinstance(outer, cst.Subscript) and outer.value is mention:
        inner = outer.slice[0].slice
        key = file.folded(inner.value) if isinstance(inner, cst.Index) else None
        return frozenset({key}) if isinstance(key, str) else None
    return None


def _displayed(node: cst.Dict) -> frozenset[str] | None:
    keys = set()
    for element in node.elements:
        key = element.key if isinstance(element, cst.DictElement) else None
        text = key.evaluated_value if isinstance(key, cst.SimpleString) else None
        if not isinstance(text, str):
            return None
        keys.add(text)
    return frozenset(keys)
