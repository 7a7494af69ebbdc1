"""What is known about names and conditions along one path, so that contradictory paths are left out.

A fact says which of five sorts of value a name (or dotted name, or whole condition) may still have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import libcst as cst

from pitfall_lint.semantic.flow.liveness import live, relevant
from pitfall_lint.semantic.flow.steps import CANCEL, FALSE, RAISE, TRUE, Edge, Step, assignments, makes_an_object
from pitfall_lint.semantic.walk import own_nodes, spelled

NONE, NO, YES, EMPTY, SOME = 1, 2, 4, 8, 16
ANY = NONE | NO | YES | EMPTY | SOME
TRUTHY, FALSY = YES | SOME, NONE | NO | EMPTY
Facts = frozenset[tuple[str, int]]
_PURE_CALLS = frozenset({"isinstance", "issubclass", "hasattr", "callable", "len", "bool"})
_CONTAINER = re.compile(
    r"(?:Dict|List|Set|Queue|Deque|Counter|Stack|Heap|Map|Mapping|Collection|Cache|Registry|Buffer|Array|Frame|String)s?$"
)
"""Ends of the names of classes whose objects may be empty; others' are true whatever is done with them."""
_CONSTANTS = {"None": NONE, "True": YES, "False": NO}
_PURE: tuple[type[cst.CSTNode], ...] = (
    *(cst.Name, cst.Attribute, cst.BaseNumber, cst.SimpleString, cst.Tuple, cst.Element, cst.Call, cst.Arg),
    *(cst.Comparison, cst.ComparisonTarget, cst.BaseCompOp, cst.UnaryOperation, cst.Minus),
    *(cst.Subscript, cst.SubscriptElement, cst.Index),
)
_PATHS = frozenset([cst.Name, cst.Attribute])
_ATOMS = frozenset([cst.Comparison, cst.Call])
_FLIPPED: dict[type[cst.CSTNode], type[cst.CSTNode]] = {cst.NotEqual: cst.Equal, cst.IsNot: cst.Is, cst.NotIn: cst.In}


