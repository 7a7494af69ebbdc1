"""What is taken out of a container whose items are known: by its methods, by loops over them, by built-in functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.query import Values, merged, values_of
from pitfall_lint.semantic.values import UNKNOWN, Collection, Const, Instance, LibraryName, Unknown, Value

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_SAME_ITEMS = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "iter"})


def taken(file: File, node: cst.Call) -> Values:
    """Return what a call takes out of a container, or the container that it makes of one; () for other calls."""
    func = node.func
    if isinstance(func, cst.Attribute):
        return _by_method(file, node, func) if func.attr.value in _METHODS else ()
    if isinstance(func, cst.Name) and node.args and (func.value in _SAME_ITEMS or func.value in _BUILTINS):
        if values_of(file, func) == (LibraryName(f"builtins.{func.value}"),):
            return _by_builtin(file, node, func.value)
    return ()


def _by_method(file: File, node: cst.Call, func: cst.Attribute) -> Values:
    found: list[Value] = []
    for value in values_of(file, func.value):
        if isinstance(value, Const) and value.value is None:
            continue
        if not isinstance(value, Collection) or not _is_known(value.items) or value.kind == "tuple":
            return ()
        method = func.attr.value
        if method == "copy":
            found.append(value)
        elif value.kind != "dict":
            found.extend(value.items if method == "pop" else (UNKNOWN,))
        elif method == "values":
            found.append(Collection("list", value.items))
        elif method == "items":
            found.extend(_paired(UNKNOWN, value.items))
        elif method == "popitem":
            found.append(UNKNOWN)
        else:
            default = values_of(file, node.args[1].value) if len(node.args) > 1 else (Const(None),)
            found.extend((*value.items, *(default if method == "get" or len(node.args) > 1 else ())))
    return merged(tuple(found))


_METHODS = frozenset({"values", "items", "get", "pop", "copy", "setdefault"})
_BUILTINS = frozenset({"enumerate", "zip", "next"})


def _by_builtin(file: File, node: cst.Call, name: str) -> Values:
    given = [values_of(file, arg.value) for arg in node.args if arg.keyword is None and not arg.star]
    items = [_items(values) for values in given]
    if not items or not items[0]:
        return ()
    if name in _SAME_ITEMS:
        return (Collection("set" if name in ("set", "frozenset") else "list", items[0]),)
    if name == "enumerate":
        return _paired(UNKNOWN, items[0])
    if name == "next":
        return items[0]
    each = tuple(one[0] if len(one) == 1 else UNKNOWN for one in items)
    return (Collection("list", (Collection("tuple", each),)),)


def _items(values: Values) -> Values:
    """Return what a loop over some values would give, if that is known."""
    found = [v for v in values if not (isinstance(v, Const) and v.value is None)]
    if len(found) != 1 or not isinstance(found[0], Collection) or found[0].kind == "dict":
        return ()
    return found[0].items if _is_known(found[0].items) else ()


def _is_known(items: Values) -> bool:
    return bool(items) and not any(isinstance(item, Unknown) for item in items)


def _paired(first: Value, items: Values) -> Values:
    """Return a list of pairs: `items()` of a dict, `enumerate(…)`."""
    return (Collection("list", tuple(Collection("tuple", (first, item)) for item in items)),)


def is_empty(value: Value) -> bool:
    """Tell whether a value is a container that is made empty, so that only an annotation tells what it will hold."""
    if isinstance(value, Instance) and isinstance(value.type, str):
        return value.type in _EMPTY and (not isinstance(value.origin, cst.Call) or not value.origin.args)
    return isinstance(value, Collection) and not value.items


_EMPTY = frozenset(
    {f"builtins.{name}" for name in ("dict", "list", "set", "tuple")}
    | {f"collections.{name}" for name in ("deque", "OrderedDict")}
)


def at(values: Values, path: tuple[int, ...]) -> Values:
    """Return what stands at a place in nested tuples: what `for name, (one, other) in …` binds."""
    for index in path:
        inner: list[Value] = []
        for value in values:
            known = isinstance(value, Collection) and value.kind == "tuple" and index < len(value.items)
            inner.append(value.items[index] if known and isinstance(value, Collection) else UNKNOWN)
        values = tuple(inner)
    return merged(values) or (UNKNOWN,)
