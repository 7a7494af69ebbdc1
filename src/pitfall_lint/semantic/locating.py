"""Where the nodes of a slice stand, found by writing the code once more."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
from libcst._nodes.internal import CodegenState


@dataclass(frozen=True)
class Range:
    """Where a node stands in its slice: lines 1-based, columns 0-based in characters."""

    start: tuple[int, int]
    end: tuple[int, int]


class _Locator(CodegenState):
    """Records positions while LibCST writes the code, without the copy its PositionProvider makes."""

    def __init__(self, default_indent: str, default_newline: str) -> None:
        super().__init__(default_indent=default_indent, default_newline=default_newline)
        self.line = 1
        self.column = 0
        self.ranges: dict[cst.CSTNode, Range] = {}
        self._starts: list[tuple[int, int]] = []
        self._marks: list[dict[cst.CSTNode, tuple[tuple[int, int], tuple[int, int]]]] = []

    def add_token(self, value: str) -> None:
        super().add_token(value)
        self._advance(value)

    def add_indent_tokens(self) -> None:
        super().add_indent_tokens()
        for token in self.indent_tokens:
            self._advance(token)

    def _advance(self, value: str) -> None:
        if "\n" in value or "\r" in value:
            lines = value.replace("\r\n", "\n").replace("\r", "\n").split("\n")
            self.line += len(lines) - 1
            self.column = len(lines[-1])
        else:
            self.column += len(value)

    def before_codegen(self, node: cst.CSTNode) -> None:
        self._starts.append((self.line, self.column))

    def after_codegen(self, node: cst.CSTNode) -> None:
        start = self._starts.pop()
        if node not in self.ranges:
            self.ranges[node] = Range(start, (self.line, self.column))

    @contextlib.contextmanager
    def record_syntactic_position(
        self, node: cst.CSTNode, *, start_node: cst.CSTNode | None = None, end_node: cst.CSTNode | None = None
    ) -> Iterator[None]:
        start = (self.line, self.column)
        yield
        end = (self.line, self.column)
        if start_node is not None and start_node in self.ranges:
            start = self.ranges[start_node].start
        if end_node is not None and end_node in self.ranges:
            end = self.ranges[end_node].end
        self.ranges[node] = Range(start, end)


def ranges_of(module: cst.Module) -> dict[cst.CSTNode, Range]:
    """Return where every node of a module stands."""
    state = _Locator(default_indent=module.default_indent, default_newline=module.default_newline)
    module._codegen(state)
    return state.ranges
