"""What calling, awaiting, entering and iterating a value gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries import Function as FunctionRow
from pitfall_lint.libraries import Type
from pitfall_lint.semantic import annotation
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.query import WIDTH, Values, merged, remembered, values_of
from pitfall_lint.semantic.values import (
    UNKNOWN,
    ClassValue,
    Collection,
    Const,
    Coroutine,
    FunctionValue,
    Generator,
    Instance,
    LibraryName,
    Partial,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


def called(file: File, value: Value, node: cst.Call | None) -> Values:
    """Return what calling a value gives; `node` is the call, in `file`."""
    if isinstance(value, ClassValue):
        return (Instance(value.class_, node, file),)
    if isinstance(value, FunctionValue):
        return function_result(file, value.function, node)
    if isinstance(value, LibraryName):
        return _library_call(file, value.name, node)
    if isinstance(value, Partial):
        return tuple(v for of in value.of for v in called(file, of, node))
    if isinstance(value, Instance) and isinstance(value.type, Class):
        method = value.type.method("__call__")
        return function_result(file, method, node) if method is not None else (UNKNOWN,)
    if isinstance(value, Instance) and isinstance(value.type, str):
        return _library_call(file, f"{value.type}.__call__", node)
    return (UNKNOWN,)


def function_result(file: File, function: Function, node: cst.Call | None) -> Values:
    """Return what calling a project function gives."""
    if function.is_generator:
        return (Generator(function, node, file),)
    if function.is_async:
        return (Coroutine(function, node, file),)
    return returned(function)


def returned(function: Function) -> Values:
    """Return what the body of a function returns, by annotation or by its `return` statements."""
    return remembered(function.file, ("returned", function), lambda: _returned(function))


def _returned(function: Function) -> Values:
    node = function.head
    found: Values = ()
    if isinstance(node, cst.FunctionDef) and node.returns is not None:
        found = annotation.annotated(function.file, node.returns.annotation)
    if not found or all(isinstance(v, Unknown) for v in found) or any(isinstance(v, Coroutine) for v in found):
        values: list[Value] = []
        for expression in function.returns()[:WIDTH]:
            values.extend(values_of(function.file, expression) or (UNKNOWN,))
        found = merged(tuple(values)) or (Const(None),)
    return found


def _library_call(file: File, name: str, node: cst.Call | None) -> Values:
    libraries = file.libraries
    if name == "functools.partial" and node is not None and node.args:
        return (Partial(values_of(file, node.args[0].value), node, file),)
    if name == "typing.cast" and node is not None and len(node.args) == 2:
        return annotation.annotated(file, node.args[0].value)
    if name == "builtins.super" and node is not None and not node.args:
        return _super(file, node)
    if node is not None and (made := _field_default(file, name, node)):
        return made
    row = libraries.find(FunctionRow, name)
    if row is not None:
        if row.coroutine and not _is_coroutine_function(file, row, node):
            return (UNKNOWN,)
        if row.coroutine:
            return (Coroutine(name, node, file),)
        if row.parts:
            return _parts(file, row)
        return (Instance(libraries.canonical(row.returns), node, file),) if row.returns else (UNKNOWN,)
    leaf = name.rpartition(".")[2]
    if libraries.is_known_type(name) or (leaf[:1].isupper() and not leaf.isupper()) or name in _BUILTIN_TYPES:
        return (Instance(name, node, file),)
    return (UNKNOWN,)


def _is_coroutine_function(file: File, row: FunctionRow, node: cst.Call | None) -> bool:
    """Tell whether it is one in the versions that are used, and where it is called."""
    allowed = file.version_allows(row)
    if row.versions and allowed is not None:
        return allowed  # a plain function in others, or in another distribution of that name
    if not row.sync_by:
        return not row.versions
    inside = file.function_of(node) if node is not None else None
    return inside is not None and inside.is_async


def _super(file: File, node: cst.Call) -> Values:
    class_ = file.class_of(node)
    bases = class_.mro()[1:] if class_ is not None else ()
    return (Instance(bases[0]),) if bases else (UNKNOWN,)


def _field_default(file: File, name: str, node: cst.Call) -> Values:
    """Return what a dataclass-like field starts with, from `default_factory=`/`factory=` or `default=`."""
    if name.rpartition(".")[2] not in {"field", "Field", "ib", "attrib", "PrivateAttr"}:
        return ()
    for arg in node.args:
        keyword = arg.keyword.value if arg.keyword is not None else ""
        if keyword in {"default_factory", "factory"}:
            return tuple(v for of in values_of(file, arg.value) for v in called(file, of, None))
        if keyword == "default":
            return values_of(file, arg.value) or (UNKNOWN,)
    return (UNKNOWN,)


_BUILTIN_TYPES = frozenset(
    f"builtins.{name}"
    for name in [
        "bool",
        "bytearray",
        "bytes",
        "complex",
        "dict",
        "float",
        "frozenset",
        "int",
        "list",
        "object",
        "set",
        "str",
        "tuple",
    ]
)


def _parts(file: File, row: FunctionRow) -> Values:
    made = (Instance(file.libraries.canonical(part)) if part else UNKNOWN for part in row.parts)
    return (Collection("tuple", tuple(made)),)


def awaited(file: File, value: Value) -> Values:
    """Return what awaiting a value gives."""
    if isinstance(value, Coroutine):
        if isinstance(value.of, Function):
            return returned(value.of)
        row = file.libraries.find(FunctionRow, value.of)
        if row is not None and row.parts:
            return _parts(file, row)
        if row is not None and row.returns:
            return (Instance(file.libraries.canonical(row.returns), value.call, value.file),)
        return (UNKNOWN,)
    if isinstance(value, Instance) and isinstance(value.type, str):
        row_of_type = file.libraries.find(Type, value.type)
        if row_of_type is not None and row_of_type.enters:  # `await pool.acquire()`, `async with pool.acquire()`
            return (Instance(file.libraries.canonical(row_of_type.enters), value.origin, value.file),)
        if row_of_type is not None:
            return (value,)  # `await create_pool()`: a row that calls itself by its type
    return (UNKNOWN,)


def entered(file: File, values: Values) -> Values:
    """Return what `with`/`async with` binds for a context manager."""
    found: list[Value] = []
    for value in values or (UNKNOWN,):
        if isinstance(value, Instance) and isinstance(value.type, str):
            row = file.libraries.find(Type, value.type)
            if row is not None and row.enters:
                found.append(Instance(file.libraries.canonical(row.enters), value.origin, value.file))
            else:
                found.append(value)
        elif isinstance(value, Instance) and isinstance(value.type, Class):
            method = value.type.method("__aenter__") or value.type.method("__enter__")
            if method is None:
                found.append(value if not value.type.mro_complete or len(value.type.mro()) > 1 else UNKNOWN)
            else:
                result = returned(method)
                same = all(isinstance(v, Instance) and v.type is method.class_ for v in result)
                found.extend((value,) if same else result)
        elif isinstance(value, Generator):
            for expression in value.of.yields():
                found.extend(values_of(value.of.file, expression) or (UNKNOWN,))
        elif isinstance(value, Coroutine):
            found.extend(entered(file, awaited(file, value)))
        else:
            found.append(UNKNOWN)
    return tuple(found)


def elements(values: Values) -> Values:
    """Return what iterating over some values gives."""
    found: list[Value] = []
    for value in values or (UNKNOWN,):
        if isinstance(value, Collection) and value.kind != "dict":
            found.extend(value.items or (UNKNOWN,))
        elif isinstance(value, Generator) and (yields := value.of.yields()):
            for expression in yields:
                found.extend(values_of(value.of.file, expression) or (UNKNOWN,))
        else:
            found.append(UNKNOWN)
    return tuple(found)


def instances_of(values: Values) -> Values:
    """Return instances of the classes that some values are."""
    found: list[Value] = []
    for value in values or (UNKNOWN,):
        if isinstance(value, ClassValue):
            found.append(Instance(value.class_))
        elif isinstance(value, LibraryName):
            found.append(Instance(value.name))
        elif isinstance(value, Collection):
            found.extend(instances_of(value.items))
        else:
            found.append(UNKNOWN)
    return tuple(found)
