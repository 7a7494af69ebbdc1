"""What is done with a coroutine that nobody awaits, where only its result can be meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.tasks import Spawn, Waiter
from pitfall_lint.semantic import clauses
from pitfall_lint.semantic.annotation import annotated
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.handover import argument_for
from pitfall_lint.semantic.values import Instance
from pitfall_lint.semantic.walk import all_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_OWN = re.compile(r"close|send|throw|cr_\w+|gi_\w+|__\w+__")
_WANTS_VALUE = frozenset(
    {"int", "float", "bool", "len", "list", "tuple", "set", "dict", "sorted", "sum", "min"}
    | {"max", "bytes", "range", "any", "all", "round"}
)
_SHOWS = frozenset({"str", "print", "repr"})
_SHRUGS = frozenset({"tested", "compared", "formatted"})
"""What a coroutine bears without an error."""
_CLASS_NAME = re.compile(r"(?!.*(?:Await|Corout|Future|Task|Deferred|Promise|Call|Handler))[A-Z][a-z]\w{2,}")
_MAY_BE_ANYTHING = frozenset(
    {"", "typing", "typing_extensions", "collections", "types", "asyncio", "concurrent", "abc"}
)
_JUMPS = (cst.Return, cst.Raise, cst.Continue, cst.Break)
_AWAITED = frozenset({"Awaitable", "Coroutine", "Future", "Task", "Protocol", "Generic"})
_VALUE_NAME = re.compile(
    r"(?:^|_)(?:url|text|title|name|path|id|key|description|colou?r|count|size|label|message|status|json|body|payload"
    r"|params|headers|content|data)$"
)
_VALUE_TYPES = frozenset(
    {"str", "int", "float", "bool", "bytes", "list", "dict", "tuple", "set", "List", "Dict"}
    | {"Tuple", "Set", "Sequence", "Mapping", "Iterable", "datetime", "Path"}
)


@dataclass(frozen=True, eq=False)
class Misuse:
    """What is done with a coroutine where its result is wanted."""

    how: str
    """dropped, tested, asked, compared, formatted, used, iterated, unpacked, entered, declared, returned, passed."""
    node: cst.CSTNode
    detail: str = ""
    guess: bool = False
    """Whether it is only most likely that the result is meant."""


def misuse_of(call: Call, *, project: bool = True) -> Misuse | None:
    """Return what is done with a call's coroutine that only its result can be meant for."""
    return misuse_at(call.file, call.node, project=project) or _misuse_of_name(call, project)


def misuse_at(file: File, node: cst.CSTNode, *, project: bool = True) -> Misuse | None:
    """Return what is done with a coroutine where an expression stands; `project`: it surely is no generator's."""
    outer = file.parent(node)
    if isinstance(outer, cst.Expr):
        return Misuse("dropped", node)
    if isinstance(outer, cst.Assign) and all(
        isinstance(t.target, cst.Name) and t.target.value == "_" for t in outer.targets
    ):
        return Misuse("dropped", node)
    if isinstance(outer, (cst.If, cst.While, cst.Assert)) and outer.test is node:
        return Misuse("tested", node)
    if isinstance(outer, cst.IfExp) and outer.test is node:
        return Misuse("tested", node)
    if isinstance(outer, cst.UnaryOperation) and isinstance(outer.operator, cst.Not):
        return Misuse("tested", node)
    if isinstance(outer, (cst.IfExp, cst.BooleanOperation)) and _stands_beside_await(outer, node):
        return Misuse("used", node)
    if isinstance(outer, cst.IfExp):
        return misuse_at(file, outer, project=project)
    if isinstance(outer, cst.BaseSimpleComp):
        return _made_in_turn(file, outer)
    if isinstance(outer, cst.BooleanOperation) and (outer.left is node or _is_test(file, outer)):
        return Misuse("tested", node)
    if isinstance(outer, cst.BooleanOperation) and isinstance(file.parent(outer), cst.Expr):
        return Misuse("dropped", node)
    if isinstance(outer, cst.Return):
        return _returned(file, outer, node)
    if isinstance(outer, cst.Element) and isinstance(node, cst.Name) and _VALUE_NAME.search(node.value):
        return Misuse("passed", node, node.value, guess=True)
    if isinstance(outer, cst.CompIf):
        return Misuse("tested", node)
    if isinstance(outer, (cst.Comparison, cst.ComparisonTarget)):
        return Misuse("compared", node)
    if isinstance(outer, cst.NamedExpr) and outer.value is node:
        misuse = misuse_at(file, outer, project=project)
        return misuse if misuse is not None and misuse.how not in {"tested", "dropped"} else None
    if isinstance(outer, cst.FormattedStringExpression):
        return Misuse("formatted", node)
    if isinstance(outer, cst.BinaryOperation):
        return Misuse("used", node)
    if isinstance(outer, cst.Attribute) and outer.value is node:
        if not _OWN.fullmatch(outer.attr.value) or _is_awaited_call(file, outer):
            return Misuse("used", outer, f".{outer.attr.value}")
        return None
    if isinstance(outer, cst.Subscript) and outer.value is node:
        return Misuse("used", outer, "[…]")
    if isinstance(outer, (cst.For, cst.CompFor)) and outer.iter is node:
        return Misuse("iterated", node) if project or outer.asynchronous is None else None
    if isinstance(outer, cst.WithItem):
        return Misuse("entered", node) if project else None
    if isinstance(outer, cst.Arg) and isinstance(call := file.parent(outer), cst.Call):
        return _passed(file, call, outer)
    return None


