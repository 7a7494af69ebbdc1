"""A route, mount or prefix with a slash too many: doubled, at the end of a prefix, or where none belongs."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic import slashes
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.routes import Registered, registered
from pitfall_lint.semantic.shapes import Shape


def check(file: File) -> Iterator[Finding]:
    """Report paths of which every known alternative has a slash that must not be there."""
    for route in registered(file):
        known = [shape for shape in route.shapes if shape.starts is not None and shape.is_empty is False]
        if not known:
            continue
        finding = _leading(file, route, known) or _trailing(file, route, known)
        if finding is not None:
            yield finding


def _leading(file: File, route: Registered, known: list[Shape]) -> Finding | None:
    row, path = route.row, known[0]
    heads = [shape.head.removeprefix("^") if row.regex else shape.head for shape in known]
    if row.leading == "forbidden":
        if not all(head.startswith("/") for head in heads):
            return None
        return file.finding(
            route.node,
            f'"{path.pretty}" never matches: the leading "/" is already taken off, so it is for "/{heads[0]}"',
            consequence="Requests get a 404; urls.W002 warns of it, but not below include().",
            fix=_dropped(file, route, path, ""),
        )
    if row.double == "fine" or not all(slashes.is_doubled(head) for head in heads):
        return None
    single = "/" + path.pretty.lstrip("^").lstrip("/")
    what = "raises an error at start-up" if row.double == "raises" else f'never matches a request for "{single}"'
    return file.finding(
        route.node,
        f'"{path.pretty}" starts with two slashes: it {what}',
        consequence="A client that normalises paths never asks for it, and a redirect to it leaves the host.",
        fix=_dropped(file, route, path, "/"),
    )


def _dropped(file: File, route: Registered, path: Shape, keep: str) -> Fix | None:
    literal = slashes.literal_of(file, route.node, path)
    if literal is None:
        return None
    edit = slashes.drop_at_start(file, literal, keep, "^" if route.row.regex else "")
    if edit is None or (keep and not slashes.written_double(file, literal, route.row.regex)):
        return None
    fix = file.edits('Drop the leading "/"' if not keep else 'Leave one "/"', edit)
    return fix if literal is route.node else fix.less_safe()


def _trailing(file: File, route: Registered, known: list[Shape]) -> Finding | None:
    if route.row.trailing != "raises" or not all(shape.ends for shape in known):
        return None
    path = known[0]
    return file.finding(
        route.node,
        f'prefix "{path.pretty}" raises {route.row.trailing_says}',
        consequence="The program ends at start-up.",
        fix=slashes.without_trailing(file, route.node, path),
    )
