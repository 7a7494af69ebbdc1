"""What an edit leaves as it was: findings elsewhere move with the text, and mostly nothing else is to be asked."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, replace

from pitfall_lint.finding import Edit, Finding, Fix, Related, Span
from pitfall_lint.semantic.outline import Block, Outline
from pitfall_lint.source import Source


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
    """The function that holds a whole change."""

    block: Block
    error: tuple[int, str] | None = None
    """Where in the new text, in bytes, and why the function does not parse while it is typed."""


def function_of(outline: Outline, change: Change, new: Source) -> Edited | None:
    """Return the function whose body holds the whole change, if it still is one with the same signature."""
    old = outline.source
    first, last = outline.line_of(change.head), outline.line_of(max(change.tail - 1, change.head))
    if change.head == change.tail:  # lines were put in before this one
        first = last = first - 1
    block = outline.function_at(first) if first >= 0 else None
    if block is None or first < block.header or last >= block.end:
        return None
    starts = [*old.line_starts, len(old.data)]
    begin, end = starts[block.first], starts[block.end]
    before = _function(old.data[begin:end], block, old)
    after = _function(new.data[begin : end + change.shift], block, new)
    if isinstance(after, SyntaxError) and isinstance(before, ast.AST):
        line = block.first + (after.lineno or 1) - (1 if block.indent else 0)
        return Edited(block, (new.offset(max(line, 1), max((after.offset or 1) - 1, 0)), after.msg))
    if not isinstance(before, ast.AST) or not isinstance(after, ast.AST) or type(before) is not type(after):
        return None
    same = all(_dump(before, part) == _dump(after, part) for part in ("args", "decorator_list", "returns"))
    return Edited(block) if same and before.name == after.name else None


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
