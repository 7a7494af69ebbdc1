"""The words in which checks speak of source text and of the edits that mend it."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from pitfall_lint.finding import Edit, Fix, Span
from pitfall_lint.semantic import edits
from pitfall_lint.semantic.syntax import Syntax


class Mending(Syntax):
    """Source text of nodes, and edits of it."""

    def span(self, node: cst.CSTNode) -> Span:
        """Return the bytes of a node in the file."""
        return edits.span(self, node)

    def text(self, node: cst.CSTNode) -> str:
        """Return the source of a node on one line, shortened to 60 characters."""
        return edits.text(self, node)

    def wording(self, node: cst.CSTNode) -> str:
        """Return the source of a node, of an expression without parentheses around it: enough to compare."""
        return edits.wording(self, node)

    def code(self, node: cst.CSTNode) -> str:
        """Return the source of a node as it stands."""
        return edits.code(self, node)

    def replace(self, node: cst.CSTNode, new: str | cst.CSTNode, title: str) -> Fix:
        """Return a fix that puts other source in the place of a node."""
        return Fix(title, (self.edit_replace(node, new),))

    def edits(self, title: str, *parts: Edit | Iterable[Edit]) -> Fix:
        """Return one fix of several edits."""
        flat: list[Edit] = []
        for part in parts:
            flat.extend([part] if isinstance(part, Edit) else part)
        return Fix(title, tuple(sorted(flat)))

    def edit_replace(self, node: cst.CSTNode, new: str | cst.CSTNode) -> Edit:
        """Return the edit that puts other source in the place of a node."""
        return edits.replace(self, node, new)

    def edit_insert_before(self, node: cst.CSTNode, code: str) -> Edit:
        """Return the edit that puts lines of code before the statement of a node, with its indentation."""
        return edits.insert(self, node, code, after=False)

    def edit_insert_after(self, node: cst.CSTNode, code: str) -> Edit:
        """Return the edit that puts lines of code after the statement of a node, with its indentation."""
        return edits.insert(self, node, code, after=True)

    def edit_remove(self, node: cst.CSTNode) -> Edit:
        """Return the edit that takes a statement away with its lines; `pass` stays where one is needed."""
        return edits.remove(self, node)

    def edit_add_argument(self, call: cst.Call, argument: str) -> Edit:
        """Return the edit that hands one more argument to a call."""
        return edits.add_argument(self, call, argument)

    def edit_replace_argument(self, argument: cst.Arg, new: str) -> Edit:
        """Return the edit that puts another argument in the place of one."""
        return edits.replace_argument(self, argument, new)

    def indentation(self, node: cst.CSTNode) -> str:
        """Return the white space that the statement line of a node begins with."""
        return edits.indentation(self, node)

    def edit_wrap(self, first: cst.CSTNode, last: cst.CSTNode, header: str, footer: str = "") -> tuple[Edit, ...]:
        """Return the edits that put the statements `first` to `last` one level deeper below `header`."""
        return edits.wrap(self, first, last, header, footer)

    def edit_import(self, module: str) -> tuple[str, tuple[Edit, ...]]:
        """Return the name by which a module can be used here, and the edits that import it if need be."""
        return edits.import_module(self, module)
