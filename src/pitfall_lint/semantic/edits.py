"""From nodes to bytes: spans, source text, and the edits that fixes are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.finding import Edit, Span
from pitfall_lint.semantic.tree import Tree

if TYPE_CHECKING:
    from pitfall_lint.semantic.syntax import Syntax


def _offset(file: Syntax, tree: Tree, line: int, column: int) -> int:
    lines = tree.slice.lines
    if line > len(lines):  # just behind the slice's last newline
        return file.source.offset(lines[-1] + 2, 0) if lines else 0
    return file.source.offset(max(lines[line - 1], 0) + 1, column)


def span(file: Syntax, node: cst.CSTNode) -> Span:
    """Return the bytes of a node in the file; an empty span for a node that is not from it."""
    tree = file.tree_of(node)
    place = tree.range_of(node) if tree is not None else None
    if tree is None or place is None:
        return Span(len(file.source.bom), len(file.source.bom))
    start = _offset(file, tree, *place.start)
    return Span(start, max(start, _offset(file, tree, *place.end)))


def code(file: Syntax, node: cst.CSTNode) -> str:
    """Return the source of a node as it stands."""
    tree = file.tree_of(node)
    return tree.code_of(node) if tree is not None else cst.Module([]).code_for_node(node)


def wording(file: Syntax, node: cst.CSTNode) -> str:
    """Return the source of a node, of an expression without parentheses around it; a draft can tell most."""
    tree = file.tree_of(node)
    return tree.text_of(node).strip() if tree is not None else code(file, node)


def text(file: Syntax, node: cst.CSTNode) -> str:
    """Return the source of a node on one line, without parentheses around it, shortened to 60 characters."""
    line = " ".join(wording(file, node).split())
    return line if len(line) <= 60 else line[:59] + "…"


def replace(file: Syntax, node: cst.CSTNode, new: str | cst.CSTNode) -> Edit:
    """Return the edit that puts other source in the place of a node, newlines turned into the file's."""
    source = new if isinstance(new, str) else code(file, new)
    return Edit(span(file, node), _newlines(file, source))


def _newlines(file: Syntax, source: str) -> str:
    return re.sub(r"\r\n|\r|\n", file.source.newline, source)


def _line_bounds(file: Syntax, node: cst.CSTNode) -> tuple[int, int, str]:
    """Return the first and last 0-based line of a node's statement line, and its indentation."""
    statement = file.statement_of(node)
    outer = file.parent(statement)
    line_node = outer if isinstance(outer, cst.SimpleStatementLine) else statement
    place = span(file, line_node)
    first = file.source.position(place.start)[0] - 1
    if isinstance(line_node, (cst.FunctionDef, cst.ClassDef)) and line_node.decorators:
        first = file.source.position(span(file, line_node.decorators[0]).start)[0] - 1
    last = file.source.position(max(place.start, place.end - 1))[0] - 1
    own = file.source.lines[first].decode(file.source.encoding, "replace")
    return first, last, own[: len(own) - len(own.lstrip())]


def insert(file: Syntax, node: cst.CSTNode, new: str, *, after: bool) -> Edit:
    """Return the edit that puts whole lines before or after the statement of a node."""
    first, last, indent = _line_bounds(file, node)
    source, newline = file.source, file.source.newline
    lines = "".join(f"{indent}{line}{newline}" if line else newline for line in new.rstrip("\n").split("\n"))
    if not after:
        at = source.line_starts[first]
        return Edit(Span(at, at), lines)
    if last + 1 < len(source.lines):
        at = source.line_starts[last + 1]
        return Edit(Span(at, at), lines)
    at = len(source.data)
    ends = source.data.endswith((b"\n", b"\r"))
    return Edit(Span(at, at), lines if ends else newline + lines.rstrip("\r\n"))


def add_argument(file: Syntax, call: cst.Call, argument: str) -> Edit:
    """Return the edit that hands one more argument to a call, behind the others."""
    if call.args:
        at = span(file, call.args[-1].value).end
        return Edit(Span(at, at), f", {argument}")
    at = (
        span(file, call).end
        - 1
        - sum(
            len(paren.whitespace_before.value) + 1
            for paren in file.exact(call).rpar
            if isinstance(paren.whitespace_before, cst.SimpleWhitespace)
        )
    )
    return Edit(Span(at, at), argument)


def replace_argument(file: Syntax, argument: cst.Arg, new: str) -> Edit:
    """Return the edit that puts another argument in the place of one, its comma left alone."""
    start = span(file, argument).start
    return Edit(Span(start, span(file, argument.value).end), new)


def indentation(file: Syntax, node: cst.CSTNode) -> str:
    """Return the white space that the statement line of a node begins with."""
    return _line_bounds(file, node)[2]


def remove(file: Syntax, node: cst.CSTNode) -> Edit:
    """Return the edit that takes a statement away with its lines; `pass` stays where one is needed."""
    statement = file.statement_of(node)
    line = file.parent(statement)
    block = file.parent(line) if line is not None else None
    alone = isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1
    if not alone or not isinstance(block, (cst.IndentedBlock, cst.Module)) or len(block.body) < 2:
        return replace(file, statement, "pass")
    first, last, _ = _line_bounds(file, node)
    end = file.source.line_start(last + 1)
    return Edit(Span(file.source.line_starts[first], end), "")


def wrap(file: Syntax, first: cst.CSTNode, last: cst.CSTNode, header: str, footer: str) -> tuple[Edit, ...]:
    """Return the edits that put the statements from `first` to `last` one level deeper below `header`.

    Lines that begin inside a string of several lines keep their text.
    """
    top, _, _ = _line_bounds(file, first)
    _, bottom, _ = _line_bounds(file, last)
    tree = file.tree_of(first)
    unit = tree.indent if tree is not None else "    "
    edits = [insert(file, first, header, after=False)]
    for line in range(top, bottom + 1):
        raw = file.source.lines[line]
        if raw.strip() and not file.outline.begins_in_string(line):
            at = file.source.line_starts[line]
            edits.append(Edit(Span(at, at), unit))
    # header and first line's indentation begin at the same byte: one edit
    head, second = edits[0], edits[1]
    merged = [Edit(head.span, head.text + second.text), *edits[2:]]
    if footer:
        merged.append(insert(file, last, footer, after=True))
    return tuple(merged)


def import_module(file: Syntax, module: str) -> tuple[str, tuple[Edit, ...]]:
    """Return the name by which a module is usable, and the edits that import it if need be."""
    for name, bindings in file.outline.imports.items():
        for imported in bindings:
            if imported.attribute is None and imported.module == module and imported.level == 0:
                if "." not in module or name != module.partition(".")[0]:
                    return name, ()
    at = file.source.line_start(file.heading.import_line)
    newline = file.source.newline
    return module, (Edit(Span(at, at), f"import {module}{newline}"),)
