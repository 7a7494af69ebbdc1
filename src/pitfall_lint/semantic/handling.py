"""Does a function handle its own errors? Where an exception leaves it unseen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.loops import RunsLoop
from pitfall_lint.libraries.tasks import Harmless, Suppressor, Waiter
from pitfall_lint.semantic.clauses import (
    BROAD,
    always_holds,
    catches_all,
    class_names,
    expects,
    last_name,
    logs,
    never_holds,
    raises_cancellation,
    reraises,
)
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.handover import argument_for
from pitfall_lint.semantic.harmless import LOCK, is_plain, is_stub, only_waits
from pitfall_lint.semantic.values import Coroutine, FunctionValue, LibraryName, Partial, Unknown
from pitfall_lint.semantic.walk import all_nodes, own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_DEPTH = 6


@dataclass(frozen=True, eq=False)
class Escape:
    """A place of a function whose exception nobody in it takes."""

    file: File
    node: cst.CSTNode
    stub: bool = False
    """The function has no body of its own: subclasses say what it does."""
    unknown: bool = False
    """What is called can't be followed; the place is the whole expression."""
    expected: bool = False
    """Handlers around it take the errors that were expected, and only others escape."""


def escape_of(function: Function, depth: int = 0, trusted: frozenset[str] = frozenset()) -> Escape | None:
    """Return the first place whose exception leaves a function, or None when it handles everything itself.

    `trusted` are parameters that hold coroutines that handle their own errors.
    """
    key = ("escape", function, trusted)
    memo = function.file.memo
    if key not in memo:
        memo[key] = None  # recursion adds nothing
        memo[key] = _escape_of(function, depth, trusted)
    found: Escape | None = memo[key]
    return found


def _escape_of(function: Function, depth: int, trusted: frozenset[str]) -> Escape | None:
    file = function.file
    if depth > _DEPTH:
        return Escape(file, function.node)
    if is_stub(function):
        return Escape(file, function.node, stub=True)
    if _decorated_with_guard(function, depth):
        return None
    scan = _Scan(file, depth, trusted)
    if isinstance(function.node, cst.Lambda):
        scan.expression(function.node.body, False)
    else:
        scan.block(function.node.body, False)
    if scan.hard is not None:
        return scan.hard
    if scan.partial is not None:
        return scan.partial
    return scan.soft if scan.unguarded > scan.guarded else None


def _decorated_with_guard(function: Function, depth: int) -> bool:
    """Tell whether a project decorator wraps the function in a handler for everything."""
    for decorator in function.decorators:
        target = function.file.definition(decorator.func if isinstance(decorator, cst.Call) else decorator)
        if isinstance(target, Function):
            for node in all_nodes(target.node.body):
                if isinstance(node, cst.Try) and any(catches_all(target.file, h) for h in node.handlers):
                    if not any(reraises(target.file, h) for h in node.handlers if catches_all(target.file, h)):
                        return True
    return False


def is_harmless(file: File, call: cst.Call, depth: int = 0) -> bool:
    """Tell whether a call, awaited or not, raises nothing that matters: by row, a logger's, or the project's own."""
    if logs(file, call):
        return True
    values = file.values_of(call.func)
    functions = [v.function for v in values if isinstance(v, FunctionValue)]
    if functions and len(functions) == len([v for v in values if not isinstance(v, Unknown)]):
        return all(escape_of(f, depth + 1) is None for f in functions)
    name = file.qualified_name(call.func)
    if name is None:
        if isinstance(call.func, cst.Attribute) and only_waits(call.func):
            return True
        defaults = [v for v in values if isinstance(v, LibraryName)]  # `clock=time.monotonic`: others will be alike
        return bool(defaults) and all(file.libraries.find(Harmless, v.name) is not None for v in defaults)
    if name.startswith("typing_extensions."):  # what typing has in newer Pythons
        name = name.replace("_extensions", "", 1)
    if file.libraries.find(Harmless, name) is not None:
        return True
    waiter = file.libraries.find(Waiter, name)
    if waiter is not None and waiter.returns_exceptions:
        for arg in call.args:
            if arg.keyword is not None and arg.keyword.value == waiter.returns_exceptions:
                return file.folded(arg.value) is True
    return False


