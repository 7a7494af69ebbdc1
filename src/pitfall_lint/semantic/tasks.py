"""What is started in the background here, and by which helpers of the project."""

from __future__ import annotations

import builtins
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Related
from pitfall_lint.libraries.tasks import Likely, Spawn
from pitfall_lint.semantic import clauses, entrusting, glimpse, handling
from pitfall_lint.semantic.calls import callers
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.fate import Fate, fate_of, mentions
from pitfall_lint.semantic.handling import Escape
from pitfall_lint.semantic.handover import argument_for, leaf
from pitfall_lint.semantic.harmless import is_common
from pitfall_lint.semantic.values import Const, Instance, Unknown
from pitfall_lint.semantic.walk import own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True, eq=False)
class Started:
    """A call that starts something and gives a task or future for it."""

    call: Call
    row: Spawn
    coroutine: cst.BaseExpression | None
    """The coroutine, as an expression of `file`."""
    function: cst.BaseExpression | None
    """Or the function that is handed over."""
    file: File
    helper: Function | None = None
    """The helper of the project that does it and gives the task back."""
    by_name: bool = False
    """What starts it is only known by the name of the object: `self.executor`."""
    held: bool = False
    """The helper keeps a strong reference."""
    shared: bool = False
    """The helper gives the same one to who asks again."""
    guessed: bool = False
    """Nothing is known of the object: its method goes by the name, and is given a function."""

    @property
    def is_silent(self) -> bool:
        """Whether what it raises ends in a future of a pool or of another thread, mostly with no log at all."""
        return self.row.silent or bool(self.row.function)

    def escape(self) -> Escape | None:
        """Return where an exception leaves what is started; None when it handles everything itself."""
        if self.function is not None:
            return handling.function_escape(self.file, self.function)
        if self.coroutine is None:
            return Escape(self.file, self.call.node)
        if self.file is self.call.file and entrusting.all_handle_themselves(self.file, self.coroutine):
            return None
        return handling.coroutine_escape(self.file, self.coroutine)

    def fate(self) -> Fate | None:
        """Return how the exception is lost; None when somebody may read it."""
        if self.row.takes_futures and isinstance(self.coroutine, cst.Name) and self.file is self.call.file:
            if mentions(self.file, self.coroutine) > 1:
                return None  # perhaps a task that is looked at by that name
        fate = fate_of(self.call.file, self.call.node)
        return None if fate is not None and self._is_read_elsewhere() else fate

    def _is_read_elsewhere(self) -> bool:
        """Tell whether the helper keeps the task and gives it to another caller as well, who may read it."""
        if self.helper is None or not self.shared:
            return False
        others = [call for call in callers(self.helper) if call.node is not self.call.node]
        return any(fate_of(other.file, other.node) is None for other in others)


def started(file: File) -> Iterator[Started]:
    """Yield what the looked-at definitions start, by library calls and by the project's own helpers."""
    for call in file.calls():
        found = started_by(call)
        if found is not None:
            yield found


def started_by(call: Call) -> Started | None:
    """Return what a call starts, if it starts something and gives back its task or future."""
    memo = call.file.memo
    key = ("started", call.node)
    if key not in memo:
        memo[key] = None
        if not call.is_awaited and not (call.method is not None and is_common(call.method)):
            memo[key] = _by_row(call) or _by_helper(call)
    found: Started | None = memo[key]
    return found


def row_of(call: Call) -> Spawn | None:
    """Return the row of a call that starts something; an untyped receiver is known by its name (`self.loop`)."""
    libraries = call.file.libraries
    if call.method is not None and call.method not in libraries.leaves(Spawn):
        return None
    if call.name is not None:
        row = libraries.find(Spawn, call.name)
        if row is not None or call.receiver is None or "." in call.name:
            return row
    if call.method is None or call.receiver is None or call.target is not None:
        return None
    name = leaf(call.receiver)
    for row in libraries.rows(Spawn):
        if name in row.receivers and row.call.rpartition(".")[2] == call.method:
            if call.file.type_of(call.receiver) is None:
                return row
    return None


