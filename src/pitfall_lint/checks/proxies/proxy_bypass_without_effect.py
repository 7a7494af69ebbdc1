"""`proxy=None`, `proxies={}` and their like look as if they kept a request from the proxy, and do nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import libcst as cst

from pitfall_lint.finding import Finding, Fix
from pitfall_lint.libraries.proxies import NoBypass, NoBypassAttribute
from pitfall_lint.semantic import environment
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.file import File

_NETWORK = re.compile(r"(?:^|,)\s*((?:\d{1,3}\.){3}\d{1,3}/(?!32\b)\d{1,2})\s*(?=,|$)")


def check(file: File) -> Iterator[Finding]:
    """Report arguments, attributes and NO_PROXY entries that the library takes no notice of."""
    yield from _arguments(file)
    yield from _attributes(file)
    yield from _networks(file)


def _arguments(file: File) -> Iterator[Finding]:
    for call, row in file.calls_to(NoBypass):
        value = call.where(row.argument)
        if value is None or not _is(file, value, row.value) or file.version_allows(row) is False:
            continue
        if any(call.keyword(other) is not None for other in row.unless):
            continue
        argument = file.parent(value)
        if isinstance(argument, cst.Arg):
            finding = file.finding(argument, row.says, fixes=[_instead(file, call, argument, row)])
            yield replace(finding, strict=row.partly)


def _is(file: File, value: cst.BaseExpression, wanted: str) -> bool:
    """Compare literals by their source; what a name holds does not count, it may be meant for other cases."""
    return wanted == "*" or re.sub(r"\s", "", file.code(value)).replace("'", '"') == re.sub(r"\s", "", wanted)


def _instead(file: File, call: Call, argument: cst.Arg, row: NoBypass) -> Fix | None:
    if row.remedy == "-":
        kept = [
            file.code(arg.value if arg.keyword is None else arg).rstrip(", \n")
            for arg in call.node.args
            if arg is not argument
        ]
        return file.replace(call.node, f"{file.code(call.node.func)}({', '.join(kept)})", "Leave the argument out")
    if not row.remedy or call.has_star:
        return None
    return file.edits(f"Use {row.remedy}", file.edit_replace_argument(argument, row.remedy))


def _attributes(file: File) -> Iterator[Finding]:
    for node in file.nodes(cst.Assign):
        assert isinstance(node, cst.Assign)
        target = node.targets[0].target
        if len(node.targets) != 1 or not isinstance(target, cst.Attribute):
            continue
        row = _attribute_row(file, target)
        if row is None or (row.value == "empty" and not _is_empty(file, node.value)):
            continue
        owner = file.code(target.value)
        if row.settled_by and f"{owner}.{row.settled_by}" in _around(file, node, owner):
            continue
        fix = file.replace(node, row.remedy.format(object=owner), f"Use {row.settled_by}") if row.remedy else None
        yield file.finding(node, row.says, fixes=[fix])


def _around(file: File, node: cst.CSTNode, owner: str) -> str:
    function = None if owner.startswith("self.") else file.function_of(node)
    return file.source.decoded() if function is None else file.code(function.node)


def _attribute_row(file: File, target: cst.Attribute) -> NoBypassAttribute | None:
    if not any(row.attribute.endswith(f".{target.attr.value}") for row in file.libraries.rows(NoBypassAttribute)):
        return None
    name = file.qualified_name(target)
    row = file.libraries.find(NoBypassAttribute, name) if name is not None else None
    type_ = file.type_of(target.value) if row is None else None
    if isinstance(type_, str):
        row = file.libraries.find(NoBypassAttribute, f"{type_}.{target.attr.value}")
    return row


def _is_empty(file: File, value: cst.BaseExpression) -> bool:
    if not isinstance(value, cst.Dict):
        return False
    return all(isinstance(e, cst.DictElement) and file.folded(e.value) in ("", None) for e in value.elements)


def _networks(file: File) -> Iterator[Finding]:
    reader = environment.literal_reader(file)
    names = environment.spellings(file, "exceptions")
    for use in environment.uses_in_sight(file) if reader is not None else ():
        if use.does not in ("set", "append", "default") or not names.intersection(use.names):
            continue
        if match := next((match for text in use.shapes() if (match := _NETWORK.search(text))), None):
            says = f'"{match[1]}" in {use.names[0]} matches nothing: {reader} compares entries as text'
            yield file.finding(use.node, says, consequence="List each host: localhost,127.0.0.1.")
