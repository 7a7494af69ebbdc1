"""What text a name or attribute holds: locals in flow, parameters, module constants, imports and class attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.paths import CommandLine
from pitfall_lint.semantic import names, options, shapes, strings
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.names import dotted
from pitfall_lint.semantic.outline import Block, Imported
from pitfall_lint.semantic.reaching import Follower, united
from pitfall_lint.semantic.scopes import Binding, Scope
from pitfall_lint.semantic.shapes import UNKNOWN, Shape, Shapes, hole
from pitfall_lint.semantic.values import ClassValue, Instance, ModuleValue

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File
    from pitfall_lint.semantic.strings import Frame

_FUNCTIONS = (cst.FunctionDef, cst.Lambda)


def shapes_of_variable(file: File, node: cst.Name | cst.Attribute, frame: Frame) -> Shapes:
    """Return the alternatives that a name or attribute may hold where it stands; `()` when nothing is known."""
    key = dotted(node)
    if key is None:
        return _attribute(file, node, frame) if isinstance(node, cst.Attribute) else ()
    root = key.partition(".")[0]
    owner = _owner(file, root, node)
    function = file.function_of(node)
    if owner is not None and owner.kind == "comprehension":
        return ()
    if isinstance(node, cst.Attribute) and (owner is None or function is None):
        return _attribute(file, node, frame)
    if function is not None and isinstance(node, cst.Attribute):
        return _follow(file, node, key, function.node.body, lambda: _attribute(file, node, frame), frame)
    if function is not None and owner is not None and owner.node is function.node:
        return _follow(file, node, key, function.node.body, lambda: parameter(function, key, frame), frame)
    if owner is not None and isinstance(owner.node, cst.ClassDef):
        return _follow(file, node, key, owner.node.body, lambda: (), frame)
    if owner is not None and isinstance(owner.node, _FUNCTIONS):
        outer = file.function(owner.node)
        return _at_end(file, key, owner.node.body, parameter(outer, key, frame), frame)
    tree = file.tree_of(node)
    if function is None and tree is not None and tree is file.skeleton:
        return _follow(file, node, key, tree.module, lambda: _imported(file, key), frame)
    body = function.node.body if function is not None else tree.module if tree is not None else None
    if body is None:
        return module_variable(file, key)
    return _follow(file, node, key, body, lambda: module_variable(file, key), frame)


def _owner(file: File, name: str, node: cst.CSTNode) -> Scope | None:
    """Return the function's (or class's) scope that binds a name; None for the module's."""
    scope: Scope | None = file.scope_of(node)
    first = True
    while scope is not None and scope.kind != "module":
        if scope.declared.get(name) == "global":
            return None
        if (scope.kind != "class" or first) and name in scope.bindings and name not in scope.declared:
            return scope
        first = first and scope.kind == "comprehension"
        scope = scope.parent
    return None


def _follower(file: File, key: str, entry: Callable[[], Shapes], frame: Frame) -> Follower:
    resets = _resets(file, key) if "." in key else lambda call: False
    return Follower(
        key,
        lambda value: strings.shapes_of(file, value, frame),
        entry,
        resets,
        facts=file.memo.setdefault("statement facts", {}),
        behind={} if frame else file.memo.setdefault("behind statements", {}),
        cuts=strings.cuts,
    )


def _follow(
    file: File, node: cst.CSTNode, key: str, body: cst.CSTNode, entry: Callable[[], Shapes], frame: Frame
) -> Shapes:
    way = [node]
    for outer in file.ancestors(node):
        way.append(outer)
        if outer is body:
            break
    return _follower(file, key, entry, frame).at(body, way)


def _at_end(file: File, key: str, body: cst.CSTNode, entry: Shapes, frame: Frame) -> Shapes:
    """Return what an outer function's variable may hold later: its value at the end, or where it was bound."""
    follower = _follower(file, key, lambda: entry, frame)
    return follower.at_end(body, entry) or follower.last or entry


def _resets(file: File, key: str) -> Callable[[cst.Call], bool]:
    """Tell calls of the object's own methods that assign the attribute."""
    owner, _, attribute = key.rpartition(".")

    def resets(call: cst.Call) -> bool:
        func = call.func
        if not isinstance(func, cst.Attribute) or dotted(func.value) != owner:
            return False
        method = file.definition(func)
        if not isinstance(method, Function) or method.class_ is None:
            return False
        return any(function is method for function, *_ in method.class_.attribute_assignments(attribute))

    return resets


# Parameters


def parameter(function: Function, name: str, frame: Frame) -> Shapes:
    """Return what a parameter may hold: the argument of the call in `frame`, or its default and what callers give."""
    given = frame.get((function, name))
    if given is not None:
        return given
    for param in function.params:
        if param.name == name:
            return _param(function, name, param.default)
    return ()


def _param(function: Function, name: str, default: cst.BaseExpression | None) -> Shapes:
    file = function.file
    open_: Shape = hole(name, source="parameter", key=(function, name))
    option = options.default_of(function, name)
    default = default if option is None else option
    if default is None or (isinstance(default, cst.Name) and default.value == "None"):
        return (open_,)
    return (open_, *strings.shapes_of(file, default))


def arguments(
    file: File, node: cst.Call, function: Function, evaluate: Callable[[cst.BaseExpression], Shapes]
) -> dict[tuple[Function, str], Shapes]:
    """Return what the parameters of a function get in one call of it; defaults where nothing is given."""
    call = file.call(node)
    if call.has_star:
        return {}
    params = list(function.params)
    if function.is_method and call.receiver is not None:
        params = params[1:]
    found: dict[tuple[Function, str], Shapes] = {}
    for position, param in enumerate(params):
        place = position if param.kind == "positional" else None
        given = call.arg(place, param.name) if param.kind in {"positional", "keyword"} else None
        if given is not None:
            found[function, param.name] = evaluate(given)
        elif param.default is not None:
            found[function, param.name] = strings.shapes_of(function.file, param.default)
    return found


