"""A client that is made here and closed nowhere keeps its connections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pitfall_lint.finding import Finding
from pitfall_lint.semantic.audience import for_users
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.leaks import class_leaks, local_leaks
from pitfall_lint.semantic.ownership import Resource


def check(file: File) -> Iterator[Finding]:
    """Report sessions that a function keeps to itself, or a class on its instances, and nobody closes."""
    for function in file.functions():
        for local in local_leaks(function):
            if not local.closes and not local.handed_on and local.resource.row.kind != "file":
                yield never(file, local.call, local.resource, "no path closes")
    for class_ in file.classes():
        for held in class_leaks(class_):
            how = f"{class_.name} has no method that closes"
            finding = never(file, held.call, held.resource, how)
            yield replace(finding, strict=finding.strict or held.lent)


def never(file: File, call: Call, resource: Resource, how: str) -> Finding:
    """Return the finding at the call that makes it."""
    follows = f": {resource.row.leaks_when}" if resource.row.leaks_when else ""
    related = []
    if resource.made_at is not None:
        other, node = resource.made_at
        related.append(other.related(node, f"{resource.name} makes its {resource.row.type} here"))
    finding = file.finding(call.node, f"{how} this {resource.label}{follows}", related=related)
    perhaps = resource.row.shared or resource.is_wrapper  # an object of the project may look after its session itself
    return for_users(file, replace(finding, strict=resource.row.leaks == "strict" or perhaps))
