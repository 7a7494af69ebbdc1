"""A joined address whose slash is provably doubled or missing between two parts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix, Related
from pitfall_lint.semantic import callers, shapes, slashes
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.seams import Joined, Seam, is_address, is_scheme_end, joined_in, starts_query
from pitfall_lint.semantic.shapes import Shape, Shapes

_WHOLE_HOST = re.compile(r"(?i)^(https?|wss?)://[^/]*(localhost|\.[a-z]{2,}|:\d+)$")


def check(file: File) -> Iterator[Finding]:
    """Report seams of which both sides are known and do not fit."""
    for joined in joined_in(file):
        for seam in joined.seams():
            if any(is_scheme_end(before) or starts_query(before) for before in seam.before):
                continue
            finding = _doubled(file, joined, seam) or _missing(file, seam) or _by_callers(file, joined, seam)
            if finding is not None:
                yield finding
                break


def _decided(found: Shapes, side: str) -> list[Shape]:
    return [shape for shape in found if getattr(shape, side) is not None and shape.is_empty is False]


def _doubled(file: File, joined: Joined, seam: Seam) -> Finding | None:
    own, right = _decided(seam.left.shapes, "ends"), _decided(seam.right.shapes, "starts")
    if not own or not right or not all(s.ends for s in own) or not all(s.starts for s in right):
        return None
    left = [s for s in _decided(seam.before, "ends") if s.ends]
    if not left:
        return None
    if not is_address(file, joined):
        return None
    result = left[0].pretty + right[0].pretty + joined.text_behind(seam)
    return file.finding(
        joined.node,
        f'The slash is doubled: "{result}"',
        consequence="Servers take two slashes for another path, mostly one that does not exist.",
        related=[*_written(file, seam.left.node, left[0]), *_written(file, seam.right.node, right[0])],
        fix=_single(file, seam) if len(left) == len(seam.before) and len(right) == len(seam.right.shapes) else None,
    )


def _missing(file: File, seam: Seam) -> Finding | None:
    left, right = _decided(seam.before, "ends"), _decided(seam.right.shapes, "starts")
    if seam.left.literal and seam.right.literal or len(left) != len(seam.before) or not left or not right:
        return None
    texts = [s.text for s in left]
    if not all(s.text and slashes.is_bare(s) and s.text[0].isalpha() for s in right):
        return None
    if not all(text is not None and _WHOLE_HOST.match(text) for text in texts):
        paths = all(shapes.has_path(s) and s.tail[-1:].isalnum() for s in left)
        if not paths or not all("/" in s.tail for s in right) or any("." in s.tail.rpartition("/")[2] for s in left):
            return None
    return file.finding(
        seam.right.node,
        f'The slash is missing: "{left[0].pretty}{right[0].pretty}"',
        consequence="The two parts melt into another host or another path.",
        related=_written(file, seam.left.node, left[0]),
        fix=_separated(file, seam),
    )


def _by_callers(file: File, joined: Joined, seam: Seam) -> Finding | None:
    """Report a seam at a parameter to which every caller gives a text that doubles the slash."""
    for part, side, other in (
        (seam.left, "ends", seam.right.shapes),
        (seam.right, "starts", seam.before),
    ):
        if not all(getattr(s, "starts" if side == "ends" else "ends") for s in other):
            continue
        given = callers.given_to(part.shapes)
        bad = [(call, s) for call, s in given if getattr(s, side) and (side == "ends" or s.text != "/")]
        if not given or len(bad) != len(given) or not (is_address(file, joined) or shapes.is_url(bad[0][1])):
            continue
        if is_scheme_end(bad[0][1]):
            continue
        result = "".join(
            bad[0][1].pretty if piece is part else piece.shapes[0].pretty for piece in joined.pieces
        )
        return file.finding(
            joined.node,
            f'The slash is doubled: callers give "{bad[0][1].pretty}", so it is "{result}"',
            related=[call.file.related(call.node, f'gives "{shape.pretty}"') for call, shape in bad[:3]],
        )
    return None


def _written(file: File, node: cst.CSTNode, shape: Shape) -> list[Related]:
    if shape.origin is None or shape.origin[1] is node or shape.origin[0] is None:
        return []
    return [shape.origin[0].related(shape.origin[1], f'"{shape.pretty}" is written here')]


def _single(file: File, seam: Seam) -> Fix | None:
    """Return the fix that drops the slash behind the seam."""
    node = seam.right.node
    outer = file.parent(node)
    if isinstance(outer, cst.Attribute) or (
        isinstance(outer, cst.BinaryOperation) and isinstance(outer.operator, cst.Modulo)
    ):
        return None  # text of a template
    if isinstance(node, (cst.SimpleString, cst.FormattedStringText)):
        return file.edits("Drop the doubled slash", slashes.drop_in(file, node))
    if isinstance(node, (cst.Name, cst.Attribute)) and not isinstance(file.parent(node), cst.FormattedStringExpression):
        return file.replace(node, f'{file.code(node)}.lstrip("/")', "Take the leading slash off").less_safe()
    return None


def _separated(file: File, seam: Seam) -> Fix | None:
    node = seam.right.node
    if isinstance(node, cst.SimpleString):
        return file.edits("Put the slash between", slashes.insert_at_start(file, node, "/"))
    if isinstance(node, cst.FormattedStringText):
        at = file.span(node).start
        return file.edits("Put the slash between", slashes.insertion(at, "/"))
    return None