# Modules


def _imported(file: File, key: str) -> Shapes:
    found = names.module_lookup(file, key)
    if found is None or found.scope != "module":
        return ()
    imports = [b for b in found.bindings if isinstance(b, Imported)]
    return shapes.merged(s for binding in imports for s in _of_import(file, binding))


def _of_import(file: File, imported: Imported) -> Shapes:
    if imported.attribute is None:
        return ()
    module = file.project.module(names.absolute(file, imported), file)
    if module is None or module is file:
        return ()
    return module_variable(module, imported.attribute)


def module_variable(file: File, name: str) -> Shapes:
    """Return what a variable of a module may hold once the module is imported."""
    key = ("text variable", name)
    if key in file.memo:
        known: Shapes = file.memo[key]
        return known
    file.memo[key] = ()
    if file.outline.statements_binding(name) != ():
        file.read_module()
        file.module_names.pop(name, None)  # it may have been read in pieces
    found = names.module_lookup(file, name)
    result: Shapes = ()
    if found is not None and found.scope == "module" and not any(isinstance(b, Block) for b in found.bindings):
        own = [b for b in found.bindings if isinstance(b, Binding)]
        result = _imported(file, name)
        skeleton = file.skeleton if own else None
        inside = [b for b in own if skeleton is not None and b.node in skeleton.order]
        if inside and skeleton is not None:
            result = _at_end(file, name, skeleton.module, result, {})
        for binding in own:
            if binding not in inside:  # behind `global` in a function
                plain = binding.kind == "assign" and binding.value is not None and not binding.path
                result = united(result or None, strings.shapes_of(file, binding.value) if plain else UNKNOWN) or ()  # type: ignore[arg-type]
    file.memo[key] = result
    return result


# Attributes


def _attribute(file: File, node: cst.Attribute, frame: Frame) -> Shapes:
    name = node.attr.value
    found: list[Shape] = []
    for value in file.values_of(node.value):
        if isinstance(value, ModuleValue):
            file.used.add(value.file.path)
            found.extend(module_variable(value.file, name) or UNKNOWN)
        elif isinstance(value, ClassValue):
            found.extend(_of_class(value.class_, name, instance=False) or UNKNOWN)
        elif isinstance(value, Instance) and isinstance(value.type, Class):
            file.used.add(value.type.file.path)
            found.extend(_of_class(value.type, name, instance=True) or UNKNOWN)
        elif isinstance(value, Instance) and (row := file.row_of_type(value.type, CommandLine)) is not None:
            found.extend(options.shapes_of_option(value.file or file, row, name))
    if not found and isinstance(node.value, cst.Attribute) and name == "value":  # a member of an enumeration
        inner = strings.shapes_of(file, node.value, frame)
        return inner if all(s.text is not None for s in inner) else ()
    return tuple(found) if all(s.parts != UNKNOWN[0].parts for s in found) else ()


def _of_class(class_: Class, name: str, *, instance: bool) -> Shapes:
    for base in class_.mro():
        if not isinstance(base, Class):
            continue
        method = base.own_methods.get(name)
        if method is not None:
            if not (instance and method.is_property) or method.is_async:
                return ()
            return shapes.merged(s for r in method.returns()[: shapes.WIDTH] for s in strings.shapes_of(base.file, r))
        if found := _own_attribute(base, name, instance=instance):
            return found
    return ()


def _own_attribute(class_: Class, name: str, *, instance: bool) -> Shapes:
    file = class_.file
    key = ("text attribute", class_, name, instance)
    if key in file.memo:
        known: Shapes = file.memo[key]
        return known
    file.memo[key] = ()
    body: list[Shape] = []
    methods: dict[Function, None] = {}
    for function, node, value in class_.attribute_assignments(name):
        if function is not None:
            methods[function] = None
        elif value is not None:
            body = list(strings.shapes_of(file, value))
            if instance and isinstance(node, cst.AnnAssign):  # a field: the constructor may give another value
                body.insert(0, hole(name, source="setting", key=(class_, name)))
                if "ClassVar" in file.text(node.annotation.annotation):  # "" is there to be overridden
                    body = [shape for shape in body if shape.text != ""]
        elif instance:
            body.append(hole(name, source="parameter", key=(class_, name)))
    found = list(body)
    for method in methods if instance else ():
        found.extend(_left_by(method, name))
    file.memo[key] = result = shapes.merged(found)
    return result


def _left_by(method: Function, name: str) -> Shapes:
    """Return what a method leaves in an attribute that it assigns, wherever it is left."""
    file, own = method.file, method.self_name
    if own is None:
        return UNKNOWN
    unset = hole("…", key="unset")
    follower = _follower(file, f"{own}.{name}", lambda: (unset,), {})
    state = follower.at_end(method.node.body, (unset,))
    if state is None:
        state = follower.last
    left = tuple(s for s in state or () if s.parts != unset.parts)
    return left or follower.last or UNKNOWN


def origin_is_parameter(shape: Shape) -> tuple[Function, str] | None:
    """Return the parameter that a shape is nothing but, as (function, name)."""
    only = shape.hole
    if only is None or only.source != "parameter" or not isinstance(only.key, tuple):
        return None
    function, name = only.key
    return (function, name) if isinstance(function, Function) else None


__all__ = ["arguments", "module_variable", "origin_is_parameter", "parameter", "shapes_of_variable"]
