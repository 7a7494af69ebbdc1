"""What is closed although somebody else owns it: the caller, the instance, a cache or the module."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.attributes import attribute_targets
from pitfall_lint.semantic.closing_names import is_closing_name
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.flow import Step
from pitfall_lint.semantic.ownership import constructions, ends_attribute, held_by, made_by, resource_of
from pitfall_lint.semantic.scopes import Binding
from pitfall_lint.semantic.values import Collection, Instance
from pitfall_lint.semantic.walk import all_nodes, own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True, eq=False)
class Borrowed:
    """A close of something that is not the closer's own."""

    place: cst.CSTNode
    what: str
    """The name or dotted name that is closed."""
    owner: str
    """Whose it is, in words."""
    origin: cst.CSTNode
    """Where it comes from, in `file`."""
    file: File
    dead: bool = True
    """Whether it refuses to work once it is closed; others connect again."""


def closed_defaults(function: Function) -> Iterator[Borrowed]:
    """Yield closes of a parameter that has a stand-in made here, on paths where it is still the caller's."""
    file = function.file
    params = {p.name: p for p in function.params if p.kind in ("positional", "keyword")}
    for call in function.calls():
        made = made_by(call) if params else None
        target = _assigned_name(file, call.node) if made is not None else None
        if target not in params or not file.flow(function).is_complete:
            continue
        graph = file.flow(function)
        places = frozenset(graph.steps_of(call.node))
        assigned = frozenset(
            step for node in function.nodes(cst.Name) if _is_target(file, node, target) for step in graph.steps_of(node)
        )

        def transfer(
            step: Step,
            state: str,
            raised: bool,
            places: frozenset[Step] = places,
            assigned: frozenset[Step] = assigned,
        ) -> str:
            if raised:
                return state
            if step in places:
                return "mine"
            return state if step.value is not None or step not in assigned else "unknown"

        states = graph.typestate("theirs", transfer)
        if states is None:
            continue
        for close in _closes_of(function, target):
            if {"mine", "theirs"} <= states.at(close):
                yield Borrowed(close, target, "the caller", params[target].node, file, bool(made and made.row.closed))


def _closes_of(function: Function, name: str) -> Iterator[cst.CSTNode]:
    """Yield where a function closes a name: closing calls and `with` on it."""
    file = function.file
    for node in function.nodes(cst.Call, cst.WithItem):
        if isinstance(node, cst.WithItem):
            if isinstance(node.item, cst.Name) and node.item.value == name:
                yield node
        elif isinstance(node, cst.Call):
            call = file.call(node)
            if call.method is not None and is_closing_name(call.method) and isinstance(call.receiver, cst.Name):
                if call.receiver.value == name:
                    yield node


def _assigned_name(file: File, node: cst.CSTNode) -> str | None:
    outer = file.parent(node)
    while isinstance(outer, (cst.Await, cst.IfExp, cst.BooleanOperation)):
        outer = file.parent(outer)
    if isinstance(outer, cst.Assign) and len(outer.targets) == 1 and isinstance(outer.targets[0].target, cst.Name):
        return outer.targets[0].target.value
    return None


def _is_target(file: File, node: cst.Name, name: str | None) -> bool:
    return node.value == name and isinstance(file.parent(node), (cst.AssignTarget, cst.AnnAssign))


def closed_arguments(class_: Class) -> Iterator[Borrowed]:
    """Yield closes, on no condition, of an attribute that may be what the constructor was given."""
    for held in held_by(class_):
        if not held.lent or held.method is None or held.method.class_ is not class_:
            continue
        init = held.method
        names = {param.name for param in init.params[1:]}
        value = next(
            (v for n, v in attribute_targets(init).get(held.attribute, ()) if v is not None and _within(v, held.call)),
            None,
        )
        given = _alternatives(value) if value is not None else ()
        lent = [g for g in given if isinstance(g, cst.Name) and g.value in names]
        if not lent or not isinstance(lent[0], cst.Name) or _remembers(init, lent[0].value, held.attribute):
            continue
        if _is_given_away(init, lent[0].value):
            continue
        for method in class_.methods():
            for close in _unconditional_closes(method, held.attribute):
                dead = bool(held.resource.row.closed)
                yield Borrowed(close, f"self.{held.attribute}", "the caller", held.call.node, init.file, dead)
    yield from _closed_stand_ins(class_)


def _closed_stand_ins(class_: Class) -> Iterator[Borrowed]:
    """Yield such closes where the constructor keeps what it may be given, and another method makes what is missing."""
    init = class_.method("__init__")
    if init is None or init.class_ is not class_:
        return
    optional = {param.name for param in init.params[1:] if param.default is not None}
    for held in held_by(class_) if optional else ():
        if held.method is None or held.method.class_ is not class_ or held.method is init:
            continue
        values = [value for _, value in attribute_targets(init).get(held.attribute, ())]
        given = values[0] if len(values) == 1 else None
        if not isinstance(given, cst.Name) or given.value not in optional or _notes(held.method):
            continue
        if _remembers(init, given.value, held.attribute) or _is_given_away(init, given.value):
            continue
        for method in class_.methods():
            for close in _unconditional_closes(method, held.attribute):
                dead = bool(held.resource.row.closed)
                yield Borrowed(close, f"self.{held.attribute}", "the caller", given, init.file, dead)


