"""The graph of one function and the questions about its paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Generic, TypeVar

import libcst as cst

from pitfall_lint.semantic.flow.build import Builder, TooBig
from pitfall_lint.semantic.flow.facts import Facts, Reasoner
from pitfall_lint.semantic.flow.judge import Judge
from pitfall_lint.semantic.flow.steps import Edge, Step

EXITS = ("end", "return", "raise", "cancel")
"""How a function is left: past its last statement, by return, by an error, by a cancellation (or another
BaseException)."""
EFFORT = 12_000
"""Step-and-state pairs beyond which an answer is unknown."""
_QUESTIONS = 4
"""How much effort all questions about one function may take together, in single ones."""
_TRIES = 2
"""So many questions may come to nothing, then the function is left alone: it would be so for the next ones."""

S = TypeVar("S")
Place = cst.CSTNode | Step
Predicate = Callable[[Step], bool]


class States(Generic[S]):
    """Which states are possible where."""

    def __init__(self, graph: Graph, found: dict[Step, set[S]]) -> None:
        self._graph = graph
        self._found = found

    def at(self, place: Place) -> frozenset[S]:
        """Return the states in which a step (or any step of a node) is come to."""
        return frozenset(state for step in self._graph.places(place) for state in self._found.get(step, ()))

    def exits(self, *kinds: str) -> frozenset[S]:
        """Return the states in which the function is left, by these kinds of exit (all if none is named)."""
        return frozenset(
            state for step, states in self._found.items() if step.exit in (kinds or EXITS) for state in states
        )


class Graph:
    """Control flow of one function, lambda or module. An answer of None means unknown: effort is bounded."""

    def __init__(self, node: cst.FunctionDef | cst.Lambda | cst.Module, judge: Judge | None = None) -> None:
        self.node = node
        self.gave_up = False
        """Whether some question was beyond the effort; its answer was None."""
        self._failed = 0
        self._split: dict[Step, tuple[tuple[bool, list[Edge]], ...]] = {}
        self._spent = 0
        """The effort of all questions so far."""
        builder = Builder(judge or Judge())
        self.entry: Step | None
        try:
            self.entry = builder.function(node)
        except (TooBig, RecursionError):
            self.entry = None
            self.gave_up = True
        self.steps: tuple[Step, ...] = self._reachable()

    @property
    def is_complete(self) -> bool:
        """Tell whether the function could be understood at all."""
        return self.entry is not None

    def _reachable(self) -> tuple[Step, ...]:
        order: dict[Step, None] = {}
        stack = [self.entry] if self.entry is not None else []
        while stack:
            step = stack.pop()
            if step not in order:
                order[step] = None
                stack.extend(edge.target for edge in reversed(step.edges))
        return tuple(order)

    @cached_property
    def _index(self) -> dict[cst.CSTNode, tuple[Step, ...]]:
        index: dict[cst.CSTNode, list[Step]] = {}
        for step in self.steps:
            if step.kind == "entry":
                continue
            if step.node is not None and step.kind in ("statement", "enter", "iterate", "except", "case"):
                index.setdefault(step.node, []).append(step)
            for node in step.nodes():
                steps = index.setdefault(node, [])
                if step not in steps[-1:]:
                    steps.append(step)
        return {node: tuple(steps) for node, steps in index.items()}

    @cached_property
    def _reasoner(self) -> Reasoner:
        return Reasoner(self.steps)

    def steps_of(self, node: cst.CSTNode) -> tuple[Step, ...]:
        """Return the steps that evaluate a node; several inside `finally`, none in an inner function."""
        return self._index.get(node, ())

    def places(self, place: Place) -> tuple[Step, ...]:
        """Return the steps of a node, or the step itself."""
        return (place,) if isinstance(place, Step) else self.steps_of(place)

    def leaves(self, item: cst.WithItem) -> tuple[Step, ...]:
        """Return the steps in which a with item's exit runs."""
        return tuple(step for step in self.steps if step.kind == "leave" and step.node is item)

    def _ways(self, step: Step) -> tuple[tuple[bool, list[Edge]], ...]:
        """Return the edges by which a step is left normally, and those by which it is left by an exception."""
        found = self._split.get(step)
        if found is None:
            sides = ((raised, [edge for edge in step.edges if edge.raised is raised]) for raised in (False, True))
            found = self._split[step] = tuple((raised, edges) for raised, edges in sides if edges)
        return found

    # Typestate

    def typestate(self, initial: S, transfer: Callable[[Step, S, bool], S | None]) -> States[S] | None:
        """Follow a state along all feasible paths.

        `transfer(step, state, raised)` gives the state behind a step, left normally or by an exception;
        None ends the path. Paths whose conditions contradict each other are left out. None: too much effort.
        """
        if self.entry is None or self._failed >= _TRIES:
            return None
        if self._spent > EFFORT * _QUESTIONS:
            self.gave_up = True
            return None
        found: dict[Step, set[S]] = {}
        start: tuple[Step, S, Facts] = (self.entry, initial, frozenset())
        seen = {start}
        stack = [start]
        while stack:
            step, state, facts = stack.pop()
            found.setdefault(step, set()).add(state)
            for raised, edges in self._ways(step):
                after = transfer(step, state, raised)
                if after is None:
                    continue
                for edge in edges:
                    for known in self._reasoner.through(step, edge, facts):
                        configuration = (edge.target, after, known)
                        if configuration not in seen:
                            if len(seen) >= EFFORT:
                                self.gave_up = True
                                self._failed += 1
                                return None
                            seen.add(configuration)
                            stack.append(configuration)
        self._spent += len(seen)
        return States(self, found)

    # Paths

    def reaches(
        self,
        start: Place,
        goal: Place,
        *,
        avoiding: Predicate | None = None,
        exceptional: bool = True,
        raised: bool = False,
    ) -> bool | None:
        """Tell whether some feasible path leads from behind `start` to `goal` without `avoiding` steps.

        `raised` also counts the paths on which `start` itself raised.
        """
        states = self._follow(start, avoiding, exceptional, raised)
        return None if states is None else True in states.at(goal)

    def some_path(
        self,
        start: Place | None = None,
        *,
        to: Iterable[str] = EXITS,
        avoiding: Predicate | None = None,
        exceptional: bool = True,
    ) -> bool | None:
        """Tell whether some feasible path leads from behind `start` (None: the entry) out of the function."""
        states = self._follow(start, avoiding, exceptional)
        return None if states is None else True in states.exits(*to)

    def every_path(
        self,
        start: Place | None = None,
        *,
        passes: Predicate,
        to: Iterable[str] = EXITS,
        exceptional: bool = True,
    ) -> bool | None:
        """Tell whether every feasible path from behind `start` to these exits `passes` a step."""
        escaped = self.some_path(start, to=to, avoiding=passes, exceptional=exceptional)
        return None if escaped is None else not escaped

    def following(self, start: Place, *, exceptional: bool = True) -> frozenset[Step] | None:
        """Return the steps that can run after a node."""
        states = self._follow(start, None, exceptional)
        return None if states is None else frozenset(step for step in self.steps if True in states.at(step))

    def _follow(
        self, start: Place | None, avoiding: Predicate | None, exceptional: bool, start_raised: bool = False
    ) -> States[bool] | None:
        begin = frozenset(self.places(start)) if start is not None else frozenset()

        def transfer(step: Step, started: bool, raised: bool) -> bool | None:
            if raised and started and not exceptional:
                return None
            if started and avoiding is not None and avoiding(step):
                return None
            if step in begin and (start_raised or not raised):
                return True
            return started

        return self.typestate(start is None, transfer)
