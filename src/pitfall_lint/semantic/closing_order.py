"""In which order a class closes what it holds, and what may stop it half-way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.attributes import attribute_targets
from pitfall_lint.semantic.closing_names import is_closing_name
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.ownership import resource_of
from pitfall_lint.semantic.walk import all_nodes, own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True, eq=False)
class Misplaced:
    """Something in a close method that keeps the rest from being closed properly."""

    file: File
    place: cst.CSTNode
    text: str
    rest: str
    other: cst.CSTNode


def stumbles(class_: Class) -> Iterator[Misplaced]:
    """Yield attributes that a close method reads through although the constructor leaves them None."""
    init = class_.own_methods.get("__init__")
    if init is None:
        return
    empty = {
        name: places[0][0]
        for name, places in attribute_targets(init).items()
        if places and all(isinstance(v, cst.Name) and v.value == "None" for _, v in places)
    }
    for method in class_.methods():
        if not empty or not is_closing_name(method.name) or method.self_name is None:
            continue
        file, own = method.file, method.self_name
        closes = [(order, text) for order, text in _closed(method)]
        for order, node in enumerate(own_nodes(method.node.body)):
            if not isinstance(node, cst.Attribute) or not isinstance(node.value, cst.Attribute):
                continue
            inner = node.value
            name = inner.attr.value
            if name not in empty or file.text(inner.value) != own or _is_tested(method, name):
                continue
            later = [text for at, text in closes if at > order and not text.startswith(f"{own}.{name}")]
            if later and file.enclosing(node, cst.Try) is None:
                yield Misplaced(file, node, file.text(node), later[0], empty[name])
                break


def _closed(method: Function) -> Iterator[tuple[int, str]]:
    """Yield what a method closes, with its place in the text."""
    file = method.file
    for order, node in enumerate(own_nodes(method.node.body)):
        if isinstance(node, cst.Call):
            call = file.call(node)
            if call.receiver is None or call.method is None or not is_closing_name(call.method):
                continue
            if resource_of(file, call.receiver) is not None:
                yield order, file.text(call.receiver)


def _is_tested(method: Function, name: str) -> bool:
    """Tell whether a method asks for the attribute itself, sets it first, or calls something that may."""
    file, own = method.file, method.self_name
    for node in all_nodes(method.node.body):
        if isinstance(node, cst.Attribute) and node.attr.value == name and file.text(node.value) == own:
            if not isinstance(file.parent(node), cst.Attribute):
                return True
    return False


def _sources(node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """Yield what a call makes something from: the object that is asked, and what it is given."""
    if isinstance(node, cst.Call):
        if isinstance(node.func, cst.Attribute):
            yield node.func.value
        yield from (arg.value for arg in node.args)


def owner_first(class_: Class) -> Iterator[Misplaced]:
    """Yield closes of an attribute that come before the close of what was made from it."""
    made_from: dict[str, str] = {}
    for method in class_.methods():
        own = method.self_name
        for name, places in attribute_targets(method).items():
            for _, value in places:
                for node in own_nodes(value) if value is not None else ():
                    for owner in _sources(node):
                        if isinstance(owner, cst.Attribute) and method.file.text(owner.value) == own:
                            if owner.attr.value != name and resource_of(method.file, owner) is not None:
                                made_from[name] = owner.attr.value
    for method in class_.methods():
        if not made_from or not is_closing_name(method.name):
            continue
        closed: dict[str, cst.CSTNode] = {}
        for node in own_nodes(method.node.body):
            if not isinstance(node, cst.Call):
                continue
            call = method.file.call(node)
            if call.receiver is None or call.method is None or not is_closing_name(call.method):
                continue
            if not isinstance(call.receiver, cst.Attribute):
                continue
            name = call.receiver.attr.value
            owner_name = made_from.get(name)
            if owner_name in closed:
                text = f"{method.self_name}.{owner_name}"
                yield Misplaced(method.file, closed[owner_name], text, method.file.text(call.receiver), node)
            closed.setdefault(name, node)