def _stands_beside_await(outer: cst.IfExp | cst.BooleanOperation, node: cst.CSTNode) -> bool:
    """Tell whether the other value that an expression may have is a result: `await cached(x) or load(x)`."""
    if isinstance(outer, cst.BooleanOperation):
        return outer.right is node and isinstance(outer.left, cst.Await)
    other = outer.orelse if outer.body is node else outer.body
    return node is not outer.test and isinstance(other, cst.Await)


def _made_in_turn(file: File, node: cst.BaseSimpleComp) -> Misuse | None:
    """Look at a comprehension of coroutines: is it dropped, or does somebody only ask which are true?"""
    outer = file.parent(node)
    if isinstance(outer, cst.Expr) and not isinstance(node, cst.GeneratorExp):
        return Misuse("dropped", node)
    call = file.parent(outer) if isinstance(outer, cst.Arg) else None
    if isinstance(call, cst.Call) and file.qualified_name(call.func) in ("builtins.any", "builtins.all"):
        return Misuse("tested", node)
    return None


def _is_awaited_call(file: File, function: cst.Attribute) -> bool:
    """Tell whether the result of a method is awaited: what a coroutine's own `send` or `close` gives never is."""
    call = file.parent(function)
    if function.attr.value.startswith("__"):
        return False  # `await session.get(url).__aenter__()`
    return isinstance(call, cst.Call) and call.func is function and isinstance(file.parent(call), cst.Await)


def _is_test(file: File, node: cst.CSTNode) -> bool:
    outer = file.parent(node)
    if isinstance(outer, cst.BooleanOperation):
        return _is_test(file, outer)
    return isinstance(outer, (cst.If, cst.While, cst.UnaryOperation, cst.Assert, cst.CompIf)) or (
        isinstance(outer, cst.IfExp) and outer.test is node
    )


def _passed(file: File, node: cst.Call, arg: cst.Arg) -> Misuse | None:
    """Look at an argument: is a value wanted there?"""
    call = file.call(node)
    name = file.qualified_name(node.func)
    if name is not None and (file.libraries.find(Spawn, name) or file.libraries.find(Waiter, name)):
        return None
    leaf = name.partition(".")[2] if name is not None and name.startswith("builtins.") else ""
    if clauses.logs(file, node) or leaf in _SHOWS or _is_method_of_text(node, "format"):
        return Misuse("formatted", node) if not arg.star else None
    if leaf == "isinstance" and len(node.args) == 2 and _is_value_annotation(file, node.args[1].value):
        return Misuse("asked", node)
    if leaf in _WANTS_VALUE and not arg.star:
        return Misuse("passed", node, f"{leaf}()")
    if name == "json.dumps":
        return Misuse("passed", node, file.text(node.func) + "()")
    if _is_method_of_text(node, "join"):
        return Misuse("iterated", node)
    target = call.target
    if isinstance(target, Class):
        target = target.method("__init__")
    if isinstance(target, Function):
        for param in target.params:
            if param.annotation is not None and argument_for(call, target, param.name) is arg.value:
                said = f"{target.name}({param.name}: {target.file.text(param.annotation)})"
                if _is_value_annotation(target.file, param.annotation):
                    return Misuse("passed", node, said)
                if _is_library_class(target.file, param.annotation):
                    return Misuse("passed", node, said, guess=True)
        return None
    if arg.keyword is not None and _VALUE_NAME.search(arg.keyword.value) and not arg.star:
        return Misuse("passed", node, f"{arg.keyword.value}=")
    if isinstance(arg.value, cst.Name) and _VALUE_NAME.search(arg.value.value) and not arg.star:
        return Misuse("passed", node, arg.value.value, guess=True)
    return None


