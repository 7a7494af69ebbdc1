"""Control flow: which steps follow which, on some or on every path."""

from __future__ import annotations

import textwrap

import libcst as cst
import pytest

from pitfall_lint.semantic.flow import EXITS, Graph, Step
from pitfall_lint.semantic.walk import own_nodes


class Flow:
    """The graph of a function given as text; places are named by the text of a call."""

    def __init__(self, code: str) -> None:
        self.module = cst.parse_module(textwrap.dedent(code))
        (function,) = (s for s in self.module.body if isinstance(s, cst.FunctionDef))
        self.function = function
        self.graph = Graph(function)

    def node(self, text: str) -> cst.CSTNode:
        for node in own_nodes(self.function.body):
            if isinstance(node, cst.BaseExpression) and self.module.code_for_node(node) == text:
                return node
        raise LookupError(text)

    def passes(self, text: str):
        steps = {
            step
            for node in own_nodes(self.function.body)
            if isinstance(node, cst.BaseExpression) and self.module.code_for_node(node) == text
            for step in self.graph.steps_of(node)
        }
        return lambda step: step in steps

    def every(self, start: str | None, text: str, *to: str, exceptional: bool = True) -> bool | None:
        node = self.node(start) if start else None
        return self.graph.every_path(node, passes=self.passes(text), to=to or EXITS, exceptional=exceptional)

    def reaches(self, start: str, goal: str, **how) -> bool | None:
        return self.graph.reaches(self.node(start), self.node(goal), **how)

    def exits(self) -> set[str]:
        return {step.exit for step in self.graph.steps if step.exit}


def test_straight_line():
    flow = Flow("""
        def f():
            a()
            b()
    """)
    assert flow.reaches("a()", "b()")
    assert not flow.reaches("b()", "a()")
    assert flow.every("a()", "b()")
    assert flow.exits() == {"end", "raise"}


def test_a_raising_statement_skips_what_follows():
    flow = Flow("""
        async def f():
            s = make()
            await work(s)
            await s.close()
    """)
    assert flow.every("make()", "s.close()", "end", "return")
    assert flow.every("make()", "s.close()", exceptional=False)
    assert not flow.every("make()", "s.close()", "raise")
    assert not flow.every("make()", "s.close()", "cancel")


def test_finally_runs_on_every_way_out():
    flow = Flow("""
        async def f(x):
            s = make()
            try:
                if x:
                    return await work(s)
                await other(s)
            finally:
                await s.close()
    """)
    assert flow.every("make()", "s.close()")
    assert len(flow.graph.steps_of(flow.node("s.close()"))) == 4  # end, return, error, cancellation


def test_except_exception_misses_cancellation():
    flow = Flow("""
        async def f():
            s = make()
            try:
                await work(s)
            except Exception:
                s.close()
                raise
            s.close()
    """)
    assert flow.every("make()", "s.close()", "end", "return", "raise")
    assert not flow.every("make()", "s.close()", "cancel")


@pytest.mark.parametrize("clause", ["except:", "except BaseException:", "except (Exception, asyncio.CancelledError):"])
def test_clauses_that_take_everything(clause):
    flow = Flow(f"""
        async def f():
            s = make()
            try:
                await work(s)
            {clause}
                s.close()
                raise
            s.close()
    """)
    assert flow.every("make()", "s.close()")


def test_specific_handler_lets_other_errors_pass():
    flow = Flow("""
        def f():
            try:
                a()
            except ValueError:
                b()
    """)
    assert not flow.reaches("a()", "b()")
    assert flow.reaches("a()", "b()", raised=True)
    assert "raise" in flow.exits()


def test_handler_that_swallows():
    flow = Flow("""
        def f():
            try:
                a()
            except Exception:
                pass
    """)
    assert flow.exits() == {"end"}


def test_try_else_and_finally_order():
    flow = Flow("""
        def f():
            try:
                a()
            except Exception:
                b()
            else:
                c()
            finally:
                d()
    """)
    assert not flow.reaches("b()", "c()")
    assert flow.every("a()", "d()")
    assert not flow.reaches("c()", "b()")


def test_return_in_finally_swallows():
    flow = Flow("""
        def f():
            try:
                a()
            finally:
                return 1
    """)
    assert flow.exits() == {"return"}


