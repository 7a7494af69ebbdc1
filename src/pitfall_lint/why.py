"""Why a line is, or is not, reported: what stands there, what is believed of it, and what each rule asked.

This is how a false alarm, or a miss, is reported: the answers show where a belief is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import libcst as cst

from pitfall_lint.catalog import Rule
from pitfall_lint.finding import Finding
from pitfall_lint.lint import lint_source
from pitfall_lint.screening import screen_for
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.project import Project
from pitfall_lint.semantic.values import (
    ClassValue,
    Collection,
    Const,
    Coroutine,
    FunctionValue,
    Generator,
    Instance,
    LibraryName,
    ModuleValue,
    Partial,
    Value,
)
from pitfall_lint.source import Source

N = TypeVar("N")
A = TypeVar("A")
_MOST = 8
"""Questions shown for one rule."""


@dataclass(frozen=True, slots=True)
class Belief:
    """One expression of the line and what it is taken for."""

    text: str
    name: str
    """The qualified name that it goes by; nothing when unknown."""
    holds: str
    """What it may hold, in words."""


@dataclass(slots=True)
class Looked:
    """What one rule made of the line."""

    rule: Rule
    findings: list[Finding] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    """The questions about this line, with their answers."""
    awake: bool = True
    """Whether a word of the definition wakes the rule at all."""


@dataclass(slots=True)
class Why:
    """All that can be told of one line."""

    path: str
    line: int
    text: str
    definition: str
    """The function around it, and what kind it is."""
    beliefs: list[Belief] = field(default_factory=list)
    rules: list[Looked] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class _Listening(File):
    """A File that writes down what checks ask about one line."""

    heard: list[str] | None = None
    line = 0
    deep = 0

    def _hear(self, question: str, node: object, answer: A) -> A:
        if self.heard is not None and self.deep == 0 and isinstance(node, cst.CSTNode) and self._is_here(node):
            text = f"{question} `{self.text(node)}`: {said(answer)}"
            if text not in self.heard:
                self.heard.append(text)
        return answer

    def _is_here(self, node: cst.CSTNode) -> bool:
        return self.tree_of(node) is not None and self.source.position(self.span(node).start)[0] == self.line

    def qualified_name(self, expression: cst.BaseExpression) -> str | None:
        return self._asked("the name of", expression, super().qualified_name)

    def values_of(self, expression: cst.BaseExpression) -> tuple[Value, ...]:
        return self._asked("what holds", expression, super().values_of)

    def type_of(self, expression: cst.BaseExpression) -> str | Class | None:
        return self._asked("the type of", expression, super().type_of)

    def definition(self, expression: cst.BaseExpression) -> Function | Class | None:
        return self._asked("the definition of", expression, super().definition)

    def folded(self, expression: cst.BaseExpression) -> Any:
        return self._asked("the constant", expression, super().folded)

    def _asked(self, question: str, node: N, ask: Callable[[N], A]) -> A:
        self.deep += 1
        try:
            answer = ask(node)
        finally:
            self.deep -= 1
        return self._hear(question, node, answer)


def why(source: Source, line: int, rules: Sequence[Rule], project: Project) -> Why:
    """Tell what is believed about a 1-based line and what each of some rules made of it."""
    file = project.file(source, make=_Listening)
    assert isinstance(file, _Listening)
    nodes = _nodes_on(file, line)
    report = Why(source.path, line, source.line_text(line), _around(file, nodes))
    report.beliefs = list(_beliefs(file, nodes))
    awake = screen_for(tuple(rules), project.libraries).wake(source)
    for rule in rules:
        if rule.is_built_in:
            continue
        looked = Looked(rule, awake=rule in awake.rules)
        file.heard, file.line = [], line
        try:
            for finding in rule.check(file):
                start, end = source.position(finding.span.start)[0], source.position(finding.span.end)[0]
                if start <= line <= end or any(related.line == line for related in finding.related):
                    looked.findings.append(finding)
        except Exception as error:  # a check's own fault is part of the answer
            report.errors.append(f"{rule.code} failed: {type(error).__name__}: {error}")
        looked.asked = file.heard[:_MOST]
        if looked.findings or looked.asked:
            report.rules.append(looked)
    reported = {f.code for f in lint_source(source, rules, project) if source.position(f.span.start)[0] == line}
    for looked in report.rules:
        if looked.findings and looked.rule.code not in reported:
            looked.asked.append("it speaks, but another rule says it better on this line, or it is not asked for")
    return report


def _nodes_on(file: File, line: int) -> list[cst.CSTNode]:
    """Return the expressions that begin on a line, outer ones first."""
    found: list[cst.CSTNode] = []
    for tree in file.trees:
        wanted = {i + 1 for i, number in enumerate(tree.slice.lines) if number == line - 1}
        if wanted:
            found += [
                node
                for node, place in tree.ranges.items()
                if place.start[0] in wanted and isinstance(node, cst.BaseExpression) and node in tree.order
            ]
            found.sort(key=lambda node, order=tree.order: order.get(node, 0))  # type: ignore[misc]
    return found


def _around(file: File, nodes: list[cst.CSTNode]) -> str:
    function = file.function_of(nodes[0]) if nodes else None
    if function is None:
        return "runs at import"
    kind = "generator" if function.is_generator else "coroutine function" if function.is_async else "function"
    flavour = "async " if function.is_async and function.is_generator else ""
    return f"in the {flavour}{kind} {function.qualified_name}"


def _beliefs(file: File, nodes: list[cst.CSTNode]) -> Iterator[Belief]:
    seen = set()
    for node in nodes:
        if not isinstance(node, (cst.Name, cst.Attribute, cst.Call, cst.Await)):
            continue
        parent = file.parent(node)
        if isinstance(parent, cst.Attribute) and parent.attr is node:
            continue
        if isinstance(parent, (cst.Arg, cst.Param)) and node in (
            getattr(parent, "keyword", None),
            getattr(parent, "name", None),
        ):
            continue
        text = file.text(node)
        if text not in seen:
            seen.add(text)
            yield Belief(text, file.qualified_name(node) or "", said(file.values_of(node)))


def said(answer: Any) -> str:
    """Return an answer of the engine in words."""
    if isinstance(answer, tuple):
        return " or ".join(dict.fromkeys(said(value) for value in answer)) or "unknown"
    if isinstance(answer, Instance):
        return f"an object of {_called(answer.type)}"
    if isinstance(answer, Coroutine):
        return f"a coroutine of {_called(answer.of)}"
    if isinstance(answer, Generator):
        return f"a generator of {_called(answer.of)}"
    if isinstance(answer, (FunctionValue, Partial)):
        return f"the function {answer.function.qualified_name}" if isinstance(answer, FunctionValue) else "a partial"
    if isinstance(answer, ClassValue):
        return f"the class {answer.class_.qualified_name}"
    if isinstance(answer, ModuleValue):
        return f"the module {answer.file.module_name}"
    if isinstance(answer, LibraryName):
        return answer.name
    if isinstance(answer, Collection):
        return f"a {answer.kind} of {said(answer.items)}" if answer.items else f"a {answer.kind}"
    if isinstance(answer, Const):
        return repr(answer.value)
    if isinstance(answer, (Function, Class, Call)):
        return _called(answer)
    return answer if isinstance(answer, str) else "unknown"


def _called(thing: Function | Class | Call | str) -> str:
    if isinstance(thing, Call):
        return thing.text
    return thing if isinstance(thing, str) else thing.qualified_name