def _returned(file: File, statement: cst.Return, node: cst.CSTNode) -> Misuse | None:
    """Look at what an async function returns: who awaits it gets the coroutine, and would have to await that, too."""
    function = file.function_of(statement)
    if function is None or not function.is_async or not isinstance(function.node, cst.FunctionDef):
        return None
    returns = function.node.returns
    if returns is None:
        return Misuse("returned", node, guess=not _is_tried(file, statement))
    if _is_value_annotation(file, returns.annotation):
        return Misuse("returned", node)
    return Misuse("returned", node, guess=True) if _is_library_class(file, returns.annotation) else None


def _is_tried(file: File, statement: cst.Return) -> bool:
    """Tell whether a clause that does not end in another `raise` or such a return waits for the errors of a return."""
    outer = file.enclosing(statement, cst.Try, cst.ExceptHandler, cst.Finally)
    if not isinstance(outer, cst.Try) or not outer.handlers:
        return False
    last = outer.body.body[-1]
    return isinstance(last, cst.SimpleStatementLine) and last.body[-1] is statement


def _is_library_class(file: File, annotation: cst.BaseExpression) -> bool:
    """Tell whether an annotation most likely is of a class of a library that nobody can await."""
    if isinstance(annotation, cst.Subscript):
        annotation = annotation.value
    name = file.qualified_name(annotation) if isinstance(annotation, (cst.Name, cst.Attribute)) else None
    package, _, leaf = (name or "").rpartition(".")
    return bool(_CLASS_NAME.fullmatch(leaf)) and package.partition(".")[0] not in _MAY_BE_ANYTHING


def _is_method_of_text(node: cst.Call, name: str) -> bool:
    """Tell whether a call is of a literal text's method: `"{}".format(…)`."""
    func = node.func
    return (
        isinstance(func, cst.Attribute)
        and func.attr.value == name
        and isinstance(func.value, (cst.SimpleString, cst.ConcatenatedString))
    )


def _is_value_annotation(file: File, annotation: cst.BaseExpression) -> bool:
    """Tell whether an annotation is of plain values, or of a project's class that nobody can await."""
    if isinstance(annotation, cst.BinaryOperation):
        return _is_value_annotation(file, annotation.left) and _is_value_annotation(file, annotation.right)
    if isinstance(annotation, cst.Subscript):
        if file.qualified_name(annotation.value) == "typing.Optional":
            inner = annotation.slice[0].slice
            return isinstance(inner, cst.Index) and _is_value_annotation(file, inner.value)
        annotation = annotation.value
    if isinstance(annotation, cst.Name) and annotation.value in _VALUE_TYPES | {"None"}:
        return True
    if isinstance(annotation, cst.SimpleString):
        types = [value.type for value in annotated(file, annotation) if isinstance(value, Instance)]
        return bool(types) and all(isinstance(type_, Class) and _is_value_class(type_) for type_ in types)
    class_ = file.definition(annotation) if isinstance(annotation, (cst.Name, cst.Attribute)) else None
    return isinstance(class_, Class) and _is_value_class(class_)


def _is_value_class(class_: Class) -> bool:
    return class_.mro_complete and not _may_be_awaited(class_)


def _may_be_awaited(class_: Class) -> bool:
    bases = [base for base in class_.mro() if isinstance(base, str)]
    return class_.method("__await__") is not None or any(
        base.rpartition(".")[2] in _AWAITED or base.startswith("typing.") for base in bases
    )


def _misuse_of_name(call: Call, project: bool) -> Misuse | None:
    """Look at a local name that holds the coroutine: used as a value, and never awaited or handed on."""
    file, statement = call.file, _outermost(call.file, call.node)
    target, annotation = _target(statement)
    if call.function is None or target is None or file.function_of(target) is not call.function:
        return None
    if isinstance(target, (cst.Tuple, cst.List)):
        return Misuse("unpacked", call.node)
    if not isinstance(target, cst.Name):
        return None
    if annotation is not None and _is_value_annotation(file, annotation):
        return Misuse("declared", call.node, file.text(annotation))
    if len(file.scope_of(target).bindings.get(target.value, [])) != 1:
        return _next_use(file, statement, target.value, project)
    if any(target.value in _declared(node) for node in call.function.nodes(cst.Global, cst.Nonlocal)):
        return None
    found: list[Misuse] = []
    for mention in _mentions(file, call.function, target.value):
        misuse = misuse_at(file, mention, project=project)
        if misuse is None or misuse.how == "dropped":
            return None
        found.append(misuse)
    return min(found, key=lambda misuse: misuse.how in _SHRUGS) if found else None


