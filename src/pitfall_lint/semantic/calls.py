"""Who calls whom: the uses of a function in its own file, and what a function's calls run, across files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.definitions import Class, Function, Param
from pitfall_lint.semantic.tree import Tree
from pitfall_lint.semantic.words import occurrences

if TYPE_CHECKING:
    from pitfall_lint.libraries import Row
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File

_NO_USES = (cst.FunctionDef, cst.ClassDef, cst.Param, cst.ImportAlias, cst.ImportFrom, cst.AsName)
_NAMES_ONLY = re.compile(
    rb"(?:async )?def \w+\((?:self|cls)?\)(?: -> None)?:|class \w+(?:\(\))?:|(?:from [\w.]+ )?import [\w., ]+"
)
_COMMON = 60
"""A name that stands on more lines than this is not followed: the effort would be the whole file's."""


def mentions(file: File, name: str) -> tuple[cst.BaseExpression, ...]:
    """Return the expressions `name` and `….name` of a file, wherever they stand; () for very common names."""
    key = ("mentions", name)
    if key not in file.memo:
        file.memo[key] = tuple(_mentions(file, name, trees_with(file, name, _is_no_use)))
    found: tuple[cst.BaseExpression, ...] = file.memo[key]
    return found


def _called(file: File, name: str) -> Iterator[cst.Call]:
    """Yield the calls `name(…)` and `….name(…)` of a file, if mentions has any."""
    at = re.compile(rb"(?<!\w)(?<!def )(?<!class )%s[\s\\]*\(" % re.escape(name.encode()))
    held = {file.outline.line_of(match.start()) for match in at.finditer(file.source.data)}
    trees = trees_with(file, name, lambda file, line: line not in held or _is_no_use(file, line))
    for mention in _mentions(file, name, trees):
        outer = file.parent(mention)
        if isinstance(outer, cst.Call) and outer.func is mention:
            yield outer


def _mentions(file: File, name: str, trees: Iterable[Tree]) -> Iterator[cst.BaseExpression]:
    for tree in trees:
        for node in tree.by_kind.get(cst.Name, ()):
            if not isinstance(node, cst.Name) or node.value != name:
                continue
            outer = file.parent(node)
            if isinstance(outer, cst.Attribute) and outer.attr is node:
                yield outer
            elif isinstance(outer, _NO_USES):
                continue
            elif not (isinstance(outer, cst.Arg) and outer.keyword is node):
                yield node


def trees_with(
    file: File, word: str, passed_over: Callable[[File, int], bool] = lambda file, line: False
) -> list[Tree]:
    """Return the trees of the definitions (and the module's own code) in which a word stands.

    `passed_over` rules out, in bytes, lines (0-based) that do not matter.
    """
    lines = sorted({file.outline.line_of(start) for start, _ in occurrences(file.source.data, word.encode())})
    if len(lines) > _COMMON:
        return []
    blocks = dict.fromkeys(file.outline.function_at(line) for line in lines if not passed_over(file, line))
    return [tree for block in blocks if (tree := file.tree(block)) is not None]


def _is_no_use(file: File, line: int) -> bool:
    """Tell whether a line surely has no expression that names something: text, a comment, an import, a bare head."""
    code = file.source.lines[line].strip()
    if file.outline.begins_in_string(line):
        return not (b'"""' in code or b"'''" in code)
    return code.startswith(b"#") or _NAMES_ONLY.fullmatch(code) is not None


def uses(function: Function) -> tuple[cst.BaseExpression, ...]:
    """Return the expressions of the function's own file that refer to it; for a lambda itself as well."""
    file = function.file
    key = ("uses", function)
    if key not in file.memo:
        file.memo[key] = ()
        if isinstance(function.node, cst.Lambda):
            found = [function.node, *(e for name in _names_of_lambda(function) for e in mentions(file, name))]
            file.memo[key] = tuple(e for e in found if e is function.node or file.definition(e) is function)
        else:
            file.memo[key] = tuple(e for e in mentions(file, function.name) if file.definition(e) is function)
    cached: tuple[cst.BaseExpression, ...] = file.memo[key]
    return cached


def _names_of_lambda(function: Function) -> list[str]:
    outer = function.file.parent(function.node)
    if not isinstance(outer, cst.Assign):
        return []
    return [t.target.value for t in outer.targets if isinstance(t.target, cst.Name)]