def _notes(method: Function) -> bool:
    """Tell whether a method that makes something may note that it did: `self._owns_session = True`."""
    values = [value for places in attribute_targets(method).values() for _, value in places]
    return any(isinstance(value, cst.Name) and value.value in ("True", "False") for value in values)


_TAKEN = re.compile(r"\b(?:manage[ds]?|own(?:s|ed|ership)?|tak(?:es?|en) over|clos(?:e|es|ed|ing))\b", re.IGNORECASE)
_NOT_TAKEN = re.compile(r"\b(?:not|never|n't|caller|yourself|your own|responsib\w+)\b", re.IGNORECASE)
_PARAM = re.compile(r"^\s*(?::\w|\w+\s*(?:\([^)\n]*\))?\s*:|$)")


def _is_given_away(init: Function, name: str) -> bool:
    """Tell whether the documentation of a parameter says that the object manages, owns or closes what it is given."""
    nodes = (init.node, init.class_.node if init.class_ is not None else None)
    for node in nodes:
        text = node.get_docstring() if isinstance(node, (cst.FunctionDef, cst.ClassDef)) else None
        lines = (text or "").splitlines()
        for number, line in enumerate(lines):
            if not re.match(rf"\s*(?::param\b[^:]*\b{re.escape(name)}:|{re.escape(name)}\b[^:]*:)", line):
                continue
            rest = lines[number + 1 :]
            more = next((i for i, after in enumerate(rest) if _PARAM.match(after)), len(rest))
            said = " ".join([line.partition(":")[2], *rest[:more]])
            if _TAKEN.search(said) and not _NOT_TAKEN.search(said):
                return True
    return False


def _within(value: cst.BaseExpression, call: Call) -> bool:
    return any(made is call.node for made, _ in constructions(value))


def _alternatives(value: cst.BaseExpression) -> tuple[cst.BaseExpression, ...]:
    if isinstance(value, cst.BooleanOperation):
        return (value.left, value.right)
    if not isinstance(value, cst.IfExp):
        return ()
    nothing = _is_nothing(value.test, value.body), _is_nothing(value.test, value.orelse, otherwise=True)
    return tuple(way for way, gone in zip((value.body, value.orelse), nothing, strict=True) if not gone)


