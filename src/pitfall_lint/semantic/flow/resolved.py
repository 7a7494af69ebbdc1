"""The graph of a function of a file, with names resolved by imports and library rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.tasks import Cancellation, Suppressor
from pitfall_lint.semantic.flow.graph import Graph
from pitfall_lint.semantic.flow.judge import Catches, Judge, strongest
from pitfall_lint.semantic.flow.statuses import always_raises

if TYPE_CHECKING:
    from pitfall_lint.semantic.definitions import Function
    from pitfall_lint.semantic.file import File


class FileJudge(Judge):
    """Knows names as the file's imports mean them."""

    def __init__(self, file: File) -> None:
        self.file = file

    def name(self, expression: cst.BaseExpression) -> str | None:
        """Return the qualified name, or the plain text of a dotted name that can't be resolved."""
        return self.file.qualified_name(expression) or super().name(expression)

    def is_cancellation(self, name: str) -> bool:
        """Tell whether some row says so, or the usual name does."""
        return self.file.libraries.find(Cancellation, name) is not None or super().is_cancellation(name)

    def catches(self, type_: cst.BaseExpression | None) -> Catches:
        """Return what `except type_:` takes; a function of a row may return the class."""
        if isinstance(type_, cst.Call):
            name = self.name(type_.func)
            if name is not None and self.is_cancellation(name):
                return "none", "all"
        return super().catches(type_)

    def suppresses(self, item: cst.WithItem) -> Catches:
        """Return what a context manager swallows, by row or by the usual name."""
        call = item.item
        if isinstance(call, cst.Call):
            name = self.name(call.func)
            if name is not None and self.file.libraries.find(Suppressor, name) is not None:
                return strongest([self.catches(arg.value) for arg in call.args])
        return super().suppresses(item)

    def raises(self, call: cst.Call) -> bool:
        """Tell whether a call always raises where it stands."""
        return always_raises(self.file, call)


def gave_up(file: File) -> tuple[Function, ...]:
    """Return the functions of a file some question about whose flow was beyond the effort: they were passed over."""
    return tuple(
        key[1]
        for key, graph in file.memo.items()
        if isinstance(graph, Graph) and graph.gave_up and isinstance(key, tuple) and key[0] == "flow"
    )


def flow_of(file: File, function: Function) -> Graph:
    """Return the graph of a function, made once."""
    key = ("flow", function)
    if key not in function.file.memo:
        function.file.memo[key] = Graph(function.node, FileJudge(function.file))
    graph = function.file.memo[key]
    assert isinstance(graph, Graph)
    return graph
