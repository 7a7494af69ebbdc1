"""What one function, or a module at import, does with the environment's proxy variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.proxies import Environment, EnvironmentUse, LiteralExceptions, ProxyVariable
from pitfall_lint.semantic.definitions import Function
from pitfall_lint.semantic.hosts import UNKNOWN_PART, shapes
from pitfall_lint.semantic.values import Const

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


@dataclass(frozen=True, eq=False)
class Use:
    """One place that reads or changes environment variables."""

    file: File
    node: cst.CSTNode
    """The call, or the statement that assigns or deletes."""
    does: str
    """read, set, append, default or clear."""
    names: tuple[str, ...]
    """The variables, as spelled; several behind a loop over constants."""
    value: cst.BaseExpression | None = None
    raises: bool = False
    """KeyError when the variable is not set."""

    def shapes(self) -> tuple[str, ...]:
        """Return what it sets, unknown parts as UNKNOWN_PART; `()` when nothing is known."""
        return shapes(self.file, self.value) if self.value is not None else ()


def uses(file: File, function: Function | None) -> tuple[Use, ...]:
    """Return what one function's own body does with proxy variables; None for what runs at import."""
    key = ("environment", function)
    found = file.memo.get(key)
    if found is None and function is None and not _may_use_at_import(file):
        found = file.memo[key] = ()
    if found is None:
        known = {name for row in file.libraries.rows(ProxyVariable) for name in row.variables}
        proxy = (_proxy_names(use, known) for use in _uses(file, function))
        found = file.memo[key] = tuple(use for use in proxy if use is not None)
    return found


def _may_use_at_import(file: File) -> bool:
    """Rule out, in bytes, a module that names neither the environment nor a proxy variable."""
    leaves = file.libraries.leaves(Environment) | file.libraries.leaves(EnvironmentUse)
    if any(file.outline.has_word(word.decode()) for word in file.words_for(leaves)):
        return True
    return any(
        name.encode() in file.source.data for row in file.libraries.rows(ProxyVariable) for name in row.variables
    )


def uses_in_sight(file: File) -> Iterator[Use]:
    """Yield the uses in the definitions that are being looked at."""
    seen: set[int] = set()
    for node in file.nodes(cst.Subscript, cst.Call, cst.Comparison, cst.AugAssign):
        function = file.function_of(node)
        if id(function) not in seen:
            seen.add(id(function))
            yield from uses(file, function)


def variable(file: File, name: str) -> ProxyVariable | None:
    """Return the proxy variable that goes by a name."""
    return next((row for row in file.libraries.rows(ProxyVariable) if name in row.variables), None)


def spellings(file: File, role: str) -> frozenset[str]:
    """Return all names of the variables of a role: `proxy` or `exceptions`."""
    return frozenset(n for row in file.libraries.rows(ProxyVariable) if row.role == role for n in row.variables)


def literal_reader(file: File) -> str | None:
    """Return a library that this module imports and that compares the entries of NO_PROXY as text."""
    imported = {entry.module for entries in file.outline.imports.values() for entry in entries}
    for row in file.libraries.rows(LiteralExceptions):
        parts = row.module.split(".")
        if any(".".join(parts[: end + 1]) in imported for end in range(len(parts))):
            return row.module
    return None


def may_list(text: str, host: str) -> bool:
    """Tell whether a NO_PROXY value may hold for a host."""
    return "*" in text or UNKNOWN_PART in text or host.strip("[]") in text


