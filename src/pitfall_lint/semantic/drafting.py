"""Drafts: LibCST's nodes made from the stdlib's `ast`, five times faster than LibCST reads the same text.

A draft has every node that LibCST would give, with the same names, values and order, but neither white space, commas
nor parentheses: those slots are empty, and asking for one fails. What stands in the text is read by LibCST itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import libcst as cst

from pitfall_lint.semantic import makers as make
from pitfall_lint.semantic.locating import Range
from pitfall_lint.semantic.passages import Passages, Place, Undraftable, place_of

_Node = Any
"""A node of either kind: which attributes it has is told by its class at run time."""


class Draft:
    """The draft of one module's text. Raises Undraftable."""

    def __init__(self, text: str) -> None:
        try:
            tree: Any = compile(text, "<draft>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
            self._text = Passages(text)
            self._places: dict[cst.CSTNode, Place] = {}
            self.module: cst.Module = make.module(self._statements(tree.body))
        except KeyError as error:  # a kind of node that is not told here: `match`, `*args: *Ts`
            raise Undraftable from error
        except (SyntaxError, ValueError, MemoryError) as error:
            raise Undraftable from error

    def range_of(self, node: cst.CSTNode) -> Range | None:
        """Return where an expression stands; None if that is not known."""
        place = self._places.get(node)
        return self._text.range_of(place) if place is not None else None

    def text_of(self, node: cst.CSTNode) -> str | None:
        """Return the source of an expression without parentheses around it; None if it is not known."""
        if isinstance(node, cst.Name):
            return node.value
        place = self._places.get(node)
        if place is not None:
            return self._text.between(*place)
        return cst.Module([]).code_for_node(node) if hasattr(node, "lpar") else None  # LibCST's own

    # Statements

    def _statements(self, nodes: Iterable[ast.stmt]) -> list[_Node]:
        found: list[_Node] = []
        small: list[_Node] = []
        for node in nodes:
            compound = _COMPOUND.get(type(node))
            if compound is not None:
                found.append(compound(self, node))
                small = []
                continue
            made = _SMALL[type(node)](self, node)
            place = self._places[made] = place_of(node)
            if not self._text.begins_line(node) and small:
                small.append(made)
                self._places[found[-1]] = (*self._places[found[-1]][:2], *place[2:])
            else:
                small = [made]
                found.append(make.line(small))
                self._places[found[-1]] = place
        return found

    def _body(self, nodes: Sequence[ast.stmt]) -> _Node:
        first = nodes[0]
        if type(first) not in _COMPOUND and not self._text.begins_line(first):
            return make.suite([_SMALL[type(node)](self, node) for node in nodes])
        return make.block(self._statements(nodes))

    def _else(self, nodes: Sequence[ast.stmt]) -> _Node | None:
        return make.else_(self._body(nodes)) if nodes else None

    def _if(self, node: ast.If) -> _Node:
        other: _Node | None = None
        if len(node.orelse) == 1 and isinstance(inner := node.orelse[0], ast.If):
            if self._text.starts_with(inner, "elif"):
                other = self._if(inner)
        return make.if_(self._of(node.test), self._body(node.body), other or self._else(node.orelse))

    def _for(self, node: ast.For | ast.AsyncFor) -> _Node:
        mark = make.asynchronous() if isinstance(node, ast.AsyncFor) else None
        target, over = self._of(node.target), self._of(node.iter)
        return make.for_(target, over, self._body(node.body), self._else(node.orelse), mark)

    def _with(self, node: ast.With | ast.AsyncWith) -> _Node:
        mark = make.asynchronous() if isinstance(node, ast.AsyncWith) else None
        items = [
            make.with_item(
                self._of(item.context_expr),
                make.as_name(self._of(item.optional_vars)) if item.optional_vars is not None else None,
            )
            for item in node.items
        ]
        return make.with_(items, self._body(node.body), mark)

    def _try(self, node: ast.Try) -> _Node:
        starred = not isinstance(node, ast.Try)
        handle = make.except_star if starred else make.except_
        handlers = [
            handle(
                self._body(handler.body),
                self._of(handler.type) if handler.type is not None else None,
                make.as_name(make.name(handler.name)) if handler.name else None,
            )
            for handler in node.handlers
        ]
        end = make.finally_(self._body(node.finalbody)) if node.finalbody else None
        make_try = make.try_star if starred else make.try_
        return make_try(self._body(node.body), handlers, self._else(node.orelse), end)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> _Node:
        if getattr(node, "type_params", None):
            raise Undraftable
        return make.function(
            make.name(node.name),
            self._parameters(node.args),
            self._body(node.body),
            [make.decorator(self._of(one)) for one in node.decorator_list],
            self._annotation(node.returns),
            make.asynchronous() if isinstance(node, ast.AsyncFunctionDef) else None,
        )

    def _class(self, node: ast.ClassDef) -> _Node:
        if getattr(node, "type_params", None):
            raise Undraftable
        args = self._arguments(node.bases, node.keywords)
        first = next((i for i, arg in enumerate(args) if arg.keyword is not None or arg.star == "**"), len(args))
        if any(arg.keyword is None and arg.star != "**" for arg in args[first:]):
            raise Undraftable
        decorators = [make.decorator(self._of(one)) for one in node.decorator_list]
        return make.class_(make.name(node.name), self._body(node.body), args[:first], args[first:], decorators)

    def _annotation(self, node: ast.expr | None) -> _Node | None:
        return make.annotation(self._of(node)) if node is not None else None

    def _parameters(self, args: ast.arguments) -> _Node:
        plain = [*args.posonlyargs, *args.args]
        defaults: list[ast.expr | None] = [*[None] * (len(plain) - len(args.defaults)), *args.defaults]
        params = [self._param(arg, default, "") for arg, default in zip(plain, defaults, strict=True)]
        star: _Node = make.DEFAULT
        if args.vararg is not None:
            star = self._param(args.vararg, None, "*")
        elif args.kwonlyargs:
            star = make.param_star()
        keyword_only = [self._param(arg, d, "") for arg, d in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
        rest = self._param(args.kwarg, None, "**") if args.kwarg is not None else None
        count = len(args.posonlyargs)
        return make.parameters(
            params[count:], star, keyword_only, rest, params[:count], make.param_slash() if count else make.DEFAULT
        )

    def _param(self, arg: ast.arg, default: ast.expr | None, star: str) -> _Node:
        value = self._of(default) if default is not None else None
        return make.param(make.name(arg.arg), self._annotation(arg.annotation), value, star)

    def _augmented(self, node: ast.AugAssign) -> _Node:
        return make.augmented(self._of(node.target), make.AUGMENTED[type(node.op)], self._of(node.value))

    def _raise(self, node: ast.Raise) -> _Node:
        cause = make.from_(self._of(node.cause)) if node.cause is not None else None
        return make.raise_(self._maybe(node.exc), cause)

    def _del(self, node: ast.Delete) -> _Node:
        targets = [self._of(one) for one in node.targets]
        return make.del_(targets[0] if len(targets) == 1 else make.tuple_([make.element(one) for one in targets]))

    def _import_from(self, node: ast.ImportFrom) -> _Node:
        names = make.import_star() if node.names[0].name == "*" else [self._alias(one) for one in node.names]
        return make.import_from(_dotted(node.module) if node.module else None, names, (make.DOT,) * node.level)

    def _alias(self, node: ast.alias) -> _Node:
        return make.alias(_dotted(node.name), make.as_name(make.name(node.asname)) if node.asname else None)

    # Expressions

    def _of(self, node: ast.expr) -> _Node:
        kind = type(node)
        if kind is ast.Name:
            return make.name(node.id)  # type: ignore[attr-defined]
        if kind is ast.Attribute:
            made = make.attribute(self._of(node.value), make.name(node.attr))  # type: ignore[attr-defined]
        else:
            made = _EXPRESSIONS[kind](self, node)
            if kind is ast.Tuple or kind is ast.GeneratorExp:
                return made  # these may hold their parentheses in `ast`
        self._places[made] = place_of(node)
        return made

    def _maybe(self, node: ast.expr | None) -> _Node | None:
        return self._of(node) if node is not None else None

    def _arguments(self, args: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> list[_Node]:
        found: list[tuple[tuple[int, int], _Node]] = []
        for arg in args:
            if isinstance(arg, ast.Starred):
                made = make.arg(self._of(arg.value), None, "*")
            else:
                made = make.arg(self._of(arg), None, "")
            found.append(((arg.lineno, arg.col_offset), made))
        for keyword in keywords:
            name, star = (make.name(keyword.arg), "") if keyword.arg is not None else (None, "**")
            made = make.arg(self._of(keyword.value), name, star)
            found.append(((keyword.lineno, keyword.col_offset), made))
        if args and keywords:
            found.sort(key=lambda item: item[0])
        return [made for _, made in found]

    def _constant(self, node: ast.Constant) -> _Node:
        value = node.value
        if value is None or value is True or value is False:
            return make.name(str(value))
        if value is ...:
            return make.ellipsis()
        text = self._text.between(*place_of(node))
        if isinstance(value, (str, bytes)):
            return make.string(text) if _ONE_STRING.fullmatch(text) else self._read(text)
        if isinstance(value, complex):
            return make.imaginary(text)
        return make.integer(text) if isinstance(value, int) else make.float_(text)

    def _read(self, text: str) -> _Node:
        """Return what LibCST reads: strings with holes, and strings in pieces."""
        try:
            if "\n" not in text and "\r" not in text:
                return cst.parse_expression(text)
            return cst.parse_expression(f"({text})").with_changes(lpar=(), rpar=())
        except Exception as error:  # the positions of such strings are not always right
            raise Undraftable from error

    def _elements(self, nodes: Iterable[ast.expr]) -> list[_Node]:
        return [
            make.starred(self._of(node.value)) if isinstance(node, ast.Starred) else make.element(self._of(node))
            for node in nodes
        ]

    def _dict(self, node: ast.Dict) -> _Node:
        return make.dict_(
            [
                make.pair(self._of(key), self._of(value)) if key is not None else make.starred_pair(self._of(value))
                for key, value in zip(node.keys, node.values, strict=True)
            ]
        )

    def _subscript(self, node: ast.Subscript) -> _Node:
        inner = node.slice
        parts = inner.elts if isinstance(inner, ast.Tuple) and self._is_bare(inner) else [inner]
        return make.subscript(self._of(node.value), [self._subscript_element(part) for part in parts])

    def _subscript_element(self, node: ast.expr) -> _Node:
        if isinstance(node, ast.Slice):
            part = make.slice_(self._maybe(node.lower), self._maybe(node.upper), self._maybe(node.step))
        elif isinstance(node, ast.Starred):
            raise Undraftable
        else:
            part = make.index(self._of(node), None)
        return make.subscript_element(part)

    def _is_bare(self, node: ast.Tuple) -> bool:
        """Tell whether a tuple stands without parentheses of its own."""
        if not node.elts:
            return False
        first = node.elts[0]
        if (first.lineno, first.col_offset) == (node.lineno, node.col_offset):
            return True
        if isinstance(first, ast.Slice) or any(isinstance(one, ast.Slice) for one in node.elts):
            return True
        opened = self._text.between(node.lineno, node.col_offset, first.lineno, first.col_offset)
        behind = node.elts[1] if len(node.elts) > 1 else None
        line, column = (
            (behind.lineno, behind.col_offset)
            if behind is not None
            else (node.end_lineno or node.lineno, node.end_col_offset or 0)
        )
        closed = self._text.between(first.end_lineno or 0, first.end_col_offset or 0, line, column).partition(",")[0]
        if "#" in opened or "#" in closed:
            raise Undraftable
        return opened.count("(") <= closed.count(")")

    def _boolean(self, node: ast.BoolOp) -> _Node:
        operator = make.OPERATORS[type(node.op)]
        made = self._of(node.values[0])
        for value in node.values[1:]:
            made = make.boolean(made, operator, self._of(value))
        return made

    def _compare(self, node: ast.Compare) -> _Node:
        left = self._of(node.left)
        pairs = zip(node.ops, node.comparators, strict=True)
        return make.comparison(left, [make.compared(make.OPERATORS[type(op)], self._of(one)) for op, one in pairs])

    def _dict_comprehension(self, node: ast.DictComp) -> _Node:
        key, value = self._of(node.key), self._of(node.value)
        return make.dict_comprehension(key, value, self._for_in(node.generators))

    def _for_in(self, nodes: Sequence[ast.comprehension]) -> _Node:
        made: _Node | None = None
        for node in reversed(nodes):
            ifs = [make.comp_if(self._of(test)) for test in node.ifs]
            mark = make.asynchronous() if node.is_async else None
            made = make.comp_for(self._of(node.target), self._of(node.iter), ifs, made, mark)
        return made


_ONE_STRING = re.compile(
    r"[A-Za-z]{0,3}(?:'''(?:[^'\\]|\\.|'(?!''))*'''|\"\"\"(?:[^\"\\]|\\.|\"(?!\"\"))*\"\"\""
    r"|'(?:[^'\\\n\r]|\\.|\\\r\n)*'|\"(?:[^\"\\\n\r]|\\.|\\\r\n)*\")",
    re.DOTALL,
)


def _dotted(name: str) -> _Node:
    first, *others = name.split(".")
    made = make.name(first)
    for other in others:
        made = make.attribute(made, make.name(other))
    return made


def _names(node: ast.Global | ast.Nonlocal) -> list[_Node]:
    return [make.name_item(make.name(name)) for name in node.names]


_COMPOUND: dict[type[ast.AST], Callable[[Draft, _Node], _Node]] = {
    ast.If: Draft._if,
    ast.While: lambda draft, node: make.while_(draft._of(node.test), draft._body(node.body), draft._else(node.orelse)),
    ast.For: Draft._for,
    ast.AsyncFor: Draft._for,
    ast.With: Draft._with,
    ast.AsyncWith: Draft._with,
    ast.Try: Draft._try,
    ast.FunctionDef: Draft._function,
    ast.AsyncFunctionDef: Draft._function,
    ast.ClassDef: Draft._class,
}
if hasattr(ast, "TryStar"):
    _COMPOUND[ast.TryStar] = Draft._try
_SMALL: dict[type[ast.AST], Callable[[Draft, _Node], _Node]] = {
    ast.Expr: lambda draft, node: make.expression(draft._of(node.value)),
    ast.Assign: lambda draft, node: make.assign(
        [make.target(draft._of(one)) for one in node.targets], draft._of(node.value)
    ),
    ast.AnnAssign: lambda draft, node: make.annotated(
        draft._of(node.target), draft._annotation(node.annotation), draft._maybe(node.value)
    ),
    ast.AugAssign: Draft._augmented,
    ast.Return: lambda draft, node: make.return_(draft._maybe(node.value)),
    ast.Raise: Draft._raise,
    ast.Delete: Draft._del,
    ast.Global: lambda draft, node: make.global_(_names(node)),
    ast.Nonlocal: lambda draft, node: make.nonlocal_(_names(node)),
    ast.Pass: lambda draft, node: make.pass_(),
    ast.Break: lambda draft, node: make.break_(),
    ast.Continue: lambda draft, node: make.continue_(),
    ast.Assert: lambda draft, node: make.assertion(draft._of(node.test), draft._maybe(node.msg)),
    ast.Import: lambda draft, node: make.import_([draft._alias(one) for one in node.names]),
    ast.ImportFrom: Draft._import_from,
}
_EXPRESSIONS: dict[type[ast.AST], Callable[[Draft, _Node], _Node]] = {
    ast.Call: lambda draft, node: make.call(draft._of(node.func), draft._arguments(node.args, node.keywords)),
    ast.Constant: Draft._constant,
    ast.JoinedStr: lambda draft, node: draft._read(draft._text.between(*place_of(node))),
    ast.Tuple: lambda draft, node: make.tuple_(draft._elements(node.elts)),
    ast.List: lambda draft, node: make.list_(draft._elements(node.elts)),
    ast.Set: lambda draft, node: make.set_(draft._elements(node.elts)),
    ast.Dict: Draft._dict,
    ast.Subscript: Draft._subscript,
    ast.BoolOp: Draft._boolean,
    ast.BinOp: lambda draft, node: make.binary(
        draft._of(node.left), make.OPERATORS[type(node.op)], draft._of(node.right)
    ),
    ast.UnaryOp: lambda draft, node: make.unary(make.OPERATORS[type(node.op)], draft._of(node.operand)),
    ast.Compare: Draft._compare,
    ast.IfExp: lambda draft, node: make.choice(draft._of(node.test), draft._of(node.body), draft._of(node.orelse)),
    ast.Await: lambda draft, node: make.await_(draft._of(node.value)),
    ast.Yield: lambda draft, node: make.yield_(draft._maybe(node.value)),
    ast.YieldFrom: lambda draft, node: make.yield_(make.from_(draft._of(node.value))),
    ast.NamedExpr: lambda draft, node: make.walrus(draft._of(node.target), draft._of(node.value)),
    ast.Lambda: lambda draft, node: make.lambda_(draft._parameters(node.args), draft._of(node.body)),
    ast.GeneratorExp: lambda draft, node: make.generator(draft._of(node.elt), draft._for_in(node.generators)),
    ast.ListComp: lambda draft, node: make.list_comprehension(draft._of(node.elt), draft._for_in(node.generators)),
    ast.SetComp: lambda draft, node: make.set_comprehension(draft._of(node.elt), draft._for_in(node.generators)),
    ast.DictComp: Draft._dict_comprehension,
}
