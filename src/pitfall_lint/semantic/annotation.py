"""What a variable with an annotation may hold: unions, `Optional`, strings and containers unwrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic import inference
from pitfall_lint.semantic.query import Values, merged, values_of
from pitfall_lint.semantic.values import (
    UNKNOWN,
    ClassValue,
    Collection,
    Const,
    Coroutine,
    Instance,
    LibraryName,
    Value,
)

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


def annotated(file: File, annotation: cst.BaseExpression) -> Values:
    """Return what a variable with this annotation may hold."""
    if isinstance(annotation, (cst.SimpleString, cst.ConcatenatedString)):
        return _string_annotation(file, annotation)
    if isinstance(annotation, cst.BinaryOperation) and isinstance(annotation.operator, cst.BitOr):
        return merged((*annotated(file, annotation.left), *annotated(file, annotation.right)))
    if isinstance(annotation, cst.Subscript):
        return _generic(file, annotation)
    found: list[Value] = []
    for value in values_of(file, annotation):
        if isinstance(value, ClassValue):
            found.append(Instance(value.class_))
        elif isinstance(value, LibraryName):
            found.append(UNKNOWN if value.name in _NO_TYPES else Instance(value.name))
        elif isinstance(value, Const) and value.value is None:
            found.append(value)
        elif isinstance(value, (Instance, Coroutine)):
            found.append(value)  # an alias that was itself built from annotations
        else:
            found.append(UNKNOWN)
    return merged(tuple(found))


_NO_TYPES = frozenset({"typing.Any", "typing.Self", "typing_extensions.Self", "builtins.object", "typing.TypeVar"})
_WRAPPERS = frozenset({"Annotated", "ClassVar", "Final", "Required", "NotRequired", "Mapped", "ContextVar"})
_CONTAINERS = {
    "list": "list", "List": "list", "Sequence": "list", "Iterable": "list", "set": "set", "Set": "set",
    "frozenset": "set", "deque": "list", "tuple": "tuple", "Tuple": "tuple", "dict": "dict", "Dict": "dict",
    "Mapping": "dict", "MutableMapping": "dict", "defaultdict": "dict", "WeakSet": "set",
}  # fmt: skip


def _generic(file: File, annotation: cst.Subscript) -> Values:
    name = inference.qualified_name(file, annotation.value) or ""
    leaf = name.rpartition(".")[2]
    arguments = [element.slice.value for element in annotation.slice if isinstance(element.slice, cst.Index)]
    if leaf == "Optional" and arguments:
        return merged((*annotated(file, arguments[0]), Const(None)))
    if leaf == "Union":
        return merged(tuple(v for a in arguments for v in annotated(file, a)))
    if leaf in _WRAPPERS and arguments:
        return annotated(file, arguments[0])
    if leaf in {"type", "Type"} and len(arguments) == 1:
        classes = values_of(file, arguments[0])
        return classes if all(isinstance(v, ClassValue) for v in classes) else (UNKNOWN,)
    if leaf in {"AsyncIterator", "AsyncGenerator", "Generator", "Iterator"}:
        return (Instance(name),)
    if leaf in _CONTAINERS and arguments:
        kind = _CONTAINERS[leaf]
        if kind == "tuple":
            items = [annotated(file, a) for a in arguments if not isinstance(a, cst.Ellipsis)]
            return (Collection(kind, tuple(i[0] if len(i) == 1 else UNKNOWN for i in items)),)
        return (Collection(kind, annotated(file, arguments[-1])),)
    return annotated(file, annotation.value)


def _string_annotation(file: File, node: cst.SimpleString | cst.ConcatenatedString) -> Values:
    text = node.evaluated_value
    if not isinstance(text, str):
        return (UNKNOWN,)
    try:
        parsed = cst.parse_expression(text.strip())
    except Exception:  # LibCST raises more than syntax errors for prose
        return (UNKNOWN,)
    file.adopt(parsed, node)
    return annotated(file, parsed)