def _by_row(call: Call) -> Started | None:
    row = row_of(call)
    if row is None:
        return _by_likeness(call)
    coroutine = call.where(row.coroutine) if row.coroutine else None
    function = call.where(row.function) if row.function else None
    if coroutine is not None and _is_task(call.file, coroutine):
        inner = started_by(call.file.call(coroutine)) if isinstance(coroutine, cst.Call) else None
        # ensure_future(task): the task's own fate is looked at; what is started right there shares this one's
        return replace(inner, call=call) if inner is not None else None
    by_name = call.name is None and call.receiver is not None
    return Started(call, row, coroutine, function, call.file, by_name=by_name)


def _by_likeness(call: Call) -> Started | None:
    """An object that nothing is known of, with a method that pools have, is given a function of the project.

    Only where the file imports from the pools' library and elsewhere keeps what the same object's method gives:
    a form has a `submit`, too.
    """
    file = call.file
    for likely in file.libraries.rows(Likely):
        if call.method != likely.method or not _imports_from(file, likely.does.partition(".")[0]):
            continue
        if call.receiver is None or call.name is not None or call.target is not None:
            return None
        row = file.libraries.find(Spawn, likely.does)
        function = call.where(row.function) if row is not None else None
        if row is not None and function is not None and isinstance(file.definition(function), Function):
            unknown = all(isinstance(v, (Unknown, Const)) for v in file.values_of(call.receiver))
            if unknown and _is_kept_elsewhere(call):
                return Started(call, row, None, function, file, by_name=True, guessed=True)
    return None


def _imports_from(file: File, package: str) -> bool:
    return any(one.module.partition(".")[0] == package for these in file.outline.imports.values() for one in these)


def _is_kept_elsewhere(call: Call) -> bool:
    """Tell whether this file somewhere uses what the same method of an object of this name gives."""
    method = re.escape(call.file.text(call.node.func).encode())
    return re.search(rb"(?:[=(\[,]|return|in)\s*%s\(" % method, call.file.source.data) is not None


def _is_task(file: File, node: cst.BaseExpression) -> bool:
    values = file.values_of(node)
    return bool(values) and all(isinstance(value, Instance) for value in values)


def _by_helper(call: Call) -> Started | None:
    """Follow a helper of the project that returns the task it starts."""
    helper = call.target
    if not isinstance(helper, Function) or helper.is_async or helper.is_generator or helper is call.function:
        return None
    inner = helper_spawn(helper)
    if inner is None:
        return None
    coroutine, function = inner.coroutine, inner.function
    known = replace(inner, call=call, helper=helper, by_name=False, guessed=False)
    if isinstance(coroutine, cst.Call) and isinstance(coroutine.func, cst.Name):
        given = argument_for(call, helper, coroutine.func.value)  # `create_task(function(*args))`
        if given is not None:
            return replace(known, coroutine=None, function=given, file=call.file)
    for part in (coroutine, function):
        name = entrusting.parameter_behind(helper, part.value) if isinstance(part, cst.Name) else ""
        if name and (given := argument_for(call, helper, name)) is not None:
            if part is coroutine:
                return replace(known, coroutine=given, function=None, file=call.file)
            return replace(known, coroutine=None, function=given, file=call.file)
    return replace(known, file=helper.file)


def helper_spawn(function: Function) -> Started | None:
    """Return what a function starts and gives back, where it leaves the exception to its callers."""
    memo = function.file.memo
    key = ("helper", function)
    if key not in memo:
        memo[key] = None
        with contextlib.suppress(RecursionError):  # helpers of helpers of helpers …
            memo[key] = _helper_spawn(function)
    found: Started | None = memo[key]
    return found


def _helper_spawn(function: Function) -> Started | None:
    file = function.file
    if not _mentions_spawn(function):
        return None
    for expression in function.returns():
        if isinstance(expression, cst.Call):
            inner = started_by(file.call(expression))
            if inner is not None and not inner.row.keeps:
                return inner
        elif isinstance(expression, cst.Name):
            for call in function.calls():
                inner = started_by(call) if _assigned_to(file, call.node, expression.value) else None
                if inner is not None and not inner.row.keeps:
                    fate = fate_of(file, call.node, returned_is_lost=True)
                    # the callers get it, and here nobody reads it
                    if fate is None:
                        return None
                    shared = entrusting.gives_again(function, expression.value)
                    return replace(inner, held=inner.held or fate.holds, shared=shared)
    return None


