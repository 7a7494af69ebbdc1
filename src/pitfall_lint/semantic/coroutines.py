"""Which calls make a coroutine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.tasks import Transparent
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.harmless import is_stub
from pitfall_lint.semantic.values import Coroutine
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_KEEPS = frozenset(
    {
        "builtins.staticmethod",
        "builtins.classmethod",
        "abc.abstractmethod",
        "typing.override",
        "typing_extensions.override",
    }
)


def coroutine_made(call: Call) -> Function | str | None:
    """Return the coroutine function that a call calls, if it surely makes a coroutine."""
    values = call.file.values_of(call.node)
    made: list[Coroutine] = [value for value in values if isinstance(value, Coroutine)]
    if not made or len(made) != len(values) or call.is_awaited:
        return _by_decorated_class(call) if not values or not made else None
    if (call.method is not None and _is_replaced(call.file, call.method)) or _is_asked_for(call):
        return None
    if all(isinstance(value.of, str) or keeps_coroutine(value.of) for value in made):
        target = call.target
        if isinstance(target, Function) and not keeps_coroutine(target, any_kind=True):
            return None
        if isinstance(target, Function) and not target.is_async and not _always_gives(target):
            return None
        return made[0].of
    return None


def _always_gives(function: Function) -> bool:
    """Tell whether a plain function returns something on every path: no bare `return`, no end without one."""
    if isinstance(function.node, cst.Lambda):
        return True
    if any(node.value is None for node in function.nodes(cst.Return)):
        return False
    states = function.file.flow(function).typestate(True, lambda step, state, raised: state)
    return states is not None and not states.exits("end")


def _is_asked_for(call: Call) -> bool:
    """Tell whether the function around a call asks what the callee is: `if iscoroutinefunction(f): await f()`."""
    function = call.function
    if function is None or not _has_word(call.file, b"iscoroutinefunction"):
        return False
    callee = call.file.text(call.node.func)
    asked = (n for n in function.nodes(cst.Call) if call.file.text(n.func).endswith("iscoroutinefunction"))
    return any(call.file.text(arg.value) == callee for node in asked for arg in node.args)


def _is_replaced(file: File, method: str) -> bool:
    """Tell whether this file puts something else in the place of a method: `client.run = wrapped`."""
    replaced: set[bytes] | None = file.memo.get("replaced methods")
    if replaced is None:
        data = file.source.data
        replaced = file.memo["replaced methods"] = set(_ASSIGNED.findall(data))
        for given in _SET.findall(data):
            replaced.update(_QUOTED.findall(given))
    return method.encode() in replaced


_ASSIGNED = re.compile(rb"\.([\w\x80-\xff]+)(?=\s*=[^=])")
_SET = re.compile(rb"setattr\(([^)]*)")
_QUOTED = re.compile(rb"[\"']([\w\x80-\xff]+)(?=[\"'])")


def _has_word(file: File, word: bytes) -> bool:
    key = ("has word", word)
    if key not in file.memo:
        file.memo[key] = word in file.source.data
    found: bool = file.memo[key]
    return found


def keeps_coroutine(function: Function, *, any_kind: bool = False) -> bool:
    """Tell whether a function is still a coroutine function behind its decorators."""
    if not any_kind and (not function.is_coroutine_function or _may_be_generator(function)):
        return False
    for decorator, name in zip(function.decorators, function.decorator_names, strict=True):
        if name in _KEEPS or (name is not None and function.file.libraries.find(Transparent, name) is not None):
            continue
        target = function.file.definition(decorator.func if isinstance(decorator, cst.Call) else decorator)
        if not isinstance(target, Function) or not _gives_coroutine_function(target):
            return False
    return True


def _may_be_generator(function: Function) -> bool:
    """Tell whether an `async def` without a body stands for an async generator: `-> AsyncIterator[…]: …`."""
    returns = function.head.returns if isinstance(function.head, cst.FunctionDef) else None
    said = function.file.text(returns.annotation).strip("\"'") if returns is not None else ""
    name = said.partition("[")[0].rpartition(".")[2]
    return name in ("AsyncIterator", "AsyncIterable", "AsyncGenerator") and is_stub(function)


def _gives_coroutine_function(decorator: Function) -> bool:
    """Tell whether a decorator of the project returns an `async def` of its own, or what it was given.

    One that asks whether it was given a coroutine function has an answer for these, and another one for the rest.
    """
    returned = [part for value in decorator.returns() for part in _branches(value)]
    names = {name.value for name in returned if isinstance(name, cst.Name)}
    if not names or not all(isinstance(name, cst.Name) for name in returned):
        return False
    if _asks_what_it_is_given(decorator):
        inner = [n for n in all_nodes(decorator.node.body) if isinstance(n, cst.FunctionDef) and n.name.value in names]
        return any(node.asynchronous is not None for node in inner)
    inner = [n for n in all_nodes(decorator.node.body) if isinstance(n, cst.FunctionDef) and n.name.value in names]
    if not inner:
        return bool(decorator.params) and names == {decorator.params[0].name}
    for node in inner:
        function = decorator.file.function(node)
        if not function.is_async and not _gives_coroutine_function(function) and not _passes_on(decorator, function):
            return False
    return True


def _passes_on(decorator: Function, wrapper: Function) -> bool:
    """Tell whether a plain wrapper always returns what it gets from the function that is decorated."""
    given = decorator.params[0].name if decorator.params else ""
    calls = [value.func for value in wrapper.returns() if isinstance(value, cst.Call)]
    own = [func for func in calls if isinstance(func, cst.Name) and func.value == given]
    return bool(own) and len(own) == len(wrapper.returns()) and _always_gives(wrapper)


def _branches(node: cst.BaseExpression) -> list[cst.BaseExpression]:
    return [*_branches(node.body), *_branches(node.orelse)] if isinstance(node, cst.IfExp) else [node]


def _asks_what_it_is_given(decorator: Function) -> bool:
    """Tell whether a decorator tests its argument by `iscoroutinefunction`."""
    if not decorator.params or not _has_word(decorator.file, b"iscoroutinefunction"):
        return False
    asked = (n for n in decorator.nodes(cst.Call) if decorator.file.text(n.func).endswith("iscoroutinefunction"))
    return any(decorator.file.text(arg.value) == decorator.params[0].name for node in asked for arg in node.args)


def _by_decorated_class(call: Call) -> Function | None:
    """In a decorator's wrapper `self` stands for the one class whose methods are decorated with it."""
    file, function = call.file, call.function
    if function is None or not isinstance(call.receiver, cst.Name) or call.is_awaited or not function.params:
        return None
    outer = function.parent
    while outer is not None and outer.parent is not None:
        outer = outer.parent
    if outer is None or outer.class_ is not None or function.params[0].name != call.receiver.value:
        return None
    if call.receiver.value not in {"self", "cls"} or call.method is None:
        return None
    classes = set()
    pattern = rb"^[ \t]+@" + re.escape(outer.name.encode()) + rb"\b"
    for match in re.finditer(pattern, file.source.data, re.MULTILINE):
        block = file.outline.function_at(file.source.position(match.end())[0] - 1)
        classes.add(file.class_for(block.parent) if block is not None and block.parent is not None else None)
    class_ = classes.pop() if len(classes) == 1 else None
    method = class_.method(call.method) if isinstance(class_, Class) else None
    return method if method is not None and keeps_coroutine(method) else None
