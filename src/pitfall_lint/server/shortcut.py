"""What an edit leaves as it was: findings elsewhere move with the text, and mostly nothing else is to be asked."""

from __future__ import annotations

import ast
import bisect
import difflib
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from pitfall_lint.finding import Edit, Finding, Fix, Related, Span
from pitfall_lint.semantic.outline import Block, Outline
from pitfall_lint.semantic.words import words_of
from pitfall_lint.source import Source

_DEFINITION = re.compile(rb"\b(?:def|class)\b")
_ATTRIBUTE = re.compile(rb"\bself\.\w+[ \t]*[:=][^\r\n]*")


@dataclass(frozen=True)
class Change:
    """The lines in which two texts differ: bytes [head, tail) of the old one; what follows moved by `shift`."""

    head: int
    tail: int
    shift: int

    def moved(self, span: Span) -> Span | None:
        """Return where a span of the old text stands in the new one; None when it was touched."""
        if span.end <= self.head:
            return span
        return Span(span.start + self.shift, span.end + self.shift) if span.start >= self.tail else None

    def moved_finding(self, finding: Finding) -> Finding | None:
        """Return a finding where it stands now; fixes and related places that were touched are left out."""
        span = self.moved(finding.span)
        if span is None:
            return None
        fixes = tuple(fix for each in finding.fixes if (fix := self._moved_fix(each)) is not None)
        related = tuple(r for each in finding.related if (r := self._moved_related(finding, each)) is not None)
        return replace(finding, span=span, fixes=fixes, related=related)

    def _moved_fix(self, fix: Fix) -> Fix | None:
        places = [(self.moved(edit.span), edit.text) for edit in fix.edits]
        edits = tuple(Edit(place, text) for place, text in places if place is not None)
        return replace(fix, edits=edits) if len(edits) == len(places) else None

    def _moved_related(self, finding: Finding, related: Related) -> Related | None:
        if related.path != finding.path:
            return related
        span = self.moved(related.span)
        return replace(related, span=span) if span is not None else None


def change_between(old: bytes, new: bytes) -> Change:
    """Return the lines in which two texts differ."""
    head = _shared(old, new)
    tail = min(_shared(old[::-1], new[::-1]), min(len(old), len(new)) - head)
    head = old.rfind(b"\n", 0, head) + 1
    end = old.find(b"\n", len(old) - tail) if tail else -1
    return Change(head, len(old) if end < 0 else end + 1, len(new) - len(old))


