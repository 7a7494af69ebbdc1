"""What is made and not closed: by a function that keeps it to itself, or by a class on its instances."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.sessions import Lends
from pitfall_lint.semantic.calls import param_of
from pitfall_lint.semantic.closing_names import is_closing_name
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.flow import Graph, Step
from pitfall_lint.semantic.harmless import is_stub
from pitfall_lint.semantic.ownership import Held, Resource, ends_attribute, held_by, made_anew, made_by
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_LOOKS = frozenset(
    {"isinstance", "print", "len", "id", "repr", "str", "bool", "type", "hasattr", "getattr", "setattr", "callable"}
)
_IS_BASE = re.compile(r"^_*(?:Base|Abstract)[A-Z_]|(?:Base|Mixin)$")
"""Names of classes that are there to be derived from: who does so elsewhere may close."""
_PLAIN_BASES = frozenset({"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"})


@dataclass(frozen=True, eq=False)
class Local:
    """A session that a function makes and gives a name, and what becomes of it."""

    call: Call
    resource: Resource
    closes: tuple[cst.CSTNode, ...]
    """Where it is closed."""
    handed_on: bool
    """Whether somebody else gets it at some place."""
    open_at: frozenset[str]
    """The kinds of exit that some path reaches with it open: end, return, raise, cancel."""


def local_leaks(function: Function) -> Iterator[Local]:
    """Yield the sessions that a function makes for itself and leaves open on some path."""
    if isinstance(function.node, cst.Lambda):
        return
    file = function.file
    for call in function.calls():
        name = _name_given(file, call.node)
        if name is None and not isinstance(file.parent(call.node), (cst.Attribute, cst.Arg)):
            continue  # nobody's, or somebody else's: not asked what it makes
        resource = made_by(call) or (made_anew(call) if name is not None else None)
        if resource is None or resource.row.leaks == "no":
            continue
        if name is None and _is_nobodys(call, resource):
            yield Local(call, resource, (), False, frozenset({"end"}))
        if name is None or not _is_local(function, name):
            continue
        local = _follow(function, call, resource, name)
        if local is not None and local.open_at:
            yield local


def _name_given(file: File, node: cst.CSTNode) -> str | None:
    """Return the name that a made object gets, if it goes nowhere else."""
    outer = file.parent(node)
    while isinstance(outer, (cst.Await, cst.IfExp, cst.BooleanOperation)):
        if isinstance(outer, cst.IfExp) and node is outer.test:
            return None
        node, outer = outer, file.parent(outer)
    if isinstance(outer, cst.Assign) and len(outer.targets) == 1:
        target: cst.CSTNode = outer.targets[0].target
    elif isinstance(outer, cst.AnnAssign):
        target = outer.target
    else:
        return None
    return target.value if isinstance(target, cst.Name) else None


def _is_nobodys(call: Call, resource: Resource) -> bool:
    """Tell whether nobody can close what a call makes: it is only used once, or lent to what does not close it."""
    file, outer = call.file, call.file.parent(call.node)
    used = file.parent(outer) if outer is not None else None
    if isinstance(outer, cst.Attribute) and isinstance(used, cst.Call) and used.func is outer:
        return resource.row.kind == "client" and outer.attr.value in resource.row.uses
    return isinstance(outer, cst.Arg) and isinstance(used, cst.Call) and _is_lent(file.call(used), call.node)


def _is_lent(call: Call, argument: cst.CSTNode) -> bool:
    """Tell whether a call uses what it is given, and leaves closing it to its caller."""
    row = call.file.libraries.find(Lends, call.name) if call.name is not None else None
    return row is not None and call.where(row.argument) is argument


def _is_local(function: Function, name: str) -> bool:
    return not any(
        isinstance(node, (cst.Global, cst.Nonlocal)) and any(item.name.value == name for item in node.names)
        for node in function.nodes(cst.Global, cst.Nonlocal)
    )


def _follow(function: Function, call: Call, resource: Resource, name: str) -> Local | None:
    graph = function.file.flow(function)
    if not graph.is_complete:
        return None
    made = frozenset(graph.steps_of(call.node))
    handed_on = False
    closing: dict[Step, cst.CSTNode] = {}
    gone: set[Step] = set()
    lent: set[Step] = set()
    for node, is_own in _mentions(function).get(name, ()):
        if not is_own:
            return None  # a nested function knows it: it may close it
        what, statement, steps = _role(function, node, resource)
        if statement is call.statement:
            continue  # `session = session or Ctor()`
        if what == "close":
            closing.update(dict.fromkeys(steps, statement))
        elif what in ("gone", "rebound"):
            gone.update(steps)
            handed_on = handed_on or (what == "gone" and not made.issuperset(steps))
        elif what == "lent":
            lent.update(steps)
            handed_on = handed_on or not made.issuperset(steps)
    if not closing:
        gone |= lent  # who gets it may close it; a function that does so itself has only lent it

    def transfer(step: Step, state: str, raised: bool) -> str:
        if step in closing or (step in gone and step not in made):
            return "done"
        return "open" if step in made and not raised else state

    states = graph.typestate("none", transfer)
    if states is None:
        return None
    exits = frozenset(kind for kind in ("end", "return", "raise", "cancel") if "open" in states.exits(kind))
    return Local(call, resource, tuple(dict.fromkeys(closing.values())), handed_on, exits)


def _mentions(function: Function) -> dict[str, list[tuple[cst.Name, bool]]]:
    """Return the names that are used in a function, and whether they stand in no function inside it."""
    key = ("names in", function)
    found: dict[str, list[tuple[cst.Name, bool]]] | None = function.file.memo.get(key)
    if found is None:
        found = function.file.memo[key] = {}
        own = set(function.nodes(cst.Name))
        for node in all_nodes(function.node.body):
            if isinstance(node, cst.Name) and not _is_no_use(function.file, node):
                found.setdefault(node.value, []).append((node, node in own))
    return found


def _role(function: Function, node: cst.Name, resource: Resource) -> tuple[str | None, cst.CSTNode, tuple[Step, ...]]:
    """Return what one mention does to an object of this type, the statement it stands in, and the steps."""
    key = ("role", node, resource.type)
    memo = function.file.memo
    if key not in memo:
        file = function.file
        memo[key] = _done_to(file, node, resource), file.statement_of(node), file.flow(function).steps_of(node)
    found: tuple[str | None, cst.CSTNode, tuple[Step, ...]] = memo[key]
    return found


def _is_no_use(file: File, node: cst.Name) -> bool:
    outer = file.parent(node)
    return (isinstance(outer, cst.Attribute) and outer.attr is node) or (
        isinstance(outer, (cst.Arg, cst.Param))
        and (getattr(outer, "keyword", None) is node or isinstance(outer, cst.Param))
    )


def _done_to(file: File, node: cst.Name, resource: Resource | None, depth: int = 0) -> str | None:
    """Return what one mention does to the object: close, gone (somebody else may close it), or None: nothing."""
    outer = file.parent(node)
    if isinstance(outer, cst.Attribute):
        call = file.parent(outer)
        method = outer.attr.value
        known = resource is not None and method in resource.closes
        closes = known or is_closing_name(method) or method in ("__aexit__", "__exit__")
        if isinstance(call, cst.Call) and call.func is outer:
            if not closes and resource is not None and _ends_what_it_holds(resource, method):
                return "gone"
            return "close" if closes else None
        return "gone" if closes else None
    if isinstance(outer, cst.WithItem) and outer.item is node:
        return "close"
    if isinstance(outer, (cst.Comparison, cst.ComparisonTarget, cst.If, cst.While, cst.Assert, cst.Await, cst.Del)):
        return None
    if isinstance(outer, (cst.UnaryOperation, cst.FormattedStringExpression, cst.Subscript, cst.For, cst.CompFor)):
        return None
    if isinstance(outer, (cst.IfExp, cst.BooleanOperation)):
        return None if _is_tested(file, node) else "gone"
    if isinstance(outer, cst.AnnAssign) and outer.target is node:
        return "rebound"
    if isinstance(outer, cst.AssignTarget):
        value = getattr(file.parent(outer), "value", None)
        return None if isinstance(value, cst.Name) and value.value == "None" else "rebound"
    if isinstance(outer, cst.Arg):
        call = file.parent(outer)
        if isinstance(call, cst.Call) and resource is not None and _asks_for_close(file, call, node, resource):
            return "close"
        return "lent" if isinstance(call, cst.Call) and _keeps(file, call, node, depth) else None
    return "gone"


def _asks_for_close(file: File, call: cst.Call, node: cst.Name, resource: Resource) -> bool:
    """Tell whether a call is `hasattr(session, "close")` in front of that close: this one has it."""
    if (
        file.text(call.func) != "hasattr"
        or len(call.args) != 2
        or file.folded(call.args[1].value) not in resource.closes
    ):
        return False
    test, close = file.enclosing(call, cst.If), f"{node.value}.{file.folded(call.args[1].value)}"
    inside = all_nodes(test.body) if isinstance(test, cst.If) else ()
    return any(isinstance(inner, cst.Attribute) and file.text(inner) == close for inner in inside)


def _ends_what_it_holds(resource: Resource, method: str) -> bool:
    """Tell whether a method of a wrapper, whatever its name is, closes the session on its way: `connection.run()`."""
    class_ = resource.type
    target = class_.method(method) if isinstance(class_, Class) and resource.is_wrapper else None
    if target is None or not isinstance(class_, Class):
        return False
    return any(ends_attribute(target, held.attribute) for held in held_by(class_))


def _is_tested(file: File, node: cst.CSTNode) -> bool:
    outer = file.parent(node)
    while isinstance(outer, (cst.BooleanOperation, cst.UnaryOperation, cst.Comparison)):
        node, outer = outer, file.parent(outer)
    return isinstance(outer, (cst.If, cst.While, cst.Assert)) or (isinstance(outer, cst.IfExp) and outer.test is node)


def _keeps(file: File, node: cst.Call, argument: cst.Name, depth: int) -> bool:
    """Tell whether a callee may keep or close what it is given; one that can't be read may."""
    call = file.call(node)
    if call.name is not None and call.name.removeprefix("builtins.") in _LOOKS:
        return False
    if _is_lent(call, argument):
        return False
    target = call.target
    if not isinstance(target, Function) or target.is_generator or depth > 2 or is_stub(target):
        return True
    param = param_of(target, call, argument)
    if param is None:
        return True
    own = set(target.nodes(cst.Name))
    for inner in all_nodes(target.node.body):
        if isinstance(inner, cst.Name) and inner.value == param.name and not _is_no_use(target.file, inner):
            if inner not in own or _done_to(target.file, inner, None, depth + 1) is not None:
                return True
    return False


