"""Slashes at the edges of literals: which are missing or too many, and the edits that put them right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import libcst as cst

from pitfall_lint.finding import Edit, Fix, Span
from pitfall_lint.semantic import shapes, strings
from pitfall_lint.semantic.shapes import Shape, Shapes

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_WORD = re.compile(r"[A-Za-z0-9_{<]")
_QUOTES = re.compile(r"(?i)[a-z]*('''|\"\"\"|'|\")")


def is_bare(shape: Shape, regex: bool = False) -> bool:
    """Tell whether a text surely starts with a segment's name, where a path would start with a slash."""
    if shape.starts is not False or shape.is_empty is not False:
        return False
    head = shape.head
    if regex:
        head = head.removeprefix("^")
    if not head:
        return bool(shape.parts) and not isinstance(shape.parts[0], str)
    return _WORD.match(head) is not None and "://" not in head and not (regex and head[0] in "{<")


def slashed(text: str, regex: bool = False) -> str:
    """Return a path with its leading slash, behind `^` in a regular expression."""
    return f"^/{text[1:]}" if regex and text.startswith("^") else f"/{text}"


def literal_of(file: File, node: cst.CSTNode, shape: Shape) -> cst.SimpleString | cst.FormattedString | None:
    """Return the literal of this file at which a shape begins: the expression itself, or where a constant was made."""
    for candidate in (node, *_origin(file, shape)):
        if isinstance(candidate, cst.ConcatenatedString):
            candidate = candidate.left
        while isinstance(candidate, cst.BinaryOperation) and isinstance(candidate.operator, cst.Add):
            candidate = candidate.left
        if isinstance(candidate, (cst.SimpleString, cst.FormattedString)):
            return candidate
    return None


def _origin(file: File, shape: Shape) -> tuple[cst.CSTNode, ...]:
    if shape.origin is None or shape.origin[0] is not file:
        return ()
    return (shape.origin[1],)


def start_of(file: File, node: cst.SimpleString | cst.FormattedString) -> int:
    """Return the offset of the first character inside the quotes."""
    span = file.span(node)
    match = _QUOTES.match(file.code(node).lstrip("("))
    opening = file.code(node).index(match.group(1)) if match else 0
    return span.start + opening + (len(match.group(1)) if match else 0)


def insert_at_start(file: File, node: cst.SimpleString | cst.FormattedString, text: str, skip: str = "") -> Edit:
    """Return the edit that puts text at the start of a literal, behind `skip` if it starts so."""
    at = start_of(file, node)
    if skip and file.source.text(at, at + len(skip)) == skip:
        at += len(skip)
    return Edit(Span(at, at), text)


def drop_at_start(
    file: File, node: cst.SimpleString | cst.FormattedString, keep: str = "", skip: str = ""
) -> Edit | None:
    """Return the edit that replaces the slashes at the start of a literal by `keep`, behind `skip` if it starts so."""
    at = start_of(file, node)
    if skip and file.source.text(at, at + len(skip)) == skip:
        at += len(skip)
    end = at
    while file.source.text(end, end + 1) == "/":
        end += 1
    return Edit(Span(at, end), keep) if end > at else None


def with_leading(
    file: File, node: cst.BaseExpression, shape: Shape, regex: bool = False, constant: bool = False
) -> Fix | None:
    """Return the fix that adds the missing slash: to the literal, or where a `constant` is used."""
    literal = literal_of(file, node, shape)
    if literal is not node and constant and isinstance(node, (cst.Name, cst.Attribute)):
        return file.replace(node, f'f"/{{{file.code(node)}}}"', 'Put "/" before it here')
    if literal is None:
        return None
    fix = file.edits('Add the leading "/"', insert_at_start(file, literal, "/", "^" if regex else ""))
    return fix if literal is node else fix.less_safe()


def is_doubled(head: str) -> bool:
    """Tell whether a path starts with two slashes, which is neither `/` nor a web address."""
    return head.startswith("//") and bool(head.strip("/"))


def written_double(file: File, node: cst.SimpleString | cst.FormattedString, regex: bool = False) -> bool:
    """Tell whether a literal itself starts with two slashes."""
    at = start_of(file, node)
    if regex and file.source.text(at, at + 1) == "^":
        at += 1
    return file.source.text(at, at + 2) == "//"


def without_trailing(file: File, node: cst.BaseExpression, shape: Shape) -> Fix | None:
    """Return the fix that takes the slashes off the end of the literal that gives a text."""
    literal: cst.CSTNode = node
    if isinstance(node, (cst.Name, cst.Attribute)) and shape.text is not None:
        literal = next(iter(_origin(file, shape)), node)
        if not isinstance(literal, cst.SimpleString) or literal.evaluated_value != shape.text:
            literal = node
    if isinstance(literal, (cst.SimpleString, cst.FormattedString)):
        code = file.code(literal)
        inner = code.rstrip(code[-1])
        if inner.endswith("/"):
            fix = file.replace(literal, inner.rstrip("/") + code[len(inner) :], 'Drop the "/" at the end')
            return fix if literal is node else fix.less_safe()
    return file.replace(node, f'{file.code(node)}.rstrip("/")', 'Take the "/" off').less_safe()


