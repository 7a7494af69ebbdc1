"""`os.environ["no_proxy"] = "localhost"` throws the user's own exceptions away, in one spelling only."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.semantic import environment
from pitfall_lint.semantic.audience import for_users
from pitfall_lint.semantic.environment import Use
from pitfall_lint.semantic.file import File
from pitfall_lint.semantic.hosts import UNKNOWN_PART


def check(file: File) -> Iterator[Finding]:
    """Report constants that take the place of the user's NO_PROXY."""
    names = environment.spellings(file, "exceptions")
    told: list[Use] = []
    for use in environment.uses_in_sight(file):
        if use.does != "set" or not names.issuperset(use.names) or (text := _constant(use)) is None:
            continue
        if _keeps_the_old_one(file, use, names):
            continue
        twin = next((other for other in told if _are_twins(file, use, other)), None)
        told.append(use)
        if twin is not None:
            continue  # the same text under the other spelling, right behind: one finding, one fix
        finding = file.finding(
            use.node,
            f'{" and ".join(_names(file, use))} set to "{text}": what the user listed there is lost',
            consequence="Hosts that the user reaches without the proxy now go through it.",
            fixes=[_append(file, use, names)],
        )
        yield for_users(file, finding)


def _constant(use: Use) -> str | None:
    """The text that is set, for messages; "*" stands for every host, so it loses none."""
    found = [text for text in use.shapes() if text.strip("," + UNKNOWN_PART)]
    if not found or any(text.strip() == "*" for text in found) or len(found) != len(use.shapes()):
        return None
    return found[0].replace(UNKNOWN_PART, "…")


def _names(file: File, use: Use) -> list[str]:
    same = [other for other in environment.uses(file, file.function_of(use.node)) if other.node is use.node]
    return sorted({name for other in same for name in other.names}, reverse=True)


def _keeps_the_old_one(file: File, use: Use, names: frozenset[str]) -> bool:
    """Tell whether the function or the module looks at the variable at all: it may keep or restore it."""
    function = file.function_of(use.node)
    around = [*environment.uses(file, function), *(environment.uses(file, None) if function else ())]
    return any(
        other.does in ("read", "default") or (other.does == "clear" and other.node is not use.node)
        for other in around
        if names.intersection(other.names)
    )


def _are_twins(file: File, use: Use, other: Use) -> bool:
    if use.node is other.node:
        return True
    block = file.parent(file.parent(use.node) or use.node)
    same_block = block is file.parent(file.parent(other.node) or other.node)
    return same_block and use.shapes() == other.shapes()


def _append(file: File, use: Use, names: frozenset[str]) -> Fix | None:
    node = use.node
    if not isinstance(node, cst.Assign) or not all(isinstance(t.target, cst.Subscript) for t in node.targets):
        return None
    first = node.targets[0].target
    assert isinstance(first, cst.Subscript)
    environ, value = file.code(first.value), file.code(node.value)
    both = sorted(names, reverse=True)
    targets = " = ".join(f'{environ}["{name}"]' for name in both)
    old = " or ".join(f'{environ}.get("{name}")' for name in both)
    indent = file.indentation(node)
    joined = f'",".join(\n{indent}    filter(None, [{old}, {value}])\n{indent})'
    edits = [file.edit_replace(node, f"{targets} = {joined}")]
    for other in environment.uses(file, file.function_of(node)):
        if (
            other.does == "set"
            and other.node is not node
            and names.issuperset(other.names)
            and _are_twins(file, use, other)
        ):
            edits.append(file.edit_remove(other.node))
    return file.edits("Add to NO_PROXY, in both spellings", edits)
