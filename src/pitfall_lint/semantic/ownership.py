"""Who owns what has to be closed: which objects hold a session, by which methods they let go of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.sessions import Session
from pitfall_lint.semantic.closing_names import closing_methods, is_closing_name
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.keys import keys_of
from pitfall_lint.semantic.owning import may_make, may_own
from pitfall_lint.semantic.scopes import Binding
from pitfall_lint.semantic.values import Const, Instance, Unknown
from pitfall_lint.semantic.walk import all_nodes, own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_DEPTH = 4
"""Wrappers around wrappers beyond which nothing is known."""
_SUFFIXES = ("_client", "_session", "_connection", "_all")


@dataclass(frozen=True, eq=False)
class Resource:
    """Something that has to be closed: a library's session, or a project's object that holds one."""

    row: Session
    type: str | Class
    closes: Mapping[str, bool]
    """The methods that end it, and whether they have to be awaited."""
    made_at: tuple[File, cst.CSTNode] | None = None
    """For a wrapper: where it makes its session."""

    @property
    def is_wrapper(self) -> bool:
        """Tell whether it is an object of the project around a session."""
        return isinstance(self.type, Class) and self.made_at is not None

    @property
    def name(self) -> str:
        """The short name of its class."""
        return self.type.name if isinstance(self.type, Class) else self.type.rpartition(".")[2]

    @property
    def label(self) -> str:
        """How messages speak of it: `httpx.AsyncClient`, or `Client` with what it holds."""
        return f"{self.name} (it holds a {self.row.type})" if self.is_wrapper else str(self.row.type)


@dataclass(frozen=True, eq=False)
class Held:
    """A session that a class makes and keeps in an attribute."""

    attribute: str
    resource: Resource
    call: Call
    """The call that makes it."""
    method: Function | None
    """The method in which it is made; None for the class body."""
    lent: bool
    """It may as well be the caller's (`session or Ctor()`)."""


def resource_of(file: File, expression: cst.BaseExpression) -> Resource | None:
    """Return what has to be closed behind an expression; None for anything else and the unknown."""
    type_ = file.type_of(expression)
    return resource_of_type(file, type_ if type_ is not None else _told_by_default(file, expression))


def _told_by_default(file: File, expression: cst.BaseExpression) -> str | Class | None:
    """Return the type that a parameter must have, told by what stands in for it: `session or Ctor()`."""
    if not isinstance(expression, (cst.Name, cst.Attribute)):
        return None
    values = [v for v in file.values_of(expression) if not (isinstance(v, Const) and v.value is None)]
    types = {v.type for v in values if isinstance(v, Instance)}
    if len(types) != 1 or any(not isinstance(v, (Instance, Unknown)) for v in values):
        return None
    if isinstance(expression, cst.Attribute):
        return types.pop() if _has_stand_in(file, expression) else None
    found = file.lookup(expression.value, expression)
    bindings = [b for b in found.bindings if isinstance(b, Binding)] if found is not None else []
    params = [b for b in bindings if b.kind == "param" and b.annotation is None]
    others = [b for b in bindings if b.kind != "param"]
    if not params or any(b.kind != "assign" or b.value is None or not any(constructions(b.value)) for b in others):
        return None
    return types.pop()


def _has_stand_in(file: File, expression: cst.Attribute) -> bool:
    """Tell whether an attribute is a parameter or what stands in for it, and nothing else."""
    class_ = file.class_of(expression)
    function = file.function_of(expression)
    own = function.self_name if function is not None else None
    if class_ is None or not isinstance(expression.value, cst.Name) or expression.value.value != own:
        return False
    places = class_.attribute_assignments(expression.attr.value)
    return bool(places) and all(
        value is None or isinstance(value, cst.Name) or any(constructions(value)) for _, _, value in places
    )


def resource_of_type(file: File, type_: str | Class | None, depth: int = 0) -> Resource | None:
    """Return what has to be closed in objects of a type."""
    if isinstance(type_, str):
        row = file.libraries.find(Session, type_)
        return _plain(row, row.type) if row is not None else None
    if type_ is None or depth > _DEPTH:
        return None
    key = ("resource", type_)
    memo = type_.file.memo
    if key not in memo:
        memo[key] = None
        memo[key] = _of_class(type_, depth)
    found: Resource | None = memo[key]
    return found


def _plain(row: Session, type_: str | Class) -> Resource:
    closes = dict.fromkeys(row.close, row.close_is_async)
    return Resource(row, type_, {**closes, **dict.fromkeys(row.sync_close, False)})


def _is_shared(class_: Class) -> bool:
    """Tell whether calling a class may give an object that others have as well: its own `__new__` or metaclass."""
    for base in class_.mro():
        if isinstance(base, Class) and isinstance(base.node, cst.ClassDef):
            for arg in base.node.keywords:
                if arg.keyword is not None and arg.keyword.value == "metaclass":
                    if not base.file.text(arg.value).endswith("ABCMeta"):
                        return True
    return class_.method("__new__") is not None