def code_starts(file: File, node: cst.FormattedString, text: str) -> bool:
    """Tell whether the literal text of an f-string starts so, before its first expression."""
    at = start_of(file, node)
    return file.source.text(at, at + len(text)) == text


def origin_behind(file: File, node: cst.BaseExpression, shape: Shape) -> Any:
    """Return where an alternative of `f"/{name}"` was written, when `name` alone makes up the rest."""
    if not isinstance(node, cst.FormattedString):
        return None
    for part in node.parts:
        if isinstance(part, cst.FormattedStringExpression):
            for inner in strings.shapes_of(file, part.expression):
                if inner.parts and shape.pretty.lstrip("/").startswith(inner.pretty.lstrip("/")):
                    return inner.origin
            return None
    return None


def with_trailing(file: File, node: cst.BaseExpression) -> Fix | None:
    """Return the fix that adds a slash at the end of a literal, or of whatever stands here."""
    if isinstance(node, (cst.SimpleString, cst.FormattedString)):
        code = file.code(node)
        inner = code.rstrip(code[-1])
        return file.replace(node, f"{inner}/{code[len(inner) :]}", 'Add "/" at the end')
    if isinstance(node, (cst.Name, cst.Attribute)):
        return file.replace(node, f'{file.code(node)}.rstrip("/") + "/"', 'Add "/" at the end')
    return None


def insertion(at: int, text: str) -> Edit:
    """Return the edit that puts text at an offset."""
    return Edit(Span(at, at), text)


def drop_in(file: File, node: cst.SimpleString | cst.FormattedStringText) -> Edit:
    """Return the edit that takes the slashes off the start of a literal or of an f-string's text."""
    at = start_of(file, node) if isinstance(node, cst.SimpleString) else file.span(node).start
    end = at
    while file.source.text(end, end + 1) == "/":
        end += 1
    return Edit(Span(at, end), "")


def all_slashed(file: File, bare: list[Shape]) -> Fix | None:
    """Return the fix that starts each of these alternatives with a slash, where it is written."""
    edits = []
    for shape in bare:
        literal = literal_of(file, cst.Pass(), shape)
        if literal is None:
            return None
        edits.append(insert_at_start(file, literal, "/"))
    return file.edits('Start every alternative with "/"', *dict.fromkeys(edits))


def own_slash(file: File, node: cst.BaseExpression, shape: Shape, found: Shapes) -> Fix | None:
    """Return the edits that take the "/" away here and give it to the other alternatives of the value behind it."""
    if not isinstance(node, cst.FormattedString) or not code_starts(file, node, "/"):
        return None
    edits: list[Edit] = []
    drop = drop_at_start(file, node)
    for other in found:
        if other is shape:
            continue
        literal = literal_of(file, cst.Pass(), Shape(other.parts, origin_behind(file, node, other)))
        if literal is None:
            return None
        edits.append(insert_at_start(file, literal, "/"))
    return file.edits('Let every alternative bring its own "/"', *([drop] if drop else []), *dict.fromkeys(edits))


def single_slash(file: File, node: cst.CSTNode) -> Fix | None:
    """Return the fix that drops the slash behind the seam."""
    outer = file.parent(node)
    if isinstance(outer, cst.Attribute) or (
        isinstance(outer, cst.BinaryOperation) and isinstance(outer.operator, cst.Modulo)
    ):
        return None  # text of a template
    if isinstance(node, (cst.SimpleString, cst.FormattedStringText)):
        return file.edits("Drop the doubled slash", drop_in(file, node))
    if isinstance(node, (cst.Name, cst.Attribute)) and not isinstance(file.parent(node), cst.FormattedStringExpression):
        return file.replace(node, f'{file.code(node)}.lstrip("/")', "Take the leading slash off").less_safe()
    return None


def separated(file: File, node: cst.CSTNode) -> Fix | None:
    """Return the fix that puts a slash before a literal."""
    if isinstance(node, cst.SimpleString):
        return file.edits("Put the slash between", insert_at_start(file, node, "/"))
    if isinstance(node, cst.FormattedStringText):
        at = file.span(node).start
        return file.edits("Put the slash between", insertion(at, "/"))
    return None


def melts(before: Shapes, text: Shape) -> bool:
    """Tell whether a constant melts into the constant address before it."""
    if not text.text or not is_bare(text) or not text.text[0].isalpha():
        return False
    return all(s.text is not None and shapes.is_url(s) and s.text[-1:].isalnum() for s in before)
