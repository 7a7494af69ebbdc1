"""Which application, router or list of routes an expression means: the place in the text where it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import libcst as cst

from pitfall_lint.libraries.paths import Router, UrlInclude
from pitfall_lint.semantic import names
from pitfall_lint.semantic.definitions import Class
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
    if binding.value is None or binding.path:
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