def _is_nothing(test: cst.BaseExpression, way: cst.BaseExpression, *, otherwise: bool = False) -> bool:
    """Tell whether a way of a conditional is taken only where its own name is None: `x if x is None else …`."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return _is_nothing(test.expression, way, otherwise=not otherwise)
    if not isinstance(way, cst.Name):
        return False
    if isinstance(test, cst.Name):
        return otherwise and test.value == way.value
    if not isinstance(test, cst.Comparison) or not isinstance(test.left, cst.Name) or test.left.value != way.value:
        return False
    target = test.comparisons[0]
    if not isinstance(target.comparator, cst.Name) or target.comparator.value != "None":
        return False
    return isinstance(target.operator, (cst.IsNot, cst.NotEqual) if otherwise else (cst.Is, cst.Equal))


def _remembers(init: Function, name: str, attribute: str) -> bool:
    """Tell whether the constructor keeps in mind whose it is: `self.owns = session is None`."""
    for node in own_nodes(init.node.body):
        if isinstance(node, (cst.Assign, cst.AnnAssign)) and node.value is not None:
            text = init.file.text(node)
            if f".{attribute} " in text and not isinstance(node.value, cst.Comparison):
                continue
            if any(isinstance(n, cst.Name) and n.value == name for n in own_nodes(node.value)):
                return True
        if isinstance(node, cst.If) and any(isinstance(n, cst.Name) and n.value == name for n in own_nodes(node.test)):
            return True
    return False


def _unconditional_closes(method: Function, attribute: str) -> Iterator[cst.CSTNode]:
    file, own = method.file, method.self_name
    for call in method.calls():
        if call.receiver is None or call.method is None or not is_closing_name(call.method):
            continue
        if file.text(call.receiver) != f"{own}.{attribute}":
            continue
        tests = [outer.test for outer in _around(file, call.node) if isinstance(outer, (cst.If, cst.IfExp))]
        early = [n for n in own_nodes(method.node.body) if isinstance(n, cst.If) and _returns(n)]
        if all(_speaks_only_of(file, test, f"{own}.{attribute}") for test in tests) and all(
            _speaks_only_of(file, node.test, f"{own}.{attribute}") for node in early
        ):
            yield call.node


def _returns(node: cst.If) -> bool:
    return any(isinstance(inner, cst.Return) for inner in own_nodes(node.body))


def _speaks_only_of(file: File, test: cst.BaseExpression, subject: str) -> bool:
    """Tell whether a condition asks for nothing but whether the subject is there and open."""
    for node in own_nodes(test):
        if isinstance(node, cst.Attribute) and not file.text(node).startswith(subject):
            if not subject.startswith(file.text(node)):
                return False
        if isinstance(node, cst.Name) and node.value != subject.partition(".")[0]:
            outer = file.parent(node)
            if not (isinstance(outer, cst.Attribute) and outer.attr is node) and node.value != "None":
                return False
    return True


def closed_by_context(function: Function) -> Iterator[Borrowed]:
    """Yield closes at the end of a context manager that lends an attribute which outlives it."""
    if function.self_name is None or function.class_ is None or not function.is_generator:
        return
    file, own = function.file, function.self_name
    lent = {
        node.attr.value
        for value in function.yields()
        for node in [value]
        if isinstance(node, cst.Attribute) and file.text(node.value) == own
    }
    for attribute in sorted(lent):
        if _makes_it_here(function, attribute):
            continue
        for call in function.calls():
            if call.receiver is None or call.method is None or not is_closing_name(call.method):
                continue
            receiver = file.text(call.receiver)
            target = call.target
            closes = receiver == f"{own}.{attribute}" or (
                receiver == own and isinstance(target, Function) and ends_attribute(target, attribute)
            )
            conditions = [outer for outer in _around(file, call.node) if isinstance(outer, (cst.If, cst.ExceptHandler))]
            if not closes or conditions or resource_of(file, _attribute(function, attribute) or call.receiver) is None:
                continue
            origin = next(
                (n for v in function.yields() for n in [v] if file.text(n) == f"{own}.{attribute}"), call.node
            )
            yield Borrowed(call.node, f"{own}.{attribute}", "the instance", origin, file)


def _attribute(function: Function, attribute: str) -> cst.BaseExpression | None:
    for value in function.yields():
        if isinstance(value, cst.Attribute) and value.attr.value == attribute:
            return value
    return None


def _makes_it_here(function: Function, attribute: str) -> bool:
    """Tell whether the context manager itself makes the attribute anew, on no condition about it."""
    from pitfall_lint.semantic.lifecycle import assigns

    file, own = function.file, function.self_name
    for node, value in attribute_targets(function).get(attribute, ()):
        made = value is not None and not (isinstance(value, cst.Name) and value.value == "None")
        if made and not _only_if_missing(file, node, attribute):
            return True
    for call in function.calls():
        if call.receiver is not None and file.text(call.receiver) == own and isinstance(call.target, Function):
            if assigns(call.target, attribute) and not _only_if_missing(file, call.node, attribute):
                return True
    return False


def _only_if_missing(file: File, node: cst.CSTNode, attribute: str) -> bool:
    return any(isinstance(o, cst.If) and attribute in file.text(o.test) for o in _around(file, node))


def closed_cache_items(function: Function) -> Iterator[Borrowed]:
    """Yield what a function takes out of a module's dict, closes, and leaves in the dict."""
    file = function.file
    if is_closing_name(function.name) or isinstance(function.node, cst.Lambda):
        return
    for node in function.nodes(cst.Assign):
        cache = _item_of(node.value)
        if cache is None or len(node.targets) != 1 or not isinstance(node.targets[0].target, cst.Name):
            continue
        found = file.lookup(cache.value, cache)
        if found is None or found.scope != "module" or not _is_dict(file, found.bindings):
            continue
        if _takes_out(function, cache.value):
            continue
        name = node.targets[0].target.value
        for close in _closes_of(function, name):
            if isinstance(close, cst.WithItem) and resource_of(file, close.item) is None:
                continue  # a lock
            yield Borrowed(node, name, f"the cache {cache.value}", close, file)
            break


def _item_of(value: cst.BaseExpression) -> cst.Name | None:
    if isinstance(value, cst.Subscript) and isinstance(value.value, cst.Name):
        return value.value
    if isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute) and isinstance(value.func.value, cst.Name):
        return value.func.value if value.func.attr.value in ("get", "setdefault") else None
    return None


def _is_dict(file: File, bindings: tuple[object, ...]) -> bool:
    for binding in bindings:
        if not isinstance(binding, Binding) or binding.value is None:
            return False
        values = file.values_of(binding.value)
        if not any(
            (isinstance(v, Collection) and v.kind == "dict")
            or (isinstance(v, Instance) and "dict" in str(v.type).lower())
            for v in values
        ):
            return False
    return bool(bindings)


def _takes_out(function: Function, cache: str) -> bool:
    for node in all_nodes(function.node.body):
        if isinstance(node, cst.Del) and cache in function.file.text(node):
            return True
        if isinstance(node, cst.Attribute) and node.attr.value in ("pop", "popitem", "clear"):
            if isinstance(node.value, cst.Name) and node.value.value == cache:
                return True
    return False


def _around(file: File, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield the nodes around a node within its function."""
    for outer in file.ancestors(node):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            return
        yield outer
