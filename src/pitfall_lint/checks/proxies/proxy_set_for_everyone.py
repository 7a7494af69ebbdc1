"""A program that sets HTTP_PROXY for its whole process sends its own local requests to that proxy, too."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix, Related
from pitfall_lint.libraries.proxies import SelfProbe
from pitfall_lint.semantic import environment, programs, proxied
from pitfall_lint.semantic.audience import for_users
from pitfall_lint.semantic.environment import Use
from pitfall_lint.semantic.file import File


def check(file: File) -> Iterator[Finding]:
    """Report proxies that are set in a program that also talks to this machine and lists no exceptions."""
    names, exceptions = environment.spellings(file, "proxy"), environment.spellings(file, "exceptions")
    told: set[object] = set()
    for use in environment.uses_in_sight(file):
        function = file.function_of(use.node)
        if use.does not in ("set", "default") or not names.issuperset(use.names) or function in told:
            continue
        if any(exceptions.intersection(o.names) and o.does != "read" for o in programs.in_reach(file)):
            return
        place = None if _is_undone(file, use) else _local_traffic(file)
        if place is not None:
            told.add(function)
            finding = file.finding(
                use.node,
                f"{use.names[0]} set for the whole process without NO_PROXY: its local requests go there too",
                fixes=[_list_hosts(file, use, exceptions)],
                related=[place],
            )
            yield for_users(file, finding)


def _is_undone(file: File, use: Use) -> bool:
    """Tell whether the function takes the variable away again, or restores it: not for the whole process."""
    around = environment.uses(file, file.function_of(use.node))
    return any(o.does in ("clear", "read") and set(o.names).intersection(use.names) for o in around)


def _local_traffic(file: File) -> Related | None:
    for request in proxied.local_requests_in_reach(file):
        return request.call.file.related(request.call.node, f'the request for "{request.url}"')
    for module in programs.modules(file, 1):
        if any(leaf.encode() in module.source.data for leaf in file.libraries.leaves(SelfProbe)):
            for block in module.outline.functions:
                for call in module.function_for(block).calls():
                    if module.rows_of_call(call, SelfProbe, file.libraries.leaves(SelfProbe)):
                        return module.related(call.node, f"{call.text} asks for its own URL")
    return None


def _list_hosts(file: File, use: Use, exceptions: frozenset[str]) -> Fix | None:
    if not isinstance(file.statement_of(use.node), (cst.Assign, cst.Expr)):
        return None
    os, imports = file.edit_import("os")
    names = sorted(exceptions, reverse=True)
    targets = " = ".join(f'{os}.environ["{name}"]' for name in names)
    known = " or ".join(f'{os}.environ.get("{name}")' for name in names)
    code = f'{targets} = ",".join(\n    filter(None, [{known}, "localhost,127.0.0.1"])\n)'
    return file.edits("List this machine in NO_PROXY", file.edit_insert_after(use.node, code), imports)
