"""Which functions run on which thread: the ways by which a function comes to be called."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Related
from pitfall_lint.libraries import Function as FunctionRow
from pitfall_lint.libraries.loops import (
    ThreadAttribute,
    ThreadDecorator,
    ThreadEntry,
    ThreadMethod,
)
from pitfall_lint.libraries.tasks import Transparent
from pitfall_lint.semantic.calls import callers, param_of, runs, uses
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.driving import calls_on_thread
from pitfall_lint.semantic.values import Coroutine, FunctionValue, LibraryName, Partial, Value
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_DEPTH = 4
_WAYS = 8


@dataclass(frozen=True, eq=False)
class Hop:
    """One step on the way to a function: where it is handed over or called."""

    file: File
    node: cst.CSTNode
    function: Function | None
    """The function in which the step stands."""
    message: str

    @property
    def related(self) -> Related:
        """The step as a second place of a finding."""
        return self.file.related(self.node, self.message)


@dataclass(frozen=True, eq=False)
class Way:
    """One way by which a function comes to be called: on a loop (by an `async def`) or on a thread."""

    runs_on: str
    """loop, thread or process."""
    where: str
    """In words: `paho-mqtt's network thread`."""
    hops: tuple[Hop, ...] = ()
    """From where it begins to the call of the function."""

    @property
    def functions(self) -> tuple[Function, ...]:
        """The functions that are passed through; the one that is asked about is not among them."""
        return tuple(hop.function for hop in self.hops if hop.function is not None)

    @property
    def related(self) -> tuple[Related, ...]:
        """The steps as second places of a finding."""
        return tuple(hop.related for hop in self.hops)


def ways(function: Function) -> tuple[Way, ...]:
    """Return how a function comes to be called, as far as its own file tells, bounded."""
    file = function.file
    key = ("ways", function)
    if key not in file.memo:
        file.memo[key] = tuple(_ways(function, _DEPTH, ()))[:_WAYS]
    found: tuple[Way, ...] = file.memo[key]
    return found


def thread_ways(function: Function) -> Iterator[Way]:
    """Yield the ways on which a function runs on a thread other than a loop's."""
    return (way for way in ways(function) if way.runs_on == "thread")


def loop_ways(function: Function) -> Iterator[Way]:
    """Yield the ways on which an `async def` calls a function, so that it runs on the loop's thread."""
    return (way for way in ways(function) if way.runs_on == "loop")


def _ways(function: Function, depth: int, seen: tuple[Function, ...]) -> Iterator[Way]:
    if function.is_async:
        yield Way("loop", "the event loop")
        return
    yield from entries(function)
    if depth == 0 or function.is_generator:
        return
    for call in callers(function):
        outer = call.function
        if outer is None or outer in seen or outer is function or runs(call) is not function:
            continue
        hop = Hop(function.file, call.node, outer, f"{outer.name} calls {function.name} here")
        for way in _ways(outer, depth - 1, (*seen, function)):
            # the function in which a thread is started does not itself run on that thread
            yield Way(way.runs_on, way.where, (*way.hops, hop))


def entries(function: Function) -> tuple[Way, ...]:
    """Return the places of its own file where a function is handed to another thread."""
    file = function.file
    key = ("entries", function)
    if key not in file.memo:
        file.memo[key] = ()
        file.memo[key] = tuple(_entries(function))
    found: tuple[Way, ...] = file.memo[key]
    return found


def _entries(function: Function) -> Iterator[Way]:
    file = function.file
    for name, decorator in zip(function.decorator_names, function.decorators, strict=True):
        row = file.libraries.find(ThreadDecorator, name) if name else None
        if row is not None:
            yield _entry("thread", row.thread, file, decorator, None)
        elif isinstance(target := _definition(file, decorator), Function) and target.params:
            if (where := hands_over(target, target.params[0].name)) is not None:
                yield _entry("thread", where, file, decorator, None)
    if function.class_ is not None:
        for method_row in file.libraries.rows(ThreadMethod):
            if function.name in method_row.methods and function.class_.subclass_of(method_row.type):
                yield Way("thread", method_row.thread)
    for use in uses(function):
        yield from _handed_over(function, use)


def _definition(file: File, expression: cst.BaseExpression) -> Function | Class | None:
    return file.definition(expression.func if isinstance(expression, cst.Call) else expression)


