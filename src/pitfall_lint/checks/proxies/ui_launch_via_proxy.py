"""A user interface that asks for its own URL when it starts does so through the environment's proxies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pitfall_lint.finding import Finding, Fix, Related
from pitfall_lint.libraries.proxies import SelfProbe
from pitfall_lint.semantic import environment, programs
from pitfall_lint.semantic.audience import for_users
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.file import File


def check(file: File) -> Iterator[Finding]:
    """Report launches that no NO_PROXY protects; by default only in programs that deal with proxies."""
    for call, row in file.calls_to(SelfProbe):
        if file.version_allows(row) is False or _is_protected(file, call, row):
            continue
        elsewhere = min(programs.in_reach(file), key=lambda use: use.does == "read", default=None)
        finding = file.finding(
            call.node,
            f"{call.text} first asks for its own URL, through HTTP_PROXY where that is set: the launch fails",
            consequence=f"The user sees: {row.symptom}.",
            fixes=[_list_hosts(file, call, row)],
            related=_related(elsewhere),
        )
        yield for_users(file, replace(finding, strict=elsewhere is None))


def _is_protected(file: File, call: Call, row: SelfProbe) -> bool:
    exceptions = environment.spellings(file, "exceptions")
    for use in programs.before(file, call.node):
        if not exceptions.intersection(use.names):
            if use.does == "clear":
                return True  # the proxies are taken out
        elif use.does in ("set", "append", "default"):
            texts = use.shapes()
            if not texts or any(environment.may_list(text, host) for text in texts for host in row.hosts):
                return True
    return False


def _related(use: environment.Use | None) -> list[Related]:
    if use is None:
        return []
    return [use.file.related(use.node, f"this program knows of {use.names[0]}, but not before this launch")]


def _list_hosts(file: File, call: Call, row: SelfProbe) -> Fix:
    os, imports = file.edit_import("os")
    names = sorted(environment.spellings(file, "exceptions"), reverse=True)
    targets = " = ".join(f'{os}.environ["{name}"]' for name in names)
    known = " or ".join(f'{os}.environ.get("{name}")' for name in names)
    code = f'{targets} = ",".join(\n    filter(None, [{known}, "{",".join(row.hosts)}"])\n)'
    return file.edits("List this machine in NO_PROXY before", file.edit_insert_before(call.node, code), imports)
