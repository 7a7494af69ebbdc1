"""What a graph needs to know about names: who takes which exceptions, and which calls never return."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

Catches = tuple[str, str]
"""How much a handler takes of errors and of cancellations: all, some or none."""
_RANK = {"none": 0, "some": 1, "all": 2}
_EXITS = {"GeneratorExit", "KeyboardInterrupt", "SystemExit"}
_ENDS = {"sys.exit", "os._exit", "os.abort", "exit", "quit"}


class Judge:
    """Answers what the text alone can't tell. This one goes by the builtins' usual names."""

    def name(self, expression: cst.BaseExpression) -> str | None:
        """Return the qualified name of an expression."""
        parts: list[str] = []
        current = expression
        while isinstance(current, cst.Attribute):
            parts.append(current.attr.value)
            current = current.value
        return ".".join([current.value, *reversed(parts)]) if isinstance(current, cst.Name) else None

    def is_cancellation(self, name: str) -> bool:
        """Tell whether an exception class is how tasks are cancelled."""
        return name.rpartition(".")[2] in {"CancelledError", "Cancelled"}

    def suppresses(self, item: cst.WithItem) -> Catches:
        """Return what a context manager swallows."""
        call = item.item
        if isinstance(call, cst.Call) and (self.name(call.func) or "").rpartition(".")[2] == "suppress":
            return strongest([self.catches(arg.value) for arg in call.args])
        return "none", "none"

    def catches(self, type_: cst.BaseExpression | None) -> Catches:
        """Return what `except type_:` takes."""
        if type_ is None:
            return "all", "all"
        if isinstance(type_, cst.Tuple):
            return strongest([self.catches(element.value) for element in type_.elements])
        name = self.name(type_)
        if name is None:
            return "some", "some"
        leaf = name.rpartition(".")[2]
        if leaf == "BaseException":
            return "all", "all"
        if leaf == "Exception":
            return "all", "none"
        if self.is_cancellation(name):
            return "none", "all"
        return ("none", "some") if leaf in _EXITS else ("some", "none")

    def ends(self, call: cst.Call) -> bool:
        """Tell whether a call never returns."""
        return (self.name(call.func) or "").removeprefix("builtins.") in _ENDS

    def raises(self, call: cst.Call) -> bool:
        """Tell whether a call always raises an error where it stands."""
        return False


def strongest(found: Sequence[Catches]) -> Catches:
    """Return the strongest of what several classes take."""
    error, cancel = (max((one[i] for one in found), key=_RANK.__getitem__, default="none") for i in (0, 1))
    return error, cancel