def coroutine_escape(file: File, coroutine: cst.BaseExpression, depth: int = 0) -> Escape | None:
    """Return where an exception leaves a coroutine expression; the expression itself when it can't be followed."""
    unknown = Escape(file, coroutine, unknown=True)
    if isinstance(coroutine, cst.Call):
        if is_harmless(file, coroutine, depth):
            return None
        definition = file.definition(coroutine.func)
        if isinstance(definition, Function) and definition.is_coroutine_function:
            return escape_of(definition, depth + 1, _trusted(file, coroutine, definition, depth))
        if isinstance(definition, Class):
            return unknown
    found: Escape | None = None
    values = file.values_of(coroutine)
    for value in values:
        if not isinstance(value, Coroutine):
            return unknown
        escape: Escape | None = unknown
        if isinstance(value.of, Function):
            escape = escape_of(value.of, depth + 1)
        elif value.call is not None and value.file is not None and is_harmless(value.file, value.call, depth):
            escape = None
        found = found or escape
    return found if values else unknown


def _trusted(file: File, call: cst.Call, function: Function, depth: int) -> frozenset[str]:
    """Return the parameters that are given a coroutine that handles its own errors."""
    found = set()
    for param in function.params:
        given = argument_for(file.call(call), function, param.name)
        if given is not None and any(isinstance(value, Coroutine) for value in file.values_of(given)):
            if depth < _DEPTH and coroutine_escape(file, given, depth + 1) is None:
                found.add(param.name)
    return frozenset(found)


def function_escape(file: File, function: cst.BaseExpression) -> Escape | None:
    """Return where an exception leaves a function that is handed over; the expression when it can't be followed."""
    found: Escape | None = None
    functions = 0
    for value in file.values_of(function):
        if isinstance(value, Partial) and len(value.of) == 1:
            value = value.of[0]
        if isinstance(value, FunctionValue):
            functions += 1
            found = found or escape_of(value.function, 1)
    if isinstance(function, cst.Lambda):
        return escape_of(file.function(function), 1)
    name = file.qualified_name(function)
    if functions or (name is not None and file.libraries.find(Harmless, name) is not None):
        return found
    return Escape(file, function, unknown=True)


