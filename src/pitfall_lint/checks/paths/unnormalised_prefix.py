"""A prefix or base address that users choose, joined as if it never ended in a slash."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic import prefixes, seams
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.pieces import Piece
from pitfall_lint.semantic.routes import registered
from pitfall_lint.semantic.seams import Joined, Seam, joined_in
from pitfall_lint.semantic.shapes import Hole


def check(file: File) -> Iterator[Finding]:
    """Report joins of such a value with "/…" when the project itself says that it may end in a slash."""
    for joined in joined_in(file):
        for seam in joined.seams():
            finding = _joined(file, joined, seam)
            if finding is not None and not seams.is_collapsed(file, joined.node):
                yield finding
                break
    for route in registered(file):
        if route.row.trailing != "raises":
            continue
        for shape in route.shapes:
            default = prefixes.default_with_slash(file, shape)
            if default and shape.hole is not None and shape.hole.trailing is None:
                yield file.finding(
                    route.node,
                    f'A prefix in the form of its default "{default}", such as "/x/", raises {route.row.trailing_says}',
                    fix=file.replace(route.node, f'{file.code(route.node)}.rstrip("/")', "Take the slash off here"),
                )
                break


def _joined(file: File, joined: Joined, seam: Seam) -> Finding | None:
    if seam.left is not joined.pieces[0] or seam.left.literal or any(s.ends for s in seam.left.shapes):
        return None
    holes = [h for shape in seam.left.shapes if (h := prefixes.open_end(shape)) is not None]
    if not holes:
        return None
    hole = holes[0]
    if not all(shape.starts and shape.head for shape in seam.right.shapes):
        return _unseparated(file, joined, seam, hole)
    if not _is_address(file, joined, hole):
        return None
    left = seam.left.node
    if prefixes.tried_both_ways(file, joined.node, left) or prefixes.is_asked_before(file, joined.node, left):
        return None
    rest = seam.right.shapes[0].pretty
    message = f'With "/" at the end of {hole.name} the slash is doubled: "…/{rest}"'
    for hole in holes:
        elsewhere = prefixes.stripped_elsewhere(file, hole) if hole.source else None
        if elsewhere:
            related = [elsewhere[0].related(elsewhere[1], "the same value loses its slash here")]
            return file.finding(joined.node, message, related=related, fix=_stripped(file, seam.left))
        if example := prefixes.documented_with_slash(hole):
            message = f'{hole.name} is documented as "{example}": the slash is doubled, "…/{rest}"'
            return file.finding(joined.node, message, fix=_stripped(file, seam.left))
    fix = _stripped(file, seam.left) if file.strict_too else None
    return file.finding(joined.node, message, fix=fix, strict=True)


def _is_address(file: File, joined: Joined, hole: Hole) -> bool:
    """Tell whether a join makes an address: by its scheme, by who takes it, by the name of its base or its own."""
    return prefixes.is_named(hole) or prefixes.is_called_address(file, joined.node) or seams.is_address(file, joined)


def _unseparated(file: File, joined: Joined, seam: Seam, hole: Hole) -> Finding | None:
    """Report, strictly, an address and a path that are put together as they are."""
    path = seam.right.shapes[0].hole
    if path is None or seam.right.literal or path.leading is not None or not prefixes.is_path_name(path):
        return None
    if not _is_address(file, joined, hole):
        return None
    return file.finding(
        joined.node,
        f"Nothing puts one slash between {hole.name} and {path.name}: both may bring one, or neither",
        strict=True,
    )


def _stripped(file: File, piece: Piece) -> Fix | None:
    node = piece.node
    if not isinstance(node, (cst.Name, cst.Attribute, cst.Call, cst.Subscript)):
        return None
    outer = file.parent(node)
    quote = '"'
    if isinstance(outer, cst.FormattedStringExpression):
        whole = file.parent(outer)
        if isinstance(whole, cst.FormattedString) and '"' in whole.start:
            quote = "'"
    return file.replace(node, f"{file.code(node)}.rstrip({quote}/{quote})", "Take the slash off before it is joined")