def _entry(runs_on: str, where: str, file: File, node: cst.CSTNode, function: Function | None) -> Way:
    """The function that starts a thread is no part of the way: it runs elsewhere."""
    return Way(runs_on, where, (Hop(file, node, None, f"runs on {where} because of this"),))


def _handed_over(function: Function, use: cst.BaseExpression) -> Iterator[Way]:
    """Yield the thread that gets a function by one of its uses: as an argument or as a callback attribute."""
    file = function.file
    node: cst.CSTNode = use
    for _ in range(6):
        outer = file.parent(node)
        if isinstance(outer, cst.Assign) and outer.value is node:
            for target in outer.targets:
                yield from _callback_attribute(file, target.target)
            return
        call_node = file.parent(outer) if isinstance(outer, cst.Arg) else None
        if not isinstance(call_node, cst.Call) or not isinstance(outer, cst.Arg):
            return
        call = file.call(call_node)
        for row in file.rows_of_call(call, ThreadEntry):
            if any(e is node or file.definition(e) is function for e in handed(call, row)):
                yield _entry("process" if row.process else "thread", row.thread, file, call_node, call.function)
                return
        target_ = call.target
        if target_ is not None and (param := param_of(target_, call, outer.value)) is not None:
            if (where := hands_over(target_, param.name)) is not None:
                yield _entry("thread", where, file, call_node, call.function)
                return
        if file.definition(call_node) is not function:  # a partial is the function itself
            return
        node = call_node


def handed(call: Call, row: ThreadEntry) -> Iterator[cst.BaseExpression]:
    """Yield the functions that a call hands to a thread; `context.run, f` counts as f."""
    for place in row.function:
        expression = call.where(place)
        if expression is None:
            continue
        yield expression
        if isinstance(expression, cst.Attribute) and expression.attr.value == "run":
            position = place.partition("|")[0]
            inner = call.arg(int(position) + 1) if position else None
            if inner is not None and call.file.definition(expression) is None:
                yield inner


def _callback_attribute(file: File, target: cst.BaseExpression) -> Iterator[Way]:
    if isinstance(target, cst.Attribute):
        row = file.row_of(target.value, ThreadAttribute)
        if row is not None and target.attr.value in row.attributes and calls_on_thread(file, row, entries):
            yield _entry("thread", row.thread, file, target, None)


def hands_over(target: Function | Class, param: str, depth: int = 2) -> str | None:
    """Tell where a parameter of a project function (or constructor) is called, if that is another thread."""
    file = target.file
    key = ("hands over", target, param)
    if key not in file.memo:
        file.memo[key] = None
        file.memo[key] = next(_hands_over(target, param, depth), None)
    found: str | None = file.memo[key]
    return found


def _hands_over(target: Function | Class, param: str, depth: int) -> Iterator[str]:
    function = target.method("__init__") if isinstance(target, Class) else target
    if function is None:
        return
    file = function.file
    if isinstance(target, Class):
        yield from _kept_for_thread(target, function, param)
    for node in all_nodes(function.node.body):
        if not isinstance(node, cst.Name) or node.value != param:
            continue
        outer = file.parent(node)
        if isinstance(outer, cst.Call) and outer.func is node:  # called in a nested function that a thread gets
            inner = file.function_of(outer)
            if inner is not None and inner is not function:
                yield from (way.where for way in entries(inner) if way.runs_on == "thread")
        elif isinstance(outer, cst.Arg) and isinstance(call_node := file.parent(outer), cst.Call):
            call = file.call(call_node)
            if (inner := call.function) is not function and not (inner and _nested_in(inner, function)):
                continue
            for row in file.rows_of_call(call, ThreadEntry):
                if not row.process and any(e is node for e in handed(call, row)):
                    yield row.thread
            if depth and call.target is not None and call.target is not target:
                if (bound := param_of(call.target, call, node)) is not None:
                    where = hands_over(call.target, bound.name, depth - 1)
                    if where is not None:
                        yield where


def _nested_in(inner: Function | None, outer: Function) -> bool:
    while inner is not None and inner is not outer:
        inner = inner.parent
    return inner is outer