class Reasoner:
    """Reads conditions and assignments of one function."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self.steps = tuple(steps)
        self._texts: dict[cst.CSTNode, str] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._conditions: dict[cst.CSTNode, tuple[str, int, int] | None] = {}
        self._touches: dict[Step, frozenset[str]] = {}
        self._mentions: dict[Step, frozenset[str]] = {}
        self._sets: dict[Step, tuple[tuple[cst.CSTNode, cst.BaseExpression | None], ...]] = {}
        self._behind: dict[tuple[Edge, Facts], list[Facts]] = {}
        self.relevant = relevant(self)
        self.live = live(self)

    # Keys

    def key(self, node: cst.CSTNode) -> str | None:
        """Return `a` or `a.b.c` for a name or dotted name."""
        current = node
        while isinstance(current, cst.Attribute):
            current = current.value
        if not isinstance(current, cst.Name) or (current is node and current.value in _CONSTANTS):
            return None
        return self._text(node)

    def _text(self, node: cst.CSTNode) -> str:
        found = self._texts.get(node)
        if found is None:
            found = self._texts[node] = spelled(node)
            self._names[found] = frozenset(n.value for n in own_nodes(node) if isinstance(n, cst.Name))
        return found

    def _condition(self, node: cst.CSTNode) -> tuple[str, int, int] | None:
        """Return a condition as (key, sorts when true, sorts when false); None if it says nothing lasting."""
        if node not in self._conditions:
            self._conditions[node] = self._read_condition(node)
        return self._conditions[node]

    def _read_condition(self, node: cst.CSTNode) -> tuple[str, int, int] | None:
        if isinstance(node, cst.NamedExpr):
            return self._condition(node.target)
        key = self.key(node)
        if key is not None:
            return key, TRUTHY, FALSY
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "bool" and node.args:
            return self._condition(node.args[0].value)
        if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
            target = node.comparisons[0]
            left, right = node.left, target.comparator
            if isinstance(left, cst.Name) and left.value in _CONSTANTS:
                left, right = right, left
            subject = left.target if isinstance(left, cst.NamedExpr) else left
            same = isinstance(target.operator, (cst.Is, cst.Equal))
            equals = same or isinstance(target.operator, (cst.IsNot, cst.NotEqual))
            sort = _CONSTANTS.get(right.value) if isinstance(right, cst.Name) else None
            if equals and sort is not None and (key := self.key(subject)) is not None:
                return (key, sort, ANY & ~sort) if same else (key, ANY & ~sort, sort)
        if not self._is_pure(node):
            return None
        text = self._text(node)
        names = self._names[text]
        negated = False
        if isinstance(node, cst.Comparison) and len(node.comparisons) == 1:
            flipped = _FLIPPED.get(type(node.comparisons[0].operator))
            if negated := flipped is not None:
                text = spelled(node, {node.comparisons[0]: flipped})
        self._names[f"?{text}"] = names
        return (f"?{text}", NO, YES) if negated else (f"?{text}", YES, NO)

    def _is_pure(self, node: cst.CSTNode) -> bool:
        for inner in own_nodes(node):
            if not isinstance(inner, _PURE):
                return False
            if isinstance(inner, cst.Call) and not (
                isinstance(inner.func, cst.Name) and inner.func.value in _PURE_CALLS
            ):
                return False
        return True

    def keys(self, node: cst.CSTNode | None) -> frozenset[str]:
        """Return the keys of everything that a condition or value is made of."""
        found: set[str] = set()
        for inner in own_nodes(node) if node is not None else ():
            kind = type(inner)
            if kind in _PATHS and (key := self.key(inner)) is not None:
                found.add(key)
            if kind in _ATOMS and (atom := self._condition(inner)) is not None:
                found.add(atom[0])
        return frozenset(found)

    # What a condition and a value say

    def assume(self, node: cst.BaseExpression, truth: bool, facts: dict[str, int]) -> dict[str, int] | None:
        """Return the facts when a condition has this truth; None when that can't be."""
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            return self.assume(node.expression, not truth, facts)
        if isinstance(node, cst.BooleanOperation):
            if isinstance(node.operator, cst.And) is truth:
                left = self.assume(node.left, truth, facts)
                return None if left is None else self.assume(node.right, truth, left)
            sides = [self.assume(side, truth, facts) for side in (node.left, node.right)]
            return facts if all(side is not None for side in sides) else sides[0] if sides[0] is not None else sides[1]
        constant = _CONSTANTS.get(node.value) if isinstance(node, cst.Name) else None
        if constant is not None:
            return facts if (constant == YES) is truth else None
        atom = self._condition(node)
        if atom is None:
            return facts
        key, yes, no = atom
        left_over = facts.get(key, ANY) & (yes if truth else no)
        if not left_over:
            return None
        facts = {**facts, key: left_over}
        if truth and key.startswith("?isinstance(") and isinstance(node, cst.Call) and node.args:
            subject = self.key(node.args[0].value)
            if subject is not None and "None" not in key:
                left_over = facts.get(subject, ANY) & ~NONE
                if not left_over:
                    return None
                facts[subject] = left_over
        return facts

    def values(self, node: cst.BaseExpression, facts: dict[str, int]) -> list[tuple[dict[str, int], int]]:
        """Return what an expression may be, with the facts that go with each possibility."""
        if isinstance(node, cst.Name) and node.value in _CONSTANTS:
            return [(facts, _CONSTANTS[node.value])]
        if (key := self.key(node)) is not None:
            return [(facts, facts.get(key, ANY))]
        if isinstance(node, cst.NamedExpr):
            return self.values(node.value, facts)
        if isinstance(node, cst.IfExp):
            return [
                found
                for truth, branch in ((True, node.body), (False, node.orelse))
                if (then := self.assume(node.test, truth, facts)) is not None
                for found in self.values(branch, then)
            ]
        if isinstance(node, cst.BooleanOperation):
            stops = isinstance(node.operator, cst.Or)
            found = []
            for then, sort in self.values(node.left, facts):
                if sort & (TRUTHY if stops else FALSY):
                    kept = self.assume(node.left, stops, then)
                    if kept is not None:
                        found.append((kept, sort & (TRUTHY if stops else FALSY)))
                if sort & (FALSY if stops else TRUTHY):
                    gone = self.assume(node.left, not stops, then)
                    if gone is not None:
                        found.extend(self.values(node.right, gone))
            return found
        if isinstance(node, cst.Comparison) or (
            isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not)
        ):
            return [
                (then, YES if truth else NO)
                for truth in (True, False)
                if (then := self.assume(node, truth, facts)) is not None
            ]
        if isinstance(node, cst.Call):
            if isinstance(node.func, cst.Name) and node.func.value in (
                "bool",
                "isinstance",
                "callable",
                "hasattr",
            ):
                then_else = [(self.assume(node, truth, facts), YES if truth else NO) for truth in (True, False)]
                return [(then, sort) for then, sort in then_else if then is not None]
            if not makes_an_object(node):
                return [(facts, ANY)]
            return [(facts, SOME if _CONTAINER.search(self._text(node.func)) else YES)]
        if isinstance(node, (cst.List, cst.Set, cst.Tuple, cst.Dict)):
            return [(facts, SOME if node.elements else EMPTY)]
        if isinstance(node, (cst.BaseNumber, cst.BaseString)):
            value = node.evaluated_value if isinstance(node, (cst.SimpleString, cst.Integer)) else None
            return [(facts, EMPTY | SOME if value is None else SOME if value else EMPTY)]
        return [(facts, SOME if isinstance(node, cst.Lambda) else ANY)]

    # What a step changes

    def through(self, step: Step, edge: Edge, facts: Facts) -> list[Facts]:
        """Return the facts on the far side of an edge of a step; none when the edge can't be taken."""
        if not facts and not self.relevant:
            return [facts]
        found = self._behind.get((edge, facts))
        if found is None:
            found = self._behind[edge, facts] = self._through(step, edge, facts)
        return found

    def _through(self, step: Step, edge: Edge, facts: Facts) -> list[Facts]:
        known = dict(facts)
        if step.kind == "loop":
            inside = self._mentioned(step)
            known = {k: v for k, v in known.items() if not k.startswith("?") and ("." not in k or k not in inside)}
        possible = [known]
        if step.kind == "test" and edge.kind in (TRUE, FALSE) and isinstance(step.node, cst.BaseExpression):
            for walrus in own_nodes(step.node):
                if type(walrus) is cst.NamedExpr:
                    possible = [new for old in possible for new in self._assign(walrus.target, walrus.value, old)]
            assumed = (self.assume(step.node, edge.kind == TRUE, one) for one in possible)
            possible = [one for one in assumed if one is not None]
            if step.stands_in and edge.kind == FALSE and (key := self.key(step.node)) is not None:
                possible = [{**one, key: NONE} for one in possible if one.get(key, ANY) & NONE] or possible
        elif edge.kind not in (RAISE, CANCEL):
            if step not in self._sets:
                self._sets[step] = tuple(assignments(step))
            for target, value in self._sets[step]:
                possible = [new for old in possible for new in self._assign(target, value, old)]
        touched = self._touched(step) if any(sort & (EMPTY | SOME) for one in possible for sort in one.values()) else ()
        live = self.live.get(edge.target, frozenset())
        return list(
            dict.fromkeys(
                frozenset(
                    (key, _loosened(sort) if key in touched else sort)
                    for key, sort in one.items()
                    if key in live and sort != ANY
                )
                for one in possible
            )
        )

    def _assign(
        self, target: cst.CSTNode, value: cst.BaseExpression | None, facts: dict[str, int]
    ) -> list[dict[str, int]]:
        key = self.key(target) if isinstance(target, (cst.Name, cst.Attribute)) else None
        if key is None:
            for name in own_nodes(target):
                if isinstance(name, (cst.Name, cst.Attribute)) and (part := self.key(name)) is not None:
                    facts = self._without(part, facts)
            return [facts]
        if value is None or key not in self.relevant:
            return [self._without(key, facts)]
        return [{**self._without(key, then), key: sort} for then, sort in self.values(value, facts)]

    def _without(self, key: str, facts: dict[str, int]) -> dict[str, int]:
        plain = "." not in key
        return {
            known: sort
            for known, sort in facts.items()
            if known != key
            and not known.startswith(f"{key}.")
            and not (known.startswith("?") and (key in self._names[known] if plain else key in known))
        }

    def _mentioned(self, step: Step) -> frozenset[str]:
        """Return the keys that a loop mentions: what it asks or changes may be another in each round."""
        if step not in self._mentions:
            nodes = own_nodes(step.node) if step.node is not None else ()
            keys = (self.key(node) for node in nodes if isinstance(node, cst.Attribute))
            self._mentions[step] = frozenset(key for key in keys if key is not None)
        return self._mentions[step]

    def _touched(self, step: Step) -> frozenset[str]:
        """Return the names whose objects a step may fill or empty: receivers and arguments of calls."""
        if step in self._touches:
            return self._touches[step]
        found: set[str] = set()
        for node in step.nodes():
            if isinstance(node, cst.Call):
                parts = [arg.value for arg in node.args]
                if isinstance(node.func, cst.Attribute):
                    parts.append(node.func.value)
                found.update(key for part in parts if (key := self.key(part)) is not None)
        self._touches[step] = frozenset(found)
        return self._touches[step]


def _loosened(sort: int) -> int:
    """Return what a container may be once something may have filled or emptied it."""
    return sort | EMPTY | SOME if sort & (EMPTY | SOME) else sort