def test_with_leaves_on_every_path():
    flow = Flow("""
        async def f(x):
            async with make() as s:
                if x:
                    return await work(s)
                await other(s)
            after()
    """)
    (item,) = (node for node in own_nodes(flow.function.body) if isinstance(node, cst.WithItem))
    leaves = set(flow.graph.leaves(item))
    assert len(leaves) == 4
    assert flow.graph.every_path(flow.node("other(s)"), passes=leaves.__contains__)
    assert not flow.reaches("work(s)", "after()")


def test_suppress_lets_go_on():
    flow = Flow("""
        def f():
            with contextlib.suppress(Exception):
                a()
                b()
            c()
    """)
    assert flow.every("a()", "c()")
    assert flow.every(None, "c()", "end")
    assert not flow.every(None, "b()", "end")


def test_several_items_nest():
    flow = Flow("""
        def f():
            with a() as x, b() as y:
                c()
    """)
    first, second = (node for node in own_nodes(flow.function.body) if isinstance(node, cst.WithItem))
    inner = flow.graph.leaves(second)[0]
    outer = set(flow.graph.leaves(first))
    assert any(edge.target in outer for edge in inner.edges)


def test_loops_with_else_break_and_continue():
    flow = Flow("""
        def f(xs):
            for x in xs:
                if skip(x):
                    continue
                if found(x):
                    break
                a()
            else:
                b()
            c()
    """)
    assert flow.reaches("a()", "a()")
    assert flow.reaches("a()", "b()")
    assert flow.reaches("found(x)", "c()", avoiding=flow.passes("b()"))
    assert not flow.every("skip(x)", "a()", exceptional=False)
    assert not flow.reaches("b()", "a()")


def test_endless_loop_ends_by_break_only():
    flow = Flow("""
        def f():
            while True:
                a()
            b()
    """)
    assert flow.graph.steps_of(flow.node("b()")) == ()
    assert "end" not in flow.exits()


def test_break_through_finally():
    flow = Flow("""
        def f():
            while True:
                try:
                    a()
                    break
                finally:
                    b()
            c()
    """)
    assert flow.every("a()", "b()")
    assert flow.reaches("b()", "c()")


def test_match():
    flow = Flow("""
        def f(x):
            match x:
                case 1:
                    a()
                case [y] if good(y):
                    b()
                case _:
                    c()
            d()
    """)
    assert not flow.reaches("a()", "b()")
    assert flow.reaches("good(y)", "c()")
    assert flow.every(None, "d()", "end")
    assert not flow.graph.some_path(
        to=("end",),
        avoiding=lambda s: flow.passes("a()")(s) or flow.passes("b()")(s) or flow.passes("c()")(s),
    )


def test_nested_functions_are_scopes_of_their_own():
    flow = Flow("""
        def f():
            def g():
                inner()
            h = lambda: other()
            a([two() for two in g])
    """)
    nodes = {
        flow.module.code_for_node(node): node
        for statement in flow.function.body.body
        for node in _all(statement)
        if isinstance(node, cst.Call)
    }
    assert flow.graph.steps_of(nodes["inner()"]) == ()
    assert flow.graph.steps_of(nodes["other()"]) == ()
    assert len(flow.graph.steps_of(nodes["two()"])) == 1
    assert "return" not in flow.exits()


def _all(node):
    yield node
    for child in node.children:
        yield from _all(child)


@pytest.mark.parametrize(
    ("flag", "test"),
    [
        ("owns = session is None", "owns"),
        ("owns = not session", "owns"),
        ("borrowed = session is not None", "not borrowed"),
        ("owns = True if session is None else False", "owns"),
        ("owns = bool(session is None)", "owns"),
        ("owns = session == None", "owns is True"),
    ],
)
def test_ownership_flags(flag, test):
    flow = Flow(f"""
        def f(session=None):
            {flag}
            if session is None:
                session = make()
            work(session)
            if {test}:
                session.close()
    """)
    assert flow.every("make()", "session.close()", exceptional=False)
    assert flow.graph.some_path(avoiding=flow.passes("session.close()"))


def test_flag_set_in_a_branch():
    flow = Flow("""
        def f(session=None):
            owns = False
            if session is None:
                session = make()
                owns = True
            work(session)
            if owns:
                session.close()
    """)
    assert flow.every("make()", "session.close()", exceptional=False)


def test_same_none_test_twice():
    flow = Flow("""
        def f(a):
            s = None
            if a:
                s = Make()
            work()
            if s is not None:
                s.close()
    """)
    assert flow.every("Make()", "s.close()", exceptional=False)
    assert not flow.every(None, "s.close()", exceptional=False)


