"""What is read later than it is made: generators, lazy bodies and rows, and what they read from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import libcst as cst

from pitfall_lint.libraries.sessions import Lazy, StreamBody
from pitfall_lint.semantic.calls import param_of
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.ownership import resource_of
from pitfall_lint.semantic.values import Coroutine, Generator, Unknown
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_GENERATOR_TYPES = frozenset(
    {"AsyncGeneratorType", "GeneratorType", "AsyncGenerator", "Generator", "AsyncIterator", "Iterator"}
)
_DEPTH = 6


@dataclass(frozen=True, eq=False)
class Source:
    """What a lazy value reads from, by the text of the name."""

    name: str
    lazy: cst.CSTNode
    after: str = ""
    """What reading does once it is closed."""
    survives: bool = False
    """Closing the session does not matter, only closing this very thing does."""


@dataclass
class _Search:
    file: File
    function: Function
    leaving: cst.CSTNode
    """The `return` that hands the value out."""
    seen: set[cst.CSTNode] = field(default_factory=set)
    derived: set[cst.CSTNode] = field(default_factory=set)

    def lazy(self, node: cst.BaseExpression | None, depth: int = 0) -> Iterator[Source]:
        """Yield what a value still reads from when it is used later."""
        if node is None or depth > _DEPTH or node in self.seen:
            return
        if isinstance(node, cst.Name):
            self.seen.add(node)
            narrowed = self._is_narrowed(node)
            for value in self._assigned(node):
                if narrowed and (call := _call_in(value)) is not None:
                    yield from self._given(self.file.call(call), node, "")
                outer = self.file.parent(value)
                if not isinstance(outer, cst.WithItem):
                    yield from self.lazy(value, depth + 1)
                elif isinstance(value, cst.Call):  # entering it has awaited it
                    yield from self._by_row(self.file.call(value))
        elif isinstance(node, cst.Await):
            values = [v for v in self.file.values_of(node) if not isinstance(v, Unknown)]
            if isinstance(node.expression, cst.Call):
                if any(isinstance(v, Generator) for v in values):
                    yield from self._given(self.file.call(node.expression), node.expression, "")
                else:
                    yield from self._by_row(self.file.call(node.expression))
        elif isinstance(node, cst.Call):
            yield from self._call(self.file.call(node), depth)
        elif isinstance(node, cst.GeneratorExp):
            yield from self._generator(node, depth)
        elif isinstance(node, cst.IfExp):
            yield from self.lazy(node.body, depth + 1)
            yield from self.lazy(node.orelse, depth + 1)
        elif isinstance(node, cst.BooleanOperation):
            yield from self.lazy(node.left, depth + 1)
            yield from self.lazy(node.right, depth + 1)
        elif isinstance(node, cst.Tuple):
            for element in node.elements:
                yield from self.lazy(element.value, depth + 1)

    def _call(self, call: Call, depth: int) -> Iterator[Source]:
        body = self.file.libraries.find(StreamBody, call.name) if call.name is not None else None
        if body is not None:
            content = call.where(body.content)
            yield from self.lazy(content, depth + 1)
            return
        values = [v for v in self.file.values_of(call.node) if not isinstance(v, Unknown)]
        if values and all(isinstance(v, Generator) for v in values):
            yield from self._given(call, call.node, "")
            if isinstance(call.target, Function) and call.target.parent is self.function:
                yield from self._closure(call.target, call.node)
            return
        if values and all(isinstance(v, Coroutine) for v in values):  # runs when the caller awaits it
            yield from self._given(call, call.node, "")
            return
        yield from self._by_row(call)

    def _by_row(self, call: Call) -> Iterator[Source]:
        row = self.file.libraries.find(Lazy, call.name) if call.name is not None else None
        if row is None:
            yield from self._streamed_by_wrapper(call)
            return
        if row.when and not _is_true(call.keyword(row.when)):
            return
        if row.consumed_by and self._is_consumed(call, row.consumed_by):
            return
        of = call.where(row.argument) if row.argument else call.receiver
        for name in self._objects(of, row.survives):
            yield Source(name, call.node, row.after, row.survives)

    def _is_consumed(self, call: Call, methods: tuple[str, ...]) -> bool:
        """Tell whether the function reads everything itself, so that nothing is left to be read later."""
        outer = self.file.parent(call.node)
        outer = self.file.parent(outer) if isinstance(outer, cst.Await) else outer
        targets: list[cst.CSTNode] = [t.target for t in outer.targets] if isinstance(outer, cst.Assign) else []
        if isinstance(outer, cst.WithItem) and outer.asname is not None:
            targets.append(outer.asname.name)
        names = {target.value for target in targets if isinstance(target, cst.Name)}
        graph = self.file.flow(self.function)
        return any(
            other.method in methods and isinstance(other.receiver, cst.Name) and other.receiver.value in names
            for other in self.function.calls()
            if graph.reaches(other.node, self.leaving) is not False
        )

    def _streamed_by_wrapper(self, call: Call) -> Iterator[Source]:
        """A method of the project's own client that is asked for a stream: `client.request(…, stream=True)`."""
        if call.receiver is None or not _is_true(call.keyword("stream")):
            return
        resource = resource_of(self.file, call.receiver)
        if resource is not None and resource.is_wrapper:
            yield Source(self.file.text(call.receiver), call.node)

    def _given(self, call: Call, lazy: cst.CSTNode, after: str) -> Iterator[Source]:
        """Yield everything that a generator gets to work with: receiver and arguments, and what those read."""
        if call.receiver is not None:
            for name in self._objects(call.receiver, False):
                yield Source(name, lazy, after)
        for arg in call.node.args:
            if isinstance(call.target, (Function, Class)):
                param = param_of(call.target, call, arg.value)
                function = call.target if isinstance(call.target, Function) else None
                if param is not None and function is not None and not _mentions(function, param.name):
                    continue
            for name in self._objects(arg.value, False):
                yield Source(name, lazy, after)
            yield from self.lazy(arg.value, 2)

    def _closure(self, generator: Function, lazy: cst.CSTNode) -> Iterator[Source]:
        own = {param.name for param in generator.params}
        for node in all_nodes(generator.node.body):
            if isinstance(node, cst.Name) and node.value not in own:
                yield Source(node.value, lazy)
                for value in self._assigned(node):
                    yield from (Source(name, lazy) for name in self._derived(value))

    def _generator(self, node: cst.GeneratorExp, depth: int) -> Iterator[Source]:
        first = node.for_in.iter
        if isinstance(first, cst.Name):
            yield Source(first.value, node, "")
        yield from self.lazy(first, depth + 1)
        own = {n.value for n in all_nodes(node.for_in.target) if isinstance(n, cst.Name)}
        for inner in all_nodes(node.elt):
            if isinstance(inner, cst.Name) and inner.value not in own:
                yield Source(inner.value, node, "")

    def _objects(self, node: cst.BaseExpression | None, alone: bool) -> Iterator[str]:
        """Yield the names that an object goes back to: itself and the session that it reads through."""
        current = node.expression if isinstance(node, cst.Await) else node
        while isinstance(current, (cst.Attribute, cst.Subscript)):
            if isinstance(current, cst.Attribute):
                yield self.file.text(current)
            current = current.value
        if isinstance(current, cst.Call) and isinstance(current.func, cst.Attribute):
            yield from self._objects(current.func.value, alone)
        if not isinstance(current, cst.Name):
            return
        yield current.value
        if not alone:
            for value in self._assigned(current):
                yield from self._derived(value)

    def _derived(self, value: cst.BaseExpression) -> Iterator[str]:
        """Yield the sessions that a streamed response reads through."""
        call = _call_in(value)
        if call is not None and value not in self.derived:
            self.derived.add(value)
            yield from (source.name for source in self._by_row(self.file.call(call)) if not source.survives)

    def _assigned(self, node: cst.Name) -> list[cst.BaseExpression]:
        found = self.file.lookup(node.value, node)
        if found is None or found.scope not in ("function", "comprehension"):
            return []
        values = []
        for binding in found.bindings:
            value = getattr(binding, "value", None)
            if getattr(binding, "kind", "") in ("assign", "with") and isinstance(value, cst.BaseExpression):
                values.append(value)
        if len(values) < 2:
            return values
        graph = self.file.flow(self.function)  # one of another branch is not what this `return` hands out
        return [value for value in values if graph.reaches(value, self.leaving) is not False]

    def _is_narrowed(self, node: cst.Name) -> bool:
        """Tell whether an `isinstance` test around the node says that it is a generator."""
        child: cst.CSTNode = node
        for outer in self.file.ancestors(node):
            if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
                return False
            if isinstance(outer, cst.If) and child is outer.body and _says_generator(self.file, outer.test, node):
                return True
            child = outer
        return False