@dataclass(frozen=True, eq=False)
class DeadClose:
    """A close in an except clause behind a condition that is false whenever the guarded work has failed."""

    test: cst.If
    close: cst.Call
    work: cst.Call
    subject: str


def dead_closes(function: Function) -> Iterator[DeadClose]:
    """Yield the guarded closes of except clauses that no failure of the subject's own work can reach."""
    file = function.file
    if isinstance(function.node, cst.Lambda) or not any(True for _ in function.nodes(cst.ExceptHandler)):
        return
    graph = file.flow(function)
    for call in function.calls():
        guard = file.enclosing(call.node, cst.If, cst.ExceptHandler)
        handler = file.enclosing(call.node, cst.ExceptHandler)
        if call.receiver is None or call.method is None or not isinstance(guard, cst.If) or handler is None:
            continue
        attempt = file.parent(handler)
        if not is_closing_name(call.method) or not isinstance(attempt, cst.Try) or not graph.is_complete:
            continue
        subject = file.text(call.receiver)
        inside = set(all_nodes(attempt.body))
        work = [
            other
            for other in function.calls()
            if other.node in inside and other.receiver is not None and file.text(other.receiver) == subject
        ]
        work = [other for other in work if not is_closing_name(other.method or "")]
        names = {n.value for n in all_nodes(guard.test) if isinstance(n, cst.Name)} - {subject.partition(".")[0]}
        results = {_name_given(file, other.node) for other in work}
        if not work or not names & results:
            continue
        if not any(_reached_by_failure(graph, other, call) for other in work):
            yield DeadClose(guard, call.node, work[-1].node, subject)


