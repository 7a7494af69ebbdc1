"""Builds the steps of a function from its end to its beginning, so that every step knows what follows.

What runs on the way out (`finally`, with-exits, handlers) is built anew for each reason to leave, when
that reason first occurs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import libcst as cst

from pitfall_lint.semantic.flow.judge import Judge
from pitfall_lint.semantic.flow.steps import CANCEL, FALSE, NEXT, RAISE, TRUE, Edge, Step, makes_an_object, risks
from pitfall_lint.semantic.walk import own_nodes

LIMIT = 6_000
"""Steps beyond which a function is not understood."""

Later = Callable[[], Step]


class TooBig(Exception):
    """The function has more steps than the limit."""


@dataclass(frozen=True)
class Context:
    """Where each way of leaving a statement leads."""

    error: Later
    cancel: Later
    returns: Later
    breaks: Later | None = None
    continues: Later | None = None
    handling: str | None = None
    """Inside a handler: raise or cancel, which a bare `raise` raises again."""
    handled: str | None = None
    """The name that the handler gives the exception."""

    def through(self, wrap: Callable[[Step, str], Step]) -> Context:
        """Return the context inside something that runs `wrap` on the way out, once for each reason."""

        def once(later: Later, reason: str) -> Later:
            made: list[Step] = []

            def get() -> Step:
                if not made:
                    made.append(wrap(later(), reason))
                return made[0]

            return get

        return replace(
            self,
            error=once(self.error, RAISE),
            cancel=once(self.cancel, CANCEL),
            returns=once(self.returns, "return"),
            breaks=once(self.breaks, "break") if self.breaks else None,
            continues=once(self.continues, "continue") if self.continues else None,
        )


class Builder:
    """Builds one graph; `steps` holds every step made."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.steps: list[Step] = []

    def step(self, kind: str, node: cst.CSTNode | None, *edges: Edge) -> Step:
        """Make a step. Raises TooBig past the limit."""
        if len(self.steps) >= LIMIT:
            raise TooBig
        made = Step(kind, node, list(edges), len(self.steps))
        self.steps.append(made)
        return made

    def function(self, node: cst.FunctionDef | cst.Lambda | cst.Module) -> Step:
        """Build a whole function (or a module's top level) and return its entry."""
        exits = {kind: self.step(kind, None) for kind in ("end", "return-exit", "raise-exit", "cancel-exit")}
        context = Context(
            error=lambda: exits["raise-exit"],
            cancel=lambda: exits["cancel-exit"],
            returns=lambda: exits["return-exit"],
        )
        if isinstance(node, cst.Lambda):
            first = self.simple("return", node.body, exits["return-exit"], context)
        else:
            body = node.body if isinstance(node, cst.Module) else node.body.body
            first = self.body(body, exits["end"], context)
        return self.step("entry", node, Edge(first))

    def body(self, statements: Sequence[cst.CSTNode], after: Step, context: Context) -> Step:
        """Build statements that run one after another."""
        for statement in reversed(statements):
            if isinstance(statement, cst.SimpleStatementLine):
                for small in reversed(statement.body):
                    after = self.small(small, after, context)
            else:
                after = self.compound(statement, after, context)
        return after

    def suite(self, suite: cst.BaseSuite, after: Step, context: Context) -> Step:
        """Build the body of a compound statement."""
        if isinstance(suite, cst.SimpleStatementSuite):
            for small in reversed(suite.body):
                after = self.small(small, after, context)
            return after
        return self.body(suite.body, after, context)

    def simple(self, kind: str, node: cst.CSTNode, after: Step, context: Context) -> Step:
        """Build one step with the exceptional edges that its expressions call for."""
        made = self.step(kind, node, Edge(after))
        self.risk(made, node, context)
        return made

    def risk(self, step: Step, node: cst.CSTNode, context: Context, *, cancels: bool = False) -> None:
        """Add the edges of what may go wrong in a step."""
        error, cancel = risks(node)
        if error or cancels:
            step.edges.append(Edge(context.error(), RAISE))
        if cancel or cancels:
            step.edges.append(Edge(context.cancel(), CANCEL))

    def small(self, node: cst.CSTNode, after: Step, context: Context) -> Step:
        """Build a simple statement."""
        if isinstance(node, cst.Return):
            return self.simple("return", node, context.returns(), context)
        if isinstance(node, cst.Raise):
            return self.raising(node, context)
        if isinstance(node, cst.Break) and context.breaks is not None:
            return self.step("statement", node, Edge(context.breaks()))
        if isinstance(node, cst.Continue) and context.continues is not None:
            return self.step("statement", node, Edge(context.continues()))
        if isinstance(node, cst.Assert):
            failed = self.step("raise", node, Edge(context.error(), RAISE))
            return self.test(node.test, after, failed, context)
        if isinstance(node, (cst.Assign, cst.AnnAssign)) and isinstance(node.value, (cst.IfExp, cst.BooleanOperation)):
            return self.branching(node, node.value, after, context)
        if isinstance(node, cst.Expr):
            call = node.value.expression if isinstance(node.value, cst.Await) else node.value
            if isinstance(call, cst.Call) and self.judge.ends(call):
                return self.step("raise", node, Edge(context.cancel(), CANCEL))
            if isinstance(call, cst.Call) and self.judge.raises(call):
                return self.step("raise", node, Edge(context.error(), RAISE))
        return self.simple("statement", node, after, context)

    def branching(self, node: cst.CSTNode, value: cst.BaseExpression, after: Step, context: Context) -> Step:
        """Build an assignment whose value depends on a condition as a test and one step for each branch."""
        if isinstance(value, cst.IfExp):
            yes = self.branching(node, value.body, after, context)
            no = self.branching(node, value.orelse, after, context)
            return self.test(value.test, yes, no, context)
        if isinstance(value, cst.BooleanOperation):
            right = self.branching(node, value.right, after, context)
            left = self.step("statement", node, Edge(after))
            left.value = value.left
            if isinstance(value.operator, cst.And):
                return self.test(value.left, right, left, context)
            test = self.test(value.left, left, right, context)
            test.stands_in = test.node is value.left and makes_an_object(value.right)
            return test
        made = self.step("statement", node, Edge(after))
        made.value = value
        self.risk(made, value, context)
        return made

    def raising(self, node: cst.Raise, context: Context) -> Step:
        """Build a `raise`, which knows whether it raises an error or a cancellation."""
        made = self.step("raise", node)
        what = node.exc.func if isinstance(node.exc, cst.Call) else node.exc
        if what is None or (isinstance(what, cst.Name) and what.value == context.handled):
            kinds: Sequence[str] = (context.handling,) if context.handling else (RAISE, CANCEL)
        else:
            error, cancel = self.judge.catches(what)
            kinds = (CANCEL,) if (error, cancel) in (("none", "all"), ("none", "some")) else (RAISE,)
        for kind in kinds:
            made.edges.append(Edge(context.error() if kind == RAISE else context.cancel(), kind))
        return made

    def test(self, node: cst.BaseExpression, yes: Step, no: Step, context: Context) -> Step:
        """Build a condition; `and`, `or` and `not` become tests of their parts."""
        if isinstance(node, cst.UnaryOperation) and isinstance(node.operator, cst.Not):
            return self.test(node.expression, no, yes, context)
        if isinstance(node, cst.BooleanOperation):
            if isinstance(node.operator, cst.And):
                return self.test(node.left, self.test(node.right, yes, no, context), no, context)
            return self.test(node.left, yes, self.test(node.right, yes, no, context), context)
        truth = constant_truth(node)
        if truth is not None:
            return self.step("test", node, Edge(yes if truth else no))
        made = self.step("test", node, Edge(yes, TRUE), Edge(no, FALSE))
        self.risk(made, node, context)
        return made

    def compound(self, node: cst.CSTNode, after: Step, context: Context) -> Step:
        """Build a compound statement."""
        if isinstance(node, cst.If):
            orelse = node.orelse
            if isinstance(orelse, cst.If):
                no = self.compound(orelse, after, context)
            else:
                no = self.suite(orelse.body, after, context) if orelse is not None else after
            return self.test(node.test, self.suite(node.body, after, context), no, context)
        if isinstance(node, (cst.While, cst.For)):
            return self.loop(node, after, context)
        if isinstance(node, (cst.Try, cst.TryStar)):
            return self.attempt(node, after, context)
        if isinstance(node, cst.With):
            return self.with_(node, node.items, after, context)
        if isinstance(node, cst.Match):
            return self.match(node, after, context)
        return self.simple("statement", node, after, context)

    def loop(self, node: cst.While | cst.For, after: Step, context: Context) -> Step:
        """Build a loop with its else."""
        header = self.step("loop", node)
        inner = replace(context, breaks=lambda: after, continues=lambda: header)
        done = self.suite(node.orelse.body, after, context) if node.orelse is not None else after
        first = self.suite(node.body, header, inner)
        if isinstance(node, cst.While):
            header.edges.append(Edge(self.test(node.test, first, done, context)))
            return header
        ends = () if node.orelse is None and _gives_up(node) else (Edge(done, FALSE),)
        iterate = self.step("iterate", node, Edge(first, TRUE), *ends)
        iterate.edges.append(Edge(context.error(), RAISE))
        if node.asynchronous is not None:
            iterate.edges.append(Edge(context.cancel(), CANCEL))
        header.edges.append(Edge(iterate))
        return self.simple("evaluate", node.iter, header, context)

    def attempt(self, node: cst.Try | cst.TryStar, after: Step, context: Context) -> Step:
        """Build try, its handlers, its else and its finally."""
        final = node.finalbody
        outer, then = context, after
        if final is not None:
            final_body = final.body
            outer = context.through(lambda target, reason: self.suite(final_body, target, self._left(context, reason)))
            then = self.suite(final_body, after, context)

        def dispatch(kind: str) -> Later:
            made: list[Step] = []

            def get() -> Step:
                if not made:
                    made.append(self.step("dispatch", node))
                    self._handlers(made[0], node, kind, then, outer)
                return made[0]

            return get

        inner = replace(outer, error=dispatch(RAISE), cancel=dispatch(CANCEL)) if node.handlers else outer
        first = self.suite(node.orelse.body, then, outer) if node.orelse is not None else then
        return self.suite(node.body, first, inner)

    @staticmethod
    def _left(context: Context, reason: str) -> Context:
        return replace(context, handling=reason, handled=None) if reason in (RAISE, CANCEL) else context

    def _handlers(self, made: Step, node: cst.Try | cst.TryStar, kind: str, then: Step, outer: Context) -> None:
        for handler in node.handlers:
            taken = self.judge.catches(handler.type)[0 if kind == RAISE else 1]
            if taken == "none":
                continue
            bound = handler.name.name if handler.name is not None else None
            name = bound.value if isinstance(bound, cst.Name) else None
            inside = replace(outer, handling=kind, handled=name)
            start = self.step("except", handler, Edge(self.suite(handler.body, then, inside)))
            made.edges.append(Edge(start))
            if taken == "all":
                return
        made.edges.append(Edge(outer.error() if kind == RAISE else outer.cancel(), NEXT))

    def with_(self, node: cst.With, items: Sequence[cst.WithItem], after: Step, context: Context) -> Step:
        """Build a with statement as nested ones of one item each."""
        if not items:
            return self.suite(node.body, after, context)
        item, rest = items[0], items[1:]
        swallows = self.judge.suppresses(item)

        def leave(target: Step, reason: str) -> Step:
            made = self.step("leave", item, Edge(target))
            if reason in (RAISE, CANCEL):
                taken = swallows[0 if reason == RAISE else 1]
                if taken != "none":
                    made.edges.append(Edge(after))
                if taken == "all":
                    made.edges.pop(0)
            return made

        inner = context.through(leave)
        body = self.with_(node, rest, self.step("leave", item, Edge(after)), inner)
        enter = self.step("enter", item, Edge(body))
        if swallows == ("none", "none"):  # what swallows errors makes none of its own
            self.risk(enter, item.item, context, cancels=node.asynchronous is not None)
        return enter

    def match(self, node: cst.Match, after: Step, context: Context) -> Step:
        """Build a match statement, from its last case to its subject."""
        no = after
        for case in reversed(node.cases):
            yes = self.suite(case.body, after, context)
            if case.guard is not None:
                yes = self.test(case.guard, yes, no, context)
            edges = [Edge(yes, TRUE)]
            if not (isinstance(case.pattern, cst.MatchAs) and case.pattern.pattern is None):
                edges.append(Edge(no, FALSE))
            no = self.step("case", case, *edges)
        return self.simple("evaluate", node.subject, no, context)


def constant_truth(node: cst.BaseExpression) -> bool | None:
    """Return the truth of a literal condition, None for everything else."""
    if isinstance(node, cst.Name) and node.value in ("True", "False", "None"):
        return node.value == "True"
    if isinstance(node, cst.Integer):
        return node.evaluated_value != 0
    return None


def _gives_up(node: cst.For) -> bool:
    """Tell whether a loop of attempts is left by `break` or, after the last of them, by a clause that raises:
    `if attempt == 2: raise`."""
    own = list(own_nodes(node.body))
    if not any(isinstance(inner, cst.Break) for inner in own):
        return False
    counted = {name.value for name in own_nodes(node.target) if isinstance(name, cst.Name)}
    for handler in own:
        inside = list(own_nodes(handler.body)) if isinstance(handler, cst.ExceptHandler) else []
        asked = [name for test in inside if isinstance(test, cst.If) for name in own_nodes(test.test)]
        if any(isinstance(name, cst.Name) and name.value in counted for name in asked):
            if any(isinstance(inner, cst.Raise) for inner in inside):
                return True
    return False