def _kept_for_thread(class_: Class, init: Function, param: str) -> Iterator[str]:
    """Yield the thread on which a class calls what its constructor put on `self`."""
    rows = [row for row in class_.file.libraries.rows(ThreadMethod) if class_.subclass_of(row.type)]
    if not rows:
        return
    kept = {
        target.target.attr.value
        for node in init.nodes(cst.Assign)
        if isinstance(node.value, cst.Name) and node.value.value == param
        for target in node.targets
        if isinstance(target.target, cst.Attribute)
    }
    for row in rows:
        for name in row.methods:
            method = class_.method(name)
            for node in method.nodes(cst.Call) if method is not None else ():
                called = node.func
                if isinstance(called, cst.Attribute) and called.attr.value in kept:
                    yield row.thread


def is_callback(function: Function) -> bool:
    """Tell whether a function is given away: as an argument, or as an attribute of another object."""
    file = function.file
    for use in uses(function):
        outer = file.parent(use)
        if isinstance(outer, cst.Arg):
            return True
        if isinstance(outer, cst.Assign) and any(isinstance(t.target, cst.Attribute) for t in outer.targets):
            return True
    return False


def is_coroutine_function(file: File, expression: cst.BaseExpression) -> bool:
    """Tell whether an expression surely holds a coroutine function, of the project or a library."""
    values = file.values_of(expression)
    return bool(values) and all(_makes_coroutine(file, value) for value in values)


def _makes_coroutine(file: File, value: Value) -> bool:
    if isinstance(value, FunctionValue):
        return value.function.is_coroutine_function and stays_as_it_is(value.function)
    if isinstance(value, LibraryName):
        row = file.libraries.find(FunctionRow, value.name)
        return row is not None and row.coroutine
    if isinstance(value, Partial):
        return bool(value.of) and all(_makes_coroutine(file, inner) for inner in value.of)
    return False


def stays_as_it_is(function: Function) -> bool:
    """Tell whether no decorator could make something else of a function than what it is."""
    plain = {"staticmethod", "classmethod", "builtins.staticmethod", "builtins.classmethod"}
    rows = function.file.libraries
    return all(
        name is not None and (name in plain or rows.find(Transparent, name)) for name in function.decorator_names
    )


def is_coroutine(file: File, expression: cst.BaseExpression) -> bool:
    """Tell whether an expression surely is a coroutine object that nobody awaited."""
    values = file.values_of(expression)
    return bool(values) and all(isinstance(value, Coroutine) for value in values)


def async_callbacks(file: File) -> Iterator[tuple[cst.CSTNode, cst.CSTNode, str]]:
    """Yield the `async def`s that stand where a thread calls: overridden methods, callback attributes.

    Each is (first node, last node, where it is called).
    """
    rows = file.libraries.rows(ThreadMethod)
    for class_ in file.classes():
        for row in rows if class_.node.bases else ():
            if class_.subclass_of(row.type):
                for name in row.methods:
                    method = class_.own_methods.get(name)
                    if method is not None and method.is_coroutine_function and isinstance(method.node, cst.FunctionDef):
                        yield method.node, method.node.params, row.thread
    for node in file.nodes(cst.Assign):
        if isinstance(node, cst.Assign) and isinstance(node.targets[0].target, cst.Attribute):
            for way in _callback_attribute(file, node.targets[0].target):
                if is_coroutine_function(file, node.value):
                    yield node.value, node.value, way.where


def keywords_for(call: Call, target: cst.BaseExpression) -> dict[str, cst.BaseExpression]:
    """Return the keywords that a thread calls its target with: those of `kwargs=…`, a partial, the call."""
    found: dict[str, cst.BaseExpression] = {}
    if isinstance(target, cst.Call):
        found.update({a.keyword.value: a.value for a in target.args if a.keyword is not None})
    found.update({a.keyword.value: a.value for a in call.node.args if a.keyword is not None})
    kwargs = found.pop("kwargs", None)
    if isinstance(kwargs, cst.Name):
        bindings = call.file.lookup(kwargs.value, kwargs)
        values = [getattr(b, "value", None) for b in bindings.bindings] if bindings is not None else []
        kwargs = values[0] if len(values) == 1 else None
    if isinstance(kwargs, cst.Dict):
        for element in kwargs.elements:
            if isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString):
                found[str(element.key.evaluated_value)] = element.value
    elif isinstance(kwargs, cst.Call):
        found.update({a.keyword.value: a.value for a in kwargs.args if a.keyword is not None})
    return found