class _Scan:
    """One way through a function's statements: hard escapes, soft ones, and whether anything is guarded at all."""

    def __init__(self, file: File, depth: int, trusted: frozenset[str]) -> None:
        self.file = file
        self.depth = depth
        self.trusted = trusted
        self.expects = 0
        self.partial: Escape | None = None
        self.hard: Escape | None = None
        self.soft: Escape | None = None
        self.guarded = 0
        """How many calls stand behind a handler; `unguarded` are those that may raise and do not."""
        self.unguarded = 0

    def escapes(self, node: cst.CSTNode) -> None:
        """Note a hard escape; behind handlers for the expected errors it weighs less."""
        if self.expects:
            self.partial = self.partial or Escape(self.file, node, expected=True)
        else:
            self.hard = self.hard or Escape(self.file, node)

    def block(self, node: cst.CSTNode, guarded: bool) -> None:
        body = getattr(node, "body", ())
        for statement in body if isinstance(body, (tuple, list)) else (body,):
            if self.hard is None:
                self.statement(statement, guarded)

    def statement(self, node: cst.CSTNode, guarded: bool) -> None:
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            return
        if isinstance(node, cst.SimpleStatementLine):
            for small in node.body:
                self.expression(small, guarded)
        elif isinstance(node, (cst.Try, cst.TryStar)):
            self._try(node, guarded)
        elif isinstance(node, cst.With):
            self._with(node, guarded)
        elif isinstance(node, cst.For):
            self._for(node, guarded)
        else:
            for name in ("test", "subject"):
                if (part := getattr(node, name, None)) is not None:
                    self.expression(part, guarded)
            dead = isinstance(node, (cst.If, cst.While)) and never_holds(node.test)
            for name in ("orelse",) if dead else ("body", "orelse"):
                if isinstance(part := getattr(node, name, None), cst.CSTNode):
                    (self.statement if isinstance(part, cst.If) else self.block)(part, guarded)
            for case in getattr(node, "cases", ()):
                self.block(case.body, guarded)

    def _for(self, node: cst.For, guarded: bool) -> None:
        if node.asynchronous is not None and not guarded:
            self.escapes(node.iter)
        self.expression(node.iter, guarded)
        self.block(node.body, guarded)
        if node.orelse is not None:
            self.block(node.orelse.body, guarded)

    def _try(self, node: cst.Try | cst.TryStar, guarded: bool) -> None:
        broad = [handler for handler in node.handlers if catches_all(self.file, handler)]
        handles = bool(broad) and not any(reraises(self.file, handler) for handler in broad)
        deals = not handles and any(expects(self.file, handler) for handler in node.handlers)
        self.expects += deals
        self.block(node.body, guarded or handles)
        self.expects -= deals
        if node.orelse is not None:
            self.block(node.orelse.body, guarded)
        # what a clause or `finally` does to tell or to clean up is not held against it

    def _with(self, node: cst.With, guarded: bool) -> None:
        for item in node.items:
            if self._swallows(item.item):
                guarded = True
                self.guarded += 1
            elif node.asynchronous is not None and not guarded and not self._is_lock(item.item):
                self.escapes(item.item)
            else:
                self.expression(item.item, guarded)
        self.block(node.body, guarded)

    def _is_lock(self, item: cst.BaseExpression) -> bool:
        type_ = self.file.type_of(item)
        if isinstance(type_, str) and LOCK.search(type_.rpartition(".")[2]):
            return True
        return LOCK.search(last_name(item.func if isinstance(item, cst.Call) else item)) is not None

    def _swallows(self, item: cst.BaseExpression) -> bool:
        if not isinstance(item, cst.Call):
            return False
        name = self.file.qualified_name(item.func)
        if name is not None and self.file.libraries.find(Suppressor, name) is not None:
            return any(name in BROAD for arg in item.args for name in class_names(arg.value))
        target = self.file.definition(item.func)
        if isinstance(target, Function) and target.is_generator:
            for node in target.nodes(cst.Try):
                broad = [h for h in node.handlers if catches_all(target.file, h)]
                if broad and any(isinstance(n, cst.Yield) for n in own_nodes(node.body)):
                    return not any(reraises(target.file, h) for h in broad)
        return False

    def expression(self, node: cst.CSTNode, guarded: bool) -> None:
        if guarded:
            self.guarded += sum(isinstance(part, cst.Call) for part in own_nodes(node))
        if guarded or self.hard is not None:
            return
        file, depth = self.file, self.depth
        for part in own_nodes(node):
            if isinstance(part, cst.Raise) and not raises_cancellation(part):
                self.escapes(part)
            elif isinstance(part, cst.Await):
                trusted = isinstance(part.expression, cst.Name) and part.expression.value in self.trusted
                if not trusted and (inner := coroutine_escape(file, part.expression, depth)) is not None:
                    if inner.expected:
                        self.partial = self.partial or inner
                    else:
                        self.escapes(part)
                elif _is_guarded_inside(file, part.expression):
                    self.guarded += 1
            elif isinstance(part, cst.CompFor) and part.asynchronous is not None:
                self.escapes(part.iter)
            elif isinstance(part, cst.Call) and not isinstance(file.parent(part), cst.Await) and not is_plain(part):
                if _runs_guarded(file, part, depth):
                    self.guarded += 1
                elif not is_harmless(file, part, depth) and not _makes_coroutine(file, part):
                    self.soft = self.soft or Escape(file, part)
                    self.unguarded += 1
            if self.hard is not None:
                return


def _is_guarded_inside(file: File, coroutine: cst.BaseExpression) -> bool:
    """Tell whether what is awaited, and lets nothing out, has a handler of its own: then the work is there."""
    definition = file.definition(coroutine.func) if isinstance(coroutine, cst.Call) else None
    return isinstance(definition, Function) and any(True for _ in definition.nodes(cst.Try))


def _runs_guarded(file: File, node: cst.Call, depth: int) -> bool:
    """Tell whether a call runs a coroutine on a loop, `asyncio.run(main())`, that handles its own errors."""
    call = file.call(node)
    for row in file.rows_of_call(call, RunsLoop):
        given = call.where(row.coroutine) if row.coroutine else None
        if isinstance(given, cst.Call) and depth < _DEPTH:
            return coroutine_escape(file, given, depth + 1) is None
    return False


def _makes_coroutine(file: File, call: cst.Call) -> bool:
    values = file.values_of(call)
    return bool(values) and all(isinstance(value, Coroutine) for value in values)


def runs_forever(file: File, coroutine: cst.BaseExpression) -> bool:
    """Tell whether a coroutine surely or perhaps loops without end: awaiting it here would hang."""
    function = file.definition(coroutine.func) if isinstance(coroutine, cst.Call) else None
    if not isinstance(function, Function):
        return False
    return any(always_holds(function.file, loop.test) for loop in function.nodes(cst.While))