def _of_class(class_: Class, depth: int) -> Resource | None:
    for base in class_.mro():
        if isinstance(base, str) and (row := class_.file.libraries.find(Session, base)) is not None:
            inherited = _plain(row, class_)
            closes = {
                name: method.is_async if (method := class_.method(name)) is not None else how
                for name, how in inherited.closes.items()
            }
            return Resource(row, class_, closes)
    held = [one for one in held_by(class_, depth + 1) if one.resource.row.kind != "file"]
    if not held or _is_shared(class_):
        return None
    closes = {}
    for base in class_.mro():
        for method in base.methods() if isinstance(base, Class) else ():
            if method.name not in closes and not method.is_property and _ends_any(method, held):
                closes[method.name] = method.is_async
    if not closes and any(_ends_it_itself(class_, one.attribute) for one in held):
        return None
    first = held[0]
    return Resource(first.resource.row, class_, closes, (first.call.file, first.call.node))


def _ends_it_itself(class_: Class, attribute: str) -> bool:
    """Tell whether the objects of a class close what they hold on their own way: in `run`, in a lifespan."""
    own = [method for base in class_.mro() if isinstance(base, Class) for method in base.methods()]
    return any(ends_attribute(method, attribute) for method in own)


def _ends_any(method: Function, held: list[Held]) -> bool:
    """Tell whether ending things is what a method is for: it closes a held session and does little else."""
    if not is_closing_name(method.name) and method.name not in ("__aexit__", "__exit__"):
        return False
    return any(ends_attribute(method, one.attribute) for one in held)


def may_close(file: File, method: str | None) -> bool:
    """Rule out methods that close nothing, by their name: cheaper than asking what they are called on."""
    return method is not None and (method in closing_methods(file.libraries) or is_closing_name(method))


def ends_attribute(method: Function, attribute: str) -> bool:
    """Tell whether a method closes `self.attribute`, directly, by a local name or by its own methods."""
    pending, seen = [method], {method}
    while pending:
        current = pending.pop()
        if current.self_name is None:
            continue
        if _ends_here(current, attribute):
            return True
        new = [other for other in _own_calls(current) if other not in seen]
        pending += new
        seen.update(new)
    return False


def _own_calls(method: Function) -> tuple[Function, ...]:
    """Return the methods that a method calls on its own object."""
    key = ("own calls", method)
    memo = method.file.memo
    if key not in memo:
        own = (method.self_name, "super()")
        calls = (method.file.call(node) for node in all_nodes(method.node.body) if isinstance(node, cst.Call))
        mine = (call for call in calls if call.receiver is not None and method.file.text(call.receiver) in own)
        memo[key] = tuple(dict.fromkeys(call.target for call in mine if isinstance(call.target, Function)))
    found: tuple[Function, ...] = memo[key]
    return found


def _ends_here(method: Function, attribute: str) -> bool:
    """Tell whether a method closes `self.attribute` itself."""
    key = ("ends", method, attribute)
    memo = method.file.memo
    if key not in memo:
        memo[key] = _may_name(method, attribute) and _ends(method, f"{method.self_name}.{attribute}")
    found: bool = memo[key]
    return found


def _may_name(method: Function, attribute: str) -> bool:
    block, source = method.block, method.file.source
    if block is None:
        return True
    return source.data.find(attribute.encode(), *source.span_of(block.first, block.end)) >= 0


def _ends(method: Function, subject: str) -> bool:
    file, aliases = method.file, {subject}
    for node in own_nodes(method.node.body):
        if isinstance(node, cst.Assign):
            for target in node.targets:
                aliases.update(_aliased(file, target.target, node.value, aliases))
        elif isinstance(node, cst.NamedExpr):
            aliases.update(_aliased(file, node.target, node.value, aliases))
        elif isinstance(node, cst.For) and any(alias in file.text(node.iter) for alias in aliases):
            aliases.add(file.text(node.target))
    for node in all_nodes(method.node.body):
        if isinstance(node, cst.Call):
            call = file.call(node)
            closing = call.method is not None and (is_closing_name(call.method) or call.method.endswith("exit__"))
            if call.receiver is not None and closing:
                receiver = file.text(call.receiver)
                if any(receiver == alias or receiver.startswith(f"{alias}.") for alias in aliases):
                    return True
            if any(file.text(arg.value) in aliases for arg in node.args) and (
                (call.receiver is not None and closing) or _leaf_closes(file, node)
            ):
                return True
        elif isinstance(node, cst.Attribute) and is_closing_name(node.attr.value):
            if file.text(node.value) in aliases:  # handed to somebody: `callback(self.session.close)`
                return True
        elif isinstance(node, cst.WithItem) and file.text(node.item) in aliases:
            return True
    return False


def _aliased(file: File, target: cst.BaseExpression, value: cst.BaseExpression, known: set[str]) -> Iterator[str]:
    if isinstance(target, cst.Tuple) and isinstance(value, cst.Tuple):
        for left, right in zip(target.elements, value.elements, strict=False):
            if file.text(right.value) in known:
                yield file.text(left.value)
    elif file.text(value) in known:
        yield file.text(target)
    elif isinstance(value, cst.Call) and any(f'"{alias.partition(".")[2]}"' in file.text(value) for alias in known):
        yield file.text(target)  # getattr(self, "session", None)


