"""An absolute path in an application that is, or may be, mounted below a prefix: it leads outside."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Related
from pitfall_lint.libraries.paths import MountedPath, MountPoint, UrlUse
from pitfall_lint.semantic import strings
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.routes import Registered, registered
from pitfall_lint.semantic.shapes import Hole, literal
from pitfall_lint.semantic.values import Instance


def check(file: File) -> Iterator[Finding]:
    """Report redirects to absolute paths beside a prefix, and mounted applications with a path of their own."""
    routes = list(registered(file))
    for route in routes:
        yield from _mounted(file, route)
    prefix = _prefix(file, routes)
    if prefix is None:
        return
    for call, use in file.calls_to(UrlUse):
        target = call.where(use.url)
        if use.kind != "redirect" or target is None:
            continue
        found = strings.shapes_of(file, target)
        if all(shape.head.startswith("/") and not shape.head.startswith("//") for shape in found):
            yield file.finding(
                target,
                f'"{found[0].pretty}" leads outside of the application when it is served below a prefix',
                consequence="The browser takes it from the root of the host: 404, or another application.",
                related=[prefix] if isinstance(prefix, Related) else [],
                strict=True,
            )


def _prefix(file: File, routes: list[Registered]) -> Related | bool | None:
    """Return what shows that the application may be served below a prefix: a route's, or that it asks for it."""
    for route in routes:
        first = route.shapes[0].parts[0] if route.shapes and route.shapes[0].parts else None
        if route.row.kind in {"prefix", "root", "mount", "include"} and isinstance(first, Hole) and first.source:
            return file.related(route.node, f"the prefix {first.name}")
    words = [word.encode() for row in file.libraries.rows(MountPoint) for word in row.tokens]
    return True if any(word in file.source.data for word in words) else None


def _mounted(file: File, route: Registered) -> Iterator[Finding]:
    """Report a mounted application whose own path lacks the mount's part."""
    given = route.call.where(route.row.prefix) if route.row.prefix else None
    if route.row.kind != "mount" or given is None:
        return
    for value in file.values_of(given):
        if not isinstance(value, Instance) or not isinstance(value.origin, cst.Call) or value.file is None:
            continue
        row = file.row_of_type(value.type, MountedPath)
        if row is None:
            continue
        own = value.file.call(value.origin).where(row.path)
        paths = strings.shapes_of(value.file, own) if own is not None else (literal(row.default),)
        for mount in route.shapes:
            text = (mount.text or "").strip("/")
            wrong = [p for p in paths if p.text and p.text.strip("/") and not p.text.lstrip("/").startswith(text)]
            if text and wrong:
                path = wrong[0].pretty.strip("/")
                yield file.finding(
                    given,
                    f'"/{path}" is compared with the whole path, "/{text}/…": every request gets a 404',
                    consequence=f'The path has to be "/{text}/{path}", or "" for all of the mount.',
                    related=[value.file.related(own or value.origin, "its own path")],
                    strict=True,
                )
                return
