"""What a string variable holds at one place: its assignments, and the guards on the way, run in order.

One variable (a name, or an attribute such as `self.base_url`) is followed through one block of statements.
A state is the alternatives that reach a place, or None where nothing can come by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import libcst as cst

from pitfall_lint.semantic import conditions, shapes
from pitfall_lint.semantic.facts import Facts, facts_of
from pitfall_lint.semantic.names import dotted
from pitfall_lint.semantic.shapes import UNKNOWN, Shapes
from pitfall_lint.semantic.walk import own_nodes

State = Shapes | None
Behind = dict[tuple[cst.CSTNode, str], tuple[tuple[State, State], list[State]]]
"""By block and variable: what it began with (in the function, in the block), and the states behind its statements."""


def united(*states: State) -> State:
    """Return what reaches a place where ways meet."""
    alive = [state for state in states if state is not None]
    return shapes.merged(shape for state in alive for shape in state) if alive else None


@dataclass
class Follower:
    """Follows the variable `key`. `evaluate` gives an expression's shapes; `entry` what it holds at the start."""

    key: str
    evaluate: Callable[[cst.BaseExpression], Shapes]
    entry: Callable[[], Shapes]
    resets: Callable[[cst.Call], bool] = lambda call: False
    """Whether a call may give the variable another value."""
    path: frozenset[cst.CSTNode] = frozenset()
    """The node that is asked about and everything around it."""
    arrived: State = None
    found: bool = False
    last: Shapes = ()
    """What was last assigned."""
    facts: dict[cst.CSTNode, Facts] = field(default_factory=dict)
    """What is known of statements; share it between the variables of a file."""
    behind: Behind = field(default_factory=dict)
    """What was found to be left behind the statements of blocks; share it between those who evaluate alike."""
    cuts: Callable[[], int] = lambda: 0
    """How often `evaluate` could not go on to the end so far: such answers are not kept."""
    _below: dict[cst.CSTNode, cst.CSTNode] = field(default_factory=dict)
    _initial: State = None

    def at(self, body: cst.CSTNode, way: Sequence[cst.CSTNode]) -> Shapes:
        """Return what reaches a node; `way` is the node and what stands around it up to `body`."""
        facts, leaf = facts_of(body, self.facts), self.key.rpartition(".")[2]
        if leaf not in facts.targets and leaf not in facts.tested:
            if "." not in self.key or not any(map(self.resets, facts.calls)):
                return self.entry()  # nothing here can tell or change anything
        self.path = frozenset(way)
        self._below = dict(zip(way[1:], way, strict=False))
        self._initial = self.entry()
        state = self._block(body, self._initial)
        return (self.arrived if self.found else state) or ()

    def at_end(self, body: cst.CSTNode, initial: State) -> State:
        """Return what the variable holds when the block is left at its end."""
        return self._block(body, initial)

    def _arrive(self, state: State) -> State:
        self.arrived = united(self.arrived, state) if self.found else state
        self.found = True
        return None

    # Statements

    def _block(self, node: cst.CSTNode, state: State) -> State:
        if isinstance(node, (cst.IndentedBlock, cst.Module)):
            statements: Sequence[cst.CSTNode] = node.body
        elif isinstance(node, cst.SimpleStatementSuite):
            statements = node.body
        else:
            return self._expression(node, state)
        if (below := self._below.get(node)) is not None:
            at = statements.index(below)
            state, statements = self._passed(node, statements[:at], state), statements[at:]
        for statement in statements:
            if self.found:
                return None
            state = self._statement(statement, state)
            if state is None and not self.path:
                return None
        return state

    def _passed(self, block: cst.CSTNode, statements: Sequence[cst.CSTNode], state: State) -> State:
        """Return what is left behind these statements of a block, on the way to a later one; kept for the next way."""
        known = self.behind.get((block, self.key))
        if known is None or known[0] != (self._initial, state):
            known = self.behind[block, self.key] = ((self._initial, state), [state])
        states = known[1]
        while len(states) <= len(statements):
            at, cuts = len(states), self.cuts()
            state = self._statement(statements[at - 1], states[-1])
            if self.cuts() != cuts:  # not what holds for good
                for statement in statements[at:]:
                    state = self._statement(statement, state)
                return state
            if len(states) == at:  # else the question has come back to this block
                states.append(state)
        return states[len(statements)]

    def _statement(self, node: cst.CSTNode, state: State) -> State:
        inside = node in self.path
        if not inside and not self._matters(node):
            return state
        if isinstance(node, cst.SimpleStatementLine):
            for small in node.body:
                state = self._small(small, state)
                if self.found:
                    return None
            return state
        if isinstance(node, cst.If):
            return self._if(node, state)
        if isinstance(node, (cst.For, cst.While)):
            return self._loop(node, state)
        if isinstance(node, (cst.Try, cst.TryStar)):
            return self._try(node, state)
        if isinstance(node, cst.With):
            for item in node.items:
                state = self._expression(item.item, state)
                if item.asname is not None and self._binds(item.asname.name):
                    state = self._change(UNKNOWN)
            return None if self.found else self._block(node.body, state)
        if isinstance(node, cst.Match):
            ways = [state]
            for case in node.cases:
                ways.append(self._block(case.body, state))
                if self.found:
                    return None
            return united(*ways)
        if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
            if inside:  # a decorator, a default or a base; or the body of a class
                if isinstance(node, cst.ClassDef) and node.body in self.path:
                    return self._block(node.body, state)
                return self._expression(node, state)
            return self._change(UNKNOWN) if node.name.value == self.key else state
        return self._small(node, state)

    def _if(self, node: cst.If, state: State) -> State:
        ways: list[State] = []
        chain: cst.If | cst.Else | None = node
        while isinstance(chain, cst.If) and (chain is node or chain in self.path or self._matters(chain)):
            state = self._expression(chain.test, state)
            if self.found:
                return None
            ways.append(self._block(chain.body, self.refined(state, chain.test, True)))
            if self.found:
                return None
            state = self.refined(state, chain.test, False)
            chain = chain.orelse
        if isinstance(chain, cst.Else):
            state = self._block(chain.body, state)
        for way in reversed(ways):
            state = united(way, state)
        return state

    def _small(self, node: cst.CSTNode, state: State) -> State:
        if node in self.path:
            return self._expression(node, state)
        if isinstance(node, (cst.Return, cst.Raise, cst.Continue, cst.Break)):
            return None
        if isinstance(node, cst.Assign):
            for target in node.targets:
                if dotted(target.target) == self.key:
                    return self._change(self.evaluate(node.value))
                if isinstance(target.target, (cst.Tuple, cst.List)) and self._binds(target.target):
                    return self._change(self._unpacked(target.target, node.value))
        elif isinstance(node, cst.AnnAssign) and dotted(node.target) == self.key and node.value is not None:
            return self._change(self.evaluate(node.value))
        elif isinstance(node, cst.AugAssign) and dotted(node.target) == self.key:
            if isinstance(node.operator, cst.AddAssign) and state is not None:
                return self._change(shapes.concatenated(state, self.evaluate(node.value)))
            return self._change(UNKNOWN)
        elif isinstance(node, cst.Del):
            return state
        return self._walrus(node, state)

    def _walrus(self, node: cst.CSTNode, state: State) -> State:
        for inner in own_nodes(node):
            if isinstance(inner, cst.NamedExpr) and dotted(inner.target) == self.key:
                state = self._change(self.evaluate(inner.value))
            elif isinstance(inner, cst.Call) and self.resets(inner):
                state = self._change(self.entry())
        return state

    def _loop(self, node: cst.For | cst.While, state: State) -> State:
        head = node.iter if isinstance(node, cst.For) else node.test
        state = self._expression(head, state)
        if self.found:
            return None
        inner = state
        if isinstance(node, cst.For) and self._binds(node.target):
            inner = self._change(self._elements(node.iter) if dotted(node.target) == self.key else UNKNOWN)
        elif self._touched(node.body):
            inner = united(state, UNKNOWN)
        if isinstance(node, cst.While):
            inner = self.refined(inner, node.test, True)
        after = self._block(node.body, inner)
        if self.found:
            return None
        state = united(state, after, inner)
        if isinstance(node, cst.While):
            state = self.refined(state, node.test, False)
        return self._block(node.orelse.body, state) if node.orelse is not None else state

    def _try(self, node: cst.Try | cst.TryStar, state: State) -> State:
        body = self._block(node.body, state)
        if self.found:
            return None
        ways: list[State] = []
        for handler in node.handlers:
            ways.append(self._block(handler.body, united(state, body)))
            if self.found:
                return None
        if node.orelse is not None:
            body = self._block(node.orelse.body, body)
            if self.found:
                return None
        state = united(body, *ways)
        if node.finalbody is not None:
            return self._block(node.finalbody.body, state)
        return state

    # Expressions

    def _expression(self, node: cst.CSTNode, state: State) -> State:
        """Pass through an expression; on the way to the node that is asked about, conditions tell something."""
        if node not in self.path:
            return self._walrus(node, state) if self._matters(node) else state
        while True:
            below = self._below.get(node)
            if below is None:
                return self._arrive(state)
            if isinstance(node, cst.IfExp) and below is not node.test:
                state = self.refined(self._walrus(node.test, state), node.test, below is node.body)
            elif isinstance(node, cst.BooleanOperation) and below is node.right:
                state = self.refined(self._walrus(node.left, state), node.left, isinstance(node.operator, cst.And))
            node = below

    def refined(self, state: State, test: cst.BaseExpression, positive: bool) -> State:
        """Return what is left of the alternatives when a condition holds (or not)."""
        if state is None:
            return None
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            return self.refined(state, test.expression, not positive)
        if isinstance(test, cst.BooleanOperation):
            both = isinstance(test.operator, cst.And) is positive
            left = self.refined(state, test.left, positive)
            if both:
                return self.refined(left, test.right, positive)
            rest = self.refined(state, test.left, not positive)
            return united(left, self.refined(rest, test.right, positive))
        told = self._told(state, test, positive)
        return state if told is None else told or None

    def _told(self, state: Shapes, test: cst.BaseExpression, positive: bool) -> Shapes | None:
        if (isinstance(test, cst.NamedExpr) and dotted(test.target) == self.key) or dotted(test) == self.key:
            return conditions.when_true(state) if positive else conditions.when_false(state)
        if isinstance(test, cst.Call) and isinstance(test.func, cst.Attribute) and len(test.args) == 1:
            if dotted(test.func.value) == self.key:
                edges = [s.text for s in self.evaluate(test.args[0].value)]
                if len(edges) == 1 and edges[0]:
                    if test.func.attr.value == "startswith":
                        return conditions.when_starts(state, edges[0], positive)
                    if test.func.attr.value == "endswith":
                        return conditions.when_ends(state, edges[0], positive)
            return None
        if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
            return self._compared(state, test.left, test.comparisons[0], positive)
        return None

    def _compared(
        self, state: Shapes, left: cst.BaseExpression, target: cst.ComparisonTarget, positive: bool
    ) -> Shapes | None:
        other, operator = target.comparator, target.operator
        if isinstance(left, cst.Subscript) and dotted(left.value) == self.key and _is_edge(left) is not None:
            equal = isinstance(operator, cst.Equal)
            if equal or isinstance(operator, cst.NotEqual):
                edges = [s.text for s in self.evaluate(other)]
                if len(edges) == 1 and edges[0]:
                    when = conditions.when_starts if _is_edge(left) == 0 else conditions.when_ends
                    return when(state, edges[0], positive is equal)
            return None
        if dotted(left) != self.key:
            return None
        if isinstance(other, cst.Name) and other.value == "None":
            is_none = isinstance(operator, (cst.Is, cst.Equal))
            return None if is_none is not positive else conditions.when_false(state) or None
        if isinstance(operator, (cst.Equal, cst.NotEqual)):
            texts = [s.text for s in self.evaluate(other)]
            if len(texts) == 1 and texts[0] is not None:
                return conditions.when_equal(state, texts[0], positive is isinstance(operator, cst.Equal))
        if isinstance(operator, (cst.In, cst.NotIn)) and isinstance(other, (cst.Tuple, cst.List, cst.Set)):
            choices = [[s.text for s in self.evaluate(e.value)] for e in other.elements]
            known = [texts[0] for texts in choices if len(texts) == 1 and texts[0] is not None]
            if len(known) == len(choices):
                if positive is isinstance(operator, cst.In):
                    return tuple(s for text in known for s in conditions.when_equal(state, text, True))
                for text in known:
                    state = conditions.when_equal(state, text, False)
                return state
        return None

    # Which statements matter

    def _change(self, state: Shapes) -> Shapes:
        self.last = state
        return state

    def _binds(self, target: cst.CSTNode) -> bool:
        return any(dotted(node) == self.key for node in own_nodes(target))

    def _unpacked(self, target: cst.Tuple | cst.List, value: cst.BaseExpression) -> Shapes:
        if isinstance(value, (cst.Tuple, cst.List)) and len(value.elements) == len(target.elements):
            for element, given in zip(target.elements, value.elements, strict=True):
                if dotted(element.value) == self.key and not isinstance(given, cst.StarredElement):
                    return self.evaluate(given.value)
        return UNKNOWN

    def _elements(self, node: cst.BaseExpression) -> Shapes:
        if isinstance(node, (cst.Tuple, cst.List, cst.Set)) and node.elements:
            if not any(isinstance(element, cst.StarredElement) for element in node.elements):
                return shapes.merged(s for element in node.elements for s in self.evaluate(element.value))
        return UNKNOWN

    def _matters(self, node: cst.CSTNode) -> bool:
        """Tell whether a statement can change the variable, or guards by leaving."""
        return facts_of(node, self.facts).leaves or self._touched(node)

    def _touched(self, node: cst.CSTNode) -> bool:
        facts = facts_of(node, self.facts)
        if self.key.rpartition(".")[2] in facts.targets:
            return True
        return "." in self.key and any(map(self.resets, facts.calls))


def _is_edge(node: cst.Subscript) -> int | None:
    """Return 0 for `x[0]` and `x[:1]`, -1 for `x[-1]` and `x[-1:]`."""
    if len(node.slice) != 1:
        return None
    inner = node.slice[0].slice
    bound = inner.value if isinstance(inner, cst.Index) else None
    if isinstance(inner, cst.Slice):
        if inner.lower is None and isinstance(inner.upper, cst.Integer) and inner.upper.value == "1":
            return 0
        bound = inner.lower if inner.upper is None else None
    if isinstance(bound, cst.Integer) and bound.value == "0" and isinstance(inner, cst.Index):
        return 0
    if isinstance(bound, cst.UnaryOperation) and isinstance(bound.operator, cst.Minus):
        if isinstance(bound.expression, cst.Integer) and bound.expression.value == "1":
            return -1
    return None
