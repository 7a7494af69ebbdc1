"""Which calls keep their thread waiting, themselves or through functions of the project that they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Related
from pitfall_lint.libraries.loops import Blocking, PlatformTest, RunsLoop, ThreadEntry
from pitfall_lint.libraries.tasks import Retry
from pitfall_lint.semantic.calls import runs, tested
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.guards import knows_loops
from pitfall_lint.semantic.values import NOT_CONSTANT, Coroutine
from pitfall_lint.semantic.walk import all_nodes, own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_DEPTH = 3
_IFS = 1
"""How many conditions may decide about the blocking call, over the whole chain."""
_BRIEF = 0.05
"""Seconds that nobody notices."""
_TRANSPARENT = frozenset(
    {"staticmethod", "classmethod", "builtins.staticmethod", "builtins.classmethod", "typing.override"}
)


_READERS = frozenset({"list", "tuple", "set", "dict", "sorted", "sum", "next", "max", "min"})
"""What reads a generator that it is given, then and there."""


@dataclass(frozen=True, eq=False)
class Wait:
    """A blocking call and the calls that lead to it, outermost first; the last one blocks."""

    row: Blocking
    calls: tuple[Call, ...]
    ifs: int = 0
    """How many conditions decide about the calls behind the first one."""

    @property
    def blocking(self) -> Call:
        """The call that blocks."""
        return self.calls[-1]

    @property
    def related(self) -> tuple[Related, ...]:
        """The steps behind the first call as second places of a finding."""
        found = []
        for call in self.calls[1:]:
            name = call.function.name if call.function is not None else "the module"
            says = f"{call.text} {self.row.waits}" if call is self.blocking else f"{name} calls {call.text}"
            found.append(call.file.related(call.node, says))
        return tuple(found)


def wait_of(call: Call, *, strict: bool = False, depth: int = _DEPTH) -> Wait | None:
    """Return how a call keeps its thread waiting; None when it doesn't, or nobody can tell.

    `strict` counts what is often meant or mostly short as well: reading files, taking locks.
    """
    for row in call.file.rows_of_call(call, Blocking):
        if strict or not row.strict:
            return Wait(row, (call,)) if waits(call, row) and not asks_before(call, row) else None
    target = (runs(call) or _read_here(call)) if depth else None
    inner = wait_in(target, strict, depth - 1) if target is not None else None
    if inner is None or asks_before(call, inner.row):
        return None
    return Wait(inner.row, (call, *inner.calls), inner.ifs)


def _read_here(call: Call) -> Function | None:
    """Return the generator function of the project whose body a loop, or `list(…)` and the like, runs here."""
    file, outer, target = call.file, call.file.parent(call.node), call.target
    if not isinstance(target, Function) or not target.is_generator or target.is_async:
        return None
    if isinstance(outer, (cst.For, cst.CompFor)) and outer.iter is call.node and outer.asynchronous is None:
        return None if isinstance(file.parent(outer), cst.GeneratorExp) else target
    reads = file.parent(outer) if isinstance(outer, cst.Arg) else None
    if isinstance(reads, cst.Call) and isinstance(reads.func, cst.Name) and reads.func.value in _READERS:
        return target
    return None


def wait_in(function: Function, strict: bool, depth: int) -> Wait | None:
    """Return the first call of a plain function that blocks whoever calls it."""
    file = function.file
    key = ("waits", function, strict, depth)
    if key not in file.memo:
        file.memo[key] = None
        if depth or function.may_use(file.libraries.leaves(Blocking)):
            file.memo[key] = _wait_in(function, strict, depth)
    found: Wait | None = file.memo[key]
    return found


def _wait_in(function: Function, strict: bool, depth: int) -> Wait | None:
    if not _is_plain(function):
        return None
    for call in function.calls():
        found = wait_of(call, strict=strict, depth=depth)
        if found is None or knows_loops(function) or _gives_coroutines(function):
            continue
        ifs = conditions(function, call)
        if ifs is not None and found.ifs + ifs <= _IFS and _is_reached(function, call):
            return Wait(found.row, found.calls, found.ifs + ifs)
    return None


def _is_reached(function: Function, call: Call) -> bool:
    """Rule out code behind `if True: return`, a `raise` or the like."""
    graph = function.file.flow(function)
    return not graph.is_complete or bool(graph.steps_of(call.node))


def _gives_coroutines(function: Function) -> bool:
    """Tell whether a plain function returns a coroutine on some path: then that is what a coroutine gets of it."""
    values = [value for returned in function.returns() for value in function.file.values_of(returned)]
    return any(isinstance(value, Coroutine) for value in values)


def asks_before(call: Call, row: Blocking) -> bool:
    """Tell whether the function around a call asks whether it has to wait: `done()`, `empty()`."""
    function = call.function
    return (
        bool(row.asked_by) and function is not None and any(other.method in row.asked_by for other in function.calls())
    )


def waits(call: Call, row: Blocking) -> bool:
    """Tell whether the arguments of a blocking call let it block."""
    if call.is_awaited or any(call.where(place) is not None for place in row.quick_if):
        return False
    if row.seconds and (length := call.where(row.seconds)) is not None:
        constant = call.file.folded(length)
        if isinstance(constant, (int, float)) and constant <= _BRIEF:
            return False
    if row.unless and _awaits_a_start(call):
        return False
    if row.address and _is_this_machine(call, call.where(row.address)):
        return False
    if row.only_with and not any(_is_given(call, place) for place in row.only_with):
        return False
    for place in row.unless:
        argument = call.where(place)
        if argument is not None and _starts_a_thread(call.function):
            return False  # until that is ready, and bounded
        if argument is not None and ((value := call.file.folded(argument)) is NOT_CONSTANT or not value):
            return False
    return not (call.has_star and (row.unless or row.quick_if))


def _is_given(call: Call, place: str) -> bool:
    """Tell whether an argument is surely given, and is not one that stands for none."""
    value = call.file.folded(argument) if (argument := call.where(place)) is not None else None
    return value is not NOT_CONSTANT and bool(value)


def _is_this_machine(call: Call, address: cst.BaseExpression | None) -> bool:
    """Tell whether an address `(host, port)` is of this machine."""
    if not isinstance(address, cst.Tuple) or not address.elements:
        return False
    host = call.file.folded(address.elements[0].value)
    return isinstance(host, str) and (host in ("localhost", "::1") or host.startswith("127."))


def _awaits_a_start(call: Call) -> bool:
    """Tell whether an event on `self` is set before a loop is run, by whoever runs it: then it is a start that is
    waited for, which is over before anything can come in on that loop."""
    file, function = call.file, call.function
    if call.receiver is None or function is None or function.class_ is None:
        return False
    own, _, attribute = file.text(call.receiver).partition(".")
    if own != function.self_name or not attribute.isidentifier():
        return False
    setters = [
        (method, other)
        for method in function.class_.methods()
        for other in method.calls()
        if other.method == "set" and other.text.partition("(")[0] == f"{method.self_name}.{attribute}.set"
    ]
    return bool(setters) and all(
        any(other.file.rows_of_call(other, RunsLoop) for other in method.calls()) for method, _ in setters
    )


def _starts_a_thread(function: Function | None) -> bool:
    """Tell whether a function makes the thread that it may wait for."""
    return function is not None and any(
        not row.process and not row.awaitable
        for call in function.calls()
        for row in function.file.rows_of_call(call, ThreadEntry)
    )


def _is_plain(function: Function) -> bool:
    """Tell whether calling the function runs its body as it stands: no decorator may send it elsewhere."""
    libraries = function.file.libraries
    return all(
        name in _TRANSPARENT or (name is not None and libraries.find(Retry, name)) or _runs_inline(function.file, given)
        for name, given in zip(function.decorator_names, function.decorators, strict=True)
    )


def _runs_inline(file: File, decorator: cst.BaseExpression) -> bool:
    """Tell whether a decorator of the project puts plain functions around a function that call it themselves."""
    made = file.definition(decorator.func if isinstance(decorator, cst.Call) else decorator)
    if not isinstance(made, Function) or made.is_async:
        return False
    given_back = [node for node in all_nodes(made.node.body) if isinstance(node, cst.FunctionDef)]
    given_back = [node for node in given_back if _is_given_back(made.file, node)]
    wrapped = {param.name.value for node in (made.node, *given_back) for param in node.params.params}
    return not any(node.asynchronous is not None for node in given_back) and any(
        isinstance(call, cst.Call)
        and isinstance(call.func, cst.Name)
        and call.func.value in wrapped
        and made.file.enclosing(call, cst.If, cst.IfExp) is None
        for node in given_back
        for call in own_nodes(node.body)
    )


def _is_given_back(file: File, node: cst.FunctionDef) -> bool:
    """Tell whether the function around a nested one returns it."""
    outer = file.function_of(node)
    outer = outer.parent if outer is not None and outer.node is node else outer
    named = [returned.value for returned in outer.returns() if isinstance(returned, cst.Name)] if outer else []
    return node.name.value in named


def conditions(function: Function, call: Call) -> int | None:
    """Return how many conditions decide about a call; None when callers, the system or a cache do.

    What a parameter switches on, what one system does, and what is done once and kept can't be told here.
    """
    params = {param.name for param in function.params}
    if function.self_name:
        params.discard(function.self_name)
    found, file = 0, function.file
    child: cst.CSTNode = call.node
    for ancestor in file.ancestors(call.node):
        if isinstance(ancestor, (cst.If, cst.IfExp)) and child is not ancestor.test:
            if tested(ancestor.test) & params or _asks_platform(file, ancestor.test):
                return None
            found += 1
        elif isinstance(ancestor, (cst.ExceptHandler, cst.MatchCase)) or (
            isinstance(ancestor, cst.BooleanOperation) and child is ancestor.right
        ):
            found += 1
        elif isinstance(ancestor, cst.IndentedBlock) and _is_kept(file, ancestor, child):
            return None
        if ancestor is function.node:
            break
        child = ancestor
    return found


def _is_kept(file: File, block: cst.IndentedBlock, child: cst.CSTNode) -> bool:
    """Tell whether a block returns, before a statement, what it found ready: `if x: return x`."""
    for statement in block.body:
        if statement is child:
            return False
        if isinstance(statement, cst.If) and (returned := _returned(statement.body)) is not None:
            code = file.wording(returned)
            if any(file.wording(node) == code for node in all_nodes(statement.test) if type(node) is type(returned)):
                return True
    return False


def _returned(body: cst.BaseSuite) -> cst.BaseExpression | None:
    """Return what a block returns at its end, if that is a plain value: a name, an attribute or an item."""
    last = body.body[-1] if body.body else None
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) and last.body else last
    if isinstance(small, cst.Return) and isinstance(small.value, (cst.Name, cst.Attribute, cst.Subscript)):
        return small.value
    return None


def _asks_platform(file: File, test: cst.BaseExpression) -> bool:
    """Tell whether a condition is about the operating system."""
    return any(
        isinstance(node, (cst.Attribute, cst.Name))
        and (name := file.qualified_name(node)) is not None
        and file.libraries.find(PlatformTest, name) is not None
        for node in all_nodes(test)
    )
