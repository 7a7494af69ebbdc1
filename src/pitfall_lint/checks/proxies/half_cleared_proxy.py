"""Proxy variables have two spellings and ALL_PROXY beside them: taking some away leaves the proxy in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries.proxies import ProxyVariable
from pitfall_lint.semantic import environment, programs
from pitfall_lint.semantic.audience import for_users
from pitfall_lint.semantic.environment import Use
from pitfall_lint.semantic.file import File


def check(file: File) -> Iterator[Finding]:
    """Report proxy variables cleared, or read, in one spelling only, and clearing that raises KeyError."""
    names = environment.spellings(file, "proxy")
    groups: dict[object, list[Use]] = {}
    for use in environment.uses_in_sight(file):
        if names.issuperset(use.names):
            groups.setdefault(file.function_of(use.node), []).append(use)
    own = {name for use in programs.in_file(file) if use.does in ("set", "append", "default") for name in use.names}
    for group in groups.values():
        cleared = [use for use in group if use.does == "clear" and not own.issuperset(use.names)]
        missing = [name for name in environment.left_over(file, cleared) if name not in own]
        if cleared and missing:
            yield for_users(file, _half_cleared(file, cleared, missing))
            cleared = cleared[1:]
        for use in cleared:
            if use.raises and not environment.is_guarded(use):
                yield for_users(file, _raising(file, use))
        if not cleared and not missing:
            yield from _half_read(file, [use for use in group if use.does == "read"], own)


def _half_cleared(file: File, cleared: list[Use], missing: list[str]) -> Finding:
    done = list(dict.fromkeys(name for use in cleared for name in use.names))
    return file.finding(
        cleared[0].node,
        f"{_listed(done)} taken away, {_listed(missing)} left: requests still go through the proxy",
        consequence="Both spellings count, and ALL_PROXY holds where the others are missing.",
        fixes=[_clear_rest(file, cleared, missing)],
    )


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _clear_rest(file: File, cleared: list[Use], missing: list[str]) -> Fix | None:
    last = environment.guard_of(cleared[-1])
    os, imports = file.edit_import("os")
    lines = "\n".join(f'{os}.environ.pop("{name}", None)' for name in missing)
    edits = [file.edit_insert_after(last, lines), *imports]
    for use in cleared:
        if use.raises and not environment.is_guarded(use) and (pop := _pop(file, use)):
            edits.append(file.edit_replace(use.node, pop))
    return file.edits(f"Take {_listed(missing)} away too", edits)


def _raising(file: File, use: Use) -> Finding:
    pop = _pop(file, use)
    return file.finding(
        use.node,
        f'{file.text(use.node)} raises KeyError: "{use.names[0]}" where no proxy is set',
        fixes=[file.replace(use.node, pop, "Use pop with a default")] if pop else (),
    )


def _pop(file: File, use: Use) -> str | None:
    """The source that takes the same variable away and does not mind when it is missing."""
    node = use.node
    if isinstance(node, cst.Call) and len(node.args) == 1 and isinstance(node.func, cst.Attribute):
        return f"{file.code(node.func)}({file.code(node.args[0].value)}, None)"
    if isinstance(node, cst.Del) and isinstance(node.target, cst.Subscript):
        index = node.target.slice[0].slice
        if isinstance(index, cst.Index):
            return f"{file.code(node.target.value)}.pop({file.code(index.value)}, None)"
    return None


def _half_read(file: File, reads: list[Use], own: set[str]) -> Iterator[Finding]:
    everywhere = {name for use in programs.in_file(file) for name in use.names}
    for use in {use.names: use for use in reversed(reads)}.values():
        for row in file.libraries.rows(ProxyVariable):
            known = everywhere.intersection(row.variables)
            if len(use.names) == 1 and use.names[0] in row.variables and len(known) == 1 and own.isdisjoint(known):
                other = next(name for name in row.variables if name not in known)
                finding = file.finding(use.node, f"{use.names[0]} is read, {other} is not: users set either spelling")
                yield replace(finding, strict=True)
