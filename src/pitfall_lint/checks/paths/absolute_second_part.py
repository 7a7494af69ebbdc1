"""A join of file paths of which a later part is absolute, so that all before it is lost; or of addresses."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic import absolute, shapes, slashes
from pitfall_lint.semantic.absolute import FileJoin
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.shapes import Shape


def check(file: File) -> Iterator[Finding]:
    """Report joins whose later part surely starts with a slash, and addresses joined as if they were files."""
    for join in absolute.file_joins(file):
        finding = _address(file, join) or _absolute(file, join)
        if finding is not None:
            yield finding


def _absolute(file: File, join: FileJoin) -> Finding | None:
    for index in range(len(join.parts) - 1, -1, -1):
        part = join.parts[index]
        found = absolute.shapes_of(file, part)
        if not all(shape.starts for shape in found) or not all(shape.head for shape in found):
            continue
        if join.base is not None and _is_root(file, join.base) and index == 0:
            return None
        result = _result(file, found[0], join.parts[index + 1 :])
        lost = _lost(file, join, index)
        related = []
        if join.inner is not None and join.via is not None:
            related = [join.inner.file.related(join.inner.node, "joined here")]
        return file.finding(
            part,
            f'"{found[0].pretty}" is absolute: the result is "{result}", {lost} is thrown away',
            related=related,
            fix=_relative(file, part, found[0]),
        )
    return None


def _is_root(file: File, base: cst.BaseExpression) -> bool:
    return all(shape.text is not None and not shape.text.strip("/") for shape in absolute.shapes_of(file, base))


def _result(file: File, start: Shape, rest: tuple[cst.BaseExpression, ...]) -> str:
    text = start.pretty
    for part in rest:
        text = f"{text.rstrip('/')}/{absolute.shapes_of(file, part)[0].pretty}"
    return text


def _lost(file: File, join: FileJoin, index: int) -> str:
    if join.via is not None:
        return f"what {join.via.name}() puts before it"
    before = [*([join.base] if join.base is not None else []), *join.parts[:index]]
    return " and ".join(file.text(node) for node in before) or "what stands before it"


def _relative(file: File, part: cst.BaseExpression, shape: Shape) -> Fix | None:
    literal = slashes.literal_of(file, part, shape)
    if literal is part:
        edit = slashes.drop_at_start(file, literal)
        return file.edits('Drop the leading "/"', edit) if edit is not None and shape.pretty.strip("/") else None
    if isinstance(part, (cst.Name, cst.Attribute)):
        return file.replace(part, f'{file.code(part)}.lstrip("/")', 'Take the leading "/" off').less_safe()
    return None


def _address(file: File, join: FileJoin) -> Finding | None:
    if not join.urls or join.base is None:
        return None
    found = absolute.shapes_of(file, join.base)
    if not all(shapes.is_url(shape) for shape in found):
        return None
    return file.finding(
        join.node,
        f'{join.name} takes the address "{found[0].pretty}" for a file path: the result {join.urls}',
        fix=_plain(file, join),
    )


def _plain(file: File, join: FileJoin) -> Fix | None:
    if not join.parts or join.base is None:
        return None
    parts = ", ".join(file.code(node) for node in (join.base, *join.parts))
    ends = all(shape.ends for shape in absolute.shapes_of(file, join.base))
    if ends and len(join.parts) == 1:
        code = f"{file.code(join.base)} + {file.code(join.parts[0])}"
    elif ends:
        rest = ", ".join(file.code(node) for node in join.parts)
        code = f'{file.code(join.base)} + "/".join([{rest}])'
    else:
        code = f'"/".join([{parts}])'
    return file.replace(join.node, code, 'Join the address with "/"').less_safe()