def _says_generator(file: File, test: cst.BaseExpression, node: cst.Name) -> bool:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        return _says_generator(file, test.left, node) or _says_generator(file, test.right, node)
    if not isinstance(test, cst.Call):
        return False
    call = file.call(test)
    if call.name == "builtins.isinstance":
        subject, type_ = call.arg(0), call.arg(1)
        names = type_.elements if isinstance(type_, cst.Tuple) else ()
        types = [element.value for element in names] or ([type_] if type_ is not None else [])
        leaves = {file.text(one).rpartition(".")[2] for one in types}
        return subject is not None and file.text(subject) == node.value and leaves <= _GENERATOR_TYPES
    if call.name in ("inspect.isasyncgen", "inspect.isgenerator"):
        subject = call.arg(0)
        return subject is not None and file.text(subject) == node.value
    return False


def _call_in(value: cst.BaseExpression) -> cst.Call | None:
    if isinstance(value, cst.Await):
        value = value.expression
    return value if isinstance(value, cst.Call) else None


def _is_true(node: cst.BaseExpression | None) -> bool:
    return isinstance(node, cst.Name) and node.value == "True"


def _mentions(function: Function, name: str) -> bool:
    return any(isinstance(n, cst.Name) and n.value == name for n in all_nodes(function.node.body))