def test_none_on_the_exceptional_edge():
    flow = Flow("""
        async def f():
            res = None
            try:
                res = await call()
            except Exception:
                if res:
                    close()
                raise
            use()
    """)
    assert not flow.reaches("call()", "close()")
    assert flow.graph.steps_of(flow.node("close()"))


def test_isinstance_guards():
    flow = Flow("""
        def f(res):
            if isinstance(res, Stream):
                a()
            b()
            if not isinstance(res, Stream):
                c()
    """)
    assert not flow.reaches("a()", "c()")
    assert flow.reaches("b()", "c()")


def test_reassignment_ends_a_correlation():
    flow = Flow("""
        def f(x):
            if x:
                a()
            x = other()
            if not x:
                b()
    """)
    assert flow.reaches("a()", "b()")


def test_filled_containers_are_not_taken_for_empty():
    flow = Flow("""
        def f(xs):
            found = []
            for x in xs:
                found.append(x)
            if found:
                a()
    """)
    assert flow.reaches("found.append(x)", "a()")


def test_walrus():
    flow = Flow("""
        def f():
            if (s := get()) is None:
                a()
            if s is not None:
                b()
    """)
    assert not flow.reaches("a()", "b()")


def test_attributes_change_over_loop_turns():
    flow = Flow("""
        def f(self):
            while not self.closed:
                work()
            after()
    """)
    assert flow.reaches("work()", "after()")


def test_or_default():
    flow = Flow("""
        def f(session=None):
            owns = session is None
            session = session or Make()
            try:
                work(session)
            finally:
                if owns:
                    session.close()
    """)
    assert not flow.every(None, "session.close()")
    states = flow.graph.typestate("start", lambda step, state, raised: state)
    assert states is not None
    assert states.exits() == {"start"}


def test_asserts():
    flow = Flow("""
        def f(x):
            assert x is not None
            if x is None:
                a()
            b()
    """)
    assert not flow.reaches("x is not None", "a()")


def test_exits_by_sys_exit_and_raise():
    flow = Flow("""
        def f(x):
            if x:
                sys.exit(1)
            raise ValueError(x)
    """)
    assert flow.exits() == {"cancel", "raise"}


def test_typestate_sees_the_exceptional_edge():
    flow = Flow("""
        def f():
            try:
                s = Make()
                s.close()
            except Exception:
                pass
    """)
    made, closed = flow.passes("Make()"), flow.passes("s.close()")

    def transfer(step: Step, state: str, raised: bool) -> str:
        if made(step) and not raised:
            return "open"
        return "closed" if closed(step) else state

    states = flow.graph.typestate("none", transfer)
    assert states is not None
    assert states.at(flow.node("s.close()")) == {"open"}
    assert states.exits("end") == {"none", "closed"}


def test_effort_is_bounded():
    body = "".join(f"    if a{i}:\n        b{i} = c{i}()\n" for i in range(200))
    body += "".join(f"    if a{i} and b{i}:\n        d()\n" for i in range(200))
    flow = Flow(f"def f({', '.join(f'a{i}' for i in range(200))}):\n{body}    e()\n")
    assert flow.every("c0()", "e()") is None
    assert flow.graph.gave_up


def test_deeply_nested_finally_is_bounded():
    code = "def f():\n"
    for depth in range(30):
        code += "    " * (depth + 1) + "try:\n" + "    " * (depth + 2) + f"a{depth}()\n"
    for depth in reversed(range(30)):
        code += "    " * (depth + 1) + "finally:\n" + "    " * (depth + 2) + "if x: return b()\n"
    graph = Flow(code).graph
    assert graph.is_complete or graph.every_path(passes=lambda step: False) is None


def test_a_with_inside_finally_and_a_loop():
    flow = Flow("""
        async def f(xs):
            for x in xs:
                try:
                    async with a(x):
                        continue
                finally:
                    b()
            c()
    """)
    assert flow.reaches("a(x)", "c()")
    assert flow.every("a(x)", "b()")


def test_an_assignment_with_branches_is_one_step_for_each():
    flow = Flow("""
        def f(session=None):
            owns = session is None
            session = session or make()
            work(session)
            if owns:
                session.close()
    """)
    assert flow.every("make()", "session.close()", exceptional=False) is False  # `session` may be empty, not None
    flow = Flow("""
        def f(session=None):
            owns = not session
            session = session if session else make()
            work(session)
            if owns:
                session.close()
    """)
    assert flow.every("make()", "session.close()", exceptional=False)
    assert flow.graph.some_path(to=("end",), avoiding=flow.passes("make()"))
