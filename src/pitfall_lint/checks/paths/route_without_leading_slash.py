"""A route, mount or prefix that is written without the slash that every request path starts with."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding
from pitfall_lint.semantic import owners, slashes
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.registrations import Registration, on
from pitfall_lint.semantic.routes import Registered, own_prefix, registered
from pitfall_lint.semantic.shapes import Shape


def check(file: File) -> Iterator[Finding]:
    """Report paths of which every known alternative lacks the leading slash."""
    for route in registered(file):
        if route.row.leading == "forbidden" and (inner := inside(route)) is not None:
            text, first = route.shapes[0].pretty, inner.shapes[0].pretty
            yield file.finding(
                route.node,
                f'"{text}" without "/" at its end melts into what it includes: "{first}" is served as "/{text}{first}"',
                related=[inner.file.related(inner.node, "glued to it without a slash")],
                fix=slashes.with_trailing(file, route.node),
            )
        if route.row.leading != "required" or route.row.bare == "fine":
            continue
        known = [shape for shape in route.shapes if shape.starts is not None and shape.is_empty is False]
        if not known or any(shape.starts for shape in known):
            continue
        bare = next((shape for shape in known if slashes.is_bare(shape, route.row.regex)), None)
        if bare is not None:
            yield file.finding(
                route.node,
                _message(file, route, bare),
                consequence=_consequence(route),
                fix=slashes.with_leading(
                    file, route.node, bare, route.row.regex, constant=all(s.text for s in route.shapes)
                ),
            )


def inside(route: Registered) -> Registration | None:
    """Return the first path that a prefix without a slash at its end is glued to, if it includes any."""
    file, text = route.call.file, route.shapes[0].text
    given = route.call.where(route.row.prefix) if route.row.prefix else None
    if given is None or len(route.shapes) != 1 or not text or text.endswith("/") or route.row.regex:
        return None
    child = owners.included(file, given) if isinstance(given, cst.Call) else None
    for registration in on(child, file) if child is not None else ():
        if len(registration.shapes) == 1 and slashes.is_bare(registration.shapes[0]) and not registration.row.regex:
            return registration
    return None


def _message(file: File, route: Registered, bare: Shape) -> str:
    text = bare.pretty
    if route.row.bare == "raises":
        return f'"{text}" without a leading "/" raises {route.row.says}'
    prefixes = own_prefix(file, route.call.receiver) if route.row.bare == "melts" else None
    if prefixes and prefixes[0].is_empty is False:
        prefix = prefixes[0].pretty
        return f'"{text}" melts into the prefix: it is served as "{prefix}{text}", not "{prefix}/{text}"'
    if route.row.kind == "root":
        return f'root_path "{text}" without a leading "/" never matches the start of a request path'
    wanted = slashes.slashed(text, route.row.regex)
    return f'"{text}" never matches: request paths start with "/" ("{wanted}")'


def _consequence(route: Registered) -> str:
    if route.row.bare == "raises":
        return "The program ends at start-up."
    if route.row.bare == "melts":
        return "Below a prefix it is glued to it without a slash; without one every request gets a 404."
    return "It is registered without an error, and every request for it gets a 404."