def _reached_by_failure(graph: Graph, work: Call, close: Call) -> bool:
    begin = frozenset(graph.steps_of(work.node))
    states = graph.typestate(False, lambda step, state, raised: state or (raised and step in begin))
    return states is None or True in states.at(close.node)


def class_leaks(class_: Class) -> Iterator[Held]:
    """Yield the sessions that a class makes for its instances and that nothing in sight ever closes."""
    bases = [base for base in class_.mro() if isinstance(base, str)]
    if not class_.mro_complete or not set(bases) <= _PLAIN_BASES or _IS_BASE.search(class_.name):
        return
    seen: set[str] = set()
    for held in held_by(class_):
        if held.method is None or held.method.class_ is not class_ or held.resource.row.leaks == "no":
            continue
        if held.resource.row.kind == "file":
            continue
        if held.attribute in seen or _is_closed_somewhere(class_, held.attribute):
            continue
        seen.add(held.attribute)
        yield held


def _is_closed_somewhere(class_: Class, attribute: str) -> bool:
    """Tell whether an attribute may be closed or handed on, by its own name or a property's that gives it."""
    methods = [m for base in class_.mro() if isinstance(base, Class) for m in base.methods()]
    giving = {m.name for m in methods if not m.name.startswith("__") and _gives(m, attribute)}
    if any(ends_attribute(method, name) for method in methods for name in giving):
        return True
    return _is_ended(class_, methods, attribute)


