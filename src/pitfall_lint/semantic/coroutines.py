"""Coroutine objects that nobody awaits: which calls make one, and what is done with it instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.tasks import Spawn, Transparent, Waiter
from pitfall_lint.semantic import clauses
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.handover import argument_for
from pitfall_lint.semantic.harmless import is_stub
from pitfall_lint.semantic.values import Coroutine
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_OWN = re.compile(r"close|send|throw|cr_\w+|gi_\w+|__\w+__")
_WANTS_VALUE = frozenset(
    [
        "str",
        "int",
        "float",
        "bool",
        "len",
        "list",
        "tuple",
        "set",
        "dict",
        "sorted",
        "sum",
        "min",
        "max",
        "print",
        "repr",
        "bytes",
        "range",
        "any",
        "all",
        "round",
    ]
)
_VALUE_NAME = re.compile(
    r"(?:^|_)(?:url|text|title|name|path|id|key|description|colou?r|count|size|label|message|status)$"
)
_KEEPS = frozenset(
    {
        "builtins.staticmethod",
        "builtins.classmethod",
        "abc.abstractmethod",
        "typing.override",
        "typing_extensions.override",
    }
)
_VALUE_TYPES = frozenset(
    [
        "str",
        "int",
        "float",
        "bool",
        "bytes",
        "list",
        "dict",
        "tuple",
        "set",
        "List",
        "Dict",
        "Tuple",
        "Set",
        "Sequence",
        "Mapping",
        "Iterable",
        "datetime",
        "Path",
    ]
)


@dataclass(frozen=True, eq=False)
class Misuse:
    """What is done with a coroutine where its result is wanted."""

    how: str
    """dropped, tested, compared, formatted, used, iterated or passed."""
    node: cst.CSTNode
    detail: str = ""


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
    callee, function = call.file.text(call.node.func), call.function
    if function is None or b"iscoroutinefunction" not in call.file.source.data:
        return False
    asked = (n for n in function.nodes(cst.Call) if call.file.text(n.func).endswith("iscoroutinefunction"))
    return any(call.file.text(arg.value) == callee for node in asked for arg in node.args)


def _is_replaced(file: File, method: str) -> bool:
    """Tell whether this file puts something else in the place of a method: `client.run = wrapped`."""
    name = re.escape(method.encode())
    pattern = rb"\.%s\s*=[^=]|setattr\([^)]*[\"']%s[\"']" % (name, name)
    return re.search(pattern, file.source.data) is not None


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
    returns = function.node.returns if isinstance(function.node, cst.FunctionDef) else None
    said = function.file.text(returns.annotation).strip("\"'") if returns is not None else ""
    name = said.partition("[")[0].rpartition(".")[2]
    return name in ("AsyncIterator", "AsyncIterable", "AsyncGenerator") and is_stub(function)


def _gives_coroutine_function(decorator: Function) -> bool:
    """Tell whether a decorator of the project returns an `async def` of its own, or what it was given."""
    names = {name.value for name in decorator.returns() if isinstance(name, cst.Name)}
    if not names or len(names) != len(decorator.returns()):
        return False
    inner = [n for n in all_nodes(decorator.node.body) if isinstance(n, cst.FunctionDef) and n.name.value in names]
    if not inner:
        return bool(decorator.params) and names == {decorator.params[0].name}
    for node in inner:
        function = decorator.file.function(node)
        if not function.is_async and not _gives_coroutine_function(function):
            return False
    return True


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


def misuse_of(call: Call, *, project: bool = True) -> Misuse | None:
    """Return what is done with a call's coroutine that only its result can be meant for."""
    return _misuse(call.file, call.node, project=project) or _misuse_of_name(call)


