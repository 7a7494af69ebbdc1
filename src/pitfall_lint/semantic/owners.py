"""Which application, router or list of routes an expression means: the place in the text where it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from pitfall_lint.libraries.paths import Router, UrlInclude
from pitfall_lint.semantic import names
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.outline import Block, Imported
from pitfall_lint.semantic.scopes import Binding
from pitfall_lint.semantic.values import Instance, ModuleValue

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_DEPTH = 8


class Owner(NamedTuple):
    """What holds routes: the call or list that made it, or the parameter that brings it."""

    file: File
    node: cst.CSTNode


def owner_of(file: File, node: cst.BaseExpression, depth: int = _DEPTH) -> Owner | None:
    """Return what an expression surely means; None when two assignments could have given it, or nobody knows."""
    if depth == 0:
        return None
    if isinstance(node, (cst.Call, cst.List)):
        return Owner(file, node)
    if isinstance(node, cst.Name):
        found = file.lookup(node.value, node)
        return _of_bindings(file, found, depth)
    if isinstance(node, cst.Attribute):
        return _of_attribute(file, node, depth)
    return None


def _of_bindings(file: File, found: names.Found | None, depth: int) -> Owner | None:
    known = [b for b in found.bindings if not _is_none(b)] if found is not None else []
    if len(known) != 1 or isinstance(known[0], Block):
        return None
    binding = known[0]
    imported = binding if isinstance(binding, Imported) else names.imported_by(binding)
    if imported is not None:
        module = file.project.module(names.absolute(file, imported), file)
        if module is None or module is file or imported.attribute is None:
            return None
        return variable(module, imported.attribute, depth - 1)
    assert isinstance(binding, Binding)
    if binding.kind == "param":
        return Owner(file, binding.node)
    if binding.value is None or binding.path or binding.kind == "for":
        return None
    return owner_of(file, binding.value, depth - 1)


def _is_none(binding: Binding | Block | Imported) -> bool:
    value = binding.value if isinstance(binding, Binding) else None
    return isinstance(value, cst.Name) and value.value == "None"


def variable(module: File, name: str, depth: int = _DEPTH) -> Owner | None:
    """Return what a variable of a module means."""
    found = names.module_lookup(module, name)
    return _of_bindings(module, found, depth) if found is not None and found.scope == "module" else None


def _of_attribute(file: File, node: cst.Attribute, depth: int) -> Owner | None:
    name = node.attr.value
    for value in file.values_of(node.value):
        if isinstance(value, ModuleValue):
            return variable(value.file, name, depth - 1)
        if isinstance(value, Instance) and isinstance(value.type, Class):
            given = [v for _, _, v in value.type.attribute_assignments(name) if v is not None]
            given = [v for v in given if not (isinstance(v, cst.Name) and v.value == "None")]
            return owner_of(value.type.file, given[0], depth - 1) if len(given) == 1 else None
        if isinstance(value, Instance) and file.row_of_type(value.type, Router) is not None:
            return owner_of(file, node.value, depth - 1)  # `app.router`
    return None


def list_of(file: File, call: cst.Call) -> Owner | None:
    """Return the list in whose text a call stands as an element."""
    element = file.parent(call)
    outer = file.parent(element) if isinstance(element, cst.Element) else None
    return Owner(file, outer) if isinstance(outer, cst.List) else None


def included(file: File, node: cst.BaseExpression) -> Owner | None:
    """Return what is included or mounted: a router, a list, or what `include("package.module")` names."""
    if isinstance(node, cst.Call):
        call = file.call(node)
        row = file.libraries.find(UrlInclude, call.name) if call.name is not None else None
        if row is not None:
            given = call.where(row.module)
            if isinstance(given, cst.Tuple) and given.elements:
                given = given.elements[0].value
            text = file.folded(given) if given is not None else None
            if isinstance(text, str):
                module = file.project.module(text, file)
                return variable(module, row.variable) if module is not None else None
            node = given if given is not None else node
    return owner_of(file, node)


def each_included(file: File, node: cst.BaseExpression) -> list[Owner]:
    """Return what is included or mounted, all of them where a loop takes one after another from a written list."""
    binding = _loop_of(file, node)
    if binding is None or binding.value is None:
        one = included(file, node)
        return [one] if one is not None else []
    found: list[Owner] = []
    where, elements = _elements(file, binding.value)
    for element in elements:
        part: cst.BaseExpression | None = element
        for index in binding.path:
            inner = part.elements if isinstance(part, (cst.Tuple, cst.List)) else ()
            part = inner[index].value if index < len(inner) else None
        if part is not None and (owner := included(where, part)) is not None:
            found.append(owner)
    return found


def _loop_of(file: File, node: cst.BaseExpression) -> Binding | None:
    """Return how the loop around a name binds it."""
    found = file.lookup(node.value, node) if isinstance(node, cst.Name) else None
    around = set(file.ancestors(node)) if found is not None else set()
    loops = [b for b in found.bindings if isinstance(b, Binding) and b.kind == "for"] if found is not None else []
    return next((binding for binding in loops if binding.node in around), None)


def _elements(file: File, node: cst.BaseExpression) -> tuple[File, list[cst.BaseExpression]]:
    """Return the elements of a list or tuple that is written here, or that a variable of a module is given once."""
    for _ in range(_DEPTH):
        if isinstance(node, (cst.List, cst.Tuple)):
            return file, [e.value for e in node.elements if not isinstance(e, cst.StarredElement)]
        found = file.lookup(node.value, node) if isinstance(node, cst.Name) else None
        if isinstance(node, cst.Attribute):
            modules = [value.file for value in file.values_of(node.value) if isinstance(value, ModuleValue)]
            file, found = (modules[0], names.module_lookup(modules[0], node.attr.value)) if modules else (file, None)
        binding = found.bindings[0] if found is not None and len(found.bindings) == 1 else None
        imported = binding if isinstance(binding, Imported) else None
        if isinstance(binding, Binding):
            imported = names.imported_by(binding)
            if imported is None and binding.kind == "assign" and binding.value is not None:
                node = binding.value
                continue
        module = file.project.module(names.absolute(file, imported), file) if imported is not None else None
        if module is None or imported is None or imported.attribute is None:
            break
        file, node = module, cst.Name(imported.attribute)
        found = names.module_lookup(module, imported.attribute)
        binding = found.bindings[0] if found is not None and len(found.bindings) == 1 else None
        if not isinstance(binding, Binding) or binding.value is None:
            break
        node = binding.value
    return file, []


def made_by(owner: Owner) -> Owner | None:
    """Return the application or router that a project function makes and returns, for a call of that function."""
    target = owner.file.call(owner.node).target if isinstance(owner.node, cst.Call) else None
    if not isinstance(target, Function):
        return None
    returned = [node for node in target.returns() if isinstance(node, cst.Name)]  # not one that a cache keeps
    found = {made for node in returned if (made := owner_of(target.file, node)) is not None}
    made = found.pop() if len(found) == 1 else None
    return made if made is not None and isinstance(made.node, cst.Call) and made != owner else None
