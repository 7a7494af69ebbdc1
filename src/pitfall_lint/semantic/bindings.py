"""What a name holds: the union of what its bindings give, imports followed into the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries import Attribute
from pitfall_lint.semantic import annotation, calling, containers, names
from pitfall_lint.semantic.outline import Block, Imported
from pitfall_lint.semantic.query import WIDTH, Values, is_under_way, merged, remembered, values_of
from pitfall_lint.semantic.scopes import Binding
from pitfall_lint.semantic.values import (
    UNKNOWN,
    ClassValue,
    Collection,
    Const,
    FunctionValue,
    Instance,
    LibraryName,
    ModuleValue,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


def name_values(file: File, name: str, at: cst.CSTNode) -> Values:
    """Return what a name may hold as seen from a node."""
    found = names.lookup(file, name, at)
    if found is None:
        return (UNKNOWN,)
    if found.scope == "builtin":
        return (LibraryName(f"builtins.{name}"),) if name not in {"None", "True", "False"} else _CONSTANTS[name]
    return module_bindings_values(file, found)


def module_bindings_values(file: File, found: names.Found) -> Values:
    """Return the union of what some bindings give."""
    values: list[Value] = []
    for binding in found.bindings[:WIDTH]:
        if isinstance(binding, Binding) and binding.value is not None and len(found.bindings) > 1:
            if is_under_way(binding.value):  # `x = x or default`: what it had before comes from the others
                continue
        values.extend(binding_values(file, binding))
    if len(found.bindings) > WIDTH:
        values.append(UNKNOWN)
    return merged(tuple(values))


def binding_values(file: File, binding: Binding | Block | Imported) -> Values:
    """Return what one binding gives its name."""
    if isinstance(binding, Block):
        if binding.is_class:
            return (ClassValue(file.class_for(binding)),)
        return (FunctionValue(file.function_for(binding)),)
    if isinstance(binding, Imported):
        return imported_values(file, binding)
    node = binding.node
    if binding.kind == "assign" and binding.value is not None:
        known = values_of(file, binding.value) or (UNKNOWN,)
        if binding.annotation is not None and all(
            isinstance(v, (Unknown, Const)) or containers.is_empty(v) for v in known
        ):
            return merged(
                (
                    *annotation.annotated(file, binding.annotation),
                    *(v for v in known if isinstance(v, Const)),
                )
            )
        return known
    if binding.kind == "unpack" and binding.value is not None:
        return _unpacked(file, binding.value, binding.path)
    if binding.kind == "annotation" and binding.annotation is not None:
        return annotation.annotated(file, binding.annotation)
    if binding.kind == "param":
        return _param(file, binding)
    if binding.kind == "import":
        imported = names.imported_by(binding)
        return imported_values(file, imported) if imported is not None else (UNKNOWN,)
    if isinstance(node, cst.FunctionDef):
        return (FunctionValue(file.function(node)),)
    if isinstance(node, cst.ClassDef):
        return (ClassValue(file.class_(node)),)
    if binding.kind == "with" and binding.value is not None and not binding.path:
        return calling.entered(file, values_of(file, binding.value))
    if binding.kind == "for" and binding.value is not None:
        return containers.at(calling.elements(values_of(file, binding.value)), binding.path)
    if binding.kind == "except" and binding.value is not None:
        return calling.instances_of(values_of(file, binding.value))
    if binding.kind == "delete":
        return ()
    return (UNKNOWN,)


def imported_values(file: File, imported: Imported) -> Values:
    """Return what an import gives: a project's definition or value, or a library's name."""
    return remembered(file, ("import", imported), lambda: _imported(file, imported))


def _imported(file: File, imported: Imported) -> Values:
    module_name = names.absolute(file, imported)
    if imported.attribute is None:
        return module_values(file, module_name)
    if imported.attribute == "*":
        return (UNKNOWN,)
    module = file.project.module(module_name, file)
    if module is not None:
        if module is not file and (found := names.module_lookup(module, imported.attribute)) is not None:
            if found.scope == "module":
                values = module_bindings_values(module, found)
                if values != (UNKNOWN,):
                    return values
        submodule = file.project.module(f"{module_name}.{imported.attribute}", file)
        return (ModuleValue(submodule),) if submodule is not None else (UNKNOWN,)
    full = f"{module_name}.{imported.attribute}"
    submodule = file.project.module(full, file)
    if submodule is not None:
        return (ModuleValue(submodule),)
    return library_values(file, full)


def module_values(file: File, name: str) -> Values:
    """Return the value of a dotted module name."""
    module = file.project.module(name, file)
    return (ModuleValue(module),) if module is not None else (LibraryName(file.libraries.canonical(name)),)


def library_values(file: File, name: str) -> Values:
    """Return the value of a library's name: an instance where a row says what the variable holds."""
    canonical = file.libraries.canonical(name)
    row = file.libraries.find(Attribute, canonical)
    leaf = canonical.rpartition(".")[2]
    if row is not None and row.name.rpartition(".")[2] == leaf and file.libraries.canonical(row.type) != canonical:
        return (Instance(file.libraries.canonical(row.type)),)
    return (LibraryName(canonical),)


def _param(file: File, binding: Binding) -> Values:
    node = binding.node
    assert isinstance(node, cst.Param)
    outer = file.parent(node)
    function_node = file.parent(outer) if outer is not None else None
    if not isinstance(function_node, (cst.FunctionDef, cst.Lambda)):
        return (UNKNOWN,)
    function = file.function(function_node)
    star = function_node.params.star_arg is node or function_node.params.star_kwarg is node
    if star:
        kind = "dict" if function_node.params.star_kwarg is node else "list"
        note = binding.annotation
        return (Collection(kind, annotation.annotated(file, note)),) if note is not None else (UNKNOWN,)
    if function.class_ is not None and not function.is_static and function.params and function.params[0].node is node:
        if "classmethod" in {name and name.rpartition(".")[2] for name in function.decorator_names}:
            return (ClassValue(function.class_),)
        return (Instance(function.class_),)
    if binding.annotation is not None:
        known = annotation.annotated(file, binding.annotation)
        if binding.value is None or not all(isinstance(v, Instance) and v.type in _CALLABLE for v in known):
            return known if known else (UNKNOWN,)
    if binding.value is not None:
        return merged((*values_of(file, binding.value), UNKNOWN))
    return (UNKNOWN,)


def _unpacked(file: File, value: cst.BaseExpression, path: tuple[int, ...]) -> Values:
    current: cst.BaseExpression = value
    for depth, index in enumerate(path):
        if not isinstance(current, (cst.Tuple, cst.List)) or index >= len(current.elements):
            if depth == len(path) - 1:
                return _items_at(values_of(file, current), index)
            return (UNKNOWN,)
        element = current.elements[index]
        if isinstance(element, cst.StarredElement):
            return (UNKNOWN,)
        current = element.value
    return values_of(file, current) or (UNKNOWN,)


def _items_at(values: Values, index: int) -> Values:
    if len(values) == 1 and isinstance(values[0], Collection) and values[0].kind == "tuple":
        items = values[0].items
        return (items[index],) if index < len(items) else (UNKNOWN,)
    return (UNKNOWN,)


_CALLABLE = frozenset({"typing.Callable", "collections.abc.Callable"})
"""Annotations that say less than a default does: `clock: Callable[[], float] = time.monotonic`."""
_CONSTANTS: dict[str, Values] = {"None": (Const(None),), "True": (Const(True),), "False": (Const(False),)}
