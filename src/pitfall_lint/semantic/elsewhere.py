"""Functions of other modules that are handed to a thread here: what they come to call there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Related
from pitfall_lint.libraries import Row
from pitfall_lint.libraries.loops import ThreadEntry
from pitfall_lint.semantic.calls import leads_to
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.threads import handed

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True, eq=False)
class Handed:
    """A function that is handed to a thread, and the calls by which it comes to one that is wanted."""

    given: cst.BaseExpression
    thread: str
    chain: tuple[Call, ...]

    @property
    def call(self) -> Call:
        """The call that is wanted."""
        return self.chain[-1]

    @property
    def related(self) -> list[Related]:
        """The calls as second places of a finding."""
        return [step.file.related(step.node, f"by {step.text} here") for step in self.chain]


def handed_elsewhere(
    file: File, question: type[Row], wanted: Callable[[Call], bool], passable: Callable[[Function], bool]
) -> Iterator[Handed]:
    """Yield what is handed to threads here and comes to a wanted call, of such a row, in another module."""
    for call, entry in file.calls_to(ThreadEntry):
        for given in () if entry.process else handed(call, entry):
            function = file.definition(given)
            if not isinstance(function, Function):
                continue
            chain = leads_to(function, question, wanted, passable)
            if chain and chain[-1].file is not file:
                yield Handed(given, entry.thread, chain)
