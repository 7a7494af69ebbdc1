"""Objects that belong to a loop, and whether they meet more than one: who runs what on new loops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.loops import CachingDecorator, LoopBound, RunsLoop, ThreadEntry
from pitfall_lint.semantic.calls import callers, mentions, trees_with
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.threads import handed, ways
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_DEPTH = 4


@dataclass(frozen=True, eq=False)
class Run:
    """One place that runs a coroutine function of the project on a loop of its own."""

    call: Call
    coroutine: Function

    @property
    def repeats(self) -> bool:
        """Tell whether the place surely comes to run more than once: a loop, a thread, several callers."""
        file, node = self.call.file, self.call.node
        function = self.call.function
        if _in_loop(file, node):
            return True
        if function is None:
            return False
        if any(way.runs_on == "thread" for way in ways(function)):
            return True
        known = list(callers(function))
        return any(_in_loop(file, call.node) for call in known) or together(known)


def together(calls: list[Call]) -> bool:
    """Tell whether two of some calls surely happen in one go: in one function, under no condition."""
    where: set[Function | None] = set()
    for call in calls:
        if call.file.enclosing(call.node, cst.If, cst.IfExp, cst.ExceptHandler, cst.Match) is not None:
            continue
        if call.function in where:
            return True
        where.add(call.function)
    return False


def _in_loop(file: File, node: cst.CSTNode) -> bool:
    return file.enclosing(node, cst.For, cst.While, cst.ListComp, cst.GeneratorExp) is not None


def runs_of(file: File) -> tuple[Run, ...]:
    """Return the places of a file that run its coroutine functions on new loops."""
    key = "runs on new loops"
    if key not in file.memo:
        file.memo[key] = tuple(_runs_of(file))
    found: tuple[Run, ...] = file.memo[key]
    return found


def _runs_of(file: File) -> list[Run]:
    found: list[Run] = []
    leaves = {row.call.rpartition(".")[2] for row in file.libraries.rows(RunsLoop) if row.new_loop}
    trees = dict.fromkeys(tree for leaf in sorted(leaves) for tree in trees_with(file, leaf))
    for tree in trees:
        for node in tree.by_kind.get(cst.Call, ()):
            if isinstance(node, cst.Call) and (run := _run(file.call(node))) is not None:
                found.append(run)
    return found


def _run(call: Call) -> Run | None:
    file = call.file
    for row in file.rows_of_call(call, RunsLoop):
        if not row.new_loop:
            return None
        place = row.coroutine or row.function
        given = call.where(place) if place else None
        return _of(call, given, called=bool(row.coroutine))
    for entry in file.rows_of_call(call, ThreadEntry):
        for function in handed(call, entry):
            name = file.qualified_name(function)
            runner = file.libraries.find(RunsLoop, name) if name is not None else None
            if runner is not None and runner.new_loop:
                args = call.keyword("args")
                first = args.elements[0].value if isinstance(args, cst.Tuple) and args.elements else call.arg(1)
                return _of(call, first, called=True)
    return None


def _of(call: Call, given: cst.BaseExpression | None, *, called: bool) -> Run | None:
    if called:
        given = given.func if isinstance(given, cst.Call) else None
    definition = call.file.definition(given) if given is not None else None
    return Run(call, definition) if isinstance(definition, Function) and definition.is_async else None


def runs_that_use(call: Call) -> list[Run]:
    """Return the runs on new loops whose coroutines use what a constructor call made, by its lasting name."""
    file = call.file
    users = _users(call)
    return [run for run in runs_of(file) if users and _reaches(run.coroutine, users, _DEPTH, set())]


def _users(call: Call) -> set[Function]:
    """Return the functions of the file that name the object: a variable, an attribute, a cached getter."""
    file = call.file
    outer = file.parent(call.node)
    names: list[str] = []
    if isinstance(outer, cst.Assign):
        names = [t.target.value for t in outer.targets if isinstance(t.target, cst.Name)]
        class_ = file.class_of(call.node)
        if class_ is not None and call.function is None:
            return {f for name in names for e in mentions(file, name) if _is_own(file, e) and (f := _outer(file, e))}
    elif isinstance(outer, cst.AnnAssign) and isinstance(outer.target, cst.Name):
        names = [outer.target.value]
    if call.function is not None and is_cached(call.function):
        names = [call.function.name]
    found = set()
    for name in names:
        for expression in mentions(file, name):
            known = file.lookup(name, expression) if isinstance(expression, cst.Name) else None
            if known is not None and known.scope == "module" and (function := _outer(file, expression)):
                found.add(function)
    return found


def _is_own(file: File, expression: cst.BaseExpression) -> bool:
    """Tell whether an expression is an attribute of `self`, `cls` or a class."""
    return isinstance(expression, cst.Attribute) and isinstance(expression.value, cst.Name)


def _outer(file: File, expression: cst.BaseExpression) -> Function | None:
    return file.function_of(expression)


def is_cached(function: Function) -> bool:
    """Tell whether a decorator keeps what a function returns."""
    rows = function.file.libraries
    return any(name is not None and rows.find(CachingDecorator, name) for name in function.decorator_names)


def _reaches(function: Function, users: set[Function], depth: int, seen: set[Function]) -> bool:
    if function in users:
        return True
    if depth == 0 or function in seen:
        return False
    seen.add(function)
    for node in all_nodes(function.node.body):
        if isinstance(node, cst.Call):
            target = function.file.call(node).target
            if isinstance(target, Function) and _reaches(target, users, depth - 1, seen):
                return True
    return False


def made_early(call: Call) -> str:
    """Tell in words where an object is made before a loop runs: at import, in a constructor, a decorator."""
    file, function = call.file, call.function
    if function is None:
        return "at import" if file.class_of(call.node) is None else "in a class body"
    if is_cached(function):
        return f"once, by {function.name}()"
    if function.is_async or any(way.runs_on == "loop" for way in ways(function)):
        return ""
    if function.name == "__init__" and function.class_ is not None:
        return f"by {function.class_.name}()"
    if any(isinstance(node, cst.FunctionDef) and node.asynchronous for node in all_nodes(function.node.body)):
        if any(isinstance(value, cst.Name) for value in function.returns()):
            return f"by {function.name}(), before any coroutine runs"
    return ""


def may_bind_early(file: File, row: LoopBound) -> bool:
    """Tell whether the constructor may bind to a loop on the versions of Python that the project allows."""
    if row.needs_loop:
        return True
    if not row.python:
        return False
    allows = file.project.allows
    return allows is None or allows("python", row.python, file.path) is not False


__all__ = ["Class", "Run", "made_early", "may_bind_early", "runs_of", "runs_that_use"]
