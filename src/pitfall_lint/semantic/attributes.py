"""What `x.name` holds: attributes of modules, classes and instances, wherever they are assigned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic import annotation, bindings, calling, containers, glimpse, names, query
from pitfall_lint.semantic.definitions import Class, Function
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
from pitfall_lint.semantic.walk import all_nodes, own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

Assignment = tuple["Function | None", cst.CSTNode, "cst.BaseExpression | None"]


def of_value(file: File, value: Value, name: str) -> tuple[Value, ...]:
    """Return what the attribute of a value holds."""
    if isinstance(value, ModuleValue):
        return _of_module(file, value.file, name)
    if isinstance(value, LibraryName):
        deeper = f"{value.name}.{name}"
        if (module := file.project.module(deeper, file)) is not None:
            return (ModuleValue(module),)
        return bindings.library_values(file, deeper)
    if isinstance(value, Instance):
        if isinstance(value.type, str):
            return of_library_type(file, value.type, name)
        return _of_instance(file, value.type, name)
    if isinstance(value, ClassValue):
        return _of_class(file, value.class_, name)
    return (UNKNOWN,)


def _of_module(file: File, module: File, name: str) -> tuple[Value, ...]:
    found = names.module_lookup(module, name)
    if found is not None and found.scope == "module":
        return bindings.module_bindings_values(module, found)
    submodule = file.project.module(f"{module.module_name}.{name}", file)
    return (ModuleValue(submodule),) if submodule is not None else (UNKNOWN,)


def of_library_type(file: File, type_: str, name: str) -> tuple[Value, ...]:
    """Return an attribute of a library's object: what a row says it holds, else its qualified name."""
    return bindings.library_values(file, f"{type_}.{name}")


def _of_class(file: File, class_: Class, name: str) -> tuple[Value, ...]:
    method = class_.method(name)
    if method is not None:
        return (FunctionValue(method),)
    return values(class_, name) or _inherited_name(file, class_, name)


def _of_instance(file: File, class_: Class, name: str) -> tuple[Value, ...]:
    method = class_.method(name)
    if method is not None:
        file.used.add(method.file.path)
        if method.is_property:
            if method.is_async:
                return calling.function_result(method.file, method, None)
            return calling.returned(method)
        return (FunctionValue(method, bound=True),)
    return values(class_, name) or _inherited_name(file, class_, name)


def _inherited_name(file: File, class_: Class, name: str) -> tuple[Value, ...]:
    """Return the attribute of the first library base; which of several it is cannot be told."""
    libraries = [base for base in class_.mro() if isinstance(base, str) and base != "builtins.object"]
    if not libraries or not class_.mro_complete:
        return (UNKNOWN,)
    return of_library_type(file, libraries[0], name)


def values(class_: Class, name: str) -> tuple[Value, ...]:
    """Return what an attribute may hold: all assignments in the nearest class that has any. () for none."""
    for base in class_.mro():
        if isinstance(base, Class) and (found := _own_values(base, name)):
            return found
    return ()


def _own_values(class_: Class, name: str) -> tuple[Value, ...]:
    return query.remembered(class_.file, ("attribute", class_, name), lambda: _assigned(class_, name))


def _assigned(class_: Class, name: str) -> tuple[Value, ...]:
    file = class_.file
    found: list[Value] = []
    declared: list[Value] = []
    given = assignments(class_, name)
    last = [node for method, node, _ in given if method is None and isinstance(node, cst.AnnAssign)][-1:]
    for method, node, value in given:
        if isinstance(node, cst.AnnAssign):
            if method is None and node is not last[0] and value is None and _stand_together(file, node, last[0]):
                continue  # said once more below
            declared.extend(annotation.annotated(file, node.annotation.annotation))
            if value is None:
                continue
        if isinstance(node, cst.WithItem):
            found.extend(calling.entered(file, query.values_of(file, node.item)))
        elif value is None or isinstance(node, cst.AugAssign):
            found.append(UNKNOWN)
        else:
            found.extend(query.values_of(file, value) or (UNKNOWN,))
    if any(isinstance(v, Collection) for v in declared):
        found = [v for v in found if not containers.is_empty(v)]
    known: list[Value] = [v for v in found if not isinstance(v, Unknown)]
    if (
        declared and not any(isinstance(v, Unknown) for v in declared) and all(isinstance(v, Const) for v in known)
    ) or (declared and any(isinstance(v, Unknown) for v in found)):
        found = declared + known
    return query.merged(tuple(found))


