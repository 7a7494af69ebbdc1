"""Which facts are worth remembering: those that a later condition asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.flow.steps import Step, assignments

if TYPE_CHECKING:
    from pitfall_lint.semantic.flow.facts import Reasoner


def relevant(reasoner: Reasoner) -> frozenset[str]:
    """Return the keys that can tie conditions together: tested twice, or given a value and tested."""
    tested: dict[str, set[cst.CSTNode]] = {}
    flows: dict[str, set[str]] = {}
    for step in reasoner.steps:
        if step.kind == "test" and step.node is not None:
            for key in reasoner.keys(step.node):
                tested.setdefault(key, set()).add(step.node)
        for target, value in assignments(step):
            name = reasoner.key(target) if isinstance(target, (cst.Name, cst.Attribute)) else None
            if name is not None and value is not None:
                flows.setdefault(name, set()).update(reasoner.keys(value))
    wanted = {key for key, nodes in tested.items() if len(nodes) > 1 or key in flows}
    stack = list(wanted)
    while stack:
        for source in flows.get(stack.pop(), ()):
            if source not in wanted:
                wanted.add(source)
                stack.append(source)
    return frozenset(wanted)


def live(reasoner: Reasoner) -> dict[Step, frozenset[str]]:
    """Return for each step the keys that some test at or after it still asks for."""
    numbers = {key: number for number, key in enumerate(sorted(reasoner.relevant))}

    def bits(keys: Iterable[str]) -> int:
        return sum(1 << numbers[key] for key in keys if key in numbers)

    wanted: dict[Step, int] = {}
    kept: dict[Step, int] = {}
    before: dict[Step, list[Step]] = {}
    for step in reasoner.steps:
        used: frozenset[str] = reasoner.keys(step.node) if step.kind == "test" else frozenset()
        killed: set[str] = set()
        for target, value in assignments(step):
            key = reasoner.key(target) if isinstance(target, (cst.Name, cst.Attribute)) else None
            if key is not None and key in reasoner.relevant:
                used |= reasoner.keys(value)
                if not any(edge.raised for edge in step.edges):
                    killed.add(key)
        wanted[step], kept[step] = bits(used), ~bits(killed)
        for edge in step.edges:
            before.setdefault(edge.target, []).append(step)
    work = {step: None for step in reasoner.steps if wanted[step]}
    while work:
        step, _ = work.popitem()
        for earlier in before.get(step, ()):
            more = wanted[earlier] | (wanted[step] & kept[earlier])
            if more != wanted[earlier]:
                wanted[earlier] = more
                work[earlier] = None
    sets = {mask: frozenset(key for key, number in numbers.items() if mask >> number & 1) for mask in wanted.values()}
    return {step: sets[mask] for step, mask in wanted.items()}
