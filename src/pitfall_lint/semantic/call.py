"""A call as checks see it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from pitfall_lint.semantic.definitions import Class, Function
    from pitfall_lint.semantic.file import File


class Call:
    """One call expression and its surroundings."""

    def __init__(self, file: File, node: cst.Call) -> None:
        self.file = file
        self.node = node

    def __repr__(self) -> str:
        return f"<Call {self.text}>"

    @cached_property
    def name(self) -> str | None:
        """The canonical qualified name of what is called; `type.method` for methods of a known receiver."""
        return self.file.qualified_name(self.node.func)

    @cached_property
    def target(self) -> Function | Class | None:
        """The function or class of the project that is called."""
        return self.file.definition(self.node.func)

    @property
    def receiver(self) -> cst.BaseExpression | None:
        """The expression before `.method`."""
        return self.node.func.value if isinstance(self.node.func, cst.Attribute) else None

    @property
    def method(self) -> str | None:
        """The name behind the last dot."""
        return self.node.func.attr.value if isinstance(self.node.func, cst.Attribute) else None

    @property
    def has_star(self) -> bool:
        """Tell whether `*args` or `**kwargs` are handed over, so that arguments can't be told."""
        return any(arg.star for arg in self.node.args)

    def arg(self, position: int | None, keyword: str | None = None) -> cst.BaseExpression | None:
        """Return the argument at a position (0-based) or of a keyword; None if absent or behind a star."""
        index = 0
        for arg in self.node.args:
            if arg.keyword is not None:
                if keyword is not None and arg.keyword.value == keyword:
                    return arg.value
            elif arg.star == "*":
                position = None
            elif arg.star == "":
                if position is not None and index == position:
                    return arg.value
                index += 1
        return None

    def where(self, place: str) -> cst.BaseExpression | None:
        """Return the argument that a row's `position|keyword` names ("0|target", "0", "|target")."""
        position, _, keyword = place.partition("|")
        return self.arg(int(position) if position else None, keyword or None)

    def keyword(self, name: str) -> cst.BaseExpression | None:
        """Return the value of a keyword argument."""
        return self.arg(None, name)

    @cached_property
    def _outer(self) -> cst.CSTNode | None:
        return self.file.parent(self.node)

    @property
    def is_awaited(self) -> bool:
        """Tell whether `await` stands right before it."""
        return isinstance(self._outer, cst.Await)

    @property
    def is_discarded(self) -> bool:
        """Tell whether its result (not awaited) is dropped: an expression statement or `_ = …`."""
        outer = self._outer
        if isinstance(outer, cst.Expr):
            return True
        if isinstance(outer, cst.Assign):
            return all(isinstance(t.target, cst.Name) and t.target.value == "_" for t in outer.targets)
        return False

    @cached_property
    def function(self) -> Function | None:
        """The innermost function or lambda around it."""
        return self.file.function_of(self.node)

    @property
    def in_async_function(self) -> bool:
        """Tell whether `await` may stand here."""
        return self.function is not None and self.function.is_async

    @property
    def statement(self) -> cst.CSTNode:
        """The small or compound statement around it."""
        return self.file.statement_of(self.node)

    @property
    def text(self) -> str:
        """The source without its arguments: `session.close()`, `create_task(…)`."""
        inside = "…" if self.node.args else ""
        return f"{self.file.text(self.node.func)}({inside})"