def lazy_sources(function: Function, value: cst.BaseExpression | None) -> list[Source]:
    """Return what a value that leaves a function still reads from later."""
    if value is None:
        return []
    return list(_Search(function.file, function, function.file.statement_of(value)).lazy(value))


def iterated(function: Function, value: cst.BaseExpression, depth: int = 0) -> Literal["sync", "async"] | None:
    """Tell how a stream is read: by `for` or by `async for`; None when that is not known."""
    file = function.file
    if isinstance(value, cst.GeneratorExp):
        return "async" if value.for_in.asynchronous is not None else "sync"
    if isinstance(value, cst.Name):
        return _guarded(file, value) or (_agreed(function, value, depth) if depth < _DEPTH else None)
    if not isinstance(value, cst.Call):
        return None
    values = file.values_of(value)
    generators = [v for v in values if isinstance(v, Generator)]
    if generators and len(generators) == len(values):
        kinds = {v.of.is_async for v in generators}
        return None if len(kinds) > 1 else "async" if kinds.pop() else "sync"
    call = file.call(value)
    row = file.libraries.find(Lazy, call.name) if call.name is not None else None
    if row is not None:
        return row.iterates or None
    return "async" if call.method is not None and call.method.startswith("aiter_") else None


def _agreed(function: Function, name: cst.Name, depth: int) -> Literal["sync", "async"] | None:
    found = function.file.lookup(name.value, name)
    values = [getattr(binding, "value", None) for binding in found.bindings] if found is not None else []
    kinds = {
        iterated(function, value, depth + 1) if isinstance(value, cst.BaseExpression) else None for value in values
    }
    return kinds.pop() if len(kinds) == 1 else None


def _guarded(file: File, name: cst.Name) -> Literal["sync", "async"] | None:
    """Return what an `isinstance` test around a name says of how it is read."""
    child: cst.CSTNode = name
    for outer in file.ancestors(name):
        if isinstance(outer, (cst.FunctionDef, cst.Lambda)):
            return None
        if isinstance(outer, cst.If) and child is outer.body and _says_generator(file, outer.test, name):
            text = file.wording(outer.test)
            is_async = "Async" in text or "isasyncgen" in text
            return "async" if is_async and not re.search(r"\b(Generator|GeneratorType|Iterator)\b", text) else None
        child = outer
    return None
