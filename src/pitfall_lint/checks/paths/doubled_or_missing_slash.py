"""A joined address whose slash is provably doubled or missing between two parts."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Related
from pitfall_lint.semantic import callers, shapes, slashes
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.seams import Joined, Seam, is_address, is_collapsed, is_scheme_end, joined_in, starts_query
from pitfall_lint.semantic.shapes import Shape, Shapes

_WHOLE_HOST = re.compile(r"(?i)^(https?|wss?)://[^/]*(localhost|\.[a-z]{2,}|:\d+)$")


def check(file: File) -> Iterator[Finding]:
    """Report seams of which both sides are known and do not fit."""
    for joined in joined_in(file):
        for seam in joined.seams():
            if any(is_scheme_end(before) or starts_query(before) for before in seam.before):
                continue
            finding = _doubled(file, joined, seam) or _missing(file, seam)
            found = [finding] if finding is not None else list(_by_callers(file, joined, seam))
            if not found and (glued := _glued(file, joined, seam)) is not None:
                found = [glued]
            yield from found
            if found:
                break


def _decided(found: Shapes, side: str) -> list[Shape]:
    return [shape for shape in found if getattr(shape, side) is not None and shape.is_empty is False]


def _doubled(file: File, joined: Joined, seam: Seam) -> Finding | None:
    own, right = _decided(seam.left.shapes, "ends"), _decided(seam.right.shapes, "starts")
    if not own or not right or not all(s.ends for s in own) or not all(s.starts for s in right):
        return None
    left = [s for s in _decided(seam.before, "ends") if s.ends]
    rooted = len(left) < len(seam.before) and all(s.text == "/" for s in left)  # for want of anything else: unknown
    if not left or rooted or not is_address(file, joined) or is_collapsed(file, joined.node):
        return None
    result = left[0].pretty + right[0].pretty + joined.text_behind(seam)
    return file.finding(
        joined.node,
        f'The slash is doubled: "{result}"',
        consequence="Servers take two slashes for another path, mostly one that does not exist.",
        related=[*_written(file, seam.left.node, left[0]), *_written(file, seam.right.node, right[0])],
        fix=slashes.single_slash(file, seam.right.node)
        if len(left) == len(seam.before) and len(right) == len(seam.right.shapes)
        else None,
    )


def _missing(file: File, seam: Seam) -> Finding | None:
    left, right = _decided(seam.before, "ends"), _decided(seam.right.shapes, "starts")
    if (seam.left.literal and seam.right.literal) or len(left) != len(seam.before) or not left or not right:
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
        fix=slashes.separated(file, seam.right.node),
    )


def _glued(file: File, joined: Joined, seam: Seam) -> Finding | None:
    """Report, strictly, a name that is put right behind a constant path without a slash."""
    left, name = seam.before[0], seam.right.shapes[0].hole
    if seam.left.literal or seam.right.literal or name is None or name.leading is not None:
        return None
    if len(seam.before) != 1 or left.text is None or "/" not in left.text or not left.text[-1:].isalnum():
        return None
    return file.finding(joined.node, f'No slash between "{left.text}" and {name.name}', strict=True)


def _by_callers(file: File, joined: Joined, seam: Seam) -> Iterator[Finding]:
    """Report a seam at a parameter to which callers give a text that doubles the slash, or leaves it out."""
    for part, side, other in ((seam.left, "ends", seam.right.shapes), (seam.right, "starts", seam.before)):
        if any(getattr(shape, side) is not None for shape in part.shapes):
            continue  # `{path.lstrip("/")}`: whatever callers give
        given = callers.given_to(part.shapes)
        slashes_other = {getattr(shape, "starts" if side == "ends" else "ends") for shape in other}
        if not given or len(slashes_other) != 1:
            continue
        if slashes_other == {True}:
            bad = [(call, s) for call, s in given if getattr(s, side) and s.text != "/" and not is_scheme_end(s)]
        else:
            bad = [(call, s) for call, s in given if side == "starts" and slashes.melts(other, s)]
        if not bad or not (is_address(file, joined) or shapes.is_url(bad[0][1])):
            continue
        what = "doubled" if slashes_other == {True} else "missing"
        results = [joined.text_with(part, shape) for _, shape in bad]
        if len(bad) == len(given):
            related = [call.file.related(call.node, f'gives "{shape.pretty}"') for call, shape in bad[:3]]
            text = f'The slash is {what}: callers give "{bad[0][1].pretty}", so it is "{results[0]}"'
            yield file.finding(joined.node, text, related=related)
            return
        for (call, _), result in zip(bad, results, strict=True):
            if call.file is file:
                related = [file.related(joined.node, "joined here")]
                yield file.finding(call.node, f'The slash is {what} in this call: "{result}"', related=related)
        return


def _written(file: File, node: cst.CSTNode, shape: Shape) -> list[Related]:
    if shape.origin is None or shape.origin[1] is node or shape.origin[0] is None:
        return []
    return [shape.origin[0].related(shape.origin[1], f'"{shape.pretty}" is written here')]
