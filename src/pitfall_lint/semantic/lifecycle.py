"""What a function does, step by step, to one thing that has to be closed: make, use, close, hand on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.sessions import Lazy
from pitfall_lint.semantic.attributes import attribute_targets
from pitfall_lint.semantic.calls import param_of
from pitfall_lint.semantic.closing_names import is_closing_name
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.flow import Step
from pitfall_lint.semantic.ownership import Resource, held_by, may_close, resource_of
from pitfall_lint.semantic.values import Coroutine, Instance

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True, eq=False)
class Event:
    """Something that happens to the subject: open, use, close, reset (nobody knows any more)."""

    kind: str
    node: cst.CSTNode
    error: str = ""
    """What a use raises once the subject is closed, where that is not what the subject itself raises."""


@dataclass(frozen=True, eq=False)
class LateUse:
    """A use on a path on which the subject is closed."""

    use: cst.Call
    closed_at: cst.CSTNode
    resource: Resource
    always: bool
    """Whether it is closed on every path that leads here."""
    error: str


def subjects(function: Function) -> Iterator[tuple[str, Resource]]:
    """Yield the names and dotted names that a function closes, by a call or by `with`, with what they hold."""
    file = function.file
    found: dict[str, Resource] = {}
    for node in function.nodes(cst.Call, cst.WithItem):
        expression: cst.BaseExpression | None = None
        if isinstance(node, cst.Call):
            call = file.call(node)
            if call.receiver is not None and _is_path(call.receiver) and may_close(file, call.method):
                expression = call.receiver
        elif isinstance(node, cst.WithItem):
            expression = node.asname.name if node.asname is not None else node.item
            expression = expression if isinstance(expression, (cst.Name, cst.Attribute)) else None
        if expression is None or not _is_path(expression) or file.text(expression) in found:
            continue
        resource = resource_of(file, expression)
        if resource is None:
            continue
        if isinstance(node, cst.Call) and file.call(node).method not in resource.closes:
            continue
        found[file.text(expression)] = resource
    yield from found.items()


def _is_path(node: cst.BaseExpression) -> bool:
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name)


def events(function: Function, subject: str, resource: Resource | None) -> dict[Step, list[Event]]:
    """Return what each step of a function does to the subject, in order; without a type names have to tell."""
    file, graph = function.file, function.file.flow(function)
    found: dict[Step, list[Event]] = {}
    given = dict(_given_to(function, subject, resource)) if resource is not None else {}
    reads = dict(_late_reads(function, subject)) if resource is not None and not resource.is_wrapper else {}
    last = subject.rpartition(".")[2]
    for node in function.nodes(cst.Name, cst.Attribute, cst.Call):
        if isinstance(node, cst.Call):
            event = reads.get(node) or _reopening(function, node, subject)
        elif _ends_in(node, last) and file.text(node) == subject:
            event = _event(file, node, resource)
        elif isinstance(node, cst.Name) and node.value in given:
            event = _use_through(file, node, *given[node.value])
        else:
            continue
        if event is None:
            continue
        for step in graph.steps_of(node):
            found.setdefault(step, []).append(event)
        if event.kind == "with" and isinstance(event.node, cst.WithItem):
            for step in graph.leaves(event.node):
                found.setdefault(step, []).append(Event("close", event.node))
    return found


def _late_reads(function: Function, subject: str) -> Iterator[tuple[cst.CSTNode, Event]]:
    """Yield what reads the bodies of answers that the subject gave and that it still has to fetch, if only once."""
    file = function.file
    for call in function.calls():
        if call.name is None or not call.is_awaited:
            continue
        if call.receiver is None or file.text(call.receiver) != subject:
            continue
        row = file.libraries.find(Lazy, call.name)
        awaiting = file.parent(call.node)
        statement = file.parent(awaiting) if awaiting is not None else None
        if row is None or not row.consumed_by or row.survives or row.when or not isinstance(statement, cst.Assign):
            continue
        target = statement.targets[0].target
        if not isinstance(target, cst.Name) or len(file.scope_of(target).bindings.get(target.value, ())) != 1:
            continue
        own = [(other, other.receiver) for other in function.calls() if other.method in row.consumed_by]
        reads = [other for other, on in own if isinstance(on, cst.Name) and on.value == target.value]
        if len(reads) == 1:
            yield reads[0].node, Event("use", reads[0].node, row.after)


def _ends_in(node: cst.CSTNode, name: str) -> bool:
    """Tell whether a name or dotted name ends in this one; any may that was too long to be shown whole."""
    last = node.attr if isinstance(node, cst.Attribute) else node
    return (isinstance(last, cst.Name) and last.value == name) or name.endswith("…")


def _event(file: File, node: cst.CSTNode, resource: Resource | None) -> Event | None:
    outer = file.parent(node)
    if isinstance(outer, cst.Attribute) and outer.value is node:
        call = file.parent(outer)
        if not isinstance(call, cst.Call) or call.func is not outer:
            return Event("open", outer) if resource is not None and _is_filled_anew(file, outer, resource) else None
        method = outer.attr.value
        if resource is None:
            if is_closing_name(method):
                return Event("close", call) if _is_awaited(file, call) else None
            return Event("open", call)  # what goes on being used may have connected again
        if method in resource.closes:
            if not resource.closes[method] or _is_awaited(file, call):
                return Event("close", call)
            return None
        if _makes_anew(resource, method) if resource.is_wrapper else method in resource.row.opens:
            return Event("open", call)
        return Event("use", call) if needs_open(resource, method) else None
    if isinstance(outer, cst.WithItem) and outer.item is node:
        return Event("with", outer)
    if isinstance(outer, cst.AsName):
        item = file.parent(outer)
        return Event("with", item) if isinstance(item, cst.WithItem) and _closes_what_it_binds(file, item) else None
    if isinstance(outer, (cst.AssignTarget, cst.NamedExpr, cst.For, cst.AugAssign, cst.Del, cst.Element)):
        if isinstance(outer, cst.NamedExpr) and outer.value is node:
            return None
        return Event("open", node)
    if isinstance(outer, cst.AnnAssign) and outer.target is node:
        return Event("open", node)
    if isinstance(outer, cst.Arg) and resource is not None and resource.is_wrapper:
        return Event("open", node)  # whoever gets it may open it again
    return None


def _given_to(
    function: Function, subject: str, resource: Resource
) -> Iterator[tuple[str, tuple[Class, str, Resource]]]:
    """Yield the local names of objects of the project that were made with the subject, and where they keep it."""
    file = function.file
    if resource.is_wrapper or "." in subject:
        return
    for call in function.calls():
        given = {arg.value.value: arg.value for arg in call.node.args if isinstance(arg.value, cst.Name)}.get(subject)
        statement = file.parent(call.node) if given is not None else None
        if given is None or not isinstance(statement, cst.Assign) or len(statement.targets) != 1:
            continue
        target, class_ = statement.targets[0].target, call.target
        init = class_.method("__init__") if isinstance(class_, Class) else None
        if not isinstance(class_, Class) or init is None or not isinstance(target, cst.Name):
            continue
        bound = file.scope_of(target).bindings
        if len(bound.get(target.value, ())) != 1 or len(bound.get(subject, ())) != 1:
            continue
        param = param_of(class_, call, given)
        for attribute, places in attribute_targets(init).items() if param is not None else ():
            values = [value for _, value in places]
            if len(values) == 1 and isinstance(values[0], cst.Name) and values[0].value == getattr(param, "name", None):
                methods = [m for base in class_.mro() if isinstance(base, Class) for m in base.methods()]
                if not any(assigns(method, attribute) for method in methods if method is not init):
                    yield target.value, (class_, attribute, resource)


def _use_through(file: File, node: cst.Name, class_: Class, attribute: str, resource: Resource) -> Event | None:
    """Return the use that a method of an object makes of what the object was given."""
    outer = file.parent(node)
    call = file.parent(outer) if isinstance(outer, cst.Attribute) and outer.value is node else None
    if not isinstance(call, cst.Call) or not isinstance(outer, cst.Attribute) or call.func is not outer:
        return None
    method = class_.method(outer.attr.value)
    if method is None or method.self_name is None or method.is_generator:
        return None
    receiver = f"{method.self_name}.{attribute}"
    uses = (c for c in method.calls() if c.method in resource.row.uses and c.receiver is not None)
    return Event("use", call) if any(c.file.text(c.receiver) == receiver for c in uses if c.receiver) else None


def _closes_what_it_binds(file: File, item: cst.WithItem) -> bool:
    """Tell whether leaving `with` closes what it binds; a context manager of the project may only lend it."""
    if item.asname is None:
        return True
    for value in file.values_of(item.item):
        of = value.type if isinstance(value, Instance) else value.of if isinstance(value, Coroutine) else None
        if not isinstance(of, str) and (of is None or of != file.type_of(item.asname.name)):
            return False
    return bool(file.values_of(item.item))


def _is_awaited(file: File, call: cst.Call) -> bool:
    """Tell whether a coroutine is awaited here, perhaps by way of `gather(…)`, `wait_for(…)` or `shield(…)`."""
    for outer in file.ancestors(call):
        if isinstance(outer, cst.Await):
            return True
        if isinstance(outer, (cst.BaseSmallStatement, cst.BaseCompoundStatement, cst.Lambda)):
            return False
    return False


def _makes_anew(resource: Resource, method: str) -> bool:
    """Tell whether a method of a wrapper gives it a session again: `await self.login()`."""
    target = resource.type.method(method) if isinstance(resource.type, Class) else None
    if target is None or not isinstance(resource.type, Class):
        return False
    return any(assigns(target, held.attribute) for held in held_by(resource.type))


def _is_filled_anew(file: File, target: cst.Attribute, resource: Resource) -> bool:
    """Tell whether a wrapper is given a session again by an assignment: `self._socket = await connect()`."""
    statement = file.parent(target)
    statement = file.parent(statement) if isinstance(statement, cst.AssignTarget) else statement
    value = statement.value if isinstance(statement, (cst.Assign, cst.AnnAssign)) else None
    if value is None or value is target or not resource.is_wrapper or not isinstance(resource.type, Class):
        return False
    is_none = isinstance(value, cst.Name) and value.value == "None"
    return not is_none and any(target.attr.value == held.attribute for held in held_by(resource.type))


def _reopening(function: Function, node: cst.Call, subject: str) -> Event | None:
    """Return an `open` for a method of `self` that gives the attribute a new value, or may do so."""
    own, _, attribute = subject.partition(".")
    if not attribute or not isinstance(node.func, cst.Attribute):
        return None
    if not isinstance(node.func.value, (cst.Name, cst.Call)):
        return None
    call = function.file.call(node)
    if function.file.text(node.func.value) not in (own, "super()"):
        return None
    target = call.target
    if not isinstance(target, Function):
        return Event("open", node)
    return Event("open", node) if assigns(target, attribute.partition(".")[0]) else None


def assigns(method: Function, attribute: str, seen: frozenset[Function] = frozenset()) -> bool:
    """Tell whether a method, or one of `self` that it calls, gives an attribute a value other than None."""
    if method in seen or len(seen) > 12:
        return False
    for _, value in attribute_targets(method).get(attribute, ()):
        if not (isinstance(value, cst.Name) and value.value == "None"):
            return True
    for call in method.calls():
        if call.receiver is not None and method.file.text(call.receiver) in (method.self_name, "super()"):
            if isinstance(call.target, Function) and assigns(call.target, attribute, seen | {method}):
                return True
    return False


def needs_open(resource: Resource, method: str) -> bool:
    """Tell whether a method raises once the thing is closed; for wrappers of the project: uses what it holds."""
    if not resource.is_wrapper:
        return method in resource.row.uses
    class_ = resource.type
    assert isinstance(class_, Class)
    target = class_.method(method)
    if target is None or target.self_name is None:
        return False
    for held in held_by(class_):
        if held.lent or held.resource.is_wrapper or not held.resource.row.closed:
            continue
        if any(assigns(target, held.attribute) for _ in (0,)):
            continue
        receiver = f"{target.self_name}.{held.attribute}"
        for call in target.calls():
            if call.method in held.resource.row.uses and call.receiver is not None:
                if target.file.text(call.receiver) == receiver:
                    return True
    return False


def late_uses(function: Function) -> Iterator[LateUse]:
    """Yield the uses that some feasible path reaches with the subject closed."""
    closed = [(subject, resource) for subject, resource in subjects(function) if resource.row.closed]
    graph = function.file.flow(function) if closed else None
    if graph is None or not graph.is_complete:
        return
    for subject, resource in closed:
        happens = events(function, subject, resource)
        flat = [event for each in happens.values() for event in each]
        if not {"use", "close"} <= {event.kind for event in flat}:
            continue
        reads = resource.row.kind == "response"

        def transfer(
            step: Step,
            state: cst.CSTNode | str,
            raised: bool,
            happens: dict[Step, list[Event]] = happens,
            reads: bool = reads,
        ) -> cst.CSTNode | str:
            for event in happens.get(step, ()):
                if event.kind == "close":
                    state = state if state == "read" else event.node
                elif event.kind == "use":
                    state = "read" if reads and isinstance(state, str) else state
                elif event.kind == "open" and not raised:
                    state = "open"
                elif event.kind == "with":
                    state = "open" if isinstance(state, str) or event.node.asname is not None else state  # type: ignore[attr-defined]
            return state

        initial: cst.CSTNode | str = "open"
        states = graph.typestate(initial, transfer)
        if states is None:
            continue
        for use, error in {event.node: event.error for event in flat if event.kind == "use"}.items():
            places = [state for state in states.at(use) if isinstance(state, cst.CSTNode)]
            if places and isinstance(use, cst.Call):
                first = min(places, key=lambda node: function.file.span(node).start)
                yield LateUse(use, first, resource, len(places) == len(states.at(use)), error or resource.row.closed)