def _shared(one: bytes, other: bytes) -> int:
    """Return how many bytes two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    first, second = memoryview(one), memoryview(other)
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


@dataclass(frozen=True)
class Edited:
    """The function that holds a whole change, with its text before and after."""

    block: Block
    begin: int
    """The first byte of its text; blank lines behind it, in which more may be written, belong to that."""
    before: bytes
    after: bytes
    error: tuple[int, str] | None = None
    """Where in the new text, in bytes, and why the function does not parse while it is typed."""


def function_of(outline: Outline, change: Change, new: Source) -> Edited | None:
    """Return the function whose body holds the whole change, if it still is one with the same signature."""
    old = outline.source
    first, last = outline.line_of(change.head), outline.line_of(max(change.tail - 1, change.head))
    if change.head == change.tail:  # lines were put in before this one
        first = last = first - 1
    while first > 0 and not old.lines[first].strip():  # where its next statement is written
        first -= 1
    block = outline.function_at(first) if first >= 0 else None
    if block is None or first < block.header:
        return None
    end_line = max(block.end, last + 1)
    if any(line.strip() for line in old.lines[block.end : end_line]):
        return None
    starts = [*old.line_starts, len(old.data)]
    begin, end = starts[block.first], starts[end_line]
    texts = old.data[begin:end], new.data[begin : end + change.shift]
    before, after = _function(texts[0], block, old), _function(texts[1], block, new)
    if isinstance(after, SyntaxError) and isinstance(before, ast.AST):
        line = block.first + (after.lineno or 1) - (1 if block.indent else 0)
        return Edited(block, begin, *texts, (new.offset(max(line, 1), max((after.offset or 1) - 1, 0)), after.msg))
    if not isinstance(before, ast.AST) or not isinstance(after, ast.AST) or type(before) is not type(after):
        return None
    same = all(_dump(before, part) == _dump(after, part) for part in ("args", "decorator_list", "returns"))
    return Edited(block, begin, *texts) if same and before.name == after.name else None


def is_of_no_interest(edited: Edited, find: Callable[[bytes], set[str]], names: frozenset[bytes]) -> bool:
    """Tell whether nothing in a function, before and after, could wake a rule, or tell other functions anything.

    `find` returns the words that some rule asks for, `names` are those by which something that matters is reached.
    """
    both = edited.before + b"\n" + edited.after
    if any(word in both for word in (b"async", b"global", b"nonlocal", b"import")) or find(both):
        return False
    own = edited.block.name.encode()
    if not names.isdisjoint(word for word in words_of(both) if word != own):
        return False
    return _told_to_others(edited.before) == _told_to_others(edited.after)


def outline_after(outline: Outline, edited: Edited, source: Source) -> Outline | None:
    """Return the outline of the text after an edit in one function, moved and not read again; None if it has more."""
    block = edited.block
    if block.children or len(_DEFINITION.findall(edited.after)) != len(_DEFINITION.findall(edited.before)):
        return None
    delta = len(source.lines) - len(outline.source.lines)
    end = block.first + len(edited.after.rstrip().splitlines())
    moved: dict[int, Block] = {}
    for each in outline.blocks:
        by = 0 if each.first <= block.first else delta
        new = replace(
            each,
            first=each.first + by,
            header=each.header + by,
            end=end if each.end == block.end else each.end + (delta if each.end > block.end else 0),
            parent=moved[id(each.parent)] if each.parent is not None else None,
            children=[],
        )
        if new.parent is not None:
            new.parent.children.append(new)
        moved[id(each)] = new
    result = Outline(source)
    result.__dict__["blocks"] = tuple(moved.values())  # as its cached property would keep it
    return result


def _told_to_others(text: bytes) -> tuple[bool, bool, list[bytes]]:
    return b"return" in text, b"yield" in text, _ATTRIBUTE.findall(text)


def _function(data: bytes, block: Block, source: Source) -> ast.FunctionDef | ast.AsyncFunctionDef | SyntaxError | None:
    """Return the one function that a text is, or why it does not parse; None when it is anything else."""
    if b"\0" in data:
        return None
    try:
        text = data.decode(source.encoding)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(f"if 1:\n{text}" if block.indent else text).body
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError):
        return None
    if block.indent:
        body = body[0].body if len(body) == 1 and isinstance(body[0], ast.If) and not body[0].orelse else []
    found = body[0] if len(body) == 1 else None
    return found if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def _dump(function: ast.AST, part: str) -> str:
    value = getattr(function, part)
    items = value if isinstance(value, list) else [value]
    return "".join(ast.dump(item) if isinstance(item, ast.AST) else repr(item) for item in items)


def edits_between(before: Source, after: Source) -> list[Edit]:
    """Return the edits of whole lines that make one text of the other."""
    old, new = before.lines, after.lines
    starts = [*before.line_starts, len(before.data)]
    edits = []
    for kind, first, last, begin, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            text = b"".join(new[begin:end]).decode(after.shown_encoding, "replace")
            edits.append(Edit(Span(starts[first], starts[last]), text))
    return edits


def unchanged(before: Source, after: Source, span: Span) -> Span | None:
    """Return where a span stands after any number of edits; None when its lines were touched."""
    top, bottom = (
        bisect.bisect_right(before.line_starts, at) - 1 for at in (span.start, max(span.end - 1, span.start))
    )
    for first, begin, length in _same_lines(before, after):
        if first <= top and bottom < first + length:
            shift = after.line_starts[begin] - before.line_starts[first]
            return Span(span.start + shift, span.end + shift)
    return None


@lru_cache(maxsize=2)
def _same_lines(before: Source, after: Source) -> list[difflib.Match]:
    matcher = difflib.SequenceMatcher(None, before.lines, after.lines, autojunk=False)
    return [match for match in matcher.get_matching_blocks() if match.size]