def _leaf_closes(file: File, node: cst.Call) -> bool:
    name = file.text(node.func).rpartition(".")[2]
    return "close" in name or "shutdown" in name or "cleanup" in name


def held_by(class_: Class, depth: int = 0) -> tuple[Held, ...]:
    """Return the sessions that a class (or a project class it inherits from) makes and keeps on itself."""
    key = ("held", class_)
    memo = class_.file.memo
    if key not in memo:
        memo[key] = ()
        found: list[Held] = []
        for base in class_.mro():
            if isinstance(base, Class):
                found.extend(_own_held(base, depth))
        memo[key] = tuple(found)
    held: tuple[Held, ...] = memo[key]
    return held


def _own_held(class_: Class, depth: int) -> Iterator[Held]:
    from pitfall_lint.semantic.attributes import attribute_targets

    for method in class_.methods() if may_own(class_) else ():
        for attribute, places in attribute_targets(method).items() if may_make(method) else ():
            for node, value in places:
                if value is None or not isinstance(node, (cst.Assign, cst.AnnAssign)):
                    continue
                for made, lent in constructions(value):
                    call = method.file.call(made)
                    resource = made_by(call, depth)
                    if resource is not None:
                        yield Held(attribute, resource, call, method, lent)


def constructions(value: cst.BaseExpression, lent: bool = False) -> Iterator[tuple[cst.Call, bool]]:
    """Yield the calls whose result a value may be, and whether it may be something else instead."""
    if isinstance(value, cst.Await):
        yield from constructions(value.expression, lent)
    elif isinstance(value, cst.Call):
        yield value, lent
    elif isinstance(value, cst.BooleanOperation) and isinstance(value.operator, cst.Or):
        yield from constructions(value.right, True)
    elif isinstance(value, cst.IfExp):
        for branch in (value.body, value.orelse):
            yield from constructions(branch, True)
    elif isinstance(value, cst.NamedExpr):
        yield from constructions(value.value, lent)


def made_by(call: Call, depth: int = 0) -> Resource | None:
    """Return what a call makes that its caller then owns: a session, or an object that makes one."""
    file = call.file
    target = call.target
    if isinstance(target, Class):
        resource = resource_of_type(file, target, depth)
        if resource is None or (resource.made_at is not None and _is_given(call, target)):
            return None
        return None if _borrows(call, resource.row) else resource
    name = call.name or (_given_by_instance(call) if target is None else None)
    if target is not None or name is None:
        return None
    row = next((r for r in file.libraries.find_all(Session, name)), None)
    if row is None or _borrows(call, row):
        return None
    return _plain(row, row.type)


def made_anew(call: Call) -> Resource | None:
    """Return what a plain function of the project makes at each call, and gives back as it is."""
    function = call.target
    if not isinstance(function, Function) or function.is_generator or function.decorators:
        return None
    made = [_outcome(returned) for returned in function.returns()]
    found = [made_by(function.file.call(one)) for one in made if one is not None]
    first = found[0] if found else None
    if first is None or len(found) < len(made) or any(one is None or one.type != first.type for one in found):
        return None
    return first


def _outcome(returned: cst.BaseExpression) -> cst.Call | None:
    value = returned.expression if isinstance(returned, cst.Await) else returned
    return value if isinstance(value, cst.Call) else None


def _given_by_instance(call: Call) -> str | None:
    """Return the type of what calling an object of a library makes: `sessionmaker(engine)()`."""
    makers, made = call.file.values_of(call.node.func), call.file.values_of(call.node)
    if len(makers) != 1 or len(made) != 1 or not isinstance(makers[0], Instance) or not isinstance(made[0], Instance):
        return None
    return made[0].type if isinstance(made[0].type, str) and isinstance(makers[0].type, str) else None


def _borrows(call: Call, row: Session) -> bool:
    """Tell whether the arguments bring along what would have to be closed; unknown ones may."""
    for arg in call.node.args:
        if arg.star == "**" and row.borrows:
            keys = keys_of(call.file, arg.value)
            if keys is None or not keys.isdisjoint(row.borrows):
                return True
    for name in row.borrows:
        given = call.keyword(name)
        if given is not None and not (isinstance(given, cst.Name) and given.value == "None"):
            return True
    return False


def _is_given(call: Call, class_: Class) -> bool:
    """Tell whether a session goes into the wrapper, so that it needn't make one."""
    if call.has_star:
        return True
    for arg in call.node.args:
        values = call.file.values_of(arg.value)
        if any(isinstance(v, Instance) and resource_of_type(call.file, v.type, _DEPTH) for v in values):
            return True
        name = call.file.text(arg.value).lower()
        if not any(isinstance(v, Const) for v in values) and any(w in name for w in ("session", "client", "conn")):
            return True
    return False