def _outermost(file: File, node: cst.CSTNode) -> cst.CSTNode | None:
    """Return what a call's value is assigned by: a statement, or a walrus."""
    outer = file.parent(node)
    return outer if isinstance(outer, (cst.Assign, cst.AnnAssign, cst.NamedExpr)) and outer.value is node else None


def _target(node: cst.CSTNode | None) -> tuple[cst.BaseExpression | None, cst.BaseExpression | None]:
    """Return the only target of an assignment, and its annotation."""
    if isinstance(node, cst.Assign):
        return (node.targets[0].target if len(node.targets) == 1 else None), None
    if isinstance(node, cst.AnnAssign):
        return node.target, node.annotation.annotation
    return (node.target if isinstance(node, cst.NamedExpr) else None), None


def _declared(node: cst.CSTNode) -> set[str]:
    return {item.name.value for item in node.names} if isinstance(node, (cst.Global, cst.Nonlocal)) else set()


def _next_use(file: File, assigned: cst.CSTNode | None, name: str, project: bool) -> Misuse | None:
    """Look at what happens next to a name that holds other values elsewhere: a use that fails for a coroutine?"""
    statement: cst.CSTNode | None = file.parent(assigned) if assigned is not None else None
    while isinstance(statement, cst.SimpleStatementLine | cst.If | cst.Else | cst.With | cst.Try):
        block = file.parent(statement)
        if isinstance(statement, cst.Try) and _is_named_behind(file, statement, name):
            return None
        if not isinstance(block, cst.IndentedBlock):  # an `else`, or a block in one line
            statement = block if isinstance(block, cst.If) else None
            continue
        for following in block.body[block.body.index(statement) + 1 :]:
            for mention in _in_order(file, following, name):
                here = file.function_of(mention) is file.function_of(statement)
                misuse = misuse_at(file, mention, project=project) if here else None
                if misuse is None or misuse.how not in _SHRUGS:
                    if misuse is not None and misuse.how in {"dropped", "asked"}:
                        return None  # it knows what else it may be
                    sure = misuse is not None and not misuse.guess
                    return misuse if sure or (misuse is not None and not _is_awaited(file, assigned, name)) else None
            if isinstance(following, cst.SimpleStatementLine) and isinstance(following.body[-1], _JUMPS):
                return None
        statement = file.parent(block)
    return None


def _is_named_behind(file: File, node: cst.Try, name: str) -> bool:
    """Tell whether the `else` or `finally` of a `try` says a name."""
    behind = [part.body for part in (node.orelse, node.finalbody) if part is not None]
    return any(True for part in behind for _ in _in_order(file, part, name))


def _is_awaited(file: File, assigned: cst.CSTNode | None, name: str) -> bool:
    function = file.function_of(assigned) if assigned is not None else None
    mentions = _mentions(file, function, name) if function is not None else ()
    return any(isinstance(file.parent(mention), cst.Await) for mention in mentions)


def _in_order(file: File, statement: cst.CSTNode, name: str) -> Iterator[cst.CSTNode]:
    """Yield the mentions of a name in a statement; what gives it another value comes last, and is no misuse."""
    stores = []
    for node in all_nodes(statement):
        if isinstance(node, cst.Name) and node.value == name and not _is_no_mention(file, node):
            if isinstance(file.parent(node), (cst.AssignTarget, cst.AnnAssign, cst.NamedExpr)) and _is_store(
                file, node
            ):
                stores.append(node)
                if not isinstance(statement, cst.SimpleStatementLine):
                    break
            else:
                yield node
    yield from stores[:1]


def _is_store(file: File, node: cst.Name) -> bool:
    outer = file.parent(node)
    return isinstance(outer, cst.AssignTarget) or (
        isinstance(outer, (cst.AnnAssign, cst.NamedExpr)) and outer.target is node
    )


def _is_no_mention(file: File, node: cst.Name) -> bool:
    outer = file.parent(node)
    return (
        isinstance(outer, (cst.Param, cst.NameItem))
        or (isinstance(outer, cst.Arg) and outer.keyword is node)
        or (isinstance(outer, cst.Attribute) and outer.value is not node)
    )


def _mentions(file: File, function: Function, name: str) -> Iterator[cst.Name]:
    for node in all_nodes(function.node.body):
        if isinstance(node, cst.Name) and node.value == name and not _is_no_mention(file, node):
            if not _is_store(file, node):
                yield node
