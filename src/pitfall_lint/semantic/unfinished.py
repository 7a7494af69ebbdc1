"""Tasks that nobody can wait for and that write what the end of their object reads: it may come too early."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.handover import argument_for
from pitfall_lint.semantic.mentioning import attribute_references
from pitfall_lint.semantic.tasks import Started, started

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_ENDS = frozenset(
    ["close", "aclose", "stop", "shutdown", "disconnect", "terminate", "teardown", "cleanup", "finish", "exit", "aexit"]
)
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_WAITS = frozenset({"wait", "wait_for", "join", "gather", "all_tasks", "sleep", "result"})
_FILLS = frozenset({"append", "appendleft", "add", "extend", "update", "setdefault", "insert"})
_REACH = 20


@dataclass(frozen=True, eq=False)
class Unfinished:
    """A task that may still be at work on an object's data when the object ends."""

    task: Started
    attribute: str
    write: cst.CSTNode
    ending: Function
    read: cst.CSTNode


def unfinished(file: File) -> Iterator[Unfinished]:
    """Yield the dropped tasks whose coroutine fills what a method that ends their object goes on to read."""
    for task in started(file):
        class_ = file.class_of(task.call.node)
        if class_ is None or task.row.keeps or task.is_silent or not isinstance(task.coroutine, cst.Call):
            continue
        worker = task.file.definition(task.coroutine.func)
        if task.file is not file or not isinstance(worker, Function) or worker.file is not file:
            continue
        fate = task.fate()
        if fate is None or fate.holds or fate.how not in {"dropped", "unread"}:
            continue
        for name, write in _writes(worker, file.call(task.coroutine)):
            found = _read_at_the_end(class_, name, worker)
            if found is not None:
                yield Unfinished(task, name, write, *found)
                break


def _writes(worker: Function, call: Call) -> Iterator[tuple[str, cst.CSTNode]]:
    """Yield the attributes of the object into whose elements a coroutine puts something, behind an await."""
    waited = False
    for node in worker.nodes():
        waited = waited or isinstance(node, cst.Await)
        target: cst.BaseExpression | None = None
        if isinstance(node, (cst.AssignTarget, cst.AnnAssign, cst.AugAssign)):
            inner = node.target
            target = inner.value if isinstance(inner, (cst.Attribute, cst.Subscript)) else None
        elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in _FILLS:
            target = node.func.value
        name = _attribute_behind(worker, target, call) if target is not None and waited else None
        if name is not None:
            yield name, node


def _attribute_behind(worker: Function, node: cst.BaseExpression, call: Call, depth: int = 6) -> str | None:
    """Return the attribute of the object that an expression is, or is an element of: `entries` for `entry`."""
    file = worker.file
    if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name):
        if _is_self(worker, node.value, call):
            return node.attr.value
    if depth and isinstance(node, (cst.Attribute, cst.Subscript)):
        return _attribute_behind(worker, node.value, call, depth - 1)
    if depth and isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
        if node.func.attr.value in {"get", "setdefault"}:
            return _attribute_behind(worker, node.func.value, call, depth - 1)
    if depth and isinstance(node, cst.Name):
        given = argument_for(call, worker, node.value)
        if given is not None:
            return _attribute_behind(worker, given, call, depth - 1)
        found = file.lookup(node.value, node)
        values = [getattr(binding, "value", None) for binding in found.bindings] if found is not None else []
        if len(values) == 1 and isinstance(values[0], cst.BaseExpression):
            return _attribute_behind(worker, values[0], call, depth - 1)
    return None


def _is_self(worker: Function, name: cst.Name, call: Call) -> bool:
    """Tell whether a name is the object: of the coroutine's own method, of the one around, or handed over."""
    given = argument_for(call, worker, name.value)
    if isinstance(given, cst.Name) and given.value != name.value:
        name = given
    function: Function | None = worker
    while function is not None:
        if function.self_name == name.value:
            return True
        function = function.parent
    return name.value == (call.function.self_name if call.function is not None else None)


def _read_at_the_end(class_: Class, name: str, worker: Function) -> tuple[Function, cst.CSTNode] | None:
    """Return the method that ends an object and a place where it, or what it calls on self, reads an attribute."""
    file = worker.file
    reads = [node for node in attribute_references(file, name) if not _is_cleared(file, node)]
    for ending in class_.methods():
        if _ENDS.isdisjoint(word.lower() for word in _WORDS.findall(ending.name)):
            continue
        reached = _reached(class_, ending)
        if worker in reached or any(call.method in _WAITS for one in reached for call in one.calls()):
            continue
        for node in reads:
            if file.function_of(node) in reached:
                return ending, node
    return None


def _is_cleared(file: File, node: cst.CSTNode) -> bool:
    outer = file.parent(node)
    if isinstance(outer, cst.Attribute):
        return outer.attr.value in {"clear", "pop", "discard", "remove"}
    return isinstance(outer, (cst.If, cst.UnaryOperation, cst.BooleanOperation, cst.Comparison, cst.Del))


def _reached(class_: Class, method: Function) -> list[Function]:
    """Return a method and those that it calls on self."""
    found: list[Function] = []
    pending = [method]
    while pending and len(found) < _REACH:
        one = pending.pop()
        if one not in found:
            found.append(one)
            inner = (class_.method(call.method) for call in one.calls() if call.method is not None)
            pending.extend(other for other in inner if other is not None)
    return found
