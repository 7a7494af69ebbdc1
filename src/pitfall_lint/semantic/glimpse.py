"""What the bytes of a function tell, so that few have to be parsed: each answer rules out, or is sure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from pitfall_lint.semantic.words import words_of

if TYPE_CHECKING:
    from pitfall_lint.semantic.definitions import Function

_YIELD = re.compile(rb"(?<![\w.])yield(?!\w)")
_STRING_OR_COMMENT = re.compile(
    rb'#.*|"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'(?:[^\'\\]|\\.|\'(?!\'\'))*\'\'\'|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
)
"""On one line; what is left of a string of several lines keeps its three quotes."""
_DOES = re.compile(rb"^[ \t]+(?:return|while|with|try|async|del|assert|import|await|yield)\b", re.MULTILINE)
_RETURNED = re.compile(rb"\breturn\b[ \t]*([^\r\n]*)")
_LONE_NAME = re.compile(rb"[ \t(]*([\w\x80-\xff]+)[ \t)]*(?:[#;].*)?")
_CALLEE = re.compile(rb"([\w.\x80-\xff]*)[ \t]*\(")
_BOUND_AROUND = re.compile(rb"(?:as |for )[^\r\n]*")


def text_of(function: Function) -> bytes:
    """Return the bytes of an outermost function with its decorators; b"" for others."""
    block, source = function.block, function.file.source
    if block is None:
        return b""
    return source.data[slice(*source.span_of(block.first, block.end))]


def words_in(function: Function) -> frozenset[bytes]:
    """Return the words of an outermost function; none for others."""
    memo, key = function.file.memo, ("words", function)
    if key not in memo:
        memo[key] = frozenset(words_of(text_of(function)))
    found: frozenset[bytes] = memo[key]
    return found


def yields(function: Function) -> bool | None:
    """Tell whether an outermost function's own body yields; None where only a parser can tell."""
    block, outline, source = function.block, function.file.outline, function.file.source
    if block is None:
        return None
    text, start = text_of(function), source.line_starts[block.first]
    unsure = False
    for match in _YIELD.finditer(text):
        line = outline.line_of(start + match.start())
        if line < block.header or any(child.first <= line < child.end for child in block.children):
            unsure = unsure or any(child.first <= line < child.header for child in block.children)
            continue
        code = source.lines[line]
        if outline.begins_in_string(line):
            unsure = unsure or b'"""' in code or b"'''" in code
        elif code.lstrip(b" \t").startswith(b"yield"):
            return True
        else:
            plain = _STRING_OR_COMMENT.sub(b" ", code)
            if b'"""' in plain or b"'''" in plain or b"lambda" in plain or line == block.header:
                unsure = True
            elif _YIELD.search(plain):
                return True
    return None if unsure else False


def does_something(function: Function) -> bool:
    """Tell whether an outermost function surely has a body: a statement that is no `pass`, text or `raise`."""
    block, outline = function.block, function.file.outline
    if block is None or block.first != block.header:  # a decorator may say that it is abstract
        return False
    source = function.file.source
    if block.end <= block.header + 1:
        return False
    found = _DOES.finditer(source.data, *source.span_of(block.header + 1, block.end))
    return any(not outline.begins_in_string(outline.line_of(match.start())) for match in found)


def calls_given_back(text: bytes) -> set[str] | None:
    """Return what a text calls, with its dots, where it returns a call or a name that holds one; None: unclear."""
    found: set[str] = set()
    for returned in dict.fromkeys(_RETURNED.findall(text)):
        lines = [returned]
        if name := _LONE_NAME.fullmatch(returned):
            lines += re.findall(rb"(?<![\w.\x80-\xff])%s[ \t]*=(?!=)([^\r\n]*)" % re.escape(name[1]), text)
        for line in lines:
            if line.count(b"(") != line.count(b")") or line.endswith(b"\\"):
                return None
            found.update(name.decode("utf-8", "replace") for name in _CALLEE.findall(line))
    return found


def attributes_given(function: Function) -> frozenset[bytes]:
    """Return the attributes that an outermost method's text may assign on its first parameter; a few too many."""
    memo, key = function.file.memo, ("attributes given", function)
    if key not in memo:
        own = function.self_name
        memo[key] = frozenset(_given(text_of(function), own.encode())) if own is not None else frozenset()
    found: frozenset[bytes] = memo[key]
    return found


def _given(text: bytes, own: bytes) -> set[bytes]:
    assigned, bound = _targets(own)
    found = set(assigned.findall(text))
    for match in _BOUND_AROUND.finditer(text):  # `with … as self.x:`, `for self.x in …`
        found.update(bound.findall(match.group()))
    return found


@lru_cache(64)
def _targets(own: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    attribute = rb"(?<![\w.\x80-\xff])%s\.([\w\x80-\xff]+)" % re.escape(own)
    equals = rb"=(?!=)|(?:[-+*/%&|^@]|\*\*|//|<<|>>)=|[:,)\]][^\r\n]*="
    return re.compile(attribute + rb"(?=[ \t]*(?:" + equals + rb"))"), re.compile(
        attribute + rb"[ \t]*(?:in\b|[:,)\]])"
    )
