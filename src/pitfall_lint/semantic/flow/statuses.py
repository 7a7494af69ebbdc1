"""Whether a check of a response's status must raise where it stands: a condition around it has found a bad one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.libraries.sessions import StatusCheck

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File


def always_raises(file: File, call: cst.Call) -> bool:
    """Tell whether a call is `raise_for_status()` or the like under a test that its response's status is bad."""
    if not isinstance(call.func, cst.Attribute):
        return False
    rows = [row for row in file.libraries.rows(StatusCheck) if row.method == call.func.attr.value]
    if not rows:
        return False
    subject = file.wording(call.func.value)
    return any(_says_bad(file, test, truth, subject, row) for test, truth in _conditions(file, call) for row in rows)


def _conditions(file: File, node: cst.CSTNode) -> Iterator[tuple[cst.BaseExpression, bool]]:
    """Yield the conditions around a node, as far as nothing changes in between, with the truth they have there."""
    child = node
    for outer in file.ancestors(node):
        if isinstance(outer, cst.If) and child is not outer.test:
            yield outer.test, child is outer.body
        elif isinstance(outer, (cst.FunctionDef, cst.Lambda, cst.For, cst.While)):
            return
        child = outer


def _says_bad(file: File, test: cst.BaseExpression, truth: bool, subject: str, row: StatusCheck) -> bool:
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        return _says_bad(file, test.expression, not truth, subject, row)
    if isinstance(test, cst.BooleanOperation):
        found = [_says_bad(file, side, truth, subject, row) for side in (test.left, test.right)]
        return any(found) if isinstance(test.operator, cst.And) is truth else all(found)
    if isinstance(test, cst.Attribute) and file.wording(test.value) == subject:
        return test.attr.value in (row.bad if truth else row.good)
    return isinstance(test, cst.Comparison) and _compares_bad(file, test, truth, subject, row)


def _compares_bad(file: File, test: cst.Comparison, truth: bool, subject: str, row: StatusCheck) -> bool:
    """Tell whether a comparison leaves bad statuses alone: `400 <= r.status < 500`, `r.status == 404`."""
    left, verdicts = test.left, []
    for target in test.comparisons:
        right = target.comparator
        verdicts.append(
            _bounds(file, left, target.operator, right, truth, subject, row)
            or _bounds(file, right, _TURNED.get(type(target.operator), target.operator), left, truth, subject, row)
        )
        left = right
    return any(verdicts) if truth or len(verdicts) == 1 else False


_TURNED: dict[type[cst.CSTNode], cst.BaseCompOp] = {
    cst.LessThan: cst.GreaterThan(),
    cst.LessThanEqual: cst.GreaterThanEqual(),
    cst.GreaterThan: cst.LessThan(),
    cst.GreaterThanEqual: cst.LessThanEqual(),
}


def _bounds(
    file: File,
    subject: cst.BaseExpression,
    operator: cst.BaseCompOp,
    bound: cst.BaseExpression,
    truth: bool,
    name: str,
    row: StatusCheck,
) -> bool:
    if not isinstance(subject, cst.Attribute) or subject.attr.value not in row.status:
        return False
    if file.wording(subject.value) != name:
        return False
    if truth and isinstance(operator, cst.In) and isinstance(bound, (cst.Tuple, cst.List, cst.Set)):
        return all(_is_bad(file, element.value, row.least) for element in bound.elements)
    if isinstance(operator, (cst.Equal, cst.GreaterThanEqual) if truth else (cst.NotEqual, cst.LessThan)):
        return _is_bad(file, bound, row.least)
    if isinstance(operator, cst.GreaterThan if truth else cst.LessThanEqual):
        return _is_bad(file, bound, row.least - 1)
    return False


def _is_bad(file: File, value: cst.BaseExpression, least: int) -> bool:
    status = file.folded(value)
    return isinstance(status, int) and not isinstance(status, bool) and status >= least