def _is_ended(class_: Class, methods: list[Function], attribute: str) -> bool:
    """Tell whether a method, a subclass in the file, or any text of the file may close or hand on an attribute."""
    if any(ends_attribute(method, attribute) for method in methods):
        return True
    data = class_.file.source.data
    word = rb"[.\"']" + re.escape(attribute.encode()) + rb"\b"
    ends = rb"(close|exit|shutdown|stop|disconnect|dispose|cleanup|terminate|release)"
    given = rb"(close|exit_stack|finalize|atexit|cleanup)\w*\([^\n]*"
    if re.search(word + rb"[^\n]{0,60}" + ends, data) or re.search(given + word, data):
        return True
    return any(_hands_on(method, attribute) for method in methods)


def _gives(method: Function, attribute: str) -> bool:
    """Tell whether a method or property returns `self.attribute`, so that its name stands for it."""
    own = method.self_name
    return any(
        isinstance(value, cst.Attribute) and value.attr.value == attribute and method.file.text(value.value) == own
        for value in method.returns()
    )


def _hands_on(method: Function, attribute: str) -> bool:
    """Tell whether `self.attribute` goes to somebody else, who may close it: as an argument or another's value."""
    file, own = method.file, method.self_name
    for node in all_nodes(method.node.body):
        if isinstance(node, cst.Attribute) and node.attr.value == attribute and file.text(node.value) == own:
            outer = file.parent(node)
            if isinstance(outer, (cst.Arg, cst.Element, cst.DictElement, cst.Assign, cst.AnnAssign, cst.Yield)):
                if isinstance(outer, cst.Assign) and outer.value is not node:
                    continue
                if isinstance(outer, cst.AnnAssign) and outer.target is node:
                    continue
                call = file.parent(outer) if isinstance(outer, cst.Arg) else None
                if isinstance(call, cst.Call) and file.text(call.func) in _LOOKS:
                    continue
                if isinstance(outer, (cst.Assign, cst.AnnAssign)):
                    continue  # a local name for it
                return True
    return False