def _stand_together(file: File, one: cst.CSTNode, other: cst.CSTNode) -> bool:
    lines = [file.parent(node) for node in (one, other)]
    return len({file.parent(line) for line in lines if line is not None}) == 1


def assignments(class_: Class, name: str) -> list[Assignment]:
    """Return where a class gives an attribute its value: in its body, and as `self.name = …` in its methods.

    Each is (method or None, the assigning node, the value's expression or None).
    """
    found: list[Assignment] = []
    block, outline = class_.block, class_.file.outline
    for node in own_nodes(class_.node.body) if block is None or outline.class_binds(block, name) else ():
        if (isinstance(node, cst.AnnAssign) and _is_name(node.target, name)) or (
            isinstance(node, cst.Assign) and any(_is_name(t.target, name) for t in node.targets)
        ):
            found.append((None, node, node.value))
    for method in _assigning(class_, name):
        for node, value in attribute_targets(method).get(name, ()):
            found.append((method, node, value))
    return found


def _is_name(node: cst.CSTNode, name: str) -> bool:
    return isinstance(node, cst.Name) and node.value == name


def attribute_targets(method: Function) -> dict[str, list[tuple[cst.CSTNode, cst.BaseExpression | None]]]:
    """Return what a method assigns on its first parameter, by attribute; nested functions count."""
    file = method.file
    key = ("targets", method)
    if key in file.memo:
        cached: dict[str, list[tuple[cst.CSTNode, cst.BaseExpression | None]]] = file.memo[key]
        return cached
    found: dict[str, list[tuple[cst.CSTNode, cst.BaseExpression | None]]] = {}
    file.memo[key] = found
    own = method.self_name
    if own is None or (method.block is not None and not glimpse.attributes_given(method)):
        return found
    for node in all_nodes(method.node.body):
        if type(node) not in _GIVING:
            continue
        if isinstance(node, cst.Assign):
            for target in node.targets:
                _collect(found, own, target.target, node, node.value)
        elif isinstance(node, (cst.AnnAssign, cst.AugAssign)):
            _collect(found, own, node.target, node, node.value)
        elif isinstance(node, cst.WithItem) and node.asname is not None:
            _collect(found, own, node.asname.name, node, node.item)
        elif isinstance(node, cst.For):
            _collect(found, own, node.target, node, None)
    return found


_GIVING = frozenset([cst.Assign, cst.AnnAssign, cst.AugAssign, cst.WithItem, cst.For])


def _assigning(class_: Class, name: str) -> list[Function]:
    """Return the methods of a class that may assign an attribute, told by their bytes."""
    key = ("assigning", class_)
    by_name: dict[bytes, list[Function]] | None = class_.file.memo.get(key)
    if by_name is None:
        by_name = class_.file.memo[key] = {}
        for method in class_.methods():
            for given in glimpse.attributes_given(method) if method.block is not None else attribute_targets(method):
                by_name.setdefault(given if isinstance(given, bytes) else given.encode(), []).append(method)
    return by_name.get(name.encode(), [])


def _collect(
    found: dict[str, list[tuple[cst.CSTNode, cst.BaseExpression | None]]],
    own: str,
    target: cst.CSTNode,
    node: cst.CSTNode,
    value: cst.BaseExpression | None,
) -> None:
    if isinstance(target, cst.Attribute) and _is_name(target.value, own):
        found.setdefault(target.attr.value, []).append((node, value))
    elif isinstance(target, (cst.Tuple, cst.List)):
        values: list[cst.BaseExpression | None] = [None] * len(target.elements)
        if isinstance(value, (cst.Tuple, cst.List)) and len(value.elements) == len(target.elements):
            values = [element.value for element in value.elements]
        for element, part in zip(target.elements, values, strict=True):
            _collect(found, own, element.value, node, part)