def _mentions_spawn(function: Function) -> bool:
    """Rule out, in bytes, functions that cannot start anything and give it back, by another helper neither: most."""
    block, file = function.block, function.file
    if block is None:
        return True
    text = glimpse.text_of(function)
    if block.end - block.first >= 120 or b"return" not in text:
        return False
    libraries = file.libraries
    if function.may_use(libraries.leaves(Spawn) | {likely.method for likely in libraries.rows(Likely)}):
        return True
    called = glimpse.calls_given_back(text)
    return called is None or not all(_starts_nothing(name) for name in called)


def _starts_nothing(name: str) -> bool:
    _, dot, method = name.rpartition(".")
    return is_common(method) if dot else name in _BUILTINS


def _assigned_to(file: File, node: cst.CSTNode, name: str) -> bool:
    outer = file.parent(node)
    if not isinstance(outer, cst.Assign):
        return False
    return any(isinstance(t.target, cst.Name) and t.target.value == name for t in outer.targets)


def swallowing_try(task: Started) -> cst.Try | None:
    """Return the `try` whose handlers stand around nothing but the spawn: they can never see its errors."""
    file = task.call.file
    outer = file.enclosing(task.call.node, cst.Try)
    statement = task.call.statement
    fate = task.fate() if outer is not None else None
    if outer is None or not outer.handlers or fate is None or fate.perhaps or task.row.keeps or task.guessed:
        return None
    line = file.parent(statement)
    if line is None or file.parent(line) is not outer.body:
        return None
    if all(set(clauses.class_names(handler.type)) <= _OF_SPAWN for handler in outer.handlers):
        return None
    for other in outer.body.body:
        if other is not line and not _is_plain(task, other):
            return None
    return outer if task.escape() is not None else None


_OF_SPAWN = frozenset({"RuntimeError", "AttributeError", "TypeError", "NameError", "ImportError", "CancelledError"})
"""What making the coroutine or finding a loop can raise; a handler for these is no mistake."""


def _is_plain(task: Started, statement: cst.CSTNode) -> bool:
    """Tell whether a statement beside the spawn can hardly be what the handlers are for."""
    file = task.call.file
    for node in own_nodes(statement):
        if isinstance(node, (cst.Await, cst.Raise, cst.BaseCompoundStatement)):
            return False
        if isinstance(node, cst.Call) and started_by(file.call(node)) is None:
            inside = file.statement_of(node)
            if not handling.is_harmless(file, node) and not _argument_of_spawn(file, node, inside):
                return False
    return True


def _argument_of_spawn(file: File, node: cst.Call, statement: cst.CSTNode) -> bool:
    for ancestor in file.ancestors(node):
        if ancestor is statement:
            return False
        if isinstance(ancestor, cst.Call) and started_by(file.call(ancestor)) is not None:
            return True
    return False


def raised_at(task: Started, escape: Escape) -> list[Related]:
    """Return the place inside of what is started that raises, if it can be told, and the helper that starts it."""
    helper = task.helper
    places = [helper.file.related(helper.node, "starts it, and gives the task back")] if helper is not None else []
    if escape.stub or escape.node is task.coroutine or not isinstance(escape.node, (cst.Await, cst.Raise, cst.Call)):
        return places
    return [escape.file.related(escape.node, "what this raises is lost"), *places]


def coroutine_text(file: File, node: cst.BaseExpression | None) -> str:
    """Return how a message names a coroutine: `self.poll()`."""
    if node is None:
        return "the coroutine"
    if isinstance(node, cst.Call):
        return file.call(node).text
    return file.text(node)


__all__ = [
    "Started",
    "coroutine_text",
    "helper_spawn",
    "raised_at",
    "row_of",
    "started",
    "started_by",
    "swallowing_try",
]
