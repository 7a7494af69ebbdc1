"""Which modelled thing an expression holds: one handler for each kind of expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libcst as cst

from pitfall_lint.semantic import annotation, attributes, bindings, calling, containers, folding, query
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.query import Values, merged, values_of
from pitfall_lint.semantic.values import (
    NOT_CONSTANT,
    UNKNOWN,
    ClassValue,
    Collection,
    Const,
    FunctionValue,
    Instance,
    LibraryName,
    ModuleValue,
    Partial,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


def single_type(values: Values) -> str | Class | None:
    """Return the one type that all values are instances of; None constants do not count."""
    types = set()
    for value in values:
        if isinstance(value, Instance):
            types.add(value.type)
        elif not (isinstance(value, Const) and value.value is None):
            return None
    return types.pop() if len(types) == 1 else None


def qualified_name(file: File, node: cst.CSTNode) -> str | None:
    """Return the canonical qualified name that an expression refers to, if all branches agree."""
    found = {name_of_value(v) for v in values_of(file, node) if not (isinstance(v, Const) and v.value is None)}
    return found.pop() if len(found) == 1 else None


def name_of_value(value: Value) -> str | None:
    """Return the qualified name of a module, class or function value."""
    if isinstance(value, LibraryName):
        return value.name
    if isinstance(value, FunctionValue):
        return value.function.qualified_name
    if isinstance(value, ClassValue):
        return value.class_.qualified_name
    if isinstance(value, ModuleValue):
        return value.file.module_name
    if isinstance(value, Partial) and len(value.of) == 1:
        return name_of_value(value.of[0])
    return None


def definition(file: File, node: cst.CSTNode) -> Function | Class | None:
    """Return the one project function or class that an expression refers to."""
    found: set[Function | Class | None] = set()
    for value in values_of(file, node):
        if isinstance(value, Partial):
            value = value.of[0] if len(value.of) == 1 else UNKNOWN
        if isinstance(value, FunctionValue):
            found.add(value.function)
        elif isinstance(value, ClassValue):
            found.add(value.class_)
        elif not (isinstance(value, Const) and value.value is None):
            found.add(None)
    return found.pop() if len(found) == 1 else None


def class_or_name(file: File, node: cst.CSTNode) -> Class | str | None:
    """Return the class that an expression names; `Base[T]` counts as `Base`."""
    if isinstance(node, cst.Subscript):
        node = node.value
    values = [v for v in values_of(file, node) if not isinstance(v, Unknown)]
    if len(values) != 1:
        return None
    if isinstance(values[0], ClassValue):
        return values[0].class_
    return values[0].name if isinstance(values[0], LibraryName) else None


def _name(file: File, node: cst.Name) -> Values:
    return bindings.name_values(file, node.value, node)


def _attribute(file: File, node: cst.Attribute) -> Values:
    receiver = values_of(file, node.value)
    if any(not isinstance(v, (Unknown, Const)) for v in receiver):
        # `x: Client | None`: reading an attribute says that it is not None
        receiver = tuple(v for v in receiver if not (isinstance(v, Const) and v.value is None))
    values: list[Value] = []
    for value in receiver or (UNKNOWN,):
        values.extend(attributes.of_value(file, value, node.attr.value) or (UNKNOWN,))
    return tuple(values)


def _call(file: File, node: cst.Call) -> Values:
    if out := containers.taken(file, node):
        return out
    values: list[Value] = []
    for value in values_of(file, node.func):
        values.extend(calling.called(file, value, node))
    return tuple(values) or (UNKNOWN,)


def _await(file: File, node: cst.Await) -> Values:
    values: list[Value] = []
    for value in values_of(file, node.expression):
        values.extend(calling.awaited(file, value))
    return tuple(values) or (UNKNOWN,)


def _subscript(file: File, node: cst.Subscript) -> Values:
    if qualified_name(file, node.value) in {"typing.Union", "typing.Optional", "typing.Annotated"}:
        return annotation.annotated(file, node)
    values: list[Value] = []
    for value in values_of(file, node.value) or (UNKNOWN,):
        if isinstance(value, Collection):
            at = _index(file, node) if value.kind == "tuple" else None
            items = value.items[at : at + 1] if at is not None else ()
            values.extend(items or value.items or (UNKNOWN,))
        elif isinstance(value, (ClassValue, LibraryName)):
            values.append(value)  # `Queue[int]()`
        else:
            values.append(UNKNOWN)
    return tuple(values)


def _index(file: File, node: cst.Subscript) -> int | None:
    """Return the constant, not negative index by which one item is taken."""
    index = node.slice[0].slice if len(node.slice) == 1 else None
    at = folding.folded(file, index.value) if isinstance(index, cst.Index) else None
    return at if type(at) is int and at >= 0 else None


def _display(kind: str) -> Callable[[File, Any], Values]:
    def values(file: File, node: cst.List | cst.Tuple | cst.Set) -> Values:
        items: list[Value] = []
        for element in node.elements[:200]:
            found = (UNKNOWN,) if isinstance(element, cst.StarredElement) else values_of(file, element.value)
            if kind == "tuple":
                items.append(found[0] if len(found) == 1 else UNKNOWN)
            else:
                items.extend(found or (UNKNOWN,))
        return (Collection(kind, tuple(items) if kind == "tuple" else merged(tuple(items))),)

    return values


def _dict(file: File, node: cst.Dict) -> Values:
    items: list[Value] = []
    for element in node.elements[:200]:
        items.extend(
            (UNKNOWN,) if isinstance(element, cst.StarredDictElement) else values_of(file, element.value) or (UNKNOWN,)
        )
    return (Collection("dict", merged(tuple(items))),)


def _comprehension(file: File, node: cst.ListComp | cst.SetComp | cst.GeneratorExp) -> Values:
    kind = {cst.ListComp: "list", cst.SetComp: "set"}.get(type(node), "generator")
    return (Collection(kind, values_of(file, node.elt) or (UNKNOWN,)),)


def _boolean(file: File, node: cst.BooleanOperation) -> Values:
    left, right = values_of(file, node.left) or (UNKNOWN,), values_of(file, node.right) or (UNKNOWN,)
    if isinstance(node.operator, cst.Or):  # what is falsy on the left does not come through
        left = tuple(v for v in left if not (isinstance(v, Const) and not v.value))
    else:
        left = tuple(v for v in left if isinstance(v, Unknown) or (isinstance(v, Const) and not v.value))
    return (*left, *right)


def _conditional(file: File, node: cst.IfExp) -> Values:
    return (*(values_of(file, node.body) or (UNKNOWN,)), *(values_of(file, node.orelse) or (UNKNOWN,)))


def _operation(file: File, node: cst.BaseExpression) -> Values:
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
        return annotation.annotated(file, node)  # an alias for a union of types
    constant = folding.folded(file, node)
    return (UNKNOWN,) if constant is NOT_CONSTANT else (Const(constant),)


def _constant(file: File, node: cst.BaseExpression) -> Values:
    constant = folding.folded(file, node)
    return (UNKNOWN,) if constant is NOT_CONSTANT else (Const(constant),)


def _walrus(file: File, node: cst.NamedExpr) -> Values:
    return values_of(file, node.value)


def _lambda(file: File, node: cst.Lambda) -> Values:
    return (FunctionValue(file.function(node)),)


query.HANDLERS.update(
    {
        cst.Name: _name,
        cst.Attribute: _attribute,
        cst.Call: _call,
        cst.Await: _await,
        cst.Subscript: _subscript,
        cst.List: _display("list"),
        cst.Tuple: _display("tuple"),
        cst.Set: _display("set"),
        cst.Dict: _dict,
        cst.ListComp: _comprehension,
        cst.SetComp: _comprehension,
        cst.GeneratorExp: _comprehension,
        cst.BooleanOperation: _boolean,
        cst.IfExp: _conditional,
        cst.SimpleString: _constant,
        cst.ConcatenatedString: _constant,
        cst.Integer: _constant,
        cst.Float: _constant,
        cst.FormattedString: _operation,
        cst.BinaryOperation: _operation,
        cst.UnaryOperation: _operation,
        cst.NamedExpr: _walrus,
        cst.Lambda: _lambda,
    }
)