def guard_of(use: Use) -> cst.CSTNode:
    """Return the test for the variable around a use, or the loop over its names; else the use's statement."""
    file, node = use.file, use.file.statement_of(use.node)
    for ancestor in file.ancestors(node):
        if isinstance(ancestor, (cst.If, cst.For)) and _is_about(file, ancestor, use):
            node = ancestor
        elif isinstance(ancestor, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            break
    return node


def _is_about(file: File, node: cst.If | cst.For, use: Use) -> bool:
    if isinstance(node, cst.For):
        return len(use.names) > 1
    test = file.wording(node.test)
    return "environ" in test or "getenv" in test or any(name in test for name in use.names)


def is_guarded(use: Use) -> bool:
    """Tell whether a missing variable is thought of: tested for before, or KeyError taken."""
    file = use.file
    if isinstance(guard_of(use), cst.If) or file.enclosing(use.node, cst.If) is not None:
        return True
    return file.enclosing(use.node, cst.Try, cst.With) is not None


def left_over(file: File, cleared: Iterable[Use]) -> list[str]:
    """Return the proxy variables that still hold when some were cleared for all requests.

    An empty lower-case variable hides the upper-case one; a missing one does not.
    """
    done: set[str] = set()
    for use in cleared:
        done.update(use.names)
        if use.value is not None and file.enclosing(use.node, cst.If) is None and isinstance(use.node, cst.Assign):
            done.update(name.upper() for name in use.names if name.islower())
    missing: list[str] = []
    rows = [row for row in file.libraries.rows(ProxyVariable) if row.role == "proxy"]
    touched = [row for row in rows if done.intersection(row.variables)]
    for row in rows:
        if row in touched or (row.fallback and len(touched) >= len([r for r in rows if not r.fallback])):
            missing += [name for name in row.variables if name not in done]
    return missing


def _proxy_names(use: Use, known: set[str]) -> Use | None:
    wanted = tuple(name for name in use.names if name in known)
    if not wanted:
        return None
    return Use(use.file, use.node, use.does, wanted, use.value, use.raises)


def _uses(file: File, function: Function | None) -> Iterator[Use]:
    for node in nodes_of(file, function):
        if isinstance(node, cst.Assign):
            for assigned in node.targets:
                yield from _assigned(file, node, assigned.target, node.value, "set")
        elif isinstance(node, cst.AnnAssign):
            yield from _assigned(file, node, node.target, node.value, "set")
        elif isinstance(node, cst.AugAssign):
            if isinstance(node.operator, cst.BitOrAssign) and _is_environment(file, node.target):
                yield from _updated(file, node, node.value)
            else:
                yield from _assigned(file, node, node.target, node.value, "append")
        elif isinstance(node, cst.Del):
            elements = node.target.elements if isinstance(node.target, cst.Tuple) else ()
            for target in [element.value for element in elements] or [node.target]:
                yield from _assigned(file, node, target, None, "clear")
        elif isinstance(node, cst.Call):
            yield from _called(file, node)
        elif isinstance(node, cst.Subscript):
            outer = file.parent(node)
            if (
                not isinstance(outer, (cst.AssignTarget, cst.Del, cst.AugAssign))
                or getattr(outer, "value", None) is node
            ):
                if (key := _key(file, node)) is not None:
                    yield Use(file, node, "read", strings(file, key), raises=True)
        elif isinstance(node, cst.Comparison):
            for part in node.comparisons:
                if isinstance(part.operator, (cst.In, cst.NotIn)) and _is_environment(file, part.comparator):
                    yield Use(file, node, "read", strings(file, node.left))


def nodes_of(file: File, function: Function | None) -> Iterable[cst.CSTNode]:
    """Return the nodes of one function's own body; None for what runs at import."""
    if function is not None:
        return function.nodes()
    return [node for node in file.skeleton.nodes if file.function_of(node) is None]


def _assigned(
    file: File, node: cst.CSTNode, target: cst.CSTNode, value: cst.BaseExpression | None, does: str
) -> Iterator[Use]:
    if isinstance(target, cst.Subscript) and (key := _key(file, target)) is not None:
        if does == "set" and value is not None and shapes(file, value) == ("",):
            does = "clear"
        yield Use(file, node, does, strings(file, key), value, raises=value is None)


def _key(file: File, node: cst.Subscript) -> cst.BaseExpression | None:
    if len(node.slice) != 1 or not isinstance(node.slice[0].slice, cst.Index):
        return None
    return node.slice[0].slice.value if _is_environment(file, node.value) else None


def _is_environment(file: File, node: cst.CSTNode) -> bool:
    if not isinstance(node, (cst.Name, cst.Attribute)):
        return False
    name = file.qualified_name(node)
    return name is not None and file.libraries.find(Environment, name) is not None


def _called(file: File, node: cst.Call) -> Iterator[Use]:
    call = file.call(node)
    name = call.name
    row = file.libraries.find(EnvironmentUse, name) if name is not None else None
    if row is None:
        return
    if row.does == "update":
        if (mapping := call.arg(0)) is not None:
            yield from _updated(file, node, mapping)
        for arg in node.args:
            if arg.keyword is not None:
                yield Use(file, node, _setting(file, arg.value), (arg.keyword.value,), arg.value)
    elif (key := call.where(row.variable)) is not None:
        value = call.where(row.value) if row.value else None
        does = _setting(file, value) if row.does == "set" and value is not None else row.does
        yield Use(file, node, does, strings(file, key), value, row.raises and value is None)


def _updated(file: File, node: cst.CSTNode, mapping: cst.BaseExpression) -> Iterator[Use]:
    if isinstance(mapping, cst.Dict):
        for element in mapping.elements:
            if isinstance(element, cst.DictElement):
                yield Use(file, node, _setting(file, element.value), strings(file, element.key), element.value)


def _setting(file: File, value: cst.BaseExpression) -> str:
    return "clear" if shapes(file, value) == ("",) else "set"


def strings(file: File, node: cst.BaseExpression) -> tuple[str, ...]:
    """Return the constant strings that an expression takes (a loop variable takes several); else `()`."""
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and not node.args:
        inner = strings(file, node.func.value)
        if node.func.attr.value in ("upper", "lower"):
            return tuple(getattr(name, node.func.attr.value)() for name in inner)
        return ()
    found = shapes(file, node)
    if not found:
        found = tuple(v.value for v in file.values_of(node) if isinstance(v, Const) and isinstance(v.value, str))
    return tuple(dict.fromkeys(name for name in found if UNKNOWN_PART not in name))


# What holds when a line runs
