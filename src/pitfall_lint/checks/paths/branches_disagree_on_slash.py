"""A path that starts with a slash on one way through the program and without (or with two) on another."""

from __future__ import annotations

from collections.abc import Iterator

from pitfall_lint.finding import Finding, Related
from pitfall_lint.semantic import slashes
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.routes import Registered, registered
from pitfall_lint.semantic.seams import is_address, is_scheme_end, joined_in
from pitfall_lint.semantic.shapes import Hole, Shape


def check(file: File) -> Iterator[Finding]:
    """Report routes and joins of which one alternative has the slash and another has not."""
    routes = [route for route in registered(file) if route.row.leading == "required"]
    wanted: dict[object, Registered] = {}
    for route in routes:
        for key, _ in _first_holes(route, ""):
            wanted.setdefault(key, route)
    for route in routes:
        finding = _disagreeing(file, route) or _slashed_elsewhere(file, route, wanted)
        if finding is not None:
            yield finding
    yield from _joins(file)


def _disagreeing(file: File, route: Registered) -> Finding | None:
    """Report a route of which the known alternatives disagree."""
    single = [s for s in route.shapes if s.starts and not slashes.is_doubled(s.head)]
    bare = [s for s in route.shapes if slashes.is_bare(s, route.row.regex)] if route.row.bare != "fine" else []
    double = [s for s in route.shapes if slashes.is_doubled(s.head)] if route.row.double != "fine" else []
    if not single or not (bare or double):
        return None
    wrong = (bare or double)[0]
    what = f"raises {route.row.says}" if bare and route.row.bare == "raises" else "never matches a request"
    return file.finding(
        route.node,
        f'One way gives "{single[0].pretty}", another "{wrong.pretty}", which {what}',
        related=_places(file, route, [single[0], wrong]),
        fix=slashes.all_slashed(file, bare) if bare else None,
    )


def _slashed_elsewhere(file: File, route: Registered, wanted: dict[object, Registered]) -> Finding | None:
    """Report "/" before a value that starts another path itself, so that it must bring its own slash."""
    for key, shape in _first_holes(route, "/"):
        other = wanted.get(key)
        if other is None or other.call.node is route.call.node:
            continue
        hole = shape.parts[1]
        assert isinstance(hole, Hole)
        rest = Shape(shape.parts[2:]).pretty
        related = [other.call.file.related(other.node, f'here "{hole.name}" has to start with "/" itself')]
        return file.finding(
            route.node,
            f'"/" stands before {hole.name}, which brings its own: "/x" gives "//x{rest}", which never matches',
            consequence=f'{hole.name} starts another path without a "/" before it, so no value suits both.',
            related=[*related, *_places(file, route, [s for s in route.shapes if s is not shape])],
            fix=slashes.own_slash(file, route.node, shape, route.shapes),
        )
    return None


def _first_holes(route: Registered, before: str) -> Iterator[tuple[object, Shape]]:
    """Yield the keys of the values that a route's path starts with, behind a literal `before`."""
    for shape in route.shapes:
        parts = shape.parts
        if before:
            if not parts or parts[0] != before:
                continue
            parts = parts[1:]
        if parts and isinstance(parts[0], Hole) and parts[0].key is not None and parts[0].leading is not False:
            yield parts[0].key, shape


def _places(file: File, route: Registered, alternatives: list[Shape]) -> list[Related]:
    """Return where alternatives are written, if that is not the path itself."""
    found = []
    for shape in alternatives:
        origin = slashes.origin_behind(file, route.node, shape) or shape.origin
        if origin is not None and origin[1] is not route.node:
            found.append(origin[0].related(origin[1], f'gives "{shape.pretty}" here'))
    return found


def _joins(file: File) -> Iterator[Finding]:
    """Report a "/" before a value that starts with one on some ways only."""
    for joined in joined_in(file):
        for seam in joined.seams():
            single = [s for s in seam.right.shapes if slashes.is_bare(s)]
            slashed = [s for s in seam.right.shapes if s.starts and s.text not in (None, "/")]
            if not single or not slashed or not all(s.ends for s in seam.before):
                continue
            if any(is_scheme_end(s) for s in seam.before) or not is_address(file, joined):
                continue
            before = seam.before[0].pretty
            yield file.finding(
                seam.right.node,
                f'One way gives "{before}{single[0].pretty}", another "{before}{slashed[0].pretty}"',
                consequence="Servers take two slashes for another path, mostly one that does not exist.",
                related=[
                    s.origin[0].related(s.origin[1], f'"{s.pretty}"') for s in (single[0], slashed[0]) if s.origin
                ],
            )