def callers(function: Function) -> Iterator[Call]:
    """Yield the calls of a function in its own file; a constructor's callers are those of its class."""
    file = function.file
    for use in uses(function):
        outer = file.parent(use)
        if isinstance(outer, cst.Call) and outer.func is use:
            yield file.call(outer)
    if function.class_ is not None and function.name == "__init__":
        for made in _called(file, function.class_.name):
            if file.definition(made.func) is function.class_:
                yield file.call(made)


def runs(call: Call) -> Function | None:
    """Return the project function whose body a call runs here and now: no coroutine, no generator."""
    target = call.target
    if isinstance(target, Class):
        target = target.method("__init__")
    if target is None or target.is_async or target.is_generator:
        return None
    return target


def param_of(target: Function | Class, call: Call, expression: cst.BaseExpression) -> Param | None:
    """Return the parameter of a callee that an argument of a call binds, if it can be told."""
    function = target.method("__init__") if isinstance(target, Class) else target
    if function is None:
        return None
    params = list(function.params)
    if function.is_method and (isinstance(target, Class) or call.receiver is not None):
        params = params[1:]
    position = 0
    for arg in call.node.args:
        if arg.value is expression:
            if arg.star:
                return None
            if arg.keyword is not None:
                return next((p for p in params if p.name == arg.keyword.value and p.kind != "args"), None)
            positional = [p for p in params if p.kind == "positional"]
            return positional[position] if position < len(positional) else None
        if arg.star:
            return None
        position += arg.keyword is None
    return None


def leads_to(
    function: Function,
    kind: type[Row],
    wanted: Callable[[Call], bool],
    passable: Callable[[Function], bool],
    depth: int = 3,
) -> tuple[Call, ...]:
    """Return the calls by which a plain function comes to a wanted one, that last; () if it doesn't.

    What is wanted has a row of this kind. `passable` rules functions out on the way.
    """
    memo, key = function.file.memo, ("leads to", kind, function)
    if key not in memo:
        memo[key] = ()
        memo[key] = _leads_to(function, kind, wanted, passable, depth)
    found: tuple[Call, ...] = memo[key]
    return found


def _leads_to(
    function: Function,
    kind: type[Row],
    wanted: Callable[[Call], bool],
    passable: Callable[[Function], bool],
    depth: int,
) -> tuple[Call, ...]:
    names_it = function.may_use(function.file.libraries.leaves(kind))
    if function.is_async or function.is_generator or not (names_it or depth) or not passable(function):
        return ()
    calls = list(function.calls())
    for call in calls if names_it else ():
        if wanted(call) and not is_switched_on(function, call):
            return (call,)
    for call in calls if depth else ():
        target = runs(call)
        if target is not None and (further := leads_to(target, kind, wanted, passable, depth - 1)):
            if not is_switched_on(function, call):
                return (call, *further)
    return ()


def is_switched_on(function: Function, call: Call) -> bool:
    """Tell whether a condition around a call asks a parameter of its function: then the callers decide."""
    params = {param.name for param in function.params} - {function.self_name}
    child: cst.CSTNode = call.node
    for ancestor in function.file.ancestors(call.node):
        if ancestor is function.node:
            return False
        if isinstance(ancestor, (cst.If, cst.IfExp)) and child is not ancestor.test:
            if tested(ancestor.test) & params:
                return True
        child = ancestor
    return False


def tested(test: cst.BaseExpression) -> set[str]:
    """Return the plain names that a condition tests: `flag`, `not flag`, `a and b`, `flag is None`, or asks for
    their kind: `isinstance(flag, str)`, `flag.startswith("http")`."""
    if isinstance(test, cst.Name):
        return {test.value}
    if isinstance(test, cst.UnaryOperation):
        return tested(test.expression)
    if isinstance(test, cst.BooleanOperation):
        return tested(test.left) | tested(test.right)
    if isinstance(test, cst.Comparison):
        return tested(test.left)
    if isinstance(test, cst.Call) and isinstance(test.func, cst.Attribute):
        return tested(test.func.value) if test.func.attr.value in ("startswith", "endswith") else set()
    if isinstance(test, cst.Call) and isinstance(test.func, cst.Name) and test.func.value in ("isinstance", "callable"):
        return tested(test.args[0].value) if test.args else set()
    return set()
