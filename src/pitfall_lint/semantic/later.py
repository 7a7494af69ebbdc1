"""Whether a function may return what is read later than it is made, told by the stdlib's `ast` and names alone."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator

from pitfall_lint.semantic.below import all_below
from pitfall_lint.semantic.reading import Reading
from pitfall_lint.semantic.receivers import PLAIN_METHODS

_EAGER = frozenset(dir(builtins)) - {"map", "filter", "iter", "enumerate", "zip", "reversed"}
_CLOSERS = ("close", "shutdown", "stop", "dispose", "disconnect", "clean", "teardown", "terminate", "quit")
_CLOSING = re.compile(rf"_*(?:async_)?a?(?:{'|'.join(_CLOSERS)})")
_PLACES = [re.compile(rb"with[ \t(\\]"), *(re.compile(rb"%s\w*[ \t]*\(" % word.encode()) for word in _CLOSERS)]


def closings(data: bytes) -> Iterator[int]:
    """Yield the offsets of what closes something: `with`, and calls that go by such names; prose, too."""
    if b"return" in data:
        for pattern in _PLACES:
            yield from (match.start() for match in pattern.finditer(data))


def may_let_out(text: bytes) -> bool:
    """Tell, before it is parsed, whether a definition may return something of what it closes.

    It does not where all that it returns is plain, and where the names of what it closes stand nowhere else.
    """
    if all(_is_plain(text, match.end()) for match in _RETURN.finditer(text)):
        return False
    if _MANY_ENTERED.search(text) is not None:
        return True
    closed = Counter(_CLOSED.findall(text))
    for head in _ENTERED.findall(text):
        closed.update(_ENTERED_NAME.findall(head))
    closed -= Counter({b"self": len(text), b"cls": len(text)})
    return any(len(re.findall(rb"\b%s\b" % leaf, text)) > times for leaf, times in closed.items())


def _is_plain(text: bytes, start: int) -> bool:
    """Tell whether what stands behind a `return` is nothing, a constant, an attribute, or a display."""
    if _PLAIN.match(text, start) is not None:
        return True
    while text[start : start + 1] in (b" ", b"\t"):
        start += 1
    if text[start : start + 1] not in (b"{", b"["):
        return False
    depth, end = 0, start
    for match in _BRACKET.finditer(text, start):
        depth += 1 if match[0] in b"([{" else -1
        end = match.end()
        if not depth:
            break
    return not depth and _NOTHING.match(text, end) is not None


_RETURN = re.compile(rb"\breturn\b")
_NOTHING = re.compile(rb"[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)")
_PLAIN = re.compile(
    rb"[ \t]*(?:None|True|False|-?\d[\w.]*|[A-Za-z_]\w*(?:\.\w+)+|[rbuRBU]*(?:\"[^\"\n]*\"|'[^'\n]*'))?"
    rb"[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)"
)
_BRACKET = re.compile(rb"[][(){}]")
_MANY_ENTERED = re.compile(rb"\bwith[ \t]*[(\\]|\bwith\b[^\n]*[,\\][ \t]*\r?\n")
_ENTERED = re.compile(rb"\bwith\b[^\r\n]*|^[ \t]*[)\]}][^\r\n]*\bas\b[^\r\n]*", re.MULTILINE)
_ENTERED_NAME = re.compile(rb"([A-Za-z_]\w*)[ \t]*(?:[,:]|$)")
"""In a line that begins or ends the head of a `with`: what is entered, the name it gets, and more."""
_CLOSED = re.compile(rb"([A-Za-z_]\w*)\s*\.\s*(?:_*(?:async_)?a?(?:%s))\w*\s*\(" % "|".join(_CLOSERS).encode())


def lets_out_closed(tree: ast.AST) -> bool:
    """Tell whether what is returned may speak of something that is closed here, itself or by way of other names."""
    closed: set[str] = set()
    returned: list[ast.AST] = []
    given: dict[str, list[ast.AST]] = {}
    for node in all_below(tree):
        if isinstance(node, ast.withitem):
            closed.add(_leaf(node.optional_vars or node.context_expr))
            for part in all_below(node.optional_vars) if node.optional_vars is not None else ():
                given.setdefault(_leaf(part), []).append(node.context_expr)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if _CLOSING.match(node.func.attr):
                closed.add(_leaf(node.func.value))
        elif isinstance(node, ast.Return):
            returned += [node.value] if node.value is not None else []
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            given.setdefault(node.name, []).append(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                for part in all_below(target):
                    given.setdefault(_leaf(part), []).append(node.value)
    closed -= {"", "self", "cls"}
    told: set[str] = set()
    while returned and closed:
        for part in all_below(returned.pop()):
            name = _leaf(part)
            if name in closed:
                return True
            if name and name not in told:
                told.add(name)
                returned += given.get(name, ())
    return False


def _leaf(node: ast.AST) -> str:
    return getattr(node, "attr", getattr(node, "id", ""))


def may_be_later(
    reading: Reading,
    lazy: Collection[str],
    is_own: Callable[[str], bool | None],
    is_method: Callable[[str], bool],
) -> bool:
    """Tell whether some value that is returned may be lazy.

    `lazy` are leaf names of library calls that give lazy things; what else a name gives that comes by an import from
    outside of the project is read already. `is_own` tells whether an imported name may be the project's (None: it is
    not imported), `is_method` whether some class of the project may have a method of a name.
    """
    pending = [value for value in reading.returns if value is not None]
    seen: set[str] = set()
    while pending:
        node = pending.pop()
        awaited = isinstance(node, ast.Await)
        node = node.value if isinstance(node, ast.Await) else node
        if isinstance(node, ast.GeneratorExp):
            return True
        if isinstance(node, ast.IfExp):
            pending += [node.body, node.orelse]
        elif isinstance(node, ast.BoolOp):
            pending += node.values
        elif isinstance(node, ast.Tuple):
            pending += node.elts
        elif isinstance(node, ast.Name) and node.id in reading.entered:
            return True  # the very thing that is closed
        elif isinstance(node, ast.Name) and node.id not in seen:
            seen.add(node.id)
            pending.extend(reading.values.get(node.id, ()))
        elif isinstance(node, ast.Call):
            if _may_give(node.func, lazy, is_own, is_method) or (not awaited and _is_asked(node.func, reading)):
                return True
    return False


def _is_asked(func: ast.expr, reading: Reading) -> bool:
    """Tell whether a method of what a `with` gave is called: its coroutine may be what is returned."""
    return isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in reading.entered


def _may_give(
    func: ast.expr, lazy: Collection[str], is_own: Callable[[str], bool | None], is_method: Callable[[str], bool]
) -> bool:
    if isinstance(func, ast.Name):
        return func.id in lazy or not (func.id in _EAGER or is_own(func.id) is False)
    if isinstance(func, ast.Attribute):
        if func.attr in lazy:
            return True
        root: ast.expr = func.value
        while isinstance(root, (ast.Attribute, ast.Call)):
            root = root.value if isinstance(root, ast.Attribute) else root.func
        own = is_own(root.id) if isinstance(root, ast.Name) else None
        return own is not False and func.attr not in PLAIN_METHODS and (own is True or is_method(func.attr))
    return True