def _misuse(file: File, node: cst.CSTNode, *, project: bool = True) -> Misuse | None:
    outer = file.parent(node)
    if isinstance(outer, cst.Expr):
        return Misuse("dropped", node)
    if isinstance(outer, cst.Assign) and all(
        isinstance(t.target, cst.Name) and t.target.value == "_" for t in outer.targets
    ):
        return Misuse("dropped", node)
    if isinstance(outer, (cst.If, cst.While, cst.Assert)) and outer.test is node:
        return Misuse("tested", node)
    if isinstance(outer, cst.IfExp) and outer.test is node:
        return Misuse("tested", node)
    if isinstance(outer, cst.UnaryOperation) and isinstance(outer.operator, cst.Not):
        return Misuse("tested", node)
    if isinstance(outer, cst.BooleanOperation) and (outer.left is node or _is_test(file, outer)):
        return Misuse("tested", node)
    if isinstance(outer, cst.CompIf):
        return Misuse("tested", node)
    if isinstance(outer, (cst.Comparison, cst.ComparisonTarget)):
        return Misuse("compared", node)
    if isinstance(outer, cst.FormattedStringExpression):
        return Misuse("formatted", node)
    if isinstance(outer, cst.BinaryOperation):
        return Misuse("used", node)
    if isinstance(outer, cst.Attribute) and outer.value is node and not _OWN.fullmatch(outer.attr.value):
        return Misuse("used", outer, f".{outer.attr.value}")
    if isinstance(outer, cst.Subscript) and outer.value is node:
        return Misuse("used", outer, "[…]")
    if isinstance(outer, (cst.For, cst.CompFor)) and outer.iter is node:
        return Misuse("iterated", node) if project or outer.asynchronous is None else None
    if isinstance(outer, cst.WithItem):
        return Misuse("entered", node) if project else None
    if isinstance(outer, cst.Arg) and isinstance(call := file.parent(outer), cst.Call):
        return _passed(file, call, outer)
    return None


def _is_test(file: File, node: cst.CSTNode) -> bool:
    outer = file.parent(node)
    if isinstance(outer, cst.BooleanOperation):
        return _is_test(file, outer)
    return isinstance(outer, (cst.If, cst.While, cst.UnaryOperation, cst.Assert, cst.CompIf)) or (
        isinstance(outer, cst.IfExp) and outer.test is node
    )


def _passed(file: File, node: cst.Call, arg: cst.Arg) -> Misuse | None:
    """Look at an argument: is a value wanted there?"""
    call = file.call(node)
    name = file.qualified_name(node.func)
    if name is not None and (file.libraries.find(Spawn, name) or file.libraries.find(Waiter, name)):
        return None
    if name is not None and name.startswith("builtins.") and name.partition(".")[2] in _WANTS_VALUE and not arg.star:
        return Misuse("passed", node, f"{name.partition('.')[2]}()")
    if name == "json.dumps" or clauses.logs(file, node):
        return Misuse("passed", node, file.text(node.func) + "()")
    target = call.target
    if isinstance(target, Class):
        target = target.method("__init__")
    if isinstance(target, Function):
        for param in target.params:
            if param.annotation is not None and argument_for(call, target, param.name) is arg.value:
                if _is_value_annotation(param.annotation):
                    return Misuse("passed", node, f"{target.name}({param.name}: {target.file.text(param.annotation)})")
        return None
    if arg.keyword is not None and _VALUE_NAME.search(arg.keyword.value) and not arg.star:
        return Misuse("passed", node, f"{arg.keyword.value}=")
    return None


def _is_value_annotation(annotation: cst.BaseExpression) -> bool:
    if isinstance(annotation, cst.BinaryOperation):
        return _is_value_annotation(annotation.left) and _is_value_annotation(annotation.right)
    if isinstance(annotation, cst.Subscript):
        annotation = annotation.value
    return isinstance(annotation, cst.Name) and annotation.value in _VALUE_TYPES | {"None"}


def _misuse_of_name(call: Call) -> Misuse | None:
    """Look at a local name that holds the coroutine: used as a value, and never awaited or handed on."""
    file, statement = call.file, call.file.parent(call.node)
    if not isinstance(statement, cst.Assign) or len(statement.targets) != 1 or call.function is None:
        return None
    target = statement.targets[0].target
    if not isinstance(target, cst.Name):
        return None
    bindings = file.scope_of(target).bindings.get(target.value, [])
    if len(bindings) != 1 or (
        isinstance(file.parent(statement), cst.CSTNode) and file.function_of(statement) is not call.function
    ):
        return None
    found: Misuse | None = None
    for mention in _mentions(file, call.function, target.value):
        misuse = _misuse(file, mention)
        if misuse is None or misuse.how == "dropped":
            return None
        if misuse.how in {"used", "iterated", "formatted", "passed"}:
            found = found or misuse
    return found


def _mentions(file: File, function: Function, name: str) -> Iterator[cst.Name]:
    for node in all_nodes(function.node.body):
        if isinstance(node, cst.Name) and node.value == name:
            outer = file.parent(node)
            if isinstance(outer, (cst.AssignTarget, cst.Param, cst.NameItem)):
                continue
            if isinstance(outer, cst.Arg) and outer.keyword is node:
                continue
            if isinstance(outer, cst.Attribute) and outer.value is not node:
                continue
            yield node
