"""A reference join that throws the base's path, or its last segment, away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urljoin

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic import callers, prefixes, references, shapes, slashes
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.references import Reference
from pitfall_lint.semantic.shapes import Shape


def check(file: File) -> Iterator[Finding]:
    """Report joins that surely lose a part of the base; strictly also those that lose any path it may have."""
    for reference in references.references(file):
        targets, related = reference.targets, []
        if given := callers.given_to(targets):
            targets = tuple(shape for _, shape in given)
            related = [call.file.related(call.node, f'gives "{shape.pretty}"') for call, shape in given[:3]]
        if all(_is_rooted(target) for target in targets):
            finding = _rooted(file, reference, targets[0])
        elif all(slashes.is_bare(target) and target.head for target in targets):
            finding = _segment(file, reference, targets[0])
        elif not file.strict_too:
            continue
        else:
            example = prefixes.rooted_example(targets)  # strictly: what a docstring shows of a parameter
            found = _rooted(file, reference, example) if example is not None and _is_rooted(example) else None
            finding = replace(found, strict=True) if found is not None else None
        if finding is not None:
            yield replace(finding, related=tuple(related))
    yield from _base_addresses(file)


def _is_rooted(target: Shape) -> bool:
    return target.head.startswith("/") and not target.head.startswith("//") and not references.at_root(target.head)


def _rooted(file: File, reference: Reference, target: Shape) -> Finding | None:
    """Report a reference that starts with "/": the whole path of the base goes."""
    proven = next((base for base in reference.bases if references.path_of(base)), None)
    if reference.base_node is None and not all(references.path_of(base) for base in reference.bases):
        return None
    if proven is None and not reference.is_route:
        if not file.strict_too or any(references.is_origin(base) for base in reference.bases):
            return None
        return file.finding(
            reference.node,
            f'{reference.name} with "{target.pretty}" drops any path of {reference.base_text}',
            fix=_plain_join(file, reference, target),
            strict=True,
        )
    if proven is None:
        message = f'{reference.name} gives "{target.pretty}": {reference.base_text} is lost'
    else:
        lost = references.path_of(proven)
        result = _resolved(proven, target)
        message = f'{reference.name}("{proven.pretty}", "{target.pretty}") → {result}: "{lost}" is lost'
    return file.finding(reference.node, message, fix=_plain_join(file, reference, target))


def _segment(file: File, reference: Reference, target: Shape) -> Finding | None:
    """Report a base without "/" at its end: its last segment goes."""
    if reference.base_node is None:  # such a client raises when it is made
        return None
    if any(base.ends is not False or not references.path_of(base) for base in reference.bases):
        return None
    base = reference.bases[0]
    last = base.pretty.rpartition("/")[2]
    if "." in last or not last:
        return None
    result = _resolved(base, target)
    return file.finding(
        reference.node,
        f'{reference.name}("{base.pretty}", "{target.pretty}") → {result}: "{last}" is lost, as no "/" follows it',
        fix=_plain_join(file, reference, target),
    )


def _resolved(base: Shape, target: Shape) -> str:
    return urljoin(base.pretty, target.pretty)


def _plain_join(file: File, reference: Reference, target: Shape) -> Fix | None:
    node = reference.target_node
    if reference.base_node is None or node is None or reference.is_method:
        return None
    left = file.code(reference.base_node)
    if not isinstance(reference.base_node, (cst.Name, cst.Attribute, cst.Call, cst.SimpleString, cst.Subscript)):
        left = f"({left})"
    if not all(base.ends is False for base in reference.bases):
        left += '.rstrip("/")'
    right = file.code(node)
    if isinstance(node, cst.SimpleString) and target.text is not None:
        right = f'"/{target.text.lstrip("/")}"'
    elif slashes.is_bare(target):
        right = f'"/" + {right}'
    elif not isinstance(node, (cst.FormattedString, cst.BinaryOperation)):
        right = f'"/" + {right}.lstrip("/")'
    return file.replace(reference.node, f"{left} + {right}", "Join the texts, one slash between them")


def _base_addresses(file: File) -> Iterator[Finding]:
    """Report the base address of a client that joins as browsers do, when it has a path but no "/" behind it."""
    for node, found in references.client_bases(file):
        if all(base.ends is False and shapes.has_path(base) for base in found):
            yield file.finding(
                node,
                f"base_url \"{found[0].pretty}\" raises ValueError: base_url must have a trailing '/'",
                fix=slashes.with_trailing(file, node),
            )
